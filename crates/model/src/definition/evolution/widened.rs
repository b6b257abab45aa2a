//! Fields whose whole numbers became decimals. Their bytes stay, but to an expression they are other values: 3 / 2 is 1,
//! then fails, for decimals are not reckoned with whole numbers; past 2⁵³ neighbours are equal.

use std::sync::Arc;

use super::{Definition, Field, Type};
use crate::{
    definition::fields::joined,
    expression::{Predicate, Transition},
    leaves::LeafSet,
    schema::Schema,
};

#[derive(Debug)]
pub struct Widened {
    /// Of the earlier definition.
    schema: Schema,
    paths: Vec<String>,
}

impl Widened {
    /// `None` = there are none.
    pub fn between(old: &Definition, new: &Definition) -> Option<Self> {
        let mut paths = Vec::new();
        find("", &old.fields, &new.fields, &mut paths);
        (!paths.is_empty()).then(|| Self {
            schema: Schema::compile(Arc::new(old.clone()), None),
            paths,
        })
    }

    /// Those that the predicate of a scope reads.
    pub fn in_scope(&self, when: &str) -> Vec<&str> {
        Predicate::compile(when, &self.schema).map_or_else(|_| Vec::new(), |when| self.read(when.reads()))
    }

    /// Those that the condition of a change list reads.
    pub fn in_list(&self, when: &str) -> Vec<&str> {
        Transition::compile(when, &self.schema).map_or_else(|_| Vec::new(), |when| self.read(when.reads()))
    }

    fn read(&self, reads: &LeafSet) -> Vec<&str> {
        let leaf = |path: &str| self.schema.nodes[self.schema.node(path)?].leaf;
        let paths = self.paths.iter().map(String::as_str);
        paths
            .filter(|path| leaf(path).is_some_and(|leaf| reads.contains(leaf)))
            .collect()
    }
}

fn find(path: &str, old: &[Field], new: &[Field], out: &mut Vec<String>) {
    for field in old {
        let Some(next) = new.iter().find(|next| next.name == field.name) else {
            continue;
        };
        let path = joined(path, &field.name);
        find(&path, &field.fields, &next.fields, out);
        if field.ty == Type::Int && next.ty == Type::Decimal {
            out.push(path);
        }
    }
}
