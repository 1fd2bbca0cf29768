//! Claims made disjoint, since ranges in a map of nf_tables must not overlap.

use std::net::IpAddr;

use super::claim::Claim;
use crate::base::addr::{address_of, number_of, Family};
use crate::base::sorted::{SortedMap, SortedSet};
use crate::model::lvs::Protocol;

/// Addresses and ports whose packets have one mark.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Area {
    pub(super) protocol: Protocol,
    pub(super) first: IpAddr,
    pub(super) last: IpAddr,
    pub(super) first_port: u16,
    pub(super) last_port: u16,
}

/// The areas of a family with their marks. Of overlapping claims, the first one applies; but one for a
/// port precedes those for all ports, as services do in IPVS.
pub(super) fn areas(claims: &[Claim], family: Family) -> SortedMap<Area, u32> {
    let mut spans: SortedMap<(Protocol, u16), Spans> = SortedMap::new();
    for claim in claims.iter().filter(|claim| Family::of(&claim.first) == family) {
        let spans = spans.entry((claim.protocol, claim.port)).or_default();
        spans.add(number_of(claim.first), number_of(claim.last), claim.mark);
    }
    let mut areas = SortedMap::new();
    for (&(protocol, port), own) in &spans {
        let mut add = |first, last, (first_port, last_port), mark| {
            let (first, last) = (address_of(first, family), address_of(last, family));
            areas.insert(Area { protocol, first, last, first_port, last_port }, mark);
        };
        let ports = spans.range((protocol, 1)..=(protocol, u16::MAX));
        for (first, last, mark) in own.iter() {
            if port != 0 {
                add(first, last, (port, port), mark);
                continue;
            }
            let edges = edges(ports.clone().map(|((_, port), spans)| (*port, spans)), first, last);
            for (first, last, named) in pieces(&edges, first, last) {
                gaps(&named).for_each(|ports| add(first, last, ports, mark));
            }
        }
    }
    areas
}

/// Disjoint ranges of addresses: the first, with the last and the mark.
#[derive(Default)]
struct Spans(SortedMap<u128, (u128, u32)>);

impl Spans {
    /// Adds what is not there yet.
    fn add(&mut self, first: u128, last: u128, mark: u32) {
        let mut free = Vec::new();
        let mut at = Some(first);
        for (first, last, _) in self.within(first, last) {
            if let Some(at) = at.filter(|at| *at < first) {
                free.push((at, first - 1));
            }
            at = last.checked_add(1);
        }
        free.extend(at.filter(|at| *at <= last).map(|at| (at, last)));
        self.0.extend(free.into_iter().map(|(first, last)| (first, (last, mark))));
    }

    fn iter(&self) -> impl Iterator<Item = (u128, u128, u32)> + '_ {
        self.0.iter().map(|(first, (last, mark))| (*first, *last, *mark))
    }

    /// Those that overlap a range.
    fn within(&self, first: u128, last: u128) -> impl Iterator<Item = (u128, u128, u32)> + '_ {
        let before = self.0.range(..first).next_back().filter(|(_, (last, _))| *last >= first);
        let all = before.into_iter().chain(self.0.range(first..=last));
        all.map(|(first, (last, mark))| (*first, *last, *mark))
    }
}

/// A place where the ports that claims name change: from this address on, a port is named or not.
type Edge = (u128, bool, u16);

/// The edges within a range, in order.
fn edges<'s>(ports: impl Iterator<Item = (u16, &'s Spans)>, first: u128, last: u128) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (port, spans) in ports {
        for (from, to, _) in spans.within(first, last) {
            edges.push((from.max(first), true, port));
            edges
                .extend(to.checked_add(1).filter(|end| *end <= last).map(|end| (end, false, port)));
        }
    }
    // An end comes before a beginning at the same place.
    edges.sort_unstable();
    edges
}

