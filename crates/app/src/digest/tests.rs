use std::collections::{BTreeMap, BTreeSet};

use dagr_model::{digest::record_digest, ids::Section::Main};

use super::*;
use crate::{
    changes::ChangesQuery,
    ctx::{Caller, ConnectionKind},
    testing::{STRANGER, World},
};

mod again;
mod reader;

use reader::{Copy, Dice, Range};

const PERSONS: &str = "name: persons
key: Code(, Year)
fields:
  - Year int : gads
  - Code : kods
  - Name : vārds
  - Town : vieta
  - Secret : slepens
subject: Code
";

/// Scopes of the permission: everything, some keys, a condition on a field that is hidden.
fn scopes() -> [Value; 3] {
    [
        Value::Null,
        json!({ "keys": [["a"], ["c", 2], ["d"]] }),
        json!({ "when": "record.Town == 'in'" }),
    ]
}

async fn world(scope: &Value) -> (World, Ctx) {
    let world = World::new().await;
    world.publish(PERSONS).await;
    let create = json!({
        "dataset": "persons", "recipient": STRANGER, "environment": "main", "purpose": "p", "legal_basis": "l",
        "fields": ["Code", "Year", "Name"], "scope": scope, "ways": ["changes"],
    });
    let create = serde_json::from_value(create).unwrap();
    let operator = world.operator();
    let made = world.app.permission_create(&operator, &create).await.unwrap();
    let ctx = Ctx {
        permission: Some(made.value.number.to_string()),
        ..world.connection(STRANGER, ConnectionKind::Consumer)
    };
    (world, ctx)
}

fn record(code: &str, year: u64, name: &str, town: &str, secret: u64) -> String {
    let record =
        json!({ "Code": code, "Year": year, "Name": name, "Town": town, "Secret": secret.to_string() });
    json!({ "op": "upsert", "record": record }).to_string()
}

fn gone(code: &str, year: u64) -> String {
    json!({ "op": "delete", "key": { "Code": code, "Year": year } }).to_string()
}

/// Some operations; `hidden` makes what no permission here shows.
fn operations(dice: &mut Dice, hidden: &mut Dice, count: u64) -> Vec<String> {
    (0..count)
        .map(|_| {
            let code = ["a", "b", "c", "d", "e"][dice.below(5) as usize];
            let (year, kind) = (dice.below(4), dice.below(4));
            let (name, town) = (["x", "y"][dice.below(2) as usize], dice.below(3) == 0);
            if kind == 0 {
                return gone(code, year);
            }
            record(code, year, name, if town { "out" } else { "in" }, hidden.below(3))
        })
        .collect()
}

