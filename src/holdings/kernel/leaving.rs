//! Addresses that are about to be removed, and notifications of own removals.

use std::net::IpAddr;

use super::{Found, Kernel, Leaving, Place, RequestId, ECHO};
use crate::base::addr::HostAddress;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::Instant;
use crate::holdings::links::SeenAddress;
use crate::holdings::Links;

impl Kernel {
    /// A removal was answered: the address is gone. `removed`: by this request. True if that is
    /// still to be reported.
    pub(in crate::holdings) fn has_left(&mut self, place: &Place, removed: bool) -> bool {
        let Some(leaving) = self.leaving_mut(place) else { return removed };
        let was_heard = leaving.gone > 0;
        leaving.gone -= u32::from(was_heard);
        let was_there = leaving.there.take().is_some();
        self.one_less(place);
        // One that was there and that this request did not find was removed externally.
        (removed || was_there) && !was_heard
    }

    /// The kernel has this address now, perhaps with its removal unanswered.
    pub(in crate::holdings) fn note_there(
        &mut self,
        place: &Place,
        address: &HostAddress,
        ours: bool,
    ) {
        if let Some(leaving) = self.leaving_mut(place) {
            leaving.there = Some(Found { address: address.clone(), ours });
        }
    }

    /// True if the address that is about to be removed is the daemon's; `None` if there is none.
    pub(in crate::holdings) fn leaves_ours(&self, place: &Place) -> Option<bool> {
        let leaving = self.leaving.get(&place.1.addr)?.get(place)?;
        leaving.there.as_ref().map(|found| found.ours)
    }

    /// The kernel refused to remove this address. Returns what stays there. `bool`: true if no
    /// removal requested since then decides.
    pub(in crate::holdings) fn has_stayed(&mut self, place: &Place) -> Option<(Found, bool)> {
        let there = self.leaving_mut(place)?.there.clone();
        self.one_less(place);
        Some((there?, !self.is_leaving(place)))
    }

    fn leaving_mut(&mut self, place: &Place) -> Option<&mut Leaving> {
        self.leaving.get_mut(&place.1.addr)?.get_mut(place)
    }

    fn one_less(&mut self, place: &Place) {
        let Some(leaving) = self.leaving_mut(place) else { return };
        leaving.count -= 1;
        if leaving.count > 0 {
            return;
        }
        let addr = place.1.addr;
        self.mark_resolved(addr);
        let places = self.leaving.get_mut(&addr);
        if places.is_some_and(|places| places.remove(place).is_some() && places.is_empty()) {
            self.leaving.remove(&addr);
        }
    }

    /// No owner of an address that is there is missing any more, at one place at least.
    pub(in crate::holdings) fn mark_resolved(&mut self, addr: IpAddr) {
        self.resolved.insert(addr);
    }

    /// Addresses that were settled since the last call.
    pub(in crate::holdings) fn take_resolved(&mut self) -> SortedSet<IpAddr> {
        std::mem::take(&mut self.resolved)
    }

    /// A notification says that this address is gone, perhaps for an unanswered removal.
    pub(in crate::holdings) fn note_gone(&mut self, place: &Place) {
        if let Some(leaving) = self.leaving_mut(place) {
            leaving.gone += 1;
            leaving.there = None;
        }
    }

    /// An address is no longer wanted. It is there, and the request to add it is unanswered.
    pub(in crate::holdings) fn expect_late(&mut self, id: RequestId, place: Place) {
        self.late.insert(id, place);
    }

    /// The request to add such an address was answered.
    pub(in crate::holdings) fn late_is_answered(&mut self, id: RequestId) {
        if let Some(place) = self.late.remove(&id) {
            self.mark_resolved(place.1.addr);
        }
    }

    /// The places from which this address is about to be removed, or where it may yet be added.
    pub(in crate::holdings) fn leaving(&self, addr: IpAddr) -> impl Iterator<Item = &Place> + '_ {
        let late = self.late.values().filter(move |place| place.1.addr == addr);
        self.leaving.get(&addr).into_iter().flat_map(SortedMap::keys).chain(late)
    }

    pub(in crate::holdings) fn is_leaving(&self, place: &Place) -> bool {
        self.leaving.get(&place.1.addr).is_some_and(|places| places.contains_key(place))
    }

    /// A dump overrides all notifications.
    pub(in crate::holdings) fn look_again(&mut self, found: &Links) {
        self.echoes.clear();
        self.created.clear();
        for (place, leaving) in self.leaving.values_mut().flatten() {
            leaving.there = found.shown(place).map(|SeenAddress { address, ours, .. }| Found {
                address: address.clone(),
                ours: *ours,
            });
        }
    }

    pub(in crate::holdings) fn expect_echo(&mut self, place: Place, now: Instant) {
        let echo = self.echoes.entry(place).or_insert((0, now));
        *echo = (echo.0 + 1, now);
    }

    /// True if the removal in a notification is one of the daemon's own.
    pub(in crate::holdings) fn is_echo(&mut self, place: &Place, now: Instant) -> bool {
        let Some((count, since)) = self.echoes.get_mut(place) else { return false };
        let is_recent = now.since(*since) <= ECHO;
        *count -= 1;
        if *count == 0 || !is_recent {
            self.echoes.remove(place);
        }
        is_recent
    }

    pub(in crate::holdings) fn awaits_echo(&self, place: &Place, now: Instant) -> bool {
        self.echoes.get(place).is_some_and(|(_, since)| now.since(*since) <= ECHO)
    }
}
