//! Field masks, applied by copying byte ranges.

use crate::{
    leaves::LeafSet,
    schema::{NodeId, Schema},
};

use super::{RecordRef, spans::Object};

/// How much of a node a mask shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    None,
    Part,
    Full,
}

/// The fields somebody may see, compiled for one schema.
#[derive(Debug, Clone)]
pub struct Mask {
    /// Leaves shown, and the alignments between them.
    pub leaves: LeafSet,
    /// By node.
    pub(crate) show: Vec<Show>,
    full: bool,
}

impl Mask {
    /// Everything the schema has today.
    pub fn all(schema: &Schema) -> Self {
        Self::of(schema, schema.all_leaves.clone())
    }

    /// Shows everything: projecting copies the record.
    pub fn is_full(&self) -> bool {
        self.full
    }

    fn of(schema: &Schema, mut leaves: LeafSet) -> Self {
        let show = schema
            .nodes
            .iter()
            .map(
                |node| match (node.leaves.intersects(&leaves), node.leaves.is_subset(&leaves)) {
                    (false, _) => Show::None,
                    (true, false) => Show::Part,
                    (true, true) => Show::Full,
                },
            )
            .collect();
        let full = schema.all_leaves.is_subset(&leaves);
        let aligned: LeafSet = schema
            .aligned
            .iter()
            .filter(|(_, aligned)| aligned.shown(&leaves))
            .map(|(id, _)| *id)
            .collect();
        leaves.union(&aligned);
        Self { leaves, show, full }
    }
}

impl Schema {
    /// The mask that shows the given leaf paths (or all leaves under a structured path). Unknown ones are ignored.
    pub fn mask(&self, paths: &[String]) -> Mask {
        let mut leaves = LeafSet::new();
        for id in paths.iter().filter_map(|path| self.node(path)) {
            leaves.union(&self.nodes[id].leaves);
        }
        Mask::of(self, leaves)
    }
}

/// Writes what `mask` shows of the record as canonical JSON, `{}` if nothing. Elements of lists of objects that
/// become empty are dropped, empty lists and objects left out.
pub fn project(schema: &Schema, record: RecordRef<'_>, mask: &Mask, out: &mut Vec<u8>) {
    if mask.full {
        out.extend_from_slice(record.json);
    } else if !project_object(schema, None, record.into(), &mask.show, out) {
        out.extend_from_slice(b"{}");
    }
}

/// Writes an object's visible part; false (and nothing written) if there is none.
pub(super) fn project_object(
    schema: &Schema,
    parent: Option<NodeId>,
    object: Object<'_>,
    show: &[Show],
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    for member in schema.members_of(parent, object) {
        match show.get(member.node) {
            Some(Show::Full) => out.extend_from_slice(member.whole),
            Some(Show::Part) => {
                let before = out.len();
                out.extend_from_slice(&member.whole[..member.whole.len() - member.value.len()]);
                let shown = if schema.nodes[member.node].list {
                    project_list(schema, member.node, member.elements(), show, out)
                } else {
                    project_object(schema, Some(member.node), member.object(), show, out)
                };
                if !shown {
                    out.truncate(before);
                }
            }
            Some(Show::None) | None => {}
        }
    }
    if out.len() == start {
        return false;
    }
    // Members bring the separator before them along: `{` for the object's first, which is also first here if it
    // is shown at all, and `,` for the others.
    out[start] = b'{';
    out.push(b'}');
    true
}

/// Writes a list's visible part; false (and nothing written) if there is none.
pub(super) fn project_list<'a>(
    schema: &Schema,
    list: NodeId,
    elements: impl Iterator<Item = Object<'a>>,
    show: &[Show],
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    for element in elements {
        let before = out.len();
        out.push(b',');
        if !project_object(schema, Some(list), element, show, out) {
            out.truncate(before);
        }
    }
    if out.len() == start {
        return false;
    }
    out[start] = b'[';
    out.push(b']');
    true
}
