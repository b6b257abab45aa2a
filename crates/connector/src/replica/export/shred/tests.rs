use std::{fs::File as Disk, io::Seek, sync::Arc};

use dagr_model::schema::Schema;
use proptest::prelude::*;
use serde_json::json;

use super::{super::columns, *};
use crate::{
    collect::{Collect, Refused, Take},
    feed::MapSpec,
    source,
};

const DEFINITION: &str = "name: x_people\nkey: Code\ndata_description: d\nfields:\n  - Code : c\n  - Age int : a\n  - Good bool : g\n  - Born date : b\n  - Seen timestamp : s\n  - Score decimal : s\n  - Id uuid : i\n  - Extra json : e\n  - Tags * : t\n  - Home :\n      comments: h\n      fields:\n        - Street : s\n        - Rooms decimal : r\n  - Pets * :\n      comments: p\n      fields:\n        - Name : n\n        - Born timestamp : b\n        - Toys * :\n            comments: t\n            fields:\n              - What : w\n              - Sizes decimal * : b\n";

#[derive(Default)]
struct Kept(Vec<String>);

impl Take for Kept {
    fn record(&mut self, _: u64, _: &[u8], _: &[u8; 32], json: &[u8]) -> crate::error::Result<()> {
        self.0.push(String::from_utf8_lossy(json).into_owned());
        Ok(())
    }

    fn refused(&mut self, refused: Vec<Refused>, _: Option<Vec<u8>>) -> crate::error::Result<()> {
        self.0.push(format!("{refused:?}"));
        Ok(())
    }
}

fn schema() -> Arc<Schema> {
    Arc::new(Schema::compile(Arc::new(DEFINITION.parse().unwrap()), None))
}

/// A file of the records; `every`: so many rows are a group.
fn written(schema: &Schema, records: &[Value], every: usize) -> Disk {
    let fields = &schema.definition.fields;
    let mut measures = Measures::of(fields);
    for record in records {
        measures.see(record);
    }
    let mut sheet = Sheet::new(fields, &measures).unwrap();
    let mut file = columns::File::begin(tempfile::tempfile().unwrap(), sheet.ty()).unwrap();
    for (n, record) in records.iter().enumerate() {
        sheet.push(record).unwrap();
        if n % every == every - 1 {
            file.group(sheet.take()).unwrap();
        }
    }
    file.group(sheet.take()).unwrap();
    let mut disk = file.end().unwrap();
    disk.rewind().unwrap();
    disk
}

fn read(schema: &Arc<Schema>, file: Disk) -> Vec<String> {
    let (spec, mut kept) = (MapSpec::default(), Kept::default());
    let mut rows = Collect::new(schema, &spec, &mut kept);
    source::parquet::read(file, "x.parquet", &mut rows).unwrap();
    rows.finish().unwrap();
    kept.0
}

fn canonical(schema: &Schema, record: &Value) -> String {
    let record = schema.read_json(record.to_string().as_bytes()).unwrap();
    String::from_utf8(record.json).unwrap()
}

/// The records as the file gives them back, and as they were.
fn there_and_back(records: &[Value], every: usize) -> (Vec<String>, Vec<String>) {
    let schema = schema();
    let wanted: Vec<String> = records.iter().map(|record| canonical(&schema, record)).collect();
    let values: Vec<Value> = wanted
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect();
    (read(&schema, written(&schema, &values, every)), wanted)
}

#[test]
fn values_at_the_ends_of_their_types_come_back() {
    let far = json!([
        {"Code": "a", "Age": i64::MIN, "Born": "0000-01-01", "Seen": "9999-12-31T23:59:59.999999Z", "Score": -0.000_001, "Good": false},
        {"Code": "b", "Age": i64::MAX, "Born": "9999-12-31", "Seen": "0000-01-01T00:00:00Z", "Score": 123_456_789_012_345u64, "Id": "0123abcd-0000-4000-8000-00000000000a"},
        {"Code": "c", "Extra": {"a": [1, null, "ā"]}, "Home": {"Street": "Brīvības iela"}, "Tags": ["", "b"]},
    ]);
    let (read, wanted) = there_and_back(far.as_array().unwrap(), 10);
    assert_eq!(read, wanted);
    // Finer than microseconds, and more digits than a decimal has.
    let digits = format!("{}.5", "9".repeat(40))
        .parse::<serde_json::Number>()
        .unwrap();
    let fine = json!([{"Code": "a", "Seen": "2026-01-01T00:00:00.000000001Z", "Score": digits}]);
    let (read, wanted) = there_and_back(fine.as_array().unwrap(), 10);
    assert_eq!(read, wanted);
    // Both at once: no number of Parquet holds them.
    let both = json!([{"Code": "a", "Seen": "2026-01-01T00:00:00.000000001Z"}, {"Code": "b", "Seen": "9999-12-31T23:59:59Z"}]);
    let (read, wanted) = there_and_back(both.as_array().unwrap(), 10);
    assert_eq!(read, wanted);
}

