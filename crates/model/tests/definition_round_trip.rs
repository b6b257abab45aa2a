//! print ∘ parse is the identity, over generated definitions and over arbitrary text.
#![allow(clippy::unwrap_used, clippy::panic, clippy::format_collect)]

use dagr_model::{
    definition::{
        ChangeList, Classification, CsvOptions, Definition, Duplicates, Field, KeySpec, Personal, PublicFile,
        Retention, Source, Type, holds_round_trip,
    },
    ids::DatasetName,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

const NAMES: &[&str] = &[
    "No", "yes", "010", "null", "true", "Vārds", "Šķirne", "ģints", "Code", "code2", "type", "comments",
    "A_b", "_x", "name", "key", "y", "1e3", "personal", "Ķēde", "Limit",
];

fn prose() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "ā",
        "Ņ",
        "ž",
        " ",
        ": ",
        " #",
        "#",
        ":",
        "\"",
        "'",
        "\\",
        "{",
        "}",
        "[",
        "]",
        "|",
        ">",
        "&",
        "*",
        "!",
        "%",
        "@",
        "`",
        "-",
        "- ",
        "? ",
        ",",
        "\n",
        "\t",
        "\u{a0}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{7f}",
        "😀",
        "~",
        "null",
        "010",
        "word",
        "fields:",
        "comments :",
        "---",
        "...",
        "\u{0}",
        "\r",
    ]);
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Words whose reader trims and refuses emptiness.
fn words() -> impl Strategy<Value = String> {
    prose().prop_map(|text| format!("x{}", text.trim()).trim().to_owned())
}

fn leaf_type() -> impl Strategy<Value = Type> {
    select(vec![
        Type::Text,
        Type::Int,
        Type::Decimal,
        Type::Bool,
        Type::Date,
        Type::Timestamp,
        Type::Uuid,
        Type::PersonCode,
        Type::OrgCode,
        Type::Code("VALSTIS-2.0".into()),
        Type::Point,
        Type::Geometry,
        Type::Json,
    ])
}

fn named(names: Vec<&'static str>, mut fields: Vec<Field>) -> Vec<Field> {
    fields.truncate(names.len());
    for (field, name) in fields.iter_mut().zip(names) {
        name.clone_into(&mut field.name);
    }
    fields
}

fn level(field: impl Strategy<Value = Field>) -> impl Strategy<Value = Vec<Field>> {
    (select_names(), vec(field, 1..5)).prop_map(|(names, fields)| named(names, fields))
}

fn select_names() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(NAMES.to_vec(), 5).prop_shuffle()
}

fn field() -> impl Strategy<Value = Field> {
    let personal = option::of(select(vec![Personal::Identifying, Personal::Sensitive]));
    let leaf = (
        leaf_type(),
        any::<bool>(),
        any::<bool>(),
        prose(),
        personal,
        option::of(words()),
    )
        .prop_map(|(ty, list, required, comments, personal, unit)| Field {
            name: String::new(),
            ty,
            list,
            required,
            comments,
            personal,
            unit,
            fields: Vec::new(),
        });
    leaf.prop_recursive(4, 24, 4, |inner| {
        (level(inner), any::<bool>(), any::<bool>(), prose()).prop_map(
            |(fields, list, required, comments)| Field {
                name: String::new(),
                ty: Type::Object,
                list,
                required,
                comments,
                personal: None,
                unit: None,
                fields,
            },
        )
    })
}

fn csv() -> impl Strategy<Value = CsvOptions> {
    (
        option::of(select(vec![';', '\t', '|', ' '])),
        option::of(words()),
        any::<bool>(),
        vec((prose(), select(vec!["Id", "Born"])), 0..3),
        vec(words(), 0..3),
        select(vec![Duplicates::Quarantine, Duplicates::First, Duplicates::Last]),
        any::<bool>(),
    )
        .prop_map(
            |(delimiter, charset, decimal_comma, columns, ignore, duplicates, date)| {
                let columns: std::collections::BTreeMap<String, String> = columns
                    .into_iter()
                    .map(|(header, name)| (header.trim().to_owned(), name.to_owned()))
                    .collect();
                let mut ignore: Vec<String> = ignore
                    .into_iter()
                    .filter(|header| !columns.contains_key(header))
                    .collect();
                if !columns.contains_key("") {
                    ignore.push(String::new());
                }
                let date_format = date.then(|| "%d.%m.%Y".to_owned());
                CsvOptions {
                    delimiter,
                    charset,
                    decimal_comma,
                    columns,
                    ignore,
                    duplicates,
                    date_format,
                }
            },
        )
}

