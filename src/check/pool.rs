//! All checks: which probe begins when, and what its result means.
//!
//! First probes are spread over the warm-up. No more probes than a limit run at once; the others
//! wait in the order in which they came due. Checks that follow a file or a BFD session are not
//! probed: their result comes with the value or the state.

mod entry;
mod results;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::rc::Rc;

use super::schedule::Life;
use super::timings::Timings;
use super::{bfd, file};
use crate::base::deadlines::NumberedDeadlines;
use crate::base::ids::CheckId;
use crate::base::recalled::{RecalledCheck, RecalledRun};
use crate::base::rng::Rng;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::{Duration, Instant};
use crate::base::tracked::TrackState;
use crate::base::verdict::Verdict;
use crate::model::check::{Check, Kind};
use crate::model::probed::keyword;
pub use entry::Entry;
use entry::ProbeState;
pub use results::Results;

/// One fact.
#[derive(Debug)]
pub enum Input<'a> {
    /// A new check. `up`: what is assumed until its first result.
    Add {
        check: CheckId,
        config: Rc<Check>,
        up: bool,
        suspended: bool,
        /// From before the program was replaced.
        recalled: Option<RecalledCheck>,
    },
    /// The same check with another schedule; of a file, with another weight, too.
    Adjust {
        check: CheckId,
        config: Rc<Check>,
    },
    Remove(CheckId),
    /// No probes until [`Input::Resume`]; the last result stays.
    Suspend(CheckId),
    Resume(CheckId),
    /// The result of a probe.
    Done {
        check: CheckId,
        verdict: Verdict,
        timings: Timings,
    },
    /// The value of a tracked file.
    File {
        name: &'a str,
        value: i64,
    },
    /// The state of a BFD session.
    Bfd {
        name: &'a str,
        state: &'a TrackState,
    },
    /// The next probe is to begin at once, unless one runs or waits already.
    Hurry(CheckId),
    /// Time has passed.
    Deadline,
}

/// One thing to do or to report. The timings of a result are in [`Pool::check`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub enum Action {
    /// Begin a probe; `Input::Done` answers. `page`: which `url`.
    Begin { check: CheckId, page: usize },
    /// The script of a check goes on; `Input::Done` answers.
    GoOn { check: CheckId, run: RecalledRun },
    /// Forget the probe that is under way.
    Abort(CheckId),
    /// A failure that does not count yet.
    Retrying { check: CheckId, nth: u32, of: u32 },
    /// One `url` is well, of a server that is not up yet.
    PageUp { check: CheckId, page: usize },
    /// The first result, or another one than before, in state or in weight.
    Result {
        check: CheckId,
        /// Which `url`.
        page: usize,
        verdict: Verdict,
        turned: bool,
        first: bool,
        /// How often it was tried again in vain.
        retries: u32,
    },
}

/// All checks of the daemon.
#[derive(Debug)]
pub struct Pool {
    entries: Vec<Option<Entry>>,
    deadlines: NumberedDeadlines<CheckId>,
    /// Due, but too many others run.
    waiting: SortedSet<(Instant, CheckId)>,
    running: usize,
    limit: usize,
    rng: Rng,
    files: SortedMap<String, Followed<i64>>,
    sessions: SortedMap<String, Followed<TrackState>>,
    /// By the keyword of the check.
    results: SortedMap<Cow<'static, str>, Results>,
}

/// What is known of something that checks follow.
#[derive(Debug, Clone)]
struct Followed<T> {
    value: Option<T>,
    followers: SortedSet<CheckId>,
}

impl<T> Default for Followed<T> {
    fn default() -> Self {
        Self { value: None, followers: SortedSet::new() }
    }
}

/// Probes begun at one deadline. Opening a socket takes time, and others have deadlines, too.
const BATCH: usize = 64;
/// A first probe waits at least this long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// In microseconds. Probes begin at multiples of it, so that those of a thousand servers share fifty
/// wake-ups a second. After each, the caches of the processor are cold, which costs as much as the
/// probe itself.
const BEAT: u64 = 20_000;
/// The beat of commands, which cost so much that sharing a wake-up saves nothing, and of checks that
/// are made more often than once a second.
const FAST_BEAT: u64 = 5_000;
const FAST: Duration = Duration::from_secs(1);
/// Where the beat would matter, it is not kept.
const SHORT: Duration = Duration::from_millis(200);