/// The pieces of a range between edges, each with the ports that claims name there.
fn pieces(edges: &[Edge], first: u128, last: u128) -> Vec<(u128, u128, Vec<u16>)> {
    let (mut named, mut at, mut pieces) = (SortedSet::new(), first, Vec::new());
    for (place, begins, port) in edges {
        if *place > at {
            pieces.push((at, place - 1, named.iter().copied().collect()));
            at = *place;
        }
        if *begins {
            named.insert(*port);
        } else {
            named.remove(port);
        }
    }
    pieces.push((at, last, named.into_iter().collect()));
    pieces
}

/// The ranges of ports between those named.
fn gaps(named: &[u16]) -> impl Iterator<Item = (u16, u16)> + '_ {
    let firsts = [Some(0)].into_iter().chain(named.iter().map(|port| port.checked_add(1)));
    let lasts = named.iter().map(|port| port.checked_sub(1)).chain([Some(u16::MAX)]);
    firsts.zip(lasts).filter_map(|(first, last)| first.zip(last)).filter(|(a, b)| a <= b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(range: &str, port: u16, mark: u32) -> Claim {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let [first, last] = [first, last].map(|addr| addr.parse().expect("an address"));
        Claim { protocol: Protocol::Tcp, first, last, port, mark }
    }

    fn shown(claims: &[Claim], family: Family) -> Vec<String> {
        let shown = |(area, mark): (Area, u32)| {
            let Area { first, last, first_port, last_port, .. } = area;
            format!("{first}-{last} {first_port}-{last_port} {mark}")
        };
        areas(claims, family).into_iter().map(shown).collect()
    }

    #[test]
    fn a_claim_is_one_area() {
        let claims = [claim("10.9.0.100", 80, 5000), claim("10.9.0.110-10.9.0.115", 80, 5000)];
        assert_eq!(
            shown(&claims, Family::V4),
            ["10.9.0.100-10.9.0.100 80-80 5000", "10.9.0.110-10.9.0.115 80-80 5000"]
        );
        assert_eq!(shown(&claims, Family::V6), [""; 0]);
    }

    #[test]
    fn the_first_of_overlapping_claims_applies() {
        let claims = [
            claim("10.0.0.3", 80, 1),
            claim("10.0.0.1-10.0.0.5", 80, 2),
            claim("10.0.0.5-10.0.0.6", 80, 3),
            claim("10.0.0.2-10.0.0.3", 80, 4),
        ];
        assert_eq!(
            shown(&claims, Family::V4),
            [
                "10.0.0.1-10.0.0.2 80-80 2",
                "10.0.0.3-10.0.0.3 80-80 1",
                "10.0.0.4-10.0.0.5 80-80 2",
                "10.0.0.6-10.0.0.6 80-80 3",
            ]
        );
    }

    #[test]
    fn a_port_precedes_all_ports() {
        let claims = [
            claim("10.0.0.1-10.0.0.3", 0, 1),
            claim("10.0.0.2", 80, 2),
            claim("10.0.0.3", 443, 2),
            claim("10.0.0.2", 443, 2),
        ];
        assert_eq!(
            shown(&claims, Family::V4),
            [
                "10.0.0.1-10.0.0.1 0-65535 1",
                "10.0.0.2-10.0.0.2 0-79 1",
                "10.0.0.2-10.0.0.2 80-80 2",
                "10.0.0.2-10.0.0.2 81-442 1",
                "10.0.0.2-10.0.0.2 443-443 2",
                "10.0.0.2-10.0.0.2 444-65535 1",
                "10.0.0.3-10.0.0.3 0-442 1",
                "10.0.0.3-10.0.0.3 443-443 2",
                "10.0.0.3-10.0.0.3 444-65535 1",
            ]
        );
    }

    #[test]
    fn the_last_address_and_port_are_no_exception() {
        let last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        let claims = [claim(last, 65_535, 1), claim(last, 65_535, 2), claim(last, 0, 3)];
        assert_eq!(
            shown(&claims, Family::V6),
            [format!("{last}-{last} 0-65534 3"), format!("{last}-{last} 65535-65535 1")]
        );
    }
}