fn fixed(name: &str, ty: Type, required: bool) -> Field {
    Field {
        name: name.into(),
        ty,
        list: false,
        required,
        comments: "x: y # z".into(),
        personal: None,
        unit: None,
        fields: Vec::new(),
    }
}

prop_compose! {
    fn rules()(
        replaces in any::<bool>(), subject in any::<bool>(), history in any::<bool>(), public in any::<bool>(),
        classification in select(vec![Classification::Open, Classification::Restricted, Classification::Sensitive]),
        freshness_s in option::of(1u64..1_000_000), guard_bp in 0u32..=10_000, tombstones_days in 1u32..10_000,
        retention in option::of((0u32..200, 1u32..400)), zone in select(vec!["UTC", "Europe/Riga"]),
        act in option::of(words()), when in words(), csv in csv(), order in any::<bool>(),
    ) -> Definition {
        Definition {
            name: DatasetName::new("tst_set"),
            key: KeySpec { partition: vec!["Id".into()], order: if order { vec!["Born".into()] } else { vec![] } },
            description: String::new(),
            fields: vec![fixed("Id", Type::Int, true), fixed("Born", Type::Date, order), fixed("Who", Type::PersonCode, false)],
            replaces: replaces.then(|| DatasetName::new("tst_old")),
            subject: if subject { vec!["Who".into()] } else { vec![] },
            classification,
            indexes: if history { vec![vec!["Who".into()], vec!["Born".into(), "Id".into()]] } else { vec![] },
            changes: vec![ChangeList { name: "died".into(), when }],
            public: public.then(|| PublicFile { filename: "010.csv".into(), fields: Some(vec!["Id".into(), "Who".into()]) }),
            csv,
            history, freshness_s, guard_bp, tombstones_days,
            retention: retention.map(|(keep_months, keep_days)| Retention { field: "Born".into(), keep_months, keep_days }),
            timezone: zone.into(),
            source: act.map(|act| Source { system: None, legal_act: Some(act) }),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printed_definitions_read_back(mut definition in rules(), description in prose(), more in level(field())) {
        definition.description = description;
        definition.fields.extend(more);
        let printed = definition.print();
        let again = Definition::parse(&printed).map_err(|faults| TestCaseError::fail(format!("{faults:?}\n{printed}")))?;
        prop_assert_eq!(&again, &definition, "{}", printed);
        prop_assert_eq!(again.print(), printed);
    }

    #[test]
    fn field_lines_keep_their_description(text in prose()) {
        let text = text.replace(['\n', '\r', '\u{0}', '\u{7f}', '\u{feff}', '\u{85}', '\u{2028}'], "");
        let text = format!("a {}", text.trim()).trim().to_owned();
        let definition = Definition::parse(&format!("name: tst_a\nkey: Id\nfields:\n- Id : {text}\n"));
        let definition = definition.map_err(|faults| TestCaseError::fail(format!("{faults:?}")))?;
        prop_assert_eq!(&definition.fields[0].comments, &text);
    }

    #[test]
    fn any_text_is_read_or_refused(pieces in vec(prop_oneof![
        prose(),
        select(vec!["\n", "\n  ", "\n- ", "\n  - ", "fields:", "name: a", "key: A", "A", " : ", "comments: ", "{", "}",
            "type: int", "\n      fields:", "\n        - B : x", "csv: ", "indexes: [A]", "changes:", "public:"])
            .prop_map(str::to_owned),
    ], 0..30)) {
        prop_assert_eq!(holds_round_trip(&pieces.concat()), Ok(()));
    }
}
