#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::MutexGuard;

use super::*;
use crate::model::script::User;
use crate::sys::sched::Inherited;
use crate::sys::tests::{alone_with_children, wait, TempDir};

/// Runs shell scripts as commands; tests run one at a time.
struct World {
    children: Children<char>,
    events: Vec<ChildEvent<char>>,
    dir: TempDir,
    _alone: MutexGuard<'static, ()>,
}

const SECOND: Duration = Duration::from_secs(1);

const fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

impl World {
    fn new() -> Self {
        let alone = alone_with_children();
        let starter = Starter::new(Inherited::read().expect("reads"));
        Self {
            children: Children::new(starter),
            events: Vec::new(),
            dir: TempDir::new("children"),
            _alone: alone,
        }
    }

    /// Starts a shell script at time zero, and waits for `ready` if the script writes it.
    fn start(&mut self, asker: char, timeout: Option<Duration>, text: &str) -> Pid {
        let path = self.dir.path().join(asker.to_string());
        fs::write(&path, format!("#!/bin/sh\ncd {}\n{text}\n", self.dir.path().display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let path = path.to_str().unwrap().to_owned();
        let script = Script { argv: vec![path.clone()], path, user: own(), by_shell: false };
        let pid = self.children.start(&script, &[], timeout, asker, Instant::ZERO).expect("starts");
        if text.contains("ready") {
            let ready = self.dir.path().join("ready");
            wait(|| fs::read_to_string(&ready).ok().filter(|t| t.ends_with('\n')));
        }
        pid
    }

    /// Process ids that the script wrote to `ready`.
    fn told(&self) -> Vec<String> {
        let text = fs::read_to_string(self.dir.path().join("ready")).unwrap();
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn ended(&mut self) -> ChildEvent<char> {
        let (children, events) = (&mut self.children, &mut self.events);
        wait(|| {
            children.on_sigchld(events);
            events.pop()
        })
    }

    fn due(&mut self, now: Instant) -> Vec<ChildEvent<char>> {
        self.children.on_deadline(now, &mut self.events);
        std::mem::take(&mut self.events)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.children.kill_all(Instant::ZERO);
        while !self.children.is_empty() {
            self.ended();
        }
    }
}

fn own() -> User {
    use nix::unistd::{getegid, geteuid};
    User { uid: geteuid().as_raw(), gid: getegid().as_raw() }
}

fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    // An orphan that has ended waits for init, not for this process.
    !stat.is_empty() && !stat.contains(") Z ")
}

/// Kills a process that is not a child of this one.
fn end(pid: &str) {
    let pid = nix::unistd::Pid::from_raw(pid.parse().expect("a number"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("is ours");
}

#[test]
fn the_owner_receives_the_outcome() {
    let mut w = World::new();
    for (text, wanted) in [
        ("exit 0", Outcome::Exited(0)),
        ("exit 3", Outcome::Exited(3)),
        ("exit 127", Outcome::Exited(127)),
        ("kill -9 $$", Outcome::Killed(9)),
    ] {
        let pid = w.start('a', Some(SECOND), text);
        let ended = w.ended();
        assert_eq!(ended, ChildEvent::Ended { asker: 'a', pid, outcome: wanted, timed_out: false });
        assert_eq!(w.children.next_deadline(), None);
        assert!(w.children.is_empty());
    }
}

#[test]
fn a_process_tree_that_ignores_sigterm_is_killed_after_its_timeout() {
    let mut w = World::new();
    let text = "trap '' TERM; sleep 1000 & (sleep 1000 & echo $! >inner; wait) &\n\
                until [ -s inner ]; do :; done; echo $! $(cat inner) >ready\nwhile :; do wait; done";
    let pid = w.start('a', Some(SECOND), text);
    assert!(w.due(at(999)).is_empty());
    assert_eq!(w.due(at(1_000)), [ChildEvent::TimedOut('a')]);
    assert_eq!(w.children.next_deadline(), Some(at(3_000)));
    assert!(lives(&pid.number().to_string()));
    assert_eq!(w.due(at(3_000)), []);
    let ended = ChildEvent::Ended { asker: 'a', pid, outcome: Outcome::Killed(9), timed_out: true };
    assert_eq!(w.ended(), ended);
    for pid in w.told() {
        wait(|| (!lives(&pid)).then_some(()));
    }
}

#[test]
fn descendants_that_ignore_sigterm_are_killed_after_the_leader_ended() {
    let mut w = World::new();
    w.start(
        'a',
        Some(SECOND),
        "(trap '' TERM; echo >here; sleep 1000) &\n\
             until [ -e here ]; do :; done; echo $! >ready; wait",
    );
    assert_eq!(w.due(at(1_000)), [ChildEvent::TimedOut('a')]);
    assert!(matches!(
        w.ended(),
        ChildEvent::Ended { outcome: Outcome::Killed(15), timed_out: true, .. }
    ));
    for pid in w.told() {
        wait(|| (!lives(&pid)).then_some(()));
    }
}

#[test]
fn background_processes_of_a_successful_command_keep_running() {
    let mut w = World::new();
    w.start('a', Some(SECOND), "sleep 1000 & echo $! >ready");
    assert!(matches!(w.ended(), ChildEvent::Ended { outcome: Outcome::Exited(0), .. }));
    assert!(w.due(at(60_000)).is_empty());
    let pid = w.told().remove(0);
    assert!(lives(&pid));
    end(&pid);
}

#[test]
fn a_survivor_is_killed_repeatedly() {
    let mut w = World::new();
    w.start('a', Some(SECOND), "trap '' TERM; echo x >ready; while :; do sleep 1; done");
    let mut deadlines = Vec::new();
    // Not reaped meanwhile, like a process that hangs in the kernel.
    for _ in 0..4 {
        let now = w.children.next_deadline().unwrap();
        deadlines.push(now);
        let (_, pid) = w.children.deadlines.pop_due(now).unwrap();
        w.children.press(pid, now);
    }
    assert_eq!(deadlines, [at(1_000), at(3_000), at(5_000), at(15_000)]);
}

#[test]
fn a_command_that_ended_unnoticed_was_in_time() {
    let mut w = World::new();
    let pid = w.start('a', Some(SECOND), "exit 0");
    wait(|| {
        fs::read_to_string(format!("/proc/{}/stat", pid.number()))
            .ok()?
            .contains(") Z ")
            .then_some(())
    });
    let ended =
        ChildEvent::Ended { asker: 'a', pid, outcome: Outcome::Exited(0), timed_out: false };
    assert_eq!(w.due(at(5_000)), [ended]);
}

#[test]
fn the_lateness_of_the_daemon_is_not_charged() {
    let mut w = World::new();
    w.start('a', Some(SECOND * 3), "sleep 1000");
    // Overdue only because of the lateness.
    w.children.on_late(SECOND * 2, at(4_000));
    assert_eq!(w.children.next_deadline(), Some(at(6_000)));
    // The total extension is at most the timeout.
    w.children.on_late(SECOND * 9, at(5_500));
    assert_eq!(w.children.next_deadline(), Some(at(7_000)));
    w.children.on_late(SECOND * 9, at(20_000));
    assert_eq!(w.due(at(20_000)), [ChildEvent::TimedOut('a')]);
    // Commands already terminated get no extension.
    w.children.on_late(SECOND, at(21_000));
    assert_eq!(w.children.next_deadline(), Some(at(22_000)));
}

#[test]
fn stopping_some_commands_leaves_others_running() {
    let mut w = World::new();
    let first = w.start('a', None, "sleep 1000");
    w.start('b', None, "sleep 1000");
    assert_eq!(w.children.next_deadline(), None);
    w.children.stop(at(100), |asker| *asker == 'a');
    let ended = ChildEvent::Ended {
        asker: 'a',
        pid: first,
        outcome: Outcome::Killed(15),
        timed_out: false,
    };
    assert_eq!(w.ended(), ended);
    assert_eq!(w.children.askers().collect::<Vec<_>>(), [&'b']);
    assert_eq!(w.children.next_deadline(), None);
}

#[test]
fn output_is_discarded_and_does_not_block() {
    let mut w = World::new();
    w.start(
        'a',
        Some(SECOND),
        "i=0; while [ $i -lt 3000 ]; do echo \
            xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; i=$((i+1)); done",
    );
    assert!(matches!(w.ended(), ChildEvent::Ended { outcome: Outcome::Exited(0), .. }));
}

#[test]
fn no_zombies_remain() {
    let mut w = World::new();
    let path = "/bin/false".to_owned();
    let script = Script { argv: vec![path.clone()], path, user: own(), by_shell: false };
    for _ in 0..50 {
        let started = w.children.start(&script, &[], Some(SECOND), 'a', Instant::ZERO);
        started.expect("starts");
    }
    for _ in 0..50 {
        assert!(matches!(w.ended(), ChildEvent::Ended { outcome: Outcome::Exited(1), .. }));
    }
    assert!(w.children.is_empty());
    assert_eq!(children::ended().expect("looks"), None);
}

#[test]
fn frequent_commands_are_started_cheaply() {
    let mut w = World::new();
    let mut manner = |path, millis| w.children.manner(path, at(millis));
    assert_eq!(manner("/bin/true", 0), Manner::Copy);
    assert_eq!(manner("/bin/true", 1_000), Manner::Borrow);
    assert_eq!(manner("/bin/false", 1_000), Manner::Copy);
    assert_eq!(manner("/bin/true", 70_000), Manner::Copy);
    assert_eq!(manner("/bin/true", 80_000), Manner::Borrow);
}
