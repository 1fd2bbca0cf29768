//! Deadlines by owner, sorted. Most are moved to a later time again and again, long before they
//! expire: that costs one look-up.

use super::time::Instant;
use crate::base::sorted::{SortedMap, SortedSet};

/// At most one deadline per owner.
#[derive(Debug, Clone)]
pub struct Deadlines<K, W = SortedMap<K, Entry>> {
    when: W,
    /// Every owner by its `queued` time. The first one is always exact.
    order: SortedSet<(Instant, K)>,
}

/// The same for owners that are numbered without large gaps: a deadline is found at once.
pub type NumberedDeadlines<K> = Deadlines<K, Vec<Option<Entry>>>;

#[derive(Debug, Clone, Copy)]
pub struct Entry {
    when: Instant,
    /// Its place in the order, at `when` or earlier. A deadline that moves to a later time keeps
    /// its place until it is the first.
    queued: Instant,
}

/// Entries by owner.
pub trait Entries<K> {
    fn entry(&self, owner: &K) -> Option<&Entry>;
    fn entry_mut(&mut self, owner: &K) -> Option<&mut Entry>;
    fn put(&mut self, owner: K, entry: Entry);
    fn take(&mut self, owner: &K);
}

impl<K: Ord> Entries<K> for SortedMap<K, Entry> {
    fn entry(&self, owner: &K) -> Option<&Entry> {
        self.get(owner)
    }

    fn entry_mut(&mut self, owner: &K) -> Option<&mut Entry> {
        self.get_mut(owner)
    }

    fn put(&mut self, owner: K, entry: Entry) {
        self.insert(owner, entry);
    }

    fn take(&mut self, owner: &K) {
        self.remove(owner);
    }
}

impl<K: Copy + Into<usize>> Entries<K> for Vec<Option<Entry>> {
    fn entry(&self, owner: &K) -> Option<&Entry> {
        self.get((*owner).into())?.as_ref()
    }

    fn entry_mut(&mut self, owner: &K) -> Option<&mut Entry> {
        self.get_mut((*owner).into())?.as_mut()
    }

    fn put(&mut self, owner: K, entry: Entry) {
        let owner = owner.into();
        if self.len() <= owner {
            self.resize(owner + 1, None);
        }
        self[owner] = Some(entry);
    }

    fn take(&mut self, owner: &K) {
        if let Some(entry) = self.get_mut((*owner).into()) {
            *entry = None;
        }
    }
}

impl<K, W: Default> Default for Deadlines<K, W> {
    fn default() -> Self {
        Self { when: W::default(), order: SortedSet::new() }
    }
}

impl<K: Ord + Copy, W: Entries<K>> Deadlines<K, W> {
    /// Sets, moves or, with `None`, clears the deadline of `owner`.
    pub fn set(&mut self, owner: K, when: Option<Instant>) {
        match (when, self.when.entry_mut(&owner)) {
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
                self.when.put(owner, Entry { when, queued: when });
                self.order.insert((when, owner));
            }
            (None, Some(entry)) => {
                self.order.remove(&(entry.queued, owner));
                self.when.take(&owner);
            }
            (None, None) => return,
        }
        self.correct_first();
    }

    /// Moves owners to their places until the first one is in its own.
    fn correct_first(&mut self) {
        while let Some(&(queued, owner)) = self.order.first() {
            let Some(entry) = self.when.entry_mut(&owner).filter(|entry| entry.when != queued)
            else {
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
        self.when.entry(owner).map(|entry| entry.when)
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
        self.when.take(&owner);
        self.correct_first();
        Some((when, owner))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn the_earliest_comes_first_and_each_owner_once() {
        let mut d = Deadlines::<_>::default();
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
        let mut d = Deadlines::<_>::default();
        d.set(1, Some(at(1)));
        d.set(1, None);
        assert_eq!(d.pop_due(at(9)), None);
    }

    #[test]
    fn whatever_is_set_the_order_is_that_of_a_list() {
        compare::<SortedMap<usize, Entry>>();
        compare::<Vec<Option<Entry>>>();
    }

    fn compare<W: Entries<usize> + Default>() {
        use crate::base::rng::Rng;
        for seed in 0..500 {
            let mut rng = Rng::new(seed);
            let (mut d, mut list) = (Deadlines::<usize, W>::default(), BTreeMap::new());
            let mut now = 0;
            for _ in 0..200 {
                let owner = usize::try_from(rng.between(0, 9)).expect("is small");
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
