//! Addresses of instances and of the host.

use std::borrow::Cow;
use std::rc::Rc;

use super::fits::lines;
use super::text::put;
use super::unless;
use crate::base::addr::Family;
use crate::config::keywords::SCOPES;
use crate::model::vrrp::{Broadcast, Instance, Scope, VirtualAddress};

/// An address and the interface that it is configured with.
pub(super) struct Homed<'m> {
    address: &'m VirtualAddress,
    dev: &'m str,
    /// It has a VMAC of its own there.
    use_vmac: bool,
}

/// Without virtual interfaces.
pub(super) fn plain(address: &Rc<VirtualAddress>) -> Homed<'_> {
    Homed { address, dev: &address.interface, use_vmac: false }
}

/// An address on the VMAC of its instance is configured with the interface below it.
pub(super) fn homed<'m>(instance: &'m Instance, address: &'m Rc<VirtualAddress>) -> Homed<'m> {
    let Some(dev) = instance.base_of(&address.interface) else { return plain(address) };
    let shares = instance.vlink.as_ref().is_some_and(|link| link.name == address.interface);
    let is_usual = instance.family == Family::of(&address.prefix.addr);
    Homed { address, dev, use_vmac: !(shares && is_usual) }
}

lines! {
    // Static addresses are the same without `use_vmac`.
    VIRTUAL_IPADDRESS => Homed<'_>: |Homed { address: a, dev, use_vmac }| {
        _: a.peer.is_none().then_some(a.prefix);
        _: a.peer.is_some().then_some(a.prefix.addr);
        "peer": a.peer;
        "dev": *dev;
        "use_vmac" if *use_vmac;
        match a.broadcast => {
            Broadcast::None => {}
            Broadcast::Address(address) => { "brd": address.to_string() }
        };
        "scope": unless(a.scope, Scope::GLOBAL).map(scope);
        "label": a.label.as_deref();
        "-nodad" if a.prefix.addr.is_ipv6() && !a.nodad;
        "home" if a.home;
        "mngtmpaddr" if a.mngtmpaddr;
        "noprefixroute" if a.noprefixroute;
        "autojoin" if a.autojoin;
        "no_track" if a.no_track;
        "preferred_lft": preferred(a);
    }
}

fn scope(scope: Scope) -> Cow<'static, str> {
    let name = SCOPES.iter().find(|(_, known)| *known == scope).map(|(name, _)| (*name).into());
    name.unwrap_or_else(|| scope.0.to_string().into())
}

fn preferred(a: &VirtualAddress) -> Option<String> {
    let is_host = a.prefix.addr.is_ipv6() && a.prefix.len == 128;
    let time = unless(a.preferred_lft, is_host.then_some(0))?;
    Some(time.map_or_else(|| "forever".to_owned(), |seconds| seconds.to_string()))
}
