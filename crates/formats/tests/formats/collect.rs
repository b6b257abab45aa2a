//! A sink that keeps everything, as text.

use dagr_formats::{Decoder, Limits, MediaType, ReadAs, Row, Sink, Unreadable};
use dagr_model::definition::CsvOptions;

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Rows {
    pub headers: Option<Vec<String>>,
    /// `line operation text`, cells joined by `¦`, faults by their rule.
    pub rows: Vec<String>,
}

impl Sink for Rows {
    fn columns(&mut self, headers: &[String]) -> Result<(), Unreadable> {
        assert!(
            self.headers.is_none() && self.rows.is_empty(),
            "columns once, before the rows"
        );
        self.headers = Some(headers.to_vec());
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) -> Result<(), Unreadable> {
        let text = |json| std::str::from_utf8(json).expect("rows are UTF-8");
        self.rows.push(match row {
            Row::Upsert { line, json } => format!("{line} upsert {}", text(json)),
            Row::Delete { line, key_json } => format!("{line} delete {}", text(key_json)),
            Row::Erase { line, key_json } => format!("{line} erase {}", text(key_json)),
            Row::Cells { line, cells } => format!("{line} {}", cells.join("¦")),
            Row::Bad { line, fault } => format!("{line} bad {} at {}", fault.rule, fault.place),
        });
        Ok(())
    }
}

pub type Read = (Rows, Result<ReadAs, Unreadable>);

pub fn read(media: MediaType, charset: Option<&str>, csv: &CsvOptions, chunks: &[&[u8]]) -> Read {
    read_within(media, charset, csv, Limits::default(), chunks)
}

pub fn read_within(
    media: MediaType,
    charset: Option<&str>,
    csv: &CsvOptions,
    limits: Limits,
    chunks: &[&[u8]],
) -> Read {
    let mut rows = Rows::default();
    let mut decoder = match Decoder::new(media, charset, csv, limits) {
        Ok(decoder) => decoder,
        Err(error) => return (rows, Err(error)),
    };
    for chunk in chunks {
        if let Err(error) = decoder.feed(chunk, &mut rows) {
            assert_eq!(
                decoder.feed(b"more", &mut rows).as_ref(),
                Err(&error),
                "an error stays"
            );
            return (rows, Err(error));
        }
    }
    let finished = decoder.finish(&mut rows);
    (rows, finished)
}

/// Rows and `read_as` of a package that must be readable.
pub fn rows(media: MediaType, body: &[u8]) -> Vec<String> {
    let (rows, read_as) = read(media, None, &CsvOptions::default(), &[body]);
    read_as.expect("readable");
    rows.rows
}

pub fn unreadable(media: MediaType, body: &[u8]) -> Unreadable {
    read(media, None, &CsvOptions::default(), &[body])
        .1
        .expect_err("unreadable")
}
