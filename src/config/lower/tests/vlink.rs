use super::*;
use crate::base::addr::Mac;
use crate::base::link::LinkKind;
use crate::config::host::LinkFacts;
use crate::model::vlink::{virtual_mac, VirtualLinkKind};

/// Complaints, without the notes that the keywords are not in effect.
fn complaints(told: Vec<String>) -> Vec<String> {
    without_place(told).into_iter().filter(|text| !text.starts_with("Note")).collect()
}

fn read_on(host: &MemoryHost, text: &str) -> (Config, Vec<String>) {
    let (config, told) = lowered_on(host, text);
    (config, complaints(told))
}

fn read(text: &str) -> (Config, Vec<String>) {
    read_on(&machine(), text)
}

/// An instance with its router id on eth0, with these lines and addresses.
fn block(name: &str, vrid: u8, lines: &str, addresses: &str) -> String {
    format!(
        "vrrp_instance {name} {{\n{lines}\ninterface eth0\nvirtual_router_id {vrid}\n\
         virtual_ipaddress {{\n{addresses}\n}}\n}}\n"
    )
}

/// One instance of router id 51, and what was reported.
fn one(lines: &str) -> (Instance, Vec<String>) {
    let (config, told) = read(&block("V", 51, lines, "192.0.2.1"));
    ((*config.instances[0]).clone(), told)
}

#[track_caller]
fn clean(lines: &str) -> Instance {
    let (instance, told) = one(lines);
    assert_eq!(told, Vec::<String>::new(), "{lines}");
    instance
}

#[track_caller]
fn complains(lines: &str, wanted: &[&str]) -> Instance {
    let (instance, told) = one(lines);
    let wanted: Vec<_> = wanted.iter().map(|text| format!("Error (V) {text}")).collect();
    assert_eq!(told, wanted, "{lines}");
    instance
}

fn name(instance: &Instance) -> &str {
    instance.vlink.as_ref().map_or("", |link| link.name.as_str())
}

fn names(config: &Config) -> Vec<&str> {
    config.instances.iter().map(|instance| name(instance)).collect()
}

fn mac(instance: &Instance) -> Mac {
    instance.vlink.as_ref().and_then(|link| link.mac()).expect("a VMAC")
}

/// A private macvlan on an interface.
fn macvlan(parent: u32, mac: Mac) -> LinkFacts {
    LinkFacts {
        mac: Some(mac),
        kind: LinkKind::PRIVATE_MACVLAN,
        parent,
        ..LinkFacts::plain(parent + 100)
    }
}

#[test]
fn a_vmac_has_the_address_of_its_virtual_router() {
    let i = clean("use_vmac");
    let link = i.vlink.as_ref().expect("a VMAC");
    assert_eq!((link.name.as_str(), link.base.as_str()), ("vrrp.51", "eth0"));
    assert_eq!((mac(&i), link.group, link.notify_base), (virtual_mac(Family::V4, 51), None, false));
    assert_eq!((i.addresses[0].interface.as_str(), i.xmit_base), ("vrrp.51", false));
    let (config, told) = read(&block("V", 51, "use_vmac", "2001:db8::1"));
    let i = &config.instances[0];
    assert_eq!((told, i.family, mac(i)), (vec![], Family::V6, virtual_mac(Family::V6, 51)));
    assert_eq!(i.addresses[0].interface, "vrrp.51");
}

#[test]
fn everything_that_use_vmac_takes() {
    let i = clean("use_vmac name group 2:0:0:0:0:7 netlink_notify_msg group 0x10\nvmac_xmit_base");
    let link = i.vlink.as_ref().expect("a VMAC");
    assert_eq!((link.name.as_str(), link.group, link.notify_base), ("group", Some(16), true));
    assert_eq!((mac(&i), i.xmit_base), (Mac([2, 0, 0, 0, 0, 7]), true));
    assert_eq!(mac(&clean("use_vmac 02:00:00:00:00:")), Mac([2, 0, 0, 0, 0, 51]));
    assert_eq!(name(&clean("use_vmac vmac@x")), "vmac@x");
}

