//! Settings of the packet filter.

use super::text::{put, Printer};
use super::unless;
use crate::model::firewall::{Firewall, FirewallKind, Iptables, Marking, Nftables};

impl Printer {
    pub(super) fn firewall(&mut self, firewall: &Firewall) {
        let Firewall { kind, nftables, marking } = firewall;
        put!(self, GLOBAL_DEFS {
            match kind => {
                FirewallKind::Default => {}
                FirewallKind::Nftables => { "nftables": &nftables.table }
                FirewallKind::Iptables(Iptables { input, output, sets }) => {
                    "vrrp_iptables": input, output;
                    "vrrp_ipsets" if sets.is_none();
                    "vrrp_ipsets": sets.as_ref().map(|sets| Box::<[_]>::from(sets.names()));
                }
            };
            "nftables_priority": unless(nftables.priority, Nftables::PRIORITY);
            "nftables_ifindex" if nftables.by_index;
            "nftables_counters" if nftables.counters;
            for marking in marking.iter() => {
                "nftables_ipvs": &marking.table;
                "nftables_ipvs_priority": unless(marking.priority, Nftables::PRIORITY);
                "nftables_ipvs_start_fwmark": unless(marking.first_mark, Marking::FIRST_MARK);
            };
        });
    }
}
