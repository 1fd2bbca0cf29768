//! Routes and rules in the kernel that keepalived added, in this run or an earlier one, and how the
//! kernel tells them apart.

use std::net::IpAddr;
use std::rc::Rc;

use super::{Item, Links};
use crate::base::addr::{Family, Prefix};
use crate::base::route::{NextHop, Route, TABLE_MAIN};
use crate::base::rule::Rule;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::model::route::Placement;

/// The metric of an IPv6 route without one.
const IP6_RT_PRIO_USER: u32 = 1024;

/// Routes of one slot differ in their paths only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RouteSlot {
    pub family: Family,
    pub table: u32,
    pub destination: Prefix,
    pub from: Option<Prefix>,
    pub tos: u8,
    pub metric: u32,
}

/// A slot of routes, or a rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Entry {
    RouteSlot(RouteSlot),
    Rule(Rule),
}

impl Entry {
    pub(super) fn of(item: &Item) -> Option<Self> {
        match item {
            Item::Route(route, _) => Some(Self::RouteSlot(RouteSlot::of(&**route))),
            Item::Rule(rule) => Some(Self::Rule(as_listed(rule))),
            Item::Link(..) | Item::Sysctl(..) | Item::Firewall(_) | Item::Address(_) => None,
        }
    }
}

/// Identity of a route.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RouteKey<L> {
    pub slot: RouteSlot,
    kind: u8,
    paths: Vec<(Option<IpAddr>, Option<L>)>,
    nexthop_id: Option<u32>,
}

impl RouteSlot {
    pub fn of<L>(route: &Route<L>) -> Self {
        let v6 = route.family == Family::V6;
        Self {
            family: route.family,
            table: if route.table == 0 { TABLE_MAIN } else { route.table },
            destination: route.destination.network(),
            from: route.from.filter(|from| from.len > 0),
            // IPv6 has no routes by type of service.
            tos: if v6 { 0 } else { route.tos },
            metric: match route.metric {
                None | Some(0) if v6 => IP6_RT_PRIO_USER,
                metric => metric.unwrap_or(0),
            },
        }
    }
}

impl<L: Clone + PartialEq> RouteKey<L> {
    pub fn of(route: &Route<L>) -> Self {
        Self {
            slot: RouteSlot::of(route),
            kind: route.kind,
            paths: route.next_hops.iter().map(|hop| (hop.via, hop.link.clone())).collect(),
            nexthop_id: route.nexthop_id,
        }
    }

    /// The first key of a slot in the order of keys.
    pub(super) const fn first_of(slot: RouteSlot) -> Self {
        Self { slot, kind: 0, paths: Vec::new(), nexthop_id: None }
    }
}

impl RouteKey<String> {
    pub(super) fn links(&self) -> impl Iterator<Item = &String> {
        self.paths.iter().filter_map(|(_, link)| link.as_ref())
    }

    /// True if this is the route that the key names.
    pub(super) fn is_named(&self, route: &Route<u32>, links: &Links) -> bool {
        let index = |link: &Option<String>| link.as_deref().map(|link| links.index(link));
        self.slot == RouteSlot::of(route)
            && self.kind == route.kind
            && self.paths.len() == route.next_hops.len()
            && self.paths.iter().zip(&route.next_hops).all(|((via, link), hop)| {
                *via == hop.via && index(link).is_none_or(|index| index == hop.link)
            })
    }

    /// True if a path names no interface.
    pub(super) fn is_open(&self) -> bool {
        self.paths.iter().any(|(_, link)| link.is_none())
    }
}

/// The rule as the kernel lists it.
pub(super) fn as_listed(rule: &Rule) -> Rule {
    let part = |prefix: Option<Prefix>| prefix.filter(|prefix| prefix.len > 0);
    Rule { from: part(rule.from), to: part(rule.to), ..rule.clone() }
}

/// True if the kernel's route is the asked one, of which the kernel chose what was left open.
pub(super) fn is_same_route(asked: &Route<u32>, listed: &Route<u32>) -> bool {
    RouteSlot::of(asked) == RouteSlot::of(listed)
        && asked.kind == listed.kind
        && asked.nexthop_id == listed.nexthop_id
        && has_paths(asked, listed)
}

/// True if in addition all options are the asked ones.
pub(super) fn has_options(asked: &Route<u32>, listed: &Route<u32>) -> bool {
    fn same<T: PartialEq>(asked: &Option<T>, listed: &Option<T>) -> bool {
        asked.is_none() || asked == listed
    }
    let paths = asked.next_hops.iter().zip(&listed.next_hops);
    asked.protocol == listed.protocol
        && asked.source == listed.source
        && asked.metrics == listed.metrics
        && same(&asked.scope, &listed.scope)
        && same(&asked.preference, &listed.preference)
        && same(&asked.ttl_propagate, &listed.ttl_propagate)
        // Its time runs.
        && asked.expires.is_none()
        && asked.next_hops.len() == listed.next_hops.len()
        && paths.into_iter().all(|(a, l)| {
            let is_multipath = asked.next_hops.len() > 1;
            (!is_multipath || a.weight == l.weight)
                && a.encap == l.encap
                && same(&a.realms, &l.realms)
                && a.onlink == l.onlink
        })
}

