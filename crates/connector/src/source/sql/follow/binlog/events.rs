//! Events of the log → keys of followed records.

use std::collections::HashMap;

use mysql_async::{
    BinlogStream,
    binlog::{
        EventFlags, EventType,
        events::{BinlogEventHeader, Event, EventData, RowsEventData},
    },
};

use super::{
    Log,
    gtid::Last,
    place::Place,
    server::Server,
    statement::{Statement, names, prepared},
    stream::{From, Stream},
    tables::{self, Column, Key, Table, folded, key_of},
};
use crate::{
    error::Result,
    feed::{Follow, Sql},
    source::{fault, sql::follow::Touched},
};

/// Events that MariaDB has and the library does not know: comments, checkpoints, its GTIDs. None of them is a change.
/// <https://mariadb.com/kb/en/2-binlog-event-header/>
const MARIADB_OWN: std::ops::RangeInclusive<u8> = 160..=164;
const MARIADB_GTID: u8 = 162;

pub struct Look<'l> {
    log: &'l Log,
    /// Of each followed table, once for each way in which it belongs to records.
    keys: HashMap<&'l Table, Vec<Vec<Column>>>,
    /// Were rows that matter changed since the last GTID?
    matters: bool,
    /// MariaDB's, up to here.
    pub gtids: Option<Last>,
}

impl<'l> Look<'l> {
    pub fn new(log: &'l Log, follow: &Follow, key_columns: &[String], gtids: Option<Last>) -> Result<Self> {
        let mut keys: HashMap<&Table, Vec<Vec<Column>>> = HashMap::new();
        for (table, (place, columns)) in follow.tables.iter().zip(&log.followed) {
            keys.entry(place)
                .or_default()
                .push(tables::key(table, columns, key_columns)?);
        }
        Ok(Self {
            log,
            keys,
            matters: false,
            gtids,
        })
    }

    pub async fn read(
        &mut self,
        sql: &Sql,
        stream: &mut Stream,
        to: &Place,
        touched: &mut Touched,
    ) -> Result<()> {
        // Where a stream ended that was opened again.
        let mut ended = None;
        loop {
            let event = match stream.next(&to.file).await? {
                Some(Some(event)) => event,
                Some(None) => {
                    touched.everything = true;
                    return Ok(());
                }
                // The end; a reader that the server gives up sees an end like any other.
                None => {
                    let here = (stream.file.clone(), stream.at);
                    let reached = stream.file == to.file && stream.at >= to.at;
                    if reached {
                        return Ok(());
                    }
                    if ended.as_ref() == Some(&here) {
                        // MySQL's place may lie before the end that it gives.
                        touched.everything = self.log.server == Server::MariaDb;
                        return Ok(());
                    }
                    *stream = match self.again(sql, &here, to).await? {
                        Some(again) => again,
                        None => {
                            touched.everything = true;
                            return Ok(());
                        }
                    };
                    ended = Some(here);
                    continue;
                }
            };
            let header = event.header();
            // The first event of a file that is sent is made up and has no place.
            if header.log_pos() != 0 && to.is_before(&stream.file, u64::from(header.log_pos())) {
                return Ok(());
            }
            self.event(&event, &header, stream.inner(), touched)?;
            if touched.everything {
                return Ok(());
            }
        }
    }

    async fn again(&self, sql: &Sql, (file, at): &(String, u64), to: &Place) -> Result<Option<Stream>> {
        let place = Place {
            file: file.clone(),
            // The first place of a file.
            at: (*at).max(4),
            ..to.clone()
        };
        Stream::open(sql, self.log, From::Place(&place), &to.file).await
    }

