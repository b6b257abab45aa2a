//! What a server must be set to, and who it is.

use std::collections::HashMap;

use mysql_async::{Conn, Row, prelude::Queryable};

use super::place;
use crate::{
    error::{Error, Result},
    source::sql::mariadb::told,
};

/// They differ in GTIDs, and in how a snapshot's place is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    MariaDb,
    MySql,
}

impl Server {
    fn name(self) -> &'static str {
        match self {
            Self::MariaDb => "MariaDB",
            Self::MySql => "MySQL",
        }
    }

    /// What tells one server from every other.
    pub async fn identity(self, conn: &mut Conn) -> Result<String> {
        let query = match self {
            Self::MariaDb => "SELECT CONCAT_WS(':', @@hostname, @@port, @@server_id)",
            Self::MySql => "SELECT @@server_uuid",
        };
        let identity: Option<String> = conn.query_first(query).await.map_err(told)?;
        Ok(identity.unwrap_or_default())
    }
}

/// <https://mariadb.com/kb/en/replication-and-binary-log-system-variables/>,
/// <https://dev.mysql.com/doc/refman/8.4/en/replication-options-binary-log.html>
pub struct Settings {
    pub server: Server,
    set: HashMap<String, String>,
}

impl Settings {
    pub async fn of(conn: &mut Conn) -> Result<Self> {
        let set: Vec<(String, String)> = conn
            .query("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'log_bin', 'binlog_format', 'binlog_row_image', 'gtid_mode', 'log_bin_compress', 'binlog_transaction_compression', 'log_slave_updates', 'log_replica_updates', 'gtid_slave_pos', 'wsrep_on', 'lower_case_table_names')")
            .await
            .map_err(told)?;
        let set: HashMap<String, String> = set.into_iter().collect();
        let server = match set.get("version") {
            Some(version) if version.contains("MariaDB") => Server::MariaDb,
            _ => Server::MySql,
        };
        Ok(Self { server, set })
    }

    /// One that the server does not have is as wanted.
    fn is(&self, name: &str, wanted: &str) -> bool {
        self.set
            .get(name)
            .is_none_or(|value| value.eq_ignore_ascii_case(wanted))
    }

    /// Are names of tables without case?
    pub fn folds(&self) -> bool {
        !self.is("lower_case_table_names", "0")
    }

    /// Can tables be followed?
    pub async fn judge(&self, conn: &mut Conn) -> Result<()> {
        let wanted = [
            ("log_bin", "ON"),
            ("binlog_format", "ROW"),
            ("binlog_row_image", "FULL"),
            ("gtid_mode", "ON"),
            ("log_bin_compress", "OFF"),
            ("binlog_transaction_compression", "OFF"),
        ];
        let mut wrong: Vec<String> = wanted
            .iter()
            .filter(|(name, value)| !self.is(name, value))
            .map(|(name, value)| format!("{name} is not {value}"))
            .collect();
        if !(self.is("log_slave_updates", "ON") && self.is("log_replica_updates", "ON"))
            && self.is_replica(conn).await?
        {
            wrong.push("it is a replica and log_slave_updates is not ON".to_owned());
        }
        // Rows go by the database of their table, statements by that of their session: some are not in the log.
        if wrong.is_empty() && place::last(conn, self.server).await?.1 {
            wrong.push("binlog_do_db or binlog_ignore_db is set".to_owned());
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Error::Decide(format!(
            "{} cannot be followed: {}; set them in its configuration, or leave source.follow out and compare on schedule",
            self.server.name(),
            wrong.join(", ")
        )))
    }

    async fn is_replica(&self, conn: &mut Conn) -> Result<bool> {
        if self.server == Server::MariaDb {
            let running: Option<(String, String)> = conn
                .query_first("SHOW GLOBAL STATUS LIKE 'Slaves_running'")
                .await
                .map_err(told)?;
            return Ok(!self.is("gtid_slave_pos", "")
                || self.set.get("wsrep_on").is_some_and(|on| on == "ON")
                || running.is_some_and(|(_, running)| running != "0"));
        }
        // <https://dev.mysql.com/doc/refman/8.4/en/show-replica-status.html>
        let query = if conn.server_version() >= (8, 0, 22) {
            "SHOW REPLICA STATUS"
        } else {
            "SHOW SLAVE STATUS"
        };
        let row: Option<Row> = conn.query_first(query).await.map_err(told)?;
        Ok(row.is_some())
    }
}
