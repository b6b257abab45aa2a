//! Columns of a source → fields of a definition, as `[map]` says.

use std::{borrow::Cow, collections::BTreeSet};

use dagr_model::{
    definition::{CsvOptions, Type},
    expression::Formula,
    fault::{Fault, nearest},
    schema::{NodeId, Schema},
};
use jiff::civil;

use crate::feed::{MapSpec, Other, Rule};

/// The rules for one header.
#[derive(Debug)]
pub struct Mapping {
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    node: NodeId,
    from: From,
    rule: Rule,
    /// Is it a date or a time, for `format`.
    time: Option<Time>,
    /// Databases write 1 and 0.
    truth: bool,
    /// What a refusal calls the column.
    label: String,
}

#[derive(Debug)]
enum From {
    Columns(Vec<usize>),
    Constant(String),
    Formula(Box<Formula>),
}

#[derive(Debug, Clone, Copy)]
enum Time {
    Date,
    Timestamp,
}

/// A value that a rule cannot turn into the field's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub node: NodeId,
    pub rule: &'static str,
    pub message: String,
}

impl Mapping {
    /// Every rule must name a field and columns that exist. Columns that nobody wants are told beside the mapping.
    pub fn compile(
        spec: &MapSpec,
        csv: &CsvOptions,
        schema: &Schema,
        columns: &[String],
        database: bool,
    ) -> Result<(Self, Vec<Fault>), Vec<Fault>> {
        let named: Vec<&str> = columns
            .iter()
            .map(|column| csv.columns.get(column).map_or(column.as_str(), String::as_str))
            .collect();
        let mut compile = Compile {
            schema,
            columns,
            database,
            named: &named,
            used: spec
                .drop
                .iter()
                .chain(&csv.ignore)
                .filter_map(|drop| position(columns, &named, drop))
                .collect(),
            faults: Vec::new(),
            unwanted: Vec::new(),
            steps: Vec::new(),
        };
        for drop in &spec.drop {
            if position(columns, &named, drop).is_none() {
                compile.no_column("map.drop", drop);
            }
        }
        for (field, rule) in &spec.fields {
            compile.rule(field, rule);
        }
        compile.same_names(spec);
        if compile.faults.is_empty() {
            let mapping = Self { steps: compile.steps };
            Ok((mapping, compile.unwanted))
        } else {
            compile.faults.append(&mut compile.unwanted);
            Err(compile.faults)
        }
    }

    /// The cells of a row that have a value, or every refusal.
    pub fn apply<'r>(&'r self, row: &[Option<&'r str>]) -> Result<Vec<(NodeId, Cow<'r, str>)>, Vec<Refusal>> {
        let mut cells = Vec::with_capacity(self.steps.len());
        let mut refusals = Vec::new();
        for step in &self.steps {
            match step.value(row) {
                Ok(Some(value)) if !value.is_empty() => cells.push((step.node, value)),
                Ok(_) => {}
                Err((rule, message)) => refusals.push(Refusal {
                    node: step.node,
                    rule,
                    message,
                }),
            }
        }
        if refusals.is_empty() {
            Ok(cells)
        } else {
            Err(refusals)
        }
    }

    /// The column a field comes from, and what stands in it.
    pub fn origin<'r>(&'r self, schema: &Schema, path: &str, row: &[Option<&'r str>]) -> (&'r str, &'r str) {
        let node = schema.node(path);
        let step = self
            .steps
            .iter()
            .find(|step| Some(step.node) == node || path.starts_with(&schema.nodes[step.node].path));
        match step {
            Some(step) => {
                let first = match &step.from {
                    From::Columns(columns) => columns.first().and_then(|at| row.get(*at).copied().flatten()),
                    From::Constant(text) => Some(text.as_str()),
                    From::Formula(formula) => formula
                        .columns()
                        .next()
                        .and_then(|at| row.get(at).copied().flatten()),
                };
                (&step.label, first.unwrap_or_default())
            }
            None => ("", ""),
        }
    }

