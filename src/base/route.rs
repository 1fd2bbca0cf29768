//! Routes. In the configuration interfaces have names, in the kernel numbers: `Route<String>` and
//! `Route<u32>`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use super::addr::{Family, Prefix};

/// A route, with what the kernel stores of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Route<L> {
    pub family: Family,
    /// RTN_*: unicast, blackhole and so on.
    pub kind: u8,
    /// Length 0: the default route.
    pub destination: Prefix,
    /// IPv6: only for packets from this network.
    pub from: Option<Prefix>,
    pub tos: u8,
    pub table: u32,
    /// RTPROT_*; [`PROTOCOL_KEEPALIVED`](super::addr::PROTOCOL_KEEPALIVED) unless configured.
    pub protocol: u8,
    /// RT_SCOPE_*; `None`: the kernel's choice.
    pub scope: Option<u8>,
    /// Preferred source address.
    pub source: Option<IpAddr>,
    /// Preference among routes to one destination, the lowest first. `None`: 0 for IPv4, 1024 for
    /// IPv6.
    pub metric: Option<u32>,
    /// More than one: a multipath route. None: no packet is forwarded, or `nexthop_id` counts.
    pub next_hops: Vec<NextHop<L>>,
    /// A next hop object of the kernel.
    pub nexthop_id: Option<u32>,
    /// IPv6: seconds until the kernel removes the route.
    pub expires: Option<u32>,
    /// IPv6: router preference (RFC 4191).
    pub preference: Option<u8>,
    /// MPLS: whether the time to live is copied.
    pub ttl_propagate: Option<bool>,
    pub metrics: RouteMetrics,
}

/// One path of a route.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NextHop<L> {
    /// The gateway, which may be of another family than the route (RFC 8950).
    pub via: Option<IpAddr>,
    /// `None`: the kernel finds the interface of the gateway.
    pub link: Option<L>,
    /// Share of a path in a multipath route, 1 to 256.
    pub weight: u16,
    /// The gateway is on the link even though no prefix of the interface contains it.
    pub onlink: bool,
    pub encap: Option<Encap>,
    /// IPv4: realm of the source and of the destination, 16 bits each.
    pub realms: Option<u32>,
}

/// Encapsulation of the packets of a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Encap {
    /// Through an IPv4 or IPv6 tunnel interface that takes the rest from the route.
    Tunnel(Tunnel),
    /// The label stack, outermost first; 20 bits each.
    Mpls(Vec<u32>),
    /// Identifier locator addressing: the locator, in network byte order.
    Ila(u64),
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tunnel {
    pub family: Family,
    pub id: Option<u64>,
    pub destination: Option<IpAddr>,
    pub source: Option<IpAddr>,
    /// `tos`, or `tc` of IPv6.
    pub tos: Option<u8>,
    /// `ttl`, or `hoplimit` of IPv6.
    pub ttl: Option<u8>,
    pub flags: Option<u16>,
}

/// Path characteristics (RTA_METRICS).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct RouteMetrics {
    /// RTAX_* and its value in the kernel's unit.
    pub values: BTreeMap<u16, u32>,
    /// `congctl`.
    pub congestion: Option<String>,
    /// RTAX_LOCK: one bit for each RTAX_* that the kernel must not change.
    pub locked: u32,
}

impl<L> Route<L> {
    /// The same route with other names of interfaces; `None` if one has none.
    pub fn translated<M>(&self, name: impl Fn(&L) -> Option<M>) -> Option<Route<M>> {
        let hop = |hop: &NextHop<L>| {
            let link = match &hop.link {
                Some(link) => Some(name(link)?),
                None => None,
            };
            let &NextHop { via, weight, onlink, ref encap, realms, .. } = hop;
            Some(NextHop { via, link, weight, onlink, encap: encap.clone(), realms })
        };
        Some(Route {
            family: self.family,
            kind: self.kind,
            destination: self.destination,
            from: self.from,
            tos: self.tos,
            table: self.table,
            protocol: self.protocol,
            scope: self.scope,
            source: self.source,
            metric: self.metric,
            next_hops: self.next_hops.iter().map(hop).collect::<Option<_>>()?,
            nexthop_id: self.nexthop_id,
            expires: self.expires,
            preference: self.preference,
            ttl_propagate: self.ttl_propagate,
            metrics: self.metrics.clone(),
        })
    }

    /// The interfaces that its paths name.
    pub fn links(&self) -> impl Iterator<Item = &L> {
        self.next_hops.iter().filter_map(|hop| hop.link.as_ref())
    }
}

/// RTN_*: name and number.
pub const ROUTE_KINDS: [(&str, u8); 11] = [
    ("unicast", 1),
    ("local", 2),
    ("broadcast", 3),
    ("anycast", 4),
    ("multicast", 5),
    ("blackhole", 6),
    ("unreachable", 7),
    ("prohibit", 8),
    ("throw", 9),
    ("nat", 10),
    ("xresolve", 11),
];

/// The main routing table.
pub const MAIN_TABLE: u32 = 254;

/// The identifying part, in the words of `ip route`.
impl<L: fmt::Display> fmt::Display for Route<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = ROUTE_KINDS.iter().find(|(_, n)| *n == self.kind && *n != 1) {
            write!(f, "{name} ")?;
        }
        match self.destination.len {
            0 => f.write_str("default")?,
            _ => self.destination.fmt(f)?,
        }
        if let Some(from) = self.from {
            write!(f, " from {from}")?;
        }
        for hop in &self.next_hops {
            if self.next_hops.len() > 1 {
                f.write_str(" nexthop")?;
            }
            if let Some(via) = hop.via {
                write!(f, " via {via}")?;
            }
            if let Some(link) = &hop.link {
                write!(f, " dev {link}")?;
            }
        }
        if self.table != MAIN_TABLE {
            write!(f, " table {}", self.table)?;
        }
        match self.metric {
            Some(metric) => write!(f, " metric {metric}"),
            None => Ok(()),
        }
    }
}
