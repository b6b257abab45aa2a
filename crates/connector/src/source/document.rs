//! One document in any of the formats, wherever it came from.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek},
};

use dagr_formats::{Decoder, Limits, MediaType};
use dagr_model::definition::CsvOptions;

use super::{parquet, text, xml};
use crate::{
    collect::Collect,
    error::{Error, Result},
    feed::Format,
};

/// Memory one JSON text that is read as a whole may take.
const WHOLE_BYTES: u64 = 256 << 20;

/// How it is to be read.
pub struct Document<'d> {
    pub format: Format,
    pub charset: Option<&'d str>,
    /// Of JSON and XML: where the records are.
    pub records: Option<&'d str>,
    /// What messages call it.
    pub name: &'d str,
    pub csv: &'d CsvOptions,
}

/// What its bytes come from.
pub enum Input<'i> {
    File(File),
    Stream(&'i mut dyn Read),
}

impl Document<'_> {
    pub fn read(&self, input: Input<'_>, rows: &mut Collect<'_>) -> Result<()> {
        if self.format == Format::Parquet {
            return parquet::read(self.seekable(input)?, self.name, rows);
        }
        let mut file;
        let input: &mut dyn Read = match input {
            Input::Stream(stream) => stream,
            Input::File(opened) => {
                file = BufReader::with_capacity(1 << 18, opened);
                &mut file
            }
        };
        match (self.format, self.records) {
            (Format::Xml, Some(records)) => xml::read(input, self.charset, records, self.name, rows),
            (Format::Xml, None) => Err(Error::Source(format!(
                "{} is XML: say where its records are, as source.records = \"Register/Vehicles/Vehicle\"",
                self.name
            ))),
            (Format::NdJson, _) => self.lines(input, rows),
            (Format::Json, Some(records)) => self.under(input, records, rows),
            _ => self.decoded(input, rows),
        }
    }

    /// Parquet is read from its end: what comes packed is unpacked to disk first.
    fn seekable(&self, input: Input<'_>) -> Result<File> {
        match input {
            Input::File(file) => Ok(file),
            Input::Stream(stream) => {
                let mut file = tempfile::tempfile().map_err(|error| self.cut_off(&error))?;
                io::copy(stream, &mut file).map_err(|error| self.cut_off(&error))?;
                file.rewind().map_err(|error| self.cut_off(&error))?;
                Ok(file)
            }
        }
    }

    /// CSV and JSON arrays, by the decoders of the intake.
    fn decoded(&self, input: &mut dyn Read, rows: &mut Collect<'_>) -> Result<()> {
        let media = if self.format == Format::Csv {
            MediaType::Csv
        } else {
            MediaType::JsonArray
        };
        let mut decoder = match Decoder::new(media, self.charset, self.csv, Limits::default()) {
            Ok(decoder) => decoder,
            Err(error) => return Err(rows.stopped(error)),
        };
        let mut buffer = vec![0; 1 << 18];
        loop {
            let length = input.read(&mut buffer).map_err(|error| self.cut_off(&error))?;
            if length == 0 {
                break;
            }
            decoder
                .feed(&buffer[..length], rows)
                .map_err(|error| rows.stopped(error))?;
        }
        decoder
            .finish(rows)
            .map(|_| ())
            .map_err(|error| rows.stopped(error))
    }

    fn cut_off(&self, error: &io::Error) -> Error {
        Error::Source(format!("{}: {error}; it is not taken", self.name))
    }

    fn utf8<'i>(&self, input: &'i mut dyn Read) -> Result<impl BufRead + 'i> {
        let told = |error: String| Error::Source(format!("{}: {error}", self.name));
        let declared = self.charset.map(text::by_label).transpose().map_err(told)?;
        let head = text::head(input, 4).map_err(|error| self.cut_off(&error))?;
        let (encoding, mark) = text::of_head(&head, declared);
        let rest = io::Cursor::new(head[mark..].to_vec()).chain(input);
        Ok(text::Utf8::new(rest, encoding, mark))
    }

    /// One record a line.
    fn lines(&self, input: &mut dyn Read, rows: &mut Collect<'_>) -> Result<()> {
        let mut input = self.utf8(input)?;
        let limit = Limits::default().max_row_bytes as u64;
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let length = (&mut input)
                .take(limit)
                .read_until(b'\n', &mut line)
                .map_err(|error| self.cut_off(&error))?;
            if length == 0 {
                return Ok(());
            }
            if length as u64 == limit && line.last() != Some(&b'\n') {
                return Err(Error::Source(format!(
                    "{}: line {number} is longer than 8 MiB",
                    self.name
                )));
            }
            let record = line.trim_ascii();
            if !record.is_empty() {
                rows.json(number, record)?;
            }
        }
        Ok(())
    }

    /// The records of an array inside a JSON document, at a dotted path.
    fn under(&self, input: &mut dyn Read, place: &str, rows: &mut Collect<'_>) -> Result<()> {
        let mut text = Vec::new();
        self.utf8(input)?
            .take(WHOLE_BYTES + 1)
            .read_to_end(&mut text)
            .map_err(|error| self.cut_off(&error))?;
        if text.len() as u64 > WHOLE_BYTES {
            return Err(Error::Source(format!(
                "{}: a JSON document with source.records may be 256 MiB at most; a JSON array or NDJSON may be of any length",
                self.name
            )));
        }
        let document: serde_json::Value = serde_json::from_slice(&text)
            .map_err(|error| Error::Source(format!("{}: {error}; it is not taken", self.name)))?;
        let found = place
            .split('.')
            .try_fold(&document, |value, name| value.get(name));
        let Some(records) = found.and_then(serde_json::Value::as_array) else {
            return Err(Error::Source(format!(
                "{}: there is no list at {place} (source.records){}",
                self.name,
                instead(&document)
            )));
        };
        for (at, record) in records.iter().enumerate() {
            rows.json(at as u64 + 1, record.to_string().as_bytes())?;
        }
        Ok(())
    }
}

/// Where lists are, in the first two levels.
fn instead(document: &serde_json::Value) -> String {
    let mut lists = Vec::new();
    for (name, value) in document.as_object().into_iter().flatten() {
        if value.is_array() {
            lists.push(name.clone());
        }
        let inner = value.as_object().into_iter().flatten();
        lists.extend(
            inner
                .filter(|(_, value)| value.is_array())
                .map(|(own, _)| format!("{name}.{own}")),
        );
    }
    lists.truncate(8);
    if lists.is_empty() {
        String::new()
    } else {
        format!("; lists are at {}", lists.join(", "))
    }
}
