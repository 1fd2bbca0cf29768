//! Objects that the kernel can hold for an owner. They are created in the order of the variants and
//! removed in reverse order, since an object may depend on those before it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use super::address::Spot;
use super::fib::{RouteKey, RouteSlot};
use super::sysctl::{Setting, Sysctl};
use crate::base::addr::{Family, HostAddress, Prefix};
use crate::base::link::Surroundings;
use crate::base::name::SharedName;
use crate::base::route::Route;
use crate::base::rule::Rule;
use crate::base::shield::Shield;
use crate::model::route::{Placement, VirtualRoute, VirtualRule};
use crate::model::vlink::VirtualLink;
use crate::model::vrrp::{Instance, VirtualAddress};

/// A wanted object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KernelObject {
    Link(Rc<VirtualLink>),
    Sysctl(Rc<Sysctl>),
    Firewall(Rc<Shield<String>>),
    Address(Rc<VirtualAddress>),
    Route(Rc<VirtualRoute>),
    Rule(Rc<VirtualRule>),
}

impl From<&Rc<VirtualAddress>> for KernelObject {
    fn from(address: &Rc<VirtualAddress>) -> Self {
        Self::Address(Rc::clone(address))
    }
}

#[cfg(test)]
impl From<&VirtualAddress> for KernelObject {
    fn from(address: &VirtualAddress) -> Self {
        Self::Address(Rc::new(address.clone()))
    }
}

impl KernelObject {
    /// All objects of the instance while it is MASTER.
    pub(super) fn all_of(instance: &Instance) -> Vec<Self> {
        let routes = instance.routes.iter().map(|route| Self::Route(Rc::clone(route)));
        let rules = instance.rules.iter().map(|rule| Self::Rule(Rc::clone(rule)));
        let shields =
            super::shields::shields_of(instance).map(|shield| Self::Firewall(Rc::new(shield)));
        let addresses = instance.all_addresses().map(Self::from);
        shields.chain(addresses).chain(routes).chain(rules).collect()
    }

    pub(super) fn rank(&self) -> usize {
        match self {
            Self::Link(_) => 0,
            Self::Sysctl(_) => 1,
            Self::Firewall(_) => 2,
            Self::Address(_) => 3,
            Self::Route(_) => 4,
            Self::Rule(_) => 5,
        }
    }

    pub(super) fn key(&self) -> Key {
        match self {
            Self::Link(link) => {
                Key::Link { name: link.name.as_str().into(), base: link.base.as_str().into() }
            }
            Self::Sysctl(sysctl) => {
                Key::Sysctl { link: sysctl.link.clone(), setting: sysctl.setting }
            }
            Self::Firewall(shield) => Key::Firewall(Rc::clone(shield)),
            Self::Address(address) => Key::of(address),
            Self::Route(route) => Key::Route(Rc::new(RouteKey::of(&route.route))),
            Self::Rule(rule) => Key::Rule(Rc::new(super::fib::as_listed(&rule.rule))),
        }
    }

    pub fn name(&self) -> Name {
        match self {
            Self::Link(link) => Name::Link(link.name.clone()),
            Self::Sysctl(sysctl) => Name::Sysctl(sysctl.setting),
            Self::Firewall(shield) => Name::Firewall(Rc::clone(shield)),
            Self::Address(address) => Name::Address(address.prefix),
            Self::Route(route) => Name::Route(Rc::clone(route)),
            Self::Rule(rule) => Name::Rule(Rc::clone(rule)),
        }
    }

    /// Name of the interface that it is on. Empty for objects whose names say all.
    pub fn link(&self) -> &str {
        match self {
            Self::Link(link) => &link.base,
            Self::Sysctl(sysctl) => &sysctl.link,
            Self::Address(address) => &address.interface,
            Self::Firewall(_) | Self::Route(_) | Self::Rule(_) => "",
        }
    }

    /// True if it is not restored when it is removed externally (`no_track`).
    pub(super) fn is_waived_when_missing(&self) -> bool {
        match self {
            Self::Link(_) | Self::Sysctl(_) | Self::Firewall(_) => false,
            Self::Address(address) => address.no_track,
            Self::Route(route) => route.no_track,
            Self::Rule(rule) => rule.no_track,
        }
    }

    /// True if the kernel stores the same for both.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Address(a), Self::Address(b)) => super::address::same_options(a, b),
            (Self::Route(a), Self::Route(b)) => a.route == b.route,
            (Self::Rule(a), Self::Rule(b)) => a.rule == b.rule,
            (a, b) => a == b,
        }
    }

    pub(super) fn address(&self) -> Option<&Rc<VirtualAddress>> {
        match self {
            Self::Address(address) => Some(address),
            _ => None,
        }
    }
}

