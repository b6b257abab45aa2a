//! A package's turn: it is applied, held, or refused; and what a provider decides of a held one.

use std::sync::Arc;

use dagr_model::{definition::evolution, fault::Fault, ids::Section};
use dagr_store::{
    kv::{Kv, Op, Table},
    set::{
        apply::{Applied, Mode, Outcome},
        head::Head,
        keys,
    },
    stage::Staged,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{
    PackageAnswer,
    deliver::{Delivered, Delivery},
    open::OpenPackage,
    package::{Facts, Held, PackageRow, State},
    receive::Received,
    stage_dir::{HeldMark, StageDir, stage_problem},
};
use crate::{
    App,
    ctx::Ctx,
    problem::{MAX_FAULTS, Problem},
    set::{LiveSet, blocking},
};

/// A package whose body has ended.
pub(super) struct Turn {
    pub app: Arc<App>,
    pub ctx: Ctx,
    pub set: Arc<LiveSet>,
    /// Its id stays taken until the end.
    pub _open: OpenPackage,
    pub id: String,
    pub mode: Mode,
    pub previous: Option<String>,
    pub dry_run: bool,
    /// By the platform.
    pub generated: bool,
    /// Of the data set when the body began.
    pub epoch: u32,
}

impl Turn {
    /// Packages queue in the order their bodies ended; a dry run changes nothing and does not queue.
    pub async fn take(self, reader: JoinHandle<Result<Received, Problem>>) -> Result<PackageAnswer, Problem> {
        let runtime = Arc::clone(&self.set.runtime);
        // Not in the set's turn: whoever changes the registry waits for turns.
        if self.set.section == Section::Sandbox && !self.generated && !self.dry_run {
            let id = self.ctx.request_id.to_string();
            self.app.test_access_end(&self.set, &id).await?;
        }
        let _turn = if self.dry_run {
            None
        } else {
            Some(runtime.apply.lock().await)
        };
        let received = reader.await.map_err(Problem::internal)??;
        let (app, ctx) = (Arc::clone(&self.app), self.ctx.clone());
        let set = app.still(&self.set)?;
        let (applying, dry_run) = (Arc::clone(&set), self.dry_run);
        let (answer, outcome) = blocking(move || self.apply(&applying, received)).await?;
        if let Some(outcome) = outcome.filter(|_| !dry_run) {
            app.tell_applied(&ctx, &set, &outcome);
        }
        Ok(answer)
    }

    fn apply(self, set: &LiveSet, received: Received) -> Result<(PackageAnswer, Option<Outcome>), Problem> {
        let Received {
            mut dir,
            rows,
            read_as,
            digest,
        } = received;
        let kv = self.app.open_set(set)?;
        let (head, earlier) = {
            let snapshot = kv.snapshot()?;
            (Head::read(&*snapshot)?, PackageRow::read(&*snapshot, &self.id)?)
        };
        if head.epoch != self.epoch {
            return Err(replaced());
        }
        if self.previous.is_some() && self.previous != head.last_package {
            let detail = "`previous` is not the package applied last; /intake/{set}/packages shows the order";
            return Err(Problem::new(409, "package_order", detail));
        }
        let now = self.app.now();
        let facts = Facts::new(
            &digest,
            self.mode,
            &read_as,
            now.as_millisecond(),
            rows.quarantined,
        )
        .generated(self.generated);
        let delivery = Delivery {
            set,
            secrets: &self.app.secrets,
            id: &self.id,
            facts: &facts,
            staged: &rows.staged,
            dir: dir.path(),
            now,
            guarded: !self.generated,
            dry_run: self.dry_run,
            replaces: earlier.map(|row| row.order),
        };
        let replaces = delivery.replaces;
        let Delivered {
            applied,
            receipt,
            differing,
            total_differing,
        } = delivery.run(&*kv).map_err(stage_problem)?;
        let (mut faults, total) = (rows.faults, rows.total_faults + total_differing);
        faults.extend(differing);
        faults.truncate(MAX_FAULTS);
        match applied {
            Applied::Refused(_) => Err(refused(faults, total)),
            Applied::Held { would_delete } => {
                let mut body = held_body(&self.id, would_delete);
                if self.dry_run {
                    add_report(&mut body, &faults, total);
                } else {
                    let store = set.runtime.store_name.clone();
                    hold(
                        &*kv,
                        &head,
                        &self.id,
                        facts,
                        would_delete,
                        &rows.staged,
                        &mut dir,
                        store,
                        replaces,
                    )?;
                }
                Ok((PackageAnswer { status: 202, body }, None))
            }
            Applied::Done(outcome) => {
                let mut body = receipt.unwrap_or_default();
                if self.dry_run {
                    add_report(&mut body, &faults, total);
                }
                Ok((PackageAnswer { status: 200, body }, Some(outcome)))
            }
        }
    }
}

pub(super) fn refused(faults: Vec<Fault>, total: usize) -> Problem {
    let detail = "none of the rows could be accepted, so nothing was stored; correct them and send again";
    let mut problem = Problem::new(422, "package_refused", detail).with_faults(faults);
    problem.total = total;
    problem
}

/// What a dry run adds: every fault that would be quarantined.
fn add_report(body: &mut Value, faults: &[Fault], total: usize) {
    body["dry_run"] = json!(true);
    body["errors"] = json!(faults);
    body["total_errors"] = json!(total);
}

fn held_body(id: &str, would_delete: u64) -> Value {
    json!({ "package_id": id, "state": "held", "would_delete": would_delete })
}

/// The answer to a package that was delivered before.
pub(super) fn answer_of(row: &PackageRow) -> PackageAnswer {
    match (&row.receipt, &row.held) {
        (Some(receipt), _) => PackageAnswer {
            status: 200,
            body: receipt.clone(),
        },
        (None, Some(held)) => PackageAnswer {
            status: 202,
            body: held_body(&row.package_id, held.would_delete),
        },
        (None, None) => PackageAnswer {
            status: 200,
            body: row.view(),
        },
    }
}

fn replaced() -> Problem {
    let detail = "the definition was replaced while the package came in; send it again";
    Problem::new(409, "package_outdated", detail)
}

/// Keeps a package for the provider's decision.
fn hold(
    kv: &dyn Kv,
    head: &Head,
    id: &str,
    facts: Facts,
    would_delete: u64,
    staged: &Staged,
    dir: &mut StageDir,
    store: String,
    replaces: Option<u64>,
) -> Result<(), Problem> {
    staged.sync().map_err(stage_problem)?;
    dir.keep(&HeldMark {
        store,
        package: id.to_owned(),
    })
    .map_err(stage_problem)?;
    let mut head = head.clone();
    head.packages += 1;
    let mut row = PackageRow::new(id, head.packages, State::Held, facts);
    row.held = Some(Held {
        would_delete,
        sequence: head.sequence,
        epoch: head.epoch,
        stage: dir.name(),
    });
    let order = keys::package_order(row.order);
    let mut ops = vec![
        put(Table::Package, keys::package(id), row.bytes()),
        put(Table::Package, order, id.as_bytes().to_vec()),
        put(Table::Meta, keys::HEAD.to_vec(), head.bytes()),
    ];
    if let Some(order) = replaces {
        ops.push(Op::Delete {
            table: Table::Package,
            key: keys::package_order(order),
        });
    }
    Ok(kv.commit(&ops, &[])?)
}

pub(super) fn put(table: Table, key: Vec<u8>, value: Vec<u8>) -> Op {
    Op::Put { table, key, value }
}

impl App {
    /// The data set as it is now, for a package read under an earlier definition. A new definition in the sandbox
    /// has nothing to do with the old; published ones may follow each other compatibly.
    fn still(&self, set: &Arc<LiveSet>) -> Result<Arc<LiveSet>, Problem> {
        let now = self
            .catalog()
            .live(set.section, set.name.as_str())
            .map(Arc::clone);
        let now = now.ok_or_else(Problem::dataset_unknown)?;
        let (old, new) = (&set.schema.definition, &now.schema.definition);
        let follows = old == new
            || (set.section == Section::Main
                && evolution(old, new, &[])
                    .changes
                    .iter()
                    .all(|change| change.compatible));
        if follows { Ok(now) } else { Err(replaced()) }
    }

    /// Wakes whoever waits for changes, and tells the provider of expressions that failed.
    pub(super) fn tell_applied(self: &Arc<Self>, ctx: &Ctx, set: &Arc<LiveSet>, outcome: &Outcome) {
        metrics::counter!("dagr_packages_applied_total").increment(1);
        metrics::counter!("dagr_package_rows_total").increment(outcome.received());
        metrics::counter!("dagr_package_rows_quarantined_total").increment(outcome.quarantined);
        for (list, why) in &outcome.expression_faults {
            self.notice(
                ctx,
                set,
                "expression_fault",
                &format!("change list {list}: {why}"),
            );
        }
        set.runtime.announce();
        if outcome.last_sequence.is_some() {
            self.public_changed(set);
        }
    }
}
