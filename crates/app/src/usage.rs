//! What a permission has used: uses under its quota, its rate, its misses.
//!
//! Uses are reserved here before a read and settled by the disclosure entry; the log is the truth after a restart.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;

const HOUR_MS: i64 = 3_600_000;
/// Misses an hour when the permission names no limit.
pub const DEFAULT_MISSES_PER_HOUR: u32 = 1_000;

/// Counters of one permission, shared by all its revisions.
#[derive(Debug, Default)]
pub struct Usage {
    taken: AtomicU64,
    rate: Mutex<Rate>,
    misses: Mutex<Misses>,
    last_use_ms: AtomicU64,
}

#[derive(Debug, Default)]
struct Rate {
    second: i64,
    count: u32,
}

/// Misses of the last hour, by minute: bounded whatever the limit.
#[derive(Debug, Default)]
struct Misses {
    minutes: VecDeque<(i64, u32)>,
    noticed_ms: i64,
}

impl Usage {
    pub fn starting_at(taken: u64) -> Self {
        Self {
            taken: AtomicU64::new(taken),
            ..Self::default()
        }
    }

    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Acquire)
    }

    pub fn left(&self, quota: Option<u64>) -> Option<u64> {
        quota.map(|quota| quota.saturating_sub(self.taken()))
    }

    /// Takes `wanted` uses, or fewer (at least `least`) if the quota has no more; `None` = not even `least` is left.
    pub fn reserve(&self, quota: Option<u64>, wanted: u64, least: u64) -> Option<u64> {
        let mut granted = wanted;
        self.taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
                let left = quota.map_or(u64::MAX, |quota| quota.saturating_sub(taken));
                granted = wanted.min(left);
                (granted >= least).then(|| taken.saturating_add(granted))
            })
            .ok()
            .map(|_| granted)
    }

    /// Gives back what was reserved for a page and found nothing to be used for.
    pub fn release(&self, surplus: u64) {
        self.taken.fetch_sub(surplus, Ordering::AcqRel);
    }

    /// One more request this second?
    pub fn within_rate(&self, per_second: Option<u32>, now_ms: i64) -> bool {
        let Some(limit) = per_second else { return true };
        let mut rate = self.rate.lock();
        let second = now_ms.div_euclid(1_000);
        if rate.second != second {
            *rate = Rate { second, count: 0 };
        }
        rate.count = rate.count.saturating_add(1);
        rate.count <= limit
    }

    /// Would one more request this second be too many?
    pub fn is_rate_reached(&self, per_second: Option<u32>, now_ms: i64) -> bool {
        let rate = self.rate.lock();
        per_second.is_some_and(|limit| rate.second == now_ms.div_euclid(1_000) && rate.count >= limit)
    }

    pub fn misses_left(&self, per_hour: Option<u32>, now_ms: i64) -> u32 {
        let limit = per_hour.unwrap_or(DEFAULT_MISSES_PER_HOUR);
        let mut misses = self.misses.lock();
        misses.forget(now_ms);
        limit.saturating_sub(misses.minutes.iter().map(|(_, count)| count).sum())
    }

    pub fn missed(&self, count: u32, now_ms: i64) {
        if count == 0 {
            return;
        }
        let mut misses = self.misses.lock();
        misses.forget(now_ms);
        let minute = now_ms.div_euclid(60_000);
        match misses.minutes.back_mut() {
            Some((last, sum)) if *last == minute => *sum = sum.saturating_add(count),
            _ => misses.minutes.push_back((minute, count)),
        }
    }

    /// Should the provider be told that the misses limit was reached? Once an hour.
    pub fn notice_due(&self, now_ms: i64) -> bool {
        let mut misses = self.misses.lock();
        let due = misses.noticed_ms == 0 || now_ms - misses.noticed_ms > HOUR_MS;
        if due {
            misses.noticed_ms = now_ms;
        }
        due
    }

    pub fn touch(&self, now_ms: i64) {
        self.last_use_ms.store(now_ms.max(0) as u64, Ordering::Relaxed);
    }

    pub fn last_use_ms(&self) -> Option<i64> {
        Some(self.last_use_ms.load(Ordering::Relaxed) as i64).filter(|ms| *ms > 0)
    }
}

impl Misses {
    fn forget(&mut self, now_ms: i64) {
        while self
            .minutes
            .front()
            .is_some_and(|(minute, _)| minute * 60_000 + HOUR_MS <= now_ms)
        {
            self.minutes.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_never_exceeded() {
        let usage = Usage::starting_at(3);
        assert_eq!(usage.reserve(Some(10), 5, 5), Some(5));
        assert_eq!(usage.reserve(Some(10), 5, 5), None, "a lookup is refused whole");
        assert_eq!(usage.reserve(Some(10), 5, 1), Some(2), "a page is cut");
        assert_eq!(usage.reserve(Some(10), 1, 1), None);
        usage.release(1);
        assert_eq!(usage.left(Some(10)), Some(1));
    }

    #[test]
    fn threads_share_one_quota() {
        let usage = Usage::default();
        let granted: u64 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        (0..1_000)
                            .filter(|_| usage.reserve(Some(500), 1, 1).is_some())
                            .count() as u64
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(granted, 500);
    }

    #[test]
    fn misses_are_of_the_last_hour() {
        let usage = Usage::default();
        usage.missed(999, 60_000);
        assert_eq!(usage.misses_left(None, 60_000), 1);
        usage.missed(1, 120_000);
        assert_eq!(usage.misses_left(None, 120_000), 0);
        assert_eq!(usage.misses_left(None, 60_000 + HOUR_MS), 999);
        assert!(usage.notice_due(5));
        assert!(!usage.notice_due(6));
    }

    #[test]
    fn a_rate_counts_by_the_second() {
        let usage = Usage::default();
        assert!((0..3).all(|_| usage.within_rate(Some(3), 1_500)));
        assert!(usage.is_rate_reached(Some(3), 1_999) && !usage.is_rate_reached(None, 1_999));
        assert!(!usage.within_rate(Some(3), 1_999));
        assert!(!usage.is_rate_reached(Some(3), 2_000));
        assert!(usage.within_rate(Some(3), 2_000));
    }
}
