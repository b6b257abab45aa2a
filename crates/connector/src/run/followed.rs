//! Following a source: what was committed since the last look, as one package.

use std::time::{Duration, Instant};

use dagr_model::{
    definition::Type,
    schema::{NodeId, Schema},
};

use super::Running;
use crate::{
    collect::{Collect, FILLED},
    compare::{Comparison, Extent, Found},
    error::{Error, Result},
    feed::{Engine, Follow, Source, Sql},
    map::{Filled, Mapping, Origin},
    source::sql::{
        follow::{Touched, binlog, postgres, sqlite},
        mariadb::Reader as MariaDb,
        postgres::Reader as Postgres,
        sqlite::Reader as Sqlite,
    },
    state::State,
};

/// How often a slot without changes of ours is moved on, and its lag looked at.
const TIDY: Duration = Duration::from_secs(30);
/// Where in the source's log everything before is here.
const POSITION: &str = "source_position";

/// What a look came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    Nothing,
    Package(Found),
    /// Only a comparison of everything finds it.
    Everything,
}

/// A followed source, connected anew after a break.
pub struct Followed<'r> {
    running: &'r Running,
    sql: &'r Sql,
    follow: &'r Follow,
    reader: Option<Reader>,
    tidied: Option<Instant>,
}

enum Reader {
    Postgres(Postgres, postgres::Known),
    /// With the GTIDs before its snapshot was opened, where those matter.
    MariaDb(Box<MariaDb>, binlog::Log, Option<String>),
    /// With the file that was opened: another may have been put in its place.
    Sqlite(Box<Sqlite>, sqlite::Watch, sqlite::FileId),
}

impl<'r> Followed<'r> {
    pub fn of(running: &'r Running) -> Option<Self> {
        let Source::Sql(sql) = &running.feed.source else {
            return None;
        };
        Some(Self {
            running,
            sql,
            follow: sql.follow.as_ref()?,
            reader: None,
            tidied: None,
        })
    }

    pub fn every(&self) -> Duration {
        self.follow.every
    }

    /// Connects, and marks the place before anything is compared: what is committed from then on is in one or the other.
    pub async fn connect(&mut self) -> Result<()> {
        if self.reader.is_some() {
            return Ok(());
        }
        let schema = self.running.schema();
        let reader = match self.sql.engine {
            Engine::MariaDb => {
                let mut reader = MariaDb::connect(self.sql, &schema).await?;
                let log = binlog::Log::of(reader.conn(), self.follow).await?;
                let place = self.running.state.meta(POSITION)?;
                if place.as_deref().and_then(binlog::Place::read).is_none() {
                    let place = place_of(self.sql, &log, &mut reader).await?;
                    self.everything_from(&place.text())?;
                }
                Reader::MariaDb(Box::new(reader), log, None)
            }
            Engine::Sqlite => {
                let file = sqlite::FileId::of(&self.sql.url)?;
                let state = &self.running.state;
                let before = state.meta(sqlite::FILE)?;
                if before.is_some_and(|before| before != file.noted()) {
                    tracing::warn!(file = self.sql.url, "another file has taken the source's place");
                    self.everything_from("")?;
                }
                state.set_meta(sqlite::FILE, &file.noted())?;
                let reader = Sqlite::open(self.sql, &schema)?;
                let watch = sqlite::Watch::plan(self.follow, &self.key_columns(&reader.columns()?)?)?;
                watch.check(reader.db())?;
                if !watch.stands(reader.db())? {
                    // First the decision: what was told by the table that is made anew is lost.
                    self.everything_from("")?;
                    watch.make(self.sql)?;
                }
                Reader::Sqlite(Box::new(reader), watch, file)
            }
            Engine::Postgres => {
                let reader = Postgres::connect(self.sql, &schema).await?;
                let key_columns = self.key_columns(&reader.columns().await?.names)?;
                let lost = || self.everything_from("");
                let (stands, shape) =
                    postgres::prepare(reader.client(), self.follow, &key_columns, lost).await?;
                if !self.has_place()? {
                    // Whatever becomes of it or of the tables from here on is found out.
                    let state = &self.running.state;
                    state.set_meta(postgres::SERVER, &stands.server)?;
                    state.set_meta(postgres::SHAPE, &shape)?;
                    self.everything_from(&stands.place)?;
                }
                Reader::Postgres(reader, postgres::Known::default())
            }
        };
        let mut reader = reader;
        let key_columns = self.key_columns(&reader.columns().await?)?;
        for column in &key_columns {
            for table in &self.follow.tables {
                table.column(column)?;
            }
        }
        if let Reader::MariaDb(_, log, _) = &reader {
            log.judge(self.follow, &key_columns)?;
        }
        self.reader = Some(reader);
        Ok(())
    }

