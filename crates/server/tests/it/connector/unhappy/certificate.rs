//! The server's certificate runs out, and is renewed.

use super::super::{Desk, state, until, watched, write};
use super::{DEFINITION, csv};
use crate::{
    server::{Party, Server},
    tls::Made,
};

#[tokio::test]
async fn a_certificate_that_ran_out_is_told_and_its_renewal_needs_no_restart() {
    let made = Made::new();
    let mut server = Server::prepared(&[], &made.settings());
    server.ca_pem = Some(made.ca_pem.clone());
    server.launch();
    let provider = server.producer().await;
    server.publish(&provider, "cu_words", DEFINITION).await;
    let desk = Desk::watching(&server, &provider, "cu_words");
    write(&desk.path("ca.pem"), &made.ca_pem);
    desk.drop_in("1.csv", &csv(10));

    // As far as the machine knows, anybody may have issued it.
    let refused = desk.run("once", &[]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("`server.ca` names further authorities"), "{said}");

    desk.aim(&server.data, &provider, &watched("cu_words"), "ca = 'ca.pem'");
    desk.done("once", &[]);
    assert_eq!(state(&provider, "cu_words").await["records"], 10);
    let address = server.data.trim_start_matches("https://").to_owned();
    server.kill();
    made.certify(2020);
    server.set("DAGR_LISTEN__DATA", &address);
    server.launch();
    desk.drop_in("2.csv", &csv(20));
    let service = desk.service();
    let problem = desk.until_problem("has run out").await;
    assert!(problem.contains("renews the certificate"), "{problem}");
    made.certify(4096);
    let provider = Party {
        client: server.again(&provider),
        ..provider
    };
    until("the server serves with the new one", async || {
        provider.client.get("/service_list").await.is_ok()
    })
    .await;
    until("what waited is there", async || {
        state(&provider, "cu_words").await["records"] == 20
    })
    .await;
    desk.until_whole(service, &provider, "cu_words").await;
}
