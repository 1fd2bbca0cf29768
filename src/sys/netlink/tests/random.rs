//! Any route and any rule.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::base::route::kind::MULTICAST;
use crate::base::route::{Encap, Tunnel};
use crate::sys::netlink::message::parse_all;

/// The same message as the kernel would send it.
fn read(kind: u16, message: &dyn Emitable) -> Message {
    let bytes = serialized(kind, 0, message);
    let mut found = Vec::new();
    parse_all(&bytes, &mut |message| found.push(message));
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn v4() -> impl Strategy<Value = IpAddr> {
    any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).into())
}

fn v6() -> impl Strategy<Value = IpAddr> {
    any::<u128>().prop_map(|bits| Ipv6Addr::from(bits).into())
}

fn address(family: Family) -> BoxedStrategy<IpAddr> {
    match family {
        Family::V4 => v4().boxed(),
        Family::V6 => v6().boxed(),
    }
}

fn a_prefix(family: Family) -> impl Strategy<Value = Prefix> {
    (address(family), 0..=family.bits()).prop_map(|(addr, len)| Prefix { addr, len }.network())
}

fn an_encap() -> impl Strategy<Value = Encap> {
    let tunnel = |family: Family| {
        let ends = (of(address(family)), of(address(family)));
        let rest = (of(any::<u64>()), of(any::<u8>()), of(any::<u8>()), of(any::<u16>()));
        (ends, rest).prop_map(move |((destination, source), (id, tos, ttl, flags))| {
            Encap::Tunnel(Tunnel { family, id, destination, source, tos, ttl, flags })
        })
    };
    prop_oneof![
        tunnel(Family::V4),
        tunnel(Family::V6),
        prop::collection::vec(0..1u32 << 20, 1..5).prop_map(Encap::Mpls),
        any::<u64>().prop_map(Encap::Ila),
    ]
}

fn of<S: Strategy>(strategy: S) -> impl Strategy<Value = Option<S::Value>>
where
    S::Value: Clone,
{
    prop::option::of(strategy)
}

fn a_hop(family: Family) -> impl Strategy<Value = NextHop<u32>> {
    let via = of(prop_oneof![v4(), v6()]);
    let rest = (1..1000u32, 1..=256u16, any::<bool>(), of(an_encap()), of(any::<u32>()));
    (via, rest).prop_map(move |(via, (link, weight, onlink, encap, realms))| {
        let realms = realms.filter(|_| family == Family::V4);
        NextHop { via, link: Some(link), weight, onlink, encap, realms }
    })
}

fn a_route() -> impl Strategy<Value = Route<u32>> {
    prop_oneof![Just(Family::V4), Just(Family::V6)].prop_flat_map(|family| {
        let metrics = prop::collection::btree_map(
            (2..15u16).prop_union(15..17).prop_map(|n| if n < 16 { n } else { 17 }),
            any::<u32>(),
            0..4,
        );
        let values = (metrics, of("[a-z]{1,15}"), any::<u32>());
        let metrics = values.prop_map(|(values, congestion, locked)| RouteMetrics {
            values: values.into_iter().collect(),
            congestion,
            locked,
        });
        let addresses =
            (a_prefix(family), of(a_prefix(family)), of(address(family)), 1..=9u8, any::<u8>());
        let numbers = (any::<u32>(), any::<u8>(), of(any::<u8>()), of(any::<u32>()));
        let hops = (prop::collection::vec(a_hop(family), 0..4), of(1..100u32));
        let rest = (of(any::<u32>()), of(0..4u8), of(any::<bool>()), metrics);
        (addresses, numbers, hops, rest).prop_map(move |(a, n, (next_hops, nexthop_id), r)| {
            let (destination, from, source, kind, tos) = a;
            let (table, protocol, scope, metric) = n;
            let (expires, preference, ttl_propagate, metrics) = r;
            Route {
                family,
                kind,
                destination,
                from: from.filter(|_| family == Family::V6),
                tos,
                table,
                protocol,
                scope,
                source,
                metric,
                next_hops,
                nexthop_id,
                // Of multicast routes, the kernel reports it otherwise.
                expires: expires.filter(|_| family == Family::V6 && kind != MULTICAST),
                preference,
                ttl_propagate,
                metrics,
            }
        })
    })
}

