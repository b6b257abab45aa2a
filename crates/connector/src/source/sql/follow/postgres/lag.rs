//! What the source keeps for a slot. <https://www.postgresql.org/docs/current/view-pg-replication-slots.html>

use tokio_postgres::Client;

use crate::{error::Result, source::sql::postgres::told};

/// From so many bytes of kept WAL on a person is told.
const MUCH_WAL: i64 = 1 << 30;

#[derive(Debug, Clone, Default)]
pub struct Lag {
    /// WAL the source keeps for the slot, bytes.
    pub wal_bytes: i64,
    /// `reserved`, `extended`, `unreserved`, `lost`; `missing`: no slot.
    pub status: String,
}

impl Lag {
    pub async fn of(client: &Client, slot: &str) -> Result<Self> {
        let text = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint, wal_status FROM pg_replication_slots WHERE slot_name = $1";
        let row = client.query_opt(text, &[&slot]).await.map_err(told)?;
        Ok(row.map_or_else(
            || Self {
                wal_bytes: 0,
                status: "missing".to_owned(),
            },
            |row| Self {
                wal_bytes: row.get::<_, Option<i64>>(0).unwrap_or(0),
                status: row.get::<_, Option<String>>(1).unwrap_or_default(),
            },
        ))
    }

    /// What to do, where the slot holds back much of the source's disk, or is given up.
    pub fn advice(&self, slot: &str) -> Option<String> {
        let end = match self.status.as_str() {
            "lost" => {
                return Some(
                    "the source has given the slot up (max_slot_wal_keep_size): it is made anew, and everything is compared"
                        .to_owned(),
                );
            }
            "unreserved" => ", and gives the slot up at its next checkpoint (max_slot_wal_keep_size)",
            _ if self.wal_bytes > MUCH_WAL => "",
            _ => return None,
        };
        Some(format!(
            "the source keeps {} MiB of WAL for this feed{end}: see why it does not deliver (a package held or waiting, a long comparison), or drop the slot there (SELECT pg_drop_replication_slot('{slot}')), after which everything is compared",
            self.wal_bytes >> 20
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_that_is_kept_and_a_slot_that_ends_come_with_what_to_do() {
        let advice = |wal_bytes, status: &str| {
            let status = status.to_owned();
            Lag { wal_bytes, status }.advice("dagr_x").unwrap_or_default()
        };
        for quiet in [(0, "reserved"), (MUCH_WAL, "extended"), (0, "missing")] {
            assert_eq!(advice(quiet.0, quiet.1), "");
        }
        let much = advice(3 << 30, "extended");
        assert!(
            much.contains("3072 MiB") && much.contains("pg_drop_replication_slot('dagr_x')"),
            "{much}"
        );
        assert!(advice(1, "unreserved").contains("next checkpoint"));
        assert!(advice(0, "lost").contains("everything is compared"));
    }
}
