//! The core of virtual servers: which real servers are in the kernel's pool, and with which weight,
//! from what their checks found. Pure: what is to be done goes out as actions.
//!
//! `server` knows whether a real server is up, `service` the quorum and the sorry server,
//! `lifecycle` what a start, a reload and an end mean. Checks are only known by what they say; when
//! they run is decided in `check`. There are no deadlines in here.

use std::net::IpAddr;
use std::rc::Rc;

use crate::base::ids::{CheckId, ServiceId};
use crate::base::recalled::RecalledService;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::Instant;
use crate::base::verdict::Verdict;
use crate::model::lvs::{self, VirtualServer};

pub mod action;
pub mod cause;
mod input;
mod lifecycle;
mod operator;
mod quorum;
mod server;
mod service;
mod slots;
#[cfg(test)]
mod tests;

pub use action::{Action, Leaving, ServerRef, ServiceRef};
pub use cause::{Found, QuorumCause, ServerCause, SorryCause};
pub use input::Input;
pub use operator::ServerOrder;
pub use server::{CheckSlot, Server};
pub use service::{Service, Wanted};
use slots::Slots;

pub use crate::base::tally::Tally;
pub use crate::base::verdict::Weight;

/// All virtual servers of the daemon.
#[derive(Debug, Default)]
pub struct Domain {
    services: Vec<Option<Service>>,
    /// Numbers of virtual servers that are gone.
    vacant: Vec<ServiceId>,
    /// Not yet started.
    added: Vec<ServiceId>,
    slots: Slots,
    /// Every address of this host.
    present: SortedMap<IpAddr, ()>,
    /// Whose checks wait for an address (`ha_suspend`).
    watchers: SortedMap<IpAddr, SortedSet<ServiceId>>,
}

impl Domain {
    /// Takes one fact. Appends what must be done, in the order it must be done.
    pub fn handle(&mut self, input: Input, now: Instant, out: &mut Vec<Action>) {
        match input {
            Input::Add { id, config, recalled } => self.on_add(id, config, recalled, now),
            Input::Adjust { id, config } => self.on_adjust(id, config, now, out),
            Input::Remove { id } => self.on_remove(id, out),
            Input::Start { init_notifies } => self.on_start(init_notifies, now, out),
            Input::Verdict { check, page, verdict } => {
                self.on_verdict(check, page, verdict, now, out);
            }
            Input::Order { id, index, order } => self.on_order(id, index, order, now, out),
            Input::Address { addr, present } => self.on_address(addr, present, out),
            Input::Stop { flush } => self.on_stop(flush, out),
        }
        // Looking at everything after each fact is not for thousands.
        if cfg!(debug_assertions) && self.services.len() <= 64 {
            self.check_invariants();
        }
    }

    /// A number for a virtual server to be added.
    pub fn vacant_id(&mut self) -> ServiceId {
        self.vacant.pop().unwrap_or_else(|| {
            self.services.push(None);
            let last = self.services.len() - 1;
            ServiceId(u32::try_from(last).expect("fewer than four billion virtual servers"))
        })
    }

    pub fn service(&self, id: ServiceId) -> Option<&Service> {
        self.services.get(id.0 as usize)?.as_ref()
    }

    /// Every virtual server, in the order of numbers.
    pub fn services(&self) -> impl Iterator<Item = (ServiceId, &Service)> {
        (0..).map(ServiceId).zip(&self.services).filter_map(|(id, s)| Some((id, s.as_ref()?)))
    }

    /// The real server that a check belongs to.
    pub fn server_of(&self, check: CheckId) -> Option<ServerRef> {
        let at = self.slots.of(check)?;
        Some(self.service(at.service)?.server_ref(at.server))
    }

    fn service_mut(&mut self, id: ServiceId) -> Option<&mut Service> {
        self.services.get_mut(id.0 as usize)?.as_mut()
    }

    fn on_add(
        &mut self,
        id: ServiceId,
        config: Rc<VirtualServer>,
        recalled: RecalledService,
        now: Instant,
    ) {
        let Some(slot) = self.services.get_mut(id.0 as usize) else { return };
        *slot = Some(Service::new(id, config, recalled, now, &mut self.slots));
        self.added.push(id);
        self.watch(id);
        let suspended = self.is_to_be_suspended(id);
        if let Some(service) = self.service_mut(id) {
            service.suspended = suspended;
        }
    }

