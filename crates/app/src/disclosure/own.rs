//! What was given about oneself: newest first, in terms a person understands. Nobody else's code stands in it.

use std::{collections::HashSet, sync::Arc};

use dagr_model::{
    definition::{Definition, Field},
    ids::{DatasetName, RegistrationNumber, Section},
};
use dagr_registry::Page;
use dagr_store::journal::{EntryId, StoredEntry};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{
    Entry, Kind, unavailable, unreadable,
    view::{subjects, time_of},
};
use crate::{App, ctx::Ctx, problem::Problem, service::Provider, set::blocking};

/// Entries in one page at most.
pub const MAX_PAGE: usize = 1_000;
/// Entries looked at for one page: a filter that hits rarely gives a shorter page and the place to go on.
const MAX_SEEN: usize = 10_000;

/// Which of one's own.
#[derive(Debug, Default, Clone)]
pub struct OwnFilter {
    pub from: Option<Timestamp>,
    /// Exclusive.
    pub to: Option<Timestamp>,
    /// Registration number, or words of the name in any form.
    pub recipient: Option<String>,
    /// `next` of the page before.
    pub before: Option<String>,
    /// 1 to `MAX_PAGE`.
    pub limit: usize,
}

/// Who got what about the person who asks, when and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OwnDisclosure {
    pub id: String,
    pub at: Timestamp,
    /// The recipient asked, and there was nothing to give.
    pub found: bool,
    /// Among what was asked at once, some was not there.
    pub partly: bool,
    pub recipient: Provider,
    pub dataset: DatasetName,
    /// The set's description; its name where it has none any more.
    pub description: String,
    pub provider: Option<Provider>,
    pub section: Section,
    /// `key`, `index:Surname`, `changes`, `list:died`, `bulk`, `history`.
    pub way: String,
    /// What was given, in definition order.
    pub fields: Vec<FieldMeaning>,
    pub purpose: String,
    pub legal_basis: String,
    pub case: Option<String>,
    pub permission: String,
}

/// A leaf and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldMeaning {
    pub path: String,
    /// Its comments, else its name; below a structured field with that field's before it.
    pub meaning: String,
}

/// One disclosure, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnDisclosureWhole {
    pub seen: OwnDisclosure,
    /// As the journal has it, holding only what concerns the person: for an auditor.
    pub entry: Value,
}

impl App {
    /// Newest first. For whoever is signed in, about themselves; that it was read is an entry, too.
    pub async fn disclosure_own_list(
        &self,
        ctx: &Ctx,
        filter: OwnFilter,
    ) -> Result<Page<OwnDisclosure>, Problem> {
        let person = ctx.person()?.code.clone();
        let before = place(filter.before.as_deref())?;
        let limit = filter.limit.clamp(1, MAX_PAGE);
        let recipients = filter
            .recipient
            .as_deref()
            .and_then(|words| self.recipients_named(words));
        let journal = Arc::clone(&self.journal);
        let window = (
            filter.from.map_or(i64::MIN, Timestamp::as_millisecond),
            filter.to.map_or(i64::MAX, Timestamp::as_millisecond),
        );
        let (found, next) = blocking(move || {
            // Entries still on their way to the disk belong to answers that have left.
            journal.sync().map_err(unavailable)?;
            newest(
                &journal,
                &person,
                window,
                before,
                limit,
                |entry| match &recipients {
                    None => true,
                    Some(wanted) => wanted.contains(entry.recipient.as_ref()),
                },
            )
        })
        .await?;
        let items: Vec<OwnDisclosure> = found
            .iter()
            .map(|(stored, entry)| self.own(stored, entry))
            .collect();
        self.log_read(ctx, "disclosures of oneself", items.len()).await?;
        Ok(Page {
            items,
            next: next.map(|id| id.to_string()),
        })
    }

    /// One entry that names the person who asks. Any other looks like none.
    pub async fn disclosure_get_own(&self, ctx: &Ctx, id: &str) -> Result<OwnDisclosureWhole, Problem> {
        let person = ctx.person()?.code.clone();
        let unknown = || Problem::new(404, "not_found", "there is no such disclosure about you");
        let id: EntryId = id.parse().map_err(|_| unknown())?;
        let journal = Arc::clone(&self.journal);
        let stored = blocking(move || {
            journal.sync().map_err(unavailable)?;
            journal.read(id).map_err(unreadable)
        })
        .await?
        .filter(|stored| subjects(stored).any(|subject| subject == person.as_str()))
        .ok_or_else(unknown)?;
        let entry = Entry::from_bytes(&stored.payload)
            .filter(|entry| entry.kind == Kind::Data)
            .ok_or_else(unknown)?;
        let whole = OwnDisclosureWhole {
            seen: self.own(&stored, &entry),
            entry: self.entry_of_person(&stored, &entry, &person),
        };
        self.log_read(ctx, "one disclosure of oneself", 1).await?;
        Ok(whole)
    }