    /// What a field gets from a row; `None` = nothing gives it.
    pub fn value_of<'r>(
        &'r self,
        node: NodeId,
        row: &[Option<&'r str>],
    ) -> Option<Result<Option<Cow<'r, str>>, Refusal>> {
        let step = self.steps.iter().find(|step| step.node == node)?;
        let refused = |(rule, message)| Refusal { node, rule, message };
        Some(step.value(row).map_err(refused))
    }

    /// Columns in the row that hold a field's value as it is: what asks the source for one record.
    pub fn column_of(&self, node: NodeId) -> Option<usize> {
        let step = self.steps.iter().find(|step| step.node == node)?;
        match (&step.from, &step.rule) {
            (From::Columns(columns), rule)
                if columns.len() == 1
                    && rule.split.is_none()
                    && rule.format.is_none()
                    && rule.codes.is_empty() =>
            {
                columns.first().copied()
            }
            _ => None,
        }
    }
}

impl Step {
    fn value<'r>(&'r self, row: &[Option<&'r str>]) -> Result<Option<Cow<'r, str>>, (&'static str, String)> {
        let value: Cow<'r, str> = match &self.from {
            From::Constant(text) => Cow::Borrowed(text.as_str()),
            From::Formula(formula) => match formula.value(row) {
                Ok(Some(text)) => Cow::Owned(text),
                Ok(None) => return Ok(None),
                Err(why) => return Err(("cel", format!("the expression {why}"))),
            },
            From::Columns(columns) => match columns.as_slice() {
                [one] => match row.get(*one).copied().flatten() {
                    Some(text) => Cow::Borrowed(text),
                    None => return Ok(None),
                },
                many => {
                    let parts: Vec<&str> = many
                        .iter()
                        .filter_map(|at| row.get(*at).copied().flatten())
                        .filter(|part| !part.is_empty())
                        .collect();
                    Cow::Owned(parts.join(self.rule.join.as_deref().unwrap_or(" ")))
                }
            },
        };
        let value = match &self.rule.split {
            Some((by, part)) => match value.split(by.as_str()).nth(part - 1) {
                Some(part) => Cow::Owned(part.trim().to_owned()),
                None => return Ok(None),
            },
            None => value,
        };
        if value.is_empty() {
            return Ok(None);
        }
        self.coded(value)?
            .map_or(Ok(None), |value| self.timed(value).map(Some))
    }

    fn coded<'r>(&self, value: Cow<'r, str>) -> Result<Option<Cow<'r, str>>, (&'static str, String)> {
        if self.rule.codes.is_empty() {
            return Ok(Some(value));
        }
        match (self.rule.codes.get(&*value), self.rule.other) {
            (Some(code), _) => Ok(Some(Cow::Owned(code.clone()))),
            (None, Other::Keep) => Ok(Some(value)),
            (None, Other::Empty) => Ok(None),
            (None, Other::Refuse) => Err((
                "codes",
                "the map's codes do not know this value; add it, or say other".to_owned(),
            )),
        }
    }

    fn timed<'r>(&self, value: Cow<'r, str>) -> Result<Cow<'r, str>, (&'static str, String)> {
        let Some(format) = &self.rule.format else {
            return Ok(match (self.truth, &*value) {
                (true, "1" | "t") => Cow::Borrowed("true"),
                (true, "0" | "f") => Cow::Borrowed("false"),
                _ => value,
            });
        };
        let text = value.trim();
        let read = match self.time {
            Some(Time::Date) => civil::Date::strptime(format, text).map(|date| date.to_string()),
            Some(Time::Timestamp) => civil::DateTime::strptime(format, text).map(|at| at.to_string()),
            None => return Ok(value),
        };
        read.map(Cow::Owned)
            .map_err(|_| ("format", format!("expected the form {format}")))
    }
}

