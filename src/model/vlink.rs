//! Interfaces that instances have made for themselves.

use crate::base::addr::Mac;

/// The interface of `use_vmac` or `use_ipvlan`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VirtualLink {
    pub name: String,
    /// The interface it is on.
    pub base: String,
    pub kind: VirtualLinkKind,
    /// `group`: the group of interfaces; `None`: that of the base.
    pub group: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum VirtualLinkKind {
    /// A macvlan in private mode with this address.
    Macvlan { mac: Mac },
    /// An ipvlan in L2 mode. `flags`: 0 bridge, 1 private, 2 vepa.
    Ipvlan { flags: u16 },
}
