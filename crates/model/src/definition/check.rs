//! What is wrong in meaning: paths that lead nowhere, keys that cannot be keys, open data about persons.

use super::{
    Classification, Definition, Field, Personal, Type,
    fields::joined,
    near,
    parse::{FAULTS_LIMIT, Places},
    shown,
};
use crate::fault::Fault;

/// Completes what the text implies, then checks every reference. Places are lines.
pub(super) fn settle(definition: &mut Definition, places: &Places, faults: &mut Vec<Fault>) {
    require_key(definition, places, faults);
    add_marked_subjects(definition);
    let mut check = Check {
        definition,
        places,
        faults,
    };
    check.key();
    check.subject();
    check.indexes();
    check.public();
    check.csv();
    check.retention();
    check.replaces();
}

/// Key fields are required whether the text says so or not.
fn require_key(definition: &mut Definition, places: &Places, faults: &mut Vec<Fault>) {
    let Definition { key, fields, .. } = definition;
    for name in key.fields() {
        let Some(field) = fields.iter_mut().find(|field| field.name == name) else {
            continue;
        };
        field.required = true;
        if let Some(line) = places.optional.get(name) {
            let message = format!("`{name}` is part of the key, and key fields are always required");
            faults.push(Fault::new(format!("line {line}"), "key", message));
        }
    }
}

/// A field marked `personal: subject` names a subject as much as one listed under `subject`.
fn add_marked_subjects(definition: &mut Definition) {
    let mut marked = Vec::new();
    definition.walk(&mut |path, field, _| {
        if field.personal == Some(Personal::Subject) {
            marked.push(path.to_owned());
        }
    });
    for path in marked {
        if !definition.subject.contains(&path) {
            definition.subject.push(path);
        }
    }
}

/// Types whose values order and encode: keys and indexes are made of them.
fn is_scalar(ty: &Type) -> bool {
    !matches!(ty, Type::Point | Type::Geometry | Type::Json | Type::Object)
}

struct Check<'a> {
    definition: &'a Definition,
    places: &'a Places,
    faults: &'a mut Vec<Fault>,
}

impl Check<'_> {
    fn fault(&mut self, line: usize, rule: &str, message: impl Into<String>) {
        self.faults
            .push(Fault::new(format!("line {line}"), rule, message));
    }

    fn doubtful(&self, path: &str) -> bool {
        self.places.doubtful.contains(path)
    }

    fn unknown_field(&mut self, line: usize, word: &str, path: &str) {
        // The field may be one that was not understood, which is told already.
        if self.places.incomplete || self.faults.len() > FAULTS_LIMIT {
            return;
        }
        let paths = self.definition.paths();
        let near = near(path, paths.iter().map(String::as_str));
        let path = shown(path);
        let message = match near {
            Some(near) => format!("`{word}` names `{path}`, which is no field: did you mean `{near}`?"),
            None => format!("`{word}` names `{path}`, which is no field"),
        };
        self.fault(line, "field_unknown", message);
    }

    fn key(&mut self) {
        let line = self.places.word("key");
        for name in self.definition.key.fields() {
            match self.definition.field(name) {
                None if self.definition.find(name).is_some() => {
                    self.fault(
                        line,
                        "key",
                        format!("`{}` is not a top-level field, as a key must be", shown(name)),
                    );
                }
                None => self.unknown_field(line, "key", name),
                Some(_) if self.doubtful(name) => {}
                Some(field) if field.list || !is_scalar(&field.ty) => {
                    let message = format!(
                        "`{name}` cannot be part of a key: a key field is a single value, not a \
                                           list, an object, a geometry or json"
                    );
                    self.fault(line, "key", message);
                }
                Some(_) => {}
            }
        }
    }

    fn subject(&mut self) {
        for (at, path) in self.definition.subject.iter().enumerate() {
            let marked = self.places.field(path);
            let line = self
                .places
                .words
                .get(&format!("subject.{at}"))
                .copied()
                .unwrap_or(marked);
            match self.definition.find(path) {
                None => self.unknown_field(line, "subject", path),
                Some(_) if self.doubtful(path) => {}
                Some((field, _)) if !matches!(field.ty, Type::Text | Type::PersonCode | Type::OrgCode) => {
                    let message = format!(
                        "`{path}` cannot name a subject: its type must be text, person_code or \
                                           org_code"
                    );
                    self.fault(line, "subject", message);
                }
                Some(_) => {}
            }
        }
    }

    fn indexes(&mut self) {
        for (at, index) in self.definition.indexes.iter().enumerate() {
            for (part, path) in index.iter().enumerate() {
                let line = self.places.word(&format!("indexes.{at}.{part}"));
                match self.definition.find(path) {
                    None => self.unknown_field(line, "indexes", path),
                    Some(_) if self.doubtful(path) => {}
                    Some((field, _)) if !is_scalar(&field.ty) => {
                        let message =
                            format!("`{path}` cannot be indexed: it is an object, a geometry or json");
                        self.fault(line, "index", message);
                    }
                    Some((_, true)) if index.len() > 1 => {
                        let message =
                            format!("`{path}` is in a list: only an index of one field goes through lists");
                        self.fault(line, "index", message);
                    }
                    Some(_) => {}
                }
            }
        }
    }

    fn public(&mut self) {
        let Some(public) = &self.definition.public else {
            return;
        };
        let named = public.fields.is_some();
        let paths = public
            .fields
            .clone()
            .unwrap_or_else(|| self.definition.leaf_paths());
        let mut seen = std::collections::BTreeMap::new();
        for (at, path) in paths.iter().enumerate() {
            let line = if named {
                self.places.word(&format!("public.fields.{at}"))
            } else {
                self.places.word("public")
            };
            if self.definition.find(path).is_none() {
                self.unknown_field(line, "public", path);
            }
            if let Some(first) = seen.insert(path.to_lowercase(), path) {
                let message = format!(
                    "`{first}` and `{path}` are one column in the public file, which writes names \
                                       in lower case: leave one out of `public.fields`"
                );
                self.fault(line, "public", message);
            }
        }
    }

    fn csv(&mut self) {
        for (header, name) in &self.definition.csv.columns {
            let line = self.places.word(&format!("csv.columns.{header}"));
            if self.definition.field(name).is_none() {
                self.unknown_field(line, "csv.columns", name);
            }
            if self.definition.csv.ignore.contains(header) {
                self.fault(
                    line,
                    "csv",
                    format!("the column `{}` is both read and ignored", shown(header)),
                );
            }
        }
        if self.definition.csv.decimal_comma && self.definition.csv.delimiter == Some(',') {
            self.fault(
                self.places.word("csv"),
                "csv",
                "a decimal comma and `,` as delimiter do not go together",
            );
        }
    }

    fn retention(&mut self) {
        let Some(retention) = &self.definition.retention else {
            return;
        };
        let line = self.places.word("retention");
        match self.definition.field(&retention.field) {
            None => self.unknown_field(line, "retention", &retention.field),
            Some(_) if self.doubtful(&retention.field) => {}
            Some(field) if field.list || !matches!(field.ty, Type::Date | Type::Timestamp) => {
                let message = format!("`{}` must be a single date or timestamp", retention.field);
                self.fault(line, "retention", message);
            }
            Some(_) => {}
        }
    }

    fn replaces(&mut self) {
        if self.definition.replaces.as_ref() == Some(&self.definition.name) {
            self.fault(
                self.places.word("replaces"),
                "replaces",
                "a data set cannot replace itself",
            );
        }
    }
}

