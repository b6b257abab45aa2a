use super::{kept::Kept, *};

const DEFINITION: &str = "name: x_cars\nkey: Id\ndata_description: d\nfields:\n  - Id int : n\n  - Colour : c\n  - Mass decimal : m\n  - Since date : s\n  - At timestamp : a\n  - Shares decimal * : l\ncsv: {date_format: '%d.%m.%Y', decimal: comma}\n";

/// Reads with a map, after what was noted before.
fn read(
    map: &str,
    noted: Option<String>,
    rows: impl FnOnce(&mut Collect<'_>) -> Result<()>,
) -> std::result::Result<(Kept, Ended), String> {
    let schema = Arc::new(Schema::compile(Arc::new(DEFINITION.parse().unwrap()), None));
    let (spec, mut kept) = (kept::map(map), Kept::default());
    let mut collect = Collect::new(&schema, &spec, &mut kept)
        .tolerant(noted.is_some())
        .after(noted);
    let done = rows(&mut collect).and_then(|()| collect.finish());
    match done {
        Ok(ended) => Ok((kept, ended)),
        Err(Error::Faults { faults, .. }) => Err(faults
            .iter()
            .map(|fault| format!("{}: {}", fault.place, fault.message))
            .collect::<Vec<_>>()
            .join("\n")),
        Err(error) => Err(error.to_string()),
    }
}

/// One row of texts.
fn row(
    map: &str,
    noted: Option<String>,
    origin: Origin,
    cells: &[(&str, &str)],
) -> std::result::Result<(Kept, Ended), String> {
    let columns: Vec<String> = cells.iter().map(|(column, _)| (*column).to_owned()).collect();
    let texts: Vec<Option<&str>> = cells.iter().map(|(_, text)| Some(*text)).collect();
    read(map, noted, |collect| {
        collect.header(&columns, origin)?;
        collect.cells(1, &texts)
    })
}

/// JSON objects, a line each.
fn lines(text: &str) -> impl FnOnce(&mut Collect<'_>) -> Result<()> {
    move |collect| {
        (1..)
            .zip(text.lines())
            .try_for_each(|(n, line)| collect.json(n, line.as_bytes()))
    }
}

fn noted(ended: &Ended) -> Option<String> {
    ended.notes.first().map(|(_, text)| text.clone())
}

#[test]
fn a_field_that_loses_its_column_is_a_fault() {
    for origin in [Origin::Csv, Origin::Parquet, Origin::Database] {
        let (_, ended) = row("", None, origin, &[("Id", "1"), ("Colour", "red")]).unwrap();
        let renamed = [("Id", "1"), ("Color", "red")];
        let told = row("", noted(&ended), origin, &renamed).err().unwrap();
        assert!(
            told.contains("field Colour: no column fills this field, which column Colour had filled (did you mean Color?): name its column in [map]; if it may be missing, name the field in map.optional"),
            "{told}"
        );
        row("Colour = 'Color'", noted(&ended), origin, &renamed).unwrap();
        // One that comes and goes.
        for may in [
            "optional = ['Colour']",
            "optional = ['Colour']\nColour = 'Colour'",
        ] {
            let (kept, ended) = row(may, noted(&ended), origin, &[("Id", "1")]).unwrap();
            assert_eq!(kept.records, [r#"{"Id":1}"#]);
            let both = [("Id", "1"), ("Colour", "red")];
            let (kept, _) = row(may, noted(&ended), origin, &both).unwrap();
            assert_eq!(kept.records, [r#"{"Id":1,"Colour":"red"}"#]);
        }
        let told = row("optional = ['Color']", None, origin, &[("Id", "1")])
            .err()
            .unwrap();
        assert!(
            told.contains("map.optional") && told.contains("did you mean Colour?"),
            "{told}"
        );
    }
}

#[test]
fn what_a_header_filled_is_noted_by_headers_alone() {
    let both = [("Id", "1"), ("Colour", "red")];
    let (_, ended) = row("", None, Origin::Csv, &both).unwrap();
    let filled = noted(&ended);
    assert_eq!(filled.as_deref(), Some(r#"{"Colour":"Colour","Id":"Id"}"#));
    // A list without records, and records, between two tables.
    for text in ["", r#"{"Id": 1}"#] {
        for map in ["", "Colour = 'colour'"] {
            let (_, ended) = read(map, filled.clone(), lines(text)).unwrap();
            assert_eq!(ended.notes, [], "{text} {map}");
        }
    }
    let told = row("", filled, Origin::Csv, &[("Id", "1")]).err().unwrap();
    assert!(told.contains("which column Colour had filled"), "{told}");
}

#[test]
fn half_of_a_surrogate_pair_is_not_nothing() {
    for map in ["", "Colour = 'colour'"] {
        let member = if map.is_empty() { "Colour" } else { "colour" };
        // Of a field: its record is known, and stays as it is.
        let text = format!(
            "{{\"Id\": 1, \"{member}\": \"\\ud83d\"}}\n{{\"Id\": 2, \"{member}\": \"\\ud83d\\ude97\"}}"
        );
        let (kept, _) = read(map, None, lines(&text)).unwrap();
        assert_eq!(kept.records, ["{\"Id\":2,\"Colour\":\"🚗\"}"]);
        assert_eq!(
            (
                kept.refused[0].rule.as_str(),
                kept.refused[0].row,
                kept.keys[0].is_some()
            ),
            ("json", 1, true),
            "{map}"
        );
        // Of the key: it may be any record.
        let text = format!("{{\"Id\": \"\\ud83d\", \"{member}\": \"red\"}}");
        let (kept, _) = read(map, None, lines(&text)).unwrap();
        assert_eq!(
            (kept.records.len(), kept.refused.len(), kept.unread),
            (0, 1, 1),
            "{map}"
        );
    }
    // Of a part of the key: what is left of it is another record's.
    for map in [
        "Id = { columns = ['a', 'b'], join = '0' }",
        "Id = { cel = \"b == null ? a : a + b\" }",
    ] {
        for (wrong, unread) in [
            (r#""b": "\ud83d""#, 1),
            (r#""b": 1, "b": 2"#, 1),
            (r#""b": 2, "Colour": "\ud83d""#, 0),
        ] {
            let text = format!(r#"{{"a": 1, {wrong}}}"#);
            let (kept, _) = read(map, None, lines(&text)).unwrap();
            assert_eq!((kept.refused.len(), kept.unread), (1, unread), "{map} {text}");
        }
    }
}

#[test]
fn an_expression_reads_members_that_the_first_record_does_not_have() {
    let map = "Colour = { cel = \"paint == null ? first + ' ' + row.last : paint\" }";
    let text = "{\"Id\": 1, \"first\": \"red\", \"last\": \"dark\"}\n{\"Id\": 2, \"paint\": \"blue\"}\n{\"Id\": 3, \"first\": \"a\", \"last\": \"b\", \"paint\": \"c\"}";
    let expected = [
        r#"{"Id":1,"Colour":"red dark"}"#,
        r#"{"Id":2,"Colour":"blue"}"#,
        r#"{"Id":3,"Colour":"c"}"#,
    ];
    for noted in [None, Some(String::new())] {
        let (kept, ended) = read(map, noted.clone(), lines(text)).unwrap();
        assert_eq!(
            (kept.records.as_slice(), kept.refused.len()),
            (&expected.map(str::to_owned)[..], 0)
        );
        assert_eq!(ended.unwanted, "");
        let mut other: Vec<&str> = text.lines().collect();
        other.reverse();
        let (kept, _) = read(map, noted, lines(&other.join("\n"))).unwrap();
        assert_eq!((kept.records.len(), kept.refused.len()), (3, 0));
    }
    // What is no expression is told as such, not its names.
    let told = read("Colour = { cel = 'nothing(paint)' }", None, lines(r#"{"Id": 1}"#))
        .err()
        .unwrap();
    assert!(
        told.contains("unknown function nothing") && !told.contains("unknown name"),
        "{told}"
    );
}

#[test]
fn the_key_always_has_a_column() {
    for map in ["", "drop = ['Nr']", "optional = ['Id']"] {
        let told = row(map, None, Origin::Csv, &[("Nr", "1"), ("Colour", "red")])
            .err()
            .unwrap();
        assert!(told.contains("field Id: no column fills this field"), "{told}");
    }
}

#[test]
fn a_member_that_a_record_does_not_have_is_no_fault() {
    let map = "Colour = 'colour'";
    let (_, ended) = read(map, Some(String::new()), lines(r#"{"Id": 1, "colour": "red"}"#)).unwrap();
    assert_eq!(noted(&ended), None);
    read(map, Some(String::new()), lines(r#"{"Id": 1}"#)).unwrap();
}

#[test]
fn only_cells_of_a_csv_are_written_as_a_csv() {
    let record = r#"{"Id":1,"Mass":1.5,"Since":"2024-01-02"}"#;
    let as_records = [("Id", "1"), ("Mass", "1.5"), ("Since", "2024-01-02")];
    for origin in [Origin::Parquet, Origin::Database, Origin::Json, Origin::Xml] {
        let (kept, _) = row("", None, origin, &as_records).unwrap();
        assert_eq!(kept.records, [record], "{origin:?}");
    }
    let as_csv = [("Id", "1"), ("Mass", "1,5"), ("Since", "02.01.2024")];
    let (kept, _) = row("", None, Origin::Csv, &as_csv).unwrap();
    assert_eq!(kept.records, [record]);
    let (kept, _) = row("", None, Origin::Csv, &as_records).unwrap();
    let rules: Vec<&str> = kept.refused.iter().map(|refused| refused.rule.as_str()).collect();
    assert_eq!((rules, kept.keys[0].is_some()), (vec!["type", "format"], true));
    // A format of the map goes before the definition's; a constant is as in a record; lists are JSON.
    let map = "Since = { column = 'since', format = '%Y/%m/%d' }\nMass = { constant = '1.5' }";
    let cells = [("Id", "1"), ("since", "2024/01/02"), ("Shares", "[1.5, 2]")];
    let (kept, _) = row(map, None, Origin::Csv, &cells).unwrap();
    assert_eq!(
        kept.records,
        [r#"{"Id":1,"Mass":1.5,"Since":"2024-01-02","Shares":[1.5,2]}"#]
    );
}

#[test]
fn an_offset_in_a_moment_counts() {
    let at = |format: &str, text: &str| {
        let map = format!("At = {{ column = 'at', format = '{format}' }}");
        let (kept, _) = row(&map, None, Origin::Database, &[("Id", "1"), ("at", text)]).unwrap();
        kept.records.into_iter().next().unwrap()
    };
    let utc = r#"{"Id":1,"At":"2024-01-01T05:00:00Z"}"#;
    assert_eq!(at("%Y-%m-%d %H:%M:%S %z", "2024-01-01 10:00:00 +0500"), utc);
    assert_eq!(at("%s", "1704085200"), utc);
    assert_eq!(at("%F %T %Q", "2024-01-01 07:00:00 Europe/Riga"), utc);
    // Without one it is what a clock shows in the definition's zone.
    assert_eq!(at("%d.%m.%Y %H:%M", "01.01.2024 05:00"), utc);
}

#[test]
fn a_header_that_nobody_knows_is_told_by_its_shape() {
    let record = [("010190-12345", ""), ("Jānis", "")];
    for map in [
        "",
        "Colour = 'krāsa'",
        "Colour = { cel = 'name' }",
        "drop = ['x']",
    ] {
        let told = row(map, None, Origin::Csv, &record).err().unwrap();
        assert!(!told.contains("010190") && !told.contains("Jānis"), "{told}");
        assert!(told.contains("999999-99999"), "{told}");
    }
    let told = row("", None, Origin::Csv, &[("Id", "1"), ("Nr", "1")])
        .err()
        .unwrap();
    assert!(told.contains("column Nr"), "{told}");
}

#[test]
fn a_cell_that_stands_twice_in_a_record_is_no_name() {
    let twice = |column: &str| {
        let place = format!("column {column}");
        read("", None, |collect| {
            Err(collect.stopped(Unreadable {
                faults: vec![Fault::new(
                    place,
                    "duplicate_column",
                    "the header names this column twice",
                )],
                code: "package_unreadable",
            }))
        })
        .err()
        .unwrap()
    };
    assert!(twice("Jānis").starts_with("column Aaaaa:"));
    assert!(twice("Colour").starts_with("column Colour:"));
}

#[test]
fn a_member_given_twice_is_refused_with_its_record() {
    let (kept, _) = read("Colour = 'colour'", None, |collect| {
        collect.json(1, br#"{"Id": 1, "colour": "red", "colour": "blue"}"#)?;
        collect.json(2, br#"{"Id": 2, "colour": null}"#)
    })
    .unwrap();
    assert_eq!(kept.records, [r#"{"Id":2}"#]);
    assert_eq!(
        (kept.refused[0].rule.as_str(), kept.keys[0].is_some()),
        ("repeated", true)
    );
}

#[test]
fn members_that_nobody_wants_are_told_once_and_are_not_without_end() {
    let many = |count: u32| {
        read("Colour = 'colour'", Some(String::new()), |collect| {
            for n in 0..count {
                let line = format!(r#"{{"Id": {n}, "colour": "red", "x{n:05}": 1}}"#);
                collect.json(u64::from(n), line.as_bytes())?;
            }
            Ok(())
        })
    };
    let (kept, ended) = many(1_000).unwrap();
    assert_eq!((kept.records.len(), kept.refused.len()), (1_000, 0));
    assert!(
        ended.unwanted.starts_with("x00000, x00001") && ended.unwanted.ends_with(" and 950 more"),
        "{}",
        ended.unwanted
    );
    let told = many(10_001).err().unwrap();
    assert!(told.contains("more than 10000 columns"), "{told}");
}

/// Whoever looks for a refused row is told its record, if no part of its key is personal.
#[test]
fn a_refused_row_tells_its_record_unless_the_key_is_personal() {
    let record = |definition: &str| {
        let schema = Arc::new(Schema::compile(Arc::new(definition.parse().unwrap()), None));
        let (spec, mut kept) = (kept::map(""), Kept::default());
        let mut collect = Collect::new(&schema, &spec, &mut kept);
        let columns = ["Id", "Mass"].map(str::to_owned);
        collect.header(&columns, Origin::Database).unwrap();
        collect.cells(1, &[Some("120180-10513"), Some("heavy")]).unwrap();
        collect.finish().unwrap();
        kept.refused.remove(0).record
    };
    let definition = |id: &str, more: &str| {
        format!(
            "name: x_set\nkey: Id\ndata_description: d\nfields:\n  - Id{id} : i\n  - Mass decimal : m\n{more}"
        )
    };
    assert_eq!(record(&definition("", "")), r#"{"Id":"120180-10513"}"#);
    assert_eq!(record(&definition(" person_code", "")), "");
    assert_eq!(record(&definition("", "subject: Id\n")), "");
    let marked = "name: x_set\nkey: Id\ndata_description: d\nfields:\n  - Id:\n      comments: i\n      personal: identifying\n  - Mass decimal : m\n";
    assert_eq!(record(marked), "");
}
