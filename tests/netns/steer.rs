//! Orders of an operator to virtual routers: failover and maintenance.

use crate::control::{told, wait_told};
use crate::lab::{
    config, config_with, instance, kactl, kactl_says as ok, millis, ours_only, pings,
    require_macvlan, stays, wait, Daemon, Host, Instance, Outcome, Pinger, Segment, Workshop, SOON,
};

fn router(priority: u8) -> Instance {
    instance("VI_1").priority(priority).vip("10.7.1.1/16")
}

/// Two routers that have heard each other: the weak one was master first.
fn pair(a: &Host, b: &Host, strong: &str, weak: &str) -> [Daemon; 2] {
    let second = b.start(weak);
    second.wait_master("VI_1");
    let first = a.start(strong);
    first.wait_master("VI_1");
    second.wait_log_part(0, "(VI_1) Entering BACKUP STATE");
    wait("the address has moved", SOON, || {
        a.holds("eth0", "10.7.1.1") || a.link("vrrp.51").is_some()
    });
    [first, second]
}

fn plain_pair(a: &Host, b: &Host) -> [Daemon; 2] {
    pair(a, b, &config(&[router(200)]), &config(&[router(100)]))
}

/// A failover under the pings of a client. A busy host may suspend either router for longer than it
/// takes, so there are three attempts.
fn lost_in_a_failover(strong: &Instance, weak: &Instance, link: &str, most: u32) {
    let is_good = (0..3).any(|_| lost_pings(strong, weak, link) <= most);
    assert!(is_good, "more than {most} pings are lost each time");
}

fn lost_pings(strong: &Instance, weak: &Instance, link: &str) -> u32 {
    let (_segment, [a, b, client]) = Segment::with_hosts(["a", "b", "c"]);
    let text = |block: &Instance, priority| config(&[block.clone().priority(priority)]);
    let [first, second] = pair(&a, &b, &text(strong, 200), &text(weak, 100));
    wait("the client reaches the address", SOON, || pings(&client, "10.7.1.1"));
    let mut pinger = Pinger::new(&client, "10.7.1.1", 3000);
    let text = ok(&first, &["failover", "VI_1", "--for", "1h"]);
    assert!(text.contains(" took over with priority 100 after "), "{text}");
    second.wait_log_part(0, "Entering MASTER STATE");
    wait("the address moves", SOON, || b.holds(link, "10.7.1.1") && !a.holds(link, "10.7.1.1"));
    assert!(pinger.is_running(), "the pings were over before");
    let (sent, received) = pinger.result();
    eprintln!("{} of {sent} pings are lost", sent - received);
    sent - received
}

pub(crate) fn a_failover_with_a_virtual_mac_loses_at_most_one_packet() -> Outcome {
    ours_only()?;
    require_macvlan()?;
    let block = router(0).line("use_vmac");
    lost_in_a_failover(&block, &block, "vrrp.51", 1);
    Ok(())
}

pub(crate) fn a_failover_without_a_virtual_mac_loses_at_most_two_packets() -> Outcome {
    ours_only()?;
    lost_in_a_failover(&router(0), &router(0), "eth0", 2);
    Ok(())
}

/// The other router does not know that the former master still serves, and takes the virtual MAC
/// before it has the addresses. At times that takes the kernel one of its ticks, of 10 ms here.
pub(crate) fn a_goodbye_with_a_virtual_mac_loses_few_packets() -> Outcome {
    ours_only()?;
    require_macvlan()?;
    let strong = router(0).line("use_vmac");
    lost_in_a_failover(&strong, &strong.clone().line("nopreempt"), "vrrp.51", 15);
    Ok(())
}

