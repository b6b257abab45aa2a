use std::sync::Arc;

use super::*;
use crate::{collect::kept, feed::MapSpec};

fn schema() -> Schema {
    let text = "name: x_people\nkey: Code\ndata_description: d\nfields:\n  - Code : c\n  - Name : n\n  - Born date : b\n  - Status : s\n  - Country : s\n";
    Schema::compile(Arc::new(text.parse().unwrap()), None)
}

fn apply(map: &str, columns: &[&str], row: &[Option<&str>]) -> Result<Vec<(String, String)>, Vec<String>> {
    let schema = schema();
    let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
    let mapping = Mapping::compile(&kept::map(map), &schema, &columns, Origin::Json, &Filled::new())
        .and_then(|(mapping, unwanted)| {
            if unwanted.is_empty() {
                Ok(mapping)
            } else {
                Err(unwanted)
            }
        })
        .map_err(|faults| {
            faults
                .iter()
                .map(|fault| format!("{}: {}", fault.place, fault.rule))
                .collect::<Vec<_>>()
        })?;
    let mut cells = Mapped::new();
    mapping
        .apply(row, &mut cells)
        .map(|()| {
            cells
                .into_iter()
                .map(|(node, text)| (schema.nodes[node].path.clone(), text.into_owned()))
                .collect()
        })
        .map_err(|refusals| refusals.iter().map(|refusal| refusal.rule.to_owned()).collect())
}

#[test]
fn columns_become_fields_by_every_rule() {
    let map = "Name = { columns = ['first', 'last'], join = ' ' }\nBorn = { column = 'dob', format = '%d.%m.%Y' }\nStatus = { column = 'st', codes = { '1' = 'alive' } }\nCountry = { constant = 'LV' }\ndrop = ['junk']";
    let columns = ["code", "first", "last", "dob", "st", "junk"];
    let row = [
        Some("7"),
        Some("Ā"),
        Some("Bērziņš"),
        Some("24.12.1990"),
        Some("1"),
        Some("x"),
    ];
    let mut cells = apply(map, &columns, &row).unwrap();
    cells.sort();
    let told: Vec<String> = cells
        .iter()
        .map(|(path, text)| format!("{path}={text}"))
        .collect();
    assert_eq!(
        told,
        [
            "Born=1990-12-24",
            "Code=7",
            "Country=LV",
            "Name=Ā Bērziņš",
            "Status=alive"
        ]
    );
    let row = [Some("7"), None, None, Some("1990-12-24"), Some("2"), None];
    assert_eq!(apply(map, &columns, &row).unwrap_err(), ["format", "codes"]);
}

#[test]
fn a_column_is_split_and_an_unknown_code_is_empty() {
    let map = "Name = { column = 'name', split = ', ', part = 2 }\nStatus = { column = 'st', codes = { '1' = 'alive' }, other = 'empty' }";
    let columns = ["Code", "name", "st"];
    let told = |name, status| {
        let mut cells = apply(map, &columns, &[Some("7"), name, status]).unwrap();
        cells.sort();
        cells
    };
    let of = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let known = told(Some("Bērziņš, Ā"), Some("1"));
    assert_eq!(known, [of("Code", "7"), of("Name", "Ā"), of("Status", "alive")]);
    let unknown = told(Some("Bērziņš"), Some("2"));
    assert_eq!(unknown, [of("Code", "7")], "no second part, and no such code");
}

