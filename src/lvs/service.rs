//! One virtual server: quorum and hysteresis, the sorry server, and what is to be in the kernel's
//! pool.

use std::rc::Rc;

use super::action::{Action, ServerRef, ServiceRef, Tally, Why};
use super::places::{Place, Places};
use super::server::{Server, Weight};
use crate::base::ids::ServiceId;
use crate::base::time::Instant;
use crate::model::lvs::{RealServer, SorryServer, VirtualServer};

/// One virtual server and its real servers.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) id: ServiceId,
    pub(super) config: Rc<VirtualServer>,
    /// Beside `config.servers`.
    pub(super) servers: Vec<Server>,
    pub(super) stage: Stage,
    /// The quorum is met. False before the start.
    pub(super) up: bool,
    pub(super) since: Instant,
    /// `ha_suspend`, and the address is elsewhere.
    pub(super) suspended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// Nothing is wanted of the kernel yet, nothing is told.
    Added,
    Running,
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
        now: Instant,
        places: &mut Places,
    ) -> Self {
        let servers = config.servers.iter().map(|rs| Server::new(rs, now, places)).collect();
        let stage = Stage::Added;
        let new = Self { id, config, servers, stage, up: false, since: now, suspended: false };
        new.settle_places(places);
        new
    }

    pub const fn config(&self) -> &Rc<VirtualServer> {
        &self.config
    }

    /// The real servers with their configuration.
    pub fn servers(&self) -> impl Iterator<Item = (&RealServer, &Server)> {
        self.config.servers.iter().zip(&self.servers)
    }

    /// The quorum is met.
    pub const fn is_up(&self) -> bool {
        self.up
    }

    /// Since when it is up or down.
    pub const fn since(&self) -> Instant {
        self.since
    }

    /// The checks wait for the address (`ha_suspend`).
    pub const fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// The sorry server stands in for the others.
    pub fn is_sorry(&self) -> bool {
        self.stage == Stage::Running && !self.up && self.config.sorry_server.is_some()
    }

    /// All destinations that are to be in the kernel. Should the sorry server be one of the real
    /// servers, the one that is used comes first.
    pub fn wanted(&self) -> Vec<Wanted<'_>> {
        if self.stage != Stage::Running {
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
        if self.stage != Stage::Running {
            None
        } else if server.up && !self.is_sorry() {
            Some(server.weight)
        } else {
            config.inhibit_on_failure.then_some(0)
        }
    }

    /// What the quorum is decided on.
    pub fn tally(&self) -> Tally {
        let (quorum, hysteresis) = (self.config.quorum, self.config.hysteresis);
        let live = self.servers.iter().filter(|s| s.up);
        let (low, high) = (quorum.saturating_sub(hysteresis).into(), u64::from(quorum));
        Tally {
            quorum,
            hysteresis,
            threshold: if self.up { low } else { high + u64::from(hysteresis) },
            weight: live.map(|s| u64::from(s.weight)).sum(),
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
        place: Place,
        up: bool,
        weight: Weight,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let n = place.server;
        let (start, before) = (out.len(), (self.is_sorry(), self.held_weight(n)));
        let Some(slot) = self.servers.get_mut(n).and_then(|s| s.checks.get_mut(place.slot)) else {
            return;
        };
        let (turned, first, alpha, id) = (slot.up != up, !slot.has_run, slot.config.alpha, slot.id);
        (slot.up, slot.has_run, slot.weight) = (up, true, weight);
        if self.settle_weight(n, out) {
            self.settle_quorum(false, now, out);
        }
        let server_changed = self.settle_server(n, Why::Check(id), now, out);
        if server_changed {
            self.settle_quorum(false, now, out);
        } else if !turned && first && (alpha || !up) {
            let (server, up) = (self.server_ref(n), self.servers[n].up);
            out.push(Action::ServerChanged { server, up, why: Why::Confirmed });
        }
        if turned {
            let server = self.server_ref(n);
            out.push(Action::CheckTurned { check: id, server, up, server_changed });
        }
        if let Some(action) = self.hold(n, before) {
            out.insert(start, action);
        }
    }

    /// The kernel first: everything else tells what is so already.
    fn hold(&self, n: usize, (was_sorry, before): (bool, Option<u32>)) -> Option<Action> {
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

    /// True if the effective weight changed.
    pub(super) fn settle_weight(&mut self, n: usize, out: &mut Vec<Action>) -> bool {
        let server = &self.servers[n];
        let (from, up) = (server.weight, server.up);
        let to = server.effective_weight(&self.config.servers[n]);
        if from == to {
            return false;
        }
        self.servers[n].weight = to;
        out.push(Action::WeightChanged { server: self.server_ref(n), from, to, up });
        true
    }

    /// True if the server went up or down.
    pub(super) fn settle_server(
        &mut self,
        n: usize,
        why: Why,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> bool {
        let server = &mut self.servers[n];
        let up = server.is_healthy();
        if server.up == up {
            return false;
        }
        (server.up, server.since) = (up, now);
        out.push(Action::ServerChanged { server: self.server_ref(n), up, why });
        true
    }

    /// Gains or loses the quorum, if it is time. What begins says so in any case.
    pub(super) fn settle_quorum(&mut self, starting: bool, now: Instant, out: &mut Vec<Action>) {
        let tally = self.tally();
        let up = if self.up {
            tally.weight > 0 && tally.weight >= tally.threshold
        } else {
            tally.weight >= tally.threshold
        };
        if up == self.up && !starting {
            return;
        }
        if up != self.up {
            self.since = now;
        }
        self.up = up;
        let service = self.this();
        // What begins without its quorum has changed nothing unless a sorry server stands in.
        let told = up || !starting || self.config.sorry_server.is_some();
        out.push(Action::QuorumChanged { service: service.clone(), up, starting, told, tally });
        // What begins with its quorum has no sorry server to relieve.
        if self.config.sorry_server.is_some() && !(starting && up) {
            out.push(Action::SorryServer { service: service.clone(), on: !up });
            out.push(Action::AliveServers { service, on: up });
        }
    }

    /// Writes down where its checks are.
    pub(super) fn settle_places(&self, places: &mut Places) {
        for (server, s) in self.servers.iter().enumerate() {
            for (slot, check) in s.checks.iter().enumerate() {
                places.set(check.id, Place { service: self.id, server, slot });
            }
        }
    }
}
