//! One store with its model, kept in step and audited after every package.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use dagr_model::{
    expression::Transition,
    record::Mask,
    schema::{NodeId, Schema},
};

use super::{
    audit::{Kept, audit},
    model::{Delivery, Model},
    random::Random,
    world::{Permission, Sight},
};
use crate::{
    kv::Kv,
    set::{
        apply::{self, Applied, ChangeRule, IndexRule, Outcome, Package, Rules, ScopeRule},
        keys::ListId,
        stored::At,
    },
    stage::{Stage, Staged},
};

pub(super) struct Side {
    pub kv: Arc<dyn Kv>,
    pub model: Model,
    /// Predicates whose lists have begun.
    pub scopes: Vec<(At, Rc<Permission>)>,
    indexes: Vec<(ListId, NodeId)>,
    masks: Vec<Mask>,
}

impl Side {
    pub fn new(kv: Arc<dyn Kv>, schema: &Arc<Schema>, random: &mut Random) -> Self {
        let change = |(at, list): (usize, &dagr_model::definition::ChangeList)| {
            (
                at as ListId + 1,
                Arc::new(Transition::compile(&list.when, schema).expect("transition")),
            )
        };
        let changes = schema.definition.changes.iter().enumerate().map(change).collect();
        let path = |random: &mut Random| random.pick(&schema.leaf_paths).0.clone();
        let nodes = [Some(2), schema.node(&path(random))].into_iter().flatten();
        let indexes = nodes
            .enumerate()
            .map(|(at, node)| (at as ListId + 5, node))
            .collect();
        let masks = (0..8)
            .map(|_| schema.mask(&[path(random), path(random)]))
            .collect();
        Self {
            kv,
            model: Model::new(Arc::clone(schema), changes),
            scopes: Vec::new(),
            indexes,
            masks,
        }
    }

    fn rules(&self) -> Rules {
        let named = self
            .model
            .schema
            .definition
            .changes
            .iter()
            .zip(&self.model.changes);
        Rules {
            schema: Arc::clone(&self.model.schema),
            changes: named
                .map(|(list, (id, when))| ChangeRule {
                    id: *id,
                    name: list.name.clone(),
                    when: Arc::clone(when),
                })
                .collect(),
            scopes: self
                .scopes
                .iter()
                .filter_map(|(_, permission)| match &permission.sight {
                    Sight::When { list, holds } => Some(ScopeRule {
                        id: *list,
                        holds: Arc::clone(holds),
                    }),
                    _ => None,
                })
                .collect(),
            indexes: self
                .indexes
                .iter()
                .map(|(id, node)| IndexRule {
                    id: *id,
                    nodes: vec![*node],
                })
                .collect(),
        }
    }

    pub fn started(&self, permission: &Permission) -> Option<At> {
        let Some(list) = permission.list() else {
            return Some(At::default());
        };
        let kept = self.scopes.iter().find(|(_, known)| known.list() == Some(list));
        kept.map(|(started, _)| *started)
    }

    pub fn deliver(&mut self, delivery: &Delivery, random: &mut Random) {
        let dir = tempfile::tempdir().expect("stage directory");
        let mut stage = Stage::with_buffer(dir.path(), *random.pick(&[64, 1_000, 1 << 20]));
        for (at, row) in delivery.rows.iter().enumerate() {
            stage
                .push(&row.key, at as u64 + 1, row.verb, row.record.as_ref())
                .expect("stage");
        }
        stage.finish().expect("stage");
        let staged = Staged::open(dir.path()).expect("stage");
        let expected = self.model.deliver(delivery);
        let dry = random.percent(30);
        for dry_run in [true, false].into_iter().filter(|dry_run| dry || !dry_run) {
            let applied = self.apply(delivery, &staged, dry_run);
            assert_eq!(applied, expected, "outcome, dry run: {dry_run}");
        }
    }

    pub fn deliver_audited(&mut self, delivery: &Delivery, random: &mut Random) {
        self.deliver(delivery, random);
        self.audit();
    }

    /// Looks at every row of every table.
    pub fn audit(&self) {
        let scopes = self
            .scopes
            .iter()
            .filter_map(|(started, permission)| match permission.sight {
                Sight::When { list, .. } => Some((list, *started, &**permission)),
                _ => None,
            });
        audit(
            &*self.kv,
            &self.model,
            &Kept {
                scopes: scopes.collect(),
                indexes: &self.indexes,
                masks: &self.masks,
            },
        );
    }

    fn apply(&self, delivery: &Delivery, staged: &Staged, dry_run: bool) -> Applied {
        let differing = RefCell::new(0);
        let mut package = Package {
            mode: delivery.mode,
            resolve: delivery.resolve,
            now_ms: delivery.now_ms,
            guard_bp: delivery.guard_bp,
            expired: &|record| delivery.is_expired(record),
            dry_run,
            quarantined: delivery.quarantined(),
            differing: &mut |_, lines| *differing.borrow_mut() += lines.len() as u64,
            erased: &mut |_| {},
            finish: &mut |_, _, _| Ok(()),
        };
        let mut applied = apply::apply(&*self.kv, &self.rules(), staged, &mut package).expect("apply");
        if let Applied::Done(outcome) | Applied::Refused(outcome) = &mut applied {
            assert_eq!(
                outcome.quarantined,
                delivery.quarantined() + differing.into_inner()
            );
            *outcome = Outcome {
                expression_faults: Vec::new(),
                ..std::mem::take(outcome)
            };
        }
        applied
    }
}
