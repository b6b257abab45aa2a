//! A record as rows of its tables, and back.

use dagr_model::schema::Schema;
use serde_json::{Map, Value};

use super::plan::{Column, Kind, Table};

/// A row: key, positions, and the columns' texts (`None` = no value).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub key: Vec<u8>,
    pub positions: Vec<i64>,
    pub cells: Vec<Option<String>>,
}

/// Gives the rows of a record to `out`, with the table's place in [`Table::all`].
pub fn of_record(table: &Table, key: &[u8], record: &Value, out: &mut dyn FnMut(usize, Row)) {
    let mut at = 0;
    element(table, &mut at, key, &[], &[record], out);
}

/// The rows of the elements of one list, and of the lists below.
fn element(
    table: &Table,
    at: &mut usize,
    key: &[u8],
    above: &[i64],
    elements: &[&Value],
    out: &mut dyn FnMut(usize, Row),
) {
    let own = *at;
    for (n, value) in elements.iter().enumerate() {
        let positions = if table.depth == 0 {
            Vec::new()
        } else {
            [above, &[n as i64 + 1]].concat()
        };
        let cells = table
            .columns
            .iter()
            .map(|column| text(find(value, &column.path)))
            .collect();
        out(
            own,
            Row {
                key: key.to_vec(),
                positions,
                cells,
            },
        );
    }
    *at += 1;
    for list in &table.lists {
        let first = *at;
        for (n, value) in elements.iter().enumerate() {
            let positions = if table.depth == 0 {
                Vec::new()
            } else {
                [above, &[n as i64 + 1]].concat()
            };
            let below: Vec<&Value> = find(value, &list.path)
                .and_then(Value::as_array)
                .map(|items| items.iter().collect())
                .unwrap_or_default();
            *at = first;
            element(list, at, key, &positions, &below, out);
        }
        if elements.is_empty() {
            *at = first + list.all().len();
        }
    }
}

fn find<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| value.get(name))
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The rows of one record by table, in the order of [`Table::all`], as a record again. `None` = they are none.
pub fn to_record(table: &Table, rows: &[Vec<Row>], schema: &Schema) -> Option<Vec<u8>> {
    let main = rows.first()?.first()?;
    let mut at = 0;
    let value = object(table, &mut at, rows, main)?;
    schema
        .read_json(value.to_string().as_bytes())
        .ok()
        .map(|record| record.json)
}

fn object(table: &Table, at: &mut usize, rows: &[Vec<Row>], row: &Row) -> Option<Value> {
    let mut value = Value::Object(Map::new());
    for (column, cell) in table.columns.iter().zip(&row.cells) {
        let Some(cell) = cell else { continue };
        let cell = typed(column, cell)?;
        if column.path.is_empty() {
            value = cell;
        } else {
            put(&mut value, &column.path, cell);
        }
    }
    *at += 1;
    for list in &table.lists {
        let first = *at;
        let mut items = Vec::new();
        for below in rows
            .get(first)?
            .iter()
            .filter(|below| below.positions.starts_with(&row.positions))
        {
            *at = first;
            items.push(object(list, at, rows, below)?);
        }
        *at = first + list.all().len();
        if !items.is_empty() {
            put(&mut value, &list.path, Value::Array(items));
        }
    }
    Some(value)
}

fn put(value: &mut Value, path: &[String], cell: Value) {
    let Some((last, above)) = path.split_last() else {
        return;
    };
    let mut inner = value;
    for name in above {
        let Some(members) = inner.as_object_mut() else {
            return;
        };
        inner = members
            .entry(name.clone())
            .or_insert_with(|| Value::Object(Map::new()));
    }
    if let Some(members) = inner.as_object_mut() {
        members.insert(last.clone(), cell);
    }
}

/// A text of the database as the definition's JSON.
fn typed(column: &Column, cell: &str) -> Option<Value> {
    Some(match column.kind {
        Kind::Int | Kind::Decimal => Value::Number(cell.parse().ok()?),
        Kind::Bool => Value::Bool(matches!(cell, "true" | "1" | "t")),
        Kind::Json => serde_json::from_str(cell).ok()?,
        Kind::Text | Kind::Date | Kind::Timestamp | Kind::Uuid => Value::String(cell.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn schema() -> Schema {
        let text = "name: x_people\nkey: Code\ndata_description: d\nfields:\n  - Code : c\n  - Age int : a\n  - Home :\n      comments: h\n      fields:\n        - Street : s\n        - Rooms decimal : r\n  - Tags * : t\n  - Pets * :\n      comments: p\n      fields:\n        - Name : n\n        - Good bool : g\n        - Toys * :\n            comments: t\n            fields:\n              - What : w\n              - Bits json : b\n";
        Schema::compile(Arc::new(text.parse().unwrap()), None)
    }

    fn there_and_back(schema: &Schema, record: &Value) -> Vec<u8> {
        let table = Table::of(&schema.definition, "");
        let mut rows = vec![Vec::new(); table.all().len()];
        of_record(&table, b"k", record, &mut |at, row| rows[at].push(row));
        to_record(&table, &rows, schema).unwrap()
    }

    #[test]
    fn lists_in_lists_have_tables_of_their_own() {
        let schema = schema();
        let table = Table::of(&schema.definition, "");
        let names: Vec<&str> = table.all().iter().map(|table| table.name.as_str()).collect();
        assert_eq!(
            names,
            ["x_people", "x_people_tags", "x_people_pets", "x_people_pets_toys"]
        );
        assert_eq!(table.all()[3].positions(), ["_n", "_n2"]);
    }

    fn pet() -> impl Strategy<Value = Value> {
        let toy = ("[a-zā]{1,3}", 0..9i32)
            .prop_map(|(what, n)| json!({"What": what, "Bits": {"n": n, "l": [1, "x"]}}));
        ("[a-zĀ]{1,4}", any::<bool>(), prop::collection::vec(toy, 0..3)).prop_map(|(name, good, toys)| {
            let mut pet = json!({"Name": name, "Good": good});
            if !toys.is_empty() {
                pet["Toys"] = json!(toys);
            }
            pet
        })
    }

    proptest! {
        #[test]
        fn a_record_comes_back_from_its_rows(
            code in "[a-z]{1,5}",
            age: Option<i64>,
            rooms in prop::option::of(0..500u32),
            tags in prop::collection::vec("[a-z]{1,3}", 0..4),
            pets in prop::collection::vec(pet(), 0..4),
        ) {
            let schema = schema();
            let mut record = json!({"Code": code});
            if let Some(age) = age { record["Age"] = json!(age); }
            if let Some(rooms) = rooms { record["Home"] = json!({"Street": "Iela", "Rooms": f64::from(rooms) / 4.0}); }
            if !tags.is_empty() { record["Tags"] = json!(tags); }
            if !pets.is_empty() { record["Pets"] = json!(pets); }
            let canonical = schema.read_json(record.to_string().as_bytes()).unwrap().json;
            let value: Value = serde_json::from_slice(&canonical).unwrap();
            prop_assert_eq!(String::from_utf8(there_and_back(&schema, &value)).unwrap(), String::from_utf8(canonical).unwrap());
        }
    }
}
