//! SIGHUP touches only what changed.

use std::net::IpAddr;

use keepalived::base::time::Instant;
use keepalived::sys::clock::Clock;

use crate::lab::{
    config, config_with, gaps, instance, millis, ours_only, pass, secs, stays, wait,
    AddressMonitor, Instance, Outcome, Segment, SOON,
};

/// For a file that takes time to read.
const LINES: usize = 600_000;

fn router() -> Instance {
    instance("VI_1").every("0.5").vip("10.7.1.1/16")
}

pub(crate) fn an_unchanged_file_disturbs_nothing() -> Outcome {
    ours_only()?;
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    // The second round of gratuitous ARPs would fall into the observed period.
    let quiet = |i: Instance| config(&[i.line("garp_master_delay 0")]);
    let master = a.start(&quiet(router()));
    master.wait_master("VI_1");
    let backup = b.start(&quiet(router().priority(50)));
    backup.wait_backup("VI_1");
    pass(secs(1));
    let marks = [master.mark(), backup.mark()];
    let mut capture = segment.capture();
    let of_a = AddressMonitor::once_held(&a, "eth0", &["10.7.1.1"]);
    let mut monitors = [of_a, AddressMonitor::new(&b)];
    for _ in 0..5 {
        pass(millis(730));
        master.reload();
        backup.reload();
    }
    pass(secs(1));
    let adverts = capture.adverts();
    let gaps = gaps(&adverts);
    assert!(gaps.iter().all(|gap| (millis(400)..millis(750)).contains(gap)), "{gaps:?}");
    assert!(gaps.len() >= 7, "adverts go on");
    assert!(adverts.iter().all(|a| a.priority == 100));
    assert!(capture.announcements().is_empty(), "nothing is announced again");
    for monitor in &mut monitors {
        assert_eq!(monitor.events(), [], "no address is touched");
    }
    assert_eq!(master.state_changes(marks[0]), Vec::<String>::new());
    assert_eq!(backup.state_changes(marks[1]), Vec::<String>::new());
    Ok(())
}

pub(crate) fn an_added_address_appears_and_a_removed_one_goes() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router().vip("10.7.1.2/16")]));
    daemon.wait_master("VI_1");
    let mut monitor = AddressMonitor::once_held(&a, "eth0", &["10.7.1.1", "10.7.1.2"]);
    let mark = daemon.mark();
    let mut capture = segment.capture();
    daemon.rewrite(&config(&[router().vip("10.7.1.3/16")]));
    daemon.reload();
    wait("the new one is there", SOON, || a.holds("eth0", "10.7.1.3"));
    wait("the old one is gone", SOON, || !a.holds("eth0", "10.7.1.2"));
    assert!(!monitor.removed("10.7.1.1"), "the kept one is not touched");
    let addresses: [IpAddr; 2] = ["10.7.1.1", "10.7.1.3"].map(|a| a.parse().expect("an address"));
    capture.wait_advert("an advert with the new list", SOON, |a| a.addresses == addresses);
    assert_eq!(daemon.state_changes(mark), Vec::<String>::new());
    wait("the new one is announced", SOON, || {
        capture.announcements().iter().any(|n| n.address == addresses[1])
    });
    if ours_only().is_err() {
        return Ok(());
    }
    let logged = |mark, what: &str| {
        daemon.logged_since(mark, &format!("vrrp_instance VI_1: virtual_ipaddress {what}"))
    };
    assert!(
        logged(mark, "10.7.1.2/16 dev eth0 removed") && logged(mark, "10.7.1.3/16 dev eth0 added")
    );
    let mark = daemon.mark();
    daemon.rewrite(&config(&[router()]));
    daemon.reload();
    wait("the third is gone", SOON, || !a.holds("eth0", "10.7.1.3"));
    daemon.wait_log_since(mark, "Reload complete");
    assert!(logged(mark, "10.7.1.3/16 dev eth0 removed"));
    assert!(!daemon.logged_since(mark, "(VI_1) setting VIPs."), "none is set");
    Ok(())
}

