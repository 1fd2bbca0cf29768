//! How often spans of time were how long.

use super::time::Duration;

/// Spans counted by their length.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Histogram {
    /// The longest span of each class but the last one, in rising order.
    bounds: &'static [Duration],
    /// One class more than there are bounds.
    counts: Box<[u64]>,
    sum: Duration,
}

impl Histogram {
    pub fn new(bounds: &'static [Duration]) -> Self {
        debug_assert!(bounds.is_sorted(), "{bounds:?}");
        Self { bounds, counts: vec![0; bounds.len() + 1].into(), sum: Duration::ZERO }
    }

    pub fn add(&mut self, span: Duration) {
        let class = self.bounds.partition_point(|bound| *bound < span);
        self.counts[class] += 1;
        self.sum = self.sum.saturating_add(span);
    }

    /// Each bound with the number of spans up to it, and the number of all.
    pub fn totals(&self) -> (impl Iterator<Item = (Duration, u64)> + '_, u64) {
        let mut total = 0;
        let up_to = self.bounds.iter().zip(&self.counts).map(move |(bound, count)| {
            total += count;
            (*bound, total)
        });
        (up_to, self.counts.iter().sum())
    }

    /// The number of spans in each class.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Goes on from these numbers, if they are of the same classes.
    pub fn recall(&mut self, counts: &[u64], sum: Duration) {
        if counts.len() == self.counts.len() {
            self.counts = counts.into();
            self.sum = sum;
        }
    }

    pub const fn sum(&self) -> Duration {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_span_at_a_bound_is_within_it() {
        const BOUNDS: &[Duration] = &[millis(1), millis(10)];
        let mut histogram = Histogram::new(BOUNDS);
        for span in [0, 1, 2, 10, 11, 5_000] {
            histogram.add(millis(span));
        }
        let (up_to, all) = histogram.totals();
        assert_eq!(up_to.collect::<Vec<_>>(), [(millis(1), 2), (millis(10), 4)]);
        assert_eq!((all, histogram.sum()), (6, millis(5_024)));
    }
}
