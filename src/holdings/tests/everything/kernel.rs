//! A kernel that holds objects of all kinds, and drops them with what they depend on as Linux does.

use std::collections::VecDeque;
use std::rc::Rc;

use super::super::*;
use crate::base::addr::{Family, PROTOCOL_KEEPALIVED};
use crate::base::link::LinkKind;
use crate::base::route::Route;
use crate::base::rule::Rule;
use crate::base::shield::Shield;
use crate::holdings::fib::{as_listed, is_same_route, RouteSlot};
use crate::model::vlink::VirtualLinkKind;

const ENOENT: i32 = 2;
const ESRCH: i32 = 3;
const EACCES: i32 = 13;
const EBUSY: i32 = 16;
const EINVAL: i32 = 22;
const ENETDOWN: i32 = 100;
const ENETUNREACH: i32 = 101;

/// The name that other programs give to virtual interfaces.
pub(super) const STOLEN: &str = "stolen";

/// The protocol of everything foreign.
pub(super) const FOREIGN: u8 = 4;

#[derive(Clone, Default)]
pub(super) struct Kernel {
    pub(super) links: SortedMap<u32, Link>,
    pub(super) settings: SortedMap<(u32, Setting), String>,
    /// Values of the settings when their interface was created.
    pub(super) originals: SortedMap<(u32, Setting), String>,
    pub(super) filter: SortedSet<Rc<Shield<u32>>>,
    /// In the order of their addition.
    pub(super) addresses: Vec<(u32, HostAddress)>,
    pub(super) routes: Vec<Route<u32>>,
    pub(super) rules: Vec<Rule>,
    /// Notifications, each with the number of requests carried out before it.
    pub(super) events: VecDeque<(u64, KernelEvent)>,
    pub(super) carried_out: u64,
    pub(super) last: u32,
    /// The answer to every request, unless 0.
    pub(super) refusal: i32,
    /// Objects that are refused for ever.
    pub(super) never: Option<fn(&Item) -> bool>,
    /// Routes dropped with their source address are reported (since Linux 6.6).
    pub(super) reports_sources: bool,
    /// Foreign addresses that appeared while requests were under way, with the number of the last
    /// request when the daemon heard of them: earlier ones cannot spare them.
    pub(super) contested: SortedMap<Place, Option<RequestId>>,
    /// Virtual interfaces that were renamed without the daemon ever knowing, as notifications were
    /// lost or it was killed: they look like foreign ones.
    pub(super) untraceable: SortedSet<u32>,
    /// A request that hit a foreign object.
    pub(super) trespass: Option<String>,
}

pub(super) const fn is_made(link: &Link) -> bool {
    !matches!(link.kind, LinkKind::Other)
}

fn is_through(route: &Route<u32>, index: u32) -> bool {
    route.links().any(|link| *link == index)
}

impl Kernel {
    pub(super) fn carry_out(&mut self, request: &Request) -> Answer {
        self.carried_out += 1;
        let index = request.index;
        let is_setting = |item: &Item| matches!(item, Item::Sysctl(..));
        let errno = match &request.op {
            Op::Add(item) if self.never.is_some_and(|never| never(item)) => EACCES,
            op if self.refusal != 0 && Self::may_refuse(op) => self.refusal,
            Op::Add(item) | Op::Remove(item) if is_setting(item) => return self.set(index, item),
            Op::Add(item) => self.add(index, item),
            Op::Replace(item) => self.replace(request, item),
            Op::Remove(item) => self.remove(request, item),
        };
        errno.into()
    }

    /// Removals also of what is not there, since the kernel looks at permissions first. The packet
    /// filter lets go in any case, and settings are not retried.
    fn may_refuse(op: &Op) -> bool {
        match op {
            Op::Add(item) | Op::Replace(item) => !matches!(item, Item::Sysctl(..)),
            Op::Remove(item) => !matches!(item, Item::Sysctl(..) | Item::Firewall(_)),
        }
    }

    /// The interface with this number, or this name if that is 0.
    fn named(&self, index: u32, name: &str) -> Option<&Link> {
        let is_it = |known: &&Link| match index {
            0 => known.name == name,
            index => known.index == index,
        };
        self.links.values().find(is_it)
    }

    fn own_route(&self, route: &Route<u32>) -> Option<usize> {
        let is_it =
            |known: &Route<u32>| known.protocol == route.protocol && is_same_route(route, known);
        self.routes.iter().position(is_it)
    }

