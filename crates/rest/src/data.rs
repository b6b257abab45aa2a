//! What recipients call: records, lookup, changes. One handler per call, the sandbox's twin included.

use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use dagr_app::{
    changes::ChangesQuery,
    ctx::Ctx,
    digest::{DigestRange, ToldDigest},
    lookup::Lookup,
    problem::Problem,
    record::RecordQuery,
    records::PageQuery,
    service::Service,
    streams::Wait,
};
use dagr_model::ids::Section;
use dagr_web::{Anyone, Query, Rejected, SignedIn, context::Web};
use http::{HeaderMap, Uri};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    answer, body,
    events::{self, Feed},
    front::Permit,
    path,
};

/// Section and data set of `/data/{set}/…` and `/sandbox/{set}/…`.
pub fn place(uri: &Uri) -> Result<(Section, String), Problem> {
    let mut segments = path::segments(uri.path()).into_iter();
    let section = match segments.next().flatten().as_deref() {
        Some("sandbox") => Section::Sandbox,
        _ => Section::Main,
    };
    Ok((section, segments.next().flatten().unwrap_or_default()))
}

/// `GET …/records[/{key}…]`
pub async fn record_get(State(web): State<Web>, ctx: Anyone, request: Request) -> Result<Response, Rejected> {
    record_answer(&web, &ctx, path::whole(&request), request.headers()).await
}

