//! Definition → tables: one for the records, one for each list inside them.
//!
//! Every table begins with `_key` (the record's key as bytes, in the order the server has); a list's table has a
//! position, from 1, for itself and for each list around it. Single objects are columns of their own: `Address_Street`.

use std::collections::BTreeSet;

use dagr_model::definition::{Definition, Field, Type};
use serde::{Deserialize, Serialize};

/// Longest name of a table or column in bytes: PostgreSQL's.
const NAME: usize = 63;
/// End of the names of tables that are being loaded; no other table's name ends so.
pub const LOADING: &str = "__loading";
/// The table in which every replica of a database remembers, by its name.
pub const NOTES: &str = "dagr_replica";
/// What every table of PostgreSQL has already.
const SYSTEM: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

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
    pub fn of(definition: &Definition, suffix: &'static str) -> Self {
        let mut names = Names {
            taken: BTreeSet::from([NOTES.to_owned()]),
            suffix,
        };
        let name = definition.name.to_string();
        names.table(&name, Vec::new(), &definition.fields, 0)
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
        positions(self.depth)
    }

    /// Is it enough to add and drop columns and tables? What stays under its name has to stay what it is.
    pub fn becomes(&self, new: &Self) -> bool {
        let news = new.all();
        self.all().iter().all(|table| {
            let Some(now) = news.iter().find(|now| now.name == table.name) else {
                return true;
            };
            now.depth == table.depth
                && now.path == table.path
                && table.columns.iter().all(|column| {
                    now.columns.iter().all(|other| {
                        other == column || (other.name != column.name && other.path != column.path)
                    })
                })
        })
    }

    /// Without the lists below it.
    pub fn alone(&self) -> Self {
        Self {
            lists: Vec::new(),
            ..self.clone()
        }
    }

    /// Does a value, or an object's, stand there?
    pub fn stands_at(&self, path: &[String]) -> bool {
        self.columns.iter().any(|column| column.path.starts_with(path))
    }

    /// What of it another plan shows too, under whatever name.
    pub fn narrowed(&self, to: &Self) -> Self {
        let shown = |column: &&Column| to.columns.iter().any(|other| other.path == column.path);
        let narrowed = |list: &Self| {
            let to = to.lists.iter().find(|other| other.path == list.path)?;
            Some(list.narrowed(to))
        };
        Self {
            columns: self.columns.iter().filter(shown).cloned().collect(),
            lists: self.lists.iter().filter_map(narrowed).collect(),
            ..self.clone()
        }
    }
}

fn positions(depth: usize) -> Vec<String> {
    (1..=depth)
        .map(|n| if n == 1 { "_n".to_owned() } else { format!("_n{n}") })
        .collect()
}

/// The names that tables have already.
struct Names {
    taken: BTreeSet<String>,
    suffix: &'static str,
}

impl Names {
    fn table(&mut self, name: &str, path: Vec<String>, fields: &[Field], depth: usize) -> Table {
        let mut table = Table {
            name: self.free(name),
            path,
            columns: Vec::new(),
            lists: Vec::new(),
            depth,
        };
        let mut taken: BTreeSet<String> = positions(depth).into_iter().collect();
        taken.extend(SYSTEM.map(str::to_owned));
        taken.insert("_key".to_owned());
        self.fill(&mut table, &mut taken, name, &[], fields);
        table
    }

