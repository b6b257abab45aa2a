//! The whole copy against the server: digests of key ranges over exactly what the permission has given, down to the
//! records that differ. What only the copy has is removed; the others are asked for anew.

use std::time::{Duration, Instant};

use dagr_model::digest::{SetDigest, record_digest};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    export,
    pull::Replica,
    rows::{self, Row},
    taken_in::TakenIn,
};
use crate::{
    deliver::again,
    error::{Error, Result},
    range::{self, Part, Range},
};

/// Rounds of catching up and comparing, while the set goes on changing.
const ROUNDS: usize = 8;
/// Differing records that are repaired one by one; more, and the copy is loaded anew.
const REPAIRED: usize = 1_000;
/// So often changes are taken in while a copy is compared. At every turn in tests, where what comes between is to be met.
const ASIDE: Duration = if cfg!(test) {
    Duration::ZERO
} else {
    Duration::from_secs(2)
};
/// The server does not know that the cursor gave all that the copy holds.
const NOT_GIVEN: &str = "cursor_fields";

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    pub records: u64,
    pub digest: String,
    /// Records that were not as the server has them, and rows of lists that belonged to none; they are put right now.
    pub repaired: u64,
    pub exchanges: u64,
    /// So much differed that the copy is loaded anew.
    pub reloaded: bool,
}

/// Noted: why the copy is not what the server says, though it was loaded anew.
pub(super) const DIFFERS: &str = "differs";

pub async fn run(replica: &mut Replica) -> Result<Verified> {
    let mut done = Verified::default();
    replica.follow().await?;
    done.repaired += replica.target.sweep(&replica.tables(false)).await?;
    if let Some(why) = differs(replica, &mut done).await? {
        tracing::warn!(why, "the copy is loaded anew");
        replica.start_over().await?;
        replica.follow().await?;
        done.reloaded = true;
        // Something may have changed what was written.
        let differs = differs(replica, &mut done).await?;
        if differs == Some(NOT_TOLD) {
            let text =
                "what the permission gives changed while the copy was loaded anew; verified again later";
            return Err(Error::Passing(text.to_owned()));
        }
        if let Some(why) = differs {
            let text = format!(
                "the copy was loaded anew and still differs from the server ({why}): does something else write in it, a \
                 trigger or a rule for example?"
            );
            replica.set_note(DIFFERS, &text).await?;
            replica
                .set_note("last_verify", &Timestamp::now().to_string())
                .await?;
            return Err(Error::Decide(text));
        }
    }
    finish(replica, &mut done).await?;
    Ok(done)
}

const NOT_TOLD: &str = "its cursor does not tell what it was given";

/// Repairs what differs. Why only loading anew helps; `None`: the copy is equal.
async fn differs(replica: &mut Replica, done: &mut Verified) -> Result<Option<&'static str>> {
    let mut open = vec![Range::default()];
    for _ in 0..ROUNDS {
        let found = match compare(replica, open, done).await {
            Err(Error::Call(refused)) if refused.code() == Some(NOT_GIVEN) => {
                return Ok(Some(NOT_TOLD));
            }
            found => found?,
        };
        if found.records() > REPAIRED || !repair(replica, &found).await? {
            return Ok(Some("in many records, or the permission gives no look-ups"));
        }
        done.repaired += found.records() as u64;
        if found.again.is_empty() {
            return Ok(None);
        }
        open = found.again;
        replica.follow().await?;
    }
    Err(Error::Passing(
        "the copy goes on differing: the set changes faster than it can be compared, or somebody else writes in the \
         copy; verified again later"
            .to_owned(),
    ))
}

async fn finish(replica: &mut Replica, done: &mut Verified) -> Result<()> {
    let here = read(replica, &Range::default()).await?;
    (done.digest, done.records) = (here.digest.hex(), here.records);
    for (name, value) in [
        (DIFFERS, String::new()),
        ("digest", done.digest.clone()),
        ("records", done.records.to_string()),
        ("last_verify", Timestamp::now().to_string()),
    ] {
        replica.set_note(name, &value).await?;
    }
    replica.export().await
}

/// What a comparison found.
#[derive(Default)]
struct Found {
    /// Keys that only the copy has.
    surplus: Vec<Vec<u8>>,
    /// Keys whose record the copy has otherwise, or not at all.
    wrong: Vec<Vec<u8>>,
    /// To be compared again: it is repaired now, or something visible there came after the cursor.
    again: Vec<Range>,
}

impl Found {
    fn records(&self) -> usize {
        self.surplus.len() + self.wrong.len()
    }

