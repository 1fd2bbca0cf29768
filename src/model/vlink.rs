//! Interfaces that instances have made for themselves.

use crate::base::addr::{Family, Mac};
use crate::base::link::{Link, LinkKind};

/// The interface of `use_vmac` or `use_ipvlan`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VirtualLink {
    pub name: String,
    /// The interface it is on.
    pub base: String,
    pub kind: VirtualLinkKind,
    /// `group`: the group of interfaces; `None`: that of the base.
    pub group: Option<u32>,
    /// `netlink_notify_msg`: listeners are notified of the base when the interface comes and goes.
    pub notify_base: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum VirtualLinkKind {
    /// A macvlan in private mode with this address.
    Macvlan { mac: Mac },
    /// An ipvlan in L2 mode. `flags`: 0 bridge, 1 private, 2 vepa.
    Ipvlan { flags: u16 },
}

impl VirtualLink {
    /// True if an interface of the host, with `base` below it, can become this one: everything but
    /// its address, group and VRF is as wanted.
    pub fn could_be(&self, link: &Link, base: &Link) -> bool {
        let kind = match self.kind {
            VirtualLinkKind::Macvlan { .. } => LinkKind::PRIVATE_MACVLAN,
            VirtualLinkKind::Ipvlan { flags } => LinkKind::l2_ipvlan(flags),
        };
        link.kind == kind && link.parent == base.carrier()
    }

    /// The same, and it has the address.
    pub fn fits(&self, link: &Link, base: &Link) -> bool {
        self.could_be(link, base) && (self.mac().is_none() || link.mac == self.mac())
    }

    /// The address of a VMAC.
    pub const fn mac(&self) -> Option<Mac> {
        match self.kind {
            VirtualLinkKind::Macvlan { mac } => Some(mac),
            VirtualLinkKind::Ipvlan { .. } => None,
        }
    }

    pub const fn is_vmac(&self) -> bool {
        matches!(self.kind, VirtualLinkKind::Macvlan { .. })
    }
}

/// The address of a virtual router (RFC 9568 §7.3).
pub const fn virtual_mac(family: Family, vrid: u8) -> Mac {
    let block = match family {
        Family::V4 => 1,
        Family::V6 => 2,
    };
    Mac([0, 0, 0x5e, 0, block, vrid])
}

/// True for an address of that form.
pub const fn is_virtual_mac(mac: Mac) -> bool {
    matches!(mac.0, [0, 0, 0x5e, 0, 1 | 2, _])
}

/// The configured word for the flags of an ipvlan.
pub const fn ipvlan_kind(flags: u16) -> &'static str {
    match flags {
        1 => "private",
        2 => "vepa",
        _ => "bridge",
    }
}
