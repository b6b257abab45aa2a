//! Decoded rows become staged rows, or are set aside.
//!
//! Rows are read in batches on other threads and staged here, in order of arrival: a package gives the same stage
//! however many threads there are. One that fits a batch is read here.

use std::{path::Path, thread::Scope};

use dagr_formats::{Row, Sink, Unreadable, map_columns};
use dagr_model::{
    fault::Fault,
    record::RecordRef,
    schema::{NodeId, Schema},
};
use dagr_store::{
    kv::KvError,
    stage::{Stage, Staged, Verb},
};

use super::{
    aside::{AsideRow, AsideWriter},
    batch::{BATCH_BYTES, BATCH_ROWS, Batch, ReadBatch, Refused},
    parse::Parser,
    readers::{Readers, threads},
};
use crate::problem::MAX_FAULTS;

/// File of rows set aside while the package was read.
pub(super) const UNREAD: &str = "unread";

const NOTHING: RecordRef<'static> = RecordRef {
    json: &[],
    spans: &[],
};

/// How much is read at once, and by how many.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lot {
    pub bytes: usize,
    pub rows: usize,
    pub threads: usize,
}

impl Default for Lot {
    fn default() -> Self {
        Self {
            bytes: BATCH_BYTES,
            rows: BATCH_ROWS,
            threads: threads(),
        }
    }
}

/// Takes the rows of one package.
pub(super) struct Rows<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    parser: &'scope Parser<'env>,
    lot: Lot,
    /// From the first full batch on.
    readers: Option<Readers>,
    batch: Batch,
    stage: Stage,
    aside: AsideWriter,
    /// Field of each CSV column.
    columns: Vec<Option<NodeId>>,
    pub count: u64,
    quarantined: u64,
    /// The first faults, for an answer.
    faults: Vec<Fault>,
    total_faults: usize,
    /// Why `row` stopped, if it was not the package's fault.
    pub failed: Option<KvError>,
}

/// What reading gave.
pub(super) struct ReadRows {
    pub staged: Staged,
    /// Rows, not faults.
    pub quarantined: u64,
    pub faults: Vec<Fault>,
    pub total_faults: usize,
}

impl<'scope, 'env> Rows<'scope, 'env> {
    pub fn new(
        scope: &'scope Scope<'scope, 'env>,
        parser: &'scope Parser<'env>,
        dir: &Path,
        lot: Lot,
    ) -> Self {
        Self {
            scope,
            parser,
            lot,
            readers: None,
            batch: Batch::default(),
            stage: Stage::new(dir),
            aside: AsideWriter::new(dir.join(UNREAD)),
            columns: Vec::new(),
            count: 0,
            quarantined: 0,
            faults: Vec::new(),
            total_faults: 0,
            failed: None,
        }
    }

    /// Bytes written or to be written beside the data set.
    pub fn bytes(&self) -> u64 {
        self.stage.bytes() + self.aside.bytes
    }

    pub fn finish(mut self) -> Result<ReadRows, KvError> {
        while let Some(read) = self.next_read()? {
            self.stage(&read)?;
        }
        let last = std::mem::take(&mut self.batch);
        self.stage(&self.parser.read(&last))?;
        self.aside.sync()?;
        let mut staged = self.stage.finish()?;
        staged.bytes += self.aside.bytes;
        Ok(ReadRows {
            staged,
            quarantined: self.quarantined,
            faults: self.faults,
            total_faults: self.total_faults,
        })
    }

    fn next_read(&mut self) -> Result<Option<ReadBatch>, KvError> {
        self.readers.as_mut().map_or(Ok(None), Readers::take)
    }

    /// Hands the batch on, and stages what was read of earlier ones if too much is under way.
    fn hand_on(&mut self) -> Result<(), KvError> {
        while self.readers.as_ref().is_some_and(Readers::is_full) {
            if let Some(read) = self.next_read()? {
                self.stage(&read)?;
            }
        }
        let readers = match &mut self.readers {
            Some(readers) => readers,
            none => none.insert(Readers::start(self.scope, self.parser, self.lot.threads)?),
        };
        readers.give(std::mem::take(&mut self.batch))
    }

    fn stage(&mut self, read: &ReadBatch) -> Result<(), KvError> {
        for row in read.each() {
            match row {
                Ok(row) => self
                    .stage
                    .push_digested(row.key, row.line, row.verb, row.record, row.digest)?,
                Err(refused) => self.refuse(refused)?,
            }
        }
        Ok(())
    }

    /// Sets a row aside: one entry a fault; with a readable key its record is protected.
    fn refuse(&mut self, row: &Refused) -> Result<(), KvError> {
        self.quarantined += 1;
        self.total_faults += row.faults.len();
        for fault in &row.faults {
            let aside = AsideRow::new(row.line, fault);
            self.aside.push(row.key.as_deref().unwrap_or_default(), &aside)?;
            if self.faults.len() < MAX_FAULTS {
                self.faults.push(aside.fault());
            }
        }
        match &row.key {
            Some(key) => self.stage.push(key, row.line, Verb::Protect, NOTHING),
            None => Ok(()),
        }
    }
}

impl Sink for Rows<'_, '_> {
    fn columns(&mut self, headers: &[String]) -> Result<(), Unreadable> {
        let schema = self.parser.schema;
        let nodes: Vec<NodeId> = column_nodes(schema).collect();
        let known: Vec<&str> = nodes
            .iter()
            .map(|node| schema.nodes[*node].path.as_str())
            .collect();
        let places = map_columns(headers, &schema.definition.csv, &known)?;
        self.columns = places.into_iter().map(|place| Some(nodes[place?])).collect();
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) -> Result<(), Unreadable> {
        self.count += 1;
        self.batch.push(row, &self.columns);
        if self.batch.bytes() < self.lot.bytes && self.batch.rows() < self.lot.rows {
            return Ok(());
        }
        self.hand_on().map_err(|error| {
            self.failed = Some(error);
            Unreadable::package("package", "stage", "the package could not be staged")
        })
    }
}

/// Fields a column may give: those not inside a list (a list itself is JSON text).
fn column_nodes(schema: &Schema) -> impl Iterator<Item = NodeId> {
    (0..schema.nodes.len()).filter(|node| schema.list_of(*node).is_none())
}

#[cfg(test)]
mod tests;
