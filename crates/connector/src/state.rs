//! What a feed remembers, in a directory: the digest of every record the server has been sent, packages on their way,
//! receipts, refusals. One process at a time.

mod base;
mod copy;
mod package;

use std::{
    cell::RefCell,
    fs::{self, DirBuilder, Permissions},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use dagr_model::digest::SetDigest;
use rusqlite::{Connection, OptionalExtension, params};

pub use base::{Rows as BaseRows, Writer as BaseWriter};
pub use copy::{Copy, Sent};
pub use package::{Brought, HELD_HERE, Package, PackageState, newest, unfinished};

use base::Base;

use crate::{
    collect::Refused,
    compare::Found,
    error::{Error, Result},
    lock::{Lock, Problem},
};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS copy (key BLOB PRIMARY KEY, digest BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS package (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, mode TEXT NOT NULL, state TEXT NOT NULL, previous TEXT,
    sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, operations INTEGER NOT NULL, deletes INTEGER NOT NULL,
    made_at TEXT NOT NULL, ended_at TEXT, receipt TEXT, problem TEXT);
CREATE TABLE IF NOT EXISTS undo (
    package INTEGER NOT NULL, key BLOB NOT NULL, digest BLOB, sent BLOB,
    PRIMARY KEY (package, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS declined (key BLOB PRIMARY KEY, digest BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused (row INTEGER, field TEXT, rule TEXT, message TEXT, shape TEXT, record TEXT);
";

/// Noted once the whole set was replaced by a package, or asked of the server.
const SNAPSHOT: &str = "snapshot";
/// Noted with the file of what the first package brought: that package's number.
const BASE: &str = "base";
/// Noted while the copy has yet to follow a package: its number.
const COPY_DUE: &str = "copy_due";
const INSTANCE: &str = "instance";
/// Noted while the next package need not follow one of ours.
pub const RESYNCED: &str = "resynced";
/// What the feed took last of a directory.
pub const LAST_FILE: &str = "last_file";
/// Refusals kept to be read; the total is told beside them.
pub const REFUSALS_KEPT: usize = 10_000;
/// Packages whose receipts are kept.
const PACKAGES_KEPT: i64 = 10_000;

pub struct State {
    pub(crate) db: Connection,
    dir: PathBuf,
    /// What the first package brought; `copy` has what changed since.
    base: RefCell<Option<Base>>,
    /// `None`: it is only looked at.
    lock: Option<Lock>,
}

impl State {
    /// Opens or makes the directory.
    pub fn open(dir: &Path) -> Result<Self> {
        let state = Self::open_anew(dir)?;
        let base = state.noted_base()?;
        state.base.replace(base);
        // An earlier build left them behind.
        state.db.execute(
            "DELETE FROM undo WHERE package NOT IN (SELECT n FROM package WHERE state IN ('waiting', 'held'))",
            [],
        )?;
        state.catch_up()?;
        state.sweep()?;
        Ok(state)
    }

    /// Without what was sent: for whoever forgets it anyway, because it is damaged.
    pub fn open_anew(dir: &Path) -> Result<Self> {
        // Records lie in it: only its owner gets in.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir.join("spool"))
            .map_err(|error| Error::file(dir, &error))?;
        closed(dir);
        let lock = Lock::take(&lock_of(dir), |process| {
            Error::State(format!(
                "{}: process {process} works on this feed; stop it first",
                dir.display()
            ))
        })?;
        let state = Self {
            db: connect(&dir.join("feed.db"))?,
            dir: dir.to_owned(),
            base: RefCell::default(),
            lock: Some(lock),
        };
        // At once: somebody may look at it meanwhile.
        state
            .db
            .execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA} COMMIT"))?;
        state.tells_records()?;
        Ok(state)
    }

    /// By another definition a key may be personal.
    pub fn forget_refused_records(&self) -> Result<()> {
        self.db.execute("UPDATE refused SET record = ''", [])?;
        Ok(())
    }

    /// The state of an earlier build does not tell of which record a row was.
    fn tells_records(&self) -> Result<()> {
        let text = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('refused') WHERE name = 'record')";
        let told: bool = self.db.query_row(text, [], |row| row.get(0))?;
        if !told {
            self.db
                .execute_batch("ALTER TABLE refused ADD COLUMN record TEXT")?;
        }
        Ok(())
    }

    /// Does a process work on it?
    pub fn is_worked_on(dir: &Path) -> bool {
        Lock::is_taken(&lock_of(dir))
    }

    /// What keeps the feed from going on; nothing does = "".
    pub fn say(&self, problem: &str) -> Result<()> {
        self.lock.as_ref().map_or(Ok(()), |lock| lock.say(problem))
    }

    pub fn problem(dir: &Path) -> Option<Problem> {
        Lock::problem(&lock_of(dir))
    }

    /// To look at only: also while a feed runs. `None` where there is no feed yet.
    pub fn peek(dir: &Path) -> Result<Option<Connection>> {
        let path = dir.join("feed.db");
        if !path.exists() {
            return Ok(None);
        }
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let look = || {
            let db = Connection::open_with_flags(&path, flags)?;
            let text = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'package')";
            let made: bool = db.query_row(text, [], |row| row.get(0))?;
            Ok(made.then_some(db))
        };
        look().map_err(|error| damaged(&path, &error))
    }

    /// What was sent as it stands now, while somebody may work on it; `None` where there is no feed yet.
    pub fn beside(dir: &Path) -> Result<Option<Self>> {
        // The file of what was sent may be put in the place of another just now.
        Self::looked_at(dir).or_else(|_| Self::looked_at(dir))
    }

    fn looked_at(dir: &Path) -> Result<Option<Self>> {
        let Some(db) = Self::peek(dir)? else {
            return Ok(None);
        };
        // What is noted meanwhile is not seen.
        db.execute_batch("BEGIN")?;
        let state = Self {
            db,
            dir: dir.to_owned(),
            base: RefCell::default(),
            lock: None,
        };
        let base = state.noted_base()?;
        state.base.replace(base);
        Ok(Some(state))
    }

    /// Has the copy yet to follow a package?
    pub fn follows(&self) -> Result<bool> {
        Ok(self.meta(COPY_DUE)?.is_some())
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Files nobody knows of: a process ended before it committed them.
    fn sweep(&self) -> Result<()> {
        let spool = self.dir.join("spool");
        let mut known: Vec<PathBuf> = self
            .unfinished()?
            .iter()
            .map(|package| self.body(package.n))
            .collect();
        known.extend(self.base.borrow().as_ref().map(|base| base.path().to_owned()));
        for path in files_of(&spool)?.chain(files_of(&self.dir)?.filter(|path| is_base(path))) {
            if !known.contains(&path) {
                fs::remove_file(&path).map_err(|error| Error::file(&path, &error))?;
            }
        }
        Ok(())
    }

    /// The digests of everything that a package brought.
    pub fn base_path(&self, n: i64) -> PathBuf {
        self.dir.join(format!("{n:08}{BASE_SUFFIX}"))
    }

    /// The body of a package, zstd.
    pub fn body(&self, n: i64) -> PathBuf {
        self.dir.join("spool").join(format!("{n:08}.ndjson.zst"))
    }

    /// What a package with many changes changes in the copy, until it has.
    pub fn changes(&self, n: i64) -> PathBuf {
        self.dir.join("spool").join(format!("{n:08}.changes"))
    }

    pub fn meta(&self, name: &str) -> Result<Option<String>> {
        meta(&self.db, name)
    }

    pub fn set_meta(&self, name: &str, value: &str) -> Result<()> {
        set_meta(&self.db, name, value)
    }

    /// Digest and number of the records the server holds once every package has arrived.
    pub fn digest(&self) -> Result<(SetDigest, u64)> {
        digest(&self.db)
    }

    /// The digest of a record that the server declined.
    pub fn declined(&self, key: &[u8]) -> Result<Option<[u8; 32]>> {
        let mut statement = self
            .db
            .prepare_cached("SELECT digest FROM declined WHERE key = ?1")?;
        Ok(statement.query_row([key], |row| row.get(0)).optional()?)
    }

    /// A row is as the server declined it.
    pub fn still_declined(&self, key: &[u8]) -> Result<()> {
        let text = "INSERT OR IGNORE INTO temp.still VALUES (?1)";
        self.db.prepare_cached(text)?.execute([key])?;
        Ok(())
    }

    /// Of those whose rows were not met since [`Self::has_declined`]: they are gone, or others.
    pub fn forget_declined(&self) -> Result<()> {
        let text = "DELETE FROM declined WHERE key NOT IN (SELECT key FROM temp.still)";
        self.db.execute(text, [])?;
        Ok(())
    }

    /// Did this package bring all there is?
    pub fn is_base_of(&self, n: i64) -> Result<bool> {
        Ok(self.meta(BASE)? == Some(n.to_string()))
    }

    /// Does the next package replace the whole set?
    pub fn is_new(&self) -> Result<bool> {
        Ok(self.meta(SNAPSHOT)?.is_none())
    }

    /// Were records declined? None of them has been met again yet.
    pub fn has_declined(&self) -> Result<bool> {
        self.db.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS still (key BLOB PRIMARY KEY) WITHOUT ROWID; DELETE FROM temp.still",
        )?;
        self.any_declined()
    }

    /// Were records declined?
    pub fn any_declined(&self) -> Result<bool> {
        let text = "SELECT EXISTS (SELECT 1 FROM declined)";
        Ok(self.db.query_row(text, [], |row| row.get(0))?)
    }

    /// Ends the ids of this feed's packages: another feed's, or one begun anew, has others.
    pub fn instance(&self) -> Result<String> {
        if let Some(instance) = self.meta(INSTANCE)? {
            return Ok(instance);
        }
        self.renew_instance()
    }

    pub fn renew_instance(&self) -> Result<String> {
        let mut bytes = [0; 8];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::State("no random numbers".to_owned()))?;
        let instance = format!("{:016x}", u64::from_be_bytes(bytes));
        self.set_meta(INSTANCE, &instance)?;
        Ok(instance)
    }

    /// What was read is read again: of a directory the newest file is the set as it is.
    pub fn read_again(&self) -> Result<()> {
        self.db.execute(
            "DELETE FROM meta WHERE name = 'etag' OR name = (SELECT value FROM meta WHERE name = ?1)",
            [LAST_FILE],
        )?;
        Ok(())
    }

    /// Where all of the source was read, in place of the refusals before, with what they made of the records; else beside
    /// them.
    pub fn put_refusals(&self, refusals: &[Refused], found: &Found, whole: bool) -> Result<()> {
        let transaction = self.db.unchecked_transaction()?;
        if whole {
            transaction.execute("DELETE FROM refused", [])?;
        }
        let kept: i64 = transaction.query_row("SELECT count(*) FROM refused", [], |row| row.get(0))?;
        {
            let mut insert = transaction.prepare("INSERT INTO refused (row, field, rule, message, shape, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for Refused {
                row,
                column,
                rule,
                message,
                shape,
                record,
            } in refusals.iter().take(REFUSALS_KEPT.saturating_sub(kept as usize))
            {
                insert.execute(params![*row as i64, column, rule, message, shape, record])?;
            }
        }
        let before = match meta(&transaction, "refused")? {
            Some(number) if !whole => number.parse().unwrap_or(0),
            _ => 0,
        };
        set_meta(&transaction, "refused", &(before + found.refused).to_string())?;
        if whole {
            set_meta(&transaction, "unread", &found.unread.to_string())?;
            set_meta(&transaction, "kept", &found.kept.to_string())?;
        }
        Ok(transaction.commit()?)
    }

    /// Puts right what the server holds for a key, as the server says. From then on differences are enough.
    pub fn correct(&self, corrections: &[(Vec<u8>, Option<[u8; 32]>)]) -> Result<()> {
        if corrections.is_empty() {
            return Ok(());
        }
        self.catch_up()?;
        let transaction = self.db.unchecked_transaction()?;
        set_meta(&transaction, SNAPSHOT, "known")?;
        // What the source has goes there.
        set_meta(&transaction, "compare_due", "true")?;
        self.read_again()?;
        let (mut sum, mut records) = digest(&transaction)?;
        for (key, now) in corrections {
            self.put(&mut sum, &mut records, key, now.as_ref())?;
        }
        put_digest(&transaction, sum, records)?;
        Ok(transaction.commit()?)
    }

    /// Nothing is known to be sent, and nothing waits any more.
    pub fn forget_copy(&self, problem: &str) -> Result<()> {
        let transaction = self.db.unchecked_transaction()?;
        transaction.execute_batch("DELETE FROM copy; DELETE FROM undo; DELETE FROM declined")?;
        transaction.execute(
            "DELETE FROM meta WHERE name IN (?1, ?2, ?3)",
            [SNAPSHOT, BASE, COPY_DUE],
        )?;
        put_digest(&transaction, SetDigest::default(), 0)?;
        for package in self.unfinished()? {
            package::end(
                &transaction,
                package.n,
                PackageState::Rejected,
                None,
                Some(problem),
            )?;
        }
        transaction.commit()?;
        self.rebase(None);
        self.sweep()
    }

    /// The file that is noted now; the one before goes.
    fn rebase(&self, base: Option<Base>) {
        if let Some(before) = self.base.replace(base) {
            // Swept away at the next start if it does not go now.
            let _ = fs::remove_file(before.path());
        }
    }
}

/// One that was there before may be open to all; who owns it closes it.
fn closed(dir: &Path) {
    let Ok(there) = fs::metadata(dir) else { return };
    let mode = there.permissions().mode();
    if mode & 0o007 != 0
        && let Err(error) = fs::set_permissions(dir, Permissions::from_mode(mode & !0o007))
    {
        tracing::warn!(%error, dir = %dir.display(), "others may read the feed's state");
    }
}

fn lock_of(dir: &Path) -> PathBuf {
    dir.join("lock")
}

const BASE_SUFFIX: &str = ".digests";

fn is_base(path: &Path) -> bool {
    path.to_string_lossy().ends_with(BASE_SUFFIX)
}

fn files_of(dir: &Path) -> Result<impl Iterator<Item = PathBuf> + use<>> {
    let entries = fs::read_dir(dir).map_err(|error| Error::file(dir, &error))?;
    Ok(entries.flatten().map(|entry| entry.path()))
}

pub(crate) fn connect(path: &Path) -> Result<Connection> {
    let open = || {
        let db = Connection::open(path)?;
        // Committed means on the disk.
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32000")?;
        Ok(db)
    };
    open().map_err(|error| damaged(path, &error))
}

/// What cannot be opened at all.
fn damaged(path: &Path, error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            Error::State(format!(
                "{}: {error}; bring the directory back from a backup, or move it away and run `dagr connector resync`, which begins a new one from what the server holds",
                path.display()
            ))
        }
        _ => Error::State(format!("{}: {error}", path.display())),
    }
}

pub(crate) fn meta(db: &Connection, name: &str) -> Result<Option<String>> {
    let mut statement = db.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

pub(crate) fn set_meta(db: &Connection, name: &str, value: &str) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO meta VALUES (?1, ?2)")?
        .execute([name, value])?;
    Ok(())
}

pub(crate) fn digest(db: &Connection) -> Result<(SetDigest, u64)> {
    let hex = meta(db, "digest")?.unwrap_or_default();
    let records = meta(db, "records")?
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    Ok((SetDigest(unhex(&hex).unwrap_or_default()), records))
}

pub(crate) fn put_digest(db: &Connection, digest: SetDigest, records: u64) -> Result<()> {
    set_meta(db, "digest", &digest.hex())?;
    set_meta(db, "records", &records.to_string())
}

/// 64 hex digits.
pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(out)
}
