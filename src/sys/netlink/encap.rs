//! Encapsulation of the packets of a route (RTA_ENCAP, RTA_ENCAP_TYPE).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{DefaultNla, Nla};
use netlink_packet_route::route::{
    MplsLabel, RouteAttribute, RouteIp6Tunnel, RouteIp6TunnelFlags, RouteIpTunnel,
    RouteIpTunnelFlags, RouteLwEnCapType, RouteLwTunnelEncap, RouteMplsIpTunnel,
};

use crate::base::addr::Family;
use crate::base::route::{Encap, Tunnel};

// LWTUNNEL_IP_* and LWTUNNEL_IP6_*, whose numbers are the same.
const ID: u16 = 1;
const DST: u16 = 2;
const SRC: u16 = 3;
const TTL: u16 = 4;
const TOS: u16 = 5;
const FLAGS: u16 = 6;

const ILA_ATTR_LOCATOR: u16 = 1;
const MPLS_IPTUNNEL_DST: u16 = 1;

/// Both attributes.
pub(super) fn attributes(encap: &Encap) -> [RouteAttribute; 2] {
    let (kind, list) = match encap {
        Encap::Tunnel(tunnel) if tunnel.family == Family::V4 => {
            (RouteLwEnCapType::Ip, tunnel4(tunnel))
        }
        Encap::Tunnel(tunnel) => (RouteLwEnCapType::Ip6, tunnel6(tunnel)),
        Encap::Mpls(labels) => (RouteLwEnCapType::Mpls, vec![mpls(labels)]),
        Encap::Ila(locator) => {
            let nla = DefaultNla::new(ILA_ATTR_LOCATOR, locator.to_be_bytes().to_vec());
            (RouteLwEnCapType::Ila, vec![RouteLwTunnelEncap::Other(nla)])
        }
    };
    [RouteAttribute::Encap(list), RouteAttribute::EncapType(kind)]
}

fn tunnel4(tunnel: &Tunnel) -> Vec<RouteLwTunnelEncap> {
    let v4 = |addr: Option<IpAddr>| match addr {
        Some(IpAddr::V4(addr)) => Some(addr),
        _ => None,
    };
    let flags = |bits| RouteIpTunnel::Flags(RouteIpTunnelFlags::from_bits_retain(bits));
    let items = [
        tunnel.id.map(RouteIpTunnel::Id),
        v4(tunnel.destination).map(RouteIpTunnel::Destination),
        v4(tunnel.source).map(RouteIpTunnel::Source),
        tunnel.tos.map(RouteIpTunnel::Tos),
        tunnel.ttl.map(RouteIpTunnel::Ttl),
        tunnel.flags.map(flags),
    ];
    items.into_iter().flatten().map(RouteLwTunnelEncap::Ip).collect()
}

fn tunnel6(tunnel: &Tunnel) -> Vec<RouteLwTunnelEncap> {
    let v6 = |addr: Option<IpAddr>| match addr {
        Some(IpAddr::V6(addr)) => Some(addr),
        _ => None,
    };
    let flags = |bits| RouteIp6Tunnel::Flags(RouteIp6TunnelFlags::from_bits_retain(bits));
    let items = [
        tunnel.id.map(RouteIp6Tunnel::Id),
        v6(tunnel.destination).map(RouteIp6Tunnel::Destination),
        v6(tunnel.source).map(RouteIp6Tunnel::Source),
        tunnel.tos.map(RouteIp6Tunnel::Tc),
        tunnel.ttl.map(RouteIp6Tunnel::Hoplimit),
        tunnel.flags.map(flags),
    ];
    items.into_iter().flatten().map(RouteLwTunnelEncap::Ip6).collect()
}

fn mpls(labels: &[u32]) -> RouteLwTunnelEncap {
    let stack = labels.iter().enumerate().map(|(n, &label)| MplsLabel {
        label,
        traffic_class: 0,
        bottom_of_stack: n + 1 == labels.len(),
        ttl: 0,
    });
    RouteLwTunnelEncap::Mpls(RouteMplsIpTunnel::Destination(stack.collect()))
}

