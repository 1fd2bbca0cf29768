//! Deadlines by owner. A sorted set, so that operations are logarithmic in the number of owners.

use std::collections::{BTreeMap, BTreeSet};

use super::time::Instant;

/// At most one deadline per owner.
#[derive(Debug, Clone)]
pub struct Deadlines<K> {
    order: BTreeSet<(Instant, K)>,
    when: BTreeMap<K, Instant>,
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Deadlines<K> {
    pub const fn new() -> Self {
        Self { order: BTreeSet::new(), when: BTreeMap::new() }
    }
}

impl<K: Ord + Copy> Deadlines<K> {
    /// Sets, moves or, with `None`, clears the deadline of `owner`.
    pub fn set(&mut self, owner: K, when: Option<Instant>) {
        let old = match when {
            Some(when) => self.when.insert(owner, when),
            None => self.when.remove(&owner),
        };
        if old == when {
            return;
        }
        if let Some(old) = old {
            self.order.remove(&(old, owner));
        }
        if let Some(when) = when {
            self.order.insert((when, owner));
        }
    }

    /// The deadline of one owner.
    pub fn of(&self, owner: &K) -> Option<Instant> {
        self.when.get(owner).copied()
    }

    /// The earliest deadline of all.
    pub fn next(&self) -> Option<Instant> {
        self.order.first().map(|&(when, _)| when)
    }

    /// Removes and returns an owner that is due at `now`, the longest overdue first.
    pub fn pop_due(&mut self, now: Instant) -> Option<(Instant, K)> {
        let &(when, owner) = self.order.first()?;
        if when > now {
            return None;
        }
        self.order.pop_first();
        self.when.remove(&owner);
        Some((when, owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn the_earliest_comes_first_and_each_owner_once() {
        let mut d = Deadlines::default();
        d.set('a', Some(at(30)));
        d.set('b', Some(at(10)));
        d.set('a', Some(at(5)));
        assert_eq!(d.next(), Some(at(5)));
        assert_eq!(d.pop_due(at(20)), Some((at(5), 'a')));
        assert_eq!(d.pop_due(at(20)), Some((at(10), 'b')));
        assert_eq!(d.pop_due(at(20)), None);
        assert_eq!(d.next(), None);
    }

    #[test]
    fn a_cleared_deadline_does_not_fire() {
        let mut d = Deadlines::default();
        d.set(1, Some(at(1)));
        d.set(1, None);
        assert_eq!(d.pop_due(at(9)), None);
    }
}
