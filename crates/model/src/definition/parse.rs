//! From text to `Definition`, with every fault at once.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Classification, CsvOptions, Definition, KeySpec, check, line, near, shown,
    yaml::{self, Entry, Node, Value},
};
use crate::{fault::Fault, ids::DatasetName};

/// Longest text read, in bytes.
pub const TEXT_LIMIT: usize = 1024 * 1024;
/// Faults told of one text.
pub(super) const FAULTS_LIMIT: usize = 1_000;
/// Entries of any list of texts, and columns of a CSV.
const LIST_LIMIT: usize = 2_000;

const TOP_WORDS: &[&str] = &[
    "name",
    "key",
    "data_description",
    "fields",
    "replaces",
    "subject",
    "classification",
    "indexes",
    "changes",
    "public",
    "csv",
    "history",
    "freshness",
    "guard",
    "tombstones",
    "retention",
    "timezone",
    "source",
];

/// Lines of everything that a later check may have to point at.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// `key`, `indexes.0`, `csv.columns.Header` → line.
    pub words: BTreeMap<String, usize>,
    /// Field path → line.
    pub fields: BTreeMap<String, usize>,
    /// Fields whose type was not understood: nothing further is said about their type.
    pub doubtful: BTreeSet<String>,
    /// Fields that say `required: false`.
    pub optional: BTreeMap<String, usize>,
    /// Some of the text was not understood as fields, so a name may be missing for that reason.
    pub incomplete: bool,
}

impl Places {
    pub fn word(&self, word: &str) -> usize {
        self.words.get(word).copied().unwrap_or(1)
    }

    pub fn field(&self, path: &str) -> usize {
        self.fields.get(path).copied().unwrap_or(1)
    }
}

pub(super) struct Reader<'a> {
    pub faults: &'a mut Vec<Fault>,
    pub places: Places,
    pub field_count: usize,
}

impl Definition {
    /// Reads a definition. `Err` holds every fault of the text, in line order; places are `line N`.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        if text.len() > TEXT_LIMIT {
            let message = format!("a definition has at most {TEXT_LIMIT} bytes");
            return Err(vec![Fault::new("line 1", "limit", message)]);
        }
        let mut faults = Vec::new();
        let definition = read(text, &mut faults);
        if faults.is_empty()
            && let Some(definition) = definition
        {
            return Ok(definition);
        }
        faults.sort_by_cached_key(line_of);
        faults.dedup();
        faults.truncate(FAULTS_LIMIT);
        Err(faults)
    }
}

impl std::str::FromStr for Definition {
    type Err = Vec<Fault>;

    fn from_str(text: &str) -> Result<Self, Vec<Fault>> {
        Self::parse(text)
    }
}

fn line_of(fault: &Fault) -> usize {
    fault
        .place
        .strip_prefix("line ")
        .and_then(|line| line.parse().ok())
        .unwrap_or(0)
}

fn read(text: &str, faults: &mut Vec<Fault>) -> Option<Definition> {
    let prepared = line::prepare(text, faults);
    let tree = yaml::read(&prepared, faults);
    let unread = faults.len();
    let mut reader = Reader {
        faults,
        places: Places::default(),
        field_count: 0,
    };
    let definition = tree.root.as_ref().and_then(|root| reader.definition(root));
    let places = reader.places;
    if !tree.whole {
        // Behind a syntax fault nothing can be said to be missing: keep what is wrong in itself.
        let sure = [
            "word_unknown",
            "type_unknown",
            "value_invalid",
            "field_name",
            "word_repeated",
        ];
        let later = faults.split_off(unread);
        let broken = faults.last().map_or(0, line_of);
        let told = |fault: &Fault| line_of(fault) < broken && sure.contains(&fault.rule.as_str());
        faults.extend(later.into_iter().filter(told));
        return None;
    }
    if tree.root.is_none() && faults.is_empty() {
        faults.push(Fault::new(
            "line 1",
            "word_missing",
            "the text is empty: begin with `name: …`",
        ));
    }
    let mut definition = definition?;
    check::settle(&mut definition, &places, faults);
    Some(definition)
}