/// The answer of `record_get`, whichever way the request came in.
pub(crate) async fn record_answer(
    web: &Web,
    ctx: &Ctx,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response, Rejected> {
    let path::RecordPath {
        section,
        dataset,
        parts,
    } = path::RecordPath::read(uri.path());
    let full = parts
        .as_ref()
        .is_ok_and(|parts| web.app.is_full_key(section, &dataset, parts.len()));
    if full {
        let asked = parts.and_then(|parts| Ok((parts, record_query(uri)?)));
        let (parts, asked) = judged(web, ctx, uri, asked)?;
        let given = web.app.record_get(ctx, section, &dataset, &parts, asked).await?;
        return Ok(answer::json(given, headers));
    }
    let asked = parts.and_then(|parts| Ok((parts, page_query(uri)?)));
    let (parts, asked) = judged(web, ctx, uri, asked)?;
    // Boxed: its state is several times that of a look-up, which comes far more often.
    let given = Box::pin(web.app.record_list(ctx, section, &dataset, &parts, asked)).await?;
    Ok(answer::json(given, headers))
}

/// Who asks is judged before how it is written.
fn judged<T>(web: &Web, ctx: &Ctx, uri: &Uri, read: Result<T, Problem>) -> Result<T, Problem> {
    if read.is_err() {
        let (section, dataset) = place(uri)?;
        web.app.admit_only(ctx, section, &dataset)?;
    }
    read
}

fn record_query(uri: &Uri) -> Result<RecordQuery, Problem> {
    let mut query = Query::parse(uri.query())?;
    let asked = RecordQuery {
        fields: query.take_list("fields")?,
        as_of: query.take_time("as_of")?,
    };
    query.end()?;
    Ok(asked)
}

fn page_query(uri: &Uri) -> Result<PageQuery, Problem> {
    let mut query = Query::parse(uri.query())?;
    Ok(PageQuery {
        fields: query.take_list("fields")?,
        limit: query.take_number("limit")?,
        after: query.take("after")?,
        filters: query.rest(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LookupBody {
    keys: Vec<Map<String, Value>>,
    fields: Option<Vec<String>>,
}

/// `POST …/lookup`
pub async fn lookup(State(web): State<Web>, ctx: Anyone, request: Request) -> Result<Response, Rejected> {
    let (section, dataset) = place(path::whole(&request))?;
    // Who asks is judged before what is asked.
    web.app.admit_only(&ctx, section, &dataset)?;
    Query::parse(request.uri().query())?.end()?;
    let headers = request.headers().clone();
    let LookupBody { keys, fields } = body::json(request).await?;
    let given = web
        .app
        .lookup(&ctx, section, &dataset, Lookup { keys, fields })
        .await?;
    Ok(answer::json(given, &headers))
}

/// `GET …/definition`
pub async fn definition_get(
    State(web): State<Web>,
    ctx: Anyone,
    request: Request,
) -> Result<Response, Rejected> {
    let (section, dataset) = place(path::whole(&request))?;
    let given = web.app.granted_definition(&ctx, section, &dataset)?;
    Query::parse(request.uri().query())?.end()?;
    Ok(answer::definition(given, request.headers()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DigestBody {
    after: String,
    from: Option<Map<String, Value>>,
    to: Option<Map<String, Value>>,
    parts: Option<u64>,
    fields: Option<Vec<String>>,
}

/// `POST …/digest`
pub async fn digest(State(web): State<Web>, ctx: Anyone, request: Request) -> Result<Response, Rejected> {
    let (section, dataset) = place(path::whole(&request))?;
    // Who asks is judged before what is asked.
    web.app.admit_only(&ctx, section, &dataset)?;
    Query::parse(request.uri().query())?.end()?;
    let headers = request.headers().clone();
    let body: DigestBody = body::json_with(request, &["after"]).await?;
    let asked = ToldDigest {
        after: body.after,
        range: DigestRange {
            from: body.from,
            to: body.to,
            parts: body.parts,
        },
        fields: body.fields,
    };
    let given = web.app.told_digest(&ctx, section, &dataset, asked).await?;
    Ok(answer::json(given, &headers))
}

/// `GET …/changes` and `GET …/changes/{list}`
pub async fn change_list(
    State(web): State<Web>,
    ctx: Anyone,
    request: Request,
) -> Result<Response, Rejected> {
    let uri = path::whole(&request);
    let (section, dataset) = place(uri)?;
    let list = path::segments(uri.path()).into_iter().nth(3).flatten();
    let asked = judged(&web, &ctx, uri, changes_query(uri))?;
    if events::wanted(request.headers()) {
        let feed = Feed {
            section,
            dataset,
            list,
            query: asked,
        };
        return events::answer(&web, &ctx, request.headers(), feed).await;
    }
    let waits = asked.wait_s.is_some_and(|wait_s| wait_s > 0);
    let _wait = if waits {
        Some(wait_begin(&web, &ctx, section, &dataset, &request)?)
    } else {
        None
    };
    let given = match list {
        None => web.app.change_list(&ctx, section, &dataset, asked).await?,
        Some(list) => web.app.event_list(&ctx, section, &dataset, &list, asked).await?,
    };
    Ok(answer::json(given, request.headers()))
}

fn wait_begin(
    web: &Web,
    ctx: &Ctx,
    section: Section,
    dataset: &str,
    request: &Request,
) -> Result<Wait, Problem> {
    let wait = web.app.wait_begin(ctx, section, dataset)?;
    if let Some(permit) = request.extensions().get::<Permit>() {
        permit.give_back();
    }
    Ok(wait)
}

fn changes_query(uri: &Uri) -> Result<ChangesQuery, Problem> {
    let mut query = Query::parse(uri.query())?;
    let include_record = match query.take("include")?.as_deref() {
        None => false,
        Some("record") => true,
        Some(_) => return Err(Problem::query_invalid("include", "write include=record")),
    };
    let asked = ChangesQuery {
        after: query.take("after")?,
        limit: query.take_number("limit")?,
        wait_s: query.take_number("wait")?,
        fields: query.take_list("fields")?,
        include_record,
    };
    query.end()?;
    Ok(asked)
}

/// `GET /current_user_permissions`
pub async fn current_user_permissions(
    State(web): State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(Json(web.app.current_user_permissions(&ctx)?))
}

/// `GET /service_list`
pub async fn service_list(State(web): State<Web>, request: Request) -> Result<Json<Vec<Service>>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(Json(web.app.service_list()?))
}
