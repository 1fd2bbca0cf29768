//! Routes as text, in the words of the configuration.

use std::fmt::{self, Display};

use super::{kind, metric, Encap, NextHop, Route, RouteMetrics, Tunnel, TABLE_MAIN};
use crate::base::addr::{Family, PROTOCOL_KEEPALIVED};

impl<L: Display> Display for Route<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != kind::UNICAST {
            match kind::name(self.kind) {
                Some(name) => write!(f, "{name} ")?,
                None => write!(f, "{} ", self.kind)?,
            }
        }
        let crosses = self.next_hops.iter().any(|hop| hop.crosses(self.family));
        if self.family == Family::V4 && self.destination.len == 0 && !crosses {
            f.write_str("default")?;
        } else {
            self.destination.fmt(f)?;
        }
        option(f, "from", self.from)?;
        option(f, "src", self.source)?;
        let multipath = self.next_hops.len() > 1;
        if let [only] = &self.next_hops[..] {
            only.words(self.family, f)?;
        }
        option(f, "nhid", self.nexthop_id)?;
        option(f, "table", Some(self.table).filter(|&table| table != TABLE_MAIN))?;
        option(f, "protocol", Some(self.protocol).filter(|&p| p != PROTOCOL_KEEPALIVED))?;
        option(f, "scope", self.scope)?;
        option(f, "tos", Some(self.tos).filter(|&tos| tos != 0))?;
        option(f, "metric", self.metric)?;
        option(f, "expires", self.expires)?;
        option(f, "pref", self.preference.map(preference))?;
        let propagated = |on| if on { "enabled" } else { "disabled" };
        option(f, "ttl-propagate", self.ttl_propagate.map(propagated))?;
        self.metrics.fmt(f)?;
        // Options of a tunnel have the names of options of routes, so they come last.
        match &self.next_hops[..] {
            [only] => encap(f, only.encap.as_ref())?,
            hops if multipath => {
                for hop in hops {
                    f.write_str(" nexthop")?;
                    hop.words(self.family, f)?;
                    option(f, "weight", Some(hop.weight).filter(|&weight| weight != 1))?;
                    encap(f, hop.encap.as_ref())?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl<L> NextHop<L> {
    /// True if the gateway is of another family than the route.
    fn crosses(&self, family: Family) -> bool {
        self.via.is_some_and(|via| Family::of(&via) != family)
    }
}

impl<L: Display> NextHop<L> {
    fn words(&self, family: Family, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.via {
            Some(via) if self.crosses(family) && via.is_ipv6() => write!(f, " via inet6 {via}")?,
            Some(via) => write!(f, " via {via}")?,
            None => {}
        }
        option(f, "dev", self.link.as_ref())?;
        if self.onlink {
            f.write_str(" onlink")?;
        }
        match self.realms {
            Some(realms) if realms >> 16 != 0 => {
                write!(f, " realms {}/{}", realms >> 16, realms & 0xffff)
            }
            Some(realm) => write!(f, " realms {realm}"),
            None => Ok(()),
        }
    }
}

impl Display for RouteMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lock = |kind: u16| if self.locked >> kind & 1 == 1 { " lock" } else { "" };
        for (&kind, &value) in &self.values {
            match (kind, value) {
                (metric::FEATURES, metric::FEATURE_ECN) => f.write_str(" features ecn")?,
                _ => write!(f, " {}{} {value}", metric::name(kind), lock(kind))?,
            }
        }
        if let Some(name) = &self.congestion {
            write!(f, " congctl{} {name}", lock(metric::CC_ALGO))?;
        }
        Ok(())
    }
}

impl Display for Encap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tunnel(tunnel) => tunnel.fmt(f),
            Self::Mpls(labels) => {
                let labels: Vec<_> = labels.iter().map(u32::to_string).collect();
                write!(f, "mpls {}", labels.join("/"))
            }
            Self::Ila(locator) => {
                let [a, b, c, d] = [48, 32, 16, 0].map(|shift| locator >> shift & 0xffff);
                write!(f, "ila {a:x}:{b:x}:{c:x}:{d:x}")
            }
        }
    }
}

impl Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, tos, ttl) = match self.family {
            Family::V4 => ("ip", "tos", "ttl"),
            Family::V6 => ("ip6", "tc", "hoplimit"),
        };
        f.write_str(name)?;
        option(f, "id", self.id)?;
        option(f, "dst", self.destination)?;
        option(f, "src", self.source)?;
        option(f, tos, self.tos)?;
        option(f, ttl, self.ttl)?;
        option(f, "flags", self.flags)
    }
}

fn encap(f: &mut fmt::Formatter<'_>, encap: Option<&Encap>) -> fmt::Result {
    option(f, "encap", encap)
}

fn option<T: Display>(f: &mut fmt::Formatter<'_>, name: &str, value: Option<T>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, " {name} {value}"))
}

fn preference(value: u8) -> String {
    match value {
        3 => "low".to_owned(),
        0 => "medium".to_owned(),
        1 => "high".to_owned(),
        other => other.to_string(),
    }
}
