//! Reads a new configuration, compares it, and applies only the differences. A refused file changes
//! nothing.

use std::cell::RefCell;
use std::rc::Rc;

use crate::base::ids::InstanceId;
use crate::base::sorted::SortedMap;
use crate::cli::options::Options;
use crate::config as configuration;
use crate::daemon::config::in_force;
use crate::daemon::config::outcome::Outcome;
use crate::daemon::config::reading::{Reading, Report, Text};
use crate::daemon::config::witness;
use crate::daemon::lvs::director::room_for_checks;
use crate::daemon::network::announcer::Intervals;
use crate::daemon::network::source::drops_reports;
use crate::daemon::runtime::Runtime;
use crate::holdings;
use crate::model::diff::{self, Change};
use crate::model::{marks, Config};
use crate::status::{Complaint, Reload, Time};
use crate::sys::systemd::State;
use crate::sys::{clock, process};
use crate::track;
use crate::vrrp::Input;

/// Most lines that a reload logs about its changes.
const MOST_CHANGES: usize = 200;

/// Why a file is refused.
pub(super) struct Refusal {
    /// Settings that need a restart.
    frozen: Vec<String>,
    /// What is wrong in the text.
    flaws: Vec<String>,
    remark: &'static str,
}

impl Refusal {
    fn causes(&self) -> impl Iterator<Item = &String> {
        self.frozen.iter().chain(&self.flaws)
    }

    /// What is not a complaint about a line of the text.
    fn complaints(&self) -> impl Iterator<Item = Complaint> + '_ {
        self.frozen.iter().map(|text| Complaint {
            severity: "error".to_owned(),
            text: text.clone(),
            ..Complaint::default()
        })
    }
}

/// What is said of a file before anything changes.
pub(super) fn verdict(reading: &Reading, refusal: Option<&Refusal>) -> Reload {
    let mut complaints = reading.complaints();
    complaints.extend(refusal.into_iter().flat_map(Refusal::complaints));
    Reload {
        at: Time(clock::wall()),
        accepted: refusal.is_none(),
        reason: refusal.map(|refusal| refusal.remark.to_owned()),
        complaints,
        changes: Vec::new(),
    }
}

impl Runtime {
    pub(in crate::daemon) fn reload(&mut self) {
        log::info!("Reloading ...");
        let monotonic_usec = self.clock.monotonic_micros();
        self.outlets.systemd.notify(State::Reloading { monotonic_usec });
        let marker = self.set_marker();
        let reading = self.read_anew(&self.options.clone(), Report::Log);
        witness::remove_marker(marker);
        self.write_complaints(&reading);
        let refusal = self.refusal(&reading);
        let mut reload = verdict(&reading, refusal.as_ref());
        let accepted = reload.accepted;
        let reasons = match refusal {
            Some(refusal) => {
                for cause in refusal.causes() {
                    log::error!("Reload refused because: {cause}");
                }
                let remark = refusal.remark;
                log::error!("Reload refused: the configuration that runs stays in force. {remark}");
                refusal.causes().cloned().chain([remark.to_owned()]).collect()
            }
            None => {
                let corrected = reading.causes();
                reload.changes = self.accept(reading);
                corrected
            }
        };
        self.set_up_schedule();
        self.refilter_monitor();
        self.journal.reload(&reload, self.now);
        self.running.last_reload = Some(reload);
        let outcome = Outcome { began: monotonic_usec, accepted, reasons };
        outcome.write(&self.outlets.outcome_file);
        self.outlets.standing.reloaded(&outcome);
        self.outlets.systemd.notify(State::Ready { pid: std::process::id() });
    }

    /// Puts a configuration in force. Returns what it changes.
    fn accept(&mut self, reading: Reading) -> Vec<String> {
        self.running.saved += 1;
        self.save_state("pre");
        self.running.flaws = reading.flaws();
        self.outlets.chatter.clear();
        let mut config = reading.into_config();
        marks::assign(&mut config, &self.running.config);
        self.save_configuration(&config);
        let mut changes = Vec::new();
        if config == self.running.config {
            // Objects that the operator removed and processes that ended are restored
            // nevertheless, and missing resources may be available now.
            self.set_up_notification();
            self.set_up_filter();
            self.set_up_control();
            self.adopt_servers(&self.running.config.clone());
            log::info!("The configuration is the same");
        } else {
            changes = configuration::changes(&self.running.config, &config, MOST_CHANGES);
            for change in &changes {
                log::info!("{change}");
            }
            in_force::write(&self.process.in_force, &config);
            self.adopt(config);
        }
        self.running.loaded = self.now;
        self.continuity.orders_are_stale = true;
        self.tell_standing();
        self.save_state("post");
        log::info!("Reload complete");
        changes
    }

