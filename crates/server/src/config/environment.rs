//! `DAGR_SECTION__KEY` over the file's table, and keys nobody knows.

use toml::{Table, Value};

use super::Config;

/// Puts every `DAGR_…` variable where its name says. `DAGR_SERVER` and the like, without `__`, are the command line's.
pub fn lay_over(
    table: &mut Table,
    environment: impl Iterator<Item = (String, String)>,
    faults: &mut Vec<String>,
) {
    for (name, text) in environment {
        let Some((section, key)) = name.strip_prefix("DAGR_").and_then(|rest| rest.split_once("__")) else {
            continue;
        };
        let (section, key) = (section.to_lowercase(), key.to_lowercase());
        let entry = table
            .entry(section.clone())
            .or_insert_with(|| Value::Table(Table::new()));
        match entry {
            Value::Table(section_table) => {
                section_table.insert(key.clone(), value(&section, &key, text));
            }
            _ => faults.push(format!("{section}: a section was wanted")),
        }
    }
}

/// The variable's text as the type that the default of its key has.
fn value(section: &str, key: &str, text: String) -> Value {
    let known = Table::try_from(Config::default()).unwrap_or_default();
    match known.get(section).and_then(|section| section.get(key)) {
        Some(Value::Integer(_)) => text.parse().map_or(Value::String(text), Value::Integer),
        Some(Value::Boolean(_)) => text.parse().map_or(Value::String(text), Value::Boolean),
        // Words, as many as there are.
        Some(Value::Array(_)) => text
            .split_whitespace()
            .map(|word| Value::String(word.to_owned()))
            .collect::<Vec<_>>()
            .into(),
        _ => Value::String(text),
    }
}

/// Names every unknown section and key, with the nearest known one.
pub fn check_known(table: &Table, faults: &mut Vec<String>) {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap_or_default();
    for (section, content) in table {
        let Some(keys) = keys_of(&schema, section) else {
            faults.push(unknown(section, section, &sections(&schema)));
            continue;
        };
        for key in content
            .as_table()
            .into_iter()
            .flat_map(Table::keys)
            .filter(|key| !keys.contains(key))
        {
            faults.push(unknown(&format!("{section}.{key}"), key, &keys));
        }
    }
}

fn sections(schema: &serde_json::Value) -> Vec<String> {
    schema["properties"]
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys().cloned())
        .collect()
}

fn keys_of(schema: &serde_json::Value, section: &str) -> Option<Vec<String>> {
    let reference = schema["properties"].get(section)?["$ref"]
        .as_str()?
        .strip_prefix("#/$defs/")?;
    Some(
        schema["$defs"][reference]["properties"]
            .as_object()?
            .keys()
            .cloned()
            .collect(),
    )
}

fn unknown(place: &str, word: &str, known: &[String]) -> String {
    let nearest = dagr_model::fault::nearest(word, known.iter().map(String::as_str));
    let hint = nearest.map_or_else(String::new, |nearest| format!(", did you mean {nearest}?"));
    format!("{place}: unknown{hint} Known here: {}", known.join(", "))
}