/// What is refused at publishing and not before. Places are words and field paths.
pub fn check_publish(definition: &Definition) -> Vec<Fault> {
    let mut faults = Vec::new();
    if definition.is_personal() {
        let way_out = "open data name nobody: publish a set without the subject's fields";
        if definition.classification == Classification::Open {
            faults.push(Fault::new(
                "classification",
                "open_personal",
                format!("`open` with a subject; {way_out}"),
            ));
        }
        if definition.public.is_some() {
            faults.push(Fault::new(
                "public",
                "open_personal",
                format!("`public` with a subject; {way_out}"),
            ));
        }
        return faults;
    }
    definition.walk(&mut |path, field, _| {
        if field.personal == Some(Personal::Identifying) {
            let message = "the field identifies a person, and no `subject` says whom its disclosure concerns: name \
                           the subject's code in `subject`";
            faults.push(Fault::new(path, "subject_missing", message));
        }
    });
    faults
}

impl Definition {
    /// Every field in definition order: its path, the field, and whether it or one above it is a list.
    pub(super) fn walk(&self, visit: &mut impl FnMut(&str, &Field, bool)) {
        fn level(fields: &[Field], path: &str, listed: bool, visit: &mut impl FnMut(&str, &Field, bool)) {
            for field in fields {
                let full = joined(path, &field.name);
                let listed = listed || field.list;
                visit(&full, field, listed);
                level(&field.fields, &full, listed, visit);
            }
        }
        level(&self.fields, "", false, visit);
    }

    /// The field at a dotted path, and whether the path goes through a list.
    pub fn find(&self, path: &str) -> Option<(&Field, bool)> {
        let mut fields = &self.fields;
        let mut found: Option<(&Field, bool)> = None;
        for name in path.split('.') {
            let field = fields.iter().find(|field| field.name == name)?;
            found = Some((field, field.list || found.is_some_and(|(_, listed)| listed)));
            fields = &field.fields;
        }
        found
    }

    /// Every path, structured fields included, in definition order.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.walk(&mut |path, _, _| paths.push(path.to_owned()));
        paths
    }

    /// Every leaf's path in definition order.
    pub fn leaf_paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.walk(&mut |path, field, _| {
            if field.ty != Type::Object {
                paths.push(path.to_owned());
            }
        });
        paths
    }
}
