//! A map in many small parts: a copy with one entry changed shares all parts but one.
//!
//! What is in force is copied at every change of the registry; with a hundred thousand permissions a plain map's copy
//! takes longer than everything else a decision does.

use std::{
    borrow::Borrow,
    collections::{HashMap, hash_map},
    hash::{BuildHasher, Hash, RandomState},
    sync::{Arc, LazyLock},
};

/// A power of two. Of a hundred thousand entries one part holds four hundred.
const PARTS: usize = 256;

/// The same for every map: a copy finds its entries where the original put them.
static PLACE: LazyLock<RandomState> = LazyLock::new(RandomState::new);

pub struct Sharded<K, V> {
    parts: Vec<Arc<HashMap<K, V>>>,
}

impl<K, V> Default for Sharded<K, V> {
    fn default() -> Self {
        let empty = Arc::new(HashMap::new());
        Self {
            parts: vec![empty; PARTS],
        }
    }
}

impl<K, V> Clone for Sharded<K, V> {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Sharded<K, V> {
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.parts[place(key)].get(key)
    }

    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.get(key).is_some()
    }

    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        Arc::make_mut(&mut self.parts[place(&key)]).insert(key, value)
    }

    pub fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let part = &mut self.parts[place(key)];
        // What is not there makes no copy.
        part.contains_key(key).then(|| Arc::make_mut(part).remove(key))?
    }

    /// The value at a key, made if there is none.
    pub fn entry(&mut self, key: K) -> hash_map::Entry<'_, K, V> {
        Arc::make_mut(&mut self.parts[place(&key)]).entry(key)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.is_empty())
    }
}

fn place<Q: Hash + ?Sized>(key: &Q) -> usize {
    // The upper bits: a map of its own makes its places of the lower ones.
    (PLACE.hash_one(key) >> 56) as usize % PARTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_map_and_a_copy_keeps_what_it_had() {
        let mut map = Sharded::default();
        let mut plain = HashMap::new();
        for number in 0..5_000_u32 {
            assert_eq!(
                map.insert(number.to_string(), number),
                plain.insert(number.to_string(), number)
            );
        }
        let before = map.clone();
        for number in (0..5_000_u32).step_by(3) {
            assert_eq!(
                map.remove(number.to_string().as_str()),
                plain.remove(number.to_string().as_str())
            );
        }
        *map.entry("1".to_owned()).or_default() += 10;
        *plain.entry("1".to_owned()).or_default() += 10;
        assert_eq!(map.len(), plain.len());
        assert!(map.iter().all(|(key, value)| plain.get(key) == Some(value)));
        assert_eq!(map.get("3"), None);
        assert_eq!(
            (before.len(), before.get("1"), before.get("3")),
            (5_000, Some(&1), Some(&3))
        );
    }

    #[test]
    fn a_copy_with_one_change_shares_the_rest() {
        let mut map: Sharded<u32, u32> = Sharded::default();
        for number in 0..5_000 {
            map.insert(number, number);
        }
        let mut copy = map.clone();
        copy.insert(7, 0);
        copy.remove(&99_999);
        let apart = map
            .parts
            .iter()
            .zip(&copy.parts)
            .filter(|(a, b)| !Arc::ptr_eq(a, b));
        assert_eq!(apart.count(), 1);
    }
}
