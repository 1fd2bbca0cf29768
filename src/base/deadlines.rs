//! Deadlines by owner, sorted. Most are moved to a later time again and again, long before they
//! expire: that costs one look-up.

use std::collections::{BTreeMap, BTreeSet};

use super::time::Instant;

/// At most one deadline per owner.
#[derive(Debug, Clone)]
pub struct Deadlines<K> {
    when: BTreeMap<K, Entry>,
    /// Every owner by its `queued` time. The first one is always exact.
    order: BTreeSet<(Instant, K)>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    when: Instant,
    /// Its place in the order, at `when` or earlier. A deadline that moves to a later time keeps
    /// its place until it is the first.
    queued: Instant,
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Deadlines<K> {
    pub const fn new() -> Self {
        Self { when: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<K: Ord + Copy> Deadlines<K> {
    /// Sets, moves or, with `None`, clears the deadline of `owner`.
    pub fn set(&mut self, owner: K, when: Option<Instant>) {
        match (when, self.when.get_mut(&owner)) {
            (Some(when), Some(entry)) if entry.queued <= when => {
                entry.when = when;
                // Another deadline moved behind the first one does not change it.
                if self.order.first() != Some(&(entry.queued, owner)) {
                    return;
                }
            }
            (Some(when), Some(entry)) => {
                self.order.remove(&(entry.queued, owner));
                *entry = Entry { when, queued: when };
                self.order.insert((when, owner));
            }
            (Some(when), None) => {
                self.when.insert(owner, Entry { when, queued: when });
                self.order.insert((when, owner));
            }
            (None, Some(entry)) => {
                self.order.remove(&(entry.queued, owner));
                self.when.remove(&owner);
            }
            (None, None) => return,
        }
        self.correct_first();
    }

    /// Moves owners to their places until the first one is in its own.
    fn correct_first(&mut self) {
        while let Some(&(queued, owner)) = self.order.first() {
            let Some(entry) = self.when.get_mut(&owner).filter(|entry| entry.when != queued) else {
                return;
            };
            entry.queued = entry.when;
            let place = (entry.when, owner);
            self.order.pop_first();
            self.order.insert(place);
        }
    }

    /// The deadline of one owner.
    pub fn of(&self, owner: &K) -> Option<Instant> {
        self.when.get(owner).map(|entry| entry.when)
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
        self.correct_first();
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

    #[test]
    fn whatever_is_set_the_order_is_that_of_a_list() {
        use crate::base::rng::Rng;
        for seed in 0..500 {
            let mut rng = Rng::new(seed);
            let (mut d, mut list) = (Deadlines::default(), BTreeMap::new());
            let mut now = 0;
            for _ in 0..200 {
                let owner = rng.between(0, 9);
                match rng.between(0, 9) {
                    0 => {
                        d.set(owner, None);
                        list.remove(&owner);
                    }
                    1 => {
                        now += rng.between(0, 40);
                        let due = list.iter().map(|(k, when)| (*when, *k)).min();
                        let due = due.filter(|(when, _)| *when <= at(now));
                        assert_eq!(d.pop_due(at(now)), due, "seed {seed}");
                        due.map(|(_, owner)| list.remove(&owner));
                    }
                    _ => {
                        let when = at(now + rng.between(0, 100));
                        d.set(owner, Some(when));
                        list.insert(owner, when);
                    }
                }
                assert_eq!(d.next(), list.values().min().copied(), "seed {seed}");
                assert_eq!(d.of(&owner), list.get(&owner).copied(), "seed {seed}");
            }
        }
    }
}
