//! GTIDs, which the two servers write and mean differently.

use std::collections::BTreeMap;

use mysql_async::{Conn, Sid, prelude::Queryable};

use crate::{
    error::{Error, Result},
    source::sql::mariadb::told,
};

/// MariaDB's: the last of each domain. <https://mariadb.com/kb/en/gtid/>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last(BTreeMap<u32, (u32, u64)>);

impl Last {
    /// `None`: these are no GTIDs of MariaDB's.
    pub fn read(text: &str) -> Option<Self> {
        let one = |gtid: &str| {
            let mut parts = gtid.trim().split('-');
            let domain = parts.next()?.parse().ok()?;
            let last = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            parts.next().is_none().then_some((domain, last))
        };
        let gtids = text.split(',').filter(|gtid| !gtid.trim().is_empty());
        gtids.map(one).collect::<Option<_>>().map(Self)
    }

    pub fn text(&self) -> String {
        let one = |(domain, (server, sequence)): (&u32, &(u32, u64))| format!("{domain}-{server}-{sequence}");
        self.0.iter().map(one).collect::<Vec<_>>().join(",")
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The body of a GTID event. <https://mariadb.com/kb/en/gtid_event/>
    pub fn pass(&mut self, server: u32, body: &[u8]) {
        let sequence = body.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes));
        let domain = body
            .get(8..)
            .and_then(|rest| rest.first_chunk::<4>())
            .map(|bytes| u32::from_le_bytes(*bytes));
        if let (Some(sequence), Some(domain)) = (sequence, domain) {
            self.0.insert(domain, (server, sequence));
        }
    }
}

/// MariaDB's of what the log holds before a place. `None`: there is no such place. The server reads the file for it.
pub async fn at(conn: &mut Conn, file: &str, at: u64) -> Option<String> {
    let found: std::result::Result<Option<Option<String>>, _> =
        conn.exec_first("SELECT BINLOG_GTID_POS(?, ?)", (file, at)).await;
    found.ok().flatten().flatten()
}

/// MySQL's of what is committed, and shown by every snapshot that is opened from now on. Servers before 5.7 count a transaction
/// among those executed before it is committed; until then it is owned.
pub async fn committed(conn: &mut Conn) -> Result<String> {
    let executed: Option<String> = conn
        .query_first("SELECT @@GLOBAL.gtid_executed")
        .await
        .map_err(told)?;
    let owned: Option<String> = conn
        .query_first("SELECT @@GLOBAL.gtid_owned")
        .await
        .map_err(told)?;
    let executed = executed.unwrap_or_default().replace(char::is_whitespace, "");
    let owned = without_owners(&owned.unwrap_or_default());
    if owned.is_empty() {
        return Ok(executed);
    }
    let committed: Option<String> = conn
        .exec_first("SELECT GTID_SUBTRACT(?, ?)", (&executed, &owned))
        .await
        .map_err(told)?;
    Ok(committed.unwrap_or_default().replace(char::is_whitespace, ""))
}

/// `uuid:5#12` says which thread owns a GTID.
fn without_owners(owned: &str) -> String {
    let mut parts = owned.split('#');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out.replace(char::is_whitespace, "")
}

/// Does MySQL have all of a set? Not of what is no set of its own.
pub async fn has(conn: &mut Conn, set: &str) -> Result<bool> {
    if Last::read(set).is_some_and(|last| !last.is_empty()) {
        return Ok(false);
    }
    let there: Option<bool> = conn
        .exec_first("SELECT GTID_SUBSET(?, @@GLOBAL.gtid_executed)", (set,))
        .await
        .map_err(told)?;
    Ok(there == Some(true))
}

/// A set for MySQL's dump.
pub fn sids(set: &str) -> Result<Vec<Sid<'_>>> {
    let sids = set.split(',').filter(|sid| !sid.is_empty());
    sids.map(str::parse).collect::<std::result::Result<_, _>>().map_err(|_| {
        Error::Decide(
            "MySQL's GTIDs have tags, which this build cannot follow; leave source.follow out and compare on schedule".to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_each_domain_is_kept() {
        let mut last = Last::read("0-1-10, 2-5-7").unwrap();
        let mut body = 11_u64.to_le_bytes().to_vec();
        body.extend_from_slice(&0_u32.to_le_bytes());
        body.push(0);
        last.pass(9, &body);
        body[8] = 1;
        last.pass(3, &body);
        last.pass(3, &body[..9]);
        assert_eq!(last.text(), "0-9-11,1-3-11,2-5-7");
        assert_eq!(Last::read(&last.text()), Some(last));
        assert!(Last::read("").unwrap().is_empty());
        for text in ["0-1", "0-1-2-3", "617dd191-ea96-11f1-873a-02fc00000001:1-5", "x"] {
            assert_eq!(Last::read(text), None, "{text}");
        }
    }

    #[test]
    fn owners_are_no_part_of_a_set() {
        assert_eq!(without_owners(""), "");
        assert_eq!(without_owners("a:1#12:7#3,\nb:2#4"), "a:1:7,b:2");
    }

    #[test]
    fn sets_of_mysql_are_read() {
        let uuid = "617dd191-ea96-11f1-873a-02fc00000001";
        assert_eq!(sids(&format!("{uuid}:1-5:7,{uuid}:9")).unwrap().len(), 2);
        assert!(sids("").unwrap().is_empty());
        assert!(sids(&format!("{uuid}:1-4:tag:1")).is_err());
    }
}
