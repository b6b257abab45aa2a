//! Canonical text: the national part first, then what differs from the defaults. `parse` of it is the identity.

use super::{
    Classification, CsvOptions, Definition, Duplicates, Field, Personal, PublicFile, Type, amount,
    line::{is_quoted, left_to_yaml, quoted, unprintable},
};

impl Definition {
    /// The definition's canonical text.
    pub fn print(&self) -> String {
        let mut out = String::new();
        word(&mut out, "name", self.name.as_str());
        word(&mut out, "key", &self.key.to_string());
        if !self.description.is_empty() {
            word(&mut out, "data_description", &scalar(&self.description));
        }
        out.push_str("fields:\n");
        for field in &self.fields {
            print_field(
                &mut out,
                field,
                self.key.fields().any(|name| name == field.name),
                2,
            );
        }
        self.print_rules(&mut out);
        out
    }

    fn print_rules(&self, out: &mut String) {
        if let Some(replaces) = &self.replaces {
            word(out, "replaces", replaces.as_str());
        }
        match self.subject.as_slice() {
            [] => {}
            [one] => word(out, "subject", &scalar(one)),
            many => word(out, "subject", &list(many)),
        }
        match self.classification {
            Classification::Restricted => {}
            Classification::Open => word(out, "classification", "open"),
            Classification::Sensitive => word(out, "classification", "sensitive"),
        }
        if !self.indexes.is_empty() {
            let indexes: Vec<String> = self
                .indexes
                .iter()
                .map(|index| {
                    if let [one] = index.as_slice() {
                        scalar(one)
                    } else {
                        list(index)
                    }
                })
                .collect();
            word(out, "indexes", &format!("[{}]", indexes.join(", ")));
        }
        if !self.changes.is_empty() {
            out.push_str("changes:\n");
            for list in &self.changes {
                out.push_str(&format!(
                    "  - name: {}\n    when: {}\n",
                    scalar(&list.name),
                    quoted(&list.when)
                ));
            }
        }
        if let Some(public) = &self.public {
            print_public(out, public);
        }
        print_csv(out, &self.csv);
        if self.history {
            word(out, "history", "true");
        }
        if let Some(seconds) = self.freshness_s {
            word(out, "freshness", &amount::print_seconds(seconds));
        }
        if self.guard_bp != Self::DEFAULT_GUARD_BP {
            word(out, "guard", &amount::print_share(self.guard_bp));
        }
        if self.tombstones_days != Self::DEFAULT_TOMBSTONES_DAYS {
            word(out, "tombstones", &format!("{}d", self.tombstones_days));
        }
        if let Some(retention) = &self.retention {
            let keep = amount::print_calendar(retention.keep_months, retention.keep_days);
            word(
                out,
                "retention",
                &format!("{{field: {}, keep: {keep}}}", scalar(&retention.field)),
            );
        }
        if self.timezone != "UTC" {
            word(out, "timezone", &scalar(&self.timezone));
        }
        if let Some(source) = &self.source {
            out.push_str("source:\n");
            for (name, value) in [("system", &source.system), ("legal_act", &source.legal_act)] {
                if let Some(value) = value {
                    out.push_str(&format!("  {name}: {}\n", scalar(value)));
                }
            }
        }
    }
}

impl std::fmt::Display for super::KeySpec {
    /// As the national language writes it: `Code(, Year, Id)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.partition.join(", "))?;
        if self.order.is_empty() {
            Ok(())
        } else {
            write!(f, "(, {})", self.order.join(", "))
        }
    }
}

impl std::fmt::Display for Type {
    /// As a field line writes it; `object` for a structured field, which needs no word there.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Int => "int",
            Self::Decimal => "decimal",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Uuid => "uuid",
            Self::PersonCode => "person_code",
            Self::OrgCode => "org_code",
            Self::Code(list) => return write!(f, "code({list})"),
            Self::Point => "point",
            Self::Geometry => "geometry",
            Self::Json => "json",
            Self::Object => "object",
        })
    }
}

