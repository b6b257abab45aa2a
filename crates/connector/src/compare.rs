//! What differs between the source and what was sent: one package, or none.
//!
//! Rows are staged by key on disk; SQLite sorts them, so memory stays flat whatever the source's length.

mod body;

pub use body::lines as body_lines;

use std::{
    fs::{self, File},
    io::{BufWriter, Read, Seek, SeekFrom, Write},
    path::PathBuf,
};

use dagr_model::{
    definition::Duplicates,
    digest::{SetDigest, record_digest},
    record::Canonical,
    schema::Schema,
};
use rusqlite::{Connection, params};

use self::body::Body;
use crate::{
    collect::{Refused, Take},
    error::{Error, Result},
    state::{Package, PackageState, REFUSALS_KEPT, State},
};

const STAGE: &str = "
CREATE TABLE stage.row (key BLOB NOT NULL, row INTEGER NOT NULL, digest BLOB, at INTEGER, length INTEGER);
CREATE TABLE stage.touched (key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE stage.change (key BLOB PRIMARY KEY, digest BLOB) WITHOUT ROWID;
CREATE TABLE stage.result (digest BLOB, records INTEGER);
";

/// What of the source the staged rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it: what was sent and is not there has gone.
    Whole,
    /// The records of the keys marked with [`Comparison::touch`].
    Touched,
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    pub records: u64,
    pub upserts: u64,
    pub deletes: u64,
    pub refused: u64,
    /// The package that brings the difference; `None` = no difference.
    pub package: Option<i64>,
}

/// One reading of the source. Staged rows go away with it.
pub struct Comparison<'s> {
    state: &'s State,
    schema: &'s Schema,
    extent: Extent,
    rows: BufWriter<File>,
    rows_path: PathBuf,
    at: u64,
    found: Found,
    refusals: Vec<Refused>,
    first: bool,
}

impl<'s> Comparison<'s> {
    pub fn begin(state: &'s State, schema: &'s Schema, extent: Extent) -> Result<Self> {
        let stage = state.dir().join("stage.db");
        detach(&state.db);
        for path in [&stage, &state.dir().join("stage.db-journal")] {
            let _ = fs::remove_file(path);
        }
        state
            .db
            .execute("ATTACH ?1 AS stage", [stage.to_string_lossy()])?;
        // Of use to this process only: nothing in it has to be durable.
        state.db.execute_batch(
            "PRAGMA stage.journal_mode = OFF; PRAGMA stage.synchronous = OFF; PRAGMA stage.cache_size = -32000",
        )?;
        state.db.execute_batch(STAGE)?;
        let rows_path = state.dir().join("stage.rows");
        let rows = File::create(&rows_path).map_err(|error| Error::file(&rows_path, &error))?;
        state.db.execute_batch("BEGIN")?;
        Ok(Self {
            state,
            schema,
            extent,
            rows: BufWriter::with_capacity(1 << 20, rows),
            rows_path,
            at: 0,
            found: Found::default(),
            refusals: Vec::new(),
            first: state.digest()?.1 == 0,
        })
    }

    /// A key whose record may have changed or gone.
    pub fn touch(&mut self, key: &[u8]) -> Result<()> {
        let mut insert = self
            .state
            .db
            .prepare_cached("INSERT OR IGNORE INTO stage.touched VALUES (?1)")?;
        insert.execute([key])?;
        Ok(())
    }

    fn stage(&mut self, key: &[u8], row: u64, digest: Option<&[u8; 32]>, json: Option<&[u8]>) -> Result<()> {
        let place = match json {
            None => None,
            Some(json) => {
                self.rows
                    .write_all(json)
                    .map_err(|error| Error::file(&self.rows_path, &error))?;
                let at = self.at;
                self.at += json.len() as u64;
                Some((at as i64, json.len() as i64))
            }
        };
        let mut insert = self
            .state
            .db
            .prepare_cached("INSERT INTO stage.row VALUES (?1, ?2, ?3, ?4, ?5)")?;
        insert.execute(params![
            key,
            row as i64,
            digest,
            place.map(|place| place.0),
            place.map(|place| place.1)
        ])?;
        Ok(())
    }

