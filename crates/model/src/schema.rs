//! A definition compiled for reading and writing records: nodes, leaf ids, key columns.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    definition::{Definition, Field, Type},
    leaves::{LeafId, LeafSet},
    value::write_string,
};

mod alignment;

pub(crate) use alignment::{Aligned, Alignment};

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
    /// One past the last node under this one: nodes are in preorder.
    pub end: NodeId,
}

/// What reading one object needs to know of its members.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    /// Name → position among the children.
    pub(crate) positions: HashMap<Box<str>, usize>,
    /// Bitmap of the positions that are required.
    pub(crate) required: SmallVec<[u64; 2]>,
}

/// Where subject codes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    No,
    Below,
    Here,
}

/// Compiled definition. `nodes` is preorder; `roots` the top level in definition order.
///
/// **Alignments.** Two fields under one list can each look unchanged while they stand differently to each other
/// (`[{S:a},{A:1}]` became `[{S:a,A:1}]`). So every pair of leaves whose nearest common list is the same has an
/// id of its own (`Pets.Species|Pets.Age`), and a list with more than 16 leaves has one for all (`Pets|*`).
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
    pub(crate) by_path: HashMap<String, NodeId>,
    pub(crate) root_shape: Shape,
    /// By node; empty for leaves.
    pub(crate) shapes: Vec<Shape>,
    /// By node.
    pub(crate) subject_at: Vec<Subject>,
    /// By node: is it a key column.
    pub(crate) is_key: Vec<bool>,
    /// Alignments of this text, by list node.
    pub(crate) alignments: Vec<Alignment>,
    /// Every alignment id ever given whose leaves still exist, with what shows it.
    pub(crate) aligned: Vec<(LeafId, Aligned)>,
    pub(crate) zone: TimeZone,
}

impl Schema {
    /// Compiles a checked definition. Ids in `previous` are kept, new leaves get the next free ones. Paths of the
    /// definition that do not exist (key, subject) are left out: checking is the parser's job.
    pub fn compile(definition: Arc<Definition>, previous: Option<&LeafIds>) -> Self {
        let mut build = Build {
            ids: Allotment::new(previous.cloned().unwrap_or_default()),
            nodes: Vec::new(),
        };
        let roots = build.fields(&definition.fields, None, "");
        let Build { mut ids, mut nodes } = build;
        let by_path: HashMap<String, NodeId> = nodes
            .iter()
            .enumerate()
            .map(|(id, node)| (node.path.clone(), id))
            .collect();
        let key: Vec<NodeId> = definition
            .key
            .fields()
            .filter_map(|name| by_path.get(name).copied())
            .collect();
        let mut is_key = vec![false; nodes.len()];
        for id in &key {
            nodes[*id].required = true;
            is_key[*id] = true;
        }
        let subjects: Vec<NodeId> = definition
            .subject
            .iter()
            .filter_map(|path| by_path.get(path).copied())
            .collect();
        let alignments = alignment::allot(&nodes, &mut ids);
        let ids = ids.ids;
        let aligned = alignment::shown_by(&nodes, &by_path, &ids);
        let shape_of = |children: &[NodeId]| shape(&nodes, children);
        Self {
            root_shape: shape_of(&roots),
            shapes: nodes.iter().map(|node| shape_of(&node.children)).collect(),
            subject_at: subject_at(&nodes, &subjects),
            leaf_paths: nodes
                .iter()
                .filter_map(|n| n.leaf.map(|leaf| (n.path.clone(), leaf)))
                .collect(),
            all_leaves: nodes.iter().filter_map(|node| node.leaf).collect(),
            zone: TimeZone::get(&definition.timezone).unwrap_or(TimeZone::UTC),
            partition_len: definition.key.partition.len(),
            leaf_ids: ids,
            definition,
            nodes,
            roots,
            key,
            subjects,
            by_path,
            is_key,
            alignments,
            aligned,
        }
    }

    pub fn node(&self, path: &str) -> Option<NodeId> {
        self.by_path.get(path).copied()
    }

    /// Fields above this one, from the inside out.
    pub fn above(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(self.nodes[node].parent, |id| self.nodes[*id].parent)
    }

    /// The list that a field is inside of, the innermost.
    pub fn list_of(&self, node: NodeId) -> Option<NodeId> {
        self.above(node).find(|id| self.nodes[*id].list)
    }

