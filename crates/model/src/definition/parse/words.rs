//! The values of the top-level words.

use jiff::tz::TimeZone;

use super::{
    super::{
        ChangeList, Classification, CsvOptions, Duplicates, KeySpec, PublicFile, Retention, Source, amount,
        nfc, shown,
        yaml::{Node, Value},
    },
    LIST_LIMIT, Reader,
};
use crate::ids::DatasetName;

/// Longest expression of a change list, in characters.
pub(super) const EXPRESSION_LIMIT: usize = 2_000;
/// Longest name of a data set, a change list or a public file, in bytes.
const NAME_LIMIT: usize = 100;
/// An encoded key has at most 255 bytes, so that more fields never fit.
const KEY_LIMIT: usize = 64;
const INDEXES_LIMIT: usize = 64;
const CHANGES_LIMIT: usize = 64;

pub(super) const CLASSIFICATIONS: &[(&str, Classification)] = &[
    ("open", Classification::Open),
    ("restricted", Classification::Restricted),
    ("sensitive", Classification::Sensitive),
];

pub(super) fn dataset_name(text: &str) -> Result<DatasetName, String> {
    let good = text.len() <= NAME_LIMIT
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if good {
        Ok(DatasetName::new(text))
    } else {
        Err(format!(
            "`{}` is not a data set's name: lower-case letters, digits and `_`, a letter first, at most \
             {NAME_LIMIT}",
            shown(text)
        ))
    }
}

/// `Code`, `A, B`, `Code(, Year, Id)`, `A, B(, C)`.
pub(super) fn key(text: &str) -> Result<KeySpec, String> {
    let way_out = || {
        format!(
            "`{}` is not a key: write `Code`, `Code, Year` or `Code(, Year, Id)`",
            shown(text)
        )
    };
    let names = |list: &str| -> Result<Vec<String>, String> {
        list.split(',')
            .map(|name| match name.trim() {
                "" => Err(way_out()),
                name if name.contains(['(', ')']) || name.contains(char::is_whitespace) => Err(way_out()),
                name => Ok(nfc(name)),
            })
            .collect()
    };
    let spec = match text.split_once('(') {
        None => KeySpec {
            partition: names(text)?,
            order: Vec::new(),
        },
        Some((partition, rest)) => {
            let rest = rest.trim_end().strip_suffix(')').ok_or_else(way_out)?.trim();
            let order = rest.strip_prefix(',').ok_or_else(way_out)?;
            KeySpec {
                partition: names(partition)?,
                order: names(order)?,
            }
        }
    };
    if spec.len() > KEY_LIMIT {
        return Err(format!("a key has at most {KEY_LIMIT} fields"));
    }
    let all: Vec<&str> = spec.fields().collect();
    match all
        .iter()
        .enumerate()
        .find(|(at, name)| all[..*at].contains(*name))
    {
        Some((_, name)) => Err(format!("`{}` is named twice", shown(name))),
        None => Ok(spec),
    }
}

/// A zone's name as the zone data spell it.
pub(super) fn timezone(text: &str) -> Result<String, String> {
    let zone = TimeZone::get(text).map_err(|_| {
        format!(
            "`{}` is not a time zone: write one as `Europe/Riga` or `UTC`",
            shown(text)
        )
    })?;
    Ok(zone.iana_name().unwrap_or(text).to_owned())
}

fn date_format(text: &str) -> Result<String, String> {
    let way_out = || {
        format!(
            "`{}` does not write a whole date: use %d, %m and %Y, as in `%d.%m.%Y`",
            shown(text)
        )
    };
    let probe = jiff::civil::date(2021, 11, 28);
    let written = jiff::fmt::strtime::format(text, probe).map_err(|_| way_out())?;
    let read = jiff::fmt::strtime::parse(text, &written).and_then(|parts| parts.to_date());
    match read {
        Ok(date) if date == probe => Ok(text.to_owned()),
        _ => Err(way_out()),
    }
}

