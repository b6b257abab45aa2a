//! The text form of `COPY … TO STDOUT`: tabs between cells, `\N` for null, backslashes before what is special.
//! <https://www.postgresql.org/docs/current/sql-copy.html>

use crate::{collect::Collect, error::Result, source::fault};

/// Longest row.
const LONGEST: usize = 64 << 20;

/// Cuts what comes into rows.
#[derive(Default)]
pub struct Lines {
    partial: Vec<u8>,
    row: u64,
}

impl Lines {
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

    pub fn finish(self) -> Result<()> {
        if self.partial.is_empty() {
            Ok(())
        } else {
            Err(fault("PostgreSQL's answer was cut off"))
        }
    }

    fn line(&mut self, line: &[u8], rows: &mut Collect<'_>) -> Result<()> {
        self.row += 1;
        rows.copy_line(self.row, line)
    }
}

/// Takes a line apart.
pub fn row(number: u64, line: &[u8], width: usize, give: impl FnOnce(&[Option<&str>])) -> Result<()> {
    let text = std::str::from_utf8(line).map_err(|_| fault("PostgreSQL's answer is not UTF-8"))?;
    let mut plain: Vec<Option<&str>> = Vec::with_capacity(width);
    let escaped: Vec<Option<String>>;
    if text.contains('\\') {
        escaped = text.split('\t').map(unescaped).collect();
        plain.extend(escaped.iter().map(Option::as_deref));
    } else {
        plain.extend(text.split('\t').map(Some));
    }
    if plain.len() != width {
        return Err(fault(format!(
            "row {number} has {} columns of {width}",
            plain.len()
        )));
    }
    give(&plain);
    Ok(())
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
