//! Earlier revisions of a permission, whose cursors are brought up to the present one.

use std::sync::Arc;

use dagr_model::permission::Permission;
use dagr_policy::{CompiledScope, Grant};
use dagr_store::set::position::{MAX_LAYERS, Position};
use parking_lot::Mutex;

use super::expired;
use crate::{App, admit::Admission, cursor::Cursor, problem::Problem, records::cursor_problem};

/// Revisions of one permission kept compiled.
const MAX_KEPT: usize = MAX_LAYERS + 1;

/// What an earlier revision gave.
#[derive(Debug)]
pub(crate) struct Terms {
    pub revision: u32,
    pub scope: CompiledScope,
    /// It gave the fields of the present one.
    pub same_fields: bool,
    pub same_scope: bool,
}

impl Terms {
    /// `None` = it has no meaning under the present definition.
    fn compile(permission: &Permission, grant: &Grant) -> Option<Self> {
        Some(Self {
            revision: permission.revision,
            scope: CompiledScope::compile(permission.scope.as_ref(), &grant.schema).ok()?,
            same_fields: permission.fields == grant.permission.fields,
            same_scope: permission.scope == grant.permission.scope,
        })
    }

    /// Nothing has to be taken back or told anew.
    pub fn are_present(&self) -> bool {
        self.same_fields && self.same_scope
    }
}

/// Earlier terms of one permission in force, compiled when a cursor of theirs came.
#[derive(Debug, Default)]
pub struct KeptTerms(Mutex<Vec<Arc<Terms>>>);

impl KeptTerms {
    fn get(&self, revision: u32) -> Option<Arc<Terms>> {
        let kept = self.0.lock();
        kept.iter().find(|terms| terms.revision == revision).cloned()
    }

    fn put(&self, terms: &Arc<Terms>) {
        let mut kept = self.0.lock();
        kept.push(Arc::clone(terms));
        if kept.len() > MAX_KEPT {
            kept.remove(0);
        }
    }
}

impl App {
    /// The terms of every earlier revision that a cursor knows of. `whole`: also those it has yet to take back.
    pub(super) async fn earlier_terms(
        &self,
        admission: &Admission,
        cursor: Option<&Cursor>,
        whole: bool,
    ) -> Result<Vec<Arc<Terms>>, Problem> {
        let mut terms = Vec::new();
        let Some(cursor) = cursor else { return Ok(terms) };
        if cursor.revision != admission.grant.permission.revision {
            terms.push(self.terms(admission, cursor.revision).await?);
        }
        if whole {
            let position = Position::from_bytes(&cursor.position)
                .ok_or_else(|| cursor_problem(Admission::cursor_fault()))?;
            for layer in &position.layers {
                terms.push(self.terms(admission, layer.revision).await?);
            }
        }
        Ok(terms)
    }

    async fn terms(&self, admission: &Admission, revision: u32) -> Result<Arc<Terms>, Problem> {
        let kept = &admission.held.earlier;
        if let Some(terms) = kept.get(revision) {
            return Ok(terms);
        }
        let number = &admission.held.permission.number;
        let permission = self.registry.permission_of_revision(number, revision).await?;
        let terms = permission
            .and_then(|permission| Terms::compile(&permission, &admission.grant))
            .map(Arc::new)
            .ok_or_else(|| expired("the permission it was made under has no meaning any more"))?;
        kept.put(&terms);
        Ok(terms)
    }
}