impl Reader<'_> {
    pub(super) fn fault(&mut self, line: usize, rule: &str, message: impl Into<String>) {
        if self.faults.len() > FAULTS_LIMIT {
            return;
        }
        self.faults
            .push(Fault::new(format!("line {line}"), rule, message));
    }

    fn definition(&mut self, root: &Node) -> Option<Definition> {
        let Value::Map(entries) = &root.value else {
            self.fault(
                root.line,
                "yaml",
                "a definition begins with `name: …`, `key: …` and `fields:`",
            );
            return None;
        };
        let mut definition = Definition {
            name: DatasetName::new(""),
            key: KeySpec {
                partition: Vec::new(),
                order: Vec::new(),
            },
            description: String::new(),
            fields: Vec::new(),
            replaces: None,
            subject: Vec::new(),
            classification: Classification::Restricted,
            indexes: Vec::new(),
            changes: Vec::new(),
            public: None,
            csv: CsvOptions::default(),
            history: false,
            freshness_s: None,
            guard_bp: Definition::DEFAULT_GUARD_BP,
            tombstones_days: Definition::DEFAULT_TOMBSTONES_DAYS,
            retention: None,
            timezone: "UTC".to_owned(),
            source: None,
        };
        for entry in entries {
            self.places
                .words
                .entry(entry.word.trim().to_owned())
                .or_insert(entry.line);
            self.top_word(&mut definition, entry);
        }
        for word in ["name", "key", "fields"] {
            if !self.places.words.contains_key(word) {
                self.fault(root.line, "word_missing", format!("`{word}` is missing"));
            }
        }
        if self.places.words.contains_key("name")
            && let Some(first) = entries.first().filter(|first| first.word.trim() != "name")
        {
            self.fault(first.line, "word_order", "`name` comes first");
        }
        self.places.incomplete = !self.places.words.contains_key("fields")
            || self.faults.iter().any(|fault| fault.rule.starts_with("field"));
        Some(definition)
    }

    /// A mapping's entries; words outside `known` are faults.
    pub(super) fn entries<'n>(
        &mut self,
        node: &'n Node,
        word: &str,
        known: &[&str],
    ) -> Vec<(&'n str, &'n Entry)> {
        let Value::Map(entries) = &node.value else {
            self.fault(
                node.line,
                "value_invalid",
                format!("`{word}` is a map with {}", known.join(", ")),
            );
            return Vec::new();
        };
        let mut found = Vec::new();
        for entry in entries {
            let inner = entry.word.trim();
            if known.contains(&inner) {
                found.push((inner, entry));
            } else {
                self.unknown_word(entry.line, inner, known, &format!("`{word}`"));
            }
        }
        found
    }

    pub(super) fn unknown_word(&mut self, line: usize, word: &str, known: &[&str], place: &str) {
        if self.faults.len() > FAULTS_LIMIT {
            return;
        }
        let near = near(word, known.iter().copied()).or_else(|| {
            let part = |known: &&&str| word.len() >= 4 && (known.contains(word) || word.contains(**known));
            known.iter().find(part).copied()
        });
        let shown = shown(word);
        let message = match near {
            Some(near) => format!("unknown word `{shown}` in {place}: did you mean `{near}`?"),
            None => format!(
                "unknown word `{shown}` in {place}: the words are {}",
                known.join(", ")
            ),
        };
        self.fault(line, "word_unknown", message);
    }

    /// Text that may not be empty.
    pub(super) fn text_in<'n>(&mut self, node: &'n Node, word: &str) -> Option<&'n str> {
        match node.text().map(str::trim) {
            Some(text) if !text.is_empty() => Some(text),
            _ => {
                self.fault(node.line, "value_invalid", format!("`{word}` needs a text"));
                None
            }
        }
    }

    pub(super) fn text(&mut self, node: &Node, word: &str) -> Option<String> {
        self.text_in(node, word).map(str::to_owned)
    }

    /// Text that may be empty.
    pub(super) fn prose(&mut self, node: &Node, word: &str) -> Option<String> {
        match &node.value {
            Value::Empty => None,
            Value::Text(text) => Some(text.clone()),
            _ => {
                self.fault(node.line, "value_invalid", format!("`{word}` is a text"));
                None
            }
        }
    }

    pub(super) fn truth(&mut self, node: &Node, word: &str) -> Option<bool> {
        self.one_of(node, word, &[("true", true), ("false", false)])
    }

    pub(super) fn one_of<T: Copy>(&mut self, node: &Node, word: &str, known: &[(&str, T)]) -> Option<T> {
        let text = self.text_in(node, word)?;
        if let Some((_, value)) = known.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let shown = shown(text);
        let message = match near(text, names.iter().copied()) {
            Some(near) => format!("`{word}` cannot be `{shown}`: did you mean `{near}`?"),
            None => format!("`{word}` cannot be `{shown}`: write one of {}", names.join(", ")),
        };
        self.fault(node.line, "value_invalid", message);
        None
    }

    /// One text, or a list of texts, with their lines. An empty text passes only where `empty` says so.
    pub(super) fn texts(&mut self, node: &Node, word: &str, empty: bool) -> Vec<(String, usize)> {
        match &node.value {
            Value::List(items) if items.len() > LIST_LIMIT => {
                self.fault(
                    node.line,
                    "limit",
                    format!("at most {LIST_LIMIT} entries in `{word}`"),
                );
                Vec::new()
            }
            Value::List(items) => {
                let mut texts = Vec::new();
                for item in items {
                    match item.text() {
                        Some("") if empty => texts.push((String::new(), item.line)),
                        _ => texts.extend(self.text(item, word).map(|text| (text, item.line))),
                    }
                }
                texts
            }
            _ => self
                .text(node, word)
                .map(|text| (text, node.line))
                .into_iter()
                .collect(),
        }
    }

    /// The value of `read`, or its message as a fault.
    pub(super) fn read_as<T>(
        &mut self,
        node: &Node,
        word: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text_in(node, word)?;
        match read(text) {
            Ok(value) => Some(value),
            Err(message) => {
                self.fault(node.line, "value_invalid", format!("`{word}`: {message}"));
                None
            }
        }
    }
}

