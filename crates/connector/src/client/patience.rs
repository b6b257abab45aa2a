//! A call on which nothing moves any more is given up: a network that was cut closes no connection.

use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use http_body_util::BodyExt;
use reqwest::Body;
use tokio::time::{Instant, sleep_until};

/// How long nothing may move: longer than a server takes over the largest package it has read.
pub(super) const IDLE: Duration = Duration::from_mins(5);

/// When something last moved on a call.
#[derive(Clone)]
pub(super) struct Moved(Arc<Mutex<Instant>>);

impl Moved {
    pub(super) fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    pub(super) fn again(&self) {
        if let Ok(mut at) = self.0.lock() {
            *at = Instant::now();
        }
    }

    fn at(&self) -> Instant {
        self.0.lock().map_or_else(|broken| *broken.into_inner(), |at| *at)
    }

    /// The body, telling of each piece that is taken from it.
    pub(super) fn told_by(&self, body: Body) -> Body {
        if body.as_bytes().is_some() {
            return body;
        }
        let moved = self.clone();
        Body::wrap(body.map_frame(move |frame| {
            moved.again();
            frame
        }))
    }
}

/// `None`: nothing moved for so long.
pub(super) async fn patient<T>(idle: Duration, moved: &Moved, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    loop {
        let until = moved.at() + idle;
        tokio::select! {
            biased;
            done = &mut call => return Some(done),
            () = sleep_until(until) => {
                if moved.at() + idle <= Instant::now() {
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_lasts_as_long_as_it_moves() {
        let (idle, moved) = (Duration::from_secs(10), Moved::now());
        let began = Instant::now();
        let slow = async {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(9)).await;
                moved.again();
            }
            pending::<()>().await;
        };
        assert_eq!(patient(idle, &moved, slow).await, None);
        assert_eq!(began.elapsed().as_secs(), 5 * 9 + 10);
        assert_eq!(patient(idle, &Moved::now(), async { 1 }).await, Some(1));
    }
}
