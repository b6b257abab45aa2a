//! Whether a new text leaves every stored record its bytes and every permission its meaning.

mod widened;

use std::fmt::Debug;

use serde::Serialize;

use super::{Definition, Field, Type, fields::joined};

pub use widened::Widened;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EvolutionClass {
    Identical,
    Compatible,
    Incompatible,
}

/// One difference: `place` is a top-level word or a field path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EvolutionChange {
    pub place: String,
    pub what: String,
    pub compatible: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evolution {
    pub class: EvolutionClass,
    pub changes: Vec<EvolutionChange>,
}

/// The condition of a permission's scope, which relies on the old definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Whose, as a provider is told it.
    pub of: String,
    pub when: String,
}

/// Compares two definitions of one data set, on which these scopes stand.
pub fn evolution(old: &Definition, new: &Definition, scopes: &[Condition]) -> Evolution {
    let mut changes = Changes(Vec::new());
    changes.words(old, new);
    changes.fields("", &old.fields, &new.fields, old, new);
    changes.indexes(old, new);
    changes.lists(old, new);
    if let Some(widened) = Widened::between(old, new) {
        changes.readers(&widened, old, scopes);
    }
    let changes = changes.0;
    let class = if changes.is_empty() {
        EvolutionClass::Identical
    } else if changes.iter().all(|change| change.compatible) {
        EvolutionClass::Compatible
    } else {
        EvolutionClass::Incompatible
    };
    Evolution { class, changes }
}

struct Changes(Vec<EvolutionChange>);

impl Changes {
    fn add(&mut self, place: impl Into<String>, what: impl Into<String>, compatible: bool) {
        self.0.push(EvolutionChange {
            place: place.into(),
            what: what.into(),
            compatible,
        });
    }

    fn differs<T: PartialEq>(&mut self, place: &str, old: &T, new: &T, compatible: bool) {
        if old != new {
            self.add(place, "changed", compatible);
        }
    }

    fn differs_shown<T: PartialEq + Debug>(&mut self, place: &str, old: &T, new: &T, compatible: bool) {
        if old != new {
            self.add(place, format!("changed from {old:?} to {new:?}"), compatible);
        }
    }

    fn words(&mut self, old: &Definition, new: &Definition) {
        self.differs("name", &old.name, &new.name, false);
        if old.key != new.key {
            self.add(
                "key",
                format!("changed from `{}` to `{}`", old.key, new.key),
                false,
            );
        }
        self.differs("data_description", &old.description, &new.description, true);
        self.differs("replaces", &old.replaces, &new.replaces, false);
        self.differs_shown("subject", &old.subject, &new.subject, false);
        self.differs_shown("classification", &old.classification, &new.classification, false);
        self.differs_shown("timezone", &old.timezone, &new.timezone, false);
        self.differs("public", &old.public, &new.public, true);
        self.differs("csv", &old.csv, &new.csv, true);
        match (old.history, new.history) {
            (false, true) => self.add("history", "switched on: versions are kept from now on", true),
            (true, false) => self.add("history", "switched off: kept versions would be lost", false),
            _ => {}
        }
        self.differs_shown("freshness", &old.freshness_s, &new.freshness_s, true);
        self.differs_shown("guard", &old.guard_bp, &new.guard_bp, true);
        self.differs_shown("tombstones", &old.tombstones_days, &new.tombstones_days, true);
        self.differs("retention", &old.retention, &new.retention, false);
        self.differs("source", &old.source, &new.source, true);
    }

    fn fields(&mut self, path: &str, old: &[Field], new: &[Field], before: &Definition, after: &Definition) {
        let kept: Vec<&Field> = new
            .iter()
            .filter(|field| old.iter().any(|o| o.name == field.name))
            .collect();
        for field in old {
            let place = joined(path, &field.name);
            match new.iter().find(|candidate| candidate.name == field.name) {
                None => self.add(place, "removed", false),
                Some(next) => self.field(&place, field, next, before, after),
            }
        }
        // Fields stand in records in definition order, so that a moved one changes bytes.
        let order: Vec<&str> = old
            .iter()
            .map(|field| field.name.as_str())
            .filter(|name| kept.iter().any(|k| k.name == *name))
            .collect();
        for (field, expected) in kept.iter().zip(&order) {
            if field.name != *expected {
                self.add(joined(path, &field.name), "moved", false);
            }
        }
        let last_kept = new
            .iter()
            .rposition(|field| old.iter().any(|o| o.name == field.name));
        for (at, field) in new.iter().enumerate() {
            if old.iter().any(|candidate| candidate.name == field.name) {
                continue;
            }
            let at_end = last_kept.is_none_or(|last| at > last);
            let (what, compatible) = match (field.required, at_end) {
                (true, _) => ("added, and required: records already stored have no value", false),
                (false, false) => ("added before existing fields: put it at the end", false),
                (false, true) => ("added", true),
            };
            self.add(joined(path, &field.name), what, compatible);
        }
    }

