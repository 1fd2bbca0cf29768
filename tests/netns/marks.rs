//! Firewall marks of virtual server groups: whole daemons with the kernel's nf_tables, and with a
//! stand-in for IPVS, since few kernels of build machines have both.

use std::cell::Cell;
use std::net::{SocketAddr, UdpSocket};

use nix::sys::signal::Signal;

use crate::lab::{
    eventually, ours_only, require_program, ruleset_lines, with_fake_ipvs, Daemon, Host, Outcome,
    Program, Segment, Skip, Workshop, SOON,
};

/// The stand-in, and programs that run with it.
pub(crate) struct Fake {
    shop: Workshop,
    /// Number of lines of the log that `asked` has returned.
    seen: Cell<usize>,
}

impl Fake {
    pub(crate) fn new() -> Result<Self, Skip> {
        require_program("nft", "nftables")?;
        require_program("cc", "gcc")?;
        Ok(Self { shop: Workshop::new(), seen: Cell::new(0) })
    }

    /// A program with the stand-in. All have the same pid files.
    fn program(&self, real: &Program) -> Program {
        let pids = ["-p", "-r", "-c", "-b"].map(|option| format!("{option} $HERE/pid{option}"));
        with_fake_ipvs(real, &self.shop, &pids.join(" ")).expect("cc is there")
    }

    pub(crate) fn start(&self, host: &Host, config: &str) -> Daemon {
        let daemon = host.start_program(&self.program(Program::under_test()), config);
        daemon.wait_log("Startup complete");
        daemon
    }

    /// What the daemon asked of the kernel since the last call.
    fn asked(&self) -> Vec<String> {
        let lines = self.shop.lines("log");
        lines
            .into_iter()
            .skip(self.seen.get())
            .inspect(|_| self.seen.set(self.seen.get() + 1))
            .collect()
    }
}

fn rules(host: &Host) -> String {
    ruleset_lines(host, &[]).join("\n")
}

#[track_caller]
fn wait_rules(host: &Host, expected: &str) {
    let expected: Vec<_> = expected.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let (expected, mut seen) = (expected.join("\n"), String::new());
    let done = eventually(SOON, || {
        seen = rules(host);
        seen == expected
    });
    assert!(done, "\n{seen}\ninstead of\n{expected}");
}

/// Groups as `NAME: ADDRESS...`, with port 80 unless they have another one (`ADDRESS,PORT`; 0 is
/// none), and virtual servers as `NAME PROTOCOL SERVER`.
fn config(global: &str, groups: &[&str], servers: &[&str]) -> String {
    let mut text = format!("global_defs {{\n{global}\n}}\n");
    for group in groups {
        let (name, addresses) = group.split_once(": ").expect("a name");
        let lines: String = addresses
            .split(' ')
            .map(|address| match address.split_once(',') {
                None => format!("{address} 80\n"),
                Some((address, "0")) => format!("{address}\n"),
                Some((address, port)) => format!("{address} {port}\n"),
            })
            .collect();
        text += &format!("virtual_server_group {name} {{\n{lines}}}\n");
    }
    for server in servers {
        let words: Vec<_> = server.split(' ').collect();
        text += &format!(
            "virtual_server group {} {{\ndelay_loop 1\nlvs_sched rr\nlvs_method DR\nprotocol {}\n\
             real_server {} 80 {{\nweight 1\n}}\n}}\n",
            words[0], words[1], words[2]
        );
    }
    text
}

const START: &str = "nftables_ipvs\nnftables_ipvs_start_fwmark 5000";
const WEB: &str = "web: 10.9.0.100 10.9.0.110-115";
const WEB_SERVER: &str = "web TCP 10.7.0.9";

const V4: &str = "
    table ip keepalived_ipvs {
        map tcp_map {
            type ipv4_addr . inet_service : mark
            flags interval
            elements = { 10.9.0.100 . 80 : 0x00001388, 10.9.0.110-10.9.0.115 . 80 : 0x00001388 }
        }
        chain in {
            type filter hook input priority filter - 1; policy accept;
            meta mark set ip daddr . tcp dport map @tcp_map return
        }
    }";

/// Also with the tables of the reference, whose maps are in the order of their first use.
pub(crate) fn the_tables_are_those_of_keepalived() -> Outcome {
    let fake = Fake::new()?;
    let groups = [WEB, "six: fd09::100 fd09::110-115"];
    let servers = [WEB_SERVER, "web UDP 10.7.0.9", "six TCP fd07::9", "six SCTP fd07::9"];
    let plain = config(START, &groups, &servers);
    let global = format!("{START}\nnftables_counters\nnftables_ipvs_priority 7");
    let counted = config(&global, &groups, &servers);
    let reference = Program::reference()?;
    for (config, parts) in [
        (&plain, &["0x00001388", "0x0000138b", "sctp dport map @sctp_map return"]),
        (&counted, &["priority filter + 7", "counter packets 0 bytes 0 : 0x00001388", "counter"]),
    ] {
        let (theirs, ours) = (Host::new("theirs"), Host::new("ours"));
        let mut first = theirs.start_program(&fake.program(&reference), config);
        let last = |rules: &str| rules.contains("@sctp_map");
        let done = eventually(SOON, || last(&rules(&theirs)));
        assert!(done, "{}", rules(&theirs));
        let expected = rules(&theirs);
        for part in parts {
            assert!(expected.contains(part), "{part} is not in\n{expected}");
        }
        assert!(first.stop().success());
        let mut second = ours.start_program(&fake.program(Program::under_test()), config);
        wait_rules(&ours, &expected);
        assert!(second.stop().success());
        wait_rules(&ours, "");
    }
    Ok(())
}

