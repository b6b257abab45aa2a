//! `/registry/applications/{id}/attachments`: bytes in, bytes out; what comes out is saved, never shown.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use dagr_app::application::attachment::{AttachmentSent, MAX_BYTES};
use dagr_web::{Person, Query, Rejected, Steward, context::Web};
use http::{HeaderValue, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{id, number};
use crate::body;

/// The body is the file; `name` and `kind` are words of the query.
pub async fn attachment_create(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let (name, kind) = (query.take("name")?, query.take("kind")?);
    query.end()?;
    let application = id(&request);
    // Who asks is judged before megabytes are taken.
    web.app.application_get(&ctx, &application).await?;
    let sent = AttachmentSent {
        kind: kind.unwrap_or_else(|| "document".to_owned()),
        name: name.unwrap_or_default(),
        media_type: body::media_type(request.headers()).unwrap_or_default(),
        content: body::bytes_up_to(request, MAX_BYTES).await?.into(),
    };
    let made = web.app.attachment_create(&ctx, &application, sent).await?;
    let location = format!("/registry/applications/{application}/attachments/{}", made.id);
    let mut response = (StatusCode::CREATED, Json(made)).into_response();
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    Ok(response)
}

pub async fn attachment_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let attachments = web.app.attachment_list(&ctx, &id(&request)).await?;
    // An application has few; the page is always whole.
    Ok(Json(json!({ "attachments": attachments, "next": null })))
}

pub async fn attachment_get(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let attachment = number(&request, 4, "attachment")?;
    let (view, bytes) = web.app.attachment_get(&ctx, &id(&request), attachment).await?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    let mut put = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put(header::CONTENT_TYPE, &view.media_type);
    put(header::CONTENT_DISPOSITION, &disposition(&view.name));
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'");
    put(header::CACHE_CONTROL, "no-store");
    put(header::ETAG, &format!("\"{}\"", view.sha256));
    Ok(response)
}

/// RFC 6266: a plain name for the old, the whole one for the rest.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' | ' ' => c,
            _ => '_',
        })
        .collect();
    let whole = utf8_percent_encode(name, NON_ALPHANUMERIC);
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_stays_in_its_header() {
        assert_eq!(
            super::disposition("Līgums \"1\".pdf"),
            "attachment; filename=\"L_gums _1_.pdf\"; filename*=UTF-8''L%C4%ABgums%20%221%22%2Epdf"
        );
    }
}
