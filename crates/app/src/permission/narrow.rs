//! What is not used is offered to be given up, and giving up needs no new decision: nothing is added.

use std::collections::BTreeSet;

use dagr_model::{
    clock::riga_date,
    fault::Fault,
    ids::{DatasetName, PermissionNumber, RegistrationNumber},
    permission::{Permission, PermissionState, Way},
};
use dagr_policy::resolve_fields;
use dagr_registry::{Page, Versioned};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{PermissionQuery, Transition, permission_unknown, unknown_permission, uses::days_before};
use crate::{App, ctx::Ctx, problem::Problem};

/// Permissions looked at for one page, at most: each is several reads.
const MAX_PAGE: u32 = 100;
/// Days without use that are looked for, when not said.
const DEFAULT_DAYS: u32 = 90;

/// Which permissions, and over how many days.
#[derive(Debug, Clone, Default)]
pub struct UnusedQuery {
    /// From 7 to 365; 90 when not said.
    pub days: Option<u32>,
    pub list: PermissionQuery,
}

/// What of a permission was not used over some days, as far as the disclosure log can say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unused {
    pub permission: PermissionNumber,
    pub dataset: DatasetName,
    pub recipient: RegistrationNumber,
    pub since: Date,
    pub granted: Option<Timestamp>,
    pub calls: u64,
    /// Calls that named their fields; the others took everything, needed or not.
    pub narrowed: u64,
    /// Within these days.
    pub last_use: Option<Date>,
    /// No call at all.
    pub is_unused: bool,
    /// In no record given.
    pub fields_not_given: Vec<String>,
    /// Given only by calls that took everything, while others named their fields: perhaps not needed.
    pub fields_not_named: Vec<String>,
    pub ways_not_used: Vec<Way>,
}

/// What is given up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Narrowing {
    /// A structured field stands for all below it.
    #[serde(default)]
    pub fields: Vec<String>,
    #[serde(default)]
    pub ways: Vec<Way>,
    pub reason: String,
}

impl App {
    /// Active permissions that were granted before these days and of which something was not used in them. A page
    /// may be short: those without anything to give up are left out.
    pub async fn permission_unused(&self, ctx: &Ctx, query: UnusedQuery) -> Result<Page<Unused>, Problem> {
        let days = query.days.unwrap_or(DEFAULT_DAYS);
        if !(7..=365).contains(&days) {
            return Err(Problem::query_invalid("days", "a whole number from 7 to 365"));
        }
        let since = days_before(riga_date(ctx.now), days as i32);
        let mut list = query.list;
        list.state = Some(PermissionState::Active);
        list.page.limit = list.page.limit.min(MAX_PAGE);
        let page = self.permission_list(ctx, list).await?;
        let mut items = Vec::new();
        for found in page.items {
            items.extend(self.unused(found.value, since).await?);
        }
        Ok(Page {
            items,
            next: page.next,
        })
    }

    async fn unused(&self, permission: Permission, since: Date) -> Result<Option<Unused>, Problem> {
        // A provider's own, to try its sandbox with, gives nothing away.
        if self.provider_of(&permission).as_ref() == Some(&permission.recipient) {
            return Ok(None);
        }
        let granted = self.registry.permission_granted_at(&permission.number).await?;
        if granted.is_none_or(|granted| riga_date(granted) > since) {
            return Ok(None);
        }
        let used = self.used(&permission.number, since).await?;
        let is_unused = used.calls() == 0;
        let candidates = if is_unused {
            Vec::new()
        } else {
            self.beside_the_key(&permission)
        };
        let (given, not_given): (Vec<String>, Vec<String>) =
            candidates.into_iter().partition(|field| used.gave(field, false));
        let named = used.narrowed() > 0;
        let not_named = given.into_iter().filter(|field| named && !used.gave(field, true));
        let ways: BTreeSet<&str> = used.days.iter().map(|day| day.way.as_str()).collect();
        let ways_not_used = permission.ways.iter();
        let found = Unused {
            since,
            granted,
            calls: used.calls(),
            narrowed: used.narrowed(),
            last_use: used.last_use(),
            is_unused,
            fields_not_given: not_given,
            fields_not_named: not_named.collect(),
            ways_not_used: ways_not_used
                .filter(|way| !is_unused && !ways.contains(way.text().as_ref()))
                .cloned()
                .collect(),
            permission: permission.number,
            dataset: permission.dataset,
            recipient: permission.recipient,
        };
        let something = is_unused
            || !found.fields_not_given.is_empty()
            || !found.fields_not_named.is_empty()
            || !found.ways_not_used.is_empty();
        Ok(something.then_some(found))
    }

    /// Fields that could be given up without losing the key.
    fn beside_the_key(&self, permission: &Permission) -> Vec<String> {
        let catalog = self.catalog();
        let Some(set) = catalog.live(permission.environment, permission.dataset.as_str()) else {
            return Vec::new();
        };
        let keys: BTreeSet<&str> = set.definition().key.fields().collect();
        let fields = permission.fields.iter();
        fields
            .filter(|field| !keys.contains(field.as_str()))
            .cloned()
            .collect()
    }

