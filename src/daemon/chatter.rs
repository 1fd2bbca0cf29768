//! Lines that a tracked script, file or process can cause as fast as it likes: so many a minute of
//! each thing, and then how many more there were.

use std::collections::BTreeMap;

use crate::base::ratelimit::RateLimit;
use crate::base::time::{Duration, Instant};

/// One every two seconds, or all at once.
const BURST: u32 = 30;
const INTERVAL: Duration = Duration::from_secs(60);

/// By what the lines are about.
#[derive(Debug, Default)]
pub(super) struct Chatter(BTreeMap<String, RateLimit>);

impl Chatter {
    /// `Some(held back since the last one that was shown)` when a line may be shown.
    pub(super) fn admit(&mut self, about: String, now: Instant) -> Option<u32> {
        let limit = self.0.entry(about);
        limit.or_insert_with(|| RateLimit::new(BURST, INTERVAL)).admit(now)
    }

    /// A reload may have taken away what is known here.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_talks_without_end_silences_nobody_else() {
        let mut chatter = Chatter::default();
        let mut admit = |about: &str, at| chatter.admit(about.to_owned(), Instant::from_millis(at));
        assert_eq!((0..100).filter(|n| admit("a", *n).is_some()).count(), 30);
        assert_eq!(admit("b", 100), Some(0));
        assert_eq!(admit("a", 60_000), Some(70));
    }
}