    fn on_adjust(
        &mut self,
        id: ServiceId,
        config: Rc<VirtualServer>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let slot = self.services.get_mut(id.0 as usize);
        let Some(service) = slot.and_then(Option::as_mut) else { return };
        service.adjust(config, now, &mut self.slots, out);
        self.watch(id);
        let suspended = self.is_to_be_suspended(id);
        if let Some(service) = self.service_mut(id) {
            service.suspend(suspended, out);
        }
    }

    fn on_remove(&mut self, id: ServiceId, out: &mut Vec<Action>) {
        let slot = self.services.get_mut(id.0 as usize);
        let Some(service) = slot.and_then(Option::take) else { return };
        if service.started {
            out.push(Action::ServiceLeaving(service.this()));
        }
        service.end(Leaving::WithService, &mut self.slots, out);
        for ids in self.watchers.values_mut() {
            ids.remove(&id);
        }
        self.watchers.retain(|_, ids| !ids.is_empty());
        self.added.retain(|added| *added != id);
        self.vacant.push(id);
    }

    fn on_start(&mut self, init_notifies: bool, now: Instant, out: &mut Vec<Action>) {
        let added = std::mem::take(&mut self.added);
        for id in &added {
            if let Some(service) = self.service_mut(*id).filter(|s| !s.started) {
                service.start(init_notifies, now, out);
            }
        }
        for id in added {
            if let Some(service) = self.service(id) {
                service.start_checks(out);
            }
        }
    }

    fn on_verdict(
        &mut self,
        check: CheckId,
        page: usize,
        verdict: Verdict,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(at) = self.slots.of(check) else { return };
        if let Some(service) = self.service_mut(at.service) {
            service.on_verdict(at, page, verdict, now, out);
        }
    }

    fn on_address(&mut self, addr: IpAddr, present: bool, out: &mut Vec<Action>) {
        if present {
            self.present.insert(addr, ());
        } else {
            self.present.remove(&addr);
        }
        for id in self.watchers.get(&addr).cloned().unwrap_or_default() {
            if let Some(service) = self.service_mut(id) {
                service.suspend(!present, out);
            }
        }
    }

    fn on_stop(&mut self, flush: bool, out: &mut Vec<Action>) {
        let leaving = if flush { Leaving::Flushed } else { Leaving::Shutdown };
        for service in self.services.iter_mut().filter_map(Option::take) {
            service.end(leaving, &mut self.slots, out);
            self.vacant.push(service.id);
        }
        self.watchers.clear();
        self.added.clear();
    }

    /// Files whose checks depend on an address.
    fn watch(&mut self, id: ServiceId) {
        let Some(config) = self.service(id).map(|s| Rc::clone(&s.config)) else { return };
        let lvs::Service::Address { addr, .. } = config.service else { return };
        if config.ha_suspend {
            self.watchers.entry(addr).or_default().insert(id);
        } else if let Some(ids) = self.watchers.get_mut(&addr) {
            ids.remove(&id);
        }
    }

    fn is_to_be_suspended(&self, id: ServiceId) -> bool {
        let Some(config) = self.service(id).map(|s| &s.config) else { return false };
        match config.service {
            lvs::Service::Address { addr, .. } => {
                config.ha_suspend && !self.present.contains_key(&addr)
            }
            lvs::Service::Fwmark(_) | lvs::Service::Group { .. } => false,
        }
    }

    /// What is true between any two facts.
    fn check_invariants(&self) {
        for (id, s) in self.services() {
            assert_eq!(s.servers.len(), s.config.servers.len(), "{id}");
            let tally = s.tally();
            for (n, server) in s.servers.iter().enumerate() {
                assert_eq!(server.is_up(), server.is_healthy(), "{id}: server {n}");
                assert_eq!(server.checks.len(), s.config.servers[n].checks.len(), "{id}: {n}");
                for slot in &server.checks {
                    assert_eq!(self.slots.of(slot.id).map(|p| p.service), Some(id));
                }
            }
            assert!(!s.is_up() || tally.weight > 0, "{id} is up without a live server");
        }
    }
}
