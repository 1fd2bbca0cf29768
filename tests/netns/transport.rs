//! The format of advertisements, over every transport.

use crate::lab::{
    config, config_with, instance, millis, wait, Advert, Daemon, Host, Instance, Outcome, Segment,
    SOON,
};

const MULTICAST: &str = "224.0.0.18";

/// A master and a backup with these blocks; the master is killed, and comes back.
pub(crate) fn moves_and_returns(
    global: &str,
    instances: impl Fn(u8, u8) -> Instance,
    vip: &str,
) -> (Segment, [Host; 2], [Daemon; 2]) {
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let text =
        |own, peer, priority| config_with(global, &[instances(own, peer).priority(priority)]);
    let mut high = a.start(&text(1, 2, 200));
    high.wait_master("VI_1");
    let low = b.start(&text(2, 1, 100));
    low.wait_backup("VI_1");
    wait("the master holds the address", SOON, || a.holds("eth0", vip));
    assert!(!b.holds("eth0", vip), "and no other router");
    high.crash();
    low.wait_master("VI_1");
    wait("the backup holds the address", SOON, || b.holds("eth0", vip));
    let high = a.start(&text(1, 2, 200));
    low.wait_log("(VI_1) Entering BACKUP STATE");
    wait("the address has moved back", SOON, || a.holds("eth0", vip) && !b.holds("eth0", vip));
    (segment, [a, b], [high, low])
}

fn addresses(advert: &Advert) -> Vec<String> {
    advert.addresses.iter().map(ToString::to_string).collect()
}

pub(crate) fn version_3_over_ipv4_multicast() -> Outcome {
    let (segment, [a, _b], _daemons) = moves_and_returns(
        "",
        |_, _| instance("VI_1").vip("10.7.1.1/16").vip("10.7.1.2/16"),
        "10.7.1.2",
    );
    let mut capture = segment.capture();
    let advert = capture.wait_advert("an advert", SOON, |a| a.vrid == 51 && a.priority == 200);
    assert_eq!(advert.version, 3);
    assert_eq!(advert.source.to_string(), "10.7.0.1");
    assert_eq!(advert.destination.to_string(), MULTICAST);
    assert_eq!(advert.mac, a.mac("eth0"));
    assert_eq!((advert.ttl, advert.interval), (255, millis(100)));
    assert_eq!(addresses(&advert), ["10.7.1.1", "10.7.1.2"]);
    assert!(advert.checksum_ok);
    Ok(())
}

pub(crate) fn version_2_over_ipv4_multicast() -> Outcome {
    let (segment, _hosts, _daemons) = moves_and_returns(
        "",
        |_, _| instance("VI_1").version(2).every("1").vip("10.7.1.1/16"),
        "10.7.1.1",
    );
    let mut capture = segment.capture();
    let advert = capture.wait_advert("an advert", SOON, |a| a.vrid == 51 && a.priority == 200);
    assert_eq!((advert.version, advert.ttl, advert.interval), (2, 255, millis(1000)));
    assert_eq!(advert.auth, Some((0, [0; 8])));
    assert_eq!(addresses(&advert), ["10.7.1.1"]);
    assert!(advert.checksum_ok);
    Ok(())
}

pub(crate) fn version_3_over_ipv6_multicast() -> Outcome {
    let (segment, [a, _b], _daemons) = moves_and_returns(
        "",
        |_, _| instance("VI_1").vip("fe80::51/64").vip("fd07::1:1/64"),
        "fd07::1:1",
    );
    let mut capture = segment.capture();
    let advert = capture.wait_advert("an advert", SOON, |a| a.vrid == 51 && a.priority == 200);
    assert_eq!(advert.version, 3);
    assert_eq!(advert.source, a.link_local("eth0"));
    assert_eq!(advert.destination.to_string(), "ff02::12");
    assert_eq!((advert.ttl, advert.interval), (255, millis(100)));
    assert_eq!(addresses(&advert), ["fe80::51", "fd07::1:1"]);
    assert!(advert.checksum_ok);
    Ok(())
}

pub(crate) fn unicast_over_ipv4() -> Outcome {
    let block = |own, peer| {
        instance("VI_1")
            .line(&format!("unicast_src_ip 10.7.0.{own}"))
            .line(&format!("unicast_peer {{\n 10.7.0.{peer}\n }}"))
            .vip("10.7.1.1/16")
    };
    let (segment, [_a, b], _daemons) = moves_and_returns("", block, "10.7.1.1");
    let mut everybody = segment.capture();
    let advert = b.capture("eth0").wait_advert("an advert", SOON, |a| a.priority == 200);
    assert_eq!(advert.source.to_string(), "10.7.0.1");
    assert_eq!(advert.destination.to_string(), "10.7.0.2");
    assert_eq!(advert.ttl, 255);
    assert!(advert.checksum_ok);
    assert!(everybody.adverts().is_empty(), "nothing is multicast");
    Ok(())
}