#[track_caller]
fn wait_asked(fake: &Fake, expected: &[&str]) {
    let mut seen = Vec::new();
    let done = eventually(SOON, || {
        seen.extend(fake.asked());
        seen == expected
    });
    assert!(done, "{seen:?}");
}

pub(crate) fn marks_come_before_services_and_go_after_them() -> Outcome {
    ours_only()?;
    let (fake, host) = (Fake::new()?, Host::new("a"));
    let before = config(START, &[WEB], &[WEB_SERVER]);
    let mut daemon = fake.start(&host, &before);
    wait_rules(&host, V4);
    wait_asked(&fake, &["transaction", "add service 5000"]);
    let after = config(START, &["more: 10.9.0.120", WEB], &["more TCP 10.7.0.9", WEB_SERVER]);
    daemon.rewrite(&after);
    let mark = daemon.mark();
    daemon.reload();
    daemon.wait_log_since(mark, "Reload complete");
    let longer = V4.replace("0x00001388 }", "0x00001388, 10.9.0.120 . 80 : 0x00001389 }");
    wait_rules(&host, &longer);
    wait_asked(&fake, &["transaction", "add service 5001"]);
    daemon.rewrite(&before);
    daemon.reload();
    wait_rules(&host, V4);
    wait_asked(&fake, &["remove service 5001", "transaction"]);
    assert!(daemon.stop().success());
    wait_rules(&host, "");
    wait_asked(&fake, &["remove service 5000", "transaction"]);
    Ok(())
}

pub(crate) fn a_reload_without_a_change_writes_nothing() -> Outcome {
    ours_only()?;
    let (fake, host) = (Fake::new()?, Host::new("a"));
    let mut daemon = fake.start(&host, &config(START, &[WEB], &[WEB_SERVER]));
    wait_asked(&fake, &["transaction", "add service 5000"]);
    // Renamed, so that the configuration is another one, but its marks are the same.
    for text in [
        config(START, &[WEB], &[WEB_SERVER]),
        config(START, &[&WEB.replace("web", "www")], &[&WEB_SERVER.replace("web", "www")]),
    ] {
        daemon.rewrite(&text);
        let mark = daemon.mark();
        daemon.reload();
        daemon.wait_log_since(mark, "Reload complete");
    }
    // What follows shows that nothing precedes it.
    daemon.rewrite(&config("", &[], &[]));
    daemon.reload();
    wait_asked(&fake, &["remove service 5000", "transaction"]);
    wait_rules(&host, "");
    assert!(daemon.stop().success());
    Ok(())
}

pub(crate) fn a_table_that_another_program_removes_comes_back() -> Outcome {
    ours_only()?;
    let (fake, host) = (Fake::new()?, Host::new("a"));
    let mut daemon = fake.start(&host, &config(START, &[WEB], &[WEB_SERVER]));
    for removal in ["flush ruleset", "delete table ip keepalived_ipvs"] {
        wait_rules(&host, V4);
        let mark = daemon.mark();
        host.output("nft", &removal.split(' ').collect::<Vec<_>>());
        daemon.wait_log_part(mark, "the IPv4 table for virtual server groups was removed");
        wait_rules(&host, V4);
    }
    assert!(daemon.stop().success());
    wait_rules(&host, "");
    Ok(())
}

pub(crate) fn a_table_left_by_a_crash_is_replaced_or_removed() -> Outcome {
    ours_only()?;
    let (fake, host) = (Fake::new()?, Host::new("a"));
    let other = config(START, &["web: 10.9.0.1"], &[WEB_SERVER]);
    let mut daemon = fake.start(&host, &other);
    host.output(
        "nft",
        &["add", "rule", "ip", "keepalived_ipvs", "in", "tcp", "dport", "1", "drop"],
    );
    daemon.crash();
    assert!(rules(&host).contains("10.9.0.1 . 80"), "it stays: {}", rules(&host));
    let mut daemon = fake.start(&host, &config(START, &[WEB], &[WEB_SERVER]));
    daemon.wait_log("Deleting old ip keepalived_ipvs table");
    wait_rules(&host, V4);
    daemon.crash();
    // The next configuration does not mention it.
    let mut daemon = fake.start(&host, &config("", &[WEB], &[WEB_SERVER]));
    daemon.wait_log("Deleting old ip keepalived_ipvs table");
    wait_rules(&host, "");
    assert!(daemon.stop().success());
    // Without a crash, it could be that of another daemon.
    host.output("nft", &["add", "table", "ip", "keepalived_ipvs"]);
    let mut daemon = fake.start(&host, &config("", &[WEB], &[WEB_SERVER]));
    assert!(daemon.stop().success());
    wait_rules(&host, "table ip keepalived_ipvs {\n}");
    Ok(())
}

