use dagr_formats::MediaType::Csv;
use dagr_formats::{Decoder, Limits};
use dagr_model::definition::CsvOptions;

use super::collect::{read, read_within, rows, unreadable};

fn with(delimiter: Option<char>, charset: Option<&str>) -> CsvOptions {
    CsvOptions {
        delimiter,
        charset: charset.map(str::to_owned),
        ..CsvOptions::default()
    }
}

#[test]
fn quotes_lines_and_ragged_rows() {
    let body = "a,b,c\r\n1,\"x,\"\"y\"\"\nz\",3\r\n\r\n4,5\r\n6,7,8,9\n10,5\" pipe,\"\"\n\"\",,\n\"q\"x,1,2\n11,12,13";
    assert_eq!(
        rows(Csv, body.as_bytes()),
        [
            "2 1¦x,\"y\"\nz¦3",
            "5 bad ragged at line 5",
            "6 bad ragged at line 6",
            "7 10¦5\" pipe¦",
            "8 ¦¦",
            "9 bad quote at line 9",
            "10 11¦12¦13"
        ]
    );
}

#[test]
fn a_quote_that_is_never_closed_costs_the_row_where_it_began() {
    assert_eq!(
        rows(Csv, b"a,b\n1,2\n3,\"4\n5,6\n"),
        ["2 1¦2", "3 bad quote at line 3"]
    );
    assert_eq!(unreadable(Csv, b"a,\"b\n1,2\n").code, "package_unreadable");
}

#[test]
fn nothing_and_a_header_alone_are_packages_of_zero_rows() {
    for (body, headers) in [
        (&b""[..], None),
        (b"\n\r\n", None),
        (b"\xef\xbb\xbf", None),
        (b"a,b", Some(["a", "b"])),
        (b"\n a,b\n", Some([" a", "b"])),
    ] {
        let (rows, read_as) = read(Csv, None, &CsvOptions::default(), &[body]);
        read_as.expect("readable");
        assert!(rows.rows.is_empty());
        assert_eq!(
            rows.headers,
            headers.map(|names| names.map(str::to_owned).to_vec())
        );
    }
}

#[test]
fn the_header_is_nfc_and_names_no_column_twice() {
    let (rows, _) = read(Csv, None, &CsvOptions::default(), &["A\u{304},b\n".as_bytes()]);
    assert_eq!(rows.headers, Some(vec!["Ā".to_owned(), "b".to_owned()]));
    let error = unreadable(Csv, "Ā,A\u{304}\n1,2\n".as_bytes());
    assert_eq!(
        (error.code, error.faults[0].rule.as_str()),
        ("package_unreadable", "duplicate_column")
    );
    let ignore = CsvOptions {
        ignore: vec![String::new()],
        ..CsvOptions::default()
    };
    assert!(
        read(Csv, None, &ignore, &[b"a,,\n1,2,3\n"]).1.is_ok(),
        "ignored columns may repeat"
    );
    assert_eq!(unreadable(Csv, b"a,b\r1,2\r").faults[0].rule, "line_ends");
    let limits = Limits {
        max_columns: 2,
        ..Limits::default()
    };
    assert!(
        read_within(Csv, None, &CsvOptions::default(), limits, &[b"a,b,c\n"])
            .1
            .is_err()
    );
}

#[test]
fn the_delimiter_is_declared_or_found_and_reported() {
    let delimiter =
        |options: &CsvOptions, body: &[u8]| read(Csv, None, options, &[body]).1.expect("readable").delimiter;
    assert_eq!(
        delimiter(&with(None, None), b"a;b\n1,5;2\n"),
        Some(";".to_owned())
    );
    assert_eq!(
        delimiter(&with(None, None), b"a\tb\n1\t2\n"),
        Some("\t".to_owned())
    );
    assert_eq!(delimiter(&with(None, None), b""), Some(",".to_owned()));
    assert_eq!(
        delimiter(&with(Some('^'), None), b"a^b,c\n1^2\n"),
        Some("^".to_owned())
    );
    for impossible in ['"', '\n', '¦'] {
        assert!(Decoder::new(Csv, None, &with(Some(impossible), None), Limits::default()).is_err());
    }
}

#[test]
fn content_type_wins_over_definition_and_mark() {
    let body = b"v\xe2rds\nR\xeega\n";
    for (label, options, name) in [
        (Some("ISO-8859-13"), with(None, Some("utf-8")), "iso-8859-13"),
        (None, with(None, Some("windows-1257")), "windows-1257"),
    ] {
        let (rows, read_as) = read(Csv, label, &options, &[body]);
        assert_eq!(read_as.expect("readable").charset, name);
        assert_eq!(
            (rows.headers, rows.rows),
            (Some(vec!["vārds".to_owned()]), vec!["2 Rīga".to_owned()])
        );
    }
    let utf16: Vec<u8> = "\u{feff}vārds\nRīga\n"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    assert_eq!(
        read(Csv, Some("utf-16"), &with(None, None), &[&utf16]).0.rows,
        ["2 Rīga"]
    );
    assert_eq!(read(Csv, None, &with(None, None), &[&utf16]).0.rows, ["2 Rīga"]);
}

#[test]
fn undecodable_bytes_say_where_and_what_to_declare() {
    let error = unreadable(Csv, b"name,place\nx,y\n\"a\nb\",R\xeega\n");
    assert_eq!(
        (error.code, error.faults[0].place.as_str()),
        ("package_unreadable", "line 4")
    );
    assert!(
        error.faults[0].message.contains("byte 22 ")
            && error.faults[0].message.contains("charset=iso-8859-13"),
        "{error}"
    );
    // 0xA1 has no letter in windows-1257.
    let (_, error) = read(
        Csv,
        Some("windows-1257"),
        &with(None, None),
        &[b"name\nab\nc\xa1\n"],
    );
    let error = error.expect_err("undecodable");
    assert_eq!(error.faults[0].place, "line 3");
    assert!(error.faults[0].message.contains("byte 9 "), "{error}");
    let (_, error) = read(Csv, Some("windows-1275"), &with(None, None), &[b""]);
    let error = error.expect_err("unknown");
    assert_eq!(error.code, "media_type");
    assert!(
        error.faults[0].message.contains("windows-1257") || error.faults[0].message.contains("windows-125"),
        "{error}"
    );
}

#[test]
fn a_row_beyond_the_limit_is_a_fault_of_that_row() {
    let limits = Limits {
        max_row_bytes: 20,
        ..Limits::default()
    };
    let body = format!("a,b\n1,2\n3,\"{}\n\"\n4,5\n", "x".repeat(50));
    for size in [1, 3, 1000] {
        let chunks: Vec<&[u8]> = body.as_bytes().chunks(size).collect();
        let (rows, _) = read_within(Csv, None, &CsvOptions::default(), limits, &chunks);
        assert_eq!(rows.rows, ["2 1¦2", "3 bad row_size at line 3", "5 4¦5"]);
    }
}
