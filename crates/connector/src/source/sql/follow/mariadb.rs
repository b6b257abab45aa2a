//! MariaDB's and MySQL's binary log, read as far as the snapshot goes: `START TRANSACTION WITH CONSISTENT SNAPSHOT` names
//! its place in the log, so a package brings the set to exactly the snapshot's state.

use std::collections::HashMap;

use futures_util::StreamExt;
use mysql_async::{
    BinlogStream, BinlogStreamRequest, Conn, Row, Value,
    binlog::{
        events::{EventData, RowsEventData},
        row::BinlogRow,
        value::BinlogValue,
    },
    prelude::Queryable,
};

use super::{Cell, Touched};
use crate::{
    error::{Error, Result},
    feed::{Follow, Followed, Sql},
    source::{
        fault,
        sql::mariadb::{connect, told},
    },
};

/// A place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    pub at: u64,
    /// The GTIDs of everything before it, where the server has such; tells whether the log is still the same.
    pub gtid: Option<String>,
}

impl Place {
    pub fn text(&self) -> String {
        match &self.gtid {
            Some(gtid) => format!("{}:{} {gtid}", self.file, self.at),
            None => format!("{}:{}", self.file, self.at),
        }
    }

    pub fn read(text: &str) -> Option<Self> {
        let (place, gtid) = match text.split_once(' ') {
            Some((place, gtid)) => (place, Some(gtid.to_owned())),
            None => (text, None),
        };
        let (file, at) = place.rsplit_once(':')?;
        Some(Self {
            file: file.to_owned(),
            at: at.parse().ok()?,
            gtid,
        })
    }

    fn is_after(&self, other: &Self) -> bool {
        (&self.file, self.at) > (&other.file, other.at)
    }
}

/// The server's error for a file of its log that it has no more.
const PURGED: u16 = 1236;

/// Columns of the followed tables, in their order: row events have no names.
pub type Tables = HashMap<(String, String), Vec<String>>;

/// Can it be followed? The columns of its tables.
pub async fn prepare(conn: &mut Conn, follow: &Follow) -> Result<Tables> {
    let row: Option<(i64, String, String)> = conn
        .query_first("SELECT @@log_bin, @@binlog_format, @@binlog_row_image")
        .await
        .map_err(told)?;
    let (on, format, image) = row.unwrap_or_default();
    let mut wrong = Vec::new();
    if on == 0 {
        wrong.push("log_bin is off");
    }
    if !format.eq_ignore_ascii_case("ROW") {
        wrong.push("binlog_format is not ROW");
    }
    if !image.eq_ignore_ascii_case("FULL") {
        wrong.push("binlog_row_image is not FULL");
    }
    if !wrong.is_empty() {
        return Err(Error::Decide(format!(
            "MariaDB cannot be followed: {}; set them in its configuration, or leave source.follow out and compare on schedule",
            wrong.join(", ")
        )));
    }
    let mut tables = Tables::new();
    for table in &follow.tables {
        let (schema, name) = named(conn, table).await?;
        let columns: Vec<String> = conn
            .exec(
                "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION",
                (&schema, &name),
            )
            .await
            .map_err(told)?;
        if columns.is_empty() {
            return Err(Error::Decide(format!("there is no table {}", table.table)));
        }
        tables.insert((schema, name), columns);
    }
    Ok(tables)
}

async fn named(conn: &mut Conn, table: &Followed) -> Result<(String, String)> {
    match table.table.split_once('.') {
        Some((schema, name)) => Ok((schema.to_owned(), name.to_owned())),
        None => {
            let schema: Option<String> = conn.query_first("SELECT DATABASE()").await.map_err(told)?;
            Ok((schema.unwrap_or_default(), table.table.clone()))
        }
    }
}

/// The end of the log now.
pub async fn end(conn: &mut Conn) -> Result<Place> {
    let row: Option<Row> = conn.query_first("SHOW MASTER STATUS").await.map_err(told)?;
    let row =
        row.ok_or_else(|| fault("MariaDB does not tell its place in the binary log; grant BINLOG MONITOR"))?;
    let file: String = row.get(0).unwrap_or_default();
    let at: u64 = row.get(1).unwrap_or_default();
    let gtid = gtid_at(conn, &file, at).await;
    Ok(Place { file, at, gtid })
}

/// `None`: there is no such place, or the server has no such GTIDs (MySQL).
async fn gtid_at(conn: &mut Conn, file: &str, at: u64) -> Option<String> {
    let found: std::result::Result<Option<Option<String>>, _> =
        conn.exec_first("SELECT BINLOG_GTID_POS(?, ?)", (file, at)).await;
    found.ok().flatten().flatten()
}