fn a_rule() -> impl Strategy<Value = Rule> {
    let action = prop_oneof![
        (1..=u32::MAX).prop_map(RuleAction::Table),
        Just(RuleAction::L3mdev),
        any::<u32>().prop_map(RuleAction::Goto),
        Just(RuleAction::Nop),
        Just(RuleAction::Blackhole),
        Just(RuleAction::Unreachable),
        Just(RuleAction::Prohibit),
    ];
    let family = prop_oneof![Just(Family::V4), Just(Family::V6)];
    let targets = family.prop_flat_map(|family| {
        let target = || of(a_prefix(family)).prop_map(|p| p.filter(|p| p.len > 0));
        (Just(family), target(), target())
    });
    let numbers = (any::<u32>(), any::<u8>(), any::<bool>(), of((any::<u32>(), any::<u32>())));
    let names = (of("[a-z0-9]{1,15}"), of("[a-z0-9]{1,15}"), of(any::<u32>()));
    let suppress = (of(0..u32::MAX), of(0..u32::MAX), of(1..=u64::MAX));
    let rest = (
        of((any::<u32>(), any::<u32>())),
        of(1..=u8::MAX),
        of(1..=u8::MAX),
        of((any::<u16>(), any::<u16>())),
        of((any::<u16>(), any::<u16>())),
    );
    (action, targets, numbers, names, suppress, rest).prop_map(
        |(action, (family, from, to), n, (iif, oif, realms), s, rest)| {
            let (priority, tos, invert, mark) = n;
            let (suppress_prefix_len, suppress_group, tunnel) = s;
            let (users, protocol, ip_protocol, source_ports, destination_ports) = rest;
            Rule {
                family,
                priority,
                action,
                invert,
                from,
                to,
                tos,
                mark,
                iif,
                oif,
                realms,
                suppress_prefix_len,
                suppress_group,
                tunnel,
                users,
                protocol,
                ip_protocol,
                source_ports,
                destination_ports,
            }
        },
    )
}

proptest! {
    #[test]
    fn a_route_is_read_as_it_was_written(route in a_route()) {
        let message = read(libc::RTM_NEWROUTE, &route::addition(&route));
        let Message::NewRoute(message) = message else { panic!("a route") };
        prop_assert_eq!(route::of(&message), Some(route.normalized()));
    }

    #[test]
    fn a_removal_is_that_of_the_same_route(route in a_route()) {
        let message = read(libc::RTM_DELROUTE, &route::removal(&route));
        let Message::DelRoute(message) = message else { panic!("a route") };
        let bare = Route {
            expires: None,
            preference: None,
            ttl_propagate: None,
            metrics: RouteMetrics::default(),
            ..route
        };
        prop_assert_eq!(route::of(&message), Some(bare.normalized()));
    }

    #[test]
    fn a_rule_is_read_as_it_was_written(rule in a_rule()) {
        let message = read(libc::RTM_NEWRULE, &rule::message(&rule));
        let Message::NewRule(message) = message else { panic!("a rule") };
        prop_assert_eq!(rule::of(&message), Some(rule));
    }

    /// A newer kernel may send anything.
    #[test]
    fn any_body_can_be_read(
        kind in prop::sample::select(vec![16u16, 17, 20, 21, 24, 25, 32, 33]),
        family in prop::sample::select(vec![0u8, 2, 10]),
        header in prop::array::uniform11(any::<u8>()),
        attributes in prop::collection::vec((0..32u16, prop::collection::vec(any::<u8>(), 0..40)), 0..6),
    ) {
        let mut bytes = Vec::new();
        let mut w = crate::wire::netlink::Writer::begin(&mut bytes, kind, 0);
        w.raw(&[&[family], &header[..]].concat());
        for (kind, value) in attributes {
            w.bytes(kind, &value);
        }
        w.finish();
        parse_all(&bytes, &mut |message| match message {
            Message::NewRoute(m) | Message::DelRoute(m) => {
                let _ = route::of(&m);
            }
            Message::NewRule(m) | Message::DelRule(m) => {
                let _ = rule::of(&m);
            }
            _ => {}
        });
    }
}
