//! Queues of gratuitous ARPs and neighbour advertisements, one for each link. They are sent in
//! small batches, so that thousands of addresses delay nothing else, and no faster than
//! `vrrp_garp_interval` and `vrrp_gna_interval` allow. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use crate::base::addr::Family;
use crate::base::ids::InstanceId;
use crate::base::time::{Duration, Instant};

/// One frame to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::daemon) struct Announcement {
    pub(in crate::daemon) owner: InstanceId,
    pub(in crate::daemon) link: String,
    pub(in crate::daemon) addr: IpAddr,
}

#[derive(Debug, Default)]
pub(in crate::daemon) struct Announcer {
    /// `vrrp_garp_interval`; zero: no limit.
    pub(in crate::daemon) garp_interval: Duration,
    /// `vrrp_gna_interval`.
    pub(in crate::daemon) gna_interval: Duration,
    queues: BTreeMap<(String, Family), Paced>,
}

#[derive(Debug, Default)]
struct Paced {
    /// Earliest time of the next frame.
    next: Instant,
    waiting: VecDeque<(InstanceId, IpAddr)>,
}

impl Announcer {
    pub(in crate::daemon) fn push(&mut self, a: Announcement) {
        let key = (a.link, Family::of(&a.addr));
        self.queues.entry(key).or_default().waiting.push_back((a.owner, a.addr));
    }

    /// Discards the announcements of an instance that is no longer MASTER.
    pub(in crate::daemon) fn withdraw(&mut self, owner: InstanceId) {
        for queue in self.queues.values_mut() {
            queue.waiting.retain(|(id, _)| *id != owner);
        }
    }

    /// Takes up to `most` announcements that may be sent now.
    pub(in crate::daemon) fn take_due(
        &mut self,
        now: Instant,
        most: usize,
        out: &mut Vec<Announcement>,
    ) {
        for ((link, family), queue) in &mut self.queues {
            let interval = match family {
                Family::V4 => self.garp_interval,
                Family::V6 => self.gna_interval,
            };
            while out.len() < most && queue.next <= now {
                let Some((owner, addr)) = queue.waiting.pop_front() else { break };
                out.push(Announcement { owner, link: link.clone(), addr });
                queue.next = now + interval;
                if !interval.is_zero() {
                    break;
                }
            }
        }
        self.queues.retain(|_, q| !q.waiting.is_empty() || q.next > now);
    }

    /// Time of the next announcement; `None` if none waits.
    pub(in crate::daemon) fn next_deadline(&self) -> Option<Instant> {
        self.queues.values().filter(|q| !q.waiting.is_empty()).map(|q| q.next).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(owner: u32, link: &str, last: u8) -> Announcement {
        Announcement {
            owner: InstanceId(owner),
            link: link.into(),
            addr: IpAddr::from([10, 0, 0, last]),
        }
    }

    fn take(a: &mut Announcer, millis: u64, most: usize) -> Vec<Announcement> {
        let mut out = Vec::new();
        a.take_due(Instant::from_millis(millis), most, &mut out);
        out
    }

    #[test]
    fn without_an_interval_any_number_is_sent_in_order() {
        let mut a = Announcer::default();
        (1..=5).for_each(|n| a.push(one(0, "eth0", n)));
        assert_eq!(take(&mut a, 0, 3), [one(0, "eth0", 1), one(0, "eth0", 2), one(0, "eth0", 3)]);
        assert_eq!(a.next_deadline(), Some(Instant::ZERO));
        assert_eq!(take(&mut a, 0, 3).len(), 2);
        assert_eq!(a.next_deadline(), None);
    }

    #[test]
    fn the_interval_applies_to_each_link_separately() {
        let mut a = Announcer { garp_interval: Duration::from_millis(10), ..Announcer::default() };
        for n in 1..=2 {
            a.push(one(0, "eth0", n));
            a.push(one(0, "eth1", n));
        }
        assert_eq!(take(&mut a, 0, 9), [one(0, "eth0", 1), one(0, "eth1", 1)]);
        assert_eq!(take(&mut a, 9, 9), []);
        assert_eq!(a.next_deadline(), Some(Instant::from_millis(10)));
        assert_eq!(take(&mut a, 10, 9), [one(0, "eth0", 2), one(0, "eth1", 2)]);
    }

    #[test]
    fn a_former_master_announces_nothing() {
        let mut a = Announcer::default();
        a.push(one(0, "eth0", 1));
        a.push(one(1, "eth0", 2));
        a.withdraw(InstanceId(0));
        assert_eq!(take(&mut a, 0, 9), [one(1, "eth0", 2)]);
    }
}