impl Pool {
    /// At most `limit` probes run at once. When first probes begin follows from `seed`.
    pub fn new(limit: usize, seed: u64) -> Self {
        Self {
            entries: Vec::new(),
            deadlines: NumberedDeadlines::default(),
            waiting: SortedSet::new(),
            running: 0,
            limit: limit.max(1),
            rng: Rng::new(seed),
            files: SortedMap::new(),
            sessions: SortedMap::new(),
            results: SortedMap::new(),
        }
    }

    /// At most so many probes run at once from now on. Those under way go on.
    pub fn limit_to(&mut self, limit: usize) {
        self.limit = limit.max(1);
    }

    /// Takes one fact. Appends what must be done, in the order it must be done.
    pub fn handle(&mut self, input: Input<'_>, now: Instant, out: &mut Vec<Action>) {
        match input {
            Input::Add { check, config, up, suspended, recalled } => {
                let Some(recalled) = recalled else {
                    let life = Life::new(&config, up);
                    return self.on_add(check, Entry::new(config, life), suspended, now, out);
                };
                let life = Life::recalled(&config, up, &recalled);
                let entry = Entry::new(config, life).recalling(&recalled);
                self.on_add(check, entry, suspended, now, out);
                self.go_on(check, &recalled, out);
            }
            Input::Adjust { check, config } => self.on_adjust(check, config, now, out),
            Input::Remove(check) => self.on_remove(check, out),
            Input::Suspend(check) => self.on_suspend(check, out),
            Input::Resume(check) => self.on_resume(check, now, out),
            Input::Done { check, verdict, timings } => {
                self.on_done(check, verdict, timings, now, out);
            }
            Input::File { name, value } => self.on_file(name, value, now, out),
            Input::Bfd { name, state } => self.on_bfd(name, state, now, out),
            Input::Hurry(check) => self.on_hurry(check, now),
            Input::Deadline => self.on_deadline(now, out),
        }
        // Looking at everything after each fact is not for thousands.
        if cfg!(debug_assertions) && self.entries.len() <= 64 {
            self.check_invariants();
        }
    }

    /// When `handle(Input::Deadline, ..)` next has work. Early calls do nothing.
    pub fn next_deadline(&self) -> Option<Instant> {
        let waiting = self.waiting.first().filter(|_| self.running < self.limit);
        waiting.map(|(since, _)| *since).into_iter().chain(self.deadlines.next()).min()
    }

    /// What the program that takes over is to know of a check; `None` if it has neither a result nor a
    /// probe to come. The run of its script is left out.
    pub fn recall(&self, check: CheckId, now: Instant) -> Option<RecalledCheck> {
        let entry = self.check(check)?;
        let had_run = entry.life.has_run();
        let due = match entry.probe {
            ProbeState::Idle => self.deadlines.of(&check),
            // The probe begins anew, unless it is a script that goes on.
            ProbeState::Waiting(_) | ProbeState::Running(_) => Some(now),
            ProbeState::Suspended => None,
        };
        if !had_run && due.is_none() {
            return None;
        }
        let (was_up, retries) = (entry.life.is_up(), entry.life.retries());
        let last = entry.last_words().map(|(words, at)| (words.into(), at));
        let weight = entry.weight();
        Some(RecalledCheck { was_up, had_run, weight, retries, due, last, run: None })
    }

    pub fn check(&self, check: CheckId) -> Option<&Entry> {
        self.entries.get(check.0 as usize)?.as_ref()
    }

    /// Probes under way, and how many more are due.
    pub fn load(&self) -> (usize, usize) {
        (self.running, self.waiting.len())
    }

    /// What probes found since the start, by the keyword of the check.
    pub fn results(&self) -> impl Iterator<Item = (&str, &Results)> {
        self.results.iter().map(|(kind, results)| (&**kind, results))
    }

    /// What probes of a kind found before the program was replaced.
    pub fn recall_results(&mut self, kind: String, before: Results) {
        self.results.insert(kind.into(), before);
    }

    fn entry_mut(&mut self, check: CheckId) -> Option<&mut Entry> {
        self.entries.get_mut(check.0 as usize)?.as_mut()
    }

    fn on_add(
        &mut self,
        check: CheckId,
        entry: Entry,
        suspended: bool,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        self.on_remove(check, out);
        let at = check.0 as usize;
        if self.entries.len() <= at {
            self.entries.resize(at + 1, None);
        }
        let warmup = entry.config.schedule.warmup;
        self.entries[at] = Some(entry);
        self.follow(check);
        if !suspended {
            self.resume(check, FIRST_WAIT, warmup, now, out);
        }
    }

