//! A data set's definition: the text that configures it, as values.
//!
//! `parse` reads the text, `print` writes its canonical form, `check` finds what is wrong in meaning,
//! `evolution` compares two texts.

mod amount;
mod check;
mod evolution;
mod fields;
mod line;
mod narrow;
mod parse;
mod print;
mod yaml;

use std::collections::BTreeMap;

use serde::Serialize;
use unicode_normalization::UnicodeNormalization;

pub use self::{
    amount::share,
    check::check_publish,
    evolution::{Condition, Evolution, EvolutionChange, EvolutionClass, Widened, evolution},
    fields::{is_classifier, is_field_name},
    parse::TEXT_LIMIT,
    print::holds_round_trip,
};

use crate::ids::DatasetName;

/// Parsed and checked definition. Field order is the definition's order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Definition {
    pub name: DatasetName,
    pub key: KeySpec,
    pub description: String,
    pub fields: Vec<Field>,
    pub replaces: Option<DatasetName>,
    /// Dotted paths, lists included, that name a data subject.
    pub subject: Vec<String>,
    pub classification: Classification,
    /// Each index is one or more dotted paths of scalar leaves; one of a single path may go through lists.
    pub indexes: Vec<Vec<String>>,
    pub changes: Vec<ChangeList>,
    pub public: Option<PublicFile>,
    pub csv: CsvOptions,
    pub history: bool,
    /// Promised delay in seconds.
    pub freshness_s: Option<u64>,
    /// Share of the live records one package may remove, in hundredths of a per cent (10 % = 1 000).
    pub guard_bp: u32,
    /// Days deletes are remembered.
    pub tombstones_days: u32,
    pub retention: Option<Retention>,
    /// IANA zone for timestamps without an offset.
    pub timezone: String,
    pub source: Option<Source>,
}

impl Definition {
    pub const DEFAULT_GUARD_BP: u32 = 1_000;
    pub const DEFAULT_TOMBSTONES_DAYS: u32 = 400;

    /// Personal: every read is a disclosure that names a subject.
    pub fn is_personal(&self) -> bool {
        !self.subject.is_empty()
    }

    pub fn is_open(&self) -> bool {
        self.classification == Classification::Open
    }

    /// LIST and path of every field of `code(LIST)`.
    pub fn classifiers(&self) -> impl Iterator<Item = (&str, String)> {
        fn walk<'d>(fields: &'d [Field], prefix: &str, out: &mut Vec<(&'d str, String)>) {
            for field in fields {
                let path = format!("{prefix}{}", field.name);
                match &field.ty {
                    Type::Code(list) => out.push((list, path)),
                    Type::Object => walk(&field.fields, &format!("{path}."), out),
                    _ => {}
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.fields, "", &mut found);
        found.into_iter()
    }

    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// `Code(, Year, Id)`: the part before the parenthesis is the partition, the rest the order inside it.
/// All are names of top-level scalar fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeySpec {
    pub partition: Vec<String>,
    pub order: Vec<String>,
}

impl KeySpec {
    /// All key fields, partition first.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.partition.iter().chain(&self.order).map(String::as_str)
    }
    pub fn len(&self) -> usize {
        self.partition.len() + self.order.len()
    }
    pub fn is_empty(&self) -> bool {
        self.partition.is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: Type,
    pub list: bool,
    pub required: bool,
    pub comments: String,
    pub personal: Option<Personal>,
    pub unit: Option<String>,
    /// Children of a structured field (`ty == Object`), else empty.
    pub fields: Vec<Field>,
}

/// Serialised as a field line writes it (`code(LIST)`), a structured field as `object`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    Text,
    Int,
    Decimal,
    Bool,
    Date,
    Timestamp,
    Uuid,
    PersonCode,
    OrgCode,
    /// Value of a published classifier.
    Code(String),
    Point,
    Geometry,
    Json,
    /// A structured field; carries `fields`.
    Object,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Personal {
    Subject,
    Identifying,
    Sensitive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Classification {
    Open,
    Restricted,
    Sensitive,
}

/// A named change list: records for which the CEL expression over `old` and `new` held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeList {
    pub name: String,
    pub when: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicFile {
    pub filename: String,
    /// Dotted paths; `None` = every leaf in definition order.
    pub fields: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CsvOptions {
    pub delimiter: Option<char>,
    pub charset: Option<String>,
    pub decimal_comma: bool,
    /// Column header → field name.
    pub columns: BTreeMap<String, String>,
    /// Column headers to leave unread (the empty header is written `""`).
    pub ignore: Vec<String>,
    pub duplicates: Duplicates,
    /// strftime format for dates, where the provider's are not ISO.
    pub date_format: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Duplicates {
    #[default]
    Quarantine,
    First,
    Last,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// A top-level date or timestamp field.
    pub field: String,
    pub keep_months: u32,
    pub keep_days: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    pub system: Option<String>,
    pub legal_act: Option<String>,
}

/// Names compare in NFC, as stored text does.
fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// `nearest` for words that a person may have written; longer ones are no slip of the fingers and cost too much.
fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LIMIT: usize = 160;
    if word.len() > LIMIT {
        None
    } else {
        crate::fault::nearest(word, known)
    }
}

/// A piece of the text as a message repeats it: short, and on one line.
fn shown(text: &str) -> String {
    const LIMIT: usize = 80;
    let mut out: String = text
        .chars()
        .take(LIMIT)
        .map(|c| if line::unprintable(c) { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(LIMIT).is_some() {
        out.push('…');
    }
    out
}
