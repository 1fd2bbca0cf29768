//! Maps and sets in the order of their keys.
//!
//! As fast as the trees of the standard library, with a quarter of their machine code, which the
//! compiler makes again for each pair of types. A `BTreeMap` that is filled in order has half empty
//! nodes, too. These are full.

mod compare;
mod entry;
mod iter;
mod range;
mod serialized;
mod set;

use std::borrow::Borrow;
use std::ops::Index;

pub use entry::Entry;
pub use iter::{IntoIter, Iter};
pub use range::Range;
pub use set::SortedSet;

/// Entries of a node at most. Few enough that an insertion moves no more than some kilobytes.
const MOST: usize = 64;

/// Entries by key, in ascending order.
#[derive(Clone)]
pub struct SortedMap<K, V> {
    /// None of them is empty but one that is alone: it has room for the next entry.
    nodes: Vec<Vec<(K, V)>>,
    len: usize,
}

/// Where an entry is: its node, and its place there.
type EntryIndex = (usize, usize);

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> SortedMap<K, V> {
    pub const fn new() -> Self {
        Self { nodes: Vec::new(), len: 0 }
    }

    pub const fn len(&self) -> usize {
        self.len
    }

    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn clear(&mut self) {
        *self = Self::new();
    }

    pub fn first_key_value(&self) -> Option<(&K, &V)> {
        let (key, value) = self.nodes.first()?.first()?;
        Some((key, value))
    }

    pub fn last_key_value(&self) -> Option<(&K, &V)> {
        let (key, value) = self.nodes.last()?.last()?;
        Some((key, value))
    }

    pub fn pop_first(&mut self) -> Option<(K, V)> {
        (!self.is_empty()).then(|| self.take((0, 0)))
    }

    /// Removes what is at this place.
    fn take(&mut self, (node, at): EntryIndex) -> (K, V) {
        self.len -= 1;
        let entry = self.nodes[node].remove(at);
        let left = self.nodes[node].len();
        if left == 0 && self.nodes.len() > 1 {
            self.nodes.remove(node);
        } else if node > 0 && left < MOST / 8 && self.nodes[node - 1].len() < MOST / 2 {
            // A few entries join those before them.
            let mut few = self.nodes.remove(node);
            self.nodes[node - 1].append(&mut few);
        }
        entry
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    /// Where the key is, or where it would be inserted.
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<EntryIndex, EntryIndex>
    where
        K: Borrow<Q>,
    {
        // What is behind all others belongs into the last node.
        let (mut node, mut end) = (0, self.nodes.len().saturating_sub(1));
        while node < end {
            let middle = (node + end) / 2;
            match self.nodes[middle].last() {
                Some(last) if last.0.borrow().cmp(key).is_lt() => node = middle + 1,
                _ => end = middle,
            }
        }
        let Some(entries) = self.nodes.get(node) else { return Err((0, 0)) };
        match entries.binary_search_by(|entry| entry.0.borrow().cmp(key)) {
            Ok(at) => Ok((node, at)),
            Err(at) => Err((node, at)),
        }
    }

    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let (node, at) = self.find(key).ok()?;
        Some(&self.nodes[node][at].1)
    }

    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (node, at) = self.find(key).ok()?;
        Some(&mut self.nodes[node][at].1)
    }

    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Adds or replaces an entry; returns the value before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok((node, at)) => Some(std::mem::replace(&mut self.nodes[node][at].1, value)),
            Err(place) => {
                self.add(place, key, value);
                None
            }
        }
    }

    /// The value of the key, made by `value` if there is none.
    pub fn get_or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        let (node, at) = match self.find(&key) {
            Ok(place) => place,
            Err(place) => self.add(place, key, value()),
        };
        &mut self.nodes[node][at].1
    }

    fn add(&mut self, (mut node, mut at): EntryIndex, key: K, value: V) -> EntryIndex {
        self.len += 1;
        // A run that ends before an entry which was there already fills the node before it.
        if at == 0 && node > 0 && self.nodes[node - 1].len() < MOST {
            (node, at) = (node - 1, self.nodes[node - 1].len());
        }
        match self.nodes.get_mut(node) {
            None => self.nodes.push(Vec::new()),
            Some(full) if full.len() == MOST => {
                // A run in ascending order may end before an entry that was there already.
                let is_run = at >= MOST / 4 * 3;
                // With all its room: one that grows leaves holes of its former sizes behind.
                let mut upper = Vec::with_capacity(MOST);
                upper.append(&mut full.split_off(if is_run { at } else { MOST / 2 }));
                let lower = full.len();
                self.nodes.insert(node + 1, upper);
                if at > lower || lower == MOST {
                    (node, at) = (node + 1, at - lower);
                }
            }
            Some(_) => {}
        }
        self.nodes[node].insert(at, (key, value));
        (node, at)
    }

    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.find(key).ok()?;
        Some(self.take(place).1)
    }

    /// Moves the entries from this key on into a map of their own.
    pub fn split_off<Q: Ord + ?Sized>(&mut self, key: &Q) -> Self
    where
        K: Borrow<Q>,
    {
        let (Ok((node, at)) | Err((node, at))) = self.find(key);
        let mut nodes = self.nodes.split_off(node.min(self.nodes.len()));
        if let Some(first) = nodes.first_mut() {
            let upper = first.split_off(at);
            let lower = std::mem::replace(first, upper);
            self.nodes.push(lower);
        }
        let mut rest = Self { nodes, len: 0 };
        self.tidy();
        rest.tidy();
        rest
    }

    /// Moves all entries of the other here.
    pub fn append(&mut self, other: &mut Self) {
        self.extend(std::mem::take(other));
    }

    /// Removes the entries for which `keep` returns false.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        for node in &mut self.nodes {
            node.retain_mut(|(key, value)| keep(key, value));
        }
        self.tidy();
        self.nodes.iter_mut().for_each(|node| node.shrink_to(node.len() * 2));
    }

    /// Removes empty nodes, and counts.
    fn tidy(&mut self) {
        self.nodes.retain(|node| !node.is_empty());
        self.len = self.nodes.iter().map(Vec::len).sum();
    }
}

