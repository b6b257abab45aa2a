//! Places in a binary log, and how the servers tell them.

use mysql_async::{Conn, Row, prelude::Queryable};

use super::server::Server;
use crate::{
    error::Result,
    source::{fault, sql::mariadb::told},
};

/// A place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    pub at: u64,
    /// When the file was begun, seconds since 1970: a log that is begun anew has files of the same names.
    pub born: Option<u32>,
    /// MariaDB: of all that the log holds before it. MySQL: of what a snapshot certainly shows; more may lie before the place.
    pub gtid: Option<String>,
}

impl Place {
    pub fn text(&self) -> String {
        let born = self.born.map(|born| format!("@{born}")).unwrap_or_default();
        let gtid = self.gtid.as_deref().unwrap_or("-");
        format!("{}:{}{born} {gtid}", self.file, self.at)
    }

    pub fn read(text: &str) -> Option<Self> {
        let (place, gtid) = text.rsplit_once(' ').unwrap_or((text, "-"));
        let gtid = (gtid != "-").then(|| gtid.to_owned());
        let (file, at) = place.rsplit_once(':')?;
        let (at, born) = match at.split_once('@') {
            Some((at, born)) => (at, Some(born.parse().ok()?)),
            None => (at, None),
        };
        Some(Self {
            file: file.to_owned(),
            at: at.parse().ok()?,
            born,
            gtid,
        })
    }

    /// Nothing was logged or committed between the two. What is not told of the other is not asked.
    pub fn is(&self, other: &Self) -> bool {
        (&self.file, self.at) == (&other.file, other.at) && (other.gtid.is_none() || self.gtid == other.gtid)
    }

    /// Does an event that ends at `at` of `file` lie after it? Files come in their order, so that one of another is not after it.
    pub fn is_before(&self, file: &str, at: u64) -> bool {
        self.file == file && at > self.at
    }

    /// Where the snapshot of the transaction under way lies: nothing that it shows lies after the place. `seen`: MySQL's GTIDs
    /// before it was opened, all of which it shows.
    pub async fn of_snapshot(conn: &mut Conn, server: Server, seen: Option<String>) -> Result<Self> {
        let (file, at) = match server {
            Server::MariaDb => snapshot(conn).await?,
            Server::MySql => last(conn, server).await?.0,
        };
        Ok(Self {
            file,
            at,
            born: None,
            gtid: seen,
        })
    }
}

/// The file that is written and how far; are some databases not logged?
pub async fn last(conn: &mut Conn, server: Server) -> Result<((String, u64), bool)> {
    // <https://dev.mysql.com/doc/refman/8.4/en/show-binary-log-status.html>
    let query = match server {
        Server::MySql if conn.server_version() >= (8, 2, 0) => "SHOW BINARY LOG STATUS",
        _ => "SHOW MASTER STATUS",
    };
    let row: Option<Row> = conn.query_first(query).await.map_err(told)?;
    let row = row.ok_or_else(|| {
        fault("the database does not tell its place in the binary log; grant BINLOG MONITOR (MariaDB) or REPLICATION CLIENT")
    })?;
    let text = |at: usize| row.get_opt::<String, _>(at).and_then(std::result::Result::ok);
    let place = text(0).zip(row.get_opt(1).and_then(std::result::Result::ok));
    let place =
        place.ok_or_else(|| fault(format!("{query} did not answer with a file and a place in it")))?;
    let filtered = [2, 3]
        .into_iter()
        .any(|at| text(at).is_some_and(|names| !names.is_empty()));
    Ok((place, filtered))
}

/// MariaDB's place of a consistent snapshot.
async fn snapshot(conn: &mut Conn) -> Result<(String, u64)> {
    let rows: Vec<(String, String)> = conn
        .query("SHOW STATUS LIKE 'binlog_snapshot_%'")
        .await
        .map_err(told)?;
    let value = |name: &str| {
        rows.iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
    };
    value("binlog_snapshot_file")
        .filter(|file| !file.is_empty())
        .zip(value("binlog_snapshot_position").and_then(|at| at.parse().ok()))
        .ok_or_else(|| {
            fault("the server does not tell where its snapshot lies in the binary log (MariaDB 5.3 and later do)")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(file: &str, born: Option<u32>, gtid: Option<&str>) -> Place {
        Place {
            file: file.to_owned(),
            at: 4_294_967_296,
            born,
            gtid: gtid.map(str::to_owned),
        }
    }

    #[test]
    fn a_place_reads_as_it_was_written() {
        for place in [
            place("log.000001", None, None),
            place("a@b:c d.000001", Some(1_796_000_000), None),
            place("log.000001", Some(0), Some("")),
            place("log.000001", Some(1), Some("0-1-10,1-2-5")),
            place(
                "log.000001",
                Some(1),
                Some("617dd191-ea96-11f1-873a-02fc00000001:1-5:7"),
            ),
        ] {
            assert_eq!(Place::read(&place.text()).as_ref(), Some(&place));
        }
        for text in ["", "log", "log:", "log:x", "log:4@", "log:4@x"] {
            assert_eq!(Place::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_same_place_has_what_was_committed_meanwhile() {
        let noted = place("log.000001", Some(1), Some("a:1-5"));
        assert!(noted.is(&place("log.000001", None, None)));
        assert!(noted.is(&place("log.000001", None, Some("a:1-5"))));
        // It was in the log, and not committed yet.
        assert!(!noted.is(&place("log.000001", None, Some("a:1-6"))));
        assert!(!noted.is(&place("log.000002", None, None)));
    }

    #[test]
    fn only_what_lies_in_the_same_file_ends_a_look() {
        let to = place("log.1000000", None, None);
        assert!(!to.is_before("log.999999", u64::MAX));
        assert!(to.is_before("log.1000000", 4_294_967_297) && !to.is_before("log.1000000", 4_294_967_296));
    }
}