    /// Reads the file while serving VRRP whenever it is due. Reads all interfaces first: it may name
    /// some whose notifications were filtered out, until [`Self::refilter_monitor`].
    pub(super) fn read_anew(&mut self, options: &Options, report: Report) -> Reading {
        self.unfilter_monitor();
        self.resynchronise();
        // A text may be long, and others need the processor, too.
        self.process.scheduling.suspend_realtime();
        let links = self.cores.holdings.links().clone();
        let daemon = RefCell::new(&mut *self);
        let meanwhile = || daemon.borrow_mut().breathe();
        let reading = Text::read(options, &meanwhile).lower(options, &links, report, &meanwhile);
        self.process.scheduling.resume_realtime();
        self.catch_up();
        reading
    }

    /// Reasons for refusing the file, and the result that a start would have. An error is tolerated
    /// only if the running configuration has it, too.
    pub(super) fn refusal(&self, reading: &Reading) -> Option<Refusal> {
        let frozen = diff::frozen(&self.running.config, &reading.config);
        let restart = |k| format!("Cannot change {k} at a reload - please restart keepalived");
        let frozen: Vec<_> = frozen.into_iter().map(restart).collect();
        let mut flaws = reading.new_flaws(&self.running.flaws);
        let remark = if reading.is_refused() || reading.is_missing() {
            flaws = reading.causes();
            "A start would refuse this file, too"
        } else if !flaws.is_empty() {
            "A start would go on without what is wrong; a reload keeps what runs, without these errors"
        } else if !frozen.is_empty() {
            "A start would take this file"
        } else if self.is_objectionable(reading) {
            flaws = reading.causes();
            "reload_check_config takes no file with an error, even if the one that runs has it, too"
        } else {
            return None;
        };
        Some(Refusal { frozen, flaws, remark })
    }

    /// Replaces the running configuration, which is empty at the start.
    pub(in crate::daemon) fn adopt(&mut self, new: Config) {
        let changes = diff::instances(&self.running.config, &new);
        let old_ids = std::mem::take(&mut self.running.ids);
        let old = std::mem::replace(&mut self.running.config, new);
        self.lvs.pool.limit_to(room_for_checks(&self.running.config));
        self.set_up_notification();
        self.set_up_control();
        self.running.index_interfaces();
        self.watch_fib();
        self.prepare_for_virtual_links();
        self.set_up_filter();
        self.recall_sessions();
        // An address that moves to another owner stays.
        self.cores.holdings(holdings::Input::Pause, self.now);
        self.want_fixed();
        self.await_virtual_links();
        for change in &changes {
            if let Change::Remove { old: o } = *change {
                self.remove_instance(old_ids[o], old.instances[o].vrid);
            }
        }
        let mut ids = SortedMap::new();
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
                    let config = Rc::clone(&self.running.config.instances[n]);
                    self.recall_master(id, &config);
                    self.recall_router(id);
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
                self.continuity.expect_sequences(id, &self.running.config.instances[n]);
                let input =
                    Input::Adjust { id, config: Rc::clone(&self.running.config.instances[n]) };
                self.cores.vrrp(input, self.now);
                // Other addresses may succeed.
                let input = Input::Addresses { id, refusal: None };
                self.cores.vrrp(input, self.now);
            }
            self.refresh_source(id);
        }
        if drops_reports(&old) != drops_reports(&self.running.config) {
            // The sockets of instances that stay as they are depend on it.
            for id in self.running.ids.clone() {
                self.refresh_source(id);
            }
        }
        self.recall_scripts();
        let input = track::Input::Configure(&self.running.config);
        self.cores.track(input, self.now);
        self.resume_tracked_runs();
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
        self.adopt_sessions(&old);
        self.flush_adverts();
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
        let shares =
            instances.filter_map(|(id, instance)| Some((*id, instance.rx_buffer? as usize)));
        self.network.endpoints.share_buffers(shares.collect());
        self.network.endpoints.pass_all = global.log_unknown_vrids;
        self.process.scheduling.apply(&self.running.config);
        self.pace.lateness.stall = global.min_auto_priority_delay;
        self.pace.arrivals.configure(&self.running.config);
        self.set_netlink_buffers();
        self.set_local_igmp();
        process::set_umask(self.options.umask.unwrap_or(self.running.config.global.umask));
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
