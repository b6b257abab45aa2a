//! One request's frame: its id, its log line, its metrics, the body of its problem.

use std::{cell::RefCell, collections::HashMap, sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use dagr_app::App;
use dagr_model::ids::RequestId;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use metrics::{Counter, Histogram};

use crate::problem;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A caller's own request id is taken if it is printable and no longer.
const MAX_REQUEST_ID: usize = 128;

/// State of every surface.
#[derive(Clone)]
pub struct Web {
    pub app: Arc<App>,
}

/// The request's id, in its extensions.
#[derive(Debug, Clone)]
pub struct Id(pub RequestId);

/// What is begun with a request and ended with its response. Routes are logged and measured by their template: a key
/// is in neither.
#[derive(Debug)]
pub struct Frame {
    id: RequestId,
    method: Method,
    began: Instant,
}

impl Frame {
    pub fn begin(method: &Method, headers: &HeaderMap) -> Self {
        let began = Instant::now();
        let id = headers
            .get(REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|text| !text.is_empty() && text.len() <= MAX_REQUEST_ID)
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()))
            .map_or_else(new_id, RequestId::new);
        Self {
            id,
            method: method.clone(),
            began,
        }
    }

    pub fn id(&self) -> &RequestId {
        &self.id
    }

    /// Writes the body of a problem, names the request, logs and measures. `route` must live as long as the program.
    pub fn end(self, route: &str, response: &mut Response) {
        let Self { id, method, began } = self;
        let pending = response.extensions_mut().remove::<problem::Pending>();
        if let Some(pending) = &pending {
            problem::write(response, &pending.0, id.as_str());
        }
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        let status = response.status().as_u16();
        let code = pending.as_ref().map_or("", |pending| pending.0.code);
        let took = began.elapsed();
        tracing::debug!(%method, route, status, code, request_id = id.as_str(), ms = took.as_millis() as u64);
        measure(route, status, took.as_secs_f64());
    }
}

/// Outermost middleware of the router.
pub async fn frame(mut request: Request, next: Next) -> Response {
    let frame = Frame::begin(request.method(), request.headers());
    let route = request.extensions().get::<MatchedPath>().cloned();
    request.extensions_mut().insert(Id(frame.id().clone()));
    let mut response = next.run(request).await;
    frame.end(route.as_ref().map_or("-", MatchedPath::as_str), &mut response);
    response
}

type Counters = HashMap<(usize, u16), Counter>;

/// Counters by route and status, kept a thread each: looking one up by its labels costs more than a record does.
fn measure(route: &str, status: u16, seconds: f64) {
    thread_local! {
        static COUNTERS: RefCell<Counters> = RefCell::default();
        static SECONDS: Histogram = metrics::histogram!("dagr_http_request_seconds");
    }
    // A route's template lives as long as the router: its address is its name.
    let key = (route.as_ptr() as usize, status);
    COUNTERS.with_borrow_mut(|counters| {
        let counter = counters.entry(key).or_insert_with(|| {
            let labels = [("route", route.to_owned()), ("status", status.to_string())];
            metrics::counter!("dagr_http_requests_total", &labels)
        });
        counter.increment(1);
    });
    SECONDS.with(|histogram| histogram.record(seconds));
}

/// Time-ordered and unguessable enough for a log: UUID-like, from the clock and a counter.
fn new_id() -> RequestId {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    // One length, so that answers to two callers differ in no length.
    let id = u128::from(now.as_micros() as u64) << 40 | u128::from(count & 0xff_ffff_ffff);
    let mut text = [0; 24];
    for (digit, nibble) in text.iter_mut().zip((0..24).rev()) {
        *digit = b"0123456789abcdef"[(id >> (nibble * 4)) as usize & 15];
    }
    RequestId::new(std::str::from_utf8(&text).unwrap_or("-"))
}
