//! A reader's: over exactly what the feed of its permission has told up to a cursor, as its mask shows it.
//!
//! Nothing is new in it: each record was disclosed before, by an entry that names its subjects. So the entry of a
//! digest names none.

use std::sync::Arc;

use dagr_model::{
    digest::record_digest,
    fault::Fault,
    ids::Section,
    permission::Way,
    record::{Mask, project},
};
use dagr_policy::{Grant, Target};
use dagr_store::{
    kv::{Direction, Kv, Range, Snapshot, Table},
    set::{
        feed::{self, Take, Told, View},
        head::Head,
        lists::Lists,
        position::{Position, Reading},
    },
};
use serde_json::Value;

use super::{DigestRange, Pieces, Span, members};
use crate::{
    App,
    admit::Admission,
    changes::{FORGOTTEN, check_list, expired},
    ctx::Ctx,
    cursor::Cursor,
    disclose::{Disclosed, Sealed},
    disclosure::entry::Entry,
    problem::Problem,
    record::Answer,
    records::{check_cursor, cursor_problem, oldest_seal},
    scope::Reach,
    set::{LiveSet, blocking},
};

/// How the log calls it: a way of its own, which needs the way `changes`.
const WAY: &str = "digest";

/// The body of a reader's digest.
#[derive(Debug, Default, Clone)]
pub struct ToldDigest {
    /// A cursor of `changes`, behind the first load.
    pub after: String,
    pub range: DigestRange,
    pub fields: Option<Vec<String>>,
}

impl App {
    /// `{records, digest, parts: [{from, to, key, records, digest}], changed}`.
    pub async fn told_digest(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        asked: ToldDigest,
    ) -> Result<Disclosed<Answer>, Problem> {
        let admission = self.admit(ctx, section, dataset)?;
        let parts = asked.range.parts()?;
        let cursor = self.open_cursor(&admission, "changes", Some(&asked.after));
        let span = asked.range.span(&admission.set.schema);
        let target = Target::Page(match (&cursor, &span) {
            (Err(fault), _) => Err(fault.clone()),
            (_, Err(faults)) => Err(first(faults)),
            (Ok(_), Ok(_)) => Ok(()),
        });
        let ask = admission.ask(ctx, Way::Changes, asked.fields, target);
        let faults = span.as_ref().err().cloned().unwrap_or_default();
        admission
            .decide(&ask)
            .map_err(|problem| with_all(problem, faults))?;
        let cursor = cursor.map_err(cursor_problem)?;
        let span = span.map_err(super::keys_invalid)?;
        let mask = admission.mask(ask.fields.as_deref());
        let reservation = admission.reserve_page(1)?;
        let turn = self.digests.begin(ctx, &admission.set).await?;
        let read = Read {
            set: Arc::clone(&admission.set),
            grant: Arc::clone(&admission.grant),
            mask: Arc::clone(&mask),
            cursor: cursor.ok_or_else(|| cursor_problem(Admission::cursor_fault()))?,
            oldest_ms: oldest_seal(&admission, ctx),
            now_ms: ctx.now_ms(),
            span,
            parts,
        };
        let engine = Arc::clone(&self.engine);
        let body = blocking(move || {
            let _turn = turn;
            read.run(&*read.set.open(&*engine)?)
        })
        .await?;
        let uses = reservation.settle_page(0);
        let answer = Answer {
            body,
            etag: None,
            private: !admission.open,
        };
        if admission.open {
            return Self::open_data(&admission.set, answer);
        }
        let entry = Entry {
            way: WAY.into(),
            fields: mask.leaves.clone(),
            ..admission.entry(ctx, &ask.way)
        };
        self.disclose(Sealed {
            value: answer,
            entry,
            subjects: Vec::new(),
            uses,
            urgent: admission.is_urgent(),
            now_ms: ctx.now_ms(),
        })
        .await
    }
}

fn first(faults: &[Fault]) -> Fault {
    let none = || Fault::new("from", "key_invalid", "not a full key");
    faults.first().cloned().unwrap_or_else(none)
}

/// The copy is not yet of one revision.
fn not_yet(why: &str) -> Problem {
    let detail = format!("{why}: follow next of changes until end, then ask with the cursor it gives");
    Problem::new(409, "state_conflict", detail)
}

/// A refusal for one fault of a key names every other one too.
fn with_all(problem: Problem, faults: Vec<Fault>) -> Problem {
    if problem.code == "key_invalid" {
        problem.with_faults(faults)
    } else {
        problem
    }
}

