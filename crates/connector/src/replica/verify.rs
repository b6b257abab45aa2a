//! The whole copy against the server: digests of key ranges over exactly what the permission has given, down to the
//! records that differ; those are asked for anew.

use dagr_model::digest::{SetDigest, record_digest};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{plan::Table, pull::Replica, rows};
use crate::{
    client::CallError,
    error::{Error, Result},
    range::{self, Range},
};

/// Records read at once.
const PAGE: usize = 5_000;
/// Rounds of catching up and comparing, while the set goes on changing.
const ROUNDS: usize = 8;
/// Differing records asked for one by one; more, and the copy is loaded anew.
const REPAIRED: usize = 1_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    pub records: u64,
    pub digest: String,
    /// Records that were not as the server has them; they are now.
    pub repaired: u64,
    pub exchanges: u64,
    /// So much differed that the copy is loaded anew.
    pub reloaded: bool,
}

pub async fn run(replica: &mut Replica) -> Result<Verified> {
    let mut done = Verified::default();
    let mut open = vec![Range::default()];
    for _ in 0..ROUNDS {
        replica.catch_up().await?;
        let differing = compare(replica, open, &mut done).await?;
        let Differing { keys, changed } = differing;
        if keys.is_empty() && !changed {
            finish(replica, &mut done).await?;
            return Ok(done);
        }
        if keys.len() > REPAIRED {
            tracing::warn!(
                records = keys.len(),
                "the copy differs too much; it is loaded anew"
            );
            replica.start_over().await?;
            replica.catch_up().await?;
            done.reloaded = true;
            finish(replica, &mut done).await?;
            return Ok(done);
        }
        if !changed {
            done.repaired += keys.len() as u64;
            repair(replica, &keys).await?;
        }
        open = vec![Range::default()];
    }
    Err(Error::Source(
        "the set changes faster than it can be compared; verified again later".to_owned(),
    ))
}

async fn finish(replica: &Replica, done: &mut Verified) -> Result<()> {
    let table = replica.tables(false);
    let (sum, records) = digest(replica, &table, &Range::default()).await?;
    (done.digest, done.records) = (sum.hex(), records);
    for (name, value) in [
        ("digest", done.digest.clone()),
        ("records", records.to_string()),
        ("last_verify", Timestamp::now().to_string()),
    ] {
        replica.set_note(name, &value).await?;
    }
    Ok(())
}

struct Differing {
    keys: Vec<Vec<u8>>,
    /// Something visible came after the cursor: what differs may be no fault.
    changed: bool,
}

async fn compare(replica: &Replica, mut open: Vec<Range>, done: &mut Verified) -> Result<Differing> {
    let table = replica.tables(false);
    let cursor = replica.note("cursor").await?.unwrap_or_default();
    let mut differing = Differing {
        keys: Vec::new(),
        changed: false,
    };
    while let Some(stretch) = open.pop() {
        done.exchanges += 1;
        let body = json!({
            "after": cursor,
            "from": range::key_json(&replica.schema, stretch.from.as_deref()),
            "to": range::key_json(&replica.schema, stretch.to.as_deref()),
            "parts": range::PARTS,
        });
        let answer = replica
            .client
            .post(&format!("{}/digest", replica.spec.data()), &body)
            .await?;
        differing.changed |= answer["changed"] == true;
        for part in range::parts(&replica.schema, &answer)? {
            let piece = part.range;
            if digest(replica, &table, &piece).await? == (part.digest, part.records) {
                continue;
            }
            if part.records > 1 {
                open.push(piece);
            } else {
                // One record there at most: everything here, and that one, is asked for anew.
                differing.keys.extend(keys(replica, &table, &piece).await?);
                differing.keys.extend(part.key);
            }
            if differing.keys.len() > REPAIRED {
                return Ok(differing);
            }
        }
    }
    differing.keys.sort();
    differing.keys.dedup();
    Ok(differing)
}

async fn digest(replica: &Replica, table: &Table, stretch: &Range) -> Result<(SetDigest, u64)> {
    let (mut sum, mut records) = (SetDigest::default(), 0);
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = replica
            .target
            .read(
                table,
                stretch.from.as_deref(),
                after.as_deref(),
                stretch.to.as_deref(),
                PAGE,
            )
            .await?;
        let Some((last, _)) = page.last() else {
            return Ok((sum, records));
        };
        after = Some(last.clone());
        for (_, stored) in &page {
            // What cannot be read differs from everything.
            let json = rows::to_record(table, stored, &replica.schema).unwrap_or_default();
            sum.add(&record_digest(&json));
            records += 1;
        }
    }
}

async fn keys(replica: &Replica, table: &Table, stretch: &Range) -> Result<Vec<Vec<u8>>> {
    let read = replica
        .target
        .read(
            table,
            stretch.from.as_deref(),
            None,
            stretch.to.as_deref(),
            REPAIRED + 1,
        )
        .await?;
    Ok(read.into_iter().map(|(key, _)| key).collect())
}

/// Asks for single records and puts them in; one that is not found is removed. Without the way for it, all is loaded anew.
async fn repair(replica: &mut Replica, keys: &[Vec<u8>]) -> Result<()> {
    // What is no key at all cannot be asked for; it only goes.
    let asked: Vec<Value> = keys
        .iter()
        .filter(|key| replica.schema.is_full_key(key))
        .map(|key| range::key_json(&replica.schema, Some(key)))
        .collect();
    if asked.is_empty() {
        return replica.target.delete(&replica.tables(false), keys).await;
    }
    let answer = replica
        .client
        .post(
            &format!("{}/lookup", replica.spec.data()),
            &json!({ "keys": asked }),
        )
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(CallError::Refused(refusal)) if refusal.code == "permission_way" => {
            tracing::warn!("the permission gives no look-ups of many: the copy is loaded anew to repair it");
            return replica.start_over().await;
        }
        Err(error) => return Err(error.into()),
    };
    let table = replica.tables(false);
    let mut found = Vec::new();
    for result in answer["results"].as_array().ok_or_else(range::unreadable)? {
        if result["found"] == true
            && let Some(key) = range::key(&replica.schema, &result["key"])?
        {
            found.push((key, result["record"].clone()));
        }
    }
    replica.target.begin().await?;
    let mut done = replica.target.delete(&table, keys).await;
    if done.is_ok() {
        done = replica.put(&table, &found).await;
    }
    replica.target.end(done).await
}