    /// The schedule of a check that is probed goes on, and so does the run of its script.
    fn go_on(&mut self, check: CheckId, recalled: &RecalledCheck, out: &mut Vec<Action>) {
        if self.deadlines.of(&check).is_none() {
            return;
        }
        if let Some(run) = recalled.run {
            self.deadlines.set(check, None);
            self.running += 1;
            if let Some(entry) = self.entry_mut(check) {
                entry.probe = ProbeState::Running(run.begun);
            }
            out.push(Action::GoOn { check, run });
        } else if let Some(due) = recalled.due {
            self.deadlines.set(check, Some(due));
        }
    }

    /// Files what a check depends on that is not probed.
    fn follow(&mut self, check: CheckId) {
        let Some(entry) = self.entries.get(check.0 as usize).and_then(Option::as_ref) else {
            return;
        };
        match &entry.config.kind {
            Kind::File(file) => {
                self.files.entry(file.name.clone()).or_default().followers.insert(check);
            }
            Kind::Bfd(name) => {
                self.sessions.entry(name.clone()).or_default().followers.insert(check);
            }
            _ => {}
        }
    }

    fn on_adjust(
        &mut self,
        check: CheckId,
        config: Rc<Check>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(entry) = self.entry_mut(check) else { return };
        entry.life.adjust(&config);
        let latest = now + config.schedule.delay_loop;
        entry.config = Rc::clone(&config);
        if let Kind::File(file) = &config.kind {
            // It may count otherwise now.
            if let Some(value) = self.files.get(&file.name).and_then(|f| f.value) {
                self.on_told(check, file::verdict(file, value), now, out);
            }
        }
        if self.deadlines.of(&check).is_some_and(|when| when > latest) {
            self.deadlines.set(check, Some(latest));
        }
    }

    fn on_remove(&mut self, check: CheckId, out: &mut Vec<Action>) {
        if self.check(check).is_none() {
            return;
        }
        self.set_aside(check, out);
        let Some(entry) = self.entries.get_mut(check.0 as usize).and_then(Option::take) else {
            return;
        };
        // What is known of a file or a session stays: others may come to follow it.
        match &entry.config.kind {
            Kind::File(file) => {
                self.files.get_mut(&file.name).map(|f| f.followers.remove(&check));
            }
            Kind::Bfd(name) => {
                self.sessions.get_mut(name).map(|f| f.followers.remove(&check));
            }
            _ => {}
        }
    }

    fn on_suspend(&mut self, check: CheckId, out: &mut Vec<Action>) {
        self.set_aside(check, out);
        if let Some(entry) = self.entry_mut(check) {
            entry.probe = ProbeState::Suspended;
        }
    }

    fn on_resume(&mut self, check: CheckId, now: Instant, out: &mut Vec<Action>) {
        if self.check(check).is_some_and(Entry::is_suspended) {
            self.resume(check, Duration::ZERO, FIRST_WAIT, now, out);
        }
    }

    /// What is neither probed nor suspended has a deadline.
    fn on_hurry(&mut self, check: CheckId, now: Instant) {
        if self.deadlines.of(&check).is_some() {
            self.deadlines.set(check, Some(now));
        }
    }

    /// Takes a check out of everything that could make it run.
    fn set_aside(&mut self, check: CheckId, out: &mut Vec<Action>) {
        self.deadlines.set(check, None);
        let Some(entry) = self.entry_mut(check) else { return };
        match std::mem::replace(&mut entry.probe, ProbeState::Idle) {
            ProbeState::Waiting(since) => {
                self.waiting.remove(&(since, check));
            }
            ProbeState::Running(_) => {
                self.running -= 1;
                out.push(Action::Abort(check));
            }
            ProbeState::Idle | ProbeState::Suspended => {}
        }
    }

    /// Begins to probe, or hears what is known.
    fn resume(
        &mut self,
        check: CheckId,
        least: Duration,
        spread: Duration,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(entry) = self.entry_mut(check) else { return };
        entry.probe = ProbeState::Idle;
        let config = Rc::clone(&entry.config);
        match &config.kind {
            Kind::File(file) => {
                if let Some(value) = self.files.get(&file.name).and_then(|f| f.value) {
                    self.on_told(check, file::verdict(file, value), now, out);
                }
            }
            Kind::Bfd(name) => {
                let state = self.sessions.get(name).and_then(|f| f.value.as_ref());
                if let Some(verdict) = state.map(bfd::verdict) {
                    self.on_told(check, verdict, now, out);
                }
            }
            _ => {
                let spread = u64::try_from(spread.as_micros()).unwrap_or(u64::MAX);
                let delay = least + Duration::from_micros(self.rng.between(0, spread));
                self.deadlines.set(check, Some(on_beat(&config.kind, now, delay)));
            }
        }
    }

