//! Checks that need the whole model: conflicts between virtual routers.

use std::collections::hash_map::Entry;
use std::collections::HashMap;
use std::net::IpAddr;

use super::complaints::Complaints;
use super::lower::LoweredInstance;
use crate::base::addr::{is_link_local, Family};
use crate::base::diag::Span;
use crate::model::vrrp::{Delivery, Instance};

/// Property that two virtual routers must not share.
#[derive(PartialEq, Eq, Hash)]
enum Exclusive<'m> {
    /// Frames of both would come from one virtual MAC on one segment.
    Segment { interface: &'m str, group: IpAddr },
    /// A packet of that peer could be for either.
    Peer { local: Receiver<'m>, peer: IpAddr },
}

/// Receiving address of a unicast router.
#[derive(PartialEq, Eq, Hash, Clone, Copy)]
enum Receiver<'m> {
    Address(IpAddr),
    Interface(Option<&'m str>),
}

/// Refuses two instances of one VRID and family in one place.
pub(super) fn routers(out: &mut Complaints<'_>, instances: &[LoweredInstance]) {
    let mut owners: HashMap<(u8, Family, Exclusive<'_>), &LoweredInstance> = HashMap::new();
    for lowered in instances {
        let one = &lowered.instance;
        let mut other = None;
        for place in places(one) {
            match owners.entry((one.vrid, one.family, place)) {
                Entry::Occupied(owner) => other = Some(*owner.get()),
                Entry::Vacant(free) => {
                    free.insert(lowered);
                }
            }
        }
        if let Some(other) = other {
            let text = conflict(one, &other.instance);
            let reported = out.refuse("virtual_router_id", lowered.vrid, text);
            if reported && other.vrid.file == lowered.vrid.file {
                out.hint(format!("{} has it from line {}", other.instance.name, other.vrid.line));
            }
        }
    }
}

/// Warns of an address of two instances: as MASTERs on two routers, both would have it.
pub(super) fn addresses(out: &mut Complaints<'_>, instances: &[LoweredInstance]) {
    let mut owners: HashMap<(IpAddr, Option<&str>), (&LoweredInstance, Span)> = HashMap::new();
    for lowered in instances {
        for &(addr, span) in &lowered.addresses {
            // Link-local addresses on different links are distinct.
            let link = lowered.instance.interface.as_deref().filter(|_| is_link_local(&addr));
            let (owner, place) = *owners.entry((addr, link)).or_insert((lowered, span));
            if std::ptr::eq(owner, lowered) {
                continue;
            }
            let (one, other) = (&lowered.instance.name, &owner.instance.name);
            let text = format!(
                "address '{addr}' of {one} is in {other}, too: two routers may have it at once"
            );
            if out.warn("virtual_ipaddress", span, text) && place.file == span.file {
                out.hint(format!("{other} has it in line {}", place.line));
            }
        }
    }
}

fn places(i: &Instance) -> Vec<Exclusive<'_>> {
    match &i.delivery {
        Delivery::Multicast { group } => i
            .interface
            .as_deref()
            .map(|interface| Exclusive::Segment { interface, group: *group })
            .into_iter()
            .collect(),
        Delivery::Unicast { peers, .. } => {
            let local = match i.source {
                Some(source) => Receiver::Address(source),
                None => Receiver::Interface(i.interface.as_deref()),
            };
            peers.iter().map(|peer| Exclusive::Peer { local, peer: peer.addr }).collect()
        }
    }
}

fn conflict(one: &Instance, other: &Instance) -> String {
    let (a, b, vrid, family) = (&other.name, &one.name, one.vrid, one.family);
    match (&one.delivery, &one.interface) {
        (Delivery::Multicast { .. }, Some(interface)) => {
            format!("{a} and {b} both use VRID {vrid} with {family} on interface {interface}")
        }
        _ => format!("{a} and {b} both use VRID {vrid} with {family} and share a unicast peer"),
    }
}
