use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    definition::{CsvOptions, Type},
    leaves::LeafSet,
    schema::{
        Schema,
        tests::{compiled, definition, field, list, object, pets},
    },
};

mod faults;
mod narrowed;

fn read(schema: &Schema, value: &Value) -> Canonical {
    schema.read_json(value.to_string().as_bytes()).unwrap()
}

fn text(canonical: &Canonical) -> String {
    String::from_utf8(canonical.json.clone()).unwrap()
}

fn projected(schema: &Schema, record: &Canonical, mask: &Mask) -> String {
    let mut out = Vec::new();
    project(schema, record.as_ref(), mask, &mut out);
    String::from_utf8(out).unwrap()
}

/// Any JSON of the pets schema with few values, so that records often agree in parts.
fn pets_record() -> impl Strategy<Value = Value> {
    let small = || prop::option::of(prop::sample::select(vec!["a", "b", "ž\"\n"]));
    let int = || prop::option::of(0..2i64);
    let toy = (small(), int()).prop_map(|(kind, size)| json!({"Kind": kind, "Size": size}));
    let pet = (small(), int(), small(), prop::collection::vec(toy, 0..3)).prop_map(|(species, age, street, toys)| {
        json!({"Toys": toys, "Species": species, "Age": age, "Home": {"Street": street}})
    });
    let officer = (
        prop::sample::select(vec![None, Some("161175-19997"), Some("32000000001")]),
        small(),
    )
        .prop_map(|(code, role)| json!({"Role": role, "PersonCode": code}));
    let flat = (small(), int(), prop::option::of(any::<bool>()), small(), small());
    (flat, prop::collection::vec(small(), 0..3), prop::collection::vec(pet, 0..4), prop::collection::vec(officer, 0..3))
        .prop_map(|((name, amount, flag, street, city), tags, pets, officers)| {
            json!({"Pets": pets, "Code": "k", "Year": 1, "Name": name, "Amount": amount, "Flag": flag, "Tags": tags,
                "Address": {"City": city, "Street": street}, "Officers": officers})
        })
}

/// The specification of a projection, on JSON values. Members must be in definition order already.
fn reference(value: &Value, prefix: &str, shown: &BTreeSet<String>) -> Option<Value> {
    let members = value.as_object().unwrap();
    let mut out = Map::new();
    for (name, value) in members {
        let path = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        let kept = match value {
            Value::Object(_) => reference(value, &path, shown),
            Value::Array(elements) if elements[0].is_object() => {
                let kept: Vec<Value> = elements
                    .iter()
                    .filter_map(|e| reference(e, &path, shown))
                    .collect();
                (!kept.is_empty()).then_some(Value::Array(kept))
            }
            other => shown.contains(&path).then(|| other.clone()),
        };
        if let Some(kept) = kept {
            out.insert(name.clone(), kept);
        }
    }
    (!out.is_empty()).then_some(Value::Object(out))
}

fn reference_text(record: &Canonical, shown: &BTreeSet<String>) -> String {
    let value: Value = serde_json::from_slice(&record.json).unwrap();
    reference(&value, "", shown)
        .unwrap_or_else(|| json!({}))
        .to_string()
}

/// The specification of `changed_leaves`, word by word.
fn reference_changed(schema: &Schema, old: &Canonical, new: &Canonical) -> LeafSet {
    let differs = |paths: &[&str]| {
        let shown = paths.iter().map(|path| (*path).to_owned()).collect();
        reference_text(old, &shown) != reference_text(new, &shown)
    };
    let mut changed = LeafSet::new();
    for (name, id) in &schema.leaf_ids.0 {
        let flagged = match name.split_once('|') {
            None => differs(&[name]),
            Some((list, "*")) => {
                let under = format!("{list}.");
                let still: Vec<&str> = schema.leaf_paths.iter().map(|(path, _)| path.as_str()).collect();
                let still: Vec<&str> = still
                    .into_iter()
                    .filter(|path| path.starts_with(&under) && !differs(&[path]))
                    .collect();
                differs(&still)
            }
            Some((a, b)) => differs(&[a, b]) && !differs(&[a]) && !differs(&[b]),
        };
        if flagged {
            changed.insert(*id);
        }
    }
    changed
}

