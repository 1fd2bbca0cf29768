//! Instances that change state together.

use crate::lab::{config, instance, wait, Daemon, Host, Outcome, Segment, SOON};

const OUTSIDE: &str = "10.7.1.1";
const INSIDE: &str = "10.8.1.1";

fn text(priority: u8) -> String {
    let outside = instance("VI_OUT").priority(priority).vip("10.7.1.1/16");
    let inside = instance("VI_IN").on("eth1").vrid(52).priority(priority).vip("10.8.1.1/16");
    config(&[outside, inside])
        + "vrrp_sync_group VG_1 {\n    group {\n        VI_OUT\n        VI_IN\n    }\n}\n"
}

struct Scene {
    segments: [Segment; 2],
    hosts: [Host; 2],
    high: Daemon,
    low: Daemon,
}

fn scene() -> Scene {
    let segments = [Segment::new(7), Segment::new(8)];
    let hosts = ["a", "b"].map(Host::new);
    for (host, id) in hosts.iter().zip(1..) {
        segments[0].attach(host, "eth0", id);
        segments[1].attach(host, "eth1", id);
    }
    let high = hosts[0].start(&text(200));
    high.wait_master("VI_OUT");
    high.wait_master("VI_IN");
    let low = hosts[1].start(&text(100));
    low.wait_backup("VI_OUT");
    low.wait_backup("VI_IN");
    moved_to(&hosts[0], &hosts[1]);
    Scene { segments, hosts, high, low }
}

fn moved_to(to: &Host, from: &Host) {
    let both = |host: &Host| [host.holds("eth0", OUTSIDE), host.holds("eth1", INSIDE)];
    wait(&format!("both addresses are on {} alone", to.name), SOON, || {
        both(to) == [true; 2] && both(from) == [false; 2]
    });
}

pub(crate) fn one_failed_member_takes_the_other_along() -> Outcome {
    let Scene { segments, hosts: [a, b], high, low } = scene();
    segments[1].pull_cable(&a, "eth1");
    high.wait_log("(VI_IN) Entering FAULT STATE");
    high.wait_log("(VI_OUT) Entering FAULT STATE");
    high.wait_log("VRRP_Group(VG_1) Syncing instances to FAULT state");
    low.wait_log("VRRP_Group(VG_1) Syncing instances to MASTER state");
    moved_to(&b, &a);
    let mark = high.mark();
    segments[1].plug_cable(&a, "eth1");
    high.wait_log_since(mark, "VRRP_Group(VG_1) Syncing instances to MASTER state");
    moved_to(&a, &b);
    low.wait_log("VRRP_Group(VG_1) Syncing instances to BACKUP state");
    Ok(())
}

pub(crate) fn a_group_moves_when_its_router_dies() -> Outcome {
    let Scene { segments: _segments, hosts: [a, b], mut high, low } = scene();
    high.crash();
    low.wait_master("VI_OUT");
    low.wait_master("VI_IN");
    let both = |host: &Host| host.holds("eth0", OUTSIDE) && host.holds("eth1", INSIDE);
    wait("both addresses are there", SOON, || both(&b));
    let again = a.start(&text(200));
    again.wait_master("VI_OUT");
    again.wait_master("VI_IN");
    moved_to(&a, &b);
    Ok(())
}