impl serde::Serialize for Type {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn word(out: &mut String, word: &str, value: &str) {
    out.push_str(word);
    out.push_str(": ");
    out.push_str(value);
    out.push('\n');
}

fn print_field(out: &mut String, field: &Field, key: bool, indent: usize) {
    let space = " ".repeat(indent);
    out.push_str(&format!("{space}- {}", field.name));
    if !matches!(field.ty, Type::Text | Type::Object) {
        out.push_str(&format!(" {}", field.ty));
    }
    if field.required && !key {
        out.push('!');
    }
    if field.list {
        out.push_str(" *");
    }
    let plain = field.personal.is_none() && field.unit.is_none() && field.fields.is_empty();
    if plain {
        out.push_str(format!(" : {}", description(&field.comments)).trim_end_matches(' '));
        out.push('\n');
        return;
    }
    out.push_str(" :\n");
    let mut line = |name: &str, value: &str| out.push_str(&format!("{space}    {name}: {value}\n"));
    if !field.comments.is_empty() {
        line("comments", &scalar(&field.comments));
    }
    match field.personal {
        None => {}
        Some(Personal::Subject) => line("personal", "subject"),
        Some(Personal::Identifying) => line("personal", "identifying"),
        Some(Personal::Sensitive) => line("personal", "sensitive"),
    }
    if let Some(unit) = &field.unit {
        line("unit", &scalar(unit));
    }
    if !field.fields.is_empty() {
        out.push_str(&format!("{space}    fields:\n"));
        for child in &field.fields {
            print_field(out, child, false, indent + 6);
        }
    }
}

/// A field line's description: as it is wherever the reader takes it as it is.
fn description(text: &str) -> String {
    let as_written = text.trim() == text
        && !text.chars().any(unprintable)
        && !text.starts_with(['"', '\''])
        && !left_to_yaml(text)
        && !is_quoted(text);
    if as_written { text.to_owned() } else { quoted(text) }
}

fn print_public(out: &mut String, public: &PublicFile) {
    out.push_str(&format!("public:\n  filename: {}\n", scalar(&public.filename)));
    if let Some(fields) = &public.fields {
        out.push_str(&format!("  fields: {}\n", list(fields)));
    }
}

fn print_csv(out: &mut String, csv: &CsvOptions) {
    if *csv == CsvOptions::default() {
        return;
    }
    out.push_str("csv:\n");
    let mut line = |name: &str, value: &str| out.push_str(&format!("  {name}: {value}\n"));
    match csv.delimiter {
        None => {}
        Some('\t') => line("delimiter", "tab"),
        Some(c) => line("delimiter", &quoted(&c.to_string())),
    }
    if let Some(charset) = &csv.charset {
        line("charset", &scalar(charset));
    }
    if csv.decimal_comma {
        line("decimal", "comma");
    }
    if let Some(format) = &csv.date_format {
        line("date_format", &quoted(format));
    }
    match csv.duplicates {
        Duplicates::Quarantine => {}
        Duplicates::First => line("duplicates", "first"),
        Duplicates::Last => line("duplicates", "last"),
    }
    if !csv.ignore.is_empty() {
        line("ignore", &list(&csv.ignore));
    }
    if !csv.columns.is_empty() {
        out.push_str("  columns:\n");
        for (header, field) in &csv.columns {
            // A long header is an explicit key: YAML reads a plain one only up to 1 024 characters.
            if header.len() > 200 {
                out.push_str(&format!("    ? {}\n    : {}\n", quoted(header), scalar(field)));
            } else {
                out.push_str(&format!("    {}: {}\n", quoted(header), scalar(field)));
            }
        }
    }
}

fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| scalar(item)).collect();
    format!("[{}]", items.join(", "))
}

/// Plain where no reader of YAML could see anything else in it, else double-quoted.
fn scalar(text: &str) -> String {
    let mut chars = text.chars();
    let plain = chars.next().is_some_and(char::is_alphanumeric)
        && chars
            .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | '/' | '-' | '(' | ')' | ';' | '%'))
        && !text.ends_with(' ');
    if plain { text.to_owned() } else { quoted(text) }
}

/// The property that every text must keep, whatever it is: reading never panics, and what can be read prints to a
/// text that reads as the same definition. `Err` says what broke.
pub fn holds_round_trip(text: &str) -> Result<(), String> {
    let Ok(definition) = Definition::parse(text) else {
        return Ok(());
    };
    let printed = definition.print();
    match Definition::parse(&printed) {
        Ok(again) if again == definition && again.print() == printed => Ok(()),
        Ok(_) => Err(format!("reads back as another definition:\n{printed}")),
        Err(faults) => Err(format!("does not read back: {faults:?}\n{printed}")),
    }
}