#[test]
fn words_of_use_vmac_that_do_not_count() {
    for (words, wanted) in [
        ("1:0:0:0:0:7", "use_vmac '1:0:0:0:0:7' is a multicast address: it is ignored"),
        (
            "0:0:5e:0:2",
            "use_vmac '0:0:5e:0:2' is an address of virtual routers, which is used without it: it is ignored",
        ),
        (
            "2:0:0:0",
            "use_vmac '2:0:0:0' is not a hardware address of 5 or 6 octets: it is ignored",
        ),
        (
            "sixteen..letters",
            "use_vmac 'sixteen..letters' is not an interface name of at most 15 characters: it is ignored",
        ),
        ("group elsewhere", "group 'elsewhere' is not known: it is ignored"),
        (
            "eth1",
            "the name 'eth1' is ignored: the interface exists and is not a private macvlan",
        ),
    ] {
        let i = complains(&format!("use_vmac {words}"), &[wanted]);
        assert_eq!((name(&i), mac(&i)), ("vrrp.51", virtual_mac(Family::V4, 51)), "{words}");
    }
    let i = complains(
        "use_vmac a 2:0:0:0:0:7 b 2:0:0:0:0:8",
        &[
            "use_vmac 'b' is a second name: it is ignored",
            "use_vmac '2:0:0:0:0:8' is a second address: it is ignored",
        ],
    );
    assert_eq!((name(&i), mac(&i)), ("a", Mac([2, 0, 0, 0, 0, 7])));
}

#[test]
fn strict_mode_has_neither_a_free_address_nor_the_base() {
    let i = complains(
        "strict_mode\nuse_vmac 2:0:0:0:0:7\nvmac_xmit_base",
        &[
            "strict mode has no hardware address but that of the virtual router: it is ignored",
            "vmac_xmit_base is ignored in strict mode",
        ],
    );
    assert_eq!((mac(&i), i.xmit_base), (virtual_mac(Family::V4, 51), false));
}

#[test]
fn unicast_is_sent_on_the_base() {
    let peer = "unicast_peer {\n192.0.2.9\n}";
    let i = complains(
        &format!("use_vmac\n{peer}"),
        &["unicast with use_vmac needs vmac_xmit_base: it is switched on"],
    );
    assert!(i.xmit_base && i.vlink.is_some());
    clean(&format!("use_vmac\nvmac_xmit_base\n{peer}"));
    let text = block("V", 51, &format!("use_vmac\nunicast_src_ip 192.0.2.5\n{peer}"), "");
    let text = text.replace("interface eth0\n", "no_virtual_ipaddress\n");
    let (config, told) = read(&text);
    assert_eq!(told, ["Error (V) use_vmac is ignored: the instance has no interface"]);
    assert_eq!((&config.instances[0].vlink, config.instances[0].xmit_base), (&None, false));
}

#[test]
fn what_does_not_go_with_a_virtual_interface() {
    let i = complains("vmac_xmit_base", &["vmac_xmit_base is ignored without use_vmac"]);
    assert!(!i.xmit_base);
    let i = complains(
        "use_vmac\npromote_secondaries",
        &["promote_secondaries is ignored with use_vmac"],
    );
    assert!(!i.promote_secondaries);
    let i = complains(
        "use_vmac\nuse_ipvlan 192.0.2.9",
        &["use_ipvlan is ignored: the instance has a VMAC"],
    );
    assert!(i.vlink.is_some_and(|link| link.is_vmac()));
    assert!(i.ipvlan_address.is_none());
}

#[test]
fn only_ethernet_carries_virtual_interfaces() {
    let host = machine().and_link("sit0", LinkFacts { ethernet: false, ..LinkFacts::plain(9) });
    let text = block("V", 51, "use_vmac", "192.0.2.1").replace("eth0", "sit0");
    let (config, told) = read_on(&host, &text);
    assert_eq!(
        told,
        ["Error (V) use_vmac needs an Ethernet interface, which 'sit0' is not: the instance stays in FAULT"]
    );
    assert_eq!(config.instances[0].standing_fault, Some(StandingFault::NoEthernet));
    assert_eq!(config.instances[0].virtual_links().count(), 0);
    let text = text.replace("sit0", "tun0");
    assert_eq!(read(&text).0.instances[0].standing_fault, Some(StandingFault::NoEthernet));
}

