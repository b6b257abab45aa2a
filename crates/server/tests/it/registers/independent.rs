//! Canonical records and the digest of a data set, computed again from the files.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

#[derive(Clone, Copy)]
pub enum Kind {
    Text,
    Int,
    Decimal,
}

/// Column in the file, field in the definition, kind; in definition order.
pub type Column = (&'static str, &'static str, Kind);

/// RFC 4180 with commas: rows of cells, the header among them.
pub fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut chars = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    if !row.is_empty() || !cell.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

/// The canonical record of every row, in file order.
pub fn records(text: &str, columns: &[Column]) -> Vec<String> {
    let mut rows = rows(text).into_iter();
    let header = rows.next().unwrap();
    let place = |name: &str| header.iter().position(|column| column == name);
    let places: Vec<_> = columns.iter().map(|(column, ..)| place(column)).collect();
    rows.map(|row| {
        let members = columns
            .iter()
            .zip(&places)
            .filter_map(|(&(_, field, kind), place)| {
                let value = &row[(*place)?];
                (!value.is_empty()).then(|| format!("\"{field}\":{}", json(value, kind)))
            });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    })
    .collect()
}

fn json(value: &str, kind: Kind) -> String {
    match kind {
        Kind::Text => serde_json::to_string(value).unwrap(),
        Kind::Int => value.parse::<i64>().unwrap().to_string(),
        Kind::Decimal => {
            let (sign, digits) = value
                .strip_prefix('-')
                .map_or(("", value), |digits| ("-", digits));
            let (whole, fraction) = digits.split_once([',', '.']).unwrap_or((digits, ""));
            let whole = Some(whole.trim_start_matches('0'))
                .filter(|w| !w.is_empty())
                .unwrap_or("0");
            match fraction.trim_end_matches('0') {
                "" if whole == "0" => "0".to_owned(),
                "" => format!("{sign}{whole}"),
                fraction => format!("{sign}{whole}.{fraction}"),
            }
        }
    }
}

/// The sum of the records' SHA-256 modulo 2^256, in lower-case hex.
pub fn digest<'a>(records: impl Iterator<Item = &'a str>) -> String {
    let mut sum = [0_u8; 32];
    for record in records {
        let mut carry = 0;
        for (total, byte) in sum.iter_mut().zip(Sha256::digest(record)).rev() {
            let added = u16::from(*total) + u16::from(byte) + carry;
            *total = added.to_le_bytes()[0];
            carry = added >> 8;
        }
    }
    let mut hex = String::new();
    for byte in sum {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}
