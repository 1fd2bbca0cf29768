//! Answers of the kernel and their consequences.

use super::{Action, Domain, Held, IpvsObject, Target};
use crate::base::time::{Duration, Instant};
use crate::wire::netlink::ipvs::{Daemon, DestinationKey, Request, ServiceKey};

/// No such destination, scheduler or persistence engine.
const ENOENT: i32 = 2;
/// No such service.
const ESRCH: i32 = 3;
const EEXIST: i32 = 17;

/// Number of immediate restorations after external removals.
const FREE_REPAIRS: u32 = 3;

impl Domain {
    pub(super) fn on_answer(
        &mut self,
        request: &Request,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        self.under_way = self.under_way.saturating_sub(1);
        let key = match request {
            Request::AddService(s) | Request::ChangeService(s) => s.key,
            Request::RemoveService(key)
            | Request::AddDestination(key, _)
            | Request::ChangeDestination(key, _)
            | Request::RemoveDestination(key, _) => *key,
            Request::Flush => return self.on_flushed(errno, out),
            other => return self.on_other_answer(other, errno, now, out),
        };
        match request {
            Request::AddDestination(_, d) | Request::ChangeDestination(_, d) => {
                self.on_destination_answer(&key, d.key, request, errno, now, out);
            }
            Request::RemoveDestination(_, slot) => {
                self.on_destination_answer(&key, *slot, request, errno, now, out);
            }
            _ => self.on_service_answer(&key, request, errno, now, out),
        }
        self.forget_if_gone(&key);
    }

    fn on_service_answer(
        &mut self,
        key: &ServiceKey,
        request: &Request,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(object) = self.objects.get_mut(key) else { return };
        object.under_way = false;
        object.leaving = false;
        let again = std::mem::take(&mut object.again);
        if again {
            object.mark_self(key, &mut self.dirty);
        }
        match (request, errno) {
            (Request::AddService(s) | Request::ChangeService(s), 0) => object.held = Held::As(*s),
            (Request::AddService(_), EEXIST) => {
                object.held = Held::Somehow;
                self.mark_wanted(key);
            }
            (Request::ChangeService(_), ESRCH) => self.on_service_vanished(key, now, out),
            (Request::RemoveService(_), 0 | ESRCH) if object.owners.is_empty() => object.forget(),
            (Request::RemoveService(_), 0 | ESRCH) => object.vanish(key, &mut self.dirty),
            _ => {
                if matches!(request, Request::RemoveService(_)) && !object.owners.is_empty() {
                    // It was not removed, and neither were its destinations.
                    self.mark_wanted(key);
                }
                let delay = self.refused(Target::Service(*key), again, now);
                out.push(Action::Refused { request: *request, errno, delay });
            }
        }
    }

    fn on_destination_answer(
        &mut self,
        key: &ServiceKey,
        at: DestinationKey,
        request: &Request,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(object) = self.objects.get_mut(key) else { return };
        let known = object.is_known();
        let Some(slot) = object.slots.get_mut(&at) else { return };
        slot.under_way = false;
        let again = std::mem::take(&mut slot.again);
        let target = Target::Destination(*key, at);
        match (request, errno) {
            (Request::AddDestination(_, d) | Request::ChangeDestination(_, d), 0) => {
                slot.held = Held::As(*d);
            }
            (Request::AddDestination(..), EEXIST) => {
                slot.held = Held::Somehow;
                let _ = object.mark_slot(key, at, &mut self.dirty);
            }
            (Request::ChangeDestination(..), ENOENT) => {
                slot.held = Held::Absent;
                out.push(Action::Missing { service: *key, destination: Some(at) });
                self.retry_later(target, FREE_REPAIRS, now);
            }
            (Request::RemoveDestination(..), 0 | ENOENT) => {
                slot.held = Held::Absent;
                if !slot.dirty {
                    object.slots.remove(&at);
                }
            }
            // Further answers for the same service find it unknown already.
            (_, ESRCH) => {
                slot.held = Held::Absent;
                if known {
                    self.on_service_vanished(key, now, out);
                }
            }
            _ => {
                let delay = self.refused(target, again, now);
                out.push(Action::Refused { request: *request, errno, delay });
            }
        }
        if again {
            self.mark(&target);
        }
    }

    /// Handles answers for sync daemons and timeouts.
    fn on_other_answer(
        &mut self,
        request: &Request,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let (target, refused) = match request {
            Request::StartDaemon(Daemon { role, .. }) | Request::StopDaemon(role) => {
                (Target::Daemon(*role), self.daemons.on_answer(request, errno))
            }
            Request::SetTimeouts(asked) => {
                (Target::Timeouts, self.timeouts.on_answer(*asked, errno))
            }
            _ => return,
        };
        if refused {
            let delay = self.retry_later(target, 0, now);
            out.push(Action::Refused { request: *request, errno, delay });
        }
    }

    fn on_service_vanished(&mut self, key: &ServiceKey, now: Instant, out: &mut Vec<Action>) {
        let Some(object) = self.objects.get_mut(key) else { return };
        object.vanish(key, &mut self.dirty);
        if !object.owners.is_empty() {
            out.push(Action::Missing { service: *key, destination: None });
            self.retry_later(Target::Service(*key), FREE_REPAIRS, now);
        }
    }

    /// Delay before a retry. There is none if another form is wanted by now.
    fn refused(&mut self, target: Target, changed: bool, now: Instant) -> Option<Duration> {
        if changed {
            return Some(Duration::ZERO);
        }
        self.retry_later(target, 0, now)
    }

    /// Marks a service with all its wanted and present destinations.
    fn mark_wanted(&mut self, key: &ServiceKey) {
        let Some(object) = self.objects.get_mut(key) else { return };
        object.mark_self(key, &mut self.dirty);
        object.mark_slots(key, &mut self.dirty);
        for slot in object.wanted_slots(key, &self.owners) {
            let _ = object.mark_slot(key, slot, &mut self.dirty);
        }
    }

    fn on_flushed(&mut self, errno: i32, out: &mut Vec<Action>) {
        if errno == 0 {
            self.objects.values_mut().for_each(IpvsObject::forget);
            self.objects.retain(|_, object| !object.owners.is_empty());
            self.mark_everything();
        } else {
            out.push(Action::Refused { request: Request::Flush, errno, delay: None });
            self.mark_everything();
            self.reconcile(out);
        }
    }
}
