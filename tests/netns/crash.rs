//! Cleanup after a failure of the daemon.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use nix::sys::signal::Signal;

use crate::lab::{
    config, instance, ours_only, restart, wait, AddressMonitor, Daemon, Host, Outcome, Segment,
    Skip, SOON,
};

const ADDRESSES: [&str; 4] = ["10.7.1.1", "10.7.1.3", "10.7.1.4", "fd07::99"];
/// An address of the host that is also a virtual address.
const FOREIGN: &str = "10.7.1.2";

/// Addresses of all kinds: already present, of both families, static, with a peer.
fn text() -> String {
    let lines = [
        "virtual_ipaddress_excluded {\n fd07::99/64\n 10.7.1.3 peer 10.7.9.9/32\n }",
        "garp_master_delay 0",
    ];
    let instance = lines.into_iter().fold(instance("VI_1"), |i, line| i.line(line));
    let instance = instance.priority(255).vip("10.7.1.1/16").vip("10.7.1.2/32");
    config(&[instance]) + "static_ipaddress {\n 10.7.1.4/16 dev eth0\n}\n"
}

fn hooked() -> Outcome {
    ours_only()?;
    if cfg!(debug_assertions) {
        Ok(())
    } else {
        Err(Skip::new("defects on request are in builds with debug assertions only"))
    }
}

fn started(a: &Host, fault: &str, args: &[&str]) -> Daemon {
    a.ip(&format!("addr add {FOREIGN}/32 dev eth0"));
    a.start_faulty(&text(), fault, args)
}

/// A master with all its addresses.
fn master(a: &Host, fault: &str) -> Daemon {
    let daemon = started(a, fault, &FOREGROUND);
    daemon.wait_master("VI_1");
    wait_for_addresses(a);
    daemon
}

fn wait_for_addresses(a: &Host) {
    for address in ADDRESSES {
        wait(&format!("{address} is there"), SOON, || a.holds("eth0", address));
    }
}

/// Only the daemon's addresses are gone: that of the host is still there.
#[track_caller]
fn assert_clean(a: &Host, what: &str) {
    for address in ADDRESSES {
        assert!(!a.holds("eth0", address), "{what}: {address} was left");
    }
    for address in ["10.7.0.1", FOREIGN] {
        assert!(a.holds("eth0", address), "{what}: {address} is the host's own");
    }
}

const FOREGROUND: [&str; 4] = ["-n", "-l", "-G", "-D"];

/// The configuration was broken, or is gone: what the killed run has left does not stay.
pub(crate) fn a_refused_start_removes_what_a_crash_has_left() -> Outcome {
    ours_only()?;
    let all = "virtual_routes {\n 10.99.0.0/16 via 10.7.0.9 dev eth0\n }\n virtual_rules {\n from 10.7.1.1 lookup 99 priority 99\n }";
    let text = config(&[
        instance("VI_1").vip("10.7.1.1/16").line(all),
        instance("VI_2").vrid(52).vip("10.7.1.2/16").line("use_vmac vrrp.52"),
    ]);
    let same = config(&[instance("VI_1").vip("10.7.1.1/16"), instance("VI_2").vip("10.7.1.2/16")]);
    for broken in [Some(same), None] {
        let (_segment, [a]) = Segment::with_hosts(["a"]);
        let mut daemon = a.start(&text);
        let left = || {
            let routes = a.output("ip", &["route", "show"]).contains("10.99.0.0/16");
            let rules = a.output("ip", &["rule", "show"]).contains("lookup 99");
            let links = a.output("ip", &["link", "show"]).contains("vrrp.52");
            [a.holds("eth0", "10.7.1.1"), routes, rules, links]
        };
        wait("it holds everything", SOON, || left() == [true; 4]);
        daemon.crash();
        assert_eq!(left(), [true; 4]);
        match broken {
            Some(text) => daemon.rewrite(&text),
            None => std::fs::remove_file(daemon.file("keepalived.conf")).expect("it is there"),
        }
        let mark = daemon.mark();
        daemon.start_again();
        let status = daemon.wait_end();
        assert!(matches!(status.code(), Some(2 | 6)), "{status}");
        daemon.wait_log_part(mark, "The run before was killed: what it has left is removed");
        assert_eq!(left(), [false; 4]);
        for left in ["main.pid", "main.state", "main.in-force", "main.settings"] {
            assert!(!daemon.file(left).exists(), "{left}");
        }
    }
    Ok(())
}

pub(crate) fn a_panic_sends_priority_zero_and_leaves_nothing() -> Outcome {
    hooked()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = master(&a, "panic@stats");
    let mut capture = segment.capture();
    daemon.signal(Signal::SIGUSR2);
    assert_eq!(daemon.wait_end().code(), Some(70));
    assert_clean(&a, "panic");
    capture.wait_advert("priority 0", SOON, |a| a.priority == 0);
    daemon.wait_log_part(0, "internal error in keepalived: panicked at src/daemon/start/fault.rs");
    daemon.wait_log("as asked");
    assert!(!daemon.file("main.pid").exists() && !daemon.file("vrrp.pid").exists());
    Ok(())
}

pub(crate) fn a_panic_at_the_start_leaves_nothing_either() -> Outcome {
    hooked()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    // Without -n: the initial process reports the outcome.
    let mut daemon = started(&a, "panic@start", &["-G", "-D"]);
    assert_eq!(daemon.wait_end().code(), Some(70));
    daemon.wait_log("as asked");
    assert_clean(&a, "panic");
    assert!(!daemon.file("main.pid").exists());
    Ok(())
}

