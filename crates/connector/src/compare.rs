//! What differs between the source and what was sent: one package, or none.
//!
//! Operations are written to the package's body as rows arrive; keys and digests are sorted, on disk where they are many,
//! and compared at the end. So memory stays flat whatever the source's length, and a body can be on its way while it is made.

mod body;
mod changes;
mod in_order;
mod rows;
mod sent;

use std::collections::BTreeSet;

use dagr_model::{digest::SetDigest, schema::Schema};

use self::{
    body::Body,
    in_order::{InOrder, Run},
    rows::{Group, Groups, Staged},
    sent::Passing,
};
pub use self::{
    body::{Growing, Lines, each_line},
    changes::{Change, Changes, each_of},
    sent::Ahead,
};
use crate::{
    collect::{Refused, Take},
    error::Result,
    sort::Sorter,
    state::{BaseWriter, Brought, HELD_HERE, Package, PackageState, REFUSALS_KEPT, State},
};

/// What of the source the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it, and it replaces whatever the server holds.
    Snapshot,
    /// All of it: what was sent and is not there has gone.
    Whole,
    /// The records of the keys marked with [`Comparison::touch`].
    Touched,
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    pub records: u64,
    pub upserts: u64,
    pub deletes: u64,
    pub refused: u64,
    /// Rows past the definition's retention that the server does not hold.
    pub expired: u64,
    /// Refused rows that may be of any record: torn, or their keys cannot be read.
    pub unread: u64,
    /// Records that have no row, and stay because of such rows.
    pub kept: u64,
    /// The package that brings the difference; `None` = no difference.
    pub package: Option<i64>,
}

/// Sends a body on its way before it is whole: its package without what is not known yet, and what gives the bytes.
pub type Early<'s> = Box<dyn FnOnce(&Package, Growing) + 's>;

/// How the rows come.
enum Order {
    Unknown,
    /// By their keys, so far.
    Rising(InOrder),
    /// By their keys up to some row, which are those.
    Broken(Run),
    None,
}

/// One reading of the source. What was begun and not finished goes away with it.
pub struct Comparison<'s> {
    state: &'s State,
    schema: &'s Schema,
    extent: Extent,
    package: Package,
    body: Option<Body>,
    early: Option<Early<'s>>,
    /// Is a package made of nothing, too?
    tells: bool,
    /// Bytes that its body may take.
    limit: u64,
    /// The most that it may remove without being held, in hundredths of a per cent.
    guard_bp: Option<u32>,
    order: Order,
    rows: Sorter,
    touched: BTreeSet<Vec<u8>>,
    sent: Ahead,
    /// May the server hold records that a snapshot removes?
    removes: bool,
    /// How many it holds, where it said so.
    there: u64,
    /// Did the server decline records?
    declined: bool,
    /// Are some of them still as it declined them?
    leaves_declined: bool,
    found: Found,
    refusals: Vec<Refused>,
}

impl<'s> Comparison<'s> {
    /// `name` begins the package's id.
    pub fn begin(state: &'s State, schema: &'s Schema, name: &str, extent: Extent) -> Result<Self> {
        state.catch_up()?;
        let mode = if extent == Extent::Snapshot {
            "snapshot"
        } else {
            "delta"
        };
        let n = state.next_number()?;
        let package = Package {
            n,
            id: format!("{name}-{n:08}-{}", state.instance()?),
            mode: mode.to_owned(),
            state: PackageState::Waiting,
            previous: state.last_id()?,
            sha256: String::new(),
            bytes: 0,
            operations: 0,
            deletes: 0,
            made_at: jiff::Timestamp::now().to_string(),
            ended_at: None,
            receipt: None,
            problem: None,
        };
        Ok(Self {
            state,
            schema,
            extent,
            package,
            body: None,
            early: None,
            tells: false,
            limit: u64::MAX,
            guard_bp: None,
            order: if extent == Extent::Snapshot {
                Order::Unknown
            } else {
                Order::None
            },
            rows: Sorter::new(state.dir()),
            touched: BTreeSet::new(),
            sent: Ahead::default(),
            removes: extent == Extent::Snapshot,
            there: 0,
            declined: state.has_declined()?,
            leaves_declined: false,
            found: Found::default(),
            refusals: Vec::new(),
        })
    }