    /// Columns of the query that hold the key.
    fn key_columns(&self, names: &[String]) -> Result<Vec<String>> {
        let schema = self.running.schema();
        let map = &self.running.feed.map;
        let (mapping, _) =
            Mapping::compile(map, &schema, names, Origin::Database, &Filled::new()).map_err(|faults| {
                Error::Faults {
                    what: "the source and the feed do not fit together".to_owned(),
                    faults,
                }
            })?;
        let column = |node| mapping.column_of(node).map(|at| names[at].clone());
        let columns: Option<Vec<String>> = schema.key.iter().map(|node| column(*node)).collect();
        columns.ok_or_else(no_key_columns)
    }

    /// Is it known from where on changes are told?
    pub fn has_place(&self) -> Result<bool> {
        Ok(self
            .running
            .state
            .meta(POSITION)?
            .is_some_and(|place| !place.is_empty()))
    }

    /// Changes before this place are not told: everything is compared.
    fn everything_from(&self, place: &str) -> Result<()> {
        let state = &self.running.state;
        let is_due = state.meta("compare_due")?.as_deref() == Some("true");
        if state.meta("last_compare")?.is_some() && !is_due {
            tracing::warn!("the place in the source's log was lost; everything is compared");
        }
        state.set_meta("compare_due", "true")?;
        state.set_meta(POSITION, place)
    }

    pub async fn look(&mut self) -> Result<Seen> {
        self.connect().await?;
        let seen = self.look_connected().await;
        if seen.is_err() {
            self.reader = None;
        }
        seen
    }

