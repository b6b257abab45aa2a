//! What is too old: records past their retention, and deletes that need not be remembered any longer.

use std::sync::Arc;

use dagr_model::{ids::Sequence, record::RecordRef, retention::Cutoff};
use dagr_store::{
    kv::{Direction, Kv, KvError, Range, Sink, Snapshot, Table},
    set::{
        apply::{self, Applied, Mode, Package},
        change::{Entry, Kind},
        head::Head,
        keys,
        lists::Lists,
        stored::Stored,
    },
    stage::{Stage, Verb, groups::Resolve},
};
use jiff::Timestamp;

use super::{
    in_turn,
    lists::{age_scopes, ensure_lists, kept_by},
    stage_dir::{StageDir, stage_problem},
};
use crate::{App, problem::Problem, set::LiveSet};

impl App {
    /// Removes records past their retention, told as deletes. Gives how many went.
    pub async fn retention_run(self: &Arc<Self>, set: &Arc<LiveSet>) -> Result<u64, Problem> {
        if Cutoff::of(&set.schema, self.now()).is_none() {
            return Ok(0);
        }
        let app = Arc::clone(self);
        let (engine, root, name) = (
            Arc::clone(&self.engine),
            self.stage_root(),
            self.secrets.random_id(),
        );
        let removed = in_turn(Arc::clone(set), move |set| {
            let dir = StageDir::create(&root, &name).map_err(stage_problem)?;
            let kv = set.open(&*engine)?;
            // Its deletes are of the time of its turn.
            Ok(remove_past(&*kv, set, &dir, app.now())?)
        })
        .await?;
        if removed > 0 {
            tracing::info!(set = %set.name, section = set.section.as_str(), removed, "records past retention removed");
            set.runtime.announce();
            self.public_changed(set);
        }
        Ok(removed)
    }

    /// Forgets deletes older than the definition remembers them, and lists that were only kept for cursors as old; makes
    /// lists and indexes that could not be made before.
    /// Gives how many deletes went.
    pub async fn purge_run(self: &Arc<Self>, set: &Arc<LiveSet>) -> Result<u64, Problem> {
        let engine = Arc::clone(&self.engine);
        let days = i64::from(set.definition().tombstones_days);
        let now_ms = self.now().as_millisecond();
        let before_ms = now_ms - days * 86_400_000 - GRACE_MS;
        let used = self.used_predicates(set);
        let (root, name) = (self.stage_root(), self.secrets.random_id());
        in_turn(Arc::clone(set), move |set| {
            let kv = set.open(&*engine)?;
            ensure_lists(&*kv, set, (&root, &name)).map_err(stage_problem)?;
            age_scopes(&*kv, &used, now_ms, before_ms)?;
            Ok(purge(&*kv, before_ms)?)
        })
        .await
    }
}

fn remove_past(kv: &dyn Kv, set: &LiveSet, dir: &StageDir, now: Timestamp) -> Result<u64, KvError> {
    let Some(cutoff) = Cutoff::of(&set.schema, now) else {
        return Ok(0);
    };
    let mut stage = Stage::new(dir.path());
    {
        let snapshot = kv.snapshot()?;
        for pair in snapshot.scan(Table::Record, Range::default(), Direction::Forward)? {
            let (key, bytes) = pair?;
            if cutoff.is_past(&set.schema, Stored::read(bytes)?.record) {
                stage.push(
                    key,
                    0,
                    Verb::Delete,
                    RecordRef {
                        json: &[],
                        spans: &[],
                    },
                )?;
            }
        }
    }
    if stage.bytes() == 0 {
        return Ok(0);
    }
    let staged = stage.finish()?;
    let (rules, head) = kept_by(kv, set, dir.path())?;
    let mut package = Package {
        mode: Mode::Delta,
        resolve: Resolve::LastOperation,
        now_ms: now.as_millisecond(),
        guard_bp: None,
        expired: &|_| false,
        dry_run: false,
        quarantined: 0,
        differing: &mut |_, _| {},
        erased: &mut |_| {},
        finish: &mut |_, new, _| {
            // Nobody delivered anything.
            (new.packages, new.applied_ms) = (head.packages, head.applied_ms);
            Ok(())
        },
    };
    match apply::apply(kv, &rules, &staged, &mut package)? {
        Applied::Done(outcome) => Ok(outcome.removed()),
        Applied::Held { .. } | Applied::Refused(_) => Ok(0),
    }
}

