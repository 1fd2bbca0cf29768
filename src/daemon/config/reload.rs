//! A new configuration: read, compare, touch only what changed. A refused file touches nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::base::ids::InstanceId;
use crate::config as configuration;
use crate::daemon::config::outcome::Outcome;
use crate::daemon::config::reading::{Reading, Text};
use crate::daemon::lvs::director::room_for_checks;
use crate::daemon::runtime::Runtime;
use crate::holdings::{self, Holder, Object, Setting, Sysctl};
use crate::model::diff::{self, Change};
use crate::model::Config;
use crate::sys::systemd::State;
use crate::track;
use crate::vrrp::Input;

/// Lines that a reload logs of what it changes.
const MOST_CHANGES: usize = 200;

impl Runtime {
    pub(in crate::daemon) fn reload(&mut self) {
        log::info!("Reloading ...");
        let monotonic_usec = self.clock.monotonic_micros();
        self.outlets.systemd.notify(State::Reloading { monotonic_usec });
        self.place.scheduling.suspend_realtime();
        self.look_everywhere();
        let reading = self.read_anew();
        self.catch_up();
        let refusal = self.refusal(&reading);
        let accepted = refusal.is_none();
        let mut reasons = reading.causes.clone();
        if let Some((causes, remark)) = refusal {
            for cause in &causes {
                log::error!("Reload refused because: {cause}");
            }
            log::error!("Reload refused: the configuration that runs stays in force. {remark}");
            reasons = causes;
            reasons.push(remark.to_owned());
        } else {
            self.running.flawed = reading.is_flawed();
            self.outlets.chatter.clear();
            let config = reading.config;
            if config == self.running.config {
                // What the operator removed, or what has ended, comes back all the same; and what
                // was missing outside of the configuration may be there now.
                self.set_up_notification();
                self.adopt_servers(&self.running.config.clone());
                log::info!("The configuration is the same");
            } else {
                for change in configuration::changes(&self.running.config, &config, MOST_CHANGES) {
                    log::info!("{change}");
                }
                self.adopt(config);
            }
            self.tell_standing();
            log::info!("Reload complete");
        }
        self.refilter_monitor();
        self.place.scheduling.resume_realtime();
        let outcome = Outcome { began: monotonic_usec, accepted, reasons };
        outcome.write(&self.outlets.outcome_file);
        self.outlets.standing.reloaded(&outcome);
        self.outlets.systemd.notify(State::Ready { pid: std::process::id() });
    }

    /// Learns of every interface: the new configuration may name some that the old one did not, and
    /// that nothing was heard of.
    fn look_everywhere(&mut self) {
        self.unfilter_monitor();
        self.resynchronise();
    }

    /// Reads the file, with VRRP served whenever it is due.
    fn read_anew(&mut self) -> Reading {
        let (options, links) = (self.options.clone(), self.cores.holdings.links().clone());
        let daemon = RefCell::new(self);
        let meanwhile = || {
            let mut daemon = daemon.borrow_mut();
            if daemon.urgent_is_due() {
                daemon.catch_up();
            }
        };
        Text::read(&options, &meanwhile).lower(&options, &links, &meanwhile)
    }

    /// Why the file is not taken, and what a start would make of it. Errors are lived with if the
    /// running configuration has some, too; otherwise new ones are refused.
    fn refusal(&self, reading: &Reading) -> Option<(Vec<String>, &'static str)> {
        let frozen = diff::frozen(&self.running.config, &reading.config);
        let restart = |k| format!("Cannot change {k} at a reload - please restart keepalived");
        let mut causes: Vec<_> = frozen.into_iter().map(restart).collect();
        let remark = if reading.is_refused() {
            "A start would refuse this file, too"
        } else if reading.is_flawed() && !self.running.flawed {
            "A start would go on without what is wrong; a reload keeps what runs, which has no errors"
        } else if !causes.is_empty() {
            return Some((causes, "A start would take this file"));
        } else {
            return None;
        };
        causes.extend(reading.causes.iter().cloned());
        Some((causes, remark))
    }

