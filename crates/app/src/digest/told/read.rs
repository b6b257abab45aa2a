//! What the feed has told, read off the async threads: in stretches, each in a snapshot of its own, so that none is held
//! for long.
//!
//! What changes between two snapshots stands after the cursor then. Whether something does is looked at last, so
//! `changed` says so.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dagr_model::{
    digest::record_digest,
    record::{Mask, project},
};
use dagr_policy::Grant;
use dagr_store::{
    kv::{Direction, Kv, Range, Snapshot, Table},
    set::{
        feed::{self, Take, Told, View},
        head::Head,
        lists::Lists,
        position::Position,
    },
};

use super::super::{Pieces, Span};
use crate::{
    changes::{FORGOTTEN, check_list, check_told, expired},
    cursor::Cursor,
    problem::Problem,
    records::check_cursor,
    scope::Reach,
    set::LiveSet,
};

/// Longest use of one snapshot. None in tests, where what can happen between two is to be met.
const STRETCH: Duration = if cfg!(test) {
    Duration::ZERO
} else {
    Duration::from_secs(2)
};

/// What may be read, as decided now.
pub(super) struct Read {
    pub set: Arc<LiveSet>,
    pub grant: Arc<Grant>,
    pub mask: Arc<Mask>,
    pub cursor: Cursor,
    pub position: Position,
    pub oldest_ms: i64,
    pub now_ms: i64,
    pub span: Span,
}

/// A digest under way.
pub(super) struct Work {
    pub pieces: Pieces,
    next: Next,
}

/// What is to be read next.
enum Next {
    /// Records behind this key; `None`: those of the range from its beginning.
    Records(Option<Vec<u8>>),
    /// What the feed has yet to tell, from here on.
    Changes(Position),
    Nothing {
        changed: bool,
    },
}

impl Work {
    pub fn new(parts: usize) -> Self {
        Self {
            pieces: Pieces::new(parts),
            next: Next::Records(None),
        }
    }

    /// Whether the feed has yet to tell anything of the range; `None`: there is more to be read.
    pub fn done(&self) -> Option<bool> {
        match self.next {
            Next::Nothing { changed } => Some(changed),
            Next::Records(_) | Next::Changes(_) => None,
        }
    }
}

impl Read {
    /// Reads on, for as long as one snapshot may be used.
    pub fn stretch(&self, kv: &dyn Kv, work: &mut Work) -> Result<(), Problem> {
        let snapshot = kv.snapshot()?;
        self.check_age(&*snapshot)?;
        let lists = Lists::read(&*snapshot)?;
        let scope = Reach::of(&self.grant.scope, &self.set.schema, &lists)
            .ok_or_else(|| Problem::internal("the permission's predicate has no scope list"))?;
        check_list(&scope, self.position.reading.at())?;
        let view = View {
            leaves: &self.grant.mask.leaves,
            scope: scope.scope(),
            earlier: &[],
            now_ms: self.now_ms,
        };
        let began = Instant::now();
        let patience = || began.elapsed() < STRETCH;
        let next = std::mem::replace(&mut work.next, Next::Records(None));
        work.next = match next {
            Next::Records(after) => {
                let after = after.map_or_else(|| self.before(&*snapshot), Ok)?;
                self.records(&*snapshot, &view, after, &mut work.pieces, &patience)?
            }
            Next::Changes(position) => self.changes(&*snapshot, &view, position, &patience)?,
            done @ Next::Nothing { .. } => done,
        };
        Ok(())
    }

    fn check_age(&self, snapshot: &dyn Snapshot) -> Result<(), Problem> {
        let head = Head::read(snapshot)?;
        check_cursor(&self.cursor, &self.grant, head.epoch, self.oldest_ms)?;
        check_told(&self.cursor, &head, self.oldest_ms)?;
        if self.position.since() < head.floor {
            return Err(expired(FORGOTTEN));
        }
        Ok(())
    }

    /// What stands in the feed at or before the cursor, in key order. It is read as a first load that began there: one
    /// rule says what a feed tells.
    fn records(
        &self,
        snapshot: &dyn Snapshot,
        view: &View<'_>,
        mut after: Vec<u8>,
        pieces: &mut Pieces,
        patience: &dyn Fn() -> bool,
    ) -> Result<Next, Problem> {
        let told_to = self.position.reading.at();
        let mut masked = Vec::new();
        let mut visit = |told: Told<'_>| {
            if let Told::Upsert { key, at, stored } = told
                && at.sequence <= told_to
            {
                masked.clear();
                project(&self.set.schema, stored.record, &self.mask, &mut masked);
                pieces.add(key, &record_digest(&masked));
            }
            Ok(Take::Taken)
        };
        let to = self.span.to.as_deref();
        let through = feed::load(snapshot, view, told_to, &mut after, to, &mut visit, patience)?;
        Ok(if through {
            Next::Changes(self.position.clone())
        } else {
            Next::Records(Some(after))
        })
    }

    /// Whether the feed has yet to tell anything of the range.
    fn changes(
        &self,
        snapshot: &dyn Snapshot,
        view: &View<'_>,
        mut position: Position,
        patience: &dyn Fn() -> bool,
    ) -> Result<Next, Problem> {
        let mut changed = false;
        let mut visit = |told: Told<'_>| {
            let (Told::Upsert { key, .. } | Told::Delete { key, .. } | Told::TakenBack { key, .. }) = told;
            changed = self.span.holds(key);
            Ok(if changed { Take::Full } else { Take::Taken })
        };
        let ended = feed::page(snapshot, view, &mut position, &mut visit, patience)?;
        Ok(if changed || ended.end {
            Next::Nothing { changed }
        } else {
            Next::Changes(position)
        })
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
