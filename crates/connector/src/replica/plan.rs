//! Definition → tables: one for the records, one for each list inside them.
//!
//! Every table begins with `_key` (the record's key as bytes, in the order the server has); a list's table has a
//! position, from 1, for itself and for each list around it. Single objects are columns of their own: `Address_Street`.

use dagr_model::definition::{Definition, Field, Type};
use serde::{Deserialize, Serialize};

/// Longest name of a table or column in bytes: PostgreSQL's.
const NAME: usize = 63;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    pub name: String,
    /// Where the list stands in the element of the table above: names of fields.
    pub path: Vec<String>,
    pub columns: Vec<Column>,
    pub lists: Vec<Table>,
    /// Positions before the columns: 0 for the records.
    pub depth: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// Inside the element; empty = the element itself, of a list of plain values.
    pub path: Vec<String>,
    pub kind: Kind,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Text,
    Int,
    Decimal,
    Bool,
    Date,
    Timestamp,
    Uuid,
    Json,
}

impl Kind {
    fn of(ty: &Type) -> Self {
        match ty {
            Type::Int => Self::Int,
            Type::Decimal => Self::Decimal,
            Type::Bool => Self::Bool,
            Type::Date => Self::Date,
            Type::Timestamp => Self::Timestamp,
            Type::Uuid => Self::Uuid,
            Type::Json | Type::Point | Type::Geometry => Self::Json,
            Type::Text | Type::PersonCode | Type::OrgCode | Type::Code(_) | Type::Object => Self::Text,
        }
    }
}

impl Table {
    /// The tables of a definition; `suffix` ends every table's name.
    pub fn of(definition: &Definition, suffix: &str) -> Self {
        let name = definition.name.to_string();
        table(&name, suffix, Vec::new(), &definition.fields, 0)
    }

    /// This table and every one below it, parents first.
    pub fn all(&self) -> Vec<&Self> {
        let mut tables = vec![self];
        for list in &self.lists {
            tables.extend(list.all());
        }
        tables
    }

    /// Names of the positions: `_n`, `_n2`, …
    pub fn positions(&self) -> Vec<String> {
        (1..=self.depth)
            .map(|n| if n == 1 { "_n".to_owned() } else { format!("_n{n}") })
            .collect()
    }
}

fn table(name: &str, suffix: &str, path: Vec<String>, fields: &[Field], depth: usize) -> Table {
    let mut table = Table {
        name: shortened(&format!("{name}{suffix}")),
        path,
        columns: Vec::new(),
        lists: Vec::new(),
        depth,
    };
    fill(&mut table, name, suffix, &[], fields);
    table
}

fn fill(table: &mut Table, name: &str, suffix: &str, above: &[String], fields: &[Field]) {
    for field in fields {
        let path = [above, std::slice::from_ref(&field.name)].concat();
        let long = format!("{name}_{}", path.join("_").to_lowercase());
        match (&field.ty, field.list) {
            (Type::Object, true) => {
                table
                    .lists
                    .push(self::table(&long, suffix, path, &field.fields, table.depth + 1));
            }
            (Type::Object, false) => fill(table, name, suffix, &path, &field.fields),
            (ty, true) => table.lists.push(Table {
                name: shortened(&format!("{long}{suffix}")),
                path,
                columns: vec![Column {
                    name: "value".to_owned(),
                    path: Vec::new(),
                    kind: Kind::of(ty),
                }],
                lists: Vec::new(),
                depth: table.depth + 1,
            }),
            (ty, false) => {
                let name = free(&table.columns, &path.join("_"));
                table.columns.push(Column {
                    name,
                    path,
                    kind: Kind::of(ty),
                });
            }
        }
    }
}

/// A name that no column has yet; databases compare without regard to case.
fn free(columns: &[Column], name: &str) -> String {
    let wanted = shortened(name);
    let taken = |name: &str| {
        columns
            .iter()
            .any(|column| column.name.eq_ignore_ascii_case(name))
    };
    let mut free = wanted.clone();
    let mut n = 2;
    while taken(&free) {
        free = format!("{wanted}_{n}");
        n += 1;
    }
    free
}

fn shortened(name: &str) -> String {
    if name.len() <= NAME {
        return name.to_owned();
    }
    let digest = dagr_model::digest::record_digest(name.as_bytes());
    let mut end = NAME - 9;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!(
        "{}_{:02x}{:02x}{:02x}{:02x}",
        &name[..end],
        digest[0],
        digest[1],
        digest[2],
        digest[3]
    )
}