    async fn look_connected(&mut self) -> Result<Seen> {
        let running = self.running;
        let room = running.room()?;
        let schema = running.schema();
        let Some(reader) = &mut self.reader else {
            return Ok(Seen::Nothing);
        };
        if let Reader::Sqlite(_, _, file) = reader
            && sqlite::FileId::of(&self.sql.url)? != *file
        {
            tracing::warn!(file = self.sql.url, "another file has taken the source's place");
            self.reader = None;
            self.everything_from("")?;
            return Ok(Seen::Everything);
        }
        reader.begin().await?;
        let names = reader.columns().await?;
        let mut comparison = Comparison::begin(&running.state, &schema, &running.feed.name, Extent::Touched)?
            .at_most(room)
            .guarded(running.feed.guard_bp);
        let mut collect = Collect::new(&schema, &running.feed.map, &mut comparison)
            .tolerant(true)
            .after(running.state.meta(FILLED)?);
        collect.table(&names)?;
        let at = collect.key_columns().ok_or_else(no_key_columns)?;
        let key_columns: Vec<String> = at.iter().map(|at| names[*at].clone()).collect();
        let mut touched = reader
            .touched(self.sql, self.follow, &key_columns, &running.state)
            .await?;
        let mut keys: Vec<Vec<String>> = touched.keys.iter().cloned().collect();
        if !touched.everything && !keys.is_empty() {
            match reader.keys(&at, &key_columns, keys, &mut collect).await? {
                Some(known) => keys = known,
                None => {
                    touched.everything = true;
                    keys = Vec::new();
                }
            }
        }
        reader.end().await?;
        if let (true, Reader::Postgres(reader, _)) = (touched.unreadable, &*reader) {
            // Made anew with the connection, and everything is compared.
            postgres::drop_slot(reader.client(), &self.follow.slot).await?;
            self.reader = None;
            return Ok(Seen::Everything);
        }
        // A key that no record can have has no record.
        let of_records: Vec<Vec<u8>> = keys
            .iter()
            .filter_map(|texts| collect.key_of(&at, &as_in_rows(&schema, texts)))
            .collect();
        let ended = collect.finish()?;
        running.passed_over(&ended.unwanted)?;
        if touched.everything {
            drop(comparison);
            tracing::warn!("more changed than the source's log tells by keys; everything is compared");
            // First the decision, then the place: a process that ends between them compares once too often.
            running.state.set_meta("compare_due", "true")?;
            for (name, value) in notes(&touched) {
                running.state.set_meta(&name, &value)?;
            }
            // The comparison that is due now sees all of it: asked again, the slot would tell it again.
            self.advance(&touched).await?;
            // Triggers of SQLite that are gone are made anew, before everything is compared; columns may be others.
            if touched.altered || !matches!(self.reader, Some(Reader::Postgres(..))) {
                self.reader = None;
            }
            return Ok(Seen::Everything);
        }
        if touched.moved {
            tracing::warn!(
                "the source's log is another than before; followed by its GTIDs, and everything is compared"
            );
        }
        let seen = if keys.is_empty() {
            drop(comparison);
            for (name, value) in notes(&touched) {
                running.state.set_meta(&name, &value)?;
            }
            Seen::Nothing
        } else {
            for key in of_records {
                comparison.touch(key);
            }
            let mut notes = notes(&touched);
            notes.extend(ended.notes);
            Seen::Package(comparison.finish(&notes)?)
        };
        self.advance(&touched).await?;
        Ok(seen)
    }

    /// What was looked at is durable here: the source need not keep it.
    async fn advance(&mut self, touched: &Touched) -> Result<()> {
        let state = &self.running.state;
        let tidy = self.tidied.is_none_or(|at| at.elapsed() > TIDY);
        if tidy {
            state.set_meta("last_look", &jiff::Timestamp::now().to_string())?;
            self.tidied = Some(Instant::now());
        }
        if let (Some(Reader::Sqlite(_, watch, _)), Some(place)) = (&self.reader, &touched.position) {
            return watch.forget(self.sql, place);
        }
        let Some(Reader::Postgres(reader, _)) = &self.reader else {
            return Ok(());
        };
        if let Some(position) = &touched.position {
            return postgres::advance(reader.client(), &self.follow.slot, position).await;
        }
        if let (true, Some(idle)) = (tidy, &touched.idle) {
            // First the note: a slot that stands past it was moved by somebody else.
            state.set_meta(POSITION, idle)?;
            postgres::advance(reader.client(), &self.follow.slot, idle).await?;
        }
        Ok(())
    }
}

/// Where the binary log stands, with all that is needed to go on from there.
pub(super) async fn place_of(sql: &Sql, log: &binlog::Log, reader: &mut MariaDb) -> Result<binlog::Place> {
    let before = log.before(reader.conn()).await?;
    reader.begin().await?;
    let place = log.snapshot(reader.conn(), before).await?;
    reader.end().await?;
    log.noted(sql, reader.conn(), place).await
}

impl Reader {
    async fn begin(&mut self) -> Result<()> {
        match self {
            Self::Postgres(reader, _) => reader.begin().await,
            Self::MariaDb(reader, log, before) => {
                *before = log.before(reader.conn()).await?;
                reader.begin().await
            }
            Self::Sqlite(reader, ..) => reader.begin(),
        }
    }

