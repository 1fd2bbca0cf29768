//! The names and labels of keepalived-exporter, which reads the files that the original writes: its
//! dashboards and alerts find here what they look for.

use super::instance::number;
use super::text::{Samples, Value};
use super::{counter, gauge, Family, Of};
use crate::base::sorted::SortedSet;
use crate::status::{Instance, ObjectKind, State, Track};

pub(super) const FAMILIES: &[Family] = &[
    gauge("keepalived_up", "The daemon answers: always 1.", Of::Daemon(|_, s| s.add(&[], 1_u64))),
    gauge(
        "keepalived_vrrp_state",
        "State of an instance, for each of its addresses: 0 INIT, 1 BACKUP, 2 MASTER, 3 FAULT.",
        Of::WholeInstance(state_of_addresses),
    ),
    counter(
        "keepalived_advertisements_received_total",
        "Advertisements received.",
        Of::Instance(|i, s| one(i, s, i.counters.advert_rcvd)),
    ),
    counter(
        "keepalived_advertisements_sent_total",
        "Advertisements sent.",
        Of::Instance(|i, s| one(i, s, i.counters.advert_sent)),
    ),
    counter(
        "keepalived_become_master_total",
        "Changes to MASTER.",
        Of::Instance(|i, s| one(i, s, i.counters.become_master)),
    ),
    counter(
        "keepalived_release_master_total",
        "Changes from MASTER to another state.",
        Of::Instance(|i, s| one(i, s, i.counters.release_master)),
    ),
    counter(
        "keepalived_packet_length_errors_total",
        "Advertisements of a wrong length.",
        Of::Instance(|i, s| one(i, s, i.counters.packet_len_err)),
    ),
    counter(
        "keepalived_advertisements_interval_errors_total",
        "Advertisements with another interval than the configured one.",
        Of::Instance(|i, s| one(i, s, i.counters.advert_interval_err)),
    ),
    counter(
        "keepalived_ip_ttl_errors_total",
        "Advertisements with a wrong TTL.",
        Of::Instance(|i, s| one(i, s, i.counters.ip_ttl_err)),
    ),
    counter(
        "keepalived_invalid_type_received_total",
        "VRRP packets of an unknown type.",
        Of::Instance(|i, s| one(i, s, i.counters.invalid_type_rcvd)),
    ),
    counter(
        "keepalived_address_list_errors_total",
        "Advertisements with other addresses than the configured ones.",
        Of::Instance(|i, s| one(i, s, i.counters.addr_list_err)),
    ),
    counter(
        "keepalived_authentication_invalid_total",
        "Advertisements with an unknown authentication type.",
        Of::Instance(|i, s| one(i, s, i.counters.invalid_authtype)),
    ),
    counter(
        "keepalived_authentication_mismatch_total",
        "Advertisements with another authentication type than the configured one.",
        Of::Instance(|i, s| one(i, s, i.counters.authtype_mismatch)),
    ),
    counter(
        "keepalived_authentication_failure_total",
        "Advertisements with a wrong password.",
        Of::Instance(|i, s| one(i, s, i.counters.auth_failure)),
    ),
    counter(
        "keepalived_priority_zero_received_total",
        "Advertisements of masters that resigned.",
        Of::Instance(|i, s| one(i, s, i.counters.pri_zero_rcvd)),
    ),
    counter(
        "keepalived_priority_zero_sent_total",
        "Advertisements by which this router resigned.",
        Of::Instance(|i, s| one(i, s, i.counters.pri_zero_sent)),
    ),
    // Its type there, although it is a setting.
    counter(
        "keepalived_gratuitous_arp_delay_total",
        "Seconds until addresses are announced again.",
        Of::Instance(|i, s| one(i, s, i.garp_delay)),
    ),
    gauge(
        "keepalived_script_status",
        "1 if a tracked script succeeds.",
        Of::Track(|t, s| of_script(t, s, t.is_up())),
    ),
    gauge(
        "keepalived_script_state",
        "1 if a tracked script runs at this moment.",
        Of::Track(|t, s| of_script(t, s, t.running)),
    ),
];

/// One sample of an instance, with its state as a label.
fn one(i: &Instance, s: &mut Samples<'_>, value: impl Value) {
    let interface = i.interface.as_deref().unwrap_or_default();
    let state = word(i.state);
    s.add(&[("iname", &i.name), ("intf", &interface), ("vrid", &i.vrid), ("state", &state)], value);
}

/// Other states have no name there.
const fn word(state: State) -> &'static str {
    match state {
        State::Init | State::Backup | State::Master | State::Fault => state.word(),
        State::Stop | State::Deleted => "",
    }
}

fn state_of_addresses(i: &Instance, s: &mut Samples<'_>) {
    let mut seen = SortedSet::new();
    for a in &i.addresses {
        let mut words = a.address.split(' ');
        let address = words.next().unwrap_or_default();
        let interface = words.skip_while(|word| *word != "dev").nth(1).unwrap_or_default();
        if seen.insert((address, interface)) {
            s.add(
                &[
                    ("iname", &i.name),
                    ("intf", &interface),
                    ("vrid", &i.vrid),
                    ("ip_address", &address),
                ],
                number(i.state),
            );
        }
    }
}

fn of_script(track: &Track, s: &mut Samples<'_>, value: bool) {
    if track.kind == ObjectKind::Script {
        s.add(&[("name", &track.name)], value);
    }
}
