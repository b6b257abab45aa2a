//! The disclosure log, read: who got what about whom. Reading it is itself an entry.

pub mod entry;
mod own;
mod view;

use std::{borrow::Cow, sync::Arc};

use dagr_model::{leaves::LeafSet, role::Role};
use dagr_store::journal::{EntryId, NewEntry, StoredEntry};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    App,
    ctx::{Caller, Ctx},
    problem::Problem,
    set::blocking,
};
use entry::{Entry, Kind};
pub use own::{FieldMeaning, MAX_PAGE, OwnDisclosure, OwnDisclosureWhole, OwnFilter, meaning};

/// Entries in one page at most, and by default.
const MAX_ENTRIES: u64 = 1_000;
const DEFAULT_ENTRIES: u64 = 100;

/// What entries are wanted.
#[derive(Debug, Default, Clone)]
pub struct DisclosureFilter {
    pub permission: Option<String>,
    pub recipient: Option<String>,
    pub dataset: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub after: Option<String>,
    pub limit: Option<u64>,
}

impl DisclosureFilter {
    fn window(&self) -> (i64, i64) {
        let from = self.from.map_or(i64::MIN, Timestamp::as_millisecond);
        (from, self.to.map_or(i64::MAX, Timestamp::as_millisecond))
    }

    fn place(&self) -> Result<Option<EntryId>, Problem> {
        let parse = |text: &String| {
            text.parse::<EntryId>()
                .map_err(|_| Problem::query_invalid("after", "not a token of this list"))
        };
        self.after.as_ref().map(parse).transpose()
    }

    fn limit(&self) -> Result<usize, Problem> {
        match self.limit.unwrap_or(DEFAULT_ENTRIES) {
            limit if (1..=10_000).contains(&limit) => Ok(limit.min(MAX_ENTRIES) as usize),
            _ => Err(Problem::query_invalid("limit", "a whole number from 1 to 10000")),
        }
    }

    fn wants(&self, entry: &Entry) -> bool {
        let same =
            |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        same(&self.permission, &entry.permission)
            && same(&self.recipient, &entry.recipient)
            && same(&self.dataset, &entry.dataset)
    }
}