/// One value a field, so that fields often only move between elements.
fn shifting_record() -> impl Strategy<Value = Value> {
    let toy = any::<(bool, bool)>()
        .prop_map(|(kind, size)| json!({"Kind": kind.then_some("a"), "Size": size.then_some(0)}));
    let pet = (any::<(bool, bool, bool)>(), prop::collection::vec(toy, 0..3)).prop_map(
        |((species, age, street), toys)| {
            json!({"Species": species.then_some("a"), "Age": age.then_some(0),
                "Home": {"Street": street.then_some("a")}, "Toys": toys})
        },
    );
    prop::collection::vec(pet, 0..4).prop_map(|pets| json!({"Code": "k", "Year": 1, "Pets": pets}))
}

fn wide() -> Schema {
    let mut inner: Vec<_> = (0..16).map(|at| field(&format!("F{at}"), Type::Int)).collect();
    inner.push(list(object(
        "In",
        vec![field("A", Type::Int), field("B", Type::Int)],
    )));
    compiled(definition(
        &["Id"],
        &[],
        vec![field("Id", Type::Int), list(object("L", inner))],
    ))
}

fn wide_record() -> impl Strategy<Value = Value> {
    let int = || prop::option::of(0..2i64);
    let inner = (int(), int()).prop_map(|(a, b)| json!({"A": a, "B": b}));
    let element = (int(), int(), int(), prop::collection::vec(inner, 0..3))
        .prop_map(|(f0, f1, f9, inner)| json!({"F0": f0, "F1": f1, "F9": f9, "In": inner}));
    prop::collection::vec(element, 0..4).prop_map(|list| json!({"Id": 1, "L": list}))
}

