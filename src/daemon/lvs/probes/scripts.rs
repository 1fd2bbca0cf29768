//! Running scripts of `MISC_CHECK`, and those that failed to end.
//!
//! A script that timed out is terminated, and its probe is finished only when it has ended, since
//! two runs must not overlap. Processes that wait for a file server cannot be killed. They are
//! abandoned after a while and remembered: as long as such a process exists, its check fails
//! without starting another one, which would soon exhaust the process table.

use crate::base::ids::CheckId;
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant};
use crate::check::script::{self, Ending};
use crate::check::Verdict;
use crate::sys::children::{Outcome, Pid};

/// Time for a script to end after its timeout. It is killed after two seconds.
pub(super) const ENDING: Duration = Duration::from_secs(3);

#[derive(Default)]
pub(super) struct Scripts {
    running: SortedMap<CheckId, Script>,
    stuck: SortedMap<CheckId, Pid>,
}

struct Script {
    pid: Pid,
    begun: Instant,
    /// The timeout expired.
    overran: bool,
}

/// Start and verdict of a finished script.
pub(super) type Over = (Instant, Verdict);

impl Scripts {
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.running.len() + self.stuck.len()
    }

    /// True if an earlier script of this check still exists.
    pub(super) fn is_stuck(&self, check: CheckId) -> bool {
        self.stuck.contains_key(&check)
    }

    pub(super) fn started(&mut self, check: CheckId, pid: Pid, now: Instant) {
        self.running.insert(check, Script { pid, begun: now, overran: false });
    }

    /// The one that runs and is within its time, and when it began.
    pub(super) fn of(&self, check: CheckId) -> Option<(Pid, Instant)> {
        let script = self.running.get(&check).filter(|script| !script.overran)?;
        Some((script.pid, script.begun))
    }

    /// Its time is over. False if no script is running.
    pub(super) fn time_out(&mut self, check: CheckId) -> bool {
        match self.running.get_mut(&check) {
            Some(script) => {
                script.overran = true;
                true
            }
            None => false,
        }
    }

    /// A process has ended. Abandoned ones have no result.
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

    /// Abandons a script that should have ended by now.
    pub(super) fn give_up(&mut self, check: CheckId) -> Option<Over> {
        let script = self.running.remove(&check)?;
        log::warn!(
            "MISC_CHECK: process {} cannot be killed; the script is not started again until it has ended",
            script.pid.number()
        );
        self.stuck.insert(check, script.pid);
        Some((script.begun, script::verdict(&Ending::Overran, false)))
    }

    /// The check was removed or suspended. True if its script has to be stopped.
    pub(super) fn forget(&mut self, check: CheckId) -> bool {
        self.stuck.remove(&check);
        self.running.remove(&check).is_some()
    }
}
