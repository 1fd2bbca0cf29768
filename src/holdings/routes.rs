//! Routes and rules.

use std::rc::Rc;

use super::fib::{as_listed, has_options, is_same_route, Fib, RouteKey, Slot};
use super::holding::Presence;
use super::kernel::{Purpose, RequestId};
use super::leftovers::Left;
use super::object::{Item, Key, Object};
use super::repair::{report_kept, EEXIST, ENODEV, REMOVAL_DELAY};
use super::{Action, Domain, Fate, Restore, Retry};
use crate::base::addr::{Family, HostAddress};
use crate::base::route::Route;
use crate::base::rule::Rule;
use crate::base::time::{Duration, Instant};
use crate::model::route::{Placement, VirtualRoute};

/// The interface is down. The route is added when it is up again.
const ENETDOWN: i32 = 100;
/// The kernel knew no such route or rule.
const ESRCH: i32 = 3;
const ENOENT: i32 = 2;
/// Time between two verifications of routes.
const VERIFICATION: Duration = Duration::from_secs(1);

impl Domain {
    /// The route with interfaces by number; `None` if one does not exist.
    pub(super) fn numbered(&self, route: &VirtualRoute) -> Option<Route<u32>> {
        route.route.translated(|name| self.links.index(name))
    }

    pub(super) fn bring_about_route(
        &mut self,
        key: &Key,
        route: &VirtualRoute,
        out: &mut Vec<Action>,
    ) -> Option<Fate> {
        let asked = Rc::new(self.numbered(route)?);
        let item = Item::Route(Rc::clone(&asked), route.placement);
        if let Presence::Asked(id) = self.holdings.get(key)?.presence {
            // Its options differ and are about to be changed.
            if let Some(item) = self.kernel.being_added(id).cloned() {
                self.ask(0, Purpose::Remove(item), out);
            }
        }
        let listed = self.fib.find(&asked).cloned();
        let Some(listed) = listed else {
            self.ask_for(0, key, item, out);
            return None;
        };
        if has_options(&asked, &listed) {
            self.set(key, Presence::Present, false, out);
            let is_v4 = asked.family == Family::V4;
            if is_v4 && listed.links().any(|link| self.flushed.contains(link)) {
                self.doubts.insert(key.clone());
            }
        } else {
            // A replacement could hit another route of the slot, which may be foreign.
            self.ask(0, Purpose::Remove(Item::Route(listed, route.placement)), out);
            self.ask_for(0, key, item, out);
        }
        Some(Fate::Adopted)
    }

    pub(super) fn bring_about_rule(&mut self, key: &Key, out: &mut Vec<Action>) -> Option<Fate> {
        let Key::Rule(rule) = key else { return None };
        if self.fib.has_rule(rule) {
            self.set(key, Presence::Present, false, out);
            return Some(Fate::Adopted);
        }
        let item = self.item_of(&self.holdings.get(key)?.object)?;
        self.ask_for(0, key, item, out);
        None
    }

    /// Removes a route or rule unless it is foreign.
    pub(super) fn withdraw_from_fib(
        &mut self,
        key: &Key,
        presence: Presence,
        out: &mut Vec<Action>,
    ) {
        self.doubts.remove(key);
        let item = match (presence, key) {
            (Presence::Asked(id), _) => self.kernel.being_added(id).cloned(),
            // Also one whose removal the kernel refused before it was wanted again.
            (_, Key::Rule(rule)) if self.fib.has_rule(rule) => Some(Item::Rule(Rc::clone(rule))),
            _ => self.listed(key).map(|route| Item::Route(Rc::clone(route), Placement::First)),
        };
        if let Some(item) = item {
            self.ask(0, Purpose::Remove(item), out);
        }
    }

    /// The kernel's form of a wanted route.
    pub(super) fn listed(&self, key: &Key) -> Option<&Rc<Route<u32>>> {
        let Key::Route(route) = key else { return None };
        self.fib.in_slot(&route.slot).iter().find(|listed| self.is_meant(key, listed))
    }

