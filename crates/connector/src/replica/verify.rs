//! The whole copy against the server: digests of key ranges over exactly what the permission has given, down to the
//! records that differ; those are asked for anew.

use dagr_model::digest::{SetDigest, record_digest};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{plan::Table, pull::Replica, rows};
use crate::{
    client::CallError,
    error::{Error, Result},
    state::unhex,
};

const PARTS: usize = 256;
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

#[derive(Clone)]
struct Stretch {
    from: Option<Vec<u8>>,
    to: Option<Vec<u8>>,
}

pub async fn run(replica: &mut Replica) -> Result<Verified> {
    let mut done = Verified::default();
    let mut open = vec![Stretch { from: None, to: None }];
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
        open = vec![Stretch { from: None, to: None }];
    }
    Err(Error::Source(
        "the set changes faster than it can be compared; verified again later".to_owned(),
    ))
}

async fn finish(replica: &Replica, done: &mut Verified) -> Result<()> {
    let table = replica.tables(false);
    let (sum, records) = digest(replica, &table, &Stretch { from: None, to: None }).await?;
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

async fn compare(replica: &Replica, mut open: Vec<Stretch>, done: &mut Verified) -> Result<Differing> {
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
            "from": key_json(replica, stretch.from.as_deref()),
            "to": key_json(replica, stretch.to.as_deref()),
            "parts": PARTS,
        });
        let answer = replica
            .client
            .post(&format!("{}/digest", replica.spec.data()), &body)
            .await?;
        differing.changed |= answer["changed"] == true;
        for part in answer["parts"].as_array().ok_or_else(unreadable)? {
            let piece = Stretch {
                from: key(replica, &part["from"])?,
                to: key(replica, &part["to"])?,
            };
            let theirs = part["digest"]
                .as_str()
                .and_then(unhex)
                .map(SetDigest)
                .ok_or_else(unreadable)?;
            let count = part["records"].as_u64().ok_or_else(unreadable)?;
            if digest(replica, &table, &piece).await? == (theirs, count) {
                continue;
            }
            if count > 1 {
                open.push(piece);
            } else {
                // One record there at most: everything here, and that one, is asked for anew.
                differing.keys.extend(keys(replica, &table, &piece).await?);
                differing.keys.extend(key(replica, &part["key"])?);
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

async fn digest(replica: &Replica, table: &Table, stretch: &Stretch) -> Result<(SetDigest, u64)> {
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

async fn keys(replica: &Replica, table: &Table, stretch: &Stretch) -> Result<Vec<Vec<u8>>> {
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
        .map(|key| key_json(replica, Some(key)))
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
    for result in answer["results"].as_array().ok_or_else(unreadable)? {
        if result["found"] == true
            && let Some(key) = key(replica, &result["key"])?
        {
            found.push((key, result["record"].clone()));
        }
    }
    replica.target.begin().await?;
    replica.target.delete(&table, keys).await?;
    replica.put(&table, &found).await?;
    replica.target.commit().await
}

fn key_json(replica: &Replica, key: Option<&[u8]>) -> Value {
    key.map_or(Value::Null, |key| {
        let mut out = Vec::new();
        replica.schema.key_json(key, &mut out);
        serde_json::from_slice(&out).unwrap_or(Value::Null)
    })
}

fn key(replica: &Replica, value: &Value) -> Result<Option<Vec<u8>>> {
    match value {
        Value::Null => Ok(None),
        Value::Object(object) => replica
            .schema
            .key_from_object(object, true)
            .map(Some)
            .map_err(|_| unreadable()),
        _ => Err(unreadable()),
    }
}

fn unreadable() -> Error {
    Error::State("the server's digests cannot be read: it is of another version".to_owned())
}
