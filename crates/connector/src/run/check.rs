//! Tries everything without sending: the file, the server, the source, the definition; tells what would be sent and what
//! would be refused.

mod keys;

use std::{path::Path, sync::Arc, time::Duration};

use dagr_model::schema::Schema;
use keys::Keys;

use serde::Serialize;

use super::{client, compile, definition, followed::no_key_columns};
use crate::{
    collect::{Collect, FILLED, Refused, Take},
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

#[derive(Debug, Default, Serialize)]
pub struct Checked {
    pub records: u64,
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
    /// What is read: a file's name, an address, a query's engine.
    pub source: String,
}

impl Take for Checked {
    fn record(&mut self, row: u64, key: &[u8], digest: &[u8; 32], json: &[u8]) -> Result<()> {
        self.records += 1;
        self.keys.add(row, key, digest, false);
        if self.first.len() < SHOWN {
            self.first
                .extend(serde_json::from_slice::<serde_json::Value>(json));
        }
        Ok(())
    }

    fn expired(&mut self, row: u64, key: &[u8], digest: &[u8; 32], _: &[u8]) -> Result<()> {
        self.expired += 1;
        self.keys.add(row, key, digest, true);
        Ok(())
    }

    fn refused(&mut self, refused: Vec<Refused>, _: Option<Vec<u8>>) -> Result<()> {
        self.refused += 1;
        let room = TOLD.saturating_sub(self.refusals.len());
        self.is_cut |= refused.len() > room;
        self.refusals.extend(refused.into_iter().take(room));
        Ok(())
    }
}

impl Checked {
    /// Of rows of one key one is sent, or none.
    fn collapse(&mut self, schema: &Schema) {
        let keys = std::mem::take(&mut self.keys);
        let same = keys.same(schema.definition.csv.duplicates);
        self.records -= same.records;
        self.expired -= same.expired;
        self.unheld = keys.beyond;
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
    client.get(&format!("{}/state", feed.intake())).await?;
    let noted = noted(&feed)?;
    let filled = noted.iter().find(|(name, _)| name == FILLED);
    let mut checked = Checked::default();
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
    checked.collapse(&schema);
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
