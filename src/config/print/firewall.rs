//! Settings of the packet filter.

use std::fmt;

use super::{line, quoted, Printer};
use crate::model::firewall::{Firewall, FirewallKind, Nftables};

impl Printer {
    pub(super) fn firewall(&mut self, firewall: &Firewall) -> fmt::Result {
        let Firewall { kind, nftables } = firewall;
        match kind {
            FirewallKind::Default => {}
            FirewallKind::Nftables => line!(self, "nftables {}", quoted(&nftables.table))?,
            FirewallKind::Iptables(iptables) => {
                let output =
                    iptables.output.as_deref().map(|output| format!(" {}", quoted(output)));
                let input = quoted(&iptables.input);
                line!(self, "vrrp_iptables {input}{}", output.unwrap_or_default())?;
                let names = iptables.sets.as_ref().map(|sets| {
                    let names = sets.names().map(|name| quoted(name).into_owned());
                    format!(" {}", names.join(" "))
                });
                line!(self, "vrrp_ipsets{}", names.unwrap_or_default())?;
            }
        }
        let priority = Some(nftables.priority).filter(|p| *p != Nftables::PRIORITY);
        self.option("nftables_priority", priority)?;
        self.flag(nftables.by_index, "nftables_ifindex")?;
        self.flag(nftables.counters, "nftables_counters")
    }
}
