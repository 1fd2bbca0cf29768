//! The data dump: sections of `key = value` lines. Titles and keys match keepalived's where it has
//! them, since scripts search for them.

use super::text::{decimal, or_none, stamp, yes, Text};
use super::{fib, global, instance, link, track, View};
use crate::base::sorted::SortedMap;
use crate::base::time::Instant;
use crate::daemon::status::address::address;
use crate::daemon::view::OpenSocket;
use crate::holdings::Key;
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
    global::render_of_routers(view, &mut out);
    pace(view, &mut out);
    fixed(view, &mut out);
    instances(view, &mut out);
    sockets(view, &mut out);
    groups(view, &mut out);
    track::sections(view, &mut out);
    link::section(view, &mut out);
    turns(view, &mut out);
    out.finish()
}

/// Groups of interfaces that share a pace of announcements.
fn pace(view: &View<'_>, out: &mut Text) {
    let groups = &view.config.garp_groups;
    if groups.is_empty() {
        return;
    }
    out.section("Gratuitous ARP delays");
    for group in groups {
        out.section("GARP delay group");
        if let Some(interval) = group.garp {
            out.top("GARP interval", decimal(interval));
        }
        if let Some(interval) = group.gna {
            out.top("GNA interval", decimal(interval));
        }
        out.fact("Interfaces");
        group.interfaces.iter().for_each(|name| out.fact(format_args!(" {name}")));
    }
}

/// What the daemon holds whatever the state of its instances.
fn fixed(view: &View<'_>, out: &mut Text) {
    let config = view.config;
    if !config.static_addresses.is_empty() {
        out.section("Static Addresses");
    }
    for a in &config.static_addresses {
        let set = if view.holdings.is_present(&Key::of(a)) { " set" } else { "" };
        out.item(format_args!("{}{set}", address(a, None)));
    }
    if !config.static_routes.is_empty() {
        out.section("Static Routes");
    }
    config.static_routes.iter().for_each(|route| out.item(fib::route(route)));
    if !config.static_rules.is_empty() {
        out.section("Static Rules");
    }
    config.static_rules.iter().for_each(|rule| out.item(fib::rule(rule)));
    let groups = &config.global.shown.track_groups;
    if !groups.is_empty() {
        out.section("Static Track groups");
    }
    for (name, members) in groups {
        out.top("Static Track Group", name);
        out.line("VRRP member instances :");
        members.iter().for_each(|member| out.item(member));
    }
}

fn instances(view: &View<'_>, out: &mut Text) {
    if view.ids.is_empty() {
        return;
    }
    out.section("VRRP Topology");
    let mut group_of = SortedMap::new();
    for (_, group) in view.vrrp.groups() {
        group_of.extend(group.members().iter().map(|&member| (member, group.name())));
    }
    let sockets = view.details.sockets.iter();
    let fds = sockets.flat_map(|socket| socket.members.iter().map(|&id| (id, socket.fds)));
    let fds: SortedMap<_, _> = fds.collect();
    for (id, i) in view.instances() {
        let group = group_of.get(&id).map(|name| name.as_str());
        instance::render(view, i, group, fds.get(&id).copied(), out);
    }
}

fn sockets(view: &View<'_>, out: &mut Text) {
    if view.details.sockets.is_empty() {
        return;
    }
    out.section("VRRP Sockpool");
    for OpenSocket { endpoint, fds: [fd_in, fd_out], buffer, members } in &view.details.sockets {
        out.fact(format_args!("fd_in {fd_in} fd_out = {fd_out}"));
        let link = endpoint.link.as_ref().map(|(_, name)| name.as_str());
        out.pair("Interface", or_none(link));
        out.pair("Family", endpoint.family);
        out.pair("Protocol", if endpoint.has_header { "AH" } else { "VRRP" });
        match endpoint.kind {
            EndpointKind::Multicast { .. } => out.pair("Type", "Multicast"),
            EndpointKind::Unicast { local } => {
                out.pair("Type", "Unicast");
                out.pair("Address", local);
            }
        }
        out.pair("Rx buf size", buffer);
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
        let config = view.config.groups.get(id.0 as usize);
        if config.is_some_and(|config| config.tracking_weight) {
            out.line("sync group tracking weight set");
        }
        if let Some(config) = config {
            instance::mail(config.notify.mail, out);
            if config.notify.priority_changes {
                out.pair("Notify priority changes", yes(true));
            }
            tracked(&config.tracked_links, out);
            track::tracked(&config.tracked, "Tracked process :", out);
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

/// Lateness of turns; keepalived has no such section.
fn turns(view: &View<'_>, out: &mut Text) {
    let l = view.lateness;
    out.section("Event loop");
    out.top("Running since", stamp(view, view.wall_at(Instant::ZERO)));
    out.top("Turns", l.turns);
    out.top("Late turns", l.late_turns);
    out.top("Worst lateness", Span(l.worst));
}