    /// Gives up fields and ways; an index goes with its field. Whoever may revoke may narrow.
    pub async fn permission_narrow(
        &self,
        ctx: &Ctx,
        number: &str,
        narrowing: &Narrowing,
        expected: Option<i64>,
    ) -> Result<Versioned<Permission>, Problem> {
        self.may_move(ctx, number, Transition::Revoke)?;
        let _one = self.changing.lock().await;
        let number = PermissionNumber::new(number);
        let before = self
            .registry
            .permission_get(&number)
            .await?
            .ok_or_else(permission_unknown)?;
        let set = self.set_of(before.value.environment, before.value.dataset.as_str())?;
        // Ways alone may be given up, too.
        let fields = if narrowing.fields.is_empty() {
            Vec::new()
        } else {
            resolve_fields(&set.schema, &narrowing.fields).map_err(Problem::invalid)?
        };
        let next = narrowed(&before.value, &fields, &narrowing.ways).map_err(Problem::invalid)?;
        self.fits(&set, next.clone()).await?;
        let changed = self
            .registry
            .permission_narrow(&ctx.actor(), &number, next, &narrowing.reason, expected)
            .await;
        Ok(self.put_permission(changed.map_err(unknown_permission)?))
    }
}

/// Never more than before: every field and way left is one of `before`.
fn narrowed(before: &Permission, fields: &[String], ways: &[Way]) -> Result<Permission, Vec<Fault>> {
    let mut faults = Vec::new();
    if fields.is_empty() && ways.is_empty() {
        faults.push(Fault::new(
            "fields",
            "required",
            "name the fields or ways that are given up",
        ));
    }
    for field in fields.iter().filter(|field| !before.fields.contains(field)) {
        faults.push(Fault::new(
            format!("fields.{field}"),
            "not_held",
            "the permission does not show this field",
        ));
    }
    for way in ways.iter().filter(|way| !before.ways.contains(way)) {
        faults.push(Fault::new(
            format!("ways.{way}"),
            "not_held",
            "the permission does not have this way",
        ));
    }
    let left: Vec<String> = before
        .fields
        .iter()
        .filter(|field| !fields.contains(field))
        .cloned()
        .collect();
    let searches_left = |way: &Way| match way {
        Way::Index(names) => names
            .split(',')
            .all(|name| left.iter().any(|field| field == name.trim())),
        _ => true,
    };
    let ways_left: Vec<Way> = before
        .ways
        .iter()
        .filter(|way| !ways.contains(way) && searches_left(way))
        .cloned()
        .collect();
    if left.is_empty() || ways_left.is_empty() {
        faults.push(Fault::new(
            "fields",
            "nothing_left",
            "nothing would remain: revoke the permission instead",
        ));
    }
    if faults.is_empty() {
        Ok(Permission {
            fields: left,
            ways: ways_left,
            ..before.clone()
        })
    } else {
        Err(faults)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn permission() -> Permission {
        serde_json::from_value(json!({
            "number": "1", "dataset": "d", "recipient": "40000000002", "environment": "main", "purpose": "p",
            "legal_basis": "l", "fields": ["A", "B", "C"], "scope": null,
            "ways": ["key", "index:A", "index:A,B", "changes"], "quota": null, "quota_unit": "call",
            "rate_per_second": null, "misses_per_hour": null, "valid_from": null, "valid_to": null,
            "case_required": false, "state": "active", "revision": 1,
        }))
        .unwrap()
    }

    #[test]
    fn an_index_goes_with_its_field() {
        let next = narrowed(&permission(), &["B".to_owned()], &[]).unwrap();
        assert_eq!(next.ways.len(), 3);
        assert!(!next.ways.contains(&Way::Index("A,B".to_owned())));
    }

    proptest! {
        #[test]
        fn narrowing_never_adds(
            fields in proptest::collection::vec("[A-D]", 0..4),
            ways in proptest::collection::vec(proptest::sample::select(vec!["key", "index:A", "bulk", "changes"]), 0..4),
        ) {
            let ways: Vec<Way> = ways.iter().map(|way| way.parse().unwrap()).collect();
            let before = permission();
            if let Ok(next) = narrowed(&before, &fields, &ways) {
                prop_assert!(!next.fields.is_empty() && !next.ways.is_empty());
                prop_assert!(next.fields.iter().all(|field| before.fields.contains(field) && !fields.contains(field)));
                prop_assert!(next.ways.iter().all(|way| before.ways.contains(way) && !ways.contains(way)));
                let rest = Permission { fields: before.fields.clone(), ways: before.ways.clone(), ..next };
                prop_assert_eq!(rest, before);
            }
        }
    }
}
