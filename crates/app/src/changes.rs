//! The change feed: first load in key order, then what changed, in one loop. And named change lists.

mod list;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dagr_model::{
    ids::Section,
    permission::Way,
    record::{Mask, project},
};
use dagr_policy::{CompiledScope, Grant, Target};
use dagr_store::{
    kv::Kv,
    set::{
        feed::{self, Scope, Take, Told, View},
        head::Head,
        lists::Lists,
        position::Position,
    },
};
use jiff::Timestamp;

use crate::{
    App,
    admit::Admission,
    ctx::Ctx,
    cursor::Cursor,
    disclose::{Disclosed, Sealed},
    disclosure::entry::Entry,
    page::{PATIENCE, Page, put_next},
    problem::Problem,
    record::Answer,
    records::{check_cursor, cursor_problem, oldest_seal, page_limit},
    scope::{Keys, record_in_scope},
    set::{LiveSet, blocking},
};

/// Longest wait for something visible.
pub const MAX_WAIT_S: u64 = 60;

#[derive(Debug, Default, Clone)]
pub struct ChangesQuery {
    pub after: Option<String>,
    pub limit: Option<u64>,
    pub wait_s: Option<u64>,
    pub include_record: bool,
    pub fields: Option<Vec<String>>,
}

/// One page of a feed, read.
pub(crate) struct Fed {
    pub page: Page,
    pub position: Vec<u8>,
    pub end: bool,
    pub epoch: u32,
}

impl App {
    pub async fn change_list(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        query: ChangesQuery,
    ) -> Result<Disclosed<Answer>, Problem> {
        self.feed(ctx, section, dataset, None, query).await
    }

    /// Events of a named change list: the newest per record, of records in scope.
    pub async fn event_list(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        list: &str,
        query: ChangesQuery,
    ) -> Result<Disclosed<Answer>, Problem> {
        self.feed(ctx, section, dataset, Some(list), query).await
    }

    async fn feed(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        list: Option<&str>,
        query: ChangesQuery,
    ) -> Result<Disclosed<Answer>, Problem> {
        // Who asks is judged before how it is written.
        self.admit_only(ctx, section, dataset)?;
        let limit = page_limit(query.limit)?;
        let wait_s = query.wait_s.unwrap_or(0);
        if wait_s > MAX_WAIT_S {
            return Err(Problem::query_invalid(
                "wait",
                format!("whole seconds, at most {MAX_WAIT_S}"),
            ));
        }
        let mut until = Instant::now() + Duration::from_secs(wait_s);
        let mut first = true;
        loop {
            // Decided anew before every answer: a wait does not outlive the permission.
            let again = !std::mem::take(&mut first);
            let ctx = &if again { self.renewed(ctx) } else { ctx.clone() };
            let admission = self.admit_counting(ctx, section, dataset, !again)?;
            let mut applied = admission.set.runtime.applied.subscribe();
            let polled = self.poll(ctx, &admission, list, &query, limit).await?;
            if polled.count > 0 || Instant::now() >= until {
                return self.give(ctx, &admission, polled).await;
            }
            drop(polled);
            let left = until.saturating_duration_since(Instant::now());
            // Woken or timed out: look again; stopping: look for the last time.
            if tokio::time::timeout(left, self.woken(&mut applied)).await == Ok(false) {
                until = Instant::now();
            }
        }
    }

