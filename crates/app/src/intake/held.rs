//! What a provider decides of a package that the guard held. The decision goes into the trail first: without an entry
//! nothing is applied or dropped.

use std::sync::Arc;

use dagr_model::ids::Section;
use dagr_registry::Actor;
use dagr_store::{
    kv::{Kv, Table},
    set::{
        apply::{Applied, Outcome},
        head::Head,
        keys,
    },
    stage::Staged,
};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::{
    deliver::{Delivered, Delivery},
    in_turn,
    open::OpenPackage,
    package::{Held, PackageRow, State, check_id, package_unknown},
    stage_dir::{StageDir, stage_problem},
    turn::{put, refused},
};
use crate::{App, ctx::Ctx, problem::Problem, set::LiveSet};

impl App {
    /// Applies a held package: the receipt.
    pub async fn package_confirm(
        self: &Arc<Self>,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        package_id: &str,
    ) -> Result<Value, Problem> {
        let set = self.held_set(ctx, section, dataset, package_id)?;
        let (app, id) = (Arc::clone(self), package_id.to_owned());
        let ctx = ctx.clone();
        let told = Arc::clone(&set);
        // A delivery like any other: no rule gives the sandbox while it comes in, and what one gave ends before.
        let mut open = None;
        if section == Section::Sandbox {
            open = Some(OpenPackage::new(&set.runtime, package_id)?);
            let (_, row) = self.package_row(&set, package_id).await?;
            if row.is_some_and(|row| row.state == State::Held) {
                self.test_access_end(&set, ctx.request_id.as_str()).await?;
            }
        }
        in_turn(set, move |set| {
            let _open = open;
            let (receipt, outcome) = app.confirm(set, &ctx.actor(), &id)?;
            app.tell_applied(&ctx, &told, &outcome);
            Ok(receipt)
        })
        .await
    }

    /// The set of a package that may be decided on; a package whose body is still coming in is not held.
    fn held_set(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        package_id: &str,
    ) -> Result<Arc<LiveSet>, Problem> {
        let set = self.supplied_set(ctx, section, dataset, true)?;
        check_id(package_id)?;
        match set.runtime.packages.progress(package_id) {
            Some(_) => Err(not_held()),
            None => Ok(set),
        }
    }

    fn confirm(&self, set: &LiveSet, by: &Actor, id: &str) -> Result<(Value, Outcome), Problem> {
        let kv = self.open_set(set)?;
        let (mut row, held) = held_row(&*kv, id)?;
        let head = Head::read(&*kv.snapshot()?)?;
        let dir = StageDir::held(&self.stage_root(), &held.stage);
        if (head.sequence, head.epoch) != (held.sequence, held.epoch) {
            // Whoever confirmed it finds out why it went.
            self.enter_decision(set, by, "package_outdated", &row, &held)?;
            row.outdated = true;
            reject(&*kv, row)?;
            dir.remove();
            let detail =
                "another package was applied since this one was held; deliver the present state again";
            return Err(Problem::new(409, "package_outdated", detail));
        }
        self.enter_decision(set, by, "package_confirm", &row, &held)?;
        let staged = Staged::open(dir.path()).map_err(stage_problem)?;
        let delivery = Delivery {
            set,
            secrets: &self.secrets,
            id,
            facts: &row.facts,
            staged: &staged,
            dir: dir.path(),
            now: self.now(),
            guarded: false,
            dry_run: false,
            replaces: Some(row.order),
        };
        let Delivered {
            applied,
            receipt,
            differing,
            total_differing,
        } = delivery.run(&*kv).map_err(stage_problem)?;
        match (applied, receipt) {
            (Applied::Done(outcome), Some(receipt)) => {
                dir.remove();
                Ok((receipt, outcome))
            }
            (Applied::Refused(_), _) => {
                reject(&*kv, row)?;
                dir.remove();
                Err(refused(differing, total_differing))
            }
            _ => Err(Problem::internal("a confirmed package was held again")),
        }
    }

    /// Drops a held package: its view. The id is free again.
    pub async fn package_reject(
        self: &Arc<Self>,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        package_id: &str,
    ) -> Result<Value, Problem> {
        let set = self.held_set(ctx, section, dataset, package_id)?;
        let (app, id) = (Arc::clone(self), package_id.to_owned());
        let by = ctx.actor();
        in_turn(set, move |set| {
            let kv = app.open_set(set)?;
            let (row, held) = held_row(&*kv, &id)?;
            app.enter_decision(set, &by, "package_reject", &row, &held)?;
            let view = reject(&*kv, row)?;
            StageDir::held(&app.stage_root(), &held.stage).remove();
            Ok(view)
        })
        .await
    }

    /// On a thread for blocking work, in the set's turn.
    fn enter_decision(
        &self,
        set: &LiveSet,
        by: &Actor,
        action: &'static str,
        row: &PackageRow,
        held: &Held,
    ) -> Result<(), Problem> {
        let object = format!("datasets/{}/packages/{}", set.name, row.package_id);
        let before = json!({
            "section": set.section,
            "state": "held",
            "digest": row.facts.digest,
            "would_delete": held.would_delete,
        });
        let entry = self.registry.audit_enter(by, action, object, &before);
        Ok(Handle::current().block_on(entry)?)
    }
}

fn held_row(kv: &dyn Kv, id: &str) -> Result<(PackageRow, Held), Problem> {
    let row = PackageRow::read(&*kv.snapshot()?, id)?.ok_or_else(package_unknown)?;
    match row.held.clone().filter(|_| row.state == State::Held) {
        Some(held) => Ok((row, held)),
        None => Err(not_held()),
    }
}

fn not_held() -> Problem {
    Problem::new(
        409,
        "package_not_held",
        "only a held package can be confirmed or rejected",
    )
}

fn reject(kv: &dyn Kv, mut row: PackageRow) -> Result<Value, Problem> {
    row.state = State::Rejected;
    row.held = None;
    kv.commit(
        &[put(Table::Package, keys::package(&row.package_id), row.bytes())],
        &[],
    )?;
    Ok(row.view())
}