pub(crate) fn unicast_over_ipv6() -> Outcome {
    let block = |own, peer| {
        instance("VI_1")
            .line(&format!("unicast_src_ip fd07::{own}"))
            .line(&format!("unicast_peer {{\n fd07::{peer}\n }}"))
            .vip("fd07::1:1/64")
    };
    let (segment, [_a, b], _daemons) = moves_and_returns("", block, "fd07::1:1");
    let mut everybody = segment.capture();
    let advert = b.capture("eth0").wait_advert("an advert", SOON, |a| a.priority == 200);
    assert_eq!(advert.source.to_string(), "fd07::1");
    assert_eq!(advert.destination.to_string(), "fd07::2");
    assert!(advert.checksum_ok);
    assert!(everybody.adverts().is_empty(), "nothing is multicast");
    Ok(())
}

/// Two unicast instances with one router id and one source address: each hears its own peer, also
/// before it has sent anything.
pub(crate) fn unicast_instances_that_share_a_router_id_hear_their_own_peers() -> Outcome {
    let (_segment, [a, b, c]) = Segment::with_hosts(["a", "b", "c"]);
    let unicast = |name: &str, priority, own, peer, vip| {
        instance(name)
            .priority(priority)
            .line(&format!("unicast_src_ip 10.7.0.{own}"))
            .line(&format!("unicast_peer {{\n 10.7.0.{peer}\n }}"))
            .vip(vip)
    };
    let daemons = [(&b, 2, "10.7.1.1/16"), (&c, 3, "10.7.1.2/16")].map(|(host, own, vip)| {
        let daemon = host.start(&config(&[unicast("VI_1", 200, own, 1, vip)]));
        daemon.wait_master("VI_1");
        daemon
    });
    let both =
        [unicast("VI_B", 100, 1, 2, "10.7.1.1/16"), unicast("VI_C", 100, 1, 3, "10.7.1.2/16")];
    let daemon = a.start(&config(&both));
    for name in ["VI_B", "VI_C"] {
        daemon.wait_log(&format!("({name}) Entering BACKUP STATE (init)"));
    }
    // Three times what an instance waits for a silent master.
    let mut capture = a.capture("eth0");
    wait("both masters are heard for a second", SOON, || {
        let heard = capture.adverts();
        let from = |source: &str| {
            heard.iter().filter(|advert| advert.source.to_string() == source).count()
        };
        from("10.7.0.2") >= 10 && from("10.7.0.3") >= 10
    });
    let is_master = |name: &str| {
        let line = format!("({name}) Entering MASTER");
        daemon.log().iter().any(|l| l.contains(&line))
    };
    assert!(!is_master("VI_B") && !is_master("VI_C"), "each hears its own peer");
    // Of a master that leaves, only its own instance takes over.
    let [b, mut c] = daemons;
    c.stop();
    daemon.wait_master("VI_C");
    assert!(!is_master("VI_B"));
    drop(b);
    Ok(())
}

pub(crate) fn another_multicast_group() -> Outcome {
    let block = |_, _| instance("VI_1").vip("10.7.1.1/16");
    let (segment, _hosts, _daemons) =
        moves_and_returns("vrrp_mcast_group4 224.0.38.12", block, "10.7.1.1");
    let mut capture = segment.capture();
    let advert = capture.wait_advert("an advert", SOON, |a| a.vrid == 51);
    assert_eq!(advert.destination.to_string(), "224.0.38.12");
    Ok(())
}

pub(crate) fn ipv4_and_ipv6_share_a_router_id() -> Outcome {
    let (segment, [a, _b]) = Segment::with_hosts(["a", "b"]);
    let mut capture = segment.capture();
    let both =
        [instance("V4").vip("10.7.1.1/16"), instance("V6").vip("fe80::51/64").vip("fd07::1:1/64")];
    let daemon = a.start(&config(&both));
    daemon.wait_master("V4");
    daemon.wait_master("V6");
    wait("both addresses are there", SOON, || {
        a.holds("eth0", "10.7.1.1") && a.holds("eth0", "fd07::1:1")
    });
    let announced = |capture: &mut crate::lab::Capture, address: &str| {
        capture
            .announcements()
            .iter()
            .any(|n| n.address.to_string() == address && n.mac == a.mac("eth0"))
    };
    wait("IPv4 is announced", SOON, || announced(&mut capture, "10.7.1.1"));
    wait("IPv6 is announced", SOON, || announced(&mut capture, "fd07::1:1"));
    Ok(())
}