    /// True if the route in the kernel is the wanted one with this key.
    fn is_meant(&self, key: &Key, listed: &Route<u32>) -> bool {
        let wanted = match self.holdings.get(key).map(|holding| &holding.object) {
            Some(Object::Route(wanted)) => self.numbered(wanted),
            _ => None,
        };
        match (wanted, key) {
            (Some(wanted), _) => is_same_route(&wanted, listed),
            // It was just discarded, or an interface is gone.
            (None, Key::Route(route)) => route.is_named(listed, &self.links),
            (None, _) => false,
        }
    }

    pub(super) fn on_route_answered(
        &mut self,
        id: RequestId,
        key: &Key,
        item: &Item,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let is_awaited = self.is_awaited(id, key);
        // A removal requested since then follows it.
        if errno == 0 && (is_awaited || !self.is_leaving(item)) {
            self.note_item(item);
        }
        match errno {
            _ if !is_awaited => {}
            0 | EEXIST => self.set(key, Presence::Present, false, out),
            // Added when an interface comes up.
            ENODEV | ENETDOWN => self.set(key, Presence::NoLink, false, out),
            errno => self.on_refused(key, errno, now, out),
        }
    }

    fn is_leaving(&self, item: &Item) -> bool {
        self.kernel.leaving_fib().any(|leaving| match (leaving, item) {
            (Item::Route(a, _), Item::Route(b, _)) => a == b,
            (a, b) => a == b,
        })
    }

    pub(super) fn on_route_removed(
        &mut self,
        item: Item,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        if matches!(errno, 0 | ESRCH | ENOENT | ENODEV) {
            // Another form of it may have been added since.
            match item {
                Item::Route(route, _) => self.fib.remove_form(&route),
                item => self.forget_item(&item),
            }
            return;
        }
        self.note_item(&item);
        let left = match item {
            Item::Route(route, _) => Left::Route(route),
            Item::Rule(rule) => Left::Rule(rule),
            Item::Link(..) | Item::Sysctl(..) | Item::Firewall(_) | Item::Address(_) => return,
        };
        if let Some((link, what)) = self.named(&left) {
            report_kept(link, what, errno, out);
        }
        self.retries.insert((now + REMOVAL_DELAY, Retry::Remove(left)));
    }

    pub(super) fn note_item(&mut self, item: &Item) {
        match item {
            Item::Route(route, _) => self.fib.put(Rc::clone(route)),
            Item::Rule(rule) => self.fib.put_rule(Rc::new(as_listed(rule))),
            _ => {}
        }
    }

    fn forget_item(&mut self, item: &Item) {
        match item {
            Item::Route(route, _) => self.fib.remove(route),
            Item::Rule(rule) => self.fib.remove_rule(&as_listed(rule)),
            Item::Link(..) | Item::Sysctl(..) | Item::Firewall(_) | Item::Address(_) => {}
        }
    }

    /// Key of a wanted route or rule that the kernel reports.
    fn wanted_as(&self, item: &Item) -> Option<Key> {
        match item {
            Item::Route(route, _) => self.wanted_route(route).cloned(),
            Item::Rule(rule) => {
                let key = Key::Rule(Rc::new(as_listed(rule)));
                self.holdings.contains_key(&key).then_some(key)
            }
            Item::Link(..) | Item::Sysctl(..) | Item::Firewall(_) | Item::Address(_) => None,
        }
    }

    fn wanted_route(&self, route: &Route<u32>) -> Option<&Key> {
        let first = Key::Route(Rc::new(RouteKey::first_of(Slot::of(route))));
        let keys = self.holdings.from(&first).map(|(key, _)| key);
        let slot = Slot::of(route);
        let mut in_slot =
            keys.take_while(|key| matches!(key, Key::Route(known) if known.slot == slot));
        in_slot.find(|key| self.is_meant(key, route))
    }

