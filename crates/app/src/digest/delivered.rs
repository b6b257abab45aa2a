//! The provider's: over what is stored, as `state` counts it.

use std::sync::Arc;

use dagr_model::ids::Section;
use dagr_store::{
    kv::{Direction, Range, Snapshot, Table},
    set::{head::Head, stored::Stored},
};
use serde_json::Value;

use super::{DigestRange, Pieces, Span, keys_invalid, members};
use crate::{App, ctx::Ctx, problem::Problem, set::blocking};

impl App {
    /// `{epoch, last_sequence, records, digest, parts: [{from, to, key, records, digest}]}` of one moment.
    pub async fn set_digest(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        range: DigestRange,
    ) -> Result<Value, Problem> {
        let set = self.provider_set(ctx, section, dataset)?;
        let parts = range.parts()?;
        let span = range.span(&set.schema).map_err(keys_invalid)?;
        let turn = self.digests.begin_own(&ctx.connection()?.client_id).await?;
        let engine = Arc::clone(&self.engine);
        blocking(move || {
            let _turn = turn;
            let kv = set.open(&*engine)?;
            let snapshot = kv.snapshot()?;
            let head = Head::read(&*snapshot)?;
            let pieces = stored(&*snapshot, &span, parts)?;
            let mut answer = serde_json::Map::new();
            answer.insert("epoch".to_owned(), head.epoch.into());
            answer.insert("last_sequence".to_owned(), head.sequence.into());
            answer.extend(members(&set.schema, &span, pieces));
            Ok(Value::Object(answer))
        })
        .await
    }

    /// Whether this is the caller's to ask, before the body is read.
    pub fn delivers(&self, ctx: &Ctx, section: Section, dataset: &str) -> Result<(), Problem> {
        self.provider_set(ctx, section, dataset).map(|_| ())
    }
}

fn stored(snapshot: &dyn Snapshot, span: &Span, parts: usize) -> Result<Pieces, Problem> {
    let mut pieces = Pieces::new(parts);
    let range = Range {
        from: span.from.as_deref(),
        to: span.to.as_deref(),
    };
    for pair in snapshot.scan(Table::Record, range, Direction::Forward)? {
        let (key, bytes) = pair?;
        pieces.add(key, Stored::read(bytes)?.digest);
    }
    Ok(pieces)
}
