//! `static_ipaddress`, `static_routes`, `static_rules`, and `track_group`: the instances that depend
//! on the interfaces of their entries.

use std::collections::HashSet;
use std::rc::Rc;

use super::vlink::Plan;
use super::{address, name_of, route, rule, Instances, Scene};
use crate::config::document::{Node, Word};
use crate::config::keywords::{RawAddress, RawRoute, RawRule, RawTrackGroup, TRACK_GROUP};
use crate::config::statement::Checker;
use crate::model::route::{VirtualRoute, VirtualRule};
use crate::model::vrrp::TrackedLink;
use crate::model::Config;

/// Interface of addresses that name none.
const USUAL_INTERFACE: &str = "eth0";

/// Static entries and the groups that follow them.
#[derive(Default)]
pub(super) struct Fixed<'d> {
    addresses: Vec<RawAddress<'d>>,
    /// With the groups that are named.
    routes: Vec<(Rc<VirtualRoute>, Option<Word<'d>>)>,
    rules: Vec<(Rc<VirtualRule>, Option<Word<'d>>)>,
    groups: Vec<(&'d str, Vec<Word<'d>>)>,
}

impl<'d> Fixed<'d> {
    /// Reads `static_ipaddress`.
    pub(super) fn addresses(&mut self, checker: &mut Checker<'_>, node: Node<'d>) {
        let read = |line| RawAddress::of_host(checker, line);
        self.addresses.extend(node.children().filter_map(read));
    }

    /// Reads `static_routes`.
    pub(super) fn routes(&mut self, scene: &mut Scene<'_, '_>, node: Node<'d>) {
        for line in node.children() {
            let Some(raw) = RawRoute::of_host(scene.checker, line) else { continue };
            let route = route::lower(scene, &raw);
            self.routes.extend(route.map(|route| (route, raw.track_group)));
        }
    }

    /// Reads `static_rules`. Their priorities may depend on their place in the text.
    pub(super) fn rules(&mut self, scene: &mut Scene<'_, '_>, node: Node<'d>) {
        for line in node.children() {
            let Some(raw) = RawRule::of_host(scene.checker, line) else { continue };
            rule::check_links(scene, &raw);
            let rule = rule::lower(scene, &raw);
            self.rules.extend(rule.map(|rule| (rule, raw.track_group)));
        }
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
        let names = |members: &[Word<'_>]| members.iter().map(|m| m.text.to_owned()).collect();
        config.global.shown.track_groups =
            self.groups.iter().map(|(name, all)| ((*name).to_owned(), names(all))).collect();
        let mut seen = HashSet::new();
        for raw in self.addresses {
            let group = raw.track_group;
            let (raw, places) = (vec![raw], &mut Vec::new());
            let lowered =
                address::addresses(scene, Some(usual), raw, &mut seen, places, &Plan::default());
            for address in lowered {
                let links = [&*address.interface].into_iter().filter(|_| !address.no_track);
                follow(scene, &self.groups, group, ("address", links), instances);
                config.static_addresses.push(address);
            }
        }
        for (route, group) in self.routes {
            let group = group.filter(|group| is_bound(scene, *group, "dev", route.interface()));
            let links = route.interface().filter(|_| !route.no_track);
            let links = links.into_iter().map(String::as_str);
            follow(scene, &self.groups, group, ("route", links), instances);
            config.static_routes.push(route);
        }
        for (rule, group) in self.rules {
            let iif = rule.rule.iif.as_ref();
            let group = group.filter(|group| is_bound(scene, *group, "iif", iif));
            let links = rule.interfaces().filter(|_| !rule.no_track).map(String::as_str);
            follow(scene, &self.groups, group, ("rule", links), instances);
            config.static_rules.push(rule);
        }
    }
}

/// False, with a diagnostic, if an entry with `track_group` has no interface.
fn is_bound(
    scene: &mut Scene<'_, '_>,
    group: Word<'_>,
    option: &str,
    interface: Option<&String>,
) -> bool {
    if interface.is_none() {
        let text = format!("track_group '{}' without '{option}' is ignored", group.text);
        scene.error("track_group", group.span, text);
    }
    interface.is_some()
}

/// The instances of the group are in FAULT while an interface of the entry is down.
fn follow<'l>(
    scene: &mut Scene<'_, '_>,
    groups: &[(&str, Vec<Word<'_>>)],
    group: Option<Word<'_>>,
    (what, links): (&str, impl Iterator<Item = &'l str>),
    instances: &mut Instances,
) {
    let Some(group) = group else { return };
    let Some((_, members)) = groups.iter().find(|(name, _)| *name == group.text) else {
        let text =
            format!("track_group '{}' does not exist: no instance follows the {what}", group.text);
        return scene.error("track_group", group.span, text);
    };
    for link in links {
        members.iter().for_each(|member| follow_link(scene, *member, link, instances));
    }
}

fn follow_link(scene: &mut Scene<'_, '_>, member: Word<'_>, link: &str, instances: &mut Instances) {
    let found = instances.list.iter_mut().find(|s| s.instance.name == member.text);
    let Some(found) = found else {
        let text = format!("vrrp_instance '{}' does not exist: it follows nothing", member.text);
        return scene.error(member.text, member.span, text);
    };
    // It is not shared before the model is complete.
    let Some(instance) = Rc::get_mut(&mut found.instance) else { return };
    let own = instance.interface.as_deref() == Some(link);
    if !own && !instance.tracked_links.iter().any(|tracked| tracked.interface == link) {
        let interface = scene.shared.names.of(link);
        let link = TrackedLink { interface, weight: 0, reverse: false };
        instance.tracked_links.edit(|links| links.push(link));
    }
}
