//! Virtual addresses on the interface: as configured, adopted, restored, removed on stop.

use crate::lab::{
    config, instance, millis, ours_only, secs, stays, wait, AddressEvent, AddressMonitor, Host,
    Instance, Outcome, Segment, SOON,
};

fn router() -> Instance {
    instance("VI_1").vip("10.7.1.1/16").vip("10.7.1.2/32 dev eth1 label eth1:v")
}

pub(crate) fn addresses_are_as_configured() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    segment.attach(&a, "eth1", 101);
    let block = router()
        .vip("10.7.1.3/24 brd 10.7.1.255 scope site")
        .line("virtual_ipaddress_excluded {\n 10.7.2.1/32\n fd07::2:1/64\n fd07::2:2/128\n }");
    let mut daemon = a.start(&config(&[block]));
    daemon.wait_master("VI_1");
    let listed = |interface: &str, parts: &[&str]| {
        let list = a.output("ip", &["-o", "addr", "show", "dev", interface]);
        list.lines().any(|line| parts.iter().all(|part| line.contains(part)))
    };
    wait("the address with a label", SOON, || {
        listed("eth1", &["inet 10.7.1.2/32 scope global eth1:v"])
    });
    wait("scope and broadcast", SOON, || {
        listed("eth0", &["inet 10.7.1.3/24 brd 10.7.1.255 scope site"])
    });
    wait("the excluded address", SOON, || listed("eth0", &["inet 10.7.2.1/32"]));
    wait("the excluded IPv6 address", SOON, || {
        listed("eth0", &["inet6 fd07::2:1/64 scope global", "nodad"])
    });
    // Must not be chosen as a source.
    wait("the IPv6 host address", SOON, || {
        listed("eth0", &["inet6 fd07::2:2/128 scope global", "nodad", "deprecated"])
    });
    assert_eq!(daemon.stop().code(), Some(0));
    for (interface, gone) in [
        ("eth0", "10.7.1.1"),
        ("eth1", "10.7.1.2"),
        ("eth0", "10.7.1.3"),
        ("eth0", "10.7.2.1"),
        ("eth0", "fd07::2:1"),
    ] {
        assert!(!a.holds(interface, gone), "{gone} was left on {interface}");
    }
    assert!(
        a.holds("eth0", "10.7.0.1") && a.holds("eth0", "fd07::1"),
        "the host's own addresses are left alone"
    );
    Ok(())
}

pub(crate) fn an_address_that_is_removed_externally_is_restored() -> Outcome {
    ours_only()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut capture = segment.capture();
    let mut daemon = a.start(&config(&[instance("VI_1").vip("10.7.1.1/16").vip("10.7.1.2/16")]));
    daemon.wait_master("VI_1");
    let mut monitor = AddressMonitor::once_held(&a, "eth0", &["10.7.1.1", "10.7.1.2"]);
    let mark = daemon.mark();
    for _ in 0..3 {
        monitor.clear();
        a.ip("addr del 10.7.1.1/16 dev eth0");
        wait("it is back", SOON, || a.holds("eth0", "10.7.1.1"));
        assert!(!monitor.removed("10.7.1.2"), "the other one is not touched");
    }
    assert_eq!(daemon.state_changes(mark), Vec::<String>::new(), "it stays master");
    assert!(capture.adverts().iter().all(|a| a.priority == 100), "and says nothing else");
    assert!(daemon.is_running());
    Ok(())
}

/// A daemon that held 10.7.1.1/16 was killed.
fn left_by_a_crash(host: &Host) {
    let mut daemon = host.start(&config(&[instance("VI_1").vip("10.7.1.1/16")]));
    daemon.wait_master("VI_1");
    wait("it holds the address", SOON, || host.holds("eth0", "10.7.1.1"));
    daemon.crash();
    assert!(host.holds("eth0", "10.7.1.1"), "a crash leaves it");
}

pub(crate) fn without_tracking_it_is_not_restored() -> Outcome {
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let router = instance("VI_1").vip("10.7.1.1/16").vip("10.7.1.3/16 no_track");
    let daemon = a.start(&config(&[router]));
    daemon.wait_master("VI_1");
    wait("it is there", SOON, || a.holds("eth0", "10.7.1.3"));
    a.ip("addr del 10.7.1.3/16 dev eth0");
    stays("it stays away", millis(500), || !a.holds("eth0", "10.7.1.3"));
    assert!(a.holds("eth0", "10.7.1.1"));
    Ok(())
}

