//! When our own stall makes silence worthless as evidence.

use super::time::{micros, Duration, Instant};

/// When we last noticed that we had not been listening, for each length of absence.
///
/// A deadline served late and a packet read long after it arrived are the same evidence: sockets
/// hold so many packets and drop the rest, so a peer's silence meanwhile proves nothing. Lengths
/// are powers of two of a microsecond, so that a short absence does not hide a long one.
#[derive(Debug, Default)]
pub struct Absences {
    ended: [Option<Instant>; 32],
}

impl Absences {
    /// What was there to be seen at `since` is seen only `now`.
    pub fn note(&mut self, since: Instant, now: Instant) {
        if let Some(class) = class(now.since(since)) {
            self.ended[class] = Some(now);
        }
    }

    /// The end of the last absence about as long as `length` (half of it at least) or longer.
    pub fn last(&self, length: Duration) -> Option<Instant> {
        self.ended[class(length)?..].iter().copied().flatten().max()
    }
}

fn class(length: Duration) -> Option<usize> {
    let class = usize::try_from(micros(length).checked_ilog2()?).ok()?;
    Some(class.min(31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_absence_does_not_hide_a_long_one() {
        let (second, at) = (Duration::from_secs(1), Instant::from_millis);
        let mut absences = Absences::default();
        absences.note(at(1000), at(1000));
        absences.note(at(1000), at(1400));
        assert_eq!(absences.last(second), None);
        absences.note(at(2000), at(3500));
        absences.note(at(3500), at(3502));
        assert_eq!(absences.last(second), Some(at(3500)));
        assert_eq!(absences.last(Duration::from_millis(1)), Some(at(3502)));
    }
}
