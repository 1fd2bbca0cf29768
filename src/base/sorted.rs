//! Maps with many entries, most of which are added in ascending order.
//!
//! A `BTreeMap` that is filled in order has half empty nodes. These are full.

use std::borrow::Borrow;
use std::ops::Index;

/// Entries of a node at most. Few enough that an insertion moves no more than some kilobytes.
const MOST: usize = 64;

/// Entries by key, in ascending order.
#[derive(Clone, Debug)]
pub struct SortedMap<K, V> {
    /// None of them is empty.
    nodes: Vec<Vec<(K, V)>>,
    len: usize,
}

/// Place of an entry: its node, and its place there.
type EntryIndex = (usize, usize);

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self { nodes: Vec::new(), len: 0 }
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    pub const fn len(&self) -> usize {
        self.len
    }

    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where the key is, or where it would be inserted.
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<EntryIndex, EntryIndex>
    where
        K: Borrow<Q>,
    {
        let is_before = |node: &Vec<(K, V)>| node.last().is_some_and(|last| last.0.borrow() < key);
        let node = self.nodes.partition_point(is_before);
        let Some(entries) = self.nodes.get(node) else {
            // Behind all others: in the last node, if there is one.
            let node = node.saturating_sub(1);
            return Err((node, self.nodes.get(node).map_or(0, Vec::len)));
        };
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
                upper.extend(full.drain(if is_run { at } else { MOST / 2 }..));
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
        let (node, at) = self.find(key).ok()?;
        self.len -= 1;
        let (_, value) = self.nodes[node].remove(at);
        if self.nodes[node].is_empty() {
            self.nodes.remove(node);
        }
        Some(value)
    }

    /// Removes the first entry.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        let node = self.nodes.first_mut()?;
        let first = node.remove(0);
        self.len -= 1;
        if node.is_empty() {
            self.nodes.remove(0);
        }
        Some(first)
    }

    /// Removes the entries for which `keep` returns false.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        for node in &mut self.nodes {
            node.retain_mut(|(key, value)| keep(key, value));
        }
        self.nodes.retain(|node| !node.is_empty());
        self.nodes.iter_mut().for_each(|node| node.shrink_to(node.len() * 2));
        self.len = self.nodes.iter().map(Vec::len).sum();
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.nodes.iter().flatten().map(|(key, value)| (key, value))
    }

    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The last entry before this key.
    pub fn before<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        let (Ok((node, at)) | Err((node, at))) = self.find(key);
        let (key, value) = match at.checked_sub(1) {
            Some(at) => self.nodes.get(node)?.get(at)?,
            None => self.nodes.get(node.checked_sub(1)?)?.last()?,
        };
        Some((key, value))
    }

    /// The entries from this key on.
    pub fn from<Q: Ord + ?Sized>(&self, key: &Q) -> impl Iterator<Item = (&K, &V)>
    where
        K: Borrow<Q>,
    {
        let (Ok((node, at)) | Err((node, at))) = self.find(key);
        let all = self.nodes[node.min(self.nodes.len())..].iter().flatten().skip(at);
        all.map(|(key, value)| (key, value))
    }
}

impl<K: Ord, V> Index<&K> for SortedMap<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.get(key).expect("the key is known")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::rng::Rng;

    fn is_sound(map: &SortedMap<u64, u64>) -> bool {
        let fits = |node: &Vec<(u64, u64)>| !node.is_empty() && node.len() <= MOST;
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
                match rng.between(0, 10) {
                    0..=5 => assert_eq!(map.insert(key, n), tree.insert(key, n)),
                    6 => {
                        let value = *map.get_or_insert_with(key, || n);
                        assert_eq!(value, *tree.entry(key).or_insert(n));
                    }
                    7 => {
                        map.retain(|key, _| key % 7 != n % 97);
                        tree.retain(|key, _| key % 7 != n % 97);
                    }
                    8 => assert_eq!(map.pop_first(), tree.pop_first()),
                    _ => assert_eq!(map.remove(&key), tree.remove(&key)),
                }
                assert_eq!(map.get(&key), tree.get(&key));
                assert!(is_sound(&map), "seed {seed}");
            }
            assert!(map.iter().eq(tree.iter()), "seed {seed}");
            for from in 0..range.min(200) {
                assert!(map.from(&from).eq(tree.range(from..)), "seed {seed}");
                assert_eq!(map.before(&from), tree.range(..from).next_back(), "seed {seed}");
            }
        }
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