    fn field(&mut self, place: &str, old: &Field, new: &Field, before: &Definition, after: &Definition) {
        if old.list != new.list {
            let what = if new.list {
                "became a list"
            } else {
                "is no longer a list"
            };
            self.add(place, what, false);
        }
        if old.ty != new.ty {
            let key = before
                .key
                .fields()
                .chain(after.key.fields())
                .any(|name| name == place);
            let what = match (&old.ty, &new.ty) {
                (Type::Object, ty) => format!("changed from a structured field to {ty}"),
                (ty, Type::Object) => format!("changed from {ty} to a structured field"),
                (from, to) => format!("changed from {from} to {to}"),
            };
            // A key field's type decides how keys are encoded and ordered.
            self.add(place, what, widens(&old.ty, &new.ty) && !key);
        }
        match (old.required, new.required) {
            (false, true) => self.add(
                place,
                "became required: records already stored may have no value",
                false,
            ),
            (true, false) => self.add(place, "no longer required", true),
            _ => {}
        }
        if old.comments != new.comments {
            self.add(place, "description changed", true);
        }
        if old.personal != new.personal {
            self.add(place, "its personal mark changed", false);
        }
        self.differs_shown(place, &old.unit, &new.unit, false);
        if old.ty == Type::Object && new.ty == Type::Object {
            self.fields(place, &old.fields, &new.fields, before, after);
        }
    }

    /// A new index or list is built beside the others; a lost one takes a way from a permission.
    fn indexes(&mut self, old: &Definition, new: &Definition) {
        for index in old.indexes.iter().filter(|index| !new.indexes.contains(index)) {
            self.add("indexes", format!("`{}` removed", index.join(", ")), false);
        }
        for index in new.indexes.iter().filter(|index| !old.indexes.contains(index)) {
            self.add("indexes", format!("`{}` added", index.join(", ")), true);
        }
        for index in new.indexes.iter().filter(|index| old.indexes.contains(index)) {
            let ty = |set: &Definition, path: &str| set.find(path).map(|(field, _)| field.ty.clone());
            if index
                .iter()
                .any(|path| ty(old, path) == Some(Type::Int) && ty(new, path) == Some(Type::Decimal))
            {
                let what = format!(
                    "`{}` is built anew, for a wider type orders its values otherwise",
                    index.join(", ")
                );
                self.add("indexes", what, true);
            }
        }
    }

    fn lists(&mut self, old: &Definition, new: &Definition) {
        for list in &old.changes {
            match new.changes.iter().find(|candidate| candidate.name == list.name) {
                None => self.add("changes", format!("`{}` removed", list.name), false),
                Some(next) if next.when != list.when => {
                    self.add("changes", format!("`{}` has another condition", list.name), false);
                }
                Some(_) => {}
            }
        }
        for list in new
            .changes
            .iter()
            .filter(|list| !old.changes.iter().any(|o| o.name == list.name))
        {
            self.add("changes", format!("`{}` added", list.name), true);
        }
    }

    /// Expressions that would say something else of the same record: what they let through was given already.
    fn readers(&mut self, widened: &Widened, old: &Definition, scopes: &[Condition]) {
        for list in &old.changes {
            let of = format!("the change list {}", list.name);
            self.read(&widened.in_list(&list.when), &of, &list.when);
        }
        for scope in scopes {
            self.read(&widened.in_scope(&scope.when), &scope.of, &scope.when);
        }
    }

    fn read(&mut self, paths: &[&str], of: &str, when: &str) {
        for path in paths {
            let what = format!(
                "read as a whole number by {of} (`{when}`), to which a decimal is another value: leave it int and add a \
                 decimal field at the end, or define a new set that replaces this one"
            );
            self.add(*path, what, false);
        }
    }
}

/// int → decimal and code → text leave every stored value as it is written.
fn widens(old: &Type, new: &Type) -> bool {
    matches!(
        (old, new),
        (Type::Int, Type::Decimal) | (Type::Code(_), Type::Text)
    )
}
