//! Interfaces, and the changes to them and their addresses that rtnetlink reports.

use super::addr::{HostAddress, Mac};
use super::name::SharedName;
use super::route::Route;
use super::rule::Rule;

/// An interface of the host (RTM_NEWLINK).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    pub index: u32,
    pub name: SharedName,
    /// Administratively up and with carrier.
    pub up: bool,
    /// Administratively up.
    pub enabled: bool,
    pub multicast: bool,
    /// Resolves addresses by ARP or neighbour discovery.
    pub arp: bool,
    pub mtu: u32,
    pub mac: Option<Mac>,
    /// Where frames to all go.
    pub broadcast: Option<Mac>,
    /// ARPHRD_*.
    pub hardware: u16,
    pub kind: LinkKind,
    /// Index of the interface that it is on; 0: none in this network namespace.
    pub parent: u32,
    /// Index of the bridge, bond or VRF that it is a port of; 0: none.
    pub master: u32,
    /// The group of interfaces.
    pub group: u32,
}

impl Link {
    /// ARPHRD_ETHER
    pub const ETHERNET: u16 = 1;
    /// ARPHRD_LOOPBACK
    pub const LOOPBACK: u16 = 772;

    /// One that is up, and of which nothing else is known.
    pub fn plain(index: u32, name: &str) -> Self {
        Self {
            index,
            name: name.into(),
            up: true,
            enabled: true,
            multicast: true,
            arp: true,
            mtu: 1500,
            mac: None,
            broadcast: None,
            hardware: Self::ETHERNET,
            kind: LinkKind::Other,
            parent: 0,
            master: 0,
            group: 0,
        }
    }

    /// Index of the interface that carries a virtual interface made on this one: the kernel never
    /// stacks them.
    pub const fn carrier(&self) -> u32 {
        self.kind.carrier(self.index, self.parent)
    }
}

/// Indices that a new virtual interface refers to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Surroundings {
    /// The interface it is on.
    pub base: u32,
    /// Its group.
    pub group: u32,
    /// The VRF of its base.
    pub vrf: Option<u32>,
}

/// Kind of an interface, with the options that distinguish virtual ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LinkKind {
    #[default]
    Other,
    /// `mode`: MACVLAN_MODE_*.
    Macvlan {
        mode: u8,
    },
    /// `mode`: IPVLAN_MODE_*; `flags`: IPVLAN_F_*.
    Ipvlan {
        mode: u8,
        flags: u16,
    },
    Vrf {
        table: u32,
    },
}

impl LinkKind {
    /// A macvlan whose ports do not reach each other.
    pub const PRIVATE_MACVLAN: Self = Self::Macvlan { mode: 1 };

    /// As [`Link::carrier`], for an interface of this kind.
    pub const fn carrier(self, index: u32, parent: u32) -> u32 {
        match self {
            Self::Macvlan { .. } | Self::Ipvlan { .. } if parent != 0 => parent,
            _ => index,
        }
    }

    /// An ipvlan that passes on frames.
    pub const fn l2_ipvlan(flags: u16) -> Self {
        Self::Ipvlan { mode: 0, flags }
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

    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Down => "down",
            Self::Up => "up",
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
