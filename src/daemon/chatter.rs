//! Lines that a tracked script, file or process can cause as fast as it likes: so many at once of
//! each thing, then one every now and then, with how many more there were.
//!
//! Not so many per minute: what is told after a storm has to be what came of it.

use std::collections::BTreeMap;

use crate::base::time::{Duration, Instant};

/// What an honest thing has to tell at once.
const BURST: u32 = 30;
/// How often there is room for one more.
const EVERY: Duration = Duration::from_secs(2);

/// By what the lines are about.
#[derive(Debug, Default)]
pub(super) struct Chatter(BTreeMap<String, Allowance>);

#[derive(Debug)]
struct Allowance {
    left: u32,
    /// Up to when what grew back is counted in.
    counted: Instant,
    held_back: u32,
}

impl Chatter {
    /// `Some(held back since the last one that was shown)` when a line may be shown.
    pub(super) fn admit(&mut self, about: String, now: Instant) -> Option<u32> {
        let allowance = self.0.entry(about);
        let new = || Allowance { left: BURST, counted: now, held_back: 0 };
        allowance.or_insert_with(new).admit(now)
    }

    /// A reload may have taken away what is known here.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Allowance {
    fn admit(&mut self, now: Instant) -> Option<u32> {
        while self.left < BURST && now.since(self.counted) >= EVERY {
            self.left += 1;
            self.counted += EVERY;
        }
        if self.left == BURST {
            self.counted = now;
        }
        if self.left == 0 {
            self.held_back = self.held_back.saturating_add(1);
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_talks_without_end_silences_nobody_and_is_heard_again_soon() {
        let mut chatter = Chatter::default();
        let mut admit = |about: &str, at| chatter.admit(about.to_owned(), Instant::from_millis(at));
        assert_eq!((0..100).filter(|n| admit("a", *n).is_some()).count(), 30);
        assert_eq!(admit("b", 100), Some(0));
        assert_eq!(admit("a", 2_000), Some(70));
        assert_eq!(admit("a", 2_001), None);
        assert_eq!(admit("a", 4_000), Some(1));
        let after = 1_000_000;
        assert_eq!((after..after + 100).filter(|n| admit("a", *n).is_some()).count(), 30);
    }
}
