//! A record's schema, from the fields of its definition.

use std::sync::Arc;

use dagr_model::classifier::CodeList;
use dagr_model::definition::{Definition, Field, Personal, Type};
use serde_json::{Map, Value, json};

use super::{
    names::{Names, pascal},
    operation::schema_ref,
};

/// Classifiers in force, by name.
pub(super) type Lists<'a> = &'a dyn Fn(&str) -> Option<Arc<CodeList>>;

/// A short list is told whole. What was stored under an earlier version stays, so that any text may still come.
fn coded(list: Option<Arc<CodeList>>) -> Value {
    match list.filter(|list| list.len() == list.first.len()) {
        Some(list) => json!({ "anyOf": [{ "type": "string", "enum": list.first }, { "type": "string" }] }),
        None => json!({ "type": "string" }),
    }
}

/// The record as answers hold it. No member is required: a permission may not show it, and no value is left out.
pub(super) fn record_schema(
    definition: &Definition,
    name: &str,
    lists: Lists<'_>,
    names: &mut Names,
    schemas: &mut Map<String, Value>,
) -> Value {
    let mut schema = object(&definition.fields, name, lists, names, schemas);
    schema["description"] = json!(definition.description);
    schema
}

fn object(
    fields: &[Field],
    name: &str,
    lists: Lists<'_>,
    names: &mut Names,
    schemas: &mut Map<String, Value>,
) -> Value {
    let members: Map<String, Value> = fields
        .iter()
        .map(|field| (field.name.clone(), member(field, name, lists, names, schemas)))
        .collect();
    json!({ "type": "object", "properties": members })
}

fn member(
    field: &Field,
    parent: &str,
    lists: Lists<'_>,
    names: &mut Names,
    schemas: &mut Map<String, Value>,
) -> Value {
    let mut schema = if field.ty == Type::Object {
        let name = names.schema(&format!("{parent}{}", pascal(&field.name)));
        let nested = object(&field.fields, &name, lists, names, schemas);
        schemas.insert(name.clone(), nested);
        schema_ref(&name)
    } else if let Type::Code(list) = &field.ty {
        coded(lists(list))
    } else {
        scalar(&field.ty)
    };
    if field.list {
        schema = json!({ "type": "array", "items": schema });
    }
    describe(&mut schema, field);
    schema
}

fn describe(schema: &mut Value, field: &Field) {
    let mut text = field.comments.clone();
    if let Type::Code(list) = &field.ty {
        add(&mut text, &format!("Classifier: {list}."));
    }
    if let Some(unit) = &field.unit {
        add(&mut text, &format!("Unit: {unit}."));
        schema["x-unit"] = json!(unit);
    }
    if !text.is_empty() {
        schema["description"] = json!(text);
    }
    if let Some(personal) = field.personal {
        schema["x-personal"] = match personal {
            Personal::Subject => json!("subject"),
            Personal::Identifying => json!("identifying"),
            Personal::Sensitive => json!("sensitive"),
        };
    }
}

fn add(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}

fn scalar(ty: &Type) -> Value {
    match ty {
        Type::Text | Type::Code(_) => json!({ "type": "string" }),
        Type::Int => json!({ "type": "integer", "format": "int64" }),
        Type::Decimal => json!({ "type": "number" }),
        Type::Bool => json!({ "type": "boolean" }),
        Type::Date => json!({ "type": "string", "format": "date" }),
        Type::Timestamp => json!({ "type": "string", "format": "date-time" }),
        Type::Uuid => json!({ "type": "string", "format": "uuid" }),
        Type::PersonCode => json!({ "type": "string", "pattern": "^[0-9]{6}-?[0-9]{5}$" }),
        Type::OrgCode => json!({ "type": "string", "pattern": "^[0-9]{11}$" }),
        Type::Point | Type::Geometry => json!({ "type": "object" }),
        Type::Json => json!({}),
        Type::Object => json!({ "type": "object" }),
    }
}

/// The same in a path or a query, where an empty text is no value.
pub(super) fn scalar_in_text(ty: &Type) -> Value {
    match ty {
        Type::Text | Type::Code(_) => json!({ "type": "string", "minLength": 1 }),
        other => scalar(other),
    }
}

/// A full key as an object: every field, nothing else.
pub(super) fn key_schema(definition: &Definition) -> Value {
    let names: Vec<&str> = definition.key.fields().collect();
    let fields = names.iter().filter_map(|name| definition.field(name));
    let members: Map<String, Value> = fields
        .map(|field| {
            let mut schema = scalar_in_text(&field.ty);
            describe(&mut schema, field);
            (field.name.clone(), schema)
        })
        .collect();
    json!({ "type": "object", "additionalProperties": false, "required": names, "properties": members })
}
