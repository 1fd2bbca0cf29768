//! The states of a virtual router, and the only way from one into another.
//!
//! What exists in one state only lives in that state.

use std::net::IpAddr;
use std::rc::Rc;

use super::action::{Action, Phase};
use super::announce::Schedule;
use super::cause::Cause;
use super::instance::LastHeard;
use super::refused::Refused;
use crate::base::ids::InstanceId;
use crate::base::time::{Duration, Instant};

#[derive(Debug)]
pub(super) enum State {
    Init,
    /// It has begun, but something it depends on has no result yet. To the outside it is still INIT.
    Waiting,
    Fault,
    Backup(Backup),
    Master(Master),
}

#[derive(Debug)]
pub(super) struct Backup {
    /// When to take over unless another router advertises. Moved by every valid advertisement.
    pub(super) master_down: Instant,
    /// From when silence counts.
    pub(super) silent_since: Instant,
    pub(super) preempt: PreemptDelay,
    /// The router that said goodbye with priority 0, if no other has advertised since.
    pub(super) resigned: Option<IpAddr>,
    /// The last advertisement that was not believed, for its priority was lower than ours, with its
    /// interval. Rare, and therefore apart.
    pub(super) discarded: Option<Box<(LastHeard, Duration)>>,
    /// Its own deadline has passed, but the sync group is not ready.
    pub(super) wants_master: bool,
    /// It has been in no other state before.
    pub(super) is_first: bool,
    /// The master got a second chance because we were asleep.
    pub(super) second_chance: bool,
    /// What was refused since the last valid advertisement.
    pub(super) refused: Option<Box<Refused>>,
}

impl Backup {
    /// Until when the master that was not believed would still be one.
    pub(super) fn rival_until(&self) -> Option<Instant> {
        let (heard, interval) = self.discarded.as_deref()?;
        self.resigned.is_none().then(|| rival_until(heard.at, *interval))
    }
}

/// A master that advertised at this time, with this interval, is one for so long.
pub(super) fn rival_until(heard: Instant, interval: Duration) -> Instant {
    heard + 3 * interval
}

/// `preempt_delay`: how long a lower-priority master is tolerated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PreemptDelay {
    Idle,
    Until(Instant),
}

#[derive(Debug)]
pub(super) struct Master {
    pub(super) next_advert: Instant,
    pub(super) last_advert: Instant,
    /// When routers of lower priority were last answered as a whole. What arrived before that is
    /// answered with it.
    pub(super) asserted: Option<Instant>,
    /// When a goodbye or a lower priority was last answered.
    pub(super) answered: Option<Instant>,
    /// The next advertisement comes early, for it is an answer.
    pub(super) owes_answer: bool,
    pub(super) announce: Schedule,
    /// The addresses are in the kernel.
    pub(super) held: bool,
    /// The first advertisement waits for that: with it, the virtual MAC moves here, and the former
    /// master stops serving.
    pub(super) is_quiet: bool,
}

/// The state of an instance. It changes with a cause and is reported, or it does not change.
#[derive(Debug)]
pub(super) struct StateCell {
    state: State,
    since: Instant,
}

impl StateCell {
    pub(super) const fn new(now: Instant) -> Self {
        Self { state: State::Init, since: now }
    }

    pub(super) const fn get(&self) -> &State {
        &self.state
    }

    /// When the state was entered.
    pub(super) const fn since(&self) -> Instant {
        self.since
    }

    pub(super) fn date_back(&mut self, since: Instant) {
        self.since = self.since.min(since);
    }

    pub(super) const fn phase(&self) -> Phase {
        match self.state {
            State::Init | State::Waiting => Phase::Init,
            State::Fault => Phase::Fault,
            State::Backup(_) => Phase::Backup,
            State::Master(_) => Phase::Master,
        }
    }

    pub(super) fn backup(&mut self) -> Option<&mut Backup> {
        match &mut self.state {
            State::Backup(backup) => Some(backup),
            _ => None,
        }
    }

    pub(super) fn master(&mut self) -> Option<&mut Master> {
        match &mut self.state {
            State::Master(master) => Some(master),
            _ => None,
        }
    }

    /// From INIT, it waits for first results. It is INIT to the outside, so there is nothing to
    /// report.
    pub(super) fn wait(&mut self) {
        if matches!(self.state, State::Init) {
            self.state = State::Waiting;
        }
    }

    /// Enters another state, and returns the report of that.
    pub(super) fn enter(
        &mut self,
        id: InstanceId,
        state: State,
        cause: Cause,
        now: Instant,
    ) -> Action {
        let from = self.phase();
        *self = Self { state, since: now };
        Action::Changed { id, from, to: self.phase(), cause: Rc::new(cause) }
    }

    /// Ends: as `STOP` or `DELETED`, after which it is as it was before its start.
    pub(super) fn leave(
        &mut self,
        id: InstanceId,
        to: Phase,
        cause: Cause,
        now: Instant,
    ) -> Action {
        let from = self.phase();
        *self = Self::new(now);
        Action::Changed { id, from, to, cause: Rc::new(cause) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rare_takes_no_room_in_every_instance() {
        assert!(size_of::<StateCell>() <= 120, "{}", size_of::<StateCell>());
        assert!(size_of::<crate::vrrp::Instance>() <= 400);
    }
}
