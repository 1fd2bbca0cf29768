//! What holds whatever comes in, in whatever order.

use proptest::prelude::*;

use super::*;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::Duration;
use crate::model::script::{Script, User};
use crate::model::track::{ParamMatch, TrackFile, TrackProcess};

/// One thing that happens. Numbers stand for runs, names and processes.
#[derive(Clone, Debug)]
enum Op {
    /// What is configured: by name, another number of the same is another command, path, process.
    Configure([Option<u8>; 4]),
    Wait(u64),
    Oversleep(u64),
    TimedOut(usize),
    Exited(usize, RunEnd),
    RunNow(u8),
    File(u8, Option<&'static str>),
    Scan(Vec<(u32, u8)>),
    Seen(u32, u32, u8),
    Gone(u32),
}

fn op() -> impl Strategy<Value = Op> {
    let outcome = prop_oneof![
        3 => Just(RunEnd::Exit(0)),
        2 => Just(RunEnd::Exit(1)),
        1 => Just(RunEnd::Signal(9)),
        1 => Just(RunEnd::TimedOut),
        1 => Just(RunEnd::NotStarted(Box::new("no".into()))),
    ];
    let content = prop::option::of(prop::sample::select(vec!["1", "-7", "", "x"]));
    let process = || (1..5u32, 0..3u8);
    prop_oneof![
        2 => prop::array::uniform4(prop::option::weighted(0.7, 0..2u8)).prop_map(Op::Configure),
        6 => (0..1500u64).prop_map(Op::Wait),
        1 => (0..9000u64).prop_map(Op::Oversleep),
        1 => any::<usize>().prop_map(Op::TimedOut),
        6 => (any::<usize>(), outcome).prop_map(|(n, outcome)| Op::Exited(n, outcome)),
        2 => (0..7u8).prop_map(Op::RunNow),
        2 => (0..2u8, content).prop_map(|(n, content)| Op::File(n, content)),
        1 => prop::collection::vec(process(), 0..5).prop_map(Op::Scan),
        3 => (process(), 1..5u32).prop_map(|((pid, n), leader)| Op::Seen(pid, leader, n)),
        2 => (1..5u32).prop_map(Op::Gone),
    ]
}

/// Six scripts, a file, and a process whose changes are believed late.
fn config(kinds: &[Option<u8>; 4]) -> Config {
    let seconds = |n: u8| Duration::from_secs(n.into());
    let script = |(n, kind): (u8, u8)| TrackScript {
        name: format!("s{n}"),
        script: Script {
            path: format!("/bin/{kind}"),
            argv: Vec::new(),
            user: User::ROOT,
            by_shell: false,
        },
        interval: seconds(1 + n % 2),
        timeout: seconds(1),
        rise: 1 + u32::from(n % 3),
        fall: 1 + u32::from(kind),
        weight: 0,
        reverse: false,
        init_fail: n == 5,
    };
    let file = |kind| TrackFile {
        name: "f".into(),
        path: format!("/run/{kind}"),
        weight: 1,
        reverse: false,
        init: None,
    };
    let process = |kind| TrackProcess {
        name: "p".into(),
        process: format!("c{kind}"),
        params: Vec::new(),
        param_match: ParamMatch::Any,
        full_command: false,
        weight: 0,
        reverse: false,
        quorum: 1,
        quorum_max: Some(2),
        terminate_delay: seconds(kind),
        fork_delay: seconds(2 * kind),
    };
    let scripts = kinds[..2].iter().enumerate().flat_map(|(half, kind)| {
        let numbers = if half == 0 { 0..3u8 } else { 3..6 };
        numbers.filter_map(move |n| Some((n, (*kind)?)))
    });
    Config {
        scripts: scripts.map(script).collect(),
        files: kinds[2].map(file).into_iter().collect(),
        processes: kinds[3].map(process).into_iter().collect(),
        ..Config::default()
    }
}

/// The core, and what may be said of it from the outside.
#[derive(Default)]
struct Watched {
    domain: Domain,
    now: Instant,
    /// What follows from every change that was reported.
    believed: SortedMap<Object, TrackState>,
    running: SortedSet<ScriptId>,
    /// Every run that was ever started.
    started: Vec<ScriptId>,
}

impl Watched {
    fn feed(&mut self, input: Input<'_>) {
        let is_deadline = matches!(input, Input::Deadline);
        let is_order = matches!(input, Input::RunNow { .. });
        let mut out = Vec::new();
        self.domain.handle(input, self.now, &mut out);
        let starts = out.iter().filter(|a| matches!(a, Action::Run { .. })).count();
        assert!(starts <= 4 && (is_deadline || starts <= usize::from(is_order)), "{starts} starts");
        for action in out {
            match action {
                Action::Run { script, .. } => {
                    assert!(self.domain.script(script).is_some());
                    assert!(self.running.insert(script), "{script} runs twice");
                    self.started.push(script);
                }
                Action::Abandon { script } => assert!(self.running.remove(&script)),
                Action::Changed { object, state } => {
                    let before = self.believed.insert(object, state.clone());
                    assert_ne!(before, Some(state), "nothing changed");
                }
                Action::WatchFile { .. }
                | Action::UnwatchFile { .. }
                | Action::ScanProcesses
                | Action::Noted(_) => {}
            }
        }
        let next = self.domain.next_deadline();
        assert!(!is_deadline || next.is_none_or(|next| next > self.now), "{next:?} stays due");
        self.believed.retain(|object, _| self.domain.state(object).is_some());
        for (object, state) in &self.believed {
            assert_eq!(self.domain.state(object).as_ref(), Some(state));
        }
    }

