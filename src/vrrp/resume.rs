//! What an instance makes of the run before: it was MASTER until that run ended without a goodbye.
//!
//! Its peers do not know that. They wait for three advertisement intervals and their skew time
//! (RFC 9568 §6.1) before they elect another master. An advertisement before that keeps the
//! mastership, so the instance resumes it without an election. Later than that, it listens first,
//! like any other that starts.

use super::action::{Action, Note, Phase};
use super::cause::Cause;
use super::Domain;
use crate::base::ids::InstanceId;
use crate::base::time::{Duration, Instant};

/// A mastership that can be resumed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recalled {
    /// When the run before was last heard of, and how long its silence was by then.
    silent: Option<(Duration, Instant)>,
    /// From then on, peers may have elected another master.
    until: Instant,
}

impl Domain {
    /// The run before was MASTER, advertised with this interval, and has been silent for so long.
    pub(super) fn on_recall(
        &mut self,
        id: InstanceId,
        silent: Option<Duration>,
        interval: Duration,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance(id).filter(|i| i.phase() == Phase::Init) else { return };
        let patience = interval * i.config.down_timer_adverts;
        match silent {
            Some(silent) if silent >= patience => {
                self.note(id, Note::TooLate { silent, patience }, now, out);
            }
            silent => {
                let until = now + (patience - silent.unwrap_or_default());
                let silent = silent.map(|silent| (silent, now));
                self.recalled.insert(id, Recalled { silent, until });
            }
        }
    }

    /// It can resume the mastership of the run before, if the election is up to it alone.
    pub(super) fn resumes(&self, id: InstanceId, now: Instant) -> bool {
        self.recalled.get(&id).is_some_and(|recalled| now < recalled.until)
    }

    /// The cause of resuming, once.
    pub(super) fn take_recalled(&mut self, id: InstanceId, now: Instant) -> Option<Cause> {
        let Recalled { silent, until } = self.recalled.remove(&id)?;
        let silent = silent.map(|(silent, at)| silent + now.since(at));
        (now < until).then_some(Cause::Resumed { silent })
    }

    /// The delay of a start is over for a daemon that goes on where it was.
    pub(super) fn skip_delay_if_resuming(&mut self, now: Instant) {
        if self.recalled.keys().any(|id| self.resumes(*id, now)) {
            self.startup_delay = Duration::ZERO;
        }
    }
}