impl<K: Ord + Borrow<Q>, Q: Ord + ?Sized, V> Index<&Q> for SortedMap<K, V> {
    type Output = V;

    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("the key is known")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ops::Bound;

    use super::*;
    use crate::base::rng::Rng;

    fn is_sound(map: &SortedMap<u64, u64>) -> bool {
        let is_alone = map.nodes.len() == 1;
        let fits = |node: &Vec<_>| (is_alone || !node.is_empty()) && node.len() <= MOST;
        map.nodes.iter().all(fits) && map.len() == map.iter().count()
    }

    #[test]
    fn it_holds_the_same_as_a_tree() {
        for seed in 0..60 {
            let mut rng = Rng::new(seed);
            let (mut map, mut tree) = (SortedMap::default(), BTreeMap::new());
            let range = if seed % 2 == 0 { 40 } else { 4_000 };
            for n in 0..1_500 {
                let key = rng.between(0, range);
                match rng.between(0, 9) {
                    0..=5 => assert_eq!(map.insert(key, n), tree.insert(key, n)),
                    6 => {
                        let value = *map.get_or_insert_with(key, || n);
                        assert_eq!(value, *tree.entry(key).or_insert(n));
                    }
                    7 if n % 3 == 0 => assert_eq!(map.pop_first(), tree.pop_first()),
                    7 => {
                        map.retain(|key, _| key % 7 != n % 97);
                        tree.retain(|key, _| key % 7 != n % 97);
                    }
                    _ => assert_eq!(map.remove(&key), tree.remove(&key)),
                }
                assert_eq!(map.get(&key), tree.get(&key));
                assert!(is_sound(&map), "seed {seed}");
            }
            assert!(map.iter().eq(tree.iter()), "seed {seed}");
            for from in 0..range.min(200) {
                assert!(map.range(from..).eq(tree.range(from..)), "seed {seed}");
                let to = from + rng.between(0, 300);
                assert!(map.range(from..to).eq(tree.range(from..to)), "seed {seed}");
                assert!(map.range(..=to).rev().eq(tree.range(..=to).rev()), "seed {seed}");
                let behind = (Bound::Excluded(from), Bound::Unbounded);
                assert!(map.range(behind).eq(tree.range(behind)), "seed {seed}");
            }
            assert!(map.iter().rev().eq(tree.iter().rev()), "seed {seed}");
            let (mut entries, mut expected) = (map.iter(), tree.iter());
            while expected.len() > 0 {
                assert_eq!(entries.len(), expected.len());
                if rng.one_in(2) {
                    assert_eq!(entries.next(), expected.next());
                } else {
                    assert_eq!(entries.next_back(), expected.next_back());
                }
            }
            assert_eq!((entries.next(), entries.next_back()), (None, None), "seed {seed}");
            assert_eq!(map.first_key_value(), tree.first_key_value());
            assert_eq!(map.last_key_value(), tree.last_key_value());
        }
    }