    /// A piece in which the server has one record at most, and the copy not the same.
    fn piece(&mut self, part: Part, here: Here, changed: bool) {
        let mut is_there = false;
        for (key, digest) in here.first {
            if part.key.as_ref() == Some(&key) {
                is_there = digest == part.digest;
            } else if !changed {
                self.surplus.push(key);
            }
        }
        if !is_there {
            self.wrong.extend(part.key);
        }
        add(&mut self.again, part.range);
    }
}

async fn compare(replica: &mut Replica, open: Vec<Range>, done: &mut Verified) -> Result<Found> {
    replica.taken_in = Some(TakenIn::default());
    let found = compare_noting(replica, open, done).await;
    replica.taken_in = None;
    found
}

async fn compare_noting(replica: &mut Replica, mut open: Vec<Range>, done: &mut Verified) -> Result<Found> {
    let mut found = Found::default();
    let mut followed = Instant::now();
    while let Some(stretch) = open.pop() {
        done.exchanges += 1;
        let cursor = replica.note("cursor").await?.unwrap_or_default();
        let body = json!({
            "after": cursor,
            "from": range::key_json(&replica.schema, stretch.from.as_deref()),
            "to": range::key_json(&replica.schema, stretch.to.as_deref()),
            "parts": range::PARTS,
        });
        let answer = post(replica, "digest", &body).await?;
        let changed = answer["changed"] == true;
        let (mut since, mut stale) = (TakenIn::default(), Vec::new());
        for part in range::parts(&replica.schema, &answer)? {
            if since.touches(&part.range) {
                // The answer is of another moment there.
                add(&mut stale, part.range);
                continue;
            }
            let here = read(replica, &part.range).await?;
            if (here.digest, here.records) != (part.digest, part.records) {
                if part.records > 1 {
                    open.push(part.range);
                } else {
                    found.piece(part, here, changed);
                }
            }
            if found.records() > REPAIRED {
                return Ok(found);
            }
            if followed.elapsed() >= ASIDE {
                let (taken_in, rest) = aside(replica).await?;
                followed = Instant::now() + rest;
                if taken_in.is_another {
                    // What was compared is no more.
                    (found, open, stale) = (Found::default(), vec![Range::default()], Vec::new());
                    break;
                }
                found.surplus.retain(|key| !taken_in.is_of(key));
                since.add(taken_in);
            }
        }
        open.append(&mut stale);
    }
    Ok(found)
}

/// Takes changes in: what is taken back does not wait for a long comparison. Gives what came, and for how long the server
/// wants to be left alone.
async fn aside(replica: &mut Replica) -> Result<(TakenIn, Duration)> {
    let done = replica.take_in().await;
    replica.show_in_time().await;
    let taken_in = replica.taken_in.replace(TakenIn::default()).unwrap_or_default();
    match done {
        // It is tried again; a copy that is not whole is not compared.
        Err(error) if error.is_passing() && !taken_in.is_another => Ok((taken_in, error.retry_after())),
        done => done.map(|()| (taken_in, Duration::ZERO)),
    }
}

/// Adds a range to those before it.
fn add(ranges: &mut Vec<Range>, range: Range) {
    match ranges.last_mut() {
        Some(before) if before.to.is_some() && before.to == range.from => before.to = range.to,
        _ => ranges.push(range),
    }
}

/// What the copy has of a stretch.
#[derive(Default)]
struct Here {
    digest: SetDigest,
    records: u64,
    /// The first keys, one more than are repaired, each with its record's digest.
    first: Vec<(Vec<u8>, SetDigest)>,
}

async fn read(replica: &Replica, stretch: &Range) -> Result<Here> {
    let table = replica.tables(false);
    let mut here = Here::default();
    let mut one = |key, rows: &[Vec<Row>]| {
        // What cannot be read differs from everything.
        let json = rows::to_record(&table, rows, &replica.schema).unwrap_or_default();
        let digest = record_digest(&json);
        here.digest.add(&digest);
        here.records += 1;
        if here.first.len() <= REPAIRED {
            here.first.push((key, SetDigest(digest)));
        }
        Ok(())
    };
    replica.target.each(&table, stretch, &mut one).await?;
    Ok(here)
}

