//! Columns of a source → fields of a definition, as `[map]` says.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use dagr_model::{
    definition::Type,
    expression::Formula,
    fault::{Fault, nearest},
    schema::{NodeId, Schema},
};
use jiff::{civil, fmt::strtime};

use crate::feed::{MapSpec, Other, Rule};

/// What columns are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Cells are written as the definition's `csv` says.
    Csv,
    Parquet,
    Database,
    /// Members of a record, which need not be there.
    Json,
    /// The same of an element.
    Xml,
}

impl Origin {
    /// Does a header name every column that there is?
    pub fn has_header(self) -> bool {
        matches!(self, Self::Csv | Self::Parquet | Self::Database)
    }
}

/// Fields that have a column → that column.
pub type Filled = BTreeMap<String, String>;

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
    written: Written,
    /// What a refusal calls the column.
    label: String,
}

#[derive(Debug)]
enum From {
    Columns(Vec<usize>),
    Constant(String),
    Formula(Box<Formula>),
}

/// How the source writes a value, where not as records do.
#[derive(Debug)]
enum Written {
    AsRecords,
    /// Databases write 1 and 0.
    Truth,
    /// A decimal with a comma.
    Comma,
    /// strftime.
    Date(String),
    /// strftime.
    Moment(String),
}

/// A value that a rule cannot turn into the field's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub node: NodeId,
    pub rule: &'static str,
    pub message: String,
}

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
                .filter_map(|drop| position(columns, &named, drop))
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
            .find(|step| Some(step.node) == node || is_inside(path, &schema.nodes[step.node].path));
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

    /// Fields and the columns that fill them.
    pub fn filled(&self, schema: &Schema) -> Filled {
        let steps = self.steps.iter().filter(|step| !step.label.is_empty());
        steps
            .map(|step| (schema.nodes[step.node].path.clone(), step.label.clone()))
            .collect()
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
            .map_or(Ok(None), |value| self.as_records(value).map(Some))
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

    fn as_records<'r>(&self, value: Cow<'r, str>) -> Result<Cow<'r, str>, (&'static str, String)> {
        let text = value.trim();
        if text.is_empty() {
            return Ok(value);
        }
        let (format, read) = match &self.written {
            Written::AsRecords => return Ok(value),
            Written::Truth => {
                return Ok(match &*value {
                    "1" | "t" => Cow::Borrowed("true"),
                    "0" | "f" => Cow::Borrowed("false"),
                    _ => value,
                });
            }
            // A point could be meant as a separator of thousands: guessing would change the number.
            Written::Comma if text.contains('.') => {
                return Err(("type", "expected a decimal number with a comma".to_owned()));
            }
            Written::Comma => return Ok(Cow::Owned(text.replacen(',', ".", 1))),
            Written::Date(format) => (
                format,
                civil::Date::strptime(format, text).map(|date| date.to_string()),
            ),
            Written::Moment(format) => (format, moment(format, text)),
        };
        read.map(Cow::Owned)
            .map_err(|_| ("format", format!("expected the form {format}")))
    }
}

/// A moment where the text tells its offset, its zone or seconds of Unix time; else what some clock shows.
fn moment(format: &str, text: &str) -> Result<String, jiff::Error> {
    let read = strtime::parse(format, text)?;
    if read.iana_time_zone().is_some() {
        read.to_zoned_datetime().map(|at| at.timestamp().to_string())
    } else if read.offset().is_some() || read.timestamp().is_some() {
        read.to_timestamp().map(|at| at.to_string())
    } else {
        read.to_datetime().map(|at| at.to_string())
    }
}

/// Is `path` the field itself, or something inside it?
fn is_inside(path: &str, field: &str) -> bool {
    path.strip_prefix(field)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
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
        self.steps.push(Step {
            node,
            from,
            rule: rule.clone(),
            written,
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
                    let rule = Rule::default();
                    self.steps.push(Step {
                        node,
                        from: From::Columns(vec![at]),
                        written: self.written(node, &rule),
                        rule,
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
        let mapping = Mapping::compile(&spec(map), &schema, &columns, Origin::Json, &Filled::new())
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
    fn a_refusal_names_the_column_of_its_own_field() {
        let text = "name: x_set\nkey: Id\ndata_description: d\nfields:\n  - Id : i\n  - Owner : o\n  - OwnerCode : c\n  - Home :\n      comments: h\n      fields:\n        - City : c\n";
        let schema = Schema::compile(Arc::new(text.parse().unwrap()), None);
        let columns = ["Id", "Owner", "OwnerCode", "Home"].map(str::to_owned);
        let (mapping, _) = Mapping::compile(
            &MapSpec::default(),
            &schema,
            &columns,
            Origin::Csv,
            &Filled::new(),
        )
        .unwrap();
        let row = [Some("1"), Some("o"), Some("c"), Some("{}")];
        let of = |path| mapping.origin(&schema, path, &row);
        assert_eq!(of("OwnerCode"), ("OwnerCode", "c"));
        assert_eq!(of("Home.City"), ("Home", "{}"));
        assert_eq!(of("OwnerCodes[0]"), ("", ""));
    }

    #[test]
    fn a_shape_tells_no_value() {
        assert_eq!(shape("010190-12345 Jānis"), "999999-99999 Aaaaa");
        assert_eq!(shape(&"x".repeat(50)), format!("{}…", "a".repeat(40)));
    }
}
