//! Limits, publishing and evolution.
#![allow(clippy::unwrap_used, clippy::panic, clippy::format_collect)]

use dagr_model::definition::{
    Condition, Definition, EvolutionClass, Personal, TEXT_LIMIT, Type, check_publish, evolution,
};

const BASE: &str = "name: tst_set\nkey: Code(, Year)\nindexes: [Name]\nchanges: [{name: died, when: old == null}]\n\
                    fields:\n- Code : a\n- Year int : b\n- Name : c\n- Size int : d\n- Kind code(K) : e\n\
                    - Pets * :\n    fields:\n    - Age int : f\n";

fn parse(text: &str) -> Definition {
    Definition::parse(text).unwrap_or_else(|faults| panic!("{faults:#?}\n{text}"))
}

fn rules(text: &str) -> Vec<String> {
    Definition::parse(text)
        .unwrap_err()
        .into_iter()
        .map(|fault| format!("{} {}", fault.place, fault.rule))
        .collect()
}

fn with_fields(fields: &str) -> String {
    format!("name: tst_set\nkey: Code\nfields:\n- Code : a\n{fields}")
}

#[test]
fn the_national_example_reads_as_meant() {
    let set = parse(include_str!("corpus/good/pet_report.yaml"));
    assert_eq!(set.key.partition, ["Code"]);
    assert_eq!(set.key.order, ["Year", "Id"]);
    assert_eq!(set.field("Year").unwrap().ty, Type::Int);
    assert_eq!(set.field("Status").unwrap().ty, Type::Text);
    let pets = set.field("Pets").unwrap();
    assert!(pets.list && pets.ty == Type::Object);
    assert_eq!(pets.comments, "Mājdzīvnieku saraksts");
    assert_eq!(pets.fields.len(), 4);
    assert!(set.field("Id").unwrap().required && !set.field("Name").unwrap().required);
}

#[test]
fn every_word_reads_as_meant() {
    let set = parse(include_str!("corpus/good/every_word.yaml"));
    assert_eq!(
        set.field("Surname").unwrap().comments,
        "Uzvārds: kā pasē # nevis dzimtais"
    );
    assert_eq!(set.field("Street").unwrap().comments, "Iela: \"galvenā\"");
    assert_eq!(set.field("Kind").unwrap().ty, Type::Code("KINDS".into()));
    assert_eq!(set.field("Mark").unwrap().ty, Type::Code("MARKS".into()));
    assert!(set.field("Home").unwrap().required && !set.field("Home").unwrap().list);
    assert_eq!(set.field("Home").unwrap().personal, Some(Personal::Identifying));
    assert_eq!(set.field("yes").unwrap().unit.as_deref(), Some("kg"));
    assert_eq!(
        (set.freshness_s, set.guard_bp, set.tombstones_days),
        (Some(86_400), 250, 30)
    );
    assert_eq!(
        set.retention.as_ref().map(|r| (r.keep_months, r.keep_days)),
        Some((120, 0))
    );
    assert_eq!(set.timezone, "Europe/Riga");
    assert_eq!(set.csv.ignore, [""]);
    assert_eq!(set.csv.columns["Max startvikt (kg)"], "MaxWeight");
    let view = serde_json::to_value(&set).unwrap();
    assert_eq!(view["classification"], "sensitive");
    assert_eq!(view["fields"][1]["type"], "code(PARTS)");
    assert_eq!(view["public"], serde_json::Value::Null);
}

#[test]
fn pasted_descriptions_are_kept() {
    let set = parse(include_str!("corpus/good/pasted_descriptions.yaml"));
    let comments: Vec<&str> = set.fields.iter().map(|field| field.comments.as_str()).collect();
    assert_eq!(comments[0], "viens: divi # trīs");
    assert_eq!(comments[1], "[nav saraksts]");
    assert_eq!(comments[3], "turpinās nākamajā rindā: arī ar kolu");
    assert_eq!(comments[4], "\"sākas\" ar pēdiņām");
    assert_eq!(comments[5], "citādi");
    assert!(set.field("g").unwrap().required && set.field("g").unwrap().list);
    assert_eq!(set.description, "Apraksts: ar kolu");
}