    /// Reads one page under what is decided now.
    async fn poll(
        &self,
        ctx: &Ctx,
        admission: &Admission,
        list: Option<&str>,
        query: &ChangesQuery,
        limit: u64,
    ) -> Result<Polled, Problem> {
        let (way, call) = match list {
            None => (Way::Changes, "changes".to_owned()),
            Some(list) => {
                if !admission.set.changes.iter().any(|(name, _)| name == list) {
                    return Err(Problem::new(
                        404,
                        "not_found",
                        "this data set has no change list of that name",
                    ));
                }
                (Way::List(list.to_owned()), format!("list {list}"))
            }
        };
        let cursor = self.open_cursor(admission, &call, query.after.as_deref());
        let target = Target::Page(cursor.as_ref().map(|_| ()).map_err(Clone::clone));
        let ask = admission.ask(ctx, way, query.fields.clone(), target);
        admission.decide(&ask)?;
        let cursor = cursor.map_err(cursor_problem)?;
        let mask = if query.include_record {
            admission.mask(ask.fields.as_deref())
        } else {
            admission.key_mask()
        };
        let reservation = admission.reserve_page(limit)?;
        let read = Read {
            set: Arc::clone(&admission.set),
            grant: Arc::clone(&admission.grant),
            mask: Arc::clone(&mask),
            include_record: query.include_record,
            list: list.map(str::to_owned),
            limit: reservation.cut(limit),
            oldest_ms: oldest_seal(admission, ctx),
            cursor,
        };
        let engine = Arc::clone(&self.engine);
        let fed = blocking(move || read.run(&*read.set.open(&*engine)?)).await?;
        let next = self.seal_cursor(ctx, admission, &call, fed.epoch, fed.position);
        let (count, page) = (fed.page.count, fed.page);
        // An empty page of a feed is free.
        let uses = if count == 0 {
            reservation.settle(0)
        } else {
            reservation.settle_page(count)
        };
        let body = changes_body(&page.json, &next, fed.end);
        Ok(Polled {
            way: ask.way,
            mask,
            count,
            body,
            keys: page.keys,
            subjects: page.subjects,
            uses,
        })
    }

