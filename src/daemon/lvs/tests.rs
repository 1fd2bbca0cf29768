//! Tests from sockets to notifications, on a kernel without IPVS.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::cell::Cell;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::base::rng::Rng;
use crate::daemon::commands::children::ChildEvent;
use crate::daemon::journal::Journal;
use crate::lvs::CheckSlot;
use crate::model::check::{Check, Connect, File, Misc, Schedule, Smtp};
use crate::model::lvs;
use crate::model::lvs::tests::{real_server, virtual_server};
use crate::model::script::{Script, User};
use crate::notify;
use crate::sys::children::Starter;
use crate::sys::sched::Inherited;
use crate::sys::tests::{alone_with_children, wait, TempDir};

struct Bench {
    lvs: Lvs,
    poll: Poll<Owner>,
    children: Children<Asker>,
    clock: Clock,
    running: Config,
    heard: Vec<String>,
}

impl Bench {
    fn new() -> Self {
        let mut lvs = Lvs::new(1);
        lvs.pool.limit_to(10);
        Self {
            lvs,
            poll: Poll::new().unwrap(),
            children: Children::new(Starter::new(Inherited::read().unwrap())),
            clock: Clock::new(),
            running: Config::default(),
            heard: Vec::new(),
        }
    }

    fn with<T>(&mut self, f: impl FnOnce(&mut Lvs, &mut LoopContext<'_>) -> T) -> T {
        self.until(&|| false, f)
    }

    fn until<T>(
        &mut self,
        urgent: &dyn Fn() -> bool,
        f: impl FnOnce(&mut Lvs, &mut LoopContext<'_>) -> T,
    ) -> T {
        let (Self { lvs, poll, children, clock, .. }, journal) = (self, &mut Journal::default());
        clock.now();
        f(lvs, &mut LoopContext { poll, children, journal, clock, urgent })
    }

    fn adopt(&mut self, new: Config) {
        let old = std::mem::replace(&mut self.running, new);
        self.lvs.adopt(&old, &mut self.running, |_| Past::default(), self.clock.now());
        while self.lvs.is_adopting() {
            self.with(Lvs::serve);
        }
        self.hear();
    }

    fn hear(&mut self) {
        let shown = |news: notify::ServerNews<'_>| match news {
            notify::ServerNews::Check { probed, verdict } => {
                format!("{probed}: {verdict}")
            }
            other => format!("{other:?}"),
        };
        for told in self.lvs.told() {
            told.tell(false, |input| match input {
                notify::Input::Service { name, up, .. } => self.heard.push(format!("{name} {up}")),
                notify::Input::Server { name, up, .. } => self.heard.push(format!("{name} {up}")),
                notify::Input::CheckMail { name, up, news, .. } => {
                    self.heard.push(format!("{name} {up} {}", shown(news)));
                }
                notify::Input::Forget(object) => self.heard.push(format!("forget {object:?}")),
                _ => {}
            });
        }
    }

    /// Runs the loop until `count` notifications arrived.
    fn run(&mut self, count: usize) {
        while self.heard.len() < count {
            assert!(self.clock.now() < Instant::from_millis(60_000), "{:?}", self.heard);
            let idle = !self.lvs.is_in_hurry() && !self.lvs.is_behind();
            let mut ready = Vec::new();
            let until = self.clock.now() + Duration::from_millis(50);
            let until = self.lvs.next_deadline().map_or(until, |next| next.min(until));
            self.poll.wait(self.clock.now(), Some(until), idle, &mut ready).unwrap();
            for owner in ready {
                let Owner::Check(check) = owner else { continue };
                self.with(|lvs, context| lvs.on_ready(check, context));
            }
            self.with(Lvs::serve);
            self.hear();
        }
    }
}

fn tcp(port: u16) -> Kind {
    Kind::Tcp(Connect::to([127, 0, 0, 1].into(), port))
}

fn config(port: u16, kinds: Vec<Kind>) -> Config {
    let mut vs = virtual_server([127, 0, 0, 9], 80);
    let mut rs = real_server([127, 0, 0, 1], port);
    let check = |kind| Check {
        alpha: !matches!(kind, Kind::File(_)),
        kind,
        schedule: Schedule {
            delay_loop: Duration::from_millis(50),
            retry: 0,
            delay_before_retry: Duration::from_millis(10),
            warmup: Duration::ZERO,
        },
        log_all_failures: false,
    };
    rs.checks.extend(kinds.into_iter().map(check).map(Rc::new));
    vs.servers.push(rs);
    vs.omega = true;
    Config { virtual_servers: vec![Rc::new(vs)], ..Config::default() }
}

#[test]
fn a_server_that_answers_is_told_and_so_is_one_that_stops() {
    let mut bench = Bench::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    bench.adopt(config(port, vec![tcp(port)]));
    bench.run(3);
    let (vs, rs) = ("[127.0.0.9]:tcp:80", format!("[127.0.0.1]:tcp:{port}"));
    let heard = std::mem::take(&mut bench.heard);
    let check = format!("TCP_CHECK 127.0.0.1:{port}");
    let said = format!("{rs} true {check}: success");
    assert_eq!(heard, [format!("{rs} true"), format!("{vs} true"), said]);
    drop(listener);
    bench.run(3);
    let heard = std::mem::take(&mut bench.heard);
    let said = format!("{rs} false {check}: Connection refused while connecting");
    assert_eq!(heard, [format!("{rs} false"), format!("{vs} false"), said]);
    bench.adopt(Config::default());
    assert_eq!(bench.heard.len(), 2, "{:?}", bench.heard);
    assert!(bench.heard.iter().all(|line| line.starts_with("forget ")));
    assert_eq!(bench.lvs.pool.load(), (0, 0));
    assert_eq!(bench.lvs.probes.next_deadline(), None);
}

/// Effective weight and state of the only server.
fn standing(bench: &Bench) -> (u32, bool) {
    let (_, service) = bench.lvs.domain.services().next().expect("one virtual server");
    let (_, server) = service.servers().next().expect("one real server");
    (server.weight(), server.is_up())
}

#[test]
fn a_script_says_the_weight_and_a_file_adds_to_it() {
    let _alone = alone_with_children();
    let dir = TempDir::new("checks");
    let path = dir.path().join("script").to_str().unwrap().to_owned();
    let write = |text: &str| {
        // Written in one step, so that no partial script is executed.
        let new = format!("{path}.new");
        std::fs::write(&new, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(&new, &path).unwrap();
    };
    let user = User { uid: nix::unistd::geteuid().into(), gid: nix::unistd::getegid().into() };
    let argv = vec![path.clone()];
    let script = Script { path: path.clone(), argv, user, by_shell: false };
    let misc = Misc { script, timeout: Duration::from_millis(300), dynamic: true };
    let file = File { name: "f".into(), weight: 1, reverse: false };
    let mut bench = Bench::new();
    bench.adopt(config(80, vec![Kind::Misc(misc), Kind::File(file)]));
    let mut events = Vec::new();
    let mut until = |bench: &mut Bench, expected| {
        wait(|| {
            bench.children.on_sigchld(&mut events);
            bench.children.on_deadline(bench.clock.now(), &mut events);
            let now = bench.clock.now();
            for event in events.drain(..) {
                match event {
                    ChildEvent::TimedOut(Asker::Check(check)) => {
                        bench.lvs.on_script_timed_out(check, now)
                    }
                    ChildEvent::Ended { asker: Asker::Check(check), pid, outcome, .. } => {
                        bench.lvs.on_script_ended(check, pid, outcome, now);
                    }
                    other => panic!("only checks run scripts here: {other:?}"),
                }
            }
            bench.with(Lvs::serve);
            (standing(bench) == expected).then_some(())
        });
    };
    write("exit 12");
    until(&mut bench, (10, true));
    bench.lvs.on_file("f", -3, bench.clock.now());
    until(&mut bench, (7, true));
    write("exit 1");
    until(&mut bench, (7, false));
    write("exit 0");
    until(&mut bench, (0, true));
    bench.lvs.on_file("f", 0, bench.clock.now());
    until(&mut bench, (1, true));
    write("sleep 60");
    until(&mut bench, (1, false));
    bench.adopt(Config::default());
    bench.children.kill_all(bench.clock.now());
    wait(|| {
        bench.children.on_sigchld(&mut events);
        bench.children.is_empty().then_some(())
    });
}

#[test]
fn a_script_that_is_not_there_fails_the_check() {
    let _alone = alone_with_children();
    let user = User { uid: nix::unistd::geteuid().into(), gid: nix::unistd::getegid().into() };
    let script = Script::missing(vec!["/none".to_owned()], user);
    let misc = Misc { script, timeout: Duration::from_secs(5), dynamic: true };
    let mut bench = Bench::new();
    bench.adopt(config(80, vec![Kind::Misc(misc)]));
    let mut events = Vec::new();
    wait(|| {
        bench.children.on_sigchld(&mut events);
        let now = bench.clock.now();
        for event in events.drain(..) {
            if let ChildEvent::Ended { asker: Asker::Check(check), pid, outcome, .. } = event {
                bench.lvs.on_script_ended(check, pid, outcome, now);
            }
        }
        bench.with(Lvs::serve);
        bench.lvs.pool.check(CheckId(0))?.last().map(|_| ())
    });
    bench.with(Lvs::serve);
    assert_eq!(standing(&bench), (1, false));
    let (last, _) = bench.lvs.pool.check(CheckId(0)).unwrap().last().unwrap();
    let told = "MISC_CHECK /none: cannot be started: cannot execute it: No such file or directory";
    assert!(last.to_string().starts_with(told), "{last}");
}

#[test]
fn a_file_that_counts_otherwise_after_a_reload_does_not_raise_the_dead() {
    let with = |weight| {
        let file = File { name: "f".into(), weight, reverse: false };
        config(80, vec![Kind::File(file)])
    };
    let mut bench = Bench::new();
    bench.adopt(with(0));
    bench.lvs.on_file("f", 1, bench.clock.now());
    bench.with(Lvs::serve);
    bench.hear();
    assert_eq!(standing(&bench), (1, false));
    bench.heard.clear();
    bench.adopt(with(i32::MIN));
    bench.with(Lvs::serve);
    bench.hear();
    assert_eq!((standing(&bench), bench.heard.len()), ((1, false), 0), "{:?}", bench.heard);
    bench.adopt(with(5));
    bench.with(Lvs::serve);
    assert_eq!(standing(&bench), (6, true), "known without a new event");
}

#[test]
fn silence_is_noticed_however_busy_others_keep_us() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = Connect {
        timeout: Duration::from_millis(50),
        ..Connect::to([127, 0, 0, 1].into(), listener.local_addr().unwrap().port())
    };
    let silent = Kind::Smtp(to, Smtp { helo_name: "me".into() });
    let mut bench = Bench::new();
    bench.adopt(config(80, vec![silent]));
    wait(|| {
        bench.until(&|| true, Lvs::serve);
        bench.lvs.pool.check(CheckId(0))?.last().map(|_| ())
    });
}

#[test]
fn where_there_is_no_ipvs_nobody_waits_for_its_answer_at_the_end() {
    let releases = [Release::Nothing, Release::Ours, Release::Services, Release::Everything];
    for release in releases {
        let mut bench = Bench::new();
        bench.adopt(config(80, vec![tcp(80)]));
        bench.with(|lvs, context| lvs.stop(release, context));
        assert!(bench.lvs.is_settled(), "{release:?}");
    }
}

#[test]
fn a_script_that_does_not_end_is_not_started_again() {
    let _alone = alone_with_children();
    let user = User { uid: nix::unistd::geteuid().into(), gid: nix::unistd::getegid().into() };
    let argv = vec!["/bin/sleep".to_owned(), "60".to_owned()];
    let script = Script { path: argv[0].clone(), argv, user, by_shell: false };
    let misc = Misc { script, timeout: Duration::from_secs(60), dynamic: false };
    let mut bench = Bench::new();
    bench.adopt(config(80, vec![Kind::Misc(misc)]));
    let started = |bench: &Bench| bench.children.askers().count();
    wait(|| {
        bench.with(Lvs::serve);
        (started(&bench) == 1).then_some(())
    });
    let check = CheckId(0);
    bench.lvs.on_script_timed_out(check, bench.clock.now());
    bench.with(Lvs::serve);
    assert_eq!(bench.lvs.pool.load().0, 1, "it is being terminated");
    // The script is not terminated. The server must be reported down nevertheless.
    let later = bench.clock.now() + Duration::from_secs(3);
    assert!(bench.lvs.probes.on_deadline(later, &mut bench.poll));
    bench.with(Lvs::serve);
    let last = |bench: &Bench| bench.lvs.pool.check(check)?.last().map(|(_, at)| at);
    let first = last(&bench).expect("a result");
    wait(|| {
        bench.with(Lvs::serve);
        last(&bench).filter(|at| *at > first)
    });
    assert_eq!((started(&bench), standing(&bench)), (1, (1, false)));
    bench.adopt(Config::default());
    let mut events = Vec::new();
    bench.children.kill_all(bench.clock.now());
    wait(|| {
        bench.children.on_sigchld(&mut events);
        bench.children.is_empty().then_some(())
    });
}

#[test]
fn many_that_are_due_do_not_keep_somebody_in_a_hurry_waiting() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut bench = Bench::new();
    bench.lvs.pool = Pool::new(1_000, 1);
    bench.adopt(config(port, (0..50).map(|_| tcp(port)).collect()));
    let spread = Duration::from_millis(200);
    wait(|| bench.lvs.pool.next_deadline().filter(|next| *next + spread <= bench.clock.now()));
    let asked = Cell::new(0);
    let urgent = || {
        asked.set(asked.get() + 1);
        true
    };
    bench.until(&urgent, Lvs::serve);
    let lvs = &bench.lvs;
    assert_eq!(lvs.backlog.len(), lvs.pool.load().0 - 1, "one was begun");
    assert!(lvs.is_behind() && !lvs.is_in_hurry() && !lvs.backlog.is_empty() && asked.get() > 0);
    bench.with(Lvs::serve);
    assert!(bench.lvs.backlog.is_empty());
}

