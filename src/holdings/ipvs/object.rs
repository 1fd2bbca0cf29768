//! One service as it is wanted and as the kernel holds it, with a slot for each destination.

use std::collections::BTreeMap;

use super::{Action, Owner};
use crate::base::ids::ServiceId;
use crate::base::time::{Duration, Instant};
use crate::wire::netlink::ipvs::{Destination, DestinationKey, Role, Service, ServiceKey};

/// After this long without trouble, there was none.
const CALM: Duration = Duration::from_secs(60);
const FIRST_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(30);

/// What is tried again later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Target {
    Timeouts,
    Daemon(Role),
    Service(ServiceKey),
    Destination(ServiceKey, DestinationKey),
}

/// What the kernel has, as far as we know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Held<T> {
    #[default]
    Absent,
    /// It is there, we did not see how.
    Somehow,
    As(T),
}

/// Refusals, and things that vanished: how often lately, and whether we wait.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    count: u32,
    last: Instant,
    pub(super) waiting: bool,
}

impl Trouble {
    /// How long to wait this time; so many times of late, not at all.
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

    /// Something else is wanted now. True if we waited.
    pub(super) fn end(&mut self) -> bool {
        std::mem::take(&mut self.waiting)
    }
}

/// One destination of a service.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) held: Held<Destination>,
    pub(super) under_way: bool,
    /// To be compared when the answer is there.
    pub(super) again: bool,
    /// It is in the list of what is to be compared.
    pub(super) dirty: bool,
    pub(super) trouble: Trouble,
}

#[derive(Debug, Default)]
pub(super) struct Object {
    /// Who wants it, and how. If they differ, the first counts.
    pub(super) owners: BTreeMap<ServiceId, Service>,
    pub(super) held: Held<Service>,
    pub(super) under_way: bool,
    /// What is under way is its removal.
    pub(super) leaving: bool,
    /// To be compared when the answer is there.
    pub(super) again: bool,
    /// Somebody wanted it at least once; otherwise it is none of our business.
    pub(super) ours: bool,
    pub(super) slots: BTreeMap<DestinationKey, Slot>,
    /// Whether it is in the list of what is to be compared, itself or for its slots.
    pub(super) dirty: bool,
    pub(super) dirty_self: bool,
    pub(super) dirty_slots: Vec<DestinationKey>,
    pub(super) trouble: Trouble,
}

impl Object {
    pub(super) fn wanted(&self) -> Option<Service> {
        self.owners.values().next().copied()
    }

    /// The slots of everything that its owners want in it.
    pub(super) fn wanted_slots(
        &self,
        key: &ServiceKey,
        owners: &BTreeMap<ServiceId, Owner>,
    ) -> Vec<DestinationKey> {
        let owners = self.owners.keys().filter_map(|id| owners.get(id));
        owners.flat_map(|o| o.destinations.values()).map(|d| d.behind(key).key).collect()
    }

    /// It is in the kernel for all we know, and no request is about to change that.
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
    ) -> &mut Slot {
        self.mark(key, dirty);
        self.list_slot(slot)
    }

    /// The same for a service that is being compared just now.
    pub(super) fn list_slot(&mut self, slot: DestinationKey) -> &mut Slot {
        let found = self.slots.entry(slot).or_default();
        if !found.dirty {
            found.dirty = true;
            self.dirty_slots.push(slot);
        }
        found
    }

    /// Marks every slot there is.
    pub(super) fn mark_slots(&mut self, key: &ServiceKey, dirty: &mut Vec<ServiceKey>) {
        self.mark(key, dirty);
        for (slot, found) in self.slots.iter_mut().filter(|(_, s)| !s.dirty) {
            found.dirty = true;
            self.dirty_slots.push(*slot);
        }
    }

    /// The kernel has it no more, and its destinations neither.
    pub(super) fn forget(&mut self) {
        self.held = Held::Absent;
        for slot in self.slots.values_mut() {
            slot.held = Held::Absent;
        }
    }

    /// The same, and everything is to be compared again.
    pub(super) fn vanish(&mut self, key: &ServiceKey, dirty: &mut Vec<ServiceKey>) {
        self.forget();
        self.mark_self(key, dirty);
        self.mark_slots(key, dirty);
    }

    /// Takes the destinations that a dump shows for the truth.
    pub(super) fn compare(
        &mut self,
        key: &ServiceKey,
        destinations: &[Destination],
        dirty: &mut Vec<ServiceKey>,
        out: &mut Vec<Action>,
    ) {
        let seen: BTreeMap<_, _> = destinations.iter().map(|d| (d.key, d)).collect();
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