    fn own(&self, stored: &StoredEntry, entry: &Entry) -> OwnDisclosure {
        let catalog = self.catalog();
        let institution = |number: RegistrationNumber| Provider {
            name: catalog.institution_name(&number).to_owned(),
            registration_number: number,
        };
        let set = catalog.live(entry.section, &entry.dataset);
        let description = set.map(|set| set.definition().description.clone());
        let fields = self.entry_fields(entry).into_iter();
        OwnDisclosure {
            id: stored.id.to_string(),
            at: time_of(stored),
            found: entry.found,
            partly: entry.found && entry.misses > 0,
            recipient: institution(RegistrationNumber::new(entry.recipient.as_ref())),
            dataset: DatasetName::new(entry.dataset.as_ref()),
            description: description
                .filter(|text| !text.is_empty())
                .unwrap_or_else(|| entry.dataset.clone().into_owned()),
            provider: set.map(|set| institution(set.provider.clone())),
            section: entry.section,
            way: entry.way.clone().into_owned(),
            fields: fields
                .map(|path| FieldMeaning {
                    meaning: set.map_or_else(|| path.clone(), |set| meaning(set.definition(), &path)),
                    path,
                })
                .collect(),
            purpose: entry.purpose.clone().into_owned(),
            legal_basis: entry.legal_basis.clone().into_owned(),
            case: entry.case.clone().map(std::borrow::Cow::into_owned),
            permission: entry.permission.clone().into_owned(),
        }
    }

    /// Institutions of this number or these words; `None` = any.
    fn recipients_named(&self, words: &str) -> Option<HashSet<String>> {
        let words = words.trim();
        if words.is_empty() {
            return None;
        }
        let catalog = self.catalog();
        let fits = crate::service::named_by(words);
        let found = catalog
            .institutions
            .iter()
            .filter(|(number, name)| number.as_str() == words || fits(name));
        Some(found.map(|(number, _)| number.to_string()).collect())
    }
}

type Found = (Vec<(StoredEntry, Entry<'static>)>, Option<EntryId>);

fn newest(
    journal: &dagr_store::journal::Journal,
    person: &str,
    (from, to): (i64, i64),
    mut before: Option<EntryId>,
    limit: usize,
    wants: impl Fn(&Entry) -> bool,
) -> Result<Found, Problem> {
    let mut found: Vec<(StoredEntry, Entry<'static>)> = Vec::new();
    let mut seen = 0;
    loop {
        let ids = journal
            .find_subject_newest(person.as_bytes(), from, to, before, limit + 1)
            .map_err(unreadable)?;
        let Some(last) = ids.last().copied() else {
            return Ok((found, None));
        };
        seen += ids.len();
        for id in ids {
            let Some(stored) = journal.read(id).map_err(unreadable)? else {
                continue;
            };
            let entry = Entry::from_bytes(&stored.payload);
            let Some(entry) = entry.filter(|entry| entry.kind == Kind::Data && wants(entry)) else {
                continue;
            };
            if found.len() == limit {
                let next = found.last().map(|(stored, _)| stored.id);
                return Ok((found, next));
            }
            found.push((stored, entry));
        }
        if seen >= MAX_SEEN {
            return Ok((found, Some(last)));
        }
        before = Some(last);
    }
}

fn place(before: Option<&str>) -> Result<Option<EntryId>, Problem> {
    let parse = |text: &str| {
        text.parse::<EntryId>()
            .map_err(|_| Problem::query_invalid("before", "not a token of this list"))
    };
    before.map(parse).transpose()
}

/// `Address.Street` → `Adrese: iela`.
pub fn meaning(definition: &Definition, path: &str) -> String {
    let mut fields: &[Field] = &definition.fields;
    let mut out: Vec<&str> = Vec::new();
    for name in path.split('.') {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            out.push(name);
            break;
        };
        out.push(
            Some(field.comments.trim())
                .filter(|text| !text.is_empty())
                .unwrap_or(name),
        );
        fields = &field.fields;
    }
    out.join(": ")
}