#[test]
fn nothing_is_a_file_too() {
    let (read, wanted) = there_and_back(&[], 10);
    assert_eq!(read, wanted);
}

fn number() -> impl Strategy<Value = Value> {
    (-99_999..99_999i64, 0..4u32).prop_map(|(n, scale)| {
        let text = if scale == 0 {
            n.to_string()
        } else {
            format!(
                "{}{}.{:0>4}",
                if n < 0 { "-" } else { "" },
                n.abs() / 7,
                n.abs() % 7 + 1
            )
        };
        Value::Number(text.parse().unwrap())
    })
}

fn member(record: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value.filter(|value| value.as_array().is_none_or(|items| !items.is_empty())) {
        record[name] = value;
    }
}

fn toy() -> impl Strategy<Value = Value> {
    ("[a-zā]{1,3}", prop::collection::vec(number(), 0..3)).prop_map(|(what, sizes)| {
        let mut toy = json!({"What": what});
        member(&mut toy, "Sizes", Some(Value::Array(sizes)));
        toy
    })
}

fn pet() -> impl Strategy<Value = Value> {
    (
        prop::option::of("[a-z]{1,3}"),
        prop::option::of(0..86_399u32),
        prop::collection::vec(toy(), 0..3),
    )
        .prop_map(|(name, at, toys)| {
            let mut pet = json!({"Name": name.unwrap_or_else(|| "x".to_owned())});
            member(
                &mut pet,
                "Born",
                at.map(|at| {
                    json!(format!(
                        "2026-02-28T{:02}:{:02}:{:02}.5Z",
                        at / 3600,
                        at / 60 % 60,
                        at % 60
                    ))
                }),
            );
            member(&mut pet, "Toys", Some(Value::Array(toys)));
            pet
        })
}

fn person() -> impl Strategy<Value = Value> {
    let plain = (
        any::<Option<i64>>(),
        any::<Option<bool>>(),
        prop::option::of(number()),
        prop::option::of(number()),
    );
    (
        "[a-z]{1,5}",
        plain,
        prop::collection::vec("[a-zņ]{1,3}", 0..3),
        prop::collection::vec(pet(), 0..3),
    )
        .prop_map(|(code, (age, good, score, rooms), tags, pets)| {
            let mut record = json!({"Code": code});
            member(&mut record, "Age", age.map(|age| json!(age)));
            member(&mut record, "Good", good.map(|good| json!(good)));
            member(&mut record, "Score", score);
            member(&mut record, "Home", rooms.map(|rooms| json!({"Rooms": rooms})));
            member(&mut record, "Tags", Some(json!(tags)));
            member(&mut record, "Pets", Some(json!(pets)));
            record
        })
}

proptest! {
    #[test]
    fn records_come_back_from_their_columns(people in prop::collection::vec(person(), 0..8), every in 1..5usize) {
        let (read, wanted) = there_and_back(&people, every);
        prop_assert_eq!(read, wanted);
    }

    #[test]
    fn a_damaged_file_is_an_error_and_no_panic(at in 0..10_000usize, bit in 0..8u8) {
        use std::io::{Read, Write};
        let schema = schema();
        let records: Vec<Value> = (0..20).map(|n| json!({"Code": format!("k{n}"), "Age": n, "Tags": ["a", "b"]})).collect();
        let mut bytes = Vec::new();
        written(&schema, &records, 7).read_to_end(&mut bytes).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        file.rewind().unwrap();
        let (spec, mut kept) = (MapSpec::default(), Kept::default());
        let mut rows = Collect::new(&schema, &spec, &mut kept);
        let _ = source::parquet::read(file, "x.parquet", &mut rows);
        let _ = rows.finish();
    }
}