/// The encapsulation among the attributes of a route or of a next hop, if it is of a known kind.
pub(super) fn of(attributes: &[RouteAttribute]) -> Option<Encap> {
    let kind = attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::EncapType(kind) => Some(*kind),
        _ => None,
    })?;
    let list = attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Encap(list) => Some(list),
        _ => None,
    })?;
    // In next hops, the library does not know the kind when it reads the values, so all are read
    // here.
    let values: Vec<(u16, Vec<u8>)> = list.iter().filter_map(value).collect();
    match kind {
        RouteLwEnCapType::Ip => Some(Encap::Tunnel(tunnel(Family::V4, &values))),
        RouteLwEnCapType::Ip6 => Some(Encap::Tunnel(tunnel(Family::V6, &values))),
        RouteLwEnCapType::Mpls => {
            let (_, stack) = values.iter().find(|(kind, _)| *kind == MPLS_IPTUNNEL_DST)?;
            let word = |bytes: &[u8]| <[u8; 4]>::try_from(bytes).ok().map(u32::from_be_bytes);
            let label = |bytes| word(bytes).map(|word| MplsLabel::from(word).label);
            stack.chunks(4).map(label).collect::<Option<_>>().map(Encap::Mpls)
        }
        RouteLwEnCapType::Ila => {
            let (_, locator) = values.iter().find(|(kind, _)| *kind == ILA_ATTR_LOCATOR)?;
            <[u8; 8]>::try_from(&locator[..]).ok().map(u64::from_be_bytes).map(Encap::Ila)
        }
        _ => None,
    }
}

/// Kind and bytes of a value. The library misjudges the length of values of tunnels that it does not
/// know, which are of no interest.
fn value(attribute: &RouteLwTunnelEncap) -> Option<(u16, Vec<u8>)> {
    let is_unknown = matches!(
        attribute,
        RouteLwTunnelEncap::Ip(RouteIpTunnel::Other(_) | RouteIpTunnel::Opts(_))
            | RouteLwTunnelEncap::Ip6(RouteIp6Tunnel::Other(_) | RouteIp6Tunnel::Opts(_))
    );
    let is_known = matches!(
        attribute,
        RouteLwTunnelEncap::Ip(_)
            | RouteLwTunnelEncap::Ip6(_)
            | RouteLwTunnelEncap::Mpls(_)
            | RouteLwTunnelEncap::Other(_)
    );
    if is_unknown || !is_known {
        return None;
    }
    let mut value = vec![0; attribute.value_len()];
    attribute.emit_value(&mut value);
    Some((attribute.kind(), value))
}

fn tunnel(family: Family, values: &[(u16, Vec<u8>)]) -> Tunnel {
    let mut tunnel = Tunnel {
        family,
        id: None,
        destination: None,
        source: None,
        tos: None,
        ttl: None,
        flags: None,
    };
    for (kind, value) in values {
        match *kind {
            ID => tunnel.id = exactly(value).map(u64::from_be_bytes),
            DST => tunnel.destination = address(family, value),
            SRC => tunnel.source = address(family, value),
            TOS => tunnel.tos = exactly(value).map(u8::from_be_bytes),
            TTL => tunnel.ttl = exactly(value).map(u8::from_be_bytes),
            FLAGS => tunnel.flags = exactly(value).map(u16::from_be_bytes),
            _ => {}
        }
    }
    tunnel
}

fn exactly<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    value.try_into().ok()
}

fn address(family: Family, value: &[u8]) -> Option<IpAddr> {
    match family {
        Family::V4 => exactly::<4>(value).map(Ipv4Addr::from).map(IpAddr::V4),
        Family::V6 => exactly::<16>(value).map(Ipv6Addr::from).map(IpAddr::V6),
    }
}
