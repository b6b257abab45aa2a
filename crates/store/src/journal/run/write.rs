//! Writes sorted rows to a file. Index and filter follow in a second pass over the blocks, for only then is
//! their size known: memory holds one filter (at most 16 MiB) and no index.

use std::sync::Arc;

use super::{
    Meta, filter, index_entry,
    rows::{BLOCK_HEAD, Previous, Row, Rows},
};
use crate::journal::{error::Result, io::JournalFile, segment::SegmentInfo, subject::Subject};

const BLOCK_TARGET: usize = 4000;
const BUFFER: usize = 256 << 10;

/// Appends to a file through a buffer.
struct Output {
    file: Arc<dyn JournalFile>,
    buffer: Vec<u8>,
    at: u64,
}

impl Output {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_at(&self.buffer, self.at)?;
        self.at += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn position(&self) -> u64 {
        self.at + self.buffer.len() as u64
    }
}

pub struct RunWriter {
    output: Output,
    base: u64,
    block: Vec<u8>,
    previous: Previous,
    last: Option<Subject>,
    rows: u64,
    distinct: u64,
    blocks: u64,
}

impl RunWriter {
    /// `base`: no segment of a row is less.
    pub fn new(file: Arc<dyn JournalFile>, base: u64) -> Self {
        Self {
            output: Output {
                file,
                buffer: Vec::with_capacity(BUFFER + 8192),
                at: 0,
            },
            base,
            block: Vec::with_capacity(2 * BLOCK_TARGET),
            previous: Previous::new(base),
            last: None,
            rows: 0,
            distinct: 0,
            blocks: 0,
        }
    }

    pub fn push(&mut self, row: Row) -> Result<()> {
        self.rows += 1;
        if self.last.as_ref() != Some(&row.subject) {
            self.distinct += 1;
            self.last = Some(row.subject.clone());
        }
        self.previous.put(&mut self.block, row);
        if self.block.len() >= BLOCK_TARGET {
            self.end_block()
        } else {
            Ok(())
        }
    }

    fn end_block(&mut self) -> Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        self.output.write(&(self.block.len() as u32).to_le_bytes())?;
        self.output.write(&crc32fast::hash(&self.block).to_le_bytes())?;
        self.output.write(&self.block)?;
        self.block.clear();
        self.previous = Previous::new(self.base);
        self.blocks += 1;
        Ok(())
    }

    /// Only rows, to be merged and thrown away.
    pub fn finish_part(mut self) -> Result<Rows> {
        self.end_block()?;
        self.output.flush()?;
        Ok(Rows::new(self.output.file, 0, self.output.at, self.base))
    }

    /// Durable when this returns (but for the name).
    pub fn finish(mut self, level: u8, last: u64, segments: Vec<SegmentInfo>) -> Result<()> {
        self.end_block()?;
        self.output.flush()?;
        let blocks_end = self.output.position();
        let filter = self.index(blocks_end)?.finish();
        for block in &filter {
            self.output.write(block)?;
        }
        let meta = Meta {
            level,
            first: self.base,
            last,
            rows: self.rows,
            distinct: self.distinct,
            blocks_end,
            blocks: self.blocks,
            filter_blocks: filter.len() as u64,
            segments,
        }
        .encode();
        let meta_at = self.output.position();
        self.output.write(&meta)?;
        self.output.write(&meta_at.to_le_bytes())?;
        self.output.write(&(meta.len() as u32).to_le_bytes())?;
        self.output.write(&crc32fast::hash(&meta).to_le_bytes())?;
        self.output.write(&super::MAGIC)?;
        self.output.flush()?;
        Ok(self.output.file.sync()?)
    }

    fn index(&mut self, blocks_end: u64) -> Result<filter::Filter> {
        let mut filter = filter::Filter::new(self.distinct);
        let mut rows = Rows::new(self.output.file.clone(), 0, blocks_end, self.base);
        let mut position = 0;
        let mut last = None;
        while let Some((at, block)) = rows.next_block()? {
            if let Some(first) = block.first() {
                self.output
                    .write(&index_entry(position, first.subject.prefix(), at))?;
            }
            position += 1;
            for row in block {
                if last.as_ref() != Some(&row.subject) {
                    filter.insert(filter::hash(&row.subject));
                    last = Some(row.subject);
                }
            }
        }
        Ok(filter)
    }
}

const _: () = assert!(BLOCK_TARGET as u64 + BLOCK_HEAD < 8 << 10);
