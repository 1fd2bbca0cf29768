//! Sets of ipset, and their members.

use std::net::{IpAddr, Ipv6Addr};

use crate::base::addr::Family;
use crate::firewall::Entry;
use crate::model::firewall::IpSets;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum SetKind {
    V4,
    /// VMACs on which no IGMP report leaves.
    Igmp,
    /// Addresses of base interfaces, with the VMAC on which they are not announced.
    Neighbors,
    /// VMACs on which no MLD report and no router solicitation leaves.
    Mld,
    /// Link-local addresses with their interface.
    V6Links,
    V6,
}

impl SetKind {
    pub(super) const ALL: [Self; 6] =
        [Self::V4, Self::Igmp, Self::Neighbors, Self::Mld, Self::V6Links, Self::V6];

    /// The sets that an entry needs: both for addresses of IPv6, as one leads to the other.
    pub(super) fn needed(entry: &Entry) -> Vec<Self> {
        match entry {
            Entry::Address(IpAddr::V4(_)) => vec![Self::V4],
            Entry::Address(IpAddr::V6(_)) | Entry::LinkLocal { .. } => {
                vec![Self::V6Links, Self::V6]
            }
            Entry::Vmac(vmac) => match vmac.family {
                Family::V4 => vec![Self::Igmp],
                Family::V6 => vec![Self::Neighbors, Self::Mld],
            },
        }
    }

    /// True if only rules for packets from this host use it.
    pub(super) const fn is_output(self) -> bool {
        matches!(self, Self::Igmp | Self::Neighbors | Self::Mld)
    }

    pub(super) const fn family(self) -> Family {
        match self {
            Self::V4 | Self::Igmp => Family::V4,
            Self::Neighbors | Self::Mld | Self::V6Links | Self::V6 => Family::V6,
        }
    }

    pub(super) fn name(self, sets: &IpSets) -> &str {
        match self {
            Self::V4 => &sets.v4,
            Self::Igmp => &sets.igmp,
            Self::Neighbors => &sets.neighbors,
            Self::Mld => &sets.mld,
            Self::V6Links => &sets.v6_links,
            Self::V6 => &sets.v6,
        }
    }

    /// The line that makes the set unless it is there.
    pub(super) fn creation(self, sets: &IpSets) -> String {
        let kind = match self {
            Self::V4 | Self::V6 => "hash:ip",
            Self::Igmp | Self::Neighbors | Self::Mld | Self::V6Links => "hash:net,iface",
        };
        let family = match self.family() {
            Family::V4 => "inet",
            Family::V6 => "inet6",
        };
        format!("create {} {kind} family {family} -exist\n", self.name(sets))
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Member {
    pub(super) kind: SetKind,
    pub(super) set: String,
    pub(super) value: String,
}

impl Member {
    /// The line that adds or removes it; no error if that is done already.
    pub(super) fn line(&self, verb: &str) -> String {
        format!("{verb} {} {} -exist\n", self.set, self.value)
    }
}

pub(super) fn members(entry: &Entry, sets: &IpSets) -> Vec<Member> {
    let member = |kind: SetKind, value| {
        let set = kind.name(sets).to_owned();
        Member { kind, set, value }
    };
    match entry {
        Entry::Address(addr @ IpAddr::V4(_)) => vec![member(SetKind::V4, addr.to_string())],
        Entry::Address(addr @ IpAddr::V6(_)) => vec![member(SetKind::V6, addr.to_string())],
        Entry::LinkLocal { addr, name, .. } => {
            vec![member(SetKind::V6Links, format!("{addr},{name}"))]
        }
        Entry::Vmac(vmac) if vmac.family == Family::V4 => {
            vec![member(SetKind::Igmp, format!("0.0.0.0/0,{}", vmac.name))]
        }
        Entry::Vmac(vmac) => {
            let addr = vmac.base_link_local.unwrap_or(Ipv6Addr::UNSPECIFIED);
            vec![
                member(SetKind::Neighbors, format!("{addr},{}", vmac.name)),
                // They go to multicast addresses. A set of networks takes no `::/0`.
                member(SetKind::Mld, format!("ff00::/8,{}", vmac.name)),
            ]
        }
    }
}
