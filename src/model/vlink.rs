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
    /// True if an interface of the host, with `base` below it, has everything that cannot be
    /// changed later.
    pub fn fits(&self, link: &Link, base: &Link) -> bool {
        let is_kind = match self.kind {
            VirtualLinkKind::Macvlan { mac } => {
                link.kind == LinkKind::PRIVATE_MACVLAN && link.mac == Some(mac)
            }
            VirtualLinkKind::Ipvlan { flags } => link.kind == LinkKind::l2_ipvlan(flags),
        };
        is_kind && link.parent == base.carrier()
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