#[test]
fn sizes_are_limited() {
    assert_eq!(rules(&" ".repeat(TEXT_LIMIT + 1)), ["line 1 limit"]);
    let many: String = (0..499).map(|n| format!("- F{n} : x\n")).collect();
    assert_eq!(parse(&with_fields(&many)).fields.len(), 500);
    assert_eq!(
        rules(&with_fields(&format!("{many}- Last : x\n"))),
        ["line 504 limit"]
    );
    let deep = |levels: usize| -> String {
        (1..levels)
            .map(|n| format!("{0}- F :\n{0}    fields:\n", " ".repeat(n * 6 - 6)))
            .collect::<String>()
            + &format!("{}- Leaf : x\n", " ".repeat(levels * 6 - 6))
    };
    assert_eq!(parse(&with_fields(&deep(8))).leaf_paths().len(), 2);
    assert_eq!(rules(&with_fields(&deep(9))), ["line 21 limit"]);
    assert!(!rules(&with_fields(&deep(300))).is_empty());
    assert!(!rules(&"[".repeat(100_000)).is_empty());
    // Large and hostile, yet told in reasonable time.
    for text in [
        (0..60_000).map(|n| format!("w{n}: x\n")).collect::<String>(),
        "a: b\n".repeat(100_000),
        format!("{}: x", "n".repeat(900_000)),
        with_fields(&format!("- {} : x\n", "A".repeat(900_000))),
        with_fields(&"- Pets * :\ncomments : x\nfields:\n- A : x\n".repeat(20_000)),
        format!(
            "{BASE}csv: {{columns: {{{}}}}}\n",
            (0..50_000).map(|n| format!("c{n}: C, ")).collect::<String>()
        ),
        format!("{BASE}freshness: {}\n", "9999999w".repeat(100_000)),
        format!("{BASE}subject: [{}]\n", "Code, ".repeat(100_000)),
    ] {
        assert!(Definition::parse(&text).unwrap_err().len() <= 1_000);
    }
}

#[test]
fn keys_are_written_one_way() {
    for bad in [
        "Code(Year)",
        "Code(, )",
        "(, Year)",
        "Code,",
        "Code(, Year",
        "Code, Code",
        "Code Year",
    ] {
        assert_eq!(
            rules(&BASE.replace("Code(, Year)", bad)),
            ["line 2 value_invalid"],
            "{bad}"
        );
    }
    for bad in ["Pets", "Pets.Age"] {
        assert_eq!(rules(&BASE.replace("Code(, Year)", bad)), ["line 2 key"], "{bad}");
    }
    assert_eq!(
        parse(&BASE.replace("Code(, Year)", "Code , Name( ,Year )"))
            .key
            .to_string(),
        "Code, Name(, Year)"
    );
}

#[test]
fn a_field_marked_subject_is_a_subject() {
    let set = parse(&with_fields("- Who person_code : {personal: subject}\n"));
    assert_eq!(set.subject, ["Who"]);
    assert_eq!(
        rules(&with_fields("- Who int : {personal: subject}\n")),
        ["line 5 subject"]
    );
}

#[test]
fn open_data_name_nobody() {
    let places =
        |text: &str| -> Vec<String> { check_publish(&parse(text)).into_iter().map(|f| f.place).collect() };
    let open = format!(
        "{}classification: open\npublic: {{filename: a.csv}}\n",
        with_fields("")
    );
    assert!(places(&open).is_empty());
    assert_eq!(
        places(&format!("{open}subject: Code\n")),
        ["classification", "public"]
    );
    let marked = with_fields("- Face : {personal: identifying}\n");
    assert_eq!(places(&marked), ["Face"]);
    assert!(places(&format!("{marked}subject: Code\n")).is_empty());
}