    fn on_done(
        &mut self,
        check: CheckId,
        verdict: Verdict,
        timings: Timings,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(begun) = self.finished(check) else { return };
        let Some(entry) = self.entries.get_mut(check.0 as usize).and_then(Option::as_mut) else {
            return;
        };
        let results = self.results.entry(keyword(&entry.config.kind).into()).or_default();
        results.add(&verdict, timings.total);
        let delay = entry.take(check, verdict, Some(timings), now, out);
        let next = match &entry.config.kind {
            kind @ Kind::Misc(_) => on_beat(kind, begun, delay).max(now + Duration::from_micros(1)),
            kind => on_beat(kind, now, delay),
        };
        self.deadlines.set(check, Some(next));
    }

    /// When the probe that ends here began. `None`: there is none, the answer comes too late.
    fn finished(&mut self, check: CheckId) -> Option<Instant> {
        let entry = self.entry_mut(check)?;
        let ProbeState::Running(begun) = entry.probe else { return None };
        entry.probe = ProbeState::Idle;
        self.running -= 1;
        Some(begun)
    }

    fn on_file(&mut self, name: &str, value: i64, now: Instant, out: &mut Vec<Action>) {
        let file = self.files.entry(name.to_owned()).or_default();
        file.value = Some(value);
        for check in file.followers.clone() {
            let Some(entry) = self.check(check) else { continue };
            if let Kind::File(file) = &entry.config.kind {
                let verdict = file::verdict(file, value);
                self.on_told(check, verdict, now, out);
            }
        }
    }

    fn on_bfd(&mut self, name: &str, state: &TrackState, now: Instant, out: &mut Vec<Action>) {
        let session = self.sessions.entry(name.to_owned()).or_default();
        session.value = Some(state.clone());
        for check in session.followers.clone() {
            self.on_told(check, bfd::verdict(state), now, out);
        }
    }

    /// A result without a probe, at which nothing is tried again.
    fn on_told(&mut self, check: CheckId, verdict: Verdict, now: Instant, out: &mut Vec<Action>) {
        if let Some(entry) = self.entry_mut(check).filter(|e| !e.is_suspended()) {
            let _ = entry.take(check, verdict, None, now, out);
        }
    }

    fn on_deadline(&mut self, now: Instant, out: &mut Vec<Action>) {
        while let Some((since, check)) = self.deadlines.pop_due(now) {
            if let Some(entry) = self.entry_mut(check) {
                entry.probe = ProbeState::Waiting(since);
                self.waiting.insert((since, check));
            }
        }
        let room = self.limit.saturating_sub(self.running).min(BATCH);
        for _ in 0..room {
            let Some((_, check)) = self.waiting.pop_first() else { return };
            if let Some(entry) = self.entry_mut(check) {
                entry.probe = ProbeState::Running(now);
                out.push(Action::Begin { check, page: entry.life.page() });
                self.running += 1;
            }
        }
    }

    /// What is true between any two facts.
    fn check_invariants(&self) {
        let states = || self.entries.iter().flatten().map(|e| e.probe);
        let running = states().filter(|s| matches!(s, ProbeState::Running(_))).count();
        assert_eq!(running, self.running);
        assert!(running <= self.limit);
        for (id, entry) in (0..).map(CheckId).zip(&self.entries) {
            let filed = self.deadlines.of(&id).is_some();
            let idle = entry.as_ref().is_some_and(|e| e.probe == ProbeState::Idle);
            assert!(!filed || idle, "{id} is due while {entry:?}");
        }
        assert_eq!(
            states().filter(|s| matches!(s, ProbeState::Waiting(_))).count(),
            self.waiting.len()
        );
    }
}

/// The end of a delay, or a moment before it.
fn on_beat(kind: &Kind, from: Instant, delay: Duration) -> Instant {
    let when = from + delay;
    let beat = match kind {
        _ if delay < SHORT => return when,
        Kind::Misc(_) => FAST_BEAT,
        _ if delay < FAST => FAST_BEAT,
        _ => BEAT,
    };
    Instant::from_micros(when.micros() / beat * beat)
}
