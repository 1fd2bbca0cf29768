//! Descriptors and memory of a daemon that is reloaded and asked for long.

#![expect(clippy::disallowed_methods, reason = "tests read what the kernel says of a process")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::lab::{
    config_with, instance, ours_only, wait, Daemon, Outcome, Segment, Workshop, SOON,
};
use crate::marks::Fake;

const RELOADS: usize = 1_000;
const CONNECTIONS: usize = 10_000;
/// KiB that the memory may grow while the rounds go from a tenth to all: the pages of a few blocks
/// that were freed in another order. The smallest block of the allocator is 32 bytes, so one that
/// each connection leaves behind is 280 KiB; one of 80 bytes of each reload is 70 KiB.
const SLACK: usize = 64;

/// The number of rounds, or the one in `KEEPALIVED_TEST_ROUNDS`.
fn rounds(usual: usize) -> usize {
    let wanted = std::env::var("KEEPALIVED_TEST_ROUNDS").ok();
    wanted.and_then(|wanted| wanted.parse().ok()).unwrap_or(usual)
}

/// What a process holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Held {
    descriptors: usize,
    /// Anonymous memory in KiB.
    memory: usize,
}

impl Held {
    fn by(daemon: &Daemon) -> Self {
        let pid = daemon.pid();
        let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").count();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line");
        let memory = line.trim().trim_end_matches(" kB").parse().expect("a number");
        Self { descriptors, memory }
    }
}

/// The last line of the reply to one request over a connection of its own.
fn ask(socket: &Path, what: &str) -> String {
    let mut stream = UnixStream::connect(socket).expect("the socket is served");
    stream.set_read_timeout(Some(SOON)).expect("a time");
    stream
        .write_all(format!("{{\"version\":1,\"do\":\"{what}\"}}\n").as_bytes())
        .expect("it reads");
    let lines = BufReader::new(stream).lines().map(|line| line.expect("a reply"));
    let is_last = |line: &String| line.contains("done") || line.contains("error");
    lines.into_iter().find(is_last).expect("a last line")
}

pub(crate) fn reloads_and_connections_leave_nothing_behind() -> Outcome {
    ours_only()?;
    let fake = Fake::new()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let (socket, script) = (shop.path("control"), shop.script("check.sh", "exit 0"));
    let notify = shop.script("notify.sh", "exit 0");
    let tracking = |name| instance(name).line("track_script {\n check\n }");
    let instances = [
        tracking("VI_1").vip("10.7.1.1/16").line(&format!("notify {notify}")),
        tracking("VI_2").vrid(52).vip("10.7.1.2/16"),
    ];
    let global =
        format!("control_socket {socket}\n}}\nvrrp_script check {{\n script {script}\n interval 1");
    let config = config_with(&global, &instances)
        + "virtual_server 10.9.0.100 80 {\n lvs_sched rr\n lvs_method DR\n protocol TCP\n \
           real_server 10.7.0.9 80 {\n weight 1\n }\n}\n";
    let daemon = fake.start(&a, &config);
    daemon.wait_master("VI_1");
    daemon.wait_master("VI_2");
    let socket = Path::new(&socket);
    for (what, rounds) in [("reload", rounds(RELOADS)), ("status", rounds(CONNECTIONS))] {
        let mut at_first = None;
        for n in 1..=rounds {
            let said = ask(socket, what);
            assert!(said.contains("done"), "{what} {n}: {said}");
            if n == rounds / 10 {
                at_first = Some(Held::by(&daemon));
            }
        }
        let (at_first, at_last) = (at_first.expect("there are ten"), Held::by(&daemon));
        println!("{rounds} times {what}: {at_first:?}, at last {at_last:?}");
        let grown = at_last.memory.saturating_sub(at_first.memory);
        assert!(grown <= SLACK, "{what}: {at_first:?}, at last {at_last:?}");
        // A script may run at either moment, and the daemon sees the end of a connection late.
        wait(&format!("as few descriptors as before ({what})"), SOON, || {
            Held::by(&daemon).descriptors <= at_first.descriptors
        });
    }
    Ok(())
}
