//! Virtual interfaces, and the interfaces of addresses.

use std::fmt;

use super::{line, quoted, Printer};
use crate::base::addr::Family;
use crate::model::vlink::{ipvlan_kind, is_virtual_mac, VirtualLinkKind};
use crate::model::vrrp::{Instance, VirtualAddress};

/// The interface of an address as it is configured.
pub(super) struct Home<'m> {
    dev: &'m str,
    /// It has a VMAC of its own there.
    use_vmac: bool,
}

/// Without virtual interfaces.
pub(super) fn plain(address: &VirtualAddress) -> Home<'_> {
    Home { dev: &address.interface, use_vmac: false }
}

/// An address on the VMAC of its instance is configured with the interface below it.
pub(super) fn home<'m>(instance: &'m Instance, address: &'m VirtualAddress) -> Home<'m> {
    let Some(dev) = instance.base_of(&address.interface) else { return plain(address) };
    let shares = instance.vlink.as_ref().is_some_and(|link| link.name == address.interface);
    let is_usual = instance.family == Family::of(&address.prefix.addr);
    Home { dev, use_vmac: !(shares && is_usual) }
}

impl fmt::Display for Home<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " dev {}", quoted(self.dev))?;
        f.write_str(if self.use_vmac { " use_vmac" } else { "" })
    }
}

impl Printer {
    pub(super) fn virtual_link(&mut self, i: &Instance) -> fmt::Result {
        let Some(link) = &i.vlink else { return Ok(()) };
        let mut options = match link.name.as_str() {
            // Words of the same lines.
            name @ ("name" | "group" | "netlink_notify_msg" | "bridge" | "private" | "vepa") => {
                format!("name {name}")
            }
            name => quoted(name).into_owned(),
        };
        match link.kind {
            VirtualLinkKind::Macvlan { mac } if !is_virtual_mac(mac) => {
                options.push_str(&format!(" {mac}"));
            }
            VirtualLinkKind::Macvlan { .. } => {}
            VirtualLinkKind::Ipvlan { flags } => {
                options.push_str(&format!(" {}", ipvlan_kind(flags)));
            }
        }
        if let Some(address) = &i.ipvlan_address {
            options.push_str(&format!(" {}", address.prefix));
        }
        if let Some(group) = link.group {
            options.push_str(&format!(" group {group}"));
        }
        if link.notify_base {
            options.push_str(" netlink_notify_msg");
        }
        line!(self, "{} {options}", if link.is_vmac() { "use_vmac" } else { "use_ipvlan" })?;
        self.flag(i.xmit_base, "vmac_xmit_base")
    }
}
