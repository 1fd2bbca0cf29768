//! Restarts by command: no session goes down, and nothing that tracks one moves.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::os::unix::fs::PermissionsExt as _;

use crate::bfd::{session, FAST};
use crate::control::told;
use crate::lab::{
    config, instance, kactl_says as ok, ours_only, wait, AddressMonitor, Daemon, Host, Outcome,
    Program, Segment, Workshop, SOON,
};

const VIP: &str = "10.7.1.1";

fn restart(daemon: &Daemon) {
    let said = ok(daemon, &["restart"]);
    assert!(said.contains("has taken over"), "{said}");
}

fn auth(kind: &str) -> String {
    format!("{FAST}\nauth {{\ntype {kind}\nkey 3 topsecret\n}}")
}

/// Virtual routers and a real server that follow a session to the other router. There need be no
/// IPVS.
fn router(name: &str, neighbor: &str, lines: &str, priority: u8) -> String {
    let tracks = format!("track_bfd {{\n{name}\n}}");
    let block = instance("VI_1").priority(priority).line(&tracks).vip("10.7.1.1/16");
    // One that has another priority while the session is down.
    let tracks = format!("track_bfd {{\n{name} weight 20\n}}");
    let weighed = instance("VI_2").vrid(52).priority(priority).line(&tracks).vip("10.7.1.2/16");
    let server = format!(
        "virtual_server 10.7.1.9 80 {{\nlvs_sched rr\nlvs_method DR\nprotocol TCP\n\
         real_server 10.7.1.8 80 {{\nBFD_CHECK {{\nname {name}\nalpha\n}}\n}}\n}}\n"
    );
    session(name, neighbor, lines) + &config(&[block, weighed]) + &server
}

struct Pair {
    _segment: Segment,
    hosts: [Host; 2],
    high: Daemon,
    low: Daemon,
    marks: [usize; 2],
}

/// Two routers, each with a session to the other that is up.
fn pair(lines: &str, program: &Program) -> Pair {
    let (segment, hosts) = Segment::with_hosts(["a", "b"]);
    let high = hosts[0].start_program(program, &router("b", "10.7.0.2", lines, 200));
    let low = hosts[1].start(&router("a", "10.7.0.1", lines, 100));
    for (daemon, name) in [(&high, "b"), (&low, "a")] {
        daemon.wait_log(&format!("({name}) Entering Up state"));
        daemon.wait_log(&format!("({name}) Poll sequence ended"));
        daemon.wait_log_part(0, &format!("BFD check of [{name}] RS([10.7.1.8]:tcp:80) is UP"));
    }
    high.wait_master("VI_1");
    high.wait_master("VI_2");
    low.wait_log_part(0, "(VI_1) Entering BACKUP STATE");
    wait("the master has the address", SOON, || hosts[0].holds("eth0", VIP));
    let marks = [high.mark(), low.mark()];
    Pair { _segment: segment, hosts, high, low, marks }
}

impl Pair {
    /// What either daemon says of states, priorities and refused packets, but for the lines of each
    /// start: the state that it goes on in, the priority and the result of the check that follow from
    /// a session that is up.
    fn troubles(&self) -> Vec<String> {
        let both = [
            (&self.high, "MASTER STATE", "from 200 to 220", "b"),
            (&self.low, "BACKUP STATE (init)", "from 100 to 120", "a"),
        ];
        let said =
            both.into_iter().zip(self.marks).flat_map(|((daemon, state, change, name), mark)| {
                let usual = [
                    format!("(VI) Entering {state}"),
                    "(VI) because: restarted by command".to_owned(),
                    format!("(VI) Changing effective priority {change}"),
                    format!("(VI) because: BFD instance {name} up"),
                    format!("BFD check of [{name}] RS([10.7.1.8]:tcp:80) is UP"),
                    "Gained quorum 1+0=1 <= 1 for VS [10.7.1.9]:tcp:80".to_owned(),
                ];
                let is_trouble = move |line: &String| {
                    let parts =
                        ["Entering", "Discarding", "because:", "DOWN", "UP", "riority", "quorum"];
                    !usual.contains(&line.replace("VI_1", "VI").replace("VI_2", "VI"))
                        && parts.iter().any(|part| line.contains(part))
                };
                let lines = daemon.log().into_iter().skip(mark).filter(is_trouble);
                lines.map(|line| format!("{}: {line}", daemon.pid())).collect::<Vec<_>>()
            });
        said.collect()
    }

