//! Rate limits for log lines and scripts that a peer, a file or a process can trigger: a burst,
//! then one per period, with the number of those suppressed.
//!
//! An allowance refills gradually instead of per minute, so that the outcome of a storm is still
//! logged after it.

use std::net::IpAddr;

use super::time::{Duration, Instant};

/// A rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Events admitted at once.
    pub burst: u32,
    /// Time until one more event is admitted.
    pub every: Duration,
}

impl Rate {
    pub const fn new(burst: u32, every: Duration) -> Self {
        Self { burst, every }
    }
}

/// One allowance, with the number of events held back.
#[derive(Debug, Clone)]
pub struct RateLimit {
    rate: Rate,
    credit: Credit,
}

impl RateLimit {
    pub const fn new(burst: u32, every: Duration) -> Self {
        let rate = Rate::new(burst, every);
        Self { rate, credit: Credit::full(rate) }
    }

    /// `Some(number held back since the last admitted event)` if this event is admitted.
    pub fn admit(&mut self, now: Instant) -> Option<u32> {
        self.credit.admit(self.rate, now)
    }
}

/// What is left of an allowance whose rate is kept elsewhere, as where there are thousands.
#[derive(Debug, Clone)]
pub struct Credit {
    left: u32,
    held_back: u32,
    /// Time up to which the refill has been credited.
    counted: Instant,
}

impl Credit {
    pub const fn full(rate: Rate) -> Self {
        Self { left: rate.burst, held_back: 0, counted: Instant::ZERO }
    }

    /// `Some(number held back since the last admitted event)` if this event is admitted.
    pub fn admit(&mut self, rate: Rate, now: Instant) -> Option<u32> {
        self.grow(rate, now);
        if self.left == 0 {
            self.held_back = self.held_back.saturating_add(1);
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.held_back))
    }

    fn grow(&mut self, rate: Rate, now: Instant) {
        while self.left < rate.burst && now.since(self.counted) >= rate.every {
            self.left += 1;
            self.counted += rate.every;
        }
        if self.left == rate.burst {
            self.counted = now;
        }
    }

    /// True if the allowance is full again. Events held back do not matter.
    pub fn is_whole(&mut self, rate: Rate, now: Instant) -> bool {
        self.grow(rate, now);
        self.left == rate.burst
    }
}

/// Allowances by subject of an event and sender of its cause, in that order.
///
/// A list without spare room, since every virtual router has one, and few entries in it.
#[derive(Debug)]
pub struct Limiter<K>(Vec<Allowance<K>>);

#[derive(Debug)]
struct Allowance<K> {
    about: K,
    /// `None` stands for events without a sender, and for senders beyond the limit.
    sender: Option<IpAddr>,
    credit: Credit,
}

/// Number of senders per subject with an allowance of their own. The rest share one, so that forged
/// addresses cost no memory, and no more log lines than one sender.
const MOST_SENDERS: usize = 8;

impl<K> Default for Limiter<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord + Copy> Limiter<K> {
    /// `Some(number held back since the last admitted event)` if this event is admitted.
    pub fn admit(
        &mut self,
        about: K,
        sender: Option<IpAddr>,
        rate: Rate,
        now: Instant,
    ) -> Option<u32> {
        let mut key = sender;
        if self.place(about, key).is_err() && self.senders(about) >= MOST_SENDERS {
            self.forget_quiet(about, rate, now);
            if self.senders(about) >= MOST_SENDERS {
                key = None;
            }
        }
        self.allowance(about, key, rate).admit(rate, now)
    }

    /// Forgets what is as if it had never been used, and frees its memory. `rate`: that of a
    /// subject.
    pub fn tidy(&mut self, rate: impl Fn(K) -> Rate, now: Instant) {
        if self.0.is_empty() {
            return;
        }
        self.0.retain_mut(|a| a.credit.held_back > 0 || !a.credit.is_whole(rate(a.about), now));
        if self.0.is_empty() {
            self.0 = Vec::new();
        }
    }

    fn place(&self, about: K, sender: Option<IpAddr>) -> Result<usize, usize> {
        self.0.binary_search_by_key(&(about, sender), |a| (a.about, a.sender))
    }

    fn senders(&self, about: K) -> usize {
        self.0.iter().filter(|a| a.about == about).count()
    }

