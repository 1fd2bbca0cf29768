//! One instance in the data dump. Monitoring scripts read these lines, `State` above all.

use std::os::fd::RawFd;
use std::rc::Rc;

use super::data::tracked;
use super::text::{address, enabled, or_none, stamp, Epoch, Seconds, Text};
use super::{fib, track, View};
use crate::base::addr::Family;
use crate::base::time::{micros, Duration, WallTime};
use crate::daemon::status::instance as status;
use crate::model;
use crate::model::firewall::FirewallKind;
use crate::model::signing::AntiReplay;
use crate::model::track::Object;
use crate::model::vlink::{ipvlan_kind, is_virtual_mac, VirtualLink, VirtualLinkKind};
use crate::model::vrrp::{Authentication, ChecksumForm, Delivery, Version, VirtualAddress};
use crate::status::Heard;
use crate::vrrp::cause::{Fault, Seconds as Span};
use crate::vrrp::{Instance, Phase};

/// `fds`: of its socket.
pub(super) fn render(
    view: &View<'_>,
    i: &Instance,
    group: Option<&str>,
    fds: Option<[RawFd; 2]>,
    out: &mut Text,
) {
    let config = i.config();
    out.top("VRRP Instance", &config.name);
    out.pair("VRRP Version", status::version(i));
    if let Some(group) = group {
        out.pair("Sync group", group);
    }
    if config.family == Family::V6 {
        out.line("Using Native IPv6");
    }
    state(view, i, out);
    place(view, i, out);
    garp(config, out);
    out.pair("Send advert after receive lower priority advert", !config.lower_prio_no_advert);
    out.pair("Send advert after receive higher priority advert", config.higher_prio_send_advert);
    election(view, i, out);
    authentication(config, out);
    checksum(config, out);
    addresses(view, i, out);
    delivery(config, out);
    match fds {
        Some([fd_in, fd_out]) => out.line(format_args!("fd_in {fd_in}, fd_out {fd_out}")),
        None => out.line("No sockets allocated"),
    }
    routes(config, out);
    tracked(&config.tracked_links, out);
    track::tracked(&config.tracked, "Tracked processes :", out);
    mail(config.notify.mail, out);
    out.pair("Notify deleted", if config.notify.says_deleted { "Deleted" } else { "Fault" });
    track::notify(&config.notify, out);
    out.pair("Notify priority changes", config.notify.priority_changes);
    beyond(view, i, out);
}

fn state(view: &View<'_>, i: &Instance, out: &mut Text) {
    out.pair("State", status::state(i.phase()).word());
    if i.phase() == Phase::Backup {
        if let Some(Heard { address: Some(from), priority, .. }) = status::heard(view, i) {
            out.pair("Master router", from);
            out.pair("Master priority", priority);
        }
        if i.config().version == Version::V3 {
            out.pair("Master advert interval", interval(Version::V3, i.master_interval()));
        }
    }
    flags(i.config(), out);
    out.pair("Wantstate", status::state(i.wanted_phase()).word());
    faults(i, out);
    out.pair("Last transition", stamp(view, status::since(view, i).0));
    match i.next_deadline() {
        Some(at) => out.pair("Read timeout", stamp(view, view.wall_at(at))),
        None => out.pair("Read timeout", "DISABLED"),
    }
    let down = micros(i.master_down_interval());
    out.pair("Master down timer", format_args!("{down} usecs"));
}

/// keepalived counts more settings as flags than it names here.
fn flags(config: &model::vrrp::Instance, out: &mut Text) {
    let is_unicast = matches!(config.delivery, Delivery::Unicast { .. });
    let any = is_unicast
        || config.vlink.is_some()
        || config.source.is_some()
        || config.nopreempt
        || config.dont_track_primary
        || config.skip_check_adv_addr
        || config.promote_secondaries
        || config.checksum == ChecksumForm::AsV2
        || config.garp.extra_on_all;
    out.line(if any { "Flags:" } else { "Flags: none" });
    if is_unicast {
        out.item("Using unicast");
    }
}

