//! What is under way when another program takes over: scripts that run or wait, lines of FIFOs.

use std::collections::VecDeque;

use super::action::{Action, RunId, Which};
use super::input::{State, Subject};
use super::scripts::{Change, Job};
use super::{words, Domain, MASTER_RX_LOWER_PRI};
use crate::base::time::Instant;
use crate::model::script::Script;

/// A script that runs for an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunningScript {
    pub run: RunId,
    pub of: Subject,
    /// As it is shown.
    pub command: String,
}

/// A change whose scripts wait.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingScripts {
    pub of: Subject,
    pub word: String,
    /// It is no change of state.
    pub is_minor: bool,
    /// Each with the arguments after its own.
    pub scripts: Vec<(Script, Vec<String>)>,
}

impl Domain {
    /// The scripts that run, at most one of each object.
    pub fn running_scripts(&self) -> Vec<RunningScript> {
        self.scripts.running()
    }

    /// The changes whose scripts wait, in order.
    pub fn waiting_scripts(&self) -> Vec<WaitingScripts> {
        let waiting = |(of, change): (&Subject, &Change)| WaitingScripts {
            of: of.clone(),
            word: change.word.to_owned(),
            is_minor: change.minor,
            scripts: change.jobs.iter().map(|j| (j.script.clone(), j.extra.clone())).collect(),
        };
        self.scripts.changes().map(waiting).collect()
    }

    /// Lines that no reader has got.
    pub fn unread_lines(&self, which: Which) -> Vec<String> {
        self.pipes.unread(which)
    }

    /// A script of the program before this one runs for an object.
    pub fn resume_script(&mut self, of: Subject, command: &str, now: Instant) -> RunId {
        self.scripts.resume(of, command, now)
    }

    /// A change of the program before this one waits for its scripts.
    pub fn resume_change(&mut self, waiting: WaitingScripts, now: Instant, out: &mut Vec<Action>) {
        let jobs = waiting.scripts.into_iter().map(|(script, extra)| Job { script, extra });
        let jobs: VecDeque<_> = jobs.collect();
        let change = Change { word: known(&waiting.word), minor: waiting.is_minor, jobs };
        self.scripts.add(&waiting.of, change, now, out);
    }

    /// A line of the program before this one waits for the reader of a FIFO.
    pub fn resume_line(&mut self, which: Which, line: &str, out: &mut Vec<Action>) {
        self.pipes.tell_again(which, line, out);
    }
}

/// The word of a change.
fn known(word: &str) -> &'static str {
    let states = [State::Master, State::Backup, State::Fault, State::Stop, State::Deleted];
    let others = [words::up_down(true), words::up_down(false), MASTER_RX_LOWER_PRI];
    let mut all = states.map(State::word).into_iter().chain(others);
    all.find(|known| *known == word).unwrap_or_default()
}
