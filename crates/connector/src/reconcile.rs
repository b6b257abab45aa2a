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

/// Most calls that found nothing to put right: more, and nearly everything differs.
const EXCHANGES: u64 = 100_000;
/// Keys put right at once.
const AT_ONCE: usize = 50_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    pub records: u64,
    pub digest: String,
    /// Keys whose record at the server was not the one sent.
    pub differing: u64,
    /// Keys that the server of a set with retention does not hold any more: the next comparison sends those that are not
    /// past it.
    pub gone: u64,
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
            if done.exchanges >= EXCHANGES + done.differing + done.gone {
                return Err(Error::Decide("the server and this feed differ nearly everywhere: `dagr connector resync --all` sends everything anew".to_owned()));
            }
            done.exchanges += 1;
            self.stretch(&stretch, &mut open, &mut done).await?;
        }
        let (sum, records) = self.state.digest()?;
        (done.digest, done.records) = (sum.hex(), records);
        Ok(done)
    }

    /// Asks for the pieces of a stretch. Pieces of one record are settled, larger ones that differ are looked into.
    async fn stretch(&self, stretch: &Range, open: &mut Vec<Range>, done: &mut Reconciled) -> Result<()> {
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
            let there = match part.records {
                0 => None,
                1 => Some(part.key.ok_or_else(range::unreadable)?),
                _ => {
                    open.push(piece);
                    continue;
                }
            };
            let absent = self.absent(&piece, there.as_ref())?;
            if self.schema.definition.retention.is_some() {
                done.gone += absent;
            } else {
                done.differing += absent;
            }
            if let Some(key) = there
                && self.state.sent(&key)? != Some(part.digest.0)
            {
                corrections.push((key, Some(part.digest.0)));
            }
        }
        done.differing += corrections.len() as u64;
        self.state.correct(&corrections)
    }

    /// Keys of the copy that the server does not hold.
    fn absent(&self, piece: &Range, but: Option<&Vec<u8>>) -> Result<u64> {
        let mut from = piece.from.clone();
        let mut differing = 0;
        loop {
            let keys = self.state.keys(from.as_deref(), piece.to.as_deref(), AT_ONCE)?;
            let is_last = keys.len() < AT_ONCE;
            // No key lies between.
            from = keys.last().map(|last| [last.as_slice(), &[0]].concat());
            let gone: Vec<_> = keys
                .into_iter()
                .filter(|key| Some(key) != but)
                .map(|key| (key, None))
                .collect();
            self.state.correct(&gone)?;
            differing += gone.len() as u64;
            if is_last {
                return Ok(differing);
            }
        }
    }
}