/// Key of a wanted object. Interfaces are identified by the names in the configuration.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Key {
    Link { name: SharedName, base: SharedName },
    Sysctl { link: SharedName, setting: Setting },
    Firewall(Rc<Shield<String>>),
    Address { link: SharedName, spot: Spot },
    Route(Rc<RouteKey<String>>),
    Rule(Rc<Rule>),
}

impl Key {
    pub fn of(address: &VirtualAddress) -> Self {
        Self::Address { link: address.interface.clone(), spot: Spot::of(address) }
    }

    /// Lower bound of the keys of settings of an interface.
    pub(super) fn first_setting(link: &str) -> Self {
        Self::Sysctl { link: link.into(), setting: Setting::FIRST }
    }

    /// Lower bound of the keys of entries of the packet filter that name an interface.
    pub(super) fn first_shield() -> Self {
        let (addr, link) = (Ipv6Addr::UNSPECIFIED, String::new());
        Self::Firewall(Rc::new(Shield::LinkLocal { addr, link, by_name: false }))
    }

    /// Lower bound of the keys of addresses on an interface.
    pub(super) fn first_address(link: &str) -> Self {
        Self::Address { link: link.into(), spot: Spot::FIRST }
    }

    /// Lower bound of the keys of routes and rules.
    pub(super) fn first_route() -> Self {
        let destination = Prefix { addr: Ipv4Addr::UNSPECIFIED.into(), len: 0 };
        let (family, table, from, tos, metric) = (Family::V4, 0, None, 0, 0);
        let slot = RouteSlot { family, table, destination, from, tos, metric };
        Self::Route(Rc::new(RouteKey::first_of(slot)))
    }

    /// The interfaces that it needs.
    pub(super) fn links(&self) -> impl Iterator<Item = &str> {
        let (one, shield, route) = match self {
            Self::Link { base: link, .. }
            | Self::Sysctl { link, .. }
            | Self::Address { link, .. } => (Some(link), None, None),
            Self::Firewall(shield) => (None, Some(shield), None),
            Self::Route(route) => (None, None, Some(route)),
            Self::Rule(_) => (None, None, None),
        };
        let shield = shield.into_iter().flat_map(|shield| shield.links());
        let route = route.into_iter().flat_map(|route| route.links());
        let one = one.into_iter().map(SharedName::as_str);
        one.chain(shield.chain(route).map(String::as_str))
    }

    pub(super) fn names(&self, link: &str) -> bool {
        self.links().any(|name| name == link)
    }

    /// True if the object needs this interface, or if it is not known which one it needs.
    pub(super) fn needs(&self, link: &str) -> bool {
        self.names(link) || matches!(self, Self::Route(route) if route.is_open())
    }

    /// True for an object that its owner waits for.
    pub(super) const fn is_awaited(&self) -> bool {
        matches!(self, Self::Sysctl { .. } | Self::Address { .. })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link { name, base } => write!(f, "interface {name} on {base}"),
            Self::Sysctl { link, setting } => write!(f, "{} on {link}", setting.name()),
            Self::Firewall(shield) => write!(f, "packet filter for {shield}"),
            Self::Address { link, spot } => write!(f, "{} on {link}", spot.addr),
            Self::Route(route) => write!(f, "route {}", route.slot.destination),
            Self::Rule(rule) => write!(f, "rule {rule}"),
        }
    }
}

/// An object as the kernel stores it, with interfaces by number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Item {
    Link(Rc<VirtualLink>, Surroundings),
    /// The value to set, or to restore.
    Sysctl(Setting, String),
    Firewall(Rc<Shield<u32>>),
    Address(HostAddress),
    Route(Rc<Route<u32>>, Placement),
    Rule(Rc<Rule>),
}

/// Name of an object on an interface in log lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Name {
    Link(String),
    Sysctl(Setting),
    Firewall(Rc<Shield<String>>),
    Address(Prefix),
    Route(Rc<VirtualRoute>),
    Rule(Rc<VirtualRule>),
    /// A route or rule of an earlier run.
    Left(String),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(name) => write!(f, "interface {name}"),
            Self::Sysctl(setting) => f.write_str(setting.name()),
            Self::Firewall(shield) => write!(f, "packet filter for {shield}"),
            Self::Address(prefix) => prefix.fmt(f),
            Self::Route(route) => write!(f, "route {} ({})", route.route, route.origin),
            Self::Rule(rule) => write!(f, "rule {} ({})", rule.rule, rule.origin),
            Self::Left(text) => f.write_str(text),
        }
    }
}
