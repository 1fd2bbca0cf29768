//! Virtual routers with a virtual MAC.

use std::collections::BTreeMap;

use crate::lab::{
    config, config_with, instance, millis, neighbour, ours_only, pings, require_macvlan, secs,
    stays, wait, Host, Instance, Outcome, Program, Segment, Workshop, SOON,
};

const SETTINGS: [&str; 7] = [
    "net/ipv4/conf/all/rp_filter",
    "net/ipv4/conf/default/rp_filter",
    "net/ipv4/conf/eth0/rp_filter",
    "net/ipv4/conf/lo/rp_filter",
    "net/ipv4/conf/eth0/arp_ignore",
    "net/ipv4/conf/eth0/arp_filter",
    "net/ipv4/conf/eth0/arp_announce",
];

fn router() -> Instance {
    instance("VI_1").vip("10.7.1.1/16").line("use_vmac")
}

fn settings(host: &Host) -> BTreeMap<&'static str, String> {
    SETTINGS.map(|name| (name, host.read_sysctl(name))).into()
}

/// The index of an interface, if there is one.
fn index(host: &Host, name: &str) -> Option<u32> {
    let list = host.output("ip", &["-o", "link", "show", "dev", name]);
    list.split(':').next()?.parse().ok()
}

pub(crate) fn a_failover_keeps_the_neighbours_entry() -> Outcome {
    require_macvlan()?;
    let (_segment, [a, b, client]) = Segment::with_hosts(["a", "b", "c"]);
    let mut first = a.start(&config(&[router().priority(150)]));
    first.wait_master("VI_1");
    let second = b.start(&config(&[router()]));
    second.wait_backup("VI_1");
    wait("the client reaches the address", SOON, || pings(&client, "10.7.1.1"));
    assert_eq!(neighbour(&client, "10.7.1.1").as_deref(), Some("00:00:5e:00:01:33"));
    assert!(a.holds("vrrp.51", "10.7.1.1") && !b.holds("vrrp.51", "10.7.1.1"));
    assert_eq!(first.stop().code(), Some(0));
    second.wait_master("VI_1");
    wait("the client reaches it again", SOON, || pings(&client, "10.7.1.1"));
    assert_eq!(neighbour(&client, "10.7.1.1").as_deref(), Some("00:00:5e:00:01:33"));
    assert_eq!(index(&a, "vrrp.51"), None, "nothing is left");
    Ok(())
}

/// With iptables, reports of group membership leave through the base alone, which has to be a
/// member.
pub(crate) fn the_base_joins_the_group_at_a_reload_to_iptables() -> Outcome {
    ours_only()?;
    require_macvlan()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    let is_member =
        || a.output("ip", &["-4", "maddress", "show", "dev", "eth0"]).contains("224.0.0.18");
    assert!(!is_member());
    for (globals, expected) in [("vrrp_iptables", true), ("", false)] {
        daemon.rewrite(&config_with(globals, &[router()]));
        assert_eq!(daemon.reload_and_wait().0, Some(0));
        wait(&format!("a member: {expected}"), SOON, || is_member() == expected);
        assert!(a.holds("vrrp.51", "10.7.1.1"));
    }
    Ok(())
}

/// In every family, version and place of advertisements.
pub(crate) fn adverts_come_from_the_virtual_mac() -> Outcome {
    ours_only()?;
    require_macvlan()?;
    const VMAC4: [u8; 6] = [0, 0, 0x5e, 0, 1, 51];
    const VMAC6: [u8; 6] = [0, 0, 0x5e, 0, 2, 51];
    let v6 = || instance("VI_1").vip("fe80::51").vip("fd07::51/64").line("use_vmac");
    for (block, expected) in [
        (router(), Some(VMAC4)),
        (router().version(2).every("1"), Some(VMAC4)),
        (v6(), Some(VMAC6)),
        (router().line("vmac_xmit_base"), None),
    ] {
        let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
        let mut capture = segment.capture();
        let first = a.start(&config(&[block.clone().priority(150)]));
        first.wait_master("VI_1");
        let second = b.start(&config(&[block]));
        second.wait_backup("VI_1");
        stays("the backup hears the master", millis(800), || {
            !second.logged("(VI_1) Entering MASTER STATE")
        });
        let sender = expected.unwrap_or_else(|| a.mac("eth0"));
        capture.wait_advert("an advertisement", SOON, |advert| advert.mac == sender);
    }
    Ok(())
}

