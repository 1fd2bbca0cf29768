//! BFD sessions with the reference keepalived, FRR's bfdd and BIRD.

use crate::lab::{
    eventually, kactl_says, millis, now, stays, wait, Daemon, Host, Outcome, Segment, Skip, SOON,
};
use crate::neighbor::{Kind, Neighbor, Wanted};

const KINDS: [Kind; 3] = [Kind::Reference, Kind::Frr, Kind::Bird];

struct Scene {
    segment: Segment,
    /// Ours, and the neighbour's.
    hosts: [Host; 2],
    kind: Kind,
    addresses: [String; 2],
    interval: u32,
    multihop: bool,
    key: Option<&'static str>,
}

impl Scene {
    fn new(kind: Kind, is_v6: bool, multihop: bool) -> Self {
        let (segment, hosts) = Segment::with_hosts(["a", "b"]);
        let net = if is_v6 { "fd07::" } else { "10.7.0." };
        let addresses = [1, 2].map(|n| format!("{net}{n}"));
        for host in &hosts {
            // BIRD and FRR bind to it, which a tentative address forbids.
            wait("addresses are usable", SOON, || {
                !host.output("ip", &["addr", "show", "tentative"]).contains("inet6")
            });
        }
        Self { segment, hosts, kind, addresses, interval: 100, multihop, key: None }
    }

    fn ours(&self, lines: &str) -> String {
        let multihop = if self.multihop { "multihop" } else { "" };
        format!(
            "bfd_instance b {{\nneighbor_ip {}\nsource_ip {}\nmultiplier 3\nmin_rx 100\nmin_tx 100\n\
             {multihop}\n{lines}\n}}\n",
            self.addresses[1], self.addresses[0]
        )
    }

    fn neighbor(&self) -> Result<Neighbor, Skip> {
        let [ours, own] = &self.addresses;
        let (interval, multihop, key) = (self.interval, self.multihop, self.key);
        let wanted = Wanted { own, ours, interval, multihop, key };
        Neighbor::start(self.kind, &self.hosts[1], &wanted)
    }
}

/// Up, with the configured intervals in force. FRR restarts a session while it learns of its
/// interfaces.
fn wait_up(daemon: &Daemon, mark: usize) {
    daemon.wait_log_since(mark, "(b) Entering Up state");
    daemon.wait_log_part(mark, "(b) Detection time is 300000 us");
    let states = || daemon.log().into_iter().filter(|line| line.contains("(b) Entering "));
    let is_up = || states().next_back().is_some_and(|line| line == "(b) Entering Up state");
    wait("the session stays up", SOON, || {
        let before = states().count();
        is_up() && !eventually(millis(700), || states().count() != before)
    });
}

pub(crate) fn sessions_come_up_and_go_down_with_every_neighbor() -> Outcome {
    for kind in KINDS {
        for is_v6 in [false, true] {
            let scene = Scene::new(kind, is_v6, false);
            let daemon = scene.hosts[0].start(&scene.ours(""));
            let neighbor = scene.neighbor()?;
            wait_up(&daemon, 0);
            // The cable.
            let mark = daemon.mark();
            let begin = now();
            scene.segment.isolate(&scene.hosts[1], "eth0");
            daemon.wait_log_part(mark, "(b) because: no packet for 30");
            let took = now() - begin;
            assert!(took < millis(1_000), "{kind:?}: {took:?}");
            scene.segment.join(&scene.hosts[1], "eth0");
            wait_up(&daemon, mark);
            // SIGKILL.
            let mark = daemon.mark();
            neighbor.kill();
            daemon.wait_log_part(mark, "(b) because: no packet for 30");
            let mark = daemon.mark();
            let mut neighbor = scene.neighbor()?;
            wait_up(&daemon, mark);
            // SIGTERM. None of them says goodbye.
            let mark = daemon.mark();
            neighbor.stop();
            daemon.wait_log_part(mark, "(b) because: no packet for 30");
        }
    }
    Ok(())
}

pub(crate) fn intervals_change_while_a_session_is_up() -> Outcome {
    for kind in KINDS {
        let scene = Scene::new(kind, false, false);
        let daemon = scene.hosts[0].start(&scene.ours(""));
        let _neighbor = scene.neighbor()?;
        wait_up(&daemon, 0);
        let mark = daemon.mark();
        for (lines, detection) in [("min_rx 300\nmin_tx 200", 900_000), ("", 300_000)] {
            let before = daemon.mark();
            daemon.rewrite(&scene.ours(lines));
            assert_eq!(daemon.reload_and_wait().0, Some(0));
            daemon.wait_log_part(before, &format!("(b) Detection time is {detection} us"));
            daemon.wait_log_since(before, "(b) Poll sequence ended");
        }
        let log = daemon.log();
        let states = log.iter().skip(mark).filter(|line| line.contains(") Entering "));
        assert_eq!(states.count(), 0, "{kind:?}: {log:?}");
    }
    Ok(())
}

