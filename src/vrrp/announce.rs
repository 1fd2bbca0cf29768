//! When to announce to the segment where the addresses live: gratuitous ARP (RFC 5227 §3) and
//! unsolicited neighbour advertisements (RFC 4861 §7.2.6). Which frames that means is the
//! executor's business.

use std::net::IpAddr;

use crate::base::time::Instant;
use crate::model::vrrp::Garp;

/// The rounds still to come. Exists only while MASTER.
#[derive(Clone, Default, PartialEq, Debug)]
pub(super) struct Schedule {
    /// `garp_master_delay` after the addresses were there.
    second: Option<Instant>,
    refresh: Option<Instant>,
    rare: Option<Box<Rare>>,
}

/// Rounds that few masters ever have. Apart, so that they take no room in the others.
#[derive(Clone, Default, PartialEq, Debug)]
struct Rare {
    /// `garp_lower_prio_delay` after a less entitled router advertised.
    after_lower: Option<Instant>,
    /// On further interfaces.
    extra: Option<Instant>,
    /// Until then, a master that has yet to yield may be there, and answer what is announced.
    rival_until: Option<Instant>,
    /// That router became master beside this one.
    contest: Option<Contest>,
}

/// Two masters for a while. For how long is not known: usually, the first advertisement that arrives
/// is the last.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Contest {
    pub(super) from: IpAddr,
    pub(super) theirs: u8,
}

/// What is due at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Round {
    /// Frames for each address.
    pub(super) repeat: u32,
    /// A frame on each further interface as well.
    pub(super) extra: bool,
}

impl Schedule {
    /// The addresses are in the kernel: a round now, and the later ones from here.
    pub(super) fn on_held(&mut self, garp: &Garp, now: Instant) -> u32 {
        self.second = (!garp.delay.is_zero()).then(|| now + garp.delay);
        if self.refresh.is_none() {
            self.refresh = (!garp.refresh.is_zero()).then(|| now + garp.delay + garp.refresh);
        }
        let has_extra = self.rare.as_ref().is_some_and(|rare| rare.extra.is_some());
        if !garp.extra.is_zero() && !has_extra {
            self.rare().extra = Some(now + garp.delay + garp.extra);
        }
        garp.repeat
    }

    /// A less entitled router may have drawn traffic away: a round now and one later.
    pub(super) fn on_lower_priority(&mut self, garp: &Garp, now: Instant) -> u32 {
        if garp.lower_prio_repeat > 0 && !garp.lower_prio_delay.is_zero() {
            self.rare().after_lower = Some(now + garp.lower_prio_delay);
        }
        garp.lower_prio_repeat
    }

    /// The configuration changed: the refresh begins, goes on at the new pace, or ends.
    pub(super) fn on_adjust(&mut self, garp: &Garp, now: Instant) {
        self.refresh = (!garp.refresh.is_zero()).then(|| now + garp.refresh);
        if !garp.extra.is_zero() || self.rare.is_some() {
            self.rare().extra = (!garp.extra.is_zero()).then(|| now + garp.extra);
        }
    }

    /// What is due now.
    pub(super) fn on_deadline(&mut self, garp: &Garp, now: Instant) -> Round {
        let mut repeat = 0;
        if take_due(&mut self.second, now) {
            repeat = repeat.max(garp.repeat);
        }
        if take_due(&mut self.refresh, now) {
            repeat = repeat.max(garp.refresh_repeat);
            self.refresh = (!garp.refresh.is_zero()).then(|| now + garp.refresh);
        }
        let mut extra = false;
        if let Some(rare) = &mut self.rare {
            if take_due(&mut rare.after_lower, now) {
                repeat = repeat.max(garp.lower_prio_repeat);
            }
            extra = take_due(&mut rare.extra, now);
            if extra {
                rare.extra = (!garp.extra.is_zero()).then(|| now + garp.extra);
            }
        }
        Round { repeat, extra }
    }

    pub(super) fn expect_rival(&mut self, until: Instant) {
        self.rare().rival_until = Some(until);
    }

    /// This master, whose addresses are announced, heard another one that is less entitled.
    pub(super) fn contest(&mut self, from: IpAddr, theirs: u8) {
        self.rare().contest = Some(Contest { from, theirs });
    }

    /// A contest is over once the other router would have advertised again.
    pub(super) fn take_won(&mut self, now: Instant) -> Option<Contest> {
        if self.has_rival(now) {
            return None;
        }
        self.rare.as_mut()?.contest.take()
    }

    pub(super) fn is_contested(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.contest.is_some())
    }

    pub(super) fn has_rival(&self, now: Instant) -> bool {
        let until = self.rare.as_ref().and_then(|rare| rare.rival_until);
        until.is_some_and(|until| now < until)
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let rare = self.rare.as_deref();
        let all = [
            self.second,
            self.refresh,
            rare.and_then(|rare| rare.after_lower),
            rare.and_then(|rare| rare.extra),
        ];
        all.into_iter().flatten().min()
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
        extra: Duration::ZERO,
        extra_on_all: false,
    };

    const fn frames(repeat: u32) -> Round {
        Round { repeat, extra: false }
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn a_round_at_once_a_second_after_the_delay_then_the_refresh() {
        let mut s = Schedule::default();
        assert_eq!(s.on_held(&GARP, at(10)), 5);
        assert_eq!(s.next_deadline(), Some(at(15)));
        assert_eq!(s.on_deadline(&GARP, at(15)), frames(5));
        assert_eq!(s.next_deadline(), Some(at(75)));
        assert_eq!(s.on_deadline(&GARP, at(75)), frames(2));
        assert_eq!(s.next_deadline(), Some(at(135)));
    }

    #[test]
    fn an_early_deadline_sends_nothing() {
        let mut s = Schedule::default();
        s.on_held(&GARP, at(10));
        assert_eq!(s.on_deadline(&GARP, at(14)), frames(0));
        assert_eq!(s.next_deadline(), Some(at(15)));
    }

    #[test]
    fn a_lower_priority_advertisement_costs_two_rounds() {
        let mut s = Schedule::default();
        assert_eq!(s.on_lower_priority(&GARP, at(1)), 3);
        assert_eq!(s.on_deadline(&GARP, at(6)), frames(3));
        assert_eq!(s.next_deadline(), None);
    }

    #[test]
    fn further_interfaces_have_a_period_of_their_own() {
        let garp = Garp { refresh: Duration::ZERO, extra: Duration::from_secs(20), ..GARP };
        let mut s = Schedule::default();
        s.on_held(&garp, at(10));
        assert_eq!(s.on_deadline(&garp, at(15)), frames(5));
        assert_eq!(s.next_deadline(), Some(at(35)));
        assert_eq!(s.on_deadline(&garp, at(35)), Round { repeat: 0, extra: true });
        assert_eq!(s.next_deadline(), Some(at(55)));
        // After a jump of the clock there is one, not one for each period.
        assert_eq!(s.on_deadline(&garp, at(500)), Round { repeat: 0, extra: true });
        assert_eq!(s.next_deadline(), Some(at(520)));
        // Restored addresses do not put it off.
        s.on_held(&garp, at(510));
        assert_eq!(s.on_deadline(&garp, at(520)), Round { repeat: 5, extra: true });
        s.on_adjust(&GARP, at(521));
        assert_eq!(s.on_deadline(&GARP, at(560)), frames(0));
    }
}
