//! Which delimiter a CSV uses, by its header and first rows.

use crate::csv::rows::RowEnd;
use crate::csv::split::split;

const CANDIDATES: [u8; 4] = *b",;\t|";

/// How well a delimiter fits; compared in this order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// The header has more than one cell.
    splits_header: bool,
    /// Share of rows that have as many cells as the header, in thousandths.
    even: usize,
    columns: usize,
}

/// The delimiter that splits `text` best; a comma if none splits the header. `whole` = the text does not go on, so that
/// its last row is complete.
pub(super) fn sniff(text: &[u8], whole: bool) -> u8 {
    let mut best = (CANDIDATES[0], fit(text, whole, CANDIDATES[0]));
    for delimiter in &CANDIDATES[1..] {
        let fit = fit(text, whole, *delimiter);
        if fit.splits_header && fit > best.1 {
            best = (*delimiter, fit);
        }
    }
    best.0
}

fn fit(text: &[u8], whole: bool, delimiter: u8) -> Fit {
    let mut counts = Vec::new();
    let mut rest = text;
    let mut end = RowEnd::new(delimiter);
    while let Some(length) = end.find(rest) {
        count(&rest[..length], delimiter, &mut counts);
        rest = &rest[length + 1..];
        end = RowEnd::new(delimiter);
    }
    if whole || counts.is_empty() {
        count(rest, delimiter, &mut counts);
    }
    let columns = counts.first().copied().unwrap_or(0);
    let rows = counts.len().saturating_sub(1);
    let even = counts.iter().skip(1).filter(|count| **count == columns).count();
    Fit {
        splits_header: columns > 1,
        even: (even * 1000).checked_div(rows).unwrap_or(1000),
        columns,
    }
}

fn count(row: &[u8], delimiter: u8, counts: &mut Vec<usize>) {
    let text = String::from_utf8_lossy(row);
    let text = text.trim_end_matches('\r');
    if !text.is_empty() {
        counts.push(split(text, delimiter, true, 0, &mut Vec::new()).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_and_the_even_rows_decide() {
        assert_eq!(sniff(b"a,b,c\n1,2,3\n", true), b',');
        assert_eq!(sniff(b"a;b;c\n1,5;2,5;3,5\n", true), b';');
        assert_eq!(sniff(b"Weight, kg;b;c\n1,5;2;3\n1,7;2;3\n", true), b';');
        assert_eq!(sniff(b"\"x;y;z;u\",b\n\"1;2\",3\n", true), b',');
        assert_eq!(sniff(b"a\tb\n1\t2", true), b'\t');
        assert_eq!(sniff(b"a|b\r\n1|2\r\n", true), b'|');
        assert_eq!(sniff(b"alone\n1;2\n", true), b',');
        assert_eq!(sniff(b"", true), b',');
    }
}
