//! 24 versions of the Swedish aircraft register, delivered in order as snapshots under one definition.

use std::collections::BTreeSet;

use http::Method;

use super::{
    Replica, deliver, figure,
    independent::{self, Column, Kind},
    state, unpack,
};
use crate::{
    connector::{Desk, watched},
    raw,
    server::Server,
};

const DEFINITION: &str = r#"
name: ts_aircraft
key: code
data_description: Luftfartygsregistret
fields:
  - code : Registreringsbeteckning
  - Deregistered date : Avregistrerad
  - Reason : Orsak
  - Country : Land
  - Kind : Luftfartygstyp
  - Serial : Tillverkningsnummer
  - Year int : Tillverkningsår
  - MaxWeight decimal : Max startvikt (kg)
  - AirworthyUntil date : Luftvärdighetshandling giltig t.o.m.
  - Registered date : Registreringsdatum
  - Owners int : Antal ägare
csv:
  decimal: comma
  ignore: [""]
  columns:
    "Avregistrerad": Deregistered
    "Orsak": Reason
    "Land": Country
    "Luftfartygstyp": Kind
    "Tillverkningsnummer": Serial
    "Tillverkningsår": Year
    "Max startvikt (kg)": MaxWeight
    "Luftvärdighetshandling giltig t.o.m.": AirworthyUntil
    "Registreringsdatum": Registered
    "owners_amount": Owners
"#;

const COLUMNS: [Column; 11] = [
    ("code", "code", Kind::Text),
    ("Avregistrerad", "Deregistered", Kind::Text),
    ("Orsak", "Reason", Kind::Text),
    ("Land", "Country", Kind::Text),
    ("Luftfartygstyp", "Kind", Kind::Text),
    ("Tillverkningsnummer", "Serial", Kind::Text),
    ("Tillverkningsår", "Year", Kind::Int),
    ("Max startvikt (kg)", "MaxWeight", Kind::Decimal),
    (
        "Luftvärdighetshandling giltig t.o.m.",
        "AirworthyUntil",
        Kind::Text,
    ),
    ("Registreringsdatum", "Registered", Kind::Text),
    ("owners_amount", "Owners", Kind::Int),
];

/// Exact copies collapse; the test data have no others.
fn distinct(text: &str) -> BTreeSet<String> {
    independent::records(text, &COLUMNS).into_iter().collect()
}

