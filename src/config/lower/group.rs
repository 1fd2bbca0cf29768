//! `vrrp_sync_group`.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::instance::checked_links;
use super::{notify, track, Instances, LoweredInstance, Scene};
use crate::base::diag::Span;
use crate::config::keywords::{RawGroup, RawNotify};
use crate::model::vrrp::{Instance, SyncGroup, TrackedLink};

/// Resolves the members, and removes settings not permitted in a group.
pub(super) fn lower_all(
    scene: &mut Scene<'_, '_>,
    raw: Vec<(RawGroup<'_>, Vec<track::TrackedEntry<'_>>)>,
    instances: &mut Instances,
) -> Vec<SyncGroup> {
    if raw.is_empty() {
        return Vec::new();
    }
    let index: HashMap<String, usize> =
        instances.list.iter().enumerate().map(|(i, s)| (s.instance.name.to_string(), i)).collect();
    let mut taken = HashSet::new();
    let mut groups = Vec::with_capacity(raw.len());
    for (raw, tracked) in raw {
        scene.checker.out.set_scope(Some(raw.name.text));
        groups.extend(lower(scene, raw, tracked, instances, &index, &mut taken));
        scene.checker.out.set_scope(None);
    }
    groups
}

fn lower<'d>(
    scene: &mut Scene<'_, '_>,
    raw: RawGroup<'d>,
    tracked: Vec<track::TrackedEntry<'d>>,
    instances: &mut Instances,
    index: &HashMap<String, usize>,
    taken: &mut HashSet<&'d str>,
) -> Option<SyncGroup> {
    let span = raw.name.span;
    let mut members = Vec::with_capacity(raw.members.len());
    for word in raw.members {
        let Some(&at) = index.get(word.text) else {
            let why = if instances.left_out.contains(word.text) {
                "was left out"
            } else {
                "does not exist"
            };
            let text = format!("vrrp_instance '{}' {why}: it is no member", word.text);
            scene.error(word.text, word.span, text);
            continue;
        };
        if !taken.insert(word.text) {
            let text = format!("vrrp_instance '{}' is in a group already", word.text);
            scene.error(word.text, word.span, text);
            continue;
        }
        members.push((at, word.text));
    }
    match members.len() {
        0 => {
            scene.error("group", span, "the group has no members: it is left out");
            return None;
        }
        1 => scene.error("group", span, "the group has only one member"),
        _ => {}
    }
    let links = checked_links(scene, raw.links);
    let mut tracked = track::each_once(scene, tracked, false);
    for &(at, name) in &members {
        if let Some(member) = instances.list.get_mut(at) {
            tracked_twice(scene, &links, name, &member.instance);
            join(scene, &raw.notify, raw.tracking_weight, name, member);
            track::tracked_twice(scene, &tracked, name, member);
        }
    }
    let mut tracked_links: Vec<TrackedLink> = links.into_iter().map(|(link, _)| link).collect();
    let has_owner = |&(at, _): &(usize, _)| instances.list[at].instance.is_owner();
    if members.iter().any(has_owner) {
        clear_weights(scene, span, &mut tracked_links);
        track::clear_weights(scene, span, &mut tracked);
    }
    let mut notify = notify::notify(scene, &raw.notify);
    // It was a default for the members; a group has no priority.
    notify.priority_changes = false;
    Some(SyncGroup {
        name: raw.name.text.into(),
        members: members.into_iter().map(|(_, name)| name.to_owned()).collect(),
        tracked_links,
        tracked,
        notify,
        tracking_weight: raw.tracking_weight,
    })
}

/// An interface tracked by a member and the group counts only once.
fn tracked_twice(
    scene: &mut Scene<'_, '_>,
    of_group: &[(TrackedLink, Span)],
    name: &str,
    member: &Instance,
) {
    let own = member.interface.as_ref().filter(|_| !member.dont_track_primary);
    for (link, span) in of_group {
        let is_tracked = own == Some(&link.interface)
            || member.tracked_links.iter().any(|t| t.interface == link.interface);
        if is_tracked {
            let text = format!(
                "interface '{}' is tracked by '{name}' and by its group: remove one of the two",
                link.interface
            );
            scene.error("track_interface", *span, text);
        }
    }
}

/// Makes an instance a member: removes its weighted tracking, and fills unset settings from the
/// group.
fn join(
    scene: &mut Scene<'_, '_>,
    notify: &RawNotify<'_>,
    tracking_weight: bool,
    name: &str,
    member: &mut LoweredInstance,
) {
    // It is not shared before the model is complete.
    let Some(instance) = Rc::get_mut(&mut member.instance) else { return };
    if !tracking_weight {
        instance.tracked_links.edit(|links| drop_weights(scene, name, member.name, links));
        instance.tracked.edit(|list| track::drop_weights(scene, name, member.name, list));
    }
    if let Some(on) = notify.priority_changes.filter(|_| !member.priority_changes_given) {
        Rc::make_mut(&mut instance.notify).priority_changes = on;
    }
}

/// Members change state together: an object tracked by only one of them must not change its
/// priority.
fn drop_weights(scene: &mut Scene<'_, '_>, whose: &str, span: Span, links: &mut Vec<TrackedLink>) {
    links.retain(|link| {
        if link.weight != 0 {
            let text = format!(
                "interface '{}' of '{whose}' has a weight: it is not tracked without \
                 sync_group_tracking_weight",
                link.interface
            );
            scene.error("weight", span, text);
        }
        link.weight == 0
    });
}

/// The priority of an owner never changes, and the members of a group are to have one priority.
fn clear_weights(scene: &mut Scene<'_, '_>, span: Span, links: &mut [TrackedLink]) {
    for link in links.iter_mut().filter(|link| link.weight != 0) {
        let text = format!(
            "interface '{}' has no weight, since a member has priority 255: down means FAULT",
            link.interface
        );
        scene.error("weight", span, text);
        link.weight = 0;
    }
}