pub(crate) fn a_failover_holds_until_it_is_ended() -> Outcome {
    ours_only()?;
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let [first, second] = plain_pair(&a, &b);
    let peer = segment.v4(2).split('/').next().unwrap_or_default().to_owned();
    // What may not be done.
    let (status, text) = told(&second, &["failover", "VI_1"]);
    assert_eq!((status, text.contains("VI_1 is BACKUP")), (Some(2), true), "{text}");
    assert_eq!(told(&first, &["failover", "VI_2"]).0, Some(5));
    let (status, text) = told(&first, &["failover", "VI_1", "--to", "192.0.2.1"]);
    assert_eq!((status, text.contains("192.0.2.1 was not heard")), (Some(2), true), "{text}");
    let text = ok(&first, &["failover", "VI_1", "--dry-run"]);
    assert!(
        text.contains(&format!("VI_1: {peer} could take over, heard with priority 100")),
        "{text}"
    );
    assert!(!ok(&first, &["status"]).contains("failover"));
    // It is done, and stays so.
    let text = ok(&first, &["failover", "VI_1", "--to", &peer, "--for", "1h"]);
    assert!(
        text.starts_with(&format!("VI_1: {peer} took over with priority 100 after ")),
        "{text}"
    );
    wait_told(&second, &["status"], "MASTER");
    wait_told(&first, &["status"], "failover, 59 min");
    stays("the address is there", millis(1500), || b.holds("eth0", "10.7.1.1"));
    let story = ok(&first, &["explain", "VI_1"]);
    for part in [
        "Priority 1 = base 200, -199 for failover by command of an operator.",
        "VI_1 went from MASTER to BACKUP: failover by command of an operator: priority 200 -> 1;",
        &format!("VI_1, failover: {peer} took over with priority 100 after "),
    ] {
        assert!(story.contains(part), "{part} is not in {story}");
    }
    ok(&first, &["reload"]);
    assert!(ok(&first, &["status", "--json"]).contains("\"kind\": \"failover\""));
    assert_eq!(told(&first, &["failover", "VI_1"]).0, Some(2), "one at a time");
    // It ends by command.
    let mark = first.mark();
    ok(&first, &["failover", "VI_1", "end"]);
    first.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    wait("the address is back", SOON, || a.holds("eth0", "10.7.1.1"));
    assert_eq!(told(&first, &["failover", "VI_1", "end"]).0, Some(2));
    let events = ok(&first, &["events", "VI_1"]);
    assert!(
        events.contains("from 1 to 200: the failover ended: command of an operator"),
        "{events}"
    );
    Ok(())
}

pub(crate) fn a_router_that_does_not_preempt_takes_over_as_well() -> Outcome {
    ours_only()?;
    // As above, a busy host may suspend either router for longer than it takes.
    assert!((0..3).any(|_| lost_to_one_that_does_not_preempt() <= 4), "too many pings are lost");
    Ok(())
}

fn lost_to_one_that_does_not_preempt() -> u32 {
    let (_segment, [a, b, client]) = Segment::with_hosts(["a", "b", "c"]);
    let weak = config(&[router(100).line("nopreempt")]);
    let [first, _second] = pair(&a, &b, &config(&[router(200)]), &weak);
    wait("the client reaches the address", SOON, || pings(&client, "10.7.1.1"));
    let pinger = Pinger::new(&client, "10.7.1.1", 3000);
    let text = ok(&first, &["failover", "VI_1", "--for", "2s"]);
    assert!(text.contains(" took over with priority 100 after "), "{text}");
    let (sent, received) = pinger.result();
    eprintln!("{} of {sent} pings are lost", sent - received);
    // Its time is over.
    wait("the address is back", SOON, || {
        a.holds("eth0", "10.7.1.1") && !b.holds("eth0", "10.7.1.1")
    });
    sent - received
}

pub(crate) fn the_address_comes_back_if_the_other_router_dies() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let [first, mut second] = plain_pair(&a, &b);
    ok(&first, &["failover", "VI_1", "--for", "1h"]);
    wait("the address moves", SOON, || b.holds("eth0", "10.7.1.1"));
    second.crash();
    wait("the address comes back", SOON, || a.holds("eth0", "10.7.1.1"));
    wait_told(
        &first,
        &["events", "VI_1"],
        "ended (no other router was left, so this one took over)",
    );
    assert!(!ok(&first, &["status"]).contains("failover"));
    Ok(())
}

pub(crate) fn a_failover_without_another_router_is_taken_back() -> Outcome {
    ours_only()?;
    let (_segment, [a, client]) = Segment::with_hosts(["a", "c"]);
    let daemon = a.start(&config(&[router(200)]));
    daemon.wait_master("VI_1");
    let (status, text) = told(&daemon, &["failover", "VI_1"]);
    assert_eq!(
        (status, text.contains("no other router of VI_1 was heard")),
        (Some(2), true),
        "{text}"
    );
    wait("the client reaches the address", SOON, || pings(&client, "10.7.1.1"));
    let pinger = Pinger::new(&client, "10.7.1.1", 2000);
    let (status, text) = told(&daemon, &["failover", "VI_1", "--force"]);
    let why = "it was taken back: no other router took over VI_1 within ";
    assert_eq!((status, text.contains(why)), (Some(2), true), "{text}");
    let (sent, received) = pinger.result();
    assert_eq!(sent, received, "pings meanwhile");
    assert!(ok(&daemon, &["status"]).contains("MASTER 200"));
    Ok(())
}

