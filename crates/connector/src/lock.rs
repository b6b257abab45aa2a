//! The file by which one process at a time works on a feed, or on a copy in a file. It also tells what keeps that process from going on: its
//! room is taken when it is made and written over in place, so that a full disk can be told too.

use std::{
    cell::RefCell,
    fs::{self, File, OpenOptions, TryLockError},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Bytes of the file: one block of most file systems.
const ROOM: usize = 4_096;
/// Who only looks whether somebody works here has the file for a moment.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(20);

/// What keeps a process from going on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub text: String,
    pub since: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Told {
    process: u32,
    problem: Option<Problem>,
}

/// Held as long as it lives.
pub struct Lock {
    file: File,
    path: PathBuf,
    problem: RefCell<Option<Problem>>,
}

impl Lock {
    /// Takes it. `busy` makes the error where another process has it, of that process's number.
    pub fn take(path: &Path, busy: impl FnOnce(u32) -> Error) -> Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| Error::file(path, &error))?;
        if let Err(error) = patiently(|| file.try_lock()) {
            return Err(not_taken(path, error, busy));
        }
        let lock = Self {
            problem: RefCell::new(told(path).and_then(|told| told.problem)),
            file,
            path: path.to_owned(),
        };
        lock.write()?;
        Ok(lock)
    }

    /// Does a process have it?
    pub fn is_taken(path: &Path) -> bool {
        // Two who look do not see each other.
        File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// What keeps whoever has it, or had it last, from going on.
    pub fn problem(path: &Path) -> Option<Problem> {
        told(path)?.problem
    }

    /// Tells it: nothing does = "".
    pub fn say(&self, text: &str) -> Result<()> {
        let before = self.problem.borrow().as_ref().map(|problem| problem.text.clone());
        if before.as_deref().unwrap_or_default() == text {
            return Ok(());
        }
        let problem = (!text.is_empty()).then(|| Problem {
            text: text.to_owned(),
            since: Timestamp::now(),
        });
        self.problem.replace(problem);
        self.write()
    }

    fn write(&self) -> Result<()> {
        let mut told = Told {
            process: std::process::id(),
            problem: self.problem.borrow().clone(),
        };
        let mut line = line(&told);
        while line.len() >= ROOM
            && let Some(problem) = &mut told.problem
        {
            let shorter = problem.text.floor_char_boundary(problem.text.len() * 3 / 4);
            problem.text.truncate(shorter);
            problem.text.push('…');
            line = self::line(&told);
        }
        line.resize(ROOM - 1, b' ');
        line.push(b'\n');
        self.file
            .write_all_at(&line, 0)
            .map_err(|error| Error::file(&self.path, &error))
    }
}

fn line(told: &Told) -> Vec<u8> {
    serde_json::to_vec(told).unwrap_or_default()
}

/// `None`: no file, or one of an earlier build.
fn told(path: &Path) -> Option<Told> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn patiently(
    mut lock: impl FnMut() -> std::result::Result<(), TryLockError>,
) -> std::result::Result<(), TryLockError> {
    for _ in 1..LOOKS {
        match lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(LOOK),
            done => return done,
        }
    }
    lock()
}

/// Somebody else has it; or no file there can be locked.
fn not_taken(path: &Path, error: TryLockError, busy: impl FnOnce(u32) -> Error) -> Error {
    match error {
        TryLockError::WouldBlock => busy(told(path).map_or(0, |told| told.process)),
        TryLockError::Error(error) => Error::file(path, &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(process: u32) -> Error {
        Error::Decide(format!("process {process} has it"))
    }

    #[test]
    fn one_has_it_and_others_see_what_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert!(!Lock::is_taken(&path) && Lock::problem(&path).is_none());
        // As an earlier build left it.
        fs::write(&path, "123").unwrap();
        let lock = Lock::take(&path, busy).unwrap();
        assert!(Lock::is_taken(&path));
        let other = Lock::take(&path, busy).err().unwrap().to_string();
        assert_eq!(other, format!("process {} has it", std::process::id()));
        lock.say("nav vietas").unwrap();
        let first = Lock::problem(&path).unwrap();
        assert_eq!(first.text, "nav vietas");
        lock.say("nav vietas").unwrap();
        assert_eq!(Lock::problem(&path), Some(first.clone()), "since it began");
        drop(lock);
        let lock = Lock::take(&path, busy).unwrap();
        assert_eq!(Lock::problem(&path), Some(first), "until something goes on");
        lock.say("").unwrap();
        assert_eq!(Lock::problem(&path), None);
    }

    /// Whatever is said: the file keeps its room, and what is told begins as it was said.
    #[test]
    fn its_room_is_enough() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let lock = Lock::take(&path, busy).unwrap();
        for text in ["ā".repeat(9_000), "\n\"\\".repeat(5_000), "x".repeat(4_000)] {
            lock.say(&text).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().len(), ROOM as u64);
            let told = Lock::problem(&path).unwrap().text;
            let begin = told.trim_end_matches('…');
            assert!(text.starts_with(begin) && told.len() > 1_000, "{told}");
        }
        lock.say("x").unwrap();
        assert_eq!(Lock::problem(&path).unwrap().text, "x");
    }

    /// Whoever asks whether it is taken has it for a moment.
    #[test]
    fn a_look_does_not_keep_anybody_away() {
        let mut tried = 0;
        let taken = patiently(|| {
            tried += 1;
            if tried < 3 {
                Err(TryLockError::WouldBlock)
            } else {
                Ok(())
            }
        });
        assert_eq!((taken.is_ok(), tried), (true, 3));
        let mut tried = 0;
        let never = patiently(|| {
            tried += 1;
            Err(TryLockError::WouldBlock)
        });
        assert_eq!((never.is_ok(), tried), (false, LOOKS));
        // Two who look at once see nobody.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let look = File::create(&path).unwrap();
        look.lock_shared().unwrap();
        assert!(!Lock::is_taken(&path));
    }

    #[test]
    fn a_file_that_cannot_be_locked_is_not_said_to_be_another_processs() {
        let path = Path::new("copy.db.x.lock");
        let no_locks = TryLockError::Error(std::io::Error::other("no locks available"));
        let told = not_taken(path, no_locks, busy).to_string();
        assert_eq!(told, "copy.db.x.lock: no locks available");
    }
}
