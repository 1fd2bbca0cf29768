//! Rate limits for log lines that a tracked script, file or process or a flapping neighbour can
//! cause, one for each subject.

use std::collections::BTreeMap;

use crate::base::ratelimit::RateLimit;
use crate::base::time::{Duration, Instant};

/// Burst that legitimate events need, and the interval at which one more line is permitted.
const FULL: RateLimit = RateLimit::new(30, Duration::from_secs(2));

#[derive(Debug, Default)]
pub(in crate::daemon) struct Chatter(BTreeMap<String, RateLimit>);

impl Chatter {
    /// Number of lines suppressed since the last one, or `None` if this line is suppressed as well.
    pub(in crate::daemon) fn admit(&mut self, about: String, now: Instant) -> Option<u32> {
        self.0.entry(about).or_insert(FULL).admit(now)
    }

    /// Forgets all subjects, since a reload may have removed them.
    pub(in crate::daemon) fn clear(&mut self) {
        self.0.clear();
    }
}
