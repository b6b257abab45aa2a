use std::{io, sync::Arc};

use dagr_model::schema::Schema;
use proptest::prelude::*;

use super::*;
use crate::collect::kept::{self, Kept};

const DEFINITION: &str = "name: x_cars\nkey: Id\ndata_description: d\nfields:\n  - Id int : n\n  - Make : m\n  - Mass decimal : m\n  - Valid bool : v\n  - Since date : s\n  - Home :\n      comments: h\n      fields:\n        - City : c\n  - Tags * : t\n  - Owners * :\n      comments: o\n      fields:\n        - Code : c\n        - Share decimal : s\n        - Main bool : m\n        - Phones * : p\n  - Extra json : e\n";

fn read_with(
    map: &str,
    bytes: &[u8],
    charset: Option<&str>,
    records: &str,
) -> std::result::Result<Kept, String> {
    let schema = Arc::new(Schema::compile(Arc::new(DEFINITION.parse().unwrap()), None));
    let (spec, mut kept) = (kept::map(map), Kept::default());
    let mut rows = Collect::new(&schema, &spec, &mut kept);
    let done = read(&mut &bytes[..], charset, records, false, "x.xml", &mut rows);
    let done = done.and_then(|()| rows.finish().map(|_| ()));
    match done {
        Ok(()) => Ok(kept),
        Err(Error::Faults { faults, .. }) => Err(faults
            .iter()
            .map(|fault| format!("{}: {}", fault.place, fault.message))
            .collect::<Vec<_>>()
            .join("; ")),
        Err(error) => Err(error.to_string()),
    }
}

fn cars(inside: &str) -> std::result::Result<Kept, String> {
    let text = format!("<Register><Cars>{inside}</Cars></Register>");
    read_with("", text.as_bytes(), None, "Register/Cars/Car")
}

fn one(inside: &str) -> String {
    let kept = cars(inside).unwrap();
    assert_eq!((kept.records.len(), &kept.refused), (1, &Vec::new()), "{inside}");
    kept.records[0].clone()
}

fn wrong(text: &str) -> String {
    read_with("", text.as_bytes(), None, "Register/Cars/Car")
        .err()
        .unwrap()
}

#[test]
fn elements_and_attributes_become_columns() {
    let text = "<?xml version='1.0'?><!-- c --><r:Register xmlns:r='urn:r'><r:Other/><r:Cars>\n<r:Car number='7'><r:Make>\n  Škoda &amp; <![CDATA[<Co>]]> &#257;</r:Make><Mass unit='kg'>1.50</Mass><Valid>1</Valid><Since>2024-02-29</Since><Home><City>Rīga</City></Home></r:Car></r:Cars></r:Register>";
    let map = "Id = '@number'\ndrop = ['Mass.@unit']";
    let kept = read_with(map, text.as_bytes(), None, "Register/Cars/Car").unwrap();
    assert_eq!(
        (kept.rows, kept.records),
        (vec![2], vec![
            r#"{"Id":7,"Make":"Škoda & <Co> ā","Mass":1.5,"Valid":true,"Since":"2024-02-29","Home":{"City":"Rīga"}}"#.to_owned()
        ])
    );
}