/// As the only, a second and an excluded virtual address; of a MASTER and of a BACKUP.
pub(crate) fn addresses_of_the_host_itself_are_never_removed() -> Outcome {
    ours_only()?;
    let excluded = "virtual_ipaddress_excluded {\n 10.7.0.1/16\n }";
    let blocks = [
        instance("VI_1").vip("10.7.0.1/16"),
        instance("VI_1").vip("10.7.1.1/16").vip("10.7.0.1/16"),
        instance("VI_1").vip("10.7.1.1/16").line(excluded),
    ];
    for block in blocks {
        for priority in [100, 255] {
            let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
            let mut monitor = AddressMonitor::new(&a);
            let mut daemon = a.start(&config(&[block.clone().priority(priority)]));
            daemon.wait_master("VI_1");
            if priority == 100 {
                let mark = daemon.mark();
                let better = b.start(&config(&[instance("VI_1").priority(200).vip("10.7.1.1/16")]));
                better.wait_master("VI_1");
                daemon.wait_yielded(mark, "VI_1");
            }
            assert_eq!(daemon.stop().code(), Some(0));
            assert!(!monitor.removed("10.7.0.1"));
            assert!(a.holds("eth0", "10.7.0.1"));
            assert!(!a.holds("eth0", "10.7.1.1"));
        }
    }
    Ok(())
}

/// RFC 9568: the virtual address is the owner's own address, and its source.
pub(crate) fn an_address_owner_of_one_address_keeps_it() -> Outcome {
    ours_only()?;
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let block = |priority| config(&[instance("VI_1").priority(priority).vip("10.7.0.1/16")]);
    let mut capture = segment.capture();
    let mut owner = a.start(&block(255));
    owner.wait_master("VI_1");
    let own: std::net::IpAddr = "10.7.0.1".parse().expect("an address");
    capture.wait_advert("from its own address", SOON, |a| a.priority == 255 && a.source == own);
    let backup = b.start(&block(100));
    backup.wait_backup("VI_1");
    stays("the backup hears the owner", millis(800), || !b.holds("eth0", "10.7.0.1"));
    assert_eq!(owner.stop().code(), Some(0));
    assert!(a.holds("eth0", "10.7.0.1"), "the host keeps its address");
    backup.wait_master("VI_1");
    Ok(())
}

/// The kernel refuses an address whose scope differs from that of others in its network.
pub(crate) fn a_router_whose_addresses_are_refused_is_in_fault() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let healthy = b.start(&config(&[instance("VI_1").vip("10.7.1.1/16")]));
    healthy.wait_master("VI_1");
    let block = instance("VI_1").priority(200);
    let daemon = a.start(&config(&[block.clone().vip("10.7.1.1/16 scope site")]));
    let why = "no virtual address can be added (10.7.1.1/16 on eth0: Invalid argument)";
    daemon.wait_log(&format!("(VI_1) because: {why}"));
    let mark = healthy.mark();
    healthy.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    wait("the healthy router has it", SOON, || b.holds("eth0", "10.7.1.1"));
    let mark = daemon.mark();
    // The conflicting network is removed, so that the kernel accepts the address.
    a.ip("addr add 10.7.0.1/24 dev eth0\naddr del 10.7.0.1/16 dev eth0");
    daemon.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    wait("it has its address", SOON, || a.holds("eth0", "10.7.1.1"));
    Ok(())
}

pub(crate) fn a_router_that_lacks_some_addresses_stays_master() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let block = instance("VI_1").vip("10.7.1.1/16").vip("10.7.1.2/16 scope site");
    let daemon = a.start(&config(&[block]));
    daemon.wait_log_part(0, "(VI_1) cannot add 10.7.1.2/16 on eth0: Invalid argument");
    stays("it is master", secs(1), || a.holds("eth0", "10.7.1.1"));
    assert!(!daemon.logged("(VI_1) Entering FAULT STATE"));
    Ok(())
}

pub(crate) fn without_its_capabilities_it_does_not_start() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let text = config(&[instance("VI_1").vip("10.7.1.1/16")]);
    for (lost, line) in [
        ("net_admin", "CAP_NET_ADMIN is missing, which virtual_ipaddress needs"),
        ("net_raw", "CAP_NET_RAW is missing, which vrrp_instance needs"),
    ] {
        let mut daemon = a.start_without(lost, &text);
        assert_eq!(daemon.wait_end().code(), Some(4));
        daemon.wait_log_part(0, line);
    }
    Ok(())
}

pub(crate) fn a_static_address_is_a_source() -> Outcome {
    let segment = Segment::new(7);
    let a = Host::new("a");
    segment.plug(&a, "eth0");
    a.ip("link set eth0 up");
    let router = instance("VI_1").vip("10.7.1.1/16");
    let text = format!("static_ipaddress {{\n 10.7.0.5/16 dev eth0\n}}\n{}", config(&[router]));
    let daemon = a.start(&text);
    daemon.wait_master("VI_1");
    Ok(())
}

