//! The walk through the README, pasted.

use std::{path::Path, process::Command};

use crate::{seen::not_tried, server::Server};

/// The shell lines of the README's walk, from the first call of the operator on.
fn lines() -> String {
    let readme = include_str!("../../../../README.md");
    let walk = readme.split("## Five minutes by hand").nth(1).unwrap();
    let walk = walk.split("\n## ").next().unwrap();
    let blocks = walk
        .split("```sh\n")
        .skip(2)
        .map(|block| block.split("```").next().unwrap());
    blocks.collect()
}

#[test]
fn the_walk_of_the_readme_can_be_pasted() {
    if Command::new("curl").arg("--version").output().is_err() {
        not_tried("THE README", "the program `curl` is not here");
        return;
    }
    let server = Server::start();
    let place = tempfile::tempdir().unwrap();
    let address = server.data.strip_prefix("http://").unwrap();
    let script = lines().replace("localhost:8480", address);
    let programs = Path::new(env!("CARGO_BIN_EXE_dagr")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-e", "-c", &script])
        .current_dir(place.path())
        .env("PATH", path)
        .env("DAGR_SERVER", &server.data)
        .env("DAGR_DATA", server.dir())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{wrong}");
    let expected = [
        "town_pets published",
        "accepted 2",
        "permission 100002 granted",
        r#"{"Code":"01019012349","Id":"T-1","Species":"dog","Name":"Reksis"}"#,
        r#""code":"permission_field""#,
        r#""Name":"Muris""#,
        "Returning found animals",
        r#""code":"permission_revoked""#,
    ];
    for text in expected {
        assert!(said.contains(text), "{text}:\n{said}{wrong}");
    }
    assert!(!said.contains("+3712"), "the telephone is nobody's business");
}