#[test]
fn an_ipvlan_lends_its_address_and_leaves_addresses_on_the_base() {
    let i = clean("use_ipvlan private 192.0.2.9/24 ipv0 group 3");
    let link = i.vlink.as_ref().expect("an ipvlan");
    assert_eq!(link.kind, VirtualLinkKind::Ipvlan { flags: 1 });
    assert_eq!((link.name.as_str(), link.group), ("ipv0", Some(3)));
    let own = i.ipvlan_address.as_ref().expect("an address");
    assert_eq!((own.prefix.to_string().as_str(), own.interface.as_str()), ("192.0.2.9/24", "ipv0"));
    assert_eq!(i.source, Some(own.prefix.addr));
    assert_eq!(i.addresses[0].interface, "eth0");
    let i = clean("mcast_src_ip 192.0.2.8\nuse_ipvlan 192.0.2.9");
    assert_eq!(i.source, Some("192.0.2.8".parse().unwrap()));
    let flags = |word: &str| match clean(&format!("use_ipvlan {word} 192.0.2.9")).vlink {
        Some(link) => link.kind,
        None => panic!("no ipvlan"),
    };
    assert_eq!(flags("vepa"), VirtualLinkKind::Ipvlan { flags: 2 });
    assert_eq!(flags("bridge"), VirtualLinkKind::Ipvlan { flags: 0 });
}

#[test]
fn words_of_use_ipvlan_that_do_not_count() {
    let i = complains(
        "use_ipvlan a private vepa b 192.0.2.9 192.0.2.10",
        &[
            "use_ipvlan 'vepa' is a second mode: it is ignored",
            "use_ipvlan 'b' is a second name: it is ignored",
            "use_ipvlan '192.0.2.10' is a second address: it is ignored",
        ],
    );
    assert_eq!((name(&i), i.source), ("a", Some("192.0.2.9".parse().unwrap())));
    let i = complains(
        "use_ipvlan",
        &["use_ipvlan needs an address for IPv4: the instance stays in FAULT"],
    );
    assert_eq!(i.standing_fault, Some(StandingFault::NoIpvlanAddress));
    complains(
        "use_ipvlan eth1 192.0.2.9",
        &["the name 'eth1' is ignored: the interface exists and is not an ipvlan in L2 mode"],
    );
    complains("use_ipvlan 192.0.2.9\nuse_ipvlan x", &["'use_ipvlan' again: the first one counts"]);
    let (_, told) = one("use_ipvlan fe80::9\nuse_vmac");
    assert!(told.iter().any(|text| text.contains("IPv4 address in an IPv6 instance")), "{told:?}");
}

#[test]
fn instances_of_one_router_id_get_different_names() {
    let v6 = |name| {
        block(name, 51, "use_vmac", "2001:db8::1")
            .replace("virtual_router", "version 3\nvirtual_router")
    };
    let on_eth1 = block("B", 51, "use_vmac", "192.0.2.2").replace("eth0", "eth1");
    let text = block("A", 51, "use_vmac", "192.0.2.1")
        + &on_eth1
        + &v6("C")
        + &block("D", 7, "use_vmac", "192.0.2.4");
    let (config, told) = read(&text);
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(names(&config), ["vrrp.51", "vrrp1.51", "vrrp6.51", "vrrp.7"]);
    // A configured name comes first, wherever it is.
    let text =
        block("A", 51, "use_vmac", "192.0.2.1") + &on_eth1.replace("use_vmac", "use_vmac vrrp.51");
    assert_eq!(names(&read(&text).0), ["vrrp1.51", "vrrp.51"]);
    let text = format!(
        "global_defs {{\nvmac_prefix a-longer-prefix\n}}\n{}",
        block("A", 151, "use_vmac", "192.0.2.1")
    );
    assert_eq!(names(&read(&text).0), ["a-longer-pr.151"]);
}

#[test]
fn a_configured_name_is_used_once() {
    let text =
        block("A", 51, "use_vmac x", "192.0.2.1") + &block("B", 52, "use_vmac x", "192.0.2.2");
    let (config, told) = read(&text);
    assert_eq!(told, ["Error (B) the name 'x' is ignored: A uses it"]);
    assert_eq!(names(&config), ["x", "vrrp.52"]);
}

