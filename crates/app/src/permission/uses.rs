//! What permissions are used for, as the disclosure log tells it: counts by day and way, and when each field was
//! given last. No person and no key is kept. Refused calls leave no entry, so nothing here counts them.

mod tally;

use std::sync::Arc;

use dagr_model::{
    clock::riga_date,
    ids::{PermissionNumber, RegistrationNumber},
    permission::Permission,
};
use dagr_registry::{RegistryError, UseDay, UseField, UsePosition};
use dagr_store::journal::EntryId;
use jiff::{Span, Timestamp, civil::Date};
use serde::Serialize;

use super::permission_unknown;
use crate::{App, ctx::Ctx, problem::Problem, set::blocking};
use tally::Tally;

/// Days that a view shows.
pub const SHOWN_DAYS: i32 = 90;
/// Days whose counts are kept.
const KEPT_DAYS: i32 = 400;
/// Entries taken in one transaction.
const BATCH: usize = 20_000;
/// Entries taken in one run, at most: the rest waits for the next.
const RUN: u64 = 1_000_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PermissionUse {
    pub permission: PermissionNumber,
    pub from: Date,
    pub to: Date,
    /// The log is counted up to here; null: not yet.
    pub counted_to: Option<Timestamp>,
    pub calls: u64,
    /// Of these, calls that gave fewer fields than permitted: the caller named its fields.
    pub narrowed: u64,
    pub records: u64,
    pub misses: u64,
    /// The last day with a call, within these days.
    pub last_use: Option<Date>,
    /// Uses under the quota since it was granted.
    pub taken: u64,
    pub quota: Option<u64>,
    /// Always null: a refused call leaves no entry in the log.
    pub refusals: Option<u64>,
    pub days: Vec<DayUse>,
    /// Every permitted field, in definition order.
    pub fields: Vec<FieldUse>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayUse {
    pub day: Date,
    pub way: String,
    pub calls: u64,
    pub narrowed: u64,
    pub records: u64,
    pub misses: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldUse {
    pub field: String,
    /// The last day a record with it was given, asked by name or not.
    pub last_given: Option<Date>,
    /// The last day it was given by a call that named its fields.
    pub last_named: Option<Date>,
}

/// What the log tells of one permission over some days.
pub(super) struct Used {
    pub from: Date,
    pub days: Vec<UseDay>,
    pub fields: Vec<UseField>,
}

impl App {
    /// Counts what the disclosure log holds since the last time; answers how many entries were taken.
    pub async fn permission_use_run(&self) -> Result<u64, Problem> {
        let mut count = 0;
        loop {
            let before = self.registry.use_position().await?;
            let Some((tally, taken)) = self.use_batch(before.as_ref()).await? else {
                break;
            };
            let (days, fields) = tally.rows();
            let after = tally.position();
            match self
                .registry
                .use_add(before.as_ref(), &days, &fields, &after)
                .await
            {
                Ok(()) => {}
                // Another run took them.
                Err(RegistryError::Precondition) => break,
                Err(error) => return Err(error.into()),
            }
            count += taken as u64;
            if taken < BATCH || count >= RUN {
                break;
            }
        }
        let today = riga_date(self.clock.now());
        self.registry.use_purge(days_before(today, KEPT_DAYS)).await?;
        Ok(count)
    }

    /// The next entries of the log, counted.
    async fn use_batch(&self, before: Option<&UsePosition>) -> Result<Option<(Tally, usize)>, Problem> {
        let journal = Arc::clone(&self.journal);
        let mut tally = Tally::new(Arc::clone(&self.catalog()));
        let place: Option<EntryId> = before.and_then(|before| before.entry.parse().ok());
        let oldest = self.clock.now().as_millisecond() - i64::from(KEPT_DAYS) * 86_400_000;
        blocking(move || {
            let entries = match place {
                Some(_) => journal.scan(place, None),
                None => journal.scan_time(oldest, i64::MAX, None),
            };
            let mut taken = 0;
            for stored in entries {
                let stored = stored.map_err(|error| Problem::internal(format!("disclosure log: {error}")))?;
                if Some(stored.id) == place {
                    continue;
                }
                tally.add(&stored);
                taken += 1;
                if taken == BATCH {
                    break;
                }
            }
            if taken == 0 {
                return Ok(None);
            }
            // What was read may still be on its way to the disk: a crash would give its place to another entry.
            journal
                .sync()
                .map_err(|error| Problem::internal(format!("disclosure log: {error}")))?;
            Ok(Some((tally, taken)))
        })
        .await
    }

    /// For the operator, the holder's and the provider's people. No person stands in it.
    pub async fn permission_use(&self, ctx: &Ctx, number: &str) -> Result<PermissionUse, Problem> {
        let permission = self.permission_get(ctx, number).await?.value;
        let today = riga_date(ctx.now);
        let used = self
            .used(&permission.number, days_before(today, SHOWN_DAYS - 1))
            .await?;
        let taken = {
            let catalog = self.catalog();
            let held = catalog.permissions.get(&permission.number);
            held.ok_or_else(permission_unknown)?.usage.taken()
        };
        let sum = |of: fn(&UseDay) -> u64| used.days.iter().map(of).sum();
        Ok(PermissionUse {
            from: used.from,
            to: today,
            counted_to: self.registry.use_position().await?.map(|position| position.at),
            calls: sum(|day| day.calls),
            narrowed: sum(|day| day.narrowed),
            records: sum(|day| day.records),
            misses: sum(|day| day.misses),
            last_use: used.days.last().map(|day| day.day),
            taken,
            quota: permission.quota,
            refusals: None,
            fields: permission.fields.iter().map(|field| used.field(field)).collect(),
            permission: permission.number,
            days: used.days.into_iter().map(shown).collect(),
        })
    }

    pub(super) async fn used(&self, number: &PermissionNumber, from: Date) -> Result<Used, Problem> {
        Ok(Used {
            from,
            days: self.registry.use_days(number, from).await?,
            fields: self.registry.use_fields(number).await?,
        })
    }

    /// The institution that gives what this permission rests on.
    pub(crate) fn provider_of(&self, permission: &Permission) -> Option<RegistrationNumber> {
        let catalog = self.catalog();
        let set = catalog.datasets.get(&permission.dataset)?;
        Some(set.provider.clone())
    }
}

impl Used {
    fn field(&self, name: &str) -> FieldUse {
        let found = self.fields.iter().find(|one| one.field == name);
        FieldUse {
            field: name.to_owned(),
            last_given: found.map(|one| one.given),
            last_named: found.and_then(|one| one.narrowed),
        }
    }

    pub fn calls(&self) -> u64 {
        self.days.iter().map(|day| day.calls).sum()
    }

    pub fn narrowed(&self) -> u64 {
        self.days.iter().map(|day| day.narrowed).sum()
    }

    pub fn last_use(&self) -> Option<Date> {
        self.days.last().map(|day| day.day)
    }

    /// Given in a record within these days; `named`: by a call that named its fields.
    pub fn gave(&self, field: &str, named: bool) -> bool {
        let one = self.field(field);
        let last = if named { one.last_named } else { one.last_given };
        last.is_some_and(|day| day >= self.from)
    }
}

fn shown(day: UseDay) -> DayUse {
    DayUse {
        day: day.day,
        way: day.way,
        calls: day.calls,
        narrowed: day.narrowed,
        records: day.records,
        misses: day.misses,
    }
}

pub(super) fn days_before(day: Date, days: i32) -> Date {
    day.saturating_sub(Span::new().days(days))
}
