//! A run: subject → entries, sorted, of one sealed segment or of several that follow each other.
//!
//! Blocks of about 4 KiB (length u32 · crc u32 · rows), then an index of fixed-size entries (prefix of the
//! block's first subject u64 · offset u64 · crc u32), then the filter, then the meta block and a tail
//! (offset u64 · length u32 · crc u32 · magic 8). A search reads one filter block, a few index entries by
//! bisection and one block; nothing of a run is kept in memory but its meta block.

mod filter;
mod merge;
mod rows;
mod write;

use std::{path::Path, sync::Arc};

pub(super) use self::{
    merge::{Place, build, merge},
    rows::Rows,
};
use super::{
    entry::EntryId,
    error::{JournalError, Result},
    io::{JournalFile, JournalIo},
    segment::SegmentInfo,
    subject::Subject,
};
use crate::codec::{Reader, put_varint};

const MAGIC: [u8; 8] = *b"DAGRruns";
const VERSION: u64 = 1;
const TAIL: u64 = 24;
const INDEX_ENTRY: u64 = 20;
/// No meta block is longer: segments of a run are bounded by the merge.
const MAX_META: u64 = 16 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meta {
    pub level: u8,
    pub first: u64,
    pub last: u64,
    pub rows: u64,
    pub distinct: u64,
    pub blocks_end: u64,
    pub blocks: u64,
    pub filter_blocks: u64,
    pub segments: Vec<SegmentInfo>,
}

impl Meta {
    fn filter_at(&self) -> u64 {
        self.blocks_end + self.blocks * INDEX_ENTRY
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let numbers = [
            VERSION,
            u64::from(self.level),
            self.first,
            self.last,
            self.rows,
            self.distinct,
            self.blocks_end,
            self.blocks,
            self.filter_blocks,
            self.segments.len() as u64,
        ];
        for number in numbers {
            put_varint(&mut out, number);
        }
        for segment in &self.segments {
            put_varint(&mut out, segment.number);
            put_varint(&mut out, segment.end);
            put_varint(&mut out, segment.entries);
            out.extend_from_slice(&segment.first_ms.to_le_bytes());
            out.extend_from_slice(&segment.last_ms.to_le_bytes());
        }
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.varint()? != VERSION {
            return None;
        }
        let mut meta = Self {
            level: u8::try_from(reader.varint()?).ok()?,
            first: reader.varint()?,
            last: reader.varint()?,
            rows: reader.varint()?,
            distinct: reader.varint()?,
            blocks_end: reader.varint()?,
            blocks: reader.varint()?,
            filter_blocks: reader.varint()?,
            segments: Vec::new(),
        };
        for _ in 0..reader.varint()? {
            meta.segments.push(SegmentInfo {
                number: reader.varint()?,
                end: reader.varint()?,
                entries: reader.varint()?,
                first_ms: i64::from_le_bytes(reader.take(8)?.try_into().ok()?),
                last_ms: i64::from_le_bytes(reader.take(8)?.try_into().ok()?),
            });
        }
        Some(meta)
    }
}

pub(super) struct Run {
    pub meta: Meta,
    pub bytes: u64,
    pub name: String,
    file: Arc<dyn JournalFile>,
}