    fn set(&mut self, index: u32, item: &Item) -> Answer {
        let Item::Sysctl(setting, value) = item else { unreachable!("{item:?}") };
        match self.settings.get_mut(&(index, *setting)) {
            None => ENOENT.into(),
            Some(known) if known == value => EEXIST.into(),
            Some(known) => {
                Answer { before: Some(std::mem::replace(known, value.clone())), ..Answer::from(0) }
            }
        }
    }

    pub(super) fn add(&mut self, index: u32, item: &Item) -> i32 {
        match item {
            Item::Link(link, place) => self.create(link, place.base),
            Item::Firewall(shield) => {
                self.filter.insert(Rc::clone(shield));
                0
            }
            Item::Address(_) if !self.links.contains_key(&index) => ENODEV,
            Item::Address(address) if self.at(index, address).is_some() => EEXIST,
            Item::Address(address) => {
                self.addresses.push((index, address.clone()));
                // Own IPv4 addresses are not reported.
                if address.prefix.addr.is_ipv6() {
                    self.emit(KernelEvent::Address { index, address: address.clone() });
                }
                0
            }
            Item::Route(route, _) => self.add_route(route),
            Item::Rule(rule) if self.has_rule(rule) => EEXIST,
            Item::Rule(rule) => {
                self.rules.push((**rule).clone());
                0
            }
            Item::Sysctl(..) => unreachable!("set"),
        }
    }

    fn replace(&mut self, request: &Request, item: &Item) -> i32 {
        let index = request.index;
        match item {
            Item::Link(link, _) => self.prepare(index, link.mac()),
            Item::Address(address) => {
                let Some(at) = self.at(index, address) else { return ENOENT };
                self.check_address(at, request);
                self.addresses[at].1 = address.clone();
                0
            }
            _ => unreachable!("never replaced: {item:?}"),
        }
    }

    fn remove(&mut self, request: &Request, item: &Item) -> i32 {
        let index = request.index;
        match item {
            Item::Link(link, _) => {
                let Some(known) = self.named(index, &link.name) else { return ENODEV };
                let (index, protocol) = (known.index, is_made(known));
                self.check_own(protocol.then_some(PROTOCOL_KEEPALIVED), item);
                self.delete(index);
            }
            Item::Firewall(shield) => {
                self.filter.remove(shield);
            }
            Item::Address(_) if !self.links.contains_key(&index) => return ENODEV,
            Item::Address(address) => match self.at(index, address) {
                Some(at) if self.addresses[at].1.prefix == address.prefix => {
                    self.check_address(at, request);
                    self.drop_address(at);
                }
                _ => return EADDRNOTAVAIL,
            },
            Item::Route(route, _) => {
                let Some(at) = self.own_route(route) else { return ESRCH };
                self.routes.remove(at);
            }
            Item::Rule(rule) if !self.has_rule(rule) => return ENOENT,
            Item::Rule(rule) => self.rules.retain(|known| as_listed(known) != as_listed(rule)),
            Item::Sysctl(..) => unreachable!("set"),
        }
        0
    }

    fn check_own(&mut self, protocol: Option<u8>, item: &Item) {
        if protocol != Some(PROTOCOL_KEEPALIVED) {
            self.trespass = Some(format!("a foreign object was changed: {item:?}"));
        }
    }

    /// The kernel does not know for which address of this form a request is meant.
    fn check_address(&mut self, at: usize, request: &Request) {
        let (index, address) = &self.addresses[at];
        let is_known = match self.contested.get(&(*index, Spot::of_host(address))) {
            None => true,
            Some(heard) => heard.is_some_and(|last| last < request.id),
        };
        if is_known && address.protocol != Some(PROTOCOL_KEEPALIVED) {
            self.trespass = Some(format!("a foreign address was changed: {:?}", request.op));
        }
    }

    pub(super) fn at(&self, index: u32, address: &HostAddress) -> Option<usize> {
        let spot = Spot::of_host(address);
        self.addresses.iter().position(|(i, a)| *i == index && Spot::of_host(a) == spot)
    }

    pub(super) fn has_rule(&self, rule: &Rule) -> bool {
        self.rules.iter().any(|known| as_listed(known) == as_listed(rule))
    }

    fn emit(&mut self, event: KernelEvent) {
        self.events.push_back((self.carried_out, event));
    }

    pub(super) fn lose_events(&mut self) {
        for (_, event) in std::mem::take(&mut self.events) {
            let KernelEvent::Link(link) = event else { continue };
            let is_renamed = |now: &Link| is_made(now) && now.name != link.name;
            if self.links.get(&link.index).is_some_and(is_renamed) {
                self.untraceable.insert(link.index);
            }
        }
    }

