//! Routes as messages of the kernel (RTM_NEWROUTE, RTM_DELROUTE), and back.

use std::net::IpAddr;

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteMplsTtlPropagation,
    RouteNextHop, RouteNextHopFlags, RouteProtocol, RouteRealm, RouteScope, RouteType, RouteVia,
};
use netlink_packet_route::AddressFamily;

use super::{address_family, encap, metrics};
use crate::base::addr::{Family, Prefix};
use crate::base::route::{kind, NextHop, Route};
use crate::model::route::Placement;

/// Flags of a request that adds a route.
pub(super) const fn flags(placement: Placement) -> u16 {
    NLM_F_CREATE
        | match placement {
            Placement::Alone => NLM_F_EXCL,
            Placement::Last => NLM_F_APPEND,
            Placement::First => 0,
        }
}

/// The message that adds a route.
pub(super) fn addition(route: &Route<u32>) -> RouteMessage {
    let mut message = identity(route);
    let list = &mut message.attributes;
    list.extend(route.expires.filter(|_| is_v6(route)).map(RouteAttribute::Expires));
    if is_v6(route) {
        list.extend(route.preference.map(|value| RouteAttribute::Preference(value.into())));
    }
    list.extend(route.ttl_propagate.map(|on| {
        RouteAttribute::TtlPropagate(match on {
            true => RouteMplsTtlPropagation::Enabled,
            false => RouteMplsTtlPropagation::Disabled,
        })
    }));
    let values = metrics::attributes(&route.metrics);
    list.extend((!values.is_empty()).then_some(RouteAttribute::Metrics(values)));
    message
}

/// The message that removes a route. The kernel compares what is given, and takes a missing source
/// for any, and for IPv4 also a missing metric: of two routes that differ only in that, the first
/// one may be removed.
///
/// It has no path characteristics: the kernel may have limited them.
pub(super) fn removal(route: &Route<u32>) -> RouteMessage {
    identity(route)
}

fn is_v6(route: &Route<u32>) -> bool {
    route.family == Family::V6
}

/// What tells a route from others.
fn identity(route: &Route<u32>) -> RouteMessage {
    let normalized = route.clone().normalized();
    let mut message = RouteMessage::default();
    message.header = RouteHeader {
        address_family: address_family(route.family),
        destination_prefix_length: normalized.destination.len,
        source_prefix_length: normalized.from.map_or(0, |from| from.len),
        tos: route.tos,
        table: u8::try_from(normalized.table).unwrap_or(RouteHeader::RT_TABLE_UNSPEC),
        protocol: RouteProtocol::from(route.protocol),
        scope: RouteScope::from(normalized.scope.unwrap_or_default()),
        kind: RouteType::from(route.kind),
        flags: RouteFlags::empty(),
    };
    let list = &mut message.attributes;
    if normalized.table > u8::MAX.into() {
        list.push(RouteAttribute::Table(normalized.table));
    }
    list.push(RouteAttribute::Destination(normalized.destination.addr.into()));
    list.extend(normalized.from.map(|from| RouteAttribute::Source(from.addr.into())));
    list.extend(route.source.map(|source| RouteAttribute::PrefSource(source.into())));
    match &normalized.next_hops[..] {
        [] => {}
        [only] => {
            if only.onlink {
                message.header.flags |= RouteFlags::Onlink;
            }
            hop_attributes(only, route.family, list);
            list.extend(only.link.map(RouteAttribute::Oif));
        }
        hops => {
            let hops = hops.iter().map(|hop| next_hop(hop, route.family)).collect();
            list.push(RouteAttribute::MultiPath(hops));
        }
    }
    list.extend(normalized.nexthop_id.map(RouteAttribute::NhId));
    // The kernel takes 0 for no metric at all.
    let metric = normalized.metric.filter(|&metric| metric != 0);
    list.extend(metric.map(RouteAttribute::Priority));
    message
}

fn next_hop(hop: &NextHop<u32>, family: Family) -> RouteNextHop {
    let mut out = RouteNextHop::default();
    // The kernel counts from 0.
    out.hops = u8::try_from(hop.weight.saturating_sub(1)).unwrap_or(u8::MAX);
    out.interface_index = hop.link.unwrap_or_default();
    if hop.onlink {
        out.flags |= RouteNextHopFlags::Onlink;
    }
    hop_attributes(hop, family, &mut out.attributes);
    out
}

