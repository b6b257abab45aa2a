//! The whole registry as a file: for moving to another instance, and for whoever wants to see it all.

use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use crate::{App, ctx::Ctx, problem::Problem};

/// What was exported, from its beginning. The file is gone when it is closed.
pub struct Exported {
    pub file: tokio::fs::File,
    pub rows: u64,
    pub bytes: u64,
}

impl App {
    /// Of one moment. Written aside first: a slow reader holds no transaction open. Persons and the audit trail are in
    /// it, so it is for the operator token alone.
    pub async fn registry_export(&self, ctx: &Ctx) -> Result<Exported, Problem> {
        ctx.operator_token()?;
        let file = tempfile::tempfile_in(&self.dir).map_err(Problem::internal)?;
        let mut file = tokio::fs::File::from_std(file);
        let rows = self.registry.export_to(&mut file).await?;
        file.flush().await.map_err(Problem::internal)?;
        let bytes = file.metadata().await.map_err(Problem::internal)?.len();
        file.rewind().await.map_err(Problem::internal)?;
        tracing::info!(
            rows,
            request_id = ctx.request_id.as_str(),
            "the registry was exported"
        );
        Ok(Exported { file, rows, bytes })
    }
}
