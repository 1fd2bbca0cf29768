//! Virtual servers in the loop: passes events to them, and passes their notifications on.
//!
//! VRRP has priority. Work on virtual servers is limited in time and interrupted when an
//! advertisement is due.

use std::cell::Cell;
use std::net::IpAddr;
use std::ops::Bound;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use crate::base::ids::{CheckId, InstanceId};
use crate::base::parts;
use crate::base::sorted::SortedSet;
use crate::base::time::{Duration, Instant};
use crate::base::tracked::TrackState;
use crate::daemon::commands::Commands;
use crate::daemon::control::MOST_CLIENTS;
use crate::daemon::lvs::operator::ServerPlace;
use crate::daemon::lvs::{LoopContext, Lvs, Release};
use crate::daemon::runtime::{Mode, Runtime};
use crate::daemon::start::privileges::raise_file_limit;
use crate::daemon::tokens::Owner;
use crate::lvs::ServerOrder;
use crate::model::lvs::{FlushOnStop, Namespace, Service, VirtualServer};
use crate::model::track::Object;
use crate::model::Config;
use crate::sys::{netns, reason};
use crate::vrrp::Phase;

/// Time per turn for ready sockets, and again for deadlines.
const SHARE: Duration = Duration::from_millis(1);
/// Minimum number of steps in one turn, regardless of their duration.
const LEAST: u32 = 8;
/// Time for starting to apply a configuration, enough for most; the rest follows in later turns.
const BEGINNING: Duration = Duration::from_millis(20);
/// Time limit for emptying IPVS at the end, longer than any successful removal takes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Raises the limit of open files for this configuration. Returns how many checks may run at once
/// with the descriptors that VRRP and the rest do not need.
pub(in crate::daemon) fn room_for_checks(config: &Config) -> usize {
    let servers = config.virtual_servers.iter().flat_map(|vs| &vs.servers);
    let checks: usize = servers.map(|server| server.checks.len()).sum();
    // Two sockets per interface, family and group, at most one pair per instance, and a reserve.
    let others = config.instances.len().saturating_mul(2).saturating_add(64 + MOST_CLIENTS);
    let wanted = others.saturating_add(checks).min(1 << 20);
    let allowed = raise_file_limit(u64::try_from(wanted).unwrap_or(u64::MAX));
    usize::try_from(allowed).unwrap_or(usize::MAX).saturating_sub(others)
}

