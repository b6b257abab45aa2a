//! The change feed of one permission: first load in key order, then what changed.
//!
//! For a permission a record stands in the feed at exactly one place (`Stored::place`). Hidden changes and records
//! outside the scope take part in nothing that is told.

mod take_back;
mod view;

use dagr_model::ids::Sequence;

use super::{
    change::{Entry, Kind},
    head::Head,
    keys,
    keys::ListId,
    position::{Follow, Layer, Position, Reading},
    stored::{At, Stored},
};
use crate::kv::{Direction, KvError, Range, Scan, Snapshot, Table};

pub use view::{Earlier, KeyScope, Scope, View};

/// One thing told.
pub enum Told<'a> {
    Upsert {
        key: &'a [u8],
        at: At,
        stored: Stored<'a>,
    },
    Delete {
        key: &'a [u8],
        at: At,
        entry: Entry<'a>,
    },
    /// A delete too, of a record that is there: an earlier revision of the permission gave it.
    TakenBack {
        key: &'a [u8],
        at: At,
        stored: Stored<'a>,
    },
}

/// What the reader of a page says of one thing told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    Taken,
    /// Not taken: the page is full without it.
    Full,
}

/// How a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageEnd {
    /// Nothing more that is visible now.
    pub end: bool,
}

/// Reads on from `position` and moves it. `visit` gets what is visible, in order; `patience` is asked now and then
/// and ends a page that has looked at much and found little.
pub fn page(
    snapshot: &dyn Snapshot,
    view: &View<'_>,
    position: &mut Position,
    visit: &mut dyn FnMut(Told<'_>) -> Result<Take, KvError>,
    patience: &dyn Fn() -> bool,
) -> Result<PageEnd, KvError> {
    let mut page = Page {
        snapshot,
        view,
        head: Head::read(snapshot)?.sequence,
        visit,
        patience,
        looked: 0,
    };
    let Position { reading, layers } = position;
    if let Reading::Load { head: began, after } = reading {
        if !page.load(*began, after, None, layers)? {
            return Ok(PageEnd { end: false });
        }
        layers.clear();
        *reading = Reading::Follow(Follow::new(*began));
    }
    let Reading::Follow(follow) = reading else {
        return Ok(PageEnd { end: false });
    };
    Ok(PageEnd {
        end: page.follow(follow)?,
    })
}

/// What a first load that began at `began` tells of keys behind `after`, which moves, and before `to`: no changes follow
/// it. `true` = it is through.
pub fn load(
    snapshot: &dyn Snapshot,
    view: &View<'_>,
    began: Sequence,
    after: &mut Vec<u8>,
    to: Option<&[u8]>,
    visit: &mut dyn FnMut(Told<'_>) -> Result<Take, KvError>,
    patience: &dyn Fn() -> bool,
) -> Result<bool, KvError> {
    let mut page = Page {
        snapshot,
        view,
        head: began,
        visit,
        patience,
        looked: 0,
    };
    page.load(began, after, to, &[])
}

struct Page<'p> {
    snapshot: &'p dyn Snapshot,
    view: &'p View<'p>,
    head: Sequence,
    visit: &'p mut dyn FnMut(Told<'_>) -> Result<Take, KvError>,
    patience: &'p dyn Fn() -> bool,
    looked: u32,
}

