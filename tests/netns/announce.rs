//! Gratuitous ARP and unsolicited neighbour advertisements: timing, number, MAC.

use std::time::Duration;

use crate::lab::{
    config, config_with, instance, millis, ours_only, pass, secs, stays, wait, Announcement,
    Capture, Daemon, Host, Instance, Outcome, Segment, SOON,
};

fn router() -> Instance {
    instance("VI_1").vip("10.7.1.1/16")
}

fn of(capture: &mut Capture, address: &str) -> Vec<Announcement> {
    capture.announcements().into_iter().filter(|n| n.address.to_string() == address).collect()
}

pub(crate) fn five_at_once_and_five_after_the_delay() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut capture = segment.capture();
    let daemon = a.start(&config_with("vrrp_garp_master_delay 2", &[router().vip("10.7.1.2/16")]));
    daemon.wait_master("VI_1");
    wait("both rounds", SOON, || of(&mut capture, "10.7.1.1").len() >= 10);
    pass(millis(500));
    for address in ["10.7.1.1", "10.7.1.2"] {
        let seen = of(&mut capture, address);
        assert_eq!(seen.len(), 10, "{address}");
        assert!(seen.iter().all(|n| n.mac == a.mac("eth0")));
        let first_round = seen[4].at - seen[0].at;
        assert!(first_round < millis(300), "the first five took {first_round:?}");
        let delay = seen[5].at - seen[0].at;
        assert!(
            (millis(1900)..millis(2800)).contains(&delay),
            "the second five came after {delay:?}"
        );
    }
    Ok(())
}

pub(crate) fn a_refresh_repeats_them() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut capture = segment.capture();
    let global = "vrrp_garp_master_delay 1\nvrrp_garp_master_repeat 1\nvrrp_garp_master_refresh 1";
    let daemon = a.start(&config_with(global, &[router()]));
    daemon.wait_master("VI_1");
    wait("several rounds", SOON, || of(&mut capture, "10.7.1.1").len() >= 5);
    let seen = of(&mut capture, "10.7.1.1");
    let gaps = seen.windows(2).map(|pair| pair[1].at - pair[0].at);
    // The delayed round and a refresh may coincide.
    let gaps: Vec<Duration> = gaps.filter(|gap| *gap > millis(20)).collect();
    assert!(gaps.iter().all(|gap| (millis(800)..millis(1500)).contains(gap)), "{gaps:?}");
    Ok(())
}

pub(crate) fn a_new_link_layer_address_is_used() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut capture = segment.capture();
    let global = "vrrp_garp_master_delay 1\nvrrp_garp_master_repeat 1\nvrrp_garp_master_refresh 1";
    let daemon = a.start(&config_with(global, &[router()]));
    daemon.wait_master("VI_1");
    wait("it announces", SOON, || !of(&mut capture, "10.7.1.1").is_empty());
    a.ip("link set eth0 address 02:00:00:00:00:77");
    let new = [2, 0, 0, 0, 0, 0x77];
    wait("announcements from the new one", SOON, || {
        of(&mut capture, "10.7.1.1").iter().any(|n| n.mac == new)
    });
    capture.wait_advert("adverts from the new one", SOON, |a| a.mac == new);
    Ok(())
}

pub(crate) fn ipv6_addresses_are_announced_as_often() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut capture = segment.capture();
    let block = instance("VI_1").vip("fe80::51/64").vip("fd07::1:1/64");
    let daemon = a.start(&config(&[block]));
    daemon.wait_master("VI_1");
    for address in ["fe80::51", "fd07::1:1"] {
        wait("the first round", SOON, || of(&mut capture, address).len() >= 5);
        let seen = of(&mut capture, address);
        assert!(seen.iter().all(|n| n.mac == a.mac("eth0")));
        assert!(seen[4].at - seen[0].at < secs(1));
    }
    Ok(())
}

/// A router with an address on eth0 and one on eth1, and captures of both segments.
fn on_two_segments(blocks: &str, lines: &str) -> (Daemon, [Segment; 2], [Capture; 2], Host) {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let second = Segment::new(8);
    second.attach(&a, "eth1", 1);
    let captures = [segment.capture(), second.capture()];
    let router = router().vip("10.8.1.1/16 dev eth1").line(lines);
    let daemon = a.start(&(blocks.to_owned() + &config(&[router])));
    daemon.wait_master("VI_1");
    (daemon, [segment, second], captures, a)
}

