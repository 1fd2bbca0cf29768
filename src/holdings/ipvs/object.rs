//! One service with its wanted form and its state in the kernel, and a slot for each destination.

use super::{Action, Owner};
use crate::base::ids::ServiceId;
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant};
use crate::wire::netlink::ipvs::{Destination, DestinationKey, Role, Service, ServiceKey};

/// After this time without failures, earlier ones are forgotten.
const CALM: Duration = Duration::from_secs(60);
const FIRST_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(30);

/// Object of a retry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Target {
    Timeouts,
    Daemon(Role),
    Service(ServiceKey),
    Destination(ServiceKey, DestinationKey),
}

/// Last known state of an object in the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Held<T> {
    #[default]
    Absent,
    /// Present with unknown properties.
    Somehow,
    As(T),
}

/// Recent refusals and external removals, and the pending retry.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    count: u32,
    last: Instant,
    pub(super) waiting: bool,
}

impl Trouble {
    /// Delay before the next retry; the first `free` recent ones have none.
    pub(super) fn delay(&mut self, free: u32, now: Instant) -> Duration {
        if now.since(self.last) > CALM {
            self.count = 0;
        }
        self.last = now;
        self.count = self.count.saturating_add(1);
        match self.count.checked_sub(free + 1) {
            Some(doublings) => MAX_DELAY.min(FIRST_DELAY * (1 << doublings.min(8))),
            None => Duration::ZERO,
        }
    }

    /// Cancels the delay since another form is wanted now. True if there was one.
    pub(super) fn end(&mut self) -> bool {
        std::mem::take(&mut self.waiting)
    }
}

/// One destination of a service.
#[derive(Debug, Default)]
pub(super) struct DestinationSlot {
    pub(super) held: Held<Destination>,
    pub(super) under_way: bool,
    /// To be compared after the answer.
    pub(super) again: bool,
    /// In the list of objects to compare.
    pub(super) dirty: bool,
    pub(super) trouble: Trouble,
}

#[derive(Debug, Default)]
pub(super) struct IpvsObject {
    /// Owners with the forms they want. If these differ, the first one applies.
    pub(super) owners: SortedMap<ServiceId, Service>,
    pub(super) held: Held<Service>,
    pub(super) under_way: bool,
    /// The pending request is its removal.
    pub(super) leaving: bool,
    /// To be compared when the answer is there.
    pub(super) again: bool,
    /// It was wanted at least once; otherwise it is foreign and left alone.
    pub(super) ours: bool,
    pub(super) slots: SortedMap<DestinationKey, DestinationSlot>,
    /// In the list of objects to compare, for itself or for its slots.
    pub(super) dirty: bool,
    pub(super) dirty_self: bool,
    pub(super) dirty_slots: Vec<DestinationKey>,
    pub(super) trouble: Trouble,
}

impl IpvsObject {
    pub(super) fn wanted(&self) -> Option<Service> {
        self.owners.values().next().copied()
    }

    /// Slots of all destinations that its owners want.
    pub(super) fn wanted_slots(
        &self,
        key: &ServiceKey,
        owners: &SortedMap<ServiceId, Owner>,
    ) -> Vec<DestinationKey> {
        let owners = self.owners.keys().filter_map(|id| owners.get(id));
        owners.flat_map(|o| o.destinations.values()).map(|d| d.behind(key).key).collect()
    }

    /// True if it is in the kernel, and no pending request will change that.
    pub(super) const fn is_known(&self) -> bool {
        !self.under_way && !matches!(self.held, Held::Absent)
    }

    fn mark(&mut self, key: &ServiceKey, dirty: &mut Vec<ServiceKey>) {
        if !self.dirty {
            self.dirty = true;
            dirty.push(*key);
        }
    }

    pub(super) fn mark_self(&mut self, key: &ServiceKey, dirty: &mut Vec<ServiceKey>) {
        self.dirty_self = true;
        self.mark(key, dirty);
    }

    pub(super) fn mark_slot(
        &mut self,
        key: &ServiceKey,
        slot: DestinationKey,
        dirty: &mut Vec<ServiceKey>,
    ) -> &mut DestinationSlot {
        self.mark(key, dirty);
        self.list_slot(slot)
    }

    /// The same for a service that is being compared just now.
    pub(super) fn list_slot(&mut self, slot: DestinationKey) -> &mut DestinationSlot {
        let found = self.slots.entry(slot).or_default();
        if !found.dirty {
            found.dirty = true;
            self.dirty_slots.push(slot);
        }
        found
    }

    /// Marks every slot.
    pub(super) fn mark_slots(&mut self, key: &ServiceKey, dirty: &mut Vec<ServiceKey>) {
        self.mark(key, dirty);
        for (slot, found) in self.slots.iter_mut().filter(|(_, s)| !s.dirty) {
            found.dirty = true;
            self.dirty_slots.push(*slot);
        }
    }

    /// The service and its destinations are no longer in the kernel.
    pub(super) fn forget(&mut self) {
        self.held = Held::Absent;
        for slot in self.slots.values_mut() {
            slot.held = Held::Absent;
        }
    }

    /// Like `forget`, and marks everything for comparison.
    pub(super) fn vanish(&mut self, key: &ServiceKey, dirty: &mut Vec<ServiceKey>) {
        self.forget();
        self.mark_self(key, dirty);
        self.mark_slots(key, dirty);
    }

    /// Takes over the destinations of a dump.
    pub(super) fn compare(
        &mut self,
        key: &ServiceKey,
        destinations: &[Destination],
        dirty: &mut Vec<ServiceKey>,
        out: &mut Vec<Action>,
    ) {
        let seen: SortedMap<_, _> = destinations.iter().map(|d| (d.key, d)).collect();
        let mut differ = Vec::new();
        for (slot, found) in self.slots.iter_mut().filter(|(_, s)| !s.under_way) {
            if !matches!(found.held, Held::Absent) && !seen.contains_key(slot) {
                found.held = Held::Absent;
                differ.push(*slot);
                if !self.owners.is_empty() {
                    out.push(Action::Missing { service: *key, destination: Some(*slot) });
                }
            }
        }
        for (slot, d) in seen {
            let found = self.slots.entry(slot).or_default();
            if !found.under_way && found.held != Held::As(*d) {
                found.held = Held::As(*d);
                differ.push(slot);
            }
        }
        for slot in differ {
            let _ = self.mark_slot(key, slot, dirty);
        }
    }
}