    async fn end(&mut self) -> Result<()> {
        match self {
            Self::Postgres(reader, _) => reader.end().await,
            Self::MariaDb(reader, ..) => reader.end().await,
            Self::Sqlite(reader, ..) => reader.end(),
        }
    }

    async fn columns(&mut self) -> Result<Vec<String>> {
        match self {
            Self::Postgres(reader, _) => Ok(reader.columns().await?.names),
            Self::MariaDb(reader, ..) => reader.columns().await,
            Self::Sqlite(reader, ..) => reader.columns(),
        }
    }

    async fn touched(
        &mut self,
        sql: &Sql,
        follow: &Follow,
        key_columns: &[String],
        state: &State,
    ) -> Result<Touched> {
        let place = state.meta(POSITION)?;
        match self {
            Self::Postgres(reader, known) => {
                let noted = postgres::Noted {
                    place: place.unwrap_or_default(),
                    server: state.meta(postgres::SERVER)?.unwrap_or_default(),
                };
                let shape = || Ok(state.meta(postgres::SHAPE)?.unwrap_or_default());
                postgres::look(reader.client(), follow, key_columns, &noted, &shape, known).await
            }
            Self::Sqlite(reader, watch, _) => watch.look(reader.db(), place.as_deref()),
            Self::MariaDb(reader, log, before) => {
                let to = log.snapshot(reader.conn(), before.take()).await?;
                let from = place.as_deref().and_then(binlog::Place::read);
                let from = from.ok_or_else(|| {
                    Error::State(
                        "the place in the binary log that the feed noted cannot be read: `dagr connector resync`"
                            .to_owned(),
                    )
                })?;
                log.look(sql, reader.conn(), follow, key_columns, (&from, to))
                    .await
            }
        }
    }

    /// The records of these keys. Gives the keys as the source's query writes them; `None`: they cannot be asked for.
    async fn keys(
        &mut self,
        at: &[usize],
        key_columns: &[String],
        keys: Vec<Vec<String>>,
        rows: &mut Collect<'_>,
    ) -> Result<Option<Vec<Vec<String>>>> {
        match self {
            Self::Postgres(reader, _) => {
                let columns = reader.columns().await?;
                return reader.keys(&columns, at, keys, rows).await;
            }
            Self::MariaDb(reader, ..) => reader.keys(key_columns, &keys, rows).await?,
            Self::Sqlite(reader, watch, _) => reader.touched(watch, key_columns, rows)?,
        }
        Ok(Some(keys))
    }
}

pub(super) fn no_key_columns() -> Error {
    Error::Decide(
        "a followed source needs the key's fields from columns as they are: no join, split, codes or constant"
            .to_owned(),
    )
}

fn notes(touched: &Touched) -> Vec<(String, String)> {
    let note = |name: &str, value: Option<String>| value.map(|value| (name.to_owned(), value));
    let others = touched
        .notes
        .iter()
        .map(|(name, value)| Some(((*name).to_owned(), value.clone())));
    [
        // First, then the place: a process that ends between them compares once too often.
        note("compare_due", touched.moved.then(|| "true".to_owned())),
        note(POSITION, touched.position.clone()),
        note(
            "source_committed_ms",
            touched.committed_ms.map(|at| at.to_string()),
        ),
    ]
    .into_iter()
    .chain(others)
    .flatten()
    .collect()
}

/// Texts of a key as its column has them in a row.
fn as_in_rows(schema: &Schema, texts: &[String]) -> Vec<String> {
    let columns = schema.key.iter().zip(texts);
    let text = |(node, text): (&NodeId, &String)| match schema.nodes[*node].ty {
        Type::Bool => matches!(text.as_str(), "t" | "true" | "1").to_string(),
        Type::Timestamp => match text.strip_suffix("+00") {
            Some(utc) => format!("{utc}Z"),
            None => text.clone(),
        },
        _ => text.clone(),
    };
    columns.map(text).collect()
}
