//! The writer: all that is queued becomes one write and one sync.
//!
//! A failed write or sync fails the group that waited for it. What was acknowledged as written and not yet
//! synced is kept in memory until then: a failed sync may have thrown the pages away, so repair cuts the segment
//! after the last acknowledged entry, writes that tail again, syncs, reads it back and begins a new segment.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    State, counters,
    entry::EntryId,
    error::{JournalError, Result},
    frame::{self, FRAME_HEAD},
    names,
    queue::Pending,
    segment::{Segment, SegmentInfo},
    shared::Shared,
};

/// One write holds about this much at most.
const GROUP_BYTES: usize = 8 << 20;
/// A tail that waits for a lazy sync and grows longer than this is synced at once.
const TAIL_BYTES: usize = 4 << 20;
const MAX_RETRY: Duration = Duration::from_secs(5);

struct Active {
    segment: Arc<Segment>,
    /// Up to the last acknowledged entry.
    info: SegmentInfo,
    /// Acknowledged bytes before `info.end` that are not synced.
    tail: Vec<u8>,
    tail_since: Instant,
}

struct Fault {
    error: JournalError,
    attempts: u32,
    retry: Option<Instant>,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    active: Option<Active>,
    next_segment: u64,
    fault: Option<Fault>,
}

/// Whatever ends the writer, nobody waits for it in vain.
struct Close(Arc<Shared>);

