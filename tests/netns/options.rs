//! An address with changed options: the result in the kernel is that of a fresh start, and nothing
//! is left behind at the end.

use crate::lab::{config, instance, ours_only, wait, Daemon, Host, Outcome, Segment, SOON};

/// An entry, and its replacement.
const CHANGES: [(&str, &str); 14] = [
    ("10.7.1.1/16", "10.7.1.1/16 label eth0:v"),
    ("10.7.1.1/16 label eth0:v", "10.7.1.1/16"),
    ("10.7.1.1/24", "10.7.1.1/24 scope site"),
    ("10.7.1.1/16", "10.7.1.1/16 brd +"),
    ("10.7.1.1/16", "10.7.1.1/16 noprefixroute"),
    ("10.7.1.1/16", "10.7.1.1/16 preferred_lft 0"),
    ("10.7.1.1/16 preferred_lft 0", "10.7.1.1/16"),
    ("10.7.1.1/16", "10.7.1.1/32"),
    ("10.7.1.1/32", "10.7.1.1/24 label eth0:v"),
    ("10.7.1.1/32", "10.7.1.1 peer 10.7.1.201"),
    ("10.7.1.1 peer 10.7.1.201", "10.7.1.1 peer 10.7.1.202"),
    ("fd07::1:1/64", "fd07::1:1/128"),
    ("fd07::1:1/128", "fd07::1:1/64 noprefixroute"),
    ("fd07::1:1/64", "fd07::1:1/64 home preferred_lft 300"),
];

fn text(entry: &str, priority: u8) -> String {
    let excluded = format!("virtual_ipaddress_excluded {{\n {entry}\n }}");
    // An IPv4 router may hold IPv6 addresses that it does not advertise.
    let block = instance("VI_1").every("0.02").priority(priority).vip("10.7.1.9/16");
    config(&[block.line(&excluded)])
}

/// The address as shown by `ip`, without the remaining lifetimes.
fn shown(host: &Host, entry: &str) -> Vec<String> {
    let addr = entry.split([' ', '/']).next().expect("an address");
    let list = host.output("ip", &["-o", "addr", "show", "dev", "eth0"]);
    let lines = list.lines().filter(|line| {
        line.split_whitespace().nth(3).is_some_and(|a| a.split('/').next() == Some(addr))
    });
    let words = |line: &str| {
        let all = line.split_whitespace().skip(2);
        let steady = |word: &str| match word.strip_suffix("sec") {
            Some(number) if number.parse::<u32>().is_ok() => "Nsec".to_owned(),
            _ => word.to_owned(),
        };
        all.map(steady).collect::<Vec<_>>().join(" ")
    };
    lines.map(words).collect()
}

fn master(host: &Host, entry: &str) -> Daemon {
    let daemon = host.start(&text(entry, 100));
    daemon.wait_master("VI_1");
    wait(&format!("{entry} is there"), SOON, || !shown(host, entry).is_empty());
    daemon
}

fn stop(mut daemon: Daemon, host: &Host, entry: &str) {
    assert_eq!(daemon.stop().code(), Some(0));
    assert_eq!(shown(host, entry), Vec::<String>::new(), "{entry} is left");
}

/// The address as shown after a fresh start with the new entry.
fn fresh(to: &str) -> Vec<String> {
    let (_segment, [host]) = Segment::with_hosts(["fresh"]);
    let daemon = master(&host, to);
    let list = shown(&host, to);
    stop(daemon, &host, to);
    list
}

pub(crate) fn options_that_change_in_a_reload_are_applied() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    for (from, to) in CHANGES {
        let expected = fresh(to);
        let daemon = master(&a, from);
        let mark = daemon.mark();
        daemon.rewrite(&text(to, 100));
        daemon.reload();
        wait(&format!("{from} became {to}: {expected:?}"), SOON, || shown(&a, to) == expected);
        assert_eq!(daemon.state_changes(mark), Vec::<String>::new());
        stop(daemon, &a, to);
    }
    Ok(())
}

pub(crate) fn options_that_changed_since_a_crash_are_applied() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    for (from, to) in CHANGES {
        let expected = fresh(to);
        master(&a, from).crash();
        assert!(!shown(&a, from).is_empty(), "a crash leaves it");
        let daemon = master(&a, to);
        wait(&format!("{from} became {to}: {expected:?}"), SOON, || shown(&a, to) == expected);
        stop(daemon, &a, to);
    }
    Ok(())
}

/// Neither a reload nor a crash leaves a router in BACKUP with the address.
pub(crate) fn changed_options_leave_no_address_behind() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    for (from, to) in CHANGES {
        let daemon = master(&a, from);
        daemon.rewrite(&text(to, 100));
        daemon.reload();
        daemon.wait_log("Reload complete");
        let mut better = b.start(&text(to, 200));
        better.wait_master("VI_1");
        daemon.wait_backup("VI_1");
        wait(&format!("{to} is gone"), SOON, || shown(&a, to).is_empty());
        stop(daemon, &a, to);
        // Left by an earlier run, while this one hears a master.
        assert_eq!(better.stop().code(), Some(0));
        master(&a, from).crash();
        let mut better = b.start(&text(to, 200));
        better.wait_master("VI_1");
        let daemon = a.start(&text(to, 100));
        daemon.wait_backup("VI_1");
        wait(&format!("{from} is gone"), SOON, || shown(&a, to).is_empty());
        stop(daemon, &a, to);
        assert_eq!(better.stop().code(), Some(0));
    }
    Ok(())
}
