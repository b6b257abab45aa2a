//! Packages on their way, and how to take one back.

use std::fs;

use dagr_model::digest::SetDigest;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    BASE, BaseWriter, COPY_DUE, PACKAGES_KEPT, RESYNCED, SNAPSHOT, Sent, State, digest, put_digest, set_meta,
};
use crate::{
    compare::{Change, Changes, each_of},
    error::{Error, Result},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageState {
    /// In the spool.
    Waiting,
    /// The server's guard holds it until somebody decides.
    Held,
    Applied,
    /// Somebody decided against it.
    Rejected,
    /// The server took nothing of it.
    Refused,
}

impl PackageState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Applied => "applied",
            Self::Rejected => "rejected",
            Self::Refused => "refused",
        }
    }

    fn of(text: &str) -> Self {
        match text {
            "held" => Self::Held,
            "applied" => Self::Applied,
            "rejected" => Self::Rejected,
            "refused" => Self::Refused,
            _ => Self::Waiting,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Package {
    /// Counts from 1.
    pub n: i64,
    pub id: String,
    /// `delta` or `snapshot`.
    pub mode: String,
    pub state: PackageState,
    /// What must have been applied last.
    pub previous: Option<String>,
    /// Of the decoded body, hex.
    pub sha256: String,
    /// On disk.
    pub bytes: u64,
    pub operations: u64,
    pub deletes: u64,
    pub made_at: String,
    pub ended_at: Option<String>,
    pub receipt: Option<String>,
    pub problem: Option<String>,
}

impl Package {
    /// Does the feed's own guard hold it? The server has not seen it then.
    pub fn is_held_here(&self) -> bool {
        self.state == PackageState::Held && self.problem.as_deref() == Some(HELD_HERE)
    }

    /// Has somebody decided that such a package does not go?
    pub fn is_rejected_here(&self) -> bool {
        self.state == PackageState::Held && self.problem.as_deref() == Some(REJECTED_HERE)
    }
}

/// What is noted of a package that the feed's own guard holds.
pub const HELD_HERE: &str = r#"{"held_by":"the feed's guard"}"#;
const REJECTED_HERE: &str = r#"{"held_by":"the feed's guard","rejected":true}"#;

/// What a package brings to the copy.
pub enum Brought {
    /// All there is, in place of whatever was there.
    Whole(BaseWriter),
    Changes(Changes),
}

impl Brought {
    pub fn push(&mut self, change: Change<'_>) -> Result<()> {
        match (self, change.now) {
            (Self::Changes(changes), _) => changes.push(&change),
            (Self::Whole(base), Some(now)) => base.push(change.key, now),
            (Self::Whole(_), None) => Ok(()),
        }
    }
}

const COLUMNS: &str =
    "n, id, mode, state, previous, sha256, bytes, operations, deletes, made_at, ended_at, receipt, problem";

fn read(row: &Row<'_>) -> rusqlite::Result<Package> {
    let number = |at| row.get::<_, i64>(at).map(|number| number as u64);
    Ok(Package {
        n: row.get(0)?,
        id: row.get(1)?,
        mode: row.get(2)?,
        state: PackageState::of(&row.get::<_, String>(3)?),
        previous: row.get(4)?,
        sha256: row.get(5)?,
        bytes: number(6)?,
        operations: number(7)?,
        deletes: number(8)?,
        made_at: row.get(9)?,
        ended_at: row.get(10)?,
        receipt: row.get(11)?,
        problem: row.get(12)?,
    })
}

/// The newest, newest first.
pub fn newest(db: &Connection, limit: u32) -> Result<Vec<Package>> {
    let mut statement = db.prepare(&format!(
        "SELECT {COLUMNS} FROM package ORDER BY n DESC LIMIT {limit}"
    ))?;
    let packages = statement.query_map([], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(packages)
}

/// Packages without an end, in the order they go.
pub fn unfinished(db: &Connection) -> Result<Vec<Package>> {
    let text = format!("SELECT {COLUMNS} FROM package WHERE state IN ('waiting', 'held') ORDER BY n");
    let mut statement = db.prepare(&text)?;
    let packages = statement.query_map([], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(packages)
}

impl State {
    /// Packages without an end, in the order they go.
    pub fn unfinished(&self) -> Result<Vec<Package>> {
        unfinished(&self.db)
    }

    pub fn next_number(&self) -> Result<i64> {
        let last: Option<i64> = self
            .db
            .query_row("SELECT max(n) FROM package", [], |row| row.get(0))?;
        Ok(last.unwrap_or(0) + 1)
    }

    /// The package that will have been applied last when every one before has arrived.
    pub fn last_id(&self) -> Result<Option<String>> {
        if self.meta(RESYNCED)?.as_deref() == Some("true") {
            // Whatever the server applied last, this goes on top of it.
            return Ok(None);
        }
        let text =
            "SELECT id FROM package WHERE state IN ('waiting', 'held', 'applied') ORDER BY n DESC LIMIT 1";
        Ok(self.db.query_row(text, [], |row| row.get(0)).optional()?)
    }

    /// Enters a package whose body lies in the spool, what it brings to the copy, the copy's digest and number of records
    /// after it, and what the feed notes of its source: all or nothing. Many changes are durable in a file of their own,
    /// and [`Self::catch_up`] brings the copy to them.
    pub fn enter(
        &self,
        package: &Package,
        notes: &[(String, String)],
        after: (SetDigest, u64),
        brought: Brought,
    ) -> Result<()> {
        let (mut base, mut few) = (None, None);
        match brought {
            Brought::Whole(whole) => base = Some(whole.keep()?),
            Brought::Changes(changes) if changes.are_many() => changes.keep()?,
            Brought::Changes(changes) => few = Some(changes),
        }
        let transaction = self.db.unchecked_transaction()?;
        transaction.execute(
            "INSERT INTO package (n, id, mode, state, previous, sha256, bytes, operations, deletes, made_at, problem)
             VALUES (?1, ?2, ?3, ?10, ?4, ?5, ?6, ?7, ?8, ?9, ?11)",
            params![
                package.n,
                package.id,
                package.mode,
                package.previous,
                package.sha256,
                package.bytes as i64,
                package.operations as i64,
                package.deletes as i64,
                package.made_at,
                package.state.as_str(),
                package.problem,
            ],
        )?;
        match (&base, &few) {
            (Some(_), _) => self.replace_copy(package.n)?,
            (None, Some(changes)) => self.change(package.n, |take| changes.each(take))?,
            (None, None) => set_meta(&transaction, COPY_DUE, &package.n.to_string())?,
        }
        put_digest(&transaction, after.0, after.1)?;
        set_meta(&transaction, RESYNCED, "false")?;
        for (name, value) in notes {
            set_meta(&transaction, name, value)?;
        }
        transaction.commit()?;
        if base.is_some() {
            self.rebase(base);
        }
        Ok(())
    }

    /// The copy is what this package brought in a file; what was there before is noted.
    fn replace_copy(&self, n: i64) -> Result<()> {
        self.db
            .execute("INSERT INTO undo SELECT ?1, key, digest, NULL FROM copy", [n])?;
        self.db.execute("DELETE FROM copy", [])?;
        set_meta(&self.db, SNAPSHOT, "sent")?;
        set_meta(&self.db, BASE, &n.to_string())
    }

    /// Makes the changes in the copy, and notes what was there before.
    fn change(
        &self,
        n: i64,
        changes: impl FnOnce(&mut dyn FnMut(Change<'_>) -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        let mut undo = self.db.prepare("INSERT INTO undo VALUES (?1, ?2, ?3, ?4)")?;
        changes(&mut |Change { key, before, now }| {
            undo.execute(params![n, key, before, now])?;
            self.set(key, now)
        })
    }

    /// Brings the copy to the changes of a package that was entered with many.
    pub fn catch_up(&self) -> Result<()> {
        let due = self.meta(COPY_DUE)?.and_then(|text| text.parse::<i64>().ok());
        let Some(n) = due else { return Ok(()) };
        let path = self.changes(n);
        let transaction = self.db.unchecked_transaction()?;
        self.change(n, |take| each_of(&path, take))?;
        transaction.execute("DELETE FROM meta WHERE name = ?1", [COPY_DUE])?;
        transaction.commit()?;
        // Swept away at the next start if it does not go now.
        let _ = fs::remove_file(&path);
        Ok(())
    }

    /// The end of a package that the server has taken, but for what it declined, which `each` gives: that is not sent
    /// again until it is another record.
    pub fn applied(
        &self,
        package: &Package,
        receipt: &str,
        each: impl FnOnce(&mut dyn FnMut(Sent) -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        self.catch_up()?;
        let transaction = self.db.unchecked_transaction()?;
        let (mut sum, mut records) = digest(&transaction)?;
        // What was declined before and is another record now was sent again.
        transaction.execute(
            "DELETE FROM declined WHERE key IN (SELECT key FROM undo WHERE package = ?1)",
            [package.n],
        )?;
        each(&mut |(key, sent)| {
            self.take_back(package.n, &key, Some(sent), &mut sum, &mut records)?;
            self.decline(&key, &sent)
        })?;
        put_digest(&transaction, sum, records)?;
        end(
            &transaction,
            package.n,
            PackageState::Applied,
            Some(receipt),
            None,
        )?;
        transaction.commit()?;
        self.remove_body(package.n)
    }

    fn decline(&self, key: &[u8], sent: &[u8; 32]) -> Result<()> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO declined VALUES (?1, ?2)")?
            .execute(params![key, sent])?;
        Ok(())
    }

    /// The end of a package of which the server has taken nothing: every record of it is declined. `each` gives them.
    pub fn declined_whole(
        &self,
        package: &Package,
        problem: &str,
        each: impl FnOnce(&mut dyn FnMut(Sent) -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        self.catch_up()?;
        let transaction = self.db.unchecked_transaction()?;
        each(&mut |(key, sent)| self.decline(&key, &sent))?;
        let is_last = self.next_number()? == package.n + 1;
        let due = self.meta("compare_due")?.unwrap_or_default();
        let numbers = self.take_back_from(package, PackageState::Refused, problem)?;
        if is_last {
            // Nothing was made on top of it.
            set_meta(&transaction, "compare_due", &due)?;
        } else {
            self.read_again()?;
        }
        transaction.commit()?;
        self.forget_base()?;
        numbers.iter().try_for_each(|n| self.remove_body(*n))
    }

    /// What was brought in a file goes with its package.
    fn forget_base(&self) -> Result<()> {
        if self.meta(BASE)?.is_none() {
            self.rebase(None);
        }
        Ok(())
    }

    /// Marks a package that waits for somebody's decision.
    pub fn held(&self, package: &Package, answer: &str) -> Result<()> {
        self.db.execute(
            "UPDATE package SET state = 'held', problem = ?2 WHERE n = ?1",
            params![package.n, answer],
        )?;
        Ok(())
    }

    /// Somebody decides of a package that the feed's own guard holds, perhaps beside a process that works on the feed: it waits for the
    /// server from now on, or is taken back. `false`: it is not held any more.
    pub fn decide_here(dir: &std::path::Path, package: &Package, confirm: bool) -> Result<bool> {
        let db = super::connect(&dir.join("feed.db"))?;
        let (state, problem) = if confirm {
            (PackageState::Waiting, None)
        } else {
            (PackageState::Held, Some(REJECTED_HERE))
        };
        let text =
            "UPDATE package SET state = ?3, problem = ?4 WHERE n = ?1 AND state = 'held' AND problem = ?2";
        let decided = db.execute(text, params![package.n, HELD_HERE, state.as_str(), problem])?;
        Ok(decided == 1)
    }

    /// Takes a package back that will never arrive, and every later one, which was made on top of it.
    /// `again`: the file, or the answer, that it was made of is read again.
    pub fn taken_back(
        &self,
        package: &Package,
        ended: PackageState,
        again: bool,
        problem: &str,
    ) -> Result<()> {
        self.catch_up()?;
        let transaction = self.db.unchecked_transaction()?;
        let numbers = self.take_back_from(package, ended, problem)?;
        if again {
            self.read_again()?;
        }
        transaction.commit()?;
        self.forget_base()?;
        numbers.iter().try_for_each(|n| self.remove_body(*n))
    }

    /// The numbers of what is taken back.
    fn take_back_from(&self, package: &Package, ended: PackageState, problem: &str) -> Result<Vec<i64>> {
        let (mut sum, mut records) = digest(&self.db)?;
        let numbers: Vec<i64> = self
            .db
            .prepare("SELECT n FROM package WHERE n >= ?1 ORDER BY n DESC")?
            .query_map([package.n], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for n in &numbers {
            let mut statement = self
                .db
                .prepare_cached("SELECT key, sent FROM undo WHERE package = ?1")?;
            let mut changes = statement.query([n])?;
            while let Some(change) = changes.next()? {
                let (key, sent): (Vec<u8>, _) = (change.get(0)?, change.get(1)?);
                self.take_back(*n, &key, sent, &mut sum, &mut records)?;
            }
            // A package of an earlier build brought everything without a file.
            let brought_all = package.mode == "snapshot" || self.is_base_of(*n)?;
            if brought_all && *n == package.n {
                (sum, records) = self.copy_back(*n)?;
            }
            if *n > package.n {
                // Its number is given to another.
                self.db.execute("DELETE FROM package WHERE n = ?1", [n])?;
                self.db.execute("DELETE FROM undo WHERE package = ?1", [n])?;
            }
        }
        put_digest(&self.db, sum, records)?;
        end(&self.db, package.n, ended, None, Some(problem))?;
        if package.previous.is_none() {
            // It would have gone on top of whatever is there; so does the next one.
            set_meta(&self.db, RESYNCED, "true")?;
        }
        // What was read from the source on top of it has to be read again: the whole comparison finds it.
        set_meta(&self.db, "compare_due", "true")?;
        Ok(numbers)
    }

    /// The copy as it was before a package replaced it.
    fn copy_back(&self, n: i64) -> Result<(SetDigest, u64)> {
        self.db.execute("DELETE FROM copy", [])?;
        self.db
            .execute("DELETE FROM meta WHERE name IN (?1, ?2)", [SNAPSHOT, BASE])?;
        self.db.execute(
            "INSERT INTO copy SELECT key, digest FROM undo WHERE package = ?1 AND digest IS NOT NULL",
            [n],
        )?;
        let (mut sum, mut records) = (SetDigest::default(), 0);
        let mut statement = self.db.prepare("SELECT digest FROM copy")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            sum.add(&row.get(0)?);
            records += 1;
        }
        Ok((sum, records))
    }

    /// One key as it was before a package, unless a later one has moved it on.
    fn take_back(
        &self,
        n: i64,
        key: &[u8],
        sent: Option<[u8; 32]>,
        sum: &mut SetDigest,
        records: &mut u64,
    ) -> Result<()> {
        let before: Option<Option<[u8; 32]>> = self
            .db
            .prepare_cached("SELECT digest FROM undo WHERE package = ?1 AND key = ?2")?
            .query_row(params![n, key], |row| row.get(0))
            .optional()?;
        if self.sent(key)? == sent {
            self.put(sum, records, key, before.flatten().as_ref())?;
        }
        Ok(())
    }

    fn remove_body(&self, n: i64) -> Result<()> {
        let path = self.body(n);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(&path, &error)),
            _ => Ok(()),
        }
    }
}

pub(super) fn end(
    db: &Connection,
    n: i64,
    state: PackageState,
    receipt: Option<&str>,
    problem: Option<&str>,
) -> Result<()> {
    db.execute("DELETE FROM undo WHERE package = ?1", [n])?;
    db.execute(
        "UPDATE package SET state = ?2, ended_at = ?3, receipt = ?4, problem = ?5 WHERE n = ?1",
        params![n, state.as_str(), Timestamp::now().to_string(), receipt, problem],
    )?;
    db.execute("DELETE FROM package WHERE n <= ?1", [n - PACKAGES_KEPT])?;
    Ok(())
}
