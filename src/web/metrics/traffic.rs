//! Connections, packets and bytes of virtual servers and real servers, as IPVS counts them. An object
//! that is not in IPVS has no samples.

use super::text::Samples;
use super::{counter, gauge, Family, Of};
use crate::status::{Server, Service, Traffic};

pub(super) const FAMILIES: &[Family] = &[
    gauge(
        "keepalived_virtual_server_active_connections",
        "Open connections of a virtual server.",
        Of::ServiceTraffic(|v, s| of_service(v, s, |t| t.open.active)),
    ),
    gauge(
        "keepalived_virtual_server_inactive_connections",
        "Connections of a virtual server that end, or whose end is not seen.",
        Of::ServiceTraffic(|v, s| of_service(v, s, |t| t.open.inactive)),
    ),
    counter(
        "keepalived_virtual_server_connections_total",
        "Connections that a virtual server got.",
        Of::ServiceTraffic(|v, s| of_service(v, s, |t| t.connections)),
    ),
    counter(
        "keepalived_virtual_server_incoming_packets_total",
        "Packets from clients of a virtual server.",
        Of::ServiceTraffic(|v, s| of_service(v, s, |t| t.incoming_packets)),
    ),
    counter(
        "keepalived_virtual_server_outgoing_packets_total",
        "Packets to clients of a virtual server, of those that pass this host.",
        Of::ServiceTraffic(|v, s| of_service(v, s, |t| t.outgoing_packets)),
    ),
    counter(
        "keepalived_virtual_server_incoming_bytes_total",
        "Bytes from clients of a virtual server.",
        Of::ServiceTraffic(|v, s| of_service(v, s, |t| t.incoming_bytes)),
    ),
    counter(
        "keepalived_virtual_server_outgoing_bytes_total",
        "Bytes to clients of a virtual server, of those that pass this host.",
        Of::ServiceTraffic(|v, s| of_service(v, s, |t| t.outgoing_bytes)),
    ),
    gauge(
        "keepalived_real_server_active_connections",
        "Open connections of a real server.",
        Of::ServerTraffic(|r, s| of_server(r, s, |t| t.open.active)),
    ),
    gauge(
        "keepalived_real_server_inactive_connections",
        "Connections of a real server that end, or whose end is not seen.",
        Of::ServerTraffic(|r, s| of_server(r, s, |t| t.open.inactive)),
    ),
    counter(
        "keepalived_real_server_connections_total",
        "Connections that a real server got.",
        Of::ServerTraffic(|r, s| of_server(r, s, |t| t.connections)),
    ),
    counter(
        "keepalived_real_server_incoming_packets_total",
        "Packets from clients of a real server.",
        Of::ServerTraffic(|r, s| of_server(r, s, |t| t.incoming_packets)),
    ),
    counter(
        "keepalived_real_server_outgoing_packets_total",
        "Packets to clients of a real server, of those that pass this host.",
        Of::ServerTraffic(|r, s| of_server(r, s, |t| t.outgoing_packets)),
    ),
    counter(
        "keepalived_real_server_incoming_bytes_total",
        "Bytes from clients of a real server.",
        Of::ServerTraffic(|r, s| of_server(r, s, |t| t.incoming_bytes)),
    ),
    counter(
        "keepalived_real_server_outgoing_bytes_total",
        "Bytes to clients of a real server, of those that pass this host.",
        Of::ServerTraffic(|r, s| of_server(r, s, |t| t.outgoing_bytes)),
    ),
];

fn of_service(service: &Service, s: &mut Samples<'_>, value: fn(&Traffic) -> u64) {
    if let Some(traffic) = &service.traffic {
        s.add(&[("virtual_server", &service.name)], value(traffic));
    }
}

fn of_server(server: &Server, s: &mut Samples<'_>, value: fn(&Traffic) -> u64) {
    if let Some(traffic) = &server.traffic {
        let labels = [("virtual_server", &server.service as _), ("real_server", &server.name as _)];
        s.add(&labels, value(traffic));
    }
}
