//! Virtual and static routes and rules in the kernel.

use crate::lab::{
    config, config_with, instance, millis, ours_only, secs, stays, wait, Daemon, FibMonitor, Host,
    Instance, Outcome, Program, Segment, Skip, SOON,
};

const ROUTES: &str = "virtual_routes {
 10.50.1.0/24 via 10.7.0.99
 default via 10.7.0.98 dev eth0 table 100 metric 7
 fd50:1::/64 via fd07::99
 blackhole 10.50.3.0/24
 10.50.4.0/24 nexthop via 10.7.0.97 weight 2 nexthop via 10.7.0.96 weight 1
}
virtual_rules {
 from 10.50.9.0/24 table 100 priority 500
 iif eth0 to fd50:9::/64 table 100 priority 501
}";

fn router() -> Instance {
    instance("VI_1").vip("10.7.1.1/16").line(ROUTES)
}

/// Routes of all tables that a line of which has all parts.
fn has_route(host: &Host, parts: &[&str]) -> bool {
    let of = |family| host.output("ip", &["-N", family, "route", "show", "table", "all"]);
    let list = [of("-4"), of("-6")].concat();
    list.lines().any(|line| parts.iter().all(|part| line.contains(part)))
}

fn has_rule(host: &Host, parts: &[&str]) -> bool {
    let of = |family| host.output("ip", &["-N", family, "rule", "show"]);
    let list = [of("-4"), of("-6")].concat();
    list.lines().any(|line| parts.iter().all(|part| line.contains(part)))
}

fn has_all(host: &Host) -> bool {
    has_route(host, &["10.50.1.0/24 via 10.7.0.99 dev eth0", "proto 18"])
        && has_route(host, &["default via 10.7.0.98 dev eth0 table 100", "metric 7"])
        && has_route(host, &["fd50:1::/64 via fd07::99 dev eth0"])
        && has_route(host, &["6 10.50.3.0/24", "proto 18"])
        && host
            .output("ip", &["route", "show", "10.50.4.0/24"])
            .lines()
            .filter(|line| line.contains("weight"))
            .count()
            == 2
        && has_rule(host, &["500:", "from 10.50.9.0/24 lookup 100"])
        && has_rule(host, &["501:", "to fd50:9::/64 iif eth0 lookup 100"])
}

fn has_none(host: &Host) -> bool {
    !has_route(host, &["proto 18"])
        && !has_rule(host, &["500:"])
        && !has_rule(host, &["501:"])
        && !has_route(host, &["table 100"])
}

fn master(host: &Host) -> Daemon {
    let daemon = host.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    wait("it has everything", SOON, || has_all(host));
    daemon
}

pub(crate) fn they_follow_the_master() -> Outcome {
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    b.ip("route add 10.60.0.0/16 via 10.7.0.90");
    let mut first = master(&a);
    let mut second = b.start(&config(&[router().priority(200)]));
    second.wait_master("VI_1");
    wait("the new master has everything", SOON, || has_all(&b));
    wait("the old one has nothing", SOON, || has_none(&a));
    assert_eq!(second.stop().code(), Some(0));
    assert!(has_none(&b));
    assert!(has_route(&b, &["10.60.0.0/16"]), "routes of others are left alone");
    first.wait_master("VI_1");
    wait("the first one has everything again", SOON, || has_all(&a));
    assert_eq!(first.stop().code(), Some(0));
    assert!(has_none(&a));
    Ok(())
}

pub(crate) fn what_is_removed_externally_is_restored() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = master(&a);
    let mark = daemon.mark();
    for line in [
        "route del 10.50.1.0/24",
        "route del default table 100",
        "-6 route del fd50:1::/64",
        "route del blackhole 10.50.3.0/24",
        "route del 10.50.4.0/24",
        "rule del priority 500",
        "-6 rule del priority 501",
    ] {
        let mut args: Vec<_> = line.split(' ').collect();
        a.output("ip", &std::mem::take(&mut args));
        wait(line, SOON, || has_all(&a));
    }
    assert_eq!(daemon.state_changes(mark), Vec::<String>::new(), "it stays master");
    daemon.wait_log_part(mark, "route 10.50.1.0/24 via 10.7.0.99");
    assert!(daemon.is_running());
    Ok(())
}

pub(crate) fn a_short_flap_loses_no_route() -> Outcome {
    ours_only()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    segment.attach(&a, "eth1", 101);
    a.ip("addr flush dev eth1\naddr add 10.8.0.1/16 dev eth1\naddr add fd08::1/64 dev eth1 nodad");
    let routes = "virtual_routes {
 10.51.1.0/24 dev eth1 no_track
 10.51.2.0/24 via 10.8.0.9 no_track
 fd51:1::/64 dev eth1 no_track
}";
    let daemon = a.start(&config(&[instance("VI_1").vip("10.7.1.1/16").line(routes)]));
    daemon.wait_master("VI_1");
    let all = || {
        has_route(&a, &["10.51.1.0/24 dev eth1"])
            && has_route(&a, &["10.51.2.0/24 via 10.8.0.9 dev eth1"])
            && has_route(&a, &["fd51:1::/64 dev eth1"])
    };
    wait("the routes", SOON, all);
    let mark = daemon.mark();
    for _ in 0..3 {
        // The kernel drops them without notice.
        a.ip("link set eth1 down\nlink set eth1 up");
        wait("they are back", secs(5), all);
    }
    assert_eq!(daemon.state_changes(mark), Vec::<String>::new(), "it stays master");
    Ok(())
}

