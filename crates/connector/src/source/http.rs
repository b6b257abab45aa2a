//! JSON or CSV behind an address, asked with its `ETag`.

use std::path::Path;

use dagr_model::definition::CsvOptions;
use reqwest::{StatusCode, header};

use super::{Notes, WHOLE_BYTES, fault, files};
use crate::{
    collect::Collect,
    error::{Error, Result},
    feed::{Format, Http},
    state::State,
};

const NOTE: &str = "etag";

/// Reads what is there; `None` = the same as last time.
pub async fn read(
    http: &Http,
    state: Option<&State>,
    rows: &mut Collect<'_>,
    csv: &CsvOptions,
) -> Result<Option<Notes>> {
    let mut request = reqwest::Client::builder()
        .connect_timeout(std::time::Duration::from_secs(10))
        .build()
        .map_err(|_| fault("no HTTP client"))?
        .get(&http.url);
    if let Some(authorization) = &http.authorization {
        request = request.header(header::AUTHORIZATION, authorization.read()?);
    }
    if let Some(etag) = state.map(|state| state.meta(NOTE)).transpose()?.flatten() {
        request = request.header(header::IF_NONE_MATCH, etag);
    }
    let mut answer = request.send().await.map_err(|error| fault(error.without_url()))?;
    if answer.status() == StatusCode::NOT_MODIFIED {
        return Ok(None);
    }
    if !answer.status().is_success() {
        return Err(fault(format!("{} answered {}", http.url, answer.status())));
    }
    let text = |name| {
        answer
            .headers()
            .get(name)
            .and_then(|value: &header::HeaderValue| value.to_str().ok())
            .map(str::to_owned)
    };
    let etag = text(header::ETAG);
    let media = text(header::CONTENT_TYPE).and_then(|value| dagr_formats::MediaType::parse(&value));
    let (format, charset) = match (http.format, media) {
        (Some(format), media) => (format, media.and_then(|(_, charset)| charset)),
        (None, Some((dagr_formats::MediaType::Csv, charset))) => (Format::Csv, charset),
        (None, Some((dagr_formats::MediaType::JsonArray, charset))) => (Format::Json, charset),
        _ => {
            return Err(Error::Source(format!(
                "{} does not say that it is JSON or CSV; give source.format",
                http.url
            )));
        }
    };
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| fault(error.without_url()))? {
        body.extend_from_slice(&chunk);
        if body.len() as u64 > WHOLE_BYTES {
            return Err(fault(format!("{} answers more than 256 MiB", http.url)));
        }
    }
    let charset = http.charset.as_deref().or(charset.as_deref());
    files::whole(
        charset,
        http.records.as_deref(),
        format,
        &mut body.as_slice(),
        Path::new(&http.url),
        rows,
        csv,
    )?;
    Ok(Some(
        etag.map(|etag| (NOTE.to_owned(), etag)).into_iter().collect(),
    ))
}