    fn is_calm(&self) -> Result<(), Vec<String>> {
        let troubles = self.troubles();
        if troubles.is_empty() {
            Ok(())
        } else {
            Err(troubles)
        }
    }
}

/// A busy host may suspend a daemon for longer than its neighbour waits: three attempts.
fn repeat_if_stalled(test: impl Fn() -> Result<(), Vec<String>>) {
    for _ in 0..3 {
        let Err(troubles) = test() else { return };
        let is_stalled = troubles.iter().any(|line| line.contains("because: no packet for 1"));
        assert!(is_stalled, "{troubles:#?}");
        println!("{troubles:?}");
    }
    panic!("each time, a neighbour was silent");
}

/// The local ports of UDP sockets.
fn ports(host: &Host) -> Vec<String> {
    let table = host.output("cat", &["/proc/net/udp"]);
    let port = |line: &str| Some(line.split_whitespace().nth(1)?.split(':').nth(1)?.to_owned());
    let mut ports: Vec<_> = table.lines().skip(1).filter_map(port).collect();
    ports.sort();
    ports
}

fn restarts_are_not_noticed(lines: &str) -> Result<(), Vec<String>> {
    let pair = pair(lines, Program::under_test());
    let mut monitor = AddressMonitor::once_held(&pair.hosts[0], "eth0", &[VIP]);
    let ports = || pair.hosts.each_ref().map(ports);
    let facts = || {
        [&pair.high, &pair.low].map(|daemon| {
            let events = ok(daemon, &["events"]);
            let events = events.lines().filter(|line| line.contains("VI_") || line.contains("BFD"));
            events.map(str::to_owned).collect::<Vec<_>>()
        })
    };
    let before = (ports(), facts());
    for n in 0..20 {
        restart(if n % 2 == 0 { &pair.high } else { &pair.low });
        pair.is_calm()?;
    }
    for daemon in [&pair.high, &pair.low] {
        daemon.wait_log_since(0, "BFD sessions that go on: 1");
        let status = ok(daemon, &["status", "--json"]);
        assert!(status.contains("\"restarts\": 10"), "{status}");
    }
    assert_eq!((ports(), facts()), before);
    assert_eq!(monitor.events(), [], "addresses changed");
    // It is still detected that a neighbour is gone.
    let mut pair = pair;
    let mark = pair.high.mark();
    pair.low.crash();
    pair.high.wait_log_part(mark, "(b) because: no packet for 1");
    pair.high.wait_log_part(mark, "(VI_1) because: BFD instance b down (no packet for 1");
    Ok(())
}

pub(crate) fn twenty_restarts_leave_a_session_up() -> Outcome {
    ours_only()?;
    repeat_if_stalled(|| restarts_are_not_noticed(FAST));
    Ok(())
}

pub(crate) fn twenty_restarts_leave_an_authenticated_session_up() -> Outcome {
    ours_only()?;
    for kind in ["sha1", "meticulous_sha1"] {
        repeat_if_stalled(|| restarts_are_not_noticed(&auth(kind)));
    }
    Ok(())
}

/// Puts our program under this name, whatever runs under it.
fn install(shop: &Workshop, name: &str) -> Program {
    std::fs::copy(&Program::under_test().path, shop.path("new")).expect("the folder is ours");
    std::fs::rename(shop.path("new"), shop.path(name)).expect("in one folder");
    Program { path: shop.path(name).into(), ours: true }
}

