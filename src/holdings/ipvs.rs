//! Services and destinations of IPVS, sync daemons and timeouts: compares the requirements of
//! virtual servers with the kernel.
//!
//! Requests of owners are only recorded; the next deadline, which is due at once, compares them
//! with the kernel and sends requests. So an address that changes its owner within a turn costs
//! nothing, and the requests of all owners of a service are known before a destination without an
//! owner is removed.
//!
//! New and changed objects come first, a service before its destinations; removals come last, so
//! that no service is temporarily empty.

use crate::base::deadlines::Deadlines;
use crate::base::ids::ServiceId;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::{Duration, Instant};
use crate::wire::netlink::ipvs::{
    Daemon, Destination, DestinationKey, Request, Service, ServiceKey, Timeouts,
};

mod answer;
mod daemons;
mod lower;
mod object;
mod reconcile;
#[cfg(test)]
mod tests;
mod timeouts;

pub use lower::{daemon, destination, services, sorry_destination, timeouts};
use object::{Held, IpvsObject, Target};

#[derive(Debug)]
pub enum Input<'a> {
    /// All services of this owner with all their destinations, replacing its earlier request. Of
    /// duplicates, the first one applies.
    Want {
        owner: ServiceId,
        services: &'a [Service],
        destinations: &'a [Destination],
    },
    /// The owner wants another destination, or another form of one.
    Put {
        owner: ServiceId,
        destination: &'a Destination,
    },
    /// The owner no longer wants a destination, which it requested with `key`.
    Withdraw {
        owner: ServiceId,
        key: DestinationKey,
    },
    /// The owner no longer wants anything.
    Release {
        owner: ServiceId,
    },
    /// All sync daemons that are to run.
    WantDaemons {
        daemons: &'a [Daemon],
    },
    /// Wanted timeouts; 0 stands for the original value. Needs `SeenTimeouts`.
    WantTimeouts {
        timeouts: Timeouts,
    },
    /// All owners release everything. Takes effect at once; refusals are not retried.
    ReleaseAll {
        /// Foreign services are removed as well.
        flush: bool,
    },
    /// Complete contents of the kernel, to be read while no request is pending.
    Dumped {
        services: &'a [(Service, Vec<Destination>)],
    },
    /// The running sync daemons.
    SeenDaemons {
        daemons: &'a [Daemon],
    },
    /// Current timeouts of the kernel.
    SeenTimeouts {
        timeouts: Timeouts,
    },
    /// The kernel's answer to `Ask`: 0 or an errno. Answers come in the order of the requests.
    Answer {
        request: &'a Request,
        errno: i32,
    },
    Deadline,
}

#[derive(Clone, PartialEq, Debug)]
#[must_use]
pub enum Action {
    /// Send a request to the kernel, in this order; its answer is `Input::Answer`.
    Ask(Request),
    /// A wanted object was removed externally: a service with all its destinations, or one of them.
    /// It is being restored.
    Missing { service: ServiceKey, destination: Option<DestinationKey> },
    /// The kernel refused; retried after `delay`.
    Refused { request: Request, errno: i32, delay: Option<Duration> },
}

#[derive(Debug, Default)]
struct Owner {
    services: SortedSet<ServiceKey>,
    destinations: SortedMap<DestinationKey, Destination>,
}

impl Owner {
    /// Destination that this owner wants in one slot of a service. Destinations that differ only in
    /// a port which the forwarding method ignores are combined into the one with the lowest port.
    fn wants(&self, service: &ServiceKey, slot: &DestinationKey) -> Option<Destination> {
        let same = DestinationKey { addr: slot.addr, port: 0 }..=DestinationKey {
            addr: slot.addr,
            port: u16::MAX,
        };
        let mut list = self.destinations.range(same).map(|(_, d)| d.behind(service));
        list.find(|d| d.key == *slot)
    }
}

#[derive(Debug, Default)]
pub struct Domain {
    owners: SortedMap<ServiceId, Owner>,
    objects: SortedMap<ServiceKey, IpvsObject>,
    /// Services to compare, in the order in which they were wanted.
    dirty: Vec<ServiceKey>,
    /// Time since which there are any.
    due: Option<Instant>,
    daemons: daemons::Daemons,
    timeouts: timeouts::Held,
    retries: Deadlines<Target>,
    under_way: usize,
    /// Everything was released; refusals are final.
    stopping: bool,
}

