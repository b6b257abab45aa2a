//! One line of an export, and everything that is wrong with it. What is unknown is refused. No message repeats a value.

use dagr_model::{application::Application, permission::Permission, schema::LeafIds};
use serde_json::{Map, Value as Json};

use crate::{
    FORMAT, VERSION,
    db::Value,
    table::{self, Column, Kind, Table},
};

pub(super) enum Line<'a> {
    /// With what is wrong with it.
    Head(Option<String>),
    Row(&'static Table, Vec<Value<'a>>),
    End(u64),
    Faulty(Vec<String>),
}

pub(super) fn parse(number: u64, text: &[u8]) -> Line<'static> {
    let object = match serde_json::from_slice::<Json>(text) {
        Ok(Json::Object(object)) => object,
        Ok(_) => return Line::Faulty(vec!["not an object".to_owned()]),
        Err(error) => return Line::Faulty(vec![format!("no JSON at column {}", error.column())]),
    };
    if number == 1 || object.contains_key("format") {
        return Line::Head(head(&object));
    }
    let mut members = object.into_iter();
    match (members.next(), members.next()) {
        (Some((name, content)), None) if name == "end" => end(&content),
        (Some((name, Json::Object(row))), None) => match table::all().iter().find(|table| table.name == name)
        {
            Some(table) => values(table, row),
            None => Line::Faulty(vec![format!("{name}: no such table")]),
        },
        _ => Line::Faulty(vec!["not one table with one row".to_owned()]),
    }
}

fn head(object: &Map<String, Json>) -> Option<String> {
    if object.get("format").and_then(Json::as_str) != Some(FORMAT) {
        return Some("no head: this is no export of a registry".to_owned());
    }
    if object.get("version").and_then(Json::as_u64) != Some(u64::from(VERSION)) {
        return Some(format!("version: this release reads {VERSION}"));
    }
    (object.len() > 2).then(|| "the head has a member that is not known".to_owned())
}

fn end(content: &Json) -> Line<'static> {
    match content.get("rows").and_then(Json::as_u64) {
        Some(rows) => Line::End(rows),
        None => Line::Faulty(vec!["end: `rows` is missing".to_owned()]),
    }
}

fn values(table: &'static Table, mut row: Map<String, Json>) -> Line<'static> {
    let mut faults = Vec::new();
    let mut values = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        match value(table, column, row.remove(column.name)) {
            Ok(value) => values.push(value),
            Err(why) => faults.push(format!("{}.{}: {why}", table.name, column.name)),
        }
    }
    for name in row.keys() {
        faults.push(format!("{}.{name}: no such column", table.name));
    }
    if faults.is_empty() {
        Line::Row(table, values)
    } else {
        Line::Faulty(faults)
    }
}

fn value(table: &Table, column: &Column, given: Option<Json>) -> Result<Value<'static>, &'static str> {
    match (column.kind, given) {
        (_, None) if !column.nullable => Err("is missing"),
        (Kind::Number, None) => Ok(Value::Number(None)),
        (_, None) => Ok(Value::Text(None)),
        (Kind::Number, Some(Json::Number(number))) => number
            .as_i64()
            .map(Value::from)
            .ok_or("is not a whole number of 64 bits"),
        (Kind::Number, Some(_)) => Err("is not a number"),
        (Kind::Text, Some(Json::String(text))) if text.contains('\0') => Err("holds the character NUL"),
        (Kind::Text, Some(Json::String(text))) => Ok(text.into()),
        (Kind::Text, Some(_)) => Err("is not a text"),
        (Kind::Json, Some(json)) if !is_readable(table.name, column.name, &json) => {
            Err("cannot be read as what stands there")
        }
        (Kind::Json, Some(json)) => Ok(json.to_string().into()),
    }
}

/// What the program reads at start or to decide by must be readable.
fn is_readable(table: &str, column: &str, json: &Json) -> bool {
    fn reads<T: serde::de::DeserializeOwned>(json: &Json) -> bool {
        serde_json::from_value::<T>(json.clone()).is_ok()
    }
    match (table, column) {
        ("permissions" | "permission_revisions", "body") => reads::<Permission>(json),
        ("applications", "body") | ("application_events", "after_json") => reads::<Application>(json),
        ("definitions", "leaf_ids_json") => reads::<LeafIds>(json),
        _ => true,
    }
}
