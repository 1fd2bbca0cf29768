//! Addresses whose packets virtual servers want to be marked.

use std::net::IpAddr;

use crate::model::diff::Groups;
use crate::model::lvs::{GroupEntry, Protocol};
use crate::model::Config;

/// Settings of the tables, and the marks in them.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Demand {
    /// `None`: no packet is marked.
    pub(super) settings: Option<Settings>,
    /// Of overlapping claims, the first one applies.
    pub(super) claims: Vec<Claim>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Settings {
    pub(super) table: String,
    pub(super) priority: i32,
    pub(super) counters: bool,
}

/// One line of a group: packets to these addresses get a mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Claim {
    pub(super) protocol: Protocol,
    pub(super) first: IpAddr,
    pub(super) last: IpAddr,
    /// 0: all ports that no other claim names.
    pub(super) port: u16,
    pub(super) mark: u32,
}

impl Demand {
    /// The demand of a configuration.
    pub fn of(config: &Config) -> Self {
        let firewall = &config.global.firewall;
        let claims: Vec<_> = claims(config).collect();
        let marking = firewall.marking.as_ref().filter(|_| !claims.is_empty());
        let settings = marking.map(|marking| Settings {
            table: marking.table.clone(),
            priority: marking.priority,
            counters: firewall.nftables.counters,
        });
        Self { settings, claims }
    }

    /// This demand, as far as the kernel serves it by now, and a new one.
    ///
    /// Where they overlap this one counts: its services in IPVS exist for sure.
    pub(super) fn followed_by(&self, next: &Self) -> Self {
        let claims = self.claims.iter().chain(&next.claims).copied().collect();
        Self { settings: next.settings.clone().or_else(|| self.settings.clone()), claims }
    }
}

fn claims(config: &Config) -> impl Iterator<Item = Claim> + '_ {
    let groups = Groups::of(config);
    config.virtual_servers.iter().flat_map(move |vs| {
        let marked = vs.mark.zip(vs.protocol).zip(groups.entries(vs));
        marked.into_iter().flat_map(|((mark, protocol), entries)| {
            entries.iter().filter_map(move |entry| match *entry {
                GroupEntry::Range { first, last, port } => {
                    Some(Claim { protocol, first, last, port, mark })
                }
                GroupEntry::Fwmark { .. } => None,
            })
        })
    })
}
