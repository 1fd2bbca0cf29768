//! A master with a virtual MAC that is replaced while it is alive: its clients notice nothing.
//!
//! These tests run alone: a host that is too busy to serve every millisecond loses packets by itself.

use crate::lab::{
    config_with, instance, millis, ours_only, pings, require_macvlan, wait, Daemon, Host, Instance,
    Outcome, Pinger, Segment, Workshop, SOON,
};

/// Fewest changes of master under a test's pings.
const CHANGES: usize = 4;

/// Two routers; a file decides which one has the higher priority.
fn changes_are_not_noticed(block: &Instance, address: &str) {
    let (_segment, [a, b, client]) = Segment::with_hosts(["a", "b", "c"]);
    let shop = Workshop::new();
    shop.write("bonus", "50");
    let file = format!("vrrp_track_file bonus {{\n file {}\n weight 1\n}}\n", shop.path("bonus"));
    let start = |host: &Host, block: &Instance| {
        host.start(&format!("{file}{}", config_with("", std::slice::from_ref(block))))
    };
    let first = start(&a, &block.clone().line("track_file {\n bonus\n }"));
    first.wait_master("VI_1");
    let second = start(&b, block);
    second.wait_backup("VI_1");
    wait("the client reaches the address", SOON, || pings(&client, address));
    let held = |host: &Host| host.holds("vrrp.51", address);
    let mut pinger = Pinger::new(&client, address, 3000);
    let mut changes = 0;
    while pinger.is_running() {
        let (to, from, bonus) = if changes % 2 == 0 { (&b, &a, "-50") } else { (&a, &b, "50") };
        shop.write("bonus", bonus);
        wait("the other is master", SOON, || held(to) && !held(from));
        changes += 1;
    }
    let (sent, received) = pinger.result();
    assert!(changes >= CHANGES, "only {changes} changes during {sent} pings");
    assert_eq!(received, sent, "pings during {changes} changes");
}

fn v4() -> Instance {
    instance("VI_1").vip("10.7.1.1/16").line("use_vmac")
}

pub(crate) fn no_ipv4_packet_is_lost() -> Outcome {
    ours_only()?;
    require_macvlan()?;
    changes_are_not_noticed(&v4(), "10.7.1.1");
    Ok(())
}

/// The kernel acknowledges an IPv6 address a moment before it uses it, and replies from the virtual
/// MAC to the last packets of the former master, which draws traffic back. Without the order of the
/// takeover and its pauses, every second change loses a packet.
pub(crate) fn no_ipv6_packet_is_lost() -> Outcome {
    ours_only()?;
    require_macvlan()?;
    let block = instance("VI_1").vip("fe80::51").vip("fd07::1:1/64").line("use_vmac");
    changes_are_not_noticed(&block, "fd07::1:1");
    Ok(())
}

/// The priority is raised by a reload.
pub(crate) fn no_packet_is_lost_at_a_reload() -> Outcome {
    ours_only()?;
    require_macvlan()?;
    let (_segment, [a, b, client]) = Segment::with_hosts(["a", "b", "c"]);
    let text = |priority| config_with("", &[v4().priority(priority)]);
    let first = a.start(&text(100));
    first.wait_master("VI_1");
    let second = b.start(&text(99));
    second.wait_backup("VI_1");
    wait("the client reaches the address", SOON, || pings(&client, "10.7.1.1"));
    let raise = |daemon: &Daemon, to: u8| {
        daemon.rewrite(&text(to));
        assert_eq!(daemon.reload_and_wait().0, Some(0));
    };
    let pinger = Pinger::new(&client, "10.7.1.1", 3000);
    let routers = [(&a, &first), (&b, &second)];
    for (change, priority) in (0..4).zip(101..) {
        let (to, from) = (routers[1 - change % 2], routers[change % 2]);
        raise(to.1, priority);
        wait("the other is master", millis(5000), || {
            to.0.holds("vrrp.51", "10.7.1.1") && !from.0.holds("vrrp.51", "10.7.1.1")
        });
    }
    let (sent, received) = pinger.result();
    assert_eq!(received, sent, "pings during 4 changes");
    Ok(())
}
