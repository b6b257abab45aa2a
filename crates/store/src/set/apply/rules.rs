//! Everything a package needs to know of its data set.

use std::sync::Arc;

use dagr_model::{
    expression::{Predicate, Transition},
    schema::{NodeId, Schema},
};

use crate::set::keys::ListId;

pub struct Rules {
    pub schema: Arc<Schema>,
    pub changes: Vec<ChangeRule>,
    pub scopes: Vec<ScopeRule>,
    pub indexes: Vec<IndexRule>,
}

pub struct ChangeRule {
    pub id: ListId,
    pub name: String,
    pub when: Arc<Transition>,
}

pub struct ScopeRule {
    pub id: ListId,
    pub holds: Arc<Predicate>,
}

pub struct IndexRule {
    pub id: ListId,
    pub nodes: Vec<NodeId>,
}
