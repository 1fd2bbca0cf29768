use super::*;
use crate::model::vrrp::VirtualAddress;

/// The addresses of these lines, and their diagnostics.
fn listed(list: &str, lines: &str) -> (Instance, Vec<String>) {
    let (config, told) = lowered(&format!(
        "vrrp_instance V {{\n{list} {{\n{lines}\n}}\nvirtual_ipaddress {{\n}}\nno_virtual_ipaddress\n\
         interface eth0\nvirtual_router_id 1\n}}"
    ));
    ((*config.instances[0]).clone(), without_place(told))
}

fn read(line: &str) -> (Option<VirtualAddress>, Vec<String>) {
    let (i, told) = listed("virtual_ipaddress", line);
    (i.addresses.first().map(|a| VirtualAddress::clone(a)), told)
}

#[track_caller]
fn good(line: &str) -> VirtualAddress {
    let (address, told) = read(line);
    assert!(told.is_empty(), "{told:?}");
    address.unwrap()
}

#[test]
fn a_bare_address_is_a_host_on_the_interface_of_the_instance() {
    let a = good("192.0.2.1");
    assert_eq!((a.prefix.to_string().as_str(), a.interface.as_str()), ("192.0.2.1/32", "eth0"));
    assert_eq!((a.scope, a.broadcast, a.preferred_lft), (Scope::GLOBAL, Broadcast::None, None));
    assert!(!a.nodad && !a.no_track);
}

#[test]
fn ipv6_hosts_are_deprecated_and_skip_duplicate_detection() {
    let a = good("2001:db8::1");
    assert_eq!((a.preferred_lft, a.nodad), (Some(0), true));
    let a = good("2001:db8::1/64 -nodad");
    assert_eq!((a.preferred_lft, a.nodad), (None, false));
    assert_eq!(good("2001:db8::1 preferred_lft forever").preferred_lft, None);
    assert_eq!(good("2001:db8::1 preferred_lft 60").preferred_lft, Some(60));
}

#[test]
fn broadcast_addresses_are_worked_out() {
    let at = |text: &str| Broadcast::Address(text.parse().unwrap());
    assert_eq!(good("192.0.2.17/28 brd +").broadcast, at("192.0.2.31"));
    assert_eq!(good("192.0.2.17/28 broadcast -").broadcast, at("192.0.2.16"));
    assert_eq!(good("192.0.2.17/28 brd 192.0.2.99").broadcast, at("192.0.2.99"));
    assert_eq!(good("192.0.2.17/0 brd +").broadcast, at("255.255.255.255"));
    for address in ["192.0.2.17", "192.0.2.17/32", "192.0.2.17/31"] {
        let given = good(&format!("{address} brd 192.0.2.255")).broadcast;
        assert_eq!(given, at("192.0.2.255"), "{address}: nothing is to be worked out");
    }
    for (line, shown) in [
        ("192.0.2.17/31 brd +", "192.0.2.17/31"),
        ("192.0.2.17 brd -", "192.0.2.17/32"),
        ("192.0.2.17 peer 192.0.2.18 brd 192.0.2.255", "192.0.2.17/32"),
    ] {
        let (a, told) = read(line);
        let text = format!("Error (V) broadcast of '{shown}' is ignored: it has no network");
        assert_eq!(told, [text]);
        assert_eq!(a.unwrap().broadcast, Broadcast::None, "{line}");
    }
}

#[test]
fn a_peer_takes_the_place_of_the_prefix() {
    let a = good("192.0.2.1 peer 192.0.2.2");
    assert_eq!((a.prefix.len, a.peer), (32, Some("192.0.2.2".parse().unwrap())));
    let (a, told) = read("192.0.2.1/24 peer 192.0.2.2/24");
    assert_eq!(
        told,
        [
            "Error (V) the prefix length of '192.0.2.1/24' is ignored: it has a peer",
            "Error (V) the prefix length of peer '192.0.2.2/24' is ignored",
        ]
    );
    assert_eq!(a.unwrap().prefix.len, 32);
    let (_, told) = read("192.0.2.1 peer 2001:db8::1");
    assert_eq!(told, ["Error (V) peer '2001:db8::1' is of another family: it is ignored"]);
}

