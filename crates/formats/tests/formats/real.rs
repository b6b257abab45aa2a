//! Real registers, where the shared data are at hand.

use std::path::PathBuf;
use std::process::Command;

use dagr_formats::MediaType::Csv;
use dagr_model::definition::CsvOptions;

use super::collect::read;
use crate::seen::not_tried;

/// What a command writes for a file of the shared data, or `None` if either is absent.
fn output(command: &str, option: &str, name: &str, member: Option<&str>) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    let output = Command::new(command).arg(option).arg(&path).args(member).output();
    match output {
        Ok(output) if output.status.success() => Some(output.stdout),
        _ => {
            not_tried(
                "A REGISTER",
                &format!("../shared/data/{name} or the program `{command}` is not here"),
            );
            None
        }
    }
}

#[test]
fn riga_is_the_same_in_both_encodings() {
    let (Some(utf8), Some(baltic)) = (
        output("xz", "-dc", "riga/addresses_utf8.csv.xz", None),
        output("xz", "-dc", "riga/addresses_iso8859-13.csv.xz", None),
    ) else {
        return;
    };
    let csv = CsvOptions::default();
    let (rows, read_as) = read(Csv, None, &csv, &utf8.chunks(8000).collect::<Vec<_>>());
    assert_eq!(read_as.expect("readable").charset, "utf-8");
    let (same, read_as) = read(
        Csv,
        Some("iso-8859-13"),
        &csv,
        &baltic.chunks(7000).collect::<Vec<_>>(),
    );
    assert_eq!(read_as.expect("readable").charset, "iso-8859-13");
    assert_eq!(rows.rows.len(), 48_121);
    assert!(rows == same, "the rows differ");
    let error = read(Csv, None, &csv, &[&baltic]).1.expect_err("not UTF-8");
    assert!(error.faults[0].message.contains("charset=iso-8859-13"), "{error}");
}

#[test]
fn every_row_of_the_aircraft_and_runways_is_readable() {
    for (name, fewest) in [
        ("aircraft-se.tar.xz", 24 * 7_000),
        ("runways.tar.xz", 12 * 48_000),
    ] {
        let Some(list) = output("tar", "-tJf", name, None) else {
            return;
        };
        let list = String::from_utf8(list).expect("file names");
        let mut total = 0;
        for member in list.lines().filter(|member| !member.ends_with('/')) {
            let file = output("tar", "-xJOf", name, Some(member)).expect("a listed file");
            let (rows, read_as) = read(
                Csv,
                None,
                &CsvOptions::default(),
                &file.chunks(10_000).collect::<Vec<_>>(),
            );
            assert_eq!(read_as.expect("readable").delimiter.as_deref(), Some(","));
            let bad: Vec<&String> = rows
                .rows
                .iter()
                .filter(|row| row.split(' ').nth(1) == Some("bad"))
                .collect();
            assert!(bad.is_empty(), "{member}: {bad:?}");
            total += rows.rows.len();
        }
        assert!(total >= fewest, "{name}: {total}");
    }
}
