//! A feed that goes to another place than before.

use super::*;

#[tokio::test]
async fn a_feed_that_was_tried_in_the_sandbox_sends_everything_to_main() {
    let Site {
        server,
        provider,
        desk,
    } = site().await;
    write(&desk.path("in/1.csv"), csv(0..20, "A"));
    desk.point(&server, &provider, &format!("section = 'sandbox'\n{REST}"));
    desk.done("once", &[]);
    assert_eq!(state(&provider, "cf_boats").await["records"], 0);
    desk.point(&server, &provider, REST);
    desk.done("once", &[]);
    assert_eq!(state(&provider, "cf_boats").await["records"], 20);
    write(&desk.path("in/2.csv"), csv(0..21, "A"));
    assert_eq!(desk.done("once", &["--reconcile"])["reconciled"]["differing"], 0);
    assert_eq!(state(&provider, "cf_boats").await["records"], 21);
}

#[tokio::test]
async fn another_server_under_the_feeds_address_gets_everything() {
    let Site {
        server,
        provider,
        desk,
    } = site().await;
    write(&desk.path("in/1.csv"), csv(0..20, "A"));
    desk.done("once", &[]);
    let other = crate::server::Server::start();
    let there = other.producer().await;
    other.publish(&there, "cf_boats", DEFINITION).await;
    write(&desk.path("key.pem"), &there.key_pem);
    desk.point(&other, &there, REST);
    desk.done("once", &[]);
    assert_eq!(
        state(&there, "cf_boats").await["digest"],
        state(&provider, "cf_boats").await["digest"]
    );
    drop(server);
}
