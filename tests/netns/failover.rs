//! Failover: the address moves when its master fails, and comes back.

use crate::lab::{
    config, instance, millis, now, pass, secs, stays, wait, Capture, Daemon, Host, Instance,
    Outcome, Segment, SOON,
};

const VIP: &str = "10.7.1.1";

fn router(priority: u8) -> Instance {
    instance("VI_1").priority(priority).vip("10.7.1.1/16")
}

struct Pair {
    segment: Segment,
    hosts: [Host; 2],
    master: Daemon,
    backup: Daemon,
    capture: Capture,
}

fn pair() -> Pair {
    let (segment, hosts) = Segment::with_hosts(["a", "b"]);
    let capture = segment.capture();
    let [a, b] = &hosts;
    let master = a.start(&config(&[router(200)]));
    master.wait_master("VI_1");
    let backup = b.start(&config(&[router(100)]));
    backup.wait_backup("VI_1");
    wait("the master holds the address", SOON, || a.holds("eth0", VIP));
    Pair { segment, hosts, master, backup, capture }
}

pub(crate) fn a_killed_master_is_replaced_after_the_down_time() -> Outcome {
    let Pair { segment: _segment, hosts: [_a, b], mut master, backup, mut capture } = pair();
    assert!(!b.holds("eth0", VIP));
    master.crash();
    backup.wait_master("VI_1");
    wait("the backup holds the address", SOON, || b.holds("eth0", VIP));
    let last =
        capture.adverts().into_iter().rfind(|a| a.priority == 200).expect("there was a master");
    let first = capture
        .wait_advert("an advert of the new master", SOON, |a| a.priority == 100 && a.at > last.at);
    // Three intervals and a skew time of 61 ms (RFC 9568 §6.1).
    let silent = first.at - last.at;
    assert!((millis(355)..millis(800)).contains(&silent), "took over after {silent:?}");
    let announced = || {
        capture
            .announcements()
            .iter()
            .any(|n| n.mac == b.mac("eth0") && n.address.to_string() == VIP)
    };
    wait("the new master announces the address", SOON, announced);
    Ok(())
}

pub(crate) fn a_stopped_master_is_replaced_after_the_skew_time() -> Outcome {
    let Pair { segment: _segment, hosts: [a, b], mut master, backup, mut capture } = pair();
    let stopped = now();
    let status = master.stop();
    assert_eq!(status.code(), Some(0));
    assert!(!a.holds("eth0", VIP), "it left its address");
    backup.wait_master("VI_1");
    wait("the backup holds the address", SOON, || b.holds("eth0", VIP));
    let farewell = capture.wait_advert("priority 0", SOON, |a| a.priority == 0);
    assert!(farewell.at >= stopped);
    let first = capture.wait_advert("an advert of the new master", SOON, |a| {
        a.priority == 100 && a.at > farewell.at
    });
    let silent = first.at - farewell.at;
    assert!((millis(55)..millis(350)).contains(&silent), "took over after {silent:?}");
    Ok(())
}

pub(crate) fn a_master_that_comes_back_takes_its_address_again() -> Outcome {
    let Pair { segment: _segment, hosts: [a, b], mut master, backup, .. } = pair();
    // A crash leaves the address in place; the next start must handle it.
    master.crash();
    wait("the backup holds the address", SOON, || b.holds("eth0", VIP));
    let again = a.start(&config(&[router(200)]));
    again.wait_master("VI_1");
    backup.wait_log("(VI_1) Entering BACKUP STATE");
    wait("the address has moved back", SOON, || a.holds("eth0", VIP) && !b.holds("eth0", VIP));
    Ok(())
}

pub(crate) fn the_states_are_logged_byte_for_byte() -> Outcome {
    let Pair { segment: _segment, hosts: [a, _b], mut master, backup, .. } = pair();
    assert_eq!(backup.state_changes(0), ["(VI_1) Entering BACKUP STATE (init)"]);
    let seen = ["(VI_1) Entering BACKUP STATE (init)", "(VI_1) Entering MASTER STATE"];
    assert_eq!(master.state_changes(0), seen);
    master.crash();
    backup.wait_log("(VI_1) Entering MASTER STATE");
    let again = a.start(&config(&[router(200)]));
    again.wait_master("VI_1");
    backup.wait_log("(VI_1) Entering BACKUP STATE");
    let lines = [seen[0], seen[1], "(VI_1) Entering BACKUP STATE"];
    assert_eq!(backup.state_changes(0), lines);
    Ok(())
}

pub(crate) fn two_masters_agree_when_the_network_heals() -> Outcome {
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let first = a.start(&config(&[router(100)]));
    first.wait_master("VI_1");
    segment.isolate(&b, "eth0");
    let second = b.start(&config(&[router(100)]));
    second.wait_master("VI_1");
    wait("both hold the address", SOON, || a.holds("eth0", VIP) && b.holds("eth0", VIP));
    segment.join(&b, "eth0");
    // Equal priorities: the higher source address wins (RFC 9568 §6.4.3), and that is b's.
    first.wait_log("(VI_1) Entering BACKUP STATE");
    wait("one holds the address", SOON, || !a.holds("eth0", VIP) && b.holds("eth0", VIP));
    assert!(!second.logged("(VI_1) Entering BACKUP STATE"));
    Ok(())
}

/// Advertisements queued in the socket during a stall show that the master is alive.
pub(crate) fn a_stalled_backup_does_not_take_over() -> Outcome {
    let Pair { segment: _segment, hosts: [_a, b], master, backup, mut capture } = pair();
    for _ in 0..3 {
        backup.freeze();
        pass(millis(1500));
        backup.thaw();
        stays("the backup is quiet", millis(500), || !b.holds("eth0", VIP));
    }
    assert!(capture.adverts().iter().all(|a| a.priority == 200), "the backup spoke");
    assert_eq!(backup.state_changes(0), ["(VI_1) Entering BACKUP STATE (init)"]);
    assert_eq!(master.state_changes(0).len(), 2);
    Ok(())
}

pub(crate) fn a_stalled_master_is_replaced_and_comes_back() -> Outcome {
    let Pair { segment: _segment, hosts: [a, b], master, backup, .. } = pair();
    master.freeze();
    backup.wait_master("VI_1");
    wait("the backup holds the address", SOON, || b.holds("eth0", VIP));
    master.thaw();
    backup.wait_log("(VI_1) Entering BACKUP STATE");
    wait("one holds the address", SOON, || a.holds("eth0", VIP) && !b.holds("eth0", VIP));
    stays("and that is it", secs(1), || a.holds("eth0", VIP) && !b.holds("eth0", VIP));
    Ok(())
}