/// A random subset of twelve virtual servers, each with real servers that may have checks.
fn anything(rng: &mut Rng, port: u16) -> Config {
    let mut all = Vec::new();
    for n in (0..12).filter(|_| rng.one_in(2)).collect::<Vec<_>>() {
        let mut vs = virtual_server([127, 0, 0, n], 80);
        let servers = config(port, vec![tcp(port); usize::try_from(rng.between(0, 3)).unwrap()]);
        let template = &servers.virtual_servers[0].servers[0];
        for host in 1..=u8::try_from(rng.between(1, 4)).unwrap() {
            let addr = [127, 0, 1, host].into();
            let weight = u32::try_from(rng.between(1, 3)).unwrap();
            vs.servers.push(lvs::RealServer { addr, weight, ..template.clone() });
        }
        all.push(Rc::new(vs));
    }
    Config { virtual_servers: all, ..Config::default() }
}

#[test]
fn reloads_in_the_middle_of_others_end_where_the_last_one_wants_and_so_does_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for seed in 0..20 {
        let (mut rng, mut bench) = (Rng::new(seed), Bench::new());
        for round in 0..15 {
            let mut new = anything(&mut rng, port);
            bench.lvs.adopt(&bench.running, &mut new, |_| Past::default(), bench.clock.now());
            bench.running = new;
            let (asked, most) = (Cell::new(0), rng.between(0, 12));
            bench.until(&|| asked.replace(asked.get() + 1) >= most, Lvs::serve);
            if round % 5 == 4 {
                while bench.lvs.is_adopting() {
                    bench.with(Lvs::serve);
                }
                let wanted = &bench.running.virtual_servers;
                let held: Vec<_> = bench.lvs.services().map(crate::lvs::Service::config).collect();
                assert_eq!(held, wanted.iter().collect::<Vec<_>>(), "seed {seed}");
                assert_eq!(bench.lvs.domain.services().count(), wanted.len(), "seed {seed}");
                let slots = bench.lvs.domain.services().flat_map(|(_, s)| s.servers());
                let slots: Vec<_> =
                    slots.flat_map(|(_, s)| s.checks()).map(CheckSlot::id).collect();
                assert!(slots.iter().all(|id| bench.lvs.pool.check(*id).is_some()));
                let any = (0..1_000).filter(|n| bench.lvs.pool.check(CheckId(*n)).is_some());
                assert_eq!(any.count(), slots.len(), "seed {seed}: checks without a server");
            }
        }
        bench.with(|lvs, context| lvs.stop(Release::Ours, context));
        let lvs = &bench.lvs;
        assert!(lvs.is_settled() && !lvs.is_in_hurry() && !lvs.is_behind());
        assert_eq!((lvs.domain.services().count(), lvs.pool.load()), (0, (0, 0)));
        assert_eq!((lvs.next_deadline(), bench.poll.watched().0), (None, 0), "seed {seed}");
    }
}

#[test]
fn a_long_configuration_is_taken_on_a_few_at_a_time() {
    let servers = (0..50).map(|n| Rc::new(virtual_server([127, 0, 0, n], 80)));
    let mut new = Config { virtual_servers: servers.collect(), ..Config::default() };
    let mut bench = Bench::new();
    bench.lvs.adopt(&Config::default(), &mut new, |_| Past::default(), bench.clock.now());
    let asked = Cell::new(0);
    bench.until(&|| asked.replace(asked.get() + 1) >= 10, Lvs::serve);
    let lvs = &bench.lvs;
    let taken = lvs.services().count();
    assert!(taken > 0 && taken < 50 && lvs.is_adopting() && lvs.is_in_hurry(), "{taken}");
    bench.with(Lvs::serve);
    assert!(!bench.lvs.is_adopting());
    assert_eq!(bench.lvs.services().filter(|service| service.since() > Instant::ZERO).count(), 50);
}
