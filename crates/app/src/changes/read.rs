//! A page of a feed, read off the async threads.

use std::{sync::Arc, time::Instant};

use dagr_model::{
    ids::Sequence,
    record::{Mask, project},
};
use dagr_policy::Grant;
use dagr_store::{
    kv::{Kv, Snapshot},
    set::{
        feed::{self, Earlier, Take, Told, View},
        head::Head,
        lists::Lists,
        position::{Layer, Position, Reading},
    },
};

use super::{earlier::Terms, expired, key_mask, put_item};
use crate::{
    admit::Admission,
    cursor::Cursor,
    given::{Bounds, Given},
    page::{PATIENCE, Page},
    problem::Problem,
    records::{Standing, cursor_problem},
    scope::Reach,
    set::LiveSet,
};

pub(crate) const FORGOTTEN: &str = "deletes this cursor would have to tell are forgotten";
const NO_LIST: &str = "who was in the condition it was made under is no longer known";

/// A page to be read.
pub(super) struct Read {
    pub set: Arc<LiveSet>,
    pub grant: Arc<Grant>,
    pub mask: Arc<Mask>,
    pub include_record: bool,
    pub list: Option<String>,
    pub limit: u64,
    pub cursor: Option<Cursor>,
    /// Of every revision that the cursor knows of and that is not the present one.
    pub earlier: Vec<Arc<Terms>>,
    pub oldest_ms: i64,
    pub now_ms: i64,
}

/// One page of a feed, read.
pub(super) struct Fed {
    pub page: Page,
    pub end: bool,
    /// Its cursor was of an earlier revision, of other fields or scope.
    pub amended: bool,
    pub standing: Standing,
}

impl Read {
    pub fn run(&self, kv: &dyn Kv) -> Result<Fed, Problem> {
        let snapshot = kv.snapshot()?;
        let head = Head::read(&*snapshot)?;
        if let Some(cursor) = &self.cursor {
            self.check_age(cursor, &head)?;
        }
        let lists = Lists::read(&*snapshot)?;
        if self.list.is_some() {
            return self.events(&*snapshot, &head, &lists);
        }
        self.changes(&*snapshot, &head, &lists)
    }

    fn check_age(&self, cursor: &Cursor, head: &Head) -> Result<(), Problem> {
        if cursor.epoch != head.epoch {
            return Err(expired("the data set was restored or emptied"));
        }
        check_told(cursor, head, self.oldest_ms)
    }

    /// Was the cursor made under other fields or another scope?
    pub(super) fn is_amended(&self) -> bool {
        let Some(cursor) = &self.cursor else { return false };
        let terms = self.terms(cursor.revision);
        terms.is_some_and(|terms| !terms.are_present())
    }

    fn terms(&self, revision: u32) -> Option<&Terms> {
        let known = self.earlier.iter().find(|terms| terms.revision == revision)?;
        Some(known)
    }

