//! Interfaces, and the changes to them and their addresses that rtnetlink reports.

use super::addr::{HostAddress, Mac};
use super::route::Route;
use super::rule::Rule;

/// An interface of the host (RTM_NEWLINK).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    pub index: u32,
    pub name: String,
    /// Administratively up and with carrier.
    pub up: bool,
    pub multicast: bool,
    /// Resolves addresses by ARP or neighbour discovery.
    pub arp: bool,
    pub mtu: u32,
    pub mac: Option<Mac>,
}

impl Link {
    /// One that is up, and of which nothing else is known.
    pub fn plain(index: u32, name: &str) -> Self {
        let name = name.to_owned();
        Self { index, name, up: true, multicast: true, arp: true, mtu: 1500, mac: None }
    }
}

/// The state of an interface that a configuration names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkState {
    /// No interface has that name.
    Missing,
    /// Administratively down, or without carrier.
    Down,
    Up,
}

impl LinkState {
    pub fn of(link: Option<&Link>) -> Self {
        match link {
            None => Self::Missing,
            Some(link) if link.up => Self::Up,
            Some(_) => Self::Down,
        }
    }
}

/// One notification of rtnetlink, or one entry of a dump.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KernelEvent {
    Link(Link),
    LinkGone {
        index: u32,
    },
    Address {
        index: u32,
        address: HostAddress,
    },
    AddressGone {
        index: u32,
        address: HostAddress,
    },
    /// A route of keepalived's protocol number.
    Route(Box<Route<u32>>),
    RouteGone(Box<Route<u32>>),
    Rule(Box<Rule>),
    RuleGone(Box<Rule>),
}