impl Run {
    /// `Corrupt` when damaged: the caller makes it anew from its segments.
    pub(super) fn open(io: &dyn JournalIo, dir: &Path, name: &str) -> Result<Self> {
        let file: Arc<dyn JournalFile> = Arc::from(io.open(&dir.join(name))?);
        let damaged = || JournalError::Corrupt(format!("run {name}"));
        let bytes = file.len()?;
        let mut tail = [0; TAIL as usize];
        let tail_at = bytes.checked_sub(TAIL).ok_or_else(damaged)?;
        file.read_at(&mut tail, tail_at)?;
        let mut reader = Reader(&tail);
        let number = |bytes: Option<&[u8]>| {
            bytes.map(|bytes| {
                bytes
                    .iter()
                    .rev()
                    .fold(0u64, |number, byte| (number << 8) | u64::from(*byte))
            })
        };
        let (at, len, crc) = (
            number(reader.take(8)),
            number(reader.take(4)),
            number(reader.take(4)),
        );
        let (Some(at), Some(len), Some(crc), MAGIC) =
            (at, len, crc, *tail[16..].as_array().unwrap_or(&[0; 8]))
        else {
            return Err(damaged());
        };
        if len > MAX_META || at.checked_add(len) != Some(tail_at) {
            return Err(damaged());
        }
        let mut meta = vec![0; len as usize];
        file.read_at(&mut meta, at)?;
        if u64::from(crc32fast::hash(&meta)) != crc {
            return Err(damaged());
        }
        let meta = Meta::decode(&meta).ok_or_else(damaged)?;
        Ok(Self {
            meta,
            bytes,
            name: name.to_owned(),
            file,
        })
    }

    /// Hands on the entries of a subject, oldest first, until `take` says no.
    pub(super) fn find(
        &self,
        subject: &Subject,
        mut take: impl FnMut(EntryId) -> Result<bool>,
    ) -> Result<()> {
        if self.meta.blocks == 0 || !self.may_hold(subject)? {
            return Ok(());
        }
        let mut rows = Rows::new(
            self.file.clone(),
            self.start(subject)?,
            self.meta.blocks_end,
            self.meta.first,
        );
        rows.read_ahead(8 << 10);
        while let Some(row) = rows.next()? {
            match row.subject.cmp(subject) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal if take(row.id)? => {}
                _ => break,
            }
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> Rows {
        Rows::new(self.file.clone(), 0, self.meta.blocks_end, self.meta.first)
    }

    fn may_hold(&self, subject: &Subject) -> Result<bool> {
        let hash = filter::hash(subject);
        let block = filter::block_of(hash, self.meta.filter_blocks);
        let mut bytes = [0; filter::BLOCK];
        self.file
            .read_at(&mut bytes, self.meta.filter_at() + block * filter::BLOCK as u64)?;
        filter::block_holds(&bytes, hash).ok_or_else(|| self.damaged())
    }

    /// Offset of the last block that begins before the subject, or of the first.
    fn start(&self, subject: &Subject) -> Result<u64> {
        let wanted = subject.prefix();
        let (mut low, mut high) = (0, self.meta.blocks);
        while low < high {
            let middle = low.midpoint(high);
            if self.index_entry(middle)?.0 < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(self.index_entry(low.saturating_sub(1))?.1)
    }

    fn index_entry(&self, position: u64) -> Result<(u64, u64)> {
        let mut bytes = [0; INDEX_ENTRY as usize];
        self.file
            .read_at(&mut bytes, self.meta.blocks_end + position * INDEX_ENTRY)?;
        let (head, crc) = bytes.split_at(16);
        let (prefix, offset) = head.split_at(8);
        match (
            prefix.try_into().map(u64::from_le_bytes),
            offset.try_into().map(u64::from_le_bytes),
        ) {
            (Ok(prefix), Ok(offset)) if index_entry(position, prefix, offset)[16..] == *crc => {
                Ok((prefix, offset))
            }
            _ => Err(self.damaged()),
        }
    }

    fn damaged(&self) -> JournalError {
        JournalError::Corrupt(format!("run {}", self.name))
    }
}

fn index_entry(position: u64, prefix: u64, offset: u64) -> [u8; INDEX_ENTRY as usize] {
    let mut out = [0; INDEX_ENTRY as usize];
    out[..8].copy_from_slice(&prefix.to_le_bytes());
    out[8..16].copy_from_slice(&offset.to_le_bytes());
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&out[..16]);
    hasher.update(&position.to_le_bytes());
    out[16..].copy_from_slice(&hasher.finalize().to_le_bytes());
    out
}