pub(crate) fn a_reload_writes_only_differences() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = master(&a);
    let mut monitor = FibMonitor::new(&a);
    // A comment moves every line.
    let text = config(&[router()]);
    daemon.rewrite(&format!("# one\n# two\n{text}"));
    assert_eq!(daemon.reload_and_wait().0, Some(0));
    stays("nothing is written", millis(300), || monitor.changes() == (0, 0));
    let changed = text
        .replace(" 10.50.1.0/24 via 10.7.0.99\n", " 10.50.1.0/24 via 10.7.0.95\n")
        .replace(" blackhole 10.50.3.0/24\n", "")
        .replace("10.50.9.0/24 table 100", "10.50.8.0/24 table 100");
    daemon.rewrite(&changed);
    assert_eq!(daemon.reload_and_wait().0, Some(0));
    wait("the changed route", SOON, || has_route(&a, &["10.50.1.0/24 via 10.7.0.95"]));
    wait("the changed rule", SOON, || has_rule(&a, &["500:", "10.50.8.0/24"]));
    wait("the old ones are gone", SOON, || {
        !has_route(&a, &["10.50.1.0/24 via 10.7.0.99"])
            && !has_route(&a, &["10.50.3.0/24"])
            && !has_rule(&a, &["10.50.9.0/24"])
    });
    assert_eq!(monitor.changes(), (2, 3));
    Ok(())
}

pub(crate) fn an_earlier_run_leaves_nothing_behind() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    master(&a).crash();
    assert!(has_all(&a), "a crash leaves them");
    let mut monitor = FibMonitor::new(&a);
    let mut daemon = master(&a);
    assert_eq!(monitor.changes(), (0, 0), "they are adopted");
    daemon.crash();
    // The next run has other routes with the same destinations, and becomes master.
    let routes = "virtual_routes {
 10.50.1.0/24 via 10.7.0.95
 default via 10.7.0.98 dev eth0 table 100 metric 7
}";
    let other = instance("VI_1").vip("10.7.1.1/16").line(routes);
    let mut daemon = a.start(&config(&[other]));
    daemon.wait_master("VI_1");
    wait("the new gateway alone", SOON, || {
        has_route(&a, &["10.50.1.0/24 via 10.7.0.95"])
            && !has_route(&a, &["10.50.1.0/24 via 10.7.0.99"])
    });
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!has_route(&a, &["10.50.1.0/24"]) && !has_route(&a, &["table 100"]));
    Ok(())
}

pub(crate) fn a_backup_removes_what_an_earlier_run_left() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    master(&a).crash();
    let other = b.start(&config(&[router().priority(200)]));
    other.wait_master("VI_1");
    let daemon = a.start(&config(&[router()]));
    daemon.wait_backup("VI_1");
    wait("nothing is left", SOON, || has_none(&a));
    Ok(())
}

pub(crate) fn static_ones_stay_while_the_daemon_runs() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let text = "static_routes {
 10.52.1.0/24 via 10.7.0.99
 fd52:1::/64 dev eth0
 10.52.2.0/24 dev eth9
}
static_rules {
 from 10.52.9.0/24 table 100
}
";
    let global = "dynamic_interfaces";
    let with = |text: &str| format!("{}{text}", config_with(global, &[]));
    let mut daemon = a.start(&with(text));
    wait("the routes", SOON, || {
        has_route(&a, &["10.52.1.0/24 via 10.7.0.99"]) && has_route(&a, &["fd52:1::/64 dev eth0"])
    });
    wait("the rule", SOON, || has_rule(&a, &["16384:", "from 10.52.9.0/24 lookup 100"]));
    // An interface that comes later.
    a.ip("link add eth9 type veth peer name eth9p\nlink set eth9p up\nlink set eth9 up");
    wait("its route", SOON, || has_route(&a, &["10.52.2.0/24 dev eth9"]));
    a.ip("link del eth9");
    a.ip("link add eth9 type veth peer name eth9p\nlink set eth9p up\nlink set eth9 up");
    wait("its route again", SOON, || has_route(&a, &["10.52.2.0/24 dev eth9"]));
    a.output("ip", &["route", "del", "10.52.1.0/24"]);
    wait("it is restored", SOON, || has_route(&a, &["10.52.1.0/24 via 10.7.0.99"]));
    daemon.rewrite(&with("static_routes {\n 10.52.1.0/24 via 10.7.0.99\n}\n"));
    assert_eq!(daemon.reload_and_wait().0, Some(0));
    wait("the others are gone", SOON, || {
        !has_route(&a, &["fd52:1::/64"]) && !has_rule(&a, &["10.52.9.0/24"])
    });
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!has_route(&a, &["10.52."]), "nothing is left");
    Ok(())
}