pub(crate) fn instances_come_and_go() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let second = instance("VI_2").vrid(52).vip("10.7.1.2/16");
    let third = instance("VI_3").vrid(53).vip("10.7.1.3/16");
    let daemon = a.start(&config(&[router(), second]));
    daemon.wait_master("VI_1");
    daemon.wait_master("VI_2");
    let mut monitor = AddressMonitor::once_held(&a, "eth0", &["10.7.1.1", "10.7.1.2"]);
    let mut capture = segment.capture();
    daemon.rewrite(&config(&[router(), third]));
    daemon.reload();
    daemon.wait_master("VI_3");
    wait("the third holds its address", SOON, || a.holds("eth0", "10.7.1.3"));
    wait("the second's is gone", SOON, || !a.holds("eth0", "10.7.1.2"));
    capture.wait_advert("the second's farewell", SOON, |a| a.vrid == 52 && a.priority == 0);
    assert!(!monitor.removed("10.7.1.1"), "the first is not touched");
    Ok(())
}

pub(crate) fn a_changed_priority_takes_effect_in_place() -> Outcome {
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let first = a.start(&config(&[router().priority(100)]));
    first.wait_master("VI_1");
    let second = b.start(&config(&[router().priority(90)]));
    second.wait_backup("VI_1");
    let mut capture = segment.capture();
    first.rewrite(&config(&[router().priority(80)]));
    first.reload();
    capture.wait_advert("adverts with the new priority", SOON, |a| a.priority == 80);
    second.wait_master("VI_1");
    wait("the address has moved", SOON, || {
        b.holds("eth0", "10.7.1.1") && !a.holds("eth0", "10.7.1.1")
    });
    assert!(capture.adverts().iter().all(|a| a.priority != 0), "no instance stopped");
    Ok(())
}

/// Each of these errors also prevents a start: the running configuration stays in effect, and the
/// log gives the reason.
pub(crate) fn a_refused_file_changes_nothing() -> Outcome {
    ours_only()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    let mut monitor = AddressMonitor::once_held(&a, "eth0", &["10.7.1.1"]);
    let mut capture = segment.capture();
    let duplicate = [router().vip("10.7.1.9/16"), instance("VI_2").vip("10.7.1.2/16")];
    let missing =
        [router().vip("10.7.1.9/16"), instance("VI_2").on("nowhere0").vrid(52).vip("10.7.1.2/16")];
    for (broken, complaint) in [(config(&duplicate), "VI_2"), (config(&missing), "nowhere0")] {
        let mark = daemon.mark();
        daemon.rewrite(&broken);
        daemon.reload();
        daemon.wait_log_part(mark, complaint);
        pass(secs(1));
        assert_eq!(daemon.state_changes(mark), Vec::<String>::new());
    }
    assert_eq!(monitor.events(), [], "no address is touched");
    let gaps = gaps(&capture.adverts());
    assert!(gaps.iter().all(|gap| (millis(400)..millis(750)).contains(gap)), "{gaps:?}");
    // The next valid file is accepted.
    daemon.rewrite(&config(&[router().vip("10.7.1.9/16")]));
    daemon.reload();
    wait("the new address is there", SOON, || a.holds("eth0", "10.7.1.9"));
    Ok(())
}

pub(crate) fn a_missing_file_changes_nothing() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    wait("it holds the address", SOON, || a.holds("eth0", "10.7.1.1"));
    std::fs::remove_file(daemon.file("keepalived.conf")).expect("it was there");
    daemon.reload();
    stays("it is master", secs(1), || a.holds("eth0", "10.7.1.1"));
    assert!(daemon.is_running());
    Ok(())
}