    fn apply(&mut self, op: &Op) {
        let comms = ["c0", "c1", "c2"];
        let process = |pid, leader, n: u8| Process {
            pid,
            leader,
            comm: comms[usize::from(n)].as_bytes(),
            cmdline: b"",
            exe: None,
        };
        match op {
            Op::Configure(kinds) => self.feed(Input::Configure(&config(kinds))),
            Op::Wait(ms) => {
                let to = self.now + Duration::from_millis(*ms);
                while let Some(next) = self.domain.next_deadline().filter(|next| *next <= to) {
                    self.now = self.now.max(next);
                    self.feed(Input::Deadline);
                }
                self.now = to;
            }
            Op::Oversleep(ms) => self.now += Duration::from_millis(*ms),
            Op::TimedOut(n) => {
                if let Some(script) = self.run(*n) {
                    self.feed(Input::TimedOut { script });
                }
            }
            Op::Exited(n, end) => {
                if let Some(script) = self.run(*n) {
                    self.running.remove(&script);
                    self.feed(Input::Exited { script, end: end.clone() });
                }
            }
            Op::RunNow(n) => {
                let name = format!("s{n}");
                let was_running = self.domain.is_script_running(&name);
                let before = self.started.len();
                self.feed(Input::RunNow { name: &name });
                let starts = self.started.len() - before;
                assert_eq!(starts, usize::from(was_running == Some(false)), "{name}");
            }
            Op::File(n, content) => {
                let name = ["f", "g"][usize::from(*n)];
                self.feed(Input::File { name, content: content.map(str::as_bytes) });
            }
            Op::Scan(list) => {
                let all: Vec<_> = list.iter().map(|(pid, n)| process(*pid, *pid, *n)).collect();
                self.feed(Input::ProcessScan(&all));
            }
            Op::Seen(pid, leader, n) => {
                self.feed(Input::ProcessSeen(process(*pid, *leader, *n)));
            }
            Op::Gone(pid) => self.feed(Input::ProcessGone { pid: *pid }),
        }
    }

    /// A run that goes on, or one that ended or was abandoned long ago.
    fn run(&self, n: usize) -> Option<ScriptId> {
        self.started.get(n % self.started.len().max(1)).copied()
    }

    /// Everything goes well for long enough.
    fn heal(&mut self) {
        self.apply(&Op::Configure([Some(0); 4]));
        self.apply(&Op::File(0, Some("1")));
        self.apply(&Op::Scan(vec![(1, 0)]));
        for _ in 0..100 {
            for script in std::mem::take(&mut self.running) {
                self.feed(Input::Exited { script, end: RunEnd::Exit(0) });
            }
            self.apply(&Op::Wait(100));
        }
        for (object, state) in &self.believed {
            let is_well = *state == TrackState::Value(1) || state.is_up();
            assert!(is_well && (object.name() == "f") != state.is_up(), "{object}: {state}");
        }
        assert_eq!(self.believed.len(), 8);
    }
}

proptest! {
    #[test]
    fn any_sequence_of_inputs_is_borne_and_ends_well_if_all_is_well(
        ops in prop::collection::vec(op(), 0..80),
    ) {
        let mut watched = Watched::default();
        for op in &ops {
            watched.apply(op);
        }
        watched.heal();
    }
}

#[test]
fn a_script_that_is_run_by_command_has_its_next_run_an_interval_later() {
    let mut watched = Watched::default();
    watched.apply(&Op::Configure([Some(0), None, None, None]));
    watched.apply(&Op::Wait(10));
    assert_eq!(watched.started.len(), 3, "each runs at once");
    watched.apply(&Op::RunNow(0));
    assert_eq!(watched.started.len(), 3, "it runs already");
    watched.apply(&Op::Exited(0, RunEnd::Exit(0)));
    watched.apply(&Op::Wait(500));
    watched.apply(&Op::RunNow(0));
    assert_eq!(watched.started.len(), 4);
    watched.apply(&Op::Exited(0, RunEnd::Exit(0)));
    let runs_of_first = |w: &Watched| w.started.iter().filter(|s| **s == w.started[0]).count();
    watched.apply(&Op::Wait(990));
    assert_eq!(runs_of_first(&watched), 2, "not after the old schedule");
    watched.apply(&Op::Wait(20));
    assert_eq!(runs_of_first(&watched), 3);
}
