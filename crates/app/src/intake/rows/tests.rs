use std::sync::Arc;

use dagr_formats::{Decoder, Limits, MediaType};
use dagr_model::classifier::Codes;
use dagr_model::definition::Definition;
use dagr_store::set::apply::Mode;
use proptest::prelude::*;

use super::*;
use crate::intake::aside;

const CARS: &str = "name: bss_cars
key: Mark
data_description: Cars
fields:
  - Mark : mark
  - Model! : model
  - Doors int : doors
";

/// One staged row: key, line, verb, digest, JSON.
type StagedRow = (Vec<u8>, u64, Verb, [u8; 32], Vec<u8>);

/// Everything a package leaves after it was read.
#[derive(Debug, PartialEq)]
struct Left {
    rows: Vec<StagedRow>,
    aside: Vec<Vec<u8>>,
    quarantined: u64,
    faults: Vec<Fault>,
    total_faults: usize,
}

fn schema() -> Schema {
    Schema::compile(Arc::new(Definition::parse(CARS).unwrap()), None)
}

fn left(media: MediaType, mode: Mode, body: &str, lot: Lot) -> Left {
    let schema = schema();
    let parser = Parser::new(&schema, Codes::default(), mode);
    let dir = tempfile::tempdir().unwrap();
    let read = std::thread::scope(|scope| {
        let mut rows = Rows::new(scope, &parser, dir.path(), lot);
        let mut decoder = Decoder::new(media, None, &schema.definition.csv, Limits::default()).unwrap();
        decoder.feed(body.as_bytes(), &mut rows).unwrap();
        decoder.finish(&mut rows).unwrap();
        rows.finish().unwrap()
    });
    let (mut staged, mut rows) = (read.staged.rows().unwrap(), Vec::new());
    while let Some(row) = staged.next_row().unwrap() {
        let json = row.record.json.to_vec();
        rows.push((row.key.to_vec(), row.line, row.verb, *row.digest, json));
    }
    let mut set_aside = Vec::new();
    aside::each(&dir.path().join(UNREAD), &mut |value| {
        set_aside.push(value.to_vec());
        Ok(())
    })
    .unwrap();
    Left {
        rows,
        aside: set_aside,
        quarantined: read.quarantined,
        faults: read.faults,
        total_faults: read.total_faults,
    }
}

/// A row: its mark, and what it is.
type Drawn = (u8, u8);

fn ndjson((mark, shape): Drawn) -> String {
    match shape {
        0 => format!("{{\"op\":\"delete\",\"key\":{{\"Mark\":\"m{mark}\"}}}}\n"),
        1 => format!("{{\"op\":\"erase\",\"key\":{{\"Mark\":\"m{mark}\"}}}}\n"),
        2 => "{\"op\":\n".to_owned(),
        3 => format!("{{\"op\":\"upsert\",\"record\":{{\"Mark\":\"m{mark}\",\"Doors\":\"x\",\"No\":1}}}}\n"),
        4 => "{\"op\":\"upsert\",\"record\":{\"Model\":\"keyless\"}}\n".to_owned(),
        _ => format!("{{\"op\":\"upsert\",\"record\":{}}}\n", item((mark, shape))),
    }
}

fn item((mark, shape): Drawn) -> String {
    match shape {
        0 => format!("{{\"Mark\":\"m{mark}\"}}"),
        1 => "{}".to_owned(),
        2 => "7".to_owned(),
        _ => format!("{{\"Mark\":\"m{mark}\",\"Model\":\"v{shape}\",\"Doors\":{shape}}}"),
    }
}

fn cells((mark, shape): Drawn) -> String {
    match shape {
        0 => format!("m{mark},,x\n"),
        1 => "only\n".to_owned(),
        _ => format!("m{mark},\"v\n{shape}\",{shape}\n"),
    }
}

fn body(media: MediaType, drawn: &[Drawn]) -> String {
    let each = |write: fn(Drawn) -> String| drawn.iter().copied().map(write).collect::<Vec<_>>();
    match media {
        MediaType::NdJson => each(ndjson).concat(),
        MediaType::JsonArray => format!("[{}]", each(item).join(",")),
        MediaType::Csv => format!("Mark,Model,Doors\n{}", each(cells).concat()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_package_leaves_the_same_however_many_threads_read_it(
        drawn in prop::collection::vec((0u8..20, 0u8..9), 0..120),
        media in prop::sample::select(vec![MediaType::NdJson, MediaType::JsonArray, MediaType::Csv]),
        snapshot in any::<bool>(),
        bytes in 1usize..600,
        rows in 1usize..20,
        threads in 1usize..5,
    ) {
        let body = body(media, &drawn);
        let mode = if snapshot { Mode::Snapshot } else { Mode::Delta };
        let at_once = Lot { bytes: usize::MAX, rows: usize::MAX, threads: 1 };
        let serial = left(media, mode, &body, at_once);
        prop_assert_eq!(left(media, mode, &body, Lot { bytes, rows, threads }), serial);
    }
}

#[test]
fn a_stage_that_cannot_be_written_stops_the_package() {
    let schema = schema();
    let parser = Parser::new(&schema, Codes::default(), Mode::Delta);
    let dir = tempfile::tempdir().unwrap();
    // Something else stands where rows are set aside.
    std::fs::create_dir(dir.path().join(UNREAD)).unwrap();
    std::thread::scope(|scope| {
        let lot = Lot {
            bytes: 1,
            rows: 1,
            threads: 2,
        };
        let mut rows = Rows::new(scope, &parser, dir.path(), lot);
        let mut decoder =
            Decoder::new(MediaType::NdJson, None, &schema.definition.csv, Limits::default()).unwrap();
        let body = "broken\n".repeat(50);
        let fed = decoder.feed(body.as_bytes(), &mut rows);
        assert!(fed.is_err() && matches!(rows.failed, Some(KvError::Io(_))));
    });
}
