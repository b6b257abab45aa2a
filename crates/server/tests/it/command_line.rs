//! The command line: words, answers, exit codes.

use std::{os::unix::fs::PermissionsExt, process::Output};

use serde_json::Value;

use crate::server::{Server, dagr};

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs it, wants success, gives its JSON.
fn json(server: &Server, words: &[&str]) -> Value {
    let output = server.run(&[words, &["--json"]].concat());
    assert_eq!(code(&output), 0, "{words:?}: {}{}", out(&output), err(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn wrong_words_are_2() {
    for words in [
        &["serv"] as &[&str],
        &[],
        &["institution", "create"],
        &["token", "--client-id", "x"],
    ] {
        assert_eq!(code(&dagr().args(words).output().unwrap()), 2, "{words:?}");
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("secrets")).unwrap();
    std::fs::write(dir.path().join("secrets/operator-token"), "x").unwrap();
    let output = dagr()
        .args(["permission", "create", "--data"])
        .arg(dir.path())
        .output()
        .unwrap();
    assert_eq!(code(&output), 2, "{}", err(&output));
}

#[test]
fn without_a_server_or_a_token_it_is_1() {
    let dir = tempfile::tempdir().unwrap();
    let output = dagr()
        .args(["institution", "list", "--data"])
        .arg(dir.path())
        .output()
        .unwrap();
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("operator-token"), "{}", err(&output));
    std::fs::create_dir(dir.path().join("secrets")).unwrap();
    std::fs::write(dir.path().join("secrets/operator-token"), "x").unwrap();
    let words = ["institution", "list", "--server", "http://127.0.0.1:1", "--data"];
    let output = dagr().args(words).arg(dir.path()).output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("cannot reach"), "{}", err(&output));
}

#[test]
fn a_definition_is_tried_without_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("d.yaml");
    std::fs::write(&file, "name: pets\nky: Code\nfields:\n  - Code txt! : the code\n").unwrap();
    let output = dagr().args(["dataset", "check"]).arg(&file).output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(
        err(&output).contains("line 2") && err(&output).contains("line 4"),
        "{}",
        err(&output)
    );
    let output = dagr()
        .args(["dataset", "check", "--json"])
        .arg(&file)
        .output()
        .unwrap();
    let problem: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(problem["errors"].as_array().unwrap().len() >= 2);
    assert_eq!(
        code(
            &dagr()
                .args(["dataset", "check", "/nonexistent"])
                .output()
                .unwrap()
        ),
        1
    );
}

#[test]
fn the_configuration_is_checked_and_printed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dagr.toml");
    std::fs::write(&file, "[limits]\ndrain_s = 7\n").unwrap();
    let with = |words: &[&str]| dagr().args(words).arg("--config").arg(&file).output().unwrap();
    assert_eq!(code(&with(&["config", "check"])), 0);
    assert!(out(&with(&["config", "print"])).contains("drain_s = 7"));
    std::fs::write(&file, "[limits]\ndrain_ss = 7\n[logs]\n").unwrap();
    let output = with(&["config", "check"]);
    assert_eq!(code(&output), 1);
    assert!(
        err(&output).contains("limits.drain_ss") && err(&output).contains("logs"),
        "{}",
        err(&output)
    );
    let absent = dagr()
        .args(["config", "check", "--config", "/nonexistent.toml"])
        .output()
        .unwrap();
    assert_eq!(code(&absent), 1);
}

#[test]
fn from_an_institution_to_a_token() {
    let server = Server::start();
    json(
        &server,
        &[
            "institution",
            "create",
            "40000000001",
            "Rīgas dome",
            "--kind",
            "municipality",
        ],
    );
    json(
        &server,
        &["system", "create", "RD", "Rīga", "--institution", "40000000001"],
    );
    let key = server.dir().join("key.pem");
    let key = key.to_str().unwrap();
    let words = [
        "connection",
        "create",
        "rd-1",
        "--system",
        "RD",
        "--kind",
        "consumer",
        "--generate-key",
        key,
    ];
    let view = json(&server, &words);
    assert_eq!(view["certificates"].as_array().unwrap().len(), 1, "{view}");
    assert_eq!(
        std::fs::metadata(key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        json(&server, &["connection", "list"])["connections"][0]["client_id"],
        "rd-1"
    );

    let token = server.run(&["token", "--client-id", "rd-1", "--key", key]);
    assert_eq!(code(&token), 0, "{}", err(&token));
    assert_eq!(out(&token).trim().split('.').count(), 3);

    let again = server.run(&["institution", "create", "40000000001", "Rīgas dome"]);
    assert_eq!(code(&again), 1);
    assert!(err(&again).contains("409 exists"), "{}", err(&again));
    let again = server.run(&["institution", "create", "40000000001", "Rīgas dome", "--json"]);
    let problem: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((code(&again), &problem["code"]), (1, &Value::from("exists")));
    let shown = server.run(&["institution", "list"]);
    let listed = out(&shown).lines().any(|line| {
        // Columns are as wide as their headings: only the words count.
        line.split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .eq(["40000000001", "Rīgas dome", "municipality"])
    });
    assert!(listed, "{}", out(&shown));
    let trail = json(&server, &["audit"]);
    assert!(trail["entries"].as_array().unwrap().len() >= 4, "{trail}");
}
