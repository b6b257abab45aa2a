//! Pages of records: by a leading part of the key, by an index, or of everything.

use std::{ops::ControlFlow, sync::Arc, time::Instant};

use dagr_model::{fault::Fault, ids::Section, record::Mask};
use dagr_policy::{CompiledScope, Grant};
use dagr_store::{
    kv::{KvError, Snapshot},
    set::{head::Head, lists::Lists, read, stored::Stored},
};

use crate::{
    App,
    admit::Admission,
    ctx::Ctx,
    cursor::{self, Cursor},
    disclose::{Disclosed, Sealed},
    disclosure::entry::Entry,
    given::Given,
    page::{self, DEFAULT_LIMIT, MAX_LIMIT, Page},
    problem::Problem,
    record::Answer,
    scope::{key_in_scope, record_in_scope},
    search::{Search, What},
    set::{LiveSet, blocking},
};

/// Where a reader stands behind a page, as its cursor says it.
pub(crate) struct Standing {
    pub epoch: u32,
    pub position: Vec<u8>,
    pub given: Given,
    pub told_ms: i64,
}

/// A page asked for.
#[derive(Debug, Default, Clone)]
pub struct PageQuery {
    pub fields: Option<Vec<String>>,
    pub limit: Option<u64>,
    pub after: Option<String>,
    /// Index fields and values, as sent.
    pub filters: Vec<(String, String)>,
}

impl App {
    pub async fn record_list(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        parts: &[String],
        query: PageQuery,
    ) -> Result<Disclosed<Answer>, Problem> {
        let admission = self.admit(ctx, section, dataset)?;
        let limit = page_limit(query.limit)?;
        let search = Search::new(&admission, parts, &query.filters)?;
        let cursor = self.open_cursor(&admission, &search.call, query.after.as_deref());
        let ask = admission.ask(
            ctx,
            search.way.clone(),
            query.fields,
            search.target(cursor.as_ref().err()),
        );
        admission.decide(&ask)?;
        let cursor = cursor.map_err(cursor_problem)?;
        let mask = admission.mask(ask.fields.as_deref());
        let reservation = admission.reserve_page(limit)?;
        // Asking for everything and finding nothing guesses at nobody.
        let may_miss = !matches!(search.what, What::Everything);
        let read = Read {
            set: Arc::clone(&admission.set),
            grant: Arc::clone(&admission.grant),
            mask: Arc::clone(&mask),
            what: search.what,
            limit: reservation.cut(limit),
            oldest_ms: oldest_seal(&admission, ctx),
            cursor,
        };
        let engine = Arc::clone(&self.engine);
        let Found { page, last, epoch } = blocking(move || read.run(&*read.set.open(&*engine)?)).await?;
        let standing = |position| Standing {
            epoch,
            position,
            given: Given::default(),
            told_ms: ctx.now_ms(),
        };
        let next = last.map(|last| self.seal_cursor(ctx, &admission, &search.call, standing(last)));
        let body = page::records_body(&page, next.as_deref());
        let answer = Answer {
            body,
            etag: None,
            private: !admission.open,
        };
        if admission.open {
            return Self::open_data(&admission.set, answer);
        }
        let uses = reservation.settle_page(page.count);
        let misses = u32::from(page.count == 0 && may_miss);
        admission.missed(ctx, self, misses);
        let mut subjects = page.subjects;
        if let Some(prefix) = search.leading.filter(|_| page.count == 0) {
            subjects = admission.key_subjects(&prefix);
        }
        let entry = Entry {
            search: search.text.map(Into::into),
            found: page.count > 0,
            fields: mask.leaves.clone(),
            count: page.count,
            misses,
            keys: page.keys,
            ..admission.entry(ctx, &ask.way)
        };
        let urgent = admission.is_urgent();
        self.disclose(Sealed {
            value: answer,
            entry,
            subjects,
            uses,
            urgent,
            now_ms: ctx.now_ms(),
        })
        .await
    }

    /// Opens a cursor sent for `call`: `None` = from the start.
    pub(crate) fn open_cursor(
        &self,
        admission: &Admission,
        call: &str,
        text: Option<&str>,
    ) -> Result<Option<Cursor>, Fault> {
        let Some(text) = text else { return Ok(None) };
        let cursor = self
            .secrets
            .cursors
            .open(text)
            .ok_or_else(Admission::cursor_fault)?;
        if cursor.binding == admission.binding(call) {
            Ok(Some(cursor))
        } else {
            Err(Admission::cursor_fault())
        }
    }

    pub(crate) fn seal_cursor(
        &self,
        ctx: &Ctx,
        admission: &Admission,
        call: &str,
        standing: Standing,
    ) -> String {
        self.secrets.cursors.seal(&Cursor {
            binding: admission.binding(call),
            revision: admission.held.permission.revision,
            epoch: standing.epoch,
            sealed_ms: ctx.now_ms(),
            position: standing.position,
            given: standing.given,
            told_ms: standing.told_ms,
        })
    }
}

impl Admission {
    /// What a cursor of this permission and call is bound to.
    fn binding(&self, call: &str) -> [u8; 32] {
        let number = self.held.permission.number.as_str();
        cursor::binding(&[number, self.set.section.as_str(), self.set.name.as_str(), call])
    }
}

