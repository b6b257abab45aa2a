//! Random states of a source, compared one after another: what is sent brings a model of the server to each of them.

mod decided;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use dagr_model::{digest::record_digest, schema::Schema};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    collect::Collect,
    feed::MapSpec,
    state::{PackageState, Sent},
};

fn schema(duplicates: &str) -> Arc<Schema> {
    let text = format!(
        "name: x_set\nkey: Id\ndata_description: d\nfields:\n  - Id int : i\n  - Word : w\ncsv: {{duplicates: {duplicates}}}\n"
    );
    Arc::new(Schema::compile(Arc::new(text.parse().unwrap()), None))
}

fn record(id: i64, word: &str) -> Vec<u8> {
    json!({ "Id": id, "Word": word }).to_string().into_bytes()
}

/// Compares rows with what was sent.
fn compare(state: &State, schema: &Arc<Schema>, rows: &[(i64, String)], touched: Option<&[i64]>) -> Found {
    let rows: Vec<_> = rows.iter().map(|(id, word)| record(*id, word)).collect();
    compare_records(state, schema, &rows, touched)
}

fn compare_records(state: &State, schema: &Arc<Schema>, rows: &[Vec<u8>], touched: Option<&[i64]>) -> Found {
    let extent = match touched {
        Some(_) => Extent::Touched,
        None if state.is_new().unwrap() => Extent::Snapshot,
        None => Extent::Whole,
    };
    let spec = MapSpec::default();
    let mut comparison = Comparison::begin(state, schema, "feed", extent).unwrap();
    for id in touched.unwrap_or_default() {
        comparison.touch(schema.key_from_values(&[json!(id)]).unwrap());
    }
    let mut collect = Collect::new(schema, &spec, &mut comparison);
    for (at, row) in rows.iter().enumerate() {
        collect.json(at as u64 + 1, row).unwrap();
    }
    collect.finish().unwrap();
    comparison.finish(&[]).unwrap()
}

type Model = BTreeMap<i64, String>;

/// Applies a package as the server would.
fn apply(state: &State, n: i64, model: &mut Model) {
    let package = state
        .unfinished()
        .unwrap()
        .into_iter()
        .find(|package| package.n == n)
        .unwrap();
    if package.mode == "snapshot" {
        model.clear();
    }
    each_line(&state.body(n), |line| {
        let operation: Value = serde_json::from_str(line).unwrap();
        match operation["op"].as_str().unwrap() {
            "upsert" => {
                let record = &operation["record"];
                let word = record["Word"].as_str().unwrap_or_default().to_owned();
                model.insert(record["Id"].as_i64().unwrap(), word);
            }
            _ => {
                model
                    .remove(&operation["key"]["Id"].as_i64().unwrap())
                    .expect("what was never sent is not deleted");
            }
        }
        Ok(())
    })
    .unwrap();
}

fn digest(schema: &Schema, model: &Model) -> (SetDigest, u64) {
    let mut sum = SetDigest::default();
    for (id, word) in model {
        sum.add(&record_digest(
            &schema.read_json(&record(*id, word)).unwrap().json,
        ));
    }
    (sum, model.len() as u64)
}

#[derive(Debug, Clone)]
enum Step {
    /// The source is this now, and is compared whole.
    Whole(Model),
    /// These records changed (`None` = gone), and their keys are told.
    Touched(BTreeMap<i64, Option<String>>),
}

fn step() -> impl Strategy<Value = (Step, bool)> {
    let word = "[a-cā]{0,2}";
    prop_oneof![
        prop::collection::btree_map(0..12i64, word, 0..12).prop_map(Step::Whole),
        prop::collection::btree_map(0..12i64, prop::option::of(word), 0..6).prop_map(Step::Touched),
    ]
    .prop_flat_map(|step| (Just(step), prop::bool::weighted(0.2)))
}

