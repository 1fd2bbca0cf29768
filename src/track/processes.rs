//! Processes: which ones match, how many are wanted, and how long a change is not yet believed.

use super::action::Action;
use super::input::Process;
use super::note::Note;
use crate::base::sorted::SortedMap;
use crate::base::time::Instant;
use crate::base::tracked::TrackState;
use crate::model::track::{Object, ParamMatch, TrackProcess};

/// The longest name that the kernel keeps for a process.
const COMM_LEN: usize = 15;

#[derive(Debug, Default)]
pub(super) struct Processes {
    by_name: SortedMap<String, Tracker>,
}

/// One tracked process: any number of processes that match.
#[derive(Debug)]
struct Tracker {
    config: TrackProcess,
    /// The processes and threads that match, each with the process it belongs to.
    matching: SortedMap<u32, u32>,
    /// The processes that count: how many of the above each has.
    processes: SortedMap<u32, u32>,
    told: TrackState,
    /// The processes were counted once.
    is_counted: bool,
    /// When the other verdict will be believed.
    believed_at: Option<Instant>,
}

impl Processes {
    pub(super) fn on_configure(&mut self, processes: &[TrackProcess], out: &mut Vec<Action>) {
        let mut old = std::mem::take(&mut self.by_name);
        let mut has_news = false;
        for config in processes {
            // Definitions may repeat a name; the first one is meant.
            if self.by_name.contains_key(&config.name) {
                continue;
            }
            let before = old.remove(&config.name);
            let is_same = before.as_ref().is_some_and(|b| b.config == *config);
            has_news |= !is_same;
            let mut tracker = before.unwrap_or_else(|| Tracker::new(config, out));
            if !is_same {
                // Until they are counted anew, the old verdict stands.
                tracker.config = config.clone();
                tracker.is_counted = false;
                tracker.believed_at = None;
                tracker.clear();
            }
            self.by_name.insert(config.name.clone(), tracker);
        }
        if has_news {
            out.push(Action::ScanProcesses);
        }
    }

