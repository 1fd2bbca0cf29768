//! Delays of retries after refusals and external removals.

use crate::base::time::{Duration, Instant};

/// After this time without a failure, the delays begin anew.
const CALM: Duration = Duration::from_secs(30);
/// Number of immediate restorations; further ones have a growing delay up to [`MAX_DELAY`].
const FREE: u32 = 3;
const MAX_DELAY: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Repair {
    failures: u32,
    last: Instant,
    /// Nothing is sent before.
    until: Option<Instant>,
}

impl Repair {
    /// Delay until the next attempt. `refused`: an immediate one would get the same answer.
    pub(super) fn after_failure(&mut self, refused: bool, now: Instant) -> Duration {
        if now.since(self.last) > CALM {
            self.failures = 0;
        }
        self.last = now;
        self.failures = self.failures.saturating_add(1);
        if refused {
            self.failures = self.failures.max(FREE + 1);
        }
        let doublings = self.failures.saturating_sub(FREE).min(8);
        let delay = match doublings {
            0 => Duration::ZERO,
            n => MAX_DELAY.min(Duration::from_millis(100) * (1 << n)),
        };
        self.until = (doublings > 0).then(|| now + delay);
        delay
    }

    /// True while the next attempt has to wait.
    pub(super) fn waits(&mut self, now: Instant) -> bool {
        if self.until.is_some_and(|until| until <= now) {
            self.until = None;
        }
        self.until.is_some()
    }

    pub(super) const fn until(&self) -> Option<Instant> {
        self.until
    }
}
