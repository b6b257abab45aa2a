//! Search by subject from the newest entry back.
//!
//! A run holds a subject's entries oldest first, so what one run (or one open segment) has is read whole and its last
//! few are kept: memory is bounded by the limit, time by what the subject has in the runs that are met.

use std::{collections::VecDeque, sync::Arc};

use super::{
    entry::{self, EntryId},
    error::{JournalError, Result},
    find::time_of,
    run::Run,
    segment::{Frames, Segment},
    shared::{Catalog, Shared},
    subject::{self, Subject},
};

pub(super) struct Search<'a> {
    pub subject: &'a [u8],
    pub from_ms: i64,
    pub to_ms: i64,
    /// Only entries made before this one.
    pub before: Option<EntryId>,
    pub limit: usize,
}

/// Newest first.
pub(super) fn find(shared: &Shared, search: &Search<'_>) -> Result<Vec<EntryId>> {
    loop {
        let catalog = shared.catalog.read().clone();
        match all(&catalog, search) {
            Ok(found) => return Ok(found),
            Err(Fault::Run(first)) => {
                // Its segments are searched directly until there is a new run.
                if let Some(run) = catalog.runs.get(&first) {
                    shared.drop_run(run);
                }
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

fn all(catalog: &Catalog, search: &Search<'_>) -> Result<Vec<EntryId>, Fault> {
    let subject = Subject::new(search.subject);
    let mut found = Vec::new();
    let mut searched = u64::MAX;
    let to = search.before.map_or(u64::MAX, |before| before.segment);
    for segment in catalog.segments.range(..=to).rev().map(|(_, segment)| segment) {
        if found.len() >= search.limit {
            break;
        }
        if segment.number >= searched || !segment.info().meets(search.from_ms, search.to_ms) {
            continue;
        }
        let mut last = Last {
            search,
            wanted: search.limit - found.len(),
            ids: VecDeque::new(),
        };
        match catalog.run_of(segment.number) {
            Some(run) => {
                searched = run.meta.first;
                last.run(catalog, run, &subject)?;
            }
            None => last.segment(segment, &subject).map_err(Fault::Other)?,
        }
        found.extend(last.ids.into_iter().rev());
    }
    Ok(found)
}

/// The newest few of what is handed on oldest first.
struct Last<'a> {
    search: &'a Search<'a>,
    wanted: usize,
    ids: VecDeque<EntryId>,
}

impl Last<'_> {
    fn run(&mut self, catalog: &Catalog, run: &Run, subject: &Subject) -> Result<(), Fault> {
        let mut fault = None;
        let outcome = run.find(subject, |id| {
            // Entries of removed segments are no longer there.
            let Some(segment) = catalog.segments.get(&id.segment) else {
                return Ok(true);
            };
            let taken = self.take(segment, id, None);
            Ok(taken.map_err(|error| fault = Some(error)).unwrap_or(false))
        });
        match (fault, outcome) {
            (Some(error), _) => Err(Fault::Other(error)),
            (None, Err(JournalError::Corrupt(_))) => Err(Fault::Run(run.meta.first)),
            (None, Err(error)) => Err(Fault::Other(error)),
            (None, Ok(())) => Ok(()),
        }
    }

    fn segment(&mut self, segment: &Arc<Segment>, subject: &Subject) -> Result<()> {
        let mut frames = Frames::new(segment.clone(), 0);
        while let Some((offset, body)) = frames.next()? {
            let opening = entry::open(body).ok_or_else(|| segment.damaged(offset))?;
            let has = subject::list_has(opening.rest, subject).ok_or_else(|| segment.damaged(offset))?;
            if has && !self.take(segment, segment.id(offset), Some(opening.at_ms))? {
                break;
            }
        }
        Ok(())
    }

    /// False: what follows is no longer wanted.
    fn take(&mut self, segment: &Segment, id: EntryId, at_ms: Option<i64>) -> Result<bool> {
        let Search {
            from_ms,
            to_ms,
            before,
            ..
        } = *self.search;
        if before.is_some_and(|before| id >= before) {
            return Ok(false);
        }
        let info = segment.info();
        if !info.meets(from_ms, to_ms) {
            return Ok(true);
        }
        let is_wanted = info.is_within(from_ms, to_ms) || {
            let at_ms = match at_ms {
                Some(at_ms) => at_ms,
                None => time_of(segment, id)?,
            };
            (from_ms..to_ms).contains(&at_ms)
        };
        if is_wanted {
            if self.ids.len() == self.wanted {
                self.ids.pop_front();
            }
            self.ids.push_back(id);
        }
        Ok(true)
    }
}