    #[test]
    fn it_is_divided_and_joined_like_a_tree() {
        for seed in 0..60 {
            let mut rng = Rng::new(seed);
            let many = rng.between(0, 300);
            let (mut map, mut tree) = (SortedMap::default(), BTreeMap::new());
            (0..many).map(|n| (rng.between(0, 400), n)).for_each(|(key, n)| {
                map.insert(key, n);
                tree.insert(key, n);
            });
            let at = rng.between(0, 410);
            let (mut upper, mut taller) = (map.split_off(&at), tree.split_off(&at));
            assert!(is_sound(&map) && is_sound(&upper), "seed {seed}");
            assert!(map.iter().eq(&tree) && upper.iter().eq(&taller), "seed {seed}");
            assert_eq!(map == upper, tree == taller);
            assert_eq!(map.cmp(&upper), tree.cmp(&taller));
            upper.values_mut().for_each(|value| *value += 1);
            taller.values_mut().for_each(|value| *value += 1);
            upper.append(&mut map);
            taller.append(&mut tree);
            assert!(map.is_empty() && is_sound(&upper), "seed {seed}");
            assert!(upper.into_iter().eq(taller), "seed {seed}");
        }
    }

    #[test]
    fn few_entries_take_few_nodes_after_removals() {
        let mut map: SortedMap<u64, u64> = (0..10_000).map(|n| (n, n)).collect();
        (0..10_000).filter(|n| n % 50 != 0).for_each(|n| _ = map.remove(&n));
        assert!(is_sound(&map) && map.len() == 200);
        assert!(map.nodes.len() <= 40, "{}", map.nodes.len());
    }

    #[test]
    fn a_map_is_an_object_of_json() {
        let map = SortedMap::from([("b".to_owned(), 2), ("a".to_owned(), 1)]);
        let text = serde_json::to_string(&map).expect("a map can be written");
        assert_eq!(text, r#"{"a":1,"b":2}"#);
        assert_eq!(serde_json::from_str::<SortedMap<String, u64>>(&text).expect("a map"), map);
    }

    #[test]
    fn sets_are_compared_by_their_members() {
        let (a, b) = (SortedSet::from([3, 1, 2]), SortedSet::from([2, 5]));
        assert!(a.difference(&b).eq(&[1, 3]) && a.iter().rev().eq(&[3, 2, 1]));
        assert_eq!(&a | &b, SortedSet::from([1, 2, 3, 5]));
        assert!(a.range(2..).eq(&[2, 3]));
        assert_eq!((a.first(), a.last(), a.get(&7)), (Some(&1), Some(&3), None));
    }

    #[test]
    fn nodes_are_full_after_insertion_in_order() {
        let mut map = SortedMap::default();
        (0..1_000).for_each(|n| _ = map.insert(n, n));
        assert_eq!(map.nodes.len(), 1_000_usize.div_ceil(MOST));
        let mut before = SortedMap::default();
        before.insert(2_000, 0);
        (0..1_000).for_each(|n| _ = before.insert(n, n));
        assert!(before.nodes.len() <= map.nodes.len() + 1);
        let mut random = SortedMap::default();
        (0..1_000).for_each(|n: u64| _ = random.insert(n.wrapping_mul(0x9e37_79b9_7f4a_7c15), n));
        assert!(random.nodes.len() <= 3 * map.nodes.len());
        let mut runs = SortedMap::default();
        (1..=8).for_each(|n| _ = runs.insert(n * 125, 0));
        (0..1_000).for_each(|n| _ = runs.insert(n, n));
        assert!(runs.nodes.len() <= map.nodes.len() + 1, "{}", runs.nodes.len());
    }
}