/// So that a reload, or a start after a crash, keeps every interface.
#[test]
fn an_interface_that_exists_keeps_its_name() {
    let text = block("A", 51, "use_vmac", "192.0.2.1");
    let eth0 = LinkFacts::plain(2).index;
    let wanted = virtual_mac(Family::V4, 51);
    let host = machine().and_link("vrrp4.51", macvlan(eth0, wanted));
    assert_eq!(names(&read_on(&host, &text).0), ["vrrp4.51"]);
    assert_eq!(names(&read_on(&host, &text.replace("use_vmac", "use_vmac x")).0), ["x"]);
    // Those of others are left alone.
    let other = macvlan(77, wanted);
    let host = machine().and_link("vrrp.51", other).and_link("vrrp1.51", LinkFacts::plain(8));
    assert_eq!(names(&read_on(&host, &text).0), ["vrrp2.51"]);
    let bridge = LinkFacts { kind: LinkKind::Macvlan { mode: 4 }, ..macvlan(eth0, wanted) };
    assert_eq!(names(&read_on(&machine().and_link("vrrp.51", bridge), &text).0), ["vrrp1.51"]);
    // One that this daemon has made for another instance will be gone.
    let host = machine().with_made(&["vrrp.51"]).and_link("vrrp.51", other);
    assert_eq!(names(&read_on(&host, &text).0), ["vrrp.51"]);
}

#[test]
fn an_ipvlan_that_exists_is_used_again() {
    let text = block("A", 51, "use_ipvlan private 192.0.2.9", "192.0.2.1");
    let facts =
        |flags| LinkFacts { kind: LinkKind::l2_ipvlan(flags), parent: 2, ..LinkFacts::plain(100) };
    let host = machine().and_link("vrrp.51", facts(1));
    assert_eq!(names(&read_on(&host, &text).0), ["vrrp.51"]);
    let host = machine().and_link("vrrp.51", facts(0));
    assert_eq!(names(&read_on(&host, &text).0), ["vrrp1.51"]);
}

/// Two macvlans of one address cannot be on one interface.
#[test]
fn instances_with_one_address_share_the_interface() {
    let other =
        |lines: &str| block("B", 51, &format!("{lines}\nmcast_dst_ip 224.0.0.99"), "192.0.2.2");
    let group = "vrrp_sync_group G {\ngroup {\nA\nB\n}\n}\n";
    let both = block("A", 51, "use_vmac", "192.0.2.1") + &other("use_vmac x");
    let (config, told) = read(&format!("{both}{group}"));
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(names(&config), ["x", "x"]);
    let (config, told) = read(&both);
    assert_eq!(told, ["Error 'x' is the VMAC of A, too, and no group has both: B stays in FAULT"]);
    let faults: Vec<_> = config.instances.iter().map(|i| i.standing_fault).collect();
    assert_eq!(faults, [None, Some(StandingFault::SharedVmac)]);
    // With one address for both families, each has its own packets.
    let v4 = block("A", 51, "use_vmac 2:0:0:0:0:7", "192.0.2.1");
    let v6 = block("B", 51, "version 3\nuse_vmac 2:0:0:0:0:7", "2001:db8::1");
    let (config, told) = read(&(v4 + &v6));
    assert_eq!((names(&config), told), (vec!["vrrp.51"; 2], Vec::new()));
}

#[test]
fn single_addresses_have_vmacs_of_their_own() {
    let text = block(
        "V",
        51,
        "use_vmac\nvirtual_ipaddress_excluded {\n2001:db8::1 use_vmac\n2001:db8::2\n192.0.2.5 dev eth1 use_vmac\n192.0.2.6 dev eth1\n}",
        "192.0.2.1\n192.0.2.2 dev eth0",
    );
    let (config, told) = read(&text);
    assert_eq!(told, Vec::<String>::new());
    let i = &config.instances[0];
    let on: Vec<_> = i.all_addresses().map(|a| a.interface.as_str()).collect();
    assert_eq!(on, ["vrrp.51", "vrrp.51", "vrrp6.51", "eth0", "vrrp1.51", "eth1"]);
    let made: Vec<_> =
        i.address_vlinks.iter().map(|l| (l.name.as_str(), l.base.as_str())).collect();
    assert_eq!(made, [("vrrp6.51", "eth0"), ("vrrp1.51", "eth1")]);
    assert_eq!(i.address_vlinks[0].mac(), Some(virtual_mac(Family::V6, 51)));
    assert_eq!(i.virtual_links().count(), 3);
}

