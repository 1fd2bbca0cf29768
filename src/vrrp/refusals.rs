//! The last advertisements that were refused, by virtual router and sender, for the status.
//!
//! Unlike what a backup remembers (`refused`), they outlive changes of state and valid
//! advertisements. Forged senders cost no more than a fixed amount of memory.

use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;

use super::receive::Reject;
use crate::base::ids::InstanceId;
use crate::base::sorted::SortedMap;
use crate::base::time::Instant;

/// Senders kept for one virtual router.
const MOST_OF_ONE: usize = 8;
/// Senders kept in all.
const MOST: usize = 512;

/// Refused advertisements of one sender.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub count: u64,
    pub first: Instant,
    pub last: Instant,
    /// Of the last one.
    pub reason: RefusalReason,
    /// The sender acts as a master of this virtual router.
    pub is_rival: bool,
}

/// Why the last advertisement of a sender was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RefusalReason {
    Known(Reject),
    /// In the words of the program before this one.
    Before(Rc<str>),
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(reject) => reject.brief().fmt(f),
            Self::Before(text) => f.write_str(text),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Refusals(SortedMap<(InstanceId, IpAddr), Refusal>);

/// Addresses in their order.
const FIRST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
const LAST: IpAddr = IpAddr::V6(std::net::Ipv6Addr::from_bits(u128::MAX));

impl Refusals {
    pub(super) fn count(
        &mut self,
        id: InstanceId,
        from: IpAddr,
        reason: Reject,
        is_rival: bool,
        now: Instant,
    ) {
        let reason = RefusalReason::Known(reason);
        if let Some(known) = self.0.get_mut(&(id, from)) {
            let (first, count) = (known.first, known.count.saturating_add(1));
            *known = Refusal { count, first, last: now, reason, is_rival };
            return;
        }
        self.insert(id, from, Refusal { count: 1, first: now, last: now, reason, is_rival });
    }

    /// Another sender, if there is room for it.
    pub(super) fn insert(&mut self, id: InstanceId, from: IpAddr, refusal: Refusal) {
        let is_rival = refusal.is_rival;
        if self.of(id).count() >= MOST_OF_ONE && !self.displace(is_rival, |(of, _)| *of == id) {
            return;
        }
        if self.0.len() >= MOST && !self.displace(is_rival, |_| true) {
            return;
        }
        self.0.insert((id, from), refusal);
    }

    /// Removes the sender that was heard longest ago. A router that is MASTER makes room only for
    /// another one.
    fn displace(&mut self, by_rival: bool, which: impl Fn(&(InstanceId, IpAddr)) -> bool) -> bool {
        let all = self.0.iter().filter(|(key, _)| which(key));
        let loses = all.filter(|(_, refusal)| by_rival || !refusal.is_rival);
        let oldest = loses.min_by_key(|(_, refusal)| (refusal.is_rival, refusal.last));
        let key = oldest.map(|(key, _)| *key);
        key.is_some_and(|key| self.0.remove(&key).is_some())
    }

    pub(super) fn of(&self, id: InstanceId) -> impl Iterator<Item = (IpAddr, &Refusal)> {
        self.0.range((id, FIRST)..=(id, LAST)).map(|((_, from), refusal)| (*from, refusal))
    }

    /// The virtual router is gone.
    pub(super) fn forget(&mut self, id: InstanceId) {
        self.0.retain(|(of, _), _| *of != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(n: u32) -> IpAddr {
        IpAddr::V4((0x0a00_0000 + n).into())
    }

    fn refuse(refusals: &mut Refusals, id: u32, n: u32, is_rival: bool, at: u64) {
        let (source, now) = (from(n), Instant::from_millis(at));
        let reason = Reject::Password { source };
        refusals.count(InstanceId(id), source, reason, is_rival, now);
    }

    fn senders(refusals: &Refusals, id: u32) -> Vec<IpAddr> {
        refusals.of(InstanceId(id)).map(|(from, _)| from).collect()
    }

    #[test]
    fn a_sender_is_counted_with_its_first_and_last_packet() {
        let mut refusals = Refusals::default();
        for at in 1..=3 {
            refuse(&mut refusals, 0, 1, true, at);
        }
        let (_, refusal) = refusals.of(InstanceId(0)).next().expect("one");
        assert_eq!((refusal.count, refusal.first.micros(), refusal.last.micros()), (3, 1000, 3000));
        refusals.forget(InstanceId(0));
        assert!(refusals.0.is_empty());
    }

    #[test]
    fn forged_senders_drive_out_no_other_master_and_no_other_instance() {
        let mut refusals = Refusals::default();
        refuse(&mut refusals, 0, 1, true, 0);
        refuse(&mut refusals, 1, 1, false, 0);
        for n in 2..10_000 {
            refuse(&mut refusals, 0, n, false, n.into());
        }
        assert_eq!(senders(&refusals, 0).len(), MOST_OF_ONE);
        assert!(senders(&refusals, 0).contains(&from(1)));
        assert!(senders(&refusals, 0).contains(&from(9_999)));
        assert_eq!(senders(&refusals, 1), [from(1)]);
    }

    #[test]
    fn the_whole_is_bounded() {
        let mut refusals = Refusals::default();
        for id in 0..1000 {
            refuse(&mut refusals, id, 1, id == 0, id.into());
        }
        assert_eq!(refusals.0.len(), MOST);
        assert_eq!((senders(&refusals, 0).len(), senders(&refusals, 1).len()), (1, 0));
        assert_eq!(senders(&refusals, 999).len(), 1);
    }
}
