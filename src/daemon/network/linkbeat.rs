//! Reads the links of some interfaces every second (`linkbeat_interfaces`), for drivers that do not
//! report them. Pure: the caller asks the driver.

use std::io;

use crate::base::link::LinkState;
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant};
use crate::model::link::{LinkQuery, PolledLink};

const INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(in crate::daemon) struct Linkbeat {
    links: SortedMap<String, Beat>,
}

#[derive(Debug)]
struct Beat {
    /// As configured.
    wanted: Option<LinkQuery>,
    /// The query that works.
    query: Option<LinkQuery>,
    /// The last answer; `None`: nothing answers, so the kernel's report counts alone.
    up: Option<bool>,
    next: Instant,
}

/// Result of one look at a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::daemon) struct Looked {
    /// The answer differs from the last one.
    pub(in crate::daemon) changed: bool,
    /// Another query than the configured one is used from now on.
    pub(in crate::daemon) instead: Option<(LinkQuery, LinkQuery)>,
}

impl Linkbeat {
    /// Replaces the list. New links are due at once.
    pub(in crate::daemon) fn configure(&mut self, all: &[PolledLink], now: Instant) {
        let mut old = std::mem::take(&mut self.links);
        for link in all {
            let known = old.remove(&link.interface).filter(|beat| beat.wanted == link.query);
            let wanted = link.query;
            let beat = known.unwrap_or(Beat { wanted, query: None, up: None, next: now });
            self.links.insert(link.interface.clone(), beat);
        }
    }

    pub(in crate::daemon) fn polls(&self, name: &str) -> bool {
        self.links.contains_key(name)
    }

    /// The link of which the kernel reports this state: up only if both say so.
    pub(in crate::daemon) fn judge(&self, name: &str, reported: LinkState) -> LinkState {
        let is_down = self.links.get(name).is_some_and(|beat| beat.up == Some(false));
        match reported {
            LinkState::Up if is_down => LinkState::Down,
            state => state,
        }
    }

    /// The link that is due first, if one is.
    pub(in crate::daemon) fn due(&self, now: Instant) -> Option<&str> {
        let first = self.links.iter().min_by_key(|(_, beat)| beat.next);
        first.filter(|(_, beat)| beat.next <= now).map(|(name, _)| name.as_str())
    }

    /// Looks at a link. The first query that answers is used for as long as it does.
    pub(in crate::daemon) fn look(
        &mut self,
        name: &str,
        now: Instant,
        mut ask: impl FnMut(LinkQuery) -> io::Result<bool>,
    ) -> Looked {
        let Some(beat) = self.links.get_mut(name) else { return Looked::default() };
        beat.next = now + INTERVAL;
        let before = beat.query;
        let preferred = before.or(beat.wanted);
        let others = LinkQuery::ALL.into_iter().filter(|query| Some(*query) != preferred);
        let answer = preferred
            .into_iter()
            .chain(others)
            .find_map(|query| ask(query).ok().map(|up| (query, up)));
        beat.query = answer.map(|(query, _)| query);
        let up = answer.map(|(_, up)| up);
        let changed = std::mem::replace(&mut beat.up, up) != up;
        let is_new = beat.query != before;
        let instead = beat.wanted.zip(beat.query).filter(|(w, used)| is_new && w != used);
        Looked { changed, instead }
    }

    pub(in crate::daemon) fn next_deadline(&self) -> Option<Instant> {
        self.links.values().map(|beat| beat.next).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use LinkQuery::{Ethtool, Flags, Mii};

    const fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn beat(query: Option<LinkQuery>) -> Linkbeat {
        let mut list = Linkbeat::default();
        list.configure(&[PolledLink { interface: "eth0".into(), query }], at(0));
        list
    }

    /// Looks; `answers` has the queries that work, and the state of the link.
    fn look(l: &mut Linkbeat, millis: u64, answers: &[LinkQuery], up: bool) -> Looked {
        l.look("eth0", at(millis), |query| match answers.contains(&query) {
            true => Ok(up),
            false => Err(io::ErrorKind::Unsupported.into()),
        })
    }

    #[test]
    fn a_link_is_up_only_if_both_say_so() {
        let mut l = beat(None);
        assert_eq!(l.judge("eth0", LinkState::Up), LinkState::Up);
        assert!(look(&mut l, 0, &LinkQuery::ALL, false).changed);
        assert_eq!(l.judge("eth0", LinkState::Up), LinkState::Down);
        assert_eq!(l.judge("eth0", LinkState::Missing), LinkState::Missing);
        assert_eq!(l.judge("eth1", LinkState::Up), LinkState::Up);
        assert!(!look(&mut l, 1000, &LinkQuery::ALL, false).changed);
        assert!(look(&mut l, 2000, &LinkQuery::ALL, true).changed);
        assert_eq!(l.judge("eth0", LinkState::Up), LinkState::Up);
        assert_eq!(l.judge("eth0", LinkState::Down), LinkState::Down);
    }

    #[test]
    fn the_first_query_that_works_is_used() {
        let mut l = beat(None);
        assert_eq!(look(&mut l, 0, &[Ethtool, Flags], true).instead, None);
        let mut asked = Vec::new();
        l.look("eth0", at(1000), |query| {
            asked.push(query);
            Ok(true)
        });
        assert_eq!(asked, [Ethtool]);
    }

    #[test]
    fn a_configured_query_that_fails_is_replaced_and_told_once() {
        let mut l = beat(Some(Mii));
        assert_eq!(look(&mut l, 0, &[Ethtool, Flags], true).instead, Some((Mii, Ethtool)));
        assert_eq!(look(&mut l, 1000, &[Ethtool, Flags], true).instead, None);
        assert_eq!(look(&mut l, 2000, &[Flags], true).instead, Some((Mii, Flags)));
    }

    #[test]
    fn without_any_answer_the_kernel_decides() {
        let mut l = beat(None);
        look(&mut l, 0, &LinkQuery::ALL, false);
        assert!(look(&mut l, 1000, &[], false).changed);
        assert_eq!(l.judge("eth0", LinkState::Up), LinkState::Up);
    }

    #[test]
    fn a_clock_that_jumps_causes_one_look() {
        let mut l = beat(None);
        assert_eq!(l.due(at(0)), Some("eth0"));
        look(&mut l, 0, &LinkQuery::ALL, true);
        assert_eq!(l.due(at(999)), None);
        assert_eq!(l.due(at(60_000)), Some("eth0"));
        look(&mut l, 60_000, &LinkQuery::ALL, true);
        assert_eq!(l.due(at(60_000)), None);
        assert_eq!(l.next_deadline(), Some(at(61_000)));
    }

    #[test]
    fn a_reload_keeps_what_is_known() {
        let mut l = beat(None);
        look(&mut l, 0, &LinkQuery::ALL, false);
        let link = |query| [PolledLink { interface: "eth0".into(), query }];
        l.configure(&link(None), at(500));
        assert_eq!(l.judge("eth0", LinkState::Up), LinkState::Down);
        assert_eq!(l.due(at(500)), None);
        l.configure(&link(Some(Flags)), at(600));
        assert_eq!(l.due(at(600)), Some("eth0"));
    }
}