    /// Compares, writes the package, and enters it with what the feed notes of its source.
    /// `name` begins its id; `snapshot` replaces the whole set at the server.
    pub fn finish(mut self, name: &str, snapshot: bool, notes: &[(String, String)]) -> Result<Found> {
        self.rows
            .flush()
            .map_err(|error| Error::file(&self.rows_path, &error))?;
        self.state.db.execute_batch("COMMIT; BEGIN")?;
        let n = self.state.next_number()?;
        let mut body = Body::create(&self.state.body(n))?;
        let (mut sum, mut records) = self.state.digest()?;
        self.differences(&mut body, &mut sum, &mut records)?;
        self.state.db.execute(
            "INSERT INTO stage.result VALUES (?1, ?2)",
            params![sum.0, records as i64],
        )?;
        self.state.db.execute_batch("COMMIT")?;
        self.found.upserts = body.upserts;
        self.found.deletes = body.deletes;
        let whole = self.extent == Extent::Whole;
        if whole || self.found.refused > 0 {
            self.state.put_refusals(&self.refusals, self.found.refused)?;
        }
        // The first delivery says "this is all", even of nothing.
        let silent = body.upserts + body.deletes == 0 && !snapshot;
        if silent {
            body.discard();
            for (name, value) in notes {
                self.state.set_meta(name, value)?;
            }
        } else {
            let made = body.finish()?;
            let package = Package {
                n,
                id: format!("{name}-{n:08}-{}", &made.sha256[..16]),
                mode: if snapshot { "snapshot" } else { "delta" }.to_owned(),
                state: PackageState::Waiting,
                previous: self.state.last_id()?,
                sha256: made.sha256,
                bytes: made.bytes,
                operations: self.found.upserts + self.found.deletes,
                deletes: self.found.deletes,
                made_at: jiff::Timestamp::now().to_string(),
                ended_at: None,
                receipt: None,
                problem: None,
            };
            self.state.enter(&package, notes)?;
            self.found.package = Some(n);
        }
        Ok(self.found.clone())
    }

    fn differences(&mut self, body: &mut Body, sum: &mut SetDigest, records: &mut u64) -> Result<()> {
        let mut json = File::open(&self.rows_path).map_err(|error| Error::file(&self.rows_path, &error))?;
        let db = &self.state.db;
        let mut staged =
            db.prepare("SELECT key, row, digest, at, length FROM stage.row ORDER BY key, row")?;
        let mut rows = Groups::new(staged.query([])?)?;
        let mut out = Out {
            schema: self.schema,
            db,
            body,
            sum,
            records,
            buffer: Vec::new(),
        };
        match self.extent {
            Extent::Whole => {
                let mut copy = db.prepare("SELECT key, digest FROM copy ORDER BY key")?;
                let mut copy = copy.query([])?;
                let mut sent = next_sent(&mut copy)?;
                while let Some(group) = rows.next()? {
                    while let Some((key, digest)) = sent.take_if(|(key, _)| *key < group.key) {
                        out.delete(&key, &digest)?;
                        sent = next_sent(&mut copy)?;
                    }
                    let before = sent.take_if(|(key, _)| *key == group.key);
                    if before.is_some() {
                        sent = next_sent(&mut copy)?;
                    }
                    let before = before.map(|(_, digest)| digest);
                    group.settle(
                        self.schema,
                        self.state,
                        before,
                        &mut json,
                        &mut out,
                        &mut self.refusals,
                        &mut self.found,
                    )?;
                }
                while let Some((key, digest)) = sent.take() {
                    out.delete(&key, &digest)?;
                    sent = next_sent(&mut copy)?;
                }
            }
            Extent::Touched => {
                let mut gone = db.prepare(
                    "SELECT t.key, copy.digest FROM stage.touched t JOIN copy ON copy.key = t.key
                     WHERE NOT EXISTS (SELECT 1 FROM stage.row r WHERE r.key = t.key)",
                )?;
                db.execute_batch("CREATE INDEX stage.row_key ON row (key)")?;
                let mut gone = gone.query([])?;
                while let Some((key, digest)) = next_sent(&mut gone)? {
                    out.delete(&key, &digest)?;
                }
                while let Some(group) = rows.next()? {
                    let before = self.state.sent(&group.key)?;
                    group.settle(
                        self.schema,
                        self.state,
                        before,
                        &mut json,
                        &mut out,
                        &mut self.refusals,
                        &mut self.found,
                    )?;
                }
            }
        }
        Ok(())
    }
}

