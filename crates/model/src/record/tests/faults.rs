use super::*;

fn faults(raw: &str) -> Vec<(String, String)> {
    let faults = compiled(pets()).read_json(raw.as_bytes()).unwrap_err();
    assert!(
        faults.iter().all(|fault| !fault.message.contains("SECRET")),
        "{faults:?}"
    );
    faults
        .into_iter()
        .map(|fault| (fault.place, fault.rule))
        .collect()
}

fn one(raw: &str) -> (String, String) {
    let members = format!(r#"{{"Code":"k","Year":1,{raw}}}"#);
    let found = faults(&members);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

fn pair(place: &str, rule: &str) -> (String, String) {
    (place.to_owned(), rule.to_owned())
}

#[test]
fn each_fault_names_its_field_and_rule() {
    assert_eq!(one(r#""Name":5"#), pair("Name", "type"));
    assert_eq!(one(r#""Name":["SECRET"]"#), pair("Name", "type"));
    assert_eq!(one(r#""Tags":"SECRET""#), pair("Tags", "type"));
    assert_eq!(one(r#""Flag":"true""#), pair("Flag", "type"));
    assert_eq!(one(r#""Amount":"SECRET""#), pair("Amount", "type"));
    assert_eq!(one(r#""Amount":1e64"#), pair("Amount", "range"));
    assert_eq!(one(r#""Born":"2021-02-29""#), pair("Born", "type"));
    assert_eq!(one(r#""Owner":"161175-19998""#), pair("Owner", "person_code"));
    assert_eq!(
        one(r#""Place":{"type":"Point","coordinates":["SECRET"]}"#),
        pair("Place", "type")
    );
    assert_eq!(
        one(r#""Pets":[{"Age":9223372036854775808}]"#),
        pair("Pets.Age", "range")
    );
    assert_eq!(one(r#""Pets":[{"Age":1.0}]"#), pair("Pets.Age", "type"));
    assert_eq!(one(r#""Pets":[{"Aeg":1}]"#), pair("Pets.Aeg", "unknown_field"));
    assert_eq!(
        one(r#""Name":null,"Name":"SECRET""#),
        pair("Name", "duplicate_member")
    );
    assert_eq!(one(r#""Extra":{"a":1,"a":2}"#), pair("", "json"));
}

#[test]
fn all_faults_come_at_once() {
    assert_eq!(
        faults(r#"{"Nmae":{"x":["SECRET"]},"Amount":true,"Code":null}"#),
        [
            pair("Nmae", "unknown_field"),
            pair("Amount", "type"),
            pair("Year", "required"),
            pair("Code", "required"),
        ]
    );
    let found = compiled(pets()).read_json(br#"{"Nmae":1}"#).unwrap_err();
    assert!(found[0].message.contains("did you mean Name?"), "{found:?}");
}

#[test]
fn what_is_not_json_is_one_fault() {
    for raw in [
        "",
        "[]",
        "{",
        "{} x",
        r#"{"Name":01}"#,
        "{\"Name\":\"a\nb\"}",
        r#"{"Name":"\ud800"}"#,
        r#"{"Name":tru}"#,
    ] {
        assert!(faults(raw).contains(&pair("", "json")), "{raw}");
    }
    let deep = format!(r#"{{"Extra":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(faults(&deep).contains(&pair("", "json")));
    let large = format!(r#"{{"Code":"{}","Year":1}}"#, "x".repeat(MAX_RECORD));
    assert_eq!(faults(&large), [pair("", "record_size")]);
}

#[test]
fn cells_are_read_by_the_providers_habits() {
    let schema = compiled(pets());
    let options = CsvOptions {
        decimal_comma: true,
        date_format: Some("%d.%m.%Y".to_owned()),
        ..CsvOptions::default()
    };
    let at = |name: &str| schema.node(name).unwrap();
    let cells = [
        (at("Code"), " k "),
        (at("Year"), "007"),
        (at("Amount"), "-1,50"),
        (at("Born"), "05.12.2020"),
        (at("Tags"), ""),
        (at("Address.City"), "Rīga"),
    ];
    assert_eq!(
        text(&schema.read_cells(&cells, &options).unwrap()),
        r#"{"Year":7,"Code":" k ","Amount":-1.5,"Born":"2020-12-05","Address":{"City":"Rīga"}}"#
    );
    let cells = [
        (at("Code"), "k"),
        (at("Year"), "1"),
        (at("Amount"), "1.234,5"),
        (at("Pets"), "[{"),
        (at("Flag"), "yes"),
    ];
    let found: Vec<String> = schema
        .read_cells(&cells, &options)
        .unwrap_err()
        .into_iter()
        .map(|f| format!("{} {}", f.place, f.rule))
        .collect();
    assert_eq!(found, ["Amount type", "Flag type", "Pets json"]);
}

#[test]
fn a_local_time_follows_the_zone_of_the_definition() {
    let mut zoned = pets();
    zoned.timezone = "Europe/Riga".to_owned();
    let schema = compiled(zoned);
    let record = read(
        &schema,
        &json!({"Code": "k", "Year": 1, "Seen": "2020-07-01T12:00:00"}),
    );
    assert!(text(&record).contains("2020-07-01T09:00:00Z"));
}
