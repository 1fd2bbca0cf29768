//! `keepalived_bfd.data`: the sessions.

use super::text::{stamp, Text};
use super::View;
use crate::base::addr::Family;
use crate::base::time::{micros, Duration};
use crate::bfd::{Domain, Neighbor, Session};
use crate::model::bfd::BfdInstance;

pub(super) fn render(view: &View<'_>, sessions: &Domain) -> String {
    let mut out = Text::default();
    out.section("BFD Data");
    out.pair("packets of no session", sessions.strangers());
    out.section("BFD Topology");
    // In the order of the configuration; those that depart are no longer in it.
    for config in &view.config.bfd {
        let mut all = sessions.sessions().filter(|(_, s)| !s.is_departing());
        if let Some((_, session)) = all.find(|(_, s)| s.config().name == config.name) {
            configured(config, &mut out);
            current(view, session, &mut out);
        }
    }
    out.finish()
}

fn configured(b: &BfdInstance, out: &mut Text) {
    out.top("BFD Instance", &b.name);
    out.pair("Neighbor IP", b.neighbor);
    if let Some(interface) = &b.interface {
        out.pair("Interface", interface);
    }
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
    out.pair("multihop", b.multihop);
    out.pair("authentication", if b.auth.is_some() { "SHA1" } else { "none" });
    out.pair("send event to VRRP process", yes(b.for_vrrp));
    out.pair("send event to checker process", yes(b.for_checks));
}

fn current(view: &View<'_>, s: &Session, out: &mut Text) {
    let remote = s.neighbor();
    let timing = s.timing();
    out.pair("local state", s.state());
    out.pair("since", stamp(view, view.wall_at(s.since())));
    out.pair("remote state", remote.map_or_else(|| "unknown".to_owned(), |n| n.state.to_string()));
    out.pair("local discriminator", format_args!("0x{:08x}", s.discriminator()));
    out.pair(
        "remote discriminator",
        format_args!("0x{:08x}", remote.map_or(0, |n| n.discriminator)),
    );
    out.pair("local diag", s.diag());
    if let Some(Neighbor { diag, demand, offer, .. }) = remote {
        out.pair("remote diag", diag);
        out.pair("remote min tx intv", Micros(offer.min_tx));
        out.pair("remote min rx intv", Micros(offer.min_rx));
        out.pair("remote demand", demand);
        out.pair("remote detect multiplier", offer.multiplier);
    }
    out.pair("poll", s.is_polling());
    out.pair("local tx intv", MaybeMicros(timing.tx_interval));
    out.pair("local detection time", MaybeMicros(timing.detection));
    match remote {
        Some(n) => out.pair("last seen", stamp(view, view.wall_at(n.heard))),
        None => out.pair("last_seen", "[never]"),
    }
    let counts = s.counts();
    out.pair("packets sent", counts.sent);
    out.pair("packets received", counts.received);
    out.pair("packets refused", counts.refused);
    out.pair("times up", counts.up);
    out.pair("times down", counts.down);
}

const fn yes(on: bool) -> &'static str {
    if on {
        "Yes"
    } else {
        "No"
    }
}

/// `10000 us`
struct Micros(Duration);

impl std::fmt::Display for Micros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} us", micros(self.0))
    }
}

struct MaybeMicros(Option<Duration>);

impl std::fmt::Display for MaybeMicros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(time) => Micros(time).fmt(f),
            None => f.write_str("none"),
        }
    }
}