async fn deliver(world: &World, id: &str, lines: &[String]) {
    // Nothing held: the guard is met by an empty set only.
    let done = world
        .deliver("persons", id, &(lines.join("\n") + "\n"))
        .await
        .unwrap();
    if done.status == 202 {
        world
            .app
            .package_confirm(&world.producer(), Main, "persons", id)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_providers_digest_is_that_of_its_state_cut_into_pieces() {
    let (world, _) = world(&Value::Null).await;
    let (mut dice, producer) = (Dice::new(7), world.producer());
    let ask = async |range: &Range| {
        world
            .app
            .set_digest(&producer, Main, "persons", range.asked())
            .await
            .unwrap()
    };
    let empty = ask(&Range::default()).await;
    assert_eq!(
        (&empty["records"], &empty["parts"]),
        (
            &json!(0),
            &json!([{ "from": null, "to": null, "key": null, "records": 0, "digest": "0".repeat(64) }])
        )
    );
    deliver(&world, "p", &operations(&mut dice, &mut Dice::new(1), 60)).await;
    let state = world.app.set_state(&producer, Main, "persons").await.unwrap();
    let records = state["records"].as_u64().unwrap();
    assert!(records > 8, "{state}");
    for parts in [1, 2, 5, 256] {
        let range = Range {
            parts: Some(parts),
            ..Range::default()
        };
        let whole = ask(&range).await;
        for member in ["epoch", "last_sequence", "records", "digest"] {
            assert_eq!(whole[member], state[member], "{member}");
        }
        let told = whole["parts"].as_array().unwrap();
        assert_eq!(told.len() as u64, parts.min(records));
        for part in told {
            let one = ask(&Range {
                from: part["from"].as_object().cloned(),
                to: part["to"].as_object().cloned(),
                parts: Some(1),
            })
            .await;
            assert_eq!(
                (&one["records"], &one["digest"]),
                (&part["records"], &part["digest"])
            );
            assert_eq!(&one["parts"][0], part);
            assert_eq!(
                part["key"].is_object(),
                part["records"] == 1,
                "one record is named"
            );
            if part["key"].is_object() && part["from"].is_object() {
                assert_eq!(part["key"], part["from"], "a piece begins with its record");
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_a_range_is_refused_with_every_fault() {
    let (world, ctx) = world(&Value::Null).await;
    let object = |value: Value| value.as_object().cloned();
    let wrong = DigestRange {
        from: object(json!({ "Code": "a" })),
        to: object(json!({ "Code": "a", "Year": "x", "Town": "t" })),
        parts: None,
    };
    let app = &world.app;
    let problem = app
        .set_digest(&world.producer(), Main, "persons", wrong.clone())
        .await;
    let places = |problem: Problem| -> (u16, Vec<String>) {
        let places = problem.faults.into_iter().map(|fault| fault.place);
        (problem.status, places.collect())
    };
    let expected = (
        400,
        vec!["from.Year".to_owned(), "to.Town".to_owned(), "to.Year".to_owned()],
    );
    let provider = places(problem.unwrap_err());
    deliver(&world, "p", &[record("a", 1, "x", "in", 0)]).await;
    let mut copy = Copy::new(&world, &ctx);
    while !copy.page(3).await {}
    let asked = |range: DigestRange| ToldDigest {
        after: copy.after.clone().unwrap(),
        range,
        fields: None,
    };
    let reader = places(
        app.told_digest(&ctx, Main, "persons", asked(wrong))
            .await
            .unwrap_err(),
    );
    assert_eq!(provider.0, expected.0);
    assert_eq!(provider, reader);
    assert!(
        provider.1.contains(&expected.1[0]) && provider.1.len() >= 2,
        "{provider:?}"
    );
    for parts in [0, 257] {
        let range = DigestRange {
            parts: Some(parts),
            ..DigestRange::default()
        };
        let problem = app.told_digest(&ctx, Main, "persons", asked(range.clone())).await;
        assert_eq!(places(problem.unwrap_err()), (422, vec!["parts".to_owned()]));
        let problem = app.set_digest(&world.producer(), Main, "persons", range).await;
        assert_eq!(places(problem.unwrap_err()), (422, vec!["parts".to_owned()]));
    }
    let backwards = DigestRange {
        from: object(json!({ "Code": "b", "Year": 1 })),
        to: object(json!({ "Code": "a", "Year": 2 })),
        parts: None,
    };
    let problem = app
        .set_digest(&world.producer(), Main, "persons", backwards)
        .await;
    assert_eq!(places(problem.unwrap_err()), (400, vec!["from".to_owned()]));
}

/// A reader that follows a page at a time: the digest told is that of its own copy without what is yet to come, and
/// something is to come exactly when the feed then tells something of the range.
#[tokio::test]
async fn a_readers_digest_is_that_of_its_copy() {
    let mut compared = [0, 0];
    for (seed, scope) in scopes().iter().cycle().take(9).enumerate() {
        let (world, ctx) = world(scope).await;
        let (mut dice, mut hidden) = (Dice::new(seed as u64), Dice::new(1));
        let mut copy = Copy::new(&world, &ctx);
        for step in 0..12 {
            deliver(
                &world,
                &format!("p{step}"),
                &operations(&mut dice, &mut hidden, 6),
            )
            .await;
            while step == 0 && !copy.page(3).await {}
            // Mostly behind, so that much comes and goes before its page is read.
            for _ in 0..dice.below(3) {
                copy.page(1 + dice.below(2)).await;
            }
            let after = copy.after.clone().unwrap();
            for _ in 0..8 {
                let range = Range::random(&mut dice);
                let told = copy.digest(&after, &range).await;
                let mut ahead = copy.clone();
                let mut yet = BTreeSet::new();
                loop {
                    let end = ahead.page(50).await;
                    yet.extend(
                        ahead
                            .last
                            .iter()
                            .filter(|key| ahead.in_range(key, &range))
                            .cloned(),
                    );
                    if end {
                        break;
                    }
                }
                let changed = !yet.is_empty();
                assert_eq!(
                    told["changed"],
                    json!(changed),
                    "seed {seed}, step {step}, {range:?}"
                );
                copy.agrees(&told, &range, &yet);
                compared[usize::from(changed)] += 1;
            }
        }
        while !copy.page(50).await {}
        let told = copy.digest(&copy.after.clone().unwrap(), &Range::default()).await;
        assert_eq!(told["changed"], json!(false));
        copy.agrees(&told, &Range::default(), &BTreeSet::new());
    }
    assert!(compared[0] > 50 && compared[1] > 50, "{compared:?}");
}

/// Two worlds that differ only in a hidden field, in records outside the scope and in how often those changed.
#[tokio::test]
async fn hidden_differences_change_no_byte() {
    for (seed, scope) in scopes().iter().enumerate() {
        let (one, two) = (world(scope).await, world(scope).await);
        let mut copies = (Copy::new(&one.0, &one.1), Copy::new(&two.0, &two.1));
        let (mut dice, mut other) = (Dice::new(seed as u64 + 20), Dice::new(99));
        for step in 0..8 {
            let mut again = dice.clone();
            deliver(
                &one.0,
                &format!("p{step}"),
                &operations(&mut dice, &mut Dice::new(1), 5),
            )
            .await;
            deliver(
                &two.0,
                &format!("p{step}"),
                &operations(&mut again, &mut other, 5),
            )
            .await;
            noise(&two.0, scope, &format!("n{step}"), &mut other).await;
            if step % 2 == 0 {
                while !copies.0.page(50).await {}
                while !copies.1.page(50).await {}
                noise(&two.0, scope, &format!("m{step}"), &mut other).await;
            }
            for _ in 0..4 {
                let range = Range::random(&mut dice);
                let (a, b) = (copies.0.after.clone().unwrap(), copies.1.after.clone().unwrap());
                let told = copies.0.digest(&a, &range).await;
                assert_eq!(
                    told,
                    copies.1.digest(&b, &range).await,
                    "seed {seed}, step {step}"
                );
            }
        }
    }
}

/// Changes that the permission does not show.
async fn noise(world: &World, scope: &Value, id: &str, dice: &mut Dice) {
    let mut lines = Vec::new();
    if !scope["keys"].is_null() {
        lines.push(record("e", dice.below(4), "n", "in", dice.below(9)));
        lines.push(record("c", 1, "n", "in", dice.below(9)));
    }
    if !scope["when"].is_null() {
        lines.push(record("f", dice.below(4), "n", "out", dice.below(9)));
        lines.push(gone("f", dice.below(4)));
    }
    let stored = Copy::stored(world);
    for mut record in stored {
        record["Secret"] = dice.below(9).to_string().into();
        lines.push(json!({ "op": "upsert", "record": record }).to_string());
    }
    if !lines.is_empty() {
        deliver(world, id, &lines).await;
    }
}

#[tokio::test]
async fn a_first_load_is_finished_first() {
    let (world, ctx) = world(&Value::Null).await;
    let lines: Vec<String> = (0..9).map(|year| record("a", year, "x", "in", 0)).collect();
    deliver(&world, "p", &lines).await;
    let mut copy = Copy::new(&world, &ctx);
    copy.page(2).await;
    let asked = ToldDigest {
        after: copy.after.clone().unwrap(),
        ..ToldDigest::default()
    };
    let problem = world
        .app
        .told_digest(&ctx, Main, "persons", asked)
        .await
        .unwrap_err();
    assert_eq!((problem.status, problem.code), (409, "state_conflict"));
    assert!(problem.detail.contains("first load"), "{}", problem.detail);
    let asked = ToldDigest {
        after: "x".to_owned(),
        ..ToldDigest::default()
    };
    let problem = world
        .app
        .told_digest(&ctx, Main, "persons", asked)
        .await
        .unwrap_err();
    assert_eq!((problem.status, problem.code), (400, "cursor_invalid"));
}

#[tokio::test]
async fn nobody_has_more_than_a_share_of_the_turns() {
    let (world, ctx) = world(&Value::Null).await;
    let set = Arc::clone(world.app.catalog().live(Main, "persons").unwrap());
    let turns = Turns::default();
    let one = turns.begin(&ctx, &set).await.unwrap();
    let _two = turns.begin(&ctx, &set).await.unwrap();
    let refused = turns.begin(&ctx, &set).await.err().unwrap();
    assert_eq!((refused.status, refused.code), (429, "too_many_at_once"));
    let producer = world.producer();
    let _others = (
        turns.begin(&producer, &set).await.unwrap(),
        turns.begin(&producer, &set).await.unwrap(),
    );
    assert_eq!(turns.of_connections.available_permits(), 0);
    drop(one);
    assert!(turns.begin(&ctx, &set).await.is_ok(), "one has ended");
}

#[tokio::test]
async fn open_sets_take_no_turn_from_those_who_are_known() {
    let (world, ctx) = world(&Value::Null).await;
    let live = |name: &str| Arc::clone(world.app.catalog().live(Main, name).unwrap());
    let anybody = world.ctx(Caller::Anonymous);
    let (turns, mut strangers) = (Turns::default(), Vec::new());
    for name in ["one", "two"] {
        let text = format!("name: {name}\nkey: Mark\nclassification: open\nfields:\n  - Mark : zīme\n");
        world.publish(&text).await;
        for _ in 0..EACH {
            strangers.push(turns.begin(&anybody, &live(name)).await.unwrap());
        }
    }
    assert_eq!(turns.of_open_sets.available_permits(), 0);
    assert!(turns.begin(&ctx, &live("persons")).await.is_ok());
    let producer = &world.producer().connection().unwrap().client_id.clone();
    assert!(turns.begin_own(producer).await.is_ok(), "of an open set too");
}
