//! Tracked objects and BFD sessions.

use super::text::{Label, Samples};
use super::{counter, gauge, Family, Of};
use crate::status::{ObjectKind, Session};

pub(super) const FAMILIES: &[Family] = &[
    gauge(
        "keepalived_tracked_up",
        "1 if a tracked object is up. A file with a number is.",
        Of::Track(|t, s| s.add(&[("kind", &kind(t.kind)), ("name", &t.name)], t.is_up())),
    ),
    gauge(
        "keepalived_bfd_session_up",
        "1 if a BFD session is up.",
        Of::Session(|b, s| with(b, s, u64::from(b.state.eq_ignore_ascii_case("up")))),
    ),
    counter(
        "keepalived_bfd_packets_sent_total",
        "Packets sent for a BFD session.",
        Of::Session(|b, s| with(b, s, b.sent)),
    ),
    counter(
        "keepalived_bfd_packets_received_total",
        "Packets received for a BFD session.",
        Of::Session(|b, s| with(b, s, b.received)),
    ),
    counter(
        "keepalived_bfd_packets_refused_total",
        "Packets that were refused for a BFD session.",
        Of::Session(|b, s| with(b, s, b.refused)),
    ),
];

/// In one word.
pub(super) const fn kind(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Bfd => "bfd",
        ObjectKind::Service => "virtual_server",
        ObjectKind::Server => "real_server",
        other => other.word(),
    }
}

fn with(b: &Session, s: &mut Samples<'_>, value: u64) {
    let neighbor = b.neighbor.map(|address| address.to_string()).unwrap_or_default();
    let labels: [Label<'_>; 2] = [("name", &b.name), ("neighbor", &neighbor)];
    s.add(&labels, value);
}