pub(crate) fn reload_and_wait_reports_the_outcome() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    assert_eq!(daemon.reload_and_wait(), (Some(0), String::new()), "nothing changed");
    daemon.rewrite(&config(&[router().vip("10.7.1.2/16")]));
    assert_eq!(daemon.reload_and_wait(), (Some(0), String::new()));
    wait("the address is there", SOON, || a.holds("eth0", "10.7.1.2"));

    daemon.rewrite(&config(&[router().line("prioritty 50")]));
    let (status, said) = daemon.reload_and_wait();
    assert_eq!(status, Some(2), "{said}");
    let mut lines = said.lines();
    let file = daemon.file("keepalived.conf");
    let complaint = format!("({}: Line 12) Unknown keyword 'prioritty'", file.display());
    assert_eq!(lines.next(), Some(complaint.as_str()));
    assert!(lines.next().is_some_and(|l| l.starts_with("A start would go on")), "{said}");
    daemon.wait_log_part(0, &format!("Reload refused because: {complaint}"));

    daemon.rewrite(&config(&[router().on("nowhere0")]));
    let (status, said) = daemon.reload_and_wait();
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("nowhere0") && said.contains("A start would refuse"), "{said}");
    assert!(a.holds("eth0", "10.7.1.2"), "what runs stays in force");

    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!daemon.file("main.outcome").exists());
    let (status, said) = daemon.reload_and_wait();
    assert_eq!(status, Some(1));
    assert!(said.starts_with("no keepalived runs with pid file "), "{said}");
    Ok(())
}

pub(crate) fn many_reloads_at_once_are_survived() -> Outcome {
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = a.start(&config_with("vrrp_garp_master_delay 1", &[router()]));
    daemon.wait_master("VI_1");
    for turn in 0..30 {
        let block = router().vip(&format!("10.7.2.{}/16", turn % 3));
        daemon.rewrite(&config(&[block]));
        daemon.reload();
        pass(millis(turn % 4 * 5));
    }
    daemon.rewrite(&config(&[router().vip("10.7.3.3/16")]));
    daemon.reload();
    wait("the last file counts", SOON, || a.holds("eth0", "10.7.3.3"));
    wait("and only that", SOON, || (0..3).all(|n| !a.holds("eth0", &format!("10.7.2.{n}"))));
    assert!(a.holds("eth0", "10.7.1.1") && daemon.is_running());
    Ok(())
}

/// Advertisements are not delayed, regardless of the length of the file.
pub(crate) fn adverts_go_on_while_a_long_file_is_read() -> Outcome {
    ours_only()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let own = config_with(
        "vrrp_garp_master_delay 0",
        &[instance("VI_1").every("0.1").vip("10.7.1.1/16")],
    );
    let long =
        (0..LINES).fold(own, |text, n| text + "$NAME=an unused value #" + &n.to_string() + "\n");
    let daemon = a.start(&long);
    daemon.wait_master("VI_1");
    pass(millis(500));
    let (mark, mut capture) = (daemon.mark(), segment.capture());
    let clock = Clock::new();
    daemon.reload();
    daemon.wait_log_since(mark, "Reload complete");
    let took = clock.now().since(Instant::ZERO);
    assert!(took > millis(400), "too short a text to show anything: {took:?}");
    let gaps = gaps(&capture.adverts());
    let longest = gaps.iter().max().expect("there are some");
    assert!(*longest < millis(150), "{longest:?} of {took:?}");
    Ok(())
}

/// Each file expands to as much text as is read, and delays VRRP no more than any other text.
pub(crate) fn an_endless_file_delays_no_advert() -> Outcome {
    ours_only()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let own = config_with(
        "vrrp_garp_master_delay 0",
        &[instance("VI_1").every("0.1").vip("10.7.1.1/16")],
    );
    let daemon = a.start(&own);
    daemon.wait_master("VI_1");
    let texts = [
        "~SEQ(a, 2000) ~SEQ(b, 2000) x\n".to_owned(),
        "include /*/*/*/*/*\n".to_owned(),
        "virtual_server 10.8.0.1 80 {\n".to_owned() + &"nonsense of a line\n".repeat(200_000),
        "# and so on\n".repeat(6_000_000),
    ];
    for text in texts {
        pass(millis(300));
        let (mark, mut capture) = (daemon.mark(), segment.capture());
        let clock = Clock::new();
        daemon.rewrite(&(own.clone() + &text));
        daemon.reload();
        let ends = |line: &String| line.starts_with("Reload ") && !line.ends_with("...");
        wait("the reload ends", secs(60), || daemon.log().iter().skip(mark).any(ends));
        let took = clock.now().since(Instant::ZERO);
        pass(millis(300));
        let gaps = gaps(&capture.adverts());
        let longest = gaps.iter().max().expect("there are some");
        // A peer would take over after 3.6 intervals.
        assert!(*longest < millis(330), "{:?}: {longest:?} of {took:?}", text.get(..16));
    }
    Ok(())
}

