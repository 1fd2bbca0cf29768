//! When scripts run, and what their results make of them.

use proptest::prelude::*;

use super::*;
use crate::model::script::{Script, User};

fn script(name: &str, rise: u32, fall: u32) -> TrackScript {
    let (path, argv) = (format!("/bin/{name}"), vec![format!("/bin/{name}")]);
    TrackScript {
        name: name.into(),
        script: Script { path, argv, user: User::ROOT, by_shell: false },
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(2),
        rise,
        fall,
        weight: 0,
        reverse: false,
        init_fail: false,
    }
}

/// The core of scripts, and what it told.
#[derive(Default)]
struct Watched {
    all: Scripts,
    now: Instant,
    out: Vec<Action>,
}

impl Watched {
    fn new(list: &[TrackScript]) -> Self {
        let mut w = Self::default();
        w.configure(list);
        w.out.clear();
        w
    }

    fn configure(&mut self, list: &[TrackScript]) {
        self.all.on_configure(list, self.now, &mut self.out);
    }

    /// Serves deadlines up to `ms`; returns when which runs started.
    fn run_until(&mut self, ms: u64) -> Vec<(u64, ScriptId)> {
        let (end, mut runs) = (Instant::from_millis(ms), Vec::new());
        while let Some(next) = self.all.next_deadline().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            let from = self.out.len();
            self.all.on_deadline(self.now, &mut self.out);
            assert!(self.all.next_deadline() > Some(self.now), "a deadline stays due");
            let ms = self.now.micros() / 1000;
            runs.extend(self.out[from..].iter().filter_map(|a| match a {
                Action::Run { script, .. } => Some((ms, *script)),
                _ => None,
            }));
        }
        self.now = end;
        runs
    }

    fn exited(&mut self, id: u32, end: RunEnd) {
        self.all.on_exited(ScriptId(id), end, &mut self.out);
    }

    /// One whole run.
    fn result(&mut self, end: RunEnd) {
        let at = self.all.next_deadline().unwrap();
        assert_eq!(self.run_until(at.micros() / 1000).len(), 1);
        self.exited(0, end);
    }

    fn state(&self, name: &str) -> TrackState {
        self.all.state(name).unwrap()
    }

    fn notes(&mut self) -> Vec<String> {
        let text = |a| if let Action::Noted(note) = a { Some(note.to_string()) } else { None };
        self.out.drain(..).filter_map(text).collect()
    }
}

const OK: RunEnd = RunEnd::Exit(0);
const BAD: RunEnd = RunEnd::Exit(1);

#[test]
fn runs_start_an_interval_apart_whatever_they_take() {
    let mut w = Watched::new(&[script("s", 1, 1)]);
    assert_eq!(w.run_until(0), [(0, ScriptId(0))]);
    w.run_until(400);
    w.exited(0, OK);
    assert_eq!(w.run_until(1000), [(1000, ScriptId(0))]);
    w.exited(0, OK);
    w.now = Instant::from_millis(3700);
    assert_eq!(w.run_until(3700), [(3700, ScriptId(0))]);
    w.exited(0, OK);
    assert_eq!(w.run_until(4000), [(4000, ScriptId(0))]);
}

#[test]
fn many_scripts_do_not_start_in_one_turn() {
    let list: Vec<_> = (0..200).map(|n| script(&format!("s{n}"), 1, 1)).collect();
    let mut w = Watched::new(&list);
    let runs = w.run_until(900);
    assert_eq!(runs.len(), 200);
    for ms in 0..50 {
        assert_eq!(runs.iter().filter(|(at, _)| *at == ms).count(), BURST, "at {ms} ms");
    }
    for n in 0..200 {
        w.exited(n, OK);
    }
    // After a stall they are all due at once.
    w.now = Instant::from_millis(5000);
    let runs = w.run_until(5100);
    assert_eq!(runs.len(), 200);
    assert!((5000..5100).all(|ms| runs.iter().filter(|(at, _)| *at == ms).count() <= BURST));
}

