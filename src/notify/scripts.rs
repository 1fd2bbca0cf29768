//! The scripts of each object, one at a time and in order.
//!
//! The reference starts a script and forgets it, so that the one for MASTER can overtake the one
//! for BACKUP. Here the next one waits for the last one, but not for ever.

use std::collections::VecDeque;

use super::action::{Action, Note, RunId};
use super::input::Subject;
use super::unfinished::RunningScript;
use crate::base::deadlines::Deadlines;
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant};
use crate::model::script::Script;

/// So long may a script keep others waiting: then it is ended. A script that keeps none waiting
/// may run for ever, since some are meant to (a service kept in the foreground by
/// `notify_master`). A minute is more than the slowest of useful waits, an address in use or a
/// database that recovers, and less than people take to wonder.
pub(super) const LIMIT: Duration = Duration::from_secs(60);
/// So long it may take to end. The daemon kills it after two seconds; what outlives that hangs in
/// the kernel, on a file server perhaps.
const GRACE: Duration = Duration::from_secs(10);
/// Changes of one object whose scripts may wait.
const MOST_WAITING: usize = 16;
/// Scripts at a time, those past their limit not counted. A thousand instances that fail over
/// together must not start a thousand processes at once.
const MOST_RUNNING: usize = 64;

/// A change, with the scripts that run for it.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) word: &'static str,
    /// Not a change of state: goes first where something has to.
    pub(super) minor: bool,
    pub(super) jobs: VecDeque<Job>,
}

#[derive(Debug)]
pub(super) struct Job {
    pub(super) script: Script,
    pub(super) extra: Vec<String>,
}

#[derive(Debug, Default)]
struct Queue {
    running: Option<RunId>,
    waiting: VecDeque<Change>,
    /// In `Scripts::ready`.
    ready: bool,
}

#[derive(Debug)]
struct Run {
    /// Whose queue waits for it; none at the end of the daemon.
    owner: Option<Subject>,
    shown: String,
    age: RunAge,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum RunAge {
    Young,
    /// Past its limit.
    Old,
    /// Asked to end.
    Ending,
}

#[derive(Debug, Default)]
pub(super) struct Scripts {
    queues: SortedMap<Subject, Queue>,
    runs: SortedMap<RunId, Run>,
    /// Those that could go on if fewer scripts ran.
    ready: VecDeque<Subject>,
    deadlines: Deadlines<RunId>,
    young: usize,
    last: u64,
}

impl Scripts {
    /// Nothing waits, and what runs is past its limit: a service in the foreground, most likely.
    /// What was started at the end of the daemon has no limit and is waited for.
    pub(super) fn is_idle(&self) -> bool {
        let is_service = |run: &Run| run.age == RunAge::Old && run.owner.is_some();
        self.queues.values().all(|q| q.waiting.is_empty()) && self.runs.values().all(is_service)
    }

    pub(super) fn waiting(&self) -> usize {
        self.queues.values().map(|queue| queue.waiting.len()).sum()
    }

    pub(super) fn running(&self) -> Vec<RunningScript> {
        let running = |(run, r): (&RunId, &Run)| {
            let (of, command) = (r.owner.clone()?, r.shown.clone());
            Some(RunningScript { run: *run, of, command })
        };
        self.runs.iter().filter_map(running).collect()
    }

    pub(super) fn changes(&self) -> impl Iterator<Item = (&Subject, &Change)> {
        self.queues.iter().flat_map(|(of, queue)| queue.waiting.iter().map(move |c| (of, c)))
    }

    /// Takes over a run. It has its whole time once more.
    pub(super) fn resume(&mut self, of: Subject, shown: &str, now: Instant) -> RunId {
        self.last += 1;
        let run = RunId(self.last);
        self.queues.entry(of.clone()).or_default().running = Some(run);
        self.deadlines.set(run, Some(now + LIMIT));
        let is_young = self.young < MOST_RUNNING;
        self.young += usize::from(is_young);
        let age = if is_young { RunAge::Young } else { RunAge::Old };
        self.runs.insert(run, Run { owner: Some(of), shown: shown.to_owned(), age });
        run
    }

