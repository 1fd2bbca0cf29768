//! BFD sessions between whole daemons, and virtual routers that follow them.

use nix::sys::signal::Signal;

use crate::lab::{
    config, eventually, instance, kactl_says, millis, now, ours_only, stays, wait, Daemon, Host,
    Outcome, Segment, SOON,
};

const VIP: &str = "10.7.1.1";
pub(crate) const FAST: &str = "min_rx 50\nmin_tx 50\nmultiplier 3";

pub(crate) fn session(name: &str, neighbor: &str, lines: &str) -> String {
    format!("bfd_instance {name} {{\nneighbor_ip {neighbor}\n{lines}\n}}\n")
}

/// Routers that track a gateway on another segment, and the gateway with a session to each.
struct Scene {
    _segments: [Segment; 2],
    hosts: [Host; 3],
    high: Daemon,
    low: Daemon,
    gateway: Daemon,
}

fn scene(weight: &str) -> Scene {
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let (uplink, g) = (Segment::new(8), Host::new("g"));
    for (host, id) in [(&a, 1), (&b, 2), (&g, 9)] {
        uplink.attach(host, "eth1", id);
    }
    let gateway =
        g.start(&(session("to_a", "10.8.0.1", FAST) + &session("to_b", "10.8.0.2", FAST)));
    let router = |priority| {
        let tracks = format!("track_bfd {{\ngw {weight}\n}}");
        let block = instance("VI_1").priority(priority).line(&tracks).vip("10.7.1.1/16");
        session("gw", "10.8.0.9", FAST) + &config(&[block])
    };
    let high = a.start(&router(150));
    high.wait_master("VI_1");
    let low = b.start(&router(120));
    low.wait_log_part(0, "(VI_1) Entering BACKUP STATE");
    // From then on, the configured intervals count.
    low.wait_log("(gw) Poll sequence ended");
    wait("the master has the address", SOON, || a.holds("eth0", VIP));
    Scene { _segments: [segment, uplink], hosts: [a, b, g], high, low, gateway }
}

pub(crate) fn an_address_follows_a_session() -> Outcome {
    ours_only()?;
    let Scene { _segments, hosts: [a, b, _g], high, mut gateway, low } = scene("");
    let log = high.log();
    let position = |line: &str| log.iter().position(|l| l.contains(line)).expect(line);
    assert!(position("(VI_1) Entering FAULT STATE") < position("(gw) Entering Up state"));
    assert!(position("(gw) Entering Up state") < position("(VI_1) Entering MASTER STATE"));
    high.wait_log("VRRP_Instance(VI_1) Tracked BFD instance gw is UP");
    let (high_mark, low_mark) = (high.mark(), low.mark());
    // Both lose the gateway.
    gateway.crash();
    wait("the address is gone", SOON, || !a.holds("eth0", VIP) && !b.holds("eth0", VIP));
    for (daemon, mark) in [(&high, high_mark), (&low, low_mark)] {
        daemon
            .wait_log_part(mark, "(gw) Entering Down state (Local diagnostic - Control Detection");
        daemon.wait_log_part(mark, "(gw) because: no packet for 1");
        daemon.wait_log_since(mark, "VRRP_Instance(VI_1) Tracked BFD instance gw is DOWN");
        daemon.wait_log_part(mark, "(VI_1) because: BFD instance gw down (no packet for 1");
    }
    Ok(())
}

/// RFC 5880 section 6.8.16: what stops on purpose says so, and is not waited for.
pub(crate) fn a_stop_is_heard_at_once() -> Outcome {
    ours_only()?;
    let Scene { _segments, hosts: [a, ..], high, mut gateway, .. } = scene("");
    let mark = high.mark();
    let stopped = now();
    assert!(gateway.stop().success());
    high.wait_log_since(mark, "(gw) because: the neighbour is administratively down");
    wait("the address is gone", SOON, || !a.holds("eth0", VIP));
    assert!(now() - stopped < millis(2_000));
    Ok(())
}

/// 50 ms x 3, and advertisements each 100 ms: the address has moved within 250 ms.
pub(crate) fn an_address_moves_within_the_detection_time() -> Outcome {
    ours_only()?;
    let Scene { _segments: [_segment, uplink], hosts: [a, b, _g], high, low, gateway: _gateway } =
        scene("");
    for _ in 0..3 {
        let begin = now();
        uplink.isolate(&a, "eth1");
        let moved = eventually(SOON, || b.holds("eth0", VIP));
        let took = now() - begin;
        assert!(moved, "{:?}{:?}", high.log(), low.log());
        assert!(took < millis(if cfg!(debug_assertions) { 350 } else { 250 }), "{took:?}");
        uplink.join(&a, "eth1");
        wait("the address is back", SOON, || a.holds("eth0", VIP) && !b.holds("eth0", VIP));
    }
    Ok(())
}

