//! The staged rows of each key, resolved to one operation or to quarantine.

use dagr_model::{definition::Duplicates, record::RecordRef};

use super::{Merge, Row, Staged, Verb};
use crate::kv::KvError;

/// What to do with several rows of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolve {
    /// A delta of NDJSON or JSON: the last operation wins.
    LastOperation,
    /// CSV, and every snapshot: identical rows collapse, differing ones go by the definition.
    Rows(Duplicates),
}

/// One key's rows, resolved.
#[derive(Debug)]
pub enum Group<'a> {
    One {
        key: &'a [u8],
        verb: Verb,
        /// Of the record.
        digest: &'a [u8; 32],
        record: RecordRef<'a>,
        line: u64,
        /// Rows that collapsed into this one or were superseded by it.
        duplicates: u64,
        /// One of the rows was an erasure: what was known of the key before is forgotten.
        erased: bool,
    },
    /// Differing rows: every one is quarantined, by its line.
    Differing { key: &'a [u8], lines: &'a [u64] },
    /// Only quarantined rows name this key: its record stays.
    Protected { key: &'a [u8] },
}

impl Group<'_> {
    pub fn key(&self) -> &[u8] {
        match self {
            Self::One { key, .. } | Self::Differing { key, .. } | Self::Protected { key } => key,
        }
    }
}

#[derive(Default)]
struct Held {
    key: Vec<u8>,
    line: u64,
    verb: Option<Verb>,
    digest: [u8; 32],
    spans: Vec<u8>,
    json: Vec<u8>,
}

impl Held {
    fn set(&mut self, row: &Row<'_>) {
        self.key.clear();
        self.key.extend_from_slice(row.key);
        self.line = row.line;
        self.verb = Some(row.verb);
        self.digest = *row.digest;
        self.spans.clear();
        self.spans.extend_from_slice(row.record.spans);
        self.json.clear();
        self.json.extend_from_slice(row.record.json);
    }
    fn same_as(&self, row: &Row<'_>) -> bool {
        self.verb == Some(row.verb) && self.json == row.record.json
    }
}

/// Reads groups in key order. Memory: two rows, and the lines of one key's rows.
pub struct Groups {
    rows: Merge,
    resolve: Resolve,
    /// The row that stands for the group so far.
    kept: Held,
    /// The first row of the next group.
    next: Option<Held>,
    spare: Held,
    lines: Vec<u64>,
    begun: bool,
}

impl Groups {
    pub fn new(staged: &Staged, resolve: Resolve) -> Result<Self, KvError> {
        Ok(Self {
            rows: staged.rows()?,
            resolve,
            kept: Held::default(),
            next: None,
            spare: Held::default(),
            lines: Vec::new(),
            begun: false,
        })
    }

    fn begin(&mut self) -> Result<bool, KvError> {
        if !std::mem::replace(&mut self.begun, true)
            && let Some(row) = self.rows.next_row()?
        {
            self.spare.set(&row);
            self.next = Some(std::mem::take(&mut self.spare));
        }
        match self.next.take() {
            None => Ok(false),
            Some(first) => {
                self.spare = std::mem::replace(&mut self.kept, first);
                Ok(true)
            }
        }
    }

    /// The next key's group.
    pub fn next_group(&mut self) -> Result<Option<Group<'_>>, KvError> {
        if !self.begin()? {
            return Ok(None);
        }
        let (mut duplicates, mut differing) = (0, false);
        let mut erased = self.kept.verb == Some(Verb::Erase);
        self.lines.clear();
        let mut real = self.kept.verb != Some(Verb::Protect);
        if real {
            self.lines.push(self.kept.line);
        }
        while let Some(row) = self.rows.next_row()? {
            if row.key != self.kept.key {
                self.spare.set(&row);
                self.next = Some(std::mem::take(&mut self.spare));
                break;
            }
            if row.verb == Verb::Protect {
                continue;
            }
            erased |= row.verb == Verb::Erase;
            if !real {
                self.kept.set(&row);
                self.lines.push(row.line);
                real = true;
                continue;
            }
            let same = self.kept.same_as(&row);
            match self.resolve {
                Resolve::Rows(Duplicates::Quarantine) => {
                    self.lines.push(row.line);
                    differing |= !same;
                    duplicates += 1;
                }
                Resolve::Rows(Duplicates::First) => duplicates += 1,
                Resolve::Rows(Duplicates::Last) | Resolve::LastOperation => {
                    duplicates += 1;
                    if !same {
                        self.kept.set(&row);
                    }
                }
            }
        }
        let key = self.kept.key.as_slice();
        Ok(Some(match (real, differing) {
            (false, _) => Group::Protected { key },
            (true, true) => Group::Differing {
                key,
                lines: &self.lines,
            },
            (true, false) => Group::One {
                key,
                verb: self.kept.verb.unwrap_or(Verb::Protect),
                digest: &self.kept.digest,
                record: RecordRef {
                    json: &self.kept.json,
                    spans: &self.kept.spans,
                },
                line: self.kept.line,
                duplicates,
                erased,
            },
        }))
    }
}
