use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::base::addr::Family;
use crate::wire::netlink::{attributes, genl, messages};
use crate::wire::Malformed;

const KEY: ServiceKey =
    ServiceKey::Address { protocol: Protocol::Tcp, addr: v4([10, 1, 2, 3]), port: 80 };

const fn v4(a: [u8; 4]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a[0], a[1], a[2], a[3]))
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// Command and attributes of a request.
fn emitted(request: &Request) -> (u8, Vec<u8>) {
    let mut out = Vec::new();
    request.emit(0x21, &mut out);
    assert_eq!(out.len() % 4, 0);
    let (header, body) = messages(&out).next().expect("a message");
    assert_eq!((header.kind, header.flags), (0x21, 1));
    let (command, list) = genl::parse(body).expect("a command");
    assert_eq!(body[1], 1, "the version of the family");
    (command, list.to_vec())
}

fn list_of(data: &[u8]) -> Vec<(u16, Vec<u8>)> {
    attributes(data).map(|a| a.map(|(k, v)| (k, v.to_vec())).expect("sound")).collect()
}

#[test]
fn an_added_service_has_all_settings() {
    let mut service = Service::new(KEY, name("wlc"));
    service.flags = ServiceFlags::PERSISTENT.with(ServiceFlags::ONE_PACKET);
    service.timeout = 300;
    service.netmask = 0xffff_ff00;
    let (command, list) = emitted(&Request::AddService(service));
    assert_eq!(command, 1);
    let outer = list_of(&list);
    assert_eq!(outer.len(), 1);
    assert_eq!(outer[0].0, 1);
    let mut addr = vec![0; 16];
    addr[..4].copy_from_slice(&[10, 1, 2, 3]);
    let mut flags = 5u32.to_ne_bytes().to_vec();
    flags.extend([0xff; 4]);
    let expected = [
        (1, 2u16.to_ne_bytes().to_vec()),
        (2, 6u16.to_ne_bytes().to_vec()),
        (3, addr),
        (4, vec![0, 80]),
        (6, b"wlc\0".to_vec()),
        (7, flags),
        (8, 300u32.to_ne_bytes().to_vec()),
        (9, vec![255, 255, 255, 0]),
    ];
    assert_eq!(list_of(&outer[0].1), expected);
}

#[test]
fn a_mark_replaces_protocol_address_and_port() {
    let key = ServiceKey::FwMark { family: Family::V6, mark: 7 };
    let (command, list) = emitted(&Request::RemoveService(key));
    assert_eq!(command, 3);
    let expected = [(1, 10u16.to_ne_bytes().to_vec()), (5, 7u32.to_ne_bytes().to_vec())];
    assert_eq!(list_of(&list_of(&list)[0].1), expected);
}

#[test]
fn the_default_mask_treats_clients_separately() {
    assert_eq!(Service::new(KEY, name("rr")).netmask, 0xffff_ffff);
    let v6 = ServiceKey::FwMark { family: Family::V6, mark: 1 };
    let (_, list) = emitted(&Request::AddService(Service::new(v6, name("rr"))));
    let inner = list_of(&list_of(&list)[0].1);
    assert_eq!(inner.last(), Some(&(9, 128u32.to_ne_bytes().to_vec())));
}

#[test]
fn the_flag_set_by_the_kernel_is_ignored() {
    let wanted = Service::new(KEY, name("rr"));
    let seen = Service { flags: ServiceFlags::HASHED, ..wanted };
    assert!(wanted.is_held_as(&seen) && seen.is_held_as(&wanted));
    assert!(!wanted.is_held_as(&Service { timeout: 1, ..wanted }));
}

fn destination(forwarding: Forwarding) -> Destination {
    let key = DestinationKey { addr: v4([10, 9, 9, 9]), port: 8080 };
    Destination { key, forwarding, weight: 3, upper_threshold: 20, lower_threshold: 10 }
}

#[test]
fn tunnel_attributes_go_with_tunnels_only() {
    let tunnel = Tunnel { encapsulation: Encapsulation::Gue, port: 6080, flags: Tunnel::CHECKSUM };
    let kinds = |forwarding| {
        let (command, list) = emitted(&Request::AddDestination(KEY, destination(forwarding)));
        assert_eq!(command, 5);
        let outer = list_of(&list);
        assert_eq!((outer[0].0, outer[1].0), (1, 2));
        list_of(&outer[1].1)
    };
    let plain: Vec<_> = kinds(Forwarding::Route).into_iter().map(|(k, _)| k).collect();
    assert_eq!(plain, [11, 1, 2, 3, 4, 5, 6]);
    let list = kinds(Forwarding::Tunnel(tunnel));
    assert!(list.contains(&(13, vec![1])));
    assert!(list.contains(&(14, 6080u16.to_be_bytes().to_vec())));
    assert!(list.contains(&(15, 1u16.to_ne_bytes().to_vec())));
}

