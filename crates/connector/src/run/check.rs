//! Tries everything without sending: the file, the server, the source, the definition; tells what would be sent and what
//! would be refused.

mod against;
mod keys;

use std::{path::Path, sync::Arc, time::Duration};

use against::{Against, Fate};
use dagr_model::schema::Schema;
use keys::Keys;

use serde::Serialize;

pub use self::against::Changes;
use super::{
    client, compile, definition,
    followed::{no_key_columns, place_of},
};
use crate::{
    collect::{Collect, FILLED, Refused, Take},
    compare::is_more,
    error::{Error, Result},
    feed::{Feed, Files, Source},
    progress::Progress,
    source::{
        Means, Notes, files, http, soap,
        sql::{
            Db,
            follow::{binlog, postgres, sqlite},
        },
        web,
    },
    state::{State, set_meta},
};

/// Records shown.
const SHOWN: usize = 3;
/// Refusals told one by one.
const TOLD: usize = 1_000;

#[derive(Default, Serialize)]
pub struct Checked {
    /// That would stand in the set.
    pub records: u64,
    /// Against what was sent before; `None`: nothing was, all of them are new.
    pub changes: Option<Changes>,
    /// Would a guard hold the package?
    pub held: bool,
    pub refused: u64,
    /// Rows past the definition's retention: they are not sent.
    pub expired: u64,
    /// The first ones, as they would be sent.
    pub first: Vec<serde_json::Value>,
    pub refusals: Vec<Refused>,
    /// Were there more than are told?
    pub is_cut: bool,
    /// Rows behind so many that their keys are not held against others.
    pub unheld: u64,
    #[serde(skip)]
    keys: Keys,
    #[serde(skip)]
    against: Option<Against>,
    /// Rows by their fates.
    #[serde(skip)]
    fates: [u64; Fate::COUNT],
    /// Rows that may be of any record.
    #[serde(skip)]
    unread: u64,
    /// What is read: a file's name, an address, a query's engine.
    pub source: String,
}

impl Take for Checked {
    fn record(&mut self, row: u64, key: &[u8], digest: &[u8; 32], json: &[u8]) -> Result<()> {
        self.records += 1;
        self.add(row, key, digest, false)?;
        if self.first.len() < SHOWN {
            self.first
                .extend(serde_json::from_slice::<serde_json::Value>(json));
        }
        Ok(())
    }

    fn expired(&mut self, row: u64, key: &[u8], digest: &[u8; 32], _: &[u8]) -> Result<()> {
        self.expired += 1;
        self.add(row, key, digest, true)
    }

    fn unread(&mut self, refused: Vec<Refused>) -> Result<()> {
        self.unread += 1;
        self.refused(refused, None)
    }

    fn refused(&mut self, refused: Vec<Refused>, key: Option<Vec<u8>>) -> Result<()> {
        self.refused += 1;
        let row = refused.first().map_or(0, |refused| refused.row);
        if let Some(key) = key {
            let fate = match &mut self.against {
                Some(against) => against.refused(&key)?,
                None => Fate::Refused,
            };
            self.fates[fate as usize] += 1;
            self.keys.add(row, &key, &[0; 32], false, fate);
        }
        let room = TOLD.saturating_sub(self.refusals.len());
        self.is_cut |= refused.len() > room;
        self.refusals.extend(refused.into_iter().take(room));
        Ok(())
    }
}

impl Checked {
    fn add(&mut self, row: u64, key: &[u8], digest: &[u8; 32], expired: bool) -> Result<()> {
        let fate = match &mut self.against {
            Some(against) => against.fate(key, digest, expired)?,
            None => Fate::New,
        };
        self.fates[fate as usize] += 1;
        self.keys.add(row, key, digest, expired, fate);
        Ok(())
    }

    /// `whole`: every row was looked at.
    fn compare(&mut self, guard: u32, left: u64, whole: bool) {
        let Some(against) = &self.against else { return };
        let of = |fate: Fate| self.fates[fate as usize];
        let met = of(Fate::Different) + of(Fate::Unchanged) + of(Fate::Left) + left;
        let (gone, held) = against.gone(met, guard);
        let kept = self.unread > 0;
        self.changes = Some(Changes {
            new: of(Fate::New),
            different: of(Fate::Different),
            unchanged: of(Fate::Unchanged),
            gone: whole.then_some(gone),
            kept,
        });
        self.held = held && whole && !kept;
    }

    /// Of rows of one key one is sent, or none.
    fn collapse(&mut self, schema: &Schema, guard_bp: u32, whole: bool) {
        let same = self.keys.same(schema.definition.csv.duplicates);
        self.records -= same.records;
        self.expired -= same.expired;
        self.unheld = self.keys.beyond;
        for (count, less) in self.fates.iter_mut().zip(same.fates) {
            *count -= less;
        }
        self.compare(guard_bp, same.left, whole);
        for rows in same.differing {
            self.refused += 1;
            if self.refusals.len() < TOLD {
                self.refusals.push(Refused::same_key(schema, rows));
            } else {
                self.is_cut = true;
            }
        }
    }
}

