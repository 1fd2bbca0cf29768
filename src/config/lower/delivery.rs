//! Interface and destinations of an instance, multicast or unicast.

use std::net::IpAddr;

use super::strict::StrictFacts;
use super::Scene;
use crate::base::addr::{is_link_local, Family};
use crate::config::host::LinkFacts;
use crate::config::keywords::RawInstance;
use crate::config::table::Given;
use crate::model::vrrp::{Delivery, StandingFault};

/// The interface of the instance, if it can be one.
pub(super) fn interface<'d>(scene: &mut Scene<'_, '_>, raw: &RawInstance<'d>) -> Option<&'d str> {
    let mut interface = raw.interface;
    if let Some(word) = interface {
        scene.check_link(word.text, word.span);
        if word.text == "lo" {
            let text = "interface 'lo' cannot have a virtual router: it is ignored";
            scene.error("interface", word.span, text);
            interface = None;
        }
    }
    if interface.is_none() && (raw.unicast.is_none() || raw.source.is_none()) {
        let text = "interface is missing; only unicast with unicast_src_ip does without";
        scene.refuse("interface", raw.name.span, text);
    }
    interface.map(|word| word.text)
}

pub(super) fn delivery(
    scene: &mut Scene<'_, '_>,
    raw: &RawInstance<'_>,
    facts: &StrictFacts,
    link: Option<LinkFacts>,
) -> Delivery {
    let unicast = !raw.peers.is_empty() || raw.fault_without_peer;
    if !unicast {
        if let Some(span) = raw.unicast {
            let text = "no unicast_peer is given: multicast is used in spite of unicast settings";
            scene.error("unicast_peer", span, text);
        }
        if let Some(ttl) = raw.ttl {
            let text = "unicast_ttl without unicast_peer is ignored";
            scene.error("unicast_ttl", ttl.span, text);
        }
        return Delivery::Multicast { group: group(scene, raw, facts.family) };
    }
    if let Some(group) = raw.group {
        let text = "mcast_dst_ip is ignored: the instance has unicast peers";
        scene.error("mcast_dst_ip", group.span, text);
    }
    if facts.strict && link.is_some_and(|link| link.multicast) && !raw.peers.is_empty() {
        let span = raw.unicast.unwrap_or(raw.name.span);
        let text = "strict mode has no unicast on an interface with multicast";
        scene.refuse("unicast_peer", span, text);
    }
    Delivery::Unicast {
        peers: raw.peers.iter().map(|peer| peer.value).collect(),
        ttl: raw.ttl.map(|ttl| ttl.value),
        check_source: raw.check_source || scene.defaults.check_unicast_src,
    }
}

fn group(scene: &mut Scene<'_, '_>, raw: &RawInstance<'_>, family: Family) -> IpAddr {
    if let Some(group) = raw.group {
        if Family::of(&group.value) == family {
            return group.value;
        }
        let text =
            format!("mcast_dst_ip '{}' is not an {family} group: it is ignored", group.value);
        scene.error("mcast_dst_ip", group.span, text);
    }
    match family {
        Family::V4 => scene.defaults.mcast_group4.into(),
        Family::V6 => scene.defaults.mcast_group6.into(),
    }
}

pub(super) fn standing_fault(
    scene: &mut Scene<'_, '_>,
    raw: &RawInstance<'_>,
    delivery: &Delivery,
    interface: Option<&str>,
    link: Option<LinkFacts>,
) -> Option<StandingFault> {
    match delivery {
        Delivery::Unicast { peers, .. } if peers.is_empty() => Some(StandingFault::NoPeer),
        Delivery::Multicast { .. } if link.is_some_and(|link| !link.multicast) => {
            let text = format!(
                "interface '{}' has no multicast, and no unicast_peer is given: the instance stays in FAULT",
                interface.unwrap_or_default()
            );
            scene.error("interface", raw.interface.map_or(raw.name.span, |w| w.span), text);
            Some(StandingFault::NoMulticast)
        }
        _ => None,
    }
}

/// A link-local address needs its link. A router that sends to itself, or from an address it does
/// not have, is a mistake that only its peers would notice.
pub(super) fn check_source(
    scene: &mut Scene<'_, '_>,
    raw: &RawInstance<'_>,
    delivery: &Delivery,
    interface: Option<&str>,
) {
    let unicast = matches!(delivery, Delivery::Unicast { .. });
    let source = raw.source.map(|source| source.value);
    for Given { value: peer, span } in raw.peers.iter().filter(|_| unicast) {
        if source == Some(peer.addr) || scene.host.has_address(&peer.addr) == Some(true) {
            let text = format!("unicast_peer '{}' is an address of this router", peer.addr);
            scene.checker.out.warn("unicast_peer", *span, text);
        }
    }
    let Some(Given { value: source, span }) = raw.source else { return };
    if let (true, false, Some(false)) = (unicast, raw.track_source, scene.host.has_address(&source))
    {
        let text = format!("this router has no address '{source}': nothing can be sent from it");
        scene.checker.out.warn("unicast_src_ip", span, text);
    }
    if unicast && interface.is_none() && is_link_local(&source) {
        let text = format!("link-local source '{source}' needs an interface");
        scene.refuse("unicast_src_ip", raw.name.span, text);
    }
}
