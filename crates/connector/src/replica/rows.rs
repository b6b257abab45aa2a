//! A record as rows of its tables, and back.

use dagr_model::schema::Schema;
use serde_json::{Map, Value};

use super::plan::{Column, Kind, Table};

/// A row: key, positions, and the columns' texts (`None` = no value). A row that cannot be read has no cells at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub key: Vec<u8>,
    pub positions: Vec<i64>,
    pub cells: Vec<Option<String>>,
}

impl Row {
    /// About what it takes.
    pub fn bytes(&self) -> usize {
        self.key.len()
            + self
                .cells
                .iter()
                .flatten()
                .map(|cell| cell.len() + 8)
                .sum::<usize>()
    }
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
            .map(|column| text(column.kind, find(value, &column.path)))
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

fn text(kind: Kind, value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) if kind != Kind::Json => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The rows of one record by table, in the order of [`Table::all`] and of their positions, as a record again. `None` =
/// they are none: a value is not of its type, a position is missing, a row stands below none.
pub fn to_record(table: &Table, rows: &[Vec<Row>], schema: &Schema) -> Option<Vec<u8>> {
    let mut left: Vec<&[Row]> = rows.iter().map(Vec::as_slice).collect();
    let main = std::mem::take(left.first_mut()?).first()?;
    let value = object(table, 0, &mut left, main)?;
    if !left.iter().all(|rows| rows.is_empty()) {
        return None;
    }
    schema
        .read_json(value.to_string().as_bytes())
        .ok()
        .map(|record| record.json)
}

/// The element of a row: its columns, and the lists below it, whose rows come next in their tables.
fn object(table: &Table, own: usize, left: &mut [&[Row]], row: &Row) -> Option<Value> {
    if row.cells.len() != table.columns.len() {
        return None;
    }
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
    let mut at = own + 1;
    for list in &table.lists {
        let mut items = Vec::new();
        while let Some(below) = next(left.get_mut(at)?, &row.positions, items.len() as i64 + 1) {
            items.push(object(list, at, left, below)?);
        }
        at += list.all().len();
        if !items.is_empty() {
            put(&mut value, &list.path, Value::Array(items));
        }
    }
    Some(value)
}

/// Takes the row of the `n`th element of the list at `above`, if it comes next.
fn next<'r>(rows: &mut &'r [Row], above: &[i64], n: i64) -> Option<&'r Row> {
    let (row, rest) = rows.split_first()?;
    let (last, around) = row.positions.split_last()?;
    if around != above || *last != n {
        return None;
    }
    *rows = rest;
    Some(row)
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
        Kind::Bool => match cell {
            "true" | "1" => Value::Bool(true),
            "false" | "0" => Value::Bool(false),
            _ => return None,
        },
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
        let text = "name: x_people\nkey: Code\ndata_description: d\nfields:\n  - Code : c\n  - Age int : a\n  - Home :\n      comments: h\n      fields:\n        - Street : s\n        - Rooms decimal : r\n  - Any json : x\n  - Tags * : t\n  - Pets * :\n      comments: p\n      fields:\n        - Name : n\n        - Good bool : g\n        - Toys * :\n            comments: t\n            fields:\n              - What : w\n              - Bits json : b\n";
        Schema::compile(Arc::new(text.parse().unwrap()), None)
    }

    fn there_and_back(schema: &Schema, record: &Value) -> Vec<u8> {
        let table = Table::of(&schema.definition, "");
        to_record(&table, &rows_of(&table, record), schema).unwrap()
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

    fn rows_of(table: &Table, record: &Value) -> Vec<Vec<Row>> {
        let mut rows = vec![Vec::new(); table.all().len()];
        of_record(table, b"k", record, &mut |at, row| rows[at].push(row));
        rows
    }

    #[test]
    fn rows_of_no_record_are_not_read_as_one() {
        let schema = schema();
        let table = Table::of(&schema.definition, "");
        let record = json!({"Code": "a", "Tags": ["x", "y"], "Pets": [
            {"Name": "Rekss", "Good": true, "Toys": [{"What": "bumba"}]}, {"Name": "Muris"},
        ]});
        let rows = rows_of(&table, &record);
        assert!(to_record(&table, &rows, &schema).is_some());
        let refused = |change: &dyn Fn(&mut Vec<Vec<Row>>)| {
            let mut rows = rows.clone();
            change(&mut rows);
            to_record(&table, &rows, &schema).is_none()
        };
        assert!(refused(&|rows| rows[1][1].positions = vec![5]), "a gap");
        assert!(refused(&|rows| rows[1][0].positions = vec![0]), "not from 1");
        assert!(
            refused(&|rows| {
                let mut toy = rows[3][0].clone();
                toy.positions = vec![9, 1];
                rows[3].push(toy);
            }),
            "a toy of no pet"
        );
        assert!(
            refused(&|rows| rows[2][0].cells[1] = Some("7".to_owned())),
            "no boolean"
        );
        assert!(
            refused(&|rows| rows[0][0].cells.clear()),
            "a row that cannot be read"
        );
    }

    /// Any JSON that a field may hold.
    fn any_json() -> impl Strategy<Value = Value> {
        let plain = prop_oneof![
            Just(json!("123")),
            Just(json!("true")),
            Just(json!("null")),
            "[a-zĀ\"\\\\\n]{1,5}".prop_map(Value::String),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(|n| json!(n)),
            (-999..999i32).prop_map(|n| json!(f64::from(n) / 8.0)),
        ];
        plain.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(prop_oneof![Just(Value::Null), inner.clone()], 1..3)
                    .prop_map(Value::Array),
                prop::collection::btree_map("[a-z]{1,3}", inner, 1..3).prop_map(|members| json!(members)),
            ]
        })
    }

    fn pet() -> impl Strategy<Value = Value> {
        let toy = ("[a-zā]{1,3}", any_json()).prop_map(|(what, bits)| json!({"What": what, "Bits": bits}));
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
            free in prop::option::of(any_json()),
            tags in prop::collection::vec("[a-z]{1,3}", 0..4),
            pets in prop::collection::vec(pet(), 0..4),
        ) {
            let schema = schema();
            let mut record = json!({"Code": code});
            if let Some(age) = age { record["Age"] = json!(age); }
            if let Some(rooms) = rooms { record["Home"] = json!({"Street": "Iela", "Rooms": f64::from(rooms) / 4.0}); }
            if let Some(free) = free { record["Any"] = free; }
            if !tags.is_empty() { record["Tags"] = json!(tags); }
            if !pets.is_empty() { record["Pets"] = json!(pets); }
            let canonical = schema.read_json(record.to_string().as_bytes()).unwrap().json;
            let value: Value = serde_json::from_slice(&canonical).unwrap();
            prop_assert_eq!(String::from_utf8(there_and_back(&schema, &value)).unwrap(), String::from_utf8(canonical).unwrap());
        }
    }
}
