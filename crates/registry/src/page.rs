//! Pages and versions of rows.

use serde::Serialize;

use crate::{RegistryError, Result};

/// The longest page; a larger `limit` is cut to it.
pub const MAX_PAGE: u32 = 10_000;

/// A value and the version of its row, which stands behind its `ETag`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Versioned<T> {
    pub value: T,
    /// Starts at 1 and grows with every change.
    pub version: i64,
}

impl<T> Versioned<T> {
    /// Refuses when the caller saw another version than the present one.
    pub fn expect(self, expected: Option<i64>) -> Result<Self> {
        match expected {
            Some(version) if version != self.version => Err(RegistryError::Precondition),
            _ => Ok(self),
        }
    }
}

/// One page. `next` is what to hand in as `after` for the next one: null if and only if there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// From up to `limit + 1` rows: the surplus one only tells that there is more.
    pub(crate) fn cut(mut items: Vec<T>, limit: u32, token: impl Fn(&T) -> String) -> Self {
        let limit = bounded(limit);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(token) } else { None };
        Self { items, next }
    }

    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next: self.next,
        }
    }
}

fn bounded(limit: u32) -> usize {
    limit.clamp(1, MAX_PAGE) as usize
}

/// Rows to ask the database for.
pub(crate) fn fetch(limit: u32) -> i64 {
    i64::from(limit.clamp(1, MAX_PAGE)) + 1
}

/// Reads the token of a list that is ordered by a number.
pub(crate) fn number_token(after: Option<&str>) -> Result<Option<i64>> {
    after
        .map(|text| {
            text.parse().map_err(|_| {
                RegistryError::fault(
                    "after",
                    "page_token",
                    "use `next` of the page before as it stands",
                )
            })
        })
        .transpose()
}