pub(crate) fn a_sync_group_is_handed_over_as_a_whole() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let text = |priority: u8| {
        let other = instance("VI_2").vrid(52).priority(priority).vip("10.7.1.2/16");
        let group = "vrrp_sync_group G {\n group {\n  VI_1\n  VI_2\n }\n}\n";
        format!("{}{group}", config(&[router(priority), other]))
    };
    let [first, _second] = pair(&a, &b, &text(200), &text(100));
    let text = ok(&first, &["failover", "G"]);
    for name in ["VI_1: ", "VI_2: "] {
        assert!(text.contains(name), "{text}");
    }
    wait("both addresses move", SOON, || {
        b.holds("eth0", "10.7.1.1") && b.holds("eth0", "10.7.1.2") && !a.holds("eth0", "10.7.1.2")
    });
    ok(&first, &["failover", "VI_2", "end"]);
    wait("both addresses are back", SOON, || {
        a.holds("eth0", "10.7.1.1") && a.holds("eth0", "10.7.1.2") && !b.holds("eth0", "10.7.1.1")
    });
    Ok(())
}

pub(crate) fn maintenance_leaves_the_work_to_other_routers() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let alone = instance("VI_2").vrid(52).priority(200).vip("10.7.1.2/16");
    let strong = config(&[router(200), alone]);
    let [first, mut second] = pair(&a, &b, &strong, &config(&[router(100)]));
    first.wait_master("VI_2");
    let text = ok(&first, &["maintenance", "on"]);
    assert!(text.contains("took over with priority 100"), "{text}");
    assert!(text.contains("VI_2: no other router took over"), "{text}");
    assert!(a.holds("eth0", "10.7.1.2") && b.holds("eth0", "10.7.1.1"));
    wait_told(&first, &["status"], "by command: maintenance, until it is taken back");
    ok(&first, &["reload"]);
    assert!(ok(&first, &["status", "--json"]).contains("\"kind\": \"maintenance\""));
    // Where no other is left, it takes over; and gives up again.
    second.crash();
    wait("the address comes back", SOON, || a.holds("eth0", "10.7.1.1"));
    b.ip("addr flush dev eth0 to 10.7.1.1/32");
    let third = b.start(&config(&[router(50)]));
    third.wait_master("VI_1");
    wait("the address is given up", SOON, || !a.holds("eth0", "10.7.1.1"));
    let mark = first.mark();
    ok(&first, &["maintenance", "off"]);
    first.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    assert!(!ok(&first, &["status"]).contains("maintenance"));
    Ok(())
}

pub(crate) fn a_script_is_run_by_command() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let script = shop.script("check.sh", "echo >>$HERE/runs; test ! -e $HERE/bad");
    let block = format!("vrrp_script chk {{\n script {script}\n interval 600\n user root\n}}\n");
    let router = router(200).line("track_script {\n chk\n }");
    let daemon = a.start(&format!("{block}{}", config(&[router])));
    daemon.wait_master("VI_1");
    assert_eq!(shop.lines("runs").len(), 1);
    shop.write("bad", "");
    ok(&daemon, &["script", "chk", "run-now"]);
    daemon.wait_fault("VI_1");
    shop.remove("bad");
    ok(&daemon, &["script", "chk", "run-now"]);
    wait_told(&daemon, &["status"], "MASTER");
    assert_eq!(shop.lines("runs").len(), 3);
    assert_eq!(told(&daemon, &["script", "other", "run-now"]).0, Some(5));
    // Not twice at the same time.
    let slow = shop.script("check.sh", "sleep 2");
    assert_eq!(slow, script);
    ok(&daemon, &["script", "chk", "run-now"]);
    let (status, text) = told(&daemon, &["script", "chk", "run-now"]);
    assert_eq!((status, text.contains("runs already")), (Some(2), true), "{text}");
    Ok(())
}

/// The client goes, and its order stays.
pub(crate) fn an_order_outlives_its_client() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let slow = |priority: u8| config_with("", &[router(priority).every("1")]);
    let [first, _second] = pair(&a, &b, &slow(200), &slow(100));
    let mut client = kactl(&first).args(["failover", "VI_1"]).spawn().expect("kactl starts");
    wait_told(&first, &["status"], "failover, ");
    client.kill().expect("it runs");
    client.wait().expect("it ends");
    wait("the address moves", SOON, || b.holds("eth0", "10.7.1.1"));
    wait_told(&first, &["events"], "VI_1, failover: ");
    Ok(())
}