/// What is to be read, off the async threads.
struct Read {
    set: Arc<LiveSet>,
    grant: Arc<Grant>,
    mask: Arc<Mask>,
    cursor: Cursor,
    oldest_ms: i64,
    now_ms: i64,
    span: Span,
    parts: usize,
}

impl Read {
    fn run(&self, kv: &dyn Kv) -> Result<Vec<u8>, Problem> {
        let snapshot = kv.snapshot()?;
        let position = self.position(&*snapshot)?;
        let lists = Lists::read(&*snapshot)?;
        let scope = Reach::of(&self.grant.scope, &self.set.schema, &lists)
            .ok_or_else(|| Problem::internal("the permission's predicate has no scope list"))?;
        let view = View {
            leaves: &self.grant.mask.leaves,
            scope: scope.scope(),
            earlier: &[],
            now_ms: self.now_ms,
        };
        let told_to = position.reading.at();
        check_list(&scope, told_to)?;
        let changed = self.stands_after(&*snapshot, &view, position)?;
        let pieces = self.told(&*snapshot, &view, told_to)?;
        let mut answer = members(&self.set.schema, &self.span, pieces);
        answer.insert("changed".to_owned(), changed.into());
        Ok(Value::Object(answer).to_string().into_bytes())
    }

    /// Where the cursor stands, behind the first load.
    fn position(&self, snapshot: &dyn Snapshot) -> Result<Position, Problem> {
        let head = Head::read(snapshot)?;
        if self.cursor.revision != self.grant.permission.revision {
            return Err(not_yet("the permission was amended since"));
        }
        check_cursor(&self.cursor, &self.grant, head.epoch, self.oldest_ms)?;
        let position = Position::from_bytes(&self.cursor.position)
            .ok_or_else(|| cursor_problem(Admission::cursor_fault()))?;
        if position.since() < head.floor {
            return Err(expired(FORGOTTEN));
        }
        if !position.layers.is_empty() {
            return Err(not_yet(
                "what was given before the permission was amended is being taken back",
            ));
        }
        match position.reading {
            Reading::Follow(_) => Ok(position),
            Reading::Load { .. } => Err(not_yet("the first load is not through")),
        }
    }

    /// Whether the feed has yet to tell anything of the range.
    fn stands_after(
        &self,
        snapshot: &dyn Snapshot,
        view: &View<'_>,
        mut position: Position,
    ) -> Result<bool, Problem> {
        let mut found = false;
        let mut visit = |told: Told<'_>| {
            let (Told::Upsert { key, .. } | Told::Delete { key, .. } | Told::TakenBack { key, .. }) = told;
            found = self.span.holds(key);
            Ok(if found { Take::Full } else { Take::Taken })
        };
        feed::page(snapshot, view, &mut position, &mut visit, &|| true)?;
        Ok(found)
    }

    /// What stands in the feed at or before `told_to`, in key order. It is read as a first load that began there:
    /// one rule says what a feed tells.
    fn told(&self, snapshot: &dyn Snapshot, view: &View<'_>, told_to: u64) -> Result<Pieces, Problem> {
        let (schema, mut pieces) = (&self.set.schema, Pieces::new(self.parts));
        let mut masked = Vec::new();
        let mut visit = |told: Told<'_>| {
            let Told::Upsert { key, at, stored } = told else {
                // The load is through; what follows stands after the cursor.
                return Ok(Take::Full);
            };
            if self.span.is_past(key) {
                return Ok(Take::Full);
            }
            if at.sequence <= told_to {
                masked.clear();
                project(schema, stored.record, &self.mask, &mut masked);
                pieces.add(key, &record_digest(&masked));
            }
            Ok(Take::Taken)
        };
        let mut position = Position::load(told_to);
        position.reading = Reading::Load {
            head: told_to,
            after: self.before(snapshot)?,
        };
        feed::page(snapshot, view, &mut position, &mut visit, &|| true)?;
        Ok(pieces)
    }

    /// The last key before the range; empty: none.
    fn before(&self, snapshot: &dyn Snapshot) -> Result<Vec<u8>, Problem> {
        let Some(from) = self.span.from.as_deref() else {
            return Ok(Vec::new());
        };
        let range = Range {
            from: None,
            to: Some(from),
        };
        let mut before = snapshot.scan(Table::Record, range, Direction::Backward)?;
        let before = before.next().transpose()?;
        Ok(before.map_or_else(Vec::new, |(key, _)| key.to_vec()))
    }
}
