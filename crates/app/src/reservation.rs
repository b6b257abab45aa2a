//! Uses taken before a read. Dropped before it is settled, everything is given back; settled, only the surplus.

use std::sync::Arc;

use dagr_model::permission::QuotaUnit;

use crate::{admit::Admission, catalog::Held, problem::Problem};

pub struct Reservation {
    held: Option<Arc<Held>>,
    pub taken: u64,
    per_record: bool,
}

impl Admission {
    /// Reserves for `keys` keys asked: all or nothing.
    pub fn reserve_keys(&self, keys: u64) -> Result<Reservation, Problem> {
        self.reserve(keys, keys)
    }

    /// Reserves for a page: its records where they count, cut to what is left.
    pub fn reserve_page(&self, limit: u64) -> Result<Reservation, Problem> {
        let per_record = self.held.permission.quota_unit == QuotaUnit::Record && !self.open;
        let mut reservation = self.reserve(if per_record { limit } else { 1 }, 1)?;
        reservation.per_record = per_record;
        Ok(reservation)
    }

    fn reserve(&self, wanted: u64, least: u64) -> Result<Reservation, Problem> {
        if self.open {
            return Ok(Reservation {
                held: None,
                taken: wanted,
                per_record: false,
            });
        }
        let quota = self.held.permission.quota;
        let taken = self.held.usage.reserve(quota, wanted, least).ok_or_else(|| {
            let left = self.held.usage.left(quota).unwrap_or(0);
            Problem::new(
                403,
                "permission_exhausted",
                format!("{left} uses are left under the permission's quota"),
            )
        })?;
        Ok(Reservation {
            held: Some(Arc::clone(&self.held)),
            taken,
            per_record: false,
        })
    }
}

impl Reservation {
    /// The most records a page may give.
    pub fn cut(&self, limit: u64) -> u64 {
        if self.per_record {
            limit.min(self.taken)
        } else {
            limit
        }
    }

    /// What a page of `count` records uses; the rest is given back.
    pub fn settle_page(self, count: u64) -> u64 {
        let used = if self.per_record { count.max(1) } else { 1 };
        self.settle(used)
    }

    /// Uses `used` of what was taken.
    pub fn settle(mut self, used: u64) -> u64 {
        if let Some(held) = self.held.take() {
            held.usage.release(self.taken.saturating_sub(used));
        }
        used
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            held.usage.release(self.taken);
        }
    }
}
