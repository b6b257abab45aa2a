//! The stream itself: pages, heartbeats and its end. It asks for a page only when the one before is wholly taken, so
//! that a slow reader holds no more than one.

use std::{collections::VecDeque, future::Future, pin::Pin, time::Duration};

use bytes::Bytes;
use dagr_app::{changes::MAX_WAIT_S, problem::Problem};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep};

/// Between two pieces at most: proxies and readers see that the stream lives.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// A stream ends by itself after this long; the reader goes on where it was.
pub const LASTS: Duration = Duration::from_mins(10);
/// What the reader is told first: how long to wait before it asks again.
const RETRY: &[u8] = b"retry: 3000\n\n";
const BEAT: &[u8] = b":\n\n";

/// A page's JSON, on one line.
pub type Asked = Pin<Box<dyn Future<Output = Result<Vec<u8>, Problem>> + Send>>;

/// Where pages come from.
pub trait Ask {
    /// The page after a cursor, which waits so many seconds at most for something visible. `None`: the first.
    fn page(&self, after: Option<String>, wait_s: u64) -> Asked;
    /// The program is stopping.
    fn is_ending(&self) -> bool;
    /// A problem as JSON on one line.
    fn problem(&self, problem: &Problem) -> Vec<u8>;
}

pub struct Events<A> {
    ask: A,
    after: Option<String>,
    asked: Option<Asked>,
    pieces: VecDeque<Bytes>,
    until: Instant,
    beat: Interval,
    ended: bool,
}

impl<A: Ask> Events<A> {
    /// Asks for the first page, which is an event even where it is empty: it holds a cursor.
    pub async fn begin(ask: A) -> Result<Self, Problem> {
        let page = ask.page(None, 0).await?;
        let now = Instant::now();
        let mut beat = interval_at(now + HEARTBEAT, HEARTBEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut events = Self {
            ask,
            after: None,
            asked: None,
            pieces: VecDeque::from([Bytes::from_static(RETRY)]),
            until: now + LASTS,
            beat,
            ended: false,
        };
        events.put(page, true);
        Ok(events)
    }

    /// The next piece of the body; `None`: the stream has ended.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                self.beat.reset();
                return Some(piece);
            }
            if self.ended {
                return None;
            }
            let asked = match &mut self.asked {
                Some(asked) => asked,
                None => {
                    let next = self.ask_next(Duration::ZERO)?;
                    self.asked.insert(next)
                }
            };
            tokio::select! {
                biased;
                answer = asked => {
                    self.asked = None;
                    self.take(answer);
                }
                _ = self.beat.tick() => return Some(Bytes::from_static(BEAT)),
            }
        }
    }

    /// Asks for what comes next, after a pause; `None`: it is time to end.
    fn ask_next(&self, pause: Duration) -> Option<Asked> {
        let left = self.until.saturating_duration_since(Instant::now() + pause);
        if left.is_zero() || self.ask.is_ending() {
            return None;
        }
        let wait_s = left.as_secs().clamp(1, MAX_WAIT_S);
        let asked = self.ask.page(self.after.clone(), wait_s);
        if pause.is_zero() {
            return Some(asked);
        }
        Some(Box::pin(async move {
            sleep(pause).await;
            asked.await
        }))
    }

    fn take(&mut self, answer: Result<Vec<u8>, Problem>) {
        match answer {
            Ok(page) => self.put(page, false),
            // Pages follow each other faster than the permission allows calls: the next one waits.
            Err(problem) if problem.code == "rate_limited" => {
                let pause = Duration::from_secs(problem.retry_after_s.unwrap_or(1).max(1));
                self.asked = self.ask_next(pause);
                self.ended = self.asked.is_none();
            }
            Err(problem) => self.refuse(&problem),
        }
    }

    fn put(&mut self, page: Vec<u8>, empty_too: bool) {
        let Some(next) = next_of(&page) else {
            self.refuse(&Problem::internal("a page of changes without its cursor"));
            return;
        };
        if empty_too || !page.starts_with(EMPTY) {
            self.event("changes", Some(&next), page);
        }
        self.after = Some(next);
    }

    fn refuse(&mut self, problem: &Problem) {
        let told = self.ask.problem(problem);
        self.event("problem", None, told);
        self.ended = true;
    }

    fn event(&mut self, name: &str, id: Option<&str>, data: Vec<u8>) {
        let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
        self.pieces.extend([
            format!("event: {name}\n{id}data: ").into(),
            data.into(),
            Bytes::from_static(b"\n\n"),
        ]);
    }
}

const EMPTY: &[u8] = b"{\"changes\":[]";

/// The cursor of a page: its last member but one, `…],"next":"CURSOR","end":…}`.
fn next_of(page: &[u8]) -> Option<String> {
    let text = page
        .strip_suffix(b",\"end\":true}")
        .or_else(|| page.strip_suffix(b",\"end\":false}"))?;
    let text = text.strip_suffix(b"\"")?;
    let begins = text.iter().rposition(|byte| *byte == b'"')? + 1;
    if !text[..begins].ends_with(b",\"next\":\"") {
        return None;
    }
    String::from_utf8(text[begins..].to_vec()).ok()
}

#[cfg(test)]
mod tests;
