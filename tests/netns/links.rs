//! Interfaces that fail, flap, disappear and come back.

use crate::lab::{
    config, config_with, instance, millis, ours_only, pass, secs, stays, wait, Daemon, Host,
    Instance, Outcome, Segment, SOON,
};

const VIP: &str = "10.7.1.1";

fn router(priority: u8) -> Instance {
    instance("VI_1").priority(priority).vip("10.7.1.1/16")
}

fn pair(global: &str) -> (Segment, [Host; 2], Daemon, Daemon) {
    let (segment, hosts) = Segment::with_hosts(["a", "b"]);
    let high = hosts[0].start(&config_with(global, &[router(200)]));
    high.wait_master("VI_1");
    let low = hosts[1].start(&config(&[router(100)]));
    low.wait_backup("VI_1");
    wait("the master holds the address", SOON, || hosts[0].holds("eth0", VIP));
    (segment, hosts, high, low)
}

fn moved_to(to: &Host, from: &Host) {
    wait(&format!("the address is on {} alone", to.name), SOON, || {
        to.holds("eth0", VIP) && !from.holds("eth0", VIP)
    });
}

pub(crate) fn an_interface_taken_down_causes_fault() -> Outcome {
    let (_segment, [a, b], high, low) = pair("");
    a.ip("link set eth0 down");
    high.wait_log("(VI_1) Entering FAULT STATE");
    low.wait_master("VI_1");
    moved_to(&b, &a);
    if ours_only().is_ok() {
        assert!(!high.logged("(VI_1) sent 0 priority"), "nothing can be sent on it");
    }
    let mark = high.mark();
    a.ip("link set eth0 up");
    high.wait_log_since(mark, "(VI_1) Entering BACKUP STATE");
    high.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    moved_to(&a, &b);
    Ok(())
}

pub(crate) fn a_pulled_cable_causes_fault() -> Outcome {
    let (segment, [a, b], high, low) = pair("");
    segment.pull_cable(&a, "eth0");
    high.wait_log("(VI_1) Entering FAULT STATE");
    low.wait_master("VI_1");
    moved_to(&b, &a);
    segment.plug_cable(&a, "eth0");
    moved_to(&a, &b);
    Ok(())
}

pub(crate) fn a_flapping_interface_ends_with_one_master() -> Outcome {
    let (_segment, [a, b], mut high, mut low) = pair("");
    for turn in 0..20 {
        a.ip("link set eth0 down");
        pass(millis(turn * 7));
        a.ip("link set eth0 up");
        pass(millis(200 - turn * 9));
    }
    moved_to(&a, &b);
    stays("one master", secs(1), || a.holds("eth0", VIP) && !b.holds("eth0", VIP));
    assert!(high.is_running() && low.is_running());
    Ok(())
}

pub(crate) fn dont_track_primary_ignores_the_own_interface() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router(100).line("dont_track_primary")]));
    daemon.wait_master("VI_1");
    let mark = daemon.mark();
    segment.pull_cable(&a, "eth0");
    stays("it is master", secs(1), || a.holds("eth0", VIP));
    assert_eq!(daemon.state_changes(mark), Vec::<String>::new());
    Ok(())
}

pub(crate) fn a_deleted_interface_may_come_back() -> Outcome {
    let (segment, [a, b], mut high, low) = pair("dynamic_interfaces");
    a.ip("link del eth0");
    low.wait_master("VI_1");
    high.wait_log("(VI_1) Entering FAULT STATE");
    stays("it lives without its interface", millis(500), || high.is_running());
    let mark = high.mark();
    segment.attach(&a, "eth0", 1);
    high.wait_log_since(mark, "(VI_1) Entering BACKUP STATE");
    moved_to(&a, &b);
    low.wait_log("(VI_1) Entering BACKUP STATE");
    Ok(())
}

pub(crate) fn an_interface_may_appear_later() -> Outcome {
    let segment = Segment::new(7);
    let a = Host::new("a");
    let daemon = a.start(&config_with("dynamic_interfaces", &[router(100)]));
    daemon.wait_fault("VI_1");
    segment.attach(&a, "eth0", 1);
    daemon.wait_log("(VI_1) Entering BACKUP STATE");
    daemon.wait_master("VI_1");
    wait("it holds the address", SOON, || a.holds("eth0", VIP));
    Ok(())
}

pub(crate) fn without_an_address_of_its_own_a_router_waits() -> Outcome {
    let segment = Segment::new(7);
    let a = Host::new("a");
    segment.plug(&a, "eth0");
    let daemon = a.start(&config(&[router(100)]));
    daemon.wait_fault("VI_1");
    stays("no master without a source address", millis(700), || !a.holds("eth0", VIP));
    a.ip("addr add 10.7.0.1/16 dev eth0");
    daemon.wait_master("VI_1");
    wait("it holds the address", SOON, || a.holds("eth0", VIP));
    Ok(())
}