#[test]
fn evolution_tells_compatible_from_incompatible() {
    use EvolutionClass::{Compatible, Identical, Incompatible};
    let old = parse(BASE);
    let cases: &[(&str, &str, EvolutionClass)] = &[
        ("", "", Identical),
        ("- Size int", "- Size decimal", Compatible),
        ("- Kind code(K)", "- Kind text", Compatible),
        ("- Year int", "- Year decimal", Incompatible),
        ("- Size int", "- Size text", Incompatible),
        ("- Size int", "- Size int!", Incompatible),
        ("- Size int", "- Size int *", Incompatible),
        ("- Size int : d\n", "", Incompatible),
        (
            "- Size int : d\n- Kind code(K) : e\n",
            "- Kind code(K) : e\n- Size int : d\n",
            Incompatible,
        ),
        ("- Size int : d\n", "- New : n\n- Size int : d\n", Incompatible),
        ("Age int : f\n", "Age int : f\n- New : n\n", Compatible),
        ("Age int : f\n", "Age int : f\n    - New : n\n", Compatible),
        ("Age int : f\n", "Age int : f\n- New! : n\n", Incompatible),
        ("Age int : f\n", "Age decimal : g\n", Compatible),
        ("[Name]", "[Name, [Name, Size]]", Compatible),
        ("[Name]", "[Size]", Incompatible),
        (
            "old == null}",
            "old == null}, {name: more, when: new == null}",
            Compatible,
        ),
        ("old == null", "new == null", Incompatible),
        ("Code(, Year)", "Code, Year", Incompatible),
        ("fields:\n- C", "subject: Code\nfields:\n- C", Incompatible),
        (
            "fields:\n- C",
            "history: true\nguard: 5%\nfreshness: 1h\nsource: {system: X}\nfields:\n- C",
            Compatible,
        ),
        (
            "fields:\n- C",
            "timezone: Europe/Riga\nfields:\n- C",
            Incompatible,
        ),
        ("fields:\n- C", "classification: open\nfields:\n- C", Incompatible),
        ("name: tst_set", "name: tst_other", Incompatible),
    ];
    for (from, to, class) in cases {
        let new = parse(&BASE.replacen(from, to, 1));
        let found = evolution(&old, &new, &[]);
        assert_eq!(found.class, *class, "{from} → {to}: {found:?}");
        assert_eq!(found.changes.is_empty(), *class == Identical);
    }
    let off = evolution(&parse(&format!("{BASE}history: true\n")), &old, &[]);
    assert_eq!(off.class, Incompatible);
}

/// The only incompatible change, if there is one.
fn told(from: &str, to: &str, base: &str, scopes: &[Condition]) -> Option<(String, String)> {
    let found = evolution(&parse(base), &parse(&base.replacen(from, to, 1)), scopes);
    let mut told = found.changes.into_iter().filter(|change| !change.compatible);
    let first = told.next().map(|change| (change.place, change.what));
    assert_eq!(told.next(), None);
    first
}

#[test]
fn an_int_that_an_expression_reads_is_not_widened() {
    let of = |when: &str| {
        [Condition {
            of: "permission 7".to_owned(),
            when: when.to_owned(),
        }]
    };
    let (place, what) = told("- Size int", "- Size decimal", BASE, &of("record.Size / 2 == 1")).unwrap();
    assert_eq!(place, "Size");
    assert!(
        what.contains("permission 7 (`record.Size / 2 == 1`)") && what.contains("add a decimal field"),
        "{what}"
    );
    let (place, _) = told("Age int", "Age decimal", BASE, &of("Pets.exists(p, p.Age == 1)")).unwrap();
    assert_eq!(place, "Pets.Age");
    let (place, what) = told(
        "- Size int",
        "- Size decimal",
        &BASE.replace("old == null", "new.Size % 2 == 1"),
        &[],
    )
    .unwrap();
    assert_eq!(place, "Size");
    assert!(
        what.contains("the change list died (`new.Size % 2 == 1`)"),
        "{what}"
    );

    let others = of("record.Name == 'x' && Year == 1");
    assert_eq!(told("- Size int", "- Size decimal", BASE, &others), None);
    // Texts are the same to an expression whatever classifier they are of.
    assert_eq!(told("code(K)", "text", BASE, &of("Kind == 'x'")), None);
    assert_eq!(
        told("- Size int :", "- Size int : more", BASE, &of("Size == 1")),
        None
    );
}
