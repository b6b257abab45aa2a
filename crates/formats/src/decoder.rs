//! The door of the crate: bytes in, rows out.

use std::borrow::Cow;

use dagr_model::definition::CsvOptions;
use dagr_model::fault::Fault;

use crate::charset::{CONTENT_TYPE, Declared, declared};
use crate::csv::Csv;
use crate::json_array::JsonArray;
use crate::ndjson::NdJson;
use crate::text::Text;
use crate::{Limits, MediaType, ReadAs, Unreadable};

/// One row of a package. `line` is the first physical line, from 1 (in a JSON array the place, from 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row<'a> {
    /// A record to set: the raw text of a JSON object, known to be well-formed UTF-8 JSON within the depth limit and
    /// without a member twice in any of its objects.
    Upsert {
        line: u64,
        json: &'a [u8],
    },
    /// The raw text of a key object, as above.
    Delete {
        line: u64,
        key_json: &'a [u8],
    },
    Erase {
        line: u64,
        key_json: &'a [u8],
    },
    /// Cells by column position, as many as the header has.
    Cells {
        line: u64,
        cells: &'a [Cow<'a, str>],
    },
    /// A row that cannot be read; it goes to quarantine, the rest goes on.
    Bad {
        line: u64,
        fault: Fault,
    },
}

/// Where rows go. An error stops the package and comes back from [`Decoder::feed`].
pub trait Sink {
    /// The header of a CSV (in NFC, as written otherwise); called once, before the rows.
    fn columns(&mut self, headers: &[String]) -> Result<(), Unreadable>;
    fn row(&mut self, row: Row<'_>) -> Result<(), Unreadable>;
}

/// Reads one package. After an error every further call gives the same error.
pub struct Decoder {
    media: MediaType,
    text: Text,
    format: Format,
    failed: Option<Unreadable>,
}

enum Format {
    NdJson(NdJson),
    JsonArray(JsonArray),
    Csv(Box<Csv>),
}

impl Decoder {
    /// `charset_from_content_type` wins over `csv.charset` (which is for CSV only), that over a byte order mark, that over
    /// UTF-8. Fails on an unknown charset label or an impossible delimiter.
    pub fn new(
        media: MediaType,
        charset_from_content_type: Option<&str>,
        csv: &CsvOptions,
        limits: Limits,
    ) -> Result<Self, Unreadable> {
        let of_definition = csv.charset.as_deref().filter(|_| media == MediaType::Csv);
        let charset = match (charset_from_content_type, of_definition) {
            (Some(label), _) => declared(label, CONTENT_TYPE)?,
            (None, Some(label)) => declared(label, "csv.charset of the definition")?,
            (None, None) => Declared::Nothing,
        };
        let format = match media {
            MediaType::NdJson => Format::NdJson(NdJson::new(limits)),
            MediaType::JsonArray => Format::JsonArray(JsonArray::new(limits)),
            MediaType::Csv => Format::Csv(Box::new(Csv::new(csv, limits)?)),
        };
        Ok(Self {
            media,
            text: Text::new(charset),
            format,
            failed: None,
        })
    }

    /// Takes the next bytes of the body and gives the rows that are complete.
    pub fn feed(&mut self, chunk: &[u8], sink: &mut dyn Sink) -> Result<(), Unreadable> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let format = &mut self.format;
        let fed = self
            .text
            .push(chunk, &mut |text, mark| format.push(text, mark, sink));
        self.failed = fed.as_ref().err().cloned();
        fed
    }

    /// The body is at its end: gives the last row and says how the package was read.
    pub fn finish(mut self, sink: &mut dyn Sink) -> Result<ReadAs, Unreadable> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let format = &mut self.format;
        self.text
            .finish(&mut |text, mark| format.push(text, mark, sink))?;
        let delimiter = match &mut self.format {
            Format::NdJson(lines) => lines.finish(sink).map(|()| None)?,
            Format::JsonArray(array) => array.finish(self.text.mark()).map(|()| None)?,
            Format::Csv(csv) => csv
                .finish(self.text.mark(), sink)
                .map(|delimiter| Some(char::from(delimiter).to_string()))?,
        };
        Ok(ReadAs {
            media_type: self.media,
            charset: self.text.charset(),
            delimiter,
        })
    }
}

impl Format {
    fn push(&mut self, text: &[u8], mark: usize, sink: &mut dyn Sink) -> Result<(), Unreadable> {
        match self {
            Self::NdJson(lines) => lines.push(text, sink),
            Self::JsonArray(array) => array.push(text, mark, sink),
            Self::Csv(csv) => csv.push(text, mark, sink),
        }
    }
}
