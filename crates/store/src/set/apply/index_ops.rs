//! Index operations of a package, sorted before they are written.
//!
//! A package comes in key order, so its index entries come in none: given one by one, each would touch another page.

use crate::{
    key_head::key_head,
    kv::{KvError, Sink, Table},
    set::keys::ListId,
};

/// Operations are kept up to this many bytes, then written.
const BUFFER_BYTES: usize = 32 << 20;

/// One operation; its entry stands in the buffer.
#[derive(Clone, Copy)]
struct Op {
    /// The entry's first bytes, as a number: most comparisons end here.
    head: u64,
    start: u32,
    len: u16,
    /// Length of the record's key, with which the entry ends.
    key_len: u16,
    put: bool,
}

pub(super) struct IndexOps {
    entries: Vec<u8>,
    ops: Vec<Op>,
    buffer_bytes: usize,
}

impl Default for IndexOps {
    fn default() -> Self {
        Self::with_buffer(BUFFER_BYTES)
    }
}

impl IndexOps {
    fn with_buffer(buffer_bytes: usize) -> Self {
        Self {
            entries: Vec::new(),
            ops: Vec::new(),
            buffer_bytes,
        }
    }

    pub fn put(&mut self, id: ListId, value: &[u8], key: &[u8], sink: &mut dyn Sink) -> Result<(), KvError> {
        self.add(id, value, key, true, sink)
    }

    pub fn delete(
        &mut self,
        id: ListId,
        value: &[u8],
        key: &[u8],
        sink: &mut dyn Sink,
    ) -> Result<(), KvError> {
        self.add(id, value, key, false, sink)
    }

    fn add(
        &mut self,
        id: ListId,
        value: &[u8],
        key: &[u8],
        put: bool,
        sink: &mut dyn Sink,
    ) -> Result<(), KvError> {
        let start = self.entries.len();
        self.entries.extend_from_slice(&id.to_be_bytes());
        self.entries.extend_from_slice(value);
        self.entries.extend_from_slice(key);
        let entry = &self.entries[start..];
        self.ops.push(Op {
            head: key_head(entry),
            start: start as u32,
            len: entry.len() as u16,
            key_len: key.len() as u16,
            put,
        });
        if self.entries.len() + self.ops.len() * size_of::<Op>() >= self.buffer_bytes {
            self.flush(sink)?;
        }
        Ok(())
    }

    /// Writes what is kept, in order of the entries; operations on one entry stay in order of arrival.
    pub fn flush(&mut self, sink: &mut dyn Sink) -> Result<(), KvError> {
        let entries = &self.entries;
        let entry = |op: &Op| &entries[op.start as usize..op.start as usize + usize::from(op.len)];
        // The start grows with arrival, so this is a stable order without the memory of a stable sort.
        self.ops.sort_unstable_by(|a, b| {
            let by_entry = a.head.cmp(&b.head).then_with(|| entry(a).cmp(entry(b)));
            by_entry.then(a.start.cmp(&b.start))
        });
        for op in &self.ops {
            let entry = entry(op);
            if op.put {
                let key = &entry[entry.len() - usize::from(op.key_len)..];
                sink.put(Table::Index, entry, key)?;
            } else {
                sink.delete(Table::Index, entry)?;
            }
        }
        self.ops.clear();
        self.entries.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Default)]
    struct Written {
        state: BTreeMap<Vec<u8>, Vec<u8>>,
        order: Vec<Vec<u8>>,
    }

    impl Sink for Written {
        fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), KvError> {
            assert_eq!(table, Table::Index);
            self.order.push(key.to_vec());
            self.state.insert(key.to_vec(), value.to_vec());
            Ok(())
        }
        fn delete(&mut self, _: Table, key: &[u8]) -> Result<(), KvError> {
            self.order.push(key.to_vec());
            self.state.remove(key);
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn sorted_operations_give_what_unsorted_ones_give(
            ops in prop::collection::vec((0u16..3, "[ab\0]{0,9}", "[ab]{1,3}", any::<bool>()), 0..60),
            buffer_bytes in 1usize..4_000,
        ) {
            let (mut sorted, mut plain) = (Written::default(), Written::default());
            let mut kept = IndexOps::with_buffer(buffer_bytes);
            for (id, value, key, put) in &ops {
                let entry = crate::set::keys::index(*id, value.as_bytes(), key.as_bytes());
                if *put {
                    kept.put(*id, value.as_bytes(), key.as_bytes(), &mut sorted).unwrap();
                    plain.put(Table::Index, &entry, key.as_bytes()).unwrap();
                } else {
                    kept.delete(*id, value.as_bytes(), key.as_bytes(), &mut sorted).unwrap();
                    plain.delete(Table::Index, &entry).unwrap();
                }
            }
            kept.flush(&mut sorted).unwrap();
            prop_assert_eq!(sorted.order.len(), ops.len());
            prop_assert_eq!(&sorted.state, &plain.state);
            if buffer_bytes > 3_900 {
                prop_assert!(sorted.order.is_sorted());
            }
        }
    }
}
