//! Holds back short changes of links (`interface_up_down_delays`). Pure.

use crate::base::link::LinkState;
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant};
use crate::model::link::LinkDelays;

#[derive(Debug, Default)]
pub(in crate::daemon) struct Debounce {
    links: SortedMap<String, Gate>,
}

#[derive(Debug)]
struct Gate {
    delays: LinkDelays,
    /// State passed on last.
    shown: Option<LinkState>,
    /// The delays apply from the first time a link is up.
    seen_up: bool,
    change: Option<Change>,
}

/// A change that is held back.
#[derive(Clone, Copy, Debug)]
struct Change {
    since: Instant,
    due: Instant,
}

/// Outcome for one report of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::daemon) enum Passed {
    /// The state that counts.
    At(LinkState),
    /// The change has just begun to be held back, for so long; the old state counts.
    HeldBack(LinkState, Duration),
    /// The link is as it was before the change that was held back.
    Undone(LinkState),
}

impl Passed {
    pub(in crate::daemon) const fn state(self) -> LinkState {
        match self {
            Self::At(state) | Self::HeldBack(state, _) | Self::Undone(state) => state,
        }
    }
}

impl Debounce {
    /// Replaces the delays. Links that had some already are where they were; a link without any now
    /// passes at its next report.
    pub(in crate::daemon) fn configure<'a>(&mut self, all: impl Iterator<Item = &'a LinkDelays>) {
        let mut old = std::mem::take(&mut self.links);
        for delays in all.cloned() {
            let name = delays.interface.clone();
            let gate = match old.remove(&name) {
                Some(gate) => Gate { delays, ..gate },
                None => Gate { delays, shown: None, seen_up: false, change: None },
            };
            self.links.insert(name, gate);
        }
    }

    /// The link is in this state `now`, and may be down for `limit` at most before it has to count
    /// as down.
    pub(in crate::daemon) fn pass(
        &mut self,
        name: &str,
        state: LinkState,
        limit: Duration,
        now: Instant,
    ) -> Passed {
        let Some(gate) = self.links.get_mut(name) else { return Passed::At(state) };
        gate.pass(state, limit, now)
    }

    /// Links whose change has been held back for long enough. Each is to be passed again.
    pub(in crate::daemon) fn due(&self, now: Instant) -> Vec<String> {
        let due = self.links.iter().filter(|(_, gate)| gate.change.is_some_and(|c| c.due <= now));
        due.map(|(name, _)| name.clone()).collect()
    }

    /// Links whose change is held back.
    pub(in crate::daemon) fn held_back(&self) -> impl Iterator<Item = &str> {
        let all = self.links.iter().filter(|(_, gate)| gate.change.is_some());
        all.map(|(name, _)| name.as_str())
    }

    pub(in crate::daemon) fn next_deadline(&self) -> Option<Instant> {
        self.links.values().filter_map(|gate| gate.change).map(|change| change.due).min()
    }
}

impl Gate {
    fn pass(&mut self, state: LinkState, limit: Duration, now: Instant) -> Passed {
        let known = self.shown.filter(|shown| *shown != LinkState::Missing && self.seen_up);
        let Some(shown) = known.filter(|_| state != LinkState::Missing) else {
            return self.show(state);
        };
        if state == shown {
            return match self.change.take() {
                Some(_) => Passed::Undone(state),
                None => Passed::At(state),
            };
        }
        let (down, up) = self.delays.within(limit);
        let delay = if state == LinkState::Up { up } else { down };
        let since = self.change.map_or(now, |change| change.since);
        let due = since + delay;
        if due <= now {
            return self.show(state);
        }
        match self.change.replace(Change { since, due }) {
            None => Passed::HeldBack(shown, delay),
            Some(_) => Passed::At(shown),
        }
    }

    fn show(&mut self, state: LinkState) -> Passed {
        self.change = None;
        self.shown = Some(state);
        // An interface that comes back under its name is another one.
        self.seen_up = state == LinkState::Up || (self.seen_up && state == LinkState::Down);
        Passed::At(state)
    }
}

#[cfg(test)]
mod tests {
    use super::LinkState::{Down, Missing, Up};
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    const fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn delays(down: u64, up: u64) -> LinkDelays {
        let ms = Duration::from_millis;
        LinkDelays { interface: "eth0".into(), down: ms(down), up: ms(up) }
    }

