//! Addresses that are not accepted (`no_accept`), protected by the packet filter.

#![expect(clippy::disallowed_methods, reason = "a client in another namespace needs a thread")]

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use nix::sys::signal::Signal;

use crate::lab::{
    config, config_with, instance, millis, ours_only, require_macvlan, require_program,
    ruleset_lines, stays, wait, AddressMonitor, Host, Outcome, Program, Segment, Skip, SOON,
};

const VIP: &str = "10.7.1.1";

fn needed() -> Outcome {
    ours_only()?;
    require_program("nft", "nftables")
}

fn router(lines: &[&str]) -> String {
    let router = instance("VI_1").vip("10.7.1.1/16");
    config(&[lines.iter().fold(router, |router, line| router.line(line))])
}

/// Without the counts of packets.
fn ruleset(host: &Host) -> String {
    host.output("nft", &["-s", "list", "ruleset"])
}

/// The ruleset, each list of elements sorted and on one line.
fn normalised(host: &Host) -> String {
    let sorted = |line: String| match line.strip_prefix("elements = {") {
        None => line,
        Some(list) => {
            let mut list: Vec<_> = list.trim_end_matches('}').split(',').map(str::trim).collect();
            list.sort_unstable();
            format!("elements = {{ {} }}", list.join(", "))
        }
    };
    let lines = ruleset_lines(host, &["-s"]).into_iter();
    lines.map(sorted).collect::<Vec<_>>().join("\n")
}

fn shields(host: &Host, addr: &str) -> bool {
    let text = normalised(host);
    text.lines().any(|line| line.starts_with("elements = {") && line.contains(addr))
}

/// A client that tries to reach an address without pause.
pub(crate) struct Client {
    stop: Arc<AtomicBool>,
    tries: JoinHandle<(usize, Vec<String>)>,
}

impl Client {
    /// The servers listen on any address of `server`. The client sends datagrams and connects.
    pub(crate) fn start(client: &Host, server: &Host, addr: &str) -> Self {
        const PORT: u16 = 4242;
        let addr: IpAddr = addr.parse().expect("an address");
        let any: SocketAddr =
            if addr.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }.parse().expect("");
        let (udp, tcp) = {
            let _inside = server.enter();
            let at = SocketAddr::new(any.ip(), PORT);
            // A process that another test has just forked may hold the sockets of the last client.
            let mut sockets = None;
            wait("the port is free", SOON, || {
                sockets = UdpSocket::bind(at).ok().zip(TcpListener::bind(at).ok());
                sockets.is_some()
            });
            sockets.expect("waited for them")
        };
        udp.set_nonblocking(true).expect("a socket");
        tcp.set_nonblocking(true).expect("a socket");
        let prober = {
            let _inside = client.enter();
            UdpSocket::bind(any).expect("a socket")
        };
        let namespace = client.path();
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let tries = thread::spawn(move || {
            let file = std::fs::File::open(namespace).expect("a namespace");
            nix::sched::setns(file, nix::sched::CloneFlags::CLONE_NEWNET).expect("entered");
            let (mut count, mut heard) = (0, Vec::new());
            while !ended.load(Ordering::Relaxed) {
                count += 1;
                // No route to the address while no router has it.
                let _ = prober.send_to(b"probe", SocketAddr::new(addr, PORT));
                match TcpStream::connect_timeout(&SocketAddr::new(addr, PORT), millis(2)) {
                    Ok(_) => heard.push("connected".to_owned()),
                    Err(e) if e.kind() == ErrorKind::ConnectionRefused => {
                        heard.push("reset".to_owned());
                    }
                    Err(_) => {}
                }
                let mut buffer = [0; 16];
                if let Ok((_, from)) = udp.recv_from(&mut buffer) {
                    heard.push(format!("datagram from {from}"));
                }
                if let Ok((_, from)) = tcp.accept() {
                    heard.push(format!("connection from {from}"));
                }
            }
            (count, heard)
        });
        Self { stop, tries }
    }

    /// The number of attempts, and all that reached the server or came back.
    pub(crate) fn end(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        self.tries.join().expect("no panic")
    }
}

