//! Scripts: when each is run, and how many results in a row make a verdict.

use super::action::Action;
use super::note::Note;
use crate::base::deadlines::Deadlines;
use crate::base::ids::ScriptId;
use crate::base::sorted::SortedMap;
use crate::base::time::{micros, Duration, Instant};
use crate::base::tracked::{Finding, RunEnd, TrackState};
use crate::model::track::{Object, TrackScript};

/// Most starts in one turn. A fork takes long enough to be felt by advertisements.
const BURST: usize = 4;

/// How much later the next ones start.
const SPREAD: Duration = Duration::from_millis(1);

#[derive(Debug, Default)]
pub(super) struct Scripts {
    by_id: SortedMap<ScriptId, Tracker>,
    by_name: SortedMap<String, ScriptId>,
    due: Deadlines<ScriptId>,
    /// Verdicts of the run before, of scripts that are not configured yet.
    recalled: SortedMap<String, (bool, Option<ScriptPast>)>,
    last_id: u32,
}

/// What the program that was replaced by this one knew of a script that had a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScriptPast {
    /// Results in a row, as `rise` and `fall` count them.
    pub result: u32,
    /// The exit status of the last run that had one.
    pub status: i32,
    /// When it is run next.
    pub due: Instant,
    /// A run goes on, and its result is awaited.
    pub is_running: bool,
}

/// One script.
#[derive(Debug)]
struct Tracker {
    config: TrackScript,
    /// 0..=rise+fall-1; from `rise` on it is up.
    result: u32,
    /// The first result counts at once, whatever it is.
    is_fresh: bool,
    /// As last reported.
    told: TrackState,
    /// The exit status of the last run that had one.
    status: i32,
    run: Option<Run>,
}

/// A run that goes on.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    /// It has its result: it took too long.
    is_counted: bool,
    /// It was logged that it is in the way of the next one.
    is_logged: bool,
}

/// How far a script is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// From 0 to rise + fall - 1.
    pub result: u32,
    /// The next result is the first, and counts at once.
    pub is_fresh: bool,
    /// What is known of it comes from the run of the daemon before this one.
    pub is_recalled: bool,
    pub is_running: bool,
    /// It took too long, and has not ended yet.
    pub is_stopping: bool,
}

impl Scripts {
    pub(super) fn on_configure(
        &mut self,
        scripts: &[TrackScript],
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let mut old = std::mem::take(&mut self.by_name);
        let mut started = 0;
        for config in scripts {
            // Definitions may repeat a name; the first one is meant.
            if self.by_name.contains_key(&config.name) {
                continue;
            }
            let before = old.remove(&config.name);
            let id = match before {
                Some(id) if self.keeps(id, config, out) => id,
                before => {
                    let told = before.and_then(|id| self.drop(id, out)).map(|t| t.told);
                    let due = now + SPREAD * (started / BURST as u32);
                    started += 1;
                    self.add(config, told, due, out)
                }
            };
            self.by_name.insert(config.name.clone(), id);
        }
        for id in old.into_values() {
            self.drop(id, out);
        }
        self.recalled.clear();
    }

    pub(super) fn on_recall(&mut self, script: &str, is_up: bool, past: Option<ScriptPast>) {
        self.recalled.insert(script.to_owned(), (is_up, past));
    }

    /// Whether a script is up, and what else is known of it; `None` without a result.
    pub(super) fn past(&self, name: &str, now: Instant) -> Option<(bool, ScriptPast)> {
        let id = self.by_name.get(name)?;
        let t = self.by_id.get(id).filter(|t| !t.told.is_pending() && !t.is_fresh)?;
        let (due, is_running) = (self.due.of(id).unwrap_or(now), t.is_awaited());
        let past = ScriptPast { result: t.result, status: t.status, due, is_running };
        Some((t.told.is_up(), past))
    }

    /// The run of a script that goes on is of use to the program that takes over.
    pub(super) fn is_awaited(&self, id: ScriptId) -> bool {
        self.by_id.get(&id).is_some_and(|t| !t.told.is_pending() && !t.is_fresh && t.is_awaited())
    }

    pub(super) fn id(&self, name: &str) -> Option<ScriptId> {
        self.by_name.get(name).copied()
    }

