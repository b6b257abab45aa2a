//! A permission compiled against its data set's definition.

use std::sync::Arc;

use dagr_model::{
    expression::Predicate,
    fault::{Fault, nearest},
    permission::{Permission, Scope, Way},
    record::Mask,
    schema::Schema,
};

use crate::{fields, key_set::KeySet, scope};

/// A permission ready to decide with: compiled once per revision and definition.
#[derive(Debug)]
pub struct Grant {
    pub permission: Arc<Permission>,
    pub schema: Arc<Schema>,
    /// Everything the permission shows.
    pub mask: Arc<Mask>,
    pub scope: CompiledScope,
    /// Whether every key field is shown: changes and pages need it.
    pub shows_full_key: bool,
}

#[derive(Debug)]
pub enum CompiledScope {
    All,
    /// Decided without reading.
    Keys(KeySet),
    /// Decided on each record.
    When(Predicate),
}

impl CompiledScope {
    /// Every fault at once; `place` is a member of the permission.
    pub fn compile(scope: Option<&Scope>, schema: &Schema) -> Result<Self, Vec<Fault>> {
        match scope {
            None => Ok(Self::All),
            Some(Scope::Keys(keys)) => scope::key_set(schema, keys).map(Self::Keys),
            Some(Scope::When(text)) => Predicate::compile(text, schema)
                .map(Self::When)
                .map_err(|faults| {
                    let faults = faults.into_iter();
                    faults.map(|fault| under("scope.when", fault)).collect()
                }),
        }
    }
}

/// The fields of one answer.
#[derive(Debug, Clone)]
pub struct Given {
    pub mask: Arc<Mask>,
    /// Leaf paths in definition order.
    pub fields: Vec<String>,
}

impl Grant {
    /// Every fault of the permission at once; `place` is a member of the permission.
    pub fn compile(permission: Arc<Permission>, schema: Arc<Schema>) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        if permission.dataset != schema.definition.name {
            faults.push(invalid("dataset", "the permission is for another data set"));
        }
        check_fields(&permission, &schema, &mut faults);
        check_ways(&permission, &schema, &mut faults);
        check_terms(&permission, &mut faults);
        let scope = CompiledScope::compile(permission.scope.as_ref(), &schema).unwrap_or_else(|more| {
            faults.extend(more);
            CompiledScope::All
        });
        if !faults.is_empty() {
            return Err(faults);
        }
        let mask = Arc::new(schema.mask(&permission.fields));
        let shows_full_key = schema.key.iter().all(|node| {
            schema.nodes[*node]
                .leaf
                .is_some_and(|leaf| mask.leaves.contains(leaf))
        });
        Ok(Self {
            permission,
            schema,
            mask,
            scope,
            shows_full_key,
        })
    }

    /// The mask and leaf paths of an answer narrowed by `fields`; everything granted without it. Names the
    /// permission does not hold give nothing: call it after `refuse`.
    pub fn given(&self, fields: Option<&[String]>) -> Given {
        let Some(fields) = fields else {
            return Given {
                mask: Arc::clone(&self.mask),
                fields: self.granted().map(str::to_owned).collect(),
            };
        };
        let asked = fields::leaf_paths(&self.schema, fields).unwrap_or_default();
        let fields: Vec<String> = asked.into_iter().filter(|path| self.shows(path)).collect();
        Given {
            mask: Arc::new(self.schema.mask(&fields)),
            fields,
        }
    }

    /// Leaf paths the permission shows, in definition order.
    pub fn granted(&self) -> impl Iterator<Item = &str> {
        let leaves = self.schema.leaf_paths.iter();
        leaves
            .filter(|(_, leaf)| self.mask.leaves.contains(*leaf))
            .map(|(path, _)| path.as_str())
    }

    /// Whether the leaf at `path` is granted.
    pub fn shows(&self, path: &str) -> bool {
        let node = self.schema.node(path);
        node.and_then(|node| self.schema.nodes[node].leaf)
            .is_some_and(|leaf| self.mask.leaves.contains(leaf))
    }

    /// Whether the permission names the way.
    pub fn allows(&self, way: &Way) -> bool {
        self.permission.ways.iter().any(|known| same_way(known, way))
    }
}

