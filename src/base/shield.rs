//! What the packet filter does for an instance.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::addr::Family;

/// An entry of the packet filter. In the configuration interfaces have names, in the kernel both
/// numbers and names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Shield<L> {
    /// Packets to and from this address are dropped (`no_accept`).
    Address(IpAddr),
    /// The same for a link-local address, on one interface.
    LinkLocal {
        addr: Ipv6Addr,
        link: L,
        /// The interface is matched by name if the settings permit it: one that is created again
        /// gets another number.
        by_name: bool,
    },
    /// Reports of group membership of a VMAC leave through its base.
    Vmac { family: Family, link: L, base: L },
}

impl fmt::Display for Shield<String> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(addr) => write!(f, "{addr}"),
            Self::LinkLocal { addr, link, .. } => write!(f, "{addr} on {link}"),
            Self::Vmac { link, .. } => f.write_str(link),
        }
    }
}

impl<L> Shield<L> {
    pub const fn family(&self) -> Family {
        match self {
            Self::Address(addr) => Family::of(addr),
            Self::LinkLocal { .. } => Family::V6,
            Self::Vmac { family, .. } => *family,
        }
    }

    /// The address that it protects.
    pub fn addr(&self) -> Option<IpAddr> {
        match self {
            Self::Address(addr) => Some(*addr),
            Self::LinkLocal { addr, .. } => Some((*addr).into()),
            Self::Vmac { .. } => None,
        }
    }

    pub fn protects(&self, addr: &IpAddr) -> bool {
        self.addr().as_ref() == Some(addr)
    }

    /// The interfaces that it names.
    pub fn links(&self) -> impl Iterator<Item = &L> {
        let (link, base) = match self {
            Self::Address(_) => (None, None),
            Self::LinkLocal { link, .. } => (Some(link), None),
            Self::Vmac { link, base, .. } => (Some(link), Some(base)),
        };
        link.into_iter().chain(base)
    }

    /// The same entry with other names of interfaces; `None` if one has none.
    pub fn translated<M>(&self, name: impl Fn(&L) -> Option<M>) -> Option<Shield<M>> {
        Some(match self {
            Self::Address(addr) => Shield::Address(*addr),
            Self::LinkLocal { addr, link, by_name } => {
                Shield::LinkLocal { addr: *addr, link: name(link)?, by_name: *by_name }
            }
            Self::Vmac { family, link, base } => {
                Shield::Vmac { family: *family, link: name(link)?, base: name(base)? }
            }
        })
    }
}