pub(crate) fn sessions_over_several_hops() -> Outcome {
    // keepalived 2.2.7 does not have them.
    for kind in [Kind::Frr, Kind::Bird] {
        for is_v6 in [false, true] {
            let scene = Scene::new(kind, is_v6, true);
            let daemon = scene.hosts[0].start(&scene.ours("max_hops -1"));
            let _neighbor = scene.neighbor()?;
            wait_up(&daemon, 0);
        }
    }
    Ok(())
}

/// What stops on purpose says so: the session is up again as soon as we are.
pub(crate) fn a_restart_of_ours_is_heard() -> Outcome {
    for kind in KINDS {
        let scene = Scene::new(kind, false, false);
        let _neighbor = scene.neighbor()?;
        for _ in 0..2 {
            let mut daemon = scene.hosts[0].start(&scene.ours(""));
            wait_up(&daemon, 0);
            assert!(daemon.stop().success());
        }
    }
    Ok(())
}

/// Another program takes over, and the neighbour notices nothing.
pub(crate) fn restarts_by_command_are_not_heard() -> Outcome {
    let auth = "auth {\ntype meticulous_sha1\nkey 3 topsecret\n}";
    for (kind, key, lines) in [
        (Kind::Frr, None, ""),
        (Kind::Bird, Some("topsecret"), auth),
        (Kind::Bird, None, ""),
        (Kind::Reference, None, ""),
    ] {
        let mut scene = Scene::new(kind, false, false);
        scene.key = key;
        let neighbor = scene.neighbor()?;
        let daemon = scene.hosts[0].start(&scene.ours(lines));
        wait_up(&daemon, 0);
        let frr = || match kind {
            Kind::Frr => {
                let counters = neighbor.shows(&scene.hosts[1], "show bfd peers counters json");
                let (_, ups) = counters.split_once("\"session-up\":").expect("a counter");
                let (_, downs) = counters.split_once("\"session-down\":").expect("a counter");
                [ups, downs].map(|text| text.split([',', '}']).next().map(str::to_owned))
            }
            Kind::Reference | Kind::Bird => [None, None],
        };
        let (mark, before) = (daemon.mark(), frr());
        for _ in 0..10 {
            assert!(kactl_says(&daemon, &["restart"]).contains("has taken over"));
        }
        stays("the session is up", millis(500), || {
            let log = daemon.log();
            !log.iter().skip(mark).any(|line| line.contains("(b) Entering "))
        });
        assert_eq!(frr(), before, "{kind:?}");
        let log = daemon.log();
        let refused = log.iter().skip(mark).find(|line| line.contains("Discarding"));
        assert_eq!(refused, None, "{kind:?}");
    }
    Ok(())
}

pub(crate) fn a_neighbor_may_be_administratively_down() -> Outcome {
    let scene = Scene::new(Kind::Frr, false, false);
    let daemon = scene.hosts[0].start(&scene.ours(""));
    let neighbor = scene.neighbor()?;
    wait_up(&daemon, 0);
    let mark = daemon.mark();
    neighbor
        .configure(&scene.hosts[1], &["bfd", "peer 10.7.0.1 local-address 10.7.0.2", "shutdown"]);
    daemon.wait_log_since(mark, "(b) because: the neighbour is administratively down");
    Ok(())
}

pub(crate) fn packets_are_authenticated_as_with_bird() -> Outcome {
    let auth = |kind: &str, key: &str| format!("auth {{\ntype {kind}\nkey 3 {key}\n}}");
    let mut scene = Scene::new(Kind::Bird, false, false);
    scene.key = Some("topsecret");
    let neighbor = scene.neighbor()?;
    let daemon = scene.hosts[0].start(&scene.ours(&auth("meticulous_sha1", "topsecret")));
    wait_up(&daemon, 0);
    let mark = daemon.mark();
    daemon.rewrite(&scene.ours(&auth("meticulous_sha1", "another")));
    assert_eq!(daemon.reload_and_wait().0, Some(0));
    daemon.wait_log_part(mark, "Discarding packet from 10.7.0.2: wrong digest: the keys differ");
    daemon.wait_log_part(mark, "(b) Entering Down state");
    drop(neighbor);
    Ok(())
}
