//! Notifications and dumps of addresses and interfaces.

use std::rc::Rc;

use super::holding::Presence;
use super::kernel::Place;
use super::links::{Links, SeenAddress};
use super::object::Item;
use super::{Action, Domain, HostChange, Key, Spot};
use crate::base::addr::{HostAddress, PROTOCOL_KEEPALIVED};
use crate::base::link::{KernelEvent, Link};
use crate::base::time::Instant;
use crate::model::route::Placement;

impl Domain {
    pub(super) fn on_event(&mut self, event: KernelEvent, now: Instant, out: &mut Vec<Action>) {
        match event {
            KernelEvent::Link(link) => self.on_link(link, now, out),
            KernelEvent::LinkGone { index } => self.on_link_gone(index, now, out),
            KernelEvent::Address { index, address } => self.on_seen(index, address, now, out),
            KernelEvent::AddressGone { index, address } => {
                self.on_gone(index, &address, now, out);
                self.doubt_routes_of(index, &address);
            }
            KernelEvent::Route(route) => {
                self.on_route_seen(Item::Route(Rc::from(route), Placement::First), out);
            }
            KernelEvent::RouteGone(route) => {
                self.on_route_gone(&Item::Route(Rc::from(route), Placement::First), now, out);
            }
            KernelEvent::Rule(rule) => self.on_route_seen(Item::Rule(Rc::from(rule)), out),
            KernelEvent::RuleGone(rule) => {
                self.on_route_gone(&Item::Rule(Rc::from(rule)), now, out);
            }
        }
    }

    fn on_link(&mut self, link: Link, now: Instant, out: &mut Vec<Action>) {
        let (index, name) = (link.index, link.name.clone());
        match self.links.by_index(index) {
            Some(known) if *known == link => return,
            Some(known) if known.name == name => {
                let came_up = link.up && !known.up;
                if known.enabled && !link.enabled {
                    self.flushed.insert(index);
                }
                self.links.put_link(link);
                if came_up {
                    self.doubt_routes_on(&name, out);
                }
                self.look_at_virtual_links(&name, now, out);
                out.push(Action::Changed(HostChange::Changed(name.to_string())));
                return;
            }
            Some(known) => {
                let old = known.name.clone();
                self.links.put_link(link);
                self.lose_name(&old, index, false, now, out);
            }
            None => self.links.put_link(link),
        }
        out.push(Action::Changed(HostChange::Appeared(name.to_string())));
        let was_lost = self.kernel.was_lost(&name, index, now);
        if was_lost || self.kernel.leaving_names().any(|leaving| name == *leaving) {
            // The request for its removal was faster than this notification.
            self.kernel.leave_link(index);
            return;
        }
        // Before anything is put on it.
        self.look_at_virtual_links(&name, now, out);
        if self.is_unfit(&name) {
            return;
        }
        self.bring_about_all_on(&name, out);
    }

    /// Requests what waits for this interface.
    pub(super) fn bring_about_all_on(&mut self, name: &str, out: &mut Vec<Action>) {
        for key in self.keys_on(name) {
            if self.holdings[&key].presence == Presence::NoLink {
                self.bring_about(&key, out);
            }
        }
    }

    fn on_link_gone(&mut self, index: u32, now: Instant, out: &mut Vec<Action>) {
        let Some(link) = self.links.by_index(index) else { return };
        let name = link.name.clone();
        for (place, shown) in self.links.remove_link(index) {
            self.claim_place(&place);
            report_gone(&name, index, &shown, out);
        }
        self.kernel.forget_link(index);
        self.fib.forget_link(index);
        self.flushed.remove(&index);
        self.forget_settings(index);
        self.lose_name(&name, index, true, now, out);
    }

    /// An interface lost this name, or was deleted. Another may already have the name.
    fn lose_name(
        &mut self,
        name: &str,
        index: u32,
        deleted: bool,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        out.push(Action::Changed(HostChange::Vanished { link: name.to_owned(), index, deleted }));
        if self.links.index(name).is_some() {
            return;
        }
        for key in self.keys_on(name) {
            if key.names(name) {
                self.lose_link(&key, (!deleted).then_some(index), out);
            } else {
                self.doubts.insert(key);
            }
        }
        self.lose_virtual_link(name, (!deleted).then_some(index), now, out);
    }

