//! What a provider reads of its deliveries, by a connection or a person: packages, quarantined rows, the state for
//! reconciliation.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dagr_model::ids::Section;
use dagr_store::{
    kv::{Direction, Kv, KvError, Range, Snapshot, Table},
    set::{head::Head, keys},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    aside,
    open::Progress,
    package::{PackageRow, State, check_id, damaged, package_unknown},
    receipt::time_text,
};
use crate::{
    App,
    ctx::Ctx,
    problem::Problem,
    records::page_limit,
    set::{LiveSet, blocking},
};

impl App {
    /// `{packages, next}`: open ones first, then the newest.
    pub async fn package_list(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        after: Option<&str>,
        limit: Option<u64>,
    ) -> Result<Value, Problem> {
        let set = self.supplied_set(ctx, section, dataset, false)?;
        let limit = page_limit(limit)? as usize;
        let after = after.map(|after| place(after, 9)).transpose()?;
        let open = if after.is_none() {
            set.runtime.packages.list()
        } else {
            Vec::new()
        };
        let engine = Arc::clone(&self.engine);
        blocking(move || {
            let kv = set.open(&*engine)?;
            let mut packages: Vec<Value> = open
                .iter()
                .map(|(id, progress)| open_view(id, progress))
                .collect();
            let (rows, next) = rows_before(&*kv.snapshot()?, after.as_deref(), limit)?;
            packages.extend(rows.iter().map(PackageRow::view));
            Ok(json!({ "packages": packages, "next": next }))
        })
        .await
    }

    /// `{package_id, state, progress?, receipt?, would_delete?, outdated?}`.
    pub async fn package_get(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        package_id: &str,
    ) -> Result<Value, Problem> {
        let set = self.supplied_set(ctx, section, dataset, false)?;
        check_id(package_id)?;
        let (engine, id) = (Arc::clone(&self.engine), package_id.to_owned());
        blocking(move || {
            let row = PackageRow::read(&*set.open(&*engine)?.snapshot()?, &id)?;
            // A rejected id may be on its way anew.
            match (row, set.runtime.packages.progress(&id)) {
                (Some(row), _) if row.state != State::Rejected => Ok(row.view()),
                (_, Some(progress)) => Ok(open_view(&id, &progress)),
                (Some(row), None) => Ok(row.view()),
                (None, None) => Err(package_unknown()),
            }
        })
        .await
    }

    /// `{rows: [{package, line, field, rule, reason}], next}`, of one package or of all.
    pub async fn quarantine_list(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        package: Option<&str>,
        after: Option<&str>,
        limit: Option<u64>,
    ) -> Result<Value, Problem> {
        let set = self.supplied_set(ctx, section, dataset, false)?;
        let limit = page_limit(limit)? as usize;
        let after = after.map(|after| place(after, 16)).transpose()?;
        let (engine, package) = (Arc::clone(&self.engine), package.map(str::to_owned));
        blocking(move || {
            let kv = set.open(&*engine)?;
            Ok(quarantined(&*kv, package.as_deref(), after.as_deref(), limit)?)
        })
        .await
    }

    /// `{last_sequence, epoch, records, digest, freshness}`.
    pub async fn set_state(&self, ctx: &Ctx, section: Section, dataset: &str) -> Result<Value, Problem> {
        let set = self.supplied_set(ctx, section, dataset, false)?;
        let engine = Arc::clone(&self.engine);
        blocking(move || {
            let head = Head::read(&*set.open(&*engine)?.snapshot()?)?;
            Ok(json!({
                "last_sequence": head.sequence,
                "epoch": head.epoch,
                "records": head.records,
                "digest": head.digest,
                "freshness": head.applied_ms.map(time_text),
            }))
        })
        .await
    }

    /// When the set's first package that was applied came in, and its id. Looks at the oldest few only.
    pub(crate) async fn first_package(
        &self,
        set: &Arc<LiveSet>,
    ) -> Result<Option<(Timestamp, String)>, Problem> {
        let (engine, set) = (Arc::clone(&self.engine), Arc::clone(set));
        blocking(move || {
            if !set.is_settled() {
                return Ok(None);
            }
            Ok(first_applied(&*set.open(&*engine)?.snapshot()?)?)
        })
        .await
    }
}

