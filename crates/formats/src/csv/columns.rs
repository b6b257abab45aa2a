//! The header of a CSV and its mapping to fields.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use dagr_model::definition::CsvOptions;
use dagr_model::fault::{Fault, nearest};
use unicode_normalization::UnicodeNormalization;

use crate::Unreadable;

/// Names are repeated in messages up to this many characters.
const SHOWN: usize = 100;

/// Checks the first row: `read` is how many cells it has, `cells` the first `max_columns` of them.
pub(super) fn header(
    read: Result<usize, Fault>,
    cells: &[Cow<'_, str>],
    max_columns: usize,
    ignore: &[String],
) -> Result<Vec<String>, Unreadable> {
    let unreadable = |rule: &str, message: String| Unreadable::package("header", rule, message);
    let count = read.map_err(|fault| {
        unreadable(
            &fault.rule,
            format!("the header cannot be read: {}", fault.message),
        )
    })?;
    if count > max_columns {
        return Err(unreadable(
            "columns",
            format!("the header has {count} columns; the most a package may have is {max_columns}"),
        ));
    }
    if cells
        .iter()
        .any(|name| name.contains('\r') && !name.contains('\n'))
    {
        return Err(unreadable(
            "line_ends",
            "the lines end with CR alone: end them with LF or CR LF".to_owned(),
        ));
    }
    let names: Vec<String> = cells.iter().map(|name| name.nfc().collect()).collect();
    let mut seen = HashSet::new();
    let ignored: HashSet<String> = ignore.iter().map(|name| name.nfc().collect()).collect();
    // Without a name there may be several: spreadsheets end every line with delimiters.
    let repeated: Vec<Fault> = names
        .iter()
        .filter(|name| !name.trim().is_empty())
        .filter(|name| !seen.insert(name.as_str()) && !ignored.contains(*name))
        .map(|name| {
            Fault::new(
                format!("column {}", shown(name)),
                "duplicate_column",
                "the header names this column twice",
            )
        })
        .collect();
    if repeated.is_empty() {
        Ok(names)
    } else {
        Err(Unreadable {
            faults: repeated,
            code: "package_unreadable",
        })
    }
}

/// For each column the place of its field in `known` (leaf paths), or `None` for a column that `csv.ignore` leaves unread.
///
/// Names must match exactly, after `csv.columns` renames them. Errors list every unknown column (`columns_unknown`), or else
/// every field that two columns give (`package_unreadable`).
pub fn map_columns(
    headers: &[String],
    csv: &CsvOptions,
    known: &[&str],
) -> Result<Vec<Option<usize>>, Unreadable> {
    let places: HashMap<&str, usize> = known
        .iter()
        .enumerate()
        .map(|(place, path)| (*path, place))
        .collect();
    let renamed: HashMap<String, &str> = csv
        .columns
        .iter()
        .map(|(name, field)| (name.nfc().collect(), field.as_str()))
        .collect();
    let ignored: HashSet<String> = csv.ignore.iter().map(|name| name.nfc().collect()).collect();
    let mut mapped = Vec::with_capacity(headers.len());
    let mut given = HashMap::new();
    let (mut unknown, mut twice) = (Vec::new(), Vec::new());
    for name in headers {
        if ignored.contains(name) {
            mapped.push(None);
            continue;
        }
        let field = renamed.get(name).copied().unwrap_or(name);
        match places.get(field) {
            None => unknown.push(unknown_column(name, known, &renamed)),
            Some(place) => {
                if let Some(earlier) = given.insert(*place, name) {
                    let message = format!(
                        "columns {} and {} both give the field `{field}`",
                        shown(earlier),
                        shown(name)
                    );
                    twice.push(Fault::new(
                        format!("column {}", shown(name)),
                        "duplicate_column",
                        message,
                    ));
                }
                mapped.push(Some(*place));
            }
        }
    }
    if !unknown.is_empty() {
        return Err(Unreadable {
            faults: unknown,
            code: "columns_unknown",
        });
    }
    if twice.is_empty() {
        Ok(mapped)
    } else {
        Err(Unreadable {
            faults: twice,
            code: "package_unreadable",
        })
    }
}

fn unknown_column(name: &str, known: &[&str], renamed: &HashMap<String, &str>) -> Fault {
    let shortened: String = name.chars().take(SHOWN).collect();
    let guess = nearest(
        &shortened,
        known.iter().copied().chain(renamed.keys().map(String::as_str)),
    );
    let advice = match guess {
        Some(word) => format!("did you mean `{word}`?"),
        None => {
            "name it like a field, or list it under csv.columns or csv.ignore of the definition".to_owned()
        }
    };
    Fault::new(
        format!("column {}", shown(name)),
        "column_unknown",
        format!("no field is called {}: {advice}", shown(name)),
    )
}

fn shown(name: &str) -> String {
    let shortened: String = name.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    format!("`{shortened}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn columns_are_renamed_ignored_and_matched_exactly() {
        let csv = CsvOptions {
            columns: [("Max startvikt (kg)".to_owned(), "MaxWeight".to_owned())].into(),
            ignore: names(&["", "note"]),
            ..CsvOptions::default()
        };
        let known = ["Code", "MaxWeight", "Place.Street"];
        let mapped = map_columns(
            &names(&["", "Max startvikt (kg)", "Place.Street", "note", "Code"]),
            &csv,
            &known,
        )
        .unwrap();
        assert_eq!(mapped, [None, Some(1), Some(2), None, Some(0)]);
    }

    #[test]
    fn every_unknown_column_is_listed_with_the_nearest_name() {
        let error = map_columns(
            &names(&["code", "Name", "zzzzzz"]),
            &CsvOptions::default(),
            &["Code", "Name"],
        )
        .unwrap_err();
        assert_eq!(error.code, "columns_unknown");
        assert_eq!(error.faults.len(), 2);
        assert!(error.faults[0].message.contains("did you mean `Code`?"));
        assert!(error.faults[1].message.contains("csv.ignore"));
    }

    #[test]
    fn two_columns_for_one_field_are_refused() {
        let csv = CsvOptions {
            columns: [("C".to_owned(), "Code".to_owned())].into(),
            ..CsvOptions::default()
        };
        let error = map_columns(&names(&["Code", "C"]), &csv, &["Code"]).unwrap_err();
        assert_eq!(
            (error.code, error.faults[0].rule.as_str()),
            ("package_unreadable", "duplicate_column")
        );
    }
}