    /// A route or rule was added externally. Of others only wanted ones matter.
    pub(super) fn on_route_seen(&mut self, item: Item, out: &mut Vec<Action>) {
        let Some(key) = self.wanted_as(&item) else { return };
        self.note_item(&item);
        if matches!(self.holdings[&key].presence, Presence::Absent | Presence::Waived) {
            self.cancel_retry(&key);
            self.set(&key, Presence::Present, false, out);
        }
    }

    /// True for a route through an interface that is down or gone: the kernel drops it with its
    /// interface, and it returns with that.
    fn is_cut_off(&self, item: &Item) -> bool {
        let Item::Route(route, _) = item else { return false };
        let is_down = |index: &u32| self.links.by_index(*index).is_none_or(|link| !link.up);
        route.links().any(is_down)
    }

    pub(super) fn on_route_gone(&mut self, item: &Item, now: Instant, out: &mut Vec<Action>) {
        let key = self.wanted_as(item);
        self.forget_item(item);
        let Some(key) = key else { return };
        if self.is_cut_off(item) {
            self.set(&key, Presence::NoLink, false, out);
        } else {
            self.on_missing(&key, now, out);
        }
    }

    pub(super) fn on_fib(&mut self, fib: Fib, now: Instant, out: &mut Vec<Action>) {
        let before = std::mem::replace(&mut self.fib, fib);
        self.flushed.clear();
        let leaving: Vec<_> = self.kernel.leaving_fib().cloned().collect();
        leaving.iter().for_each(|item| self.forget_item(item));
        let keys: Vec<_> = self.holdings.keys().filter(|k| !k.is_awaited()).cloned().collect();
        for key in keys {
            let (was, is) = match &key {
                Key::Route(route) => {
                    let find = |fib: &Fib| {
                        let list = fib.in_slot(&route.slot);
                        list.iter().any(|listed| self.is_meant(&key, listed))
                    };
                    (find(&before), find(&self.fib))
                }
                Key::Rule(rule) => (before.has_rule(rule), self.fib.has_rule(rule)),
                _ => continue,
            };
            match self.holdings[&key].presence {
                // One that was not listed before is foreign.
                Presence::Present if was && !is => self.on_missing(&key, now, out),
                Presence::Absent | Presence::Waived if is => {
                    self.cancel_retry(&key);
                    self.set(&key, Presence::Present, false, out);
                }
                _ => {}
            }
        }
    }

    /// An interface came up: routes wait for it, or the kernel dropped them when it went down.
    pub(super) fn doubt_routes_on(&mut self, link: &str, out: &mut Vec<Action>) {
        for key in self.keys_on(link) {
            if !matches!(key, Key::Route(_)) {
                continue;
            }
            match self.holdings[&key].presence {
                Presence::NoLink | Presence::Absent => {
                    self.bring_about(&key, out);
                }
                Presence::Present => {
                    self.doubts.insert(key);
                }
                Presence::Asked(_) | Presence::Made | Presence::Waived => {}
            }
        }
    }

    /// Removes the route from an interface that lost its name.
    pub(super) fn remove_routes_through(
        &mut self,
        index: u32,
        key: &RouteKey<String>,
        presence: Presence,
        out: &mut Vec<Action>,
    ) {
        if let Presence::Asked(id) = presence {
            if let Some(item) = self.kernel.being_added(id).cloned() {
                self.ask(0, Purpose::Remove(item), out);
            }
        }
        let listed = self.fib.in_slot(&key.slot).iter();
        let those = listed.filter(|route| route.links().any(|link| *link == index));
        for route in those.cloned().collect::<Vec<_>>() {
            self.remove_left(Left::Route(route), out);
        }
    }

    /// An address was added. Gateways that the kernel could not reach may be reachable now.
    pub(super) fn retry_routes(&mut self, out: &mut Vec<Action>) {
        let waiting = self.retries.iter().filter_map(|(_, retry)| match retry {
            Retry::Add(key @ Key::Route(_)) => Some(key),
            _ => None,
        });
        let refused = waiting.filter(|key| self.holdings.get(key).is_some_and(|h| h.refused));
        for key in refused.cloned().collect::<Vec<_>>() {
            self.bring_about(&key, out);
        }
    }

