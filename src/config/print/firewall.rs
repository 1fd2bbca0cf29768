//! Settings of the packet filter.

use std::fmt;

use super::{line, quoted, Printer};
use crate::model::firewall::{Firewall, FirewallKind, Marking, Nftables};

impl Printer {
    pub(super) fn firewall(&mut self, firewall: &Firewall) -> fmt::Result {
        let Firewall { kind, nftables, marking } = firewall;
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
        self.flag(nftables.counters, "nftables_counters")?;
        marking.as_ref().map_or(Ok(()), |marking| self.marking(marking))
    }

    fn marking(&mut self, marking: &Marking) -> fmt::Result {
        line!(self, "nftables_ipvs {}", quoted(&marking.table))?;
        let priority = Some(marking.priority).filter(|p| *p != Nftables::PRIORITY);
        self.option("nftables_ipvs_priority", priority)?;
        let first = Some(marking.first_mark).filter(|mark| *mark != Marking::FIRST_MARK);
        self.option("nftables_ipvs_start_fwmark", first)
    }
}
