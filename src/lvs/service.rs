//! One virtual server: quorum and hysteresis, the sorry server, and what is to be in the kernel's
//! pool.

use std::rc::Rc;

use super::action::{Action, ServerRef, ServiceRef};
use super::cause::{Found, QuorumCause, ServerCause, Shift, ShiftKind, SorryCause};
use super::quorum::Quorum;
use super::server::Server;
use super::slots::{SlotRef, Slots};
use crate::base::ids::ServiceId;
use crate::base::recalled::RecalledService;
use crate::base::tally::Tally;
use crate::base::time::Instant;
use crate::base::verdict::Verdict;
use crate::model::lvs::{RealServer, SorryServer, VirtualServer};

/// One virtual server and its real servers.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) id: ServiceId,
    pub(super) config: Rc<VirtualServer>,
    /// Beside `config.servers`.
    pub(super) servers: Vec<Server>,
    /// Before that, nothing is wanted of the kernel and nothing is reported.
    pub(super) started: bool,
    pub(super) quorum: Quorum,
    /// `ha_suspend`, and the address is elsewhere.
    pub(super) suspended: bool,
}

/// One destination that a virtual server wants, with its weight.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Wanted<'a> {
    Server(&'a RealServer, u32),
    Sorry(&'a SorryServer, u32),
}

impl Service {
    pub(super) fn new(
        id: ServiceId,
        config: Rc<VirtualServer>,
        recalled: RecalledService,
        now: Instant,
        slots: &mut Slots,
    ) -> Self {
        let quorum = Quorum::new(recalled.quorum, now);
        let mut before = recalled.servers.into_iter();
        let mut server = |rs| Server::new(rs, before.next().unwrap_or_default(), now, slots);
        let servers = config.servers.iter().map(&mut server).collect();
        let new = Self { id, config, servers, started: false, quorum, suspended: false };
        new.file_slots(slots);
        new
    }

    pub const fn config(&self) -> &Rc<VirtualServer> {
        &self.config
    }

    /// The real servers with their configuration.
    pub fn servers(&self) -> impl Iterator<Item = (&RealServer, &Server)> {
        self.config.servers.iter().zip(&self.servers)
    }

    /// One real server with its configuration.
    pub fn server(&self, index: usize) -> Option<(&RealServer, &Server)> {
        Some((self.config.servers.get(index)?, self.servers.get(index)?))
    }

    /// The quorum is met.
    pub const fn is_up(&self) -> bool {
        self.quorum.is_met()
    }

    /// Since when it is up or down.
    pub const fn since(&self) -> Instant {
        self.quorum.since()
    }

    /// The checks wait for the address (`ha_suspend`).
    pub const fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// The sorry server stands in for the others.
    pub fn is_sorry(&self) -> bool {
        self.started && !self.is_up() && self.config.sorry_server.is_some()
    }

    /// All destinations that are to be in the kernel. Should the sorry server be one of the real
    /// servers, the one that is used comes first.
    pub fn wanted(&self) -> Vec<Wanted<'_>> {
        if !self.started {
            return Vec::new();
        }
        let (mut list, mut last) = (Vec::new(), None);
        if let Some(sorry) = &self.config.sorry_server {
            if self.is_sorry() {
                list.push(Wanted::Sorry(sorry, 1));
            } else if sorry.inhibit {
                last = Some(Wanted::Sorry(sorry, 0));
            }
        }
        let held = (0..).zip(&self.config.servers);
        list.extend(held.filter_map(|(n, rs)| Some(Wanted::Server(rs, self.held_weight(n)?))));
        list.extend(last);
        list
    }

    /// The weight with which a real server is to be in the kernel, if at all.
    pub fn held_weight(&self, index: usize) -> Option<u32> {
        let (config, server) = (self.config.servers.get(index)?, self.servers.get(index)?);
        if !self.started {
            None
        } else if server.is_up() && !self.is_sorry() {
            Some(server.weight())
        } else {
            config.inhibit_on_failure.then_some(0)
        }
    }

    /// What the quorum is decided on.
    pub fn tally(&self) -> Tally {
        let (quorum, hysteresis) = (self.config.quorum, self.config.hysteresis);
        let live = self.servers.iter().filter(|s| s.is_up());
        let (low, high) = (quorum.saturating_sub(hysteresis).into(), u64::from(quorum));
        Tally {
            quorum,
            hysteresis,
            threshold: if self.is_up() { low } else { high + u64::from(hysteresis) },
            weight: live.clone().map(|s| u64::from(s.weight())).sum(),
            live: live.count(),
            servers: self.servers.len(),
        }
    }

    pub(super) fn this(&self) -> ServiceRef {
        ServiceRef { id: self.id, config: Rc::clone(&self.config) }
    }

    pub(super) fn server_ref(&self, index: usize) -> ServerRef {
        ServerRef { service: self.this(), index }
    }

    /// What a check found about one server.
    pub(super) fn on_verdict(
        &mut self,
        at: SlotRef,
        page: usize,
        verdict: Verdict,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let n = at.server;
        let (start, before) = (out.len(), (self.is_sorry(), self.held_weight(n)));
        let Some(slot) = self.servers.get_mut(n).and_then(|s| s.checks.get_mut(at.slot)) else {
            return;
        };
        let up = verdict.is_up();
        let (turned, first, alpha) = (slot.is_up() != up, !slot.has_run(), slot.config.alpha);
        slot.take(&verdict);
        let (check, config) = (slot.id, Rc::clone(&slot.config));
        let found = Rc::new(Found { check, config, page, verdict });
        let cause = || ServerCause::Check(Rc::clone(&found));
        if let Some(shift) = self.follow_weight(n, cause(), out) {
            self.follow_quorum(QuorumCause::Server(shift), now, out);
        }
        let shift = self.follow_checks(n, cause(), now, out);
        let server_changed = shift.is_some();
        if let Some(shift) = shift {
            self.follow_quorum(QuorumCause::Server(shift), now, out);
        } else if !turned && first && (alpha || !up) {
            let (server, up) = (self.server_ref(n), self.servers[n].is_up());
            let cause = ServerCause::Confirmed(Rc::clone(&found));
            out.push(Action::ServerChanged { server, up, cause });
        }
        if turned {
            let server = self.server_ref(n);
            out.push(Action::CheckTurned { server, found, server_changed });
        }
        if let Some(action) = self.hold(n, before) {
            out.insert(start, action);
        }
    }

    /// The kernel first: everything else reports what is so already.
    pub(super) fn hold(
        &self,
        n: usize,
        (was_sorry, before): (bool, Option<u32>),
    ) -> Option<Action> {
        let held = self.held_weight(n);
        if was_sorry != self.is_sorry() {
            return Some(Action::Want(self.id));
        }
        if held == before {
            return None;
        }
        let config = &self.config.servers[n];
        let twin = |s: &SorryServer| s.addr == config.addr && s.port == config.port;
        if self.config.sorry_server.as_ref().is_some_and(twin) {
            return Some(Action::Want(self.id));
        }
        let server = self.server_ref(n);
        Some(match held {
            Some(weight) => Action::Put { server, weight },
            None => Action::Withdraw(server),
        })
    }

    /// Lets the effective weight of a server follow its checks and the configuration.
    pub(super) fn follow_weight(
        &mut self,
        n: usize,
        cause: ServerCause,
        out: &mut Vec<Action>,
    ) -> Option<Shift> {
        let this = self.server_ref(n);
        let server = &mut self.servers[n];
        let (from, to) = (server.weight(), server.effective_weight(&self.config.servers[n]));
        if from == to {
            return None;
        }
        out.push(server.weigh(to, this.clone(), cause.clone()));
        Some(Shift { server: this, kind: ShiftKind::Weight { from, to }, cause })
    }

    /// Lets a server go up or down with its checks.
    pub(super) fn follow_checks(
        &mut self,
        n: usize,
        cause: ServerCause,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Option<Shift> {
        let this = self.server_ref(n);
        let server = &mut self.servers[n];
        let up = server.is_healthy();
        if server.is_up() == up {
            return None;
        }
        out.push(server.turn(up, this.clone(), cause.clone(), now));
        let kind = if up { ShiftKind::Up } else { ShiftKind::Down };
        Some(Shift { server: this, kind, cause })
    }

    /// Gains or loses the quorum, if it is time. What begins says so in any case.
    pub(super) fn follow_quorum(
        &mut self,
        cause: QuorumCause,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let (tally, was_met) = (self.tally(), self.quorum.is_met());
        let up = tally.weight >= tally.threshold && (tally.weight > 0 || !was_met);
        let starting = cause == QuorumCause::Started;
        if up == was_met && !starting {
            return;
        }
        let (service, cause) = (self.this(), Rc::new(cause));
        out.push(self.quorum.enter(up, service.clone(), tally, Rc::clone(&cause), now));
        // What begins with its quorum has no sorry server to relieve.
        if self.config.sorry_server.is_some() && !(starting && up) {
            let cause = SorryCause::Quorum(cause);
            out.push(Action::SorryServer { service: service.clone(), on: !up, cause });
            out.push(Action::AliveServers { service, on: up });
        }
    }

    /// Files where its checks are.
    pub(super) fn file_slots(&self, slots: &mut Slots) {
        for (server, s) in self.servers.iter().enumerate() {
            for (slot, check) in s.checks.iter().enumerate() {
                slots.set(check.id, SlotRef { service: self.id, server, slot });
            }
        }
    }
}
