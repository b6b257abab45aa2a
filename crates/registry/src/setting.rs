//! Settings of the installation itself, such as its id. Their values stand in the audit trail: no secrets.

use crate::{
    Actor, Registry, Result, Versioned,
    check::Check,
    db::{Conn, query},
    row::text,
};

impl Registry {
    pub async fn setting_get(&self, name: &str) -> Result<Option<Versioned<String>>> {
        find(&mut self.read().await?, name).await
    }

    pub async fn setting_put(
        &self,
        by: &Actor,
        name: &str,
        value: &str,
        expected: Option<i64>,
    ) -> Result<Versioned<String>> {
        let mut check = Check::default();
        check.code("name", name);
        check.require(
            value.len() <= 65_536,
            "value",
            "too_long",
            "must have at most 64 KiB",
        );
        check.done()?;
        let mut change = self.change(by).await?;
        let before = match find(change.conn(), name).await? {
            Some(before) => Some(before.expect(expected)?),
            None if expected.is_some() => return Err(crate::RegistryError::Precondition),
            None => None,
        };
        let version = before.as_ref().map_or(1, |before| before.version + 1);
        query(
            "INSERT INTO settings (name, value, version) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value, version = excluded.version",
        )
        .bind(name)
        .bind(value)
        .bind(version)
        .execute(change.conn())
        .await?;
        let before = before.map(|before| before.value);
        change
            .commit("setting_put", format!("settings/{name}"), &before, &value)
            .await?;
        Ok(Versioned {
            value: value.to_owned(),
            version,
        })
    }
}

async fn find(conn: &mut Conn, name: &str) -> Result<Option<Versioned<String>>> {
    let row = query("SELECT * FROM settings WHERE name = $1")
        .bind(name)
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        Ok(Versioned {
            value: text(&row, "value")?,
            version: row.try_get("version")?,
        })
    })
    .transpose()
}
