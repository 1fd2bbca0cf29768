//! Entries that owners want.

use std::net::{IpAddr, Ipv6Addr};

use super::element::Element;
use crate::base::addr::Family;

/// Treatment of some packets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Entry {
    /// Packets to and from this address are dropped.
    Address(IpAddr),
    /// The same for a link-local address, on one interface.
    LinkLocal {
        addr: Ipv6Addr,
        index: u32,
        name: String,
        /// The interface is matched by name if the settings permit it: one that is created again
        /// gets another index.
        by_name: bool,
    },
    Vmac(Vmac),
}

/// Reports of group membership of a VMAC leave through its base interface, with its hardware
/// address. IPv6: so do router solicitations, and the address of the base interface is not
/// announced on the VMAC.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Vmac {
    pub family: Family,
    pub index: u32,
    pub name: String,
    /// Index of the base interface.
    pub base: u32,
    /// IPv6: the link-local address of the base interface, which the VMAC has, too.
    pub base_link_local: Option<Ipv6Addr>,
}

impl Entry {
    pub const fn family(&self) -> Family {
        match self {
            Self::Address(addr) => Family::of(addr),
            Self::LinkLocal { .. } => Family::V6,
            Self::Vmac(vmac) => vmac.family,
        }
    }

    /// The elements of sets that it consists of. `by_index`: interfaces are never matched by name.
    pub(super) fn elements(&self, by_index: bool) -> Vec<Element> {
        match self {
            Self::Address(IpAddr::V4(addr)) => vec![Element::V4(*addr)],
            Self::Address(IpAddr::V6(addr)) => vec![Element::V6(*addr)],
            Self::LinkLocal { addr, name, by_name: true, .. } if !by_index => {
                vec![Element::OnName(*addr, name.clone())]
            }
            Self::LinkLocal { addr, index, .. } => vec![Element::OnIndex(*addr, *index)],
            Self::Vmac(vmac) => vmac.elements(by_index),
        }
    }
}

impl Vmac {
    fn elements(&self, by_index: bool) -> Vec<Element> {
        let base = Element::VmacBase { vmac: self.index, base: self.base };
        if self.family == Family::V4 {
            return vec![base];
        }
        let addr = self.base_link_local.unwrap_or(Ipv6Addr::UNSPECIFIED);
        let parent = if by_index {
            Element::ParentOnIndex(addr, self.index)
        } else {
            Element::ParentOnName(addr, self.name.clone())
        };
        vec![parent, base, Element::Vmac(self.index)]
    }
}