pub(crate) fn settings_are_restored_exactly() -> Outcome {
    ours_only()?;
    require_macvlan()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    a.sysctl("net/ipv4/conf/all/rp_filter", "1");
    a.sysctl("net/ipv4/conf/eth0/arp_ignore", "2");
    let before = settings(&a);
    let mut daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    let during = settings(&a);
    assert_eq!(during["net/ipv4/conf/all/rp_filter"], "0");
    assert_eq!(during["net/ipv4/conf/lo/rp_filter"], "1", "no interface becomes less strict");
    assert_eq!(during["net/ipv4/conf/eth0/arp_ignore"], "1");
    assert_eq!(daemon.stop().code(), Some(0));
    assert_eq!(settings(&a), before);
    // The originals are beside the pid file, where the next run finds them.
    let shop = Workshop::new();
    let pid_file = shop.path("main.pid");
    let mut daemon = a.start_with(&config(&[router()]), &["-p", &pid_file]);
    daemon.wait_master("VI_1");
    wait("the originals are noted", SOON, || shop.exists("main.settings"));
    daemon.crash();
    assert_eq!(settings(&a), during, "a crash leaves them");
    let mut daemon = a.start_with(&config(&[router()]), &["-p", &pid_file]);
    daemon.wait_master("VI_1");
    assert_eq!(settings(&a), during);
    assert_eq!(daemon.stop().code(), Some(0));
    assert_eq!(settings(&a), before);
    Ok(())
}

pub(crate) fn an_earlier_runs_interface_is_adopted_or_replaced() -> Outcome {
    ours_only()?;
    require_macvlan()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    daemon.crash();
    let left = index(&a, "vrrp.51");
    assert!(left.is_some(), "a crash leaves it");
    let mut daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    assert_eq!(index(&a, "vrrp.51"), left, "it is adopted");
    daemon.crash();
    // Another name for the same router.
    let other = instance("VI_1").vip("10.7.1.1/16").line("use_vmac gate0");
    let mut daemon = a.start(&config(&[other]));
    daemon.wait_master("VI_1");
    wait("the address", SOON, || a.holds("gate0", "10.7.1.1"));
    assert_eq!(index(&a, "vrrp.51"), None);
    assert_eq!(daemon.stop().code(), Some(0));
    assert_eq!(index(&a, "gate0"), None);
    Ok(())
}

pub(crate) fn an_interface_that_a_crash_left_goes_when_it_is_not_wanted() -> Outcome {
    ours_only()?;
    require_macvlan()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let pid_file = shop.path("main.pid");
    let router6 = instance("VI_6").vrid(52).vip("fe80::7:1/64").line("use_vmac");
    let mut daemon = a.start_with(&config(&[router(), router6]), &["-p", &pid_file]);
    daemon.wait_master("VI_1");
    daemon.wait_master("VI_6");
    wait("they are noted", SOON, || shop.read("main.settings").contains("vrrp.52"));
    daemon.crash();
    // One of the operator, in the same form.
    a.ip("link add other link eth0 type macvlan mode private");
    let mut daemon = a.start_with(&config(&[router()]), &["-p", &pid_file]);
    daemon.wait_log("(static) interface vrrp.52 on eth0 left by an earlier run: removed");
    wait("it is gone", SOON, || index(&a, "vrrp.52").is_none());
    assert!(index(&a, "vrrp.51").is_some() && index(&a, "other").is_some());
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(index(&a, "vrrp.51").is_none() && index(&a, "other").is_some());
    assert!(!shop.exists("main.settings"));
    Ok(())
}

pub(crate) fn it_returns_when_it_or_its_base_was_deleted() -> Outcome {
    ours_only()?;
    require_macvlan()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    let first = index(&a, "vrrp.51");
    a.ip("link del vrrp.51");
    wait("another one with the address", SOON, || {
        index(&a, "vrrp.51").is_some_and(|i| Some(i) != first) && a.holds("vrrp.51", "10.7.1.1")
    });
    let mark = daemon.mark();
    a.ip("link del eth0");
    wait("it is gone", SOON, || index(&a, "vrrp.51").is_none());
    daemon.wait_log_part(mark, "(VI_1) Entering FAULT STATE");
    segment.attach(&a, "eth0", 1);
    wait("the address is back", secs(10), || a.holds("vrrp.51", "10.7.1.1"));
    a.ip("link set vrrp.51 down\nlink set vrrp.51 name other");
    wait("it has its name again", SOON, || {
        index(&a, "other").is_none() && index(&a, "vrrp.51").is_some()
    });
    wait("the address is back", secs(10), || a.holds("vrrp.51", "10.7.1.1"));
    assert!(daemon.is_running());
    assert_eq!(daemon.stop().code(), Some(0));
    Ok(())
}

