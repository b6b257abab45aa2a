//! The codes of a version as CSV: `code;name;name_en;parent;valid_from;valid_to`, in any order of columns.

use dagr_formats::{Decoder, Limits, MediaType, Row, Sink, Unreadable, csv_out, map_columns};
use dagr_model::{
    classifier::{ClassifierValue, MAX_FAULTS, MAX_VALUES},
    definition::CsvOptions,
    fault::Fault,
    value,
};
use jiff::civil::Date;

const COLUMNS: [&str; 6] = ["code", "name", "name_en", "parent", "valid_from", "valid_to"];

/// Codes, and the line each stands in.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CsvRead {
    pub values: Vec<ClassifierValue>,
    pub lines: Vec<u64>,
}

impl CsvRead {
    /// A fault of `values[N]…` told by its line.
    pub fn placed(&self, fault: Fault) -> Fault {
        let at = fault.place.strip_prefix("values[");
        let at = at.and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
        match at.and_then(|at| self.lines.get(at)) {
            Some(line) => Fault {
                place: format!("line {line}"),
                ..fault
            },
            None => fault,
        }
    }
}

/// The first line names the columns; `code` and `name` must be among them.
///
/// # Errors
/// Every line that cannot be read.
pub fn read(text: &str) -> Result<CsvRead, Vec<Fault>> {
    let csv = CsvOptions::default();
    let mut rows = Rows::default();
    let read =
        Decoder::new(MediaType::Csv, Some("utf-8"), &csv, Limits::default()).and_then(|mut decoder| {
            decoder.feed(text.as_bytes(), &mut rows)?;
            decoder.finish(&mut rows)
        });
    if let Err(unreadable) = read {
        return Err(unreadable.faults);
    }
    if rows.faults.is_empty() {
        Ok(rows.read)
    } else {
        Err(rows.faults)
    }
}

/// What `read` reads back.
pub fn write(values: &[ClassifierValue]) -> String {
    let mut out = Vec::new();
    csv_out::write_row(&mut out, COLUMNS.iter());
    for value in values {
        let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let cells = [
            value.code.clone(),
            value.name.clone(),
            optional(&value.name_en),
            optional(&value.parent),
            day(value.valid_from),
            day(value.valid_to),
        ];
        csv_out::write_row(&mut out, cells.iter());
    }
    String::from_utf8(out).unwrap_or_default()
}

#[derive(Default)]
struct Rows {
    /// By column, which of `COLUMNS` it is.
    columns: Vec<usize>,
    read: CsvRead,
    faults: Vec<Fault>,
}

impl Rows {
    fn fault(&mut self, line: u64, rule: &str, message: &str) {
        if self.faults.len() < MAX_FAULTS {
            self.faults
                .push(Fault::new(format!("line {line}"), rule, message));
        }
    }

    fn day(&mut self, line: u64, column: &str, text: &str) -> Option<Date> {
        if text.is_empty() {
            return None;
        }
        let read = value::date(text);
        if let Err(refusal) = &read {
            self.fault(line, refusal.rule, &format!("{column}: {}", refusal.message));
        }
        read.ok()
    }
}

impl Sink for Rows {
    fn columns(&mut self, headers: &[String]) -> Result<(), Unreadable> {
        let headers: Vec<String> = headers.iter().map(|name| name.trim().to_lowercase()).collect();
        let places = map_columns(&headers, &CsvOptions::default(), &COLUMNS)?;
        self.columns = places
            .into_iter()
            .map(|place| place.unwrap_or(COLUMNS.len()))
            .collect();
        for (at, name) in COLUMNS.iter().enumerate().take(2) {
            if !self.columns.contains(&at) {
                let message = format!(
                    "the first line must name the column `{name}`: {}",
                    COLUMNS.join(";")
                );
                return Err(Unreadable::package("line 1", "required", message));
            }
        }
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) -> Result<(), Unreadable> {
        let (line, cells) = match row {
            Row::Cells { line, cells } => (line, cells),
            Row::Bad { line, fault } => {
                self.fault(line, &fault.rule, &fault.message);
                return Ok(());
            }
            Row::Upsert { .. } | Row::Delete { .. } | Row::Erase { .. } => return Ok(()),
        };
        if self.read.values.len() == MAX_VALUES {
            let message = format!("a version has at most {MAX_VALUES} codes");
            return Err(Unreadable::package(format!("line {line}"), "count", message));
        }
        let mut texts: [&str; COLUMNS.len()] = [""; COLUMNS.len()];
        for (column, cell) in self.columns.iter().zip(cells) {
            if let Some(text) = texts.get_mut(*column) {
                *text = cell.trim();
            }
        }
        let [code, name, name_en, parent, from, to] = texts;
        let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let value = ClassifierValue {
            code: code.to_owned(),
            name: name.to_owned(),
            name_en: optional(name_en),
            parent: optional(parent),
            valid_from: self.day(line, "valid_from", from),
            valid_to: self.day(line, "valid_to", to),
        };
        self.read.values.push(value);
        self.read.lines.push(line);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn columns_stand_in_any_order_and_dates_may_be_missing() {
        let read = read("name;Code;valid_to\n\"A; b\";X;2025-12-31\nC;Y;\n").unwrap();
        assert_eq!(read.lines, [2, 3]);
        let first = &read.values[0];
        assert_eq!((first.code.as_str(), first.name.as_str()), ("X", "A; b"));
        assert_eq!(first.valid_to, Some(jiff::civil::date(2025, 12, 31)));
        assert_eq!(read.values[1].valid_to, None);
        let fault = Fault::new("values[1].parent", "unknown", "m");
        assert_eq!(read.placed(fault).place, "line 3");
    }

    #[test]
    fn every_line_that_cannot_be_read_is_told() {
        let faults = read("code;name;valid_from\nA;a;31.12.2025\nB;b\nC;c;2025-02-30\n").unwrap_err();
        let places: Vec<_> = faults.iter().map(|fault| fault.place.as_str()).collect();
        assert_eq!(places, ["line 2", "line 3", "line 4"]);
        for (text, place) in [("code;title\nA;a\n", "column `title`"), ("code\nA\n", "line 1")] {
            assert_eq!(read(text).unwrap_err()[0].place, place, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            rows in proptest::collection::vec(("[a-z,;\"]{1,4}", "[A-ž ,;\"]{0,6}x", proptest::option::of("[a-z]{1,3}"), any::<bool>()), 1..20)
        ) {
            let values: Vec<ClassifierValue> = rows.into_iter().map(|(code, name, parent, ends)| ClassifierValue {
                code,
                name: name.trim().to_owned(),
                name_en: None,
                parent,
                valid_from: None,
                valid_to: ends.then(|| jiff::civil::date(2024, 2, 29)),
            }).collect();
            prop_assert_eq!(read(&write(&values)).unwrap().values, values);
        }
    }
}
