//! What providers call: packages, quarantine, state, who reads their set. The sandbox's twin included.

use std::io;

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use dagr_app::{
    ctx::Ctx,
    digest::DigestRange,
    intake::{PackageAnswer, PackageOptions},
    problem::Problem,
};
use dagr_model::ids::Section;
use dagr_web::{Producer, Query, Rejected, Supplier, context::Web};
use futures_util::TryStreamExt;
use http::{HeaderMap, StatusCode, Uri, header};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::{answer, body, path};

/// Section, data set and what follows of `/intake/{set}/…` and `/sandbox/{set}/intake/…`.
fn place(uri: &Uri) -> Result<(Section, String, Vec<String>), Problem> {
    let not_utf8 = || Problem::new(400, "query_invalid", "the path is not percent-encoded UTF-8");
    let segments: Option<Vec<String>> = path::segments(uri.path()).into_iter().collect();
    let segments = segments.ok_or_else(not_utf8)?;
    let sandbox = segments.first().is_some_and(|first| first == "sandbox");
    let (section, dataset, rest) = if sandbox {
        (Section::Sandbox, 1, 3)
    } else {
        (Section::Main, 1, 2)
    };
    let dataset = segments.get(dataset).cloned().unwrap_or_default();
    Ok((section, dataset, segments.into_iter().skip(rest).collect()))
}

fn package_id(rest: &[String]) -> String {
    rest.get(1).cloned().unwrap_or_default()
}

/// `PUT …/packages/{id}`
pub async fn package_put(
    State(web): State<Web>,
    ctx: Producer,
    request: Request,
) -> Result<Response, Rejected> {
    let (section, dataset, rest) = place(path::whole(&request))?;
    let mut query = Query::parse(request.uri().query())?;
    let headers = request.headers();
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let options = PackageOptions {
        content_type: text(header::CONTENT_TYPE).unwrap_or_default().to_owned(),
        mode: query.take("mode")?,
        previous: query.take("previous")?,
        dry_run: query.take_bool("dry_run")?,
        repr_digest: repr_digest(headers),
    };
    query.end()?;
    let encoding = text(header::CONTENT_ENCODING)
        .unwrap_or("identity")
        .trim()
        .to_ascii_lowercase();
    let body = decoded(request.into_body(), &encoding)?;
    let answer = web
        .app
        .package_put(&ctx, section, &dataset, &package_id(&rest), options, body)
        .await?;
    let PackageAnswer { status, body } = answer;
    Ok((StatusCode::from_u16(status).unwrap_or(StatusCode::OK), Json(body)).into_response())
}

type Pieces = std::pin::Pin<Box<dyn futures_util::Stream<Item = io::Result<bytes::Bytes>> + Send>>;

/// The body without its content-encoding, in pieces.
fn decoded(body: Body, encoding: &str) -> Result<Pieces, Problem> {
    use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
    let pieces = body.into_data_stream().map_err(io::Error::other);
    let reader = |pieces| StreamReader::new(pieces);
    match encoding {
        "" | "identity" => Ok(Box::pin(pieces)),
        "gzip" | "x-gzip" => {
            let mut decoder = GzipDecoder::new(reader(pieces));
            decoder.multiple_members(true);
            Ok(Box::pin(ReaderStream::with_capacity(decoder, 64 << 10)))
        }
        "zstd" => {
            let mut decoder = ZstdDecoder::new(reader(pieces));
            decoder.multiple_members(true);
            Ok(Box::pin(ReaderStream::with_capacity(decoder, 64 << 10)))
        }
        _ => Err(Problem::new(
            415,
            "media_type",
            "Content-Encoding may be gzip, zstd or identity",
        )),
    }
}

/// RFC 9530: `sha-256=:base64:`, of the decoded body.
fn repr_digest(headers: &HeaderMap) -> Option<[u8; 32]> {
    let text = headers.get("repr-digest")?.to_str().ok()?;
    let digest = text
        .split(',')
        .find_map(|member| member.trim().strip_prefix("sha-256=:"))?
        .strip_suffix(':')?;
    STANDARD.decode(digest).ok()?.try_into().ok()
}

