//! Field lists as people write them → leaf paths.

use std::collections::BTreeSet;

use dagr_model::{
    fault::{Fault, nearest},
    schema::{NodeId, Schema},
};

/// Names a list may hold, repetitions included.
const MAX_NAMES: usize = 10_000;

/// Leaf paths of `requested` in definition order. `["all"]` is every leaf; a structured field all below it.
///
/// A field that is itself called `all` wins over the word.
pub fn resolve_fields(schema: &Schema, requested: &[String]) -> Result<Vec<String>, Vec<Fault>> {
    if let [word] = requested
        && word == "all"
        && find(schema, word).is_none()
    {
        return Ok(schema.leaf_paths.iter().map(|(path, _)| path.clone()).collect());
    }
    leaf_paths(schema, requested)
}

/// The same without the word `all`: what `fields=` may say.
pub fn leaf_paths(schema: &Schema, requested: &[String]) -> Result<Vec<String>, Vec<Fault>> {
    let unknown = |place: &str, message: String| Fault::new(place, "field_unknown", message);
    if requested.is_empty() || requested.len() > MAX_NAMES {
        return Err(vec![unknown(
            "fields",
            format!("name between 1 and {MAX_NAMES} fields, or leave fields out"),
        )]);
    }
    let mut wanted = BTreeSet::new();
    let mut faults = Vec::new();
    for name in requested {
        match find(schema, name) {
            Some(node) => wanted.extend(schema.nodes[node].leaves.iter()),
            None => faults.push(unknown(&shown(name), message(schema, name))),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let given = schema.leaf_paths.iter().filter(|(_, leaf)| wanted.contains(leaf));
    Ok(given.map(|(path, _)| path.clone()).collect())
}

fn find(schema: &Schema, path: &str) -> Option<NodeId> {
    let mut children = &schema.roots;
    let mut found = None;
    for name in path.split('.') {
        let node = children
            .iter()
            .copied()
            .find(|child| schema.nodes[*child].name == name)?;
        children = &schema.nodes[node].children;
        found = Some(node);
    }
    found
}

fn message(schema: &Schema, name: &str) -> String {
    match nearest(name, schema.nodes.iter().map(|node| node.path.as_str())) {
        Some(near) => format!("the data set has no such field: did you mean {near}?"),
        None => "the data set has no such field: see its definition".to_owned(),
    }
}

/// What was sent, bounded: it goes into a fault.
fn shown(name: &str) -> String {
    name.chars().take(100).collect()
}
