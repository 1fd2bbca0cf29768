//! `use_vmac` and `use_ipvlan`.

use super::fits::lines;
use super::text::{put, Printer};
use crate::base::addr::Prefix;
use crate::config::keywords::{USE_IPVLAN, USE_VMAC};
use crate::model::vlink::{is_virtual_mac, VirtualLink, VirtualLinkKind};
use crate::model::vrrp::Instance;

impl Printer {
    pub(super) fn virtual_link(&mut self, i: &Instance) {
        let address = i.ipvlan_address.as_ref().map(|address| address.prefix);
        put!(self, VRRP_INSTANCE { for link in i.vlink.iter() => {
            "use_vmac": Some(link).filter(|link| link.is_vmac());
            "use_ipvlan": Some(Ipvlan(link, address)).filter(|_| !link.is_vmac());
            "vmac_xmit_base" if i.xmit_base;
        } });
    }
}

struct Ipvlan<'m>(&'m VirtualLink, Option<Prefix>);

/// The name of an interface, if it is a word of the same lines, and if it is not.
fn names(link: &VirtualLink) -> [Option<&String>; 2] {
    let lines = [&USE_VMAC.entry, &USE_IPVLAN.entry];
    let is_word = lines.iter().any(|line| line.position(&link.name).is_some());
    [is_word, !is_word].map(|so| so.then_some(&link.name))
}

lines! {
    USE_VMAC => VirtualLink: |link| {
        "name": names(link)[0];
        _: names(link)[1], link.mac().filter(|mac| !is_virtual_mac(*mac)).map(|mac| mac.to_string());
        "group": link.group.map(|group| group.to_string());
        "netlink_notify_msg" if link.notify_base;
    }
    USE_IPVLAN => Ipvlan<'_>: |Ipvlan(link, address)| {
        "name": names(link)[0];
        _: names(link)[1];
        "private" if link.kind == VirtualLinkKind::Ipvlan { flags: 1 };
        "vepa" if link.kind == VirtualLinkKind::Ipvlan { flags: 2 };
        "bridge" if !matches!(link.kind, VirtualLinkKind::Ipvlan { flags: 1 | 2 });
        _: address.map(|address| address.to_string());
        "group": link.group.map(|group| group.to_string());
    }
}
