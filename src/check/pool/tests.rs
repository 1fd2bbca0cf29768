//! Many checks, random results: what is true whatever happens.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::base::verdict::{ProbeStep, Reason, Weight};
use crate::model::check::{Connect, Schedule};

fn check(delay: u64, retry: u32, warmup: u64) -> Rc<Check> {
    Rc::new(Check {
        kind: Kind::Tcp(Connect::to(IpAddr::V4(Ipv4Addr::LOCALHOST), 80)),
        schedule: Schedule {
            delay_loop: Duration::from_secs(delay),
            retry,
            delay_before_retry: Duration::from_secs(1),
            warmup: Duration::from_secs(warmup),
        },
        alpha: false,
        log_all_failures: false,
    })
}

fn add(pool: &mut Pool, n: u32, config: Rc<Check>) {
    let input =
        Input::Add { check: CheckId(n), config, up: true, suspended: false, recalled: None };
    pool.handle(input, Instant::ZERO, &mut Vec::new());
}

fn done(n: CheckId, good: bool) -> Input<'static> {
    let bad = Verdict::Down(Reason::TimedOut(ProbeStep::Connecting));
    let verdict = if good { Verdict::UP } else { bad };
    Input::Done { check: n, verdict, timings: Timings::default() }
}

fn unmade(n: CheckId) -> Input<'static> {
    let verdict = Verdict::Down(Reason::Unmade("no descriptor".into()));
    Input::Done { check: n, verdict, timings: Timings::default() }
}

fn begun(out: &mut Vec<Action>) -> Vec<CheckId> {
    let begun = |action| match action {
        Action::Begin { check, .. } => Some(check),
        _ => None,
    };
    out.drain(..).filter_map(begun).collect()
}

#[test]
fn ten_thousand_checks_are_all_probed_in_every_delay() {
    const CHECKS: u32 = 10_000;
    let mut pool = Pool::new(256, 7);
    for n in 0..CHECKS {
        add(&mut pool, n, check(10, 1, 10));
    }
    let (mut probes, mut most, mut out) = (vec![0; CHECKS as usize], 0, Vec::new());
    let end = Instant::from_millis(31_000);
    while let Some(now) = pool.next_deadline().filter(|when| *when < end) {
        pool.handle(Input::Deadline, now, &mut out);
        let list = begun(&mut out);
        most = most.max(list.len());
        for check in list {
            probes[check.0 as usize] += 1;
            pool.handle(done(check, true), now, &mut out);
        }
        out.clear();
    }
    assert!(probes.iter().all(|n| *n == 3), "two delays after a warm-up of one");
    // 1,000 a second are twenty a beat.
    assert!(most < 50, "{most} at once: they are not spread");
}

#[test]
fn after_a_stall_they_begin_in_batches_in_the_order_of_their_deadlines() {
    let mut pool = Pool::new(100, 7);
    (0..300).for_each(|n| add(&mut pool, n, check(10, 1, 10)));
    let (now, mut out) = (Instant::from_millis(60_000), Vec::new());
    let mut sizes = Vec::new();
    while pool.next_deadline().is_some_and(|when| when <= now) {
        pool.handle(Input::Deadline, now, &mut out);
        sizes.push(begun(&mut out).len());
    }
    assert_eq!(sizes, [BATCH, 100 - BATCH], "then as many as the limit lets");
    assert_eq!(pool.load(), (100, 200));
}

#[test]
fn whatever_happens_a_check_is_due_running_waiting_or_suspended() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let mut pool = Pool::new(3, seed);
        let (mut now, mut out, mut running) = (Instant::ZERO, Vec::new(), SortedSet::new());
        for _ in 0..200 {
            let n = CheckId(u32::try_from(rng.between(0, 8)).expect("small"));
            let input = match rng.between(0, 10) {
                0 => Input::Add {
                    check: n,
                    config: check(rng.between(1, 5), 1, 3),
                    up: rng.one_in(2),
                    suspended: rng.one_in(4),
                    recalled: None,
                },
                1 => Input::Remove(n),
                2 => Input::Suspend(n),
                3 => Input::Resume(n),
                4 => unmade(n),
                5 => Input::Adjust { check: n, config: check(rng.between(1, 5), 2, 3) },
                6 | 7 => done(n, rng.one_in(2)),
                _ => {
                    now += Duration::from_millis(rng.between(0, 2_000));
                    Input::Deadline
                }
            };
            if matches!(input, Input::Add { .. }) && pool.check(n).is_some() {
                continue;
            }
            if matches!(input, Input::Done { .. }) {
                running.remove(&n);
            }
            // Ends with the pool's own look at everything.
            pool.handle(input, now, &mut out);
            for action in out.drain(..) {
                match action {
                    Action::Begin { check, .. } => assert!(running.insert(check), "seed {seed}"),
                    Action::Abort(check) => assert!(running.remove(&check), "seed {seed}"),
                    _ => {}
                }
            }
            assert_eq!(running.len(), pool.load().0, "seed {seed}");
            for (id, entry) in (0..).map(CheckId).zip(&pool.entries) {
                let filed = pool.deadlines.of(&id).is_some();
                assert_eq!(filed, entry.as_ref().is_some_and(|e| e.probe == ProbeState::Idle));
            }
        }
    }
}

