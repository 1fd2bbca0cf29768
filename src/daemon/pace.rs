//! Ready sources, the delay of the loop, and pauses in which packets accumulate.

use crate::base::ids::CheckId;
use crate::base::sorted::SortedSet;
use crate::base::time::{Duration, Instant};
use crate::daemon::lateness::Lateness;
use crate::daemon::tokens::Owner;
use crate::model::Config;

/// The pause for the shortest intervals, and for answers to checks.
pub(super) const SHORTEST: Duration = Duration::from_micros(500);
/// The pause for long ones: what else happens waits as long.
const LONGEST: Duration = Duration::from_micros(2500);
/// A pause is this part of the shortest interval at which a peer sends.
const SHARE: u32 = 20;

pub(super) struct Pace {
    pub(super) lateness: Lateness,
    pub(super) others: Others,
    /// Ready in this turn. Sources left over when the budget is spent stay for the next one.
    pub(super) ready: SortedSet<Owner>,
    pub(super) polled: Vec<Owner>,
    /// Something happened in this turn beyond packets.
    pub(super) stirred: bool,
    pub(super) arrivals: Arrivals,
    /// Check whose socket was served last, for round-robin service.
    pub(super) last_check: CheckId,
    /// Probe steps made in the previous turn.
    pub(super) checks_in_turn: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lateness: Lateness::default(),
            others: Others::default(),
            ready: SortedSet::new(),
            polled: Vec::new(),
            stirred: false,
            arrivals: Arrivals::default(),
            last_check: CheckId(0),
            checks_in_turn: 0,
        }
    }
}

/// What may be delayed, at its end.
#[derive(Clone, Copy, Default)]
pub(super) struct Others {
    pub(super) deadline: Option<Instant>,
    /// Nothing has to be continued in the next turn.
    pub(super) is_calm: bool,
    /// Checks have to be continued, after a pause if there is one.
    pub(super) is_behind: bool,
}

/// Times at which packets of peers were read, and what follows for the next ones.
///
/// Packets that arrive by the thousand per second are read in batches. Each carries its time of
/// arrival, so the delay does not distort decisions.
#[derive(Debug)]
pub(super) struct Arrivals {
    last: Instant,
    before: Instant,
    pause: Duration,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self { last: Instant::ZERO, before: Instant::ZERO, pause: SHORTEST }
    }
}

impl Arrivals {
    /// The pause may be as long as the peers of this configuration allow.
    pub(super) fn configure(&mut self, config: &Config) {
        let adverts = config.instances.iter().map(|i| i.advert_interval);
        let sessions = config.bfd.iter().map(|s| s.min_rx.min(s.min_tx));
        let shortest = adverts.chain(sessions).min().unwrap_or_default();
        self.pause = (shortest / SHARE).clamp(SHORTEST, LONGEST);
    }

    /// Packets were read.
    pub(super) fn note(&mut self, now: Instant) {
        self.before = std::mem::replace(&mut self.last, now);
    }

    /// The pause before the next packets are read, if more are likely to arrive in it.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        let is_burst = self.last.since(self.before) < self.pause * 2;
        (is_burst && now.since(self.last) < self.pause).then_some(self.pause)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::model::bfd::BfdInstance;
    use crate::model::vrrp::tests::instance;
    use crate::model::vrrp::Instance;

    const fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn only_a_burst_is_waited_for() {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.pause(at(9_000_000)), None);
        arrivals.note(at(10_000_000));
        assert_eq!(arrivals.pause(at(10_000_010)), None);
        arrivals.note(at(10_000_900));
        assert_eq!(arrivals.pause(at(10_000_910)), Some(SHORTEST));
        assert_eq!(arrivals.pause(at(10_001_400)), None, "it is over");
        arrivals.note(at(10_002_000));
        assert_eq!(arrivals.pause(at(10_002_000)), None);
    }

    #[test]
    fn the_shortest_interval_decides() {
        let router = |ms| {
            let advert_interval = Duration::from_millis(ms);
            Rc::new(Instance { advert_interval, ..instance("r", 1) })
        };
        let session = |ms| {
            let min_rx = Duration::from_millis(ms);
            let min_tx = Duration::from_millis(1000);
            Rc::new(BfdInstance { min_rx, min_tx, ..BfdInstance::new("b", [10, 0, 0, 2].into()) })
        };
        let pause = |instances: &[Rc<Instance>], bfd: &[Rc<BfdInstance>]| {
            let (instances, bfd) = (instances.to_vec(), bfd.to_vec());
            let mut arrivals = Arrivals::default();
            arrivals.configure(&Config { instances, bfd, ..Config::default() });
            arrivals.pause.as_micros()
        };
        assert_eq!(pause(&[], &[]), 500);
        assert_eq!(pause(&[router(1000)], &[]), 2500);
        assert_eq!(pause(&[router(1000), router(10)], &[]), 500);
        assert_eq!(pause(&[router(1000)], &[session(40)]), 2000);
    }
}
