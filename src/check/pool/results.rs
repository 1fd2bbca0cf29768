//! What the checks of one kind found since the start.

use crate::base::histogram::Histogram;
use crate::base::time::Duration;
use crate::base::verdict::Verdict;

/// From a server in the same rack to the longest usual timeout.
const CLASSES: &[Duration] = &[
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// Probes by their result, and how long they took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Results {
    pub up: u64,
    pub down: u64,
    /// This host could not make them.
    pub unmade: u64,
    pub spans: Histogram,
}

impl Default for Results {
    fn default() -> Self {
        Self { up: 0, down: 0, unmade: 0, spans: Histogram::new(CLASSES) }
    }
}

impl Results {
    pub(super) fn add(&mut self, verdict: &Verdict, took: Duration) {
        match verdict {
            Verdict::Up(_) => self.up += 1,
            Verdict::Down(reason) if reason.is_ours() => self.unmade += 1,
            Verdict::Down(_) => self.down += 1,
        }
        self.spans.add(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::verdict::{ProbeStep, Reason, Weight};

    #[test]
    fn a_check_that_could_not_be_made_is_no_failure_of_the_server() {
        let mut results = Results::default();
        results.add(&Verdict::Up(Weight::Unchanged), Duration::from_millis(2));
        let late = Verdict::Down(Reason::TimedOut(ProbeStep::Connecting));
        results.add(&late, Duration::from_secs(5));
        let unmade = Verdict::Down(Reason::Unmade("Too many open files".to_owned()));
        results.add(&unmade, Duration::ZERO);
        assert_eq!((results.up, results.down, results.unmade), (1, 1, 1));
        assert_eq!(results.spans.totals().1, 3);
    }
}
