//! A definition compiled for reading and writing records: nodes, leaf ids, key columns.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    definition::{Definition, Type},
    leaves::{LeafId, LeafSet},
};

/// Index into `Schema::nodes`.
pub type NodeId = usize;

/// Leaf path → id, kept beside the definition so that compatible texts keep every id.
/// Holds leaves (`Pets.Species`) and alignments (`Pets.Species|Pets.Age`, see `Schema`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeafIds(pub BTreeMap<String, LeafId>);

/// One field of the definition, at any depth.
#[derive(Debug, Clone)]
pub struct Node {
    pub name: String,
    /// Dotted from the root, without list positions.
    pub path: String,
    pub ty: Type,
    pub list: bool,
    pub required: bool,
    pub personal: bool,
    /// `None` for structured fields.
    pub leaf: Option<LeafId>,
    pub children: Vec<NodeId>,
    pub parent: Option<NodeId>,
    /// `"Name":` as it stands in canonical JSON.
    pub label: Vec<u8>,
    /// Leaves at or under this node.
    pub leaves: LeafSet,
}

/// Compiled definition. `nodes` is preorder; `roots` the top level in definition order.
#[derive(Debug)]
pub struct Schema {
    pub definition: Arc<Definition>,
    pub leaf_ids: LeafIds,
    pub nodes: Vec<Node>,
    pub roots: Vec<NodeId>,
    /// Key columns in key order (partition, then order).
    pub key: Vec<NodeId>,
    pub partition_len: usize,
    /// Nodes of `definition.subject`.
    pub subjects: Vec<NodeId>,
    /// Every leaf path in definition order with its id.
    pub leaf_paths: Vec<(String, LeafId)>,
    /// Every leaf.
    pub all_leaves: LeafSet,
}
