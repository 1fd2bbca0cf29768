//! The one job: the address moves when its master goes.

use crate::lab::{
    config, instance, millis, now, wait, Capture, Daemon, Host, Outcome, Segment, SOON,
};

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
    let master = a.start(&config(&[instance("VI_1").priority(200).vip("10.7.1.1/16")]));
    let backup = b.start(&config(&[instance("VI_1").priority(100).vip("10.7.1.1/16")]));
    master.wait_master("VI_1");
    backup.wait_backup("VI_1");
    wait("the master holds the address", SOON, || a.holds("eth0", "10.7.1.1"));
    Pair { segment, hosts, master, backup, capture }
}

pub(crate) fn a_killed_master_is_replaced_after_the_down_time() -> Outcome {
    let Pair { segment: _segment, hosts: [_, b], mut master, backup, mut capture } = pair();
    assert!(!b.holds("eth0", "10.7.1.1"));
    master.crash();
    backup.wait_master("VI_1");
    wait("the backup holds the address", SOON, || b.holds("eth0", "10.7.1.1"));
    let last =
        capture.adverts().into_iter().rfind(|a| a.priority == 200).expect("there was a master");
    let first = capture
        .wait_advert("an advert of the new master", SOON, |a| a.priority == 100 && a.at > last.at);
    // Three intervals and a skew time of 61 ms (RFC 9568 §6.1).
    let silent = first.at - last.at;
    assert!((millis(355)..millis(700)).contains(&silent), "took over after {silent:?}");
    let announced = || {
        capture
            .announcements()
            .iter()
            .any(|n| n.mac == b.mac("eth0") && n.address.to_string() == "10.7.1.1")
    };
    wait("the new master announces the address", SOON, announced);
    Ok(())
}

pub(crate) fn a_stopped_master_is_replaced_after_the_skew_time() -> Outcome {
    let Pair { segment: _segment, hosts: [a, b], mut master, backup, mut capture } = pair();
    let stopped = now();
    let status = master.stop();
    assert_eq!(status.code(), Some(0));
    assert!(!a.holds("eth0", "10.7.1.1"), "it left its address");
    backup.wait_master("VI_1");
    wait("the backup holds the address", SOON, || b.holds("eth0", "10.7.1.1"));
    let farewell = capture.wait_advert("priority 0", SOON, |a| a.priority == 0);
    assert!(farewell.at >= stopped);
    let first = capture.wait_advert("an advert of the new master", SOON, |a| {
        a.priority == 100 && a.at > farewell.at
    });
    let silent = first.at - farewell.at;
    assert!((millis(55)..millis(300)).contains(&silent), "took over after {silent:?}");
    Ok(())
}
