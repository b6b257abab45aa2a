use std::collections::BTreeSet;

use super::*;

fn starts(texts: &'static [&'static str]) -> Vec<&'static str> {
    let lines = texts.iter().flat_map(|text| {
        FluentResource::try_new((*text).to_owned()).expect("a faultless file");
        text.lines()
    });
    lines
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split(" =").next())
        .collect()
}

fn names(texts: &'static [&'static str]) -> BTreeSet<&'static str> {
    starts(texts).into_iter().collect()
}

#[test]
fn both_languages_have_the_same_texts() {
    let (lv, en) = (names(LV_TEXTS), names(EN_TEXTS));
    let only: Vec<_> = lv.symmetric_difference(&en).collect();
    assert!(only.is_empty(), "in one language only: {only:?}");
    assert_eq!(lv.len(), starts(LV_TEXTS).len(), "a text stands twice in Latvian");
    assert_eq!(en.len(), starts(EN_TEXTS).len(), "a text stands twice in English");
}

/// Every file of the crate that names texts.
fn sources() -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out = Vec::new();
    let mut open = vec![root.join("src"), root.join("templates")];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if !path.ends_with("tests.rs") {
                out.push((
                    path.display().to_string(),
                    std::fs::read_to_string(&path).unwrap(),
                ));
            }
        }
    }
    out
}

#[test]
fn every_text_that_is_named_exists() {
    let known = names(LV_TEXTS);
    let mut missing = BTreeSet::new();
    for (file, source) in sources() {
        for call in [".t(\"", ".n(\"", ".with(\"", ".known(\""] {
            for (at, _) in source.match_indices(call) {
                let rest = &source[at + call.len()..];
                let Some((name, _)) = rest.split_once('"') else {
                    continue;
                };
                if !known.contains(name) {
                    missing.insert(format!("{name} in {file}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn numbers_and_dates_are_written_as_people_write_them() {
    let lv = Lang::Lv;
    assert_eq!(lv.n("count-records", 1), "1 ieraksts");
    assert_eq!(lv.n("count-records", 2), "2 ieraksti");
    assert_eq!(lv.n("count-records", 11), "11 ierakstu");
    assert_eq!(lv.n("count-records", 21), "21 ieraksts");
    assert_eq!(lv.n("count-records", 12_345), "12\u{202f}345 ieraksti");
    assert_eq!(Lang::En.n("count-records", 1), "1 record");
    let date = jiff::civil::date(2026, 5, 12);
    assert_eq!(lv.date(date), "2026. gada 12. maijs");
    assert_eq!(lv.day(date), "12.05.2026.");
    let at: Timestamp = "2026-05-12T11:05:00Z".parse().unwrap();
    assert_eq!(
        lv.moment(at),
        "12.05.2026. 14:05",
        "Riga is three hours ahead in summer"
    );
}
