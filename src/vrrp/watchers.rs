//! Which instances depend on what: an index, so that a fact costs only those it concerns.

use crate::base::ids::InstanceId;
use crate::base::sorted::{SortedMap, SortedSet};

/// Instances by the thing they watch.
#[derive(Debug)]
pub(super) struct Watchers<K> {
    by_key: SortedMap<K, Vec<InstanceId>>,
    /// By number of the instance.
    keys_of: Vec<Box<[K]>>,
}

impl<K> Default for Watchers<K> {
    fn default() -> Self {
        Self { by_key: SortedMap::new(), keys_of: Vec::new() }
    }
}

impl<K: Ord + Clone> Watchers<K> {
    /// From now on the instance watches these, and nothing else.
    pub(super) fn watch(&mut self, id: InstanceId, keys: SortedSet<K>) {
        let keys: Box<[K]> = keys.into_iter().collect();
        let slot = id.0 as usize;
        if keys.is_empty() && self.keys_of.len() <= slot {
            return;
        }
        if self.keys_of.len() <= slot {
            self.keys_of.resize_with(slot + 1, Box::default);
        }
        if self.keys_of[slot] == keys {
            return;
        }
        for key in std::mem::take(&mut self.keys_of[slot]) {
            if let Some(by) = self.by_key.get_mut(&key) {
                by.retain(|other| *other != id);
                if by.is_empty() {
                    self.by_key.remove(&key);
                }
            }
        }
        for key in &keys {
            let by = self.by_key.entry(key.clone()).or_default();
            by.insert(by.partition_point(|other| *other < id), id);
        }
        self.keys_of[slot] = keys;
    }

    /// Those that watch this.
    pub(super) fn of<Q>(&self, key: &Q) -> Vec<InstanceId>
    where
        K: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.by_key.get(key).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_longer_watched_is_forgotten() {
        let mut w: Watchers<String> = Watchers::default();
        let keys = |list: &[&str]| list.iter().map(|&k| k.to_owned()).collect();
        w.watch(InstanceId(1), keys(&["a", "b"]));
        w.watch(InstanceId(2), keys(&["b"]));
        assert_eq!(w.of("b"), [InstanceId(1), InstanceId(2)]);
        w.watch(InstanceId(1), keys(&["c"]));
        assert_eq!((w.of("a"), w.of("b")), (vec![], vec![InstanceId(2)]));
        w.watch(InstanceId(1), keys(&[]));
        w.watch(InstanceId(2), keys(&[]));
        assert!(w.by_key.is_empty() && w.keys_of.iter().all(|keys| keys.is_empty()));
    }
}