#[test]
fn use_vmac_addr_is_for_addresses_elsewhere() {
    let list = "virtual_ipaddress_excluded {\n2001:db8::1\n192.0.2.6 dev eth1\n}";
    let i = clean(&format!("use_vmac_addr\n{list}"));
    let on: Vec<_> = i.all_addresses().map(|a| a.interface.as_str()).collect();
    assert_eq!(on, ["eth0", "vrrp.51", "vrrp1.51"]);
    assert!(i.vlink.is_none());
    // With a configured address, both families share the VMAC of their interface.
    let i = clean(&format!("use_vmac 2:0:0:0:0:7\nuse_vmac_addr\n{list}"));
    let on: Vec<_> = i.all_addresses().map(|a| a.interface.as_str()).collect();
    assert_eq!(on, ["vrrp.51", "vrrp.51", "vrrp1.51"]);
    assert_eq!(i.address_vlinks.len(), 1);
    let text = "global_defs {\nvmac_prefix v\nvmac_addr_prefix w\n}\n".to_owned()
        + &block("V", 51, &format!("use_vmac\nuse_vmac_addr\n{list}"), "192.0.2.1");
    let config = read(&text).0;
    let made: Vec<_> = config.instances[0].virtual_links().map(|l| l.name.as_str()).collect();
    assert_eq!(made, ["v.51", "w.51", "w1.51"]);
}

#[test]
fn use_vmac_of_an_address_that_has_one_anyway() {
    let (_, told) = read(&block("V", 51, "use_vmac", "192.0.2.1 use_vmac"));
    assert_eq!(told, ["Error (V) use_vmac of '192.0.2.1' is of no use: the instance has a VMAC"]);
    let (_, told) = read(&block("V", 51, "use_vmac_addr", "192.0.2.1 dev eth1 use_vmac"));
    assert_eq!(told, ["Error (V) use_vmac of '192.0.2.1' is of no use with use_vmac_addr"]);
    let (config, told) = read(&block("V", 51, "", "192.0.2.1 dev tun0 use_vmac"));
    assert_eq!(told, ["Error (V) '192.0.2.1' has no VMAC: 'tun0' is not an Ethernet interface"]);
    assert_eq!(config.instances[0].addresses[0].interface, "tun0");
}

#[test]
fn the_interface_of_another_instance_may_be_tracked() {
    let text = block("A", 51, "track_interface {\nvrrp.52\n}", "192.0.2.1")
        + &block("B", 52, "use_vmac\ntrack_interface {\nvrrp.52 weight 5\n}", "192.0.2.2");
    let (config, told) = read(&text);
    assert_eq!(
        told,
        ["Error (B) the interface of the instance is tracked anyway: the line is ignored"]
    );
    assert_eq!(config.instances[0].tracked_links[0].interface, "vrrp.52");
    let (_, told) = read(&text.replace("use_vmac\n", ""));
    assert!(told[0].starts_with("Fatal (A) interface 'vrrp.52' does not exist"), "{told:?}");
}

#[test]
fn a_vrf_is_for_unicast_without_an_interface() {
    let host = machine().and_link("red", LinkFacts { ethernet: true, ..LinkFacts::plain(7) });
    let unicast = "unicast_src_ip 192.0.2.5\nunicast_peer {\n192.0.2.9\n}\nno_virtual_ipaddress";
    let text = |vrf: &str| {
        block("V", 51, &format!("{unicast}\nvrf {vrf}"), "").replace("interface eth0\n", "")
    };
    let (config, told) = read_on(&host, &text("red"));
    assert_eq!((told, config.instances[0].vrf.as_deref()), (Vec::new(), Some("red")));
    assert_eq!(config.instances[0].advert_link(), Some("red"));
    let (config, told) = read_on(&host, &text("lo"));
    assert_eq!(told, ["Error (V) vrf is ignored: 'lo' is no VRF"]);
    assert_eq!(config.instances[0].vrf, None);
    let told = read_on(&host, &text("blue")).1;
    assert!(told[0].starts_with("Fatal (V) interface 'blue' does not exist"), "{told:?}");
    let i = complains("vrf eth1", &["vrf is ignored: the instance has an interface"]);
    assert_eq!(i.vrf, None);
}
