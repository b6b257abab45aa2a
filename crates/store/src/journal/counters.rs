//! Use counts: a projection of the entries, written down at each seal.
//!
//! File: magic 8 · version u32 · segment u64 · count u32 · (counter u64, amount u64)… in order · crc u32.
//! It holds the sums over all entries up to the end of its segment.

use std::{collections::HashMap, path::Path};

use super::{error::Result, io::JournalIo, names};

pub(super) type Sums = HashMap<u64, u64>;

const MAGIC: [u8; 8] = *b"DAGRuses";
const VERSION: u32 = 1;
const HEAD: usize = 24;

pub(super) fn add(sums: &mut Sums, amounts: &[(u64, u64)]) {
    for (counter, amount) in amounts {
        let sum = sums.entry(*counter).or_default();
        *sum = sum.saturating_add(*amount);
    }
}

/// Durable when this returns.
pub(super) fn write(io: &dyn JournalIo, dir: &Path, segment: u64, sums: &Sums) -> Result<()> {
    let bytes = encode(segment, sums);
    let draft = dir.join(names::draft(&names::checkpoint(segment)));
    let file = io.create(&draft)?;
    file.write_at(&bytes, 0)?;
    file.sync()?;
    io.rename(&draft, &dir.join(names::checkpoint(segment)))?;
    Ok(io.sync_dir(dir)?)
}

/// `None` = damaged.
pub(super) fn read(io: &dyn JournalIo, dir: &Path, segment: u64) -> Result<Option<Sums>> {
    let file = io.open(&dir.join(names::checkpoint(segment)))?;
    let mut bytes = vec![0; file.len()? as usize];
    let read = file.read_at(&mut bytes, 0)?;
    Ok(decode(&bytes[..read], segment))
}

fn encode(segment: u64, sums: &Sums) -> Vec<u8> {
    let mut sorted: Vec<_> = sums.iter().collect();
    sorted.sort_unstable();
    let mut bytes = Vec::with_capacity(HEAD + 16 * sorted.len() + 4);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&segment.to_le_bytes());
    bytes.extend_from_slice(&(sorted.len() as u32).to_le_bytes());
    for (counter, amount) in sorted {
        bytes.extend_from_slice(&counter.to_le_bytes());
        bytes.extend_from_slice(&amount.to_le_bytes());
    }
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8], segment: u64) -> Option<Sums> {
    let (bytes, crc) = bytes.split_last_chunk()?;
    let expected = encode(segment, &Sums::new());
    let (head, rows) = bytes.split_at_checked(HEAD)?;
    if crc32fast::hash(bytes) != u32::from_le_bytes(*crc) || head[..20] != expected[..20] {
        return None;
    }
    let (rows, rest) = rows.as_chunks::<16>();
    let number = |bytes: &[u8]| bytes.try_into().ok().map(u64::from_le_bytes);
    rest.is_empty().then(|| {
        rows.iter()
            .map(|row| Some((number(&row[..8])?, number(&row[8..])?)))
            .collect()
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_comes_back_or_is_damaged() {
        let sums = Sums::from([(7, 9), (1, u64::MAX)]);
        let mut bytes = encode(3, &sums);
        assert_eq!(decode(&bytes, 3), Some(sums));
        assert_eq!(decode(&bytes, 4), None);
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert_eq!(decode(&bytes, 3), None);
            assert_eq!(decode(&bytes[..at], 3), None);
            bytes[at] ^= 1;
        }
    }
}
