//! What is fetched from the provider and kept for a while: its metadata, its keys.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::failure::Failure;

/// Keys that were withdrawn are believed for no longer.
const FRESH_S: i64 = 3_600;
/// After a failure the provider is left alone for so long.
const PAUSE_S: i64 = 3;
/// A key nobody knows makes us ask again, once in so long.
const RENEW_S: i64 = 30;

pub struct Kept<T> {
    inner: Mutex<Inner<T>>,
    /// Fetches that ended.
    fetched: AtomicU64,
}

struct Inner<T> {
    value: Option<(Arc<T>, Timestamp)>,
    failed: Option<(Failure, Timestamp)>,
    renewed: Option<Timestamp>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            inner: Mutex::new(Inner {
                value: None,
                failed: None,
                renewed: None,
            }),
            fetched: AtomicU64::new(0),
        }
    }
}

impl<T> Kept<T> {
    /// The value, fetched if there is none or it is old. Held while fetching, so that many who ask at once make one
    /// call; it ends by its own time limit, and whoever waited for it takes its outcome.
    pub async fn get<F>(&self, now: Timestamp, fetch: impl FnOnce() -> F) -> Result<Arc<T>, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let before = self.fetched.load(Ordering::Acquire);
        let mut inner = self.inner.lock().await;
        let waited = self.fetched.load(Ordering::Acquire) != before;
        if let Some((value, at)) = &inner.value
            && within(*at, now, FRESH_S)
        {
            return Ok(Arc::clone(value));
        }
        if let Some((failure, at)) = &inner.failed
            && (waited || within(*at, now, PAUSE_S))
        {
            return Err(failure.clone());
        }
        self.fetch(&mut inner, now, fetch).await
    }

    /// What is there now lacks something: fetches again, unless that was done a moment ago.
    pub async fn renew<F>(
        &self,
        lacking: &Arc<T>,
        now: Timestamp,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<T>, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut inner = self.inner.lock().await;
        if let Some((value, _)) = &inner.value {
            let renewed_meanwhile = !Arc::ptr_eq(value, lacking);
            let just_now = inner.renewed.is_some_and(|at| within(at, now, RENEW_S));
            if renewed_meanwhile || just_now {
                return Ok(Arc::clone(value));
            }
        }
        inner.renewed = Some(now);
        self.fetch(&mut inner, now, fetch).await
    }

    async fn fetch<F>(
        &self,
        inner: &mut Inner<T>,
        now: Timestamp,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<T>, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let outcome = fetch().await;
        self.fetched.fetch_add(1, Ordering::Release);
        match outcome {
            Ok(value) => {
                let value = Arc::new(value);
                inner.value = Some((Arc::clone(&value), now));
                inner.failed = None;
                Ok(value)
            }
            Err(failure) => {
                inner.failed = Some((failure.clone(), now));
                Err(failure)
            }
        }
    }
}

/// A clock that was set back makes everything old.
fn within(at: Timestamp, now: Timestamp, seconds: i64) -> bool {
    (0..seconds).contains(&(now.as_second() - at.as_second()))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    #[tokio::test]
    async fn the_provider_is_asked_as_seldom_as_may_be() {
        let (kept, calls) = (Kept::default(), Cell::new(0));
        let good = || {
            calls.set(calls.get() + 1);
            let made = calls.get();
            async move { Ok(made) }
        };
        assert_eq!(*kept.get(at(0), good).await.unwrap(), 1);
        let first = kept.get(at(FRESH_S - 1), good).await.unwrap();
        assert_eq!(*first, 1, "still fresh");
        let second = kept.renew(&first, at(FRESH_S - 1), good).await.unwrap();
        assert_eq!(*second, 2, "an unknown key asks at once");
        assert_eq!(
            *kept.renew(&first, at(FRESH_S - 1), good).await.unwrap(),
            2,
            "renewed meanwhile"
        );
        assert_eq!(
            *kept.renew(&second, at(FRESH_S), good).await.unwrap(),
            2,
            "not again so soon"
        );
        assert_eq!(*kept.get(at(3 * FRESH_S), good).await.unwrap(), 3, "old");
        assert_eq!(*kept.get(at(0), good).await.unwrap(), 4, "the clock was set back");
    }

    #[tokio::test]
    async fn a_failure_is_not_asked_for_again_at_once() {
        let (kept, calls) = (Kept::<u8>::default(), Cell::new(0));
        let bad = || {
            calls.set(calls.get() + 1);
            async { Err(Failure::Unavailable("down".to_owned())) }
        };
        for second in [0, 0, PAUSE_S - 1] {
            assert!(kept.get(at(second), bad).await.is_err());
        }
        assert_eq!(calls.get(), 1);
        assert!(kept.get(at(PAUSE_S), bad).await.is_err());
        assert_eq!(calls.get(), 2);
        assert!(kept.get(at(2 * PAUSE_S), || async { Ok(1) }).await.is_ok());
    }

    #[tokio::test]
    async fn who_waits_for_a_provider_that_is_down_waits_once() {
        let (kept, calls) = (Kept::<u8>::default(), Cell::new(0));
        let slow = || {
            calls.set(calls.get() + 1);
            async {
                tokio::task::yield_now().await;
                Err(Failure::Unavailable("down".to_owned()))
            }
        };
        // The first fetch is long: the others came much later than it began.
        let (first, second, third) = tokio::join!(
            kept.get(at(0), slow),
            kept.get(at(2 * PAUSE_S), slow),
            kept.get(at(4 * PAUSE_S), slow)
        );
        assert!(first.is_err() && second.is_err() && third.is_err());
        assert_eq!(calls.get(), 1);
    }
}