/// Removes what only the copy has, and puts in anew what it has otherwise. `false`: the permission gives no look-ups.
async fn repair(replica: &mut Replica, found: &Found) -> Result<bool> {
    replace(replica, &found.surplus, &[]).await?;
    replica.withdrawn |= !found.surplus.is_empty();
    replica.show().await;
    let mut left = found.wrong.as_slice();
    let (mut at_once, mut twice) = (REPAIRED, false);
    while !left.is_empty() {
        let (now, later) = left.split_at(at_once.min(left.len()));
        match lookup(replica, now, twice).await {
            Ok(records) => {
                replace(replica, now, &records).await?;
                left = later;
            }
            Err(Error::Call(error)) => match (error.code(), now.len()) {
                (Some("answer_too_large"), 2..) => at_once = now.len() / 2,
                (Some("permission_way"), 2..) => at_once = 1,
                (Some("permission_way"), _) if !twice => twice = true,
                (Some("permission_way"), _) => return Ok(false),
                _ => return Err(error.into()),
            },
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Asks for records; what is not found is not among them. One key alone is another way of the permission (`key`) than
/// several (`bulk`): asked `twice`, it is several.
async fn lookup(replica: &Replica, keys: &[Vec<u8>], twice: bool) -> Result<Vec<(Vec<u8>, Value)>> {
    let mut asked: Vec<Value> = keys
        .iter()
        .map(|key| range::key_json(&replica.schema, Some(key)))
        .collect();
    if twice {
        asked.extend_from_within(..);
    }
    let answer = post(replica, "lookup", &json!({ "keys": asked })).await?;
    let results = answer["results"].as_array().ok_or_else(range::unreadable)?;
    let mut found = Vec::new();
    for result in results.iter().take(keys.len()) {
        if result["found"] == true
            && let Some(key) = range::key(&replica.schema, &result["key"])?
        {
            found.push((key, result["record"].clone()));
        }
    }
    Ok(found)
}

/// Puts records in the place of what stands under these keys.
async fn replace(replica: &Replica, keys: &[Vec<u8>], records: &[(Vec<u8>, Value)]) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let table = replica.tables(false);
    let target = &replica.target;
    target.begin().await?;
    let done = async {
        target.delete(&table, keys).await?;
        replica.put(&table, records).await?;
        replica.set_note(export::FILE, "").await
    };
    target.end(done.await).await
}

async fn post(replica: &Replica, what: &str, body: &Value) -> Result<Value> {
    let path = format!("{}/{what}", replica.spec.data());
    again(replica.spec.retry.clone(), async || {
        Ok(replica.client.post(&path, body).await?)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(of: &str) -> SetDigest {
        SetDigest(record_digest(of.as_bytes()))
    }

    /// The server has `b` there, and its digest is of "B".
    fn found(here: &[(&str, &str)], changed: bool) -> Found {
        let bytes = |text: &str| text.as_bytes().to_vec();
        let part = Part {
            range: Range {
                from: Some(bytes("a")),
                to: Some(bytes("d")),
            },
            digest: digest("B"),
            records: 1,
            key: Some(bytes("b")),
        };
        let first = here
            .iter()
            .map(|(key, record)| (bytes(key), digest(record)))
            .collect();
        let mut found = Found::default();
        found.piece(
            part,
            Here {
                first,
                ..Here::default()
            },
            changed,
        );
        assert_eq!(found.again.len(), 1, "whatever it is, it is compared again");
        found
    }

    #[test]
    fn only_what_the_server_has_is_asked_for() {
        let damaged = found(&[("a", "A"), ("b", "X"), ("c", "C")], false);
        assert_eq!(
            (damaged.surplus, damaged.wrong),
            (vec![b"a".to_vec(), b"c".to_vec()], vec![b"b".to_vec()])
        );
        let surplus = found(&[("a", "A"), ("b", "B")], false);
        assert_eq!((surplus.surplus, surplus.wrong), (vec![b"a".to_vec()], vec![]));
        let missing = found(&[], false);
        assert_eq!((missing.surplus, missing.wrong), (vec![], vec![b"b".to_vec()]));
    }

    #[test]
    fn while_the_set_changes_a_wrong_record_is_put_right_and_nothing_is_removed() {
        let damaged = found(&[("a", "A"), ("b", "X")], true);
        assert_eq!((damaged.surplus, damaged.wrong), (vec![], vec![b"b".to_vec()]));
    }

    #[test]
    fn pieces_side_by_side_are_compared_again_as_one() {
        let mut found = Found::default();
        let key = |n: u8| Some(vec![n]);
        for (from, to) in [(None, key(1)), (key(1), key(2)), (key(3), key(4)), (key(4), None)] {
            let part = Part {
                range: Range { from, to },
                digest: SetDigest::default(),
                records: 0,
                key: None,
            };
            found.piece(part, Here::default(), true);
        }
        let ranges: Vec<_> = found
            .again
            .into_iter()
            .map(|range| (range.from, range.to))
            .collect();
        assert_eq!(ranges, [(None, key(2)), (key(3), None)]);
    }
}
