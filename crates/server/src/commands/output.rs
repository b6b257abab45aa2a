//! What a command prints: JSON as the server gave it, or short lines for a person.

use serde_json::Value;

#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    pub fn is_json(self) -> bool {
        self.json
    }

    /// One line for a person, the value with `--json`.
    pub fn line(self, value: &Value, line: &str) {
        if self.json {
            print(value);
        } else {
            println!("{line}");
        }
    }

    /// An object, member by member.
    pub fn object(self, value: &Value) {
        match value.as_object() {
            Some(members) if !self.json => {
                let width = members.keys().map(|name| name.chars().count()).max().unwrap_or(0);
                for (name, member) in members {
                    println!("{name:width$}  {}", cell(member));
                }
            }
            _ => print(value),
        }
    }

    /// A list, one object a line, with the named columns (dotted paths).
    pub fn table(self, list: &Value, columns: &[&str]) {
        if self.json {
            return print(list);
        }
        let rows: Vec<Vec<String>> = rows(list)
            .iter()
            .map(|row| columns.iter().map(|column| cell(member(row, column))).collect())
            .collect();
        if rows.is_empty() {
            println!("none");
            return;
        }
        let head: Vec<String> = columns.iter().map(|column| column.to_uppercase()).collect();
        let widths: Vec<usize> = (0..columns.len())
            .map(|at| {
                rows.iter()
                    .chain([&head])
                    .map(|row| row[at].chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for row in std::iter::once(&head).chain(&rows) {
            let padded = row
                .iter()
                .zip(&widths)
                .map(|(text, width)| format!("{text:width$}"));
            println!("{}", padded.collect::<Vec<_>>().join("  ").trim_end());
        }
        if let Some(next) = list.get("next").and_then(Value::as_str) {
            println!("more: --after {next}");
        }
    }
}

fn print(value: &Value) {
    println!("{}", serde_json::to_string_pretty(value).unwrap_or_default());
}

/// The objects of a list: a bare array, or the one member that is an array.
pub fn rows(list: &Value) -> &[Value] {
    let array = list
        .as_array()
        .or_else(|| list.as_object()?.values().find_map(Value::as_array));
    array.map_or(&[], Vec::as_slice)
}

pub fn rows_mut(list: &mut Value) -> Option<&mut Vec<Value>> {
    match list {
        Value::Array(rows) => Some(rows),
        Value::Object(members) => members.values_mut().find_map(Value::as_array_mut),
        _ => None,
    }
}

fn member<'a>(row: &'a Value, path: &str) -> &'a Value {
    path.split('.')
        .fold(row, |value, name| value.get(name).unwrap_or(&Value::Null))
}

/// A value in one cell: texts bare, lists of texts with commas, the rest as JSON.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.replace(['\n', '\r', '\t'], " "),
        Value::Array(items) if items.iter().all(|item| item.is_string() || item.is_number()) => {
            items.iter().map(cell).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_found_in_either_shape() {
        assert_eq!(rows(&json!([1, 2])).len(), 2);
        assert_eq!(rows(&json!({"packages": [1], "next": null})).len(), 1);
        assert!(rows(&json!({"a": 1})).is_empty());
    }

    #[test]
    fn cells_are_one_line() {
        assert_eq!(cell(&json!("a\nb")), "a b");
        assert_eq!(cell(&json!(["a", "b"])), "a,b");
        assert_eq!(cell(member(&json!({"a": {"b": 1}}), "a.b")), "1");
        assert_eq!(cell(member(&json!({}), "a.b")), "-");
    }
}
