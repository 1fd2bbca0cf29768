//! Lines that a tracked script, a file, a process or a flapping neighbour can cause as fast as it
//! likes, by what they are about.

use std::collections::BTreeMap;

use crate::base::ratelimit::RateLimit;
use crate::base::time::{Duration, Instant};

/// What an honest thing has to tell at once, and how often there is room for one more.
const FULL: RateLimit = RateLimit::new(30, Duration::from_secs(2));

#[derive(Debug, Default)]
pub(in crate::daemon) struct Chatter(BTreeMap<String, RateLimit>);

impl Chatter {
    /// `Some(held back since the last one that was shown)` when a line may be shown.
    pub(in crate::daemon) fn admit(&mut self, about: String, now: Instant) -> Option<u32> {
        self.0.entry(about).or_insert(FULL).admit(now)
    }

    /// A reload may have taken away what is known here.
    pub(in crate::daemon) fn clear(&mut self) {
        self.0.clear();
    }
}