    fn fill(
        &mut self,
        table: &mut Table,
        taken: &mut BTreeSet<String>,
        name: &str,
        above: &[String],
        fields: &[Field],
    ) {
        for field in fields {
            let path = [above, std::slice::from_ref(&field.name)].concat();
            let long = format!("{name}_{}", path.join("_").to_lowercase());
            match (&field.ty, field.list) {
                (Type::Object, true) => {
                    let list = self.table(&long, path, &field.fields, table.depth + 1);
                    table.lists.push(list);
                }
                (Type::Object, false) => self.fill(table, taken, name, &path, &field.fields),
                (ty, true) => table.lists.push(Table {
                    name: self.free(&long),
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
                    let name = free(taken, &path.join("_"));
                    table.columns.push(Column {
                        name,
                        path,
                        kind: Kind::of(ty),
                    });
                }
            }
        }
    }

    fn free(&mut self, name: &str) -> String {
        let name = format!("{name}{}", self.suffix);
        if self.suffix.is_empty() && name.ends_with(LOADING) {
            self.taken.insert(name.clone());
        }
        free(&mut self.taken, &name)
    }
}

/// A name that was not taken, and is now; databases compare without regard to case.
fn free(taken: &mut BTreeSet<String>, name: &str) -> String {
    let wanted = shortened(name);
    let mut free = wanted.clone();
    let mut n = 2;
    while !taken.insert(free.to_ascii_lowercase()) {
        let end = format!("_{n}");
        free = format!("{}{end}", cut(&wanted, NAME - end.len()));
        n += 1;
    }
    free
}

fn shortened(name: &str) -> String {
    if name.len() <= NAME {
        return name.to_owned();
    }
    let digest = dagr_model::digest::record_digest(name.as_bytes());
    format!(
        "{}_{:02x}{:02x}{:02x}{:02x}",
        cut(name, NAME - 9),
        digest[0],
        digest[1],
        digest[2],
        digest[3]
    )
}

/// At most so many bytes of it, whole characters.
fn cut(name: &str, most: usize) -> &str {
    &name[..name.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(fields: &str) -> Table {
        Table::of(&definition(fields), "")
    }

    fn definition(fields: &str) -> Definition {
        let text = format!("name: x_set\nkey: Id\ndata_description: d\nfields:\n  - Id : i\n{fields}");
        text.parse().unwrap()
    }

    fn names(table: &Table) -> Vec<&str> {
        table.all().iter().map(|table| table.name.as_str()).collect()
    }

    fn columns(table: &Table) -> Vec<&str> {
        table.columns.iter().map(|column| column.name.as_str()).collect()
    }

    #[test]
    fn no_two_tables_have_one_name() {
        let lists = "  - Pets * : p\n  - pets * : p\n  - Owners_Names * : n\n  - Owners * :\n      comments: o\n      fields:\n        - Names * : n\n  - _loading * : l\n";
        let expected = [
            "x_set",
            "x_set_pets",
            "x_set_pets_2",
            "x_set_owners_names",
            "x_set_owners",
            "x_set_owners_names_2",
            "x_set__loading_2",
        ];
        assert_eq!(names(&plan(lists)), expected);
        let loading = Table::of(&definition(lists), LOADING);
        assert!(
            names(&loading).iter().all(|name| !expected.contains(name)),
            "{loading:#?}"
        );
    }

    #[test]
    fn columns_are_not_called_as_those_that_are_there_already() {
        let table = plan(
            "  - _KEY : k\n  - _n : n\n  - xmin : x\n  - Tags * : t\n  - Pets * :\n      comments: p\n      fields:\n        - _N : n\n        - _n2 : n\n",
        );
        assert_eq!(columns(&table), ["Id", "_KEY_2", "_n", "xmin_2"]);
        assert_eq!(columns(&table.lists[1]), ["_N_2", "_n2"]);
    }

    #[test]
    fn a_long_name_is_cut_before_its_number() {
        let long = "ā".repeat(31);
        let table = plan(&format!(
            "  - H :\n      comments: h\n      fields:\n        - {0} : a\n  - H_{0} : b\n  - {0}b : c\n  - {0}B : d\n",
            "ā".repeat(30)
        ));
        let names = columns(&table);
        assert!(names.iter().all(|name| name.len() <= NAME), "{names:?}");
        assert_eq!(names[1], format!("H_{}", "ā".repeat(30)));
        assert_eq!(names[2], format!("H_{}_2", "ā".repeat(29)));
        let of_63 = format!("{long}x");
        let mut taken = BTreeSet::new();
        assert_eq!(free(&mut taken, &of_63), of_63);
        assert_eq!(free(&mut taken, &of_63).len(), 62);
    }
}