    /// Leaf paths at or under the given paths, in definition order; the error lists the unknown ones.
    pub fn resolve<'a>(&self, paths: impl Iterator<Item = &'a str>) -> Result<Vec<String>, Vec<String>> {
        let mut chosen = LeafSet::new();
        let mut unknown = Vec::new();
        for path in paths {
            match self.node(path) {
                Some(id) => chosen.union(&self.nodes[id].leaves),
                None => unknown.push(path.to_owned()),
            }
        }
        if !unknown.is_empty() {
            return Err(unknown);
        }
        Ok(self
            .leaf_paths
            .iter()
            .filter(|(_, leaf)| chosen.contains(*leaf))
            .map(|(p, _)| p.clone())
            .collect())
    }

    /// Children of a structured node, or the top level.
    pub(crate) fn children(&self, parent: Option<NodeId>) -> &[NodeId] {
        parent.map_or(&self.roots, |id| &self.nodes[id].children)
    }

    pub(crate) fn shape(&self, parent: Option<NodeId>) -> &Shape {
        parent.map_or(&self.root_shape, |id| &self.shapes[id])
    }
}

impl Node {
    pub fn is_object(&self) -> bool {
        self.ty == Type::Object
    }
}

struct Build {
    ids: Allotment,
    nodes: Vec<Node>,
}

impl Build {
    fn fields(&mut self, fields: &[Field], parent: Option<NodeId>, prefix: &str) -> Vec<NodeId> {
        fields
            .iter()
            .map(|field| self.field(field, parent, prefix))
            .collect()
    }

    fn field(&mut self, field: &Field, parent: Option<NodeId>, prefix: &str) -> NodeId {
        let path = if prefix.is_empty() {
            field.name.clone()
        } else {
            format!("{prefix}.{}", field.name)
        };
        let leaf = (field.ty != Type::Object).then(|| self.ids.allot(&path));
        let mut label = Vec::with_capacity(field.name.len() + 3);
        write_string(&field.name, &mut label);
        label.push(b':');
        let id = self.nodes.len();
        self.nodes.push(Node {
            name: field.name.clone(),
            path: path.clone(),
            ty: field.ty.clone(),
            list: field.list,
            required: field.required,
            personal: field.personal.is_some(),
            leaf,
            children: Vec::new(),
            parent,
            label,
            leaves: LeafSet::new(),
            end: 0,
        });
        let children = self.fields(&field.fields, Some(id), &path);
        let mut leaves: LeafSet = leaf.into_iter().collect();
        for child in &children {
            leaves.union(&self.nodes[*child].leaves);
        }
        let end = self.nodes.len();
        let node = &mut self.nodes[id];
        (node.children, node.leaves, node.end) = (children, leaves, end);
        id
    }
}

/// Gives out ids: those already given stay, new ones follow the last.
pub(crate) struct Allotment {
    ids: LeafIds,
    next: LeafId,
}

impl Allotment {
    fn new(ids: LeafIds) -> Self {
        let next = ids.0.values().max().map_or(0, |last| last.saturating_add(1));
        Self { ids, next }
    }

    fn allot(&mut self, name: &str) -> LeafId {
        if let Some(id) = self.ids.0.get(name) {
            return *id;
        }
        let id = self.next;
        self.next = self.next.saturating_add(1);
        self.ids.0.insert(name.to_owned(), id);
        id
    }
}

fn shape(nodes: &[Node], children: &[NodeId]) -> Shape {
    let mut shape = Shape {
        positions: HashMap::new(),
        required: SmallVec::new(),
    };
    shape.required.resize(children.len().div_ceil(64), 0);
    for (position, id) in children.iter().enumerate() {
        shape.positions.insert(nodes[*id].name.as_str().into(), position);
        if nodes[*id].required {
            shape.required[position / 64] |= 1 << (position % 64);
        }
    }
    shape
}

fn subject_at(nodes: &[Node], subjects: &[NodeId]) -> Vec<Subject> {
    let mut at = vec![Subject::No; nodes.len()];
    for subject in subjects {
        at[*subject] = Subject::Here;
        let mut up = nodes[*subject].parent;
        while let Some(id) = up {
            at[id] = Subject::Below;
            up = nodes[id].parent;
        }
    }
    at
}

#[cfg(test)]
pub(crate) mod tests;
