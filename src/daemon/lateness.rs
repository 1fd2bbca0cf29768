//! Lateness of turns and its cause: own work in the previous turn, or the scheduler.

use crate::base::histogram::Histogram;
use crate::base::ratelimit::RateLimit;
use crate::base::time::{Duration, Instant};

/// Lateness from which it is logged.
const WORTH_TELLING: Duration = Duration::from_millis(20);
#[derive(Debug)]
pub(super) struct Lateness {
    /// Lateness that is a stall (`min_auto_priority_delay`).
    pub(super) stall: Duration,
    /// Longest delay of a deadline since the start.
    pub(super) worst: Duration,
    /// Turns that began more than a millisecond after their deadline.
    pub(super) late_turns: u64,
    pub(super) turns: u64,
    /// Of turns that began at a deadline or after it.
    pub(super) spans: Histogram,
    last_work: Duration,
    limit: RateLimit,
}

/// From a tenth of what is aimed at to what makes a backup take over.
const CLASSES: &[Duration] = &[
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_secs(1),
];

/// Cause of a turn that began too late.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Stalled { late: Duration },
    Slow { late: Duration, own: Duration },
}

impl Default for Lateness {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(1),
            worst: Duration::ZERO,
            late_turns: 0,
            turns: 0,
            spans: Histogram::new(CLASSES),
            last_work: Duration::ZERO,
            limit: RateLimit::new(1, Duration::from_secs(10)),
        }
    }
}

impl Lateness {
    /// A turn that was due at `deadline` begins `now`. Returns the lateness if it has to be logged.
    pub(super) fn on_turn(&mut self, deadline: Option<Instant>, now: Instant) -> Option<Fault> {
        self.turns += 1;
        let deadline = deadline?;
        let late = now.since(deadline);
        if deadline <= now {
            self.spans.add(late);
        }
        self.worst = self.worst.max(late);
        if late > Duration::from_millis(1) {
            self.late_turns += 1;
        }
        if late < WORTH_TELLING || self.limit.admit(now).is_none() {
            return None;
        }
        Some(if late >= self.stall {
            Fault::Stalled { late }
        } else {
            Fault::Slow { late, own: self.last_work.min(late) }
        })
    }

    pub(super) fn on_end(&mut self, started: Instant, ended: Instant) {
        self.last_work = ended.since(started);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_turn_is_blamed_for_what_it_took() {
        let mut l = Lateness::default();
        l.on_end(Instant::from_millis(0), Instant::from_millis(30));
        let fault = l.on_turn(Some(Instant::from_millis(10)), Instant::from_millis(50));
        let (late, own) = (Duration::from_millis(40), Duration::from_millis(30));
        assert_eq!(fault, Some(Fault::Slow { late, own }));
        assert_eq!(l.worst, late);
        assert_eq!((l.spans.totals().1, l.spans.sum()), (1, late));
    }

    #[test]
    fn punctual_turns_and_repetitions_say_nothing() {
        let mut l = Lateness::default();
        assert_eq!(l.on_turn(Some(Instant::from_millis(10)), Instant::from_millis(10)), None);
        assert_eq!(l.on_turn(None, Instant::from_millis(500)), None);
        assert!(l.on_turn(Some(Instant::from_millis(10)), Instant::from_millis(600)).is_some());
        assert_eq!(l.on_turn(Some(Instant::from_millis(600)), Instant::from_millis(700)), None);
    }
}
