//! Rows whose columns are met as they come: elements of XML and JSON records have those that they have.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use dagr_model::{
    expression::Formula,
    schema::{NodeId, Schema},
};

use super::{COLUMNS, Collect, Refused, key::RowKey};
use crate::{
    error::{Error, Result},
    feed::Rule,
    map::Origin,
};

/// A column's name and what stands in it.
pub type Cell = (String, String);

/// A cell that cannot be one.
#[derive(Debug)]
pub struct Wrong {
    pub column: String,
    pub rule: &'static str,
    pub message: String,
}

/// Columns met so far.
#[derive(Default)]
pub struct Met {
    columns: Vec<String>,
    places: HashMap<String, usize>,
    /// Fields of columns asked for.
    fields: HashMap<String, Option<NodeId>>,
}

impl Met {
    fn add(&mut self, column: &str) -> bool {
        if self.places.contains_key(column) {
            return false;
        }
        self.places.insert(column.to_owned(), self.columns.len());
        self.columns.push(column.to_owned());
        true
    }
}

/// Rows of XML.
pub struct Given<'g, 'c>(&'g mut Collect<'c>);

impl<'g, 'c> Given<'g, 'c> {
    pub fn new(rows: &'g mut Collect<'c>) -> Self {
        Self(rows)
    }

    pub fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.0.schema)
    }

    /// The field that a column fills by a rule or by its name.
    pub fn field_of(&mut self, column: &str) -> Option<NodeId> {
        self.0.field_of(column)
    }

    /// Is a column looked at as a list, whose items are its elements?
    pub fn is_looked_at_as_list(&self, column: &str) -> bool {
        let survey = self.0.survey.as_ref();
        survey.is_some_and(|survey| survey.lists.contains(column))
    }

    /// One row; `wrong` makes it a refused one.
    pub fn row(&mut self, row: u64, cells: Vec<Cell>, wrong: Vec<Wrong>) -> Result<()> {
        self.0.given(Origin::Xml, row, cells, wrong)
    }
}

impl Collect<'_> {
    pub(super) fn field_of(&mut self, column: &str) -> Option<NodeId> {
        if let Some(known) = self.met.fields.get(column) {
            return *known;
        }
        let found = self.find(column);
        if self.met.fields.len() < COLUMNS {
            self.met.fields.insert(column.to_owned(), found);
        }
        found
    }

    fn find(&self, column: &str) -> Option<NodeId> {
        let schema = &self.schema;
        let by_rule = self
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

    /// Does a field take something of this column?
    pub(super) fn is_read(&mut self, column: &str) -> bool {
        let takes = |rule: &Rule| {
            let formula = rule.cel.as_deref().map(Formula::names).unwrap_or_default();
            rule.columns.iter().chain(&formula).any(|name| name == column)
        };
        !self.spec.drop.iter().any(|drop| drop == column)
            && (self.spec.fields.values().any(takes) || self.field_of(column).is_some())
    }

    /// Is the key made of this column?
    fn is_of_key(&mut self, column: &str) -> bool {
        let schema = Arc::clone(&self.schema);
        schema
            .key
            .iter()
            .any(|node| match self.spec.fields.get(&schema.nodes[*node].path) {
                Some(Rule { cel: Some(text), .. }) => Formula::names(text).iter().any(|name| name == column),
                Some(rule) => rule.columns.iter().any(|name| name == column),
                None => self.field_of(column) == Some(*node),
            })
    }

    /// Columns a rule names may come with a later row.
    fn meet_named(&mut self) {
        let spec = self.spec;
        let rules = spec.fields.values();
        let read = rules
            .clone()
            .filter_map(|rule| rule.cel.as_deref())
            .flat_map(Formula::names);
        let named: BTreeSet<String> = rules
            .flat_map(|rule| &rule.columns)
            .chain(&spec.drop)
            .cloned()
            .chain(read)
            .collect();
        for column in &named {
            self.met.add(column);
        }
    }

    /// Is it a column that rows had not, and that they are read anew for?
    fn is_new(&mut self, column: &str) -> bool {
        if self.met.places.contains_key(column) || self.unwanted.contains(column) {
            return false;
        }
        // Nothing reads it: the rows that follow are read as those before.
        if self.tolerant && self.reader.is_some() && self.field_of(column).is_none() {
            self.unwanted.insert(column.to_owned());
            return false;
        }
        self.met.add(column)
    }

    /// One row whose columns are met as they come; `wrong` makes it a refused one.
    pub(super) fn given(
        &mut self,
        origin: Origin,
        row: u64,
        cells: Vec<Cell>,
        mut wrong: Vec<Wrong>,
    ) -> Result<()> {
        let mut new = self.reader.is_none();
        if new {
            self.meet_named();
        }
        for (column, _) in &cells {
            new |= self.is_new(column);
        }
        if self.met.columns.len() + self.unwanted.len() > COLUMNS {
            return Err(Error::Source(format!(
                "the records up to line {row} have more than {COLUMNS} columns: does source.records name the records?"
            )));
        }
        if new {
            let columns = self.met.columns.clone();
            self.header(&columns, origin)?;
        }
        let mut texts: Vec<Option<&str>> = vec![None; self.met.columns.len()];
        let mut twice = Vec::new();
        for (column, text) in &cells {
            let Some(at) = self.met.places.get(column) else {
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
            return self.cells(row, &texts);
        }
        let may_be_key = wrong.iter().any(|wrong| self.is_of_key(&wrong.column));
        // Neither of two values is the key's.
        for at in twice {
            texts[at] = None;
        }
        let told: Vec<Refused> = wrong
            .into_iter()
            .map(|wrong| Refused::new(row, &wrong.column, wrong.rule, wrong.message, ""))
            .collect();
        // Its key is in its cells.
        let reader = self.reader.as_ref();
        match reader.map_or(RowKey::Unreadable, |reader| reader.key_of_row(&texts)) {
            RowKey::Known(key) if !may_be_key => {
                let told = told
                    .into_iter()
                    .map(|refused| refused.of(&self.schema, &key))
                    .collect();
                self.refuse(told, Some(key))
            }
            // What is wrong may be the key, or a part of it.
            _ => self.unread(told),
        }
    }
}