/// The copy holds what the digest says, by key and by range.
fn copy_is(state: &State, schema: &Schema, model: &Model) {
    let expected = digest(schema, model);
    assert_eq!(state.digest().unwrap(), expected);
    assert_eq!(state.range_digest(None, None).unwrap(), expected);
    let (mut keys, mut from) = (Vec::new(), None);
    loop {
        let some = state.keys(from.as_deref(), None, 5).unwrap();
        let is_last = some.len() < 5;
        from = some.last().map(|last| [last.as_slice(), &[0]].concat());
        keys.extend(some);
        if is_last {
            break;
        }
    }
    let all = model
        .keys()
        .map(|id| schema.key_from_values(&[json!(id)]).unwrap());
    assert_eq!(keys, all.collect::<Vec<_>>());
    for id in 0..12 {
        let key = schema.key_from_values(&[json!(id)]).unwrap();
        let word = model.get(&id).map(|word| record(id, word));
        let sent = word.map(|word| record_digest(&schema.read_json(&word).unwrap().json));
        assert_eq!(state.sent(&key).unwrap(), sent, "{id}");
        let before: Model = model.range(..id).map(|(id, word)| (*id, word.clone())).collect();
        assert_eq!(
            state.range_digest(None, Some(&key)).unwrap(),
            digest(schema, &before)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Rows of a first load, in order up to some row: with others of the same key, or such that are refused, after it.
    #[test]
    fn a_first_load_is_the_same_in_whatever_order_its_rows_come(
        rising in prop::collection::btree_map(0..3_000i64, "[a-cā]{0,2}", 0..1_500),
        rest in prop::collection::vec((0..3_000i64, "[a-cā]{0,2}", any::<bool>()), 0..20),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (schema, state) = (schema("quarantine"), State::open(dir.path()).unwrap());
        let mut rows: Vec<(i64, String)> = rising.clone().into_iter().collect();
        rows.extend(rest.iter().map(|(id, word, same)| match rising.get(id) {
            Some(known) if *same => (*id, known.clone()),
            _ => (*id, word.clone()),
        }));
        let mut words: BTreeMap<i64, std::collections::BTreeSet<&str>> = BTreeMap::new();
        for (id, word) in &rows {
            words.entry(*id).or_default().insert(word);
        }
        let expected: Model = words
            .iter()
            .filter(|(_, words)| words.len() == 1)
            .map(|(id, words)| (*id, words.iter().next().unwrap().to_string()))
            .collect();
        let found = compare(&state, &schema, &rows, None);
        prop_assert_eq!(found.upserts, expected.len() as u64);
        prop_assert_eq!(found.records, words.len() as u64);
        prop_assert_eq!(found.refused, (words.len() - expected.len()) as u64);
        let mut server = Model::new();
        apply(&state, 1, &mut server);
        prop_assert_eq!(&server, &expected);
        prop_assert_eq!(state.digest().unwrap(), digest(&schema, &expected));
        prop_assert_eq!(state.range_digest(None, None).unwrap(), digest(&schema, &expected));
        let digests = std::fs::read_dir(dir.path()).unwrap().flatten();
        let digests = digests.filter(|entry| entry.path().to_string_lossy().ends_with(".digests"));
        prop_assert_eq!(digests.count(), 1);
    }

    #[test]
    fn what_is_sent_brings_the_server_to_the_source(steps in prop::collection::vec(step(), 1..8)) {
        let dir = tempfile::tempdir().unwrap();
        let schema = schema("quarantine");
        let mut state = State::open(dir.path()).unwrap();
        let (mut source, mut server) = (Model::new(), Model::new());
        for (step, rejected) in steps {
            drop(state);
            state = State::open(dir.path()).unwrap();
            let found = match step {
                Step::Whole(now) => {
                    source = now;
                    let rows: Vec<_> = source.clone().into_iter().collect();
                    compare(&state, &schema, &rows, None)
                }
                Step::Touched(changes) => {
                    for (id, word) in &changes {
                        match word {
                            Some(word) => source.insert(*id, word.clone()),
                            None => source.remove(id),
                        };
                    }
                    let keys: Vec<i64> = changes.keys().copied().collect();
                    let rows: Vec<_> = keys.iter().filter_map(|id| Some((*id, source.get(id)?.clone()))).collect();
                    compare(&state, &schema, &rows, Some(&keys))
                }
            };
            let Some(n) = found.package else {
                copy_is(&state, &schema, &server);
                continue;
            };
            // As if it had arrived.
            copy_is(&state, &schema, &source);
            let package = state.unfinished().unwrap().remove(0);
            if rejected {
                state.taken_back(&package, PackageState::Rejected, false, "x").unwrap();
                // What was read on top of it is compared anew.
                source = server.clone();
            } else {
                apply(&state, n, &mut server);
                state.applied(&package, "{}", |_| Ok(())).unwrap();
                prop_assert_eq!(&server, &source);
            }
            copy_is(&state, &schema, &server);
        }
    }
}

#[test]
fn rows_of_one_key_go_by_the_definition() {
    let rows: Vec<(i64, String)> = [(1, "a"), (2, "x"), (1, "b"), (2, "x")]
        .map(|(id, word)| (id, word.to_owned()))
        .into();
    for (rule, sent, refused) in [("quarantine", 1, 1), ("first", 2, 0), ("last", 2, 0)] {
        let dir = tempfile::tempdir().unwrap();
        let (schema, state) = (schema(rule), State::open(dir.path()).unwrap());
        let found = compare(&state, &schema, &rows, None);
        assert_eq!((found.upserts, found.refused), (sent, refused), "{rule}");
        let mut model = Model::new();
        apply(&state, 1, &mut model);
        let expected = match rule {
            "first" => Some("a"),
            "last" => Some("b"),
            _ => None,
        };
        assert_eq!(model.get(&1).map(String::as_str), expected, "{rule}");
    }
}

#[test]
fn what_the_server_declined_is_not_sent_again_until_it_changes() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, state) = (schema("quarantine"), State::open(dir.path()).unwrap());
    let rows = |word: &str| vec![(1, "a".to_owned()), (2, word.to_owned())];
    compare(&state, &schema, &rows("bad"), None);
    let package = state.unfinished().unwrap().remove(0);
    let key = schema.key_from_values(&[json!(2)]).unwrap();
    let sent = record_digest(&schema.read_json(&record(2, "bad")).unwrap().json);
    state
        .applied(&package, "{}", |decline| decline((key, sent)))
        .unwrap();
    assert_eq!(state.digest().unwrap().1, 1);
    assert_eq!(compare(&state, &schema, &rows("bad"), None).package, None);
    assert!(state.has_declined().unwrap());
    assert_eq!(compare(&state, &schema, &rows("good"), None).upserts, 1);
    assert!(!state.has_declined().unwrap(), "it is another record now");
}

