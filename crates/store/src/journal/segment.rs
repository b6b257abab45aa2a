//! One segment, read by offset or frame by frame.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};

use super::{
    entry::EntryId,
    error::{JournalError, Result},
    frame::{FRAME_HEAD, FrameHead, HEADER_BYTES},
    io::JournalFile,
    window::Window,
};

/// What is known of a segment without reading it. Times are the least and the greatest of its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentInfo {
    pub number: u64,
    /// First byte after the last frame.
    pub end: u64,
    pub entries: u64,
    pub first_ms: i64,
    pub last_ms: i64,
}

impl SegmentInfo {
    pub(super) fn empty(number: u64) -> Self {
        Self {
            number,
            end: HEADER_BYTES,
            entries: 0,
            first_ms: i64::MAX,
            last_ms: i64::MIN,
        }
    }

    pub(super) fn add(&mut self, at_ms: i64, frame_bytes: u64) {
        self.end += frame_bytes;
        self.entries += 1;
        self.first_ms = self.first_ms.min(at_ms);
        self.last_ms = self.last_ms.max(at_ms);
    }

    /// May an entry in `from_ms..to_ms` be here?
    pub(super) fn meets(&self, from_ms: i64, to_ms: i64) -> bool {
        self.last_ms >= from_ms && self.first_ms < to_ms
    }

    pub(super) fn is_within(&self, from_ms: i64, to_ms: i64) -> bool {
        self.first_ms >= from_ms && self.last_ms < to_ms
    }
}

pub(super) struct Segment {
    pub number: u64,
    pub file: Box<dyn JournalFile>,
    end: AtomicU64,
    entries: AtomicU64,
    first_ms: AtomicI64,
    last_ms: AtomicI64,
    sealed: AtomicBool,
}

impl Segment {
    pub(super) fn new(file: Box<dyn JournalFile>, info: SegmentInfo, sealed: bool) -> Self {
        Self {
            number: info.number,
            file,
            end: AtomicU64::new(info.end),
            entries: AtomicU64::new(info.entries),
            first_ms: AtomicI64::new(info.first_ms),
            last_ms: AtomicI64::new(info.last_ms),
            sealed: AtomicBool::new(sealed),
        }
    }

    pub(super) fn info(&self) -> SegmentInfo {
        // The end is read first and stored last: times cover at least the entries below it.
        let end = self.end.load(Ordering::Acquire);
        SegmentInfo {
            number: self.number,
            end,
            entries: self.entries.load(Ordering::Relaxed),
            first_ms: self.first_ms.load(Ordering::Relaxed),
            last_ms: self.last_ms.load(Ordering::Relaxed),
        }
    }

    /// Readers see entries below the new end. Only the writer calls this.
    pub(super) fn advance(&self, info: &SegmentInfo) {
        self.entries.store(info.entries, Ordering::Relaxed);
        self.first_ms.store(info.first_ms, Ordering::Relaxed);
        self.last_ms.store(info.last_ms, Ordering::Relaxed);
        self.end.store(info.end, Ordering::Release);
    }

    pub(super) fn seal(&self) {
        self.sealed.store(true, Ordering::Release);
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }

    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// The body of the frame at an offset; `None` when no frame stands there.
    pub(super) fn read(&self, offset: u32) -> Result<Option<Vec<u8>>> {
        let end = self.end();
        let at = u64::from(offset);
        if at < HEADER_BYTES || at + FRAME_HEAD as u64 > end {
            return Ok(None);
        }
        // One read takes most entries whole.
        let mut first = [0; 1024];
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(first.len());
        let read = self.file.read_at(&mut first[..wanted], at)?;
        let Some((head, rest)) = first[..read].split_first_chunk() else {
            return Err(self.damaged(offset));
        };
        let Some(head) = FrameHead::parse(head, self.number, offset) else {
            return Ok(None);
        };
        if at + head.frame_bytes() > end {
            return Ok(None);
        }
        let len = head.len as usize;
        let mut body = vec![0; len];
        let have = rest.len().min(len);
        body[..have].copy_from_slice(&rest[..have]);
        if have < len {
            self.file
                .read_at(&mut body[have..], at + (FRAME_HEAD + have) as u64)?;
        }
        if head.holds(&body) {
            Ok(Some(body))
        } else {
            Err(self.damaged(offset))
        }
    }

    pub(super) fn damaged(&self, offset: u32) -> JournalError {
        JournalError::Corrupt(format!("segment {:x} at {offset}", self.number))
    }

    pub(super) fn id(&self, offset: u32) -> EntryId {
        EntryId {
            segment: self.number,
            offset,
        }
    }
}

/// Reads frame after frame. Memory: one chunk or the largest frame, whichever is more.
pub(super) struct Frames {
    segment: Arc<Segment>,
    /// Where reading stops; taken at the start, so that a scan of the open segment ends.
    end: u64,
    window: Window,
    at: u64,
}

const CHUNK: u64 = 256 << 10;

impl Frames {
    pub(super) fn new(segment: Arc<Segment>, from: u64) -> Self {
        let end = segment.end();
        Self {
            segment,
            end,
            window: Window::new(CHUNK),
            at: from.max(HEADER_BYTES),
        }
    }

    /// Offset and body of the next frame; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u32, &[u8])>> {
        if self.at >= self.end {
            return Ok(None);
        }
        match self.step()? {
            Some((offset, body)) => Ok(Some((offset, &self.window.bytes()[body]))),
            None => Err(self.segment.damaged(self.at as u32)),
        }
    }

    /// For recovery: as `next`, but what is not a whole frame ends the segment.
    pub(super) fn next_whole(&mut self) -> Result<Option<(u32, &[u8])>> {
        if self.at >= self.end {
            return Ok(None);
        }
        Ok(self
            .step()?
            .map(|(offset, body)| (offset, &self.window.bytes()[body])))
    }

    fn step(&mut self) -> Result<Option<(u32, std::ops::Range<usize>)>> {
        let Ok(offset) = u32::try_from(self.at) else {
            return Ok(None);
        };
        let Some(head) = self.fill(FRAME_HEAD as u64)? else {
            return Ok(None);
        };
        let Some(head) = self.window.bytes()[head].first_chunk() else {
            return Ok(None);
        };
        let Some(head) = FrameHead::parse(head, self.segment.number, offset) else {
            return Ok(None);
        };
        let Some(mut body) = self.fill(head.frame_bytes())? else {
            return Ok(None);
        };
        body.start += FRAME_HEAD;
        if !head.holds(&self.window.bytes()[body.clone()]) {
            return Ok(None);
        }
        self.at += head.frame_bytes();
        Ok(Some((offset, body)))
    }

    fn fill(&mut self, len: u64) -> Result<Option<std::ops::Range<usize>>> {
        Ok(self.window.fill(&*self.segment.file, self.at, len, self.end)?)
    }
}
