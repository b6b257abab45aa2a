use proptest::prelude::*;

use super::{test_schema::schema, *};

/// Every kind of field, some absent.
const RECORD: &str = r#"{"Code":"01010112345","Municipality":"0001","Status":"active","Year":2020,"Price":12.5,"Alive":true,"Born":"1980-05-17","Submitted":"2024-01-31T10:00:00.5Z","Address":{"City":"Rīga","House":{"Number":7}},"Tags":["a","b\"c"],"Pets":[{"Species":"cat","Age":3},{"Species":"dog","Age":12,"Home":{"City":"Ogre"}}],"Extra":{"k":[1,2.5,{"x":null}]}}"#;

fn holds_on(text: &str, record: &str) -> Result<bool, String> {
    let schema = schema();
    let predicate = Predicate::compile(text, &schema).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    predicate.compiled.holds(&schema, &[Some(record.as_bytes())])
}

fn faults(text: &str) -> Vec<Fault> {
    Predicate::compile(text, &schema()).expect_err(text)
}

fn changes(text: &str, old: Option<&str>, new: Option<&str>) -> Result<bool, String> {
    let schema = schema();
    let transition = Transition::compile(text, &schema).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    transition
        .compiled
        .holds(&schema, &[old.map(str::as_bytes), new.map(str::as_bytes)])
}

#[test]
fn true_of_the_record() {
    for text in [
        "record.Municipality == '0001'",
        "Municipality == '0001'",
        "Municipality in ['0001', '0002']",
        "Year == 2020 && Year >= 2020 && Year < 2021.5 && Year + 1 == 2021",
        "Year == 2020u",
        "Price == 12.5 && Price > 12 && Price < 13",
        "Alive && !(Year == 1)",
        "Born < '2000-01-01' && '2000-01-01' > Born && Born == '1980-05-17'",
        "Born < timestamp('2000-01-01T00:00:00Z') && timestamp('2000-01-01') > Born",
        "Born.getFullYear() == 1980",
        "Submitted > '2024-01-31T10:00:00Z' && Submitted >= '2024-01-31' && Submitted < '2024-02'",
        "Submitted == '2024-01-31T12:00:00.500+02:00'",
        "timestamp(Submitted) - timestamp('2024-01-31T09:00:00Z') > duration('1h')",
        "record.Address.City == 'Rīga' && record.Address.House.Number == 7",
        "Address.House.Street == null && Address.House.Street != 'x'",
        "record.Note == null && Note != 'x' && !has(record.Note) && has(record.Address.City)",
        "Garden.City == null && Garden == null && Garden.House.Number == null",
        "Tags.size() == 2 && 'a' in Tags && Tags[0] == 'a' && Tags[1] == 'b\"c'",
        "Pets.exists(p, p.Species == 'dog' && p.Age > 10)",
        "Pets.exists(p, p.Home.City == 'Ogre') && !Pets.all(p, has(p.Home.City))",
        "Pets.filter(p, p.Age > 3).size() == 1 && Pets.map(p, p.Age) == [3, 12] && size(Pets) == 2",
        "Pets[1].Home.City == 'Ogre' && Pets[0].Home.City == null",
        "Pets.exists_one(p, p.Species == 'cat')",
        "Status.matches('^act') && Status.startsWith('a') && Status.contains('tiv') && Status.endsWith('e')",
        "Extra.k[0] == 1 && Extra.k[2].x == null && Extra.none == null",
        "Year / 0 == 1 || true",
        "Year == 2020 ? Alive : false",
    ] {
        assert_eq!(holds_on(text, RECORD), Ok(true), "{text}");
    }
}

#[test]
fn failing_on_a_record_tells_no_value() {
    for text in [
        "Note < 'x'",
        "Year / (Year - 2020) == 1",
        "Pets[7].Age == 1",
        "Extra.k",
        "Year + 9223372036854775807 > 0",
    ] {
        let error = holds_on(text, RECORD).expect_err(text);
        assert!(
            !error.contains("2020") && !error.contains("922") && !error.is_empty(),
            "{error}"
        );
    }
    assert!(holds_on("Status > 'x' || Note < 'x'", RECORD).is_err());
}