#[test]
fn a_first_load_that_was_declined_is_not_sent_again_and_takes_nothing_away() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, state) = (schema("quarantine"), State::open(dir.path()).unwrap());
    let rows = |words: [&str; 2]| [(1, words[0].to_owned()), (2, words[1].to_owned())];
    compare(&state, &schema, &rows(["a", "b"]), None);
    let package = state.unfinished().unwrap().remove(0);
    let decline_all = |decline: &mut dyn FnMut(Sent) -> Result<()>| {
        [(1, "a"), (2, "b")].into_iter().try_for_each(|(id, word)| {
            let digest = record_digest(&schema.read_json(&record(id, word)).unwrap().json);
            decline((schema.key_from_values(&[json!(id)]).unwrap(), digest))
        })
    };
    state.set_meta("compare_due", "false").unwrap();
    state.declined_whole(&package, "x", decline_all).unwrap();
    assert_eq!(state.meta("compare_due").unwrap().as_deref(), Some("false"));
    let mut left = std::fs::read_dir(dir.path()).unwrap().flatten();
    assert!(!left.any(|file| file.path().ends_with("00000001.digests")));
    // The schedule's comparison.
    assert_eq!(compare(&state, &schema, &rows(["a", "b"]), None).package, None);
    // One is another record: the server may hold the second in an earlier form.
    assert_eq!(compare(&state, &schema, &rows(["c", "b"]), None).upserts, 1);
    let package = state.unfinished().unwrap().remove(0);
    assert_eq!((package.mode.as_str(), package.operations), ("delta", 1));
}

