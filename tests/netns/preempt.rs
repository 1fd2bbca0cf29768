//! Preemption by a router with a higher priority.

use crate::lab::{
    config, instance, millis, now, secs, stays, wait, Daemon, Host, Instance, Outcome, Segment,
    SOON,
};

const VIP: &str = "10.7.1.1";

fn router(priority: u8) -> Instance {
    instance("VI_1").priority(priority).vip("10.7.1.1/16")
}

fn with_master() -> (Segment, [Host; 2], Daemon) {
    let (segment, hosts) = Segment::with_hosts(["a", "b"]);
    let master = hosts[1].start(&config(&[router(100)]));
    master.wait_master("VI_1");
    (segment, hosts, master)
}

pub(crate) fn a_higher_priority_takes_over() -> Outcome {
    let (_segment, [a, b], old) = with_master();
    let new = a.start(&config(&[router(101)]));
    new.wait_master("VI_1");
    old.wait_log("(VI_1) Entering BACKUP STATE");
    wait("the address has moved", SOON, || a.holds("eth0", VIP) && !b.holds("eth0", VIP));
    Ok(())
}

pub(crate) fn an_equal_priority_does_not_take_over() -> Outcome {
    let (_segment, [a, b], old) = with_master();
    let new = a.start(&config(&[router(100)]));
    new.wait_backup("VI_1");
    stays("the old master is master", millis(1500), || {
        b.holds("eth0", VIP) && !a.holds("eth0", VIP)
    });
    assert!(!old.logged("(VI_1) Entering BACKUP STATE"));
    Ok(())
}

pub(crate) fn nopreempt_waits_until_the_master_goes() -> Outcome {
    let (_segment, [a, b], mut old) = with_master();
    let new = a.start(&config(&[router(200).line("nopreempt")]));
    new.wait_backup("VI_1");
    stays("the old master is master", millis(1500), || {
        b.holds("eth0", VIP) && !a.holds("eth0", VIP)
    });
    old.crash();
    new.wait_master("VI_1");
    wait("the address is here", SOON, || a.holds("eth0", VIP));
    Ok(())
}

pub(crate) fn preempt_delay_postpones_the_takeover() -> Outcome {
    let (_segment, [a, b], _old) = with_master();
    let started = now();
    let new = a.start(&config(&[router(200).line("preempt_delay 2")]));
    new.wait_backup("VI_1");
    new.wait_master("VI_1");
    let took = now() - started;
    assert!((secs(2)..secs(5)).contains(&took), "took over after {took:?}");
    wait("the address has moved", SOON, || a.holds("eth0", VIP) && !b.holds("eth0", VIP));
    Ok(())
}

pub(crate) fn the_owner_is_master_at_once() -> Outcome {
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let mut capture = segment.capture();
    let other = b.start(&config(&[instance("VI_1").priority(100).vip("10.7.1.1/16")]));
    other.wait_master("VI_1");
    let owner = a.start(&config(&[instance("VI_1").priority(255).vip("10.7.1.1/16")]));
    owner.wait_master("VI_1");
    other.wait_log("(VI_1) Entering BACKUP STATE");
    capture.wait_advert("the owner's advert", SOON, |a| a.priority == 255);
    wait("the address has moved", SOON, || !b.holds("eth0", VIP) && a.holds("eth0", VIP));
    Ok(())
}