impl Drop for Close {
    fn drop(&mut self) {
        self.0.queue.close();
    }
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, next_segment: u64) -> Self {
        Self {
            shared,
            active: None,
            next_segment,
            fault: None,
        }
    }

    /// Makes the first segment, so that a full disk shows in `health` at once.
    pub(super) fn start(&mut self) {
        if let Err(error) = self.open_segment() {
            self.fail(error);
        }
    }

    pub(super) fn run(mut self) {
        let _close = Close(self.shared.clone());
        loop {
            let work = self.shared.queue.take(self.deadline(), GROUP_BYTES);
            let now = Instant::now();
            let retry = self
                .fault
                .as_ref()
                .and_then(|fault| fault.retry)
                .is_some_and(|at| at <= now);
            if self.fault.is_some() && (retry || !work.syncs.is_empty()) {
                self.recover();
            }
            self.write_all(work.entries);
            let due = self.tail_deadline().is_some_and(|at| at <= Instant::now());
            if due || !work.syncs.is_empty() || work.last {
                self.sync_tail();
            }
            let outcome = self
                .fault
                .as_ref()
                .map_or(Ok(()), |fault| Err(fault.error.clone()));
            for answer in work.syncs {
                // Nobody may be waiting any more.
                let _ = answer.send(outcome.clone());
            }
            if work.last {
                return;
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.fault {
            Some(fault) => fault.retry,
            None => self.tail_deadline(),
        }
    }

    fn tail_deadline(&self) -> Option<Instant> {
        let active = self.active.as_ref().filter(|active| !active.tail.is_empty())?;
        Some(active.tail_since + Duration::from_millis(self.shared.config.lazy_sync_ms))
    }

    fn write_all(&mut self, entries: Vec<Pending>) {
        let mut group = Vec::new();
        let mut bytes = 0;
        for pending in entries {
            let frame = (FRAME_HEAD + pending.body.len()) as u64;
            if !self.fits(bytes + frame) {
                self.write_group(std::mem::take(&mut group));
                bytes = 0;
                self.rotate_for(frame);
            }
            bytes += frame;
            group.push(pending);
        }
        self.write_group(group);
    }

    fn fits(&self, bytes: u64) -> bool {
        let active = self.active.as_ref();
        active.is_some_and(|active| active.info.end + bytes <= self.shared.config.segment_bytes)
    }

    fn rotate_for(&mut self, frame: u64) {
        if self.fault.is_some() || self.fits(frame) {
            return;
        }
        if let Err(error) = self.seal(false).and_then(|()| self.open_segment()) {
            self.fail(error);
        }
    }

    fn write_group(&mut self, group: Vec<Pending>) {
        if group.is_empty() {
            return;
        }
        let outcome = match (&self.fault, &mut self.active) {
            (Some(fault), _) => Err((fault.error.clone(), false)),
            (None, None) => Err((JournalError::Closed, false)),
            (None, Some(active)) => write(&self.shared, active, &group).map_err(|error| (error, true)),
        };
        match outcome {
            Ok(ids) => {
                for (pending, id) in group.into_iter().zip(ids) {
                    pending.resolver.resolve(Ok(id));
                }
                if self
                    .active
                    .as_ref()
                    .is_some_and(|active| active.tail.len() > TAIL_BYTES)
                {
                    self.sync_tail();
                }
            }
            Err((error, new)) => {
                // First the state, then the news: who hears of the failure can see it in `health`.
                if new {
                    self.fail(error.clone());
                }
                for pending in group {
                    pending.resolver.resolve(Err(error.clone()));
                }
            }
        }
    }

    fn sync_tail(&mut self) {
        if self.fault.is_some() {
            return;
        }
        if let Some(active) = self.active.as_mut().filter(|active| !active.tail.is_empty())
            && let Err(error) = sync(&self.shared, active)
        {
            self.fail(error);
        }
    }

    /// Ends the segment: whole, durable and as long as its entries.
    fn seal(&mut self, suspicious: bool) -> Result<()> {
        let Some(active) = &mut self.active else {
            return Ok(());
        };
        if active.info.entries == 0 {
            // Nothing to keep: the next segment takes its number and its place.
            self.next_segment = active.segment.number;
            self.shared.catalog.write().segments.remove(&self.next_segment);
            self.active = None;
            return Ok(());
        }
        let file = &active.segment.file;
        let synced = active.info.end - active.tail.len() as u64;
        file.set_len(active.info.end).map_err(JournalError::of_write)?;
        if suspicious {
            file.write_at(&active.tail, synced)
                .map_err(JournalError::of_write)?;
        }
        self.shared.count_sync();
        file.sync().map_err(JournalError::of_write)?;
        if suspicious {
            read_back(active, synced)?;
        }
        active.tail.clear();
        let sums = Arc::new(self.shared.sums.lock().clone());
        *self.shared.sealed_sums.lock() = (active.segment.number, sums);
        active.segment.seal();
        self.active = None;
        self.shared.bell.ring();
        Ok(())
    }

    fn open_segment(&mut self) -> Result<()> {
        let number = self.next_segment;
        let shared = &self.shared;
        let file = shared.spare.take(shared, &names::segment(number))?;
        file.write_at(&frame::segment_header(number), 0)?;
        file.sync()?;
        shared.io.sync_dir(&shared.dir)?;
        let info = SegmentInfo::empty(number);
        let segment = Arc::new(Segment::new(file, info, false));
        shared.catalog.write().segments.insert(number, segment.clone());
        self.next_segment += 1;
        self.active = Some(Active {
            segment,
            info,
            tail: Vec::new(),
            tail_since: Instant::now(),
        });
        shared.bell.ring();
        Ok(())
    }

    fn fail(&mut self, error: JournalError) {
        let error = match error {
            JournalError::Io(cause) => JournalError::Failed(cause),
            other => other,
        };
        let full = matches!(error, JournalError::Full);
        let attempts = self.fault.as_ref().map_or(0, |fault| fault.attempts);
        // A full disk is waited for as long as it takes; another fault only so often.
        let last = !full && attempts >= self.shared.config.retries;
        let wait =
            Duration::from_millis(self.shared.config.retry_ms.max(1) << attempts.min(16)).min(MAX_RETRY);
        let state = match (full, last) {
            (true, _) => State::Full,
            (false, false) => State::Failed,
            (false, true) => State::Stopped,
        };
        {
            let mut health = self.shared.health.lock();
            health.state = state;
            health.error = Some(error.clone());
            health.attempts = attempts;
        }
        self.shared.queue.refuse(&error);
        self.fault = Some(Fault {
            error,
            attempts,
            retry: (!last).then(|| Instant::now() + wait),
        });
    }

    fn recover(&mut self) {
        match self.seal(true).and_then(|()| self.open_segment()) {
            Ok(()) => {
                self.fault = None;
                {
                    let mut health = self.shared.health.lock();
                    health.state = State::Running;
                    health.error = None;
                    health.attempts = 0;
                }
                self.shared.queue.accept();
            }
            Err(error) => {
                if let Some(fault) = &mut self.fault {
                    fault.attempts = fault.attempts.saturating_add(1);
                }
                self.fail(error);
            }
        }
    }
}

/// Writes a group, syncs it if one of it is urgent, and makes it visible: all of it or nothing.
fn write(shared: &Shared, active: &mut Active, group: &[Pending]) -> Result<Vec<EntryId>> {
    let mut bytes = Vec::with_capacity(group.iter().map(|pending| pending.body.len() + FRAME_HEAD).sum());
    let mut ids = Vec::with_capacity(group.len());
    let mut info = active.info;
    for pending in group {
        let offset = info.end as u32;
        frame::put_frame(&mut bytes, info.number, offset, &pending.body);
        ids.push(active.segment.id(offset));
        info.add(pending.at_ms, (FRAME_HEAD + pending.body.len()) as u64);
    }
    active
        .segment
        .file
        .write_at(&bytes, active.info.end)
        .map_err(JournalError::of_write)?;
    let waiting = group.iter().filter(|pending| pending.urgent).count();
    if waiting > 0 {
        let began = Instant::now();
        sync(shared, active)?;
        shared.queue.synced(waiting, began.elapsed());
    } else {
        if active.tail.is_empty() {
            active.tail_since = Instant::now();
        }
        active.tail.append(&mut bytes);
    }
    active.info = info;
    let mut sums = shared.sums.lock();
    for pending in group {
        counters::add(&mut sums, &pending.counters);
    }
    drop(sums);
    active.segment.advance(&info);
    Ok(ids)
}

fn sync(shared: &Shared, active: &mut Active) -> Result<()> {
    shared.count_sync();
    active.segment.file.sync().map_err(JournalError::of_write)?;
    active.tail.clear();
    Ok(())
}

fn read_back(active: &Active, synced: u64) -> Result<()> {
    let mut bytes = vec![0; active.tail.len()];
    active.segment.file.evict().map_err(JournalError::of_write)?;
    let read = active.segment.file.read_at(&mut bytes, synced)?;
    if read == bytes.len() && bytes == active.tail {
        Ok(())
    } else {
        Err(JournalError::Corrupt(format!(
            "segment {:x} does not hold what was written",
            active.segment.number
        )))
    }
}