    /// The same command for the same user: its result stands, the numbers are the new ones.
    fn keeps(&mut self, id: ScriptId, config: &TrackScript, out: &mut Vec<Action>) -> bool {
        let Some(t) = self.by_id.get_mut(&id).filter(|t| t.config.script == config.script) else {
            return false;
        };
        let is_up = t.told.is_up();
        let numbers = |c: &TrackScript| (c.rise, c.fall);
        if numbers(&t.config) != numbers(config) {
            t.result = match (is_up, t.is_fresh) {
                (_, true) => Tracker::first_result(config, config.init_fail),
                (true, false) => config.rise + config.fall - 1,
                (false, false) => 0,
            };
        }
        if let (Some(due), true) = (self.due.of(&id), config.interval < t.config.interval) {
            let last = due - t.config.interval;
            self.due.set(id, Some(last + config.interval));
        }
        t.config = config.clone();
        if !t.told.is_pending() {
            let script = config.name.clone();
            out.push(Action::Noted(Note::KeptOnReload { script, is_up }));
        }
        true
    }

    /// A new script. One that had another command before keeps its verdict until the first result
    /// of the new one, so that a reload alone changes no state.
    fn add(
        &mut self,
        config: &TrackScript,
        before: Option<TrackState>,
        due: Instant,
        out: &mut Vec<Action>,
    ) -> ScriptId {
        let id = ScriptId(self.last_id);
        self.last_id = self.last_id.wrapping_add(1);
        let recalled = self.recalled.remove(&config.name);
        let (recalled, past) =
            recalled.map(|(is_up, past)| (Some(is_up), past)).unwrap_or_default();
        let first = match before {
            None if recalled == Some(true) => TrackState::Up(Finding::Recalled),
            None if recalled == Some(false) => TrackState::Down(Finding::Recalled),
            None if config.init_fail => TrackState::Down(Finding::InitFail),
            None => TrackState::Pending,
            Some(ref before) => before.clone(),
        };
        let mut tracker = Tracker {
            result: match (&before, recalled) {
                (None, Some(true)) => config.rise + config.fall - 1,
                (None, Some(false)) => 0,
                (None, None) => Tracker::first_result(config, config.init_fail),
                (Some(_), _) => Tracker::first_result(config, false),
            },
            // A result that was known counts as before.
            is_fresh: before.is_some() || recalled.is_none(),
            told: first.clone(),
            status: 0,
            run: None,
            config: config.clone(),
        };
        let mut due = due;
        if let Some(past) = past {
            tracker.status = past.status;
            // With other limits, the number would mean something else.
            if (past.result >= config.rise) == (recalled == Some(true)) {
                tracker.result = past.result.min(config.rise + config.fall - 1);
            }
            due = past.due.min(due + config.interval);
            tracker.run = past.is_running.then(Run::default);
        }
        self.by_id.insert(id, tracker);
        self.due.set(id, Some(due));
        if before.is_none() {
            let object = Object::Script(config.name.clone());
            out.push(Action::Changed { object, state: first });
        }
        id
    }

    fn drop(&mut self, id: ScriptId, out: &mut Vec<Action>) -> Option<Tracker> {
        self.due.set(id, None);
        let tracker = self.by_id.remove(&id)?;
        if tracker.run.is_some() {
            out.push(Action::Abandon { script: id });
        }
        Some(tracker)
    }

    pub(super) fn on_deadline(&mut self, now: Instant, out: &mut Vec<Action>) {
        let mut started = 0;
        while started < BURST {
            let Some((when, id)) = self.due.pop_due(now) else { return };
            let Some(t) = self.by_id.get_mut(&id) else { continue };
            // From start to start; what a stall made us miss is not made up for.
            self.due.set(id, Some(next_start(when, t.config.interval, now)));
            if t.start(id, out) {
                started += 1;
            }
        }
        // The others a little later: in between there is time for advertisements.
        while let Some((_, id)) = self.due.pop_due(now) {
            self.due.set(id, Some(now + SPREAD));
        }
    }

    pub(super) fn on_run_now(&mut self, name: &str, now: Instant, out: &mut Vec<Action>) {
        let Some(&id) = self.by_name.get(name) else { return };
        let Some(t) = self.by_id.get_mut(&id).filter(|t| t.run.is_none()) else { return };
        self.due.set(id, Some(now + t.config.interval));
        t.start(id, out);
    }

