//! The kernel's table matches the configuration, at start and after reloads.

use crate::farm::{lines, table, wait_table, PATIENCE};
use crate::lab::{eventually, millis, ours_only, pass, stays, Daemon, Host, Outcome, Program};

const SERVICE: &str = "10.0.0.1:80";

/// One virtual server with this head and these lines, and these real servers.
fn service(head: &str, inner: &str, servers: &[(&str, &str)]) -> String {
    let servers: String =
        servers.iter().map(|(key, inner)| format!("real_server {key} {{ {inner} }} ")).collect();
    lines(&format!("virtual_server {head} {{ delay_loop 1; {inner}; {servers} }} "))
}

/// Every scheduler, kind of service and forwarding method of the configuration.
fn everything() -> String {
    let mut text = String::new();
    let schedulers =
        ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq"];
    for (port, scheduler) in (1..).zip(schedulers) {
        let inner = format!("lvs_sched {scheduler}; lvs_method NAT; protocol TCP");
        text += &service(&format!("10.0.0.1 {port}"), &inner, &[("10.9.0.1 8080", "weight 3")]);
    }
    text += &service(
        "10.0.0.2 80",
        "lvs_sched rr; lvs_method DR; protocol TCP",
        &[
            ("10.9.0.1 8080", "lvs_method NAT"),
            ("10.9.0.2 80", "weight 0"),
            ("10.9.0.3 80", "lvs_method TUN"),
            ("10.9.0.4 80", "lvs_method TUN type gue port 6080"),
            ("10.9.0.5 80", "lvs_method TUN type gue port 6080 csum"),
            ("10.9.0.6 80", "lvs_method TUN type gue port 6080 remcsum"),
            ("10.9.0.7 80", "lvs_method TUN type gre"),
            ("10.9.0.8 80", "lvs_method TUN type gre csum"),
            ("10.9.0.9 80", "uthreshold 100; lthreshold 10"),
        ],
    );
    let kinds = [
        ("10.0.0.3 53", "lvs_sched rr; protocol UDP"),
        ("10.0.0.3 54", "lvs_sched rr; protocol UDP; ops"),
        ("10.0.0.3 55", "lvs_sched wrr; protocol SCTP"),
        ("10.0.0.3 56", "lvs_sched wlc; protocol TCP; persistence_timeout 50"),
        ("10.0.0.3 57", "lvs_sched wlc; protocol TCP; persistence_timeout 50; persistence_granularity 255.255.255.0"),
        ("10.0.0.3 58", "lvs_sched sh; sh-port; sh-fallback; protocol TCP"),
        ("10.0.0.3 59", "lvs_sched mh; mh-port; mh-fallback; protocol TCP"),
        ("10.0.0.3 60", "lvs_sched wlc; protocol TCP; flag-1; flag-3"),
        ("fwmark 7", "lvs_sched wlc"),
        ("group several", "lvs_sched wlc; protocol TCP"),
    ];
    for (head, inner) in kinds {
        text += &service(head, &format!("{inner}; lvs_method DR"), &[("10.9.0.1 80", "weight 1")]);
    }
    let v6 = "lvs_sched wlc; lvs_method NAT; protocol TCP; persistence_timeout 60; persistence_granularity 64";
    text += &service("2001:db8::1 80", v6, &[("2001:db8::9 80", "weight 1")]);
    text + &lines("virtual_server_group several { 10.0.0.4 80; 10.0.0.5-7 81; fwmark 9 } ")
}

/// Waits until the table has this many lines and is stable.
#[track_caller]
fn settled(host: &Host, count: usize) -> Vec<String> {
    let mut seen = Vec::new();
    let done = eventually(PATIENCE, || {
        let before = std::mem::replace(&mut seen, table(host));
        seen.len() == count && seen == before || {
            pass(millis(100));
            false
        }
    });
    assert!(done, "{} lines instead of {count}: {seen:#?}", seen.len());
    seen
}

pub(crate) fn the_table_equals_that_of_the_reference() -> Outcome {
    let programs = [&Program::reference()?, Program::under_test()];
    let hosts = ["theirs", "ours"].map(Host::new);
    let config = everything();
    let mut daemons: Vec<_> = hosts
        .iter()
        .zip(programs)
        .map(|(host, program)| host.start_program(program, &config))
        .collect();
    let [theirs, ours] = hosts.each_ref().map(|host| settled(host, 66));
    assert_eq!(ours, theirs);
    assert!(daemons.iter_mut().all(|daemon| daemon.stop().success()));
    for host in &hosts {
        assert_eq!(table(host), [""; 0], "{} leaves something behind", host.name);
    }
    Ok(())
}

fn plain(scheduler: &str, servers: &[(&str, &str)]) -> String {
    let inner = format!("lvs_sched {scheduler}; lvs_method DR; protocol TCP");
    service("10.0.0.1 80", &inner, servers)
}

fn row(server: u8, weight: u8) -> String {
    format!("-a -t {SERVICE} -r 10.9.0.{server}:80 -g -w {weight}")
}

const FOREIGN: [&str; 2] =
    ["-A -t 10.0.0.99:99 -s rr", "-a -t 10.0.0.99:99 -r 10.9.0.99:99 -g -w 5"];

fn add_foreign(host: &Host) {
    for line in FOREIGN {
        host.output("ipvsadm", &line.split(' ').collect::<Vec<_>>());
    }
    assert_eq!(table(host), FOREIGN);
}

