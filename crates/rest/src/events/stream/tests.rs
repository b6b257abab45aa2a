use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use parking_lot::Mutex;

use super::*;

type Told = Vec<(Duration, Result<String, Problem>)>;

/// Answers in their order, each after a time; then nothing for as long as it is asked to wait.
#[derive(Clone, Default)]
struct Feed {
    answers: Arc<Mutex<VecDeque<(Duration, Result<String, Problem>)>>>,
    asked: Arc<Mutex<Vec<(Option<String>, u64)>>>,
    ending: Arc<AtomicBool>,
}

impl Feed {
    fn of(told: Told) -> Self {
        Self {
            answers: Arc::new(Mutex::new(told.into())),
            ..Self::default()
        }
    }
}

impl Ask for Feed {
    fn page(&self, after: Option<String>, wait_s: u64) -> Asked {
        let feed = self.clone();
        Box::pin(async move {
            feed.asked.lock().push((after, wait_s));
            let answer = feed.answers.lock().pop_front();
            let (time, answer) = answer.unwrap_or((Duration::from_secs(wait_s), Ok(page("", "idle"))));
            sleep(time).await;
            answer.map(String::into_bytes)
        })
    }
    fn is_ending(&self) -> bool {
        self.ending.load(SeqCst)
    }
    fn problem(&self, problem: &Problem) -> Vec<u8> {
        format!("{{\"code\":\"{}\"}}", problem.code).into()
    }
}

fn page(changes: &str, next: &str) -> String {
    format!("{{\"changes\":[{changes}],\"next\":\"{next}\",\"end\":true}}")
}

fn now(page: String) -> (Duration, Result<String, Problem>) {
    (Duration::ZERO, Ok(page))
}

/// Pieces up to the end or so many.
async fn taken(events: &mut Events<Feed>, most: usize) -> String {
    let mut text = String::new();
    for _ in 0..most {
        match events.next().await {
            Some(piece) => text.push_str(std::str::from_utf8(&piece).unwrap()),
            None => return text + "END",
        }
    }
    text
}

#[tokio::test(start_paused = true)]
async fn a_page_is_an_event_and_an_idle_stream_beats() {
    let one = page("1", "b");
    let told = vec![now(page("", "a")), (Duration::from_secs(31), Ok(one.clone()))];
    let feed = Feed::of(told);
    let mut events = Events::begin(feed.clone()).await.unwrap();
    let text = taken(&mut events, 9).await;
    let first = page("", "a");
    assert_eq!(
        text,
        format!(
            "retry: 3000\n\nevent: changes\nid: a\ndata: {first}\n\n:\n\n:\n\n\
             event: changes\nid: b\ndata: {one}\n\n"
        )
    );
    let asked = feed.asked.lock().clone();
    assert_eq!(asked, [(None, 0), (Some("a".to_owned()), 60)]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_stream_tells_no_page_and_ends_after_ten_minutes() {
    let feed = Feed::of(vec![now(page("", "a"))]);
    let began = Instant::now();
    let mut events = Events::begin(feed.clone()).await.unwrap();
    let text = taken(&mut events, 1_000).await;
    assert_eq!(text.matches("event:").count(), 1, "{text}");
    assert!(text.ends_with(":\n\nEND"), "{text}");
    let lasted = began.elapsed();
    assert!(lasted >= LASTS && lasted < LASTS + HEARTBEAT, "{lasted:?}");
    let beats = text.matches(":\n\n").count() as u64;
    assert!((39..=41).contains(&beats), "{beats}");
    assert_eq!(feed.asked.lock().len(), 11, "one call a minute");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_and_ends_the_stream() {
    let refused = Problem::new(403, "permission_suspended", "x");
    let feed = Feed::of(vec![now(page("1", "a")), (Duration::ZERO, Err(refused.clone()))]);
    let mut events = Events::begin(feed).await.unwrap();
    let text = taken(&mut events, 100).await;
    assert!(
        text.ends_with("event: problem\ndata: {\"code\":\"permission_suspended\"}\n\nEND"),
        "{text}"
    );
    let feed = Feed::of(vec![(Duration::ZERO, Err(refused))]);
    let problem = Events::begin(feed).await.err().unwrap();
    assert_eq!(
        problem.code, "permission_suspended",
        "the first page refuses the call"
    );
}

#[tokio::test(start_paused = true)]
async fn more_pages_than_calls_allowed_wait_and_lose_nothing() {
    let limited = Problem::new(429, "rate_limited", "x").retry_after(2);
    let feed = Feed::of(vec![
        now(page("1", "a")),
        (Duration::ZERO, Err(limited)),
        now(page("2", "b")),
    ]);
    let began = Instant::now();
    let mut events = Events::begin(feed.clone()).await.unwrap();
    let text = taken(&mut events, 7).await;
    assert!(
        text.ends_with(&format!("id: b\ndata: {}\n\n", page("2", "b"))),
        "{text}"
    );
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    let asked: Vec<_> = feed.asked.lock().iter().map(|(after, _)| after.clone()).collect();
    assert_eq!(asked, [None, Some("a".to_owned()), Some("a".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_before_the_page_before_is_taken() {
    let feed = Feed::of((0..5).map(|at| now(page("1", &at.to_string()))).collect());
    let mut events = Events::begin(feed.clone()).await.unwrap();
    taken(&mut events, 4).await;
    assert_eq!(feed.asked.lock().len(), 1, "the first page and no other");
    taken(&mut events, 1).await;
    assert_eq!(feed.asked.lock().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_stops_ends_its_streams() {
    let feed = Feed::of(vec![now(page("1", "a")), now(page("", "b"))]);
    let mut events = Events::begin(feed.clone()).await.unwrap();
    feed.ending.store(true, SeqCst);
    let text = taken(&mut events, 100).await;
    assert!(text.ends_with("\n\nEND"), "{text}");
    assert_eq!(text.matches("event:").count(), 1);
    assert_eq!(feed.asked.lock().len(), 1, "no other page is asked for");
}

#[test]
fn a_cursor_is_read_from_the_end_of_its_page() {
    assert_eq!(
        next_of(page("\",\\\"next\\\":\\\"x\\\"\"", "a-_1").as_bytes()).as_deref(),
        Some("a-_1")
    );
    for other in [
        "",
        "{}",
        "{\"changes\":[],\"next\":null,\"end\":true}",
        "{\"x\":\"a\",\"end\":true}",
    ] {
        assert_eq!(next_of(other.as_bytes()), None, "{other}");
    }
}
