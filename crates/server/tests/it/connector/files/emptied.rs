//! A set that counts anew, because another definition emptied it: what was sent says nothing of it any more.

use serde_json::json;

use super::{DEFINITION, Site, csv, taken};
use crate::{
    connector::{state, until, write},
    server::Party,
};

/// A definition under which the old records cannot stay: the feed sends them again, though for itself nothing has changed.
#[tokio::test]
async fn a_set_that_was_emptied_by_another_definition_is_filled_again() {
    let Site {
        server,
        provider,
        desk,
    } = taken().await;
    let emptied = async |other: &str| {
        server.publish(&provider, "cf_boats", other).await;
        assert_eq!(state(&provider, "cf_boats").await["records"], 0);
    };
    let named = DEFINITION.replace("- Name :", "- Name! :");
    emptied(&named).await;
    let done = desk.done("once", &["--reconcile"]);
    assert_eq!(
        (&done["upserts"], &done["reconciled"]["differing"]),
        (&json!(20), &json!(0)),
        "{done:#}"
    );
    assert_eq!(desk.done("once", &[])["upserts"], 0, "once");
    // A service meets it when it sends something, or within a minute.
    let service = desk.service();
    emptied(&named.replace("- Length decimal :", "- Length decimal! :")).await;
    write(&desk.path("in/2.csv"), csv(0..21, "A"));
    until("everything is there again", async || {
        state(&provider, "cf_boats").await["records"] == 21
    })
    .await;
    desk.until_whole(service, &provider, "cf_boats").await;
}

/// A package waits that would follow what is not there any more; what is there is another's.
#[tokio::test]
async fn a_set_that_others_fill_while_a_package_waits_is_put_right() {
    let Site {
        mut server,
        provider,
        desk,
    } = taken().await;
    server.stays();
    let address = server.data.clone();
    server.kill();
    write(&desk.path("in/2.csv"), csv(0..22, "A"));
    assert_eq!(desk.answer("once", &[]).0, Some(1));
    assert_eq!(desk.status()["waiting"], 1);
    server.launch();
    assert_eq!(server.data, address, "another address would be asked anyway");
    let provider = Party {
        client: server.again(&provider),
        ..provider
    };
    let named = DEFINITION.replace("- Name :", "- Name! :");
    server.publish(&provider, "cf_boats", &named).await;
    let others = r#"{"op":"upsert","record":{"Number":7,"Name":"svešs"}}"#;
    let path = "/intake/cf_boats/packages/others";
    let sent = provider.client.put(path, "application/x-ndjson", others).await;
    sent.unwrap();
    desk.answer("once", &[]);
    let done = desk.done("once", &["--reconcile"]);
    assert_eq!(done["reconciled"]["differing"], 0, "{done:#}");
    assert_eq!(state(&provider, "cf_boats").await["records"], 22);
}