    /// The interface of an object is gone. `renamed` is the interface that still has the address,
    /// under a name for which it is not wanted.
    fn lose_link(&mut self, key: &Key, renamed: Option<u32>, out: &mut Vec<Action>) {
        let Some(holding) = self.holdings.get(key) else { return };
        if matches!(key, Key::Firewall(_)) {
            self.withdraw_shield(key, out);
        } else if let Some(index) = renamed {
            let (presence, object) = (holding.presence, holding.object.clone());
            match key {
                Key::Route(route) => self.remove_routes_through(index, route, presence, out),
                _ => self.withdraw(index, key, &object, presence, out),
            }
        }
        self.cancel_retry(key);
        self.set(key, Presence::NoLink, false, out);
        if let Key::Link { name, .. } = key {
            self.remove_kept(name, out);
        }
    }

    fn on_seen(&mut self, index: u32, address: HostAddress, now: Instant, out: &mut Vec<Action>) {
        let place = (index, Spot::of_host(&address));
        // On an interface that no instance uses.
        if self.links.by_index(index).is_none() {
            return;
        }
        // It was removed since, which is about to be reported.
        if self.kernel.awaits_echo(&place, now) {
            return;
        }
        if self.kernel.is_leaving(&place) {
            self.kernel.note_there(&place, &address, self.is_marked(&address));
            return;
        }
        // An external change can remove the mark from an address of the daemon.
        let was_ours = self.links.shown(&place).is_some_and(|shown| shown.ours);
        let ours = was_ours || self.is_marked(&address);
        self.note_there(place, address.clone(), ours, out);
        if ours && !was_ours {
            out.push(Action::Added { index, address });
        }
        let Some(key) = self.key_of(&place) else { return };
        match self.holdings.get(&key).map(|holding| holding.presence) {
            // Restored externally.
            Some(Presence::Absent | Presence::NoLink | Presence::Waived) => {
                self.restored(&key, now, out);
            }
            Some(Presence::Present | Presence::Asked(_) | Presence::Made) => {}
            None if self.links.shown(&place).is_some_and(|shown| shown.ours) => {
                self.unclaim_place(place);
            }
            None => {}
        }
    }

    fn is_marked(&self, address: &HostAddress) -> bool {
        address.protocol.map_or(self.inherits, |protocol| protocol == PROTOCOL_KEEPALIVED)
    }

    /// Notes that the kernel has this address, and reports it if it is new.
    pub(super) fn note_there(
        &mut self,
        place: Place,
        address: HostAddress,
        ours: bool,
        out: &mut Vec<Action>,
    ) {
        if self.links.put(place, address.clone(), ours) {
            self.retry_routes(out);
            let link = self.name_of(place.0);
            out.push(Action::Changed(HostChange::Added { link, address, ours }));
        }
    }

    fn on_gone(&mut self, index: u32, address: &HostAddress, now: Instant, out: &mut Vec<Action>) {
        let place = (index, Spot::of_host(address));
        if self.kernel.is_echo(&place, now) {
            return;
        }
        self.kernel.note_gone(&place);
        if let Some(shown) = self.links.remove(&place) {
            report_gone(&self.name_of(index), index, &shown, out);
        }
        self.claim_place(&place);
        if let Some(key) = self.key_of(&place) {
            self.on_missing(&key, now, out);
        }
    }

    pub(super) fn on_dumped(&mut self, mut found: Links, now: Instant, out: &mut Vec<Action>) {
        found.adjust(|place, shown| {
            let was_ours = self.links.shown(place).is_some_and(|before| before.ours);
            shown.ours = was_ours || self.is_marked(&shown.address);
            true
        });
        self.kernel.look_again(&found);
        found.adjust(|place, _| !self.kernel.is_leaving(place));
        // An interface may be gone before it was reported.
        if found.is_same(&self.links) && !self.awaits_links() {
            return;
        }
        let before = std::mem::replace(&mut self.links, found);
        self.report_differences(&before, out);
        self.leave_named_links();
        self.lose_virtual_links(&before, now, out);
        let keys: Vec<_> = self.holdings.keys().cloned().collect();
        let moved = |key: &Key| before.numbers_of(key) != self.links.numbers_of(key);
        let (moved, stayed): (Vec<_>, Vec<_>) = keys.into_iter().partition(moved);
        // Objects of all renamed interfaces are withdrawn first, since the interfaces may have
        // swapped names.
        for key in &moved {
            let numbers = before.numbers_of(key);
            self.lose_link(key, numbers.into_iter().flatten().next(), out);
        }
        // Virtual interfaces come before what is put on them.
        let (made, stayed): (Vec<_>, Vec<_>) =
            stayed.into_iter().partition(|key| matches!(key, Key::Link { .. }));
        for key in &made {
            self.compare(key, now, out);
        }
        for key in &moved {
            if self.holdings[key].presence == Presence::NoLink {
                self.bring_about(key, out);
            }
        }
        for key in &stayed {
            self.compare(key, now, out);
        }
        for name in self.came_up_since(&before) {
            self.doubt_routes_on(&name, out);
        }
        for addr in std::mem::take(&mut self.unclaimed).into_keys() {
            self.kernel.mark_resolved(addr);
        }
        let ours = self.links.addresses().filter(|(_, shown)| shown.ours);
        let places: Vec<_> = ours.map(|(place, _)| *place).collect();
        for place in places {
            if self.key_of(&place).is_none_or(|key| !self.holdings.contains_key(&key)) {
                self.unclaim_place(place);
            }
        }
    }

