//! Rows of a run: in a block each is written as a difference from the one before.
//!
//! Subject: 0 and its bytes for a new one that is no code; else the difference of the codes + 1 (1 = as before).
//! Entry: offset × 2 + 1 and segment − first segment of the run, or offset × 2 in the same segment (for the same
//! subject the difference of the offsets).

use std::sync::Arc;

use crate::{
    codec::{Reader, put_bytes, put_varint},
    journal::{
        entry::EntryId,
        error::{JournalError, Result},
        io::JournalFile,
        subject::Subject,
        window::Window,
    },
};

/// Ordered by subject, then entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub subject: Subject,
    pub id: EntryId,
}

pub const BLOCK_HEAD: u64 = 8;
/// No block is longer: the target, and one row more.
const MAX_BLOCK: u64 = 8 << 10;

/// The row before, within a block.
pub struct Previous {
    base: u64,
    subject: Option<Subject>,
    id: EntryId,
}

impl Previous {
    pub fn new(base: u64) -> Self {
        Self {
            base,
            subject: None,
            id: EntryId {
                segment: base,
                offset: 0,
            },
        }
    }

    pub fn put(&mut self, out: &mut Vec<u8>, row: Row) {
        let same = self.subject.as_ref() == Some(&row.subject);
        match (&row.subject, &self.subject) {
            _ if same => put_varint(out, 1),
            (Subject::Code(code), Some(Subject::Code(before))) => {
                put_varint(out, code.wrapping_sub(*before) + 1);
            }
            (Subject::Code(code), _) => put_varint(out, code + 1),
            (Subject::Other(bytes), _) => {
                put_varint(out, 0);
                put_bytes(out, bytes);
            }
        }
        let offset = u64::from(row.id.offset);
        if row.id.segment != self.id.segment {
            put_varint(out, offset << 1 | 1);
            put_varint(out, row.id.segment.wrapping_sub(self.base));
        } else if same {
            put_varint(out, offset.wrapping_sub(u64::from(self.id.offset)) << 1);
        } else {
            put_varint(out, offset << 1);
        }
        self.id = row.id;
        if !same {
            self.subject = Some(row.subject);
        }
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Option<Row> {
        let (subject, same) = match (reader.varint()?, &self.subject) {
            (0, _) => (Subject::Other(reader.bytes()?.into()), false),
            (1, Some(before)) => (before.clone(), true),
            (next, Some(Subject::Code(before))) => (Subject::Code(before.checked_add(next - 1)?), false),
            (next, _) => (Subject::Code(next - 1), false),
        };
        let place = reader.varint()?;
        let (segment, offset) = match place & 1 {
            1 => (self.base.checked_add(reader.varint()?)?, place >> 1),
            _ if same => (
                self.id.segment,
                u64::from(self.id.offset).checked_add(place >> 1)?,
            ),
            _ => (self.id.segment, place >> 1),
        };
        self.id = EntryId {
            segment,
            offset: u32::try_from(offset).ok()?,
        };
        self.subject = Some(subject.clone());
        Some(Row { subject, id: self.id })
    }
}

/// Reads rows forwards, block by block.
pub struct Rows {
    file: Arc<dyn JournalFile>,
    at: u64,
    end: u64,
    base: u64,
    window: Window,
    block: std::vec::IntoIter<Row>,
}

impl Rows {
    /// From a block's offset to the end of the blocks.
    pub fn new(file: Arc<dyn JournalFile>, at: u64, end: u64, base: u64) -> Self {
        Self {
            file,
            at,
            end,
            base,
            window: Window::new(64 << 10),
            block: Vec::new().into_iter(),
        }
    }

    pub fn read_ahead(&mut self, bytes: u64) {
        self.window = Window::new(bytes);
    }

    pub fn next(&mut self) -> Result<Option<Row>> {
        loop {
            if let Some(row) = self.block.next() {
                return Ok(Some(row));
            }
            match self.next_block()? {
                Some((_, rows)) => self.block = rows.into_iter(),
                None => return Ok(None),
            }
        }
    }

    /// Offset and rows of the next block.
    pub fn next_block(&mut self) -> Result<Option<(u64, Vec<Row>)>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let at = self.at;
        let rows = self
            .read_block()?
            .ok_or_else(|| JournalError::Corrupt(format!("block of a run at {at}")))?;
        Ok(Some((at, rows)))
    }

    fn read_block(&mut self) -> Result<Option<Vec<Row>>> {
        let Some(head) = self.window.fill(&*self.file, self.at, BLOCK_HEAD, self.end)? else {
            return Ok(None);
        };
        let ([len, crc], _) = self.window.bytes()[head].as_chunks::<4>() else {
            return Ok(None);
        };
        let (len, crc) = (u64::from(u32::from_le_bytes(*len)), u32::from_le_bytes(*crc));
        if len == 0 || len > MAX_BLOCK {
            return Ok(None);
        }
        let place = self
            .window
            .fill(&*self.file, self.at + BLOCK_HEAD, len, self.end)?;
        let Some(place) = place else { return Ok(None) };
        let bytes = &self.window.bytes()[place];
        if crc32fast::hash(bytes) != crc {
            return Ok(None);
        }
        let mut reader = Reader(bytes);
        let mut previous = Previous::new(self.base);
        let mut rows = Vec::with_capacity(1024);
        while !reader.0.is_empty() {
            let Some(row) = previous.read(&mut reader) else {
                return Ok(None);
            };
            rows.push(row);
        }
        self.at += BLOCK_HEAD + len;
        Ok(Some(rows))
    }
}