    fn event(
        &mut self,
        event: &Event,
        header: &BinlogEventHeader,
        stream: &BinlogStream,
        touched: &mut Touched,
    ) -> Result<()> {
        use EventType as E;
        let Ok(ty) = header.event_type() else {
            let raw = header.event_type_raw();
            if raw == MARIADB_GTID {
                self.matters = false;
                if let Some(gtids) = &mut self.gtids {
                    gtids.pass(header.server_id(), event.data());
                }
            }
            // Of one that is not understood nobody knows what it changed, but where the server says that it may be passed over.
            touched.everything |=
                !MARIADB_OWN.contains(&raw) && !header.flags().contains(EventFlags::LOG_EVENT_IGNORABLE_F);
            return Ok(());
        };
        match ty {
            E::WRITE_ROWS_EVENT_V1
            | E::UPDATE_ROWS_EVENT_V1
            | E::DELETE_ROWS_EVENT_V1
            | E::WRITE_ROWS_EVENT
            | E::UPDATE_ROWS_EVENT
            | E::DELETE_ROWS_EVENT
            | E::PARTIAL_UPDATE_ROWS_EVENT => {
                touched.committed_ms = Some(i64::from(header.timestamp()) * 1000);
                if let Some(EventData::RowsEvent(rows)) = event.read_data().map_err(fault)? {
                    self.rows(touched, stream, &rows)?;
                }
            }
            E::QUERY_EVENT => {
                if let Some(EventData::QueryEvent(query)) = event.read_data().map_err(fault)? {
                    touched.everything |= self.changes_unseen(&query.query());
                }
            }
            E::XID_EVENT => touched.transactions += 1,
            E::XA_PREPARE_LOG_EVENT => {
                touched.transactions += 1;
                if let Some(id) = prepared(event.data()) {
                    self.log.prepare(id, self.matters);
                }
            }
            E::GTID_EVENT | E::ANONYMOUS_GTID_EVENT | E::GTID_TAGGED_LOG_EVENT => self.matters = false,
            // Of no rows.
            E::FORMAT_DESCRIPTION_EVENT
            | E::ROTATE_EVENT
            | E::STOP_EVENT
            | E::TABLE_MAP_EVENT
            | E::PREVIOUS_GTIDS_EVENT
            | E::HEARTBEAT_EVENT
            | E::IGNORABLE_EVENT
            | E::ROWS_QUERY_EVENT
            | E::INTVAR_EVENT
            | E::RAND_EVENT
            | E::USER_VAR_EVENT
            | E::TRANSACTION_CONTEXT_EVENT
            | E::VIEW_CHANGE_EVENT => {}
            // A compressed transaction, `LOAD DATA` as a statement, an incident, what servers no longer write.
            _ => touched.everything = true,
        }
        Ok(())
    }

    fn rows(&mut self, touched: &mut Touched, stream: &BinlogStream, rows: &RowsEventData<'_>) -> Result<()> {
        let Some(map) = stream.get_tme(rows.table_id()) else {
            return Err(fault("a change of a table the binary log did not name"));
        };
        let place = (map.database_name().into_owned(), map.table_name().into_owned());
        let place = folded(place, self.log.folds);
        let (parent, keys) = (self.log.parents.get(&place), self.keys.get(&place));
        if parent.is_none() && keys.is_none() {
            return Ok(());
        }
        self.matters = true;
        for pair in rows.rows(map) {
            let (before, after) = pair.map_err(fault)?;
            // Some sessions log fewer columns, whatever the server's own setting is.
            let whole = [&before, &after]
                .into_iter()
                .flatten()
                .all(|row| row.len() as u64 == map.columns_count());
            let goes_on =
                |parent: &super::cascade::Parent| parent.goes_on(before.as_ref(), after.as_ref(), whole);
            touched.everything |= parent.is_some_and(goes_on);
            let Some(keys) = keys else { continue };
            touched.changes += 1;
            touched.everything |= !whole;
            for columns in keys {
                for row in [&before, &after].into_iter().flatten() {
                    match key_of(row, columns) {
                        Key::Texts(key) => touched.add(key),
                        Key::Nothing => {}
                        Key::Unclear => touched.everything = true,
                    }
                }
            }
            if touched.everything {
                return Ok(());
            }
        }
        Ok(())
    }

    /// May this statement have changed followed rows in a way that no row event tells?
    fn changes_unseen(&self, statement: &str) -> bool {
        match Statement::read(statement) {
            Statement::Nothing => false,
            Statement::Any => true,
            Statement::Names(words) => {
                let parents = self.log.parents.keys();
                let mut tables = self.keys.keys().copied().chain(parents);
                tables.any(|(_, table)| names(&words, table))
            }
            // Its rows may have been looked at before they were there: snapshots may lie after it and not show them yet.
            Statement::Committed(id) => self.log.commit(&id),
        }
    }
}