/// A rule behind the daemon's counts what has the mark.
pub(crate) fn packets_to_a_group_have_its_mark() -> Outcome {
    ours_only()?;
    let (fake, (_segment, [a, b])) = (Fake::new()?, Segment::with_hosts(["a", "b"]));
    // Without a port: all that no other group names.
    let groups = ["web: 10.7.0.100 10.7.0.110-111", "all: 10.7.0.110,0 10.7.0.120,0"];
    let text = config(START, &groups, &["web UDP 10.7.0.9", "all UDP 10.7.0.9"]);
    a.ip("addr add 10.7.0.100/16 dev eth0
        addr add 10.7.0.110/16 dev eth0
        addr add 10.7.0.111/16 dev eth0
        addr add 10.7.0.112/16 dev eth0
        addr add 10.7.0.120/16 dev eth0");
    let mut daemon = fake.start(&a, &text);
    for line in [
        "add table ip seen",
        "add chain ip seen in { type filter hook input priority 0 ; }",
        "add counter ip seen mark5000",
        "add counter ip seen mark5001",
        "add counter ip seen mark0",
        "add rule ip seen in udp length 9 meta mark 5000 counter name mark5000",
        "add rule ip seen in udp length 9 meta mark 5001 counter name mark5001",
        "add rule ip seen in udp length 9 meta mark 0 counter name mark0",
    ] {
        a.output("nft", &[line]);
    }
    let client = {
        let _inside = b.enter();
        UdpSocket::bind("0.0.0.0:0").expect("a socket")
    };
    let counted = |mark: u32| -> u64 {
        let name = format!("mark{mark}");
        let said = a.output("nft", &["list", "counter", "ip", "seen", &name]);
        let mut words = said.split_whitespace().skip_while(|word| *word != "packets").skip(1);
        words.next().and_then(|n| n.parse().ok()).expect("a number")
    };
    let marks = [5000, 5001, 0];
    for (to, mark) in [
        ("10.7.0.100:80", 5000),
        ("10.7.0.100:81", 0),
        ("10.7.0.110:80", 5000),
        ("10.7.0.110:81", 5001),
        ("10.7.0.110:65535", 5001),
        ("10.7.0.111:80", 5000),
        ("10.7.0.112:80", 0),
        ("10.7.0.120:1", 5001),
    ] {
        let before = marks.map(counted);
        client.send_to(b"x", to.parse::<SocketAddr>().expect("an address")).expect("sent");
        let mut seen = before;
        let done = eventually(SOON, || {
            seen = marks.map(counted);
            seen.iter().sum::<u64>() > before.iter().sum()
        });
        assert!(done, "nothing arrives at {to}");
        let new: Vec<_> = seen.iter().zip(before).map(|(now, before)| now - before).collect();
        assert_eq!(new, marks.map(|other| u64::from(other == mark)), "{to}");
    }
    assert!(daemon.stop().success());
    Ok(())
}

pub(crate) fn kept_services_keep_their_marks() -> Outcome {
    ours_only()?;
    let (fake, host) = (Fake::new()?, Host::new("a"));
    let program = fake.program(Program::under_test());
    let wrapped = program.path.display();
    let keeps = fake.shop.script("keeps", &format!("exec {wrapped} \"$@\" --dont-release-ipvs"));
    let text = config(START, &[WEB], &[WEB_SERVER]);
    let mut daemon = host.start_program(&Program { path: keeps.into(), ours: true }, &text);
    wait_rules(&host, V4);
    assert!(daemon.stop().success());
    wait_rules(&host, V4);
    let mut next = fake.start(&host, &text);
    wait_rules(&host, V4);
    assert!(next.stop().success());
    wait_rules(&host, "");
    Ok(())
}

/// As the services do, which the next start brings in line, too.
pub(crate) fn marks_stay_after_a_panic_until_the_next_start() -> Outcome {
    ours_only()?;
    let (fake, host) = (Fake::new()?, Host::new("a"));
    let program = fake.program(Program::under_test());
    let wrapped = program.path.display();
    let body = format!("export KEEPALIVED_FAULT=panic@stats\nexec {wrapped} \"$@\"");
    let faulty = Program { path: fake.shop.script("faulty", &body).into(), ours: true };
    let mut daemon = host.start_program(&faulty, &config(START, &[WEB], &[WEB_SERVER]));
    wait_rules(&host, V4);
    daemon.wait_log("Startup complete");
    daemon.signal(Signal::SIGUSR2);
    assert!(!daemon.wait_end().success());
    wait_rules(&host, V4);
    assert!(!fake.asked().contains(&"remove service 5000".to_owned()));
    let mut next = fake.start(&host, &config(START, &["web: 10.9.0.1"], &[WEB_SERVER]));
    next.wait_log("Deleting old ip keepalived_ipvs table");
    assert!(rules(&host).contains("elements = { 10.9.0.1 . 80 : 0x00001388 }"));
    assert!(next.stop().success());
    wait_rules(&host, "");
    Ok(())
}
