//! What removes much is held until somebody decides: by the definition's guard at the server, by the feed's before anything leaves.

use serde_json::json;

use super::{REST, Site, csv, site};
use crate::connector::{Desk, state, until, write};

#[tokio::test]
async fn a_source_that_loses_much_is_held_and_one_command_decides() {
    let Site {
        server: _server,
        provider,
        desk,
    } = site().await;
    write(&desk.path("in/1.csv"), csv(0..100, "A"));
    desk.done("once", &[]);
    write(&desk.path("in/2.csv"), csv(0..60, "A"));
    let (code, held) = desk.answer("once", &[]);
    assert_eq!(code, Some(1));
    assert!(held["held"].is_string(), "{held:#}");
    assert_eq!(desk.status()["state"], "held");
    assert_eq!(state(&provider, "cf_boats").await["records"], 100);
    // While it is held nothing else goes.
    write(&desk.path("in/3.csv"), csv(0..61, "A"));
    assert_eq!(desk.answer("once", &[]).0, Some(1));
    desk.done("reject", &[]);
    assert_eq!(state(&provider, "cf_boats").await["records"], 100);
    let (_, again) = desk.answer("once", &[]);
    assert!(
        again["held"].is_string(),
        "the next file is compared with what the server holds: {again:#}"
    );
    desk.done("release", &[]);
    assert_eq!(state(&provider, "cf_boats").await["records"], 61);
    assert_eq!(desk.done("once", &["--reconcile"])["reconciled"]["differing"], 0);
}

/// A feed may be stricter than its definition: then nothing of the package leaves it.
#[tokio::test]
async fn the_guard_of_a_feed_holds_before_anything_is_sent() {
    let Site {
        server,
        provider,
        desk,
    } = site().await;
    desk.point(&server, &provider, &format!("guard = '2%'\n{REST}"));
    write(&desk.path("in/1.csv"), csv(0..100, "A"));
    desk.done("once", &[]);
    // Less than the definition's ten per cent.
    write(&desk.path("in/2.csv"), csv(3..100, "A"));
    assert_eq!(desk.answer("check", &[]).1["held"], true);
    let (code, held) = desk.answer("once", &[]);
    assert_eq!((code, held["held"].is_string()), (Some(1), true), "{held:#}");
    assert_eq!(desk.status()["state"], "held");
    let unknown = |desk: &Desk| {
        let id = desk.status()["last_package"]["id"].as_str().unwrap().to_owned();
        format!("/intake/cf_boats/packages/{id}")
    };
    assert!(
        provider.client.get(&unknown(&desk)).await.is_err(),
        "nothing was sent"
    );
    desk.done("reject", &[]);
    assert_eq!(state(&provider, "cf_boats").await["records"], 100);
    assert_eq!(desk.status()["last_package"]["state"], "rejected");
    // Of the next one somebody decides while the service runs.
    write(&desk.path("in/3.csv"), csv(4..100, "A"));
    let service = desk.service();
    until("it is held", async || desk.status()["state"] == "held").await;
    desk.done("release", &[]);
    assert!(desk.refused("reject").contains("no package of this feed is held"));
    until("it is applied", async || {
        state(&provider, "cf_boats").await["records"] == 96
    })
    .await;
    desk.until_whole(service, &provider, "cf_boats").await;
    // What the definition's guard holds is held after that of the feed was overruled.
    write(&desk.path("in/4.csv"), csv(50..100, "A"));
    assert_eq!(desk.answer("once", &[]).0, Some(1));
    desk.run("release", &[]);
    assert_eq!(state(&provider, "cf_boats").await["records"], 96);
    assert_eq!(desk.status()["state"], "held");
    desk.done("release", &[]);
    assert_eq!(state(&provider, "cf_boats").await["records"], 50);
    // Nor does a delivery of everything pass it by.
    write(&desk.path("in/5.csv"), csv(50..98, "A"));
    let (code, _) = desk.answer("resync", &["--all", "--yes"]);
    assert_eq!((code, &desk.status()["state"]), (Some(1), &json!("held")));
    assert_eq!(state(&provider, "cf_boats").await["records"], 50);
    desk.done("release", &[]);
    assert_eq!(state(&provider, "cf_boats").await["records"], 48);
    desk.point(&server, &provider, &format!("guard = '2'\n{REST}"));
    assert!(desk.refused("once").contains("write `10%`"));
}