impl Drop for Comparison<'_> {
    fn drop(&mut self) {
        // Ends what was begun and not finished; nothing of it is wanted.
        if !self.state.db.is_autocommit() {
            let _ = self.state.db.execute_batch("ROLLBACK");
        }
        detach(&self.state.db);
        let _ = fs::remove_file(self.state.dir().join("stage.db"));
        let _ = fs::remove_file(&self.rows_path);
    }
}

fn detach(db: &Connection) {
    db.flush_prepared_statement_cache();
    // The error says that there is none.
    let _ = db.execute_batch("DETACH stage");
}

impl Take for Comparison<'_> {
    fn record(&mut self, row: u64, key: Vec<u8>, record: &Canonical) -> Result<()> {
        let digest = record_digest(&record.json);
        // What was sent already is never written again.
        let same = !self.first && self.state.sent(&key)? == Some(digest);
        self.stage(&key, row, Some(&digest), (!same).then_some(&record.json))
    }

    fn refused(&mut self, refused: Vec<Refused>, key: Option<Vec<u8>>) -> Result<()> {
        self.found.refused += 1;
        let room = REFUSALS_KEPT.saturating_sub(self.refusals.len());
        let row = refused.first().map_or(0, |refused| refused.row);
        self.refusals.extend(refused.into_iter().take(room));
        match key {
            Some(key) => self.stage(&key, row, None, None),
            None => Ok(()),
        }
    }
}

type Sent = (Vec<u8>, [u8; 32]);

fn next_sent(rows: &mut rusqlite::Rows<'_>) -> Result<Option<Sent>> {
    match rows.next()? {
        Some(row) => Ok(Some((row.get(0)?, row.get(1)?))),
        None => Ok(None),
    }
}

/// One staged row: its number, its digest (`None` = refused) and where its JSON lies.
struct Staged {
    row: u64,
    digest: Option<[u8; 32]>,
    place: Option<(u64, usize)>,
}

/// Every row of one key.
struct Group {
    key: Vec<u8>,
    rows: Vec<Staged>,
}

struct Groups<'r> {
    rows: rusqlite::Rows<'r>,
    ahead: Option<(Vec<u8>, Staged)>,
}

impl<'r> Groups<'r> {
    fn new(rows: rusqlite::Rows<'r>) -> Result<Self> {
        let mut groups = Self { rows, ahead: None };
        groups.ahead = groups.read()?;
        Ok(groups)
    }

    fn read(&mut self) -> Result<Option<(Vec<u8>, Staged)>> {
        let Some(row) = self.rows.next()? else {
            return Ok(None);
        };
        let at: Option<i64> = row.get(3)?;
        let length: Option<i64> = row.get(4)?;
        let staged = Staged {
            row: row.get::<_, i64>(1)? as u64,
            digest: row.get(2)?,
            place: at.zip(length).map(|(at, length)| (at as u64, length as usize)),
        };
        Ok(Some((row.get(0)?, staged)))
    }

    fn next(&mut self) -> Result<Option<Group>> {
        let Some((key, staged)) = self.ahead.take() else {
            return Ok(None);
        };
        let mut group = Group {
            key,
            rows: vec![staged],
        };
        loop {
            self.ahead = self.read()?;
            match self.ahead.take_if(|(key, _)| *key == group.key) {
                // A key that comes without end is one fault all the same.
                Some((_, staged)) if group.rows.len() < 1_000 => group.rows.push(staged),
                Some(_) => {}
                None => return Ok(Some(group)),
            }
        }
    }
}