/// Packages at the beginning that are looked at for one that was applied.
const FIRST_PACKAGES: usize = 1_000;

fn first_applied(snapshot: &dyn Snapshot) -> Result<Option<(Timestamp, String)>, KvError> {
    let (from, end) = (keys::package_order(0), b"p".to_vec());
    let range = Range {
        from: Some(&from),
        to: Some(&end),
    };
    let oldest = snapshot.scan(Table::Package, range, Direction::Forward)?;
    for pair in oldest.take(FIRST_PACKAGES) {
        let (_, id) = pair?;
        let id = std::str::from_utf8(id).map_err(|_| damaged())?;
        let row = PackageRow::read(snapshot, id)?.ok_or_else(damaged)?;
        if row.state == State::Applied {
            let at = Timestamp::from_millisecond(row.facts.received_ms).map_err(|_| damaged())?;
            return Ok(Some((at, row.package_id)));
        }
    }
    Ok(None)
}

fn open_view(id: &str, progress: &Progress) -> Value {
    json!({ "package_id": id, "state": "open", "progress": progress.view() })
}

/// The place a page ended at, from `after`.
pub(super) fn place(after: &str, len: usize) -> Result<Vec<u8>, Problem> {
    let bytes = URL_SAFE_NO_PAD
        .decode(after)
        .ok()
        .filter(|bytes| bytes.len() == len);
    bytes.ok_or_else(|| Problem::query_invalid("after", "send `next` of the page before, as it stands"))
}

/// Packages in order of entry, newest first, and where the next page goes on.
pub(super) fn rows_before(
    snapshot: &dyn Snapshot,
    before: Option<&[u8]>,
    limit: usize,
) -> Result<(Vec<PackageRow>, Option<String>), KvError> {
    let mut rows = Vec::new();
    let (from, end) = (keys::package_order(0), b"p".to_vec());
    let range = Range {
        from: Some(&from),
        to: Some(before.unwrap_or(&end)),
    };
    let mut last: Option<Vec<u8>> = None;
    for (count, pair) in snapshot
        .scan(Table::Package, range, Direction::Backward)?
        .enumerate()
    {
        let (order, id) = pair?;
        if count == limit {
            return Ok((rows, last.map(|last| URL_SAFE_NO_PAD.encode(last))));
        }
        let id = std::str::from_utf8(id).map_err(|_| damaged())?;
        rows.push(PackageRow::read(snapshot, id)?.ok_or_else(damaged)?);
        last = Some(order.to_vec());
    }
    Ok((rows, None))
}

fn quarantined(
    kv: &dyn Kv,
    package: Option<&str>,
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Value, KvError> {
    let snapshot = kv.snapshot()?;
    let (mut from, to) = match package {
        None => (Vec::new(), vec![keys::QUARANTINE_OF_KEY]),
        Some(id) => match PackageRow::read(&*snapshot, id)? {
            None => return Ok(json!({ "rows": [], "next": null })),
            Some(row) => (
                keys::quarantine(row.order, 0).to_vec(),
                keys::quarantine(row.order + 1, 0).to_vec(),
            ),
        },
    };
    if let Some(after) = after {
        from = from.max([after, &[0]].concat());
    }
    let range = Range {
        from: Some(&from),
        to: Some(&to),
    };
    let mut rows = Vec::new();
    let mut last = Vec::new();
    let mut named = (0, String::new());
    let mut next = None;
    for pair in snapshot.scan(Table::Quarantine, range, Direction::Forward)? {
        let (key, value) = pair?;
        if rows.len() == limit {
            next = Some(URL_SAFE_NO_PAD.encode(&last));
            break;
        }
        let order = key.get(..8).and_then(keys::read_sequence).ok_or_else(damaged)?;
        if named.0 != order {
            let id = snapshot
                .get(Table::Package, &keys::package_order(order))?
                .unwrap_or_default();
            named = (order, String::from_utf8_lossy(id).into_owned());
        }
        let (_, row) = aside::read(value).ok_or_else(damaged)?;
        rows.push(json!({
            "package": named.1,
            "line": row.line,
            "field": row.field,
            "rule": row.rule,
            "reason": row.reason,
        }));
        last = key.to_vec();
    }
    Ok(json!({ "rows": rows, "next": next }))
}