struct Compile<'c> {
    schema: &'c Schema,
    columns: &'c [String],
    database: bool,
    /// Columns as the definition calls them.
    named: &'c [&'c str],
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
    fn no_column(&mut self, place: &str, column: &str) {
        let message = match nearest(column, self.named.iter().copied()) {
            Some(near) => format!("the source has no column {column}; did you mean {near}?"),
            None => format!(
                "the source has no column {column}; it has {}",
                self.named.join(", ")
            ),
        };
        self.faults.push(Fault::new(place, "column_unknown", message));
    }

    fn rule(&mut self, field: &str, rule: &Rule) {
        let place = format!("map.{field}");
        let Some(node) = self.schema.node(field) else {
            let known = self.schema.nodes.iter().map(|node| node.path.as_str());
            let message = match nearest(field, known) {
                Some(near) => format!("the definition has no field {field}; did you mean {near}?"),
                None => format!("the definition has no field {field}"),
            };
            self.faults.push(Fault::new(place, "field_unknown", message));
            return;
        };
        let mut columns = Vec::new();
        for column in &rule.columns {
            match position(self.columns, self.named, column) {
                Some(at) => columns.push(at),
                None => self.no_column(&place, column),
            }
        }
        self.used.extend(&columns);
        let time = match self.schema.nodes[node].ty {
            Type::Date => Some(Time::Date),
            Type::Timestamp => Some(Time::Timestamp),
            _ => None,
        };
        if rule.format.is_some() && time.is_none() {
            let message = "format is for fields of type date or timestamp";
            self.faults.push(Fault::new(&place, "rule", message));
        }
        let mut label = rule.columns.join(" + ");
        let from = match (&rule.constant, &rule.cel) {
            (Some(text), _) => From::Constant(text.clone()),
            (None, None) => From::Columns(columns),
            (None, Some(text)) => match Formula::compile(text, self.columns) {
                Ok(formula) => {
                    let read: Vec<usize> = formula.columns().collect();
                    let names: Vec<&str> = read.iter().map(|at| self.columns[*at].as_str()).collect();
                    label = names.join(" + ");
                    self.used.extend(read);
                    From::Formula(Box::new(formula))
                }
                Err(faults) => {
                    self.faults.extend(faults.into_iter().map(|fault| {
                        Fault::new(format!("{place}.cel {}", fault.place), fault.rule, fault.message)
                    }));
                    return;
                }
            },
        };
        self.steps.push(Step {
            node,
            from,
            rule: rule.clone(),
            time,
            truth: self.is_truth(node),
            label,
        });
    }

    /// Columns without a rule that have a field's name; others are wanted by nobody and say so.
    fn same_names(&mut self, spec: &MapSpec) {
        let schema = self.schema;
        for (at, column) in self.named.iter().enumerate() {
            if self.used.contains(&at) {
                continue;
            }
            let node = schema.node(column).or_else(|| self.folded(column));
            match node {
                Some(node) if !spec.fields.contains_key(&schema.nodes[node].path) => {
                    self.steps.push(Step {
                        node,
                        from: From::Columns(vec![at]),
                        rule: Rule::default(),
                        time: None,
                        truth: self.is_truth(node),
                        label: self.columns[at].clone(),
                    });
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
                    self.unwanted
                        .push(Fault::new(format!("column {column}"), "columns_unknown", message));
                }
            }
        }
    }

    fn is_truth(&self, node: NodeId) -> bool {
        self.database && self.schema.nodes[node].ty == Type::Bool
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

/// What a value looks like without telling it: letters as a and A, digits as 9.
pub fn shape(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut out: String = text
        .chars()
        .take(LONGEST)
        .map(|c| match c {
            c if c.is_ascii_digit() => '9',
            c if c.is_uppercase() => 'A',
            c if c.is_alphabetic() => 'a',
            c if c.is_control() => '�',
            c if c.is_ascii_punctuation() || c == ' ' => c,
            _ => '?',
        })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::feed::Feed;

    fn schema() -> Schema {
        let text = "name: x_people\nkey: Code\ndata_description: d\nfields:\n  - Code : c\n  - Name : n\n  - Born date : b\n  - Status : s\n  - Country : s\n";
        Schema::compile(Arc::new(text.parse().unwrap()), None)
    }

    fn spec(map: &str) -> MapSpec {
        let text = format!(
            "dataset = 'x_people'\n[server]\nurl = 'http://x'\nclient_id = 'c'\nkey = {{ file = 'k' }}\n[source]\nkind = 'files'\npath = 'x.csv'\n[map]\n{map}"
        );
        Feed::parse(&text, std::path::Path::new(".")).unwrap().map
    }

    fn apply(
        map: &str,
        columns: &[&str],
        row: &[Option<&str>],
    ) -> Result<Vec<(String, String)>, Vec<String>> {
        let schema = schema();
        let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
        let mapping = Mapping::compile(&spec(map), &CsvOptions::default(), &schema, &columns, false)
            .and_then(|(mapping, unwanted)| {
                if unwanted.is_empty() {
                    Ok(mapping)
                } else {
                    Err(unwanted)
                }
            })
            .map_err(|faults| {
                faults
                    .iter()
                    .map(|fault| format!("{}: {}", fault.place, fault.rule))
                    .collect::<Vec<_>>()
            })?;
        let cells = mapping.apply(row);
        cells
            .map(|cells| {
                cells
                    .into_iter()
                    .map(|(node, text)| (schema.nodes[node].path.clone(), text.into_owned()))
                    .collect()
            })
            .map_err(|refusals| refusals.iter().map(|refusal| refusal.rule.to_owned()).collect())
    }

    #[test]
    fn columns_become_fields_by_every_rule() {
        let map = "Name = { columns = ['first', 'last'], join = ' ' }\nBorn = { column = 'dob', format = '%d.%m.%Y' }\nStatus = { column = 'st', codes = { '1' = 'alive' } }\nCountry = { constant = 'LV' }\ndrop = ['junk']";
        let columns = ["code", "first", "last", "dob", "st", "junk"];
        let row = [
            Some("7"),
            Some("Ā"),
            Some("Bērziņš"),
            Some("24.12.1990"),
            Some("1"),
            Some("x"),
        ];
        let mut cells = apply(map, &columns, &row).unwrap();
        cells.sort();
        let told: Vec<String> = cells
            .iter()
            .map(|(path, text)| format!("{path}={text}"))
            .collect();
        assert_eq!(
            told,
            [
                "Born=1990-12-24",
                "Code=7",
                "Country=LV",
                "Name=Ā Bērziņš",
                "Status=alive"
            ]
        );
        let row = [Some("7"), None, None, Some("1990-12-24"), Some("2"), None];
        assert_eq!(apply(map, &columns, &row).unwrap_err(), ["format", "codes"]);
    }

    #[test]
    fn an_expression_makes_a_value_of_columns() {
        let map = "Name = { cel = \"last == null ? first : first + ' ' + last\" }\nStatus = { cel = 'int(year) + 1 < 2000 || row.first.startsWith(\"Ā\")', codes = { true = 'old', false = 'new' } }\ndrop = ['Code']";
        let columns = ["Code", "first", "last", "year"];
        let told = |row: &[Option<&str>]| {
            apply(map, &columns, row).map(|cells| cells.into_iter().map(|(_, text)| text).collect::<Vec<_>>())
        };
        let row = [Some("7"), Some("Ārija"), Some("Bērziņa"), Some("2020")];
        assert_eq!(told(&row).unwrap(), ["Ārija Bērziņa", "old"]);
        let row = [Some("7"), Some("Jānis"), Some(""), Some("1999")];
        assert_eq!(told(&row).unwrap(), ["Jānis", "new"]);
        assert_eq!(
            told(&[Some("7"), Some("x"), None, Some("MCM")]).unwrap_err(),
            ["cel"]
        );
        let faults = apply(
            "Name = { cel = 'frist + nothing(1)' }\ndrop = ['Code', 'last', 'year', 'first']",
            &columns,
            &[],
        )
        .unwrap_err();
        assert_eq!(
            faults,
            [
                "map.Name.cel line 1, column 1: expression",
                "map.Name.cel line 1, column 16: expression"
            ]
        );
    }

    #[test]
    fn what_is_not_understood_is_told_all_at_once() {
        let faults = apply(
            "Nmae = 'x'\nName = 'fisrt'\ndrop = ['gone']",
            &["Code", "first", "more"],
            &[],
        )
        .unwrap_err();
        assert_eq!(
            faults,
            [
                "map.drop: column_unknown",
                "map.Name: column_unknown",
                "map.Nmae: field_unknown",
                "column first: columns_unknown",
                "column more: columns_unknown",
            ]
        );
    }

    #[test]
    fn a_shape_tells_no_value() {
        assert_eq!(shape("010190-12345 Jānis"), "999999-99999 Aaaaa");
        assert_eq!(shape(&"x".repeat(50)), format!("{}…", "a".repeat(40)));
    }
}
