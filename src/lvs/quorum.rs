//! Whether a virtual server has its quorum. It changes with a cause and is reported, or it does not
//! change.

use std::rc::Rc;

use super::action::{Action, ServiceRef};
use super::cause::QuorumCause;
use crate::base::tally::Tally;
use crate::base::time::Instant;

#[derive(Clone, Debug)]
pub(super) struct Quorum {
    is_met: bool,
    since: Instant,
    /// Before the program was replaced.
    recalled: Option<(bool, Instant)>,
}

impl Quorum {
    /// Not met before the start.
    pub(super) const fn new(recalled: Option<(bool, Instant)>, now: Instant) -> Self {
        Self { is_met: false, since: now, recalled }
    }

    pub(super) const fn is_met(&self) -> bool {
        self.is_met
    }

    /// Since when it is met or not.
    pub(super) const fn since(&self) -> Instant {
        self.since
    }

    /// Gains or loses it, and returns the report of that. What begins reports either.
    pub(super) fn enter(
        &mut self,
        up: bool,
        service: ServiceRef,
        tally: Tally,
        cause: Rc<QuorumCause>,
        now: Instant,
    ) -> Action {
        let starting = *cause == QuorumCause::Started;
        let recalled = self.recalled.take().filter(|(was_up, _)| starting && *was_up == up);
        let since = recalled.map_or(now, |(_, since)| since);
        if up != self.is_met || recalled.is_some() {
            *self = Self { is_met: up, since, recalled: None };
        }
        // What begins without its quorum has changed nothing unless a sorry server stands in.
        let told = up || !starting || service.config.sorry_server.is_some();
        Action::QuorumChanged { service, up, starting, told, tally, cause }
    }
}
