//! `[map]` and a header → the steps that fill fields; every fault at once.

use std::{borrow::Cow, collections::BTreeSet};

use dagr_model::{
    definition::Type,
    expression::Formula,
    fault::{Fault, nearest},
    schema::{NodeId, Schema},
};

use super::{Filled, From, Mapping, Origin, Step, Written, shape};
use crate::feed::{MapSpec, Rule};

impl Mapping {
    /// Every rule must name a field and columns that exist, and no field may lose the column that it had `before`. Columns
    /// that nobody wants are told beside the mapping.
    pub fn compile(
        spec: &MapSpec,
        schema: &Schema,
        columns: &[String],
        origin: Origin,
        before: &Filled,
    ) -> Result<(Self, Vec<Fault>), Vec<Fault>> {
        let csv = &schema.definition.csv;
        let named: Vec<&str> = columns
            .iter()
            .map(|column| csv.columns.get(column).map_or(column.as_str(), String::as_str))
            .collect();
        let mut compile = Compile {
            schema,
            columns,
            origin,
            named: &named,
            strange: false,
            used: spec
                .drop
                .iter()
                .chain(&csv.ignore)
                .flat_map(|drop| positions(columns, &named, drop))
                .collect(),
            faults: Vec::new(),
            unwanted: Vec::new(),
            steps: Vec::new(),
        };
        compile.strange = origin == Origin::Csv && compile.knows_none(spec);
        for drop in &spec.drop {
            if position(columns, &named, drop).is_none() {
                compile.no_column("map.drop", drop);
            }
        }
        for (field, rule) in &spec.fields {
            compile.rule(field, rule, spec.optional.contains(field));
        }
        for field in &spec.optional {
            if schema.node(field).is_none() {
                compile.no_field("map.optional", field);
            }
        }
        compile.same_names(spec);
        compile.given_twice();
        if origin.has_header() {
            compile.emptied(spec, before);
        }
        if compile.faults.is_empty() {
            let mapping = Self { steps: compile.steps };
            Ok((mapping, compile.unwanted))
        } else {
            compile.faults.append(&mut compile.unwanted);
            Err(compile.faults)
        }
    }
}

struct Compile<'c> {
    schema: &'c Schema,
    columns: &'c [String],
    origin: Origin,
    /// Columns as the definition calls them.
    named: &'c [&'c str],
    /// No column is known: the header may be a record, whose values are not told.
    strange: bool,
    used: BTreeSet<usize>,
    faults: Vec<Fault>,
    unwanted: Vec<Fault>,
    steps: Vec<Step>,
}

fn position(columns: &[String], named: &[&str], name: &str) -> Option<usize> {
    let exact = columns.iter().position(|column| column == name);
    let by_definition = || named.iter().position(|column| *column == name);
    exact.or_else(by_definition).or_else(|| alike(named, name))
}

/// Every column of that name: a file may have several without one.
fn positions(columns: &[String], named: &[&str], name: &str) -> Vec<usize> {
    let exact = columns.iter().enumerate().filter(|(_, column)| *column == name);
    let mut found: Vec<usize> = exact.map(|(at, _)| at).collect();
    if found.is_empty() {
        found.extend(position(columns, named, name));
    }
    found
}

/// The one column that differs in case only: databases fold names.
fn alike(named: &[&str], name: &str) -> Option<usize> {
    let lower = name.to_lowercase();
    let mut found = named
        .iter()
        .enumerate()
        .filter(|(_, column)| column.to_lowercase() == lower);
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Some(at),
        _ => None,
    }
}

