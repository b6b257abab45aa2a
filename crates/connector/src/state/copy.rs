//! The digest of every record the server has been sent: those of the first package in a file of their own, and in a
//! table what has changed since.

use dagr_model::digest::SetDigest;
use rusqlite::{CachedStatement, OptionalExtension, Row, Statement, params};

use super::{
    State,
    base::{self, Base},
};
use crate::error::Result;

/// A key, and the digest of the record that was sent.
pub type Sent = (Vec<u8>, [u8; 32]);

/// What stands in the table for a record of the file that has gone.
const GONE: &[u8] = &[];

/// In the order of keys.
pub struct Copy<'c> {
    changed: rusqlite::Rows<'c>,
    changed_next: Option<(Vec<u8>, Option<[u8; 32]>)>,
    base: Option<base::Rows>,
    base_next: Option<Sent>,
}

impl Copy<'_> {
    pub fn next(&mut self) -> Result<Option<Sent>> {
        loop {
            let is_changed = match (&self.changed_next, &self.base_next) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some((changed, _)), Some((base, _))) => changed <= base,
            };
            if !is_changed {
                let next = self.base.as_mut().map_or(Ok(None), base::Rows::next)?;
                return Ok(std::mem::replace(&mut self.base_next, next));
            }
            let Some((key, digest)) = self.changed_next.take() else {
                return Ok(None);
            };
            self.changed_next = changed(&mut self.changed)?;
            if self.base_next.as_ref().is_some_and(|base| base.0 == key) {
                self.base_next = self.base.as_mut().map_or(Ok(None), base::Rows::next)?;
            }
            if let Some(digest) = digest {
                return Ok(Some((key, digest)));
            }
        }
    }
}

fn changed(rows: &mut rusqlite::Rows<'_>) -> Result<Option<(Vec<u8>, Option<[u8; 32]>)>> {
    match rows.next()? {
        Some(row) => Ok(Some((row.get(0)?, digest_of(row, 1)?))),
        None => Ok(None),
    }
}

fn digest_of(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<[u8; 32]>> {
    let digest = row.get_ref(at)?.as_blob()?;
    match digest {
        [] => Ok(None),
        _ => row.get(at).map(Some),
    }
}

impl State {
    /// For [`Self::copy`].
    pub fn copy_statement(&self) -> Result<CachedStatement<'_>> {
        let text = "SELECT key, digest FROM copy WHERE key >= ?1 ORDER BY key";
        Ok(self.db.prepare_cached(text)?)
    }

    /// Everything that was sent, from this key on.
    pub fn copy<'c>(&self, statement: &'c mut Statement<'_>, from: Option<&[u8]>) -> Result<Copy<'c>> {
        // Every key is greater than none.
        let mut rows = statement.query([from.unwrap_or_default()])?;
        let mut base = match &*self.base.borrow() {
            Some(base) => Some(base.from(from)?),
            None => None,
        };
        Ok(Copy {
            changed_next: changed(&mut rows)?,
            changed: rows,
            base_next: base.as_mut().map_or(Ok(None), base::Rows::next)?,
            base,
        })
    }

    /// The digest sent for a key.
    pub fn sent(&self, key: &[u8]) -> Result<Option<[u8; 32]>> {
        let mut statement = self.db.prepare_cached("SELECT digest FROM copy WHERE key = ?1")?;
        let changed = statement.query_row([key], |row| digest_of(row, 0)).optional()?;
        match (changed, &*self.base.borrow()) {
            (Some(digest), _) => Ok(digest),
            (None, Some(base)) => base.get(key),
            (None, None) => Ok(None),
        }
    }

    /// Digest of a range of keys as it was sent, for reconciliation: from inclusive, to exclusive.
    pub fn range_digest(&self, from: Option<&[u8]>, to: Option<&[u8]>) -> Result<(SetDigest, u64)> {
        let (mut sum, mut records) = (SetDigest::default(), 0);
        self.each(from, to, |(_, digest)| {
            sum.add(&digest);
            records += 1;
        })?;
        Ok((sum, records))
    }

    /// The first keys of a range, so many at most.
    pub fn keys(&self, from: Option<&[u8]>, to: Option<&[u8]>, most: usize) -> Result<Vec<Vec<u8>>> {
        let mut statement = self.copy_statement()?;
        let mut copy = self.copy(&mut statement, from)?;
        let mut keys = Vec::new();
        while keys.len() < most
            && let Some((key, _)) = copy.next()?
            && to.is_none_or(|to| *key < *to)
        {
            keys.push(key);
        }
        Ok(keys)
    }

    /// Gives what was sent of a range of keys.
    fn each(&self, from: Option<&[u8]>, to: Option<&[u8]>, mut take: impl FnMut(Sent)) -> Result<()> {
        let mut statement = self.copy_statement()?;
        let mut copy = self.copy(&mut statement, from)?;
        while let Some(sent) = copy.next()? {
            if to.is_some_and(|to| *sent.0 >= *to) {
                break;
            }
            take(sent);
        }
        Ok(())
    }

    /// Sets one key.
    pub(super) fn set(&self, key: &[u8], now: Option<&[u8; 32]>) -> Result<()> {
        let is_in_base = || self.base.borrow().is_some();
        match now {
            None if !is_in_base() => self
                .db
                .prepare_cached("DELETE FROM copy WHERE key = ?1")?
                .execute([key])?,
            now => self
                .db
                .prepare_cached("INSERT OR REPLACE INTO copy VALUES (?1, ?2)")?
                .execute(params![key, now.map_or(GONE, |digest| &digest[..])])?,
        };
        Ok(())
    }

    /// Sets one key and keeps the sum.
    pub(super) fn put(
        &self,
        sum: &mut SetDigest,
        records: &mut u64,
        key: &[u8],
        now: Option<&[u8; 32]>,
    ) -> Result<()> {
        if let Some(before) = self.sent(key)? {
            sum.remove(&before);
            *records = records.saturating_sub(1);
        }
        if let Some(now) = now {
            sum.add(now);
            *records += 1;
        }
        self.set(key, now)
    }

    /// The file of what the first package brought, as noted.
    pub(super) fn noted_base(&self) -> Result<Option<Base>> {
        match self.meta(super::BASE)? {
            Some(n) => Base::open(&self.base_path(n.parse().unwrap_or(0))).map(Some),
            None => Ok(None),
        }
    }
}
