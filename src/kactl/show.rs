//! `kactl show`: all that is known of objects, a block of lines each.

use std::fmt::{Display, Write as _};

use super::picture::Picture;
use crate::status::{sender, Counters, Holding, Instance, Server, Service, Session, Time};
use crate::sys::clock;

pub(super) fn render(picture: &Picture) -> String {
    let mut out = Text(String::new());
    for i in &picture.instances {
        instance(i, &mut out);
    }
    for g in &picture.groups {
        out.head("group", &g.name);
        out.pair("state", g.state.word());
        out.maybe("since", g.since.map(stamp));
        out.maybe("because", g.why.as_ref());
        out.pair("members", g.members.join(" "));
    }
    for t in &picture.tracks {
        out.head(t.kind.word(), &t.name);
        out.pair("state", &t.state);
        out.maybe("since", t.since.map(stamp));
        for by in &t.tracked_by {
            let reverse = if by.reverse { " reverse" } else { "" };
            out.pair("tracked by", format_args!("{}, weight {}{reverse}", by.instance, by.weight));
        }
        let more = t.instances.saturating_sub(t.tracked_by.len());
        out.maybe("more instances", Some(more).filter(|more| *more > 0));
    }
    for s in &picture.sessions {
        session(s, &mut out);
    }
    for s in &picture.services {
        service(s, &mut out);
    }
    for s in &picture.servers {
        server(s, &mut out);
    }
    for h in &picture.holdings {
        holding(h, &mut out);
    }
    out.0
}

struct Text(String);

impl Text {
    fn head(&mut self, kind: &str, name: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{kind} {name}");
    }

    fn pair(&mut self, key: &str, value: impl Display) {
        let _ = writeln!(self.0, "  {key}: {value}");
    }

    fn maybe(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.pair(key, value);
        }
    }
}

fn stamp(at: Time) -> String {
    clock::local(at.0).long()
}

fn instance(i: &Instance, out: &mut Text) {
    out.head("instance", &i.name);
    out.pair("state", i.state.word());
    out.pair("since", stamp(i.since));
    out.maybe("because", i.why.as_ref());
    out.maybe("wants to be", (i.wanted != i.state).then(|| i.wanted.word()));
    out.maybe("group", i.group.as_ref());
    out.maybe("interface", i.interface.as_ref());
    out.pair("virtual router", format_args!("{}, version {}", i.vrid, i.version));
    out.maybe("sends from", i.source);
    let p = &i.priority;
    out.pair("priority", format_args!("{}, base {}", p.effective, p.base));
    out.maybe("by command", p.commanded.then(|| format!("configured is {}", p.configured)));
    if let Some(order) = &i.order {
        out.pair("by command", &order.kind);
        out.maybe("until", order.until.map(stamp));
    }
    for heir in &i.heirs {
        let (from, priority, at) = (sender(heir.address), heir.priority, stamp(heir.at));
        out.pair("could take over", format_args!("{from}, priority {priority}, heard {at}"));
    }
    for part in &i.priority.parts {
        out.pair("priority part", format_args!("{:+}, {}", part.weight, part.reason));
    }
    for fault in &i.faults {
        out.pair("fault", fault);
    }
    for object in &i.pending {
        out.pair("waits for", object);
    }
    if let Some(heard) = &i.master {
        let from = sender(heard.address);
        let (priority, at) = (heard.priority, stamp(heard.at));
        out.pair("other master", format_args!("{from}, priority {priority}, heard {at}"));
    }
    out.pair("advert interval", format_args!("{} s", i.advert_interval));
    out.pair("master down interval", format_args!("{} s", i.master_down_interval));
    for address in &i.addresses {
        let state = if address.present { "present" } else { "absent" };
        out.pair("address", format_args!("{}, {state}", address.address));
    }
    counters(&i.counters, out);
    for r in &i.refused {
        let from = sender(r.from);
        let (count, reason, last) = (r.count, &r.reason, stamp(r.last));
        out.pair("refused", format_args!("{count} from {from}: {reason}, last {last}"));
    }
}