fn pings(client: &Host, addr: &str) -> bool {
    client.output("ping", &["-c1", "-W1", "-n", addr]).contains(" 1 received")
}

pub(crate) fn protection_follows_the_master() -> Outcome {
    needed()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let text = |priority| {
        config(&[instance("VI_1").priority(priority).line("no_accept").vip("10.7.1.1/16")])
    };
    let mut first = a.start(&text(200));
    first.wait_master("VI_1");
    first.wait_log(
        "use_vmac or no_accept/strict specified, but no firewall configured - using nftables",
    );
    wait("the first one holds the address", SOON, || a.holds("eth0", VIP));
    assert!(shields(&a, VIP), "{}", ruleset(&a));
    let second = b.start(&text(100));
    second.wait_backup("VI_1");
    assert_eq!(ruleset(&b), "", "a backup needs no table");
    assert!(first.stop().success());
    assert_eq!(ruleset(&a), "", "nothing is left after a stop");
    second.wait_master("VI_1");
    wait("the second one holds the address", SOON, || b.holds("eth0", VIP));
    assert!(shields(&b, VIP), "{}", ruleset(&b));
    let mark = second.mark();
    let first = a.start(&text(200));
    first.wait_master("VI_1");
    second.wait_yielded(mark, "VI_1");
    wait("the second one no longer protects it", SOON, || !shields(&b, VIP));
    assert!(!b.holds("eth0", VIP) && shields(&a, VIP));
    Ok(())
}

pub(crate) fn an_address_is_never_reachable_during_a_failover() -> Outcome {
    needed()?;
    for (addr, vip, family) in
        [(VIP, "10.7.1.1/16", ""), ("fd07::1:1", "fe80::7:1\n fd07::1:1/64", "garp_master_delay 0")]
    {
        let (_segment, [a, c]) = Segment::with_hosts(["a", "c"]);
        let text = |accept: &str| config(&[instance("VI_1").line(accept).line(family).vip(vip)]);
        let client = Client::start(&c, &a, addr);
        for _ in 0..4 {
            let mut daemon = a.start(&text("no_accept"));
            daemon.wait_master("VI_1");
            wait("it holds the address", SOON, || a.holds("eth0", addr));
            stays("it is there", millis(50), || a.holds("eth0", addr));
            assert!(daemon.stop().success());
            assert!(!a.holds("eth0", addr));
        }
        // A crash leaves the address and its protection.
        let mut daemon = a.start(&text("no_accept"));
        daemon.wait_master("VI_1");
        wait("it holds the address", SOON, || a.holds("eth0", addr));
        daemon.crash();
        let mut daemon = a.start(&text("no_accept"));
        daemon.wait_master("VI_1");
        assert!(!pings(&c, addr));
        assert!(daemon.stop().success());
        let (count, heard) = client.end();
        assert_eq!(heard, [""; 0], "{count} attempts");
        assert!(count > 50, "{count}");
        // The same client reaches an address that is accepted.
        let client = Client::start(&c, &a, addr);
        let _daemon = a.start(&text("accept"));
        wait("it holds the address", SOON, || a.holds("eth0", addr));
        wait("it replies", SOON, || pings(&c, addr));
        stays("it goes on", millis(200), || true);
        assert_ne!(client.end().1, [""; 0]);
    }
    Ok(())
}

/// The sets and chains of a ruleset; their order depends on the instance that was first. Version 2.2
/// has no rule for the link-local address of a base interface, which 2.4 always has.
fn sets_and_chains(rules: &str) -> Vec<String> {
    let (mut table, mut block, mut all) = ("", Vec::new(), Vec::new());
    for line in rules.lines().filter(|line| !line.contains("@parent_link_local")) {
        match line {
            _ if line.starts_with("table ") => table = line,
            "}" if block.is_empty() => {}
            "}" => all.push(format!("{table} {}", std::mem::take(&mut block).join("; "))),
            _ => block.push(line),
        }
    }
    all.retain(|block| !block.contains("set parent_link_local"));
    all.sort();
    all
}

