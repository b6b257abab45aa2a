//! Which leaves changed between two versions of a record.

use crate::{
    leaves::LeafSet,
    schema::{Alignment, NodeId, Schema},
};

use super::{
    RecordRef,
    mask::{Show, project_list},
    spans::{Member, Object},
};

/// Leaf *i* is in the result if and only if the projections of the two records onto *i* alone differ; an
/// alignment, if and only if the projections onto its leaves differ and none of them does alone. Key columns never.
///
/// So for every mask: what it shows differs only if its leaves intersect the result (and, for lists that are
/// aligned by pairs, if they do).
pub fn changed_leaves(schema: &Schema, old: RecordRef<'_>, new: RecordRef<'_>) -> LeafSet {
    let mut diff = Diff {
        schema,
        changed: LeafSet::new(),
    };
    if old.json != new.json {
        diff.objects(None, Some(old.into()), Some(new.into()));
    }
    diff.changed
}

struct Diff<'s> {
    schema: &'s Schema,
    changed: LeafSet,
}

impl<'s> Diff<'s> {
    fn objects(&mut self, parent: Option<NodeId>, old: Option<Object<'_>>, new: Option<Object<'_>>) {
        let schema = self.schema;
        let mut old = old
            .into_iter()
            .flat_map(|object| schema.members_of(parent, object))
            .peekable();
        let mut new = new
            .into_iter()
            .flat_map(|object| schema.members_of(parent, object))
            .peekable();
        loop {
            let (left, right) = match (old.peek(), new.peek()) {
                (None, None) => return,
                (Some(a), Some(b)) if a.position == b.position => (old.next(), new.next()),
                (Some(a), Some(b)) if a.position < b.position => (old.next(), None),
                (Some(_), None) => (old.next(), None),
                _ => (None, new.next()),
            };
            self.members(left, right);
        }
    }

    fn members(&mut self, old: Option<Member<'_>>, new: Option<Member<'_>>) {
        let Some(id) = old.or(new).map(|member| member.node) else {
            return;
        };
        if old.map(|member| member.value) == new.map(|member| member.value) || self.schema.is_key[id] {
            return;
        }
        let node = &self.schema.nodes[id];
        if let Some(leaf) = node.leaf {
            self.changed.insert(leaf);
        } else if node.list {
            let old: Vec<_> = old.into_iter().flat_map(|member| member.elements()).collect();
            let new: Vec<_> = new.into_iter().flat_map(|member| member.elements()).collect();
            self.lists(id, &old, &new);
        } else {
            self.objects(Some(id), old.map(|m| m.object()), new.map(|m| m.object()));
        }
    }

    fn lists(&mut self, list: NodeId, old: &[Object<'_>], new: &[Object<'_>]) {
        // A projection maps each element by itself, so a common head and tail take no part in the difference.
        let same = |(a, b): &(&Object<'_>, &Object<'_>)| a.json == b.json;
        let head = old.iter().zip(new).take_while(same).count();
        let (old, new) = (&old[head..], &new[head..]);
        let tail = old.iter().rev().zip(new.iter().rev()).take_while(same).count();
        let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
        let alignments = self.alignments_under(list);
        let paired = !alignments.iter().any(|alignment| alignment.pair.is_none());
        match (old, new) {
            // Side by side, two elements differ as two objects do: nothing can have moved between elements.
            ([old], [new]) if paired => self.objects(Some(list), Some(*old), Some(*new)),
            _ => self.realigned(list, old, new, alignments),
        }
    }

    /// Alignments of this list and of the lists in it.
    fn alignments_under(&self, list: NodeId) -> &'s [Alignment] {
        let all = &self.schema.alignments;
        let end = self.schema.nodes[list].end;
        let from = all.partition_point(|alignment| alignment.list < list);
        let to = all.partition_point(|alignment| alignment.list < end);
        &all[from..to]
    }

    fn realigned(&mut self, list: NodeId, old: &[Object<'_>], new: &[Object<'_>], alignments: &[Alignment]) {
        let schema = self.schema;
        let mut compare = Compare {
            schema,
            list,
            old,
            new,
            show: vec![Show::None; schema.nodes.len()],
        };
        // Leaves that are given somewhere but look the same alone.
        let mut still = LeafSet::new();
        for id in list..schema.nodes[list].end {
            let Some(leaf) = schema.nodes[id].leaf else {
                continue;
            };
            match compare.onto(&[id]) {
                Difference::Changed => self.changed.insert(leaf),
                Difference::Same => still.insert(leaf),
                Difference::Absent => {}
            }
        }
        let is_still = |id: NodeId| schema.nodes[id].leaf.is_some_and(|leaf| still.contains(leaf));
        for alignment in alignments {
            let differs = match alignment.pair {
                Some((a, b)) => is_still(a) && is_still(b) && compare.onto(&[a, b]) == Difference::Changed,
                None => {
                    let end = schema.nodes[alignment.list].end;
                    let leaves: Vec<NodeId> = (alignment.list..end).filter(|id| is_still(*id)).collect();
                    leaves.len() > 1 && compare.onto(&leaves) == Difference::Changed
                }
            };
            if differs {
                self.changed.insert(alignment.id);
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Difference {
    Changed,
    Same,
    /// Nothing of it on either side.
    Absent,
}

/// Compares two lists under changing masks.
struct Compare<'s, 'o> {
    schema: &'s Schema,
    list: NodeId,
    old: &'o [Object<'o>],
    new: &'o [Object<'o>],
    show: Vec<Show>,
}

impl Compare<'_, '_> {
    fn onto(&mut self, leaves: &[NodeId]) -> Difference {
        for leaf in leaves {
            self.show[*leaf] = Show::Full;
            let mut up = self.schema.nodes[*leaf].parent;
            while let Some(id) = up.filter(|id| *id >= self.list) {
                self.show[id] = Show::Part;
                up = self.schema.nodes[id].parent;
            }
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        project_list(
            self.schema,
            self.list,
            self.old.iter().copied(),
            &self.show,
            &mut before,
        );
        project_list(
            self.schema,
            self.list,
            self.new.iter().copied(),
            &self.show,
            &mut after,
        );
        self.show[self.list..self.schema.nodes[self.list].end].fill(Show::None);
        match (before == after, before.is_empty()) {
            (false, _) => Difference::Changed,
            (true, false) => Difference::Same,
            (true, true) => Difference::Absent,
        }
    }
}
