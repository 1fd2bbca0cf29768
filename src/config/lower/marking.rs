//! Addresses that more than one virtual server has, of which one has a mark (`nftables_ipvs`).

use std::rc::Rc;

use super::Scene;
use crate::base::addr::{number_of, Family};
use crate::base::diag;
use crate::model::diff::Groups;
use crate::model::lvs::{GroupEntry, Protocol, Service, VirtualServer};
use crate::model::Config;

/// Addresses of one virtual server, in the order of the search.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    kind: (Option<Protocol>, Family, u16),
    first: u128,
    last: u128,
    /// Index of the virtual server.
    server: usize,
}

/// Warns once for each virtual server that loses packets to another one: a packet has one mark.
pub(super) fn check(scene: &mut Scene<'_, '_>, config: &Config, places: &[diag::Span]) {
    let servers = &config.virtual_servers;
    if servers.iter().all(|vs| vs.mark.is_none()) {
        return;
    }
    let groups = Groups::of(config);
    let spans = |(n, vs): (usize, &Rc<VirtualServer>)| spans(&groups, n, vs);
    let mut spans: Vec<_> = servers.iter().enumerate().flat_map(spans).collect();
    spans.sort();
    let mut losers: Vec<(usize, usize)> = Vec::new();
    let mut widest: Option<Span> = None;
    for span in spans {
        if let Some(other) = widest.filter(|w| w.kind == span.kind && w.last >= span.first) {
            losers.extend(loser(servers, other.server, span.server));
        }
        if !widest.is_some_and(|w| w.kind == span.kind && w.last >= span.last) {
            widest = Some(span);
        }
    }
    losers.sort_unstable();
    losers.dedup_by_key(|(loser, _)| *loser);
    for (loser, winner) in losers {
        let place = places[loser];
        let (loser, winner) = (&servers[loser], &servers[winner]);
        let text = format!(
            "{loser} and {winner} have addresses in common: nftables_ipvs gives their packets to {winner}"
        );
        scene.checker.out.warn("nftables_ipvs", place, text);
    }
}

fn spans(groups: &Groups<'_>, server: usize, vs: &VirtualServer) -> Vec<Span> {
    let span = |first, last, port| Span {
        kind: (vs.protocol, Family::of(&first), port),
        first: number_of(first),
        last: number_of(last),
        server,
    };
    match vs.service {
        Service::Address { addr, port } => vec![span(addr, addr, port)],
        Service::Fwmark(_) => Vec::new(),
        Service::Group { .. } => {
            let entries = groups.entries(vs).unwrap_or_default().iter();
            let spans = entries.filter_map(|entry| match *entry {
                GroupEntry::Range { first, last, port } => Some(span(first, last, port)),
                GroupEntry::Fwmark { .. } => None,
            });
            spans.collect()
        }
    }
}

/// The virtual server that loses packets, and the one that gets them: the first one with a mark.
fn loser(servers: &[Rc<VirtualServer>], a: usize, b: usize) -> Option<(usize, usize)> {
    let is_marked = |n: usize| servers[n].mark.is_some();
    match (is_marked(a), is_marked(b)) {
        _ if a == b => None,
        (true, true) => Some((a.max(b), a.min(b))),
        (true, false) => Some((b, a)),
        (false, true) => Some((a, b)),
        (false, false) => None,
    }
}