/// Index names are compared field by field: `A, B` is `A,B`.
fn same_way(a: &Way, b: &Way) -> bool {
    match (a, b) {
        (Way::Index(a), Way::Index(b)) => a.split(',').map(str::trim).eq(b.split(',').map(str::trim)),
        _ => a == b,
    }
}

fn check_fields(permission: &Permission, schema: &Schema, faults: &mut Vec<Fault>) {
    if permission.fields.is_empty() {
        faults.push(invalid("fields", "name at least one field"));
    }
    for path in &permission.fields {
        match schema.node(path).map(|node| &schema.nodes[node]) {
            Some(node) if node.leaf.is_some() => {}
            Some(_) => faults.push(invalid(
                format!("fields.{path}"),
                "a structured field: the fields under it have to be named one by one",
            )),
            None => {
                let near = nearest(path, schema.leaf_paths.iter().map(|(path, _)| path.as_str()));
                faults.push(invalid(format!("fields.{path}"), unknown("field", near)));
            }
        }
    }
}

fn check_ways(permission: &Permission, schema: &Schema, faults: &mut Vec<Fault>) {
    let definition = &schema.definition;
    if permission.ways.is_empty() {
        faults.push(invalid(
            "ways",
            "name at least one way: key, index:FIELD, changes, list:NAME, bulk or history",
        ));
    }
    for way in &permission.ways {
        let place = format!("ways.{way}");
        match way {
            Way::Key | Way::Changes | Way::Bulk => {}
            Way::History if definition.history => {}
            Way::History => faults.push(invalid(place, "the data set keeps no history")),
            Way::List(name) => {
                let known = || definition.changes.iter().map(|list| list.name.as_str());
                if !known().any(|known| known == name) {
                    faults.push(invalid(place, unknown("change list", nearest(name, known()))));
                }
            }
            Way::Index(_) => check_index(permission, schema, way, faults),
        }
    }
}

fn check_index(permission: &Permission, schema: &Schema, way: &Way, faults: &mut Vec<Fault>) {
    let place = format!("ways.{way}");
    let indexes = || schema.definition.indexes.iter();
    let Some(index) = indexes().find(|index| same_way(&Way::Index(index.join(",")), way)) else {
        let known: Vec<String> = indexes().map(|index| index.join(",")).collect();
        let Way::Index(name) = way else { return };
        faults.push(invalid(
            place,
            unknown("index", nearest(name, known.iter().map(String::as_str))),
        ));
        return;
    };
    for field in index.iter().filter(|field| !permission.fields.contains(field)) {
        // Who may search by a field learns it.
        faults.push(invalid(
            place.clone(),
            format!("the index asks by {field}, which is not among the fields granted"),
        ));
    }
}

fn check_terms(permission: &Permission, faults: &mut Vec<Fault>) {
    for (place, text) in [
        ("purpose", &permission.purpose),
        ("legal_basis", &permission.legal_basis),
    ] {
        if text.trim().is_empty() {
            faults.push(invalid(place, "say it in words"));
        }
    }
    let zeroes = [
        ("quota", permission.quota == Some(0)),
        ("rate_per_second", permission.rate_per_second == Some(0)),
        ("misses_per_hour", permission.misses_per_hour == Some(0)),
    ];
    for (place, _) in zeroes.iter().filter(|(_, zero)| *zero) {
        faults.push(invalid(
            *place,
            "0 would allow nothing: leave it out for no limit of its own, or suspend",
        ));
    }
    if let (Some(from), Some(to)) = (permission.valid_from, permission.valid_to)
        && to < from
    {
        faults.push(invalid("valid_to", "is before valid_from"));
    }
}

fn unknown(what: &str, near: Option<&str>) -> String {
    near.map_or_else(
        || format!("the data set has no such {what}: see its definition"),
        |near| format!("the data set has no such {what}: did you mean {near}?"),
    )
}

pub(crate) fn invalid(place: impl Into<String>, message: impl Into<String>) -> Fault {
    Fault::new(place, "invalid", message)
}

/// The fault with its place below `outer`.
pub(crate) fn under(outer: &str, fault: Fault) -> Fault {
    let place = if fault.place.is_empty() {
        outer.to_owned()
    } else {
        format!("{outer}, {}", fault.place)
    };
    Fault { place, ..fault }
}
