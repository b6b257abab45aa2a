use dagr_formats::MediaType::{JsonArray, NdJson};
use dagr_formats::{Limits, Row, Sink, Unreadable};
use dagr_model::definition::CsvOptions;

use super::collect::{read, read_within, rows, unreadable};

#[test]
fn operations_in_any_member_order_with_blank_lines_and_cr_lf() {
    let body = "\u{feff}{\"op\":\"upsert\",\"record\":{\"a\": 1}}\r\n\n  \n{ \"key\" : {\"a\":2} , \"op\" : \"delete\" }\n{\"op\":\"erase\",\"key\":{}}";
    assert_eq!(
        rows(NdJson, body.as_bytes()),
        ["1 upsert {\"a\": 1}", "4 delete {\"a\":2}", "5 erase {}"]
    );
    assert_eq!(rows(NdJson, b""), [""; 0]);
    assert_eq!(rows(NdJson, b"\n\r\n"), [""; 0]);
}

#[test]
fn a_broken_line_costs_that_line_only() {
    let body = [
        &br#"{"op":"upsert","record":{"a":1}"#[..],
        br#"{"op":"upsert","record":{"a":1},"more":1}"#,
        br#"{"op":"upsrt","record":{"a":1}}"#,
        br#"{"op":"upsert","op":"upsert","record":{"a":1}}"#,
        br#"{"op":"upsert","record":{"a":1,"a":2}}"#,
        br#"{"op":"upsert","record":[]}"#,
        br#"{"op":"upsert","key":{"a":1}}"#,
        br#"{"op":"delete","key":{"a":1},"record":{}}"#,
        br#"{"record":{"a":1}}"#,
        b"{\"op\":\"upsert\",\"record\":{\"a\":\"\xff\"}}",
        b"{}",
        b"[1]",
        b"x",
        br#"{"op":"upsert","record":{"a":1}} x"#,
        br#"{"op":"upsert","record":{"b":2}}"#,
    ]
    .join(&b'\n');
    let rules = [
        "json",
        "operation",
        "operation",
        "duplicate_member",
        "duplicate_member",
        "operation",
        "operation",
        "operation",
        "operation",
        "charset",
        "operation",
        "json",
        "json",
        "json",
    ];
    let mut expected: Vec<String> = rules
        .iter()
        .enumerate()
        .map(|(at, rule)| format!("{0} bad {rule} at line {0}", at + 1))
        .collect();
    expected.push("15 upsert {\"b\":2}".to_owned());
    assert_eq!(rows(NdJson, &body), expected);
}

struct Messages(String);

impl Sink for Messages {
    fn columns(&mut self, _: &[String]) -> Result<(), Unreadable> {
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) -> Result<(), Unreadable> {
        if let Row::Bad { fault, .. } = row {
            self.0.push_str(&fault.message);
        }
        Ok(())
    }
}

#[test]
fn messages_about_rows_never_hold_what_the_row_says() {
    let body = "{\"op\":\"canary\",\"record\":{}}\n{\"canary\":1}\n{\"op\":\"upsert\",\"record\":{\"canary\":1,\"canary\":canary}}\ncanary\n\
        {\"op\":\"upsert\",\"record\":\"canary\"}\n{\"op\":\"upsert\",\"record\":{\"canary\":1,\"canary\":1}}";
    let mut decoder = dagr_formats::Decoder::new(NdJson, None, &CsvOptions::default(), Limits::default())
        .expect("a decoder");
    let mut messages = Messages(String::new());
    decoder.feed(body.as_bytes(), &mut messages).expect("readable");
    decoder.finish(&mut messages).expect("readable");
    assert!(
        !messages.0.is_empty() && !messages.0.contains("canary"),
        "{}",
        messages.0
    );
}

#[test]
fn utf16_by_its_mark_or_its_nuls() {
    let text = "{\"op\":\"upsert\",\"record\":{\"a\":\"Rīga\"}}\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (body, charset) in [
        ([&b"\xff\xfe"[..], &little].concat(), "utf-16le"),
        ([&b"\xfe\xff"[..], &big].concat(), "utf-16be"),
        (little.clone(), "utf-16le"),
        (big.clone(), "utf-16be"),
    ] {
        let (rows, read_as) = read(NdJson, None, &CsvOptions::default(), &[&body]);
        assert_eq!(rows.rows, ["1 upsert {\"a\":\"Rīga\"}"]);
        assert_eq!(read_as.expect("readable").charset, charset);
    }
    let (_, cut) = read(
        NdJson,
        None,
        &CsvOptions::default(),
        &[&little[..little.len() - 1]],
    );
    assert_eq!(cut.expect_err("half a unit").code, "package_unreadable");
}

#[test]
fn an_array_gives_its_items_by_place() {
    assert_eq!(rows(JsonArray, b" [ ] \n"), [""; 0]);
    assert_eq!(
        rows(
            JsonArray,
            br#"[{"a":"]}\"{"} , {"b":[{}]},7,"x\"],",[{}],null,{}]"#
        ),
        [
            r#"1 upsert {"a":"]}\"{"}"#,
            r#"2 upsert {"b":[{}]}"#,
            "3 bad json at item 3",
            "4 bad json at item 4",
            "5 bad json at item 5",
            "6 bad json at item 6",
            "7 upsert {}"
        ]
    );
    assert_eq!(
        rows(JsonArray, br#"[{"a":1,"a":2}]"#),
        ["1 bad duplicate_member at item 1"]
    );
}

#[test]
fn what_is_no_array_is_unreadable_and_says_where() {
    for (body, at) in [
        (&b""[..], "byte 0 "),
        (b"  ", "byte 2 "),
        (b"{}", "byte 0 "),
        (b"[{}", "byte 3 "),
        (b"[{}, {\"a\":\"x", "byte 12 "),
        (b"[{},]", "byte 4 "),
        (b"[{} {}]", "byte 4 "),
        (b"[] []", "byte 3 "),
        (b"[{\"a\":}]", "byte 6 "),
        (b"[{\"a\":\"\xff\"}]", "byte 7 "),
        (b"\xef\xbb\xbf[}", "byte 4 "),
        (b"[nul]", "byte 1 "),
    ] {
        let error = unreadable(JsonArray, body);
        assert_eq!(error.code, "package_unreadable");
        assert!(error.faults[0].message.contains(at), "{body:?}: {error}");
    }
}

#[test]
fn a_row_beyond_the_limit_is_a_fault_of_that_row() {
    let limits = Limits {
        max_row_bytes: 40,
        ..Limits::default()
    };
    let long = "x".repeat(100);
    let lines = format!(
        "{{\"op\":\"delete\",\"key\":{{}}}}\n{{\"a\":\"{long}\"}}\n{{\"op\":\"erase\",\"key\":{{}}}}\n"
    );
    let array = format!("[{{\"a\":1}},{{\"a\":\"{long}\"}},{{\"a\":2}}]");
    for size in [1, 7, 1000] {
        let chunks: Vec<&[u8]> = lines.as_bytes().chunks(size).collect();
        let read = read_within(NdJson, None, &CsvOptions::default(), limits, &chunks);
        assert_eq!(
            read.0.rows,
            ["1 delete {}", "2 bad row_size at line 2", "3 erase {}"]
        );
        let chunks: Vec<&[u8]> = array.as_bytes().chunks(size).collect();
        let read = read_within(JsonArray, None, &CsvOptions::default(), limits, &chunks);
        assert_eq!(
            read.0.rows,
            [
                "1 upsert {\"a\":1}",
                "2 bad row_size at item 2",
                "3 upsert {\"a\":2}"
            ]
        );
    }
}
