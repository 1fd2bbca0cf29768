//! What the pool knows of one check.

use std::rc::Rc;

use super::Action;
use crate::base::ids::CheckId;
use crate::base::recalled::RecalledCheck;
use crate::base::time::{Duration, Instant};
use crate::base::verdict::{Verdict, Weight};
use crate::check::schedule::{Conclusion, Life};
use crate::check::timings::{LastResult, Timings};
use crate::model::check::Check;
use crate::model::probed::Probed;

/// One check.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(super) config: Rc<Check>,
    pub(super) life: Life,
    pub(super) probe: ProbeState,
    weight: Weight,
    last: Option<Last>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ProbeState {
    /// Until its deadline. Forever, where nothing is probed.
    Idle,
    /// Due since then, but too many others run.
    Waiting(Instant),
    Running(Instant),
    Suspended,
}

#[derive(Clone, Debug)]
struct Last {
    what: LastFound,
    at: Instant,
}

#[derive(Clone, Debug)]
enum LastFound {
    Now {
        page: usize,
        verdict: Verdict,
        timings: Option<Timings>,
    },
    /// By the program before this one.
    Before(Box<str>),
}

impl Entry {
    /// At rest, whatever it may know.
    pub(super) const fn new(config: Rc<Check>, life: Life) -> Self {
        Self { config, life, probe: ProbeState::Suspended, weight: Weight::Unchanged, last: None }
    }

    /// The same, of a check that is known from before the program was replaced.
    pub(super) fn recalling(self, before: &RecalledCheck) -> Self {
        let last = before.last.clone();
        let last = last.map(|(text, at)| Last { what: LastFound::Before(text), at });
        Self { weight: before.weight, last, ..self }
    }

    /// What it says about the weight of its server.
    pub const fn weight(&self) -> Weight {
        self.weight
    }

    pub const fn config(&self) -> &Rc<Check> {
        &self.config
    }

    pub const fn life(&self) -> &Life {
        &self.life
    }

    pub fn is_suspended(&self) -> bool {
        self.probe == ProbeState::Suspended
    }

    /// What was found last, and when, as far as this program found it.
    pub fn last(&self) -> Option<(LastResult<'_>, Instant)> {
        let Last { what: LastFound::Now { page, verdict, timings }, at } = self.last.as_ref()?
        else {
            return None;
        };
        let probed = Probed { config: &self.config, page: *page };
        Some((LastResult { probed, verdict, timings: timings.as_ref() }, *at))
    }

    /// What was found last, in words, and when.
    pub fn last_words(&self) -> Option<(String, Instant)> {
        let Last { what, at } = self.last.as_ref()?;
        let words = match what {
            LastFound::Now { .. } => self.last()?.0.to_string(),
            LastFound::Before(words) => words.to_string(),
        };
        Some((words, *at))
    }

    /// Takes a result. Returns the time to the next probe.
    pub(super) fn take(
        &mut self,
        check: CheckId,
        verdict: Verdict,
        timings: Option<Timings>,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Duration {
        let page = self.life.page();
        let is_probed = timings.is_some();
        let step = match verdict {
            Verdict::Up(_) => self.life.on_success(&self.config),
            Verdict::Down(_) if !is_probed => self.life.on_certain_failure(),
            Verdict::Down(ref reason) if reason.is_ours() => self.life.on_unmade(&self.config),
            Verdict::Down(_) => self.life.on_failure(&self.config),
        };
        let weight = match verdict {
            Verdict::Up(weight) => weight,
            // A server that is down keeps its weight for when it is up again.
            Verdict::Down(_) => self.weight,
        };
        let weighs_otherwise = std::mem::replace(&mut self.weight, weight) != weight;
        let result = |turned, first, retries| {
            let verdict = verdict.clone();
            Action::Result { check, page, verdict, turned, first, retries }
        };
        out.extend(match step.conclusion {
            Conclusion::Same if weighs_otherwise => Some(result(false, false, 0)),
            Conclusion::Same => None,
            Conclusion::Page(page) => Some(Action::PageUp { check, page }),
            Conclusion::Retry { nth, of } => Some(Action::Retrying { check, nth, of }),
            Conclusion::Result { turned, first, retries, .. } => {
                Some(result(turned, first, retries))
            }
        });
        self.last = Some(Last { what: LastFound::Now { page, verdict, timings }, at: now });
        step.delay
    }
}
