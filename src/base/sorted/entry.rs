//! The place of a key, which may have a value or not.

use super::SortedMap;

/// The place of a key.
pub struct Entry<'m, K, V> {
    map: &'m mut SortedMap<K, V>,
    key: K,
}

impl<K: Ord, V> SortedMap<K, V> {
    pub const fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        Entry { map: self, key }
    }
}

impl<'m, K: Ord, V> Entry<'m, K, V> {
    /// The value, made if there is none.
    pub fn or_insert_with(self, value: impl FnOnce() -> V) -> &'m mut V {
        self.map.get_or_insert_with(self.key, value)
    }

    /// The value, or this one if there is none.
    pub fn or_insert(self, value: V) -> &'m mut V {
        self.or_insert_with(|| value)
    }

    /// The value, or the default one if there is none.
    pub fn or_default(self) -> &'m mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }
}