    /// The kernel drops the routes that prefer a source address together with it. With the last
    /// IPv4 address of an interface, it drops all IPv4 routes through that.
    pub(super) fn doubt_routes_of(&mut self, index: u32, gone: &HostAddress) {
        let source = Some(gone.prefix.addr);
        let is_v4 = gone.prefix.addr.is_ipv4();
        // Own addresses may have been added after it was removed.
        let emptied = self.links.by_index(index).filter(|_| is_v4);
        let emptied = emptied.filter(|_| self.links.has_only_own_v4(index));
        if emptied.is_some() {
            self.flushed.insert(index);
        }
        let is_through = |key: &Key| match (key, emptied) {
            (Key::Route(route), Some(link)) => {
                route.slot.family == Family::V4 && key.needs(&link.name)
            }
            _ => false,
        };
        let is_from = |object: &Object| match object {
            Object::Route(route) => route.route.source == source,
            _ => false,
        };
        // There may be thousands of addresses, but no route.
        let routes = self.holdings.from(&Key::first_route());
        let present = routes.filter(|(_, holding)| holding.is_present());
        let those = present.filter(|(key, h)| is_from(&h.object) || is_through(key));
        self.doubts.extend(those.map(|(key, _)| key.clone()));
    }

    /// Adds doubtful routes again, once all earlier requests are done. The kernel refuses those it
    /// still has.
    pub(super) fn verify(&mut self, now: Instant, out: &mut Vec<Action>) {
        if self.doubts.is_empty() || !self.kernel.is_idle() {
            return;
        }
        let next = self.verified + VERIFICATION;
        if self.verified != Instant::ZERO && now < next {
            self.retries.insert((next, Retry::Verify));
            return;
        }
        self.verified = now;
        for key in std::mem::take(&mut self.doubts) {
            let holding = self.holdings.get(&key).filter(|holding| holding.is_present());
            if let Some(item) = holding.and_then(|holding| self.item_of(&holding.object)) {
                self.ask(0, Purpose::Verify(key, item), out);
            }
        }
    }

    pub(super) fn on_verified(
        &mut self,
        key: &Key,
        item: &Item,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let is_present = self.holdings.get(key).is_some_and(|h| h.is_present());
        match errno {
            EEXIST => {}
            0 => {
                self.note_item(item);
                self.report_missing(key, Restore::Done, out);
            }
            ENODEV | ENETDOWN if is_present => {
                self.forget_item(item);
                self.set(key, Presence::NoLink, false, out);
            }
            errno if is_present => {
                self.forget_item(item);
                self.on_refused(key, errno, now, out);
            }
            _ => {}
        }
    }

    /// Rules, routes and virtual interfaces in the kernel, in the order of their removal after a
    /// panic, with the index of the interface.
    pub fn remains(&self) -> Vec<(u32, Item)> {
        let leaving = self.kernel.leaving_fib().cloned();
        let fib = leaving.chain(self.fib.items()).map(|item| (0, item));
        fib.chain(self.made_items()).collect()
    }

    pub(super) fn is_wanted_rule(&self, rule: &Rule) -> bool {
        self.holdings.contains_key(&Key::Rule(Rc::new(rule.clone())))
    }

    pub(super) fn is_wanted_route(&self, route: &Route<u32>) -> bool {
        self.wanted_route(route).is_some()
    }

    /// Listed routes in the slot of this one, other than wanted ones.
    pub(super) fn unwanted_beside(&self, route: &VirtualRoute) -> Vec<Rc<Route<u32>>> {
        let listed = self.fib.in_slot(&Slot::of(&route.route)).iter();
        listed.filter(|listed| !self.is_wanted_route(listed)).cloned().collect()
    }
}