    fn emit_link(&mut self, index: u32) {
        self.emit(KernelEvent::Link(self.links[&index].clone()));
    }

    /// Puts an address there externally.
    pub(super) fn put_address(&mut self, index: u32, address: HostAddress) {
        let is_v4 = address.prefix.addr.is_ipv4();
        if self.add(index, &Item::Address(address.clone())) != 0 {
            return;
        }
        self.contested.insert((index, Spot::of_host(&address)), None);
        if is_v4 {
            self.emit(KernelEvent::Address { index, address });
        }
    }

    /// Removes an address with the secondary ones of its network, unless they are promoted, and
    /// with the routes that need it.
    pub(super) fn drop_address(&mut self, at: usize) {
        let (index, address) = self.addresses[at].clone();
        let is_v4 = address.prefix.addr.is_ipv4();
        let is_of_network = |(i, a): &(u32, HostAddress)| {
            *i == index && is_v4 && a.prefix.network() == address.prefix.network()
        };
        let is_primary = self.addresses.iter().position(is_of_network) == Some(at);
        let promotes = self.settings.get(&(index, Setting::PromoteSecondaries));
        if is_primary && promotes.is_some_and(|value| value == "0") {
            while let Some(last) = self.addresses.iter().rposition(is_of_network) {
                if last == at {
                    break;
                }
                self.drop_address(last);
            }
        }
        let (index, address) = self.addresses.remove(at);
        let source = address.prefix.addr;
        self.emit(KernelEvent::AddressGone { index, address });
        if self.addresses.iter().all(|(_, a)| a.prefix.addr != source) {
            let reports = self.reports_sources;
            self.drop_routes(reports, |route| is_v4 && route.source == Some(source));
        }
        let is_v4_on_it = |(i, a): &(u32, HostAddress)| *i == index && a.prefix.addr.is_ipv4();
        if is_v4 && !self.addresses.iter().any(is_v4_on_it) {
            self.drop_routes(false, |r| r.family == Family::V4 && is_through(r, index));
        }
    }

    fn drop_routes(&mut self, reports: bool, goes: impl Fn(&Route<u32>) -> bool) {
        let (gone, stay) = std::mem::take(&mut self.routes).into_iter().partition(goes);
        self.routes = stay;
        for route in gone {
            if reports && route.protocol == PROTOCOL_KEEPALIVED {
                self.emit(KernelEvent::RouteGone(Box::new(route)));
            }
        }
    }

    /// Removes a route externally.
    pub(super) fn drop_route(&mut self, route: &Route<u32>) {
        self.drop_routes(true, |known| known == route);
    }

    /// Removes foreign routes externally, which is not reported.
    pub(super) fn drop_foreign_routes(&mut self) {
        self.drop_routes(false, |known| known.protocol == FOREIGN);
    }

    /// Removes a rule externally.
    pub(super) fn drop_rule(&mut self, at: usize) {
        let rule = self.rules.remove(at);
        self.emit(KernelEvent::RuleGone(Box::new(rule)));
    }

    pub(super) fn add_route(&mut self, route: &Route<u32>) -> i32 {
        let mut stored = route.clone().normalized();
        for hop in &mut stored.next_hops {
            let reaches = |(index, a): &&(u32, HostAddress)| {
                let is_near =
                    |via| Prefix { addr: via, ..a.prefix }.network() == a.prefix.network();
                hop.link.is_none_or(|link| link == *index) && hop.via.is_none_or(is_near)
            };
            match self.addresses.iter().find(reaches) {
                Some((index, _)) => hop.link = Some(*index),
                None if hop.via.is_some() => return ENETUNREACH,
                None => {}
            }
        }
        let is_local =
            |source| self.addresses.iter().any(|(_, address)| address.prefix.addr == source);
        for index in stored.links() {
            match self.links.get(index) {
                None => return ENODEV,
                Some(link) if !link.enabled => return ENETDOWN,
                Some(_) => {}
            }
        }
        if !stored.source.is_none_or(is_local) {
            return EINVAL;
        }
        let is_other_origin = |known: &Route<u32>| {
            let same_slot = RouteSlot::of(known) == RouteSlot::of(&stored);
            stored.family == Family::V6 && same_slot && known.next_hops == stored.next_hops
        };
        if self.routes.iter().any(|known| *known == stored || is_other_origin(known)) {
            return EEXIST;
        }
        self.routes.insert(0, stored);
        0
    }

