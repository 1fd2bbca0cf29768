//! Queues of gratuitous ARPs and neighbour advertisements. They are sent in small batches, so that
//! thousands of addresses delay nothing else, and no faster than the intervals of their link or of
//! its `garp_group` allow. Pure.

use std::collections::VecDeque;
use std::net::IpAddr;

use crate::base::addr::Family;
use crate::base::ids::InstanceId;
use crate::base::name::SharedName;
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant};
use crate::model::vrrp::GarpGroup;

/// One frame to send.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::daemon) struct Announcement {
    pub(in crate::daemon) owner: InstanceId,
    pub(in crate::daemon) link: SharedName,
    pub(in crate::daemon) addr: IpAddr,
}

/// Shortest times between two frames.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(in crate::daemon) struct Intervals {
    /// `vrrp_garp_interval`, for links without one of their own; zero: no limit.
    pub(in crate::daemon) garp: Duration,
    /// `vrrp_gna_interval`.
    pub(in crate::daemon) gna: Duration,
    /// `garp_group`.
    pub(in crate::daemon) groups: Vec<GarpGroup>,
}

#[derive(Debug, Default)]
pub(in crate::daemon) struct Announcer {
    intervals: Intervals,
    queues: SortedMap<(Pacer, Family), Paced>,
}

/// Links that share an interval.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Pacer {
    Link(SharedName),
    /// By its place in the list of groups.
    Group(usize),
}

#[derive(Debug, Default)]
struct Paced {
    interval: Duration,
    /// Earliest time of the next frame.
    next: Instant,
    /// Each announcement once.
    waiting: VecDeque<Announcement>,
    /// Frames still to be sent for each.
    left: SortedMap<Announcement, u32>,
}

impl Intervals {
    /// The links that share the pace of this one, and the time between two of their frames.
    fn of(&self, link: &str, family: Family) -> (Pacer, Duration) {
        let usual = match family {
            Family::V4 => self.garp,
            Family::V6 => self.gna,
        };
        let has_link = |group: &&GarpGroup| group.interfaces.iter().any(|name| name == link);
        let group = self.groups.iter().enumerate().find(|(_, group)| has_link(group));
        let own = group.and_then(|(n, group)| {
            let interval = match family {
                Family::V4 => group.garp,
                Family::V6 => group.gna,
            };
            Some((Pacer::Group(n), interval?))
        });
        own.unwrap_or_else(|| (Pacer::Link(link.into()), usual))
    }
}

impl Announcer {
    /// Changes the intervals. What waits is sent at the new pace.
    pub(in crate::daemon) fn configure(&mut self, intervals: Intervals) {
        if intervals == self.intervals {
            return;
        }
        self.intervals = intervals;
        for mut paced in std::mem::take(&mut self.queues).into_values() {
            for announcement in paced.waiting {
                let repeat = paced.left.remove(&announcement).unwrap_or(1);
                self.push(announcement, repeat);
            }
        }
    }

    /// Adds an announcement to be sent `repeat` times, or as often as is left of an earlier round
    /// if that is more.
    pub(in crate::daemon) fn push(&mut self, announcement: Announcement, repeat: u32) {
        if repeat == 0 {
            return;
        }
        let family = Family::of(&announcement.addr);
        let (pacer, interval) = self.intervals.of(&announcement.link, family);
        let paced = self.queues.entry((pacer, family)).or_default();
        paced.interval = interval;
        let left = paced.left.entry(announcement.clone()).or_insert(0);
        if *left == 0 {
            paced.waiting.push_back(announcement);
        }
        *left = repeat.max(*left);
    }

    /// Discards the announcements of an instance that is no longer MASTER.
    pub(in crate::daemon) fn withdraw(&mut self, owner: InstanceId) {
        for paced in self.queues.values_mut() {
            paced.waiting.retain(|announcement| announcement.owner != owner);
            paced.left.retain(|announcement, _| announcement.owner != owner);
        }
    }

    /// Takes up to `most` announcements that may be sent now.
    pub(in crate::daemon) fn take_due(
        &mut self,
        now: Instant,
        most: usize,
        out: &mut Vec<Announcement>,
    ) {
        for paced in self.queues.values_mut() {
            while out.len() < most && paced.next <= now {
                let Some(announcement) = paced.take() else { break };
                out.push(announcement);
                paced.next = now + paced.interval;
                if !paced.interval.is_zero() {
                    break;
                }
            }
        }
        self.queues.retain(|_, paced| !paced.waiting.is_empty() || paced.next > now);
    }

    /// Time of the next announcement; `None` if none waits.
    pub(in crate::daemon) fn next_deadline(&self) -> Option<Instant> {
        self.queues.values().filter(|q| !q.waiting.is_empty()).map(|q| q.next).min()
    }
}

impl Paced {
    /// The next frame. All announcements have their first one before any has its second.
    fn take(&mut self) -> Option<Announcement> {
        let announcement = self.waiting.pop_front()?;
        match self.left.get_mut(&announcement) {
            Some(left) if *left > 1 => {
                *left -= 1;
                self.waiting.push_back(announcement.clone());
            }
            _ => {
                self.left.remove(&announcement);
            }
        }
        Some(announcement)
    }
}

#[cfg(test)]
mod tests;