pub(crate) fn addresses_present_at_start_are_adopted() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    left_by_a_crash(&a);
    let mut monitor = AddressMonitor::new(&a);
    let mut daemon = a.start(&config(&[instance("VI_1").vip("10.7.1.1/16")]));
    daemon.wait_master("VI_1");
    stays("it is there all the time", millis(300), || a.holds("eth0", "10.7.1.1"));
    let address = "10.7.1.1".parse().expect("an address");
    let touched = [AddressEvent::Removed(address), AddressEvent::Added(address)];
    assert!(!monitor.events().iter().any(|e| touched.contains(e)), "{:?}", monitor.events());
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!a.holds("eth0", "10.7.1.1"), "what is adopted is also let go");
    Ok(())
}

/// Addresses left by a crashed daemon must not stay on a router that is now BACKUP.
pub(crate) fn a_backup_removes_leftover_addresses() -> Outcome {
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    left_by_a_crash(&a);
    let master = b.start(&config(&[instance("VI_1").priority(200).vip("10.7.1.1/16")]));
    master.wait_master("VI_1");
    let backup = a.start(&config(&[instance("VI_1").priority(100).vip("10.7.1.1/16")]));
    backup.wait_backup("VI_1");
    wait("it is gone", SOON, || !a.holds("eth0", "10.7.1.1"));
    assert!(b.holds("eth0", "10.7.1.1"));
    Ok(())
}

pub(crate) fn nothing_is_left_after_a_stop_in_any_state() -> Outcome {
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let before = (a.addresses(), b.addresses());
    let mut master = a.start(&config(&[instance("VI_1").priority(200).vip("10.7.1.1/16")]));
    master.wait_master("VI_1");
    let mut backup = b.start(&config(&[instance("VI_1").priority(100).vip("10.7.1.1/16")]));
    backup.wait_backup("VI_1");
    assert_eq!(backup.stop().code(), Some(0));
    assert_eq!(master.stop().code(), Some(0));
    assert_eq!((a.addresses(), b.addresses()), before);
    // In FAULT: the link is down during the stop.
    let mut faulty = a.start(&config(&[instance("VI_1").vip("10.7.1.1/16")]));
    faulty.wait_master("VI_1");
    wait("it holds the address", SOON, || a.holds("eth0", "10.7.1.1"));
    a.ip("link set eth0 down");
    faulty.wait_log("(VI_1) Entering FAULT STATE");
    wait("the address is gone", secs(5), || !a.holds("eth0", "10.7.1.1"));
    assert_eq!(faulty.stop().code(), Some(0));
    assert!(!a.holds("eth0", "10.7.1.1"));
    Ok(())
}

/// A host with an additional eth1 with one static address.
fn static_scene(group: &str) -> ([Segment; 2], [Host; 1], String) {
    let (segment, hosts) = Segment::with_hosts(["a"]);
    let other = Segment::new(8);
    other.attach(&hosts[0], "eth1", 1);
    let text = format!(
        "track_group followers {{\n group {{\n VI_1\n }}\n}}\n\
         static_ipaddress {{\n 10.8.1.1/16 dev eth1 {group}\n}}\n{}",
        config(&[instance("VI_1").vip("10.7.1.1/16")])
    );
    ([segment, other], hosts, text)
}

pub(crate) fn static_addresses_do_not_depend_on_the_master() -> Outcome {
    let (_segments, [a], text) = static_scene("");
    let mut daemon = a.start(&text);
    daemon.wait_master("VI_1");
    wait("the static address is there", SOON, || a.holds("eth1", "10.8.1.1"));
    daemon.rewrite(&text.replace("10.8.1.1/16", "10.8.1.2/16"));
    daemon.reload();
    wait("the other one is there instead", SOON, || {
        a.holds("eth1", "10.8.1.2") && !a.holds("eth1", "10.8.1.1")
    });
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!a.holds("eth1", "10.8.1.2"), "nothing is left");
    Ok(())
}

pub(crate) fn static_addresses_that_are_removed_externally_are_restored() -> Outcome {
    ours_only()?;
    let (_segments, [a], text) = static_scene("");
    let daemon = a.start(&text);
    daemon.wait_master("VI_1");
    wait("the static address is there", SOON, || a.holds("eth1", "10.8.1.1"));
    a.ip("addr del 10.8.1.1/16 dev eth1");
    wait("it is back", SOON, || a.holds("eth1", "10.8.1.1"));
    Ok(())
}

pub(crate) fn a_track_group_follows_the_interface_of_a_static_address() -> Outcome {
    let ([_segment, other], [a], text) = static_scene("track_group followers");
    let daemon = a.start(&text);
    daemon.wait_master("VI_1");
    other.pull_cable(&a, "eth1");
    daemon.wait_log("(VI_1) Entering FAULT STATE");
    other.plug_cable(&a, "eth1");
    wait("the virtual address is back", SOON, || a.holds("eth0", "10.7.1.1"));
    Ok(())
}