#[test]
fn only_address_translation_changes_the_port() {
    let port = |forwarding, service: &ServiceKey| destination(forwarding).behind(service).key.port;
    let mark = ServiceKey::FwMark { family: Family::V4, mark: 7 };
    assert_eq!(port(Forwarding::Masq, &KEY), 8080);
    assert_eq!(port(Forwarding::Masq, &mark), 8080);
    assert_eq!(port(Forwarding::Route, &KEY), 80);
    assert_eq!(port(Forwarding::Tunnel(Tunnel::IPIP), &mark), 0);
    let mut same = destination(Forwarding::Masq);
    same.key.port = 0;
    assert_eq!(same.behind(&KEY).key.port, 80);
}

#[test]
fn a_removed_destination_is_sent_as_its_key_only() {
    let key = destination(Forwarding::Masq).key;
    let (command, list) = emitted(&Request::RemoveDestination(KEY, key));
    assert_eq!(command, 7);
    let kinds: Vec<_> = list_of(&list_of(&list)[1].1).into_iter().map(|(k, _)| k).collect();
    assert_eq!(kinds, [11, 1, 2]);
}

#[test]
fn counters_of_64_bits_win_in_any_order() {
    let nested = |kind, stats: &[(u16, &[u8])], out: &mut Vec<u8>| {
        let mut w = crate::wire::netlink::Writer::begin(out, 0, 0);
        w.nested(kind, |w| stats.iter().for_each(|(k, v)| w.bytes(*k, v)));
        w.finish();
        out.drain(..16);
    };
    let (mut old, mut new) = (Vec::new(), Vec::new());
    nested(10, &[(1, &5u32.to_ne_bytes()), (4, &6u64.to_ne_bytes())], &mut old);
    nested(12, &[(1, &(5u64 << 40).to_ne_bytes()), (99, b"later")], &mut new);
    let (_, service) = emitted(&Request::AddService(Service::new(KEY, name("rr"))));
    for order in [[&old[..], &new[..]].concat(), [&new[..], &old[..]].concat(), old.clone()] {
        let mut inner = list_of(&service)[0].1.clone();
        inner.extend_from_slice(&order);
        let mut outer = u16::try_from(inner.len() + 4).expect("small").to_ne_bytes().to_vec();
        outer.extend_from_slice(&1u16.to_ne_bytes());
        outer.extend_from_slice(&inner);
        let stats = SeenService::parse(&outer).expect("a service").stats;
        if order.len() == old.len() {
            assert_eq!((stats.connections, stats.bytes_in), (5, 6));
        } else {
            assert_eq!((stats.connections, stats.bytes_in), (5 << 40, 0));
        }
    }
}

#[test]
fn a_destination_without_a_family_has_that_of_its_service() {
    let (_, list) = emitted(&Request::AddDestination(KEY, destination(Forwarding::Masq)));
    let mut data = list_of(&list)[1].1.clone();
    assert_eq!(data.drain(..8).count(), 8); // the attribute with the family
    let mut outer = u16::try_from(data.len() + 4).expect("small").to_ne_bytes().to_vec();
    outer.extend_from_slice(&2u16.to_ne_bytes());
    outer.extend_from_slice(&data);
    let seen = SeenDestination::parse(&outer, Family::V4).expect("a destination");
    assert_eq!(seen.destination, destination(Forwarding::Masq));
    let seen = SeenDestination::parse(&outer, Family::V6).expect("a destination");
    assert_eq!(Family::of(&seen.destination.key.addr), Family::V6);
}

#[test]
fn timeouts_and_info_are_read() {
    let wanted = Timeouts { tcp: 900, tcp_fin: 120, udp: 300 };
    let (command, list) = emitted(&Request::SetTimeouts(wanted));
    assert_eq!((command, Timeouts::parse(&list)), (12, Ok(wanted)));
    let mut out = Vec::new();
    let mut w = genl::begin(&mut out, 0x21, 0, 14, 1);
    w.u32(1, 0x1_02_01);
    w.u32(2, 4096);
    w.finish();
    let info = Info { version: 0x1_02_01, connection_table_size: 4096 };
    assert_eq!(Info::parse(&out[20..]), Ok(info));
}

#[test]
fn dump_queries_have_the_dump_flag() {
    for (query, command, dump) in [
        (Query::Services, 4, true),
        (Query::Destinations(KEY), 8, true),
        (Query::Daemons, 11, true),
        (Query::Timeouts, 13, false),
        (Query::Info, 15, false),
    ] {
        let mut out = Vec::new();
        query.emit(0x21, &mut out);
        let (header, body) = messages(&out).next().expect("a message");
        assert_eq!(header.flags, if dump { 0x301 } else { 5 });
        assert_eq!(body[0], command);
        assert_eq!(body.len() > 4, query == Query::Destinations(KEY));
    }
}

fn a_name() -> impl Strategy<Value = Name> {
    "[a-z0-9_.-]{1,15}".prop_map(|text| name(&text))
}

fn an_address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(v4),
        any::<[u8; 16]>().prop_map(|a| Ipv6Addr::from(a).into()),
    ]
}

