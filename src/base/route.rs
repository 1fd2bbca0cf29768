//! Routes. In the configuration interfaces have names, in the kernel numbers: `Route<String>` and
//! `Route<u32>`.

mod text;

use std::net::IpAddr;

use super::addr::{Family, Prefix, PROTOCOL_KEEPALIVED};
use crate::base::sorted::SortedMap;

/// RT_TABLE_MAIN.
pub const TABLE_MAIN: u32 = 254;
/// RT_SCOPE_*.
const SCOPE_UNIVERSE: u8 = 0;
const SCOPE_LINK: u8 = 253;
const SCOPE_HOST: u8 = 254;

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
    /// RTPROT_*; [`PROTOCOL_KEEPALIVED`] unless configured.
    pub protocol: u8,
    /// RT_SCOPE_*; `None`: as follows from the type and the gateway ([`Route::normalized`]).
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

impl<L> NextHop<L> {
    fn normalize(&mut self) {
        self.realms = self.realms.filter(|&realms| realms != 0);
        if let Some(encap) = &mut self.encap {
            encap.normalize();
        }
    }
}

impl RouteMetrics {
    /// 0 is the same as none.
    fn normalize(&mut self) {
        self.values.retain(|_, value| *value != 0);
        for (kind, most) in
            [(metric::MTU, 65_520), (metric::ADVMSS, 65_495), (metric::HOPLIMIT, 255)]
        {
            if let Some(value) = self.values.get_mut(&kind) {
                *value = (*value).min(most);
            }
        }
    }
}

impl Encap {
    /// What is not given of a tunnel is 0.
    fn normalize(&mut self) {
        let Self::Tunnel(tunnel) = self else { return };
        let none = Prefix::all(tunnel.family).addr;
        tunnel.id.get_or_insert(0);
        tunnel.destination.get_or_insert(none);
        tunnel.source.get_or_insert(none);
        tunnel.tos.get_or_insert(0);
        tunnel.ttl.get_or_insert(0);
        tunnel.flags.get_or_insert(0);
    }
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
    pub values: SortedMap<u16, u32>,
    /// `congctl`.
    pub congestion: Option<String>,
    /// RTAX_LOCK: one bit for each RTAX_* that the kernel must not change.
    pub locked: u32,
}

/// RTN_*.
pub mod kind {
    pub const UNICAST: u8 = 1;
    pub const LOCAL: u8 = 2;
    pub const BROADCAST: u8 = 3;
    pub const ANYCAST: u8 = 4;
    pub const MULTICAST: u8 = 5;
    pub const BLACKHOLE: u8 = 6;
    pub const UNREACHABLE: u8 = 7;
    pub const PROHIBIT: u8 = 8;
    pub const THROW: u8 = 9;
    pub const NAT: u8 = 10;
    pub const XRESOLVE: u8 = 11;

    const NAMES: [(&str, u8); 12] = [
        ("unicast", UNICAST),
        ("local", LOCAL),
        ("broadcast", BROADCAST),
        ("brd", BROADCAST),
        ("anycast", ANYCAST),
        ("multicast", MULTICAST),
        ("blackhole", BLACKHOLE),
        ("unreachable", UNREACHABLE),
        ("prohibit", PROHIBIT),
        ("throw", THROW),
        ("nat", NAT),
        ("xresolve", XRESOLVE),
    ];

    pub fn number(name: &str) -> Option<u8> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
    }

    pub fn name(number: u8) -> Option<&'static str> {
        NAMES.iter().find(|(_, known)| *known == number).map(|(name, _)| *name)
    }

    /// No packet is forwarded: there are no next hops.
    pub const fn is_dead_end(number: u8) -> bool {
        matches!(number, BLACKHOLE | UNREACHABLE | PROHIBIT | THROW)
    }
}

/// RTAX_*.
pub mod metric {
    pub const MTU: u16 = 2;
    pub const WINDOW: u16 = 3;
    pub const RTT: u16 = 4;
    pub const RTTVAR: u16 = 5;
    pub const SSTHRESH: u16 = 6;
    pub const CWND: u16 = 7;
    pub const ADVMSS: u16 = 8;
    pub const REORDERING: u16 = 9;
    pub const HOPLIMIT: u16 = 10;
    pub const INITCWND: u16 = 11;
    pub const FEATURES: u16 = 12;
    pub const RTO_MIN: u16 = 13;
    pub const INITRWND: u16 = 14;
    pub const QUICKACK: u16 = 15;
    pub const CC_ALGO: u16 = 16;
    pub const FASTOPEN_NO_COOKIE: u16 = 17;
    /// RTAX_FEATURE_ECN
    pub const FEATURE_ECN: u32 = 1;

