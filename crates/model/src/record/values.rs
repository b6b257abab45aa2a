//! Values of a record by node, and the persons a record names.

use std::collections::BTreeSet;

use crate::{
    schema::{NodeId, Schema, Subject},
    value::subject_code,
};

use super::{
    Mask, RecordRef,
    mask::Show,
    scan::{elements, text_of},
    spans::Object,
};

impl Schema {
    /// Top-level fields that have a value: node and canonical JSON, in definition order.
    pub fn members<'a>(&'a self, record: RecordRef<'a>) -> impl Iterator<Item = (NodeId, &'a [u8])> {
        self.members_of(None, record.into())
            .map(|member| (member.node, member.value))
    }

    /// Every value of a node as canonical JSON, through lists in order; the values of a list one by one.
    pub fn values<'a>(&'a self, record: RecordRef<'a>, node: NodeId) -> Vec<&'a [u8]> {
        let mut found = Vec::new();
        self.collect(None, record.into(), node, &mut found);
        found
    }

    /// The first value of a node as text: strings unescaped, anything else as its JSON.
    pub fn leaf_text(&self, record: RecordRef<'_>, node: NodeId) -> Option<String> {
        self.values(record, node).first().map(|value| text_of(value))
    }

    fn collect<'a>(
        &'a self,
        parent: Option<NodeId>,
        object: Object<'a>,
        node: NodeId,
        found: &mut Vec<&'a [u8]>,
    ) {
        for member in self.members_of(parent, object) {
            let spec = &self.nodes[member.node];
            if !(member.node..spec.end).contains(&node) {
                continue;
            }
            match (member.node == node, spec.list) {
                (true, true) => found.extend(elements(member.value)),
                (true, false) => found.push(member.value),
                (false, true) => {
                    for element in member.elements() {
                        self.collect(Some(member.node), element, node, found);
                    }
                }
                (false, false) => self.collect(Some(member.node), member.object(), node, found),
            }
        }
    }

    /// Codes of the persons the record names, sorted, each once; those of personal-code form without hyphen.
    ///
    /// With a mask, only the persons it discloses something of: an object (the record, a single object, a list
    /// element) that holds a code counts if the mask shows any leaf at or under it that has a value, even where
    /// the code itself is hidden.
    pub fn subjects_of(&self, record: RecordRef<'_>, shown: Option<&Mask>) -> Vec<String> {
        let mut codes = BTreeSet::new();
        if !self.subjects.is_empty() {
            self.subjects_in(None, record.into(), shown, &mut codes);
        }
        codes.into_iter().collect()
    }

    fn subjects_in(
        &self,
        parent: Option<NodeId>,
        object: Object<'_>,
        shown: Option<&Mask>,
        codes: &mut BTreeSet<String>,
    ) {
        let mut disclosed = None;
        for member in self.members_of(parent, object) {
            let spec = &self.nodes[member.node];
            match self.subject_at[member.node] {
                Subject::No => {}
                Subject::Below if spec.list => {
                    for element in member.elements() {
                        self.subjects_in(Some(member.node), element, shown, codes);
                    }
                }
                Subject::Below => self.subjects_in(Some(member.node), member.object(), shown, codes),
                Subject::Here => {
                    let visible = *disclosed.get_or_insert_with(|| {
                        shown.is_none_or(|mask| self.shows_any(parent, object, &mask.show))
                    });
                    if !visible {
                        continue;
                    }
                    let mut add = |value: &[u8]| {
                        codes.insert(subject_code(&text_of(value)).into_owned());
                    };
                    if spec.list {
                        elements(member.value).for_each(add);
                    } else {
                        add(member.value);
                    }
                }
            }
        }
    }

    /// Does the mask show any leaf of the object that has a value?
    fn shows_any(&self, parent: Option<NodeId>, object: Object<'_>, show: &[Show]) -> bool {
        self.members_of(parent, object)
            .any(|member| match show[member.node] {
                Show::None => false,
                Show::Full => true,
                Show::Part if self.nodes[member.node].list => member
                    .elements()
                    .any(|element| self.shows_any(Some(member.node), element, show)),
                Show::Part => self.shows_any(Some(member.node), member.object(), show),
            })
    }
}