fn chosen(schema: &Schema, bits: u64) -> Vec<String> {
    schema
        .leaf_paths
        .iter()
        .enumerate()
        .filter(|(at, _)| bits & (1 << at) != 0)
        .map(|(_, (path, _))| path.clone())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn canonical_is_a_fixed_point(value in pets_record()) {
        let schema = compiled(pets());
        let record = read(&schema, &value);
        prop_assert_eq!(&schema.read_json(&record.json).unwrap(), &record);
        prop_assert_eq!(projected(&schema, &record, &Mask::all(&schema)), text(&record));
    }

    #[test]
    fn projection_is_that_of_the_json(value in pets_record(), bits: u64) {
        let schema = compiled(pets());
        let record = read(&schema, &value);
        let paths = chosen(&schema, bits);
        let shown: BTreeSet<String> = paths.iter().cloned().collect();
        prop_assert_eq!(projected(&schema, &record, &schema.mask(&paths)), reference_text(&record, &shown));
        // Through partial masks only, without the shortcut for the whole record.
        let mut out = Vec::new();
        super::mask::project_object(&schema, None, record.as_ref().into(), &Mask::all(&schema).show, &mut out);
        prop_assert_eq!(out, record.json);
    }

    #[test]
    fn changed_leaves_are_those_of_the_json(a in pets_record(), b in pets_record(), bits: u64) {
        let schema = compiled(pets());
        let (a, b) = (read(&schema, &a), read(&schema, &b));
        let changed = changed_leaves(&schema, a.as_ref(), b.as_ref());
        prop_assert_eq!(&changed, &reference_changed(&schema, &a, &b));
        let mask = schema.mask(&chosen(&schema, bits));
        let differs = projected(&schema, &a, &mask) != projected(&schema, &b, &mask);
        prop_assert_eq!(differs, changed.intersects(&mask.leaves));
    }

    #[test]
    fn fields_that_only_move_between_elements_are_told(a in shifting_record(), b in shifting_record(), bits: u64) {
        let schema = compiled(pets());
        let (a, b) = (read(&schema, &a), read(&schema, &b));
        let changed = changed_leaves(&schema, a.as_ref(), b.as_ref());
        prop_assert_eq!(&changed, &reference_changed(&schema, &a, &b));
        let mask = schema.mask(&chosen(&schema, bits));
        let differs = projected(&schema, &a, &mask) != projected(&schema, &b, &mask);
        prop_assert_eq!(differs, changed.intersects(&mask.leaves));
    }

    #[test]
    fn a_wide_list_is_never_missed(a in wide_record(), b in wide_record(), bits: u64) {
        let schema = wide();
        let (a, b) = (read(&schema, &a), read(&schema, &b));
        let changed = changed_leaves(&schema, a.as_ref(), b.as_ref());
        prop_assert_eq!(&changed, &reference_changed(&schema, &a, &b));
        let mask = schema.mask(&chosen(&schema, bits));
        if projected(&schema, &a, &mask) != projected(&schema, &b, &mask) {
            prop_assert!(changed.intersects(&mask.leaves));
        }
    }

    #[test]
    fn one_record_has_the_same_bytes_from_csv(value in pets_record()) {
        let schema = compiled(pets());
        let record = read(&schema, &value);
        let mut cells = Vec::new();
        let members: Map<String, Value> = serde_json::from_slice(&record.json).unwrap();
        for (name, value) in &members {
            match value {
                Value::String(text) => cells.push((schema.node(name).unwrap(), text.clone())),
                Value::Object(inner) => cells.extend(inner.iter().map(|(inside, value)| {
                    (schema.node(&format!("{name}.{inside}")).unwrap(), value.as_str().unwrap().to_owned())
                })),
                other => cells.push((schema.node(name).unwrap(), other.to_string())),
            }
        }
        let mut cells: Vec<_> = cells.iter().map(|(node, text)| (*node, text.as_str())).collect();
        cells.reverse();
        prop_assert_eq!(schema.read_cells(&cells, &CsvOptions::default()).unwrap(), record);
    }

    #[test]
    fn damaged_bytes_never_panic(raw in prop::collection::vec(any::<u8>(), 0..60), spans in prop::collection::vec(any::<u8>(), 0..40), bits: u64) {
        let schema = compiled(pets());
        let _faults = schema.read_json(&raw);
        let _faults = schema.read_json(format!("{{\"Pets\":[{}", String::from_utf8_lossy(&raw)).as_bytes());
        let record = RecordRef { json: &raw, spans: &spans };
        let mask = schema.mask(&chosen(&schema, bits));
        let mut out = Vec::new();
        project(&schema, record, &mask, &mut out);
        let whole = read(&schema, &json!({"Code": "k", "Year": 1, "Pets": [{"Age": 1}]}));
        let _leaves = changed_leaves(&schema, record, whole.as_ref());
        let _subjects = schema.subjects_of(record, Some(&mask));
        let _key = schema.key_of(record);
        schema.key_json(&raw, &mut out);
    }
}

#[test]
fn an_alignment_is_told_where_no_leaf_changed() {
    let schema = compiled(pets());
    let record = |pets: Value| read(&schema, &json!({"Code": "k", "Year": 1, "Pets": pets}));
    let apart = record(json!([{"Species": "a"}, {"Age": 1}]));
    let together = record(json!([{"Species": "a", "Age": 1}]));
    let id = schema.leaf_ids.0["Pets.Species|Pets.Age"];
    let changed = changed_leaves(&schema, apart.as_ref(), together.as_ref());
    assert_eq!(changed.iter().collect::<Vec<_>>(), [id]);
    assert!(!changed.intersects(&schema.mask(&["Pets.Species".to_owned()]).leaves));
    assert!(changed.intersects(&Mask::all(&schema).leaves));
}