fn hop_attributes(hop: &NextHop<u32>, family: Family, list: &mut Vec<RouteAttribute>) {
    list.extend(hop.via.map(|via| match Family::of(&via) == family {
        true => RouteAttribute::Gateway(via.into()),
        false => RouteAttribute::Via(via.into()),
    }));
    let realms = hop.realms.filter(|_| family == Family::V4);
    list.extend(realms.map(|realms| {
        let [source, destination] = [realms >> 16, realms & 0xffff].map(|half| half as u16);
        RouteAttribute::Realm(RouteRealm { source, destination })
    }));
    if let Some(encap) = &hop.encap {
        list.extend(encap::attributes(encap));
    }
}

/// The route of a message; `None` for one that is not of IPv4 or IPv6, or only a copy in a cache.
pub fn of(message: &RouteMessage) -> Option<Route<u32>> {
    let header = &message.header;
    let family = match header.address_family {
        AddressFamily::Inet => Family::V4,
        AddressFamily::Inet6 => Family::V6,
        _ => return None,
    };
    if header.flags.contains(RouteFlags::Cloned) {
        return None;
    }
    let destination = Prefix { len: header.destination_prefix_length, ..Prefix::all(family) };
    let mut route = Route {
        kind: header.kind.into(),
        tos: header.tos,
        table: header.table.into(),
        protocol: header.protocol.into(),
        scope: Some(header.scope.into()),
        ..Route::plain(destination)
    };
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Table(table) => route.table = *table,
            RouteAttribute::Destination(addr) => {
                route.destination.addr = ip(addr).unwrap_or(route.destination.addr);
            }
            RouteAttribute::Source(addr) => {
                let len = header.source_prefix_length;
                route.from = ip(addr).map(|addr| Prefix { addr, len });
            }
            RouteAttribute::PrefSource(addr) => route.source = ip(addr),
            RouteAttribute::Priority(metric) => route.metric = Some(*metric),
            RouteAttribute::NhId(id) => route.nexthop_id = Some(*id),
            RouteAttribute::Expires(seconds) => route.expires = Some(*seconds),
            RouteAttribute::CacheInfo(info) => {
                // In hundredths of a second, of a route that expires; negative when it has.
                let left = Some(info.expires).filter(|&left| i32::try_from(left).is_ok());
                route.expires = left.map(|left| left / 100).filter(|&seconds| seconds != 0);
            }
            RouteAttribute::Preference(value) => route.preference = Some((*value).into()),
            RouteAttribute::TtlPropagate(value) => {
                route.ttl_propagate = Some(*value != RouteMplsTtlPropagation::Disabled);
            }
            RouteAttribute::Metrics(list) => route.metrics = metrics::of(list),
            _ => {}
        }
    }
    route.next_hops = next_hops(message);
    if kind::is_dead_end(route.kind) {
        // IPv6 has the loopback interface there.
        route.next_hops.clear();
    }
    Some(route.normalized())
}

fn next_hops(message: &RouteMessage) -> Vec<NextHop<u32>> {
    let several = message.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::MultiPath(hops) => Some(hops),
        _ => None,
    });
    if let Some(hops) = several {
        return hops.iter().map(of_next_hop).collect();
    }
    let mut hop = hop_of(&message.attributes);
    hop.onlink = message.header.flags.contains(RouteFlags::Onlink);
    hop.link = message.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Oif(index) => Some(*index),
        _ => None,
    });
    let is_there = hop.via.is_some() || hop.link.is_some() || hop.encap.is_some();
    is_there.then_some(hop).into_iter().collect()
}

fn of_next_hop(from: &RouteNextHop) -> NextHop<u32> {
    NextHop {
        link: Some(from.interface_index).filter(|&index| index != 0),
        weight: u16::from(from.hops) + 1,
        onlink: from.flags.contains(RouteNextHopFlags::Onlink),
        ..hop_of(&from.attributes)
    }
}

/// What the attributes of a route or of a next hop say of a path.
fn hop_of(attributes: &[RouteAttribute]) -> NextHop<u32> {
    let mut hop = NextHop { encap: encap::of(attributes), ..NextHop::plain(None, None) };
    for attribute in attributes {
        match attribute {
            RouteAttribute::Gateway(addr) => hop.via = ip(addr),
            RouteAttribute::Via(RouteVia::Inet(addr)) => hop.via = Some((*addr).into()),
            RouteAttribute::Via(RouteVia::Inet6(addr)) => hop.via = Some((*addr).into()),
            RouteAttribute::Realm(RouteRealm { source, destination }) => {
                hop.realms = Some(u32::from(*source) << 16 | u32::from(*destination));
            }
            _ => {}
        }
    }
    hop
}

const fn ip(addr: &RouteAddress) -> Option<IpAddr> {
    match addr {
        RouteAddress::Inet(addr) => Some(IpAddr::V4(*addr)),
        RouteAddress::Inet6(addr) => Some(IpAddr::V6(*addr)),
        _ => None,
    }
}