pub(crate) fn a_reload_touches_only_what_changed() -> Outcome {
    ours_only()?;
    require_macvlan()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let text = config(&[router()]);
    let daemon = a.start(&text);
    daemon.wait_master("VI_1");
    let first = index(&a, "vrrp.51");
    let mark = daemon.mark();
    daemon.rewrite(&format!("# a comment\n{text}"));
    assert_eq!(daemon.reload_and_wait().0, Some(0));
    assert_eq!(index(&a, "vrrp.51"), first);
    assert_eq!(daemon.state_changes(mark), Vec::<String>::new());
    // A new name: a new interface, which has the address.
    daemon.rewrite(&text.replace("use_vmac", "use_vmac gate0"));
    assert_eq!(daemon.reload_and_wait().0, Some(0));
    wait("the new interface has the address", secs(10), || a.holds("gate0", "10.7.1.1"));
    assert_eq!(index(&a, "vrrp.51"), None);
    // Without a VMAC: the address is on the interface itself.
    daemon.rewrite(&text.replace("use_vmac", ""));
    assert_eq!(daemon.reload_and_wait().0, Some(0));
    wait("the address is on eth0", secs(10), || a.holds("eth0", "10.7.1.1"));
    wait("no virtual interface", SOON, || index(&a, "gate0").is_none());
    Ok(())
}

/// The same interfaces and addresses as with the reference.
pub(crate) fn it_is_as_with_the_reference() -> Outcome {
    ours_only()?;
    require_macvlan()?;
    let reference = Program::reference()?;
    let blocks = [
        router(),
        instance("VI_6").vrid(52).vip("fe80::52").vip("fd07::52/64").line("use_vmac v6mac"),
        instance("VI_B").vrid(53).vip("10.7.1.3/16").line("use_vmac").line("vmac_xmit_base"),
        instance("VI_M").vrid(54).vip("10.7.1.4/16").line("use_vmac gate0 02:00:00:00:00:07"),
    ];
    let mut seen = Vec::new();
    for program in [Program::under_test(), &reference] {
        let (_segment, [a]) = Segment::with_hosts(["a"]);
        let daemon = a.start_program(program, &config(&blocks));
        for name in ["VI_1", "VI_6", "VI_B", "VI_M"] {
            daemon.wait_master(name);
        }
        wait("the last address", SOON, || {
            a.holds("gate0", "10.7.1.4") && a.holds("v6mac", "fd07::52")
        });
        let links = a.output("ip", &["-o", "-d", "link", "show", "type", "macvlan"]);
        let link = |line: &str| {
            let part = |start: &str| line.split(start).nth(1)?.split(' ').next().map(str::to_owned);
            (
                part(": ").unwrap_or_default(),
                part("link/ether "),
                part("macvlan mode "),
                part("addrgenmode "),
            )
        };
        let mut links: Vec<_> = links.lines().map(link).collect();
        links.sort();
        let own = a.link_local("eth0").to_string();
        let addresses = a.output("ip", &["-o", "addr", "show"]);
        let address = |line: &str| {
            let words: Vec<_> = line.split_whitespace().skip(1).collect();
            let until = words.iter().position(|w| *w == "\\" || w.starts_with("valid"));
            words[..until.unwrap_or(words.len())].join(" ").replace(&own, "OWN").replace('\\', "")
        };
        let mut addresses: Vec<_> = addresses.lines().map(address).collect();
        addresses.sort();
        let conf = |name: &str| {
            let list = ["arp_ignore", "accept_local", "rp_filter", "promote_secondaries"];
            list.map(|s| a.read_sysctl(&format!("net/ipv4/conf/{name}/{s}")))
        };
        seen.push((links, addresses, conf("vrrp.51"), conf("eth0")));
    }
    assert_eq!(seen[0].0, seen[1].0);
    assert_eq!(seen[0].1, seen[1].1);
    assert_eq!(seen[0].2, seen[1].2);
    assert_eq!(seen[0].3[0], seen[1].3[0]);
    Ok(())
}