#[test]
fn what_was_made_on_top_of_a_declined_load_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, state) = (schema("quarantine"), State::open(dir.path()).unwrap());
    compare(&state, &schema, &[(1, "a".to_owned())], None);
    compare(&state, &schema, &[(1, "b".to_owned())], Some(&[1]));
    state.set_meta("etag", "seen").unwrap();
    state.set_meta("compare_due", "false").unwrap();
    let first = state.unfinished().unwrap().remove(0);
    state.declined_whole(&first, "x", |_| Ok(())).unwrap();
    assert_eq!(state.unfinished().unwrap().len(), 0);
    assert_eq!(state.meta("compare_due").unwrap().as_deref(), Some("true"));
    assert_eq!(state.meta("etag").unwrap(), None);
}

#[test]
fn packages_that_are_refused_again_and_again_do_not_fill_the_state() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, state) = (schema("quarantine"), State::open(dir.path()).unwrap());
    let many = "WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 10100)
        INSERT INTO package SELECT n, n, 'delta', 'refused', NULL, '', 0, 0, 0, '', NULL, NULL, NULL FROM n";
    state.db.execute_batch(many).unwrap();
    compare(&state, &schema, &[(1, "a".to_owned())], None);
    let package = state.unfinished().unwrap().remove(0);
    state.declined_whole(&package, "x", |_| Ok(())).unwrap();
    let count = "SELECT count(*) FROM package";
    let kept: i64 = state.db.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 10_000);
}

/// A set that keeps records for a year, and its feed. Today, and a day past that.
struct Ageing {
    schema: Arc<Schema>,
    state: State,
    today: jiff::civil::Date,
    aged: jiff::civil::Date,
    _dir: tempfile::TempDir,
}

impl Ageing {
    fn new(more: &str) -> Self {
        let text = format!(
            "name: x_set\nkey: Id\ndata_description: d\nretention: {{field: At, keep: 1y}}\nfields:\n  - Id int : i\n  - At date : a\n  - Word : w\n{more}"
        );
        let dir = tempfile::tempdir().unwrap();
        let today = jiff::Timestamp::now()
            .to_zoned_datetime(jiff::tz::TimeZone::UTC)
            .date();
        Self {
            schema: Arc::new(Schema::compile(Arc::new(text.parse().unwrap()), None)),
            state: State::open(dir.path()).unwrap(),
            today,
            aged: today.checked_sub(jiff::Span::new().months(18)).unwrap(),
            _dir: dir,
        }
    }

    /// Upserts, deletes and expired rows of a comparison whose package is applied.
    fn found(&self, rows: &[Vec<u8>], touched: Option<&[i64]>) -> [u64; 3] {
        let found = compare_records(&self.state, &self.schema, rows, touched);
        for package in self.state.unfinished().unwrap() {
            self.state.applied(&package, "{}", |_| Ok(())).unwrap();
        }
        [found.upserts, found.deletes, found.expired]
    }
}

fn dated(id: i64, at: jiff::civil::Date, word: &str) -> Vec<u8> {
    json!({ "Id": id, "At": at.to_string(), "Word": word })
        .to_string()
        .into_bytes()
}

#[test]
fn what_is_past_its_retention_is_not_sent_and_what_the_server_may_hold_goes_there_by_itself() {
    let feed = Ageing::new("");
    let (state, today, aged) = (&feed.state, feed.today, feed.aged);
    let first = [dated(1, today, "a"), dated(2, aged, "b"), dated(3, today, "c")];
    assert_eq!(feed.found(&first, None), [2, 0, 1]);
    assert_eq!(feed.found(&first, None), [0, 0, 1]);
    assert_eq!(feed.found(&first[1..2], Some(&[2])), [0, 0, 1]);
    // It was sent before it aged; then the server is found not to hold it any more.
    let sent = record_digest(&feed.schema.read_json(&dated(2, aged, "b")).unwrap().json);
    let key = feed.schema.key_from_values(&[json!(2)]).unwrap();
    state.correct(&[(key.clone(), Some(sent))]).unwrap();
    assert_eq!(feed.found(&first, None), [0, 0, 0]);
    state.correct(&[(key.clone(), None)]).unwrap();
    assert_eq!(feed.found(&first, None), [0, 0, 1]);
    // One that changes and is past it by that goes; one that changes and is not past it any more comes.
    let changed = [dated(1, aged, "a"), dated(2, today, "b"), dated(3, today, "c")];
    assert_eq!(feed.found(&changed, None), [1, 1, 1]);
    assert_eq!(feed.found(&first[..1], Some(&[1])), [1, 0, 0]);
    assert_eq!(state.digest().unwrap().1, 3);
}

