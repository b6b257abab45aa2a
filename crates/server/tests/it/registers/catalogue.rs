//! The catalogue of a running server, judged by the shapes of DCAT-AP and not by us.

use std::process::Command;

use serde_json::json;

use super::{not_tried, runways, shared};
use crate::raw;

const SHAPES: &str = "dcat-ap/shapes-3.0.1.ttl";

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_keeps_the_shapes_of_dcat_ap() {
    let (server, _) = runways::started().await;
    let (institution, system) = ("40003000777", "CAT-SYS");
    let operator = server.operator();
    for (path, body) in [
        (
            "/registry/institutions",
            json!({ "registration_number": institution, "name": "Iestāde" }),
        ),
        (
            "/registry/systems",
            json!({ "institution": institution, "code": system, "name": "Sistēma" }),
        ),
    ] {
        operator.post(path, &body).await.unwrap();
    }
    for (code, state) in [("CAT-API", "in_use"), ("CAT-OLD", "ended")] {
        let body = json!({ "reason": "Sākums", "described": {
            "kind": "api", "system": system, "title_lv": "Saskarne", "title_en": "Interface", "description": "Atbild",
            "address": "https://api.example.lv/v1", "interface": "https://api.example.lv/openapi.json",
            "access": "Līgums", "classification": "restricted", "state": state,
        }});
        let path = format!("/registry/services/{code}");
        operator
            .put(&path, "application/json", body.to_string())
            .await
            .unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let mut written = Vec::new();
    for (name, media, format) in [
        ("catalogue.ttl", "text/turtle", "turtle"),
        ("catalogue.jsonld", "application/ld+json", "json-ld"),
        ("catalogue.rdf", "application/rdf+xml", "xml"),
    ] {
        let answer = raw::get(&server.anonymous(), &format!("/{name}")).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, media));
        let text = answer.text();
        assert!(text.contains("oa_runways"), "{name}");
        assert!(
            text.contains("CAT-API") && text.contains("https://api.example.lv/v1"),
            "{name}"
        );
        assert!(!text.contains("CAT-OLD"), "{name}: it has ended");
        let path = dir.path().join(name);
        std::fs::write(&path, &answer.body).unwrap();
        written.push((path, format));
    }
    let wrong = raw::get(&server.anonymous(), "/catalogue.ttl?x=1").await;
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "query_invalid"));
    let Some(shapes) = shared(SHAPES) else { return };
    for (path, format) in written {
        let judged = Command::new("pyshacl")
            .args(["-df", format, "-s"])
            .arg(&shapes)
            .arg(&path)
            .output();
        let Ok(judged) = judged else {
            not_tried("SHACL", "the program `pyshacl` is not here (PyPI)");
            return;
        };
        let told = String::from_utf8_lossy(&judged.stdout);
        let error = String::from_utf8_lossy(&judged.stderr);
        assert!(judged.status.success(), "{}: {told}{error}", path.display());
    }
}