/// Puts a script in the place of the program.
fn install_script(shop: &Workshop, name: &str, text: &str) {
    std::fs::write(shop.path("new"), format!("#!/bin/sh\n{text}\n")).expect("it is ours");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(shop.path("new"), mode).expect("it is ours");
    std::fs::rename(shop.path("new"), shop.path(name)).expect("in one folder");
}

/// The program vanishes after its trial, while a copy of the process sends for it.
pub(crate) fn a_restart_that_fails_leaves_a_session_up() -> Outcome {
    ours_only()?;
    repeat_if_stalled(failing_restarts);
    Ok(())
}

fn failing_restarts() -> Result<(), Vec<String>> {
    let shop = Workshop::new();
    let program = install(&shop, "keepalived");
    let pair = pair(&auth("meticulous_sha1"), &program);
    for _ in 0..5 {
        install_script(&shop, "keepalived", "rm \"$0\"");
        let (status, said) = told(&pair.high, &["restart"]);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains("cannot execute the program: No such file"), "{said}");
        pair.is_calm()?;
    }
    install(&shop, "keepalived");
    restart(&pair.high);
    pair.is_calm()
}

/// The new program takes far longer to start than the neighbour waits.
pub(crate) fn a_slow_restart_leaves_a_session_up() -> Outcome {
    ours_only()?;
    for lines in [FAST.to_owned(), auth("sha1"), auth("meticulous_sha1")] {
        repeat_if_stalled(|| slow_restarts(&lines));
    }
    Ok(())
}

fn slow_restarts(lines: &str) -> Result<(), Vec<String>> {
    let shop = Workshop::new();
    let program = install(&shop, "first");
    let pair = pair(lines, &program);
    for [this, next] in [["first", "second"], ["second", "first"]] {
        install(&shop, next);
        let next = shop.path(next);
        let text = format!("[ \"$1\" = --try-snapshot ] || sleep 0.7\nexec {next} \"$@\"");
        install_script(&shop, this, &text);
        restart(&pair.high);
        pair.is_calm()?;
    }
    Ok(())
}

pub(crate) fn a_session_that_changed_begins_anew_and_says_so() -> Outcome {
    ours_only()?;
    let mut pair = pair(FAST, Program::under_test());
    // Intervals change as at a reload.
    pair.high.rewrite(&router("b", "10.7.0.2", "min_rx 60\nmin_tx 80\nmultiplier 4", 200));
    restart(&pair.high);
    pair.low.wait_log_part(pair.marks[1], "(a) Detection time is 320000 us");
    assert_eq!(pair.troubles(), [""; 0]);
    // Its source address is another property than the one that it had until now.
    let other = session("gone", "10.7.0.9", FAST);
    let with = |lines: &str, more: &str| router("b", "10.7.0.2", lines, 200) + more;
    pair.high.rewrite(&with(FAST, &other));
    assert_eq!(pair.high.reload_and_wait().0, Some(0));
    assert_eq!(pair.troubles(), [""; 0]);
    pair.marks = [pair.high.mark(), pair.low.mark()];
    pair.high.rewrite(&with(&format!("{FAST}\nsource_ip 10.7.0.1"), ""));
    restart(&pair.high);
    pair.high.wait_log_since(
        pair.marks[0],
        "(b) begins anew after the restart, it was Up: its neighbour, source address, port \
         or network namespace has changed",
    );
    pair.high
        .wait_log_since(pair.marks[0], "(gone) ended with the restart: it is no longer configured");
    pair.low.wait_log_part(pair.marks[1], "(a) Entering Down state");
    pair.high.wait_log_since(pair.marks[0], "(b) Entering Up state");
    pair.low.wait_log_since(pair.marks[1], "(a) Entering Up state");
    Ok(())
}
