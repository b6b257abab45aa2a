//! The catalogue of a running server, judged by the shapes of DCAT-AP and not by us.

use std::process::Command;

use super::{runways, shared};
use crate::raw;

const SHAPES: &str = "dcat-ap/shapes-3.0.1.ttl";

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_keeps_the_shapes_of_dcat_ap() {
    let (server, _) = runways::started().await;
    let dir = tempfile::tempdir().unwrap();
    let mut written = Vec::new();
    for (name, media, format) in [
        ("catalogue.ttl", "text/turtle", "turtle"),
        ("catalogue.jsonld", "application/ld+json", "json-ld"),
        ("catalogue.rdf", "application/rdf+xml", "xml"),
    ] {
        let answer = raw::get(&server.anonymous(), &format!("/{name}")).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, media));
        assert!(answer.text().contains("oa_runways"), "{name}");
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
            eprintln!("skipped: the program `pyshacl` is not here (PyPI)");
            return;
        };
        let told = String::from_utf8_lossy(&judged.stdout);
        let error = String::from_utf8_lossy(&judged.stderr);
        assert!(judged.status.success(), "{}: {told}{error}", path.display());
    }
}