#[test]
fn an_expression_makes_a_value_of_columns() {
    let map = "Name = { cel = \"last == null ? first : first + ' ' + last\" }\nStatus = { cel = 'int(year) + 1 < 2000 || row.first.startsWith(\"Ā\")', codes = { true = 'old', false = 'new' } }\ndrop = ['Code']";
    let columns = ["Code", "first", "last", "year"];
    let told = |row: &[Option<&str>]| {
        apply(map, &columns, row).map(|cells| cells.into_iter().map(|(_, text)| text).collect::<Vec<_>>())
    };
    let row = [Some("7"), Some("Ārija"), Some("Bērziņa"), Some("2020")];
    assert_eq!(told(&row).unwrap(), ["Ārija Bērziņa", "old"]);
    let row = [Some("7"), Some("Jānis"), Some(""), Some("1999")];
    assert_eq!(told(&row).unwrap(), ["Jānis", "new"]);
    assert_eq!(
        told(&[Some("7"), Some("x"), None, Some("MCM")]).unwrap_err(),
        ["cel"]
    );
    let faults = apply(
        "Name = { cel = 'frist + nothing(1)' }\ndrop = ['Code', 'last', 'year', 'first']",
        &columns,
        &[],
    )
    .unwrap_err();
    assert_eq!(
        faults,
        [
            "map.Name.cel line 1, column 1: expression",
            "map.Name.cel line 1, column 16: expression"
        ]
    );
}

#[test]
fn what_is_not_understood_is_told_all_at_once() {
    let faults = apply(
        "Nmae = 'x'\nName = 'fisrt'\ndrop = ['gone']",
        &["Code", "first", "more"],
        &[],
    )
    .unwrap_err();
    assert_eq!(
        faults,
        [
            "map.drop: column_unknown",
            "map.Name: column_unknown",
            "map.Nmae: field_unknown",
            "column first: columns_unknown",
            "column more: columns_unknown",
        ]
    );
}

#[test]
fn a_refusal_names_the_column_of_its_own_field() {
    let text = "name: x_set\nkey: Id\ndata_description: d\nfields:\n  - Id : i\n  - Owner : o\n  - OwnerCode : c\n  - Home :\n      comments: h\n      fields:\n        - City : c\n";
    let schema = Schema::compile(Arc::new(text.parse().unwrap()), None);
    let columns = ["Id", "Owner", "OwnerCode", "Home"].map(str::to_owned);
    let (mapping, _) = Mapping::compile(
        &MapSpec::default(),
        &schema,
        &columns,
        Origin::Csv,
        &Filled::new(),
    )
    .unwrap();
    let row = [Some("1"), Some("o"), Some("c"), Some("{}")];
    let of = |path| mapping.origin(&schema, path, &row);
    assert_eq!(of("OwnerCode"), ("OwnerCode", "c"));
    assert_eq!(of("Home.City"), ("Home", "{}"));
    assert_eq!(of("OwnerCodes[0]"), ("", ""));
}

#[test]
fn a_shape_tells_no_value() {
    assert_eq!(shape("010190-12345 Jānis"), "999999-99999 Aaaaa");
    assert_eq!(shape(&"x".repeat(50)), format!("{}…", "a".repeat(40)));
}

/// What no row would ever bring is a fault, not silence.
#[test]
fn a_field_inside_a_list_or_filled_twice_is_a_fault() {
    let text = "name: x_people\nkey: Code\ndata_description: d\nfields:\n  - Code : c\n  - Address :\n      comments: a\n      fields:\n        - Street : s\n  - Pets * :\n      comments: p\n      fields:\n        - Born date : b\n";
    let schema = Schema::compile(Arc::new(text.parse().unwrap()), None);
    let told = |map: &str, columns: &[&str]| -> Vec<String> {
        let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
        let made = Mapping::compile(&kept::map(map), &schema, &columns, Origin::Csv, &Filled::new());
        let faults = made.map_or_else(|faults| faults, |(_, unwanted)| unwanted);
        faults
            .iter()
            .map(|fault| format!("{}: {}", fault.place, fault.rule))
            .collect()
    };
    assert!(told("", &["Code", "Pets", "Address.Street"]).is_empty());
    assert!(told("", &["Code", "Address"]).is_empty());
    assert_eq!(
        told(
            "'Pets.Born' = { column = 'b', format = '%d.%m.%Y' }",
            &["Code", "b", "Pets"]
        )[0],
        "map.Pets.Born: rule"
    );
    assert_eq!(
        told("", &["Code", "Pets.Born"]),
        ["column Pets.Born: columns_unknown"]
    );
    assert_eq!(
        told("", &["Code", "Address", "Address.Street"]),
        ["field Address.Street: rule"]
    );
}
