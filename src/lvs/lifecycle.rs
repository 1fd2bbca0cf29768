//! How a virtual server begins, what a reload makes of it, and how it ends.

use std::rc::Rc;

use super::action::{Action, Leaving};
use super::cause::{QuorumCause, ServerCause, Shift, ShiftKind, SorryCause};
use super::server::{Checks, Server};
use super::service::Service;
use super::slots::Slots;
use crate::base::ids::CheckId;
use crate::base::recalled::RecalledServer;
use crate::base::sorted::SortedMap;
use crate::base::time::Instant;
use crate::model::lvs::{RealServer, VirtualServer};

impl Service {
    /// Its place in the kernel, and its quorum. Servers are in the pool before any check has run.
    pub(super) fn start(&mut self, init_notifies: bool, now: Instant, out: &mut Vec<Action>) {
        self.started = true;
        out.push(Action::Want(self.id));
        for n in (0..self.servers.len()).filter(|_| init_notifies) {
            if self.servers[n].is_up() {
                let (server, cause) = (self.server_ref(n), ServerCause::Initial);
                out.push(Action::ServerChanged { server, up: true, cause });
            }
        }
        self.follow_quorum(QuorumCause::Started, now, out);
    }

    pub(super) fn start_checks(&self, out: &mut Vec<Action>) {
        for (n, server) in self.servers.iter().enumerate() {
            for slot in 0..server.checks.len() {
                out.push(self.check_added(n, slot));
            }
        }
    }

    fn check_added(&self, n: usize, slot: usize) -> Action {
        let slot = &self.servers[n].checks[slot];
        Action::CheckAdded {
            check: slot.id,
            config: Rc::clone(&slot.config),
            server: self.server_ref(n),
            up: slot.is_up(),
            suspended: self.suspended,
            recalled: slot.recalled(),
        }
    }

    /// `ha_suspend`: the checks rest, or go on.
    pub(super) fn suspend(&mut self, suspended: bool, out: &mut Vec<Action>) {
        if std::mem::replace(&mut self.suspended, suspended) == suspended {
            return;
        }
        for (n, check) in self.checks() {
            let server = self.server_ref(n);
            out.push(match suspended {
                true => Action::CheckSuspended { check, server },
                false => Action::CheckResumed { check, server },
            });
        }
    }

    /// Every check, with the place of its server.
    fn checks(&self) -> impl Iterator<Item = (usize, CheckId)> + '_ {
        let servers = self.servers.iter().enumerate();
        servers.flat_map(|(n, s)| s.checks.iter().map(move |slot| (n, slot.id)))
    }

    /// Takes another configuration. Real servers that are still there keep their state, by address
    /// and port; so do their checks.
    pub(super) fn adjust(
        &mut self,
        config: Rc<VirtualServer>,
        now: Instant,
        slots: &mut Slots,
        out: &mut Vec<Action>,
    ) {
        let running = self.started;
        if running {
            out.push(Action::Want(self.id));
        }
        let (was_sorry, before) = (self.is_sorry(), self.this());
        let mut shifts = Vec::new();
        let stay = self.retire(&config, slots, &mut shifts, out);
        self.config = config;
        let changes = self.welcome(stay, now, slots, &mut shifts, out);
        self.file_slots(slots);
        if !running {
            return;
        }
        for n in 0..self.servers.len() {
            shifts.extend(self.follow_weight(n, ServerCause::Reload, out));
            shifts.extend(self.follow_checks(n, ServerCause::Reload, now, out));
        }
        // A sorry server that comes or goes, while it would be needed.
        if was_sorry != self.is_sorry() {
            let service = if was_sorry { before } else { self.this() };
            let cause = SorryCause::Reload;
            out.push(Action::SorryServer { service, on: !was_sorry, cause });
            out.push(Action::AliveServers { service: self.this(), on: was_sorry });
        }
        self.follow_quorum(QuorumCause::Reload(shifts), now, out);
        for (n, found) in changes.iter().enumerate() {
            for &slot in &found.adjusted {
                let slot = &self.servers[n].checks[slot];
                let (check, config) = (slot.id, Rc::clone(&slot.config));
                out.push(Action::CheckAdjusted { check, config });
            }
            out.extend(found.added.iter().map(|&slot| self.check_added(n, slot)));
        }
    }

    /// Parts with the servers that `new` does not have. Returns those that stay, each with its
    /// place in `new`.
    fn retire(
        &mut self,
        new: &VirtualServer,
        slots: &mut Slots,
        shifts: &mut Vec<Shift>,
        out: &mut Vec<Action>,
    ) -> SortedMap<usize, Server> {
        let key = |s: &RealServer| (s.addr, s.port);
        let known: SortedMap<_, usize> =
            new.servers.iter().enumerate().map(|(n, rs)| (key(rs), n)).collect();
        let mut stay = SortedMap::new();
        for (n, server) in std::mem::take(&mut self.servers).into_iter().enumerate() {
            if let Some(&to) = known.get(&key(&self.config.servers[n])) {
                stay.insert(to, server);
                continue;
            }
            retire_checks(&server, slots, out);
            if self.started {
                let (gone, was_up) = (self.server_ref(n), server.is_up());
                if was_up {
                    let (kind, cause) = (ShiftKind::Removed, ServerCause::Reload);
                    shifts.push(Shift { server: gone.clone(), kind, cause });
                }
                let leaving = Leaving::Removed;
                out.push(Action::ServerGone { server: gone, was_up, leaving, told: was_up });
            }
        }
        stay
    }

    /// Fills in the servers of the new configuration. Returns what became of the checks of each.
    fn welcome(
        &mut self,
        mut stay: SortedMap<usize, Server>,
        now: Instant,
        slots: &mut Slots,
        shifts: &mut Vec<Shift>,
        out: &mut Vec<Action>,
    ) -> Vec<Checks> {
        let mut changes = Vec::new();
        for (n, rs) in self.config.servers.iter().enumerate() {
            let Some(mut server) = stay.remove(&n) else {
                let server = Server::new(rs, RecalledServer::default(), now, slots);
                let added = (0..server.checks.len()).collect();
                changes.push(Checks { added, ..Checks::default() });
                if server.is_up() {
                    let (kind, cause) = (ShiftKind::Added, ServerCause::Reload);
                    shifts.push(Shift { server: self.server_ref(n), kind, cause });
                }
                self.servers.push(server);
                continue;
            };
            let found = server.adopt(rs, slots);
            for &check in &found.removed {
                slots.forget(check);
                out.push(Action::CheckRemoved(check));
            }
            changes.push(found);
            self.servers.push(server);
        }
        changes
    }

    /// Lets go of everything, and reports what has to be reported.
    pub(super) fn end(&self, leaving: Leaving, slots: &mut Slots, out: &mut Vec<Action>) {
        let running = self.started;
        if running {
            out.push(Action::Release(self.id));
        }
        for server in &self.servers {
            retire_checks(server, slots, out);
        }
        if !running {
            return;
        }
        let omega = self.config.omega;
        for (n, s) in self.servers.iter().enumerate() {
            let (server, was_up) = (self.server_ref(n), s.is_up());
            let told = omega && was_up && leaving != Leaving::Flushed;
            out.push(Action::ServerGone { server, was_up, leaving, told });
        }
        let told = omega && self.is_up();
        out.push(Action::ServiceGone { service: self.this(), leaving, told });
    }
}

fn retire_checks(server: &Server, slots: &mut Slots, out: &mut Vec<Action>) {
    for slot in &server.checks {
        slots.forget(slot.id);
        out.push(Action::CheckRemoved(slot.id));
    }
}
