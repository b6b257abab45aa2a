use dagr_model::{definition::Type, value::write_scalar};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

fn table(columns: &[&str], rows: &[&[&str]]) -> Survey {
    survey_of(Survey::default(), columns, rows)
}

fn survey_of(mut survey: Survey, columns: &[&str], rows: &[&[&str]]) -> Survey {
    let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    survey.columns(&columns, Origin::Csv).unwrap();
    for row in rows {
        let cells: Vec<Option<&str>> = row.iter().map(|cell| Some(*cell)).collect();
        survey.cells(&cells);
    }
    survey
}

fn types(survey: &Survey) -> Vec<&str> {
    survey.fields.all.iter().map(Field::ty).collect()
}

#[test]
fn the_narrowest_type_that_every_value_has() {
    let survey = table(
        &["a", "b", "c", "d", "e", "f", "g", "h"],
        &[
            &["1", "1", "007", "2026-01-01", "1,5", "12018010513", "true", ""],
            &[
                "-20",
                "1.5",
                "8",
                "2026-02-28T10:00:00Z",
                "2",
                "120180-10513",
                "false",
                " ",
            ],
        ],
    );
    assert_eq!(
        types(&survey),
        [
            "int",
            "decimal",
            "text",
            "text",
            "decimal",
            "person_code",
            "bool",
            "text"
        ]
    );
    assert_eq!(survey.fields.all[4].looks.written(), Some(Written::Comma));
    assert_eq!(survey.fields.all[7].values, 0);
}

#[test]
fn a_text_of_digits_in_json_is_a_text() {
    let mut survey = Survey::default();
    for record in [
        r#"{"a": 1, "b": "5", "c": [{"d": 1.5}], "e": {"f": true}, "g": 1, "h": [1], "i": null}"#,
        r#"{"a": 2, "b": "6", "c": [], "e": {"f": false, "j": "x"}, "g": "x", "h": 2}"#,
        "[1]",
    ] {
        survey.json(record.as_bytes());
    }
    assert_eq!((survey.rows, survey.torn), (2, 1));
    let of = |name: &str| survey.fields.all.iter().find(|field| field.name == name).unwrap();
    assert_eq!((of("a").ty(), of("b").ty()), ("int", "text"));
    assert_eq!((of("c").shape(), of("c").is_list()), (Shape::Object, true));
    assert_eq!((of("e").shape(), of("e").is_list()), (Shape::Object, false));
    assert_eq!(of("c").inside.all[0].ty(), "decimal");
    // A number here, a text there; a list here, a number there.
    assert_eq!((of("g").shape(), of("h").shape()), (Shape::Json, Shape::Json));
    assert_eq!(survey.key().unwrap().0[0].name, "a");
}

#[test]
fn a_key_is_in_every_row_and_never_twice() {
    let rows: &[&[&str]] = &[
        &["x", "1", "a"],
        &["x", "2", ""],
        &["y", "1", "b"],
        &["y", "2", "c"],
    ];
    assert!(table(&["a", "b", "c"], rows).key().is_none());
    let survey = survey_of(Survey::default().for_pairs(), &["a", "b", "c"], rows);
    let names: Vec<&str> = survey
        .key()
        .unwrap()
        .0
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b"]);
    // Registers have rows of one key; one of a hundred may be so.
    let texts: Vec<[String; 2]> = (0..300)
        .map(|n| [(n % 298).to_string(), (n / 2).to_string()])
        .collect();
    let rows: Vec<[&str; 2]> = texts.iter().map(|[a, b]| [a.as_str(), b]).collect();
    let all: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    let survey = table(&["a", "b"], &all);
    let (key, faults) = survey.key().unwrap();
    assert_eq!((key[0].name.as_str(), faults), ("a", 2));
    let half: Vec<&[&str]> = rows.iter().map(|row| &row[1..]).collect();
    assert!(table(&["b"], &half).key().is_none());
    // A fraction tells rows apart by chance.
    let survey = table(&["a", "b"], &[&["1.5", "7"], &["2.5", "8"]]);
    assert_eq!(survey.key().unwrap().0[0].name, "b");
}

proptest! {
    #[test]
    fn every_value_is_of_the_type_that_is_proposed(
        values in prop::collection::vec(
            prop_oneof!["-?[0-9]{1,20}", "[0-9]{0,3}[.,][0-9]{1,3}", "[0-9]{6}-?[0-9]{5}", "20[0-9]{2}-[0-9]{2}-[0-9]{2}", "true|false", "\\PC{1,8}"],
            1..6,
        )
    ) {
        let mut looks = Looks::default();
        for value in &values {
            looks.text(value);
        }
        let ty = match looks.written() {
            Some(Written::Uuid) => Type::Uuid,
            Some(Written::PersonCode) => Type::PersonCode,
            Some(Written::Bool) => Type::Bool,
            Some(Written::Int) => Type::Int,
            Some(Written::Decimal | Written::Comma) => Type::Decimal,
            Some(Written::Date) => Type::Date,
            Some(Written::Timestamp) => Type::Timestamp,
            Some(Written::Dotted) | None => Type::Text,
        };
        for value in &values {
            let text = match looks.written() {
                Some(Written::Comma) => value.trim().replacen(',', ".", 1),
                None => value.clone(),
                _ => value.trim().to_owned(),
            };
            prop_assert!(write_scalar(&ty, &text, &TimeZone::UTC, &mut Vec::new()).is_ok(), "{value:?} as {ty:?}");
        }
    }
}

#[test]
fn a_cell_of_json_beside_a_plain_one_is_text() {
    let survey = table(
        &["a", "b", "c"],
        &[
            &["[1, 2]", "{\"x\": 1}", "[1]"],
            &["[3]", "{\"x\": 2}", "[see below]"],
            &["[]", "", "9"],
        ],
    );
    let of = |at: usize| &survey.fields.all[at];
    assert_eq!(
        (of(0).shape(), of(0).is_list(), of(0).ty()),
        (Shape::Scalar, true, "int")
    );
    assert_eq!(of(1).shape(), Shape::Object);
    assert_eq!(
        (of(2).shape(), of(2).is_list(), of(2).ty()),
        (Shape::Scalar, false, "text")
    );
    // A file that says what its columns are is believed.
    let mut survey = Survey::default();
    survey.declare("a", "text", true);
    survey.columns(&["a".to_owned()], Origin::Parquet).unwrap();
    survey.cells(&[Some("{\"x\": 1}")]);
    assert_eq!(
        (survey.fields.all[0].shape(), survey.fields.all[0].ty()),
        (Shape::Scalar, "text")
    );
}

#[test]
fn members_keep_their_order() {
    let mut survey = Survey::default();
    survey.json(br#"{"z": 1, "a": 2, "m": 3}"#);
    let names: Vec<&str> = survey
        .fields
        .all
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(names, ["z", "a", "m"]);
}
