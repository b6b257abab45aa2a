//! Columns of a source → fields of a definition, as `[map]` says.

mod compile;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeMap};

use dagr_model::{
    definition::Type,
    expression::Formula,
    schema::{NodeId, Schema},
};
use jiff::{civil, fmt::strtime};
use smallvec::SmallVec;

use crate::feed::{Other, Rule};

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
    /// The column whose cells are the field's as they stand.
    plain: Option<usize>,
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

/// Cells of one row that have a value.
pub type Mapped<'r> = SmallVec<[(NodeId, Cow<'r, str>); 16]>;

/// A value that a rule cannot turn into the field's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub node: NodeId,
    pub rule: &'static str,
    pub message: String,
}

impl Mapping {
    /// The cells of a row that have a value, or every refusal.
    pub fn apply<'r>(&'r self, row: &[Option<&'r str>], cells: &mut Mapped<'r>) -> Result<(), Vec<Refusal>> {
        let mut refusals = Vec::new();
        for step in &self.steps {
            if let Some(at) = step.plain {
                let text = row.get(at).copied().flatten().filter(|text| !text.is_empty());
                cells.extend(text.map(|text| (step.node, Cow::Borrowed(text))));
                continue;
            }
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
            Ok(())
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

    /// The fields that read a column, and what refusals call it.
    pub fn readers(&self, at: usize) -> impl Iterator<Item = (NodeId, &str)> {
        let reads = move |step: &&Step| match &step.from {
            From::Columns(columns) => columns.contains(&at),
            From::Formula(formula) => formula.columns().any(|column| column == at),
            From::Constant(_) => false,
        };
        self.steps
            .iter()
            .filter(reads)
            .map(|step| (step.node, step.label.as_str()))
    }

    /// Columns that are moments as they stand.
    pub fn moments(&self, schema: &Schema) -> Vec<usize> {
        let is_moment = |step: &&Step| schema.nodes[step.node].ty == Type::Timestamp;
        self.steps
            .iter()
            .filter(is_moment)
            .filter_map(|step| step.plain)
            .collect()
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
        whole_column(&step.from, &step.rule)
    }
}

/// The one column whose values are a field's, however they are written.
fn whole_column(from: &From, rule: &Rule) -> Option<usize> {
    match from {
        From::Columns(columns)
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

impl Step {
    fn new(node: NodeId, from: From, rule: Rule, written: Written, label: String) -> Self {
        let plain = whole_column(&from, &rule).filter(|_| matches!(written, Written::AsRecords));
        Self {
            node,
            from,
            rule,
            written,
            label,
            plain,
        }
    }

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
        if matches!(self.written, Written::AsRecords) {
            return Ok(value);
        }
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