pub(crate) fn a_reload_keeps_sessions() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let text =
        |lines: &str, more: &str| session("b", "10.7.0.2", &format!("{FAST}\n{lines}")) + more;
    let first = a.start(&text("", ""));
    let second = b.start(&session("a", "10.7.0.1", FAST));
    first.wait_log("(b) Entering Up state");
    second.wait_log("(a) Entering Up state");
    let (mark, far) = (first.mark(), second.mark());
    let six = session("six", "fd07::2", FAST);
    for (lines, more) in [("min_rx 30\nmin_tx 100", ""), ("multiplier 5", six.as_str()), ("", "")] {
        first.rewrite(&text(lines, more));
        assert_eq!(first.reload_and_wait().0, Some(0));
        first.wait_log_since(mark, "Reload complete");
    }
    let mut detection = second.log().into_iter().skip(far);
    assert!(
        detection.any(|l| l.starts_with("(a) Detection time is 300000 us")),
        "{:?}",
        second.log()
    );
    let states = |daemon: &Daemon, mark: usize| {
        let log = daemon.log().into_iter().skip(mark);
        log.filter(|l| l.contains(") Entering ") && !l.contains("(six)")).collect::<Vec<_>>()
    };
    assert_eq!(states(&first, mark), [""; 0]);
    assert_eq!(states(&second, far), [""; 0]);
    // A session that is no longer configured says goodbye.
    first.rewrite("global_defs {\n}\n");
    assert_eq!(first.reload_and_wait().0, Some(0));
    second.wait_log_since(far, "(a) because: the neighbour is administratively down");
    Ok(())
}

/// A daemon that stood still does not blame its neighbour.
pub(crate) fn a_stall_is_no_failure_of_the_neighbour() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let slow = "min_rx 50\nmin_tx 50\nmultiplier 20";
    let first = a.start(&session("b", "10.7.0.2", slow));
    let second = b.start(&session("a", "10.7.0.1", FAST));
    for (daemon, name) in [(&first, "b"), (&second, "a")] {
        daemon.wait_log(&format!("({name}) Entering Up state"));
        daemon.wait_log(&format!("({name}) Poll sequence ended"));
    }
    let mark = first.mark();
    first.freeze();
    crate::lab::pass(millis(600));
    first.thaw();
    stays("the session is up", millis(500), || {
        !first.log().into_iter().skip(mark).any(|line| line.contains("Entering Down"))
    });
    Ok(())
}

pub(crate) fn authentication_keeps_strangers_out() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let auth = |kind: &str, key: &str| format!("{FAST}\nauth {{\ntype {kind}\nkey 3 {key}\n}}");
    for kind in ["sha1", "meticulous_sha1"] {
        let mut first = a.start(&session("b", "fd07::2", &auth(kind, "topsecret")));
        let second = b.start(&session("a", "fd07::1", &auth(kind, "othersecret")));
        first.wait_log_part(0, "(b) Discarding packet from fd07::2: wrong digest: the keys differ");
        second.rewrite(&session("a", "fd07::1", &auth(kind, "topsecret")));
        assert_eq!(second.reload_and_wait().0, Some(0));
        first.wait_log("(b) Entering Up state");
        second.wait_log("(a) Entering Up state");
        assert!(!first.log().iter().any(|line| line.contains("topsecret")));
        first.signal(Signal::SIGUSR1);
        assert!(first.stop().success());
    }
    Ok(())
}

pub(crate) fn one_link_local_neighbour_on_two_links() -> Outcome {
    ours_only()?;
    let (_segment, hosts) = Segment::with_hosts(["a", "b"]);
    let uplink = Segment::new(8);
    let attach = |n: usize| uplink.attach(&hosts[n], "eth1", u8::try_from(n).expect("small") + 1);
    let add = |n: usize, link: &str| {
        hosts[n].ip(&format!("addr add fe80::{}/64 dev {link} nodad", n + 1));
    };
    for n in [0, 1] {
        attach(n);
        ["eth0", "eth1"].into_iter().for_each(|link| add(n, link));
    }
    let sessions = |own: usize, neighbor: usize| {
        let near = format!("fe80::{}", neighbor + 1);
        session("zero", &near, &format!("{FAST}\ninterface eth0"))
            + &session(
                "one",
                &near,
                &format!("{FAST}\ninterface eth1\nsource_ip fe80::{}", own + 1),
            )
    };
    let daemons = [hosts[0].start(&sessions(0, 1)), hosts[1].start(&sessions(1, 0))];
    for daemon in &daemons {
        for name in ["zero", "one"] {
            daemon.wait_log(&format!("({name}) Entering Up state"));
            daemon.wait_log(&format!("({name}) Poll sequence ended"));
        }
    }
    let marks = daemons.each_ref().map(Daemon::mark);
    // Each belongs to its link, and what happens to the other one is of no interest to it.
    uplink.isolate(&hosts[1], "eth1");
    for (daemon, mark) in daemons.iter().zip(marks) {
        daemon.wait_log_part(mark, "(one) because: no packet for 1");
    }
    uplink.join(&hosts[1], "eth1");
    for (daemon, mark) in daemons.iter().zip(marks) {
        daemon.wait_log_since(mark, "(one) Entering Up state");
    }
    // Another interface of the same name.
    let mark = daemons[0].mark();
    hosts[0].ip("link del eth1");
    daemons[0].wait_log_part(mark, "(one) because: no packet for 1");
    attach(0);
    add(0, "eth1");
    daemons[0].wait_log_since(mark, "(one) Entering Up state");
    // And another program.
    let mark = daemons[0].mark();
    let said = kactl_says(&daemons[0], &["restart"]);
    assert!(said.contains("has taken over"), "{said}");
    daemons[0].wait_log_since(mark, "BFD sessions that go on: 2");
    stays("the sessions are up", millis(300), || {
        let log = daemons[0].log();
        !log.iter().skip(mark).any(|line| line.contains(") Entering "))
    });
    for (daemon, mark) in daemons.iter().zip(marks) {
        let log = daemon.log();
        let zero = log.iter().skip(mark).find(|line| line.contains("(zero) Entering"));
        assert_eq!(zero, None);
    }
    Ok(())
}