/// With the words of keepalived, and nothing is said to be set where there is nothing.
pub(crate) fn the_log_says_what_is_set_and_announced() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let v6 = instance("VI_6").vrid(56).vip("fe80::51/64");
    let excluded = "virtual_ipaddress_excluded {\n 10.7.1.9/16\n }";
    let mut daemon = a.start(&config(&[router().line(excluded), v6]));
    for line in [
        "(VI_1) setting VIPs.",
        "(VI_1) setting E-VIPs.",
        "(VI_1) Sending/queueing gratuitous ARPs on eth0 for 10.7.1.1",
        "Sending gratuitous ARP on eth0 for 10.7.1.1",
        "(VI_6) setting VIPs.",
        "(VI_6) Sending/queueing Unsolicited Neighbour Adverts on eth0 for fe80::51",
        "Sending unsolicited Neighbour Advert on eth0 for fe80::51",
    ] {
        daemon.wait_log_part(0, line);
    }
    assert!(daemon.stop().success());
    daemon.wait_log_part(0, "(VI_1) removing E-VIPs.");
    assert!(!daemon.logged("(VI_6) setting E-VIPs.") && !daemon.logged("(VI_6) removing E-VIPs."));
    Ok(())
}

pub(crate) fn interfaces_of_a_group_share_an_interval() -> Outcome {
    let group = "garp_group {\n garp_interval 0.3\n interfaces {\n  eth0 eth1\n }\n}\n";
    let lines = "garp_master_repeat 2\n garp_master_delay 0";
    let (_daemon, _segments, [mut first, mut second], _a) = on_two_segments(group, lines);
    wait("the round", SOON, || {
        of(&mut first, "10.7.1.1").len() >= 2 && of(&mut second, "10.8.1.1").len() >= 2
    });
    pass(millis(500));
    let mut seen = of(&mut first, "10.7.1.1");
    seen.extend(of(&mut second, "10.8.1.1"));
    assert_eq!(seen.len(), 4);
    seen.sort_by_key(|n| n.at);
    let gaps: Vec<Duration> = seen.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert!(gaps.iter().all(|gap| (millis(280)..millis(500)).contains(gap)), "{gaps:?}");
    let order: Vec<String> = seen.iter().map(|n| n.address.to_string()).collect();
    assert_eq!((&order[0], &order[1]), (&order[2], &order[3]), "they take turns");
    Ok(())
}

pub(crate) fn further_interfaces_are_announced_periodically() -> Outcome {
    let lines = "garp_master_repeat 1\n garp_master_delay 0\n garp_extra_if all 1";
    let (_daemon, _segments, [mut first, mut second], _a) = on_two_segments("", lines);
    wait("three on the other interface", SOON, || of(&mut second, "10.8.1.1").len() >= 4);
    let seen = of(&mut second, "10.8.1.1");
    let gaps: Vec<Duration> = seen.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert!(gaps.iter().all(|gap| (millis(800)..millis(1500)).contains(gap)), "{gaps:?}");
    assert_eq!(of(&mut first, "10.7.1.1").len(), 1);
    Ok(())
}

/// Advertisements do not pass the VMAC, so a switch hears of it by these announcements only.
pub(crate) fn a_vmac_without_advertisements_is_announced_periodically() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut capture = segment.capture();
    let lines = "use_vmac\n vmac_xmit_base\n garp_master_repeat 1\n garp_master_delay 0\n \
                 garp_extra_if 1";
    let daemon = a.start(&config(&[router().line(lines)]));
    daemon.wait_master("VI_1");
    wait("three more", SOON, || of(&mut capture, "10.7.1.1").len() >= 4);
    let seen = of(&mut capture, "10.7.1.1");
    assert!(seen.iter().all(|n| n.mac == [0, 0, 0x5e, 0, 1, 51]), "{seen:?}");
    let gaps: Vec<Duration> = seen.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert!(gaps.iter().all(|gap| (millis(800)..millis(1500)).contains(gap)), "{gaps:?}");
    Ok(())
}

/// What is to be done at once was not due since the start of the daemon: that would be a stall, for
/// which `max_auto_priority` raises the priority.
pub(crate) fn work_that_is_due_at_once_is_not_late() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config_with("max_auto_priority 10", &[router()]));
    daemon.wait_master("VI_1");
    wait("it has its address", SOON, || a.holds("eth0", "10.7.1.1"));
    stays("it is master", millis(1500), || a.holds("eth0", "10.7.1.1"));
    // An address that exists already can be announced in the same turn.
    daemon.rewrite(&config_with("max_auto_priority 10", &[router().vip("10.7.0.1/16")]));
    let mark = daemon.mark();
    assert_eq!(daemon.reload_and_wait().0, Some(0));
    daemon.wait_log_part(mark, "gratuitous ARPs on eth0 for 10.7.0.1");
    stays("nothing is late", millis(300), || {
        !daemon.log().iter().any(|line| line.contains("Set realtime priority"))
    });
    Ok(())
}
