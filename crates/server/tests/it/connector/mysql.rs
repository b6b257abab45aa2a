//! A MySQL of the npm registry's: Debian has none.

use super::mariadb::{Database, REGISTER};
use crate::{npm, throwaway::Cluster};

const SCRIPT: &str = include_str!("../mysql.sh");

impl Database {
    pub async fn start_mysql() -> Option<Self> {
        let mut database = Self::start_empty_mysql(1, None).await?;
        database.run(REGISTER).await;
        Some(database)
    }

    /// Nothing is in it, nor in its log. With a port of 127.0.0.1 for its replicas.
    pub async fn start_empty_mysql(server_id: u32, port: Option<u16>) -> Option<Self> {
        let started = npm::installed("mysql").and_then(|home| {
            let given = [
                ("home", home.display().to_string()),
                ("SERVER_ID", server_id.to_string()),
                ("PGPORT", port.map(|port| port.to_string()).unwrap_or_default()),
            ];
            let given: Vec<(&str, &str)> = given
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            Cluster::start_script_as_self(SCRIPT, &given)
        });
        match started {
            Ok(cluster) => Some(Self {
                has_json: false,
                ..Self::of(cluster).await
            }),
            Err(why) => {
                super::not_tried("MYSQL", &why);
                None
            }
        }
    }
}
