//! The data dump: sections of `key = value` lines. Titles and keys match keepalived's where it has
//! them, since scripts search for them.

use std::collections::BTreeMap;

use super::text::{or_none, stamp, Text};
use super::{global, instance, track, View};
use crate::base::addr::{is_link_local, Family};
use crate::base::link::Link;
use crate::base::time::{micros, Instant};
use crate::model::link::LinkQuery;
use crate::model::vrrp::TrackedLink;
use crate::sys::raw::EndpointKind;
use crate::vrrp::cause::Seconds as Span;
use crate::vrrp::Phase;

/// What the parent of keepalived's processes writes.
pub(super) fn render_globals(view: &View<'_>) -> String {
    let mut out = Text::default();
    global::render(view, &mut out);
    out.finish()
}

pub(super) fn render(view: &View<'_>) -> String {
    let mut out = Text::default();
    global::render(view, &mut out);
    routes(view, &mut out);
    instances(view, &mut out);
    sockets(view, &mut out);
    groups(view, &mut out);
    track::sections(view, &mut out);
    links(view, &mut out);
    turns(view, &mut out);
    out.finish()
}

/// Static routes and rules.
fn routes(view: &View<'_>, out: &mut Text) {
    let (routes, rules) = (&view.config.static_routes, &view.config.static_rules);
    if !routes.is_empty() {
        out.section("Static Routes");
        routes.iter().for_each(|route| out.line(route));
    }
    if !rules.is_empty() {
        out.section("Static Rules");
        rules.iter().for_each(|rule| out.line(rule));
    }
}

fn instances(view: &View<'_>, out: &mut Text) {
    if view.ids.is_empty() {
        return;
    }
    out.section("VRRP Topology");
    let mut group_of = BTreeMap::new();
    for (_, group) in view.vrrp.groups() {
        group_of.extend(group.members().iter().map(|&member| (member, group.name())));
    }
    for (id, i) in view.instances() {
        instance::render(view, i, group_of.get(&id).map(|name| name.as_str()), out);
    }
}

fn sockets(view: &View<'_>, out: &mut Text) {
    if view.sockets.is_empty() {
        return;
    }
    out.section("VRRP Sockpool");
    for (endpoint, members) in &view.sockets {
        let link = endpoint.link.as_ref().map(|(_, name)| name.as_str());
        out.top("Interface", or_none(link));
        out.pair("Family", endpoint.family);
        out.pair("Protocol", "VRRP");
        match endpoint.kind {
            EndpointKind::Multicast { group, .. } => {
                out.pair("Type", "Multicast");
                out.pair("Group", group);
            }
            EndpointKind::Unicast { local } => {
                out.pair("Type", "Unicast");
                out.pair("Address", local);
            }
        }
        out.line("VRRP instances");
        for i in members.iter().filter_map(|&id| view.vrrp.instance(id)) {
            out.item(format_args!("{} vrid {}", i.config().name, i.config().vrid));
        }
    }
}

fn groups(view: &View<'_>, out: &mut Text) {
    if view.config.groups.is_empty() {
        return;
    }
    out.section("VRRP Sync groups");
    for (id, group) in view.vrrp.groups() {
        out.top("VRRP Sync Group", format_args!("{}, {}", group.name(), group.phase().word()));
        let members = || group.members().iter().filter_map(|&m| view.vrrp.instance(m));
        let faults = members().filter(|i| i.faults().next().is_some()).count();
        let init = members().filter(|i| i.phase() == Phase::Init).count();
        out.line(format_args!("Num member fault {faults}, num member init {init}"));
        out.line("VRRP member instances :");
        for i in members() {
            out.item(&i.config().name);
        }
        if let Some(config) = view.config.groups.get(id.0 as usize) {
            instance::mail(config.notify.mail, out);
            tracked(&config.tracked_links, out);
            track::tracked(&config.tracked, out);
            track::notify(&config.notify, out);
        }
    }
}

/// `track_interface` of an instance or a group, if there is any.
pub(super) fn tracked(list: &[TrackedLink], out: &mut Text) {
    if list.is_empty() {
        return;
    }
    out.line("Tracked interfaces :");
    for t in list {
        let reverse = if t.reverse { " reverse" } else { "" };
        out.item(format_args!("{} weight {}{reverse}", t.interface, t.weight));
    }
}

fn links(view: &View<'_>, out: &mut Text) {
    out.section("Interfaces");
    let mut watchers: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (_, i) in view.instances() {
        for t in i.trackers() {
            watchers.entry(&t.interface).or_default().push((&i.config().name, t.weight));
        }
    }
    for link in view.links.all() {
        let addresses = view.links.addresses_of(link.index);
        let there = addresses.iter().map(|a| a.prefix.addr);
        let v4 = there.clone().find(|a| Family::of(a) == Family::V4);
        let v6 = there.clone().find(is_link_local);
        out.top("Name", &link.name);
        out.pair("index", link.index);
        out.pair("IPv4 address", or_none(v4));
        out.pair("IPv6 address", or_none(v6));
        if let Some(mac) = link.mac {
            out.pair("MAC", mac);
        }
        out.pair("State", state(link));
        debounce(view, &link.name, out);
        if link.group != 0 {
            out.pair("Group", link.group);
        }
        out.pair("MTU", link.mtu);
        watching(view, &link.name, out);
        if let Some(list) = watchers.get(link.name.as_str()) {
            out.line("Tracking VRRP instances :");
            for (name, weight) in list {
                out.item(format_args!("{name}, weight {weight}"));
            }
        }
    }
}

fn debounce(view: &View<'_>, name: &str, out: &mut Text) {
    let delays = view.config.link_delays.iter().find(|d| d.interface == name);
    let (up, down) = delays.map(|d| (micros(d.up), micros(d.down))).unwrap_or_default();
    out.pair("Up debounce timer", format_args!("{up}us"));
    out.pair("Down debounce timer", format_args!("{down}us"));
}

/// How the link is polled, and how often addresses on it are announced.
fn watching(view: &View<'_>, name: &str, out: &mut Text) {
    if let Some(link) = view.config.polled_links.iter().find(|link| link.interface == name) {
        out.pair("Linkbeat", link.query.map_or("polled", LinkQuery::word));
    }
    let mut groups = view.config.garp_groups.iter();
    if let Some(group) = groups.find(|g| g.interfaces.iter().any(|other| other == name)) {
        if let Some(interval) = group.garp {
            out.pair("Gratuitous ARP interval", Span(interval));
        }
        if let Some(interval) = group.gna {
            out.pair("Gratuitous NA interval", Span(interval));
        }
    }
}

fn state(link: &Link) -> String {
    let not = |is_so| if is_so { "" } else { "not " };
    let mut out = format!("{}UP, {}RUNNING", not(link.enabled), not(link.up));
    if !link.multicast {
        out.push_str(", no multicast");
    }
    if !link.arp {
        out.push_str(", no ARP");
    }
    out
}

/// Lateness of turns; keepalived has no such section.
fn turns(view: &View<'_>, out: &mut Text) {
    let l = view.lateness;
    out.section("Event loop");
    out.top("Running since", stamp(view, view.wall_at(Instant::ZERO)));
    out.top("Turns", l.turns);
    out.top("Late turns", l.late_turns);
    out.top("Worst lateness", Span(l.worst));
}