fn counters(c: &Counters, out: &mut Text) {
    out.pair("adverts received", c.advert_rcvd);
    out.pair("adverts sent", c.advert_sent);
    out.pair("became master", c.become_master);
    out.pair("released master", c.release_master);
    let errors = [
        ("length errors", c.packet_len_err),
        ("interval errors", c.advert_interval_err),
        ("TTL errors", c.ip_ttl_err),
        ("type errors", c.invalid_type_rcvd),
        ("address list errors", c.addr_list_err),
        ("unknown authentication types", c.invalid_authtype),
        ("authentication type mismatches", c.authtype_mismatch),
        ("authentication failures", c.auth_failure),
        ("missing signatures", c.auth_ext_missing),
        ("malformed signatures", c.auth_ext_malformed),
        ("unknown keys", c.auth_ext_unknown_key),
        ("wrong signatures", c.auth_ext_invalid_hmac),
        ("stale signatures", c.auth_ext_stale),
        ("replayed signatures", c.auth_ext_replay),
        ("version errors", c.version_err),
        ("checksum errors", c.checksum_err),
        ("router ID errors", c.vrid_err),
        ("from our own address", c.own_address),
        ("refused peers", c.peer_err),
        ("ignored as owner", c.owner_ignored),
    ];
    for (name, count) in errors.into_iter().filter(|(_, count)| *count > 0) {
        out.pair(name, count);
    }
}

fn session(s: &Session, out: &mut Text) {
    out.head("BFD session", &s.name);
    out.maybe("neighbour", s.neighbor);
    out.pair("state", &s.state);
    out.pair("since", stamp(s.since));
    out.maybe("because", s.why.as_ref());
    out.maybe("last heard", s.heard.map(stamp));
    let (sent, received, refused) = (s.sent, s.received, s.refused);
    out.pair("packets", format_args!("{sent} sent, {received} received, {refused} refused"));
}

fn service(s: &Service, out: &mut Text) {
    out.head("virtual server", &s.name);
    out.pair("quorum", if s.up { "met" } else { "not met" });
    out.pair("since", stamp(s.since));
    out.maybe("because", s.why.as_ref());
    let t = &s.tally;
    out.pair("real servers up", format_args!("{} of {}", t.up, t.servers));
    out.pair("their weight", t.weight);
    out.pair("wanted", format_args!("quorum {}, hysteresis {}", t.quorum, t.hysteresis));
    out.maybe("suspended", s.suspended.then_some("the address is not on this host"));
    let state = if s.sorry_in_use { "in use" } else { "not in use" };
    out.maybe("sorry server", s.sorry_server.as_ref().map(|name| format!("{name}, {state}")));
}

fn server(s: &Server, out: &mut Text) {
    out.head("real server", &s.name);
    out.pair("virtual server", &s.service);
    out.pair("state", if s.up { "up" } else { "down" });
    out.pair("since", stamp(s.since));
    out.maybe("because", s.why.as_ref());
    out.pair("weight", format_args!("{}, configured {}", s.effective_weight, s.weight));
    let held =
        s.held_weight.map_or_else(|| "absent".to_owned(), |weight| format!("weight {weight}"));
    out.pair("in IPVS", held);
    out.maybe("by command", s.order.as_ref());
    out.maybe(
        "connections",
        s.connections.map(|c| format!("{} active, {} inactive", c.active, c.inactive)),
    );
    for c in &s.checks {
        let state = match c.up {
            Some(true) => "up",
            Some(false) => "down",
            None => "no result yet",
        };
        let suspended = if c.suspended { ", suspended" } else { "" };
        let last = c.last_result.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
        out.pair("check", format_args!("{}: {state}{suspended}{last}", c.name));
    }
}

fn holding(h: &Holding, out: &mut Text) {
    let owner = h.instance.as_deref().unwrap_or("(static)");
    let on = h.interface.as_ref().map(|link| format!(" on {link}")).unwrap_or_default();
    let _ = writeln!(out.0, "{owner}: {}{on}, {}", h.object, h.presence.word());
}
