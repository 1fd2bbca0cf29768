//! The entries between two keys.

use std::borrow::Borrow;
use std::iter;
use std::ops::{Bound, RangeBounds};

use super::{EntryIndex, SortedMap, SortedSet};

/// Entries from one place to before another.
pub struct Range<'m, K, V> {
    map: &'m SortedMap<K, V>,
    from: EntryIndex,
    to: EntryIndex,
}

impl<K, V> Clone for Range<'_, K, V> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<'m, K, V> Iterator for Range<'m, K, V> {
    type Item = (&'m K, &'m V);

    fn next(&mut self) -> Option<Self::Item> {
        if self.from >= self.to {
            return None;
        }
        let node = self.map.nodes.get(self.from.0)?;
        let Some((key, value)) = node.get(self.from.1) else {
            self.from = (self.from.0 + 1, 0);
            return self.next();
        };
        self.from.1 += 1;
        Some((key, value))
    }
}

impl<K, V> DoubleEndedIterator for Range<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.from >= self.to {
            return None;
        }
        if self.to.1 == 0 {
            self.to.0 -= 1;
            self.to.1 = self.map.nodes[self.to.0].len();
            return self.next_back();
        }
        self.to.1 -= 1;
        let (key, value) = &self.map.nodes[self.to.0][self.to.1];
        Some((key, value))
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    /// The entries between two keys.
    pub fn range<Q, R>(&self, range: R) -> Range<'_, K, V>
    where
        Q: Ord + ?Sized,
        K: Borrow<Q>,
        R: RangeBounds<Q>,
    {
        let from = match range.start_bound() {
            Bound::Unbounded => (0, 0),
            Bound::Included(key) => self.at_or_behind(key),
            Bound::Excluded(key) => self.behind(key),
        };
        let to = match range.end_bound() {
            Bound::Unbounded => (self.nodes.len(), 0),
            Bound::Included(key) => self.behind(key),
            Bound::Excluded(key) => self.at_or_behind(key),
        };
        Range { map: self, from, to }
    }

    fn at_or_behind<Q: Ord + ?Sized>(&self, key: &Q) -> EntryIndex
    where
        K: Borrow<Q>,
    {
        let (Ok(place) | Err(place)) = self.find(key);
        place
    }

    fn behind<Q: Ord + ?Sized>(&self, key: &Q) -> EntryIndex
    where
        K: Borrow<Q>,
    {
        match self.find(key) {
            Ok((node, at)) => (node, at + 1),
            Err(place) => place,
        }
    }
}

type MemberOf<T> = for<'m> fn((&'m T, &'m ())) -> &'m T;

impl<T: Ord> SortedSet<T> {
    /// The members between two.
    pub fn range<Q, R>(&self, range: R) -> iter::Map<Range<'_, T, ()>, MemberOf<T>>
    where
        Q: Ord + ?Sized,
        T: Borrow<Q>,
        R: RangeBounds<Q>,
    {
        let member: MemberOf<T> = |(member, ())| member;
        self.0.range(range).map(member)
    }
}
