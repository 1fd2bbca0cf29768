//! Virtual servers and real servers.

use super::text::{Samples, Value};
use super::{gauge, Family, Of};
use crate::status::{Server, Service};

pub(super) const FAMILIES: &[Family] = &[
    gauge(
        "keepalived_virtual_server_up",
        "1 if a virtual server has its quorum.",
        Of::Service(|v, s| of_service(v, s, v.up)),
    ),
    gauge(
        "keepalived_virtual_server_last_transition_time_seconds",
        "When a virtual server gained or lost its quorum.",
        Of::Service(|v, s| of_service(v, s, v.since)),
    ),
    gauge(
        "keepalived_virtual_server_real_servers",
        "Real servers of a virtual server.",
        Of::Service(|v, s| of_service(v, s, v.tally.servers)),
    ),
    gauge(
        "keepalived_virtual_server_real_servers_up",
        "Real servers of a virtual server that are up.",
        Of::Service(|v, s| of_service(v, s, v.tally.up)),
    ),
    gauge(
        "keepalived_virtual_server_weight",
        "Weight of the real servers that are up, together.",
        Of::Service(|v, s| of_service(v, s, v.tally.weight)),
    ),
    gauge(
        "keepalived_virtual_server_quorum",
        "Weight that a virtual server needs.",
        Of::Service(|v, s| of_service(v, s, v.tally.quorum)),
    ),
    gauge(
        "keepalived_virtual_server_sorry_server_in_use",
        "1 if the sorry server of a virtual server stands in for the others.",
        Of::Service(|v, s| of_service(v, s, v.sorry_in_use)),
    ),
    gauge(
        "keepalived_real_server_up",
        "1 if a real server is up.",
        Of::Server(|r, s| of_server(r, s, r.up)),
    ),
    gauge(
        "keepalived_real_server_weight",
        "Weight that a real server has when it is up.",
        Of::Server(|r, s| of_server(r, s, r.effective_weight)),
    ),
    gauge(
        "keepalived_real_server_ipvs_weight",
        "Weight of a real server in IPVS; missing if it is not there.",
        Of::Server(|r, s| {
            if let Some(weight) = r.held_weight {
                of_server(r, s, weight);
            }
        }),
    ),
    gauge(
        "keepalived_real_server_last_transition_time_seconds",
        "When a real server went up or down.",
        Of::Server(|r, s| of_server(r, s, r.since)),
    ),
];

fn of_service(service: &Service, s: &mut Samples<'_>, value: impl Value) {
    s.add(&[("virtual_server", &service.name)], value);
}

fn of_server(server: &Server, s: &mut Samples<'_>, value: impl Value) {
    s.add(&[("virtual_server", &server.service), ("real_server", &server.name)], value);
}
