//! Change lists, scope lists and indexes of a data set, made to fit its definition and its permissions.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use dagr_model::{
    definition::Widened, fault::Fault, permission::PermissionState, record::RecordRef, schema::NodeId,
};
use dagr_store::{
    kv::{Direction, Kv, KvError, Range, Sink, Snapshot, Table},
    set::{
        apply::Rules,
        head::Head,
        keys::{self, ListId},
        lists::{IndexState, Lists, MAX_SCOPES, Named, ScopeList},
        stored::Stored,
    },
    stage::{NO_DIGEST, Stage, Staged, Verb},
};

use super::{in_turn, stage_dir::StageDir};
use crate::{App, problem::Problem, set::LiveSet};

impl App {
    /// Makes the scope list of a predicate, so that packages from now on keep it.
    pub(crate) async fn prepare_scope(&self, set: &Arc<LiveSet>, predicate: &str) -> Result<(), Problem> {
        let used = self.used_predicates(set);
        let (engine, predicate) = (Arc::clone(&self.engine), predicate.to_owned());
        let now_ms = self.now().as_millisecond();
        in_turn(Arc::clone(set), move |set| {
            ensure_scope(&*set.open(&*engine)?, &predicate, &used, now_ms)
        })
        .await
    }

    /// Scope lists go whose predicate reads a widened field.
    pub(crate) async fn remove_scopes(&self, set: &Arc<LiveSet>, widened: Widened) -> Result<(), Problem> {
        let engine = Arc::clone(&self.engine);
        in_turn(Arc::clone(set), move |set| {
            let goes = |text: &str, _: &ScopeList| !widened.in_scope(text).is_empty();
            Ok(remove_scopes(&*set.open(&*engine)?, &goes)?)
        })
        .await
    }

    /// Predicates of the set's permissions as they are now.
    pub(super) fn used_predicates(&self, set: &LiveSet) -> BTreeSet<String> {
        let catalog = self.catalog();
        let reading = catalog.held_for(&set.name).filter(|held| {
            let permission = &held.permission;
            permission.environment == set.section && permission.state != PermissionState::Revoked
        });
        reading
            .filter_map(|held| held.predicate().map(str::to_owned))
            .collect()
    }
}

/// What changes between the lists a store has and those it needs.
#[derive(Default)]
struct Plan {
    lists: Lists,
    /// Change lists that go: their events and newest events.
    gone_changes: Vec<ListId>,
    gone_indexes: Vec<ListId>,
    built: Vec<(ListId, Vec<NodeId>)>,
}

impl Plan {
    fn new(had: Lists, set: &LiveSet) -> Self {
        let mut plan = Self {
            lists: had,
            ..Self::default()
        };
        let changes = std::mem::take(&mut plan.lists.changes);
        for (name, when) in &set.changes {
            let kept = changes.get(name).filter(|had| had.when == when.text()).cloned();
            // Another expression is another list: it starts empty.
            let named = kept.unwrap_or_else(|| Named {
                id: plan.lists.allot(),
                when: when.text().to_owned(),
                floor: 0,
            });
            plan.lists.changes.insert(name.clone(), named);
        }
        let kept: BTreeSet<ListId> = plan.lists.changes.values().map(|named| named.id).collect();
        plan.gone_changes = changes
            .values()
            .map(|named| named.id)
            .filter(|id| !kept.contains(id))
            .collect();
        let mut indexes = std::mem::take(&mut plan.lists.indexes);
        for index in &set.indexes {
            let state = match indexes.remove(&index.stored) {
                Some(state) if !state.building => state,
                half => {
                    plan.gone_indexes.extend(half.map(|half| half.id));
                    let id = plan.lists.allot();
                    plan.built.push((id, index.nodes.clone()));
                    IndexState { id, building: false }
                }
            };
            plan.lists.indexes.insert(index.stored.clone(), state);
        }
        plan.gone_indexes.extend(indexes.values().map(|state| state.id));
        plan
    }
}

/// What a package has to keep, and the head before it. What could not be made when the definition came into force is
/// made first, so that nothing is applied past it. Blocks; the caller holds the data set's turn.
pub(crate) fn kept_by(kv: &dyn Kv, set: &LiveSet, stage: &Path) -> Result<(Rules, Head), KvError> {
    ensure_lists(kv, set, (stage, "lists"))?;
    rules(kv, set)
}

/// The same as it stands: for what changes nothing.
pub(super) fn rules(kv: &dyn Kv, set: &LiveSet) -> Result<(Rules, Head), KvError> {
    let snapshot = kv.snapshot()?;
    Ok((set.rules(&Lists::read(&*snapshot)?), Head::read(&*snapshot)?))
}

/// Gives every change list and index of the definition its number; builds missing indexes, whole or not at all.
/// Blocks; the caller holds the data set's turn. `stage`: root and name of a directory for sorting, if it is needed.
pub(super) fn ensure_lists(kv: &dyn Kv, set: &LiveSet, (root, name): (&Path, &str)) -> Result<(), KvError> {
    let (plan, staged, _dir) = {
        let snapshot = kv.snapshot()?;
        let had = Lists::read(&*snapshot)?;
        let plan = Plan::new(had.clone(), set);
        if plan.lists == had {
            return Ok(());
        }
        let dir = StageDir::create(root, name)?;
        let staged = sort_entries(&*snapshot, set, &plan.built, &dir)?;
        (plan, staged, dir)
    };
    kv.bulk(
        staged.bytes.saturating_mul(2).saturating_add(1 << 20),
        &mut |snapshot, sink| {
            for id in &plan.gone_changes {
                clear(snapshot, sink, Table::List, *id)?;
                clear(snapshot, sink, Table::Latest, *id)?;
            }
            for id in &plan.gone_indexes {
                clear(snapshot, sink, Table::Index, *id)?;
            }
            let mut rows = staged.rows()?;
            while let Some(row) = rows.next_row()? {
                sink.put(Table::Index, row.key, row.record.json)?;
            }
            sink.put(Table::Meta, keys::LISTS, &plan.lists.bytes())
        },
    )
}