    /// A body that grows large goes out while it is made. Its end is kept back until the package is entered here.
    pub fn early(mut self, early: Early<'s>) -> Self {
        self.early = Some(early);
        self
    }

    /// Where nothing differs, that is told.
    pub fn telling(mut self) -> Self {
        self.tells = true;
        self
    }

    /// A body of more bytes is not made.
    pub fn at_most(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// What removes more of the records is held until somebody decides.
    pub fn guarded(mut self, guard_bp: Option<u32>) -> Self {
        self.guard_bp = guard_bp;
        self
    }

    /// So many records the server holds: of none a snapshot removes nothing.
    pub fn onto(mut self, records: u64) -> Self {
        self.removes &= records > 0;
        self.there = records;
        self
    }

    /// Records before the package, and those that it removes; of a snapshot so many at least.
    fn removed(&self, before: u64, records: u64) -> (u64, u64) {
        match self.extent {
            Extent::Snapshot => (self.there, self.there.saturating_sub(records)),
            _ => (before, self.found.deletes),
        }
    }

    /// A key whose record may have changed or gone.
    pub fn touch(&mut self, key: Vec<u8>) {
        self.touched.insert(key);
    }

    fn body(&mut self) -> Result<&mut Body> {
        match &mut self.body {
            Some(body) => Ok(body),
            none => Ok(none.insert(Body::create(&self.state.body(self.package.n), self.limit)?)),
        }
    }

    fn base(&self) -> Result<BaseWriter> {
        BaseWriter::create(&self.state.base_path(self.package.n))
    }

    /// Takes a row of a first load that comes in the order of its key.
    fn in_order(&mut self, row: u64, line: Option<u64>, key: &[u8], digest: &[u8; 32]) -> Result<bool> {
        if matches!(self.order, Order::Unknown) {
            self.order = Order::Rising(InOrder::begin(self.base()?, row));
        }
        let follows = match (&mut self.order, line) {
            (Order::Rising(rows), Some(line)) => rows.push(row, line, key, digest)?,
            _ => false,
        };
        if !follows {
            self.out_of_order()?;
        }
        Ok(follows)
    }

    /// From here on rows are sorted.
    fn out_of_order(&mut self) -> Result<()> {
        self.order = match std::mem::replace(&mut self.order, Order::None) {
            Order::Rising(rows) => Order::Broken(rows.into_run()?),
            Order::Unknown => Order::None,
            order => order,
        };
        Ok(())
    }

    /// Sends the body on its way once it is large.
    fn leave_early(&mut self) -> Result<()> {
        let (Some(body), Some(_)) = (&mut self.body, &self.early) else {
            return Ok(());
        };
        let Some(growing) = body.growing()? else {
            return Ok(());
        };
        if let Some(early) = self.early.take() {
            early(&self.package, growing);
        }
        Ok(())
    }

    /// Compares, ends the package, and enters it with what the feed notes of its source.
    pub fn finish(mut self, notes: &[(String, String)]) -> Result<Found> {
        let before = self.state.digest()?.1;
        let (mut sum, mut records) = match self.extent {
            Extent::Snapshot => Default::default(),
            _ => self.state.digest()?,
        };
        let (run, rising) = match std::mem::replace(&mut self.order, Order::None) {
            Order::Broken(run) => (Some(run), None),
            Order::Rising(rows) => (None, Some(rows)),
            Order::Unknown | Order::None => (None, None),
        };
        let mut brought = match (rising, self.extent) {
            (Some(rows), _) => {
                (sum, records) = (rows.sum, rows.records);
                self.found.records = records;
                self.found.upserts = records;
                Brought::Whole(rows.end())
            }
            (None, Extent::Snapshot) => Brought::Whole(self.base()?),
            (None, _) => Brought::Changes(Changes::new(&self.state.changes(self.package.n))),
        };
        let dropped = self.differences(run, &mut sum, &mut records, &mut brought)?;
        if self.declined && self.extent == Extent::Whole && self.found.unread == 0 {
            self.state.forget_declined()?;
        }
        let whole = self.extent != Extent::Touched;
        if whole || self.found.refused > 0 {
            self.state.put_refusals(&self.refusals, &self.found, whole)?;
        }
        // The first delivery says "this is all", even of nothing; not where the server declined all there is.
        let says_all = self.extent == Extent::Snapshot && !self.leaves_declined;
        if self.found.upserts + self.found.deletes == 0 && !says_all && !self.tells {
            for (name, value) in notes {
                self.state.set_meta(name, value)?;
            }
            return Ok(self.found.clone());
        }
        self.body()?;
        let Some(mut body) = self.body.take() else {
            return Ok(self.found.clone());
        };
        if let Some(dropped) = dropped {
            body = body.without(&dropped)?;
        }
        let made = body.finish()?;
        // What the server holds and is not here may be a row that was refused, or declined: it stays.
        let is_part = self.removes && (self.found.refused > 0 || self.leaves_declined);
        if is_part {
            "delta".clone_into(&mut self.package.mode);
        }
        self.package.sha256.clone_from(&made.sha256);
        self.package.bytes = made.bytes;
        self.package.operations = self.found.upserts + self.found.deletes;
        self.package.deletes = self.found.deletes;
        let (before, removed) = self.removed(before, records);
        let is_held = !is_part && self.guard_bp.is_some_and(|guard| is_more(removed, before, guard));
        if is_held {
            self.package.state = PackageState::Held;
            self.package.problem = Some(HELD_HERE.to_owned());
        }
        self.state.enter(&self.package, notes, (sum, records), brought)?;
        if is_part || is_held {
            // Whoever reads along was told that this is all, or is to have none of it yet.
            drop(made);
        } else {
            made.release();
        }
        // The server works on what it has while the copy follows.
        self.state.catch_up()?;
        self.found.package = Some(self.package.n);
        Ok(self.found.clone())
    }

    /// Lines of the body that are not wanted after all.
    fn differences(
        &mut self,
        run: Option<Run>,
        sum: &mut SetDigest,
        records: &mut u64,
        brought: &mut Brought,
    ) -> Result<Option<Lines>> {
        let rows = std::mem::replace(&mut self.rows, Sorter::new(self.state.dir()));
        let mut groups = Groups::new(rows.sorted()?, run)?;
        let mut all = self.state.copy_statement()?;
        let mut passing = match self.extent {
            Extent::Snapshot => Passing::Nothing,
            Extent::Whole => Passing::all(self.state.copy(&mut all, None)?)?,
            Extent::Touched => Passing::Touched(self.state, std::mem::take(&mut self.touched)),
        };
        let mut out = Out {
            sum,
            records,
            brought,
            dropped: Lines::default(),
        };
        let mut gone = Vec::new();
        while let Some(group) = groups.next(&mut out.dropped)? {
            let before = passing.up_to(&group.key, &mut gone)?;
            self.delete(&mut gone, &mut out)?;
            self.settle(&group, before, &mut out)?;
        }
        while passing.next(&mut gone)? {
            self.delete(&mut gone, &mut out)?;
        }
        Ok(Some(out.dropped).filter(Lines::any))
    }

    fn delete(&mut self, gone: &mut Vec<(Vec<u8>, [u8; 32])>, out: &mut Out<'_>) -> Result<()> {
        for (key, before) in gone.drain(..) {
            // Rows asked for by their keys are of those records.
            if self.found.unread > 0 && self.extent != Extent::Touched {
                self.found.kept += 1;
                continue;
            }
            out.sum.remove(&before);
            *out.records = out.records.saturating_sub(1);
            let mut json = Vec::new();
            self.schema.key_json(&key, &mut json);
            self.body()?.delete(&json)?;
            self.found.deletes += 1;
            out.brought.push(Change {
                key: &key,
                before: Some(&before),
                now: None,
            })?;
        }
        Ok(())
    }

    /// One key's rows against what was sent of it.
    fn settle(&mut self, group: &Group, before: Option<[u8; 32]>, out: &mut Out<'_>) -> Result<()> {
        let chosen = group.chosen(self.schema.definition.csv.duplicates);
        // What the server may still hold goes there by itself: a delete would count against the guard.
        if chosen.is_some_and(|row| row.expired && row.digest != before) {
            // As if the source did not have it.
            self.found.expired += 1;
            let mut gone: Vec<_> = before
                .map(|before| (group.key.clone(), before))
                .into_iter()
                .collect();
            return self.delete(&mut gone, out);
        }
        self.found.records += 1;
        if chosen.is_none() {
            self.differing(group);
        }
        // A refused row leaves its record as it is; so does one that the server declined as it stands.
        let wanted = chosen
            .filter(|row| row.digest != before)
            .and_then(|row| row.line.zip(row.digest));
        let Some((line, digest)) = wanted else {
            return Ok(());
        };
        out.dropped.unmark(line);
        match &before {
            Some(before) => out.sum.remove(before),
            None => *out.records += 1,
        }
        out.sum.add(&digest);
        self.found.upserts += 1;
        out.brought.push(Change {
            key: &group.key,
            before: before.as_ref(),
            now: Some(&digest),
        })
    }

    /// Rows of one key that say different things.
    fn differing(&mut self, group: &Group) {
        self.found.refused += 1;
        if self.refusals.len() < REFUSALS_KEPT {
            let rows = (group.first.row, group.last.row);
            self.refusals
                .push(Refused::same_key(self.schema, rows).of(self.schema, &group.key));
        }
    }
}

/// Are so many of the records more than a share of them, in hundredths of a per cent?
pub fn is_more(removed: u64, records: u64, share: u32) -> bool {
    u128::from(removed) > u128::from(records) * u128::from(share) / 10_000
}

struct Out<'o> {
    sum: &'o mut SetDigest,
    records: &'o mut u64,
    brought: &'o mut Brought,
    dropped: Lines,
}

