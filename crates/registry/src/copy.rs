//! A copy of everything in a new file, made while the registry keeps serving.

use std::path::Path;

use crate::{Registry, RegistryError, Result, db::query};

impl Registry {
    /// Writes a consistent copy to a new file while the registry keeps serving. The copy is on the disk
    /// when this returns.
    pub async fn backup_to(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref().to_owned();
        let target = path
            .to_str()
            .ok_or_else(|| RegistryError::state("the path is not UTF-8"))?;
        if path.exists() {
            return Err(RegistryError::state("the file to copy to exists already"));
        }
        // On the writer: the readers' connections may write nothing, a copy included.
        query("VACUUM INTO $1")
            .bind(target)
            .execute(&mut self.writer().await?)
            .await?;
        tokio::task::spawn_blocking(move || sync_file(&path))
            .await
            .map_err(|error| RegistryError::Unavailable(error.to_string()))?
            .map_err(|error| RegistryError::Unavailable(error.to_string()))
    }
}

fn sync_file(path: &Path) -> std::io::Result<()> {
    std::fs::File::open(path)?.sync_all()?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::File::open(folder)?.sync_all(),
        _ => std::fs::File::open(".")?.sync_all(),
    }
}