    pub(super) fn on_scan(&mut self, all: &[Process<'_>], now: Instant, out: &mut Vec<Action>) {
        for t in self.by_name.values_mut() {
            let before = t.processes.len();
            t.clear();
            all.iter().for_each(|p| t.look_at(p));
            t.reconsider(before, now, out);
        }
    }

    pub(super) fn on_seen(&mut self, process: &Process<'_>, now: Instant, out: &mut Vec<Action>) {
        for t in self.by_name.values_mut() {
            let before = t.processes.len();
            t.look_at(process);
            t.reconsider(before, now, out);
        }
    }

    pub(super) fn on_gone(&mut self, pid: u32, now: Instant, out: &mut Vec<Action>) {
        for t in self.by_name.values_mut() {
            let before = t.processes.len();
            if t.forget(pid) {
                t.reconsider(before, now, out);
            }
        }
    }

    pub(super) fn on_deadline(&mut self, now: Instant, out: &mut Vec<Action>) {
        for t in self.by_name.values_mut() {
            if t.believed_at.is_some_and(|when| when <= now) {
                t.believe(out);
            }
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.by_name.values().filter_map(|t| t.believed_at).min()
    }

    pub(super) fn state(&self, name: &str) -> Option<TrackState> {
        Some(self.by_name.get(name)?.told.clone())
    }

    /// A change waits to be believed.
    pub(super) fn is_waiting(&self, name: &str) -> bool {
        self.by_name.get(name).is_some_and(|t| t.believed_at.is_some())
    }

    pub(super) fn is_used(&self) -> bool {
        !self.by_name.is_empty()
    }
}

impl Tracker {
    fn new(config: &TrackProcess, out: &mut Vec<Action>) -> Self {
        let (object, state) = (Object::Process(config.name.clone()), TrackState::Pending);
        out.push(Action::Changed { object, state: state.clone() });
        Self {
            config: config.clone(),
            matching: SortedMap::new(),
            processes: SortedMap::new(),
            told: state,
            is_counted: false,
            believed_at: None,
        }
    }

    fn clear(&mut self) {
        self.matching.clear();
        self.processes.clear();
    }

    /// Takes in what a process or a thread is now.
    fn look_at(&mut self, process: &Process<'_>) {
        self.forget(process.pid);
        if is_match(&self.config, process) {
            self.matching.insert(process.pid, process.leader);
            *self.processes.entry(process.leader).or_default() += 1;
        }
    }

    /// It is gone; false if it did not matter.
    fn forget(&mut self, pid: u32) -> bool {
        let Some(leader) = self.matching.remove(&pid) else { return false };
        if let Some(count) = self.processes.get_mut(&leader) {
            *count -= 1;
            if *count == 0 {
                self.processes.remove(&leader);
            }
        }
        true
    }

    /// The state that the processes there are now would mean.
    fn found(&self) -> TrackState {
        let count = u32::try_from(self.processes.len()).unwrap_or(u32::MAX);
        TrackState::processes(count, self.config.quorum, self.config.quorum_max)
    }

    /// There were `before` processes. A change is believed at once or after its delay; until then
    /// it can be taken back.
    fn reconsider(&mut self, before: usize, now: Instant, out: &mut Vec<Action>) {
        if !std::mem::replace(&mut self.is_counted, true) {
            self.believe(out);
            return;
        }
        let count = self.processes.len();
        if count == before {
            return;
        }
        if self.found().is_up() == self.told.is_up() {
            self.believed_at = None;
            return;
        }
        let delay =
            if count > before { self.config.fork_delay } else { self.config.terminate_delay };
        if delay.is_zero() {
            self.believe(out);
        } else if self.believed_at.is_none() {
            self.believed_at = Some(now + delay);
        }
    }

    /// Takes what is there now for the state, and reports it if it is another one.
    fn believe(&mut self, out: &mut Vec<Action>) {
        self.believed_at = None;
        let state = self.found();
        if !self.told.is_pending() && state.is_up() == self.told.is_up() {
            return;
        }
        let process = self.config.name.clone();
        let object = Object::Process(process.clone());
        let note = match state.is_up() {
            true => Note::QuorumGained { process },
            false => Note::QuorumLost { process },
        };
        self.told = state.clone();
        out.push(Action::Noted(note));
        out.push(Action::Changed { object, state });
    }
}

/// Whether a process, or a thread, is one that is looked for.
fn is_match(config: &TrackProcess, process: &Process<'_>) -> bool {
    let wanted = config.process.as_bytes();
    let by_command = config.full_command || config.param_match != ParamMatch::Any;
    if !by_command && !wanted.contains(&b'/') {
        // Threads have names of their own, and daemons are known by them.
        return process.comm == &wanted[..wanted.len().min(COMM_LEN)];
    }
    if process.pid != process.leader {
        return false;
    }
    let mut words = words(process.cmdline);
    let command = words.next();
    // A daemon that rewrites its command line is still known by what it executes.
    let is_named = command == Some(wanted) || !by_command && process.exe == Some(wanted);
    is_named && params_match(config, words)
}

/// `/proc/PID/cmdline`: words, each ended by a zero byte.
fn words(cmdline: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = cmdline.strip_suffix(&[0]).unwrap_or(cmdline);
    let is_empty = cmdline.is_empty();
    text.split(|byte| *byte == 0).filter(move |_| !is_empty)
}

fn params_match<'a>(config: &TrackProcess, mut found: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut wanted = config.params.iter().map(String::as_bytes).peekable();
    if config.param_match == ParamMatch::Any {
        return true;
    }
    while let Some(want) = wanted.next() {
        let Some(have) = found.next() else { return false };
        let may_be_longer = config.param_match == ParamMatch::Initial && wanted.peek().is_none();
        if !(have == want || may_be_longer && have.starts_with(want)) {
            return false;
        }
    }
    config.param_match != ParamMatch::Exact || found.next().is_none()
}

#[cfg(test)]
mod tests;
