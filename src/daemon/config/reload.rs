//! Reads a new configuration, compares it, and applies only the differences. A refused file changes
//! nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::base::ids::InstanceId;
use crate::config as configuration;
use crate::daemon::config::outcome::Outcome;
use crate::daemon::config::reading::{Reading, Text};
use crate::daemon::lvs::director::room_for_checks;
use crate::daemon::network::announcer::Intervals;
use crate::daemon::runtime::Runtime;
use crate::holdings;
use crate::model::diff::{self, Change};
use crate::model::{marks, Config};
use crate::sys::systemd::State;
use crate::track;
use crate::vrrp::Input;

/// Most lines that a reload logs about its changes.
const MOST_CHANGES: usize = 200;

impl Runtime {
    pub(in crate::daemon) fn reload(&mut self) {
        log::info!("Reloading ...");
        let monotonic_usec = self.clock.monotonic_micros();
        self.outlets.systemd.notify(State::Reloading { monotonic_usec });
        self.look_everywhere();
        // A text may be long, and others need the processor, too.
        self.process.scheduling.suspend_realtime();
        let reading = self.read_anew();
        self.process.scheduling.resume_realtime();
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
            let mut config = reading.config;
            marks::assign(&mut config, &self.running.config);
            if config == self.running.config {
                // Objects that the operator removed and processes that ended are restored
                // nevertheless, and missing resources may be available now.
                self.set_up_notification();
                self.set_up_filter();
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
        let outcome = Outcome { began: monotonic_usec, accepted, reasons };
        outcome.write(&self.outlets.outcome_file);
        self.outlets.standing.reloaded(&outcome);
        self.outlets.systemd.notify(State::Ready { pid: std::process::id() });
    }

    /// Reads all interfaces, since the new configuration may name some whose notifications were
    /// filtered out.
    fn look_everywhere(&mut self) {
        self.unfilter_monitor();
        self.resynchronise();
    }

    /// Reads the file while serving VRRP whenever it is due.
    fn read_anew(&mut self) -> Reading {
        let (options, links) = (self.options.clone(), self.cores.holdings.links().clone());
        let daemon = RefCell::new(self);
        let meanwhile = || daemon.borrow_mut().breathe();
        Text::read(&options, &meanwhile).lower(&options, &links, &meanwhile)
    }

    /// Reasons for refusing the file, and the result that a start would have. Errors are tolerated
    /// only if the running configuration has some, too.
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

    /// Replaces the running configuration, which is empty at the start.
    pub(in crate::daemon) fn adopt(&mut self, new: Config) {
        let changes = diff::instances(&self.running.config, &new);
        let old_ids = std::mem::take(&mut self.running.ids);
        let old = std::mem::replace(&mut self.running.config, new);
        self.lvs.pool.limit_to(room_for_checks(&self.running.config));
        self.set_up_notification();
        self.running.index_interfaces();
        self.watch_fib();
        self.prepare_for_virtual_links();
        self.set_up_filter();
        // An address that moves to another owner stays.
        self.cores.holdings(holdings::Input::Pause, self.now);
        self.want_fixed();
        self.await_virtual_links();
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
                    // The core keeps using its current value.
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
        self.index_instances();
        for (n, is_new) in touched {
            let id = self.running.ids[n];
            if !is_new {
                let input =
                    Input::Adjust { id, config: Rc::clone(&self.running.config.instances[n]) };
                self.cores.vrrp(input, self.now);
                // Other addresses may succeed.
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
        self.save_originals();
        self.adopt_servers(&old);
    }

    /// Applies the global settings.
    fn apply_globals(&mut self) {
        let global = &self.running.config.global;
        self.network.announcer.configure(Intervals {
            garp: global.garp_interval,
            gna: global.gna_interval,
            groups: self.running.config.garp_groups.clone(),
        });
        let instances = self.running.ids.iter().zip(&self.running.config.instances);
        let shares = instances.filter_map(|(id, instance)| Some((*id, instance.rx_buffer?)));
        self.network.endpoints.share_buffers(shares.collect());
        self.network.endpoints.pass_all = global.log_unknown_vrids;
        self.process.scheduling.apply(&self.running.config);
        self.pace.lateness.stall = global.min_auto_priority_delay;
        self.set_netlink_buffers();
        self.set_local_igmp();
    }

    fn remove_instance(&mut self, id: InstanceId, vrid: u8) {
        self.cores.vrrp(Input::Remove { id }, self.now);
        // The priority-zero advert still needs the instance and its socket.
        self.drain();
        self.flush_adverts();
        self.cores.vrrp.forget(id);
        let input = holdings::Input::Forget { owner: id.into() };
        self.cores.holdings(input, self.now);
        self.network.endpoints.detach(id, vrid, &mut self.poll);
    }
}