/// So long after their time deletes go: whoever may yet ask for them is refused by the time alone, also where a package
/// was long under way when they were read.
const GRACE_MS: i64 = 3_600_000;

/// Says that a bulk has nothing to do.
const NOTHING: &str = "nothing to purge";

fn purge(kv: &dyn Kv, before_ms: i64) -> Result<u64, KvError> {
    let mut purged = 0;
    let result = kv.bulk(1 << 20, &mut |snapshot, sink| {
        purged = 0;
        let mut head = Head::read(snapshot)?;
        let mut lists = Lists::read(snapshot)?;
        let from = keys::sequence(head.floor + 1);
        let range = Range {
            from: Some(&from),
            to: None,
        };
        for pair in snapshot.scan(Table::Change, range, Direction::Forward)? {
            let (key, bytes) = pair?;
            let entry = Entry::read(bytes)?;
            if entry.time_ms >= before_ms {
                break;
            }
            if entry.kind == Kind::Delete {
                let sequence =
                    keys::read_sequence(key).ok_or_else(|| KvError::Corrupt("change key".to_owned()))?;
                sink.delete(Table::Change, key)?;
                purge_versions(snapshot, entry.key, sequence, sink)?;
                head.floor = sequence;
                purged += 1;
            }
        }
        for scope in lists.scopes.values_mut() {
            purged += purge_list(snapshot, scope.id, &mut scope.floor, before_ms, false, sink)?;
        }
        for list in lists.changes.values_mut() {
            purged += purge_list(snapshot, list.id, &mut list.floor, before_ms, true, sink)?;
        }
        if purged == 0 {
            return Err(KvError::Caller(NOTHING.to_owned()));
        }
        head.forgotten_ms = head.forgotten_ms.max(before_ms);
        sink.put(Table::Meta, keys::LISTS, &lists.bytes())?;
        sink.put(Table::Meta, keys::HEAD, &head.bytes())
    });
    match result {
        Err(KvError::Caller(why)) if why == NOTHING => Ok(0),
        other => other.map(|()| purged),
    }
}

/// Deletes in one list; `floor` becomes the newest of them. `named`: a change list, which also knows the newest event
/// of each record.
fn purge_list(
    snapshot: &dyn Snapshot,
    id: keys::ListId,
    floor: &mut Sequence,
    before_ms: i64,
    named: bool,
    sink: &mut dyn Sink,
) -> Result<u64, KvError> {
    let (from, to) = (keys::under_id(id, &[]), keys::under_id(id + 1, &[]));
    let range = Range {
        from: Some(&from),
        to: Some(&to),
    };
    let mut purged = 0;
    for pair in snapshot.scan(Table::List, range, Direction::Forward)? {
        let (key, bytes) = pair?;
        let entry = Entry::read(bytes)?;
        if entry.time_ms >= before_ms {
            break;
        }
        if entry.kind == Kind::Delete {
            *floor = keys::read_list_sequence(key).ok_or_else(|| KvError::Corrupt("list key".to_owned()))?;
            sink.delete(Table::List, key)?;
            if named {
                sink.delete(Table::Latest, &keys::under_id(id, entry.key))?;
            }
            purged += 1;
        }
    }
    Ok(purged)
}

/// Versions of a record's ended life: nobody can ask for them after the delete.
fn purge_versions(
    snapshot: &dyn Snapshot,
    key: &[u8],
    deleted: u64,
    sink: &mut dyn Sink,
) -> Result<(), KvError> {
    let to = keys::version(key, deleted);
    let range = Range {
        from: Some(key),
        to: Some(&to),
    };
    for pair in snapshot.scan(Table::Version, range, Direction::Forward)? {
        let (version, _) = pair?;
        if version.len() == key.len() + 8 {
            sink.delete(Table::Version, version)?;
        }
    }
    Ok(())
}