impl Group {
    /// The one row that counts: identical ones collapse, differing ones go by the definition.
    fn chosen(&self, duplicates: Duplicates) -> std::result::Result<&Staged, ()> {
        let first = &self.rows[0];
        let same = self.rows.iter().all(|row| row.digest == first.digest);
        match duplicates {
            _ if same => Ok(first),
            Duplicates::First => Ok(first),
            Duplicates::Last => self.rows.last().ok_or(()),
            Duplicates::Quarantine => Err(()),
        }
    }

    fn settle(
        &self,
        schema: &Schema,
        state: &State,
        before: Option<[u8; 32]>,
        json: &mut File,
        out: &mut Out<'_>,
        refusals: &mut Vec<Refused>,
        found: &mut Found,
    ) -> Result<()> {
        found.records += 1;
        let Ok(row) = self.chosen(schema.definition.csv.duplicates) else {
            found.refused += 1;
            if refusals.len() < REFUSALS_KEPT {
                refusals.push(Refused {
                    row: self.rows.last().map_or(0, |row| row.row),
                    column: schema.definition.key.fields().collect::<Vec<_>>().join(", "),
                    rule: "duplicate_key".to_owned(),
                    message: format!(
                        "differs from row {}, which has the same key; none of them is sent",
                        self.rows[0].row
                    ),
                    shape: String::new(),
                });
            }
            return Ok(());
        };
        // A refused row leaves its record as it is.
        let Some(digest) = row.digest.filter(|digest| before != Some(*digest)) else {
            return Ok(());
        };
        let Some((at, length)) = row.place else {
            return Ok(());
        };
        if state.declined(&self.key)? == Some(digest) {
            return Ok(());
        }
        out.upsert(&self.key, before, digest, json, at, length)
    }
}

struct Out<'o> {
    schema: &'o Schema,
    db: &'o Connection,
    body: &'o mut Body,
    sum: &'o mut SetDigest,
    records: &'o mut u64,
    buffer: Vec<u8>,
}

impl Out<'_> {
    fn change(&self, key: &[u8], digest: Option<&[u8; 32]>) -> Result<()> {
        self.db
            .prepare_cached("INSERT INTO stage.change VALUES (?1, ?2)")?
            .execute(params![key, digest])?;
        Ok(())
    }

    fn upsert(
        &mut self,
        key: &[u8],
        before: Option<[u8; 32]>,
        digest: [u8; 32],
        json: &mut File,
        at: u64,
        length: usize,
    ) -> Result<()> {
        let gone = |error: std::io::Error| Error::State(format!("the staged rows: {error}"));
        self.buffer.resize(length, 0);
        json.seek(SeekFrom::Start(at)).map_err(gone)?;
        json.read_exact(&mut self.buffer).map_err(gone)?;
        match before {
            Some(before) => self.sum.remove(&before),
            None => *self.records += 1,
        }
        self.sum.add(&digest);
        self.body.upsert(&self.buffer)?;
        self.change(key, Some(&digest))
    }

    fn delete(&mut self, key: &[u8], before: &[u8; 32]) -> Result<()> {
        self.sum.remove(before);
        *self.records = self.records.saturating_sub(1);
        self.buffer.clear();
        self.schema.key_json(key, &mut self.buffer);
        self.body.delete(&self.buffer)?;
        self.change(key, None)
    }
}

/// Digest of one key as the copy has it, for reconciliation.
pub fn range_digest(db: &Connection, from: Option<&[u8]>, to: Option<&[u8]>) -> Result<(SetDigest, u64)> {
    let mut statement = db.prepare_cached(
        "SELECT digest FROM copy WHERE (?1 IS NULL OR key >= ?1) AND (?2 IS NULL OR key < ?2)",
    )?;
    let mut rows = statement.query(params![from, to])?;
    let (mut sum, mut records) = (SetDigest::default(), 0);
    while let Some(row) = rows.next()? {
        sum.add(&row.get(0)?);
        records += 1;
    }
    Ok((sum, records))
}

#[cfg(test)]
mod tests;
