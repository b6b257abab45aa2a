//! CSV: RFC 4180 quoting, physical lines, delimiter declared or found.

pub(crate) mod columns;
mod delimiter;
mod rows;
mod split;

use dagr_model::definition::CsvOptions;

use crate::csv::rows::Rows;
use crate::{Limits, Sink, Unreadable};

/// The delimiter is decided on this much text, or on all of it if it is less.
const WINDOW: usize = 16 << 10;

pub(crate) struct Csv {
    stage: Stage,
    limits: Limits,
    ignore: Vec<String>,
}

enum Stage {
    /// Text held until the delimiter is known.
    Sniffing(Vec<u8>),
    Reading(Rows),
}

impl Csv {
    pub fn new(options: &CsvOptions, limits: Limits) -> Result<Self, Unreadable> {
        let ignore = options.ignore.clone();
        let stage = match options.delimiter {
            None => Stage::Sniffing(Vec::new()),
            Some(delimiter) => Stage::Reading(Rows::new(declared(delimiter)?, limits, ignore.clone())),
        };
        Ok(Self {
            stage,
            limits,
            ignore,
        })
    }

    /// `mark` = bytes of the body before the text.
    pub fn push(&mut self, text: &[u8], mark: usize, sink: &mut dyn Sink) -> Result<(), Unreadable> {
        match &mut self.stage {
            Stage::Reading(rows) => rows.push(text, mark, sink),
            Stage::Sniffing(held) => {
                let missing = (WINDOW - held.len()).min(text.len());
                held.extend_from_slice(&text[..missing]);
                if held.len() < WINDOW {
                    return Ok(());
                }
                let rows = self.decide(mark, sink)?;
                rows.push(&text[missing..], mark, sink)
            }
        }
    }

    /// Gives the last row and the delimiter the rows were read with.
    pub fn finish(&mut self, mark: usize, sink: &mut dyn Sink) -> Result<u8, Unreadable> {
        let rows = self.decide(mark, sink)?;
        rows.finish(mark, sink)?;
        Ok(rows.delimiter())
    }

    fn decide(&mut self, mark: usize, sink: &mut dyn Sink) -> Result<&mut Rows, Unreadable> {
        let mut held = Vec::new();
        if let Stage::Sniffing(text) = &mut self.stage {
            held = std::mem::take(text);
            let whole = held.len() < WINDOW;
            let rows = Rows::new(
                delimiter::sniff(&held, whole),
                self.limits,
                std::mem::take(&mut self.ignore),
            );
            self.stage = Stage::Reading(rows);
        }
        match &mut self.stage {
            Stage::Reading(rows) => rows.push(&held, mark, sink).map(|()| rows),
            Stage::Sniffing(_) => Err(Unreadable::package(
                "line 1",
                "delimiter",
                "the delimiter was not decided",
            )),
        }
    }
}

fn declared(delimiter: char) -> Result<u8, Unreadable> {
    match u8::try_from(delimiter) {
        Ok(byte) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(byte),
        _ => Err(Unreadable::package(
            "csv.delimiter of the definition",
            "delimiter",
            "the delimiter must be one ASCII character, and neither a double quote nor a line end",
        )),
    }
}