    async fn give(
        &self,
        ctx: &Ctx,
        admission: &Admission,
        polled: Polled,
    ) -> Result<Disclosed<Answer>, Problem> {
        let Polled {
            way,
            mask,
            count,
            body,
            keys,
            subjects,
            uses,
        } = polled;
        let answer = Answer {
            body,
            etag: None,
            private: !admission.open,
        };
        if admission.open {
            return Self::open_data(&admission.set, answer);
        }
        let entry = Entry {
            found: count > 0,
            fields: mask.leaves.clone(),
            count,
            keys,
            ..admission.entry(ctx, &way)
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
}

struct Polled {
    way: Way,
    mask: Arc<Mask>,
    count: u64,
    body: Vec<u8>,
    keys: Vec<Vec<u8>>,
    subjects: Vec<String>,
    uses: u64,
}

fn changes_body(items: &[u8], next: &str, end: bool) -> Vec<u8> {
    let mut body = Vec::with_capacity(items.len() + 900);
    body.extend_from_slice(b"{\"changes\":[");
    body.extend_from_slice(items);
    body.extend_from_slice(b"],\"next\":");
    put_next(&mut body, Some(next));
    body.extend_from_slice(if end {
        b",\"end\":true}"
    } else {
        b",\"end\":false}"
    });
    body
}

impl Admission {
    /// Key fields only: what a feed without records shows.
    fn key_mask(&self) -> Arc<Mask> {
        let schema = &self.set.schema;
        let paths: Vec<String> = schema
            .key
            .iter()
            .map(|node| schema.nodes[*node].path.clone())
            .collect();
        Arc::new(schema.mask(&paths))
    }
}

/// A page of a feed to be read off the async threads.
pub(crate) struct Read {
    pub set: Arc<LiveSet>,
    pub grant: Arc<Grant>,
    pub mask: Arc<Mask>,
    pub include_record: bool,
    pub list: Option<String>,
    pub limit: u64,
    pub cursor: Option<Cursor>,
    pub oldest_ms: i64,
}

impl Read {
    fn run(&self, kv: &dyn Kv) -> Result<Fed, Problem> {
        let snapshot = kv.snapshot()?;
        let head = Head::read(&*snapshot)?;
        if let Some(cursor) = &self.cursor {
            check_cursor(cursor, &self.grant, head.epoch, self.oldest_ms)?;
        }
        let lists = Lists::read(&*snapshot)?;
        if self.list.is_some() {
            return self.events(&*snapshot, &head, &lists);
        }
        let mut position = match &self.cursor {
            None => Position::Load {
                head: head.sequence,
                after: Vec::new(),
            },
            Some(cursor) => Position::from_bytes(&cursor.position)
                .ok_or_else(|| cursor_problem(Admission::cursor_fault()))?,
        };
        if position.since() < head.floor {
            return Err(Problem::new(
                410,
                "cursor_expired",
                "deletes this cursor would have to tell are forgotten: start without after and replace your copy",
            ));
        }
        let holds = |record: dagr_model::record::RecordRef<'_>| record_in_scope(&self.grant, record);
        let keys = match &self.grant.scope {
            CompiledScope::Keys(keys) => Some(Keys(keys)),
            _ => None,
        };
        let scope = match (&self.grant.scope, &keys) {
            (CompiledScope::All, _) => Scope::All,
            (_, Some(keys)) => Scope::Keys(keys),
            _ => {
                let text = self
                    .grant
                    .permission
                    .scope
                    .as_ref()
                    .and_then(predicate_text)
                    .unwrap_or_default();
                let list = lists
                    .scopes
                    .get(text)
                    .ok_or_else(|| Problem::internal("the permission's predicate has no scope list"))?;
                Scope::When {
                    list: list.id,
                    started: list.started(),
                    holds: &holds,
                }
            }
        };
        let view = View {
            leaves: &self.grant.mask.leaves,
            scope,
        };
        let mut page = Page::new(Arc::clone(&self.set.schema), Arc::clone(&self.mask), self.limit);
        let began = Instant::now();
        let ended = feed::page(
            &*snapshot,
            &view,
            &mut position,
            &mut |told| Ok(self.tell(&mut page, &told)),
            &|| began.elapsed() < PATIENCE,
        )?;
        Ok(Fed {
            page,
            position: position.to_bytes(),
            end: ended.end,
            epoch: head.epoch,
        })
    }

    fn tell(&self, page: &mut Page, told: &Told<'_>) -> Take {
        let added = match told {
            Told::Upsert { key, at, stored } => page.add_with(key, |schema, mask, out| {
                put_item(schema, out, "upsert", key, at.time_ms);
                if self.include_record {
                    out.extend_from_slice(b",\"record\":");
                    project(schema, stored.record, mask, out);
                }
                out.push(b'}');
                schema.subjects_of(stored.record, Some(mask))
            }),
            Told::Delete { key, at, entry } => page.add_with(key, |schema, _, out| {
                put_item(schema, out, "delete", key, at.time_ms);
                out.push(b'}');
                entry.subject_texts().map(str::to_owned).collect()
            }),
        };
        if added { Take::Taken } else { Take::Full }
    }
}

pub(crate) fn put_item(
    schema: &dagr_model::schema::Schema,
    out: &mut Vec<u8>,
    operation: &str,
    key: &[u8],
    time_ms: i64,
) {
    out.extend_from_slice(b"{\"operation\":\"");
    out.extend_from_slice(operation.as_bytes());
    out.extend_from_slice(b"\",\"key\":");
    schema.key_json(key, out);
    out.extend_from_slice(b",\"changed_at\":\"");
    out.extend_from_slice(time_text(time_ms).as_bytes());
    out.push(b'"');
}

/// RFC 3339 in UTC.
pub fn time_text(time_ms: i64) -> String {
    Timestamp::from_millisecond(time_ms)
        .map(|at| at.to_string())
        .unwrap_or_default()
}

fn predicate_text(scope: &dagr_model::permission::Scope) -> Option<&str> {
    match scope {
        dagr_model::permission::Scope::When(text) => Some(text),
        dagr_model::permission::Scope::Keys(_) => None,
    }
}
