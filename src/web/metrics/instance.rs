//! Virtual routers and sync groups.

use super::text::{Label, Samples, Value};
use super::track::kind;
use super::{counter, gauge, Family, Of};
use crate::base::sorted::SortedMap;
use crate::status::{Counters, Instance, State};

pub(super) const FAMILIES: &[Family] = &[
    gauge(
        "keepalived_vrrp_instance_state",
        "State of an instance: 0 INIT, 1 BACKUP, 2 MASTER, 3 FAULT.",
        Of::Instance(|i, s| one(i, s, number(i.state))),
    ),
    gauge(
        "keepalived_vrrp_last_transition_time_seconds",
        "When an instance entered its state.",
        Of::Instance(|i, s| one(i, s, i.since)),
    ),
    counter(
        "keepalived_vrrp_transitions_total",
        "Changes of the state of an instance, by their causes.",
        Of::Instance(|i, s| {
            for (cause, count) in &i.transitions {
                with(i, s, &[("cause", cause)], *count);
            }
        }),
    ),
    counter(
        "keepalived_vrrp_contested_total",
        "How often another router was master as well for a while, and this one remained it.",
        Of::Instance(|i, s| one(i, s, i.contested)),
    ),
    gauge(
        "keepalived_vrrp_priority",
        "Priority of an instance as it is advertised.",
        Of::Instance(|i, s| one(i, s, i.priority.effective)),
    ),
    gauge(
        "keepalived_vrrp_priority_base",
        "Priority of an instance without what it tracks.",
        Of::Instance(|i, s| one(i, s, i.priority.base)),
    ),
    gauge(
        "keepalived_vrrp_priority_configured",
        "Priority of an instance in the configuration: the base, unless a command set another one.",
        Of::Instance(|i, s| one(i, s, i.priority.configured)),
    ),
    gauge(
        "keepalived_vrrp_priority_part",
        "What a tracked object adds to the priority of an instance.",
        Of::Instance(parts),
    ),
    gauge(
        "keepalived_vrrp_holds_addresses",
        "1 if the kernel has everything that an instance wants it to have.",
        Of::Instance(|i, s| one(i, s, i.holds_addresses)),
    ),
    gauge(
        "keepalived_vrrp_advert_interval_seconds",
        "Interval of the advertisements of an instance as configured.",
        Of::Instance(|i, s| one(i, s, i.advert_interval)),
    ),
    counter(
        "keepalived_vrrp_adverts_received_total",
        "Advertisements that an instance received.",
        Of::Instance(|i, s| one(i, s, i.counters.advert_rcvd)),
    ),
    counter(
        "keepalived_vrrp_adverts_sent_total",
        "Advertisements that an instance sent.",
        Of::Instance(|i, s| one(i, s, i.counters.advert_sent)),
    ),
    counter(
        "keepalived_vrrp_adverts_refused_total",
        "Advertisements that an instance refused or found fault with, by reason.",
        Of::Instance(|i, s| {
            for (reason, count) in refused(&i.counters) {
                with(i, s, &[("reason", &reason)], count);
            }
        }),
    ),
    gauge(
        "keepalived_vrrp_group_state",
        "State of a sync group: 0 INIT, 1 BACKUP, 2 MASTER, 3 FAULT.",
        Of::Group(|g, s| s.add(&[("group", &g.name)], number(g.state))),
    ),
];

/// The numbers that the original has in its files.
pub(super) const fn number(state: State) -> u64 {
    match state {
        State::Init => 0,
        State::Backup => 1,
        State::Master => 2,
        State::Fault => 3,
        State::Deleted => 97,
        State::Stop => 98,
    }
}

/// One sample of an instance.
fn one(i: &Instance, s: &mut Samples<'_>, value: impl Value) {
    with(i, s, &[], value);
}

fn with(i: &Instance, s: &mut Samples<'_>, more: &[Label<'_>], value: impl Value) {
    let interface = i.interface.as_deref().unwrap_or_default();
    let own: [Label<'_>; 3] = [("iname", &i.name), ("intf", &interface), ("vrid", &i.vrid)];
    match more {
        [] => s.add(&own, value),
        more => s.add(&[&own[..], more].concat(), value),
    }
}

/// An object may be tracked by the instance and by its sync group.
fn parts(i: &Instance, s: &mut Samples<'_>) {
    let mut sums = SortedMap::new();
    for part in &i.priority.parts {
        *sums.entry((kind(part.kind), &part.name)).or_insert(0) += part.weight;
    }
    for ((kind, name), weight) in sums {
        with(i, s, &[("kind", &kind), ("name", name)], weight);
    }
}

fn refused(c: &Counters) -> [(&'static str, u64); 20] {
    [
        ("length", c.packet_len_err),
        ("interval", c.advert_interval_err),
        ("ttl", c.ip_ttl_err),
        ("type", c.invalid_type_rcvd),
        ("address_list", c.addr_list_err),
        ("authentication_type", c.invalid_authtype),
        ("authentication_mismatch", c.authtype_mismatch),
        ("authentication", c.auth_failure),
        ("unsigned", c.auth_ext_missing),
        ("signature_malformed", c.auth_ext_malformed),
        ("signature_key", c.auth_ext_unknown_key),
        ("signature", c.auth_ext_invalid_hmac),
        ("signature_stale", c.auth_ext_stale),
        ("signature_replayed", c.auth_ext_replay),
        ("version", c.version_err),
        ("checksum", c.checksum_err),
        ("vrid", c.vrid_err),
        ("own_address", c.own_address),
        ("peer", c.peer_err),
        ("owner_ignores", c.owner_ignored),
    ]
}