    pub(super) fn is_running(&self, name: &str) -> Option<bool> {
        Some(self.named(name)?.run.is_some())
    }

    pub(super) fn progress(&self, name: &str) -> Option<Progress> {
        let t = self.named(name)?;
        Some(Progress {
            result: t.result,
            is_fresh: t.is_fresh,
            is_recalled: matches!(
                t.told,
                TrackState::Up(Finding::Recalled) | TrackState::Down(Finding::Recalled)
            ),
            is_running: t.run.is_some(),
            is_stopping: t.run.is_some_and(|run| run.is_counted),
        })
    }

    pub(super) fn on_timed_out(&mut self, id: ScriptId, out: &mut Vec<Action>) {
        let Some(t) = self.by_id.get_mut(&id) else { return };
        let Some(run) = t.run.as_mut().filter(|run| !run.is_counted) else { return };
        run.is_counted = true;
        t.count(RunEnd::TimedOut, out);
    }

    pub(super) fn on_exited(&mut self, id: ScriptId, end: RunEnd, out: &mut Vec<Action>) {
        let Some(t) = self.by_id.get_mut(&id) else { return };
        if t.run.take().is_some_and(|run| !run.is_counted) {
            t.count(end, out);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.due.next()
    }

    pub(super) fn config(&self, id: ScriptId) -> Option<&TrackScript> {
        self.by_id.get(&id).map(|t| &t.config)
    }

    pub(super) fn state(&self, name: &str) -> Option<TrackState> {
        Some(self.named(name)?.told.clone())
    }

    fn named(&self, name: &str) -> Option<&Tracker> {
        self.by_id.get(self.by_name.get(name)?)
    }
}

impl Tracker {
    /// From where one success is enough; or, after `init_fail`, `rise` of them.
    const fn first_result(config: &TrackScript, failed: bool) -> u32 {
        if failed {
            0
        } else {
            config.rise - 1
        }
    }

    fn is_awaited(&self) -> bool {
        self.run.is_some_and(|run| !run.is_counted)
    }

    /// Starts a run, unless one goes on.
    fn start(&mut self, script: ScriptId, out: &mut Vec<Action>) -> bool {
        match &mut self.run {
            None => {
                self.run = Some(Run::default());
                out.push(Action::Run { script, timeout: self.config.timeout });
                true
            }
            Some(run) => {
                if !std::mem::replace(&mut run.is_logged, true) {
                    let script = self.config.name.clone();
                    out.push(Action::Noted(Note::StillRunning { script }));
                }
                false
            }
        }
    }

    /// Takes a result into account.
    fn count(&mut self, end: RunEnd, out: &mut Vec<Action>) {
        let (rise, top) = (self.config.rise, self.config.rise + self.config.fall - 1);
        if let RunEnd::Exit(status) = end {
            if std::mem::replace(&mut self.status, status) != status {
                let script = self.config.name.clone();
                out.push(Action::Noted(Note::Returning { script, status }));
            }
        }
        let is_fresh = std::mem::take(&mut self.is_fresh);
        self.result = match (end.is_success(), self.result) {
            (true, result) if result + 1 < rise => result + 1,
            (true, _) => top,
            (false, result) if result > rise => result - 1,
            (false, _) => 0,
        };
        let script = self.config.name.clone();
        if self.result >= rise {
            if !self.told.is_up() {
                out.push(Action::Noted(Note::ScriptSucceeded { script }));
                self.tell(TrackState::Up(Finding::Run(end)), out);
            }
        } else if is_fresh || self.told.is_up() {
            if end.is_success() {
                // `init_fail`, and it takes more than one success.
                return;
            }
            out.push(Action::Noted(Note::ScriptFailed { script, end: end.clone() }));
            self.tell(TrackState::Down(Finding::Run(end)), out);
        }
    }

    fn tell(&mut self, state: TrackState, out: &mut Vec<Action>) {
        if self.told != state {
            self.told = state.clone();
            out.push(Action::Changed { object: Object::Script(self.config.name.clone()), state });
        }
    }
}

/// The next start of the schedule that began with `last`, after `now`.
fn next_start(last: Instant, interval: Duration, now: Instant) -> Instant {
    let interval_us = micros(interval).max(1);
    let missed = micros(now.since(last)) / interval_us;
    last + Duration::from_micros(interval_us.saturating_mul(missed + 1))
}

#[cfg(test)]
mod tests;
