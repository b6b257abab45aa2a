//! A version made ready to judge with, and the lists that judge the fields of one definition.

use std::{collections::HashSet, sync::Arc};

use crate::{
    definition::Type,
    schema::{NodeId, Schema},
    value::nfc,
};

/// Codes kept in their order beside the set.
pub const FIRST: usize = 100;

/// The codes of one version.
#[derive(Debug)]
pub struct CodeList {
    pub list: String,
    /// Of the version.
    pub number: i64,
    codes: HashSet<Box<str>>,
    /// The first of them, in their order: for samples and documents.
    pub first: Vec<Box<str>>,
}

impl CodeList {
    pub fn new<'c>(list: &str, number: i64, codes: impl Iterator<Item = &'c str> + Clone) -> Self {
        Self {
            list: list.to_owned(),
            number,
            first: codes.clone().take(FIRST).map(|code| nfc(code).into()).collect(),
            codes: codes.map(|code| nfc(code).into()).collect(),
        }
    }

    pub fn holds(&self, code: &str) -> bool {
        self.codes.contains(&*nfc(code))
    }

    pub fn len(&self) -> usize {
        self.codes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }
}

/// By which list each field of a definition is judged.
#[derive(Debug, Default, Clone)]
pub struct Codes {
    /// By node; empty when nothing is judged.
    by_node: Vec<Option<Arc<CodeList>>>,
}

/// Nothing is judged: any text is a code.
pub static UNJUDGED: Codes = Codes { by_node: Vec::new() };

impl Codes {
    /// `find`: the list of a name, if one is in force.
    pub fn of(schema: &Schema, find: impl Fn(&str) -> Option<Arc<CodeList>>) -> Self {
        let lists = schema.nodes.iter().map(|node| match &node.ty {
            Type::Code(list) => find(list),
            _ => None,
        });
        let by_node: Vec<_> = lists.collect();
        if by_node.iter().all(Option::is_none) {
            return Self::default();
        }
        Self { by_node }
    }

    pub fn list(&self, node: NodeId) -> Option<&Arc<CodeList>> {
        self.by_node.get(node)?.as_ref()
    }
}