/// Faults of the configuration and of tracked objects are counted; others are listed.
fn faults(i: &Instance, out: &mut Text) {
    let is_tracked = |fault: &Fault| match fault {
        Fault::LinkMissing(name) | Fault::Link(name) | Fault::LinkUp(name) => {
            i.trackers().iter().any(|t| t.interface == *name) && !is_own(i.config(), name)
        }
        Fault::Tracked { .. } => true,
        Fault::NoAddress | Fault::Standing(_) | Fault::Socket(_) | Fault::Refused(_) => false,
    };
    let standing = i.faults().filter(|f| matches!(f, Fault::Standing(_))).count();
    out.pair("Number of config faults", standing);
    out.pair("Number of tracker faults", i.faults().filter(|f| is_tracked(f)).count());
    let of_interface = |f: &&Fault| !is_tracked(f) && !matches!(f, Fault::Standing(_));
    let mut list = i.faults().filter(of_interface).peekable();
    match list.peek() {
        None => out.line("Flags of interface faults - (none)"),
        Some(_) => out.line("Flags of interface faults:"),
    }
    list.for_each(|fault| out.item(fault));
    let pending = i.pending().iter().filter(|object| matches!(object, Object::Script(_)));
    out.pair("Number of track scripts init", pending.count());
}

/// The interface that an instance runs on, or one below it.
fn is_own(config: &model::vrrp::Instance, name: &str) -> bool {
    let base = config.vlink.as_ref().map(|link| link.base.as_str());
    config.interface.as_deref() == Some(name) || base == Some(name)
}

fn place(view: &View<'_>, i: &Instance, out: &mut Text) {
    let config = i.config();
    interface(view, config, out);
    if config.dont_track_primary {
        out.line("VRRP interface tracking disabled");
    }
    if config.skip_check_adv_addr {
        out.line("Skip checking advert IP addresses");
    }
    if config.strict {
        out.line("Enforcing strict VRRP compliance");
    }
    let configured = if config.source.is_some() { " (from configuration)" } else { "" };
    out.pair("Using src_ip", format_args!("{}{configured}", or_none(i.source())));
    if let Delivery::Multicast { group } = config.delivery {
        let link = config.advert_link().and_then(|name| view.links.get(name));
        match link.filter(|_| group.is_ipv6()) {
            Some(link) => {
                out.line(format_args!("Multicast address {group}, ifindex {}", link.index));
            }
            None => out.line(format_args!("Multicast address {group}")),
        }
    }
}

fn interface(view: &View<'_>, config: &model::vrrp::Instance, out: &mut Text) {
    if let Some(link) = &config.vlink {
        virtual_link(view, config, link, out);
    } else {
        out.pair("Interface", config.interface.as_deref().unwrap_or("not configured"));
    }
    if let Some(vrf) = &config.vrf {
        out.pair("VRF", vrf);
    }
}

fn virtual_link(
    view: &View<'_>,
    config: &model::vrrp::Instance,
    link: &VirtualLink,
    out: &mut Text,
) {
    let VirtualLink { name, base, kind, group, notify_base } = link;
    let is_up = view.links.get(name).is_some_and(|link| link.enabled);
    match *kind {
        VirtualLinkKind::Macvlan { mac } => {
            let xmit_base = config.xmit_base;
            out.line(format_args!(
                "Use VMAC, i/f name {name}, is_up = {is_up}, xmit_base = {xmit_base}"
            ));
            if !is_virtual_mac(mac) {
                out.item(format_args!("MAC = {mac}"));
            }
        }
        VirtualLinkKind::Ipvlan { flags } => {
            let address = config.ipvlan_address.as_ref().map(|a| a.prefix);
            let address = address.map_or_else(String::new, |a| format!(", i/f address = {a}"));
            let kind = ipvlan_kind(flags);
            out.line(format_args!("Use IPVLAN, i/f {name}, is_up = {is_up}{address}, type {kind}"));
        }
    }
    if *notify_base {
        out.item("Force netlink update for base interface");
    }
    match (group, view.links.get(base).map_or(0, |link| link.group)) {
        (Some(group), _) => out.item(format_args!("Interface group {group}")),
        (None, 0) => {}
        (None, group) => out.item(format_args!("Interface group {group} (copied from parent)")),
    }
    let what = if link.is_vmac() { "vmac" } else { "ipvlan" };
    let xmit = if config.xmit_base { ", xmit base i/f" } else { "" };
    out.pair("Interface", format_args!("{name}, {what} on {base}{xmit}"));
}

