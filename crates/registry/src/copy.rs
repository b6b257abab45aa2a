//! A copy of everything in a new file, made while the registry keeps serving, and the way back.

use std::path::Path;

use futures_util::TryStreamExt as _;

use crate::{
    Registry, RegistryError, Result,
    db::{Conn, Value, query},
    table,
};

impl Registry {
    /// Writes a consistent copy to a new file while the registry keeps serving: always SQLite, so that it can be put
    /// back on either database. The copy is on the disk when this returns.
    pub async fn backup_to(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref().to_owned();
        let target = path
            .to_str()
            .ok_or_else(|| RegistryError::state("the path is not UTF-8"))?;
        if path.exists() {
            return Err(RegistryError::state("the file to copy to exists already"));
        }
        if self.is_postgres() {
            let copy = Self::open(&path).await?;
            copy.replace_by(self).await?;
            // The last to close moves the write-ahead log into the file.
            copy.close().await;
        } else {
            // On the writer: the readers' connections may write nothing, a copy included.
            query("VACUUM INTO $1")
                .bind(target)
                .execute(&mut self.writer().await?)
                .await?;
        }
        tokio::task::spawn_blocking(move || sync_file(&path))
            .await
            .map_err(|error| RegistryError::Unavailable(error.to_string()))?
            .map_err(|error| RegistryError::Unavailable(error.to_string()))
    }

    /// Puts what `from` holds in the place of everything here, in one transaction. Sessions end.
    pub async fn replace_by(&self, from: &Self) -> Result<()> {
        let mut from = from.snapshot().await?;
        let mut to = self.write().await?;
        to.run("DELETE FROM sessions").await?;
        // Sets point at each other: none may when the first of them goes.
        to.run("UPDATE datasets SET replaces = NULL").await?;
        for table in table::all().iter().rev() {
            table.clear().execute(&mut to).await?;
        }
        let mut later = Later::default();
        for table in table::all() {
            let mut rows = table.select().fetch(&mut from);
            while let Some(row) = rows.try_next().await? {
                let mut values = table.values(&row)?;
                later.take(table, &mut values);
                table.insert(values).execute(&mut to).await?;
            }
        }
        later.put(&mut to).await?;
        Ok(to.commit().await?)
    }
}

/// References to rows that may come later: a set names the one it replaces.
#[derive(Default)]
pub(crate) struct Later(Vec<(String, String)>);

impl Later {
    /// Takes the reference out of a row's values.
    pub(crate) fn take(&mut self, table: &table::Table, values: &mut [Value<'_>]) {
        if table.name != "datasets" {
            return;
        }
        if let [Value::Text(Some(name)), _, replaces @ Value::Text(Some(_)), ..] = values {
            let name = name.to_string();
            if let Value::Text(Some(replaced)) = std::mem::replace(replaces, Value::Text(None)) {
                self.0.push((name, replaced.into_owned()));
            }
        }
    }

    pub(crate) async fn put(self, to: &mut Conn) -> Result<()> {
        for (name, replaced) in self.0 {
            query("UPDATE datasets SET replaces = $2 WHERE name = $1")
                .bind(name)
                .bind(replaced)
                .execute(to)
                .await?;
        }
        Ok(())
    }
}

fn sync_file(path: &Path) -> std::io::Result<()> {
    std::fs::File::open(path)?.sync_all()?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::File::open(folder)?.sync_all(),
        _ => std::fs::File::open(".")?.sync_all(),
    }
}
