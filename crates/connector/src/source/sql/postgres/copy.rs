//! The text form of `COPY … TO STDOUT`: tabs between cells, `\N` for null, backslashes before what is special.
//! <https://www.postgresql.org/docs/current/sql-copy.html>

use memchr::{memchr, memchr2};
use smallvec::SmallVec;

use crate::{
    collect::Collect,
    error::{Error, Result},
    source::fault,
};

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
        while let Some(end) = memchr(b'\n', chunk) {
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

type Cells<'t> = SmallVec<[Option<&'t str>; 32]>;

/// Lines as text: all of them judged at once.
pub fn text(lines: &[u8]) -> Result<&str> {
    simdutf8::basic::from_utf8(lines).map_err(|_| not_utf8())
}

pub fn not_utf8() -> Error {
    fault("PostgreSQL's answer is not UTF-8")
}

/// Columns that `COPY` writes otherwise than a cast to text, which costs more.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Moments, which end with the offset of UTC.
    pub zoned: Vec<usize>,
    /// `t` and `f`.
    pub truths: Vec<usize>,
}

/// Takes a line apart. Moments are given with `Z`, and stand in `moments` meanwhile; truths as words.
pub fn row<'t>(
    number: u64,
    text: &'t str,
    width: usize,
    own: &Own,
    moments: &'t mut String,
    give: impl FnOnce(&[Option<&str>]),
) -> Result<()> {
    let escaped: Vec<Option<String>>;
    let mut cells: Cells<'_> = Cells::new();
    if !plain(text, &mut cells) {
        escaped = text.split('\t').map(unescaped).collect();
        cells.clear();
        cells.extend(escaped.iter().map(Option::as_deref));
    }
    if cells.len() != width {
        return Err(fault(format!(
            "row {number} has {} columns of {width}",
            cells.len()
        )));
    }
    for at in &own.truths {
        cells[*at] = match cells[*at] {
            Some("t") => Some("true"),
            Some("f") => Some("false"),
            other => other,
        };
    }
    moments.clear();
    let mut ends = SmallVec::<[usize; 8]>::new();
    for at in &own.zoned {
        with_z(cells[*at].unwrap_or_default(), moments);
        ends.push(moments.len());
    }
    let mut start = 0;
    for (at, end) in own.zoned.iter().zip(ends) {
        cells[*at] = cells[*at].map(|_| &moments[start..end]);
        start = end;
    }
    give(&cells);
    Ok(())
}

/// The cells of a line in which nothing but null is escaped; `false` = something is.
fn plain<'t>(text: &'t str, cells: &mut Cells<'t>) -> bool {
    let mut rest = text;
    while let Some(at) = memchr2(b'\t', b'\\', rest.as_bytes()) {
        if rest.as_bytes()[at] == b'\t' {
            cells.push(Some(&rest[..at]));
            rest = &rest[at + 1..];
            continue;
        }
        match rest
            .strip_prefix("\\N")
            .map(|rest| (rest, rest.strip_prefix('\t')))
        {
            Some((_, Some(next))) => {
                cells.push(None);
                rest = next;
            }
            Some(("", None)) => {
                cells.push(None);
                return true;
            }
            _ => return false,
        }
    }
    cells.push(Some(rest));
    true
}

/// What is not a moment, as `infinity`, stays as it is.
fn with_z(moment: &str, out: &mut String) {
    match moment.strip_suffix("+00") {
        Some(utc) => out.extend([utc, "Z"]),
        // `… BC`
        None => out.push_str(&moment.replacen("+00", "Z", 1)),
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
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    fn cells(line: &str, width: usize, zoned: &[usize]) -> Result<Vec<Option<String>>> {
        let mut found = Vec::new();
        let own = Own {
            zoned: zoned.to_vec(),
            truths: vec![0],
        };
        row(1, line, width, &own, &mut String::new(), |cells| {
            found = cells.iter().map(|cell| cell.map(str::to_owned)).collect();
        })?;
        Ok(found)
    }

    #[test]
    fn a_line_is_taken_apart() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            cells("1\tĀda\t2026-01-01 00:00:00.5+00", 3, &[2]).unwrap(),
            [some("1"), some("Āda"), some("2026-01-01 00:00:00.5Z")]
        );
        assert_eq!(
            cells("\\N\t\tb\\\\+00\tinfinity\t\\N", 5, &[3, 4]).unwrap(),
            [None, some(""), some("b\\+00"), some("infinity"), None]
        );
        for (line, word) in [("t", "true"), ("f", "false"), ("x", "x")] {
            assert_eq!(cells(line, 1, &[]).unwrap(), [some(word)]);
        }
        assert_eq!(cells("\\N\t\\N", 2, &[]).unwrap(), [None, None]);
        assert_eq!(cells("\\N\t", 2, &[]).unwrap(), [None, some("")]);
        assert_eq!(cells("a\\tb\t\\N", 2, &[]).unwrap(), [some("a\tb"), None]);
        assert!(cells("1\t2", 3, &[]).is_err());
        assert!(text(&[b'a', 0xff]).is_err());
    }

    /// As `COPY` writes a cell.
    fn written(cell: Option<&str>) -> String {
        let Some(text) = cell else { return "\\N".to_owned() };
        let escaped = |c: char| match c {
            '\u{8}' => "\\b".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            '\u{b}' => "\\v".to_owned(),
            '\\' => "\\\\".to_owned(),
            c => c.to_string(),
        };
        text.chars().map(escaped).collect()
    }

    proptest! {
        #[test]
        fn every_row_comes_back(row in vec(option::of("[N\\\\\t\nā a]{0,4}"), 1..6)) {
            let line: Vec<String> = row.iter().map(|cell| written(cell.as_deref())).collect();
            prop_assert_eq!(cells(&line.join("\t"), row.len(), &[]).unwrap(), row);
        }
    }

    #[test]
    fn what_is_escaped_comes_back() {
        assert_eq!(unescaped("\\N"), None);
        assert_eq!(unescaped("a\\tb\\nc\\\\d").as_deref(), Some("a\tb\nc\\d"));
        assert_eq!(unescaped("\\\\N").as_deref(), Some("\\N"));
    }
}