    fn came_up_since(&self, before: &Links) -> Vec<String> {
        let was_down = |link: &&Link| before.by_index(link.index).is_some_and(|l| !l.up);
        let up = self.links.all().filter(|link| link.up).filter(was_down);
        up.map(|link| link.name.to_string()).collect()
    }

    /// Marks the interfaces whose removal by name is on its way.
    fn leave_named_links(&mut self) {
        let known = self.kernel.leaving_names().filter_map(|name| self.links.index(name));
        for index in known.collect::<Vec<_>>() {
            self.kernel.leave_link(index);
        }
    }

    /// Deleted interfaces come first, so that a name that moved to another interface is kept.
    fn report_differences(&self, before: &Links, out: &mut Vec<Action>) {
        for (name, index) in before.by_name() {
            if self.links.index(name) != Some(index) {
                let deleted = self.links.by_index(index).is_none();
                let link = name.to_owned();
                out.push(Action::Changed(HostChange::Vanished { link, index, deleted }));
            }
        }
        for (name, index) in self.links.by_name() {
            if before.index(name) != Some(index) {
                out.push(Action::Changed(HostChange::Appeared(name.to_owned())));
            } else if before.by_index(index) != self.links.by_index(index) {
                out.push(Action::Changed(HostChange::Changed(name.to_owned())));
            }
        }
        for (place, shown) in before.addresses() {
            if self.links.shown(place).is_none() {
                let link = before.by_index(place.0).map_or("", |link| &link.name);
                report_gone(link, place.0, shown, out);
            }
        }
        for (place, SeenAddress { address, ours, .. }) in self.links.addresses() {
            if before.shown(place).is_none_or(|shown| shown.address != *address) {
                let (link, address) = (self.name_of(place.0), address.clone());
                out.push(Action::Changed(HostChange::Added { link, address, ours: *ours }));
            }
        }
    }

    /// Updates an object from the actual state of the kernel.
    fn compare(&mut self, key: &Key, now: Instant, out: &mut Vec<Action>) {
        if let Key::Link { name, .. } = key {
            return self.look_at_virtual_links(name, now, out);
        }
        let Key::Address { link, spot } = key else { return };
        let Some(index) = self.links.index(link) else { return };
        let is_there = self.links.shown(&(index, *spot)).is_some();
        match self.holdings[key].presence {
            Presence::Present if !is_there => self.on_missing(key, now, out),
            Presence::Absent | Presence::Waived if is_there => self.restored(key, now, out),
            _ => {}
        }
    }

    /// A missing address is there, perhaps in another form: the kernel may have refused to remove
    /// that.
    fn restored(&mut self, key: &Key, now: Instant, out: &mut Vec<Action>) {
        self.cancel_retry(key);
        self.set(key, Presence::Present, false, out);
        self.change_form_later(key, now);
    }

    /// Key of the object for this place.
    pub(super) fn key_of(&self, place: &Place) -> Option<Key> {
        let link = self.links.by_index(place.0)?.name.clone();
        Some(Key::Address { link, spot: place.1 })
    }

    pub(super) fn name_of(&self, index: u32) -> String {
        let link = self.links.by_index(index);
        link.map_or_else(|| format!("interface {index}"), |link| link.name.to_string())
    }
}

/// The kernel no longer has this address.
pub(super) fn report_gone(link: &str, index: u32, shown: &SeenAddress, out: &mut Vec<Action>) {
    let (address, ours) = (shown.address.clone(), shown.ours);
    if ours {
        out.push(Action::Removed { index, address: address.clone() });
    }
    out.push(Action::Changed(HostChange::Removed { link: link.to_owned(), address, ours }));
}
