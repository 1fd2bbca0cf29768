//! Objects left in the kernel by an earlier run, identified by the origin mark of their addresses
//! and by the protocol number of routes and rules.

use std::rc::Rc;

use super::fib::as_listed;
use super::kernel::{Place, Purpose};
use super::object::{Item, KernelObject, Name};
use super::{Action, Domain, Fate, Holder};
use crate::base::link::Surroundings;
use crate::base::route::Route;
use crate::base::rule::Rule;
use crate::model::route::Placement;
use crate::model::vlink::VirtualLink;

/// A leftover.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Left {
    Address(Place),
    Route(Rc<Route<u32>>),
    Rule(Rc<Rule>),
    /// A virtual interface with its number, or 0 if only its name is known.
    Link(u32, Rc<VirtualLink>),
}

impl Domain {
    /// An owner has started. Its leftovers stay until it is known whether they are wanted.
    pub(super) fn on_expect(
        &mut self,
        owner: Holder,
        objects: &[KernelObject],
        out: &mut Vec<Action>,
    ) {
        let left = self.left_of(objects);
        if !left.is_empty() {
            self.tell(owner, Fate::Kept, &left, out);
            self.leftovers.insert(owner, left);
        }
    }

    /// Removes the leftovers of this owner.
    pub(super) fn on_rival(&mut self, owner: Holder, out: &mut Vec<Action>) {
        let Some(left) = self.leftovers.remove(&owner) else { return };
        self.tell(owner, Fate::Removed, &left, out);
        self.remove_unclaimed(left, out);
    }

    /// Removes leftovers that take the place of these objects: addresses on other interfaces or
    /// with another prefix length, routes through other gateways.
    pub(super) fn replace_leftovers(
        &mut self,
        owner: Holder,
        objects: &[KernelObject],
        out: &mut Vec<Action>,
    ) {
        self.leftovers.remove(&owner);
        let left = self.left_of(objects);
        self.tell(owner, Fate::Removed, &left, out);
        self.remove_unclaimed(left, out);
    }

    fn left_of(&self, objects: &[KernelObject]) -> Vec<Left> {
        let mut left = Vec::new();
        for object in objects {
            match object {
                KernelObject::Address(address) => {
                    let places = self.unclaimed.get(&address.prefix.addr);
                    left.extend(places.into_iter().flatten().copied().map(Left::Address));
                }
                KernelObject::Route(route) => {
                    left.extend(self.unwanted_beside(route).into_iter().map(Left::Route));
                }
                KernelObject::Rule(rule) => {
                    let rule = as_listed(&rule.rule);
                    if self.fib.has_rule(&rule) && !self.is_wanted_rule(&rule) {
                        left.push(Left::Rule(Rc::new(rule)));
                    }
                }
                KernelObject::Link(_) | KernelObject::Sysctl(_) | KernelObject::Firewall(_) => {}
            }
        }
        left
    }

    fn remove_unclaimed(&mut self, left: Vec<Left>, out: &mut Vec<Action>) {
        // In reverse order, as everything is removed.
        for left in left.into_iter().rev() {
            self.remove_left(left, out);
        }
    }

    /// Removes a leftover that no owner claimed meanwhile.
    pub(super) fn remove_left(&mut self, left: Left, out: &mut Vec<Action>) {
        let (index, item) = match left {
            Left::Address(place) => {
                let is_wanted =
                    self.key_of(&place).is_some_and(|key| self.holdings.contains_key(&key));
                let is_unclaimed = self.claim_place(&place) && !is_wanted;
                let Some(shown) = self.links.shown(&place).filter(|_| is_unclaimed) else { return };
                (place.0, Item::Address(shown.address.clone()))
            }
            Left::Route(route) if !self.is_wanted_route(&route) => {
                // As the kernel lists it by now.
                let route = self.fib.find(&route).cloned().unwrap_or(route);
                (0, Item::Route(route, Placement::First))
            }
            Left::Rule(rule) if !self.is_wanted_rule(&rule) => (0, Item::Rule(rule)),
            Left::Link(index, link) if self.is_left_link(index, &link) => {
                (index, Item::Link(link, Surroundings { base: 0, group: 0, vrf: None }))
            }
            Left::Route(_) | Left::Rule(_) | Left::Link(..) => return,
        };
        self.ask(index, Purpose::Remove(item), out);
    }

    fn tell(&self, owner: Holder, fate: Fate, left: &[Left], out: &mut Vec<Action>) {
        let mut there = left.iter().filter_map(|left| self.named(left));
        if let Some((link, what)) = there.next() {
            let count = 1 + there.count();
            out.push(Action::Found { owner, fate, link, what, count });
        }
    }

    /// Interface and name of a leftover, for messages.
    pub(super) fn named(&self, left: &Left) -> Option<(String, Name)> {
        match left {
            Left::Address(place) => {
                let prefix = self.links.shown(place)?.address.prefix;
                Some((self.name_of(place.0), Name::Address(prefix)))
            }
            Left::Route(route) => {
                let name = |index: &u32| Some(self.name_of(*index));
                Some((String::new(), Name::Left(format!("route {}", route.translated(name)?))))
            }
            Left::Rule(rule) => Some((String::new(), Name::Left(format!("rule {rule}")))),
            Left::Link(_, link) => Some((link.base.clone(), Name::Link(link.name.clone()))),
        }
    }

    /// The place belongs to an object now, or is empty; true if it was unclaimed.
    pub(super) fn claim_place(&mut self, place: &Place) -> bool {
        let Some(places) = self.unclaimed.get_mut(&place.1.addr) else { return false };
        let was = places.remove(place);
        if places.is_empty() {
            self.unclaimed.remove(&place.1.addr);
        }
        self.kernel.mark_resolved(place.1.addr);
        was
    }

    pub(super) fn unclaim_place(&mut self, place: Place) {
        self.unclaimed.entry(place.1.addr).or_default().insert(place);
    }
}