fn garp(config: &model::vrrp::Instance, out: &mut Text) {
    let g = &config.garp;
    out.pair("Gratuitous ARP delay", Seconds(g.delay));
    out.pair("Gratuitous ARP repeat", g.repeat);
    out.pair("Gratuitous ARP refresh", Seconds(g.refresh));
    out.pair("Gratuitous ARP refresh repeat", g.refresh_repeat);
    out.pair("Gratuitous ARP lower priority delay", Seconds(g.lower_prio_delay));
    out.pair("Gratuitous ARP lower priority repeat", g.lower_prio_repeat);
    out.pair("Down timer adverts", config.down_timer_adverts);
    if !g.extra.is_zero() {
        let on = if g.extra_on_all { "i/f" } else { "VMAC" };
        out.pair(&format!("Gratuitous ARP for each secondary {on}"), Seconds(g.extra));
    }
}

fn election(view: &View<'_>, i: &Instance, out: &mut Text) {
    let config = i.config();
    if config.is_owner() {
        out.pair("Address owner ignores received adverts", config.owner_ignore_adverts);
    }
    out.pair("Virtual Router ID", config.vrid);
    out.pair("Priority", config.priority);
    out.pair("Effective priority", i.priority());
    let shares: i32 = i.shares().map(|(_, weight)| weight).sum();
    out.pair("Total priority", i32::from(i.base_priority()) + shares);
    if config.nopreempt {
        let heard = i.heard_before(view.now).map_or(0, |heard| heard.priority);
        out.pair("Highest other priority", heard);
    }
    out.pair("Advert interval", interval(config.version, config.advert_interval));
    let sent = i.last_sent().map_or(WallTime(0), |at| view.wall_at(at));
    out.pair("Last advert sent", Epoch(sent));
    out.pair("Accept", enabled(config.accept));
    out.pair("Preempt", enabled(!config.nopreempt));
    if !config.preempt_delay.is_zero() {
        out.pair("Preempt delay", format_args!("{} secs", Seconds(config.preempt_delay)));
    }
    out.pair("Promote_secondaries", enabled(config.promote_secondaries));
}

/// Whether changes are mailed (`smtp_alert`).
pub(super) fn mail(is_sent: bool, out: &mut Text) {
    out.pair("Using smtp notification", if is_sent { "yes" } else { "no" });
}

/// Interval in the unit of the protocol version.
fn interval(version: Version, d: Duration) -> String {
    match version {
        Version::V2 => format!("{} sec", Seconds(d)),
        Version::V3 => format!("{} milli-sec", d.as_millis()),
    }
}

fn authentication(config: &model::vrrp::Instance, out: &mut Text) {
    if config.version == Version::V2 {
        let kind = match config.authentication {
            Authentication::Pass(_) => "SIMPLE_PASSWORD",
            Authentication::Header(_) => "IPSEC_AH",
            Authentication::None | Authentication::Signed(_) | Authentication::Unusable => "none",
        };
        out.pair("Authentication type", kind);
        if kind == "SIMPLE_PASSWORD" {
            out.pair("Password", "********");
        }
    }
    if let Authentication::Signed(signing) = &config.authentication {
        out.pair("Authentication extension", "HMAC-SHA256-128");
        let (count, active) = (signing.keys.len(), signing.active);
        out.item(format_args!("Keys = {count}, active key id = {active}"));
        out.item(format_args!("Mode = {}", signing.mode.word()));
        match signing.anti_replay {
            AntiReplay::Time { window } => {
                out.item(format_args!("Anti replay = time, window = {} sec", window.as_secs()));
            }
            AntiReplay::Monotonic => out.item("Anti replay = monotonic"),
        }
    }
}