impl Reader<'_> {
    fn top_word(&mut self, definition: &mut Definition, entry: &Entry) {
        let node = &entry.node;
        match entry.word.trim() {
            "name" => {
                if let Some(name) = self.read_as(node, "name", words::dataset_name) {
                    definition.name = name;
                }
            }
            "key" => {
                if let Some(key) = self.read_as(node, "key", words::key) {
                    definition.key = key;
                }
            }
            "data_description" => {
                definition.description = self.prose(node, "data_description").unwrap_or_default();
            }
            "fields" => definition.fields = self.fields(node, "", 1),
            "replaces" => definition.replaces = self.read_as(node, "replaces", words::dataset_name),
            "subject" => definition.subject = self.paths(node, "subject"),
            "classification" => {
                definition.classification = self
                    .one_of(node, "classification", words::CLASSIFICATIONS)
                    .unwrap_or(Classification::Restricted);
            }
            "indexes" => definition.indexes = self.indexes(node),
            "changes" => definition.changes = self.changes(node),
            "public" => definition.public = self.public(node),
            "csv" => definition.csv = self.csv(node),
            "history" => definition.history = self.truth(node, "history").unwrap_or(false),
            "freshness" => definition.freshness_s = self.read_as(node, "freshness", super::amount::seconds),
            "guard" => {
                let share = self.read_as(node, "guard", super::amount::share);
                definition.guard_bp = share.unwrap_or(Definition::DEFAULT_GUARD_BP);
            }
            "tombstones" => {
                let days = self.read_as(node, "tombstones", super::amount::days);
                definition.tombstones_days = days.unwrap_or(Definition::DEFAULT_TOMBSTONES_DAYS);
            }
            "retention" => definition.retention = self.retention(node),
            "timezone" => {
                if let Some(zone) = self.read_as(node, "timezone", words::timezone) {
                    definition.timezone = zone;
                }
            }
            "source" => definition.source = self.source(node),
            word => self.unknown_word(entry.line, word, TOP_WORDS, "a definition"),
        }
    }
}
