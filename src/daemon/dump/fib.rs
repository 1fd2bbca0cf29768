//! Routes and rules as keepalived shows them: in another order than in the configuration, and with
//! numbers for names.

use std::fmt::{self, Display, Write as _};
use std::net::IpAddr;

use crate::base::addr::{Family, Prefix};
use crate::base::route::{kind, metric, NextHop, Route, RouteMetrics, TABLE_MAIN};
use crate::base::rule::{Rule, RuleAction};
use crate::model::route::{Placement, VirtualRoute, VirtualRule};

/// `prepend 10.8.0.0/16 via inet 10.1.0.2 dev e0 proto 18`
pub(super) fn route(entry: &VirtualRoute) -> String {
    let route = &entry.route;
    let mut out = Words::default();
    out.flag(match entry.placement {
        Placement::Alone => "add",
        Placement::Last => "append",
        // There can be no other one of the same key.
        Placement::First if kind::is_dead_end(route.kind) => "add",
        Placement::First => "prepend",
    });
    if route.kind != kind::UNICAST {
        out.flag(kind::name(route.kind).unwrap_or("unknown"));
    }
    out.flag(network(route.destination));
    out.option("from", route.from.map(network));
    out.option("src", route.source);
    out.option("tos", Some(route.tos).filter(|&tos| tos != 0));
    let only = match &route.next_hops[..] {
        [only] => Some(only),
        _ => None,
    };
    out.option("encap", only.and_then(|hop| hop.encap.as_ref()));
    only.into_iter().for_each(|hop| gateway(hop, &mut out));
    out.option("nhid", route.nexthop_id);
    out.option("table", Some(route.table).filter(|&table| table != TABLE_MAIN));
    out.option("proto", Some(route.protocol));
    out.option("scope", route.scope);
    out.option("metric", route.metric);
    only.into_iter().for_each(|hop| way(hop, &mut out));
    out.option("expires", route.expires.map(|seconds| format!("{seconds}sec")));
    metrics(&route.metrics, &mut out);
    rest(route, &mut out);
    if entry.no_track || entry.interface().is_none() {
        out.flag("no_track");
    }
    out.0
}

/// `from 10.1.0.151 priority 16384 tos 0x0 protocol 18 lookup 10`
pub(super) fn rule(entry: &VirtualRule) -> String {
    let rule = &entry.rule;
    let mut out = Words::default();
    if rule.from.is_none() && rule.to.is_none() && rule.family == Family::V6 {
        out.flag("inet6");
    }
    if rule.invert {
        out.flag("not");
    }
    out.option("from", Some(rule.from.map_or_else(|| "all".to_owned(), network)));
    out.option("to", rule.to.map(network));
    out.option("priority", Some(rule.priority));
    out.option("tos", Some(format_args!("{:#x}", rule.tos)));
    if let Some((mark, mask)) = rule.mark {
        match mask {
            u32::MAX => out.option("fwmark", Some(format_args!("{mark:#x}"))),
            _ => out.option("fwmark", Some(format_args!("{mark:#x}/{mask:#x}"))),
        }
    }
    out.option("iif", rule.iif.as_ref());
    out.option("oif", rule.oif.as_ref());
    out.option("suppress_prefixlen", rule.suppress_prefix_len);
    out.option("suppress_ifgroup", rule.suppress_group);
    selectors(rule, &mut out);
    out.option("realms", rule.realms.map(realms));
    match rule.action {
        RuleAction::Table(table) => out.option("lookup", Some(table)),
        RuleAction::L3mdev => out.option("lookup", Some(0)),
        RuleAction::Goto(priority) => out.option("goto", Some(priority)),
        RuleAction::Nop => out.flag("nop"),
        dead_end => out.option("type", Some(dead_end)),
    }
    if entry.no_track {
        out.flag("no_track");
    }
    out.0
}

fn selectors(rule: &Rule, out: &mut Words) {
    let range = |(low, high): (u16, u16)| format!("{low}-{high}");
    out.option("tunnel-id", rule.tunnel);
    out.option("uidrange", rule.users.map(|(low, high)| format!("{low}-{high}")));
    if rule.action == RuleAction::L3mdev {
        out.flag("l3mdev");
    }
    out.option("protocol", rule.protocol);
    out.option("ipproto", rule.ip_protocol);
    out.option("sport", rule.source_ports.map(range));
    out.option("dport", rule.destination_ports.map(range));
}

