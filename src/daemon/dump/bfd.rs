//! `keepalived_bfd.data`: the sessions.

use std::os::fd::RawFd;

use super::text::{stamp, stamp_after_year, yes, Text};
use super::{global, View};
use crate::base::addr::Family;
use crate::base::ids::SessionId;
use crate::base::sorted::SortedMap;
use crate::base::time::{micros, Duration};
use crate::bfd::{Domain, Neighbor, Session};
use crate::model::bfd::BfdInstance;

/// Descriptors of the sockets of sessions.
pub(super) struct Descriptors<'a> {
    /// That receive, with whether that is from several hops away.
    pub(super) receivers: Vec<(bool, RawFd)>,
    pub(super) sender: &'a dyn Fn(SessionId) -> Option<RawFd>,
}

pub(super) fn render(view: &View<'_>, sessions: &Domain, fds: &Descriptors<'_>) -> String {
    let mut out = Text::default();
    global::render(view, &mut out);
    out.section("BFD Data");
    for (multihop, fd) in &fds.receivers {
        out.top(if *multihop { "multihop fd_in" } else { "fd_in" }, fd);
    }
    out.top("packets of no session", sessions.strangers());
    // Those that depart are no longer configured.
    let all = sessions.sessions().filter(|(_, session)| !session.is_departing());
    let all: SortedMap<_, _> = all.map(|(id, s)| (s.config().name.as_str(), (id, s))).collect();
    if !all.is_empty() {
        out.section("BFD Topology");
    }
    for config in &view.config.bfd {
        if let Some((id, session)) = all.get(&*config.name) {
            configured(config, &mut out);
            out.line(format_args!("fd_out {}", (fds.sender)(*id).unwrap_or(-1)));
            current(view, session, &mut out);
            beyond(view, session, &mut out);
        }
    }
    out.finish()
}

fn configured(b: &BfdInstance, out: &mut Text) {
    out.top("BFD Instance", &b.name);
    out.pair("Neighbor IP", b.neighbor);
    if let Some(source) = b.source {
        out.pair("Source IP", source);
    }
    out.pair("Required min RX interval", Micros(b.min_rx));
    out.pair("Desired min TX interval", Micros(b.min_tx));
    out.pair("Desired idle TX interval", Micros(b.idle_tx));
    out.pair("Detection multiplier", b.multiplier);
    let ttl = match Family::of(&b.neighbor) {
        Family::V4 => "TTL",
        Family::V6 => "hoplimit",
    };
    out.pair(ttl, b.ttl);
    out.pair("max_hops", b.max_hops.map_or(-1, |hops| i16::from(b.ttl.saturating_sub(255 - hops))));
    out.pair("passive", b.passive);
    let word = |on| if on { "Yes" } else { "No" };
    out.pair("send event to VRRP process", word(b.for_vrrp));
    out.pair("send event to checker process", word(b.for_checks));
}

fn current(view: &View<'_>, s: &Session, out: &mut Text) {
    let remote = s.neighbor();
    let timing = s.timing();
    // Times that are put aside during a reload, which sessions here live through.
    for name in ["sands_out", "sands_exp", "sands_rst"] {
        out.pair(name, "[disabled]");
    }
    out.pair("local state", s.state());
    out.pair("remote state", remote.map_or_else(|| "Down".to_owned(), |n| n.state.to_string()));
    out.pair("local discriminator", format_args!("{:#x}", s.discriminator()));
    out.pair("remote discriminator", format_args!("{:#x}", remote.map_or(0, |n| n.discriminator)));
    out.pair("local diag", s.diag());
    out.pair("remote diag", remote.map(|n| n.diag).unwrap_or_default());
    let offer = remote.map(|n| n.offer);
    out.pair("remote min tx intv", MaybeMicros(offer.map(|offer| offer.min_tx)));
    out.pair("remote min rx intv", MaybeMicros(offer.map(|offer| offer.min_rx)));
    // Demand mode is never asked for.
    out.pair("local demand", 0);
    out.pair("remote demand", u8::from(remote.is_some_and(|n| n.demand)));
    out.pair("remote detect multiplier", offer.map_or(0, |offer| offer.multiplier));
    // The bit of an answer is set in that packet alone.
    out.line(format_args!("{}poll, !final", if s.is_polling() { "" } else { "!" }));
    // Until the neighbour is heard, it is what is offered.
    let tx = if offer.is_some() { timing.tx_interval } else { Some(timing.local.min_tx) };
    out.pair("local tx intv", MaybeMicros(tx));
    let remote_tx = offer.map(|offer| offer.min_tx.max(timing.local.min_rx));
    out.pair("remote tx intv", MaybeMicros(remote_tx));
    out.pair("local detection time", MaybeMicros(timing.detection));
    let multiplier = u32::from(timing.local.multiplier);
    let of_remote = timing.tx_interval.filter(|_| offer.is_some()).map(|t| t * multiplier);
    out.pair("remote detection time", MaybeMicros(of_remote));
    match remote {
        Some(Neighbor { heard, .. }) => {
            out.pair("last seen", stamp_after_year(view, view.wall_at(*heard)));
        }
        None => out.pair("last_seen", "[never]"),
    }
}

/// Lines that keepalived does not have.
fn beyond(view: &View<'_>, s: &Session, out: &mut Text) {
    let config = s.config();
    if let Some(interface) = &config.interface {
        out.pair("Interface", interface);
    }
    out.pair("multihop", yes(config.multihop));
    out.pair("authentication", if config.auth.is_some() { "SHA1" } else { "none" });
    out.pair("since", stamp(view, view.wall_at(s.since())));
    let counts = s.counts();
    out.pair("packets sent", counts.sent);
    out.pair("packets received", counts.received);
    out.pair("packets refused", counts.refused);
    out.pair("times up", counts.up);
    out.pair("times down", counts.down);
}

/// `10000 us`
struct Micros(Duration);

impl std::fmt::Display for Micros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} us", micros(self.0))
    }
}

/// 0 is none.
struct MaybeMicros(Option<Duration>);

impl std::fmt::Display for MaybeMicros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Micros(self.0.unwrap_or_default()).fmt(f)
    }
}