impl Page<'_> {
    /// `true` every so often, when patience is at its end.
    fn tired(&mut self) -> bool {
        self.looked = self.looked.wrapping_add(1);
        self.looked.is_multiple_of(1024) && !(self.patience)()
    }

    /// `true` when the load is through.
    fn load(
        &mut self,
        began: Sequence,
        after: &mut Vec<u8>,
        to: Option<&[u8]>,
        layers: &[Layer],
    ) -> Result<bool, KvError> {
        let held = self.view.held(layers)?;
        let mut gone = self.gone(began, after, &held)?;
        // What was given under an earlier revision is walked too.
        let scopes =
            || std::iter::once(&self.view.scope).chain(held.iter().map(|(_, earlier)| &earlier.scope));
        let mut from = if after.is_empty() {
            Vec::new()
        } else {
            [after.as_slice(), &[0]].concat()
        };
        'ranges: while let Some(next) = scopes().filter_map(|scope| scope.seek(&from)).min() {
            from = next;
            let range = Range {
                from: Some(&from),
                to,
            };
            for pair in self.snapshot.scan(Table::Record, range, Direction::Forward)? {
                let (key, bytes) = pair?;
                if !self.tell_gone(began, &mut gone, Some(key), after)? {
                    return Ok(false);
                }
                let covered = scopes().any(|scope| scope.covers(key));
                let went = gone.take(key);
                if covered && self.load_one(began, key, Stored::read(bytes)?, &held, went)? == Take::Full {
                    return Ok(false);
                }
                after.clear();
                after.extend_from_slice(key);
                if self.tired() {
                    return Ok(false);
                }
                if !covered {
                    from = key.to_vec();
                    continue 'ranges;
                }
            }
            break;
        }
        self.tell_gone(began, &mut gone, None, after)
    }

    /// `true` when nothing more is visible.
    fn follow(&mut self, follow: &mut Follow) -> Result<bool, KvError> {
        let start = follow.clone();
        let mut changes = Peeked::changes(self.snapshot, start.at)?;
        let mut scope = match self.view.scope.list() {
            None => Peeked::empty(),
            Some(list) => Peeked::list(self.snapshot, list, start.at)?,
        };
        loop {
            let (change_at, scope_at) = (changes.sequence()?, scope.sequence()?);
            let Some(at) = [change_at, scope_at].into_iter().flatten().min() else {
                follow.advance(self.head, self.head);
                return Ok(true);
            };
            let from_scope = scope_at == Some(at);
            let entry = Entry::read(if from_scope {
                scope.value()?
            } else {
                changes.value()?
            })?;
            if self.tell(&start, at, &entry, from_scope)? == Take::Full {
                follow.advance(at - 1, self.head);
                return Ok(false);
            }
            if change_at == Some(at) {
                changes.next();
            }
            if scope_at == Some(at) {
                scope.next();
            }
            if self.tired() {
                follow.advance(at, self.head);
                return Ok(false);
            }
        }
    }

    fn tell(
        &mut self,
        start: &Follow,
        sequence: Sequence,
        entry: &Entry<'_>,
        from_scope: bool,
    ) -> Result<Take, KvError> {
        let at = At {
            sequence,
            time_ms: entry.time_ms,
        };
        if entry.kind == Kind::Delete {
            // With a predicate, what is gone has left the scope list; a tombstone says nothing more.
            let told_here = match &self.view.scope {
                Scope::All => true,
                Scope::Keys(keys) => keys.contains(entry.key),
                Scope::When { .. } => from_scope,
            };
            if !told_here || !start.was_given(entry.entered, sequence) {
                return Ok(Take::Taken);
            }
            return (self.visit)(Told::Delete {
                key: entry.key,
                at,
                entry: entry.clone(),
            });
        }
        let Some(bytes) = self.snapshot.get(Table::Record, entry.key)? else {
            return Ok(Take::Taken);
        };
        let stored = Stored::read(bytes)?;
        let scope = &self.view.scope;
        let place = scope.place(self.view.leaves, &stored)?;
        if place.at.sequence != sequence || !scope.holds(entry.key, stored.record) {
            return Ok(Take::Taken);
        }
        (self.visit)(Told::Upsert {
            key: entry.key,
            at,
            stored,
        })
    }
}

/// A scan with its next item in hand.
struct Peeked<'a> {
    scan: Option<Scan<'a>>,
    item: Option<Result<(&'a [u8], &'a [u8]), KvError>>,
    prefix: usize,
}

impl<'a> Peeked<'a> {
    fn new(mut scan: Scan<'a>, prefix: usize) -> Self {
        let item = scan.next();
        Self {
            scan: Some(scan),
            item,
            prefix,
        }
    }
    /// Changes after a sequence.
    fn changes(snapshot: &'a dyn Snapshot, after: Sequence) -> Result<Self, KvError> {
        let from = keys::sequence(after + 1);
        let range = Range {
            from: Some(&from),
            to: None,
        };
        Ok(Self::new(
            snapshot.scan(Table::Change, range, Direction::Forward)?,
            0,
        ))
    }
    /// Entries of a scope list after a sequence.
    fn list(snapshot: &'a dyn Snapshot, list: ListId, after: Sequence) -> Result<Self, KvError> {
        let (from, to) = (keys::list(list, after + 1), keys::under_id(list + 1, &[]));
        let range = Range {
            from: Some(&from),
            to: Some(&to),
        };
        Ok(Self::new(
            snapshot.scan(Table::List, range, Direction::Forward)?,
            2,
        ))
    }
    fn empty() -> Self {
        Self {
            scan: None,
            item: None,
            prefix: 0,
        }
    }
    fn next(&mut self) {
        self.item = self.scan.as_mut().and_then(Iterator::next);
    }
    fn sequence(&mut self) -> Result<Option<Sequence>, KvError> {
        match &self.item {
            None => Ok(None),
            Some(Ok((key, _))) => Ok(keys::read_sequence(&key[self.prefix.min(key.len())..])),
            Some(Err(_)) => match self.item.take() {
                Some(Err(error)) => Err(error),
                _ => Ok(None),
            },
        }
    }
    fn value(&self) -> Result<&'a [u8], KvError> {
        match &self.item {
            Some(Ok((_, value))) => Ok(value),
            _ => Err(super::corrupt("scan")),
        }
    }
}
