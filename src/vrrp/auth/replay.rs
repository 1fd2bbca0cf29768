//! The last sequence number accepted from each sender: what is not after it was recorded and is
//! played back.

use std::net::IpAddr;

use crate::base::time::Instant;
use crate::model::vrrp::{Delivery, Instance};
use crate::vrrp::past::Mark;

/// Senders of multicast that are remembered. Only holders of the key get into the table.
const SENDERS: usize = 16;

/// The last accepted sequence number of each sender.
#[derive(Debug)]
pub(super) struct SenderMarks<S> {
    by: Vec<SenderMark<S>>,
    most: usize,
}

/// The last accepted sequence number of one sender.
#[derive(Clone, Copy, Debug)]
pub(super) struct SenderMark<S> {
    from: IpAddr,
    pub(super) sequence: S,
    /// When it arrived.
    pub(super) at: Instant,
}

impl<S: Copy> SenderMarks<S> {
    pub(super) fn new(config: &Instance) -> Self {
        Self { by: Vec::new(), most: most(config) }
    }

    /// The configuration changed. What is known of strangers stays: they may be peers again.
    pub(super) fn limit(&mut self, config: &Instance) {
        self.most = most(config);
    }

    pub(super) fn of(&self, from: IpAddr) -> Option<&SenderMark<S>> {
        self.by.iter().find(|mark| mark.from == from)
    }

    pub(super) fn all(&self, number: impl Fn(S) -> u64) -> Vec<Mark> {
        let mark =
            |m: &SenderMark<S>| Mark { from: m.from, sequence: number(m.sequence), at: m.at };
        self.by.iter().map(mark).collect()
    }

    /// Sets the mark of a sender. In a full table, it takes the place of the one not heard for
    /// longest.
    pub(super) fn set(&mut self, from: IpAddr, sequence: S, at: Instant) {
        let new = SenderMark { from, sequence, at };
        if let Some(mark) = self.by.iter_mut().find(|mark| mark.from == from) {
            *mark = new;
        } else if self.by.len() < self.most {
            self.by.push(new);
        } else if let Some(oldest) = self.by.iter_mut().min_by_key(|mark| mark.at) {
            *oldest = new;
        }
    }
}

/// How many senders there may be: every unicast peer has its place.
fn most(config: &Instance) -> usize {
    match &config.delivery {
        Delivery::Multicast { .. } => SENDERS,
        Delivery::Unicast { peers, .. } => SENDERS.max(2 * peers.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vrrp::tests::instance;

    #[test]
    fn a_full_table_forgets_the_sender_heard_longest_ago() {
        let mut marks = SenderMarks::new(&instance("I", 1));
        let from = |n: u32| IpAddr::V4((0x0a00_0000 + n).into());
        for n in (1..=16).chain([1, 17]) {
            marks.set(from(n), n, Instant::from_millis(n.into()));
            if n == 1 && marks.by.len() > 1 {
                marks.set(from(1), 99, Instant::from_millis(50));
            }
        }
        assert_eq!(marks.by.len(), SENDERS);
        assert_eq!(marks.of(from(1)).map(|mark| mark.sequence), Some(99));
        assert!(marks.of(from(2)).is_none() && marks.of(from(17)).is_some());
    }
}