/// Where the snapshot of the transaction under way lies.
pub async fn snapshot(conn: &mut Conn) -> Result<Place> {
    let rows: Vec<(String, String)> = conn
        .query("SHOW STATUS LIKE 'binlog_snapshot_%'")
        .await
        .map_err(told)?;
    let value = |name: &str| {
        rows.iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
    };
    match (
        value("binlog_snapshot_file"),
        value("binlog_snapshot_position").and_then(|at| at.parse().ok()),
    ) {
        (Some(file), Some(at)) if !file.is_empty() => {
            let gtid = gtid_at(conn, &file, at).await;
            Ok(Place { file, at, gtid })
        }
        _ => Err(fault(
            "the server does not tell where its snapshot lies in the binary log (MariaDB 5.3 and later do)",
        )),
    }
}

/// What was committed between two places.
pub async fn look(
    sql: &Sql,
    follow: &Follow,
    tables: &Tables,
    key_columns: &[String],
    from: &Place,
    to: &Place,
) -> Result<Touched> {
    let mut touched = Touched {
        position: Some(to.text()),
        ..Touched::default()
    };
    if from == to {
        return Ok(touched);
    }
    let mut conn = connect(sql).await?;
    let another = from.gtid.is_some() && gtid_at(&mut conn, &from.file, from.at).await != from.gtid;
    if another || from.is_after(to) {
        // The log was begun anew behind our back, or is another server's.
        touched.everything = true;
        return Ok(touched);
    }
    let request = BinlogStreamRequest::new(server_id())
        .with_non_blocking()
        .with_filename(from.file.as_bytes())
        .with_pos(from.at);
    let mut stream = conn.get_binlog_stream(request).await.map_err(told)?;
    let mut file = from.file.clone();
    while let Some(event) = stream.next().await {
        let event = match event {
            Err(mysql_async::Error::Server(error)) if error.code == PURGED => {
                touched.everything = true;
                return Ok(touched);
            }
            other => other.map_err(told)?,
        };
        let header = event.header();
        let here = Place {
            file: file.clone(),
            at: u64::from(header.log_pos()),
            gtid: None,
        };
        // The first event of a file that is sent is made up and has no place.
        if header.log_pos() != 0 && here.is_after(to) {
            break;
        }
        // Events of MariaDB's own, such as its GTIDs, are no changes.
        if header.event_type().is_err() {
            continue;
        }
        match event.read_data().map_err(fault)? {
            // The made-up one before a file's first event names what the real one before it named.
            Some(EventData::RotateEvent(rotate)) if header.log_pos() != 0 => {
                file = rotate.name().into_owned();
            }
            Some(EventData::RowsEvent(rows)) => {
                touched.committed_ms = Some(i64::from(header.timestamp()) * 1000);
                changes(&mut touched, follow, tables, key_columns, &stream, &rows)?;
            }
            Some(EventData::QueryEvent(query)) => {
                let text = query.query().to_lowercase();
                // A statement that names one of the tables changed it as a whole, or in a way rows do not tell.
                touched.everything |= tables.keys().any(|(_, name)| text.contains(&name.to_lowercase()));
            }
            Some(EventData::XidEvent(_)) => touched.transactions += 1,
            _ => {}
        }
    }
    Ok(touched)
}

fn changes(
    touched: &mut Touched,
    follow: &Follow,
    tables: &Tables,
    key_columns: &[String],
    stream: &BinlogStream,
    rows: &RowsEventData<'_>,
) -> Result<()> {
    let Some(map) = stream.get_tme(rows.table_id()) else {
        return Err(fault("a change of a table the binary log did not name"));
    };
    let place = (map.database_name().into_owned(), map.table_name().into_owned());
    let Some(columns) = tables.get(&place) else {
        return Ok(());
    };
    for table in follow
        .tables
        .iter()
        .filter(|table| table.table == place.1 || table.table == format!("{}.{}", place.0, place.1))
    {
        for pair in rows.rows(map) {
            let (before, after) = pair.map_err(fault)?;
            touched.changes += 1;
            for row in [before, after].into_iter().flatten() {
                touched.row(table, key_columns, |own| cell(columns, &row, own))?;
            }
        }
    }
    Ok(())
}

fn cell(columns: &[String], row: &BinlogRow, own: &str) -> Cell {
    let Some(at) = columns.iter().position(|name| name.eq_ignore_ascii_case(own)) else {
        return Cell::Unknown;
    };
    match row.as_ref(at) {
        Some(BinlogValue::Value(value)) => text(value).map_or(Cell::Nothing, Cell::Text),
        _ => Cell::Nothing,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        other => Some(other.as_sql(true).trim_matches('\'').to_owned()),
    }
}

/// Every reader of a log has a number of its own; ours lasts as long as a look.
fn server_id() -> u32 {
    let mut bytes = [0; 4];
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u32::from_be_bytes(bytes) | 0x4000_0000
}
