//! A reload uses the current state of the host, including interfaces that were unused before.

use crate::lab::{
    config, instance, ours_only, secs, stays, wait, Daemon, Host, Instance, Outcome, Segment, SOON,
};

fn first() -> Instance {
    instance("VI_1").vip("10.7.1.1/16")
}

fn second() -> Instance {
    instance("VI_2").on("eth1").vrid(52).vip("10.8.1.1/16")
}

/// A daemon with an instance on eth0, and eth1 on a separate segment.
fn scene() -> ([Segment; 2], Host, Daemon) {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let other = Segment::new(8);
    other.attach(&a, "eth1", 1);
    let daemon = a.start(&config(&[first()]));
    daemon.wait_master("VI_1");
    ([segment, other], a, daemon)
}

/// Waits for a carrier change, which the kernel detects with a delay.
fn wait_carrier(host: &Host, is_there: bool) {
    wait(&format!("carrier of eth1: {is_there}"), SOON, || {
        let shown = host.output("ip", &["link", "show", "dev", "eth1"]);
        [shown.contains("LOWER_UP"), shown.contains("state UP")] == [is_there; 2]
    });
}

fn reload(daemon: &Daemon, instances: &[Instance]) {
    daemon.rewrite(&config(instances));
    daemon.reload();
    daemon.wait_log("Reload complete");
}

pub(crate) fn a_lost_carrier() -> Outcome {
    let ([_segment, other], a, daemon) = scene();
    other.pull_cable(&a, "eth1");
    wait_carrier(&a, false);
    reload(&daemon, &[first(), second()]);
    daemon.wait_fault("VI_2");
    stays("it is not master", secs(1), || !a.holds("eth1", "10.8.1.1"));
    other.plug_cable(&a, "eth1");
    daemon.wait_master("VI_2");
    Ok(())
}

pub(crate) fn a_restored_carrier() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let other = Segment::new(8);
    other.attach(&a, "eth1", 1);
    other.pull_cable(&a, "eth1");
    let daemon = a.start(&config(&[first()]));
    daemon.wait_master("VI_1");
    other.plug_cable(&a, "eth1");
    wait_carrier(&a, true);
    reload(&daemon, &[first(), second()]);
    daemon.wait_master("VI_2");
    wait("its address is there", SOON, || a.holds("eth1", "10.8.1.1"));
    drop(segment);
    Ok(())
}

pub(crate) fn a_replaced_address() -> Outcome {
    let ([_segment, other], a, daemon) = scene();
    a.ip("addr add 10.8.0.9/16 dev eth1\naddr del 10.8.0.1/16 dev eth1");
    if !a.holds("eth1", "10.8.0.9") {
        a.ip("addr add 10.8.0.9/16 dev eth1");
    }
    let mut capture = other.capture();
    reload(&daemon, &[first(), second()]);
    daemon.wait_master("VI_2");
    let source: std::net::IpAddr = "10.8.0.9".parse().expect("an address");
    capture.wait_advert("an advert from the new address", SOON, |advert| advert.source == source);
    Ok(())
}

pub(crate) fn a_new_interface() -> Outcome {
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[first()]));
    daemon.wait_master("VI_1");
    let other = Segment::new(8);
    other.attach(&a, "eth1", 1);
    reload(&daemon, &[first(), second()]);
    daemon.wait_master("VI_2");
    wait("its address is there", SOON, || a.holds("eth1", "10.8.1.1"));
    Ok(())
}

pub(crate) fn a_recreated_interface() -> Outcome {
    let ([_segment, other], a, daemon) = scene();
    a.ip("link del eth1");
    other.attach(&a, "eth1", 3);
    reload(&daemon, &[first().vip("10.8.1.7/16 dev eth1"), second()]);
    daemon.wait_master("VI_2");
    wait("the addresses are there", SOON, || {
        a.holds("eth1", "10.8.1.1") && a.holds("eth1", "10.8.1.7")
    });
    Ok(())
}

pub(crate) fn an_interface_with_a_weight() -> Outcome {
    ours_only()?;
    let ([segment, other], a, daemon) = scene();
    other.pull_cable(&a, "eth1");
    wait_carrier(&a, false);
    let mut capture = segment.capture();
    reload(&daemon, &[first().line("track_interface {\n eth1 weight -20\n }")]);
    capture.wait_advert("a lower priority", SOON, |advert| advert.priority == 80);
    Ok(())
}
