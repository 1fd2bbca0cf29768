//! Rate limits for log lines that a tracked script, file or process or a flapping neighbour can
//! cause, one for each subject.

use std::hash::{BuildHasher, RandomState};

use crate::base::ratelimit::{Credit, Rate};
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant};

/// Burst that legitimate events need, and the interval at which one more line is permitted.
const RATE: Rate = Rate::new(30, Duration::from_secs(2));

/// Time without a line until the subjects are looked through.
const CALM: Duration = Duration::from_secs(5);

/// By the hash of the subject: two that share one would only be limited together.
#[derive(Debug, Default)]
pub(in crate::daemon) struct Chatter {
    limits: SortedMap<u64, Credit>,
    hasher: RandomState,
    latest: Instant,
}

impl Chatter {
    /// Number of lines suppressed since the last one, or `None` if this line is suppressed as well.
    pub(in crate::daemon) fn admit(&mut self, about: impl AsRef<str>, now: Instant) -> Option<u32> {
        self.latest = now;
        let about = self.hasher.hash_one(about.as_ref());
        self.limits.get_or_insert_with(about, || Credit::full(RATE)).admit(RATE, now)
    }

    /// When [`Self::forget_quiet`] next has work.
    pub(in crate::daemon) fn next_deadline(&self) -> Option<Instant> {
        (!self.limits.is_empty()).then(|| self.latest + CALM)
    }

    /// Forgets the subjects that have their full burst again, some time after the last line. True
    /// if there were any.
    pub(in crate::daemon) fn forget_quiet(&mut self, now: Instant) -> bool {
        if self.limits.is_empty() || now.since(self.latest) < CALM {
            return false;
        }
        self.latest = now;
        let before = self.limits.len();
        self.limits.retain(|_, limit| !limit.is_whole(RATE, now));
        self.limits.len() < before
    }

    /// Forgets all subjects, since a reload may have removed them.
    pub(in crate::daemon) fn clear(&mut self) {
        self.limits = SortedMap::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_forgotten_when_it_has_its_full_burst_again() {
        let at = Instant::from_millis;
        let mut chatter = Chatter::default();
        assert_eq!(chatter.admit("state of A", at(0)), Some(0));
        assert!(!chatter.forget_quiet(at(4_999)));
        assert_eq!(chatter.limits.len(), 1);
        assert_eq!(chatter.next_deadline(), Some(at(5_000)));
        assert!(chatter.forget_quiet(at(5_000)));
        assert!(chatter.limits.is_empty());
        assert_eq!(chatter.next_deadline(), None);
        assert_eq!((0..31).filter_map(|_| chatter.admit("B", at(6_000))).count(), 30);
    }
}