/// `GET …/packages/{id}`
pub async fn package_get(
    State(web): State<Web>,
    ctx: Supplier,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let (section, dataset, rest) = place(path::whole(&request))?;
    Query::parse(request.uri().query())?.end()?;
    Ok(Json(
        web.app
            .package_get(&ctx, section, &dataset, &package_id(&rest))
            .await?,
    ))
}

/// `POST …/packages/{id}/confirm`
pub async fn package_confirm(
    State(web): State<Web>,
    ctx: Supplier,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let (section, dataset, rest) = place(path::whole(&request))?;
    Query::parse(request.uri().query())?.end()?;
    Ok(Json(
        web.app
            .package_confirm(&ctx, section, &dataset, &package_id(&rest))
            .await?,
    ))
}

/// `POST …/packages/{id}/reject`
pub async fn package_reject(
    State(web): State<Web>,
    ctx: Supplier,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let (section, dataset, rest) = place(path::whole(&request))?;
    Query::parse(request.uri().query())?.end()?;
    Ok(Json(
        web.app
            .package_reject(&ctx, section, &dataset, &package_id(&rest))
            .await?,
    ))
}

/// `GET …/packages`
pub async fn package_list(
    State(web): State<Web>,
    ctx: Supplier,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let (section, dataset, _) = place(path::whole(&request))?;
    let mut query = Query::parse(request.uri().query())?;
    let (after, limit) = (query.take("after")?, query.take_number("limit")?);
    query.end()?;
    Ok(Json(
        web.app
            .package_list(&ctx, section, &dataset, after.as_deref(), limit)
            .await?,
    ))
}

/// `GET …/quarantine`
pub async fn quarantine_list(
    State(web): State<Web>,
    ctx: Supplier,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let (section, dataset, _) = place(path::whole(&request))?;
    let mut query = Query::parse(request.uri().query())?;
    let package = query.take("package")?;
    let (after, limit) = (query.take("after")?, query.take_number("limit")?);
    query.end()?;
    let rows = web.app.quarantine_list(
        &ctx,
        section,
        &dataset,
        package.as_deref(),
        after.as_deref(),
        limit,
    );
    Ok(Json(rows.await?))
}

/// `GET …/state`
pub async fn set_state(
    State(web): State<Web>,
    ctx: Supplier,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let (section, dataset, _) = place(path::whole(&request))?;
    Query::parse(request.uri().query())?.end()?;
    Ok(Json(web.app.set_state(&ctx, section, &dataset).await?))
}

/// `GET …/definition`
pub async fn set_definition(
    State(web): State<Web>,
    ctx: Producer,
    request: Request,
) -> Result<Response, Rejected> {
    let (section, dataset, _) = place(path::whole(&request))?;
    let given = web.app.delivered_definition(&ctx, section, &dataset)?;
    Query::parse(request.uri().query())?.end()?;
    Ok(answer::definition(given, request.headers()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DigestBody {
    from: Option<Map<String, Value>>,
    to: Option<Map<String, Value>>,
    parts: Option<u64>,
}

/// `POST …/digest`
pub async fn set_digest(
    State(web): State<Web>,
    ctx: Producer,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let (section, dataset, _) = place(path::whole(&request))?;
    // Whose it is comes before what is asked.
    web.app.delivers(&ctx, section, &dataset)?;
    Query::parse(request.uri().query())?.end()?;
    let DigestBody { from, to, parts } = body::json(request).await?;
    let range = DigestRange { from, to, parts };
    Ok(Json(web.app.set_digest(&ctx, section, &dataset, range).await?))
}

/// `GET …/recipients`
pub async fn recipient_list(
    State(web): State<Web>,
    ctx: Supplier,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let (section, dataset, _) = place(path::whole(&request))?;
    let mut query = Query::parse(request.uri().query())?;
    let (after, limit) = (query.take("after")?, query.take_number("limit")?);
    query.end()?;
    let limit = dagr_app::records::page_limit(limit)?;
    let ctx: &Ctx = &ctx;
    Ok(Json(web.app.recipient_list(
        ctx,
        section,
        &dataset,
        after.as_deref(),
        limit,
    )?))
}