/// True if both have the same options, one of them perhaps as the kernel lists it.
pub(super) fn is_same_form(a: &Route<u32>, b: &Route<u32>) -> bool {
    let is_listed_as = |a, b| is_same_route(a, b) && has_options(a, b);
    a == b || is_listed_as(a, b) || is_listed_as(b, a)
}

fn has_paths(asked: &Route<u32>, listed: &Route<u32>) -> bool {
    let fits = |a: &NextHop<u32>, l: &NextHop<u32>| {
        a.via == l.via && a.link.is_none_or(|link| Some(link) == l.link)
    };
    let (asked_hops, hops) = (&asked.next_hops, &listed.next_hops);
    match asked.family {
        Family::V4 => {
            asked_hops.len() == hops.len() && asked_hops.iter().zip(hops).all(|(a, l)| fits(a, l))
        }
        // IPv6 joins the routes of a slot to one route with many paths.
        Family::V6 => asked_hops.iter().all(|a| hops.iter().any(|l| fits(a, l))),
    }
}

#[derive(Clone, Debug, Default)]
pub struct Fib {
    routes: SortedMap<RouteSlot, Vec<Rc<Route<u32>>>>,
    rules: SortedSet<Rc<Rule>>,
}

impl Fib {
    /// The table that a dump of the routes and rules of keepalived describes.
    pub fn dumped(routes: Vec<Route<u32>>, rules: Vec<Rule>) -> Self {
        let mut table = Self::default();
        for route in routes {
            table.put(Rc::new(route));
        }
        table.rules.extend(rules.iter().map(|rule| Rc::new(as_listed(rule))));
        table
    }

    pub(super) fn put(&mut self, route: Rc<Route<u32>>) {
        let slot = self.routes.entry(RouteSlot::of(&*route)).or_default();
        slot.retain(|known| !is_same_route(&route, known) && !is_same_route(known, &route));
        slot.push(route);
    }

    /// The kernel's form of this route.
    pub(super) fn find(&self, asked: &Route<u32>) -> Option<&Rc<Route<u32>>> {
        self.in_slot(&RouteSlot::of(asked)).iter().find(|listed| is_same_route(asked, listed))
    }

    pub(super) fn in_slot(&self, slot: &RouteSlot) -> &[Rc<Route<u32>>] {
        self.routes.get(slot).map_or(&[], Vec::as_slice)
    }

    /// True if a route prefers this source address.
    pub(super) fn prefers(&self, source: IpAddr) -> bool {
        self.routes.values().flatten().any(|route| route.source == Some(source))
    }

    /// Forgets the route, whatever its options.
    pub(super) fn remove(&mut self, gone: &Route<u32>) {
        self.keep(gone, |known| !(is_same_route(known, gone) || is_same_route(gone, known)));
    }

    /// Forgets the route if it has these options, which the kernel may list in another form.
    fn remove_form(&mut self, gone: &Route<u32>) -> bool {
        self.keep(gone, |known| !is_same_form(gone, known))
    }

    /// True if a route was forgotten.
    fn keep(&mut self, of: &Route<u32>, stays: impl Fn(&Route<u32>) -> bool) -> bool {
        let slot = RouteSlot::of(of);
        let Some(list) = self.routes.get_mut(&slot) else { return false };
        let before = list.len();
        list.retain(|known| stays(known));
        let fewer = list.len() < before;
        if list.is_empty() {
            self.routes.remove(&slot);
        }
        fewer
    }

    /// Forgets a route of this form, or this rule. True if it was known.
    pub(super) fn take(&mut self, gone: &Item) -> bool {
        match gone {
            Item::Route(route, _) => self.remove_form(route),
            Item::Rule(rule) => self.rules.remove(&as_listed(rule)),
            Item::Link(..) | Item::Sysctl(..) | Item::Firewall(_) | Item::Address(_) => false,
        }
    }

    /// True if a route of this form, or this rule, is known.
    pub(super) fn has(&self, item: &Item) -> bool {
        match item {
            Item::Route(route, _) => self
                .in_slot(&RouteSlot::of(&**route))
                .iter()
                .any(|known| is_same_form(route, known)),
            Item::Rule(rule) => self.rules.contains(&as_listed(rule)),
            Item::Link(..) | Item::Sysctl(..) | Item::Firewall(_) | Item::Address(_) => false,
        }
    }

    /// Forgets the routes through this interface, which the kernel dropped with it.
    pub(super) fn forget_link(&mut self, index: u32) {
        for list in self.routes.values_mut() {
            list.retain(|route| route.links().all(|link| *link != index));
        }
        self.routes.retain(|_, list| !list.is_empty());
    }

    pub(super) fn put_rule(&mut self, rule: Rc<Rule>) {
        self.rules.insert(rule);
    }

    pub(super) fn has_rule(&self, rule: &Rule) -> bool {
        self.rules.contains(rule)
    }

    pub(super) fn remove_rule(&mut self, rule: &Rule) {
        self.rules.remove(rule);
    }

    /// All routes and rules, for removal: rules first.
    pub(super) fn items(&self) -> impl Iterator<Item = Item> + '_ {
        let rules = self.rules.iter().map(|rule| Item::Rule(Rc::clone(rule)));
        let routes = self.routes.values().flatten();
        rules.chain(routes.map(|route| Item::Route(Rc::clone(route), Placement::First)))
    }
}