fn a_key() -> impl Strategy<Value = ServiceKey> {
    let protocol = prop::sample::select(vec![Protocol::Tcp, Protocol::Udp, Protocol::Sctp]);
    let family = prop::sample::select(vec![Family::V4, Family::V6]);
    prop_oneof![
        (protocol, an_address(), any::<u16>())
            .prop_map(|(protocol, addr, port)| ServiceKey::Address { protocol, addr, port }),
        (family, any::<u32>()).prop_map(|(family, mark)| ServiceKey::FwMark { family, mark }),
    ]
}

fn a_service() -> impl Strategy<Value = Service> {
    (a_key(), a_name(), any::<[u32; 3]>(), prop::option::of(a_name())).prop_map(
        |(key, scheduler, [flags, timeout, netmask], engine)| Service {
            key,
            scheduler,
            flags: ServiceFlags(flags),
            timeout,
            netmask,
            engine,
        },
    )
}

fn a_destination() -> impl Strategy<Value = Destination> {
    let encapsulation = vec![Encapsulation::IpIp, Encapsulation::Gue, Encapsulation::Gre];
    let tunnel = (prop::sample::select(encapsulation), any::<u16>(), any::<u16>())
        .prop_map(|(encapsulation, port, flags)| Tunnel { encapsulation, port, flags });
    let plain = [Forwarding::Masq, Forwarding::Local, Forwarding::Route, Forwarding::Bypass];
    let forwarding =
        prop_oneof![prop::sample::select(plain.to_vec()), tunnel.prop_map(Forwarding::Tunnel)];
    (an_address(), any::<u16>(), forwarding, any::<i32>(), any::<[u32; 2]>()).prop_map(
        |(addr, port, forwarding, weight, [upper_threshold, lower_threshold])| Destination {
            key: DestinationKey { addr, port },
            forwarding,
            weight,
            upper_threshold,
            lower_threshold,
        },
    )
}

fn a_daemon() -> impl Strategy<Value = Daemon> {
    (
        prop::sample::select(vec![Role::Master, Role::Backup]),
        a_name(),
        any::<u32>(),
        any::<[Option<u16>; 2]>(),
        any::<Option<u8>>(),
        prop::option::of(an_address()),
    )
        .prop_map(|(role, interface, id, [max_len, port], ttl, group)| Daemon {
            role,
            interface,
            id,
            max_len,
            port,
            ttl,
            group,
        })
}

/// Runs every parser of replies, and checks that emitting the parsed values gives the same result.
fn read_all(list: &[u8]) {
    if let Ok(SeenService { service, .. }) = SeenService::parse(list) {
        let (_, again) = emitted(&Request::AddService(service));
        assert_eq!(SeenService::parse(&again).map(|s| s.service), Ok(service));
    }
    for family in [Family::V4, Family::V6] {
        let Ok(seen) = SeenDestination::parse(list, family) else { continue };
        let (_, again) = emitted(&Request::AddDestination(KEY, seen.destination));
        let again = SeenDestination::parse(&again, family).map(|s| s.destination);
        assert_eq!(again, Ok(seen.destination));
    }
    if let Ok(daemon) = Daemon::parse(list) {
        let (_, again) = emitted(&Request::StartDaemon(daemon));
        assert_eq!(Daemon::parse(&again), Ok(daemon));
    }
    let _ = Timeouts::parse(list);
    let _ = Info::parse(list);
}

proptest! {
    #[test]
    fn a_service_is_read_as_it_was_written(service in a_service()) {
        let (_, list) = emitted(&Request::AddService(service));
        let seen = SeenService::parse(&list).map(|s| s.service);
        prop_assert_eq!(seen, Ok(service));
        for len in 1..list.len() - 3 {
            prop_assert_eq!(SeenService::parse(&list[..len]), Err(Malformed));
        }
    }

    #[test]
    fn a_destination_is_read_as_it_was_written(key in a_key(), d in a_destination()) {
        let (_, list) = emitted(&Request::ChangeDestination(key, d));
        let seen = SeenDestination::parse(&list, key.family()).map(|s| s.destination);
        prop_assert_eq!(seen, Ok(d));
    }

    #[test]
    fn a_daemon_is_read_as_it_was_written(daemon in a_daemon()) {
        let (_, list) = emitted(&Request::StartDaemon(daemon));
        prop_assert_eq!(Daemon::parse(&list), Ok(daemon));
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for (_, body) in messages(&bytes) {
            let _ = genl::parse_family(body, FAMILY);
        }
        read_all(&bytes);
    }

    #[test]
    fn spoilt_answers_are_read(
        service in a_service(), d in a_destination(), daemon in a_daemon(),
        at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        for request in [
            Request::AddService(service),
            Request::AddDestination(service.key, d),
            Request::StartDaemon(daemon),
        ] {
            let (_, mut list) = emitted(&request);
            let at = at.index(list.len());
            read_all(&list[..at]);
            list[at] = byte;
            read_all(&list);
        }
    }
}
