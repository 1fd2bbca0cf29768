//! `track_interface`: other interfaces an instance depends on.

use crate::lab::{config, instance, wait, Daemon, Host, Outcome, Segment, SOON};

const VIP: &str = "10.7.1.1";

/// Two routers; the first also has eth1, which it tracks in this way.
fn scene(tracked: &str) -> ([Segment; 2], [Host; 2], Daemon, Daemon) {
    let (segment, hosts) = Segment::with_hosts(["a", "b"]);
    let uplink = Segment::new(8);
    uplink.attach(&hosts[0], "eth1", 1);
    let block = instance("VI_1")
        .priority(150)
        .line(&format!("track_interface {{\n {tracked}\n }}"))
        .vip("10.7.1.1/16");
    let high = hosts[0].start(&config(&[block]));
    high.wait_master("VI_1");
    let low = hosts[1].start(&config(&[instance("VI_1").priority(100).vip("10.7.1.1/16")]));
    low.wait_backup("VI_1");
    wait("the master holds the address", SOON, || hosts[0].holds("eth0", VIP));
    ([segment, uplink], hosts, high, low)
}

fn moved_to(to: &Host, from: &Host) {
    wait(&format!("the address is on {} alone", to.name), SOON, || {
        to.holds("eth0", VIP) && !from.holds("eth0", VIP)
    });
}

pub(crate) fn a_tracked_interface_down_causes_fault() -> Outcome {
    let ([_segment, uplink], [a, b], high, low) = scene("eth1");
    uplink.pull_cable(&a, "eth1");
    high.wait_log("(VI_1) Entering FAULT STATE");
    low.wait_master("VI_1");
    moved_to(&b, &a);
    uplink.plug_cable(&a, "eth1");
    moved_to(&a, &b);
    Ok(())
}

pub(crate) fn a_weight_lowers_the_priority() -> Outcome {
    let ([_segment, uplink], [a, b], high, low) = scene("eth1 weight -60");
    uplink.pull_cable(&a, "eth1");
    high.wait_log("(VI_1) Changing effective priority from 150 to 90");
    low.wait_master("VI_1");
    high.wait_log("(VI_1) Entering BACKUP STATE");
    moved_to(&b, &a);
    assert!(!high.log().iter().any(|l| l.contains("FAULT")));
    uplink.plug_cable(&a, "eth1");
    high.wait_log("(VI_1) Changing effective priority from 90 to 150");
    moved_to(&a, &b);
    Ok(())
}

pub(crate) fn a_positive_weight_is_added_while_up() -> Outcome {
    let ([segment, uplink], [a, _b], high, _low) = scene("eth1 weight 20");
    let mut capture = segment.capture();
    capture.wait_advert("adverts with the sum", SOON, |a| a.priority == 170);
    uplink.pull_cable(&a, "eth1");
    high.wait_log("(VI_1) Changing effective priority from 170 to 150");
    capture.wait_advert("adverts with the base priority", SOON, |a| a.priority == 150);
    assert!(a.holds("eth0", VIP), "it is still the best");
    Ok(())
}