pub(crate) fn the_ruleset_is_that_of_the_reference() -> Outcome {
    needed()?;
    let reference = Program::reference()?;
    let instances = [
        instance("VI_1")
            .line("no_accept")
            .line("virtual_ipaddress_excluded {\n 10.7.1.3/16\n fd07::3:1/64\n }")
            .vip("10.7.1.1/16")
            .vip("10.7.1.2/16"),
        instance("VI_6").vrid(52).line("no_accept").vip("fe80::7:1/64").vip("fd07::1:1/64"),
        instance("VI_7").vrid(53).line("no_accept\ndont_track_primary").vip("fe80::7:2/64"),
    ];
    let globals = [
        "",
        "nftables other\nnftables_priority -5\nnftables_counters",
        "nftables\nnftables_ifindex",
    ];
    for global in globals {
        let text = config_with(global, &instances);
        let mut seen = Vec::new();
        for program in [Program::under_test(), &reference] {
            let (_segment, [a]) = Segment::with_hosts(["a"]);
            let daemon = a.start_program(program, &text);
            for instance in ["VI_1", "VI_6", "VI_7"] {
                daemon.wait_master(instance);
            }
            for addr in [VIP, "10.7.1.2", "10.7.1.3", "fd07::3:1", "fe80::7:1", "fe80::7:2"] {
                wait("the address is there", SOON, || a.holds("eth0", addr));
                wait(&format!("{addr} is protected"), SOON, || shields(&a, addr));
            }
            seen.push(sets_and_chains(&normalised(&a)));
        }
        assert_eq!(seen[0], seen[1], "with {global:?}");
    }
    Ok(())
}

pub(crate) fn a_reload_changes_the_protection_alone() -> Outcome {
    needed()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&router(&["accept"]));
    daemon.wait_master("VI_1");
    let mut monitor = AddressMonitor::once_held(&a, "eth0", &[VIP]);
    for _ in 0..3 {
        daemon.rewrite(&router(&["no_accept"]));
        assert_eq!(daemon.reload_and_wait().0, Some(0));
        wait("it is protected", SOON, || shields(&a, VIP));
        daemon.rewrite(&router(&["accept"]));
        assert_eq!(daemon.reload_and_wait().0, Some(0));
        wait("no table is left", SOON, || ruleset(&a).is_empty());
    }
    assert!(monitor.events().is_empty(), "{:?}", monitor.events());
    Ok(())
}

/// The table names the address that the VMAC shares with its base.
pub(crate) fn the_entry_of_a_vmac_follows_the_address_of_its_base() -> Outcome {
    needed()?;
    require_macvlan()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    a.ip("address add fe80::aa/64 dev eth0 nodad");
    let v6 = instance("VI_1").vip("fe80::51").vip("fd07::51/64").line("use_vmac");
    let daemon = a.start(&config(&[v6]));
    daemon.wait_master("VI_1");
    let names = |addr: &str| {
        let member = format!("{addr} . \"vrrp.51\"");
        ruleset(&a).lines().any(|line| line.contains(&member))
    };
    a.output("ip", &["-6", "address", "flush", "dev", "eth0", "scope", "link"]);
    a.ip("address add fe80::bb/64 dev eth0 nodad");
    wait("the table has the new address", SOON, || names("fe80::bb") && !names("fe80::aa"));
    Ok(())
}

pub(crate) fn a_crash_leaves_no_table_behind() -> Outcome {
    needed()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = a.start(&router(&["no_accept"]));
    wait("it is protected", SOON, || a.holds("eth0", VIP) && shields(&a, VIP));
    daemon.crash();
    assert!(shields(&a, VIP), "the address is left, so its protection is, too");
    let daemon = a.start(&router(&["accept"]));
    daemon.wait_log("Deleting old ip keepalived table");
    wait("no table is left", SOON, || ruleset(&a).is_empty());
    daemon.wait_master("VI_1");
    assert!(a.holds("eth0", VIP));
    Ok(())
}

