//! Elements of sets, and the parts of a table that they need.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::ruleset::{
    PARENT_LINK_LOCAL, VIPS, VIPS_LINK_LOCAL, VIPS_LINK_LOCAL_NAME, VMAC_MAP, VMAC_SET,
};
use crate::wire::netlink::nft;

/// One element of a set, in the order of the sets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Element {
    ParentOnName(Ipv6Addr, String),
    ParentOnIndex(Ipv6Addr, u32),
    VmacBase { vmac: u32, base: u32 },
    Vmac(u32),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    OnIndex(Ipv6Addr, u32),
    OnName(Ipv6Addr, String),
}

/// Parts of a table: a set with the chains and rules that use it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Vmacs,
    Addresses,
    /// Link-local addresses with the index of an interface.
    OnIndex,
    /// Link-local addresses with the name of an interface.
    OnName,
}

impl Part {
    pub(super) const ALL: [Self; 4] = [Self::Vmacs, Self::Addresses, Self::OnIndex, Self::OnName];
}

/// A set of parts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Parts(u8);

impl Parts {
    pub(super) const fn with(self, part: Part) -> Self {
        Self(self.0 | 1 << part as u8)
    }

    pub(super) const fn has(self, part: Part) -> bool {
        self.0 & 1 << part as u8 != 0
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Element {
    pub(super) const fn part(&self) -> Part {
        match self {
            Self::ParentOnName(..)
            | Self::ParentOnIndex(..)
            | Self::VmacBase { .. }
            | Self::Vmac(_) => Part::Vmacs,
            Self::V4(_) | Self::V6(_) => Part::Addresses,
            Self::OnIndex(..) => Part::OnIndex,
            Self::OnName(..) => Part::OnName,
        }
    }

    /// Name of its set.
    pub(super) const fn set(&self) -> &'static str {
        match self {
            Self::ParentOnName(..) | Self::ParentOnIndex(..) => PARENT_LINK_LOCAL,
            Self::VmacBase { .. } => VMAC_MAP,
            Self::Vmac(_) => VMAC_SET,
            Self::V4(_) | Self::V6(_) => VIPS,
            Self::OnIndex(..) => VIPS_LINK_LOCAL,
            Self::OnName(..) => VIPS_LINK_LOCAL_NAME,
        }
    }

    /// The element as the kernel has it.
    pub(super) fn value(&self) -> nft::Element {
        let (key, data) = match self {
            Self::V4(addr) => (addr.octets().to_vec(), None),
            Self::V6(addr) => (addr.octets().to_vec(), None),
            Self::ParentOnName(addr, name) | Self::OnName(addr, name) => {
                (joined(*addr, &padded(name)), None)
            }
            Self::ParentOnIndex(addr, index) | Self::OnIndex(addr, index) => {
                (joined(*addr, &index.to_ne_bytes()), None)
            }
            Self::VmacBase { vmac, base } => {
                (vmac.to_ne_bytes().to_vec(), Some(base.to_ne_bytes().to_vec()))
            }
            Self::Vmac(index) => (index.to_ne_bytes().to_vec(), None),
        };
        nft::Element { key, key_end: None, data }
    }
}

fn joined(addr: Ipv6Addr, rest: &[u8]) -> Vec<u8> {
    [&addr.octets()[..], rest].concat()
}

/// The name of an interface in a packet's properties. None is longer.
fn padded(name: &str) -> [u8; 16] {
    let mut padded = [0; 16];
    for (to, from) in padded.iter_mut().zip(name.bytes().take(15)) {
        *to = from;
    }
    padded
}
