//! `bfd_instance`.

use std::net::IpAddr;
use std::rc::Rc;

use super::define::removed;
use super::{name_word, Scene};
use crate::base::addr::{is_link_local, Family};
use crate::base::parts;
use crate::config::document::Node;
use crate::config::keywords::{RawBfd, RawBfdAuth, BFD_INSTANCE};
use crate::config::table::Given;
use crate::model::bfd::{BfdAuth, BfdInstance};
use crate::model::secret::Secret;

/// Longest key (RFC 5880 section 4.4).
const LONGEST_KEY: usize = 20;

/// Reads a session. `others` are those read before it.
pub(super) fn session(
    scene: &mut Scene<'_, '_>,
    node: Node<'_>,
    others: &[Rc<BfdInstance>],
) -> Option<BfdInstance> {
    if !parts::BFD {
        removed(scene, node, "this build has no BFD");
        return None;
    }
    let mut raw = RawBfd::default();
    scene.checker.fill(node.children(), &BFD_INSTANCE, &mut raw);
    let Some(neighbor) = raw.neighbor else {
        removed(scene, node, "there is no neighbor_ip");
        return None;
    };
    let source = raw.source.map(|given| given.value);
    if source.is_some_and(|source| Family::of(&source) != Family::of(&neighbor)) {
        removed(scene, node, "source_ip and neighbor_ip are of different families");
        return None;
    }
    let interface = match interface(scene, neighbor, &raw) {
        Ok(interface) => interface,
        Err(why) => {
            removed(scene, node, &why);
            return None;
        }
    };
    let is_same = |other: &&Rc<BfdInstance>| {
        is_same(other, neighbor, source, raw.multihop) && other.interface == interface
    };
    if let Some(other) = others.iter().find(is_same) {
        let why = format!("'{}' has the same neighbor_ip and source_ip", other.name);
        removed(scene, node, &why);
        return None;
    }
    let auth = raw.auth.as_ref().and_then(|given| auth(scene, given));
    let default = BfdInstance::new(name_word(node).text, neighbor);
    let ttl = raw.ttl.unwrap_or(default.ttl);
    let max_hops = u8::try_from(raw.max_hops.unwrap_or(0)).ok();
    let max_hops = max_hops.map(|hops| u8::MAX - ttl.saturating_sub(hops));
    let (for_vrrp, for_checks) = (raw.vrrp || !raw.checker, raw.checker || !raw.vrrp);
    Some(BfdInstance {
        interface,
        source,
        min_rx: raw.min_rx.unwrap_or(default.min_rx),
        min_tx: raw.min_tx.unwrap_or(default.min_tx),
        idle_tx: raw.idle_tx.unwrap_or(default.idle_tx),
        multiplier: raw.multiplier.unwrap_or(default.multiplier),
        passive: raw.passive,
        ttl,
        max_hops,
        multihop: raw.multihop,
        auth,
        weight: raw.weight.weight,
        reverse: raw.weight.reverse,
        for_vrrp,
        for_checks,
        ..default
    })
}

/// The interface of a link-local neighbour, or why there can be no session.
fn interface(
    scene: &mut Scene<'_, '_>,
    neighbor: IpAddr,
    raw: &RawBfd<'_>,
) -> Result<Option<String>, String> {
    match (&raw.interface, is_link_local(&neighbor)) {
        (_, true) if raw.multihop => Err(format!("'{neighbor}' is link-local: it is one hop away")),
        (None, true) => Err(format!("'{neighbor}' is link-local: its interface is missing")),
        (Some(given), true) => Ok(Some(given.value.text.to_owned())),
        (None, false) => Ok(None),
        (Some(given), false) => {
            let text = format!("'{neighbor}' is not link-local: the interface is ignored");
            scene.checker.out.warn("interface", given.span, text);
            Ok(None)
        }
    }
}

/// True if packets could not be told apart by their addresses.
fn is_same(other: &BfdInstance, neighbor: IpAddr, source: Option<IpAddr>, multihop: bool) -> bool {
    let is_same_source = other.source == source || other.source.is_none() || source.is_none();
    other.neighbor == neighbor && other.multihop == multihop && is_same_source
}

/// A session that asks for authentication never runs without.
fn auth(scene: &mut Scene<'_, '_>, given: &Given<RawBfdAuth<'_>>) -> Option<BfdAuth> {
    let raw = &given.value;
    let (Some(kind), Some(key)) = (raw.kind, raw.key) else {
        let missing = if raw.kind.is_none() { "type" } else { "key" };
        scene.refuse("auth", given.span, format!("auth has no {missing}"));
        return None;
    };
    let bytes = key.text.as_bytes();
    if !(1..=LONGEST_KEY).contains(&bytes.len()) {
        let text = format!("the key has {} bytes, 1 to {LONGEST_KEY} are allowed", bytes.len());
        scene.refuse("key", key.span, text);
        return None;
    }
    Some(BfdAuth { kind, key_id: raw.key_id, key: Secret::new(bytes) })
}
