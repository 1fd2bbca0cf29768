//! Compares wanted objects with those in the kernel and requests the differences.

use super::object::Trouble;
use super::{Action, Domain, Held, IpvsObject, Owner, Target};
use crate::base::ids::ServiceId;
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant};
use crate::wire::netlink::ipvs::{Request, ServiceKey};

/// Requests in the order of execution: additions and changes, then removals.
#[derive(Default)]
struct Found {
    now: Vec<Request>,
    destinations: Vec<Request>,
    services: Vec<Request>,
}

impl Domain {
    /// Compares all marked objects.
    pub(super) fn reconcile(&mut self, out: &mut Vec<Action>) {
        let mut found = Found::default();
        for key in std::mem::take(&mut self.dirty) {
            let Some(object) = self.objects.get_mut(&key) else { continue };
            object.dirty = false;
            if std::mem::take(&mut object.dirty_self) {
                reconcile_service(&key, object, &self.owners, &mut found);
            }
            reconcile_slots(&key, object, &self.owners, &mut found);
            self.forget_if_gone(&key);
        }
        let Found { now, destinations, services } = found;
        let all = now.into_iter().chain(destinations).chain(services);
        let before = out.len();
        out.extend(self.timeouts.reconcile().into_iter().chain(all).map(Action::Ask));
        out.extend(self.daemons.reconcile().into_iter().map(Action::Ask));
        self.under_way += out.len() - before;
    }

    /// Forgets a service that has no owner and is not in the kernel.
    pub(super) fn forget_if_gone(&mut self, key: &ServiceKey) {
        let Some(object) = self.objects.get(key) else { return };
        let idle = !object.under_way && !object.dirty;
        let gone = object.owners.is_empty() && matches!(object.held, Held::Absent);
        if idle && gone && !object.slots.values().any(|s| s.under_way) {
            self.objects.remove(key);
        }
    }

    /// Schedules a retry and returns its delay; `None` during the shutdown.
    pub(super) fn retry_later(
        &mut self,
        target: Target,
        free: u32,
        now: Instant,
    ) -> Option<Duration> {
        if self.stopping {
            return None;
        }
        let trouble = self.trouble(&target)?;
        let delay = trouble.delay(free, now);
        trouble.waiting = delay > Duration::ZERO;
        if delay > Duration::ZERO {
            self.retries.set(target, Some(now + delay));
        } else {
            self.mark(&target);
        }
        Some(delay)
    }

    pub(super) fn trouble(&mut self, target: &Target) -> Option<&mut Trouble> {
        match target {
            Target::Timeouts => Some(&mut self.timeouts.trouble),
            Target::Daemon(role) => Some(self.daemons.trouble(*role)),
            Target::Service(key) => self.objects.get_mut(key).map(|o| &mut o.trouble),
            Target::Destination(key, slot) => {
                let slot = self.objects.get_mut(key)?.slots.get_mut(slot)?;
                Some(&mut slot.trouble)
            }
        }
    }

    /// Marks an object for comparison at the next deadline.
    pub(super) fn mark(&mut self, target: &Target) {
        match target {
            Target::Timeouts => self.timeouts.dirty = true,
            Target::Daemon(_) => self.daemons.dirty = true,
            Target::Service(key) => {
                if let Some(object) = self.objects.get_mut(key) {
                    object.mark_self(key, &mut self.dirty);
                }
            }
            Target::Destination(key, slot) => {
                if let Some(object) = self.objects.get_mut(key) {
                    let _ = object.mark_slot(key, *slot, &mut self.dirty);
                }
            }
        }
    }
}

fn reconcile_service(
    key: &ServiceKey,
    object: &mut IpvsObject,
    owners: &SortedMap<ServiceId, Owner>,
    found: &mut Found,
) {
    if object.under_way {
        // It is compared again after the answer.
        object.again = true;
        return;
    }
    if object.trouble.waiting {
        return;
    }
    match (object.wanted(), &object.held) {
        (Some(wanted), Held::Absent) => {
            found.now.push(Request::AddService(wanted));
            object.under_way = true;
            // The new service needs all its destinations, regardless of earlier failures.
            for slot in object.wanted_slots(key, owners) {
                let _ = object.list_slot(slot);
            }
        }
        (Some(wanted), Held::As(held)) if wanted.is_held_as(held) => {}
        (Some(wanted), _) => {
            found.now.push(Request::ChangeService(wanted));
            object.under_way = true;
        }
        (None, Held::Absent) => {}
        (None, _) if object.ours => {
            found.services.push(Request::RemoveService(*key));
            object.under_way = true;
            object.leaving = true;
        }
        (None, _) => {}
    }
}

fn reconcile_slots(
    key: &ServiceKey,
    object: &mut IpvsObject,
    owners: &SortedMap<ServiceId, Owner>,
    found: &mut Found,
) {
    let exists = !matches!(object.held, Held::Absent) || object.under_way;
    // Destinations of foreign services are left alone; those of a removed service go with it.
    let open = exists && !object.leaving && !object.owners.is_empty();
    for at in std::mem::take(&mut object.dirty_slots) {
        let Some(slot) = object.slots.get_mut(&at) else { continue };
        slot.dirty = false;
        if slot.under_way {
            slot.again = true;
            continue;
        }
        let mut wanting = object.owners.keys().filter_map(|id| owners.get(id));
        let wanted = wanting.find_map(|o| o.wants(key, &at));
        if slot.trouble.waiting {
            continue;
        }
        let request = match (wanted, &slot.held) {
            (None, Held::Absent) => {
                object.slots.remove(&at);
                continue;
            }
            _ if !open => continue,
            (Some(wanted), Held::Absent) => Request::AddDestination(*key, wanted),
            (Some(wanted), Held::As(held)) if wanted == *held => continue,
            (Some(wanted), _) => Request::ChangeDestination(*key, wanted),
            (None, _) => {
                found.destinations.push(Request::RemoveDestination(*key, at));
                slot.under_way = true;
                continue;
            }
        };
        found.now.push(request);
        slot.under_way = true;
    }
}
