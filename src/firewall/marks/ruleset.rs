//! Contents of a table: for each protocol a map from addresses and ports to marks, and a rule.

use std::net::IpAddr;

use super::area::Area;
use super::claim::Settings;
use crate::base::addr::Family;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::model::lvs::Protocol;
use crate::wire::netlink::nft::{
    self, Base, Batch, Data, Element, Expr, Hook, Meta, Register, Set, Verdict,
};

const CHAIN: &str = "in";

/// Form of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Form {
    pub(super) settings: Settings,
    /// Protocols that have a map and a rule.
    pub(super) protocols: SortedSet<Protocol>,
}

/// Messages that make a table with all it contains.
pub(super) fn make(family: Family, form: &Form, areas: &SortedMap<Area, u32>, batch: &mut Batch) {
    let Form { settings, protocols } = form;
    let table = nft::Table { family, name: &settings.table };
    batch.add_table(table);
    for protocol in protocols {
        batch.add_set(table, &map(family, *protocol, settings.counters));
    }
    batch.add_base_chain(table, CHAIN, Hook::Input, settings.priority);
    by_protocol(areas.iter(), |map, elements| batch.add_elements(table, map, elements));
    for protocol in protocols {
        batch.add_rule(table, CHAIN, &rule(family, *protocol, settings.counters));
    }
}

/// Messages that change the elements of a table.
pub(super) fn change(
    table: nft::Table<'_>,
    before: &SortedMap<Area, u32>,
    after: &SortedMap<Area, u32>,
    batch: &mut Batch,
) {
    let removed = before.iter().filter(|(area, mark)| after.get(area) != Some(mark));
    by_protocol(removed, |map, elements| batch.remove_elements(table, map, elements));
    let added = after.iter().filter(|(area, mark)| before.get(area) != Some(mark));
    by_protocol(added, |map, elements| batch.add_elements(table, map, elements));
}

/// Passes on areas, which are in order, protocol by protocol.
fn by_protocol<'a>(
    areas: impl Iterator<Item = (&'a Area, &'a u32)>,
    mut each: impl FnMut(&str, &[Element]),
) {
    let mut elements: SortedMap<Protocol, Vec<Element>> = SortedMap::new();
    for (area, mark) in areas {
        elements.entry(area.protocol).or_default().push(element(area, *mark));
    }
    for (protocol, elements) in &elements {
        each(map_name(*protocol), elements);
    }
}

const fn map_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp_map",
        Protocol::Udp => "udp_map",
        Protocol::Sctp => "sctp_map",
    }
}

const fn map(family: Family, protocol: Protocol, counters: bool) -> Set<'static> {
    let key: &[_] = match family {
        Family::V4 => &[Data::Ipv4Address, Data::Port],
        Family::V6 => &[Data::Ipv6Address, Data::Port],
    };
    let plain = Set::new(map_name(protocol), key);
    Set { data: Some(Data::Mark), ranges: true, counters, ..plain }
}

fn element(area: &Area, mark: u32) -> Element {
    Element {
        key: key(area.first, area.first_port),
        key_end: Some(key(area.last, area.last_port)),
        data: Some(mark.to_ne_bytes().to_vec()),
    }
}

/// Address and port, each in a multiple of four bytes.
fn key(addr: IpAddr, port: u16) -> Vec<u8> {
    let [high, low] = port.to_be_bytes();
    let addr = match addr {
        IpAddr::V4(addr) => addr.octets().to_vec(),
        IpAddr::V6(addr) => addr.octets().to_vec(),
    };
    [addr, vec![high, low, 0, 0]].concat()
}

/// Sets the mark from the map. The chain ends there, since a packet has one protocol.
fn rule(family: Family, protocol: Protocol, counters: bool) -> Vec<Expr<'static>> {
    let number: &[u8] = match protocol {
        Protocol::Tcp => const { &[Protocol::Tcp.number()] },
        Protocol::Udp => const { &[Protocol::Udp.number()] },
        Protocol::Sctp => const { &[Protocol::Sctp.number()] },
    };
    // The destination address, and where a value behind it belongs.
    let (offset, len, behind) = match family {
        Family::V4 => (16, 4, Register::SecondWord),
        Family::V6 => (24, 16, Register::Second),
    };
    let mut steps = vec![
        Expr::Meta(Meta::Transport, Register::First),
        Expr::Equal(Register::First, number),
        Expr::Payload { base: Base::Network, offset, len, to: Register::First },
        Expr::Payload { base: Base::Transport, offset: 2, len: 2, to: behind },
        Expr::Map(Register::First, map_name(protocol)),
        Expr::SetMeta(Meta::Mark, Register::First),
    ];
    steps.extend(counters.then_some(Expr::Counter));
    steps.push(Expr::Verdict(Verdict::Return));
    steps
}