pub(crate) fn a_refused_route_names_itself_its_line_and_the_reason() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let routes = "virtual_routes {\n 10.50.1.0/24 via 10.99.0.1\n}";
    let daemon = a.start(&config(&[instance("VI_1").vip("10.7.1.1/16").line(routes)]));
    daemon.wait_master("VI_1");
    wait("the line", SOON, || {
        daemon.log().iter().any(|line| {
            line.contains("(VI_1) cannot add route 10.50.1.0/24 via 10.99.0.1 (")
                && line.contains(".conf")
                && line.contains("Nexthop has invalid gateway")
        })
    });
    // The gateway becomes reachable.
    a.ip("addr add 10.99.0.2/16 dev eth0");
    wait("the route", SOON, || has_route(&a, &["10.50.1.0/24 via 10.99.0.1"]));
    Ok(())
}

pub(crate) fn a_panic_removes_them() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    if !cfg!(debug_assertions) {
        return Err(Skip::new("defects on request are in builds with debug assertions only"));
    }
    let mut daemon = a.start_faulty(&config(&[router()]), "panic@stats", &["-n", "-l", "-D"]);
    daemon.wait_master("VI_1");
    wait("it has everything", SOON, || has_all(&a));
    daemon.signal(nix::sys::signal::Signal::SIGUSR2);
    assert_eq!(daemon.wait_end().code(), Some(70));
    assert!(has_none(&a), "nothing is left");
    Ok(())
}

/// A router with a full table must not cost anything.
pub(crate) fn foreign_routes_that_churn_cost_nothing() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = master(&a);
    let lines = |verb: &str| -> String {
        let line = |n: u32| {
            let [_, x, y, z] = n.to_be_bytes();
            format!("route {verb} 11.{x}.{y}.{z}/32 dev eth0 proto bird\n")
        };
        (0..20_000).map(line).collect()
    };
    let before = daemon.cpu();
    for _ in 0..2 {
        a.ip(&lines("add"));
        a.ip(&lines("del"));
    }
    let used = daemon.cpu() - before;
    // 80,000 changes; its advertisements alone take some of it.
    assert!(used < millis(200), "{used:?}");
    assert!(has_all(&a));
    Ok(())
}

/// The same configuration yields the same routes and rules as with the reference.
pub(crate) fn they_are_as_with_the_reference() -> Outcome {
    ours_only()?;
    let reference = Program::reference()?;
    let routes = "virtual_routes {
 10.50.1.0/24 via 10.7.0.99
 10.50.2.0/24 dev eth0 scope link metric 5 mtu 1400 advmss 1200
 10.50.3.0/24 via 10.7.0.99 src 10.7.0.1 table 100
 unreachable 10.50.4.0/24
 prohibit 10.50.5.0/24 metric 9
 throw 10.50.6.0/24 table 100
 10.50.7.0/24 nexthop via 10.7.0.97 weight 2 nexthop via 10.7.0.96 weight 1
 10.50.8.0/24 via 10.7.0.99 dev eth0 onlink rtt 20ms rto_min 300ms initcwnd 10
 10.50.9.0/24 via 10.7.0.99 tos 0x10
 fd50:1::/64 via fd07::99 metric 5
 fd50:2::/64 dev eth0 mtu lock 1300 hoplimit 7
 fd50:3::/64 via fd07::99 pref high
 default via fd07::98 table 100
}
virtual_rules {
 from 10.50.9.0/24 table 100 priority 500
 to 10.50.8.0/24 fwmark 5/0xff table 100 priority 501
 iif eth0 tos 0x10 blackhole priority 502
 from fd50::/64 oif eth0 table 100 priority 503
 from 10.1.0.0/16 uidrange 5-10 goto 600 priority 504
 not from 10.2.0.0/16 suppress_prefixlength 8 table main priority 505
 from 10.3.0.0/16 ipproto tcp dport 80-90 prohibit priority 506
}";
    let text = config(&[instance("VI_1").vip("10.7.1.1/16").line(routes)]);
    let mut seen = Vec::new();
    for program in [Program::under_test(), &reference] {
        let (_segment, [a]) = Segment::with_hosts(["a"]);
        let daemon = a.start_program(program, &text);
        daemon.wait_master("VI_1");
        wait("the last rule", SOON, || has_rule(&a, &["506:"]));
        let of = |args: &[&str]| {
            let list = a.output("ip", args);
            let mut lines: Vec<_> = list.lines().map(|l| l.trim().to_owned()).collect();
            lines.sort();
            lines
        };
        seen.push([
            of(&["-4", "-d", "route", "show", "table", "all", "proto", "18"]),
            of(&["-6", "-d", "route", "show", "table", "all", "proto", "18"]),
            of(&["-4", "rule"]),
            of(&["-6", "rule"]),
        ]);
    }
    assert_eq!(seen[0], seen[1]);
    Ok(())
}
