//! Anything in any order: a reader ends up with the last state of everything.

use proptest::prelude::*;

use super::*;
use crate::base::sorted::SortedSet;

#[derive(Clone, Copy, Debug)]
enum Step {
    Change(u8, State),
    Lower(u8),
    /// The n-th of the running scripts ends.
    End(u8),
    Wait(u16),
    Reader(bool),
    /// So many lines are read.
    Read(u16),
    Reload,
}

fn step() -> impl Strategy<Value = Step> {
    let state = prop_oneof![
        Just(State::Master),
        Just(State::Backup),
        Just(State::Fault),
        Just(State::Deleted)
    ];
    prop_oneof![
        8 => (0..6u8, state).prop_map(|(who, state)| Step::Change(who, state)),
        2 => (0..6u8).prop_map(Step::Lower),
        4 => any::<u8>().prop_map(Step::End),
        2 => (0..40_000u16).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Reader),
        1 => (0..2000u16).prop_map(Step::Read),
        1 => Just(Step::Reload),
    ]
}

/// The daemon around the core: which scripts run, with which arguments, what was read.
struct World {
    desk: Desk,
    notify: Notify,
    running: Vec<RunId>,
    ended: SortedSet<RunId>,
    /// The words of the last script of each instance that was started.
    script: SortedMap<String, String>,
    /// The last line about the state of each instance.
    heard: SortedMap<String, String>,
    stands: SortedMap<String, State>,
    present: bool,
}

impl World {
    fn new() -> Self {
        let any = Some(Box::new(script("any")));
        let notify = Notify { any, says_deleted: true, mail: true, ..Notify::default() };
        Self {
            desk: Desk::new(&global()),
            notify: Notify { master_rx_lower_pri: Some(Box::new(script("lower"))), ..notify },
            running: Vec::new(),
            ended: SortedSet::new(),
            script: SortedMap::new(),
            heard: SortedMap::new(),
            stands: SortedMap::new(),
            present: false,
        }
    }

    fn obey(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::RunScript { run, extra, .. } => {
                    self.running.push(run);
                    if let [_, name, state, _] = extra.as_slice() {
                        self.script.insert(name.clone(), state.clone());
                    }
                }
                Action::EndScript { run } => {
                    assert!(self.running.contains(&run), "{run:?} does not run");
                    self.ended.insert(run);
                }
                Action::WriteFifo(_) | Action::SendMail(_) | Action::Noted(_) => {}
            }
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Change(who, state) => {
                let name = format!("I{who}");
                let out = self.desk.instance(&name, state, &self.notify);
                self.obey(out);
                self.stands.insert(name, state);
            }
            Step::Lower(who) => {
                let name = &format!("I{who}").into();
                let notify = &self.notify;
                let out = self.desk.feed(Input::LowerPriority { name, priority: 9, notify });
                self.obey(out);
            }
            Step::End(n) if !self.running.is_empty() => {
                let run = self.running.remove(usize::from(n) % self.running.len());
                let out = self.desk.feed(Input::ScriptEnded(run));
                self.obey(out);
            }
            Step::End(_) => {}
            Step::Wait(millis) => {
                let out = self.desk.pass(Duration::from_millis(millis.into()));
                self.obey(out);
                let next = self.desk.domain.next_deadline();
                assert!(next.is_none_or(|d| d > self.desk.now), "a deadline was not served");
            }
            Step::Reader(present) => {
                self.desk.reader(Which::Vrrp, present);
                self.present = present;
            }
            Step::Read(most) => self.read(most.into()),
            Step::Reload => self.reload(),
        }
    }

    fn read(&mut self, most: usize) {
        for _ in 0..most {
            let Some(line) = self.desk.domain.pending_line(Which::Vrrp) else { return };
            assert!(self.present, "there is no reader");
            let words: Vec<_> = line.split_whitespace().collect();
            if words[2] != "MASTER_RX_LOWER_PRI" {
                let name = words[1].trim_matches('"').to_owned();
                self.heard.insert(name, words[2].to_owned());
            }
            self.desk.domain.line_written(Which::Vrrp);
        }
    }

    fn reload(&mut self) {
        self.desk.feed(Input::Setup(&global()));
        let alive = self.stands.iter().filter(|(_, s)| **s != State::Deleted);
        let list: Vec<_> = alive
            .map(|(name, state)| Standing {
                object: Subject::Instance(name.as_str().into()),
                state: *state,
                priority: 100,
            })
            .rev()
            .collect();
        self.desk.feed(Input::Standing(&list));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_reader_ends_up_with_the_last_states(steps in prop::collection::vec(step(), 0..400)) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
        // Time for everything to come to rest.
        while !world.running.is_empty() {
            world.take(Step::End(0));
        }
        world.take(Step::Reader(true));
        world.take(Step::Read(u16::MAX));
        prop_assert!(world.desk.domain.is_idle());
        for (name, state) in &world.stands {
            prop_assert_eq!(&world.script[name], state.word(), "the last script of {}", name);
            prop_assert_eq!(&world.heard[name], state.word(), "the last line about {}", name);
        }
    }
}
