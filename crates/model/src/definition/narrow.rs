//! What is left of a definition where only some of its fields are shown: what a reader's own programs are made from.

use std::{collections::BTreeSet, sync::Arc};

use super::{Definition, Field, Type, fields::joined};
use crate::{expression::Transition, schema::Schema};

impl Definition {
    /// The definition of records as a mask of these paths shows them: leaves, or structured fields with all under
    /// them; unknown ones are ignored. Its text parses, and its schema reads every masked record to the same bytes.
    ///
    /// Key fields stay, shown or not: records are asked for by them. Where one is hidden, a masked record misses
    /// it. Whatever names a hidden field goes: subjects, indexes, change lists, the public file, columns, retention.
    #[must_use]
    pub fn narrowed(&self, paths: &[String]) -> Self {
        let shown: BTreeSet<&str> = paths
            .iter()
            .map(String::as_str)
            .chain(self.key.fields())
            .collect();
        let mut out = Self {
            fields: narrow_all(&self.fields, "", &shown, false),
            ..self.clone()
        };
        if out.fields == self.fields {
            return out;
        }
        let whole: BTreeSet<String> = self
            .paths()
            .into_iter()
            .filter(|path| out.find(path) == self.find(path))
            .collect();
        let is_whole = |path: &String| whole.contains(path);
        out.subject.retain(is_whole);
        out.indexes.retain(|index| index.iter().all(is_whole));
        out.keep_lists(self, &whole);
        out.public = out.public.filter(|public| {
            public
                .fields
                .as_ref()
                .is_some_and(|fields| fields.iter().all(is_whole))
        });
        out.csv.columns.retain(|_, name| is_whole(name));
        out.retention = out.retention.filter(|retention| is_whole(&retention.field));
        out
    }

    /// A change list tells of whatever its expression reads.
    fn keep_lists(&mut self, before: &Self, whole: &BTreeSet<String>) {
        if self.changes.is_empty() {
            return;
        }
        let schema = Schema::compile(Arc::new(before.clone()), None);
        let paths: Vec<String> = whole.iter().cloned().collect();
        let shown = schema.mask(&paths).leaves;
        self.changes.retain(|list| {
            Transition::compile(&list.when, &schema).is_ok_and(|when| when.reads().is_subset(&shown))
        });
    }
}

fn narrow_all(fields: &[Field], path: &str, shown: &BTreeSet<&str>, above: bool) -> Vec<Field> {
    fields
        .iter()
        .filter_map(|field| {
            let path = joined(path, &field.name);
            let above = above || shown.contains(path.as_str());
            narrow(field, &path, shown, above)
        })
        .collect()
}

/// `shows`: the field is shown with all that is under it.
fn narrow(field: &Field, path: &str, shown: &BTreeSet<&str>, shows: bool) -> Option<Field> {
    if field.ty != Type::Object {
        return shows.then(|| field.clone());
    }
    let fields = narrow_all(&field.fields, path, shown, shows);
    if fields.is_empty() {
        return None;
    }
    // An object of which nothing shown has a value is left out of a masked record.
    let stays = fields == field.fields || fields.iter().any(|child| child.required);
    Some(Field {
        required: field.required && stays,
        fields,
        ..field.clone()
    })
}