fn reload(daemon: &Daemon, config: &str) {
    daemon.rewrite(config);
    daemon.reload();
}

pub(crate) fn a_reload_applies_changes() -> Outcome {
    let host = Host::new("a");
    add_foreign(&host);
    let two = [("10.9.0.1 80", "weight 1"), ("10.9.0.2 80", "weight 2")];
    let mut daemon = host.start(&plain("rr", &two));
    let wait_rows = |scheduler: &str, rows: &[String]| {
        let service = format!("-A -t {SERVICE} -s {scheduler}");
        let own = [service.as_str()].into_iter().chain(rows.iter().map(String::as_str));
        let mut all: Vec<_> = own.chain(FOREIGN).collect();
        all.sort_unstable();
        wait_table(&host, &all);
    };
    wait_rows("rr", &[row(1, 1), row(2, 2)]);
    reload(&daemon, &plain("rr", &[two[0], ("10.9.0.2 80", "weight 7")]));
    wait_rows("rr", &[row(1, 1), row(2, 7)]);
    reload(&daemon, &plain("wlc", &two));
    wait_rows("wlc", &[row(1, 1), row(2, 2)]);
    reload(&daemon, &plain("wlc", &[two[1], ("10.9.0.3 80", "weight 3")]));
    wait_rows("wlc", &[row(2, 2), row(3, 3)]);
    reload(
        &daemon,
        &service("10.0.0.2 80", "lvs_sched rr; lvs_method DR; protocol TCP", &two[..1]),
    );
    let other = "-A -t 10.0.0.2:80 -s rr";
    let server = "-a -t 10.0.0.2:80 -r 10.9.0.1:80 -g -w 1";
    wait_table(&host, &[other, FOREIGN[0], server, FOREIGN[1]]);
    reload(&daemon, &plain("wlc", &two));
    wait_rows("wlc", &[row(1, 1), row(2, 2)]);
    assert!(daemon.stop().success());
    assert_eq!(table(&host), FOREIGN, "what others made stays");
    Ok(())
}

pub(crate) fn a_reload_keeps_unchanged_entries() -> Outcome {
    ours_only()?;
    let host = Host::new("a");
    let config = plain("rr", &[("10.9.0.1 80", "weight 1"), ("10.9.0.2 80", "weight 2")]);
    let mut daemon = host.start(&config);
    let before = settled(&host, 3);
    daemon.wait_log("Startup complete");
    let mark = daemon.mark();
    daemon.reload();
    daemon.wait_log_since(mark, "Reload complete");
    stays("the table", millis(500), || table(&host) == before);
    let said: Vec<_> = daemon.log().into_iter().skip(mark).collect();
    assert!(!said.iter().any(|line| line.contains(" VS ")), "{said:#?}");
    assert!(daemon.stop().success());
    Ok(())
}

pub(crate) fn services_can_be_kept_at_a_stop() -> Outcome {
    let host = Host::new("a");
    let config = plain("rr", &[("10.9.0.1 80", "weight 1")]);
    let mut daemon = host.start_with(&config, &["-I"]);
    let before = settled(&host, 2);
    assert!(daemon.stop().success());
    assert_eq!(table(&host), before);
    // The next daemon takes it over, and releases it.
    let mut next = host.start(&config);
    next.wait_log_part(0, "Gained quorum");
    assert_eq!(settled(&host, 2), before);
    assert!(next.stop().success());
    assert_eq!(table(&host), [""; 0]);
    Ok(())
}

pub(crate) fn a_reload_adds_and_removes_group_entries() -> Outcome {
    let host = Host::new("a");
    let config = |entries: &str| {
        lines(&format!("virtual_server_group G {{ {entries} }} "))
            + &service(
                "group G",
                "lvs_sched rr; lvs_method DR; protocol TCP",
                &[("10.9.0.1 80", "weight 1")],
            )
    };
    let rows = |keys: &[&str]| {
        let two = |key: &&str| {
            let server = if key.starts_with("-f") { "10.9.0.1:0" } else { "10.9.0.1:80" };
            [format!("-A {key} -s rr"), format!("-a {key} -r {server} -g -w 1")]
        };
        let mut rows: Vec<_> = keys.iter().flat_map(two).collect();
        rows.sort();
        rows
    };
    let before = rows(&["-t 10.0.0.1:80", "-t 10.0.0.2:80", "-t 10.0.0.3:80", "-f 5", "-f 6"]);
    let after = rows(&["-t 10.0.0.1:80", "-t 10.0.0.4:80", "-f 6"]);
    let wait_rows = |rows: &[String]| {
        wait_table(&host, &rows.iter().map(String::as_str).collect::<Vec<_>>());
    };
    let mut daemon = host.start(&config("10.0.0.1 80; 10.0.0.2-3 80; fwmark 5; fwmark 6"));
    wait_rows(&before);
    daemon.wait_log("Startup complete");
    reload(&daemon, &config("10.0.0.1 80; 10.0.0.4 80; fwmark 6"));
    daemon.wait_log("VS [[10.0.0.2]:tcp:80-10.0.0.3] in group G no longer exists");
    daemon.wait_log("VS [5] in group G no longer exists");
    daemon.wait_log("VS [[10.0.0.4]:tcp:80] added into group G");
    // Debian's keepalived leaves all addresses of the range but the first behind.
    if Program::under_test().ours {
        wait_rows(&after);
        assert!(daemon.stop().success());
        assert_eq!(table(&host), [""; 0]);
    }
    Ok(())
}
