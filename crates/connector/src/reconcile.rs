//! Does the server hold what was sent? Digests of key ranges find what differs in O(log n) exchanges; the copy is put
//! right, and the next comparison sends what the source has.

use dagr_model::schema::Schema;
use serde_json::json;

use crate::{
    client::Client,
    error::{Error, Result},
    feed::Feed,
    range::{self, Range},
    state::State,
};

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

pub struct Reconcile<'r> {
    pub feed: &'r Feed,
    pub state: &'r State,
    pub schema: &'r Schema,
    pub client: &'r Client,
}

impl Reconcile<'_> {
    /// Compares; where it differs the copy becomes what the server holds. Only while no package is on its way.
    pub async fn run(&self) -> Result<Reconciled> {
        self.state.catch_up()?;
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
        let mut open = vec![Range::default()];
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
        stretch: &Range,
        open: &mut Vec<Range>,
    ) -> Result<Vec<(Vec<u8>, Option<[u8; 32]>)>> {
        let body = json!({
            "from": range::key_json(self.schema, stretch.from.as_deref()),
            "to": range::key_json(self.schema, stretch.to.as_deref()),
            "parts": range::PARTS,
        });
        let answer = self
            .client
            .post(&format!("{}/digest", self.feed.intake()), &body)
            .await?;
        let mut corrections = Vec::new();
        for part in range::parts(self.schema, &answer)? {
            let piece = part.range;
            let own = self
                .state
                .range_digest(piece.from.as_deref(), piece.to.as_deref())?;
            if own == (part.digest, part.records) {
                continue;
            }
            match part.records {
                0 => self.absent(&piece, None, &mut corrections)?,
                1 => {
                    let key = part.key.ok_or_else(range::unreadable)?;
                    self.absent(&piece, Some(&key), &mut corrections)?;
                    corrections.push((key, Some(part.digest.0)));
                }
                _ => open.push(piece),
            }
        }
        Ok(corrections)
    }

    /// Keys of the copy that the server does not hold.
    fn absent(
        &self,
        piece: &Range,
        but: Option<&Vec<u8>>,
        corrections: &mut Vec<(Vec<u8>, Option<[u8; 32]>)>,
    ) -> Result<()> {
        self.state
            .each(piece.from.as_deref(), piece.to.as_deref(), |(key, _)| {
                if Some(&key) != but {
                    corrections.push((key, None));
                }
            })
    }
}