impl Take for Comparison<'_> {
    fn record(&mut self, row: u64, key: &[u8], digest: &[u8; 32], json: &[u8]) -> Result<()> {
        // What was sent already is never written again.
        let declined = self.declined && self.state.declined(key)? == Some(*digest);
        self.leaves_declined |= declined;
        if declined && self.extent == Extent::Whole {
            self.state.still_declined(key)?;
        }
        let known =
            declined || (self.extent != Extent::Snapshot && self.sent.get(self.state, key)? == Some(*digest));
        let line = if known {
            None
        } else {
            let line = self.body()?.upsert(json)?;
            self.leave_early()?;
            Some(line)
        };
        if self.in_order(row, line, key, digest)? {
            return Ok(());
        }
        let staged = Staged {
            row,
            digest: Some(*digest),
            line,
            expired: false,
        };
        self.rows.push(key, &staged.bytes())
    }

    fn expired(&mut self, row: u64, key: &[u8], digest: &[u8; 32], _: &[u8]) -> Result<()> {
        self.out_of_order()?;
        let staged = Staged {
            row,
            digest: Some(*digest),
            line: None,
            expired: true,
        };
        self.rows.push(key, &staged.bytes())
    }

    fn unread(&mut self, refused: Vec<Refused>) -> Result<()> {
        self.found.unread += 1;
        self.refused(refused, None)
    }

    fn refused(&mut self, refused: Vec<Refused>, key: Option<Vec<u8>>) -> Result<()> {
        self.found.refused += 1;
        let room = REFUSALS_KEPT.saturating_sub(self.refusals.len());
        let row = refused.first().map_or(0, |refused| refused.row);
        self.refusals.extend(refused.into_iter().take(room));
        let Some(key) = key else { return Ok(()) };
        self.out_of_order()?;
        let staged = Staged {
            row,
            digest: None,
            line: None,
            expired: false,
        };
        self.rows.push(&key, &staged.bytes())
    }
}

#[cfg(test)]
mod tests;