pub(crate) fn the_text_of_a_panic_is_in_the_log_of_a_daemon() -> Outcome {
    hooked()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let log = std::env::temp_dir().join(format!("keepalived-crash.{}.log", std::process::id()));
    let to_file = format!("-g{}", log.display());
    let mut starter = started(&a, "panic@stats", &["-R", "-G", "-D", &to_file]);
    assert_eq!(starter.wait_end().code(), Some(0), "the starter ends");
    wait_for_addresses(&a);
    let pid = nix::unistd::Pid::from_raw(starter.read("main.pid").trim().parse().expect("a pid"));
    nix::sys::signal::kill(pid, Signal::SIGUSR2).expect("it runs");
    wait("it ends", SOON, || !starter.file("main.pid").exists());
    let said = std::fs::read_to_string(&log).expect("its log");
    let _ = std::fs::remove_file(&log);
    assert!(said.contains("panicked at src/daemon/start/fault.rs"), "{said}");
    assert!(said.contains("as asked"), "{said}");
    assert_clean(&a, "panic");
    Ok(())
}

pub(crate) fn a_crash_without_unwinding_leaves_no_address() -> Outcome {
    hooked()?;
    for (fault, signal) in [("memory@stats", Signal::SIGABRT), ("stack@stats", Signal::SIGSEGV)] {
        let (_segment, [a]) = Segment::with_hosts(["a"]);
        let mut daemon = master(&a, fault);
        daemon.signal(Signal::SIGUSR2);
        let status = daemon.wait_end();
        assert!(is_killed(status, signal), "{fault}: {status}");
        assert_clean(&a, fault);
        daemon.wait_log_part(0, "ends the daemon; its virtual addresses were removed");
    }
    Ok(())
}

/// The copy that advertises during a restart has the addresses of the program that goes on.
pub(crate) fn a_crash_of_the_stand_in_removes_no_address() -> Outcome {
    hooked()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = master(&a, "memory@stand-in");
    let mut monitor = AddressMonitor::once_held(&a, "eth0", &["10.7.1.1"]);
    let mark = daemon.mark();
    restart(&daemon);
    daemon.wait_log_part(mark, "SIGABRT (out of memory, or a defect) ends the daemon");
    assert_eq!(monitor.events(), [], "addresses changed");
    assert!(daemon.stop().success());
    assert_clean(&a, "the end");
    Ok(())
}

pub(crate) fn a_crash_signal_leaves_no_address() -> Outcome {
    ours_only()?;
    let signals =
        [Signal::SIGABRT, Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGILL, Signal::SIGFPE];
    for signal in signals {
        let (_segment, [a]) = Segment::with_hosts(["a"]);
        a.ip(&format!("addr add {FOREIGN}/32 dev eth0"));
        let mut daemon = a.start(&text());
        daemon.wait_master("VI_1");
        wait_for_addresses(&a);
        daemon.signal(signal);
        let status = daemon.wait_end();
        assert!(is_killed(status, signal), "{signal}: {status}");
        assert_clean(&a, signal.as_str());
    }
    Ok(())
}

/// The crash handler follows the held addresses: released ones are not removed again.
pub(crate) fn only_held_addresses_are_removed() -> Outcome {
    ours_only()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let router = |vip: &str| config(&[instance("VI_1").vip(vip)]);
    let mut daemon = a.start(&router("10.7.1.1/16"));
    wait("it holds the address", SOON, || a.holds("eth0", "10.7.1.1"));
    daemon.rewrite(&router("10.7.1.2/16"));
    daemon.reload();
    wait("it holds another", SOON, || a.holds("eth0", "10.7.1.2") && !a.holds("eth0", "10.7.1.1"));
    a.ip("addr add 10.7.1.1/16 dev eth0");
    // The kernel's reply has been processed by now.
    segment.capture().wait_advert("the loop has gone on", SOON, |_| true);
    daemon.signal(Signal::SIGABRT);
    assert!(is_killed(daemon.wait_end(), Signal::SIGABRT));
    assert!(!a.holds("eth0", "10.7.1.2"));
    assert!(a.holds("eth0", "10.7.1.1"), "it belongs to another program now");
    Ok(())
}

fn is_killed(status: ExitStatus, signal: Signal) -> bool {
    status.signal() == Some(signal as i32)
}

pub(crate) fn promote_secondaries_is_restored_however_the_daemon_ends() -> Outcome {
    hooked()?;
    const SETTING: &str = "net/ipv4/conf/eth0/promote_secondaries";
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let plain = config(&[instance("VI_1").priority(255).vip("10.7.1.1/16")]);
    let promoting = config(&[instance("VI_1")
        .priority(255)
        .vip("10.7.1.1/16")
        .line("promote_secondaries")
        .line("garp_master_delay 0")]);
    a.sysctl(SETTING, "0");
    let value = |what: &str, expected: &str| {
        wait(&format!("{what}: promote_secondaries {expected}"), SOON, || {
            a.read_sysctl(SETTING) == expected
        });
    };
    let mut daemon = a.start_faulty(&promoting, "panic@stats", &FOREGROUND);
    daemon.wait_master("VI_1");
    value("start", "1");
    daemon.signal(Signal::SIGUSR2);
    assert_eq!(daemon.wait_end().code(), Some(70));
    value("panic", "0");
    let mut daemon = a.start(&promoting);
    daemon.wait_master("VI_1");
    value("start", "1");
    daemon.rewrite(&plain);
    daemon.reload();
    value("reload without the keyword", "0");
    daemon.rewrite(&promoting);
    daemon.reload();
    value("reload with it", "1");
    daemon.stop();
    value("end", "0");
    Ok(())
}
