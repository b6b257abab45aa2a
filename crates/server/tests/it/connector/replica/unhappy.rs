//! What goes wrong outside a replica ends in a state that says what it is, and passes without loss.

use serde_json::json;

use super::{SQLITE, ask, site};
use crate::{
    connector::{until, write},
    full_disk::SmallDisk,
};

#[tokio::test]
async fn credentials_that_were_withdrawn_stop_a_copy_until_they_are_back() {
    let mut site = site().await;
    site.upserts(0..50, 1).await;
    let desk = site.desk(SQLITE);
    desk.done("once", &[]);
    let operator = site.server.operator();
    let path = format!("/registry/connections/{}", site.reader.client_id);
    let view = operator.get(&path).await.unwrap();
    let sha256 = view["certificates"][0]["sha256"].as_str().unwrap();
    operator
        .delete(&format!("{path}/certificates/{sha256}"))
        .await
        .unwrap();
    site.upserts(40..60, 2).await;
    let output = desk.run("once", &["--json"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.code() == Some(1) && told.contains("invalid_client"),
        "{told}"
    );
    assert_eq!(ask(&desk, "SELECT count(*) FROM cr_people"), ["50"]);
    // Another key for the same connection.
    let made = dagr_server::keys::generate(&site.reader.client_id).unwrap();
    let certificate = made.certificate_pem;
    operator
        .put(
            &format!("{path}/certificate"),
            "application/x-pem-file",
            certificate,
        )
        .await
        .unwrap();
    write(&desk.path("key.pem"), &made.key_pem);
    desk.done("once", &[]);
    assert_eq!(ask(&desk, "SELECT count(*) FROM cr_people"), ["60"]);
    assert_eq!(desk.done("verify", &[])["repaired"], json!(0));
}

/// The copy has no room for the word either: it stands beside it, where its room was taken before.
#[tokio::test]
async fn a_copy_whose_disk_is_full_says_so_and_goes_on() {
    let mut site = site().await;
    site.upserts(0..50, 1).await;
    let desk = site.desk("kind = 'sqlite'\npath = 'small/copy.db'\n");
    std::fs::create_dir(desk.path("small")).unwrap();
    let Some(disk) = SmallDisk::mount(&desk.path("small")) else {
        return;
    };
    let mut service = desk.service();
    let current = async || desk.status()["state"] == "current";
    until("the copy is there", current).await;
    disk.fill(0);
    site.upserts(40..20_000, 2).await;
    desk.until_problem("full").await;
    assert_eq!(desk.status()["state"], "problem");
    disk.empty();
    until("it goes on", current).await;
    assert_eq!(service.stop(), Some(0));
    assert_eq!(desk.done("verify", &[])["repaired"], json!(0));
    assert_eq!(desk.done("status", &[])["records"], json!(20_000));
}