#[test]
fn faults_say_where_and_what_to_do() {
    for (text, place, said) in [
        (
            "record.Munincipality == '1'",
            "line 1, column 7",
            "did you mean Municipality?",
        ),
        (
            "Year == 1 &&\n  recrod.Status == 'a'",
            "line 2, column 3",
            "did you mean record?",
        ),
        ("Code == 1", "line 1", "text cannot be compared with a number"),
        ("Pets.Species == 'cat'", "line 1", "a list has no Species"),
        ("Address.Cty == 'x'", "line 1", "did you mean City?"),
        (
            "Pets.exists(p, p.Spcies == 'x')",
            "line 1",
            "did you mean Species?",
        ),
        ("Status", "line 1", "neither true nor false"),
        ("Status.matches(Code)", "line 1", "must be written out"),
        ("Status.matches('(?=x)')", "line 1", "linear-time"),
        ("Status.matches('((a{100}){100}){100}')", "line 1", "too big"),
        ("Status.lowerAscii() == 'a'", "line 1", "unknown function"),
        (
            "Pets.exists(p, Pets.exists(q, q.Age == p.Age))",
            "line 1",
            "another list is read again",
        ),
        (
            "Pets.exists(p, [1, 2].exists(q, q == p.Age))",
            "line 1",
            "inside one another",
        ),
        (
            "Pets.exists(p, p.Species in Tags)",
            "line 1",
            "another list is read again",
        ),
        (
            "record == null || record.Pets == {}",
            "line 1",
            "objects cannot be written",
        ),
        ("record == record", "line 1", "whole record"),
        ("Born < 'yesterday'", "line 1", "not a date"),
        ("Year ==", "line 1", "not a CEL expression"),
        ("b'x' == Code", "line 1", "bytes"),
        ("   ", "line 1", "empty"),
    ] {
        let faults = faults(text);
        assert!(
            faults
                .iter()
                .any(|fault| fault.place.starts_with(place) && fault.message.contains(said)),
            "{text}: {faults:?}"
        );
    }
}

#[test]
fn beyond_a_limit_is_a_fault_not_a_crash() {
    for text in [
        "(".repeat(1_999),
        "[".repeat(1_999),
        "!".repeat(1_999),
        "-".repeat(1_999),
        vec!["1"; 999].join("+") + "==1",
        vec!["true"; 330].join("||"),
        "Year==1?true:".repeat(60) + "true",
        "Tags[".repeat(300),
        "a.".repeat(900),
        "x(".repeat(900),
        "'".repeat(1_999),
        "é".repeat(2_001),
        "?:".repeat(900),
        vec!["1"; 95].join("+") + "==95",
        "Address".to_owned() + &".City".repeat(150) + "==''",
        "Tags.map(x,".repeat(18) + "x" + &")".repeat(18),
    ] {
        assert!(Predicate::compile(&text, &schema()).is_err(), "{text}");
    }
}

#[test]
fn just_within_a_limit_runs() {
    // CEL folds repeated signs, so these are shallow; others are as deep as may be.
    for text in [
        "!".repeat(195) + "true",
        "-".repeat(190) + "1==1",
        "!(".repeat(18) + "Alive" + &")".repeat(18),
        vec!["1"; 60].join("+") + "==60",
        "Alive?Alive:".repeat(30) + "true",
    ] {
        if Predicate::compile(&text, &schema()).is_ok() {
            let _ = holds_on(&text, RECORD);
        }
    }
}

#[test]
fn within_the_limits_is_fine() {
    let many = (0..45)
        .map(|year| format!("Year == {year}"))
        .collect::<Vec<_>>()
        .join(" || ")
        + " || Year == 2020";
    assert_eq!(holds_on(&many, RECORD), Ok(true));
    let sum = vec!["1"; 50].join("+") + " == 50";
    assert_eq!(holds_on(&sum, RECORD), Ok(true));
    let nested = "(".repeat(15) + "Alive" + &")".repeat(15);
    assert_eq!(holds_on(&nested, RECORD), Ok(true));
}

