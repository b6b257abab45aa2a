//! Events of a binary log, from a place or from GTIDs on, with the file each lies in.

use std::time::Duration;

use futures_util::StreamExt;
use mysql_async::{
    BinlogStream, BinlogStreamRequest,
    binlog::{
        EventType,
        events::{Event, EventData},
    },
    prelude::Queryable,
};
use tokio::time::timeout;

use super::{Log, gtid, place::Place, server::Server};
use crate::{
    error::{Error, Result},
    feed::Sql,
    source::{
        fault,
        sql::mariadb::{answered, connect_with, silent, told},
    },
};

/// The servers' errors for a place, or for GTIDs, that their log has no more or never had.
/// <https://mariadb.com/kb/en/mariadb-error-codes/>
const NOT_THERE: [u16; 4] = [1236, 1945, 1951, 1955];

/// Access denied, by whichever of its names. <https://mariadb.com/kb/en/mariadb-error-codes/>
const NO_RIGHT: [u16; 3] = [1045, 1142, 1227];

/// While the server passes over what was not asked for, it says every 30 s (in nanoseconds) that it is there.
/// <https://dev.mysql.com/doc/refman/8.4/en/change-replication-source-to.html>
const HEARTBEAT: &str = "SET @master_heartbeat_period = 30000000000, @source_heartbeat_period = 30000000000";

/// Three of them.
const SILENCE: Duration = Duration::from_secs(90);

/// Bytes of an event.
const LARGEST: usize = 1 << 30;

/// From where.
pub enum From<'p> {
    Place(&'p Place),
    /// MariaDB's.
    Gtids(&'p str),
    /// MySQL's.
    GtidSet(&'p str),
}

pub struct Stream {
    inner: BinlogStream,
    /// Of the last event.
    pub file: String,
    /// When that file was begun.
    pub born: Option<u32>,
    /// Where the last event ended.
    pub at: u64,
}

/// A user without the right is told that it is not who it says it is.
fn not_given(error: mysql_async::Error) -> Error {
    match error {
        mysql_async::Error::Server(error) if NO_RIGHT.contains(&error.code) => fault(format!(
            "the binary log may not be read: GRANT REPLICATION SLAVE ON *.* TO this user ({})",
            error.message
        )),
        error => told(error),
    }
}

impl Stream {
    /// At the first event. `None`: the log does not have what is asked for. `like`: a name of a file.
    pub async fn open(sql: &Sql, log: &Log, from: From<'_>, like: &str) -> Result<Option<Self>> {
        // Events are larger than the server lets packets be.
        let mut conn = connect_with(sql, |opts| opts.max_allowed_packet(Some(LARGEST))).await?;
        if log.server.identity(&mut conn).await? != log.identity {
            return Err(fault("the address leads to more than one server"));
        }
        answered(SILENCE, conn.query_drop(HEARTBEAT)).await?;
        if log.server == Server::MariaDb {
            // Else it puts others in the place of events of its own.
            conn.query_drop("SET @mariadb_slave_capability = 4")
                .await
                .map_err(told)?;
        }
        let begun = match &from {
            From::Place(place) => Some(place.at),
            _ => None,
        };
        let mut request = BinlogStreamRequest::new(server_id()).with_non_blocking();
        match from {
            From::Place(place) => {
                request = request.with_filename(place.file.as_bytes()).with_pos(place.at);
            }
            // <https://mariadb.com/kb/en/com_binlog_dump/>: GTIDs in place of the file, which the first event names.
            From::Gtids(gtids) => {
                conn.exec_drop("SET @slave_connect_state = ?", (gtids,))
                    .await
                    .map_err(told)?;
                request = request.with_pos(4);
            }
            From::GtidSet(set) => {
                request = request.with_gtid().with_gtid_set(gtid::sids(set)?).with_pos(4);
            }
        }
        let inner = match timeout(SILENCE, conn.get_binlog_stream(request)).await {
            Ok(given) => given.map_err(not_given)?,
            Err(_) => return Err(silent(SILENCE)),
        };
        let mut stream = Self {
            inner,
            file: String::new(),
            born: None,
            at: 0,
        };
        // What comes first names the file and says when it was begun.
        while stream.born.is_none() {
            match next(&mut stream.inner).await? {
                Some(Err(mysql_async::Error::Server(error))) if NOT_THERE.contains(&error.code) => {
                    return Ok(None);
                }
                Some(event) => stream.passed(&event.map_err(not_given)?, like)?,
                None => return Ok(None),
            }
        }
        if let Some(begun) = begun {
            stream.at = begun;
        }
        Ok(Some(stream))
    }

    /// `None`: the end. An error of the log itself, such as a file that was removed meanwhile: `Some(None)`.
    pub async fn next(&mut self, like: &str) -> Result<Option<Option<Event>>> {
        let event = match next(&mut self.inner).await? {
            None => return Ok(None),
            Some(Err(mysql_async::Error::Server(error))) if NOT_THERE.contains(&error.code) => {
                return Ok(Some(None));
            }
            Some(event) => event.map_err(told)?,
        };
        self.passed(&event, like)?;
        Ok(Some(Some(event)))
    }

    pub fn inner(&self) -> &BinlogStream {
        &self.inner
    }

    fn passed(&mut self, event: &Event, like: &str) -> Result<()> {
        let header = event.header();
        // One that is made up has no place.
        if header.log_pos() != 0 {
            self.at = u64::from(header.log_pos());
        }
        match header.event_type() {
            Ok(EventType::FORMAT_DESCRIPTION_EVENT) => self.born = Some(header.timestamp()),
            // Made up before a file's first event. The real one before it lies in the file that ends.
            Ok(EventType::ROTATE_EVENT) if header.log_pos() == 0 => {
                if let Some(EventData::RotateEvent(rotate)) = event.read_data().map_err(fault)? {
                    // A check sum follows the name. Names are of one length.
                    self.file = rotate.name().chars().take(like.chars().count()).collect();
                    self.at = 0;
                    self.born = None;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// What comes next, heartbeats too.
async fn next(stream: &mut BinlogStream) -> Result<Option<mysql_async::Result<Event>>> {
    let next = timeout(SILENCE, stream.next()).await;
    next.map_err(|_| silent(SILENCE))
}

/// When a file of the log was begun. `None`: there is none of that name.
pub async fn born(sql: &Sql, log: &Log, file: &str) -> Result<Option<u32>> {
    let place = Place {
        file: file.to_owned(),
        at: 4,
        born: None,
        gtid: None,
    };
    let stream = Stream::open(sql, log, From::Place(&place), file).await?;
    Ok(stream.and_then(|stream| stream.born))
}

/// Every reader of a log has a number of its own; ours lasts as long as a look.
fn server_id() -> u32 {
    let mut bytes = [0; 4];
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u32::from_be_bytes(bytes) | 0x4000_0000
}