#[test]
fn of_the_rows_of_one_key_the_one_that_counts_is_judged_by_its_age() {
    let feed = Ageing::new("csv: {duplicates: last}\n");
    let found = |rows: [jiff::civil::Date; 2]| feed.found(&rows.map(|at| dated(1, at, "a")), None);
    assert_eq!(found([feed.today, feed.aged]), [0, 0, 1]);
    assert_eq!(found([feed.aged, feed.today]), [1, 0, 0]);
    assert_eq!(found([feed.today, feed.aged]), [0, 1, 1]);
}

#[test]
fn a_declined_record_that_is_gone_is_forgotten_by_whoever_reads_all() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, state) = (schema("quarantine"), State::open(dir.path()).unwrap());
    let rows = |ids: &[i64]| ids.iter().map(|id| (*id, "a".to_owned())).collect::<Vec<_>>();
    compare(&state, &schema, &rows(&[1, 2, 3]), None);
    let package = state.unfinished().unwrap().remove(0);
    let declined = [2, 3].map(|id| {
        let key = schema.key_from_values(&[json!(id)]).unwrap();
        (
            key,
            record_digest(&schema.read_json(&record(id, "a")).unwrap().json),
        )
    });
    state
        .applied(&package, "{}", |decline| {
            declined.iter().cloned().try_for_each(decline)
        })
        .unwrap();
    let left = || [2, 3].map(|at| state.declined(&declined[at - 2].0).unwrap().is_some());
    compare(&state, &schema, &rows(&[1]), Some(&[1]));
    assert_eq!(left(), [true, true]);
    compare(&state, &schema, &rows(&[1, 3]), None);
    assert_eq!(left(), [false, true]);
}

#[test]
fn a_body_nobody_entered_is_swept_away_and_one_process_works_on_a_feed() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, state) = (schema("quarantine"), State::open(dir.path()).unwrap());
    compare(&state, &schema, &[(1, "a".to_owned())], None);
    assert!(State::open(dir.path()).is_err());
    std::fs::write(dir.path().join("spool/00000009.ndjson.zst"), "cut").unwrap();
    drop(state);
    let state = State::open(dir.path()).unwrap();
    let names: Vec<_> = std::fs::read_dir(dir.path().join("spool"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(names, [state.body(1)]);
}

#[test]
fn a_copy_that_had_yet_to_follow_does_so_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, state) = (schema("quarantine"), State::open(dir.path()).unwrap());
    let rows = |rows: [(i64, &str); 2]| rows.map(|(id, word)| (id, word.to_owned()));
    let (before, after) = (rows([(1, "a"), (2, "b")]), rows([(1, "c"), (3, "d")]));
    compare(&state, &schema, &before, None);
    let first = state.unfinished().unwrap().remove(0);
    state.applied(&first, "{}", |_| Ok(())).unwrap();
    // What a large comparison enters; then the process is gone.
    let key = |id: i64| schema.key_from_values(&[json!(id)]).unwrap();
    let digest_of = |id, word| record_digest(&schema.read_json(&record(id, word)).unwrap().json);
    let mut changes = Changes::with_memory(&state.changes(2), 0);
    for (id, before, now) in [
        (1, Some(digest_of(1, "a")), Some(digest_of(1, "c"))),
        (2, Some(digest_of(2, "b")), None),
        (3, None, Some(digest_of(3, "d"))),
    ] {
        changes
            .push(&Change {
                key: &key(id),
                before: before.as_ref(),
                now: now.as_ref(),
            })
            .unwrap();
    }
    let package = Package {
        n: 2,
        id: "feed-00000002-x".to_owned(),
        mode: "delta".to_owned(),
        ..first
    };
    let sum = digest(&schema, &after.iter().cloned().collect());
    state
        .enter(&package, &[], sum, Brought::Changes(changes))
        .unwrap();
    drop(state);
    let state = State::open(dir.path()).unwrap();
    assert_eq!(compare(&state, &schema, &after, None).package, None);
    assert_eq!(state.digest().unwrap(), sum);
    state
        .taken_back(&package, PackageState::Rejected, false, "x")
        .unwrap();
    assert_eq!(compare(&state, &schema, &before, None).package, None);
    let left = std::fs::read_dir(dir.path().join("spool")).unwrap().count();
    assert_eq!(left, 0);
}