    pub(super) fn index(&self, name: &str) -> Option<u32> {
        self.links.values().find(|link| link.name == name).map(|link| link.index)
    }

    /// Creates an interface externally.
    pub(super) fn put_link(&mut self, name: &str, setting: &str) {
        self.last += 1;
        self.links.insert(self.last, Link::plain(self.last, name));
        for of in [Setting::PromoteSecondaries, Setting::ArpIgnore] {
            self.settings.insert((self.last, of), setting.to_owned());
            self.originals.insert((self.last, of), setting.to_owned());
        }
        self.emit_link(self.last);
    }

    fn create(&mut self, link: &crate::model::vlink::VirtualLink, base: u32) -> i32 {
        if self.index(&link.name).is_some() {
            return EEXIST;
        }
        let Some(parent) = self.links.get(&base).map(Link::carrier) else { return ENODEV };
        self.last += 1;
        let kind = match link.kind {
            VirtualLinkKind::Macvlan { .. } => LinkKind::PRIVATE_MACVLAN,
            VirtualLinkKind::Ipvlan { flags } => LinkKind::l2_ipvlan(flags),
        };
        let (up, enabled, mac) = (false, false, link.mac());
        let made = Link { kind, parent, mac, up, enabled, ..Link::plain(self.last, &link.name) };
        self.links.insert(self.last, made);
        self.emit_link(self.last);
        0
    }

    fn prepare(&mut self, index: u32, mac: Option<crate::base::addr::Mac>) -> i32 {
        let Some(link) = self.links.get(&index) else { return ENODEV };
        let before = link.clone();
        let is_taken = |known: &Link| {
            let is_like = known.parent == before.parent && known.mac == mac && mac.is_some();
            known.index != index && known.enabled && is_like
        };
        if self.links.values().any(is_taken) {
            return EBUSY;
        }
        let up = self.links.get(&before.parent).is_some_and(|base| base.enabled);
        let link = Link { mac, up, enabled: true, ..before.clone() };
        if link != before {
            self.links.insert(index, link);
            self.emit_link(index);
        }
        0
    }

    /// Sets an interface up or down, which drops its routes and IPv6 addresses.
    pub(super) fn enable(&mut self, index: u32, on: bool) {
        let link = self.links.get_mut(&index).expect("it is there");
        if link.enabled == on {
            return;
        }
        (link.enabled, link.up) = (on, on);
        self.emit_link(index);
        if !on {
            self.drop_routes(true, |r| r.family == Family::V6 && is_through(r, index));
            let is_v6 = |(i, a): &(u32, HostAddress)| *i == index && a.prefix.addr.is_ipv6();
            while let Some(at) = self.addresses.iter().position(is_v6) {
                self.drop_address(at);
            }
            self.drop_routes(false, |route| is_through(route, index));
        }
        for child in self.on(index) {
            let link = self.links.get_mut(&child).expect("it is on the other");
            let up = link.enabled && on;
            if std::mem::replace(&mut link.up, up) != up {
                self.emit_link(child);
            }
        }
    }

    fn on(&self, index: u32) -> Vec<u32> {
        self.links.values().filter(|link| link.parent == index).map(|link| link.index).collect()
    }

    /// Deletes an interface with everything on it.
    pub(super) fn delete(&mut self, index: u32) {
        self.enable(index, false);
        while let Some(at) = self.addresses.iter().position(|(i, _)| *i == index) {
            self.drop_address(at);
        }
        for child in self.on(index) {
            self.delete(child);
        }
        self.links.remove(&index);
        self.settings.retain(|(of, _), _| *of != index);
        self.emit(KernelEvent::LinkGone { index });
    }

    pub(super) fn rename(&mut self, index: u32, name: &str) {
        self.links.get_mut(&index).expect("it is there").name = name.into();
        self.emit_link(index);
    }

    pub(super) fn dump(&self) -> Links {
        let links = self.links.values().cloned().map(KernelEvent::Link);
        let addresses = self.addresses.iter().cloned();
        let addresses = addresses.map(|(index, address)| KernelEvent::Address { index, address });
        Links::dumped(links.chain(addresses).collect())
    }

    pub(super) fn dump_fib(&self) -> Fib {
        let routes = self.routes.iter().filter(|route| route.protocol == PROTOCOL_KEEPALIVED);
        Fib::dumped(routes.cloned().collect(), self.rules.clone())
    }
}
