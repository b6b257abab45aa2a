//! Ids for how fields under one list stand to each other.

use std::collections::HashMap;

use super::{Allotment, LeafIds, Node, NodeId};
use crate::leaves::{LeafId, LeafSet};

/// A list with more leaves has one alignment for all of them: pairs grow with the square.
const MAX_PAIRED: usize = 16;

/// One alignment of the present text.
#[derive(Debug, Clone)]
pub(crate) struct Alignment {
    pub(crate) id: LeafId,
    pub(crate) list: NodeId,
    /// `None`: all leaves of the list.
    pub(crate) pair: Option<(NodeId, NodeId)>,
}

/// What a mask must show for an alignment to be visible in it.
#[derive(Debug, Clone)]
pub(crate) enum Aligned {
    Both(LeafId, LeafId),
    TwoOf(LeafSet),
}

impl Aligned {
    pub(crate) fn shown(&self, leaves: &LeafSet) -> bool {
        match self {
            Self::Both(a, b) => leaves.contains(*a) && leaves.contains(*b),
            Self::TwoOf(list) => list.iter().filter(|leaf| leaves.contains(*leaf)).nth(1).is_some(),
        }
    }
}

fn is_list_of_objects(node: &Node) -> bool {
    node.list && node.is_object()
}

/// The innermost list that holds both nodes.
fn common_list(nodes: &[Node], a: NodeId, b: NodeId) -> Option<NodeId> {
    let mut up = nodes[a].parent;
    while let Some(id) = up {
        if is_list_of_objects(&nodes[id]) && (id..nodes[id].end).contains(&b) {
            return Some(id);
        }
        up = nodes[id].parent;
    }
    None
}

/// Alignments of every list, by list node; ids from `ids`, new ones added to it.
pub(super) fn allot(nodes: &[Node], ids: &mut Allotment) -> Vec<Alignment> {
    let mut alignments = Vec::new();
    for (list, node) in nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| is_list_of_objects(node))
    {
        let leaves: Vec<NodeId> = (list..node.end).filter(|id| nodes[*id].leaf.is_some()).collect();
        if leaves.len() > MAX_PAIRED {
            alignments.push(Alignment {
                id: ids.allot(&format!("{}|*", node.path)),
                list,
                pair: None,
            });
            continue;
        }
        for (at, a) in leaves.iter().enumerate() {
            for b in &leaves[at + 1..] {
                if common_list(nodes, *a, *b) == Some(list) {
                    let id = ids.allot(&format!("{}|{}", nodes[*a].path, nodes[*b].path));
                    alignments.push(Alignment {
                        id,
                        list,
                        pair: Some((*a, *b)),
                    });
                }
            }
        }
    }
    alignments
}

/// Every alignment id whose leaves exist. Pairs of a list that has since outgrown pairing stay visible: records
/// may have moved at them last.
pub(super) fn shown_by(
    nodes: &[Node],
    by_path: &HashMap<String, NodeId>,
    ids: &LeafIds,
) -> Vec<(LeafId, Aligned)> {
    let node = |path: &str| by_path.get(path).map(|id| &nodes[*id]);
    ids.0
        .iter()
        .filter_map(|(name, id)| {
            let (first, second) = name.split_once('|')?;
            let aligned = if second == "*" {
                Aligned::TwoOf(node(first)?.leaves.clone())
            } else {
                Aligned::Both(node(first)?.leaf?, node(second)?.leaf?)
            };
            Some((*id, aligned))
        })
        .collect()
}
