//! What recipients call: records, lookup, changes. One handler per call, the sandbox's twin included.

use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use dagr_app::{
    changes::ChangesQuery,
    lookup::Lookup,
    problem::Problem,
    record::RecordQuery,
    records::PageQuery,
};
use dagr_model::ids::Section;
use dagr_web::{Anyone, Query, Rejected, SignedIn, context::Web};
use http::Uri;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{answer, body, path};

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
pub async fn record_get(
    State(web): State<Web>,
    ctx: Anyone,
    request: Request,
) -> Result<Response, Rejected> {
    let uri = path::whole(&request);
    let (section, dataset) = place(uri)?;
    let parts = path::key_parts(uri.path(), 3)?;
    let mut query = Query::parse(uri.query())?;
    let fields = query.take_list("fields")?;
    if web.app.is_full_key(section, &dataset, parts.len()) {
        let as_of = query.take_time("as_of")?;
        query.end()?;
        let asked = RecordQuery { fields, as_of };
        let given = web.app.record_get(&ctx, section, &dataset, &parts, asked).await?;
        return Ok(answer::json(given, request.headers()));
    }
    let asked = PageQuery {
        fields,
        limit: query.take_number("limit")?,
        after: query.take("after")?,
        filters: query.rest(),
    };
    let given = web.app.record_list(&ctx, section, &dataset, &parts, asked).await?;
    Ok(answer::json(given, request.headers()))
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
    let given = web.app.lookup(&ctx, section, &dataset, Lookup { keys, fields }).await?;
    Ok(answer::json(given, &headers))
}

/// `GET …/changes` and `GET …/changes/{list}`
pub async fn change_list(State(web): State<Web>, ctx: Anyone, request: Request) -> Result<Response, Rejected> {
    let uri = path::whole(&request);
    let (section, dataset) = place(uri)?;
    let list = path::segments(uri.path()).into_iter().nth(3).flatten();
    let mut query = Query::parse(uri.query())?;
    let include_record = match query.take("include")?.as_deref() {
        None => false,
        Some("record") => true,
        Some(_) => return Err(Problem::query_invalid("include", "write include=record").into()),
    };
    let asked = ChangesQuery {
        after: query.take("after")?,
        limit: query.take_number("limit")?,
        wait_s: query.take_number("wait")?,
        fields: query.take_list("fields")?,
        include_record,
    };
    query.end()?;
    let given = match list {
        None => web.app.change_list(&ctx, section, &dataset, asked).await?,
        Some(list) => web.app.event_list(&ctx, section, &dataset, &list, asked).await?,
    };
    Ok(answer::json(given, request.headers()))
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
pub async fn service_list(State(web): State<Web>, request: Request) -> Result<Json<Value>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(Json(web.app.service_list()?))
}
