//! A record → values of columns. Lists are Parquet's lists, objects its groups, so that any reader finds them.
//!
//! Every field may be empty. A value's *definition* says how much of its path is there, its *repetition* in which list
//! it goes on: <https://github.com/apache/parquet-format#nested-encoding>.

use std::{collections::HashMap, sync::Arc};

use dagr_model::{
    definition::{Field, Type as FieldType},
    value::{Instant, date},
};
use jiff::{civil::Date, tz::TimeZone};
use parquet::{
    basic::{LogicalType, Repetition, TimeUnit, Type as Physical},
    data_type::{ByteArray, FixedLenByteArray},
    errors::ParquetError,
    schema::types::{Type, TypePtr},
};
use serde_json::Value;

use super::columns::{Column, Values};

/// Digits of a decimal that Parquet's readers know.
const DIGITS: usize = 38;
/// Rows and bytes of values in one group.
const ROWS: usize = 100_000;
const BYTES: usize = 64 << 20;

/// What the values of decimals and times need, by the field's path.
#[derive(Debug, Default)]
pub struct Measures<'f> {
    fields: &'f [Field],
    seen: HashMap<String, Measure>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Measure {
    /// Of a decimal: digits before and after the point.
    whole: usize,
    fraction: usize,
    /// Of a time: one is finer than microseconds; one is too far away for nanoseconds.
    fine: bool,
    far: bool,
}

impl<'f> Measures<'f> {
    pub fn of(fields: &'f [Field]) -> Self {
        Self {
            fields,
            seen: HashMap::new(),
        }
    }

    /// Is there a field that has to be measured?
    pub fn are_needed(&self) -> bool {
        fn any(fields: &[Field]) -> bool {
            fields.iter().any(|field| {
                matches!(field.ty, FieldType::Decimal | FieldType::Timestamp) || any(&field.fields)
            })
        }
        any(self.fields)
    }

    pub fn see(&mut self, record: &Value) {
        let fields = self.fields;
        self.members(fields, "", record);
    }

    fn members(&mut self, fields: &[Field], above: &str, value: &Value) {
        for field in fields {
            let Some(value) = value.get(&field.name) else {
                continue;
            };
            let path = joined(above, &field.name);
            match value {
                Value::Array(items) if field.list => {
                    for item in items {
                        self.one(field, &path, item);
                    }
                }
                one => self.one(field, &path, one),
            }
        }
    }

    fn one(&mut self, field: &Field, path: &str, value: &Value) {
        match (&field.ty, value) {
            (FieldType::Object, _) => self.members(&field.fields, path, value),
            (FieldType::Decimal, Value::Number(number)) => {
                let text = number.to_string();
                let digits = text.trim_start_matches('-');
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
                let measure = self.seen.entry(path.to_owned()).or_default();
                measure.whole = measure.whole.max(whole.len());
                measure.fraction = measure.fraction.max(fraction.len());
            }
            (FieldType::Timestamp, Value::String(text)) => {
                let measure = self.seen.entry(path.to_owned()).or_default();
                if let Some(at) = instant(text) {
                    measure.fine |= at.nanos() % 1_000 != 0;
                    measure.far |= at.seconds().checked_mul(1_000_000_000).is_none();
                }
            }
            _ => {}
        }
    }

    fn form(&self, field: &Field, path: &str) -> Form {
        let measure = self.seen.get(path).copied().unwrap_or_default();
        match field.ty {
            FieldType::Int => Form::Int,
            FieldType::Bool => Form::Bool,
            FieldType::Date => Form::Date,
            FieldType::Decimal if measure.whole + measure.fraction <= DIGITS => Form::Decimal {
                scale: measure.fraction,
            },
            FieldType::Timestamp if !measure.fine => Form::Time { nanos: false },
            FieldType::Timestamp if !measure.far => Form::Time { nanos: true },
            FieldType::Json | FieldType::Point | FieldType::Geometry => Form::Json,
            _ => Form::Text,
        }
    }
}

fn joined(above: &str, name: &str) -> String {
    if above.is_empty() {
        name.to_owned()
    } else {
        format!("{above}.{name}")
    }
}

/// How a scalar is written. What no number of Parquet holds exactly is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
    Int,
    Bool,
    Date,
    Decimal { scale: usize },
    Time { nanos: bool },
}

/// Where a field's values go.
enum Node {
    Leaf(usize),
    Group(Vec<(String, Self)>),
    List(Box<Self>),
}

struct Leaf {
    path: String,
    form: Form,
    column: Column,
}

/// Rows on their way to a group of the file.
pub struct Sheet {
    ty: TypePtr,
    root: Vec<(String, Node)>,
    leaves: Vec<Leaf>,
    rows: usize,
    bytes: usize,
}

