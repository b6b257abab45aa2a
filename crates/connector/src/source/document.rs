//! One document in any of the formats, wherever it came from.

mod under;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek},
};

use dagr_formats::{Decoder, Limits, MediaType, charset::sniff};

use super::{Means, parquet, text, xml};
use crate::{
    collect::Collect,
    error::{Error, Result},
    feed::Format,
};

/// How it is to be read.
pub struct Document<'d> {
    pub format: Format,
    pub charset: Option<&'d str>,
    /// Of JSON and XML: where the records are.
    pub records: Option<&'d str>,
    /// Is no record at all a document's content?
    pub may_be_empty: bool,
    /// What messages call it.
    pub name: &'d str,
    pub means: &'d Means<'d>,
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
            (Format::Xml, Some(records)) => {
                xml::read(input, self.charset, records, self.may_be_empty, self.name, rows)
            }
            (Format::Xml, None) => Err(Error::Source(format!(
                "{} is XML: say where its records are, as source.records = \"Register/Vehicles/Vehicle\"",
                self.name
            ))),
            (Format::NdJson, _) => self.lines(input, rows),
            (Format::Json, Some(records)) => under::read(self.utf8(input)?, records, self.name, rows),
            _ => self.decoded(input, rows),
        }
    }

    /// Parquet is read from its end: what comes packed is unpacked to disk first.
    fn seekable(&self, input: Input<'_>) -> Result<File> {
        match input {
            Input::File(file) => Ok(file),
            Input::Stream(stream) => {
                let mut file = tempfile::tempfile_in(self.means.dir).map_err(|error| self.cut_off(&error))?;
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
        let mut decoder = match Decoder::new(media, self.charset, self.means.csv, Limits::default()) {
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
        decoder.finish(rows).map_err(|error| rows.stopped(error))?;
        if self.format == Format::Csv && !rows.knows_columns() {
            return Err(Error::Source(format!(
                "{} has no row of column names; it is not taken. A set without records is that row alone",
                self.name
            )));
        }
        Ok(())
    }

    fn cut_off(&self, error: &io::Error) -> Error {
        Error::Source(format!("{}: {error}; it is not taken", self.name))
    }

    fn utf8<'i>(&self, input: &'i mut dyn Read) -> Result<impl BufRead + 'i> {
        let told = |error: String| Error::Source(format!("{}: {error}", self.name));
        let declared = self.charset.map(text::by_label).transpose().map_err(told)?;
        let head = text::head(input, text::HEAD).map_err(|error| self.cut_off(&error))?;
        let (encoding, mark) = sniff(&head, declared.unwrap_or_default());
        let rest = io::Cursor::new(head[mark..].to_vec()).chain(input);
        Ok(text::Utf8::new(rest, encoding, mark))
    }

    /// One record a line.
    fn lines(&self, input: &mut dyn Read, rows: &mut Collect<'_>) -> Result<()> {
        let mut input = self.utf8(input)?;
        let limit = Limits::default().max_row_bytes as u64;
        let mut line = Vec::new();
        let mut is_empty = true;
        for number in 1.. {
            line.clear();
            let length = (&mut input)
                .take(limit)
                .read_until(b'\n', &mut line)
                .map_err(|error| self.cut_off(&error))?;
            if length == 0 {
                break;
            }
            if length as u64 == limit && line.last() != Some(&b'\n') {
                return Err(Error::Source(format!(
                    "{}: line {number} is longer than 8 MiB",
                    self.name
                )));
            }
            let record = line.trim_ascii();
            if !record.is_empty() {
                is_empty = false;
                rows.json(number, record)?;
            }
        }
        if is_empty && !self.may_be_empty {
            return Err(Error::Source(format!(
                "{} holds no record; it is not taken. source.may_be_empty = true says that there may be none",
                self.name
            )));
        }
        Ok(())
    }
}