#[test]
fn a_run_is_skipped_while_the_last_one_goes_on_and_said_once() {
    let mut w = Watched::new(&[script("s", 1, 1)]);
    assert_eq!(w.run_until(3500).len(), 1);
    let skipped = "Track script s is already running, expect idle - skipping run";
    assert_eq!(w.notes(), [skipped]);
    w.exited(0, OK);
    assert_eq!(w.run_until(4000), [(4000, ScriptId(0))]);
}

#[test]
fn the_first_result_decides_alone() {
    for (outcome, state) in [(OK, TrackState::exit(0)), (BAD, TrackState::exit(1))] {
        let mut w = Watched::new(&[script("s", 3, 3)]);
        assert_eq!(w.state("s"), TrackState::Pending);
        w.result(outcome);
        assert_eq!(w.state("s"), state);
    }
}

#[test]
fn it_takes_rise_successes_and_fall_failures_in_a_row() {
    let mut w = Watched::new(&[script("s", 2, 3)]);
    let steps = [
        (OK, true),
        (BAD, true),
        (BAD, true),
        (OK, true),
        (BAD, true),
        (BAD, true),
        (BAD, false),
        (OK, false),
        (BAD, false),
        (OK, false),
        (OK, true),
    ];
    for (n, (outcome, is_up)) in steps.into_iter().enumerate() {
        w.result(outcome);
        assert_eq!(w.state("s").is_up(), is_up, "after step {n}");
    }
}

#[test]
fn init_fail_is_down_until_rise_successes() {
    let mut w = Watched::default();
    w.configure(&[TrackScript { init_fail: true, ..script("s", 2, 1) }]);
    let object = Object::Script("s".into());
    assert_eq!(w.out, [Action::Changed { object, state: TrackState::Down(Finding::InitFail) }]);
    w.result(OK);
    assert_eq!(w.state("s"), TrackState::Down(Finding::InitFail));
    w.result(OK);
    assert!(w.state("s").is_up());
}

#[test]
fn what_happened_is_told_in_the_known_words() {
    let mut w = Watched::new(&[script("s", 1, 1)]);
    w.result(OK);
    assert_eq!(w.notes(), ["VRRP_Script(s) succeeded"]);
    w.result(RunEnd::Exit(3));
    let lines = ["Script `s` now returning 3", "VRRP_Script(s) failed (exited with status 3)"];
    assert_eq!(w.notes(), lines);
    w.result(RunEnd::Exit(4));
    assert_eq!(w.notes(), ["Script `s` now returning 4"]);
    w.result(OK);
    assert_eq!(w.notes(), ["Script `s` now returning 0", "VRRP_Script(s) succeeded"]);
    w.result(RunEnd::Signal(11));
    assert_eq!(w.notes(), ["VRRP_Script(s) failed (due to signal 11)"]);
    assert_eq!(w.state("s"), TrackState::after(RunEnd::Signal(11)));
}

#[test]
fn a_timeout_counts_at_once_and_only_once() {
    let mut w = Watched::new(&[script("s", 1, 2)]);
    w.result(OK);
    w.run_until(1000);
    w.all.on_timed_out(ScriptId(0), &mut w.out);
    w.exited(0, RunEnd::TimedOut);
    assert!(w.state("s").is_up());
    w.run_until(2000);
    w.all.on_timed_out(ScriptId(0), &mut w.out);
    assert_eq!(w.state("s"), TrackState::after(RunEnd::TimedOut));
    // It cannot be killed; no other is started beside it.
    assert_eq!(w.run_until(9000), []);
    w.exited(0, RunEnd::Signal(9));
    assert_eq!(w.state("s"), TrackState::after(RunEnd::TimedOut));
    assert_eq!(w.run_until(10_000).len(), 1);
}