#[test]
fn every_flag_and_scope() {
    let a = good("192.0.2.1/24 dev eth1 scope link label eth1:1 home mngtmpaddr noprefixroute autojoin no_track");
    assert_eq!((a.interface.as_str(), a.label.as_deref()), ("eth1", Some("eth1:1")));
    assert!(a.home && a.mngtmpaddr && a.noprefixroute && a.autojoin && a.no_track);
    assert_eq!(a.scope, Scope::LINK);
    assert_eq!(good("192.0.2.1 scope 7").scope, Scope(7));
    let (a, told) = read("192.0.2.1 scope galaxy dev eth1");
    assert_eq!(told, ["Error (V) scope 'galaxy' is not known: it is ignored"]);
    assert_eq!(a.unwrap().interface, "eth1");
}

#[test]
fn a_bad_prefix_leaves_a_host() {
    let (a, told) = read("192.0.2.1/33");
    assert_eq!(
        told,
        ["Error (V) address '192.0.2.1/33': the prefix length is not a number from 0 to 32: 192.0.2.1/32 is used"]
    );
    assert_eq!(a.unwrap().prefix.len, 32);
}

#[test]
fn entries_that_do_not_count() {
    for (line, want) in [
        (
            "192.0.2.300",
            "address '192.0.2.300' is not an IP address with an optional prefix length",
        ),
        ("192.0.2.1 dev eth0 dev eth1", "'dev' twice: address '192.0.2.1' is ignored"),
        ("192.0.2.1 dev", "'dev' needs an interface name of at most 15 characters"),
        (
            "192.0.2.1 brd 192.0.2.x",
            "broadcast '192.0.2.x' is no IPv4 address: address '192.0.2.1' is ignored",
        ),
        ("2001:db8::1 brd +", "broadcast of IPv6 address '2001:db8::1': the address is ignored"),
        (
            "192.0.2.1 label eth0:0123456789012",
            "label 'eth0:0123456789012' is not a word of at most 15 characters",
        ),
    ] {
        let (address, told) = read(line);
        assert_eq!(address, None, "{line}");
        assert_eq!(told, [format!("Error (V) {want}")]);
    }
}

#[test]
fn one_address_per_line() {
    let (i, told) = listed("virtual_ipaddress", "192.0.2.1 192.0.2.2 192.0.2.3");
    assert_eq!(i.addresses.len(), 1);
    assert_eq!(
        told,
        ["Error (V) unknown option '192.0.2.2' of address '192.0.2.1': the rest of the line is ignored | write one address per line"]
    );
}

#[test]
fn an_address_is_listed_once_whatever_its_prefix() {
    let (i, told) = listed("virtual_ipaddress", "192.0.2.1/24\n192.0.2.1/32\n192.0.2.1 dev eth1");
    assert_eq!(told, ["Error (V) address '192.0.2.1' again is ignored"]);
    assert_eq!(i.addresses.len(), 2);
}

#[test]
fn excluded_addresses_are_of_any_family() {
    let (config, told) = with("", "virtual_ipaddress_excluded {\n2001:db8::1/64\n192.0.2.9\n}");
    assert!(told.is_empty(), "{told:?}");
    let i = &config.instances[0];
    assert_eq!((i.family, i.excluded.len()), (Family::V4, 2));
}

#[test]
fn what_does_not_fit_into_a_packet_is_not_advertised() {
    let lines: Vec<_> = (0..300u32).map(|n| format!("10.0.{}.{}", n / 200, n % 200)).collect();
    let (i, told) = listed("virtual_ipaddress", &lines.join("\n"));
    assert_eq!((i.addresses.len(), i.excluded.len()), (255, 45));
    assert_eq!(
        told,
        ["Error (V) 300 addresses, 255 fit into an advertisement: the rest is not advertised"]
    );
    // (1500 - 14 - 40 - 8) / 16
    let lines: Vec<_> = (0..100).map(|n| format!("2001:db8::{n:x}")).collect();
    let (i, _) = listed("virtual_ipaddress", &lines.join("\n"));
    assert_eq!((i.addresses.len(), i.excluded.len()), (89, 11));
}

#[test]
fn an_address_needs_some_interface_and_one_that_exists() {
    let (_, told) = read("192.0.2.1 dev eth9");
    assert!(told[0].starts_with("Fatal (V) interface 'eth9' does not exist"), "{told:?}");
    let (_, told) = lowered(
        "vrrp_instance V {\nunicast_src_ip 192.0.2.9\nunicast_peer {\n192.0.2.8\n}\nvirtual_router_id 1\n\
         virtual_ipaddress {\n192.0.2.1\n}\n}",
    );
    assert!(
        told.contains(
            &"Error (Line 8) (V) address '192.0.2.1' names no interface: it is ignored".to_owned()
        ),
        "{told:?}"
    );
}