    fn position(&self, head: &Head) -> Result<Position, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(Position::load(head.sequence));
        };
        let mut position = Position::from_bytes(&cursor.position)
            .ok_or_else(|| cursor_problem(Admission::cursor_fault()))?;
        let old = position
            .layers
            .iter()
            .any(|layer| layer.sealed_ms < self.oldest_ms);
        if old || position.since() < head.floor {
            return Err(expired(FORGOTTEN));
        }
        if self.is_amended() && !position.amend(cursor.revision, cursor.sealed_ms, head.sequence) {
            return Err(expired(
                "the permission was amended again and again before what it gave was taken back",
            ));
        }
        Ok(position)
    }

    fn changes(&self, snapshot: &dyn Snapshot, head: &Head, lists: &Lists) -> Result<Fed, Problem> {
        let mut position = self.position(head)?;
        let schema = &self.set.schema;
        let scope = Reach::of(&self.grant.scope, schema, lists)
            .ok_or_else(|| Problem::internal("the permission's predicate has no scope list"))?;
        check_list(&scope, position.reading.at())?;
        let reaches = self.reaches(&position, lists)?;
        let earlier: Vec<_> = reaches
            .iter()
            .map(|(terms, reach)| Earlier {
                revision: terms.revision,
                scope: reach.scope(),
                same_leaves: terms.same_fields,
            })
            .collect();
        let view = View {
            leaves: &self.grant.mask.leaves,
            scope: scope.scope(),
            earlier: &earlier,
            now_ms: self.now_ms,
        };
        let mut telling = Telling {
            read: self,
            page: Page::new(Arc::clone(schema), Arc::clone(&self.mask), self.limit),
            last_ms: None,
            key_mask: (!earlier.is_empty()).then(|| key_mask(schema)),
        };
        let before = self.given_before(&position);
        // A page that ends a load and follows on tells both: the order of what it told is none of time.
        let following = matches!(position.reading, Reading::Follow(_));
        let began = Instant::now();
        let ended = feed::page(
            snapshot,
            &view,
            &mut position,
            &mut |told| Ok(telling.tell(&told)),
            &|| began.elapsed() < PATIENCE,
        )?;
        let Telling { page, last_ms, .. } = telling;
        Ok(Fed {
            page,
            end: ended.end,
            amended: self.is_amended(),
            standing: Standing {
                epoch: head.epoch,
                position: position.to_bytes(),
                given: self.given(before, &position),
                told_ms: self.told_ms(ended.end, last_ms.filter(|_| following)),
            },
        })
    }

    /// What was given of the records that this page does not tell anew; `None`: it begins with all of them.
    fn given_before(&self, position: &Position) -> Option<Given> {
        let cursor = self.cursor.as_ref()?;
        // As `feed` has it: a load tells all but what the only layer gave under the same fields.
        let keeps = match position.layers.as_slice() {
            [layer] => self.terms(layer.revision).is_some_and(|terms| terms.same_fields),
            _ => false,
        };
        (keeps || !is_at_beginning(position)).then_some(cursor.given)
    }

    /// What is given of every record, with this page.
    fn given(&self, before: Option<Given>, position: &Position) -> Given {
        // Nothing was told: the fields of a later revision may yet be those of a layer again.
        if let Some(cursor) = self.cursor.as_ref().filter(|_| is_at_beginning(position)) {
            return cursor.given;
        }
        let page = Given::of(&self.set.schema, &self.mask);
        before.map_or(page, |before| Bounds::of(&self.grant).common(before, page))
    }

    /// Whatever happened until then is told, where a page that told what happened in its order did so up to `last_ms`.
    pub(super) fn told_ms(&self, end: bool, last_ms: Option<i64>) -> i64 {
        if end {
            return self.now_ms;
        }
        let before = self.cursor.as_ref().map_or(self.now_ms, |cursor| cursor.told_ms);
        last_ms.map_or(before, |last_ms| last_ms.max(before).min(self.now_ms))
    }

    /// The scopes that the position's layers were read under.
    fn reaches(&self, position: &Position, lists: &Lists) -> Result<Vec<(&Terms, Reach<'_>)>, Problem> {
        let reach = |layer: &Layer| {
            let terms = self.terms(layer.revision).ok_or_else(|| expired(NO_LIST))?;
            let reach = Reach::of(&terms.scope, &self.set.schema, lists).ok_or_else(|| expired(NO_LIST))?;
            check_list(&reach, layer.at())?;
            Ok((terms, reach))
        };
        position.layers.iter().map(reach).collect()
    }
}

/// 410 if it has yet to be told of what may be forgotten. Its time decides: whether there was anything is hidden.
pub(crate) fn check_told(cursor: &Cursor, head: &Head, oldest_ms: i64) -> Result<(), Problem> {
    if cursor.told_ms < oldest_ms.max(head.forgotten_ms) {
        return Err(expired(FORGOTTEN));
    }
    Ok(())
}

/// A load of which nothing was told yet.
fn is_at_beginning(position: &Position) -> bool {
    matches!(&position.reading, Reading::Load { after, .. } if after.is_empty())
}

/// Does the scope's list still know who left it after `since`?
pub(crate) fn check_list(reach: &Reach<'_>, since: Sequence) -> Result<(), Problem> {
    // A list that began later is another: it does not know who had left before.
    if reach.started() > since {
        return Err(expired(NO_LIST));
    }
    if reach.floor() > since {
        return Err(expired(FORGOTTEN));
    }
    Ok(())
}

struct Telling<'a> {
    read: &'a Read,
    page: Page,
    /// When the last thing told happened.
    last_ms: Option<i64>,
    /// Shows the key alone: all that a delete names.
    key_mask: Option<Mask>,
}

impl Telling<'_> {
    fn tell(&mut self, told: &Told<'_>) -> Take {
        let Self {
            read, page, key_mask, ..
        } = self;
        let added = match told {
            Told::Upsert { key, at, stored } => page.add_with(key, |schema, mask, out| {
                put_item(schema, out, "upsert", key, at.time_ms);
                if read.include_record {
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
            Told::TakenBack { key, at, stored } => page.add_with(key, |schema, _, out| {
                put_item(schema, out, "delete", key, at.time_ms);
                out.push(b'}');
                schema.subjects_of(stored.record, key_mask.as_ref())
            }),
        };
        if !added {
            return Take::Full;
        }
        let (Told::Upsert { at, .. } | Told::Delete { at, .. } | Told::TakenBack { at, .. }) = told;
        self.last_ms = Some(at.time_ms);
        Take::Taken
    }
}
