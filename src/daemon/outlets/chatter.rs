//! Rate limits for log lines that a tracked script, file or process or a flapping neighbour can
//! cause, one for each subject.

use crate::base::ratelimit::{Limiter, Rate};
use crate::base::time::{Duration, Instant};

/// Burst that legitimate events need, and the interval at which one more line is permitted.
const RATE: Rate = Rate::new(30, Duration::from_secs(2));

#[derive(Debug, Default)]
pub(in crate::daemon) struct Chatter(Limiter<String>);

impl Chatter {
    /// Number of lines suppressed since the last one, or `None` if this line is suppressed as well.
    pub(in crate::daemon) fn admit(&mut self, about: String, now: Instant) -> Option<u32> {
        self.0.admit(about, None, RATE, now)
    }

    /// Forgets all subjects, since a reload may have removed them.
    pub(in crate::daemon) fn clear(&mut self) {
        self.0.clear();
    }
}
