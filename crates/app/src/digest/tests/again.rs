//! What happens while a digest waits for its turn, or between two stretches of it.

use std::pin::pin;

use dagr_model::ids::PermissionNumber;
use futures_util::poll;

use super::*;
use crate::testing::{hold_reader, with_one_reader};

async fn loaded<'w>(world: &'w World, ctx: &Ctx, years: u64) -> Copy<'w> {
    let lines: Vec<String> = (0..years).map(|year| record("a", year, "x", "in", 0)).collect();
    deliver(world, "first", &lines).await;
    let mut copy = Copy::new(world, ctx);
    while !copy.page(10_000).await {}
    copy
}

fn asked(copy: &Copy<'_>) -> ToldDigest {
    ToldDigest {
        after: copy.after.clone().unwrap(),
        ..ToldDigest::default()
    }
}

/// Fields go: what is being read may be shown no longer.
async fn narrow(world: &World, ctx: &Ctx) {
    let number = PermissionNumber::new(ctx.permission.clone().unwrap());
    let patch = serde_json::from_value(json!({ "fields": ["Code", "Year"] })).unwrap();
    let operator = world.operator();
    let changed = world
        .app
        .permission_update(&operator, number.as_str(), &patch, None)
        .await;
    changed.unwrap();
}

#[tokio::test]
async fn it_is_decided_anew_when_its_turn_comes() {
    for withdrawn in [true, false] {
        let (world, ctx) = world(&Value::Null).await;
        let copy = loaded(&world, &ctx, 3).await;
        let set = Arc::clone(world.app.catalog().live(Main, "persons").unwrap());
        let mut turns = Vec::new();
        for other in 0..AT_ONCE {
            let other = world.connection(&other.to_string(), ConnectionKind::Consumer);
            turns.push(world.app.digests.begin(&other, &set).await.unwrap());
        }
        let mut digest = pin!(world.app.told_digest(&ctx, Main, "persons", asked(&copy)));
        assert!(poll!(&mut digest).is_pending());
        let expected = if withdrawn {
            world.withdraw(&ctx);
            (401, "token_invalid")
        } else {
            narrow(&world, &ctx).await;
            (409, "state_conflict")
        };
        drop(turns);
        let problem = digest.await.unwrap_err();
        assert_eq!((problem.status, problem.code), expected);
    }
}

#[test]
fn it_is_decided_anew_before_it_is_given() {
    with_one_reader(async {
        let (world, ctx) = world(&Value::Null).await;
        let copy = loaded(&world, &ctx, 3).await;
        let mut digest = pin!(world.app.told_digest(&ctx, Main, "persons", asked(&copy)));
        let go = hold_reader();
        assert!(poll!(&mut digest).is_pending(), "to be read");
        world.withdraw(&ctx);
        go.send(()).unwrap();
        let problem = digest.await.unwrap_err();
        assert_eq!((problem.status, problem.code), (401, "token_invalid"));
    });
}

#[test]
fn what_changes_between_two_stretches_is_yet_to_be_told() {
    with_one_reader(async {
        let (world, ctx) = world(&Value::Null).await;
        let copy = loaded(&world, &ctx, 2_500).await;
        let mut digest = pin!(world.app.told_digest(&ctx, Main, "persons", asked(&copy)));
        assert!(poll!(&mut digest).is_pending());
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        // One that was read, and one that is to come.
        deliver(&world, "more", &[gone("a", 5), record("a", 2_400, "y", "in", 0)]).await;
        let answer = digest.await.unwrap();
        let told: Value = serde_json::from_slice(&answer.get().body).unwrap();
        assert_eq!(
            (&told["records"], &told["changed"]),
            (&json!(2_499), &json!(true))
        );
    });
}