#[test]
fn a_restart_by_command_forgets_no_failure() {
    let (n, config) = (CheckId(0), check(10, 2, 0));
    let (mut pool, mut out) = (Pool::new(1, 1), Vec::new());
    add(&mut pool, 0, Rc::clone(&config));
    let begins = pool.next_deadline();
    let known = pool.recall(n, Instant::ZERO).expect("its first probe is to come");
    assert_eq!((known.had_run, known.due), (false, begins));
    let mut now = Instant::ZERO;
    for good in [true, false] {
        now = pool.next_deadline().expect("it is probed");
        pool.handle(Input::Deadline, now, &mut out);
        pool.handle(done(n, good), now, &mut out);
    }
    let recalled = pool.recall(n, now);
    let due = pool.next_deadline();
    let known = recalled.as_ref().expect("it has a result");
    assert_eq!((known.was_up, known.weight, known.retries), (true, Weight::Unchanged, 1));
    assert_eq!((known.due, known.run), (due, None));
    let last = known.last.as_ref().expect("it has a result");
    assert!(last.0.starts_with("TCP_CHECK 127.0.0.1:80: "), "{last:?}");

    let (mut pool, mut out) = (Pool::new(1, 1), Vec::new());
    let up = true;
    let last = last.clone();
    let input = Input::Add { check: n, config, up, suspended: false, recalled };
    pool.handle(input, now, &mut out);
    assert_eq!(pool.next_deadline(), due);
    let words = pool.check(n).and_then(Entry::last_words).expect("it is still known");
    assert_eq!((words.0.as_str(), words.1), (&*last.0, last.1));
    pool.handle(Input::Deadline, due.expect("it is probed"), &mut out);
    pool.handle(done(n, false), due.expect("it is probed"), &mut out);
    assert!(out.contains(&Action::Retrying { check: n, nth: 2, of: 2 }), "{out:?}");
}

#[test]
fn a_restart_by_command_delays_no_first_probe() {
    let (n, config) = (CheckId(0), check(10, 2, 30));
    let (mut pool, mut out) = (Pool::new(1, 1), Vec::new());
    add(&mut pool, 0, Rc::clone(&config));
    let (due, recalled) = (pool.next_deadline(), pool.recall(n, Instant::ZERO));
    let mut pool = Pool::new(1, 2);
    let now = Instant::from_millis(1);
    let input = Input::Add { check: n, config, up: true, suspended: false, recalled };
    pool.handle(input, now, &mut out);
    assert_eq!(pool.next_deadline(), due);
    let due = due.expect("it is probed");
    pool.handle(Input::Deadline, due, &mut out);
    out.clear();
    pool.handle(done(n, false), due, &mut out);
    let first =
        |action: &Action| matches!(action, Action::Result { first: true, turned: true, .. });
    assert!(out.iter().any(first), "the first failure counts, as ever: {out:?}");
}

#[test]
fn a_script_that_runs_at_a_restart_by_command_goes_on() {
    let (n, config, now) = (CheckId(0), check(10, 0, 0), Instant::from_millis(5_000));
    let (begun, end) = (Instant::from_millis(4_000), Instant::from_millis(9_000));
    let run = RecalledRun { pid: 4711, begun, end };
    let recalled = Some(RecalledCheck {
        was_up: true,
        had_run: true,
        weight: Weight::Unchanged,
        retries: 0,
        due: Some(now),
        last: None,
        run: Some(run),
    });
    let (mut pool, mut out) = (Pool::new(1, 1), Vec::new());
    let input = Input::Add { check: n, config, up: true, suspended: false, recalled };
    pool.handle(input, now, &mut out);
    assert_eq!(out, [Action::GoOn { check: n, run }]);
    assert_eq!((pool.load(), pool.next_deadline()), ((1, 0), None), "no second run begins");
    out.clear();
    pool.handle(done(n, false), now, &mut out);
    assert!(matches!(out[..], [Action::Result { turned: true, .. }]), "{out:?}");
    assert!(pool.next_deadline().is_some());
}