impl App {
    /// Entries in the order they were made. A connection sees those of its own institution.
    pub async fn disclosure_list(&self, ctx: &Ctx, mut filter: DisclosureFilter) -> Result<Value, Problem> {
        restrict(ctx, &mut filter)?;
        let (place, limit) = (filter.place()?, filter.limit()?);
        let journal = Arc::clone(&self.journal);
        let asked = filter.clone();
        let found = blocking(move || {
            // Entries still on their way to the disk belong to answers that have left.
            journal.sync().map_err(unavailable)?;
            let (from, to) = asked.window();
            let mut found = Vec::new();
            let mut next = None;
            for stored in journal.scan_time(from, to, place) {
                let stored = stored.map_err(unreadable)?;
                if Some(stored.id) == place {
                    continue;
                }
                let Some(entry) = Entry::from_bytes(&stored.payload).filter(|entry| asked.wants(entry))
                else {
                    continue;
                };
                if found.len() == limit {
                    next = found
                        .last()
                        .map(|(stored, _): &(StoredEntry, Entry<'static>)| stored.id);
                    break;
                }
                found.push((stored, entry));
            }
            Ok((found, next))
        })
        .await?;
        let (found, next) = found;
        let views: Vec<Value> = found
            .iter()
            .map(|(stored, entry)| self.entry_view(stored, entry))
            .collect();
        self.log_read(ctx, "disclosures", views.len()).await?;
        Ok(json!({ "disclosures": views, "next": next.map(|id| id.to_string()) }))
    }

    /// What was given about one person: the same entries, holding only what concerns that person.
    pub async fn disclosure_search(
        &self,
        ctx: &Ctx,
        person: &str,
        mut filter: DisclosureFilter,
    ) -> Result<Value, Problem> {
        let person = dagr_model::value::subject_code(person.trim()).into_owned();
        // Everybody may know all that was given about themselves.
        if !matches!(&ctx.caller, Caller::Person(asking) if asking.code == person) {
            restrict(ctx, &mut filter)?;
        }
        let (place, limit) = (filter.place()?, filter.limit()?);
        let journal = Arc::clone(&self.journal);
        let (asked, subject) = (filter.clone(), person.clone());
        let (found, next) = blocking(move || {
            journal.sync().map_err(unavailable)?;
            let (from, to) = asked.window();
            let mut found: Vec<(StoredEntry, Entry<'static>)> = Vec::new();
            let mut after = place;
            loop {
                let ids = journal
                    .find_subject(subject.as_bytes(), from, to, after, limit + 1)
                    .map_err(unreadable)?;
                let Some(last) = ids.last().copied() else {
                    return Ok((found, None));
                };
                for id in ids {
                    let Some(stored) = journal.read(id).map_err(unreadable)? else {
                        continue;
                    };
                    let entry = Entry::from_bytes(&stored.payload);
                    let Some(entry) = entry.filter(|entry| asked.wants(entry)) else {
                        continue;
                    };
                    if found.len() == limit {
                        let next = found.last().map(|(stored, _)| stored.id);
                        return Ok((found, next));
                    }
                    found.push((stored, entry));
                }
                after = Some(last);
            }
        })
        .await?;
        let views: Vec<Value> = found
            .iter()
            .map(|(stored, entry)| self.entry_of_person(stored, entry, &person))
            .collect();
        self.log_read(ctx, "disclosures of one person", views.len())
            .await?;
        Ok(json!({ "disclosures": views, "next": next.map(|id| id.to_string()) }))
    }

    /// One entry. Somebody else's looks like none.
    pub async fn disclosure_get(&self, ctx: &Ctx, id: &str) -> Result<Value, Problem> {
        let (stored, entry) = self.one_entry(ctx, id)?;
        let view = self.entry_view(&stored, &entry);
        self.log_read(ctx, "one disclosure", 1).await?;
        Ok(view)
    }

    fn one_entry(&self, ctx: &Ctx, id: &str) -> Result<(StoredEntry, Entry<'static>), Problem> {
        let mut own = DisclosureFilter::default();
        restrict(ctx, &mut own)?;
        let unknown = || Problem::new(404, "not_found", "there is no such disclosure");
        let id: EntryId = id.parse().map_err(|_| unknown())?;
        let stored = self.journal.read(id).map_err(unreadable)?.ok_or_else(unknown)?;
        let entry = Entry::from_bytes(&stored.payload)
            .filter(|entry| own.wants(entry))
            .ok_or_else(unknown)?;
        Ok((stored, entry))
    }

    /// All subjects and keys of one entry, paged.
    pub async fn disclosure_subjects(
        &self,
        ctx: &Ctx,
        id: &str,
        after: Option<&str>,
        limit: Option<u64>,
    ) -> Result<Value, Problem> {
        let (stored, entry) = self.one_entry(ctx, id)?;
        let from: usize = match after {
            None => 0,
            Some(text) => text
                .parse()
                .map_err(|_| Problem::query_invalid("after", "not a token of this list"))?,
        };
        let limit = crate::records::page_limit(limit)? as usize;
        let longest = stored.subjects.len().max(entry.keys.len());
        let next = (from + limit < longest).then(|| (from + limit).to_string());
        let subjects: Vec<Value> = view::subjects(&stored).skip(from).take(limit).collect();
        let keys: Vec<Value> = self
            .entry_keys(&entry)
            .into_iter()
            .skip(from)
            .take(limit)
            .collect();
        self.log_read(ctx, "subjects of one disclosure", subjects.len())
            .await?;
        Ok(json!({ "subjects": subjects, "keys": keys, "next": next }))
    }

    /// The log names who read it.
    async fn log_read(&self, ctx: &Ctx, what: &str, count: usize) -> Result<(), Problem> {
        let (recipient, connection) = match &ctx.caller {
            Caller::Connection(connection, _) => {
                let name = connection.client_id.as_str();
                (Cow::Borrowed(connection.institution.as_str()), name)
            }
            Caller::Person(person) => (person.id.to_string().into(), ""),
            Caller::Operator | Caller::Anonymous => ("operator".into(), ""),
        };
        let entry = Entry {
            kind: Kind::LogRead,
            section: dagr_model::ids::Section::Main,
            found: count > 0,
            request_id: ctx.request_id.as_str().into(),
            permission: "".into(),
            revision: 0,
            purpose: what.into(),
            legal_basis: "".into(),
            case: ctx.case.as_deref().map(Into::into),
            recipient,
            connection: connection.into(),
            dataset: "".into(),
            way: "log".into(),
            search: None,
            fields: LeafSet::new(),
            count: count as u64,
            misses: 0,
            keys: Vec::new(),
        };
        let new = NewEntry {
            payload: entry.to_bytes(),
            subjects: Vec::new(),
            counters: smallvec::SmallVec::new(),
            at_ms: ctx.now_ms(),
            urgent: true,
        };
        self.journal
            .append(new)
            .await
            .map(|_| ())
            .map_err(|_| Problem::disclosure_unavailable())
    }

    /// Misses of the last hour, from the log: a restart gives nobody a new hour.
    pub(crate) fn recall_misses(&self, catalog: &crate::catalog::Catalog) -> Result<(), Problem> {
        let now = self.clock.now().as_millisecond();
        for stored in self.journal.scan_time(now - 3_600_000, i64::MAX, None) {
            let stored = stored.map_err(unreadable)?;
            let Some(entry) = Entry::from_bytes(&stored.payload) else {
                continue;
            };
            if let Some(held) = catalog.permissions.get(entry.permission.as_ref()) {
                held.usage.touch(stored.at_ms);
                held.usage.missed(entry.misses, stored.at_ms);
            }
        }
        Ok(())
    }

    /// Removes whole segments older than the retention; answers how many.
    pub async fn disclosure_retention_run(&self) -> Result<usize, Problem> {
        let keep = i64::from(self.settings.disclosure_retention_days) * 86_400_000;
        let before = self.clock.now().as_millisecond() - keep;
        let journal = Arc::clone(&self.journal);
        let removed = blocking(move || journal.remove_before(before).map_err(unreadable)).await?;
        if !removed.is_empty() {
            tracing::info!(
                segments = removed.len(),
                "disclosure entries past their retention were removed"
            );
        }
        Ok(removed.len())
    }
}

/// A connection, and a person who watches over an institution, ask about their own, whatever they send.
fn restrict(ctx: &Ctx, filter: &mut DisclosureFilter) -> Result<(), Problem> {
    match &ctx.caller {
        Caller::Operator => Ok(()),
        Caller::Anonymous => Err(Problem::token_invalid()),
        Caller::Connection(connection, _) => {
            let own = connection.institution.to_string();
            if filter.recipient.as_ref().is_some_and(|asked| *asked != own) {
                return Err(Problem::role_required(
                    "a connection reads the disclosures of its own institution only",
                ));
            }
            filter.recipient = Some(own);
            Ok(())
        }
        Caller::Person(_) => {
            let (_, acting) = ctx.acting(&[Role::DataProtectionOfficer, Role::Auditor, Role::Head])?;
            let own = acting.institution.to_string();
            if filter.recipient.as_ref().is_some_and(|asked| *asked != own) {
                return Err(Problem::role_required(
                    "the disclosures of the institution you act for, and no other's",
                ));
            }
            filter.recipient = Some(own);
            Ok(())
        }
    }
}

fn unavailable(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "the disclosure log cannot be written");
    Problem::disclosure_unavailable()
}

fn unreadable(error: impl std::fmt::Display) -> Problem {
    Problem::internal(format!("disclosure log: {error}"))
}
