//! What the pool knows of one check.

use std::rc::Rc;

use super::Action;
use crate::base::ids::CheckId;
use crate::base::time::{Duration, Instant};
use crate::check::schedule::{Life, Said};
use crate::check::timings::{Probed, Timings, Told};
use crate::check::verdict::{Verdict, Weight};
use crate::model::check::Check;

/// One check.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(super) config: Rc<Check>,
    pub(super) life: Life,
    pub(super) stage: Stage,
    weight: Weight,
    last: Option<Last>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// Until its deadline. Forever, where nothing is probed.
    Idle,
    /// Due since then, but too many others run.
    Waiting(Instant),
    Running(Instant),
    Suspended,
}

#[derive(Clone, Debug)]
struct Last {
    page: usize,
    verdict: Verdict,
    timings: Option<Timings>,
    at: Instant,
}

impl Entry {
    /// At rest, whatever it may know.
    pub(super) const fn new(config: Rc<Check>, life: Life) -> Self {
        Self { config, life, stage: Stage::Suspended, weight: Weight::Unchanged, last: None }
    }

    pub const fn config(&self) -> &Rc<Check> {
        &self.config
    }

    pub const fn life(&self) -> &Life {
        &self.life
    }

    pub fn is_suspended(&self) -> bool {
        self.stage == Stage::Suspended
    }

    /// What was found last, and when.
    pub fn last(&self) -> Option<(Told<'_>, Instant)> {
        let Last { page, verdict, timings, at } = self.last.as_ref()?;
        let probed = Probed { config: &self.config, page: *page };
        Some((Told { probed, verdict, timings: timings.as_ref() }, *at))
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
        let told = timings.is_none();
        let step = match verdict {
            Verdict::Up(_) => self.life.on_success(&self.config),
            Verdict::Down(_) if told => self.life.on_certain_failure(),
            Verdict::Down(ref reason) if reason.is_ours() => self.life.on_unmade(&self.config),
            Verdict::Down(_) => self.life.on_failure(&self.config),
        };
        let weight = match verdict {
            Verdict::Up(weight) => weight,
            // A server that is down keeps its weight for when it is up again.
            Verdict::Down(_) => self.weight,
        };
        self.last = Some(Last { page, verdict, timings, at: now });
        let weighs_otherwise = std::mem::replace(&mut self.weight, weight) != weight;
        out.extend(match step.said {
            Said::Same if weighs_otherwise => Some(Action::Result {
                check,
                up: self.life.is_up(),
                weight,
                turned: false,
                first: false,
                retries: 0,
            }),
            Said::Same => None,
            Said::Page(page) => Some(Action::PageUp { check, page }),
            Said::Retry { nth, of } => Some(Action::Retrying { check, nth, of }),
            Said::Result { up, turned, first, retries } => {
                Some(Action::Result { check, up, weight, turned, first, retries })
            }
        });
        step.delay
    }
}