impl Sheet {
    pub fn new(fields: &[Field], measures: &Measures<'_>) -> Result<Self, ParquetError> {
        let mut plan = Plan {
            measures,
            leaves: Vec::new(),
        };
        let (types, root) = plan.fields(fields, "")?;
        Ok(Self {
            ty: group("record", None, types, None)?,
            root,
            leaves: plan.leaves,
            rows: 0,
            bytes: 0,
        })
    }

    pub fn ty(&self) -> TypePtr {
        Arc::clone(&self.ty)
    }

    pub fn is_full(&self) -> bool {
        self.rows >= ROWS || self.bytes >= BYTES
    }

    /// The columns so far; the sheet is empty again.
    pub fn take(&mut self) -> Vec<Column> {
        (self.rows, self.bytes) = (0, 0);
        self.leaves
            .iter_mut()
            .map(|leaf| {
                let empty = Column {
                    values: leaf.column.values.emptied(),
                    definitions: Vec::new(),
                    repetitions: Vec::new(),
                };
                std::mem::replace(&mut leaf.column, empty)
            })
            .collect()
    }

    /// One record. The error names a field whose value is not of its type.
    pub fn push(&mut self, record: &Value) -> Result<(), String> {
        self.rows += 1;
        for (name, node) in &self.root {
            self.bytes += put(node, &mut self.leaves, record.get(name), At::default())?;
        }
        Ok(())
    }
}

/// Levels of a place in a record.
#[derive(Debug, Clone, Copy, Default)]
struct At {
    repetition: i16,
    definition: i16,
    /// Lists around.
    lists: i16,
}

/// Gives the bytes that the value takes.
fn put(node: &Node, leaves: &mut [Leaf], value: Option<&Value>, at: At) -> Result<usize, String> {
    let value = value.filter(|value| !value.is_null());
    let deeper = |levels| At {
        definition: at.definition + levels,
        ..at
    };
    match (node, value) {
        (_, None) => {
            nothing(node, leaves, at);
            Ok(0)
        }
        (Node::Leaf(leaf), Some(value)) => {
            let leaf = &mut leaves[*leaf];
            leaf.levels(deeper(1));
            leaf.value(value)
                .ok_or_else(|| format!("a value of {} is not of its type; verify the copy", leaf.path))
        }
        (Node::Group(members), Some(value)) => {
            let mut bytes = 0;
            for (name, inner) in members {
                bytes += put(inner, leaves, value.get(name), deeper(1))?;
            }
            Ok(bytes)
        }
        (Node::List(inner), Some(value)) => {
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            if items.is_empty() {
                nothing(inner, leaves, deeper(1));
            }
            let mut bytes = 0;
            for (n, item) in items.iter().enumerate() {
                let at = At {
                    repetition: if n == 0 { at.repetition } else { at.lists + 1 },
                    definition: at.definition + 2,
                    lists: at.lists + 1,
                };
                bytes += put(inner, leaves, Some(item), at)?;
            }
            Ok(bytes)
        }
    }
}

/// No value: every column below says how far the path goes.
fn nothing(node: &Node, leaves: &mut [Leaf], at: At) {
    match node {
        Node::Leaf(leaf) => leaves[*leaf].levels(at),
        Node::Group(members) => {
            for (_, inner) in members {
                nothing(inner, leaves, at);
            }
        }
        Node::List(inner) => nothing(inner, leaves, at),
    }
}

impl Leaf {
    fn levels(&mut self, at: At) {
        self.column.definitions.push(at.definition);
        self.column.repetitions.push(at.repetition);
    }

    fn value(&mut self, value: &Value) -> Option<usize> {
        match (&mut self.column.values, self.form) {
            (Values::Bool(values), _) => values.push(value.as_bool()?),
            (Values::Int32(values), _) => values.push(day(value.as_str()?)?),
            (Values::Int64(values), Form::Time { nanos }) => values.push(moment(value.as_str()?, nanos)?),
            (Values::Int64(values), _) => values.push(value.to_string().parse().ok()?),
            (Values::Fixed(values), Form::Decimal { scale }) => {
                let whole = unscaled(&value.to_string(), scale)?;
                values.push(FixedLenByteArray::from(whole.to_be_bytes().to_vec()));
                return Some(16);
            }
            (Values::Fixed(_), _) => return None,
            (Values::Bytes(values), form) => {
                let text = match value {
                    Value::String(text) if form == Form::Text => text.clone(),
                    other => other.to_string(),
                };
                let length = text.len();
                values.push(ByteArray::from(text.into_bytes()));
                return Some(length + 4);
            }
        }
        Some(8)
    }
}