fn checksum(config: &model::vrrp::Instance, out: &mut Text) {
    if config.version == Version::V3 && config.family == Family::V4 {
        let is_so = config.checksum == ChecksumForm::AsV2;
        out.pair("VRRPv3 uses VRRPv2 checksum", enabled(is_so));
    }
    if let Some(bytes) = config.rx_buffer {
        out.pair("Kernel rx buffer size", bytes);
    }
    if config.debug > 0 {
        out.pair("Debug level", config.debug);
    }
}

fn addresses(view: &View<'_>, i: &Instance, out: &mut Text) {
    let config = i.config();
    // It is protected before it exists.
    let protection = match view.config.global.firewall.kind {
        _ if config.accept => "",
        FirewallKind::Iptables(_) => " iptable_set",
        FirewallKind::Default | FirewallKind::Nftables => " nftable_set",
    };
    let list = |out: &mut Text, list: &[Rc<VirtualAddress>]| {
        for a in status::addresses(view, i, list) {
            let protected = if a.present { protection } else { "" };
            out.item(format_args!("{}{protected}", address(a)));
        }
    };
    if !config.addresses.is_empty() {
        out.line(format_args!("Virtual IP ({}):", config.addresses.len()));
        list(out, &config.addresses);
    }
    if !config.excluded.is_empty() {
        out.line("Virtual IP Excluded :");
        list(out, &config.excluded);
    }
}

fn routes(config: &model::vrrp::Instance, out: &mut Text) {
    if !config.routes.is_empty() {
        out.line("Virtual Routes :");
        config.routes.iter().for_each(|route| out.item(fib::route(route)));
    }
    if !config.rules.is_empty() {
        out.line("Virtual Rules :");
        config.rules.iter().for_each(|rule| out.item(fib::rule(rule)));
    }
}

fn delivery(config: &model::vrrp::Instance, out: &mut Text) {
    let Delivery::Unicast { peers, ttl, check_source } = &config.delivery else { return };
    out.pair("Unicast TTL", ttl.unwrap_or(255));
    out.line(format_args!("Check unicast src : {}", if *check_source { "yes" } else { "no" }));
    out.line("Unicast Peer :");
    for p in peers {
        out.item(format_args!("{} min_ttl {} max_ttl {}", p.addr, p.min_ttl, p.max_ttl));
    }
    let form = match (config.checksum, config.checksum_follows_peer) {
        (ChecksumForm::OldUnicast, _) => "config",
        (_, false) => "never",
        (_, true) => "no",
    };
    out.pair("Unicast checksum compatibility", form);
}

/// Lines that keepalived does not have.
fn beyond(view: &View<'_>, i: &Instance, out: &mut Text) {
    if let Some(adverts) = i.config().timer_expired_backup {
        out.pair("Timer expired backup", adverts);
    }
    let faults = i.faults().count();
    if faults > 0 {
        out.line(format_args!("Faults ({faults}):"));
        for fault in i.faults() {
            out.item(fault);
        }
    }
    if let Some(heard) = i.heard_before(view.now) {
        let (from, priority, ago) = (heard.from, heard.priority, Span(heard.ago));
        out.pair("Last heard", format_args!("{from} with priority {priority}, {ago} ago"));
    }
    let e = status::counters(i);
    let refused = [
        ("Version errors", e.version_err),
        ("Checksum errors", e.checksum_err),
        ("Router ID errors", e.vrid_err),
        ("From our own address", e.own_address),
        ("Refused peers", e.peer_err),
        ("Ignored as owner", e.owner_ignored),
    ];
    for (name, count) in refused {
        out.pair(name, count);
    }
}
