//! Does the server hold what was sent? Digests of key ranges find what differs in O(log n) exchanges; the copy is put
//! right, and the next comparison sends what the source has.

use dagr_model::{digest::SetDigest, schema::Schema};
use rusqlite::params;
use serde_json::{Map, Value, json};

use crate::{
    client::Client,
    compare::range_digest,
    error::{Error, Result},
    feed::Feed,
    state::{State, unhex},
};

/// Pieces a range is cut into at once.
const PARTS: usize = 256;
/// Differing keys put right at once; more than these, and the range is compared record by record anyway.
const EXCHANGES: usize = 100_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    pub records: u64,
    pub digest: String,
    /// Keys whose record at the server was not the one sent.
    pub differing: u64,
    /// Calls it took.
    pub exchanges: u64,
}

/// A stretch of keys: from inclusive, to exclusive; `None` = open.
#[derive(Debug, Clone)]
struct Stretch {
    from: Option<Vec<u8>>,
    to: Option<Vec<u8>>,
}

pub struct Reconcile<'r> {
    pub feed: &'r Feed,
    pub state: &'r State,
    pub schema: &'r Schema,
    pub client: &'r Client,
}

impl Reconcile<'_> {
    /// Compares; where it differs the copy becomes what the server holds. Only while no package is on its way.
    pub async fn run(&self) -> Result<Reconciled> {
        let (sum, records) = self.state.digest()?;
        let state = self.client.get(&format!("{}/state", self.feed.intake())).await?;
        let mut done = Reconciled {
            records,
            digest: sum.hex(),
            exchanges: 1,
            ..Reconciled::default()
        };
        if state["digest"] == sum.hex() && state["records"] == records {
            return Ok(done);
        }
        let mut open = vec![Stretch { from: None, to: None }];
        while let Some(stretch) = open.pop() {
            if done.exchanges as usize >= EXCHANGES {
                return Err(Error::Decide("the server and this feed differ nearly everywhere: `dagr connector resync --all` sends everything anew".to_owned()));
            }
            done.exchanges += 1;
            let corrections = self.stretch(&stretch, &mut open).await?;
            done.differing += corrections.len() as u64;
            self.state.correct(&corrections)?;
        }
        let (sum, records) = self.state.digest()?;
        (done.digest, done.records) = (sum.hex(), records);
        Ok(done)
    }

    /// Asks for the pieces of a stretch. Pieces of one record are settled, larger ones that differ are looked into.
    async fn stretch(
        &self,
        stretch: &Stretch,
        open: &mut Vec<Stretch>,
    ) -> Result<Vec<(Vec<u8>, Option<[u8; 32]>)>> {
        let body = json!({
            "from": self.key_json(stretch.from.as_deref()),
            "to": self.key_json(stretch.to.as_deref()),
            "parts": PARTS,
        });
        let answer = self
            .client
            .post(&format!("{}/digest", self.feed.intake()), &body)
            .await?;
        let parts = answer["parts"].as_array().ok_or_else(unreadable)?;
        let mut corrections = Vec::new();
        for part in parts {
            let piece = Stretch {
                from: self.key(&part["from"])?,
                to: self.key(&part["to"])?,
            };
            let digest = part["digest"].as_str().and_then(unhex).ok_or_else(unreadable)?;
            let records = part["records"].as_u64().ok_or_else(unreadable)?;
            let own = range_digest(&self.state.db, piece.from.as_deref(), piece.to.as_deref())?;
            if own == (SetDigest(digest), records) {
                continue;
            }
            match records {
                0 => self.absent(&piece, None, &mut corrections)?,
                1 => {
                    let key = self.key(&part["key"])?.ok_or_else(unreadable)?;
                    self.absent(&piece, Some(&key), &mut corrections)?;
                    corrections.push((key, Some(digest)));
                }
                _ => open.push(piece),
            }
        }
        Ok(corrections)
    }

    /// Keys of the copy that the server does not hold.
    fn absent(
        &self,
        piece: &Stretch,
        but: Option<&Vec<u8>>,
        corrections: &mut Vec<(Vec<u8>, Option<[u8; 32]>)>,
    ) -> Result<()> {
        let mut statement = self.state.db.prepare_cached(
            "SELECT key FROM copy WHERE (?1 IS NULL OR key >= ?1) AND (?2 IS NULL OR key < ?2)",
        )?;
        let mut rows = statement.query(params![piece.from, piece.to])?;
        while let Some(row) = rows.next()? {
            let key: Vec<u8> = row.get(0)?;
            if Some(&key) != but {
                corrections.push((key, None));
            }
        }
        Ok(())
    }

    fn key_json(&self, key: Option<&[u8]>) -> Value {
        key.map_or(Value::Null, |key| {
            let mut out = Vec::new();
            self.schema.key_json(key, &mut out);
            serde_json::from_slice(&out).unwrap_or(Value::Null)
        })
    }

    fn key(&self, value: &Value) -> Result<Option<Vec<u8>>> {
        let object: &Map<String, Value> = match value {
            Value::Null => return Ok(None),
            Value::Object(object) => object,
            _ => return Err(unreadable()),
        };
        self.schema
            .key_from_object(object, true)
            .map(Some)
            .map_err(|_| unreadable())
    }
}

fn unreadable() -> Error {
    Error::State("the server's digests cannot be read: it is of another version".to_owned())
}