/// `limit`: rows of a query that are looked at; files are read whole.
pub async fn check(path: &Path, limit: Option<u64>, progress: &Progress) -> Result<Checked> {
    let feed = Feed::load(path)?;
    let client = client(&feed.server)?;
    let schema = Arc::new(compile(&feed, &definition(&feed, &client).await?)?);
    // Not only the definition: may this connection deliver at all?
    let there = client.get(&format!("{}/state", feed.intake())).await?;
    let noted = noted(&feed)?;
    let filled = noted.iter().find(|(name, _)| name == FILLED);
    let mut checked = Checked {
        against: Against::of(&feed, &there)?,
        ..Checked::default()
    };
    let mut source = String::new();
    let mut collect = Collect::new(&schema, &feed.map, &mut checked)
        .after(filled.map(|(_, text)| text.clone()))
        .told_to(progress);
    // Where the feed itself lets large answers lie, if whoever checks may.
    let scratch = tempfile::tempdir_in(&feed.state)
        .or_else(|_| tempfile::tempdir())
        .map_err(|error| Error::State(error.to_string()))?;
    let means = Means {
        csv: &schema.definition.csv,
        dir: scratch.path(),
    };
    match &feed.source {
        Source::Files(spec) => {
            let file = file(spec, &noted, scratch.path())?;
            source = file.path.display().to_string();
            files::read(spec, &file, &mut collect, &means)?;
        }
        Source::Http(spec) => {
            web::shown(&spec.url).clone_into(&mut source);
            http::read(spec, None, &mut collect, &means).await?;
        }
        Source::Soap(spec) => {
            web::shown(&spec.url).clone_into(&mut source);
            soap::read(spec, &mut collect, limit, means.dir).await?;
        }
        Source::Sql(spec) => {
            source = format!("{:?}", spec.engine);
            let mut db = Db::connect(spec, &schema).await?;
            match limit {
                Some(limit) => db.some(&mut collect, limit).await?,
                None => db.all(&mut collect).await?,
            }
            match (&spec.follow, &mut db) {
                (Some(follow), Db::Postgres(reader)) => {
                    let key = key_columns(&collect, &reader.columns().await?.names)?;
                    postgres::attempt(reader.client(), follow, &key).await?;
                }
                (Some(follow), Db::Maria(reader)) => {
                    let log = binlog::Log::of(reader.conn(), follow).await?;
                    let key = key_columns(&collect, &reader.columns().await?)?;
                    log.judge(follow, &key)?;
                    // Whoever may not read the log is told now.
                    place_of(spec, &log, reader).await?;
                }
                (Some(follow), Db::Sqlite(reader)) => {
                    let key = key_columns(&collect, &reader.columns()?)?;
                    let watch = sqlite::Watch::plan(follow, &key)?;
                    watch.check(reader.db())?;
                    watch.attempt(spec)?;
                }
                _ => {}
            }
        }
    }
    collect.finish()?;
    let is_cut = limit.is_some() && matches!(feed.source, Source::Sql(_) | Source::Soap(_));
    let guard_bp = feed.guard_bp.map_or(schema.definition.guard_bp, |own| {
        own.min(schema.definition.guard_bp)
    });
    checked.collapse(&schema, guard_bp, !is_cut);
    if let (None, Some(there)) = (&checked.changes, there["records"].as_u64()) {
        // A delivery of everything.
        let removed = there.saturating_sub(checked.records);
        checked.held = !is_cut && checked.refused == 0 && is_more(removed, there, guard_bp);
    }
    checked.source = source;
    Ok(checked)
}

fn key_columns(collect: &Collect<'_>, names: &[String]) -> Result<Vec<String>> {
    let at = collect.key_columns().ok_or_else(no_key_columns)?;
    Ok(at.iter().map(|at| names[*at].clone()).collect())
}

/// What the feed has noted; it may be at work meanwhile.
fn noted(feed: &Feed) -> Result<Notes> {
    let Some(db) = State::peek(&feed.state)? else {
        return Ok(Notes::new());
    };
    let mut rows = db.prepare("SELECT name, value FROM meta")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The file that the feed takes next; else the one it took last; else whatever is there.
pub fn file(spec: &Files, noted: &Notes, scratch: &Path) -> Result<files::Found> {
    let state = State::open(scratch)?;
    let transaction = state.db.unchecked_transaction()?;
    for (name, value) in noted {
        set_meta(&transaction, name, value)?;
    }
    transaction.commit()?;
    let mut spec = spec.clone();
    spec.settle = Duration::ZERO;
    let standing = files::Standing::default();
    for (forget, again) in [("", false), ("", true), ("DELETE FROM meta", false)] {
        state.db.execute_batch(forget)?;
        if let Ok(Some(file)) = files::next(&spec, &state, again, &standing)? {
            return Ok(file);
        }
    }
    let path = spec.path.display();
    Err(Error::Source(format!(
        "{path} has no file in it yet; put one there and check again"
    )))
}
