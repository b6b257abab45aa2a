//! Packages and quarantined rows as a person looks at them: typed, with the reason why one is held.

use std::sync::Arc;

use dagr_model::ids::Section;
use dagr_store::{
    kv::{KvError, Snapshot},
    set::head::Head,
};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    history::{place, rows_before},
    package::{PackageRow, State, check_id, package_unknown},
};
use crate::{App, ctx::Ctx, problem::Problem, records::page_limit, set::blocking};

/// Packages looked through for those that are held.
const NEWEST: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageState {
    /// Its body is coming in.
    Open,
    Applied,
    Held,
    Rejected,
}

impl PackageState {
    pub const ALL: [Self; 4] = [Self::Open, Self::Applied, Self::Held, Self::Rejected];
}

#[derive(Debug, Clone)]
pub struct PackageSeen {
    pub id: String,
    pub state: PackageState,
    /// Replaces the whole set.
    pub snapshot: bool,
    /// Its place among the set's packages; `None` while it is open.
    pub order: Option<u64>,
    pub received: Option<Timestamp>,
    /// Rows read so far, while open.
    pub rows: Option<u64>,
    /// Signed, once applied.
    pub receipt: Option<Value>,
    /// Rows set aside.
    pub quarantined: u64,
    pub held: Option<HeldSeen>,
}

/// Why a package is held, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldSeen {
    pub would_delete: u64,
    /// Records there are now.
    pub records: u64,
    /// The guard, in hundredths of a per cent.
    pub guard_bp: u32,
    /// Another package was applied since: it can only be rejected.
    pub outdated: bool,
}

impl HeldSeen {
    /// Share of the records that would go, in hundredths of a per cent.
    pub fn share_bp(&self) -> u64 {
        let share = u128::from(self.would_delete) * 10_000 / u128::from(self.records.max(1));
        u64::try_from(share).unwrap_or(u64::MAX)
    }
}

#[derive(Debug, Clone)]
pub struct PackagePage {
    /// Open ones first, then the newest.
    pub packages: Vec<PackageSeen>,
    pub next: Option<String>,
}

impl App {
    pub async fn package_page(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        after: Option<&str>,
        limit: u64,
    ) -> Result<PackagePage, Problem> {
        let set = self.supplied_set(ctx, section, dataset, false)?;
        let limit = page_limit(Some(limit))? as usize;
        let after = after.map(|after| place(after, 9)).transpose()?;
        let engine = Arc::clone(&self.engine);
        blocking(move || {
            let mut packages = Vec::new();
            if after.is_none() {
                let open = set.runtime.packages.list();
                packages.extend(open.into_iter().map(|(id, progress)| opened(id, progress.rows())));
            }
            let kv = set.open(&*engine)?;
            let snapshot = kv.snapshot()?;
            let head = Head::read(&*snapshot)?;
            let (rows, next) = rows_before(&*snapshot, after.as_deref(), limit)?;
            let guard_bp = set.definition().guard_bp;
            packages.extend(rows.into_iter().map(|row| seen(row, &head, guard_bp)));
            Ok(PackagePage { packages, next })
        })
        .await
    }

    pub async fn package_seen(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        package_id: &str,
    ) -> Result<PackageSeen, Problem> {
        let set = self.supplied_set(ctx, section, dataset, false)?;
        check_id(package_id)?;
        let (engine, id) = (Arc::clone(&self.engine), package_id.to_owned());
        blocking(move || {
            let kv = set.open(&*engine)?;
            let snapshot = kv.snapshot()?;
            let row = PackageRow::read(&*snapshot, &id)?;
            match (row, set.runtime.packages.progress(&id)) {
                (Some(row), progress) if row.state != State::Rejected || progress.is_none() => {
                    Ok(seen(row, &Head::read(&*snapshot)?, set.definition().guard_bp))
                }
                (_, Some(progress)) => Ok(opened(id, progress.rows())),
                _ => Err(package_unknown()),
            }
        })
        .await
    }
}

fn opened(id: String, rows: u64) -> PackageSeen {
    PackageSeen {
        id,
        state: PackageState::Open,
        snapshot: false,
        order: None,
        received: None,
        rows: Some(rows),
        receipt: None,
        quarantined: 0,
        held: None,
    }
}

fn seen(row: PackageRow, head: &Head, guard_bp: u32) -> PackageSeen {
    let state = match row.state {
        State::Applied => PackageState::Applied,
        State::Held => PackageState::Held,
        State::Rejected => PackageState::Rejected,
    };
    // A receipt counts those set aside while it was applied, too.
    let quarantined = row
        .receipt
        .as_ref()
        .and_then(|receipt| receipt["quarantined"].as_u64());
    PackageSeen {
        quarantined: quarantined.unwrap_or(row.facts.quarantined),
        held: row
            .held
            .filter(|_| state == PackageState::Held)
            .map(|held| HeldSeen {
                would_delete: held.would_delete,
                records: head.records,
                guard_bp,
                outdated: (head.sequence, head.epoch) != (held.sequence, held.epoch),
            }),
        id: row.package_id,
        state,
        snapshot: row.facts.snapshot,
        order: Some(row.order),
        received: Timestamp::from_millisecond(row.facts.received_ms).ok(),
        rows: None,
        receipt: row.receipt,
    }
}

/// How many of the newest packages wait for the provider's word.
pub(crate) fn held_among_newest(snapshot: &dyn Snapshot) -> Result<usize, KvError> {
    let (rows, _) = rows_before(snapshot, None, NEWEST)?;
    Ok(rows.iter().filter(|row| row.state == State::Held).count())
}
