//! MariaDB's and MySQL's binary log, read as far as the snapshot goes, so a package brings the set to exactly the snapshot's
//! state. MariaDB's snapshots name their place; of MySQL's no more is known than two places they lie between.

mod cascade;
mod events;
mod gtid;
mod place;
mod server;
mod statement;
mod stream;
mod tables;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    time::{Duration, Instant},
};

use mysql_async::Conn;
pub use place::Place;

use self::{
    cascade::Parent,
    events::Look,
    gtid::Last,
    server::{Server, Settings},
    stream::{From, Stream},
    tables::{Column, Table},
};
use super::Touched;
use crate::{
    error::Result,
    feed::{Follow, Sql},
    source::fault,
};

/// A log that can be followed.
pub struct Log {
    server: Server,
    identity: String,
    /// Are names of tables without case?
    folds: bool,
    /// As the feed names them, with their columns: row events have no names.
    followed: Vec<(Table, Vec<Column>)>,
    /// Tables whose changes go on to followed rows, which no log tells.
    parents: HashMap<Table, Parent>,
    /// When it was last asked whether it is the log that it was.
    asked: Cell<Option<Instant>>,
    /// Transactions of XA by their ids: do they hold rows that matter?
    prepared: RefCell<HashMap<String, bool>>,
}

/// Transactions of XA that are remembered.
const PREPARED: usize = 10_000;

/// How often that is asked where nothing is logged: a log that is begun anew may end in the same place.
const ASK: Duration = Duration::from_secs(30);

impl Log {
    pub async fn of(conn: &mut Conn, follow: &Follow) -> Result<Self> {
        let settings = Settings::of(conn).await?;
        let folds = settings.folds();
        let mut followed = Vec::new();
        for table in &follow.tables {
            let place = tables::named(conn, table, folds).await?;
            let columns = tables::columns(conn, &place).await?;
            followed.push((place, columns));
        }
        settings.judge(conn).await?;
        let named: Vec<_> = followed
            .iter()
            .map(|(place, _)| place.clone())
            .zip(&follow.tables)
            .collect();
        Ok(Self {
            server: settings.server,
            identity: settings.server.identity(conn).await?,
            folds,
            parents: cascade::parents(conn, &named, folds).await?,
            followed,
            asked: Cell::default(),
            prepared: RefCell::default(),
        })
    }

    /// Does the log write the keys as a query does?
    pub fn judge(&self, follow: &Follow, key_columns: &[String]) -> Result<()> {
        Look::new(self, follow, key_columns, None).map(|_| ())
    }

    /// To be asked before the snapshot is opened, and given to [`Self::snapshot`].
    pub async fn before(&self, conn: &mut Conn) -> Result<Option<String>> {
        match self.server {
            Server::MariaDb => Ok(None),
            Server::MySql => gtid::committed(conn).await.map(Some),
        }
    }

    /// Where the snapshot of the transaction under way lies.
    pub async fn snapshot(&self, conn: &mut Conn, before: Option<String>) -> Result<Place> {
        Place::of_snapshot(conn, self.server, before).await
    }

    /// All that is known of a place, to go on from there.
    pub async fn noted(&self, sql: &Sql, conn: &mut Conn, mut place: Place) -> Result<Place> {
        if place.born.is_none() {
            place.born = stream::born(sql, self, &place.file).await?;
            if place.born.is_none() {
                return Err(fault(format!(
                    "the database names {} as the file of its binary log, and does not give it: has it a server_id?",
                    place.file
                )));
            }
        }
        if self.server == Server::MariaDb && place.gtid.is_none() {
            place.gtid = gtid::at(conn, &place.file, place.at).await;
        }
        Ok(place)
    }

    /// What was committed between two places.
    pub async fn look(
        &self,
        sql: &Sql,
        conn: &mut Conn,
        follow: &Follow,
        key_columns: &[String],
        (from, mut to): (&Place, Place),
    ) -> Result<Touched> {
        let mut touched = Touched::default();
        if from.is(&to) && self.is_still(sql, from).await? {
            touched.position = Some(from.text());
            return Ok(touched);
        }
        let gtids = from.gtid.as_deref().and_then(Last::read);
        let mut look = Look::new(self, follow, key_columns, gtids)?;
        match self.open(sql, conn, from, &to).await? {
            None => touched.everything = true,
            Some((mut stream, moved)) => {
                touched.moved = moved;
                look.read(sql, &mut stream, &to, &mut touched).await?;
                if !touched.everything && stream.file == to.file {
                    to.born = stream.born;
                    to.gtid = to.gtid.or(look.gtids.map(|gtids| gtids.text()));
                }
            }
        }
        touched.position = Some(self.noted(sql, conn, to).await?.text());
        Ok(touched)
    }

    fn prepare(&self, id: String, matters: bool) {
        let mut prepared = self.prepared.borrow_mut();
        // Those that were rolled back are among them.
        if prepared.len() >= PREPARED {
            prepared.clear();
        }
        prepared.insert(id, matters);
    }

    /// Does it hold rows that matter? One that is not remembered may.
    fn commit(&self, id: &str) -> bool {
        self.prepared.borrow_mut().remove(id).unwrap_or(true)
    }

    async fn is_still(&self, sql: &Sql, from: &Place) -> Result<bool> {
        if self.asked.get().is_some_and(|asked| asked.elapsed() < ASK) {
            return Ok(true);
        }
        let born = stream::born(sql, self, &from.file).await?;
        self.asked.set(Some(Instant::now()));
        Ok(born == from.born)
    }

    /// The log from a place on, and whether it is another than the one that was left there. `None`: it does not have what comes
    /// after that place.
    async fn open(
        &self,
        sql: &Sql,
        conn: &mut Conn,
        from: &Place,
        to: &Place,
    ) -> Result<Option<(Stream, bool)>> {
        let gtids = from.gtid.as_deref();
        match self.server {
            Server::MariaDb => {
                if from.born.is_some()
                    && let Some(stream) = Stream::open(sql, self, From::Place(from), &to.file).await?
                    && stream.born == from.born
                {
                    return Ok(Some((stream, false)));
                }
                // Begun anew, or another server's, which may have the same changes elsewhere.
                let own = |gtids: &&str| Last::read(gtids).is_some_and(|last| !last.is_empty());
                let Some(gtids) = gtids.filter(own) else {
                    return Ok(None);
                };
                let stream = Stream::open(sql, self, From::Gtids(gtids), &to.file).await?;
                Ok(stream.map(|stream| (stream, true)))
            }
            Server::MySql => {
                let Some(set) = gtids else { return Ok(None) };
                // The reader's own connection is in its snapshot, which is no matter for GTIDs.
                if !gtid::has(conn, set).await? {
                    return Ok(None);
                }
                let Some(stream) = Stream::open(sql, self, From::GtidSet(set), &to.file).await? else {
                    return Ok(None);
                };
                let born = if stream.file == from.file {
                    stream.born
                } else {
                    stream::born(sql, self, &from.file).await?
                };
                let moved = from.born.is_none() || born != from.born;
                Ok(Some((stream, moved)))
            }
        }
    }
}
