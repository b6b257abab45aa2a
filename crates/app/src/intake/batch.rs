//! Rows on their way to a thread that reads them, and what became of them. Both lie in few large buffers: a row
//! costs no allocation of its own.

use std::borrow::Cow;

use dagr_formats::Row;
use dagr_model::{fault::Fault, record::RecordRef, schema::NodeId};
use dagr_store::stage::Verb;

/// A batch is full with this many bytes; one more row of the largest size may stand in it.
pub(super) const BATCH_BYTES: usize = 256 << 10;
/// Or with this many rows: each may have a hundred faults.
pub(super) const BATCH_ROWS: usize = 512;

/// Rows as they were decoded, copied.
#[derive(Default)]
pub(super) struct Batch {
    json: Vec<u8>,
    cell_texts: String,
    /// Field and end of each cell.
    cells: Vec<(NodeId, usize)>,
    rows: Vec<Decoded>,
}

struct Decoded {
    line: u64,
    kind: Kind,
}

/// Places are where a row ends; it begins where the one before it ends.
enum Kind {
    Json { verb: Verb, end: usize },
    Cells { end: usize },
    Bad(Fault),
}

/// One row of a batch.
pub(super) enum Raw<'b> {
    /// A record, or the key of what is to be removed.
    Json(Verb, &'b [u8]),
    Cells(Vec<(NodeId, &'b str)>),
    Bad(&'b Fault),
}

impl Batch {
    /// `columns`: the field of each CSV column.
    pub fn push(&mut self, row: Row<'_>, columns: &[Option<NodeId>]) {
        let (line, kind) = match row {
            Row::Upsert { line, json } => (line, self.json(Verb::Upsert, json)),
            Row::Delete { line, key_json } => (line, self.json(Verb::Delete, key_json)),
            Row::Erase { line, key_json } => (line, self.json(Verb::Erase, key_json)),
            Row::Cells { line, cells } => (line, self.cells(cells, columns)),
            Row::Bad { line, fault } => (line, Kind::Bad(fault)),
        };
        self.rows.push(Decoded { line, kind });
    }

    fn json(&mut self, verb: Verb, json: &[u8]) -> Kind {
        self.json.extend_from_slice(json);
        let end = self.json.len();
        Kind::Json { verb, end }
    }

    fn cells(&mut self, cells: &[Cow<'_, str>], columns: &[Option<NodeId>]) -> Kind {
        for (node, cell) in columns.iter().zip(cells) {
            if let Some(node) = node {
                self.cell_texts.push_str(cell);
                self.cells.push((*node, self.cell_texts.len()));
            }
        }
        let end = self.cells.len();
        Kind::Cells { end }
    }

    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    pub fn bytes(&self) -> usize {
        self.json.len() + self.cell_texts.len() + size_of_val(&*self.cells)
    }

    /// Line and content of each row, in order.
    pub fn each(&self) -> impl Iterator<Item = (u64, Raw<'_>)> {
        let (mut json_at, mut cell_at, mut text_at) = (0, 0, 0);
        self.rows.iter().map(move |row| {
            let raw = match &row.kind {
                Kind::Json { verb, end } => {
                    let start = std::mem::replace(&mut json_at, *end);
                    Raw::Json(*verb, &self.json[start..*end])
                }
                Kind::Cells { end } => {
                    let cells = &self.cells[std::mem::replace(&mut cell_at, *end)..*end];
                    let given = cells.iter().map(|(node, end)| {
                        let start = std::mem::replace(&mut text_at, *end);
                        (*node, &self.cell_texts[start..*end])
                    });
                    Raw::Cells(given.collect())
                }
                Kind::Bad(fault) => Raw::Bad(fault),
            };
            (row.line, raw)
        })
    }
}

/// A batch, read: its rows in the same order.
#[derive(Default)]
pub(super) struct ReadBatch {
    /// Key, spans and JSON of each good row.
    bytes: Vec<u8>,
    rows: Vec<ReadRow>,
}

enum ReadRow {
    Good {
        line: u64,
        verb: Verb,
        digest: [u8; 32],
        key_len: usize,
        spans_len: usize,
        json_len: usize,
    },
    Refused(Refused),
}

/// A row that goes to quarantine; with a readable key its record is protected.
pub(super) struct Refused {
    pub line: u64,
    pub key: Option<Vec<u8>>,
    pub faults: Vec<Fault>,
}

/// A row that can be staged.
pub(super) struct Good<'b> {
    pub line: u64,
    pub verb: Verb,
    pub key: &'b [u8],
    pub record: RecordRef<'b>,
    pub digest: &'b [u8; 32],
}

impl ReadBatch {
    pub fn for_batch(batch: &Batch) -> Self {
        Self {
            bytes: Vec::with_capacity(batch.json.len() + batch.json.len() / 8),
            rows: Vec::with_capacity(batch.rows()),
        }
    }

    pub fn good(&mut self, row: &Good<'_>) {
        let RecordRef { json, spans } = row.record;
        for part in [row.key, spans, json] {
            self.bytes.extend_from_slice(part);
        }
        self.rows.push(ReadRow::Good {
            line: row.line,
            verb: row.verb,
            digest: *row.digest,
            key_len: row.key.len(),
            spans_len: spans.len(),
            json_len: json.len(),
        });
    }

    pub fn refuse(&mut self, row: Refused) {
        self.rows.push(ReadRow::Refused(row));
    }

    pub fn each(&self) -> impl Iterator<Item = Result<Good<'_>, &Refused>> {
        let mut rest = self.bytes.as_slice();
        self.rows.iter().map(move |row| match row {
            ReadRow::Refused(refused) => Err(refused),
            ReadRow::Good {
                line,
                verb,
                digest,
                key_len,
                spans_len,
                json_len,
            } => {
                let mut part = |len: &usize| {
                    let (part, after) = rest.split_at(*len);
                    rest = after;
                    part
                };
                let (key, spans, json) = (part(key_len), part(spans_len), part(json_len));
                Ok(Good {
                    line: *line,
                    verb: *verb,
                    key,
                    record: RecordRef { json, spans },
                    digest,
                })
            }
        })
    }
}
