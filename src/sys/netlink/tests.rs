mod random;

use super::*;
use crate::base::route::{kind, metric, NextHop, RouteMetrics};
use crate::base::rule::RuleAction;
use crate::model::route::Placement;

/// What follows the header of a message.
fn body(message: &dyn Emitable) -> Vec<u8> {
    serialized(0, 0, message).split_off(16)
}

/// Bytes of two digits, and numbers of four and of eight in the order of this machine.
fn hex(text: &str) -> Vec<u8> {
    let read = |digits: &str| {
        let number = u32::from_str_radix(digits, 16).expect("hexadecimal");
        match digits.len() {
            2 => vec![number as u8],
            4 => (number as u16).to_ne_bytes().to_vec(),
            _ => number.to_ne_bytes().to_vec(),
        }
    };
    text.split_whitespace().flat_map(read).collect()
}

fn prefix(text: &str) -> Prefix {
    let (addr, len) = text.split_once('/').expect("a length");
    Prefix { addr: addr.parse().expect("an address"), len: len.parse().expect("a number") }
}

fn hop(via: &str, link: u32) -> NextHop<u32> {
    let via = (!via.is_empty()).then(|| via.parse().expect("an address"));
    NextHop::plain(via, Some(link))
}

fn route(destination: &str, next_hops: Vec<NextHop<u32>>) -> Route<u32> {
    Route { next_hops, ..Route::plain(prefix(destination)) }
}

fn rule(priority: u32, action: RuleAction) -> Rule {
    Rule::plain(Family::V4, priority, action)
}

/// Messages of keepalived for the same words.
#[test]
fn routes_are_added_as_by_keepalived() {
    let new = |route: &Route<u32>| body(&route::addition(route));
    let mut plain = route("10.1.0.0/16", vec![hop("10.0.0.2", 3)]);
    plain.metric = Some(5);
    let captured = hex("02 10 00 00 fe 12 00 01 00000000  0008 0001 0a 01 00 00 \
                        0008 0005 0a 00 00 02  0008 0004 00000003  0008 0006 00000005");
    assert_eq!(new(&plain), captured);

    let first = NextHop { weight: 2, ..hop("10.0.0.2", 3) };
    let several = route("10.3.0.0/16", vec![first, hop("10.0.0.3", 3)]);
    let captured = hex("02 10 00 00 fe 12 00 01 00000000  0008 0001 0a 03 00 00  0024 0009 \
                        0010 00 01 00000003  0008 0005 0a 00 00 02  0010 00 00 00000003 \
                        0008 0005 0a 00 00 03");
    assert_eq!(new(&several), captured);

    let mut v6 = route("2001:db8:1::/48", vec![hop("2001:db8::2", 3)]);
    v6.metric = Some(7);
    let captured = hex("0a 30 00 00 fe 12 00 01 00000000 \
                        0014 0001 20 01 0d b8 00 01 00 00 00 00 00 00 00 00 00 00 \
                        0014 0005 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 \
                        0008 0004 00000003  0008 0006 00000007");
    assert_eq!(new(&v6), captured);
}

#[test]
fn rules_are_added_as_by_keepalived() {
    let new = |rule: &Rule| body(&rule::message(rule));
    let mut first = rule(100, RuleAction::Table(1000));
    first.from = Some(prefix("10.1.0.0/16"));
    first.to = Some(prefix("10.2.0.0/16"));
    first.iif = Some("e0".into());
    let captured = hex("02 10 10 00 00 00 00 01 00000000  0008 000f 000003e8 \
                        0008 0002 0a 01 00 00  0008 0001 0a 02 00 00  0008 0006 00000064 \
                        0007 0003 65 30 00 00  0005 0015 12 00 00 00");
    assert_eq!(new(&first), captured);

    let mut second = rule(101, RuleAction::Prohibit);
    second.family = Family::V6;
    second.to = Some(prefix("2001:db8:1::/48"));
    second.mark = Some((5, 255));
    second.ip_protocol = Some(6);
    second.destination_ports = Some((80, 90));
    let captured = hex("0a 30 00 00 00 00 00 08 00000000 \
                        0014 0001 20 01 0d b8 00 01 00 00 00 00 00 00 00 00 00 00 \
                        0008 0006 00000065  0008 000a 00000005  0008 0010 000000ff \
                        0005 0015 12 00 00 00  0005 0016 06 00 00 00  0008 0018 0050 005a");
    assert_eq!(new(&second), captured);
}

#[test]
fn ways_of_adding() {
    assert_eq!(route::flags(Placement::First), NLM_F_CREATE);
    assert_eq!(route::flags(Placement::Alone), NLM_F_CREATE | NLM_F_EXCL);
    assert_eq!(route::flags(Placement::Last), NLM_F_CREATE | 0x800);
}

#[test]
fn a_removal_names_what_the_kernel_chose() {
    let mut usual = route("2001:db8::/32", vec![hop("", 3)]);
    usual.metrics.values.insert(metric::MTU, 1400);
    usual.expires = Some(5);
    let attributes = route::removal(&usual).attributes;
    let kinds: Vec<_> = attributes.iter().map(netlink_packet_core::Nla::kind).collect();
    // Destination, interface and metric.
    assert_eq!(kinds, [1, 4, 6]);
    let host = route("10.0.0.0/8", vec![hop("", 3)]);
    assert_eq!(u8::from(route::removal(&host).header.scope), 253);
}

#[test]
fn a_default_route_leads_to_all_addresses() {
    let mut message = route::addition(&route("0.0.0.0/0", vec![hop("10.0.0.1", 3)]));
    // As the kernel reports it.
    message.attributes.retain(|a| netlink_packet_core::Nla::kind(a) != 1);
    let found = route::of(&message).expect("a route");
    assert_eq!(found.destination, Prefix::all(Family::V4));
    assert_eq!((found.metric, found.scope), (Some(0), Some(0)));
}

#[test]
fn dead_ends_of_ipv6_have_no_next_hop() {
    let mut dead = route("2001:db8::/32", vec![hop("", 1)]);
    let mut message = route::addition(&dead);
    message.header.kind = netlink_packet_route::route::RouteType::BlackHole;
    dead.kind = kind::BLACKHOLE;
    dead.next_hops.clear();
    assert_eq!(route::of(&message), Some(dead.normalized()));
}

#[test]
fn copies_in_a_cache_and_other_families_are_no_routes() {
    let mut message = route::addition(&route("2001:db8::/32", vec![hop("", 1)]));
    message.header.flags |= netlink_packet_route::route::RouteFlags::Cloned;
    assert_eq!(route::of(&message), None);
    message.header.flags = netlink_packet_route::route::RouteFlags::empty();
    message.header.address_family = AddressFamily::Mpls;
    assert_eq!(route::of(&message), None);
}
