//! Rows whose columns are met as they come: elements of XML have those that they have.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use dagr_model::schema::{NodeId, Schema};

use super::{Collect, Refused, key::RowKey};
use crate::error::{Error, Result};

/// Columns a source may have.
const COLUMNS: usize = 10_000;

/// A column's name and what stands in it.
pub type Cell = (String, String);

/// A cell that cannot be one.
#[derive(Debug)]
pub struct Wrong {
    pub column: String,
    pub rule: &'static str,
    pub message: String,
}

pub struct Given<'g, 'c> {
    rows: &'g mut Collect<'c>,
    columns: Vec<String>,
    places: HashMap<String, usize>,
    /// Fields of columns asked for.
    fields: HashMap<String, Option<NodeId>>,
}

impl<'g, 'c> Given<'g, 'c> {
    pub fn new(rows: &'g mut Collect<'c>) -> Self {
        let mut given = Self {
            rows,
            columns: Vec::new(),
            places: HashMap::new(),
            fields: HashMap::new(),
        };
        // Columns a rule names may come with a later row.
        let spec = given.rows.spec;
        let named: BTreeSet<&String> = spec
            .fields
            .values()
            .flat_map(|rule| &rule.columns)
            .chain(&spec.drop)
            .collect();
        for column in named {
            given.add(column);
        }
        given
    }

    pub fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.rows.schema)
    }

    /// The field that a column fills by a rule or by its name.
    pub fn field_of(&mut self, column: &str) -> Option<NodeId> {
        if let Some(known) = self.fields.get(column) {
            return *known;
        }
        let found = self.find(column);
        if self.fields.len() < COLUMNS {
            self.fields.insert(column.to_owned(), found);
        }
        found
    }

    fn find(&self, column: &str) -> Option<NodeId> {
        let schema = &self.rows.schema;
        let by_rule = self
            .rows
            .spec
            .fields
            .iter()
            .find(|(_, rule)| rule.columns.iter().any(|own| own == column));
        if let Some((field, _)) = by_rule {
            return schema.node(field);
        }
        let named = schema
            .definition
            .csv
            .columns
            .get(column)
            .map_or(column, String::as_str);
        let lower = named.to_lowercase();
        schema.node(named).or_else(|| {
            let mut alike = schema
                .roots
                .iter()
                .filter(|root| schema.nodes[**root].name.to_lowercase() == lower);
            match (alike.next(), alike.next()) {
                (Some(root), None) => Some(*root),
                _ => None,
            }
        })
    }

    fn add(&mut self, column: &str) -> bool {
        if self.places.contains_key(column) {
            return false;
        }
        self.places.insert(column.to_owned(), self.columns.len());
        self.columns.push(column.to_owned());
        true
    }

    /// One row; `wrong` makes it a refused one.
    pub fn row(&mut self, row: u64, cells: Vec<Cell>, mut wrong: Vec<Wrong>) -> Result<()> {
        let mut new = self.rows.reader.is_none();
        for (column, _) in &cells {
            new |= self.add(column);
        }
        if self.columns.len() > COLUMNS {
            return Err(Error::Source(format!(
                "the records up to line {row} have more than {COLUMNS} columns: does source.records name the records?"
            )));
        }
        if new {
            // As of a database: 1 and 0 are truth values.
            let columns = self.columns.clone();
            self.rows.table(&columns)?;
        }
        let mut texts: Vec<Option<&str>> = vec![None; self.columns.len()];
        let mut twice = Vec::new();
        for (column, text) in &cells {
            let Some(at) = self.places.get(column) else {
                continue;
            };
            if texts[*at].replace(text).is_some() {
                twice.push(*at);
                wrong.push(Wrong {
                    column: column.clone(),
                    rule: "repeated",
                    message: "the record has two values of this name".to_owned(),
                });
            }
        }
        if wrong.is_empty() {
            return self.rows.cells(row, &texts);
        }
        // Neither of two values is the key's.
        for at in twice {
            texts[at] = None;
        }
        let told = wrong
            .into_iter()
            .map(|wrong| Refused::new(row, &wrong.column, wrong.rule, wrong.message, ""))
            .collect();
        // Its key is in its cells.
        let reader = self.rows.reader.as_ref();
        match reader.map_or(RowKey::Unreadable, |reader| reader.key_of_row(&texts)) {
            RowKey::Known(key) => self.rows.refuse(told, Some(key)),
            // What is wrong may be the key.
            RowKey::Nothing | RowKey::Unreadable => self.rows.unread(told),
        }
    }
}