#[test]
fn a_reload_keeps_the_result_of_the_same_command() {
    let mut w = Watched::new(&[script("s", 1, 1)]);
    w.result(BAD);
    w.out.clear();
    let slower = TrackScript { interval: Duration::from_secs(5), fall: 3, ..script("s", 2, 1) };
    w.configure(&[slower]);
    assert_eq!(w.notes(), ["VRRP_Script(s) considered unsuccessful on reload"]);
    w.result(OK);
    assert_eq!(w.state("s"), TrackState::exit(1));
    w.result(OK);
    assert!(w.state("s").is_up());
    assert_eq!(w.all.next_deadline(), Some(Instant::from_millis(11_000)));
}

#[test]
fn a_changed_command_runs_at_once_and_the_old_verdict_stands_until_then() {
    let mut w = Watched::new(&[script("s", 3, 3)]);
    w.result(BAD);
    w.run_until(1000);
    w.out.clear();
    let mut other = script("s", 3, 3);
    other.script.argv.push("-x".into());
    other.init_fail = true;
    w.configure(&[other]);
    assert_eq!(w.out, [Action::Abandon { script: ScriptId(0) }]);
    assert_eq!(w.state("s"), TrackState::exit(1));
    assert_eq!(w.run_until(1000), [(1000, ScriptId(1))]);
    w.exited(0, OK);
    assert_eq!(w.state("s"), TrackState::exit(1));
    w.exited(1, OK);
    assert!(w.state("s").is_up());
}

#[test]
fn a_script_that_is_gone_runs_no_more() {
    let mut w = Watched::new(&[script("s", 1, 1), script("t", 1, 1)]);
    w.run_until(0);
    w.out.clear();
    w.configure(&[script("t", 1, 1)]);
    assert_eq!(w.out, [Action::Abandon { script: ScriptId(0) }]);
    w.exited(0, BAD);
    w.exited(1, OK);
    assert_eq!(w.all.state("s"), None);
    assert_eq!(w.run_until(1000), [(1000, ScriptId(1))]);
}

proptest! {
    /// Whatever happened before, `rise` successes in a row make it up and `fall` failures down.
    #[test]
    fn enough_of_the_same_decides(
        rise in 1..5u32,
        fall in 1..5u32,
        init_fail: bool,
        history in prop::collection::vec(any::<bool>(), 0..20),
        last: bool,
    ) {
        let mut w = Watched::new(&[TrackScript { init_fail, ..script("s", rise, fall) }]);
        let outcome = |ok| if ok { OK } else { BAD };
        for ok in history {
            w.result(outcome(ok));
        }
        for _ in 0..if last { rise } else { fall } {
            w.result(outcome(last));
        }
        prop_assert_eq!(w.state("s").is_up(), last);
        prop_assert_ne!(w.state("s"), TrackState::Pending);
    }
}

#[test]
fn a_restart_by_command_changes_neither_result_nor_schedule() {
    let mut w = Watched::new(&[script("s", 1, 3)]);
    for end in [OK, BAD, BAD] {
        w.result(end);
    }
    w.run_until(2400);
    let (is_up, past) = w.all.past("s", w.now).expect("it has a result");
    let due = Instant::from_millis(3000);
    assert_eq!((is_up, past), (true, ScriptPast { result: 1, status: 1, due, is_running: false }));

    let mut again = Watched { now: w.now, ..Watched::default() };
    again.all.on_recall("s", is_up, Some(past));
    again.configure(&[script("s", 1, 3)]);
    assert_eq!(again.all.past("s", again.now), Some((is_up, past)));
    assert_eq!(again.run_until(3000), [(3000, ScriptId(0))]);
    again.exited(0, BAD);
    assert!(!again.state("s").is_up(), "it is the third failure");
    // A run that is under way goes on.
    again.run_until(4100);
    let (is_up, past) = again.all.past("s", again.now).expect("it has a result");
    assert!(past.is_running);
    let mut third = Watched { now: again.now, ..Watched::default() };
    third.all.on_recall("s", is_up, Some(past));
    third.configure(&[script("s", 1, 3)]);
    assert_eq!(third.run_until(5000), [], "it is in the way of the next one");
    third.exited(0, OK);
    assert!(third.state("s").is_up());
}