impl Runtime {
    fn with_lvs<T>(
        &mut self,
        until: Instant,
        work: impl FnOnce(&mut Lvs, &mut LoopContext<'_>) -> T,
    ) -> T {
        let Self { lvs, poll, commands, clock, cores, journal, .. } = self;
        let (children, clock, cores) = (&mut commands.children, &*clock, &*cores);
        let steps = Cell::new(0);
        let urgent = || {
            let now = clock.now();
            steps.set(steps.get() + 1);
            (now >= until && steps.get() >= LEAST)
                || cores.urgent_deadline().is_some_and(|when| when <= now)
        };
        work(lvs, &mut LoopContext { poll, children, journal, clock, urgent: &urgent })
    }

    /// Serves checks whose sockets are ready, and everything that is due.
    pub(in crate::daemon) fn serve_lvs(&mut self) {
        if !parts::LVS {
            return;
        }
        let (before, now) = (self.lvs.steps(), self.clock.now());
        let mut ready = self.pace.ready.split_off(&Owner::Check(CheckId(0)));
        if !ready.is_empty() {
            let mut last = self.pace.last_check;
            self.with_lvs(now + SHARE, |lvs, context| {
                while let Some(check) = next_after(last, &mut ready) {
                    lvs.on_ready(check, context);
                    last = check;
                    if (context.urgent)() {
                        break;
                    }
                }
            });
            self.pace.last_check = last;
            self.pace.ready.append(&mut ready);
        }
        if self.pace.ready.remove(&Owner::Marks) && self.lvs.on_tables(now) {
            self.pace.ready.insert(Owner::Marks);
        }
        self.with_lvs(self.clock.recent() + SHARE, Lvs::serve);
        self.pace.checks_in_turn = self.lvs.steps() - before;
        self.tell_of_servers();
    }

    /// An operator orders something of a real server.
    pub(in crate::daemon) fn apply_order(
        &mut self,
        place: ServerPlace,
        order: Option<ServerOrder>,
    ) {
        if !parts::LVS {
            return;
        }
        let until = self.clock.recent() + SHARE;
        self.with_lvs(until, |lvs, context| lvs.order(place, order, context));
        self.tell_of_servers();
    }

    /// The checks of a real server begin at once. Returns how many there are.
    pub(in crate::daemon) fn hurry_checks(&mut self, place: ServerPlace) -> usize {
        if !parts::LVS {
            return 0;
        }
        self.with_lvs(self.clock.recent() + SHARE, |lvs, context| lvs.hurry(place, context))
    }

    /// Completes `adopt_servers`.
    pub(in crate::daemon) fn finish_adoption(&mut self) {
        if !parts::LVS {
            return;
        }
        let until = self.clock.now() + PATIENCE;
        self.serve_lvs_while(until, Lvs::is_adopting);
        self.tell_of_servers();
    }

    /// Serves virtual servers without interruption.
    fn serve_lvs_while(&mut self, until: Instant, goes_on: impl Fn(&Lvs) -> bool) {
        let Self { lvs, poll, commands: Commands { children, .. }, clock, journal, .. } = self;
        let (clock, urgent) = (&*clock, &|| false);
        let context = &mut LoopContext { poll, children, journal, clock, urgent };
        while goes_on(lvs) && clock.now() < until {
            lvs.serve(context);
        }
    }

    /// Passes events of virtual servers to the notification core.
    fn tell_of_servers(&mut self) {
        let told = self.lvs.told();
        if told.is_empty() {
            return;
        }
        let (quiet, now) = (self.running.config.lvs.no_checker_mail, self.now);
        for told in &told {
            match told.server() {
                Some((server, Some(is_up))) => self.continuity.note_server(server, is_up),
                Some((server, None)) => self.continuity.forget_server(server),
                None => {}
            }
            told.tell(quiet, |input| {
                self.cores.notify.handle(input, now, &mut self.cores.notify_actions)
            });
        }
        self.drain();
        self.flush_adverts();
    }

    /// Applies the configuration in force in place of `old`, which is empty at the start.
    pub(in crate::daemon) fn adopt_servers(&mut self, old: &Config) {
        if !parts::LVS {
            return;
        }
        if let Err(e) = self.open_ipvs() {
            let place = match &self.running.config.lvs.namespace {
                Namespace::Named(name) => {
                    format!(" in network namespace {name} (/run/netns/{name})")
                }
                Namespace::Own | Namespace::Initial => String::new(),
            };
            log::error!("IPVS: Can't initialize ipvs{place}: {}", reason(&e));
            log::error!("IPVS: load balancing is disabled until a reload succeeds");
        }
        for id in self.running.ids.clone() {
            let phase = self.cores.vrrp.instance(id).map(crate::vrrp::Instance::phase);
            self.on_role(id, phase == Some(Phase::Master));
        }
        self.tell_addresses();
        let recall = |config: &VirtualServer| {
            let from = self.restart.recalled.as_ref();
            let known = from.and_then(|from| from.service(config));
            known.unwrap_or_else(|| self.continuity.recall_service(config))
        };
        self.lvs.adopt(old, &mut self.running.config, recall, self.now);
        self.with_lvs(self.clock.now() + BEGINNING, Lvs::serve);
        self.tell_of_servers();
    }

    /// The network namespace of IPVS; `None`: that of the process.
    fn ipvs_namespace(&self) -> std::io::Result<Option<PathBuf>> {
        Ok(match &self.running.config.lvs.namespace {
            Namespace::Own => None,
            Namespace::Named(name) => Some(netns::path(name)?),
            Namespace::Initial => self
                .process
                .namespace
                .as_ref()
                .map(|home| PathBuf::from(format!("/proc/self/fd/{}", home.as_raw_fd()))),
        })
    }

    fn open_ipvs(&mut self) -> std::io::Result<()> {
        let namespace = self.ipvs_namespace()?;
        let follows_crash = self.process.follows_crash;
        self.lvs.find_marks(&self.running.config, namespace.as_deref(), follows_crash, self.now);
        let opened = self.lvs.open(&self.running.config, namespace.as_deref(), self.now)?;
        if let Some(opening) = opened {
            let seen = opening.read(&mut || self.breathe())?;
            self.lvs.opened(opening, &seen, self.now);
        }
        Ok(())
    }

    /// Passes the state of a tracked object to the checks.
    pub(in crate::daemon) fn tell_servers(&mut self, object: &Object, state: &TrackState) {
        if !parts::LVS {
            return;
        }
        match (object, state) {
            (Object::File(name), TrackState::Value(value)) => {
                self.lvs.on_file(name, *value, self.now);
            }
            // At the end, the servers stay as they are.
            (Object::Bfd(name), state) if self.mode == Mode::Running => {
                self.lvs.on_bfd(name, state, self.now);
            }
            _ => {}
        }
    }

    /// A virtual router became master or stopped being master.
    pub(in crate::daemon) fn on_role(&mut self, id: InstanceId, is_master: bool) {
        if !parts::LVS {
            return;
        }
        // During the shutdown, no sync daemon is started.
        if self.mode == Mode::Stopping {
            return;
        }
        let Some(config) = self.instance_config(id) else { return };
        let daemon = self.running.config.lvs.sync_daemon.as_ref();
        if daemon.is_some_and(|daemon| daemon.instance.as_deref() == Some(config.name.as_str())) {
            self.lvs.on_vrrp(&config.name, is_master, self.now);
        }
    }

    /// An address may have been added to this host or removed.
    pub(in crate::daemon) fn on_local_address(&mut self, addr: IpAddr, present: bool) {
        if !parts::LVS {
            return;
        }
        // Most addresses matter to no virtual server.
        if self.running.awaited_addresses.contains(&addr) {
            self.lvs.on_address(addr, present, self.now);
        }
    }

    /// Passes the addresses that virtual servers depend on (`ha_suspend`).
    fn tell_addresses(&mut self) {
        let waiting = self.running.config.virtual_servers.iter().filter(|vs| vs.ha_suspend);
        let awaited = waiting.filter_map(|vs| match vs.service {
            Service::Address { addr, .. } => Some(addr),
            Service::Fwmark(_) | Service::Group { .. } => None,
        });
        self.running.awaited_addresses = awaited.collect();
        for addr in self.running.awaited_addresses.clone() {
            let present = self.cores.holdings.links().holds(&addr);
            self.lvs.on_address(addr, present, self.now);
        }
    }

    /// Removes the daemon's objects from IPVS as configured.
    pub(in crate::daemon) fn release_servers(&mut self) {
        if !parts::LVS {
            return;
        }
        let release = match self.running.config.lvs.flush_on_stop {
            _ if self.options.keep_ipvs => Release::Nothing,
            FlushOnStop::All => Release::Everything,
            FlushOnStop::Services => Release::Services,
            FlushOnStop::Off => Release::Ours,
        };
        let until = self.clock.now() + PATIENCE;
        let Self { lvs, poll, commands: Commands { children, .. }, clock, journal, .. } = self;
        // VRRP has sent its last adverts, so nothing else is urgent.
        let (clock, urgent) = (&*clock, &|| false);
        let context = &mut LoopContext { poll, children, journal, clock, urgent };
        lvs.stop(release, context);
        self.serve_lvs_while(until, |lvs| !lvs.is_settled());
        if !self.lvs.is_settled() {
            log::error!("IPVS does not answer: some services may remain in the kernel");
        }
        // Services that are kept need them.
        if release != Release::Nothing {
            self.lvs.remove_marks(self.clock.now());
        }
        self.tell_of_servers();
    }
}

/// Takes the next check in round-robin order. Always taking the first would let the checks behind
/// busy ones run into their timeouts.
fn next_after(last: CheckId, ready: &mut SortedSet<Owner>) -> Option<CheckId> {
    let behind = ready.range((Bound::Excluded(Owner::Check(last)), Bound::Unbounded)).next();
    let next = *behind.or_else(|| ready.first())?;
    ready.remove(&next);
    match next {
        Owner::Check(check) => Some(check),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_that_are_always_ready_do_not_keep_others_waiting() {
        let mut ready: SortedSet<_> = [1, 2, 3].map(|n| Owner::Check(CheckId(n))).into();
        let (mut last, mut served) = (CheckId(0), Vec::new());
        for _ in 0..7 {
            last = next_after(last, &mut ready).expect("a check is ready");
            served.push(last.0);
            ready.extend([1, 2].map(|n| Owner::Check(CheckId(n))));
        }
        assert_eq!(served, [1, 2, 3, 1, 2, 1, 2]);
        assert_eq!(next_after(last, &mut SortedSet::new()), None);
    }
}
