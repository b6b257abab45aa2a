//! Lists inside a record, from a query of their own: a subquery that gives JSON.

use dagr_model::{
    definition::Type,
    fault::{Fault, nearest},
    schema::{NodeId, Schema},
};

use crate::{
    error::{Error, Result},
    feed::{Engine, ListQuery, quoted},
};

/// A column of a list's query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListColumn {
    pub name: String,
    pub form: Form,
}

impl ListColumn {
    pub fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            form: Form::Plain,
        }
    }
}

/// What the engine would not write as records do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Plain,
    /// Given as Base64, as outside a list.
    Bytes,
    /// A moment whose text does not say that it is UTC.
    Utc,
    /// A number that is given as bytes.
    Bits,
    /// An amount written with its currency.
    Money,
}

/// How an engine says it.
struct Dialect {
    engine: Engine,
}

/// One more column of the feed's query: the list as JSON text. `columns` are those of the list's query.
pub fn column(engine: Engine, list: &ListQuery, columns: &[ListColumn], schema: &Schema) -> Result<String> {
    let dialect = Dialect { engine };
    let faults = |fault: Fault| Error::Faults {
        what: "the source and the feed do not fit together".to_owned(),
        faults: vec![fault],
    };
    let place = format!("source.lists {}", list.field);
    let node = schema
        .node(&list.field)
        .filter(|node| schema.nodes[*node].list)
        .ok_or_else(|| {
            faults(Fault::new(
                &place,
                "field_unknown",
                "the definition has no list of this name",
            ))
        })?;
    let element = dialect
        .element(list, columns, schema, node)
        .map_err(|message| faults(Fault::new(&place, "columns_unknown", message)))?;
    let matching: Vec<String> = list
        .matching
        .iter()
        .map(|(own, outer)| format!("c.{} = q.{}", quoted(engine, own), quoted(engine, outer)))
        .collect();
    let order: Vec<String> = list
        .order
        .iter()
        .map(|name| format!("c.{}", quoted(engine, name)))
        .collect();
    let sorted = if order.is_empty() {
        String::new()
    } else {
        format!(" ORDER BY {}", order.join(", "))
    };
    let aggregate = match engine {
        Engine::Postgres => format!("json_agg({element}{sorted})"),
        // MySQL's JSON_ARRAYAGG has no order. What is longer than the server lets a text be is null there, which is no empty list: it
        // is refused.
        Engine::MariaDb => format!(
            "CASE WHEN COUNT(*) > 0 THEN COALESCE(CONCAT('[', GROUP_CONCAT({element}{sorted} SEPARATOR ','), ']'), '[') END"
        ),
        // SQLite has no order inside the aggregate before 3.44: the rows come in order.
        Engine::Sqlite => format!("json_group_array({element})"),
    };
    let from = match engine {
        Engine::Sqlite if !order.is_empty() => format!("(SELECT * FROM ({}) c{sorted}) c", list.query),
        _ => format!("({}) c", list.query),
    };
    Ok(format!(
        "(SELECT {aggregate} FROM {from} WHERE {}) AS {}",
        matching.join(" AND "),
        quoted(engine, &list.field)
    ))
}