/// Entries of the indexes to build, sorted on disk: a large set is written in order.
fn sort_entries(
    snapshot: &dyn Snapshot,
    set: &LiveSet,
    built: &[(ListId, Vec<NodeId>)],
    dir: &StageDir,
) -> Result<Staged, KvError> {
    let mut stage = Stage::new(dir.path());
    if !built.is_empty() {
        for pair in snapshot.scan(Table::Record, Range::default(), Direction::Forward)? {
            let (key, bytes) = pair?;
            let record = Stored::read(bytes)?.record;
            for (id, nodes) in built {
                for value in set.schema.index_values(nodes, record) {
                    let entry = RecordRef {
                        json: key,
                        spans: &[],
                    };
                    let place = keys::index(*id, &value, key);
                    stage.push_digested(&place, 0, Verb::Upsert, entry, &NO_DIGEST)?;
                }
            }
        }
    }
    stage.finish()
}

fn clear(snapshot: &dyn Snapshot, sink: &mut dyn Sink, table: Table, id: ListId) -> Result<(), KvError> {
    let (from, to) = (keys::under_id(id, &[]), keys::under_id(id + 1, &[]));
    let range = Range {
        from: Some(&from),
        to: Some(&to),
    };
    for pair in snapshot.scan(table, range, Direction::Forward)? {
        sink.delete(table, pair?.0)?;
    }
    Ok(())
}

fn ensure_scope(kv: &dyn Kv, predicate: &str, used: &BTreeSet<String>, now_ms: i64) -> Result<(), Problem> {
    let (mut lists, head) = {
        let snapshot = kv.snapshot()?;
        (Lists::read(&*snapshot)?, Head::read(&*snapshot)?)
    };
    if let Some(scope) = lists.scopes.get_mut(predicate) {
        // Read again from now on: it must not go of age meanwhile.
        if scope.unused_ms.take().is_some() {
            kv.bulk(1 << 20, &mut |_, sink| {
                sink.put(Table::Meta, keys::LISTS, &lists.bytes())
            })?;
        }
        return Ok(());
    }
    // Lists that no permission reads are kept for cursors: the one unused for longest makes room.
    let full = lists.scopes.len() >= MAX_SCOPES;
    let gone = if full {
        remove_unused(&mut lists, used)
    } else {
        None
    };
    if lists.scopes.len() >= MAX_SCOPES {
        let message = format!(
            "at most {MAX_SCOPES} different conditions may stand on one data set; use the text of an existing one, \
             or revoke a permission whose condition is not needed"
        );
        return Err(Problem::invalid(vec![Fault::new(
            "scope.when",
            "scopes_limit",
            message,
        )]));
    }
    let id = lists.allot();
    lists.scopes.insert(
        predicate.to_owned(),
        ScopeList {
            id,
            started: head.sequence,
            started_ms: now_ms,
            floor: 0,
            unused_ms: None,
        },
    );
    kv.bulk(1 << 20, &mut |snapshot, sink| {
        if let Some(id) = gone {
            clear(snapshot, sink, Table::List, id)?;
        }
        sink.put(Table::Meta, keys::LISTS, &lists.bytes())
    })?;
    Ok(())
}

fn remove_unused(lists: &mut Lists, used: &BTreeSet<String>) -> Option<ListId> {
    let unused = lists.scopes.iter().filter(|(text, _)| !used.contains(*text));
    let longest = unused.min_by_key(|(_, scope)| (scope.unused_ms.unwrap_or(i64::MAX), scope.id));
    let text = longest?.0.clone();
    lists.scopes.remove(&text).map(|scope| scope.id)
}

/// Notes which scope lists no permission reads; those that none has read since `before_ms` go, as no cursor may be
/// that old.
pub(super) fn age_scopes(
    kv: &dyn Kv,
    used: &BTreeSet<String>,
    now_ms: i64,
    before_ms: i64,
) -> Result<(), KvError> {
    let had = Lists::read(&*kv.snapshot()?)?;
    let mut lists = had.clone();
    for (text, scope) in &mut lists.scopes {
        scope.unused_ms = (!used.contains(text)).then(|| scope.unused_ms.unwrap_or(now_ms));
    }
    if lists != had {
        kv.bulk(1 << 20, &mut |_, sink| {
            sink.put(Table::Meta, keys::LISTS, &lists.bytes())
        })?;
    }
    let is_old = |_: &str, scope: &ScopeList| scope.unused_ms.is_some_and(|since| since < before_ms);
    remove_scopes(kv, &is_old)
}

fn remove_scopes(kv: &dyn Kv, goes: &dyn Fn(&str, &ScopeList) -> bool) -> Result<(), KvError> {
    let mut lists = Lists::read(&*kv.snapshot()?)?;
    let mut gone = Vec::new();
    lists.scopes.retain(|text, scope| {
        let goes = goes(text, scope);
        gone.extend(goes.then_some(scope.id));
        !goes
    });
    if gone.is_empty() {
        return Ok(());
    }
    kv.bulk(1 << 20, &mut |snapshot, sink| {
        for id in &gone {
            clear(snapshot, sink, Table::List, *id)?;
        }
        sink.put(Table::Meta, keys::LISTS, &lists.bytes())
    })
}
