//! The change feed: first load in key order, then what changed, in one loop. And named change lists.

mod earlier;
mod item;
mod list;
mod read;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use dagr_model::{ids::Section, permission::Way, record::Mask, schema::Schema};
use dagr_policy::Target;
use tokio::time::Instant;

use crate::{
    App,
    admit::Admission,
    ctx::{Caller, Ctx},
    disclose::{Disclosed, Sealed},
    disclosure::entry::Entry,
    page::put_next,
    problem::Problem,
    record::Answer,
    records::{cursor_problem, oldest_seal, page_limit},
    reservation::Reservation,
    set::blocking,
};

pub use earlier::KeptTerms;
pub(crate) use item::put_item;
pub use item::time_text;
pub(crate) use read::{FORGOTTEN, check_list, check_told};
use read::{Fed, Read};

/// Longest wait for something visible.
pub const MAX_WAIT_S: u64 = 60;
/// A wait ends so long before its token.
const LAST: Duration = Duration::from_secs(1);

#[derive(Debug, Default, Clone)]
pub struct ChangesQuery {
    pub after: Option<String>,
    pub limit: Option<u64>,
    pub wait_s: Option<u64>,
    pub include_record: bool,
    pub fields: Option<Vec<String>>,
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
        let mut until = Instant::now() + self.longest_wait(ctx, wait_s);
        let mut first = true;
        let mut seen = None;
        loop {
            // Decided anew before every answer: a wait outlives neither the permission nor the token.
            let again = !std::mem::take(&mut first);
            let mut amended = self.amended.subscribe();
            let ctx = &if again { self.renewed(ctx) } else { ctx.clone() };
            let admission = self.admit_counting(ctx, section, dataset, !again)?;
            let mut applied = admission.set.runtime.applied.subscribe();
            // Where nothing was to be told is not looked at again, under what is decided as it was then.
            let held = &admission.held.permission;
            let decided = (held.number.clone(), held.revision, admission.set.epoch);
            let looked = seen.as_ref().filter(|(under, _)| *under == decided);
            let after = looked.map(|(_, next)| next).or(query.after.as_ref());
            let after = after.map(String::as_str);
            let polled = self.poll(ctx, &admission, (list, after), &query, limit).await?;
            if !self.stands(ctx, &admission) {
                continue;
            }
            if polled.count > 0 || polled.moved || Instant::now() >= until {
                return self.give(ctx, &admission, polled).await;
            }
            seen = Some((decided, polled.next.clone()));
            // What it reserved is free while it waits.
            drop(polled);
            let left = until.saturating_duration_since(Instant::now());
            // Woken or timed out: look again; stopping: look for the last time.
            if tokio::time::timeout(left, self.woken(ctx, &admission, &mut applied, &mut amended)).await
                == Ok(false)
            {
                until = Instant::now();
            }
        }
    }

    /// Answered before the token ends: whoever waits is then told what there is, and signs in again.
    fn longest_wait(&self, ctx: &Ctx, asked_s: u64) -> Duration {
        let asked = Duration::from_secs(asked_s);
        let Caller::Connection(_, ends) = &ctx.caller else {
            return asked;
        };
        let left = Duration::try_from(ends.duration_since(self.clock.now())).unwrap_or_default();
        // In its last second a wait goes on to the end, so that nobody asks again and again.
        let before = left.checked_sub(LAST).filter(|before| !before.is_zero());
        asked.min(before.unwrap_or(left))
    }

    /// Reads one page under what is decided now.
    async fn poll(
        &self,
        ctx: &Ctx,
        admission: &Admission,
        (list, after): (Option<&str>, Option<&str>),
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
        let cursor = self.open_cursor(admission, &call, after);
        let target = Target::Page(cursor.as_ref().map(|_| ()).map_err(Clone::clone));
        let ask = admission.ask(ctx, way, query.fields.clone(), target);
        admission.decide(&ask)?;
        let cursor = cursor.map_err(cursor_problem)?;
        let mask = if query.include_record {
            admission.mask(ask.fields.as_deref())
        } else {
            Arc::new(key_mask(&admission.set.schema))
        };
        let earlier = self
            .earlier_terms(admission, cursor.as_ref(), list.is_none())
            .await?;
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
            earlier,
            now_ms: ctx.now_ms(),
        };
        let engine = Arc::clone(&self.engine);
        let fed = blocking(move || read.run(&*read.set.open(&*engine)?)).await?;
        let next = self.seal_cursor(ctx, admission, &call, fed.standing);
        let (count, page) = (fed.page.count, fed.page);
        let body = changes_body(&page.json, &next, fed.end);
        Ok(Polled {
            moved: fed.amended || !fed.end,
            way: ask.way,
            mask,
            count,
            body,
            next,
            keys: page.keys,
            subjects: page.subjects,
            reservation,
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
            reservation,
            ..
        } = polled;
        // An empty page of a feed is free.
        let uses = if count == 0 {
            reservation.settle(0)
        } else {
            reservation.settle_page(count)
        };
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
    /// The cursor in it.
    next: String,
    keys: Vec<Vec<u8>>,
    subjects: Vec<String>,
    reservation: Reservation,
    /// The cursor is another without anything to tell: under an amended permission, or after a long look.
    moved: bool,
}

fn changes_body(items: &[u8], next: &str, end: bool) -> Vec<u8> {
    let mut body = Vec::with_capacity(items.len() + 2_000);
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

/// Key fields only: what a feed without records shows, and a delete.
fn key_mask(schema: &Schema) -> Mask {
    let paths: Vec<String> = schema
        .key
        .iter()
        .map(|node| schema.nodes[*node].path.clone())
        .collect();
    schema.mask(&paths)
}

/// 410: what the cursor was made under is no more.
pub(crate) fn expired(why: &str) -> Problem {
    let detail = format!("{why}: start without after and replace your copy");
    Problem::new(410, "cursor_expired", detail)
}
