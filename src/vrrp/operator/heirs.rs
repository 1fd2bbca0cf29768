//! The routers that could take over from an instance: those that were heard as master of it.
//!
//! A backup does not advertise. So all that a master can know of the others is which of them was
//! master itself, or tried to be, since this daemon started. Whether one of them is still there will
//! turn out when it is to take over.

use std::net::IpAddr;

use crate::base::ids::InstanceId;
use crate::base::sorted::SortedMap;
use crate::base::time::Instant;
use crate::vrrp::receive::Advert;

/// Most that are remembered of an instance. Forged addresses cost no more memory than that.
const MOST: usize = 4;

/// A router that could take over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heir {
    pub addr: IpAddr,
    /// That of its last advertisement.
    pub priority: u8,
    /// The time of its last advertisement.
    pub at: Instant,
}

#[derive(Debug, Default)]
pub(in crate::vrrp) struct Heirs(SortedMap<InstanceId, Vec<Heir>>);

impl Heirs {
    /// An advertisement was accepted. A router that says goodbye is no heir until it is back.
    pub(in crate::vrrp) fn note(&mut self, id: InstanceId, advert: &Advert) {
        let Advert { source: addr, priority, arrived: at, .. } = *advert;
        if priority == 0 {
            if let Some(list) = self.0.get_mut(&id) {
                list.retain(|heir| heir.addr != addr);
            }
            return;
        }
        self.set(id, Heir { addr, priority, at });
    }

    /// A router was heard at this time.
    pub(in crate::vrrp) fn set(&mut self, id: InstanceId, heir: Heir) {
        let list = self.0.entry(id).or_default();
        if let Some(known) = list.iter_mut().find(|known| known.addr == heir.addr) {
            *known = heir;
        } else if list.len() < MOST {
            list.push(heir);
        } else if let Some(oldest) = list.iter_mut().min_by_key(|known| known.at) {
            *oldest = heir;
        }
    }

    pub(in crate::vrrp) fn forget(&mut self, id: InstanceId) {
        self.0.remove(&id);
    }

    pub(in crate::vrrp) fn of(&self, id: InstanceId) -> &[Heir] {
        self.0.get(&id).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Duration;

    fn heard(heirs: &mut Heirs, last: u8, priority: u8, at: u64) {
        let source = IpAddr::from([10, 0, 0, last]);
        let (interval, arrived) = (Duration::from_secs(1), Instant::from_millis(at));
        heirs.note(InstanceId(0), &Advert { source, priority, interval, arrived, form: None });
    }

    #[test]
    fn those_heard_last_are_remembered_until_they_say_goodbye() {
        let mut heirs = Heirs::default();
        for n in 0..200 {
            heard(&mut heirs, n, 100, n.into());
        }
        heard(&mut heirs, 198, 90, 500);
        let mut known: Vec<_> =
            heirs.of(InstanceId(0)).iter().map(|heir| (heir.addr, heir.priority)).collect();
        known.sort();
        let at = |last: u8| IpAddr::from([10, 0, 0, last]);
        assert_eq!(known, [(at(196), 100), (at(197), 100), (at(198), 90), (at(199), 100)]);
        heard(&mut heirs, 198, 0, 600);
        assert_eq!(heirs.of(InstanceId(0)).len(), 3);
        heirs.forget(InstanceId(0));
        assert_eq!(heirs.of(InstanceId(0)), []);
    }
}
