//! However the bytes are cut, the rows are the same; and no bytes make a decoder panic.

use dagr_formats::{Limits, MediaType, csv_out};
use dagr_model::definition::CsvOptions;
use proptest::prelude::*;

use super::collect::{read, read_within};

fn pieces<'a>(body: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    at.extend([0, body.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect()
}

/// Bytes of the kind that decoders stumble over.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        4 => prop::sample::select(vec![
            "\"", "\"\"", ",", ";", "\t", "|", "\n", "\r\n", "\r", "a", "ī", "1", " ", "{", "}", "[", "]", ":", "\\", "null",
            "{\"op\":\"upsert\",\"record\":{\"a\":\"x\"}}\n", "{\"op\":\"delete\",\"key\":{}}\n", "a,b\n", "{\"a\":\"]\\\"\"}", "[{}",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::sample::select(vec![&b"\xff\xfe"[..], b"\xfe\xff", b"\xef\xbb\xbf", b"\0", b"\xee", b"\xc4"]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

fn media() -> impl Strategy<Value = MediaType> {
    prop::sample::select(vec![MediaType::NdJson, MediaType::JsonArray, MediaType::Csv])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_cutting_gives_the_same(
        body in bodies(),
        media in media(),
        charset in prop::sample::select(vec![None, Some("utf-8"), Some("utf-16"), Some("iso-8859-13"), Some("windows-1257"), Some("shift_jis")]),
        max_row_bytes in prop::sample::select(vec![12, 1 << 20]),
        delimiter in prop::sample::select(vec![None, Some(';'), Some(' ')]),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let limits = Limits { max_row_bytes, max_depth: 4, ..Limits::default() };
        let csv = CsvOptions { delimiter, ..CsvOptions::default() };
        let whole = read_within(media, charset, &csv, limits, &[&body]);
        prop_assert_eq!(&whole, &read_within(media, charset, &csv, limits, &pieces(&body, &cuts)));
        let single: Vec<&[u8]> = body.chunks(1).collect();
        prop_assert_eq!(&whole, &read_within(media, charset, &csv, limits, &single));
    }

    #[test]
    fn what_is_written_reads_back(
        cells in prop::collection::vec(prop::collection::vec("[a-zā,;\"\r\n ]{0,6}", 3), 0..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let mut out = b"x,y,z\n".to_vec();
        for row in &cells {
            csv_out::write_row(&mut out, row.iter());
        }
        let csv = CsvOptions { delimiter: Some(','), ..CsvOptions::default() };
        let (rows, read_as) = read(MediaType::Csv, None, &csv, &pieces(&out, &cuts));
        prop_assert!(read_as.is_ok());
        let texts: Vec<&str> = rows.rows.iter().filter_map(|row| row.split_once(' ')).map(|(_, text)| text).collect();
        let expected: Vec<String> = cells.iter().map(|row| row.join("¦")).collect();
        prop_assert_eq!(texts, expected);
    }

    #[test]
    fn transcoding_gives_the_rows_of_the_text(
        cells in prop::collection::vec(("[a-zāčēģīķļņšūž ]{1,6}", "[0-9]{1,3}"), 1..60),
        label in prop::sample::select(vec!["iso-8859-13", "windows-1257", "utf-8"]),
    ) {
        let text: String = std::iter::once("a;b".to_owned()).chain(cells.iter().map(|(a, b)| format!("{a};{b}"))).collect::<Vec<_>>().join("\n");
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).expect("known");
        let (encoded, _, lossy) = encoding.encode(&text);
        prop_assert!(!lossy);
        let (rows, read_as) = read(MediaType::Csv, Some(label), &CsvOptions::default(), &[&encoded]);
        prop_assert_eq!(read_as.map(|read| (read.charset, read.delimiter)), Ok((label.to_owned(), Some(";".to_owned()))));
        prop_assert_eq!(rows, read(MediaType::Csv, None, &CsvOptions::default(), &[text.as_bytes()]).0);
    }
}

#[test]
fn a_delimiter_decided_before_the_end_is_the_same_in_any_cutting() {
    let body: String = std::iter::once("a;b\n".to_owned())
        .chain((0..5000).map(|n| format!("{n},5;\"x\n,{n}\"\n")))
        .collect();
    let whole = read(MediaType::Csv, None, &CsvOptions::default(), &[body.as_bytes()]);
    assert_eq!(
        (whole.0.rows.len(), whole.0.rows[4999].as_str()),
        (5000, "10000 4999,5¦x\n,4999")
    );
    for size in [1, 1000, 16384, 16385] {
        let chunks: Vec<&[u8]> = body.as_bytes().chunks(size).collect();
        assert_eq!(read(MediaType::Csv, None, &CsvOptions::default(), &chunks), whole);
    }
}