fn day(text: &str) -> Option<i32> {
    let days = date(text)
        .ok()?
        .duration_since(Date::constant(1970, 1, 1))
        .as_hours()
        / 24;
    i32::try_from(days).ok()
}

fn instant(text: &str) -> Option<Instant> {
    Instant::parse(text, &TimeZone::UTC).ok()
}

fn moment(text: &str, nanos: bool) -> Option<i64> {
    let at = instant(text)?;
    let (per_second, part) = if nanos {
        (1_000_000_000, at.nanos())
    } else {
        (1_000_000, at.nanos() / 1_000)
    };
    at.seconds().checked_mul(per_second)?.checked_add(i64::from(part))
}

fn unscaled(text: &str, scale: usize) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let zeros = "0".repeat(scale.checked_sub(fraction.len())?);
    format!("{whole}{fraction}{zeros}").parse().ok()
}

struct Plan<'p> {
    measures: &'p Measures<'p>,
    leaves: Vec<Leaf>,
}

type Made<T> = Result<(T, Node), ParquetError>;

impl Plan<'_> {
    fn fields(
        &mut self,
        fields: &[Field],
        above: &str,
    ) -> Result<(Vec<TypePtr>, Vec<(String, Node)>), ParquetError> {
        let mut made = (Vec::new(), Vec::new());
        for field in fields {
            let (ty, node) = self.field(field, above)?;
            made.0.push(ty);
            made.1.push((field.name.clone(), node));
        }
        Ok(made)
    }

    fn field(&mut self, field: &Field, above: &str) -> Made<TypePtr> {
        let path = joined(above, &field.name);
        if !field.list {
            return self.one(field, &field.name, &path);
        }
        let (item, node) = self.one(field, "element", &path)?;
        let repeated = group("list", Some(Repetition::REPEATED), vec![item], None)?;
        let list = group(
            &field.name,
            Some(Repetition::OPTIONAL),
            vec![repeated],
            Some(LogicalType::List),
        )?;
        Ok((list, Node::List(Box::new(node))))
    }

    fn one(&mut self, field: &Field, name: &str, path: &str) -> Made<TypePtr> {
        if field.ty == FieldType::Object {
            let (types, nodes) = self.fields(&field.fields, path)?;
            let ty = group(name, Some(Repetition::OPTIONAL), types, None)?;
            return Ok((ty, Node::Group(nodes)));
        }
        let form = self.measures.form(field, path);
        let (ty, values) = form.column(name)?;
        self.leaves.push(Leaf {
            path: path.to_owned(),
            form,
            column: Column {
                values,
                definitions: Vec::new(),
                repetitions: Vec::new(),
            },
        });
        Ok((ty, Node::Leaf(self.leaves.len() - 1)))
    }
}

fn group(
    name: &str,
    repetition: Option<Repetition>,
    fields: Vec<TypePtr>,
    logical: Option<LogicalType>,
) -> Result<TypePtr, ParquetError> {
    let mut builder = Type::group_type_builder(name)
        .with_fields(fields)
        .with_logical_type(logical);
    if let Some(repetition) = repetition {
        builder = builder.with_repetition(repetition);
    }
    builder.build().map(Arc::new)
}

impl Form {
    fn column(self, name: &str) -> Result<(TypePtr, Values), ParquetError> {
        let (physical, values, logical) = match self {
            Self::Text => (
                Physical::BYTE_ARRAY,
                Values::Bytes(Vec::new()),
                Some(LogicalType::String),
            ),
            Self::Json => (
                Physical::BYTE_ARRAY,
                Values::Bytes(Vec::new()),
                Some(LogicalType::Json),
            ),
            Self::Int => (Physical::INT64, Values::Int64(Vec::new()), None),
            Self::Bool => (Physical::BOOLEAN, Values::Bool(Vec::new()), None),
            Self::Date => (
                Physical::INT32,
                Values::Int32(Vec::new()),
                Some(LogicalType::Date),
            ),
            Self::Decimal { scale } => (
                Physical::FIXED_LEN_BYTE_ARRAY,
                Values::Fixed(Vec::new()),
                Some(LogicalType::decimal(scale as i32, DIGITS as i32)),
            ),
            Self::Time { nanos } => {
                let unit = if nanos { TimeUnit::NANOS } else { TimeUnit::MICROS };
                let logical = LogicalType::timestamp(true, unit);
                (Physical::INT64, Values::Int64(Vec::new()), Some(logical))
            }
        };
        let mut builder = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        if let Self::Decimal { scale } = self {
            builder = builder
                .with_length(16)
                .with_precision(DIGITS as i32)
                .with_scale(scale as i32);
        }
        Ok((Arc::new(builder.build()?), values))
    }
}

#[cfg(test)]
mod tests;