#[test]
fn repeated_elements_are_lists_where_the_field_is_one() {
    let tags = |n: usize| "<Tags>a b</Tags>".repeat(n);
    assert_eq!(
        one(&format!("<Car><Id>1</Id>{}</Car>", tags(1))),
        r#"{"Id":1,"Tags":["a b"]}"#
    );
    assert_eq!(
        one(&format!("<Car><Id>1</Id>{}</Car>", tags(2))),
        r#"{"Id":1,"Tags":["a b","a b"]}"#
    );
    let owners = "<Owners main='true'><Code>007</Code><Share>0.5</Share><Phones>1</Phones><Phones>2</Phones></Owners><Owners><Code>8</Code></Owners>";
    assert_eq!(
        one(&format!("<Car><Id>1</Id>{owners}</Car>")),
        r#"{"Id":1,"Owners":[{"Code":"007","Share":0.5,"Main":true,"Phones":["1","2"]},{"Code":"8"}]}"#
    );
    // A list in an element of its own, and a list of another name.
    let text = "<Register><Cars><Car><Id>1</Id><OwnerList><Owner><Code>1</Code></Owner></OwnerList></Car></Cars></Register>";
    let kept = read_with(
        "Owners = 'OwnerList.Owner'",
        text.as_bytes(),
        None,
        "Register/Cars/Car",
    )
    .unwrap();
    assert_eq!(kept.records[0], r#"{"Id":1,"Owners":[{"Code":"1"}]}"#);
    // JSON takes whatever there is.
    assert_eq!(
        one("<Car><Id>1</Id><Extra a='1'><b>x</b><b>y</b>t</Extra></Car>"),
        r#"{"Id":1,"Extra":{"@a":"1","b":["x","y"],"text()":"t"}}"#
    );
}

#[test]
fn a_repeated_element_that_is_no_list_refuses_its_row_and_keeps_its_key() {
    let kept = cars("<Car><Id>1</Id><Make>a</Make><Make>b</Make></Car><Car><Id>2</Id></Car>").unwrap();
    assert_eq!(
        (kept.rows, kept.records),
        (vec![1], vec![r#"{"Id":2}"#.to_owned()])
    );
    assert_eq!(
        (kept.refused[0].column.as_str(), kept.refused[0].rule.as_str()),
        ("Make", "repeated")
    );
    assert!(kept.keys[0].is_some(), "the record stays as it is");
}

#[test]
fn two_values_of_one_name_are_never_one() {
    // Attributes of two namespaces keep their prefixes apart.
    let text = "<Register><Cars><Car xmlns:g='urn:g' g:Id='V.7' Id='7'/></Cars></Register>";
    let map = "Id = '@Id'\nMake = '@g:Id'";
    let kept = read_with(map, text.as_bytes(), None, "Register/Cars/Car").unwrap();
    assert_eq!(kept.records[0], r#"{"Id":7,"Make":"V.7"}"#);
    // An element whose name is that of a path.
    let kept = cars("<Car><Id>1</Id><Home><City>a</City></Home><Home.City>b</Home.City></Car>").unwrap();
    assert_eq!(
        (kept.refused[0].column.as_str(), kept.refused[0].rule.as_str()),
        ("Home.City", "repeated")
    );
    // Inside a list, names that differ in case only.
    for owner in [
        "<Owners><Code>1</Code><CODE>2</CODE></Owners>",
        "<Owners><CODE>2</CODE><Code>1</Code></Owners>",
        "<Owners code='1' CODE='2'/>",
    ] {
        let kept = cars(&format!("<Car><Id>1</Id>{owner}</Car>")).unwrap();
        assert_eq!((kept.records.len(), kept.refused.len()), (0, 1), "{owner}");
    }
    // A key of two values may be either's record.
    let kept = cars("<Car><Id>7</Id><Id>8</Id></Car><Car><Id>9</Id></Car>").unwrap();
    assert_eq!((kept.records.len(), kept.unread), (1, 1));
}

#[test]
fn nil_and_empty_elements_are_no_values() {
    let xsi = "xmlns:i='http://www.w3.org/2001/XMLSchema-instance'";
    assert_eq!(
        one(&format!(
            "<Car {xsi} i:type='t:Car'><Id>1</Id><Make i:nil='true'/><Mass></Mass><Home i:nil='1'/><Since/></Car>"
        )),
        r#"{"Id":1}"#
    );
}

#[test]
fn columns_that_come_later_are_taken_and_unknown_ones_told() {
    let kept = cars("<Car><Id>1</Id></Car><Car><Make>x</Make><Id>2</Id></Car>").unwrap();
    assert_eq!(kept.records[1], r#"{"Id":2,"Make":"x"}"#);
    let told = cars("<Car><Id>1</Id><Nmae>x</Nmae><Home><Street>y</Street></Home></Car>")
        .err()
        .unwrap();
    assert!(
        told.contains("column Nmae") && told.contains("column Home.Street"),
        "{told}"
    );
}

#[test]
fn what_cannot_be_read_says_what_and_where() {
    for (text, wanted) in [
        ("", "it holds no element"),
        ("{\"a\": 1}", "text stands outside the root element"),
        ("<Register>\n<Cars>\n<Car></Cars></Register>", "line 3, byte"),
        ("<Register><Cars><Car><Id>1", "it ends inside"),
        ("<Register><Cars>", "it ends inside Register/Cars"),
        ("<Register></Register><Register/>", "a second root element"),
        (
            "<Register><Cars><Car><Id>&mark;</Id></Car></Cars></Register>",
            "the entity &mark;",
        ),
        ("<Register><Cars><Car a='&mark;'/></Cars></Register>", "mark"),
        (
            "<Register><Cars><Car a='1' a='2'/></Cars></Register>",
            "duplicate",
        ),
        (
            "<Register><Trucks><Truck/></Trucks><Boats/></Register>",
            "there is no element Register/Cars (source.records); Register has Boats, Trucks",
        ),
        ("<Root><Cars/></Root>", "the root is Root"),
        // An error where the records should be, a record under another name, and text.
        (
            "<Register><Cars><Message>busy</Message></Cars></Register>",
            "there is no element Register/Cars/Car (source.records); Register/Cars has Message; source.may_be_empty",
        ),
        (
            "<Register><Cars><Auto/><Auto/></Cars></Register>",
            "Register/Cars has Auto",
        ),
        (
            "<Register><Cars>busy</Cars></Register>",
            "Register/Cars has text()",
        ),
        ("<Register><![CDATA[busy]]></Register>", "Register has text()"),
    ] {
        let told = wrong(text);
        assert!(told.contains(wanted), "{text}: {told}");
    }
    // A register of nothing is not a place that is not there.
    assert!(cars("").is_ok());
    assert!(read_with("", b"<Register/>", None, "Register/Cars/Car").is_ok());
    assert!(read_with("", b"<Other/>", None, "Register").is_err());
}

#[test]
fn what_stands_where_records_should_be_is_none_where_the_feed_says_so() {
    let schema = Arc::new(Schema::compile(Arc::new(DEFINITION.parse().unwrap()), None));
    let spec = kept::map("");
    for (text, is_read) in [
        ("<Register><Cars><Total>0</Total></Cars></Register>", true),
        ("<Register><Total>0</Total></Register>", false),
        ("<Error/>", false),
    ] {
        let mut kept = Kept::default();
        let mut rows = Collect::new(&schema, &spec, &mut kept);
        let path = "Register/Cars/Car";
        let done = read(&mut text.as_bytes(), None, path, true, "x.xml", &mut rows);
        assert_eq!(done.is_ok(), is_read, "{text}");
    }
}

#[test]
fn nothing_a_dtd_declares_is_expanded() {
    let bomb = "<!DOCTYPE r [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY f SYSTEM 'file:///etc/passwd'>]>";
    for entity in ["b", "f"] {
        let told = wrong(&format!(
            "{bomb}<Register><Cars><Car><Id>1</Id><Make>&{entity};</Make></Car></Cars></Register>"
        ));
        assert!(told.contains("is not expanded"), "{told}");
    }
    let text = format!("{bomb}<Register><Cars><Car><Id>1</Id></Car></Cars></Register>");
    assert_eq!(
        read_with("", text.as_bytes(), None, "Register/Cars/Car")
            .unwrap()
            .records
            .len(),
        1
    );
}

#[test]
fn depth_size_and_columns_have_an_end() {
    let deep = |n: usize| {
        format!(
            "<Register><Cars><Car>{}{}</Car></Cars></Register>",
            "<a>".repeat(n),
            "</a>".repeat(n)
        )
    };
    assert!(wrong(&deep(DEPTH)).contains("deeper than 64"));
    let outside = format!(
        "<Register>{}{}</Register>",
        "<a>".repeat(DEPTH),
        "</a>".repeat(DEPTH)
    );
    assert!(wrong(&outside).contains("deeper than 64"));
    let long = "x".repeat(RECORD_BYTES + 1);
    for text in [
        format!("<Register><!--{long}--></Register>"),
        format!("<Register a='{long}'/>"),
        format!("<Register><Cars><Car><Make>{long}</Make></Car></Cars></Register>"),
        format!("<!DOCTYPE x [{long}]><Register/>"),
    ] {
        assert!(wrong(&text).contains("longer than 8 MiB"));
    }
    let many = "<a/>".repeat(RECORD_BYTES / 64);
    assert!(
        wrong(&format!("<Register><Cars><Car>{many}</Car></Cars></Register>")).contains("larger than 8 MiB")
    );
    let wide: Vec<String> = (0..10_001).map(|n| format!("<a{n}>1</a{n}>")).collect();
    let wide = wide.concat();
    assert!(
        wrong(&format!("<Register><Cars><Car>{wide}</Car></Cars></Register>"))
            .contains("more than 10000 columns")
    );
}

#[test]
fn the_charset_is_the_feeds_or_the_declarations() {
    let declared = |name: &str, city: &[u8]| {
        let mut text =
            format!("<?xml version=\"1.0\" encoding=\"{name}\"?><Register><Cars><Car><Id>1</Id><Make>")
                .into_bytes();
        text.extend_from_slice(city);
        text.extend_from_slice(b"</Make></Car></Cars></Register>");
        text
    };
    let read = |bytes: &[u8], charset| {
        read_with("", bytes, charset, "Register/Cars/Car").map(|kept| kept.records[0].clone())
    };
    let wanted = Ok(r#"{"Id":1,"Make":"Rīga"}"#.to_owned());
    assert_eq!(read(&declared("iso-8859-13", b"R\xeega"), None), wanted);
    assert_eq!(read(&declared("UTF-8", b"R\xeega"), Some("windows-1257")), wanted);
    assert_eq!(read(&declared("UTF-8", "Rīga".as_bytes()), None), wanted);
    assert_eq!(read(&declared("US-ASCII", "Rīga".as_bytes()), None), wanted);
    let wide: Vec<u8> = String::from_utf8(declared("utf-16", "Rīga".as_bytes()))
        .unwrap()
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    assert_eq!(read(&wide, None), wanted);
    assert_eq!(read(&[b"\xFE\xFF", wide.as_slice()].concat(), None), wanted);
    let told = read(&declared("UTF-8", b"R\xeega"), None).unwrap_err();
    assert!(told.contains("is not utf-8: say the charset"), "{told}");
    assert!(
        read(&declared("utf-99", b""), None)
            .unwrap_err()
            .contains("unknown charset `utf-99`")
    );
}

/// A register without end in one piece of memory.
struct Endless {
    record: Vec<u8>,
    at: usize,
    left: u32,
}

impl io::Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.record.len() {
            if self.left == 0 {
                return Ok(0);
            }
            self.left -= 1;
            self.at = 0;
        }
        let length = out.len().min(self.record.len() - self.at);
        out[..length].copy_from_slice(&self.record[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

#[test]
fn records_come_while_the_document_is_read() {
    let record = b"<Car><Id>1</Id></Car>".to_vec();
    let mut input = b"<Register><Cars>".chain(Endless {
        at: record.len(),
        record,
        left: 10_000,
    });
    let mut seen = 0;
    let stop = walk(
        &mut input,
        None,
        "x",
        &[&["Register", "Cars", "Car"]],
        &mut |_, _| {
            seen += 1;
            if seen == 100 {
                Err(Error::Source("enough".to_owned()))
            } else {
                Ok(())
            }
        },
    );
    assert!(stop.unwrap_err().to_string().contains("enough"));
    assert!(input.get_ref().1.left > 5_000, "the rest was not read");
}

fn inside() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<Car>".to_owned()),
        Just("</Car>".to_owned()),
        Just("<Id>1</Id>".to_owned()),
        Just("<Tags/>".to_owned()),
        Just("<![CDATA[x]]>".to_owned()),
        Just("<Home a='1'>".to_owned()),
        Just("</Home>".to_owned()),
        Just("&#x41;&amp;".to_owned()),
        "[<>&;/'\"a-z!\\[\\]?=-]{0,6}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(inside in inside()) {
        let _ = cars(&inside);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_with("", &bytes, None, "a/b");
    }

    #[test]
    fn what_is_written_is_read(make in "[a-zāžA-Z0-9&<>'\"]{1,20}", tags in prop::collection::vec("[a-zņ&<]{1,5}", 1..4), mass in 0..9_999u32) {
        let escaped = |text: &str| quick_xml::escape::escape(text).into_owned();
        let tags_text: Vec<String> = tags.iter().map(|tag| format!("<Tags>{}</Tags>", escaped(tag))).collect();
        let tags_text = tags_text.concat();
        let read = one(&format!("<Car><Id>5</Id><Make>{}</Make><Mass>{mass}</Mass>{tags_text}</Car>", escaped(&make)));
        let read: serde_json::Value = serde_json::from_str(&read).unwrap();
        let wanted = serde_json::json!({"Id": 5, "Make": make, "Mass": mass, "Tags": tags});
        prop_assert_eq!(read, wanted);
    }
}
