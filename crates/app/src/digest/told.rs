//! A reader's: over exactly what the feed of its permission has told up to a cursor, with no more fields than it then
//! showed.
//!
//! Nothing is new in it: each record was disclosed before, by an entry that names its subjects and fields. So the entry
//! of a digest names none.

mod read;

use std::sync::Arc;

use dagr_model::{fault::Fault, ids::Section, permission::Way, record::Mask};
use dagr_policy::{Grant, Target};
use dagr_store::set::position::{Position, Reading};
use serde_json::Value;

use super::{DigestRange, members};
use crate::{
    App,
    admit::Admission,
    ctx::Ctx,
    cursor::Cursor,
    disclose::{Disclosed, Sealed},
    disclosure::entry::Entry,
    given::{Bounds, Given},
    problem::Problem,
    record::Answer,
    records::{cursor_problem, oldest_seal},
    set::blocking,
};
use read::{Read, Work};

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
        let first = self.decided(ctx, admission, &asked)?;
        let mut turn = self.digests.begin(ctx, &first.read.set).await?;
        let mut work = Work::new(asked.range.parts()?);
        loop {
            // Decided anew before every stretch and before the answer: neither the wait for a turn nor the work
            // outlives the permission.
            let ctx = &self.renewed(ctx);
            let admission = self.admit_counting(ctx, section, dataset, false)?;
            let Decided { admission, read } = self.decided(ctx, admission, &asked)?;
            if let Some(changed) = work.done() {
                let mut answer = members(&read.set.schema, &read.span, work.pieces);
                answer.insert("changed".to_owned(), changed.into());
                let body = Value::Object(answer).to_string().into_bytes();
                return self.give_digest(ctx, &admission, &read.mask, body).await;
            }
            let engine = Arc::clone(&self.engine);
            // The turn goes along: it is held as long as the range is read, whoever still waits for it.
            (turn, work) = blocking(move || {
                read.stretch(&*read.set.open(&*engine)?, &mut work)?;
                Ok((turn, work))
            })
            .await?;
        }
    }

    fn decided(&self, ctx: &Ctx, admission: Admission, asked: &ToldDigest) -> Result<Decided, Problem> {
        asked.range.parts()?;
        let cursor = self.open_cursor(&admission, "changes", Some(&asked.after));
        let span = asked.range.span(&admission.set.schema);
        let target = Target::Page(match (&cursor, &span) {
            (Err(fault), _) => Err(fault.clone()),
            (_, Err(faults)) => Err(first(faults)),
            (Ok(_), Ok(_)) => Ok(()),
        });
        let ask = admission.ask(ctx, Way::Changes, asked.fields.clone(), target);
        let faults = span.as_ref().err().cloned().unwrap_or_default();
        admission
            .decide(&ask)
            .map_err(|problem| with_all(problem, faults))?;
        let cursor = cursor
            .ok()
            .flatten()
            .ok_or_else(|| cursor_problem(Admission::cursor_fault()))?;
        let mask = admission.mask(ask.fields.as_deref());
        let position = whole_copy(&cursor, &admission.grant)?;
        check_given(&cursor, &admission.grant, &mask)?;
        let read = Read {
            set: Arc::clone(&admission.set),
            grant: Arc::clone(&admission.grant),
            mask,
            cursor,
            position,
            oldest_ms: oldest_seal(&admission, ctx),
            now_ms: ctx.now_ms(),
            span: span.map_err(super::keys_invalid)?,
        };
        Ok(Decided { admission, read })
    }

    async fn give_digest(
        &self,
        ctx: &Ctx,
        admission: &Admission,
        mask: &Mask,
        body: Vec<u8>,
    ) -> Result<Disclosed<Answer>, Problem> {
        let uses = admission.reserve_page(1)?.settle_page(0);
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
            ..admission.entry(ctx, &Way::Changes)
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

/// A digest that may be made now.
struct Decided {
    admission: Admission,
    read: Read,
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

/// Where the cursor stands, behind the first load of the permission as it is.
fn whole_copy(cursor: &Cursor, grant: &Grant) -> Result<Position, Problem> {
    if cursor.revision != grant.permission.revision {
        return Err(not_yet("the permission was amended since"));
    }
    let position =
        Position::from_bytes(&cursor.position).ok_or_else(|| cursor_problem(Admission::cursor_fault()))?;
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

/// Whatever the mask shows was given of every record up to the cursor.
fn check_given(cursor: &Cursor, grant: &Grant, mask: &Mask) -> Result<(), Problem> {
    if Bounds::of(grant).cover(cursor.given, Given::of(&grant.schema, mask)) {
        return Ok(());
    }
    let detail = "changes has not given these fields of every record up to this cursor: ask for the fields that it \
                  gave, or read changes anew, without after and with include=record, and ask with the cursor it gives";
    Err(Problem::new(409, "cursor_fields", detail))
}

/// A refusal for one fault of a key names every other one too.
fn with_all(problem: Problem, faults: Vec<Fault>) -> Problem {
    if problem.code == "key_invalid" {
        problem.with_faults(faults)
    } else {
        problem
    }
}
