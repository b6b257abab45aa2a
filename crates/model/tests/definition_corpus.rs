//! The kept corpus: good texts load and print back, bad ones tell exactly the faults beside them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::format_collect)]

use std::{fs, path::PathBuf};

use dagr_model::definition::{Definition, holds_round_trip};

fn texts(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn good_texts_load_and_print_back() {
    for (path, text) in texts("good") {
        let definition =
            Definition::parse(&text).unwrap_or_else(|faults| panic!("{}: {faults:#?}", path.display()));
        holds_round_trip(&text).unwrap_or_else(|broken| panic!("{}: {broken}", path.display()));
        let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        assert_eq!(
            Definition::parse(&windows).as_ref(),
            Ok(&definition),
            "{}",
            path.display()
        );
    }
}

/// Beside each bad text stands an `.err` with lines `place | rule | part of the message`.
#[test]
fn bad_texts_tell_every_fault() {
    for (path, text) in texts("bad") {
        let faults = Definition::parse(&text).expect_err(&path.display().to_string());
        let expected = fs::read_to_string(path.with_extension("err")).unwrap();
        let expected: Vec<Vec<&str>> = expected.lines().map(|line| line.split(" | ").collect()).collect();
        let matches = faults.len() == expected.len()
            && expected.iter().all(|want| {
                faults.iter().any(|fault| {
                    fault.place == want[0] && fault.rule == want[1] && fault.message.contains(want[2])
                })
            });
        assert!(
            matches,
            "{}: expected {expected:#?}\nfound {faults:#?}",
            path.display()
        );
    }
}

/// Every text cut anywhere, and with any line taken out, keeps the property.
#[test]
fn damaged_texts_keep_the_property() {
    for (path, text) in texts("good").into_iter().chain(texts("bad")) {
        let cuts = text.char_indices().map(|(at, _)| text[..at].to_owned());
        let lines: Vec<&str> = text.lines().collect();
        let gaps = (0..lines.len()).map(|gap| {
            let kept: Vec<&str> = lines
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != gap)
                .map(|(_, l)| *l)
                .collect();
            kept.join("\n")
        });
        let flat = lines
            .iter()
            .map(|line| line.trim_start())
            .collect::<Vec<_>>()
            .join("\n");
        for damaged in cuts.step_by(3).chain(gaps).chain([flat]) {
            holds_round_trip(&damaged).unwrap_or_else(|broken| panic!("{}: {broken}", path.display()));
        }
    }
}

#[test]
fn text_with_lost_indentation_comes_back_corrected() {
    for (path, text) in texts("bad") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if ![
            "lost_indentation",
            "lost_indentation_of_list",
            "lost_indentation_twice",
        ]
        .contains(&name.as_str())
        {
            continue;
        }
        let faults = Definition::parse(&text).unwrap_err();
        let (_, corrected) = faults[0].message.split_once(":\nname: ").unwrap();
        let definition = Definition::parse(&format!("name: {corrected}")).unwrap();
        assert!(definition.find("Pets.Species").unwrap().1, "{name}");
        assert!(!definition.field("Pets").unwrap().comments.is_empty());
        if name == "lost_indentation_twice" {
            assert_eq!(definition.find("Cars").unwrap().0.fields.len(), 2);
            assert!(definition.history);
        }
    }
}