impl Compile<'_> {
    /// Does nothing of the feed and the definition know one of the columns?
    fn knows_none(&self, spec: &MapSpec) -> bool {
        let mut rules = spec.fields.values();
        let by_rule = rules.any(|rule| {
            let mut columns = rule.columns.iter();
            let formula = rule.cel.as_ref().map(|text| Formula::compile(text, self.columns));
            columns.any(|column| position(self.columns, self.named, column).is_some())
                || formula
                    .is_some_and(|formula| formula.is_ok_and(|formula| formula.columns().next().is_some()))
        });
        let by_name = |column: &&str| self.schema.node(column).or_else(|| self.folded(column));
        self.used.is_empty() && !by_rule && self.named.iter().find_map(by_name).is_none()
    }

    fn shown<'n>(&self, column: &'n str) -> Cow<'n, str> {
        if self.strange {
            Cow::Owned(shape(column))
        } else {
            Cow::Borrowed(column)
        }
    }

    fn no_column(&mut self, place: &str, column: &str) {
        let message = match nearest(column, self.named.iter().copied()) {
            Some(near) => format!(
                "the source has no column {column}; did you mean {}?",
                self.shown(near)
            ),
            None => {
                let names: Vec<_> = self.named.iter().map(|name| self.shown(name)).collect();
                format!("the source has no column {column}; it has {}", names.join(", "))
            }
        };
        self.faults.push(Fault::new(place, "column_unknown", message));
    }

    /// Fields that would be empty in every record, because their column is not there.
    fn emptied(&mut self, spec: &MapSpec, before: &Filled) {
        let schema = self.schema;
        let mut fields: BTreeSet<NodeId> = before.keys().filter_map(|field| schema.node(field)).collect();
        fields.extend(&schema.key);
        for node in fields {
            let path = &schema.nodes[node].path;
            let key = schema.key.contains(&node);
            let given = self.steps.iter().any(|step| step.node == node);
            if given || (!key && spec.optional.contains(path)) {
                continue;
            }
            let was = before
                .get(path)
                .map(|column| format!(", which column {column} had filled"))
                .unwrap_or_default();
            let near = nearest(path, self.named.iter().copied())
                .map(|near| format!(" (did you mean {}?)", self.shown(near)))
                .unwrap_or_default();
            let way_out = if key {
                "the key needs it"
            } else {
                "if it may be missing, name the field in map.optional"
            };
            let message =
                format!("no column fills this field{was}{near}: name its column in [map]; {way_out}");
            self.faults
                .push(Fault::new(format!("field {path}"), "column_gone", message));
        }
    }

    fn no_field(&mut self, place: &str, field: &str) {
        let known = self.schema.nodes.iter().map(|node| node.path.as_str());
        let message = match nearest(field, known) {
            Some(near) => format!("the definition has no field {field}; did you mean {near}?"),
            None => format!("the definition has no field {field}"),
        };
        self.faults.push(Fault::new(place, "field_unknown", message));
    }

    /// The columns, and behind them those that an expression may do without: no row has them.
    fn known_to(&self, text: &str, optional: bool) -> Vec<String> {
        let mut known = self.columns.to_vec();
        if optional {
            let missing = |name: &String| position(self.columns, self.named, name).is_none();
            known.extend(Formula::names(text).into_iter().filter(missing));
        }
        known
    }

    fn rule(&mut self, field: &str, rule: &Rule, optional: bool) {
        let place = format!("map.{field}");
        let Some(node) = self.schema.node(field) else {
            return self.no_field(&place, field);
        };
        if let Some(list) = self.schema.list_of(node) {
            let list = &self.schema.nodes[list].path;
            let message = format!(
                "this field is inside the list {list}, which is filled as a whole: by a column of JSON, or by [[source.lists]], whose query writes it as it should be"
            );
            return self.faults.push(Fault::new(place, "rule", message));
        }
        // Of a key nothing is missing.
        let optional = optional && !self.schema.key.contains(&node);
        let mut columns = Vec::new();
        for column in &rule.columns {
            match position(self.columns, self.named, column) {
                Some(at) => columns.push(at),
                None if optional => {}
                None => self.no_column(&place, column),
            }
        }
        if columns.is_empty() && !rule.columns.is_empty() {
            return;
        }
        self.used.extend(&columns);
        let ty = &self.schema.nodes[node].ty;
        if rule.format.is_some() && !matches!(ty, Type::Date | Type::Timestamp) {
            let message = "format is for fields of type date or timestamp";
            self.faults.push(Fault::new(&place, "rule", message));
        }
        let mut label = rule.columns.join(" + ");
        let from = match (&rule.constant, &rule.cel) {
            (Some(text), _) => From::Constant(text.clone()),
            (None, None) => From::Columns(columns),
            (None, Some(text)) => match Formula::compile(text, &self.known_to(text, optional)) {
                Ok(formula) => {
                    let read: Vec<usize> = formula.columns().collect();
                    let names: Vec<&str> = read
                        .iter()
                        .filter_map(|at| self.columns.get(*at).map(String::as_str))
                        .collect();
                    label = names.join(" + ");
                    self.used.extend(read);
                    From::Formula(Box::new(formula))
                }
                Err(_) if self.strange => {
                    let message = "the source has none of the columns that this expression reads";
                    self.faults.push(Fault::new(place, "column_unknown", message));
                    return;
                }
                Err(faults) => {
                    self.faults.extend(faults.into_iter().map(|fault| {
                        Fault::new(format!("{place}.cel {}", fault.place), fault.rule, fault.message)
                    }));
                    return;
                }
            },
        };
        let written = self.written(node, rule);
        self.steps
            .push(Step::new(node, from, rule.clone(), written, label));
    }

    /// A field that is filled as a whole and in part.
    fn given_twice(&mut self) {
        let schema = self.schema;
        let filled: BTreeSet<NodeId> = self.steps.iter().map(|step| step.node).collect();
        for node in &filled {
            if let Some(whole) = schema.above(*node).find(|above| filled.contains(above)) {
                let (path, whole) = (&schema.nodes[*node].path, &schema.nodes[whole].path);
                let message = format!(
                    "{whole}, which this field is inside of, is filled as a whole: leave one of them out"
                );
                self.faults
                    .push(Fault::new(format!("field {path}"), "rule", message));
            }
        }
    }

    /// Columns without a rule that have a field's name; others are wanted by nobody and say so.
    fn same_names(&mut self, spec: &MapSpec) {
        let schema = self.schema;
        for (at, column) in self.named.iter().enumerate() {
            if self.used.contains(&at) {
                continue;
            }
            let node = schema.node(column).or_else(|| self.folded(column));
            match node.filter(|node| schema.list_of(*node).is_none()) {
                Some(node) if !spec.fields.contains_key(&schema.nodes[node].path) => {
                    let rule = Rule::default();
                    let written = self.written(node, &rule);
                    let (from, label) = (From::Columns(vec![at]), self.columns[at].clone());
                    self.steps.push(Step::new(node, from, rule, written, label));
                }
                _ => {
                    let near = nearest(
                        column,
                        schema.roots.iter().map(|node| schema.nodes[*node].name.as_str()),
                    );
                    let hint = near
                        .map(|near| format!(" (did you mean {near}?)"))
                        .unwrap_or_default();
                    let message =
                        format!("no field takes this column{hint}: name it in [map], or add it to map.drop");
                    let place = format!("column {}", self.shown(column));
                    self.unwanted.push(Fault::new(place, "columns_unknown", message));
                }
            }
        }
    }

    /// The definition's `csv` is of cells alone: what a rule makes is written as records are.
    fn written(&self, node: NodeId, rule: &Rule) -> Written {
        let node = &self.schema.nodes[node];
        let csv = &self.schema.definition.csv;
        let is_cell = self.origin == Origin::Csv && rule.constant.is_none() && !node.list;
        match (&node.ty, &rule.format) {
            (Type::Date, Some(format)) => Written::Date(format.clone()),
            (Type::Timestamp, Some(format)) => Written::Moment(format.clone()),
            (Type::Bool, _) if matches!(self.origin, Origin::Database | Origin::Xml) => Written::Truth,
            (Type::Decimal, _) if is_cell && csv.decimal_comma => Written::Comma,
            (Type::Date, None) if is_cell => {
                csv.date_format.clone().map_or(Written::AsRecords, Written::Date)
            }
            _ => Written::AsRecords,
        }
    }

    fn folded(&self, column: &str) -> Option<NodeId> {
        let lower = column.to_lowercase();
        let mut found = self
            .schema
            .roots
            .iter()
            .filter(|node| self.schema.nodes[**node].name.to_lowercase() == lower);
        match (found.next(), found.next()) {
            (Some(node), None) => Some(*node),
            _ => None,
        }
    }
}
