use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::{definition::CsvOptions, schema::Schema};

fn value(code: &str) -> ClassifierValue {
    ClassifierValue {
        code: code.into(),
        name: format!("Vērtība {code}"),
        name_en: None,
        parent: None,
        valid_from: None,
        valid_to: None,
    }
}

fn under(code: &str, parent: &str) -> ClassifierValue {
    ClassifierValue {
        parent: Some(parent.into()),
        ..value(code)
    }
}

fn told(values: &[ClassifierValue]) -> Vec<(String, String)> {
    let faults = check(values).into_iter();
    faults.map(|fault| (fault.place, fault.rule)).collect()
}

#[test]
fn every_fault_of_a_version_is_told_with_code_and_place() {
    let mut ended = value("C");
    (ended.valid_from, ended.valid_to) = (Some(date(2026, 2, 1)), Some(date(2026, 1, 31)));
    let mut blank = value("D ");
    blank.name = String::new();
    let values = [value("A"), value("A"), under("B", "X"), ended, blank];
    let faults: Vec<_> = told(&values);
    let faults: Vec<_> = faults
        .iter()
        .map(|(at, rule)| (at.as_str(), rule.as_str()))
        .collect();
    assert_eq!(
        faults,
        [
            ("values[1].code", "duplicate"),
            ("values[3].valid_to", "range"),
            ("values[4].code", "characters"),
            ("values[4].name", "required"),
            ("values[2].parent", "unknown"),
        ]
    );
    let first = &check(&values)[0];
    assert_eq!(first.message, "code `A` stands above already");
    assert_eq!(told(&[]), [("values".to_owned(), "count".to_owned())]);
    let many: Vec<_> = (0..=MAX_VALUES).map(|at| value(&at.to_string())).collect();
    assert_eq!(told(&many), [("values".to_owned(), "count".to_owned())]);
    assert_eq!(told(&many[1..]), []);
}

#[test]
fn a_circle_of_parents_is_told_of_its_members_alone() {
    let values = [
        under("A", "B"),
        under("B", "A"),
        under("C", "A"),
        under("D", "D"),
        under("E", "F"),
        value("F"),
    ];
    let places: Vec<_> = told(&values).into_iter().map(|(at, _)| at).collect();
    assert_eq!(
        places,
        ["values[0].parent", "values[1].parent", "values[3].parent"]
    );
    // Deep, and yet quick.
    let deep: Vec<_> = (0..MAX_VALUES)
        .map(|at| under(&at.to_string(), &(at + 1).min(MAX_VALUES - 1).to_string()))
        .collect();
    assert_eq!(told(&deep).len(), 1);
}

fn schema() -> Schema {
    let text = "name: reg_vehicles\nkey: Id\nfields:\n- Id : Numurs\n- Kind code(KINDS) : Veids\n- Tags code(KINDS) * : Birkas\n- Free code(FREE) : Brīvs\n";
    Schema::compile(Arc::new(text.parse().unwrap()), None)
}

fn codes(schema: &Schema) -> Codes {
    let list = Arc::new(CodeList::new("KINDS", 3, ["M1", "Ā"].into_iter()));
    Codes::of(schema, |name| (name == "KINDS").then(|| Arc::clone(&list)))
}

#[test]
fn a_code_that_its_list_does_not_hold_refuses_the_record_without_repeating_it() {
    let schema = schema();
    let codes = codes(&schema);
    let read = |json: &str| schema.read_json_by(&codes, json.as_bytes());
    assert!(read(r#"{"Id":"1","Kind":"M1","Tags":["M1","\u0041\u0304"],"Free":"x"}"#).is_ok());
    assert!(read(r#"{"Id":"1","Kind":null,"Tags":[]}"#).is_ok());
    let faults = read(r#"{"Id":"1","Kind":"m1","Tags":["M1","Z9"]}"#).unwrap_err();
    let told: Vec<_> = faults
        .iter()
        .map(|fault| (fault.place.as_str(), fault.rule.as_str()))
        .collect();
    assert_eq!(told, [("Kind", "code_unknown"), ("Tags", "code_unknown")]);
    assert_eq!(
        faults[0].message,
        "not a code of the classifier KINDS (version 3)"
    );
    assert!(!format!("{faults:?}").contains("Z9"));
    // Nobody registered it: any text is a code.
    assert!(schema.read_json(br#"{"Id":"1","Kind":"m1"}"#).is_ok());
}

#[test]
fn cells_are_judged_as_json_is() {
    let schema = schema();
    let codes = codes(&schema);
    let node = |name: &str| schema.node(name).unwrap();
    let read = |kind: &str, tags: &str| {
        let cells = [(node("Id"), "1"), (node("Kind"), kind), (node("Tags"), tags)];
        schema.read_cells_by(&codes, &cells, &CsvOptions::default())
    };
    assert!(read("M1", r#"["Ā"]"#).is_ok());
    assert!(read("", "").is_ok());
    let faults = read("M1 ", r#"["B"]"#).unwrap_err();
    let places: Vec<_> = faults.iter().map(|fault| fault.place.as_str()).collect();
    assert_eq!(places, ["Kind", "Tags"]);
}

#[test]
fn the_first_codes_stay_in_their_order() {
    let many: Vec<String> = (0..150).rev().map(|at| at.to_string()).collect();
    let list = CodeList::new("N", 1, many.iter().map(String::as_str));
    assert_eq!(
        (list.len(), list.first.len(), &*list.first[0]),
        (150, FIRST, "149")
    );
}

fn versions() -> impl Strategy<Value = Vec<ClassifierValue>> {
    let one = (
        "[ab]{1,2}",
        "[xy]",
        proptest::option::of("[xy]"),
        proptest::option::of("[ab]"),
    );
    proptest::collection::vec(one, 0..8).prop_map(|rows| {
        let mut by_code = BTreeMap::new();
        for (code, name, name_en, parent) in rows {
            by_code.insert(
                code.clone(),
                ClassifierValue {
                    name,
                    name_en,
                    parent,
                    ..value(&code)
                },
            );
        }
        by_code.into_values().collect()
    })
}

proptest! {
    /// What was, without what was removed, with what is new or other in its place: what is.
    #[test]
    fn a_difference_leads_from_one_version_to_the_next(before in versions(), after in versions()) {
        let found = difference(&before, &after);
        let mut led: BTreeMap<&str, &ClassifierValue> =
            before.iter().map(|value| (value.code.as_str(), value)).collect();
        for value in &found.removed {
            prop_assert!(led.remove(value.code.as_str()).is_some());
        }
        for value in &found.added {
            prop_assert!(led.insert(&value.code, value).is_none());
        }
        for (old, new) in found.renamed.iter().chain(&found.changed) {
            prop_assert_eq!(led.insert(&new.code, new), Some(*old));
            prop_assert_ne!(old, new);
        }
        let wanted: BTreeMap<&str, &ClassifierValue> =
            after.iter().map(|value| (value.code.as_str(), value)).collect();
        prop_assert_eq!(led, wanted);
        prop_assert_eq!(found.is_empty(), before == after);
    }
}