impl Dialect {
    fn element(
        &self,
        list: &ListQuery,
        columns: &[ListColumn],
        schema: &Schema,
        node: NodeId,
    ) -> std::result::Result<String, String> {
        let spec = &schema.nodes[node];
        let wanted = || {
            columns.iter().filter(|column| {
                !list.matching.contains_key(&column.name) && !list.order.contains(&column.name)
            })
        };
        if !spec.is_object() {
            let mut own = wanted();
            return match (own.next(), own.next()) {
                (Some(column), None) => Ok(match (self.engine, self.value(&spec.ty, column)) {
                    // As JSON, which is put together as text.
                    (Engine::MariaDb, value) => format!("JSON_EXTRACT(JSON_ARRAY({value}), '$[0]')"),
                    (_, value) => value,
                }),
                _ => {
                    Err("a list of plain values takes one column besides those of match and order".to_owned())
                }
            };
        }
        let mut members = Vec::new();
        let mut unknown = Vec::new();
        for column in columns {
            let lower = column.name.to_lowercase();
            let child = spec
                .children
                .iter()
                .find(|child| schema.nodes[**child].name.to_lowercase() == lower);
            match child {
                Some(child) => {
                    let child = &schema.nodes[*child];
                    members.push(format!("'{}', {}", child.name, self.value(&child.ty, column)));
                }
                None if list.matching.contains_key(&column.name) || list.order.contains(&column.name) => {}
                None => {
                    let near = nearest(
                        &column.name,
                        spec.children
                            .iter()
                            .map(|child| schema.nodes[*child].name.as_str()),
                    );
                    unknown.push(match near {
                        Some(near) => format!("{} (did you mean {near}?)", column.name),
                        None => column.name.clone(),
                    });
                }
            }
        }
        if !unknown.is_empty() {
            return Err(format!(
                "no field of the list takes {}: leave them out of the query",
                unknown.join(", ")
            ));
        }
        let function = match self.engine {
            Engine::Postgres => "json_build_object",
            Engine::MariaDb => "JSON_OBJECT",
            Engine::Sqlite => "json_object",
        };
        Ok(format!("{function}({})", members.join(", ")))
    }

    /// A column as the JSON that the field's type wants: numbers stay numbers, the rest is text.
    fn value(&self, ty: &Type, column: &ListColumn) -> String {
        let form = column.form;
        let column = format!("c.{}", quoted(self.engine, &column.name));
        let column = match (self.engine, form) {
            (_, Form::Plain) | (Engine::Sqlite, _) => column,
            (Engine::Postgres, Form::Bytes) => {
                return format!("translate(encode({column}, 'base64'), E'\\n', '')");
            }
            (Engine::MariaDb, Form::Bytes) => return format!("REPLACE(TO_BASE64({column}), '\n', '')"),
            (Engine::Postgres, Form::Money) => format!("{column}::numeric"),
            (Engine::MariaDb, Form::Utc) if *ty == Type::Timestamp => {
                return format!("CONCAT(CAST({column} AS CHAR), 'Z')");
            }
            (Engine::MariaDb, Form::Bits) => format!("{column} + 0"),
            (Engine::Postgres, Form::Utc | Form::Bits) | (Engine::MariaDb, Form::Utc | Form::Money) => column,
        };
        match (self.engine, ty) {
            (
                Engine::Postgres,
                Type::Int
                | Type::Decimal
                | Type::Bool
                | Type::Date
                | Type::Timestamp
                | Type::Json
                | Type::Point
                | Type::Geometry,
            ) => column,
            (Engine::Postgres, _) => format!("{column}::text"),
            (_, Type::Int) => column,
            (Engine::MariaDb, Type::Bool) => format!(
                "CASE WHEN {column} IS NULL THEN NULL WHEN {column} THEN JSON_EXTRACT('true', '$') ELSE JSON_EXTRACT('false', '$') END"
            ),
            (Engine::Sqlite, Type::Bool) => format!(
                "CASE WHEN {column} IS NULL THEN NULL WHEN {column} THEN json('true') ELSE json('false') END"
            ),
            (Engine::MariaDb, Type::Decimal) => column,
            (Engine::MariaDb, Type::Json | Type::Point | Type::Geometry) => {
                format!("JSON_EXTRACT({column}, '$')")
            }
            (Engine::Sqlite, Type::Json | Type::Point | Type::Geometry) => format!("json({column})"),
            (Engine::MariaDb, _) => format!("CAST({column} AS CHAR)"),
            (Engine::Sqlite, Type::Decimal) => column,
            (Engine::Sqlite, _) => format!("CAST({column} AS TEXT)"),
        }
    }
}