    /// In the order of their numbers, from that of `mtu` on.
    const NAMES: [&str; 16] = [
        "mtu",
        "window",
        "rtt",
        "rttvar",
        "ssthresh",
        "cwnd",
        "advmss",
        "reordering",
        "hoplimit",
        "initcwnd",
        "features",
        "rto_min",
        "initrwnd",
        "quickack",
        "congctl",
        "fastopen_no_cookie",
    ];

    pub fn name(number: u16) -> &'static str {
        let at = usize::from(number).checked_sub(MTU.into());
        at.and_then(|at| NAMES.get(at)).copied().unwrap_or("metric")
    }
}

impl<L> NextHop<L> {
    /// Through this gateway or to neighbours on this interface, or both.
    pub const fn plain(via: Option<IpAddr>, link: Option<L>) -> Self {
        Self { via, link, weight: 1, onlink: false, encap: None, realms: None }
    }
}

impl<L> Route<L> {
    /// A unicast route of keepalived in the main table, without any path yet.
    pub fn plain(destination: Prefix) -> Self {
        Self {
            family: Family::of(&destination.addr),
            kind: kind::UNICAST,
            destination,
            from: None,
            tos: 0,
            table: TABLE_MAIN,
            protocol: PROTOCOL_KEEPALIVED,
            scope: None,
            source: None,
            metric: None,
            next_hops: Vec::new(),
            nexthop_id: None,
            expires: None,
            preference: None,
            ttl_propagate: None,
            metrics: RouteMetrics::default(),
        }
    }

    /// Preference of routes that name none.
    const USUAL_METRIC_V6: u32 = 1024;

    /// The scope of a route that names none. A route to a destination on the link has to say so,
    /// or it cannot lead to the gateway of another one.
    fn usual_scope(&self) -> u8 {
        let on_link = matches!(&self.next_hops[..], [only] if only.via.is_none());
        match self.kind {
            _ if self.family == Family::V6 => SCOPE_UNIVERSE,
            kind::LOCAL | kind::NAT => SCOPE_HOST,
            kind::UNICAST if self.nexthop_id.is_some() => SCOPE_UNIVERSE,
            kind::UNICAST if on_link => SCOPE_LINK,
            kind::BROADCAST | kind::ANYCAST | kind::MULTICAST => SCOPE_LINK,
            _ => SCOPE_UNIVERSE,
        }
    }

    /// The same route as the kernel reports it: with its defaults and within its limits, and
    /// without what it does not store.
    #[must_use]
    pub fn normalized(mut self) -> Self {
        let scope = self.scope.unwrap_or_else(|| self.usual_scope());
        self.destination = self.destination.network();
        if self.table == 0 {
            self.table = TABLE_MAIN;
        }
        if kind::is_dead_end(self.kind) || self.nexthop_id.is_some() {
            self.next_hops.clear();
        }
        if let [only] = &mut self.next_hops[..] {
            only.weight = 1;
        }
        self.next_hops.iter_mut().for_each(NextHop::normalize);
        self.metrics.normalize();
        // Only MPLS routes have it.
        self.ttl_propagate = None;
        match self.family {
            Family::V4 => {
                self.scope = Some(scope);
                self.metric.get_or_insert(0);
                (self.from, self.expires, self.preference) = (None, None, None);
            }
            Family::V6 => self.normalize_v6(),
        }
        self
    }

    fn normalize_v6(&mut self) {
        /// RTPROT_BOOT
        const BOOT: u8 = 3;
        // RFC 4191: low, high. The rest is medium.
        let preference = self.preference.filter(|value| matches!(value, 1 | 3));
        self.preference = Some(preference.unwrap_or(0));
        self.scope = Some(SCOPE_UNIVERSE);
        self.tos = 0;
        if self.protocol == 0 {
            self.protocol = BOOT;
        }
        self.metric = self.metric.filter(|&m| m != 0).or(Some(Self::USUAL_METRIC_V6));
        self.from = self.from.map(Prefix::network).filter(|from| from.len > 0);
        self.next_hops.iter_mut().for_each(|hop| hop.realms = None);
    }

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

#[cfg(test)]
mod tests;
