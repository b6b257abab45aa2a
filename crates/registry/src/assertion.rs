//! Used assertion ids: what makes a signed assertion good for one token only.

use dagr_model::ids::ClientId;
use jiff::Timestamp;

use crate::{Registry, Result, check::Check, db::query, row::micros};

impl Registry {
    /// Whether this is the id's first use. True only once per client and id, also after a crash: the use
    /// is on the disk before this answers. `until`: when the assertion can no longer be presented.
    pub async fn assertion_use(&self, client: &ClientId, jti: &str, until: Timestamp) -> Result<bool> {
        let mut check = Check::default();
        check.require(
            (1..=500).contains(&jti.len()),
            "jti",
            "too_long",
            "must have from 1 to 500 bytes",
        );
        check.done()?;
        let mut tx = self.write().await?;
        let done = query(
            "INSERT INTO used_assertions (client_id, jti, until) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(client.as_str())
        .bind(jti)
        .bind(micros(until))
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(done == 1)
    }

    /// Forgets ids whose assertions have run out; answers how many.
    pub async fn assertion_purge(&self, now: Timestamp) -> Result<u64> {
        let mut tx = self.write().await?;
        let done = query("DELETE FROM used_assertions WHERE until < $1")
            .bind(micros(now))
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(done)
    }
}