    pub(super) fn command(&self, run: RunId) -> Option<&str> {
        self.runs.get(&run).map(|r| r.shown.as_str())
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    pub(super) fn add(
        &mut self,
        owner: &Subject,
        change: Change,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        if change.jobs.is_empty() {
            return;
        }
        let queue = self.queues.entry(owner.clone()).or_default();
        // It would say the same once more.
        if change.minor && queue.waiting.iter().any(|e| e.minor) {
            return;
        }
        queue.waiting.push_back(change);
        if queue.waiting.len() > MOST_WAITING {
            // The first may be half done, the last is where things stand.
            let victim = queue.waiting.iter().position(|e| e.minor).unwrap_or(1);
            if let Some(change) = queue.waiting.remove(victim) {
                let note = Note::Skipped { of: owner.clone(), word: change.word };
                out.push(Action::Noted(note));
            }
        }
        match queue.running {
            Some(run) => self.hurry(run, now, out),
            None => self.advance(owner, now, out),
        }
    }

    /// The daemon ends: there is no time to wait, and what waits no longer matters.
    pub(super) fn add_last(&mut self, owner: &Subject, change: Change, out: &mut Vec<Action>) {
        if let Some(queue) = self.queues.get_mut(owner) {
            queue.waiting.clear();
        }
        for job in change.jobs {
            self.start(None, job, None, out);
        }
    }

    /// A run is over. Unknown ones were given up before.
    pub(super) fn on_ended(&mut self, run: RunId, now: Instant, out: &mut Vec<Action>) {
        self.finish(run, now, out);
    }

    pub(super) fn on_deadline(&mut self, now: Instant, out: &mut Vec<Action>) {
        while let Some((_, id)) = self.deadlines.pop_due(now) {
            let Some(run) = self.runs.get_mut(&id) else { continue };
            match run.age {
                RunAge::Young => {
                    run.age = RunAge::Old;
                    self.young -= 1;
                    self.hurry(id, now, out);
                }
                RunAge::Old => {}
                RunAge::Ending => {
                    if let Some(of) = run.owner.clone() {
                        let script = run.shown.clone();
                        out.push(Action::Noted(Note::Abandoned { of, script }));
                    }
                    self.finish(id, now, out);
                }
            }
        }
        self.fill(now, out);
    }

    /// Ends a run that is past its limit, if another one waits for it.
    fn hurry(&mut self, id: RunId, now: Instant, out: &mut Vec<Action>) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let Some(owner) = &run.owner else { return };
        let waits = self.queues.get(owner).is_some_and(|q| !q.waiting.is_empty());
        if run.age == RunAge::Old && waits {
            run.age = RunAge::Ending;
            let (of, script) = (owner.clone(), run.shown.clone());
            out.push(Action::Noted(Note::Overdue { of, script }));
            out.push(Action::EndScript { run: id });
            self.deadlines.set(id, Some(now + GRACE));
        }
    }

    fn finish(&mut self, id: RunId, now: Instant, out: &mut Vec<Action>) {
        let Some(run) = self.runs.remove(&id) else { return };
        self.deadlines.set(id, None);
        if run.age == RunAge::Young {
            self.young -= 1;
        }
        if let Some(owner) = run.owner {
            if let Some(queue) = self.queues.get_mut(&owner) {
                queue.running = None;
            }
            self.advance(&owner, now, out);
        }
        self.fill(now, out);
    }

    /// Starts what waits for a free place.
    fn fill(&mut self, now: Instant, out: &mut Vec<Action>) {
        while self.young < MOST_RUNNING {
            let Some(owner) = self.ready.pop_front() else { return };
            if let Some(queue) = self.queues.get_mut(&owner) {
                queue.ready = false;
            }
            self.advance(&owner, now, out);
        }
    }

    /// Starts the next script of an object, if none of it runs.
    fn advance(&mut self, owner: &Subject, now: Instant, out: &mut Vec<Action>) {
        let Some(queue) = self.queues.get_mut(owner) else { return };
        if queue.running.is_some() || queue.ready {
            return;
        }
        if self.young >= MOST_RUNNING && !queue.waiting.is_empty() {
            queue.ready = true;
            self.ready.push_back(owner.clone());
            return;
        }
        let Some(change) = queue.waiting.front_mut() else {
            self.queues.remove(owner);
            return;
        };
        let job = change.jobs.pop_front();
        if change.jobs.is_empty() {
            queue.waiting.pop_front();
        }
        if let Some(job) = job {
            self.start(Some(owner.clone()), job, Some(now), out);
        }
    }

    fn start(
        &mut self,
        owner: Option<Subject>,
        job: Job,
        now: Option<Instant>,
        out: &mut Vec<Action>,
    ) {
        self.last += 1;
        let run = RunId(self.last);
        if let Some(queue) = owner.as_ref().and_then(|o| self.queues.get_mut(o)) {
            queue.running = Some(run);
        }
        self.deadlines.set(run, now.map(|now| now + LIMIT));
        let age = if now.is_some() { RunAge::Young } else { RunAge::Old };
        self.young += usize::from(age == RunAge::Young);
        self.runs.insert(run, Run { owner, shown: job.script.shown(), age });
        out.push(Action::RunScript { run, script: job.script, extra: job.extra });
    }

    pub(super) fn check_invariants(&self) {
        let young = self.runs.values().filter(|r| r.age == RunAge::Young).count();
        debug_assert_eq!(young, self.young, "young runs");
        debug_assert!(self.young <= MOST_RUNNING, "too many scripts at a time");
        for (owner, queue) in &self.queues {
            debug_assert!(queue.waiting.len() <= MOST_WAITING, "{owner} has a long queue");
            let stuck = queue.running.is_none() && !queue.ready;
            debug_assert!(!stuck, "{owner} waits for nothing");
        }
    }
}
