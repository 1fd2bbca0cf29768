//! Routes and rules: how they are requested and removed, and which one the kernel means.

use std::rc::Rc;

use super::fib::{as_listed, has_options, is_same_route, RouteKey, RouteSlot};
use super::holding::Presence;
use super::kernel::Purpose;
use super::leftovers::Left;
use super::object::{Item, KernelObject, Key};
use super::{Action, Domain, Fate, Retry};
use crate::base::addr::Family;
use crate::base::route::Route;
use crate::base::rule::Rule;
use crate::model::route::{Placement, VirtualRoute};

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
            // The kernel refused to verify it.
            let is_unsure = self.holdings.get(key)?.refused;
            self.set(key, Presence::Present, false, out);
            let is_v4 = asked.family == Family::V4;
            let is_flushed = is_v4 && listed.links().any(|link| self.flushed.contains(link));
            if is_unsure
                || is_flushed
                || listed.source.is_some_and(|s| self.lost_sources.contains(&s))
            {
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
        object: &KernelObject,
        presence: Presence,
        out: &mut Vec<Action>,
    ) {
        self.doubts.remove(key);
        let is_suspect = self.suspects.remove(key);
        let item = match (presence, key) {
            (Presence::Asked(id), _) => self.kernel.being_added(id).cloned(),
            // Also one whose removal the kernel refused before it was wanted again.
            (_, Key::Rule(rule)) if self.fib.has_rule(rule) => Some(Item::Rule(Rc::clone(rule))),
            _ => self.listed(key).map(|route| Item::Route(Rc::clone(route), Placement::First)),
        };
        // Perhaps it was added again before the notification that it was gone.
        let item = item.or_else(|| is_suspect.then(|| self.item_of(object)).flatten());
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
    pub(super) fn is_meant(&self, key: &Key, listed: &Route<u32>) -> bool {
        let wanted = match self.holdings.get(key).map(|holding| &holding.object) {
            Some(KernelObject::Route(wanted)) => self.numbered(wanted),
            _ => None,
        };
        match (wanted, key) {
            (Some(wanted), _) => is_same_route(&wanted, listed),
            // It was just discarded, or an interface is gone.
            (None, Key::Route(route)) => route.is_named(listed, &self.links),
            (None, _) => false,
        }
    }

    /// Key of a wanted route or rule that the kernel reports.
    pub(super) fn wanted_as(&self, item: &Item) -> Option<Key> {
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
        let first = Key::Route(Rc::new(RouteKey::first_of(RouteSlot::of(route))));
        let keys = self.holdings.range(first..).map(|(key, _)| key);
        let slot = RouteSlot::of(route);
        let mut in_slot =
            keys.take_while(|key| matches!(key, Key::Route(known) if known.slot == slot));
        in_slot.find(|key| self.is_meant(key, route))
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
        let listed = self.fib.in_slot(&RouteSlot::of(&route.route)).iter();
        listed.filter(|listed| !self.is_wanted_route(listed)).cloned().collect()
    }
}