/// Without its own address a router cannot send; the kernel removes the virtual one with it.
pub(crate) fn a_router_that_loses_its_own_address_waits_for_it() -> Outcome {
    let (_segment, [a, b], high, low) = pair("");
    a.ip("addr del 10.7.0.1/16 dev eth0");
    high.wait_fault("VI_1");
    low.wait_master("VI_1");
    moved_to(&b, &a);
    a.ip("addr add 10.7.0.1/16 dev eth0");
    moved_to(&a, &b);
    Ok(())
}

pub(crate) fn another_own_address_takes_over_as_the_source() -> Outcome {
    let (segment, [a, b], mut high, _low) = pair("");
    a.ip("addr add 10.7.0.77/24 dev eth0");
    a.sysctl("net/ipv4/conf/eth0/promote_secondaries", "1");
    let mut capture = segment.capture();
    a.ip("addr del 10.7.0.1/16 dev eth0");
    capture.wait_advert("adverts from the other address", SOON, |a| {
        a.source.to_string() == "10.7.0.77"
    });
    moved_to(&a, &b);
    assert!(high.is_running());
    Ok(())
}

/// The kernel removes all IPv6 addresses of an interface that goes down.
pub(crate) fn an_ipv6_router_comes_back_after_its_interface() -> Outcome {
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let block = |priority| {
        config(&[instance("VI_1").priority(priority).vip("fe80::51/64").vip("fd07::1:1/64")])
    };
    let on = |host: &Host| host.holds("eth0", "fd07::1:1");
    let high = a.start(&block(200));
    high.wait_master("VI_1");
    let low = b.start(&block(100));
    low.wait_backup("VI_1");
    for _ in 0..2 {
        a.ip("link set eth0 down");
        wait("the address has moved", SOON, || !on(&a) && on(&b));
        a.ip("link set eth0 up");
        wait("the address has moved back", SOON, || on(&a) && !on(&b));
    }
    Ok(())
}

pub(crate) fn a_renamed_interface_is_another_one() -> Outcome {
    let (_segment, [a, b], mut high, low) = pair("dynamic_interfaces");
    a.ip("link set eth0 down\nlink set eth0 name eth9\nlink set eth9 up");
    low.wait_master("VI_1");
    wait("the address is on b alone", SOON, || b.holds("eth0", VIP) && !a.holds("eth9", VIP));
    a.ip("link set eth9 down\nlink set eth9 name eth0\nlink set eth0 up");
    moved_to(&a, &b);
    assert!(high.is_running());
    Ok(())
}

pub(crate) fn a_master_leaves_nothing_on_a_renamed_interface() -> Outcome {
    let (_segment, [a, b], high, low) = pair("");
    let mark = high.mark();
    a.ip("link set eth0 name wan");
    high.wait_log_since(mark, "(VI_1) Entering FAULT STATE");
    low.wait_master("VI_1");
    wait("the address is gone", SOON, || !a.holds("wan", VIP) && b.holds("eth0", VIP));
    let mark = high.mark();
    a.ip("link set wan name eth0");
    high.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    moved_to(&a, &b);
    Ok(())
}

pub(crate) fn interfaces_may_swap_their_names() -> Outcome {
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let other = Segment::new(8);
    other.attach(&a, "eth1", 1);
    let second = instance("VI_2").on("eth1").vrid(52).vip("10.8.1.1/16");
    let daemon = a.start(&config(&[router(100), second]));
    daemon.wait_master("VI_1");
    daemon.wait_master("VI_2");
    wait("both are there", SOON, || a.holds("eth0", VIP) && a.holds("eth1", "10.8.1.1"));
    let mark = daemon.mark();
    a.ip("link set eth0 name tmp\nlink set eth1 name eth0\nlink set tmp name eth1");
    for name in ["VI_1", "VI_2"] {
        daemon.wait_log_since(mark, &format!("({name}) Entering MASTER STATE"));
    }
    wait("the addresses are where they are wanted, and nowhere else", SOON, || {
        let (on_eth0, on_eth1) = (a.holds("eth0", VIP), a.holds("eth1", "10.8.1.1"));
        on_eth0 && on_eth1 && !a.holds("eth1", VIP) && !a.holds("eth0", "10.8.1.1")
    });
    Ok(())
}

pub(crate) fn an_interface_that_moves_to_another_namespace_is_gone() -> Outcome {
    let (segment, [a, b], high, low) = pair("");
    let elsewhere = Host::new("elsewhere");
    let mark = high.mark();
    a.ip(&format!("link set eth0 netns {}", elsewhere.path()));
    high.wait_log_since(mark, "(VI_1) Entering FAULT STATE");
    low.wait_master("VI_1");
    elsewhere.ip("link del eth0");
    segment.attach(&a, "eth0", 3);
    moved_to(&a, &b);
    Ok(())
}
