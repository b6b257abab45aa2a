//! The one door: record data leave only as `Disclosed`, and only after their entry is in the log.
//!
//! decide the mask → read into `Sealed` → append an entry that names what is in it, and wait as the set demands
//! (a failure drops the value) → open it.

use dagr_store::journal::NewEntry;
use futures_util::FutureExt;

use crate::{App, disclosure::entry::Entry, problem::Problem};

/// Data that were read and may not leave yet.
pub(crate) struct Sealed<'a, T> {
    pub value: T,
    pub entry: Entry<'a>,
    /// Subjects named by what is in `value`.
    pub subjects: Vec<String>,
    /// Uses of the permission this takes.
    pub uses: u64,
    /// Durable before it is opened; otherwise within a second.
    pub urgent: bool,
    pub now_ms: i64,
}

/// Data whose entry is in the log (or that are open, and need none). Only this module makes one.
#[derive(Debug)]
pub struct Disclosed<T>(T);

impl<T> Disclosed<T> {
    pub fn get(&self) -> &T {
        &self.0
    }

    pub fn into_inner(self) -> T {
        self.0
    }

    /// Nothing was found: nothing is there to open.
    pub fn transpose<U>(self) -> Option<Disclosed<U>>
    where
        T: Into<Option<U>>,
    {
        self.0.into().map(Disclosed)
    }

    pub fn map<U>(self, shape: impl FnOnce(T) -> U) -> Disclosed<U> {
        Disclosed(shape(self.0))
    }
}

impl App {
    /// Opens sealed data once their entry is in the log.
    pub(crate) async fn disclose<T>(&self, sealed: Sealed<'_, T>) -> Result<Disclosed<T>, Problem> {
        let Sealed {
            value,
            entry,
            subjects,
            uses,
            urgent,
            now_ms,
        } = sealed;
        let counters = match entry.permission.parse::<u64>() {
            Ok(number) if uses > 0 => smallvec::smallvec![(number, uses)],
            _ => smallvec::SmallVec::new(),
        };
        if let Some(held) = self.catalog().permissions.get(entry.permission.as_ref()) {
            held.usage.touch(now_ms);
        }
        let new = NewEntry {
            payload: entry.to_bytes(),
            subjects: subjects.into_iter().map(String::into_bytes).collect(),
            counters,
            at_ms: now_ms,
            urgent,
        };
        let ticket = self.journal.append(new);
        // What names nobody and is not counted follows within a second; a log that cannot take it says so at once.
        let logged = if urgent {
            Some(ticket.await)
        } else {
            ticket.now_or_never()
        };
        if let Some(Err(error)) = logged {
            tracing::error!(%error, "the disclosure log refused an entry");
            metrics::counter!("dagr_disclosure_failures_total").increment(1);
            return Err(Problem::disclosure_unavailable());
        }
        Ok(Disclosed(value))
    }

    /// A public file: a definition with one names no person, which is checked before it is published.
    pub(crate) fn public_data<T>(set: &crate::set::LiveSet, value: T) -> Result<Disclosed<T>, Problem> {
        if set.definition().public.is_some() && !set.is_personal() {
            Ok(Disclosed(value))
        } else {
            Err(Problem::internal("a public file of a set that has none"))
        }
    }

    /// Data of an open set (or its public file): no permission, no person, no entry.
    pub(crate) fn open_data<T>(set: &crate::set::LiveSet, value: T) -> Result<Disclosed<T>, Problem> {
        if set.gives_without_permission() {
            Ok(Disclosed(value))
        } else {
            Err(Problem::internal("open data asked of a set that is not open"))
        }
    }
}
