//! Every record read again and compared with its digest; their sum compared with the head.

use dagr_model::digest::{SetDigest, record_digest};

use super::{head::Head, stored::Stored};
use crate::kv::{Direction, KvError, Range, Snapshot, Table};

/// What a scrub found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scrubbed {
    pub head: Head,
    pub records: u64,
    /// Records whose bytes are not those their digest was made of, or that cannot be read.
    pub damaged: u64,
    /// The sum of the records' digests is the head's.
    pub sum_matches: bool,
}

impl Scrubbed {
    pub fn is_whole(&self) -> bool {
        self.damaged == 0 && self.sum_matches && self.records == self.head.records
    }
}

/// Reads everything once. An error: the engine itself could not read.
pub fn scrub(snapshot: &dyn Snapshot) -> Result<Scrubbed, KvError> {
    let head = Head::read(snapshot)?;
    let mut found = Scrubbed::default();
    let mut sum = SetDigest::default();
    for pair in snapshot.scan(Table::Record, Range::default(), Direction::Forward)? {
        let (_, bytes) = pair?;
        found.records += 1;
        match Stored::read(bytes) {
            Ok(stored) if record_digest(stored.record.json) == *stored.digest && stored.meta().is_ok() => {
                sum.add(stored.digest);
            }
            _ => found.damaged += 1,
        }
    }
    found.sum_matches = head.set_digest() == Some(sum);
    Ok(Scrubbed { head, ..found })
}

#[cfg(test)]
mod tests {
    use dagr_model::record::RecordRef;

    use super::*;
    use crate::{
        kv::{Engine, Kv, Op},
        memory::MemoryEngine,
        set::{
            keys,
            stored::{At, Meta, write},
        },
    };

    fn put(kv: &dyn Kv, table: Table, key: &[u8], value: Vec<u8>) {
        kv.commit(
            &[Op::Put {
                table,
                key: key.to_vec(),
                value,
            }],
            &[],
        )
        .unwrap();
    }

    fn record(json: &[u8], digest: [u8; 32]) -> Vec<u8> {
        let (mut out, mut scratch) = (Vec::new(), Vec::new());
        let meta = Meta::created(At {
            sequence: 1,
            time_ms: 0,
        });
        write(
            &mut out,
            &mut scratch,
            &digest,
            &meta,
            RecordRef { json, spans: &[] },
        );
        out
    }

    #[test]
    fn damage_of_a_record_and_of_the_sum_is_found() {
        let kv = MemoryEngine::new().open("main/set").unwrap();
        let found = || scrub(&*kv.snapshot().unwrap()).unwrap();
        assert!(found().is_whole(), "an empty set is whole");
        let mut digest = SetDigest::default();
        for (key, json) in [(b"a", b"{\"A\":1}"), (b"b", b"{\"A\":2}")] {
            digest.add(&record_digest(json));
            put(&*kv, Table::Record, key, record(json, record_digest(json)));
        }
        let head = Head {
            records: 2,
            digest: digest.hex(),
            ..Head::default()
        };
        put(&*kv, Table::Meta, keys::HEAD, head.bytes());
        assert!(found().is_whole());
        put(
            &*kv,
            Table::Record,
            b"b",
            record(b"{\"A\":3}", record_digest(b"{\"A\":2}")),
        );
        assert_eq!((found().damaged, found().is_whole()), (1, false));
        put(
            &*kv,
            Table::Record,
            b"b",
            record(b"{\"A\":3}", record_digest(b"{\"A\":3}")),
        );
        assert_eq!((found().damaged, found().sum_matches), (0, false));
    }
}
