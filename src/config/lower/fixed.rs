//! `static_ipaddress`, and `track_group`: the instances that depend on where its addresses are.

use std::collections::HashSet;
use std::rc::Rc;

use super::vlink::Plan;
use super::{address, name_of, Instances, Scene};
use crate::config::document::{Node, Word};
use crate::config::keywords::{RawAddress, RawTrackGroup, TRACK_GROUP};
use crate::config::statement::Checker;
use crate::model::vrrp::{TrackedLink, VirtualAddress};
use crate::model::Config;

/// Interface of addresses that name none.
const USUAL_INTERFACE: &str = "eth0";

/// Static addresses and the groups that follow them, as they are written.
#[derive(Default)]
pub(super) struct Fixed<'d> {
    addresses: Vec<RawAddress<'d>>,
    groups: Vec<(&'d str, Vec<Word<'d>>)>,
}

impl<'d> Fixed<'d> {
    /// Reads `static_ipaddress`.
    pub(super) fn addresses(&mut self, checker: &mut Checker<'_>, node: Node<'d>) {
        let read = |line| RawAddress::of_host(checker, line);
        self.addresses.extend(node.children().filter_map(read));
    }

    /// Reads `track_group`.
    pub(super) fn group(&mut self, checker: &mut Checker<'_>, node: Node<'d>) {
        let mut raw = RawTrackGroup::default();
        checker.fill(node.children(), &TRACK_GROUP, &mut raw);
        self.groups.push((name_of(node), raw.members));
    }

    /// Resolves names, and lets the members of groups track the interfaces of their addresses.
    pub(super) fn resolve(
        self,
        scene: &mut Scene<'_, '_>,
        instances: &mut Instances,
        config: &mut Config,
    ) {
        let usual = config.global.default_interface.clone();
        let usual = usual.as_deref().unwrap_or(USUAL_INTERFACE);
        let mut seen = HashSet::new();
        for raw in self.addresses {
            let group = raw.track_group;
            let (raw, places) = (vec![raw], &mut Vec::new());
            let settled =
                address::addresses(scene, Some(usual), raw, &mut seen, places, &Plan::default());
            for address in settled {
                if let Some(group) = group {
                    follow(scene, &self.groups, group, &address, instances);
                }
                config.static_addresses.push(address);
            }
        }
    }
}

/// The instances of the group are in FAULT while the interface of this address is down.
fn follow(
    scene: &mut Scene<'_, '_>,
    groups: &[(&str, Vec<Word<'_>>)],
    group: Word<'_>,
    address: &VirtualAddress,
    instances: &mut Instances,
) {
    let Some((_, members)) = groups.iter().find(|(name, _)| *name == group.text) else {
        let text =
            format!("track_group '{}' does not exist: no instance follows the address", group.text);
        return scene.error("track_group", group.span, text);
    };
    if address.no_track {
        return;
    }
    for member in members {
        let found = instances.list.iter_mut().find(|s| s.instance.name == member.text);
        let Some(found) = found else {
            let text =
                format!("vrrp_instance '{}' does not exist: it follows nothing", member.text);
            scene.error(member.text, member.span, text);
            continue;
        };
        // It is not shared before the model is complete.
        let Some(instance) = Rc::get_mut(&mut found.instance) else { continue };
        let own = instance.own_links().any(|own| *own == address.interface);
        let mut tracked = instance.tracked_links.iter();
        if !own && !tracked.any(|link| link.interface == address.interface) {
            let interface = address.interface.clone();
            instance.tracked_links.push(TrackedLink { interface, weight: 0, reverse: false });
        }
    }
}
