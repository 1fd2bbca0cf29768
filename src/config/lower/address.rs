//! The addresses of an instance, and static ones.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use super::vlink::Plan;
use super::Scene;
use crate::base::addr::Prefix;
use crate::base::diag::Span;
use crate::config::keywords::{RawAddress, RawBroadcast};
use crate::config::table::Given;
use crate::model::vrrp::{Broadcast, Scope, VirtualAddress};

/// Fills in defaults.
fn completed(scene: &mut Scene<'_, '_>, raw: &RawAddress<'_>, interface: &str) -> VirtualAddress {
    let Prefix { addr, len } = raw.prefix();
    let v6 = addr.is_ipv6();
    if let (true, Some(Given { span, .. })) = (v6, raw.scope) {
        scene.error("scope", span, format!("scope of IPv6 address '{addr}' is ignored"));
    }
    if let (true, Some(label)) = (v6, raw.label) {
        scene.error("label", label.span, format!("label of IPv6 address '{addr}' is ignored"));
    }
    let broadcast = broadcast(scene, raw);
    // A deprecated address is not chosen as a source: peers see the router's own one.
    let lifetime = if v6 && len == 128 { Some(0) } else { None };
    VirtualAddress {
        prefix: raw.prefix(),
        peer: raw.peer,
        interface: scene.shared.names.of(interface),
        broadcast,
        scope: raw.scope.filter(|_| !v6).map_or(Scope::GLOBAL, |scope| scope.value),
        label: raw.label.filter(|_| !v6).map(|w| w.text.into()),
        nodad: v6 && !raw.dad,
        home: raw.home,
        mngtmpaddr: raw.mngtmpaddr,
        noprefixroute: raw.noprefixroute,
        autojoin: raw.autojoin,
        preferred_lft: raw.preferred_lft.unwrap_or(lifetime),
        no_track: raw.no_track,
    }
}

fn broadcast(scene: &mut Scene<'_, '_>, raw: &RawAddress<'_>) -> Broadcast {
    let prefix = raw.prefix();
    let (Some(Given { value: broadcast, span }), IpAddr::V4(addr)) = (raw.broadcast, prefix.addr)
    else {
        return Broadcast::None;
    };
    // An address that is given in full needs no network to be worked out from.
    let is_given = matches!(broadcast, RawBroadcast::Address(_));
    if (prefix.len > 30 && !is_given) || raw.peer.is_some() {
        let text = format!("broadcast of '{}' is ignored: it has no network", prefix);
        scene.error("broadcast", span, text);
        return Broadcast::None;
    }
    let host_part = u32::MAX.checked_shr(u32::from(prefix.len)).unwrap_or(0);
    Broadcast::Address(match broadcast {
        RawBroadcast::Ones => Ipv4Addr::from_bits(addr.to_bits() | host_part),
        RawBroadcast::Zeros => Ipv4Addr::from_bits(addr.to_bits() & !host_part),
        RawBroadcast::Address(addr) => addr,
    })
}

/// Both lists of an instance, without duplicates.
///
/// `interface` is the one of the instance, for entries that name none.
pub(super) fn addresses<'d>(
    scene: &mut Scene<'_, '_>,
    interface: Option<&'d str>,
    raw: Vec<RawAddress<'d>>,
    seen: &mut HashSet<(IpAddr, &'d str)>,
    places: &mut Vec<(IpAddr, Span)>,
    plan: &Plan,
) -> Vec<Rc<VirtualAddress>> {
    let mut addresses = Vec::with_capacity(raw.len());
    for raw in raw {
        let (word, addr) = (raw.word, raw.prefix().addr);
        let Some(interface) = raw.dev.map_or(interface, |w| Some(w.text)) else {
            let text = format!("address '{}' names no interface: it is ignored", word.text);
            scene.error("virtual_ipaddress", word.span, text);
            continue;
        };
        if let Some(dev) = raw.dev {
            scene.check_link(dev.text, dev.span);
        }
        if !seen.insert((addr, interface)) {
            let text = format!("address '{}' again is ignored", addr);
            scene.error("virtual_ipaddress", word.span, text);
            continue;
        }
        places.push((addr, word.span));
        addresses.push(Rc::new(completed(scene, &raw, plan.place(interface, &raw))));
    }
    addresses
}
