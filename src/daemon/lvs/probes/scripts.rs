//! The scripts of `MISC_CHECK` under way, and those that should have ended.
//!
//! A script whose time is over is being ended, and only when it has is the probe over: the next one
//! must not run beside it. But there are processes that nobody can end, since they wait for a file
//! server. They are given up after a while and remembered: as long as one is there, its check fails
//! without another one being started, or there would soon be no room for any.

use std::collections::BTreeMap;

use crate::base::ids::CheckId;
use crate::base::time::{Duration, Instant};
use crate::check::script::{self, Ending};
use crate::check::Verdict;
use crate::sys::children::{Outcome, Pid};

/// What a script has to end in once its time is over. It is killed after two seconds.
pub(super) const ENDING: Duration = Duration::from_secs(3);

#[derive(Default)]
pub(super) struct Scripts {
    running: BTreeMap<CheckId, Script>,
    stuck: BTreeMap<CheckId, Pid>,
}

struct Script {
    pid: Pid,
    begun: Instant,
    /// Its time is over.
    overran: bool,
}

/// A script that is over: when it began, and what it says.
pub(super) type Over = (Instant, Verdict);

impl Scripts {
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.running.len() + self.stuck.len()
    }

    /// An earlier one of this check is still there.
    pub(super) fn is_stuck(&self, check: CheckId) -> bool {
        self.stuck.contains_key(&check)
    }

    pub(super) fn started(&mut self, check: CheckId, pid: Pid, now: Instant) {
        self.running.insert(check, Script { pid, begun: now, overran: false });
    }

    /// Its time is over. False if there is none.
    pub(super) fn time_out(&mut self, check: CheckId) -> bool {
        match self.running.get_mut(&check) {
            Some(script) => {
                script.overran = true;
                true
            }
            None => false,
        }
    }

    /// A process has ended; one that was given up does not matter any more.
    pub(super) fn ended(
        &mut self,
        check: CheckId,
        pid: Pid,
        outcome: Outcome,
        is_dynamic: bool,
    ) -> Option<Over> {
        if self.stuck.get(&check) == Some(&pid) {
            self.stuck.remove(&check);
        }
        if self.running.get(&check)?.pid != pid {
            return None;
        }
        let script = self.running.remove(&check)?;
        let ending = match outcome {
            _ if script.overran => Ending::Overran,
            Outcome::Exited(status) => Ending::Exited(status),
            Outcome::Killed(signal) => Ending::Killed(signal),
            Outcome::NotStarted(failure) => Ending::NotStarted(failure.to_string()),
        };
        Some((script.begun, script::verdict(&ending, is_dynamic)))
    }

    /// It should have ended by now.
    pub(super) fn give_up(&mut self, check: CheckId) -> Option<Over> {
        let script = self.running.remove(&check)?;
        log::warn!(
            "MISC_CHECK: process {} does not end; the script is not started again before it has",
            script.pid.number()
        );
        self.stuck.insert(check, script.pid);
        Some((script.begun, script::verdict(&Ending::Overran, false)))
    }

    /// The check is gone or rests. True if there is a script to be stopped.
    pub(super) fn forget(&mut self, check: CheckId) -> bool {
        self.stuck.remove(&check);
        self.running.remove(&check).is_some()
    }
}