fn gateway(hop: &NextHop<String>, out: &mut Words) {
    out.option("via", hop.via.map(|via| format!("{} {via}", family(via))));
    out.option("dev", hop.link.as_ref());
}

fn way(hop: &NextHop<String>, out: &mut Words) {
    if hop.onlink {
        out.flag("onlink");
    }
    match hop.realms {
        None => {}
        Some(realm) if realm >> 16 == 0 => out.option("realm", Some(realm)),
        Some(pair) => out.option("realms", Some(realms(pair))),
    }
}

fn rest(route: &Route<String>, out: &mut Words) {
    let preference = route.preference.map(|value| match value {
        3 => "low",
        1 => "high",
        _ => "medium",
    });
    out.option("pref", preference);
    let no_cookie = route.metrics.values.get(&metric::FASTOPEN_NO_COOKIE);
    out.option(metric::name(metric::FASTOPEN_NO_COOKIE), no_cookie);
    let propagated = route.ttl_propagate.map(|on| if on { "enabled" } else { "disabled" });
    out.option("ttl-propagate", propagated);
    if route.next_hops.len() < 2 {
        return;
    }
    for hop in &route.next_hops {
        out.flag("nexthop");
        gateway(hop, out);
        out.option("weight", Some(hop.weight));
        way(hop, out);
        out.option("encap", hop.encap.as_ref());
    }
}

/// In keepalived's order.
fn metrics(metrics: &RouteMetrics, out: &mut Words) {
    let lock = |kind: u16| if metrics.locked >> kind & 1 == 1 { "lock " } else { "" };
    let congestion = metrics.congestion.as_ref();
    out.option("congctl", congestion.map(|name| format!("{}{name}", lock(metric::CC_ALGO))));
    for kind in [
        metric::RTT,
        metric::RTTVAR,
        metric::RTO_MIN,
        metric::FEATURES,
        metric::MTU,
        metric::WINDOW,
        metric::SSTHRESH,
        metric::CWND,
        metric::ADVMSS,
        metric::REORDERING,
        metric::HOPLIMIT,
        metric::INITCWND,
        metric::INITRWND,
        metric::QUICKACK,
    ] {
        let Some(&value) = metrics.values.get(&kind) else { continue };
        let text = match kind {
            metric::RTT => time(value / 8),
            metric::RTTVAR => time(value / 4),
            metric::RTO_MIN => time(value),
            metric::FEATURES if value == metric::FEATURE_ECN => "ecn".to_owned(),
            _ => value.to_string(),
        };
        out.option(metric::name(kind), Some(format_args!("{}{text}", lock(kind))));
    }
}

/// `1s`, `200ms`
fn time(millis: u32) -> String {
    match millis % 1000 {
        0 => format!("{}s", millis / 1000),
        _ => format!("{millis}ms"),
    }
}

const fn family(addr: IpAddr) -> &'static str {
    match Family::of(&addr) {
        Family::V4 => "inet",
        Family::V6 => "inet6",
    }
}

/// Without the length of a host.
fn network(prefix: Prefix) -> String {
    let host = match Family::of(&prefix.addr) {
        Family::V4 => 32,
        Family::V6 => 128,
    };
    match prefix.len == host {
        true => prefix.addr.to_string(),
        false => format!("{}/{}", prefix.addr, prefix.len),
    }
}

fn realms(realms: u32) -> String {
    format!("{}/{}", realms >> 16, realms & 0xffff)
}

/// Words with blanks between them.
#[derive(Default)]
struct Words(String);

impl Words {
    fn flag(&mut self, word: impl Display) {
        let blank = if self.0.is_empty() { "" } else { " " };
        self.put(format_args!("{blank}{word}"));
    }

    fn option<T: Display>(&mut self, name: &str, value: Option<T>) {
        if let Some(value) = value {
            self.flag(format_args!("{name} {value}"));
        }
    }

    fn put(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.0.write_fmt(text);
    }
}
