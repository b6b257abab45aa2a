//! Search by subject and reading in order.

use std::{ops::ControlFlow, sync::Arc};

use super::{
    entry::{self, EntryId, StoredEntry},
    error::{JournalError, Result},
    segment::{Frames, Segment},
    shared::{Catalog, Shared},
    subject::{self, Subject},
};

pub(super) struct Search<'a> {
    pub subject: &'a [u8],
    pub from_ms: i64,
    pub to_ms: i64,
    pub after: Option<EntryId>,
    pub limit: usize,
}

pub(super) fn find(shared: &Shared, search: &Search<'_>) -> Result<Vec<EntryId>> {
    let subject = Subject::new(search.subject);
    let mut finding = Finding {
        subject,
        search,
        found: Vec::new(),
    };
    loop {
        let catalog = shared.catalog.read().clone();
        match finding.all(&catalog) {
            Ok(_) => return Ok(finding.found),
            Err(Fault::Run(first)) => {
                // Its segments are searched directly until there is a new run.
                if let Some(run) = catalog.runs.get(&first) {
                    shared.drop_run(run);
                }
                finding.found.clear();
            }
            Err(Fault::Other(error)) => return Err(error),
        }
    }
}

enum Fault {
    /// First segment of a damaged run.
    Run(u64),
    Other(JournalError),
}

struct Finding<'a> {
    subject: Subject,
    search: &'a Search<'a>,
    found: Vec<EntryId>,
}

impl Finding<'_> {
    fn all(&mut self, catalog: &Catalog) -> Result<ControlFlow<()>, Fault> {
        if self.search.limit == 0 {
            return Ok(ControlFlow::Break(()));
        }
        let mut searched = 0;
        let from = self.search.after.map_or(0, |after| after.segment);
        for segment in catalog.segments.range(from..).map(|(_, segment)| segment) {
            if segment.number <= searched || !segment.info().meets(self.search.from_ms, self.search.to_ms) {
                continue;
            }
            let flow = match catalog.run_of(segment.number) {
                Some(run) => {
                    searched = run.meta.last;
                    self.run(catalog, run)?
                }
                None => self.segment(segment).map_err(Fault::Other)?,
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn run(&mut self, catalog: &Catalog, run: &super::run::Run) -> Result<ControlFlow<()>, Fault> {
        let mut fault = None;
        let subject = self.subject.clone();
        let outcome = run.find(&subject, |id| {
            // Entries of removed segments are no longer there.
            let Some(segment) = catalog.segments.get(&id.segment) else {
                return Ok(true);
            };
            match self.take(segment, id, None) {
                Ok(flow) => Ok(flow.is_continue()),
                Err(error) => {
                    fault = Some(error);
                    Ok(false)
                }
            }
        });
        match (fault, outcome) {
            (Some(error), _) => Err(Fault::Other(error)),
            (None, Err(JournalError::Corrupt(_))) => Err(Fault::Run(run.meta.first)),
            (None, Err(error)) => Err(Fault::Other(error)),
            (None, Ok(())) if self.found.len() >= self.search.limit => Ok(ControlFlow::Break(())),
            (None, Ok(())) => Ok(ControlFlow::Continue(())),
        }
    }

    fn segment(&mut self, segment: &Arc<Segment>) -> Result<ControlFlow<()>> {
        let from = self.search.after.filter(|after| after.segment == segment.number);
        let mut frames = Frames::new(segment.clone(), from.map_or(0, |after| u64::from(after.offset)));
        while let Some((offset, body)) = frames.next()? {
            let opening = entry::open(body).ok_or_else(|| segment.damaged(offset))?;
            let has =
                subject::list_has(opening.rest, &self.subject).ok_or_else(|| segment.damaged(offset))?;
            if has
                && self
                    .take(segment, segment.id(offset), Some(opening.at_ms))?
                    .is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn take(&mut self, segment: &Segment, id: EntryId, at_ms: Option<i64>) -> Result<ControlFlow<()>> {
        let Search {
            from_ms,
            to_ms,
            after,
            limit,
            ..
        } = *self.search;
        let info = segment.info();
        if after.is_some_and(|after| id <= after) || !info.meets(from_ms, to_ms) {
            return Ok(ControlFlow::Continue(()));
        }
        let is_wanted = info.is_within(from_ms, to_ms) || {
            let at_ms = match at_ms {
                Some(at_ms) => at_ms,
                None => time_of(segment, id)?,
            };
            (from_ms..to_ms).contains(&at_ms)
        };
        if is_wanted {
            self.found.push(id);
        }
        Ok(if self.found.len() >= limit {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }
}

pub(super) fn time_of(segment: &Segment, id: EntryId) -> Result<i64> {
    let body = segment
        .read(id.offset)?
        .ok_or_else(|| segment.damaged(id.offset))?;
    Ok(entry::open(&body)
        .ok_or_else(|| segment.damaged(id.offset))?
        .at_ms)
}

/// Entries in order. Memory: one chunk of a segment.
pub struct Entries {
    shared: Arc<Shared>,
    frames: Option<Frames>,
    segment: u64,
    offset: u64,
    to: Option<EntryId>,
    from_ms: i64,
    to_ms: i64,
    done: bool,
}

impl Entries {
    pub(super) fn new(
        shared: Arc<Shared>,
        from: Option<EntryId>,
        to: Option<EntryId>,
        times: std::ops::Range<i64>,
    ) -> Self {
        Self {
            shared,
            frames: None,
            segment: from.map_or(0, |from| from.segment),
            offset: from.map_or(0, |from| u64::from(from.offset)),
            to,
            from_ms: times.start,
            to_ms: times.end,
            done: false,
        }
    }

    fn advance(&mut self) -> Result<Option<StoredEntry>> {
        loop {
            let Some(frames) = &mut self.frames else {
                if !self.next_segment() {
                    return Ok(None);
                }
                continue;
            };
            let Some((offset, body)) = frames.next()? else {
                self.frames = None;
                self.segment += 1;
                self.offset = 0;
                continue;
            };
            let id = EntryId {
                segment: self.segment,
                offset,
            };
            if self.to.is_some_and(|to| id >= to) {
                return Ok(None);
            }
            let entry = entry::decode(id, body)
                .ok_or_else(|| JournalError::Corrupt(format!("segment {:x} at {offset}", id.segment)))?;
            if (self.from_ms..self.to_ms).contains(&entry.at_ms) {
                return Ok(Some(entry));
            }
        }
    }

    /// Segments outside the time are not opened.
    fn next_segment(&mut self) -> bool {
        let catalog = self.shared.catalog.read();
        let mut segments = catalog.segments.range(self.segment..).map(|(_, segment)| segment);
        let Some(segment) = segments.find(|segment| segment.info().meets(self.from_ms, self.to_ms)) else {
            return false;
        };
        let offset = if segment.number == self.segment {
            self.offset
        } else {
            0
        };
        self.segment = segment.number;
        self.frames = Some(Frames::new(segment.clone(), offset));
        true
    }
}

impl Iterator for Entries {
    type Item = Result<StoredEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.advance().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}
