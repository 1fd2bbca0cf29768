//! When to announce to the segment where the addresses live: gratuitous ARP (RFC 5227 §3) and
//! unsolicited neighbour advertisements (RFC 4861 §7.2.6). Which frames that means is the
//! executor's business.

use crate::base::time::Instant;
use crate::model::vrrp::Garp;

/// The rounds still to come. Exists only while MASTER.
#[derive(Clone, Default, PartialEq, Debug)]
pub(super) struct Schedule {
    /// `garp_master_delay` after the addresses were there.
    second: Option<Instant>,
    /// `garp_lower_prio_delay` after a less entitled router advertised.
    after_lower: Option<Instant>,
    refresh: Option<Instant>,
}

impl Schedule {
    /// The addresses are in the kernel: a round now, and the later ones from here.
    pub(super) fn on_held(&mut self, garp: &Garp, now: Instant) -> u32 {
        self.second = (!garp.delay.is_zero()).then(|| now + garp.delay);
        if self.refresh.is_none() {
            self.refresh = (!garp.refresh.is_zero()).then(|| now + garp.delay + garp.refresh);
        }
        garp.repeat
    }

    /// A less entitled router may have drawn traffic away: a round now and one later.
    pub(super) fn on_lower_priority(&mut self, garp: &Garp, now: Instant) -> u32 {
        if garp.lower_prio_repeat > 0 && !garp.lower_prio_delay.is_zero() {
            self.after_lower = Some(now + garp.lower_prio_delay);
        }
        garp.lower_prio_repeat
    }

    /// The configuration changed: the refresh begins, goes on at the new pace, or ends.
    pub(super) fn on_adjust(&mut self, garp: &Garp, now: Instant) {
        self.refresh = (!garp.refresh.is_zero()).then(|| now + garp.refresh);
    }

    /// Frames per address that are due now; 0 when nothing is.
    pub(super) fn on_deadline(&mut self, garp: &Garp, now: Instant) -> u32 {
        let mut repeat = 0;
        if take_due(&mut self.second, now) {
            repeat = repeat.max(garp.repeat);
        }
        if take_due(&mut self.after_lower, now) {
            repeat = repeat.max(garp.lower_prio_repeat);
        }
        if take_due(&mut self.refresh, now) {
            repeat = repeat.max(garp.refresh_repeat);
            self.refresh = (!garp.refresh.is_zero()).then(|| now + garp.refresh);
        }
        repeat
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        [self.second, self.after_lower, self.refresh].into_iter().flatten().min()
    }
}

fn take_due(when: &mut Option<Instant>, now: Instant) -> bool {
    let due = when.is_some_and(|w| w <= now);
    if due {
        *when = None;
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Duration;

    const GARP: Garp = Garp {
        delay: Duration::from_secs(5),
        repeat: 5,
        refresh: Duration::from_secs(60),
        refresh_repeat: 2,
        lower_prio_delay: Duration::from_secs(5),
        lower_prio_repeat: 3,
    };

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn a_round_at_once_a_second_after_the_delay_then_the_refresh() {
        let mut s = Schedule::default();
        assert_eq!(s.on_held(&GARP, at(10)), 5);
        assert_eq!(s.next_deadline(), Some(at(15)));
        assert_eq!(s.on_deadline(&GARP, at(15)), 5);
        assert_eq!(s.next_deadline(), Some(at(75)));
        assert_eq!(s.on_deadline(&GARP, at(75)), 2);
        assert_eq!(s.next_deadline(), Some(at(135)));
    }

    #[test]
    fn an_early_deadline_sends_nothing() {
        let mut s = Schedule::default();
        s.on_held(&GARP, at(10));
        assert_eq!(s.on_deadline(&GARP, at(14)), 0);
        assert_eq!(s.next_deadline(), Some(at(15)));
    }

    #[test]
    fn a_lower_priority_advertisement_costs_two_rounds() {
        let mut s = Schedule::default();
        assert_eq!(s.on_lower_priority(&GARP, at(1)), 3);
        assert_eq!(s.on_deadline(&GARP, at(6)), 3);
        assert_eq!(s.next_deadline(), None);
    }
}