/// An instance is identified by its router id, family and interface, not by its name.
pub(crate) fn a_renamed_instance_is_the_same_one() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    let mut monitor = AddressMonitor::once_held(&a, "eth0", &["10.7.1.1"]);
    let mut capture = segment.capture();
    daemon
        .rewrite(&config(&[instance("OTHER").every("0.5").vip("10.7.1.1/16").vip("10.7.1.2/16")]));
    daemon.reload();
    wait("the new address is there", SOON, || a.holds("eth0", "10.7.1.2"));
    assert!(!monitor.removed("10.7.1.1"));
    assert!(capture.adverts().iter().all(|a| a.priority == 100), "no instance stopped");
    Ok(())
}

pub(crate) fn another_router_id_is_another_instance() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    let mut capture = segment.capture();
    let mark = daemon.mark();
    daemon.rewrite(&config(&[router().vrid(99)]));
    daemon.reload();
    capture.wait_advert("the old one's farewell", SOON, |a| a.vrid == 51 && a.priority == 0);
    daemon.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    capture.wait_advert("the new one's adverts", SOON, |a| a.vrid == 99 && a.priority == 100);
    wait("it holds the address", SOON, || a.holds("eth0", "10.7.1.1"));
    Ok(())
}

pub(crate) fn a_group_can_be_formed_while_running() -> Outcome {
    let (outside, [a]) = Segment::with_hosts(["a"]);
    let inside = Segment::new(8);
    inside.attach(&a, "eth1", 1);
    let both = [router(), instance("VI_2").on("eth1").vrid(52).vip("10.8.1.1/16")];
    let daemon = a.start(&config(&both));
    daemon.wait_master("VI_1");
    daemon.wait_master("VI_2");
    let mark = daemon.mark();
    daemon.rewrite(&(config(&both) + "vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n}\n"));
    daemon.reload();
    pass(secs(2));
    assert!(a.holds("eth0", "10.7.1.1") && a.holds("eth1", "10.8.1.1"), "both are still master");
    inside.pull_cable(&a, "eth1");
    daemon.wait_log_since(mark, "(VI_1) Entering FAULT STATE");
    wait("the other member lets go", SOON, || !a.holds("eth0", "10.7.1.1"));
    drop(outside);
    Ok(())
}

/// Two instances swap addresses, and one is removed.
pub(crate) fn an_address_that_changes_its_owner_stays() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let one = |vips: [&str; 2]| router().vip(vips[0]).vip(vips[1]);
    let two = |vip| instance("VI_2").vrid(52).vip(vip);
    let before = [one(["10.7.1.2/16", "10.7.1.3/16"]), two("10.7.1.4/16")];
    let daemon = a.start(&config(&before));
    daemon.wait_master("VI_1");
    daemon.wait_master("VI_2");
    let all = ["10.7.1.1", "10.7.1.2", "10.7.1.3", "10.7.1.4"];
    let mut monitor = AddressMonitor::once_held(&a, "eth0", &all);
    let reload = |instances: &[Instance]| {
        daemon.rewrite(&config(instances));
        daemon.reload();
        pass(millis(300));
    };
    reload(&[one(["10.7.1.4/16", "10.7.1.3/16"]), two("10.7.1.2/16")]);
    assert_eq!(monitor.events(), [], "swapped");
    reload(&[one(["10.7.1.4/16", "10.7.1.3/16"]).vip("10.7.1.2/16")]);
    assert_eq!(monitor.events(), [], "the second instance is gone");
    let swapped = [
        instance("VI_1").vrid(52).vip("10.7.1.9/16"),
        instance("VI_2").vrid(51).every("0.5").vip("10.7.1.1/16").vip("10.7.1.2/16"),
    ];
    daemon.rewrite(&config(&swapped));
    daemon.reload();
    wait("what is not wanted is gone", SOON, || !a.holds("eth0", "10.7.1.4"));
    assert!(!monitor.removed("10.7.1.1") && !monitor.removed("10.7.1.2"));
    Ok(())
}