pub(crate) fn cursor_problem(fault: Fault) -> Problem {
    Problem::new(400, "cursor_invalid", fault.message.clone()).with_faults(vec![fault])
}

pub fn page_limit(limit: Option<u64>) -> Result<u64, Problem> {
    match limit {
        None => Ok(DEFAULT_LIMIT),
        Some(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::query_invalid(
            "limit",
            format!("a whole number from 1 to {MAX_LIMIT}"),
        )),
    }
}

/// Cursors sealed before this are forgotten: deletes they would have to tell may be purged.
pub(crate) fn oldest_seal(admission: &Admission, ctx: &Ctx) -> i64 {
    ctx.now_ms() - i64::from(admission.set.definition().tombstones_days) * 86_400_000
}

/// 410 if what a page's cursor was sealed under is no more: pages of two revisions make no whole.
pub(crate) fn check_cursor(
    cursor: &Cursor,
    grant: &Grant,
    epoch: u32,
    oldest_ms: i64,
) -> Result<(), Problem> {
    let current = cursor.revision == grant.permission.revision && cursor.epoch == epoch;
    if current && cursor.sealed_ms >= oldest_ms {
        return Ok(());
    }
    Err(Problem::new(
        410,
        "cursor_expired",
        "this cursor is no longer valid: start without after and replace your copy",
    ))
}

/// A page to be read off the async threads.
struct Read {
    set: Arc<LiveSet>,
    grant: Arc<Grant>,
    mask: Arc<Mask>,
    what: What,
    limit: u64,
    cursor: Option<Cursor>,
    oldest_ms: i64,
}

struct Found {
    page: Page,
    /// The last key looked at, if more is visible (or patience ended).
    last: Option<Vec<u8>>,
    epoch: u32,
}

impl Read {
    fn run(&self, kv: &dyn dagr_store::kv::Kv) -> Result<Found, Problem> {
        let snapshot = kv.snapshot()?;
        let head = Head::read(&*snapshot)?;
        if let Some(cursor) = &self.cursor {
            check_cursor(cursor, &self.grant, head.epoch, self.oldest_ms)?;
        }
        let after = self.cursor.as_ref().and_then(|cursor| unpad(&cursor.position));
        let mut filling = Filling {
            read: self,
            page: Page::new(Arc::clone(&self.set.schema), Arc::clone(&self.mask), self.limit),
            began: Instant::now(),
            last: None,
            more: false,
        };
        match &self.what {
            What::Leading(prefix) => filling.keys(&*snapshot, prefix, after.as_deref())?,
            What::Everything => filling.keys(&*snapshot, &[], after.as_deref())?,
            What::Index { stored, value, .. } => match Lists::read(&*snapshot)?.indexes.get(stored) {
                Some(index) => {
                    read::indexed(
                        &*snapshot,
                        index.id,
                        value,
                        after.as_deref(),
                        &mut |key, stored| Ok(filling.visit(key, &stored)),
                    )?;
                }
                None if head.records == 0 => {}
                None => {
                    let detail = "the index is being built; try again soon";
                    return Err(Problem::new(503, "index_building", detail).retry_after(10));
                }
            },
        }
        let Filling { page, last, more, .. } = filling;
        Ok(Found {
            page,
            last: last.filter(|_| more).map(|key| pad(&key)),
            epoch: head.epoch,
        })
    }
}

struct Filling<'a> {
    read: &'a Read,
    page: Page,
    began: Instant,
    last: Option<Vec<u8>>,
    more: bool,
}

impl Filling<'_> {
    /// Keys under a prefix: with a key list only the stretches that it covers are read.
    fn keys(&mut self, snapshot: &dyn Snapshot, prefix: &[u8], after: Option<&[u8]>) -> Result<(), KvError> {
        let grant = Arc::clone(&self.read.grant);
        let CompiledScope::Keys(list) = &grant.scope else {
            return read::records(snapshot, prefix, after, &mut |key, stored| {
                Ok(self.visit(key, &stored))
            });
        };
        let start = after.unwrap_or(&[]);
        for stretch in list.under(prefix) {
            // Stretches wholly before the cursor are passed over.
            if stretch < start && !start.starts_with(stretch) {
                continue;
            }
            let after = after.filter(|after| *after >= stretch);
            read::records(snapshot, stretch, after, &mut |key, stored| {
                Ok(self.visit(key, &stored))
            })?;
            if self.more {
                break;
            }
        }
        Ok(())
    }

    fn visit(&mut self, key: &[u8], stored: &Stored<'_>) -> ControlFlow<()> {
        let read = self.read;
        let visible = key_in_scope(&read.grant, key)
            && record_in_scope(&read.grant, stored.record)
            && read.what.matches(&read.set, stored.record);
        if visible && !self.page.add(key, stored.record) {
            self.more = true;
            return ControlFlow::Break(());
        }
        self.last = Some(key.to_vec());
        if !visible && self.began.elapsed() > page::PATIENCE {
            self.more = true;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// A key as a cursor's position: its length, then its bytes.
fn pad(key: &[u8]) -> Vec<u8> {
    let mut out = vec![key.len() as u8];
    out.extend_from_slice(key);
    out
}

fn unpad(position: &[u8]) -> Option<Vec<u8>> {
    let (len, rest) = position.split_first()?;
    rest.get(..usize::from(*len)).map(<[u8]>::to_vec)
}