    fn debounce(down: u64, up: u64) -> Debounce {
        let mut d = Debounce::default();
        d.configure([delays(down, up)].iter());
        d
    }

    fn pass(d: &mut Debounce, state: LinkState, millis: u64) -> Passed {
        d.pass("eth0", state, LONG, at(millis))
    }

    #[test]
    fn a_short_outage_is_not_seen() {
        let mut d = debounce(1000, 0);
        assert_eq!(pass(&mut d, Up, 0), Passed::At(Up));
        let held = Passed::HeldBack(Up, Duration::from_secs(1));
        assert_eq!(pass(&mut d, Down, 500), held);
        assert_eq!(d.next_deadline(), Some(at(1500)));
        assert_eq!(pass(&mut d, Down, 900), Passed::At(Up));
        assert!(d.due(at(1499)).is_empty());
        assert_eq!(pass(&mut d, Up, 1400), Passed::Undone(Up));
        assert_eq!(d.next_deadline(), None);
        assert_eq!(pass(&mut d, Up, 9000), Passed::At(Up));
    }

    #[test]
    fn a_long_outage_is_seen_when_its_delay_is_over() {
        let mut d = debounce(1000, 2000);
        pass(&mut d, Up, 0);
        pass(&mut d, Down, 500);
        assert_eq!(d.due(at(1500)), ["eth0"]);
        assert_eq!(pass(&mut d, Down, 1500), Passed::At(Down));
        assert_eq!(pass(&mut d, Up, 1600).state(), Down);
        assert_eq!(pass(&mut d, Down, 3000), Passed::Undone(Down));
        assert_eq!(pass(&mut d, Up, 3100).state(), Down);
        assert_eq!(pass(&mut d, Up, 5100), Passed::At(Up));
    }

    #[test]
    fn a_clock_that_jumps_ends_every_delay_once() {
        let mut d = debounce(1000, 1000);
        pass(&mut d, Up, 0);
        pass(&mut d, Down, 10);
        assert_eq!(pass(&mut d, Down, 60_000), Passed::At(Down));
        assert_eq!(d.next_deadline(), None);
        // The link came up while the daemon was not running: its delay begins when it is noticed.
        assert_eq!(pass(&mut d, Up, 60_000).state(), Down);
        assert_eq!(d.next_deadline(), Some(at(61_000)));
    }

    #[test]
    fn delays_begin_with_the_first_time_it_is_up() {
        let mut d = debounce(1000, 1000);
        assert_eq!(pass(&mut d, Down, 0), Passed::At(Down));
        assert_eq!(pass(&mut d, Up, 10), Passed::At(Up));
        assert_eq!(pass(&mut d, Down, 20).state(), Up);
    }

    #[test]
    fn a_deleted_interface_is_gone_at_once() {
        let mut d = debounce(1000, 1000);
        pass(&mut d, Up, 0);
        pass(&mut d, Down, 10);
        assert_eq!(pass(&mut d, Missing, 20), Passed::At(Missing));
        assert_eq!(d.next_deadline(), None);
        assert_eq!(pass(&mut d, Up, 30), Passed::At(Up));
    }

    #[test]
    fn a_faster_master_shortens_the_delay() {
        let mut d = debounce(1000, 500);
        pass(&mut d, Up, 0);
        let limit = Duration::from_millis(199);
        assert_eq!(d.pass("eth0", Down, limit, at(10)), Passed::HeldBack(Up, limit));
        // Its deadline is kept when a report comes with another limit.
        d.pass("eth0", Down, Duration::from_millis(99), at(20));
        assert_eq!(d.next_deadline(), Some(at(109)));
        assert_eq!(d.pass("eth0", Down, Duration::ZERO, at(30)), Passed::At(Down));
    }

    #[test]
    fn a_reload_without_the_delays_ends_them() {
        let mut d = debounce(1000, 0);
        pass(&mut d, Up, 0);
        pass(&mut d, Down, 10);
        d.configure([delays(5000, 0)].iter());
        assert_eq!(pass(&mut d, Down, 1010), Passed::At(Up));
        assert_eq!(d.next_deadline(), Some(at(5010)));
        d.configure([].iter());
        assert_eq!(pass(&mut d, Down, 1020), Passed::At(Down));
        assert_eq!(d.next_deadline(), None);
    }
}
