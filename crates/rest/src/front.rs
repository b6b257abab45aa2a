//! The door of the data port: the call that comes most often goes straight to its handler.
//!
//! A router matches, boxes and clones for each call; for one record by its key that costs more than the record does.
//! So `GET /data/{set}/records/{key}…` skips it, and only it: handler, frame and limits are the same.

use std::{
    convert::Infallible,
    future::{Future, ready},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, HttpBody},
    response::{IntoResponse, Response},
};
use dagr_app::App;
use dagr_web::{
    Rejected, caller,
    context::{Frame, Web},
};
use http::{HeaderMap, Method, Request, header};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{Service, ServiceExt, service_fn};
use tower_http::compression::Compression;

use crate::{data, routes};

/// Its template, as the router has it.
const RECORD: &str = "/data/{set}/records/{*key}";

/// Everything the data port serves.
#[derive(Clone)]
pub struct Front(Arc<Inner>);

struct Inner {
    web: Web,
    router: Router,
    /// At most so many requests are worked on at once; more wait their turn.
    permits: Arc<Semaphore>,
}

/// The right to be worked on. A call that waits gives it back: what it waits with is counted by itself.
#[derive(Clone)]
pub(crate) struct Permit(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Permit {
    pub fn give_back(&self) {
        self.0.lock().take();
    }
}

impl Front {
    /// `beside`: what else stands on the data port, under paths of its own.
    pub fn new(app: Arc<App>, concurrent_requests: usize, beside: Router) -> Self {
        let permits = Semaphore::new(concurrent_requests.clamp(1, Semaphore::MAX_PERMITS));
        Self(Arc::new(Inner {
            router: routes::router(app.clone()).merge(beside),
            web: Web { app },
            permits: Arc::new(permits),
        }))
    }

    async fn answer<B>(self, mut request: Request<B>) -> Response
    where
        B: HttpBody<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        // Never closed: the permit is always given in the end.
        if is_record(request.method(), request.uri().path()) {
            let _permit = self.0.permits.acquire().await;
            return record(&self.0.web, &request).await;
        }
        let permit = Arc::clone(&self.0.permits).acquire_owned().await;
        // Held until the answer, whatever becomes of the request.
        let permit = Permit(Arc::new(Mutex::new(permit.ok())));
        request.extensions_mut().insert(permit.clone());
        let mut router = self.0.router.clone();
        // Boxed, as below: what is moved for each call is as large as the largest way through here.
        let Ok(response) = Box::pin(router.call(request.map(Body::new))).await;
        permit.give_back();
        response
    }
}

/// `/data/{set}/records/{key}…`, written as the router would take it.
fn is_record(method: &Method, path: &str) -> bool {
    let behind = path.strip_prefix("/data/").and_then(|path| path.split_once('/'));
    let key = behind.and_then(|(set, rest)| rest.strip_prefix("records/").filter(|_| !set.is_empty()));
    *method == Method::GET && key.is_some_and(|key| !key.is_empty())
}

async fn record<B>(web: &Web, request: &Request<B>) -> Response {
    let frame = Frame::begin(request.method(), request.headers());
    let answer = record_answer(web, request, &frame).await;
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    frame.end(RECORD, &mut response);
    if response.body().size_hint().lower() < routes::COMPRESS_ABOVE_BYTES {
        return response;
    }
    Box::pin(compressed(request.headers(), response)).await
}

async fn record_answer<B>(web: &Web, request: &Request<B>, frame: &Frame) -> Result<Response, Rejected> {
    let ctx = caller::context(request.headers(), frame.id().clone(), web).await?;
    data::record_answer(web, &ctx, request.uri(), request.headers()).await
}

/// A large answer as the router's compression would send it.
async fn compressed(headers: &HeaderMap, response: Response) -> Response {
    let mut request = Request::new(());
    for accepted in headers.get_all(header::ACCEPT_ENCODING) {
        request
            .headers_mut()
            .append(header::ACCEPT_ENCODING, accepted.clone());
    }
    if request.headers().is_empty() {
        return response;
    }
    let mut response = Some(response);
    let given =
        service_fn(move |_: Request<()>| ready(Ok::<_, Infallible>(response.take().unwrap_or_default())));
    let Ok(response) = Compression::new(given).oneshot(request).await;
    response.map(Body::new)
}

impl<B> Service<Request<B>> for Front
where
    B: HttpBody<Data = bytes::Bytes> + Send + Sync + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let front = self.clone();
        Box::pin(async move { Ok(front.answer(request).await) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_record_by_its_key_skips_the_router() {
        let get = |path| is_record(&Method::GET, path);
        assert!(get("/data/pets/records/1") && get("/data/pets/records/a%2Fb/c"));
        for path in [
            "/data/pets/records",
            "/data/pets/records/",
            "/data//records/1",
            "/data/pets/changes/died",
            "/sandbox/pets/records/1",
            "/data/pets/recordsx/1",
            "/registry/data/pets/records/1",
        ] {
            assert!(!get(path), "{path}");
        }
        assert!(!is_record(&Method::HEAD, "/data/pets/records/1"));
        assert!(!is_record(&Method::POST, "/data/pets/records/1"));
    }

    #[tokio::test]
    async fn a_large_answer_is_compressed_when_asked() {
        let answer = |len| Response::new(Body::from(vec![b'a'; len]));
        let mut headers = HeaderMap::new();
        let plain = compressed(&headers, answer(100_000)).await;
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        headers.insert(header::ACCEPT_ENCODING, "zstd".parse().unwrap());
        let large = compressed(&headers, answer(100_000)).await;
        assert_eq!(large.headers()[header::CONTENT_ENCODING], "zstd");
    }
}
