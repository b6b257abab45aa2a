//! A file as a response: whole, a single range (RFC 9110, 14), or not modified.

use std::io::{Seek, SeekFrom};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use dagr_app::{disclose::Disclosed, problem::Problem, public_file::PublicDownload};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tokio_util::io::ReaderStream;

const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

pub fn respond(file: Disclosed<PublicDownload>, request: &HeaderMap) -> Result<Response, Problem> {
    let PublicDownload {
        file,
        about,
        filename,
    } = file.into_inner();
    let etag = format!("\"{}\"", about.sha256_hex());
    let digest = format!("sha-256=:{}:", STANDARD.encode(about.sha256));
    if text(request, header::IF_NONE_MATCH).is_some_and(|known| known == "*" || known.contains(&etag)) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        describe(&mut response, &etag, &digest, &filename);
        return Ok(response);
    }
    let wanted = match text(request, header::RANGE) {
        Some(range) if text(request, header::IF_RANGE).is_none_or(|known| known == etag) => {
            range_of(range, about.len)
        }
        _ => Wanted::Whole,
    };
    let (status, start, len) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0, about.len),
        Wanted::Part { start, len } => (StatusCode::PARTIAL_CONTENT, start, len),
        Wanted::Impossible => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            set(
                &mut response,
                header::CONTENT_RANGE,
                &format!("bytes */{}", about.len),
            );
            return Ok(response);
        }
    };
    let mut file = file;
    file.seek(SeekFrom::Start(start)).map_err(Problem::internal)?;
    let reader = tokio::fs::File::from_std(file);
    let stream = ReaderStream::with_capacity(tokio::io::AsyncReadExt::take(reader, len), 64 << 10);
    let mut response = Response::new(Body::from_stream(stream));
    *response.status_mut() = status;
    describe(&mut response, &etag, &digest, &filename);
    set(&mut response, header::CONTENT_LENGTH, &len.to_string());
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{}", start + len - 1, about.len);
        set(&mut response, header::CONTENT_RANGE, &range);
    }
    Ok(response)
}

fn describe(response: &mut Response, etag: &str, digest: &str, filename: &str) {
    set(response, header::CONTENT_TYPE, "text/csv; charset=utf-8");
    set(response, header::ETAG, etag);
    set(response, REPR_DIGEST, digest);
    set(response, header::ACCEPT_RANGES, "bytes");
    set(response, header::CACHE_CONTROL, "no-cache");
    let plain: String = filename
        .chars()
        .filter(|c| c.is_ascii_graphic() && !"\"\\".contains(*c))
        .collect();
    set(
        response,
        header::CONTENT_DISPOSITION,
        &format!("attachment; filename=\"{plain}\""),
    );
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part { start: u64, len: u64 },
    Impossible,
}

/// One range; several, or what is no byte range, give the whole file as the standard allows.
fn range_of(text: &str, total: u64) -> Wanted {
    let Some(spec) = text
        .trim()
        .strip_prefix("bytes=")
        .filter(|spec| !spec.contains(','))
    else {
        return Wanted::Whole;
    };
    let Some((from, to)) = spec.trim().split_once('-') else {
        return Wanted::Whole;
    };
    let number = |text: &str| text.parse::<u64>().ok();
    match (from.is_empty(), number(from), to.is_empty(), number(to)) {
        (true, _, false, Some(last)) if last > 0 && total > 0 => {
            let len = last.min(total);
            Wanted::Part {
                start: total - len,
                len,
            }
        }
        (true, _, false, Some(_)) => Wanted::Impossible,
        (false, Some(start), true, _) if start < total => Wanted::Part {
            start,
            len: total - start,
        },
        (false, Some(start), false, Some(end)) if start <= end && start < total => Wanted::Part {
            start,
            len: end.min(total - 1) - start + 1,
        },
        (false, Some(start), _, _) if start >= total => Wanted::Impossible,
        _ => Wanted::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_the_standard_reads_them() {
        let part = |start, len| Wanted::Part { start, len };
        assert_eq!(range_of("bytes=0-9", 100), part(0, 10));
        assert_eq!(range_of("bytes=90-", 100), part(90, 10));
        assert_eq!(range_of("bytes=-5", 100), part(95, 5));
        assert_eq!(range_of("bytes=-500", 100), part(0, 100));
        assert_eq!(range_of("bytes=50-500", 100), part(50, 50));
        assert_eq!(range_of("bytes=100-", 100), Wanted::Impossible);
        assert_eq!(range_of("bytes=-0", 100), Wanted::Impossible);
        for whole in ["bytes=5-2", "bytes=a-b", "items=0-1", "bytes=0-1,5-6", "bytes="] {
            assert_eq!(range_of(whole, 100), Wanted::Whole, "{whole}");
        }
    }
}
