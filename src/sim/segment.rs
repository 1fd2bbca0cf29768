//! A simulated segment: loss, duplication, delay and partitions between routers.

use crate::base::rng::Rng;
use crate::base::sorted::SortedSet;
use crate::base::time::{micros, Duration, Instant};

/// Current state of a segment. Changes do not affect packets in transit.
#[derive(Clone, Debug)]
pub struct Segment {
    pub shortest_delay: Duration,
    /// Packets may be reordered within these limits.
    pub longest_delay: Duration,
    /// Per thousand.
    pub loss: u32,
    /// Per thousand.
    pub duplication: u32,
    /// Blocked pairs of sender and receiver.
    pub blocked: SortedSet<(usize, usize)>,
}

/// No loss, and no reordering.
impl Default for Segment {
    fn default() -> Self {
        const DELAY: Duration = Duration::from_micros(200);
        Self {
            shortest_delay: DELAY,
            longest_delay: DELAY,
            loss: 0,
            duplication: 0,
            blocked: SortedSet::new(),
        }
    }
}

impl Segment {
    /// Separates the routers for which `is_apart` holds from the others, in both directions.
    pub fn part(&mut self, routers: usize, is_apart: impl Fn(usize) -> bool) {
        for (a, b) in (0..routers).flat_map(|a| (0..routers).map(move |b| (a, b))) {
            if is_apart(a) != is_apart(b) {
                self.blocked.insert((a, b));
            }
        }
    }

    /// Arrival times of the copies of a packet sent now: none, one or two.
    pub fn carry(
        &self,
        from: usize,
        to: usize,
        now: Instant,
        rng: &mut Rng,
    ) -> [Option<Instant>; 2] {
        if self.blocked.contains(&(from, to)) {
            return [None, None];
        }
        let is_doubled = rng.per_mille(self.duplication);
        [true, is_doubled].map(|is_sent| {
            let (low, high) = (micros(self.shortest_delay), micros(self.longest_delay));
            let arrives = is_sent && !rng.per_mille(self.loss);
            arrives.then(|| now + Duration::from_micros(rng.between(low, high + 1)))
        })
    }
}