    /// Goes from the running configuration to this one; at the start, from an empty one.
    pub(in crate::daemon) fn adopt(&mut self, new: Config) {
        let changes = diff::instances(&self.running.config, &new);
        let old_ids = std::mem::take(&mut self.running.ids);
        let old = std::mem::replace(&mut self.running.config, new);
        self.lvs.pool.limit_to(room_for_checks(&self.running.config));
        self.set_up_notification();
        let fixed = wanted_by_host(&self.running.config);
        let out = &mut self.cores.holdings_actions;
        // An address that changes its owner stays.
        self.cores.holdings.handle(holdings::Input::Pause, self.now, out);
        let input = holdings::Input::Want { owner: Holder::Host, objects: &fixed };
        self.cores.holdings.handle(input, self.now, out);
        for change in &changes {
            if let Change::Remove { old: o } = *change {
                self.remove_instance(old_ids[o], old.instances[o].vrid);
            }
        }
        let mut ids = BTreeMap::new();
        let mut touched = Vec::new();
        for change in &changes {
            match *change {
                Change::Remove { .. } => {}
                Change::Keep { old: o, new: n } => {
                    ids.insert(n, old_ids[o]);
                    // The core goes on with the very value it has.
                    self.running.config.instances[n] = old.instances[o].clone();
                }
                Change::Adjust { old: o, new: n } => {
                    ids.insert(n, old_ids[o]);
                    touched.push((n, false));
                }
                Change::Add { new: n } => {
                    let id = self.cores.vrrp.vacant_id();
                    let input =
                        Input::Add { id, config: Rc::clone(&self.running.config.instances[n]) };
                    self.cores.vrrp(input, self.now);
                    ids.insert(n, id);
                    touched.push((n, true));
                }
            }
        }
        self.running.ids = ids.into_values().collect();
        self.apply_globals();
        self.index_config();
        for (n, is_new) in touched {
            let id = self.running.ids[n];
            if !is_new {
                let input =
                    Input::Adjust { id, config: Rc::clone(&self.running.config.instances[n]) };
                self.cores.vrrp(input, self.now);
                // With other addresses it may go better.
                let input = Input::Addresses { id, refusal: None };
                self.cores.vrrp(input, self.now);
            }
            self.refresh_source(id);
        }
        let input = track::Input::Configure(&self.running.config);
        self.cores.track(input, self.now);
        self.set_up_processes();
        self.drain();
        let groups = Input::Groups(&self.running.config.groups);
        self.cores.vrrp(groups, self.now);
        self.cores.vrrp(Input::Start, self.now);
        self.drain();
        self.cores.holdings(holdings::Input::Resume, self.now);
        self.drain();
        self.flush_adverts();
        self.adopt_servers(&old);
    }

    /// Puts the settings of the daemon as a whole where they are used.
    fn apply_globals(&mut self) {
        let global = &self.running.config.global;
        self.network.announcer.garp_interval = global.garp_interval;
        self.network.announcer.gna_interval = global.gna_interval;
        self.network.endpoints.rx_buffer = global.rx_buffer;
        self.network.endpoints.pass_all = global.log_unknown_vrids;
        self.place.scheduling.apply(global);
    }

    /// Learns what the configuration names, and tells the core of the interfaces among it.
    fn index_config(&mut self) {
        self.running.virtual_addresses.clear();
        self.running.interesting.clear();
        self.running.instances_on.clear();
        for (n, instance) in self.running.config.instances.iter().enumerate() {
            let own = instance.interface.iter();
            self.running.interesting.extend(own.clone().cloned());
            self.running
                .interesting
                .extend(instance.tracked_links.iter().map(|t| t.interface.clone()));
            for address in instance.all_addresses() {
                self.running.virtual_addresses.insert(address.prefix.addr);
                if !self.running.interesting.contains(&address.interface) {
                    self.running.interesting.insert(address.interface.clone());
                }
            }
            let own = instance.interface.clone().unwrap_or_default();
            self.running.instances_on.entry(own).or_default().push(self.running.ids[n]);
        }
        let fixed = self.running.config.static_addresses.iter();
        self.running.interesting.extend(fixed.map(|a| a.interface.clone()));
        for group in &self.running.config.groups {
            self.running
                .interesting
                .extend(group.tracked_links.iter().map(|t| t.interface.clone()));
        }
        self.refilter_monitor();
        for name in &self.running.interesting {
            let state = self.cores.holdings.links().state(name);
            self.network.told_links.insert(name.clone(), state);
            self.cores.vrrp(Input::Link { name, state }, self.now);
        }
        self.drain();
    }

    fn remove_instance(&mut self, id: InstanceId, vrid: u8) {
        self.cores.vrrp(Input::Remove { id }, self.now);
        // The farewell still needs the instance and its socket.
        self.drain();
        self.flush_adverts();
        self.cores.vrrp.forget(id);
        let input = holdings::Input::Forget { owner: id.into() };
        self.cores.holdings(input, self.now);
        self.network.endpoints.detach(id, vrid, &mut self.poll);
    }
}

/// What the kernel has to hold for as long as the configuration is in force.
fn wanted_by_host(config: &Config) -> Vec<Object> {
    let promoting = config.instances.iter().filter(|instance| instance.promote_secondaries);
    let promoted = promoting.filter_map(|instance| {
        let link = instance.interface.clone()?;
        let sysctl = Sysctl { link, setting: Setting::PromoteSecondaries, value: 1 };
        Some(Object::Sysctl(Rc::new(sysctl)))
    });
    promoted.chain(config.static_addresses.iter().map(Object::from)).collect()
}