fn delimiter(text: &str) -> Result<char, String> {
    let mut chars = text.chars();
    match (text, chars.next(), chars.next()) {
        ("tab" | "TAB" | "\\t", ..) => Ok('\t'),
        (_, Some(c), None)
            if c.is_ascii() && !c.is_ascii_alphanumeric() && !matches!(c, '"' | '\n' | '\r') =>
        {
            Ok(c)
        }
        _ => Err("write one character, as in `delimiter: \";\"`, or `tab`".to_owned()),
    }
}

fn list_name(text: &str) -> Result<String, String> {
    let good = text.len() <= NAME_LIMIT
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if good {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{}` is not a change list's name: letters, digits, `_` and `-`",
            shown(text)
        ))
    }
}

fn file_name(text: &str) -> Result<String, String> {
    let good = text.len() <= NAME_LIMIT
        && !text.starts_with('.')
        && text.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
    if good {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{}` is not a file name: letters, digits, `.`, `_` and `-`",
            shown(text)
        ))
    }
}

impl Reader<'_> {
    /// Field paths; the line of each is kept as `word.N`.
    pub(super) fn paths(&mut self, node: &Node, word: &str) -> Vec<String> {
        let texts = self.texts(node, word, false);
        let mut paths: Vec<String> = Vec::new();
        for (path, line) in texts {
            let path = nfc(&path);
            if paths.contains(&path) {
                self.fault(
                    line,
                    "value_invalid",
                    format!("`{word}` names `{}` twice", shown(&path)),
                );
                continue;
            }
            self.places.words.insert(format!("{word}.{}", paths.len()), line);
            paths.push(path);
        }
        paths
    }

    pub(super) fn indexes(&mut self, node: &Node) -> Vec<Vec<String>> {
        let single;
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => {
                single = [node.clone()];
                &single
            }
        };
        if items.len() > INDEXES_LIMIT {
            self.fault(node.line, "limit", format!("at most {INDEXES_LIMIT} indexes"));
            return Vec::new();
        }
        let mut indexes: Vec<Vec<String>> = Vec::new();
        for item in items {
            let at = indexes.len();
            let paths = self.paths(item, &format!("indexes.{at}"));
            if paths.is_empty() {
                if matches!(&item.value, Value::List(items) if items.is_empty()) {
                    self.fault(item.line, "value_invalid", "an index names at least one field");
                }
            } else if indexes.contains(&paths) {
                let message = format!("the index `{}` is written twice", shown(&paths.join(", ")));
                self.fault(item.line, "value_invalid", message);
            } else {
                indexes.push(paths);
            }
        }
        indexes
    }

    pub(super) fn changes(&mut self, node: &Node) -> Vec<ChangeList> {
        let Value::List(items) = &node.value else {
            self.fault(
                node.line,
                "value_invalid",
                "`changes` is a list of `{name: …, when: \"…\"}`",
            );
            return Vec::new();
        };
        if items.len() > CHANGES_LIMIT {
            self.fault(
                node.line,
                "limit",
                format!("at most {CHANGES_LIMIT} change lists"),
            );
            return Vec::new();
        }
        let mut lists: Vec<ChangeList> = Vec::new();
        for item in items {
            let (mut name, mut when) = (None, None);
            let before = self.faults.len();
            for (word, entry) in self.entries(item, "changes", &["name", "when"]) {
                match word {
                    "name" => name = self.read_as(&entry.node, "name", list_name),
                    _ => when = self.text(&entry.node, "when").map(|when| (when, entry.line)),
                }
            }
            match (name, when) {
                (Some(name), Some((when, line))) => {
                    if when.chars().count() > EXPRESSION_LIMIT {
                        let message = format!("an expression has at most {EXPRESSION_LIMIT} characters");
                        self.fault(line, "limit", message);
                    }
                    if lists.iter().any(|list| list.name == name) {
                        let message = format!("two change lists are called `{name}`");
                        self.fault(item.line, "value_invalid", message);
                    }
                    self.places
                        .words
                        .insert(format!("changes.{}", lists.len()), item.line);
                    lists.push(ChangeList { name, when });
                }
                _ if self.faults.len() == before => {
                    self.fault(item.line, "word_missing", "a change list needs `name` and `when`");
                }
                _ => {}
            }
        }
        lists
    }

    pub(super) fn public(&mut self, node: &Node) -> Option<PublicFile> {
        let (mut filename, mut fields) = (None, None);
        let before = self.faults.len();
        for (word, entry) in self.entries(node, "public", &["filename", "fields"]) {
            match word {
                "filename" => filename = self.read_as(&entry.node, "filename", file_name),
                _ => {
                    let paths = self.paths(&entry.node, "public.fields");
                    if matches!(&entry.node.value, Value::List(items) if items.is_empty()) {
                        self.fault(
                            entry.line,
                            "value_invalid",
                            "`fields` of the public file is empty",
                        );
                    }
                    fields = Some(paths);
                }
            }
        }
        if filename.is_none() && self.faults.len() == before {
            self.fault(node.line, "word_missing", "`public` needs a `filename`");
        }
        Some(PublicFile {
            filename: filename?,
            fields,
        })
    }

    pub(super) fn csv(&mut self, node: &Node) -> CsvOptions {
        const WORDS: &[&str] = &[
            "delimiter",
            "charset",
            "decimal",
            "columns",
            "ignore",
            "duplicates",
            "date_format",
            "date",
        ];
        let mut csv = CsvOptions::default();
        for (word, entry) in self.entries(node, "csv", WORDS) {
            let node = &entry.node;
            match word {
                // Not trimmed: a tab or a space is a delimiter.
                "delimiter" => match delimiter(node.text().unwrap_or_default()) {
                    Ok(c) => csv.delimiter = Some(c),
                    Err(message) => self.fault(node.line, "value_invalid", format!("`delimiter`: {message}")),
                },
                "charset" => csv.charset = self.text(node, "charset"),
                "decimal" => {
                    let known = [("comma", true), ("point", false)];
                    csv.decimal_comma = self.one_of(node, "decimal", &known).unwrap_or(false);
                }
                "columns" => self.columns(node, &mut csv),
                "ignore" => {
                    let headers = self.texts(node, "ignore", true);
                    csv.ignore = headers.into_iter().map(|(header, _)| header).collect();
                }
                "duplicates" => {
                    let known = [
                        ("quarantine", Duplicates::Quarantine),
                        ("first", Duplicates::First),
                        ("last", Duplicates::Last),
                    ];
                    csv.duplicates = self.one_of(node, "duplicates", &known).unwrap_or_default();
                }
                _ => csv.date_format = self.read_as(node, word, date_format),
            }
        }
        csv
    }

    fn columns(&mut self, node: &Node, csv: &mut CsvOptions) {
        let Value::Map(entries) = &node.value else {
            self.fault(
                node.line,
                "value_invalid",
                "`columns` is a map: `{\"Header\": Field}`",
            );
            return;
        };
        if entries.len() > LIST_LIMIT {
            self.fault(node.line, "limit", format!("at most {LIST_LIMIT} columns"));
            return;
        }
        for entry in entries {
            let Some(field) = self.text_in(&entry.node, "columns") else {
                continue;
            };
            self.places
                .words
                .insert(format!("csv.columns.{}", entry.word), entry.line);
            csv.columns.insert(entry.word.clone(), nfc(field));
        }
    }

    pub(super) fn retention(&mut self, node: &Node) -> Option<Retention> {
        let (mut field, mut keep) = (None, None);
        let before = self.faults.len();
        for (word, entry) in self.entries(node, "retention", &["field", "keep"]) {
            match word {
                "field" => field = self.text_in(&entry.node, "field").map(nfc),
                _ => keep = self.read_as(&entry.node, "keep", amount::calendar),
            }
        }
        if (field.is_none() || keep.is_none()) && self.faults.len() == before {
            self.fault(node.line, "word_missing", "`retention` needs `field` and `keep`");
        }
        let (keep_months, keep_days) = keep?;
        Some(Retention {
            field: field?,
            keep_months,
            keep_days,
        })
    }

    pub(super) fn source(&mut self, node: &Node) -> Option<Source> {
        let mut source = Source {
            system: None,
            legal_act: None,
        };
        for (word, entry) in self.entries(node, "source", &["system", "legal_act"]) {
            let text = self.text(&entry.node, word);
            match word {
                "system" => source.system = text,
                _ => source.legal_act = text,
            }
        }
        (source.system.is_some() || source.legal_act.is_some()).then_some(source)
    }
}
