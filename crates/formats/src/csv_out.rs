//! Writing CSV: comma, double quotes only where needed (RFC 4180), LF.

/// Appends one row. A cell is UTF-8 text; no value is the empty cell.
pub fn write_row<C: AsRef<[u8]>>(out: &mut Vec<u8>, cells: impl Iterator<Item = C>) {
    let start = out.len();
    let mut count = 0usize;
    for cell in cells {
        if count > 0 {
            out.push(b',');
        }
        write_cell(out, cell.as_ref());
        count += 1;
    }
    // A row of one empty cell would be a blank line, which readers skip.
    if count == 1 && out.len() == start {
        out.extend_from_slice(b"\"\"");
    }
    out.push(b'\n');
}

fn write_cell(out: &mut Vec<u8>, cell: &[u8]) {
    if memchr::memchr3(b',', b'"', b'\n', cell).is_none() && memchr::memchr(b'\r', cell).is_none() {
        out.extend_from_slice(cell);
        return;
    }
    out.push(b'"');
    let mut rest = cell;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        out.extend_from_slice(&rest[..=quote]);
        out.push(b'"');
        rest = &rest[quote + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stand_only_where_needed() {
        let mut out = Vec::new();
        write_row(
            &mut out,
            ["a", "", "b c", "d,e", "f\"g", "h\ni", "j\rk", "'l'"].iter(),
        );
        write_row(&mut out, [""].iter());
        write_row(&mut out, ["", ""].iter());
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "a,,b c,\"d,e\",\"f\"\"g\",\"h\ni\",\"j\rk\",'l'\n\"\"\n,\n"
        );
    }
}