impl Domain {
    /// Handles one input. Appends actions in the order of execution.
    pub fn handle(&mut self, input: Input<'_>, now: Instant, out: &mut Vec<Action>) {
        match input {
            Input::Want { owner, services, destinations } => {
                self.on_want(owner, services, destinations);
            }
            Input::Put { owner, destination } => self.on_put(owner, destination),
            Input::Withdraw { owner, key } => self.on_withdraw(owner, &key),
            Input::Release { owner } => self.on_release(owner),
            Input::WantDaemons { daemons } => self.daemons.want(daemons),
            Input::WantTimeouts { timeouts } => self.timeouts.want(timeouts),
            Input::ReleaseAll { flush } => self.on_release_all(flush, out),
            Input::Dumped { services } => self.on_dumped(services, out),
            Input::SeenDaemons { daemons } => self.daemons.seen(daemons),
            Input::SeenTimeouts { timeouts } => self.timeouts.seen(timeouts),
            Input::Answer { request, errno } => self.on_answer(request, errno, now, out),
            Input::Deadline => self.on_deadline(now, out),
        }
        if self.is_dirty() {
            self.due.get_or_insert(now);
        } else {
            self.due = None;
        }
    }

    /// When `handle(Input::Deadline, ..)` next has work. Early calls do nothing.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.due.into_iter().chain(self.retries.next()).min()
    }

    /// True while answers or requests are pending.
    pub fn is_settling(&self) -> bool {
        self.under_way > 0 || self.is_dirty()
    }

    fn is_dirty(&self) -> bool {
        !self.dirty.is_empty() || self.daemons.dirty || self.timeouts.dirty
    }

    /// Services installed in the kernel, for removal after a panic.
    pub fn installed(&self) -> impl Iterator<Item = &ServiceKey> {
        let ours = |o: &IpvsObject| o.ours && (o.under_way || !matches!(o.held, Held::Absent));
        self.objects.iter().filter(move |(_, o)| ours(o)).map(|(key, _)| key)
    }

    fn on_want(&mut self, owner: ServiceId, services: &[Service], destinations: &[Destination]) {
        self.stopping = false;
        let before = self.owners.remove(&owner).unwrap_or_default();
        let mut after = Owner::default();
        let mut changed = Vec::new();
        for d in destinations {
            if after.destinations.contains_key(&d.key) {
                continue;
            }
            after.destinations.insert(d.key, *d);
            let old = before.destinations.get(&d.key);
            if old != Some(d) {
                changed.extend(old);
                changed.push(d);
            }
        }
        changed.extend(
            before.destinations.values().filter(|d| !after.destinations.contains_key(&d.key)),
        );
        for service in services {
            if !after.services.insert(service.key) {
                continue;
            }
            self.join(owner, service);
            let known = before.services.contains(&service.key);
            if known {
                self.mark_changed(&service.key, changed.iter().copied());
            } else {
                self.mark_changed(&service.key, destinations);
            }
        }
        for key in before.services.difference(&after.services) {
            self.leave(owner, key, &before);
        }
        self.owners.insert(owner, after);
    }

    fn on_put(&mut self, owner: ServiceId, destination: &Destination) {
        let Some(wants) = self.owners.get_mut(&owner) else { return };
        let before = wants.destinations.insert(destination.key, *destination);
        if before.as_ref() == Some(destination) {
            return;
        }
        for key in wants.services.clone() {
            self.mark_changed(&key, before.iter().chain([destination]));
        }
    }

    fn on_withdraw(&mut self, owner: ServiceId, key: &DestinationKey) {
        let Some(wants) = self.owners.get_mut(&owner) else { return };
        let Some(before) = wants.destinations.remove(key) else { return };
        for key in wants.services.clone() {
            self.mark_changed(&key, [&before]);
        }
    }

    fn on_release(&mut self, owner: ServiceId) {
        let Some(before) = self.owners.remove(&owner) else { return };
        for key in &before.services {
            self.leave(owner, key, &before);
        }
    }

    fn on_release_all(&mut self, flush: bool, out: &mut Vec<Action>) {
        self.stopping = true;
        self.retries = Deadlines::default();
        self.owners.clear();
        for object in self.objects.values_mut() {
            object.owners.clear();
        }
        self.daemons.want(&[]);
        self.timeouts.want(Timeouts::default());
        if flush {
            self.under_way += 1;
            out.push(Action::Ask(Request::Flush));
        } else {
            self.mark_everything();
        }
        self.reconcile(out);
    }

    /// Marks all wanted objects for comparison.
    fn mark_everything(&mut self) {
        for (key, object) in self.objects.iter_mut().filter(|(_, o)| o.ours) {
            object.mark_self(key, &mut self.dirty);
        }
    }

    /// Adds an owner to a service, or changes the form it wants.
    fn join(&mut self, owner: ServiceId, service: &Service) {
        let object = self.objects.entry(service.key).or_default();
        let before = object.owners.insert(owner, *service);
        object.ours = true;
        if before.as_ref() == Some(service) {
            return;
        }
        object.trouble.waiting = false;
        self.retries.set(Target::Service(service.key), None);
        object.mark_self(&service.key, &mut self.dirty);
        if before.is_none() {
            // The existing service may hold destinations without an owner.
            object.mark_slots(&service.key, &mut self.dirty);
        }
    }

    fn leave(&mut self, owner: ServiceId, key: &ServiceKey, before: &Owner) {
        let Some(object) = self.objects.get_mut(key) else { return };
        object.owners.remove(&owner);
        object.trouble.waiting = false;
        self.retries.set(Target::Service(*key), None);
        object.mark_self(key, &mut self.dirty);
        // A service without an owner is removed together with its destinations.
        if !object.owners.is_empty() {
            self.mark_changed(key, before.destinations.values());
        }
    }

    /// Marks destinations whose wanted form changed.
    fn mark_changed<'a>(
        &mut self,
        key: &ServiceKey,
        destinations: impl IntoIterator<Item = &'a Destination>,
    ) {
        let Some(object) = self.objects.get_mut(key) else { return };
        for d in destinations {
            let slot = d.behind(key).key;
            if object.mark_slot(key, slot, &mut self.dirty).trouble.end() {
                self.retries.set(Target::Destination(*key, slot), None);
            }
        }
    }

    fn on_dumped(&mut self, services: &[(Service, Vec<Destination>)], out: &mut Vec<Action>) {
        let seen: SortedMap<_, _> = services.iter().map(|(s, list)| (s.key, (s, list))).collect();
        for (key, object) in &mut self.objects {
            if !seen.contains_key(key) && object.is_known() {
                if !object.owners.is_empty() {
                    out.push(Action::Missing { service: *key, destination: None });
                }
                object.vanish(key, &mut self.dirty);
            }
        }
        for (key, (service, destinations)) in seen {
            let object = self.objects.entry(key).or_default();
            if !object.under_way {
                object.held = Held::As(*service);
                object.mark_self(&key, &mut self.dirty);
            }
            object.compare(&key, destinations, &mut self.dirty, out);
        }
    }

    fn on_deadline(&mut self, now: Instant, out: &mut Vec<Action>) {
        while let Some((_, target)) = self.retries.pop_due(now) {
            if let Some(trouble) = self.trouble(&target) {
                trouble.waiting = false;
                self.mark(&target);
            }
        }
        self.reconcile(out);
    }

    #[cfg(test)]
    fn check_invariants(&self) {
        for (key, object) in &self.objects {
            assert_eq!(object.dirty, self.dirty.contains(key), "{key} is listed");
            assert!(object.dirty || (!object.dirty_self && object.dirty_slots.is_empty()));
            assert!(object.under_way || !object.leaving, "{key} leaves unasked");
            for (at, slot) in &object.slots {
                assert_eq!(slot.dirty, object.dirty_slots.contains(at), "{key} {at} is listed");
            }
            for id in object.owners.keys() {
                assert!(self.owners[id].services.contains(key), "{id} owns {key}");
            }
        }
        for (id, owner) in &self.owners {
            assert!(owner.services.iter().all(|key| self.objects[key].owners.contains_key(id)));
        }
        let slots = |o: &IpvsObject| o.slots.values().filter(|s| s.under_way).count();
        let asked: usize = self.objects.values().map(|o| usize::from(o.under_way) + slots(o)).sum();
        let asked = asked + self.daemons.under_way() + self.timeouts.under_way();
        assert!(self.stopping || self.under_way == asked, "requests are counted");
        assert_eq!(self.due.is_some(), self.is_dirty());
    }
}
