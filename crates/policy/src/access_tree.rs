//! What a permission shows, as the national platform draws it.

use dagr_model::schema::NodeId;
use serde_json::{Value, json};

use crate::grant::Grant;

#[derive(Clone, Copy, PartialEq)]
enum Access {
    Full,
    Partial,
    None,
}

impl Access {
    fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::None => "none",
        }
    }

    fn of(children: &[(Access, Value)]) -> Self {
        let all = |wanted| children.iter().all(|(access, _)| *access == wanted);
        if all(Self::Full) {
            Self::Full
        } else if all(Self::None) {
            Self::None
        } else {
            Self::Partial
        }
    }
}

/// `{name, read_access, properties}` from the data set down. `properties` lists every child where access is
/// `partial` and is null elsewhere; leaves are `full` or `none`.
pub fn access_tree(grant: &Grant) -> Value {
    let children = children(grant, &grant.schema.roots);
    node(
        grant.schema.definition.name.as_str(),
        Access::of(&children),
        children,
    )
}

fn children(grant: &Grant, nodes: &[NodeId]) -> Vec<(Access, Value)> {
    let schema = &grant.schema;
    let child = |id: &NodeId| {
        let described = &schema.nodes[*id];
        let (access, below) = match described.leaf {
            Some(leaf) if grant.mask.leaves.contains(leaf) => (Access::Full, Vec::new()),
            Some(_) => (Access::None, Vec::new()),
            None => {
                let below = children(grant, &described.children);
                (Access::of(&below), below)
            }
        };
        (access, node(&described.name, access, below))
    };
    nodes.iter().map(child).collect()
}

fn node(name: &str, access: Access, children: Vec<(Access, Value)>) -> Value {
    let partial = access == Access::Partial;
    let properties = partial.then(|| children.into_iter().map(|(_, child)| child).collect::<Vec<_>>());
    json!({ "name": name, "read_access": access.as_str(), "properties": properties })
}
