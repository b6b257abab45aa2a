//! The text form of `COPY … TO STDOUT`: tabs between cells, `\N` for null, backslashes before what is special.
//! <https://www.postgresql.org/docs/current/sql-copy.html>

use crate::{collect::Collect, error::Result, source::fault};

/// Longest row.
const LONGEST: usize = 64 << 20;

/// Cuts what comes into rows.
pub struct Lines {
    width: usize,
    partial: Vec<u8>,
    row: u64,
}

impl Lines {
    pub fn new(width: usize) -> Self {
        Self {
            width,
            partial: Vec::new(),
            row: 0,
        }
    }

    pub fn push(&mut self, mut chunk: &[u8], rows: &mut Collect<'_>) -> Result<()> {
        while let Some(end) = chunk.iter().position(|byte| *byte == b'\n') {
            if self.partial.is_empty() {
                self.line(&chunk[..end], rows)?;
            } else {
                let mut line = std::mem::take(&mut self.partial);
                line.extend_from_slice(&chunk[..end]);
                self.line(&line, rows)?;
            }
            chunk = &chunk[end + 1..];
        }
        self.partial.extend_from_slice(chunk);
        if self.partial.len() > LONGEST {
            return Err(fault("a row is longer than 64 MiB"));
        }
        Ok(())
    }

    pub fn finish(self, _: &mut Collect<'_>) -> Result<()> {
        if self.partial.is_empty() {
            Ok(())
        } else {
            Err(fault("PostgreSQL's answer was cut off"))
        }
    }

    fn line(&mut self, line: &[u8], rows: &mut Collect<'_>) -> Result<()> {
        self.row += 1;
        let text = std::str::from_utf8(line).map_err(|_| fault("PostgreSQL's answer is not UTF-8"))?;
        if !text.contains('\\') {
            let cells: Vec<Option<&str>> = text.split('\t').map(Some).collect();
            return self.give(&cells, rows);
        }
        let texts: Vec<Option<String>> = text.split('\t').map(unescaped).collect();
        let cells: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
        self.give(&cells, rows)
    }

    fn give(&self, cells: &[Option<&str>], rows: &mut Collect<'_>) -> Result<()> {
        if cells.len() != self.width {
            return Err(fault(format!(
                "row {} has {} columns of {}",
                self.row,
                cells.len(),
                self.width
            )));
        }
        rows.cells(self.row, cells)
    }
}

/// `None` = null.
fn unescaped(cell: &str) -> Option<String> {
    if cell == "\\N" {
        return None;
    }
    let mut out = String::with_capacity(cell.len());
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\u{b}',
            Some(other) => other,
            None => '\\',
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_comes_back() {
        assert_eq!(unescaped("\\N"), None);
        assert_eq!(unescaped("a\\tb\\nc\\\\d").as_deref(), Some("a\tb\nc\\d"));
        assert_eq!(unescaped("\\\\N").as_deref(), Some("\\N"));
    }
}
