//! Where rows begin and end, which physical line they begin on, and what of them cannot be read.

use std::borrow::Cow;

use dagr_model::fault::Fault;

use crate::charset::advice;
use crate::csv::columns::header;
use crate::csv::split::split;
use crate::ndjson::too_long;
use crate::partial::{Partial, Whole};
use crate::{Limits, Row, Sink, Unreadable};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    Outside,
    Inside,
    /// After a quote inside a quoted cell: the next byte says whether it closed the cell.
    Closing,
}

/// Follows quotes through one row to the line feed that ends it. A quote opens a cell only at the cell's beginning.
pub(super) struct RowEnd {
    delimiter: u8,
    quote: Quote,
    /// The byte before the next one; the delimiter at the beginning of a row.
    previous: u8,
    quoted: bool,
    /// Line feeds inside quotes so far.
    inner_lines: u64,
}

impl RowEnd {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            quote: Quote::Outside,
            previous: delimiter,
            quoted: false,
            inner_lines: 0,
        }
    }

    pub(super) fn find(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            match self.quote {
                Quote::Outside => {
                    let Some(found) = memchr::memchr2(b'"', b'\n', rest) else {
                        break;
                    };
                    if rest[found] == b'\n' {
                        return Some(at + found);
                    }
                    let previous = if at + found == 0 {
                        self.previous
                    } else {
                        text[at + found - 1]
                    };
                    if previous == self.delimiter {
                        self.quote = Quote::Inside;
                        self.quoted = true;
                    }
                    at += found + 1;
                }
                Quote::Inside => {
                    let found = memchr::memchr(b'"', rest);
                    let passed = &rest[..found.unwrap_or(rest.len())];
                    self.inner_lines += memchr::memchr_iter(b'\n', passed).count() as u64;
                    at += passed.len() + usize::from(found.is_some());
                    if found.is_some() {
                        self.quote = Quote::Closing;
                    }
                }
                Quote::Closing if rest[0] == b'"' => {
                    self.quote = Quote::Inside;
                    at += 1;
                }
                Quote::Closing => self.quote = Quote::Outside,
            }
        }
        self.previous = text.last().copied().unwrap_or(self.previous);
        None
    }
}

pub(super) struct Rows {
    end: RowEnd,
    partial: Partial,
    limits: Limits,
    ignore: Vec<String>,
    /// Number of columns, once the header was read.
    columns: Option<usize>,
    /// Physical line on which the row at hand begins, from 1.
    line: u64,
    /// Bytes of text before the row at hand.
    row_start: u64,
    /// Kept empty between rows, for its allocation.
    cells: Vec<Cow<'static, str>>,
}

impl Rows {
    pub fn new(delimiter: u8, limits: Limits, ignore: Vec<String>) -> Self {
        let partial = Partial::new(limits.max_row_bytes);
        Self {
            end: RowEnd::new(delimiter),
            partial,
            limits,
            ignore,
            columns: None,
            line: 1,
            row_start: 0,
            cells: Vec::new(),
        }
    }

    pub fn delimiter(&self) -> u8 {
        self.end.delimiter
    }

    pub fn push(&mut self, mut text: &[u8], mark: usize, sink: &mut dyn Sink) -> Result<(), Unreadable> {
        while let Some(end) = self.end.find(text) {
            self.row(&text[..end], mark, sink)?;
            text = &text[end + 1..];
        }
        if !text.is_empty() {
            self.partial.add(text);
        }
        Ok(())
    }

    pub fn finish(&mut self, mark: usize, sink: &mut dyn Sink) -> Result<(), Unreadable> {
        if self.partial.is_empty() {
            Ok(())
        } else {
            self.row(&[], mark, sink)
        }
    }

    /// One row is complete: `last` is the piece of it in this chunk.
    fn row(&mut self, last: &[u8], mark: usize, sink: &mut dyn Sink) -> Result<(), Unreadable> {
        let line = self.line;
        let start = self.row_start + mark as u64;
        let RowEnd {
            delimiter,
            quoted,
            inner_lines,
            ..
        } = self.end;
        self.end = RowEnd::new(delimiter);
        self.line += 1 + inner_lines;
        self.row_start += self.partial.seen() + last.len() as u64 + 1;

        let mut cells: Vec<Cow<'_, str>> = std::mem::take(&mut self.cells);
        let read = match self.partial.whole(last) {
            Whole::TooLong => Err(too_long(format!("line {line}"), self.limits)),
            Whole::Row(bytes) => {
                let text = std::str::from_utf8(bytes)
                    .map_err(|error| undecodable(bytes, error.valid_up_to(), line, start))?;
                let text = text.strip_suffix('\r').unwrap_or(text);
                if is_blank(text, delimiter) {
                    self.cells = emptied(cells);
                    self.partial.clear();
                    return Ok(());
                }
                let most = self.columns.unwrap_or(self.limits.max_columns);
                split(text, delimiter, quoted, most, &mut cells)
                    .map_err(|message| Fault::new(format!("line {line}"), "quote", message))
            }
        };
        match (self.columns, read) {
            (None, read) => {
                let names = header(read, &cells, self.limits.max_columns, &self.ignore)?;
                self.columns = Some(names.len());
                sink.columns(&names)?;
            }
            (Some(_), Err(fault)) => sink.row(Row::Bad { line, fault })?,
            (Some(columns), Ok(count)) if count != columns => {
                let message = format!(
                    "the row has {count} cells, the header {columns}: quote cells that hold the delimiter or a line end"
                );
                sink.row(Row::Bad {
                    line,
                    fault: Fault::new(format!("line {line}"), "ragged", message),
                })?;
            }
            (Some(_), Ok(_)) => sink.row(Row::Cells { line, cells: &cells })?,
        }
        self.cells = emptied(cells);
        self.partial.clear();
        Ok(())
    }
}

/// The same allocation for cells of another row.
fn emptied(mut cells: Vec<Cow<'_, str>>) -> Vec<Cow<'static, str>> {
    cells.clear();
    cells.into_iter().map(|_| Cow::Borrowed("")).collect()
}

fn is_blank(text: &str, delimiter: u8) -> bool {
    text.bytes().all(|byte| byte == b' ' && byte != delimiter)
}

fn undecodable(row: &[u8], valid: usize, line: u64, start: u64) -> Unreadable {
    let line = line + memchr::memchr_iter(b'\n', &row[..valid]).count() as u64;
    let at = start + valid as u64;
    Unreadable::package(
        format!("line {line}"),
        "charset",
        format!("byte {at} of the body is not UTF-8: {}", advice(row)),
    )
}
