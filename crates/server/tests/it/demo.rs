//! The demo: built from nothing, told twice, and its lines pasted into a shell.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use crate::{seen::not_tried, server::dagr};

/// Small enough to be told in seconds, large enough that every part is played.
const PERSONS: &str = "300";

fn demo(dir: &Path, words: &[&str]) -> Command {
    let mut command = dagr();
    command
        .args(["demo", "--listen", "127.0.0.1:0"])
        .args(words)
        .current_dir(dir);
    command
}

fn told(dir: &Path) -> String {
    let output = demo(dir, &["--once", "--persons", PERSONS]).output().unwrap();
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success(), "{out}{err}");
    out
}

#[test]
fn the_story_is_told_again_and_its_lines_can_be_pasted() {
    let dir = tempfile::tempdir().unwrap();
    let first = told(dir.path());
    for part in [
        "vsaa_insurance",
        "permission_field",
        "permission_exhausted",
        "1 new or changed, 1 gone",
        "Told nothing",
        "Klienta pārbaude",
    ] {
        assert!(first.contains(part), "{part} is missing in\n{first}");
    }
    let second = told(dir.path());
    assert!(!second.contains("ieraksti,"), "delivered again:\n{second}");
    assert!(second.contains("the count survives a restart"), "{second}");
    let other = demo(dir.path(), &["--once", "--persons", "400"])
        .output()
        .unwrap();
    assert_eq!(other.status.code(), Some(1));
    pasted(dir.path());
}

/// Serves on, and runs every line that was printed.
fn pasted(dir: &Path) {
    if Command::new("curl").arg("--version").output().is_err() {
        not_tried("THE PRINTED LINES", "the program `curl` is not here");
        return;
    }
    let mut server = demo(dir, &[]).stdout(Stdio::piped()).spawn().unwrap();
    let mut script = String::from("set -e\n");
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    for line in lines.by_ref().map(Result::unwrap) {
        let is_command = line
            .strip_prefix("    ")
            .is_some_and(|line| line.starts_with("curl ") || line.split('=').next().is_some_and(is_name));
        if is_command {
            script += line.trim();
            script.push('\n');
        }
        if line.contains("Serving on") {
            break;
        }
    }
    let mut shell = Command::new("sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .current_dir(dir)
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = shell.wait_with_output().unwrap();
    let pid = rustix::process::Pid::from_child(&server);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
    let answers = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{script}\n{answers}");
    assert!(script.lines().count() > 20, "{script}");
    let refused = answers.matches("\"status\":").count();
    // The field outside the permission, and the quota that is used up.
    assert_eq!(refused, 2, "{answers}");
    assert!(answers.contains("\"code\":\"permission_field\"") && answers.contains("permission_exhausted"));
    assert!(
        answers.contains("code,kind,"),
        "the public file is missing: {answers}"
    );
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase())
}
