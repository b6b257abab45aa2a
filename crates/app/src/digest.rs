//! Digests of ranges of keys: two sides find where they differ without sending what they hold.
//!
//! `delivered` is the provider's, over what is stored; `told` a reader's, over what its feed has told.

mod delivered;
mod pieces;
#[cfg(test)]
mod tests;
mod told;

use std::{sync::Arc, time::Duration};

use dagr_model::{digest::SetDigest, fault::Fault, ids::ClientId, schema::Schema};
use serde_json::{Map, Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    ctx::Ctx,
    problem::Problem,
    set::LiveSet,
    slots::{Slot, Slots, is_open, too_many, whose},
};
use pieces::{Cell, Pieces};
pub use told::ToldDigest;

/// Pieces of one answer at most, and when nothing is asked.
pub const MAX_PARTS: u64 = 256;
const DEFAULT_PARTS: u64 = 16;
/// Digests under way at once, of connections and of open sets each: one reads the range whole.
const AT_ONCE: usize = 4;
/// Of one connection, or of all who read one open set: half of them, so that nobody has all.
const EACH: usize = 2;
/// Longest wait for a turn.
const WAIT: Duration = Duration::from_secs(20);

/// A range of full keys, as asked, and into how many pieces it is cut.
#[derive(Debug, Default, Clone)]
pub struct DigestRange {
    /// The first key in it; absent: open.
    pub from: Option<Map<String, Value>>,
    /// The first key behind it; absent: open.
    pub to: Option<Map<String, Value>>,
    pub parts: Option<u64>,
}

/// A range of encoded keys.
#[derive(Debug, Clone, Default)]
struct Span {
    from: Option<Vec<u8>>,
    to: Option<Vec<u8>>,
}

impl DigestRange {
    fn parts(&self) -> Result<usize, Problem> {
        let parts = self.parts.unwrap_or(DEFAULT_PARTS);
        if (1..=MAX_PARTS).contains(&parts) {
            return Ok(parts as usize);
        }
        let message = format!("a whole number from 1 to {MAX_PARTS}");
        Err(Problem::invalid(vec![Fault::new("parts", "invalid", message)]))
    }

    /// Every fault of both keys.
    fn span(&self, schema: &Schema) -> Result<Span, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut read = |name: &str, key: &Option<Map<String, Value>>| {
            let key = key.as_ref()?;
            match schema.key_from_object(key, true) {
                Ok(key) => Some(key),
                Err(more) => {
                    faults.extend(more.into_iter().map(|fault| Fault {
                        place: format!("{name}.{}", fault.place),
                        rule: "key_invalid".into(),
                        ..fault
                    }));
                    None
                }
            }
        };
        let span = Span {
            from: read("from", &self.from),
            to: read("to", &self.to),
        };
        if let (Some(from), Some(to)) = (&span.from, &span.to)
            && from > to
        {
            faults.push(Fault::new("from", "key_invalid", "comes after `to` in key order"));
        }
        if faults.is_empty() { Ok(span) } else { Err(faults) }
    }
}

impl Span {
    fn holds(&self, key: &[u8]) -> bool {
        self.from.as_deref().is_none_or(|from| from <= key) && !self.is_past(key)
    }

    fn is_past(&self, key: &[u8]) -> bool {
        self.to.as_deref().is_some_and(|to| to <= key)
    }
}

fn keys_invalid(faults: Vec<Fault>) -> Problem {
    let detail = "write from and to as full keys, each value as its field's type asks";
    Problem::new(400, "key_invalid", detail).with_faults(faults)
}

/// `records`, `digest` and `parts` of an answer.
fn members(schema: &Schema, span: &Span, pieces: Pieces) -> Map<String, Value> {
    let mut cells = pieces.grouped();
    if cells.is_empty() {
        cells.push(Cell::default());
    }
    let (mut records, mut digest) = (0, SetDigest::default());
    let mut parts = Vec::with_capacity(cells.len());
    for (at, cell) in cells.iter().enumerate() {
        records += cell.records;
        digest.add(&cell.digest.0);
        // Pieces touch: each begins where the one before ends.
        let from = if at == 0 {
            span.from.as_ref()
        } else {
            Some(&cell.first)
        };
        let to = cells
            .get(at + 1)
            .map_or(span.to.as_ref(), |next| Some(&next.first));
        // Which record it is, so that whoever lacks it knows what to ask for.
        let key = (cell.records == 1).then(|| key_value(schema, &cell.first));
        parts.push(json!({
            "from": from.map(|key| key_value(schema, key)),
            "to": to.map(|key| key_value(schema, key)),
            "key": key,
            "records": cell.records,
            "digest": cell.digest.hex(),
        }));
    }
    let mut out = Map::new();
    out.insert("records".to_owned(), records.into());
    out.insert("digest".to_owned(), digest.hex().into());
    out.insert("parts".to_owned(), parts.into());
    out
}

fn key_value(schema: &Schema, key: &[u8]) -> Value {
    let mut json = Vec::new();
    schema.key_json(key, &mut json);
    serde_json::from_slice(&json).unwrap_or(Value::Null)
}

/// Whoever reads a range: in turn, and nobody more than a share.
pub(crate) struct Turns {
    each: Slots,
    of_connections: Arc<Semaphore>,
    /// Apart: whom nobody knows takes no turn from the others.
    of_open_sets: Arc<Semaphore>,
}

/// The right to read a range, held while it is read.
struct Turn {
    _slot: Slot,
    _permit: OwnedSemaphorePermit,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            each: Slots::default(),
            of_connections: Arc::new(Semaphore::new(AT_ONCE)),
            of_open_sets: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Turns {
    /// A reader's.
    async fn begin(&self, ctx: &Ctx, set: &LiveSet) -> Result<Turn, Problem> {
        let all = if is_open(ctx, set) {
            &self.of_open_sets
        } else {
            &self.of_connections
        };
        self.take(&whose(ctx, set), all).await
    }

    /// A provider's, who is known whatever the set.
    async fn begin_own(&self, connection: &ClientId) -> Result<Turn, Problem> {
        self.take(connection.as_str(), &self.of_connections).await
    }

    async fn take(&self, whose: &str, all: &Arc<Semaphore>) -> Result<Turn, Problem> {
        let slot = self.each.take(whose, EACH).ok_or_else(|| {
            too_many(format!(
                "at most {EACH} digests of one connection or open set are made at once; wait for the answer of one"
            ))
        })?;
        let permit = tokio::time::timeout(WAIT, Arc::clone(all).acquire_owned());
        match permit.await {
            Ok(Ok(permit)) => Ok(Turn {
                _slot: slot,
                _permit: permit,
            }),
            Ok(Err(closed)) => Err(Problem::internal(closed)),
            Err(_) => Err(too_many("many digests are being made; try again in a while")),
        }
    }
}
