//! A simulated segment: whether a packet from one router reaches another, how often, and when.

use std::collections::BTreeSet;

use crate::base::rng::Rng;
use crate::base::time::{micros, Duration, Instant};

/// A segment in the state it is in now. Packets under way are not affected by changes.
#[derive(Clone, Debug)]
pub struct Segment {
    pub shortest_delay: Duration,
    /// Packets overtake each other within these limits.
    pub longest_delay: Duration,
    /// In a thousand.
    pub loss: u32,
    /// In a thousand.
    pub duplication: u32,
    /// From whom to whom nothing gets through.
    pub blocked: BTreeSet<(usize, usize)>,
}

/// Nothing is lost, and the order is kept.
impl Default for Segment {
    fn default() -> Self {
        const DELAY: Duration = Duration::from_micros(200);
        Self {
            shortest_delay: DELAY,
            longest_delay: DELAY,
            loss: 0,
            duplication: 0,
            blocked: BTreeSet::new(),
        }
    }
}

impl Segment {
    /// Parts the routers for whom `is_apart` holds from the others, both ways.
    pub fn part(&mut self, routers: usize, is_apart: impl Fn(usize) -> bool) {
        for (a, b) in (0..routers).flat_map(|a| (0..routers).map(move |b| (a, b))) {
            if is_apart(a) != is_apart(b) {
                self.blocked.insert((a, b));
            }
        }
    }

    /// When the copies of a packet sent now arrive: none, one or two.
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
