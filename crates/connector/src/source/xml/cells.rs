//! An element → the cells of a row.
//!
//! A child element is a column by its name, one inside another by their names joined with a dot, an attribute by
//! `@name`. Where the column's field is a list, the elements of that name are its items, each read by the item's fields.

use std::collections::HashMap;

use dagr_model::{
    definition::Type,
    schema::{NodeId, Schema},
};
use serde_json::{Map, Number, Value};

use super::Element;
use crate::{
    collect::{Cell, Given, Wrong},
    error::Result,
};

/// One record.
pub fn give(element: &Element, number: u64, given: &mut Given<'_, '_>) -> Result<()> {
    let mut row = Row {
        cells: Vec::new(),
        wrong: Vec::new(),
    };
    row.element(element, "", given);
    given.row(number, row.cells, row.wrong)
}

struct Row {
    cells: Vec<Cell>,
    wrong: Vec<Wrong>,
}

impl Row {
    fn element(&mut self, element: &Element, prefix: &str, given: &mut Given<'_, '_>) {
        if element.nil {
            return;
        }
        for (name, value) in &element.attributes {
            self.cells
                .push((joined(prefix, &format!("@{name}")), value.clone()));
        }
        if !element.text.is_empty() {
            let column = if prefix.is_empty() { "text()" } else { prefix };
            self.cells.push((column.to_owned(), element.text.clone()));
        }
        for (name, same) in by_name(element) {
            self.column(joined(prefix, name), &same, given);
        }
    }

    fn column(&mut self, column: String, same: &[&Element], given: &mut Given<'_, '_>) {
        let field = given.field_of(&column);
        let schema = given.schema();
        match field {
            _ if given.is_looked_at_as_list(&column) => {
                let items = same.iter().map(|item| as_it_looks(value(item, None, &schema)));
                self.cells
                    .push((column, Value::Array(items.collect()).to_string()));
            }
            Some(node) if schema.nodes[node].list => {
                let items: Vec<Value> = same.iter().map(|item| value(item, Some(node), &schema)).collect();
                self.cells.push((column, Value::Array(items).to_string()));
            }
            Some(node) if schema.nodes[node].ty == Type::Json => {
                let value = match same {
                    [one] => value(one, None, &schema),
                    many => many.iter().map(|item| value(item, None, &schema)).collect(),
                };
                self.cells.push((column, value.to_string()));
            }
            _ => match same {
                [one] => self.element(one, &column, given),
                many => {
                    let message = format!(
                        "{} elements of this name, and the field is no list: {}",
                        many.len(),
                        "make it one in the definition, or say in [map] which list takes the column"
                    );
                    self.wrong.push(Wrong {
                        column,
                        rule: "repeated",
                        message,
                    });
                }
            },
        }
    }
}

/// Numbers and truth where a text says nothing else: what nobody has given a type yet.
fn as_it_looks(value: Value) -> Value {
    match value {
        Value::String(text) if matches!(text.as_str(), "true" | "false") => Value::Bool(text == "true"),
        Value::String(text) => match text.parse::<Number>() {
            Ok(number) if number.to_string() == text => Value::Number(number),
            _ => Value::String(text),
        },
        Value::Array(items) => items.into_iter().map(as_it_looks).collect(),
        Value::Object(members) => {
            // An attribute fills the field of its own name, if no child does.
            let called = |name: &str| match name.strip_prefix('@') {
                Some(own) if !members.contains_key(own) => own.to_owned(),
                _ => name.to_owned(),
            };
            let named: Vec<String> = members.keys().map(|name| called(name)).collect();
            let values = members.into_values().map(as_it_looks);
            Value::Object(named.into_iter().zip(values).collect())
        }
        other => other,
    }
}

fn joined(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}.{name}")
    }
}

/// Children by name, in the order each name first comes.
fn by_name(element: &Element) -> Vec<(&str, Vec<&Element>)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<(&str, Vec<&Element>)> = Vec::new();
    for child in &element.children {
        let at = *places.entry(&child.name).or_insert_with(|| {
            groups.push((&child.name, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push(child);
    }
    groups
}

/// An element inside a list, as the JSON that its field wants. Without a field it is what it looks like: text, or an
/// object of texts.
fn value(element: &Element, field: Option<NodeId>, schema: &Schema) -> Value {
    let plain = element.children.is_empty()
        && match field {
            Some(node) => !schema.nodes[node].is_object(),
            None => element.attributes.is_empty(),
        };
    if element.is_empty() {
        return Value::Null;
    }
    if plain {
        return scalar(&element.text, field.map(|node| &schema.nodes[node].ty));
    }
    let mut members = Map::new();
    for (name, value) in &element.attributes {
        // An attribute and a child may have the same name: the child is what its field is called after.
        let node = field
            .and_then(|node| member(schema, node, name))
            .filter(|node| element.child(&schema.nodes[*node].name).is_none());
        match node {
            Some(node) => {
                let value = scalar(value, Some(&schema.nodes[node].ty));
                insert(&mut members, &schema.nodes[node].name, value);
            }
            None => {
                members.insert(format!("@{name}"), Value::String(value.clone()));
            }
        }
    }
    if !element.text.is_empty() {
        members.insert("text()".to_owned(), Value::String(element.text.clone()));
    }
    for (name, same) in by_name(element) {
        let node = field.and_then(|node| member(schema, node, name));
        let list = node.is_some_and(|node| schema.nodes[node].list) || same.len() > 1;
        let value = if list {
            same.iter().map(|item| value(item, node, schema)).collect()
        } else {
            same.first()
                .map(|item| value(item, node, schema))
                .unwrap_or_default()
        };
        let own = node.map_or(name, |node| schema.nodes[node].name.as_str());
        insert(&mut members, own, value);
    }
    Value::Object(members)
}

/// One field is not two elements: the second stands under a name that no field has, and is refused.
fn insert(members: &mut Map<String, Value>, name: &str, value: Value) {
    let mut name = name.to_owned();
    while members.contains_key(&name) {
        name.push_str(" again");
    }
    members.insert(name, value);
}

/// The field of a list's element by name; one that differs in case only will do.
fn member(schema: &Schema, parent: NodeId, name: &str) -> Option<NodeId> {
    let named = |same: &dyn Fn(&str) -> bool| {
        let mut found = schema.nodes[parent]
            .children
            .iter()
            .filter(|child| same(&schema.nodes[**child].name));
        match (found.next(), found.next()) {
            (Some(child), None) => Some(*child),
            _ => None,
        }
    };
    let lower = name.to_lowercase();
    named(&|own| own == name).or_else(|| named(&|own| own.to_lowercase() == lower))
}

/// Numbers and truth as JSON has them; what is neither stays text, and is refused by its field.
fn scalar(text: &str, ty: Option<&Type>) -> Value {
    let string = || Value::String(text.to_owned());
    if text.is_empty() {
        return Value::Null;
    }
    match ty {
        Some(Type::Int | Type::Decimal) => text.parse::<Number>().ok().map_or_else(string, Value::Number),
        Some(Type::Bool) => match text {
            "true" | "1" => Value::Bool(true),
            "false" | "0" => Value::Bool(false),
            _ => string(),
        },
        Some(Type::Json | Type::Point | Type::Geometry) => {
            serde_json::from_str(text).unwrap_or_else(|_| string())
        }
        _ => string(),
    }
}