fn digest(records: &BTreeSet<String>) -> String {
    independent::digest(records.iter().map(String::as_str))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_from_changes_alone_is_every_version() {
    let Some(mut versions) = unpack("aircraft-se.tar.xz") else {
        return;
    };
    // The second of one day comes after the first.
    versions.sort_by_key(|(name, _)| name.replace("b.csv", "~"));
    assert_eq!(versions.len(), 24);
    let server = Server::start();
    let (provider, recipient) = (server.producer().await, server.consumer().await);
    server.publish(&provider, "ts_aircraft", DEFINITION).await;
    let reader = server
        .grant(&recipient, "ts_aircraft", &["changes"], serde_json::json!({}))
        .await;
    let mut copy = Replica::default();
    let mut gone = Vec::new();
    for (name, body) in &versions {
        let text = std::str::from_utf8(body).unwrap();
        let rows = independent::records(text, &COLUMNS).len();
        let records = distinct(text);
        let path = format!("/intake/ts_aircraft/packages/{name}?mode=snapshot");
        let receipt = deliver(&provider, &path, "text/csv; charset=utf-8", body.clone()).await;
        assert_eq!(receipt.status, 200, "{name}: {}", receipt.text());
        let receipt = receipt.json();
        assert_eq!(receipt["received"], rows, "{name}");
        assert_eq!(receipt["duplicates"], rows - records.len(), "{name}");
        assert_eq!(receipt["quarantined"], 0, "{name}");
        let heard = copy.follow(&reader, "ts_aircraft").await;
        assert_eq!(copy.digest(), digest(&records), "{name}");
        assert_eq!(
            state(&provider, "ts_aircraft").await["digest"],
            digest(&records),
            "{name}"
        );
        assert_eq!(receipt["deleted"], heard.deleted.len(), "{name}");
        assert_eq!(
            receipt["accepted"],
            heard.told - heard.deleted.len(),
            "{name}: each is told once"
        );
        if name.contains("2022-11-10") {
            assert_eq!(heard.deleted.len(), 65);
            gone = heard.deleted;
            gone.sort();
        } else if name.contains("2022-11-11") {
            let mut back = heard.new;
            back.sort();
            assert_eq!(back, gone, "exactly those are brought back");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_cut_to_85_per_cent_is_held() {
    let Some(versions) = unpack("aircraft-se.tar.xz") else {
        return;
    };
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "ts_aircraft", DEFINITION).await;
    let whole = String::from_utf8(versions[0].1.clone()).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let cut = lines[..=(lines.len() - 1) * 85 / 100].concat();
    let media_type = "text/csv";
    let first = "/intake/ts_aircraft/packages/whole?mode=snapshot";
    assert_eq!(
        deliver(&provider, first, media_type, whole.clone().into())
            .await
            .status,
        200
    );
    let before = state(&provider, "ts_aircraft").await;
    let would_delete = distinct(&whole).len() - distinct(&cut).len();
    let path = "/intake/ts_aircraft/packages/cut?mode=snapshot";
    let act = async |verb: &str| {
        let path = format!("/intake/ts_aircraft/packages/cut/{verb}");
        raw::call(&provider.client, Method::POST, &path, &[], None).await
    };
    for verb in ["reject", "confirm"] {
        for _ in 0..2 {
            let held = deliver(&provider, path, media_type, cut.clone().into()).await;
            assert_eq!(held.status, 202, "{}", held.text());
            let held = held.json();
            assert_eq!(
                (&held["package_id"], &held["state"], &held["would_delete"]),
                (&"cut".into(), &"held".into(), &would_delete.into())
            );
        }
        assert_eq!(
            state(&provider, "ts_aircraft").await,
            before,
            "a held package changes nothing"
        );
        let done = act(verb).await;
        assert_eq!(done.status, 200, "{}", done.text());
        if verb == "reject" {
            assert_eq!(done.json()["state"], "rejected");
            assert_eq!(state(&provider, "ts_aircraft").await, before);
        } else {
            assert_eq!(done.json()["deleted"], would_delete);
        }
        let again = act(verb).await;
        assert_eq!((again.status, again.code().as_str()), (409, "package_not_held"));
    }
    assert_eq!(
        state(&provider, "ts_aircraft").await["digest"],
        digest(&distinct(&cut))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_dropped_into_a_watched_directory_are_each_the_set() {
    let Some(mut versions) = unpack("aircraft-se.tar.xz") else {
        return;
    };
    versions.sort_by_key(|(name, _)| name.replace("b.csv", "~"));
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "ts_aircraft", DEFINITION).await;
    let desk = Desk::watching(&server, &provider, "ts_aircraft");
    // Some versions do not have them.
    let rest = watched("ts_aircraft") + "[map]\noptional = ['Deregistered', 'Reason']\n";
    desk.point(&server, &provider, &rest);
    let mut sent = 0;
    for (at, (name, body)) in versions.iter().enumerate() {
        desk.drop_in(&format!("{at:02}-{name}"), body);
        let done = desk.done("once", &["--reconcile"]);
        let records = distinct(std::str::from_utf8(body).unwrap());
        assert_eq!(done["reconciled"]["digest"], digest(&records), "{name}: {done:#}");
        assert_eq!(
            state(&provider, "ts_aircraft").await["digest"],
            digest(&records),
            "{name}"
        );
        sent += done["upserts"].as_u64().unwrap() + done["deletes"].as_u64().unwrap();
    }
    figure(&format!(
        "24 versions of the aircraft register: {sent} operations sent"
    ));
}
