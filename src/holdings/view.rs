//! What the kernel reports: addresses, interfaces, all of them at once.

use std::collections::BTreeMap;

use super::kernel::{Place, Shown};
use super::object::Presence;
use super::{Action, Domain, Key, Spot};
use crate::base::addr::{HostAddress, PROTOCOL_KEEPALIVED};
use crate::base::time::Instant;

impl Domain {
    pub(super) fn on_seen(&mut self, index: u32, address: HostAddress, out: &mut Vec<Action>) {
        let place = (index, Spot::of_host(&address));
        if !self.show(place, address) {
            return;
        }
        let Some(key) = self.key_of(&place) else { return };
        match self.objects.get(&key).map(|object| object.presence) {
            // Restored before we did it.
            Some(Presence::Absent | Presence::NoLink | Presence::Waived) => {
                self.cancel_retry(&key);
                self.set(&key, Presence::Present, false, out);
            }
            Some(Presence::Present | Presence::Asked(_)) => {}
            None if self.kernel.shown[&place].ours => self.unclaim_place(place),
            None => {}
        }
    }

    /// Notes what the kernel shows; false if it is about to go.
    fn show(&mut self, place: Place, address: HostAddress) -> bool {
        if self.kernel.is_leaving(&place) {
            return false;
        }
        let is_marked = match address.protocol {
            Some(protocol) => protocol == PROTOCOL_KEEPALIVED,
            None => self.inherits,
        };
        // A change by others can take the mark away from what we added.
        let ours = is_marked || self.kernel.shown.get(&place).is_some_and(|shown| shown.ours);
        self.kernel.shown.insert(place, Shown { address, ours });
        true
    }

    pub(super) fn on_gone(
        &mut self,
        index: u32,
        address: &HostAddress,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let place = (index, Spot::of_host(address));
        if self.kernel.is_echo(&place, now) {
            return;
        }
        if let Some(Shown { address, ours: true }) = self.kernel.shown.remove(&place) {
            out.push(Action::Removed { index, address });
        }
        self.claim_place(&place);
        if let Some(key) = self.key_of(&place) {
            self.on_missing(&key, now, out);
        }
    }

    pub(super) fn on_link_gone(
        &mut self,
        link: &str,
        index: u32,
        deleted: bool,
        out: &mut Vec<Action>,
    ) {
        if self.names.get(&index).is_some_and(|name| name == link) {
            self.names.remove(&index);
        }
        if deleted {
            self.kernel.forget_link(index);
            self.unclaimed.retain(|_, places| {
                places.retain(|place| place.0 != index);
                !places.is_empty()
            });
        }
        // The name may be that of another interface by now.
        if self.links.get(link) != Some(&index) {
            return;
        }
        self.links.remove(link);
        for key in self.keys_on(link) {
            self.lose_link(&key, (!deleted).then_some(index), out);
        }
    }

    /// The interface of an object is gone; `renamed` is where the address still is, under a name
    /// that it is not wanted under.
    fn lose_link(&mut self, key: &Key, renamed: Option<u32>, out: &mut Vec<Action>) {
        let Some(object) = self.objects.get(key) else { return };
        if let Some(index) = renamed {
            self.withdraw(index, key, object.presence, out);
        }
        self.cancel_retry(key);
        self.set(key, Presence::NoLink, false, out);
    }

    pub(super) fn on_link_back(&mut self, link: &str, index: u32, out: &mut Vec<Action>) {
        self.links.insert(link.to_owned(), index);
        self.names.insert(index, link.to_owned());
        for key in self.keys_on(link) {
            if self.objects[&key].presence == Presence::NoLink {
                self.bring_about(&key, out);
            }
        }
    }

    pub(super) fn on_dumped(
        &mut self,
        links: BTreeMap<String, u32>,
        addresses: Vec<(u32, HostAddress)>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        self.kernel.forget_echoes();
        self.names = links.iter().map(|(name, index)| (*index, name.clone())).collect();
        let old_links = std::mem::replace(&mut self.links, links);
        let before = std::mem::take(&mut self.kernel.shown);
        self.unclaimed.clear();
        for (index, address) in addresses {
            let place = (index, Spot::of_host(&address));
            if before.get(&place).is_some_and(|shown| shown.ours) {
                // `show` goes by what was there.
                let shown = Shown { address: address.clone(), ours: true };
                self.kernel.shown.insert(place, shown);
            }
            if !self.show(place, address) {
                self.kernel.shown.remove(&place);
            }
        }
        let keys: Vec<_> = self.objects.keys().cloned().collect();
        let moved = |key: &Key| old_links.get(&key.link) != self.links.get(&key.link);
        let (moved, stayed): (Vec<_>, Vec<_>) = keys.into_iter().partition(moved);
        // All that moved is withdrawn first: where one interface was, another of these may be now.
        for key in &moved {
            self.lose_link(key, old_links.get(&key.link).copied(), out);
        }
        for key in &moved {
            self.bring_about(key, out);
        }
        for key in &stayed {
            self.compare(key, now, out);
        }
        let ours = self.kernel.shown.iter().filter(|(_, shown)| shown.ours);
        let places: Vec<_> = ours.map(|(place, _)| *place).collect();
        for place in places {
            if self.key_of(&place).is_none_or(|key| !self.objects.contains_key(&key)) {
                self.unclaim_place(place);
            }
        }
    }

    /// Brings an object in line with what the kernel turned out to have.
    fn compare(&mut self, key: &Key, now: Instant, out: &mut Vec<Action>) {
        let Some(&index) = self.links.get(&key.link) else { return };
        let is_there = self.kernel.shown.contains_key(&(index, key.spot));
        match self.objects[key].presence {
            Presence::Present if !is_there => self.on_missing(key, now, out),
            Presence::Absent | Presence::Waived if is_there => {
                self.cancel_retry(key);
                self.set(key, Presence::Present, false, out);
            }
            _ => {}
        }
    }

    /// The object that would stand for this place.
    fn key_of(&self, place: &Place) -> Option<Key> {
        let link = self.names.get(&place.0)?.clone();
        Some(Key { link, spot: place.1 })
    }

    pub(super) fn name_of(&self, index: u32) -> String {
        self.names.get(&index).cloned().unwrap_or_else(|| format!("interface {index}"))
    }
}
