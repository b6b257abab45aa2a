//! The whole registry as lines of JSON: a head, one row a line, an end. Nobody's secret is in it, for none is in the
//! registry; persons are, and so is the audit trail.
//!
//! `{"format":"dagr-registry","version":1}`, then `{"TABLE":{…}}` with a member a column that is not null, then
//! `{"end":{"rows":…}}`. Tables stand in an order in which they can be filled, rows in that of their keys: two
//! registries that hold the same give the same bytes.

use futures_util::TryStreamExt as _;
use serde_json::value::RawValue;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::{
    Registry, RegistryError, Result,
    db::Value,
    table::{self, Kind, Table},
};

pub const FORMAT: &str = "dagr-registry";
/// Of the lines' form. Another one is refused.
pub const VERSION: u32 = 1;

impl Registry {
    /// Everything as of one moment; answers how many rows. Memory stays flat. Sessions are left out.
    pub async fn export_to(&self, out: &mut (impl AsyncWrite + Unpin + Send)) -> Result<u64> {
        let mut tx = self.snapshot().await?;
        if tx.is_postgres() {
            // As long as it takes: a long trail is no query gone astray.
            tx.run("SET LOCAL statement_timeout = 0").await?;
        }
        let mut rows = 0;
        write(
            out,
            &format!("{{\"format\":\"{FORMAT}\",\"version\":{VERSION}}}\n"),
        )
        .await?;
        for table in table::all() {
            let mut found = table.select().fetch(&mut tx);
            while let Some(row) = found.try_next().await? {
                write(out, &line(table, &table.values(&row)?)?).await?;
                rows += 1;
            }
        }
        write(out, &format!("{{\"end\":{{\"rows\":{rows}}}}}\n")).await?;
        out.flush().await.map_err(|error| broken(&error))?;
        Ok(rows)
    }
}

async fn write(out: &mut (impl AsyncWrite + Unpin + Send), text: &str) -> Result<()> {
    out.write_all(text.as_bytes())
        .await
        .map_err(|error| broken(&error))
}

fn broken(error: &std::io::Error) -> RegistryError {
    RegistryError::Unavailable(format!("the export cannot be written: {error}"))
}

fn line(table: &Table, values: &[Value<'_>]) -> Result<String> {
    let mut line = format!("{{\"{}\":{{", table.name);
    let mut first = true;
    for (column, value) in table.columns.iter().zip(values) {
        let text = match value {
            Value::Text(None) | Value::Number(None) => continue,
            Value::Number(Some(number)) => number.to_string(),
            // As it is kept, to the byte: seals are over it.
            Value::Text(Some(text)) if column.kind == Kind::Json => {
                serde_json::from_str::<&RawValue>(text)?.get().to_owned()
            }
            Value::Text(Some(text)) => serde_json::to_string(text)?,
        };
        if !std::mem::take(&mut first) {
            line.push(',');
        }
        line.push_str(&format!("\"{}\":{text}", column.name));
    }
    line.push_str("}}\n");
    Ok(line)
}