#[test]
fn a_package_taken_back_with_one_made_on_top_of_it_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, state) = (schema("quarantine"), State::open(dir.path()).unwrap());
    let rows = |word: &str| vec![(1, word.to_owned()), (2, word.to_owned())];
    compare(&state, &schema, &rows("a"), None);
    let first = state.unfinished().unwrap().remove(0);
    state.applied(&first, "{}", |_| Ok(())).unwrap();
    compare(&state, &schema, &rows("b"), None);
    compare(&state, &schema, &rows("c"), Some(&[1, 2]));
    let packages = state.unfinished().unwrap();
    assert_eq!(packages.len(), 2);
    state
        .taken_back(&packages[0], PackageState::Rejected, false, "x")
        .unwrap();
    let model: Model = rows("a").into_iter().collect();
    copy_is(&state, &schema, &model);
    // The number of the one on top is given again.
    let found = compare(&state, &schema, &rows("d"), None);
    assert_eq!((found.upserts, found.package), (2, Some(3)));
    let last = state.unfinished().unwrap().remove(0);
    state
        .taken_back(&last, PackageState::Rejected, false, "x")
        .unwrap();
    copy_is(&state, &schema, &model);
}

#[test]
fn a_damaged_copy_is_told_and_forgotten_when_everything_is_sent_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, state) = (schema("quarantine"), State::open(dir.path()).unwrap());
    let rows = [(1, "a".to_owned()), (2, "b".to_owned())];
    compare(&state, &schema, &rows, None);
    let first = state.unfinished().unwrap().remove(0);
    state.applied(&first, "{}", |_| Ok(())).unwrap();
    compare(&state, &schema, &rows[..1], None);
    drop(state);
    std::fs::write(dir.path().join("00000001.digests"), "cut off").unwrap();
    let said = State::open(dir.path()).err().unwrap().to_string();
    assert!(said.contains("resync --all"), "{said}");
    let state = State::open_anew(dir.path()).unwrap();
    state.forget_copy("x").unwrap();
    assert!(state.unfinished().unwrap().is_empty() && state.is_new().unwrap());
    drop(state);
    let state = State::open(dir.path()).unwrap();
    let found = compare(&state, &schema, &rows, None);
    assert_eq!((found.upserts, found.package), (2, Some(3)));
    let names = |dir: &Path| std::fs::read_dir(dir).unwrap().count();
    assert_eq!(names(&dir.path().join("spool")), 1, "what waited is gone");
}

#[test]
fn a_package_takes_no_more_of_the_disk_than_the_spool_may() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, state) = (schema("quarantine"), State::open(dir.path()).unwrap());
    let mut comparison = Comparison::begin(&state, &schema, "x", Extent::Whole)
        .unwrap()
        .at_most(1 << 20);
    let mut seed = 1_u64;
    let stopped = (0..200_000_i64).find_map(|id| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let json = record(id, &format!("{seed:016x}{:016x}", seed.rotate_left(9)));
        let key = schema.key_from_values(&[json!(id)]).unwrap();
        comparison
            .record(id as u64, &key, &record_digest(&json), &json)
            .err()
    });
    assert!(stopped.unwrap().to_string().contains("raise spool_mib"));
    let on_disk = std::fs::metadata(state.body(1)).unwrap().len();
    assert!(on_disk < 2 << 20, "{on_disk}");
    drop(comparison);
    assert!(!state.body(1).exists());
    assert_eq!(state.unfinished().unwrap().len(), 0);
}