    fn allowance(&mut self, about: K, sender: Option<IpAddr>, rate: Rate) -> &mut Credit {
        let place = self.place(about, sender).unwrap_or_else(|place| {
            self.0.reserve_exact(1);
            self.0.insert(place, Allowance { about, sender, credit: Credit::full(rate) });
            place
        });
        &mut self.0[place].credit
    }

    /// Makes room by dropping the allowances of quiet senders. Their held-back events are counted
    /// with the rest.
    fn forget_quiet(&mut self, about: K, rate: Rate, now: Instant) {
        let mut held_back = 0_u32;
        self.0.retain_mut(|a| {
            let goes = a.about == about && a.sender.is_some() && a.credit.is_whole(rate, now);
            if goes {
                held_back = held_back.saturating_add(a.credit.held_back);
            }
            !goes
        });
        if held_back > 0 {
            let shared = self.allowance(about, None, rate);
            shared.held_back = shared.held_back.saturating_add(held_back);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::new(1, Duration::from_secs(60));

    fn from(n: u32) -> Option<IpAddr> {
        Some(IpAddr::V4(n.into()))
    }

    const fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn what_is_as_if_never_used_is_forgotten() {
        let mut limiter = Limiter::default();
        limiter.tidy(|_| RATE, at(0));
        for sender in [1, 1, 2] {
            limiter.admit(7, from(sender), RATE, at(0));
        }
        limiter.tidy(|_| RATE, at(59_999));
        assert_eq!(limiter.0.len(), 2);
        limiter.tidy(|_| RATE, at(60_000));
        assert_eq!(limiter.0.len(), 1, "one line is still to be reported as held back");
        assert_eq!(limiter.admit(7, from(1), RATE, at(60_000)), Some(1));
        limiter.tidy(|_| RATE, at(120_000));
        assert_eq!(limiter.0.capacity(), 0);
    }

    #[test]
    fn held_back_events_are_counted() {
        let mut limit = RateLimit::new(2, Duration::from_secs(60));
        let shown: Vec<_> = (0..5).map(|i| limit.admit(at(i))).collect();
        assert_eq!(shown, [Some(0), Some(0), None, None, None]);
        assert_eq!(limit.admit(at(60_000)), Some(3));
        assert_eq!(limit.admit(at(60_001)), None);
    }

    #[test]
    fn an_endless_sender_silences_no_other_and_is_admitted_again_soon() {
        let mut limiter = Limiter::default();
        let rate = Rate::new(30, Duration::from_secs(2));
        let mut admit = |about: &'static str, millis| limiter.admit(about, None, rate, at(millis));
        assert_eq!((0..100).filter(|n| admit("a", *n).is_some()).count(), 30);
        assert_eq!(admit("b", 100), Some(0));
        assert_eq!(admit("a", 2_000), Some(70));
        assert_eq!(admit("a", 2_001), None);
        assert_eq!(admit("a", 4_000), Some(1));
        let after = 1_000_000;
        assert_eq!((after..after + 100).filter(|n| admit("a", *n).is_some()).count(), 30);
    }

    #[test]
    fn senders_are_limited_one_by_one() {
        let mut limiter = Limiter::default();
        let mut admit = |sender, millis| limiter.admit(7, from(sender), RATE, at(millis));
        assert_eq!((admit(1, 0), admit(2, 0)), (Some(0), Some(0)));
        assert_eq!((admit(1, 1), admit(2, 1), admit(2, 2)), (None, None, None));
        assert_eq!((admit(1, 60_000), admit(2, 60_000)), (Some(1), Some(2)));
    }

    #[test]
    fn forged_senders_cost_no_memory_and_few_lines() {
        let mut limiter = Limiter::default();
        let mut admit = |sender, millis| limiter.admit(7, from(sender), RATE, at(millis));
        let shown = (0..100_000).filter(|n| admit(*n, 1).is_some()).count();
        assert_eq!(shown, MOST_SENDERS + 1);
        // An hour later there is room for a genuine sender, and the count is reported.
        let held_back: u32 = (0..20).filter_map(|n| admit(200_000 + n, 3_600_000)).sum();
        assert_eq!(held_back as usize, 100_000 - shown);
        assert!(limiter.senders(7) <= MOST_SENDERS + 1);
    }
}