#[test]
fn members_in_any_order_give_one_record() {
    let schema = compiled(pets());
    let sorted = read(
        &schema,
        &json!({"Year": 1, "Code": "k", "Pets": [{"Species": "a", "Toys": [{"Size": 1}]}]}),
    );
    let mixed = schema
        .read_json(br#" { "Pets" : [ {"Toys":[{"Size":1 , "Kind":null}],"Species":"a"} , {} ] ,"Code":"k","\u0059ear":1}"#)
        .unwrap();
    assert_eq!(mixed, sorted);
}

#[test]
fn the_span_table_is_as_documented() {
    let schema = compiled(definition(
        &["Id"],
        &[],
        vec![
            field("Id", Type::Int),
            object("O", vec![field("X", Type::Text)]),
            list(object("L", vec![field("A", Type::Int), field("B", Type::Text)])),
            list(field("T", Type::Text)),
        ],
    ));
    let long = "x".repeat(130);
    let record = read(
        &schema,
        &json!({"T": ["p", null], "L": [{"B": long, "A": 5}, {}], "O": {"X": "y"}, "Id": 7}),
    );
    assert_eq!(
        text(&record),
        format!(r#"{{"Id":7,"O":{{"X":"y"}},"L":[{{"A":5,"B":"{long}"}}],"T":["p"]}}"#)
    );
    // `{"A":5,"B":` + 132 + `}`, and the brackets round it.
    let (element, whole): (usize, usize) = (11 + 132 + 1, 11 + 132 + 1 + 2);
    let table = [
        vec![0, 1],                                         // Id: position 0, 1 byte
        vec![1, 9, 2, 0, 3],                                // O: 9 bytes, nested table of 2: X, 3 bytes
        vec![2, whole as u8 | 0x80, 1, 8],                  // L: length in two bytes, nested table of 8
        vec![element as u8 | 0x80, 1, 5, 0, 1, 1, 0x84, 1], // its element: length, table of 5, A, B
        vec![3, 5],                                         // T: a list of values is one leaf
    ]
    .concat();
    assert_eq!(record.spans, table);
}

#[test]
fn values_take_their_canonical_form_and_their_place() {
    let schema = compiled(pets());
    let record = read(
        &schema,
        &json!({"Extra": {"b": [1.50, 1e21, -0.0], "a": "e\u{301}"}, "Code": "e\u{301}\u{7}", "Amount": "1.50", "Year": -0,
            "Seen": "2020-01-01T02:00:00.500+02:00", "Uid": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
            "Owner": "161175-19997", "Name": "", "Flag": null, "Tags": ["", null, "t"], "Address": {}, "Born": "2020-02-29"}),
    );
    assert_eq!(
        text(&record),
        "{\"Year\":0,\"Code\":\"é\\u0007\",\"Amount\":1.5,\"Born\":\"2020-02-29\",\"Seen\":\"2020-01-01T00:00:00.5Z\",\
         \"Uid\":\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\",\"Owner\":\"16117519997\",\
         \"Extra\":{\"a\":\"é\",\"b\":[1.5,1e+21,0]},\"Tags\":[\"t\"]}"
    );
}

#[test]
fn subjects_count_where_anything_of_their_object_is_shown() {
    let schema = compiled(pets());
    let record = read(
        &schema,
        &json!({"Code": "k", "Year": 1, "Owner": "161175-19997", "Name": "n",
            "Officers": [{"PersonCode": "32000000001", "Role": "chair"}, {"PersonCode": "32000000002"}]}),
    );
    let subjects = |paths: &[&str]| {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        schema.subjects_of(record.as_ref(), Some(&schema.mask(&paths)))
    };
    assert_eq!(
        schema.subjects_of(record.as_ref(), None),
        ["16117519997", "32000000001", "32000000002"]
    );
    assert_eq!(subjects(&["Name"]), ["16117519997"]);
    assert_eq!(subjects(&["Officers.Role"]), ["16117519997", "32000000001"]);
    assert_eq!(subjects(&["Address.City"]), Vec::<String>::new());
    assert_eq!(
        schema
            .leaf_text(record.as_ref(), schema.node("Officers.Role").unwrap())
            .as_deref(),
        Some("chair")
    );
    assert_eq!(
        schema
            .values(record.as_ref(), schema.node("Officers.PersonCode").unwrap())
            .len(),
        2
    );
}