#[test]
fn transitions_see_both_sides() {
    let died = "new.Status == 'dead' && old.Status != 'dead'";
    let (alive, dead) = (r#"{"Status":"alive"}"#, r#"{"Status":"dead"}"#);
    assert_eq!(changes(died, Some(alive), Some(dead)), Ok(true));
    assert_eq!(changes(died, Some(dead), Some(dead)), Ok(false));
    assert_eq!(changes(died, None, Some(dead)), Ok(true));
    assert_eq!(changes(died, Some(dead), None), Ok(false));
    assert_eq!(changes("old == null && new != null", None, Some(dead)), Ok(true));
    assert_eq!(changes("old != null && new == null", Some(dead), None), Ok(true));
    let faults = Transition::compile("Status == 'x'", &schema()).expect_err("bare");
    assert!(
        faults[0].message.contains("old.Status or new.Status"),
        "{faults:?}"
    );
}

#[test]
fn reads_the_leaves_it_names() {
    let schema = schema();
    let reads = |text: &str| Predicate::compile(text, &schema).unwrap().reads().clone();
    let ids = |paths: &[&str]| {
        paths
            .iter()
            .map(|path| schema.leaf_ids.0[*path])
            .collect::<LeafSet>()
    };
    assert_eq!(
        reads("Year == 1 && Address.City == 'x'"),
        ids(&["Year", "Address.City"])
    );
    assert_eq!(reads("has(record.Note)"), ids(&["Note"]));
    assert_eq!(reads("record != null"), ids(&[]));
    let pets = ["Pets.Species", "Pets.Age", "Pets.Home.City"];
    assert!(ids(&pets).is_subset(&reads("Pets.exists(p, p.Age == 1)")));
    assert!(!reads("Pets.size() > 1").contains(schema.leaf_ids.0["Year"]));
}

#[test]
fn one_evaluation_reads_a_bounded_amount() {
    let pets = r#"{"Species":"cat","Age":3},"#.repeat(20_000);
    let record = format!(
        r#"{{"Status":"{}","Pets":[{}]}}"#,
        "s".repeat(1 << 19),
        pets.trim_end_matches(',')
    );
    let error = holds_on("Pets.exists(p, Status.contains('x'))", &record).expect_err("too much");
    assert!(error.contains("MiB"), "{error}");
}

proptest! {
    #[test]
    fn any_text_compiles_or_faults(text in "\\PC{0,120}") {
        let _ = Predicate::compile(&text, &schema());
    }

    #[test]
    fn near_cel_compiles_or_faults(parts in prop::collection::vec(prop::sample::select(vec![
        "record", ".", "Year", "Pets", "Tags", "Status", "Born", "==", "!=", "<", "&&", "||", "!", "(", ")", "[", "]",
        "1", "2.5", "'x'", "null", "true", "p", ",", ".exists(p,", ".size()", ".matches('a')", "+", "-", "/", "in", "?",
        ":", "has(", "timestamp(", "{", "}", " ", "'", "\\", "\n", "Extra", ".k", "Address", ".City",
    ]), 0..25)) {
        let text = parts.concat();
        let schema = schema();
        if let Ok(predicate) = Predicate::compile(&text, &schema) {
            let _ = predicate.compiled.holds(&schema, &[Some(RECORD.as_bytes())]);
            let _ = predicate.compiled.holds(&schema, &[Some(b"{}")]);
        }
    }

    #[test]
    fn malformed_records_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), cut in 0..400usize) {
        let schema = schema();
        let predicate = Predicate::compile("Pets.exists(p, p.Age > 1) || Address.City == 'x'", &schema).unwrap();
        let _ = predicate.compiled.holds(&schema, &[Some(&bytes)]);
        let _ = predicate.compiled.holds(&schema, &[RECORD.as_bytes().get(..cut)]);
    }

    /// What is not read does not matter.
    #[test]
    fn hidden_fields_do_not_change_the_result(
        year in prop::option::of(0..4i64),
        city in prop::option::of("[a-c]{1,2}"),
        hidden in prop::collection::vec(prop::option::of("[a-z\\\\\"{}\\[\\],:]{1,8}"), 3),
        text in prop::sample::select(vec![
            "Year > 1", "Year == null || Address.City == 'a'", "Address.City < 'b'", "Year + 1 == 3 && has(Address.City)",
        ]),
    ) {
        let record = |hidden: &[Option<String>]| {
            let mut top = serde_json::Map::new();
            let mut put = |name: &str, value: Option<serde_json::Value>| {
                if let Some(value) = value {
                    top.insert(name.to_owned(), value);
                }
            };
            put("Code", hidden[0].clone().map(Into::into));
            put("Status", hidden[1].clone().map(Into::into));
            put("Year", year.map(Into::into));
            let house = hidden[2].clone().map(|street| serde_json::json!({ "Street": street }));
            let mut address = serde_json::Map::new();
            if let Some(city) = &city {
                address.insert("City".into(), city.clone().into());
            }
            if let Some(house) = house {
                address.insert("House".into(), house);
            }
            put("Address", (!address.is_empty()).then(|| address.into()));
            serde_json::Value::Object(top).to_string()
        };
        let shown = record(&[None, None, None]);
        prop_assert_eq!(holds_on(text, &record(&hidden)), holds_on(text, &shown));
    }
}

/// Why an int that an expression reads is not widened.
#[test]
fn a_decimal_is_another_value_than_the_int_of_the_same_bytes() {
    let on = |text: &str, field: &str, value: &str| {
        holds_on(&text.replace('N', field), &format!("{{\"{field}\":{value}}}")).ok()
    };
    for (text, value, int, decimal) in [
        ("N / 2 == 1", "3", Some(true), None),
        ("N % 2 == 1", "3", Some(true), None),
        ("N + 1 == 4", "3", Some(true), None),
        ("N / 2.0 == 1.5", "3", None, Some(true)),
        (
            "N == 9007199254740993",
            "9007199254740992",
            Some(false),
            Some(true),
        ),
        ("N == 3 && N > 2 && N in [3]", "3", Some(true), Some(true)),
    ] {
        let found = (on(text, "Year", value), on(text, "Price", value));
        assert_eq!(found, (int, decimal), "{text}");
    }
}
