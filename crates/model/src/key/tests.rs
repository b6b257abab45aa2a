use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::schema::tests::{compiled, definition, field, list, object, pets};

/// A schema whose key is `A(, B, C…)` of the given types.
fn keyed(types: &[Type]) -> Schema {
    let names: Vec<String> = (0..types.len()).map(|at| format!("K{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let fields = names
        .iter()
        .zip(types)
        .map(|(name, ty)| field(name, ty.clone()))
        .collect();
    compiled(definition(&names[..1], &names[1..], fields))
}

fn key(schema: &Schema, values: &[Value]) -> Vec<u8> {
    schema.key_from_values(values).unwrap()
}

fn canonical(schema: &Schema, value: &Value) -> crate::record::Canonical {
    schema.read_json(value.to_string().as_bytes()).unwrap()
}

#[test]
fn every_way_to_a_key_gives_the_same_bytes() {
    let schema = compiled(pets());
    let record = canonical(&schema, &json!({"Code": "a/ž", "Year": 2020, "Name": "n"}));
    let full = schema.key_of(record.as_ref()).unwrap();
    assert_eq!(schema.key_from_parts(&["a/ž", "2020"]).unwrap(), full);
    assert_eq!(schema.key_from_parts(&["a/z\u{30c}", "2020"]).unwrap(), full);
    assert_eq!(key(&schema, &[json!("a/ž"), json!(2020)]), full);
    let object = json!({"Year": 2020, "Code": "a/ž"});
    assert_eq!(
        schema.key_from_object(object.as_object().unwrap(), true).unwrap(),
        full
    );
    let leading = schema.key_from_parts(&["a/ž"]).unwrap();
    assert!(full.starts_with(&leading));
    assert_eq!((schema.key_parts(&leading), schema.is_full_key(&full)), (1, true));
    let mut out = Vec::new();
    schema.key_json(&full, &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), r#"{"Year":2020,"Code":"a/ž"}"#);
    assert_eq!(schema.key_display_values(&full), [json!("a/ž"), json!(2020)]);
}

#[test]
fn malformed_keys_are_told_without_their_value() {
    let schema = compiled(pets());
    for parts in [
        &[][..],
        &["k", "1", "2"],
        &["k", "x"],
        &["k", "01"],
        &["."],
        &[".."],
        &[""],
        &["k", " 1"],
        &["k", "1.0"],
    ] {
        assert_eq!(
            schema.key_from_parts(parts).unwrap_err().rule,
            "key_invalid",
            "{parts:?}"
        );
    }
    assert_eq!(
        schema.key_from_parts(&[&"x".repeat(300)]).unwrap_err().rule,
        "key_invalid"
    );
    let rules = |object: Value, full: bool| -> Vec<String> {
        let faults = schema
            .key_from_object(object.as_object().unwrap(), full)
            .unwrap_err();
        faults
            .into_iter()
            .map(|fault| format!("{} {}", fault.place, fault.rule))
            .collect()
    };
    assert_eq!(
        rules(json!({"Coed": "k"}), true),
        ["Coed unknown_field", "Code key_invalid", "Year key_invalid"]
    );
    assert_eq!(rules(json!({"Year": 1}), false), ["Code key_invalid"]);
    assert_eq!(rules(json!({"Code": "k", "Year": "1"}), false), ["Year type"]);
    assert_eq!(rules(json!({"Code": "", "Year": 1}), true), ["Code key_invalid"]);
    let record = canonical(&schema, &json!({"Code": "x".repeat(250), "Year": 1}));
    assert_eq!(schema.key_of(record.as_ref()).unwrap_err().rule, "key_length");
}

#[test]
fn personal_codes_are_asked_with_or_without_hyphen() {
    let schema = keyed(&[Type::PersonCode]);
    assert_eq!(
        schema.key_from_parts(&["161175-19997"]),
        schema.key_from_parts(&["16117519997"])
    );
    assert_eq!(
        schema.key_from_parts(&["161175-19996"]).unwrap_err().rule,
        "key_invalid"
    );
}

#[test]
fn indexes_run_through_lists_and_cut_values_are_asked_again() {
    let inner = vec![field("Kind", Type::Text)];
    let fields = vec![
        field("Id", Type::Int),
        field("Name", Type::Text),
        field("Year", Type::Int),
        list(object("L", inner)),
    ];
    let schema = compiled(definition(&["Id"], &[], fields));
    let at = |path: &str| schema.node(path).unwrap();
    let long = "x".repeat(200);
    let record = canonical(
        &schema,
        &json!({"Id": 1, "Name": long, "L": [{"Kind": "b"}, {"Kind": "a"}, {"Kind": "b"}]}),
    );
    assert_eq!(
        schema.index_values(&[at("L.Kind")], record.as_ref()),
        [b"a\0".to_vec(), b"b\0".to_vec()]
    );
    assert_eq!(
        schema.index_values(&[at("Name"), at("Year")], record.as_ref()),
        Vec::<Vec<u8>>::new()
    );
    let other = format!("{}y", "x".repeat(199));
    let asked = schema.index_value_from_texts(&[at("Name")], &[&other]).unwrap();
    assert_eq!(schema.index_values(&[at("Name")], record.as_ref()), [asked]);
    assert!(!schema.index_matches(&[at("Name")], record.as_ref(), &[&other]));
    assert!(schema.index_matches(&[at("Name")], record.as_ref(), &[&long]));
    assert_eq!(
        schema
            .index_value_from_texts(&[at("Year")], &["x"])
            .unwrap_err()
            .rule,
        "key_invalid"
    );
}

fn number() -> impl Strategy<Value = (i64, u32)> {
    (prop_oneof![-1_000..1_000i64, any::<i64>()], 0..25u32)
}

/// `mantissa` / 10^`scale` as text.
fn decimal_text((mantissa, scale): (i64, u32)) -> String {
    format!("{mantissa}e-{scale}")
}

/// Order of two decimals: their digits padded to a common scale.
fn compare(a: (i64, u32), b: (i64, u32)) -> std::cmp::Ordering {
    let (negative_a, negative_b) = (a.0 < 0, b.0 < 0);
    if negative_a != negative_b {
        return negative_b.cmp(&negative_a);
    }
    let digits = |(mantissa, scale): (i64, u32)| {
        format!(
            "{:0>60}{}",
            mantissa.unsigned_abs(),
            "0".repeat(30 - scale as usize)
        )
    };
    let pad = |text: String| format!("{text:0>100}");
    let order = pad(digits(a)).cmp(&pad(digits(b)));
    if negative_a { order.reverse() } else { order }
}

fn word() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec!['\0', '\u{1}', '\u{2}', 'a', 'b', 'ž', '\u{10ffff}']),
        1..5,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn ints_and_texts_order_as_they_are(a in (word(), any::<i64>()), b in (word(), any::<i64>())) {
        let schema = keyed(&[Type::Text, Type::Int]);
        let bytes = |(word, number): &(String, i64)| key(&schema, &[json!(word), json!(number)]);
        prop_assert_eq!(bytes(&a).cmp(&bytes(&b)), a.cmp(&b));
        prop_assert_eq!(schema.key_display_values(&bytes(&a)), vec![json!(a.0), json!(a.1)]);
        let leading = key(&schema, &[json!(a.0)]);
        prop_assert_eq!(bytes(&b).starts_with(&leading), a.0 == b.0);
    }

    #[test]
    fn decimals_order_as_numbers(a in number(), b in number()) {
        let schema = keyed(&[Type::Decimal]);
        let bytes = |n| key(&schema, &[json!(decimal_text(n))]);
        prop_assert_eq!(bytes(a).cmp(&bytes(b)), compare(a, b));
        let mut json = Vec::new();
        value::decimal(&decimal_text(a), &mut json).unwrap();
        let mut shown = Vec::new();
        schema.key_json(&bytes(a), &mut shown);
        prop_assert_eq!(String::from_utf8(shown).unwrap(), format!("{{\"K0\":{}}}", String::from_utf8(json).unwrap()));
    }

    #[test]
    fn the_other_types_order_and_read_back(
        a in (any::<bool>(), 0..3000i64, -62_167_219_200i64..253_402_300_800, any::<u128>()),
        b in (any::<bool>(), 0..3000i64, -62_167_219_200i64..253_402_300_800, any::<u128>()),
    ) {
        let schema = keyed(&[Type::Bool, Type::Date, Type::Timestamp, Type::Uuid]);
        let values = |(flag, day, second, id): (bool, i64, i64, u128)| {
            let date = jiff::civil::date(2000, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
            let mut time = Vec::new();
            value::Instant::new(second, (id % 1_000_000_000) as u32).unwrap().write(&mut time);
            let time = String::from_utf8(time).unwrap();
            vec![json!(flag), json!(date.to_string()), json!(time), json!(value::uuid_text(&id.to_be_bytes()))]
        };
        let order = |(flag, day, second, id): (bool, i64, i64, u128)| (flag, day, second, id % 1_000_000_000, id);
        let (left, right) = (key(&schema, &values(a)), key(&schema, &values(b)));
        prop_assert_eq!(left.cmp(&right), order(a).cmp(&order(b)));
        prop_assert_eq!(schema.key_display_values(&left), values(a));
    }
}
