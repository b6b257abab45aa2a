//! The change feed as server-sent events (WHATWG HTML, *Server-sent events*): a page an event, its cursor the id.
//!
//! A stream is the loop a reader would make itself: every page is admitted, decided, counted and entered as any other
//! call, under the token as it is then.

mod stream;

use axum::{body::Body, response::Response};
use dagr_app::{changes::ChangesQuery, ctx::Ctx, problem::Problem, streams::Stream};
use dagr_model::ids::Section;
use dagr_web::{Rejected, caller, context::Web, problem};
use futures_util::{StreamExt, stream::unfold};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use stream::{Ask, Asked, Events};

const EVENT_STREAM: &str = "text/event-stream";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A feed that is read as a stream.
pub struct Feed {
    pub section: Section,
    pub dataset: String,
    pub list: Option<String>,
    pub query: ChangesQuery,
}

/// Whether `Accept` names event streams.
pub fn wanted(headers: &HeaderMap) -> bool {
    let names = |part: &str| {
        let mut words = part.split(';').map(str::trim);
        let media = words.next().unwrap_or_default();
        let refused = words.any(|word| {
            word.strip_prefix("q=")
                .is_some_and(|q| q.trim_matches(['0', '.']).is_empty())
        });
        media.eq_ignore_ascii_case(EVENT_STREAM) && !refused
    };
    let accepted = headers.get_all(header::ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .any(|list| list.split(',').any(names))
}

/// The stream, once its first page is given: what refuses that answers as in any other call.
pub async fn answer(web: &Web, ctx: &Ctx, headers: &HeaderMap, mut feed: Feed) -> Result<Response, Rejected> {
    let stream = web.app.stream_begin(ctx, feed.section, &feed.dataset)?;
    if feed.query.wait_s.is_some() {
        return Err(Problem::query_invalid("wait", "leave it out: a stream waits by itself").into());
    }
    if let Some(last) = last_event_id(headers)? {
        // Whoever reconnects sends the address it began with, and the last event it saw.
        feed.query.after = Some(last);
    }
    let control = if stream.open { "no-cache" } else { "no-store" };
    let ask = Pages {
        web: web.clone(),
        headers: headers.clone(),
        ctx: ctx.clone(),
        feed,
        _stream: stream,
    };
    let events = Events::begin(ask).await?;
    let body = unfold(events, async |mut events| {
        let piece = events.next().await?;
        Some((Ok::<_, std::convert::Infallible>(piece), events))
    });
    let mut response = Response::new(Body::from_stream(body.boxed()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
    Ok(response)
}

/// An empty one is none, as the standard has it.
fn last_event_id(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    match value.to_str() {
        Ok("") => Ok(None),
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_) => Err(Problem::query_invalid("Last-Event-ID", "not the id of an event")),
    }
}

/// Pages of a feed, asked for as the first one was.
struct Pages {
    web: Web,
    headers: HeaderMap,
    ctx: Ctx,
    feed: Feed,
    _stream: Stream,
}

impl Ask for Pages {
    fn page(&self, after: Option<String>, wait_s: u64) -> Asked {
        let (web, headers, id) = (
            self.web.clone(),
            self.headers.clone(),
            self.ctx.request_id.clone(),
        );
        let (section, dataset) = (self.feed.section, self.feed.dataset.clone());
        let list = self.feed.list.clone();
        let query = ChangesQuery {
            after: after.or_else(|| self.feed.query.after.clone()),
            wait_s: Some(wait_s),
            ..self.feed.query.clone()
        };
        Box::pin(async move {
            // A token that has ended, or a connection withdrawn, ends the stream.
            let ctx = caller::context(&headers, id, &web)
                .await
                .map_err(|rejected| rejected.0)?;
            let given = match list {
                None => web.app.change_list(&ctx, section, &dataset, query).await?,
                Some(list) => web.app.event_list(&ctx, section, &dataset, &list, query).await?,
            };
            Ok(given.into_inner().body)
        })
    }

    fn is_ending(&self) -> bool {
        self.web.app.is_stopping()
    }

    fn problem(&self, problem: &Problem) -> Vec<u8> {
        problem::json(problem, self.ctx.request_id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stream_is_given_to_whoever_accepts_it() {
        let wants = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            wanted(&headers)
        };
        assert!(wants("text/event-stream"));
        assert!(wants("application/json, Text/Event-Stream;q=0.5"));
        for other in [
            "*/*",
            "text/*",
            "application/json",
            "text/event-stream;q=0",
            "text/event-stream; q=0.0",
        ] {
            assert!(!wants(other), "{other}");
        }
        assert!(!wanted(&HeaderMap::new()));
    }
}