pub(crate) fn what_a_crash_left_stays_protected_until_it_goes() -> Outcome {
    needed()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let text = router(&["no_accept"]);
    let mut daemon = a.start(&text);
    wait("it is protected", SOON, || a.holds("eth0", VIP) && shields(&a, VIP));
    daemon.crash();
    let slow = config(&[instance("VI_1").every("1").line("no_accept").vip("10.7.1.1/16")]);
    let daemon = a.start(&slow);
    daemon.wait_log("Deleting old ip keepalived table");
    daemon.wait_backup("VI_1");
    assert!(a.holds("eth0", VIP) && shields(&a, VIP), "{}", ruleset(&a));
    let other = b.start(&config(&[instance("VI_1").every("1").priority(255).vip("10.7.1.1/16")]));
    other.wait_master("VI_1");
    wait("the leftover goes", SOON, || !a.holds("eth0", VIP) && !shields(&a, VIP));
    Ok(())
}

pub(crate) fn a_panic_leaves_no_table_behind() -> Outcome {
    needed()?;
    if !cfg!(debug_assertions) {
        return Err(Skip::new("defects on request are in builds with debug assertions only"));
    }
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon =
        a.start_faulty(&router(&["no_accept"]), "panic@stats", &["-n", "-l", "-G", "-D"]);
    wait("it is protected", SOON, || a.holds("eth0", VIP) && shields(&a, VIP));
    daemon.signal(Signal::SIGUSR2);
    assert_eq!(daemon.wait_end().code(), Some(70));
    assert!(!a.holds("eth0", VIP));
    assert_eq!(ruleset(&a), "");
    Ok(())
}

pub(crate) fn an_address_of_two_instances_stays_protected() -> Outcome {
    needed()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let one = |name: &str, vrid, own: &str| {
        instance(name).vrid(vrid).line("no_accept").vip("10.7.1.1/16").vip(own)
    };
    let both = [one("VI_1", 51, "10.7.1.2/16"), one("VI_2", 52, "10.7.1.3/16")];
    let daemon = a.start(&config(&both));
    let all = [VIP, "10.7.1.2", "10.7.1.3"];
    wait("all are protected", SOON, || all.iter().all(|addr| shields(&a, addr)));
    daemon.rewrite(&config(&both[..1]));
    assert_eq!(daemon.reload_and_wait().0, Some(0));
    wait("the other one is no longer protected", SOON, || !shields(&a, "10.7.1.3"));
    assert!(a.holds("eth0", VIP) && shields(&a, VIP));
    Ok(())
}

pub(crate) fn a_table_that_is_removed_externally_comes_back() -> Outcome {
    needed()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&router(&["no_accept"]));
    wait("it is protected", SOON, || a.holds("eth0", VIP) && shields(&a, VIP));
    a.output("nft", &["flush", "ruleset"]);
    wait("it is protected again", SOON, || shields(&a, VIP));
    daemon.wait_log_part(0, "the IPv4 table was removed externally: restoring it");
    Ok(())
}

/// Another program's firewall changes all the time.
pub(crate) fn without_need_changes_of_tables_wake_nothing() -> Outcome {
    needed()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    a.output("nft", &["add", "table", "ip", "other"]);
    // The first election is far away.
    let daemon = a.start(&config(&[instance("VI_1").every("30").vip("10.7.1.1/16")]));
    daemon.wait_log("Startup complete");
    stays("it has begun", millis(300), || true);
    let wakes = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid()));
        let status = status.expect("it runs");
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches"));
        let count = line.and_then(|line| line.split_whitespace().nth(1)).map(str::parse::<u64>);
        count.expect("a count").expect("a number")
    };
    let before = wakes();
    for _ in 0..50 {
        a.output("nft", &["add", "table", "ip", "more"]);
        a.output("nft", &["delete", "table", "ip", "more"]);
    }
    let woken = wakes() - before;
    assert!(woken < 50, "100 transactions woke it {woken} times");
    Ok(())
}
