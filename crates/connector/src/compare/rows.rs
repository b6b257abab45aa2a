//! Rows as they wait to be compared: by key, those of one key in the order of the source.

use dagr_model::definition::Duplicates;

use super::{body::Lines, in_order::Run};
use crate::{
    error::{Error, Result},
    sort::{Entry, Sorted},
};

/// One row: its number, its digest (`None` = refused), its line in the body (`None` = not written), and whether it is past
/// its retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staged {
    pub row: u64,
    pub digest: Option<[u8; 32]>,
    pub line: Option<u64>,
    pub expired: bool,
}

/// Beside a line's number.
const EXPIRED: u64 = 1 << 63;

impl Staged {
    /// Row, line + 1 (0 = none) with the mark of what is expired, digest.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(48);
        out.extend_from_slice(&self.row.to_le_bytes());
        let mark = if self.expired { EXPIRED } else { 0 };
        out.extend_from_slice(&(self.line.map_or(0, |line| line + 1) | mark).to_le_bytes());
        if let Some(digest) = &self.digest {
            out.extend_from_slice(digest);
        }
        out
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (row, rest) = bytes.split_first_chunk::<8>()?;
        let (line, digest) = rest.split_first_chunk::<8>()?;
        let line = u64::from_le_bytes(*line);
        Some(Self {
            row: u64::from_le_bytes(*row),
            line: (line & !EXPIRED).checked_sub(1),
            expired: line & EXPIRED != 0,
            digest: digest.try_into().ok(),
        })
    }
}

/// Every row of one key.
pub struct Group {
    pub key: Vec<u8>,
    pub first: Staged,
    pub last: Staged,
    /// Do all of them say the same?
    same: bool,
}

impl Group {
    /// The one row that counts: identical ones collapse, differing ones go by the definition.
    pub fn chosen(&self, duplicates: Duplicates) -> Option<&Staged> {
        match duplicates {
            _ if self.same => Some(&self.first),
            Duplicates::First => Some(&self.first),
            Duplicates::Last => Some(&self.last),
            Duplicates::Quarantine => None,
        }
    }
}

pub struct Groups {
    rows: Merged,
    ahead: Option<Entry>,
}

/// Sorted rows, and those before them that came in order.
struct Merged {
    sorted: Sorted,
    sorted_next: Option<Entry>,
    run: Option<Run>,
    run_next: Option<Entry>,
}

impl Merged {
    fn next(&mut self) -> Result<Option<Entry>> {
        let is_of_run = match (&self.run_next, &self.sorted_next) {
            (Some(run), Some(sorted)) => run.key <= sorted.key,
            (run, _) => run.is_some(),
        };
        if is_of_run {
            let next = self.run.as_mut().map_or(Ok(None), Run::next)?;
            Ok(std::mem::replace(&mut self.run_next, next))
        } else {
            let next = self.sorted.next()?;
            Ok(std::mem::replace(&mut self.sorted_next, next))
        }
    }
}

impl Groups {
    pub fn new(mut sorted: Sorted, mut run: Option<Run>) -> Result<Self> {
        let mut rows = Merged {
            sorted_next: sorted.next()?,
            sorted,
            run_next: run.as_mut().map_or(Ok(None), Run::next)?,
            run,
        };
        let ahead = rows.next()?;
        Ok(Self { rows, ahead })
    }

    /// Lines of all its rows are marked: the one that counts is to be kept.
    pub fn next(&mut self, dropped: &mut Lines) -> Result<Option<Group>> {
        let Some(entry) = self.ahead.take() else {
            return Ok(None);
        };
        let first = staged(&entry)?;
        dropped.mark(first.line);
        let mut group = Group {
            key: entry.key,
            first,
            last: first,
            same: true,
        };
        loop {
            self.ahead = self.rows.next()?;
            let Some(entry) = self.ahead.take_if(|entry| entry.key == group.key) else {
                return Ok(Some(group));
            };
            group.last = staged(&entry)?;
            group.same &= group.last.digest == group.first.digest;
            dropped.mark(group.last.line);
        }
    }
}

fn staged(entry: &Entry) -> Result<Staged> {
    Staged::read(&entry.value).ok_or_else(|| Error::State("what was sorted is damaged".to_owned()))
}
