//! `POST /token` and the documents that describe it.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use dagr_app::{problem::Problem, token::TokenRequest};
use dagr_web::{Query, Rejected, context::Web};
use http::{HeaderValue, header};
use serde_json::{Value, json};

use crate::body;

pub async fn token_create(State(web): State<Web>, request: Request) -> Result<Response, Rejected> {
    if body::media_type(request.headers()).as_deref() != Some("application/x-www-form-urlencoded") {
        let detail = "send application/x-www-form-urlencoded";
        return Err(Problem::new(415, "media_type", detail).into());
    }
    let bytes = body::bytes(request).await?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Problem::new(400, "invalid_request", "the form is not UTF-8"))?;
    let mut form = Query::parse(Some(text)).map_err(oauth)?;
    let mut word = |name: &str| form.take(name).map_err(oauth);
    let asked = TokenRequest {
        grant_type: word("grant_type")?,
        client_assertion_type: word("client_assertion_type")?,
        client_assertion: word("client_assertion")?,
        client_id: word("client_id")?,
    };
    let token = web.app.token_create(asked).await?;
    let answer = json!({
        "access_token": token.access_token,
        "token_type": "Bearer",
        "expires_in": token.expires_in,
    });
    let mut response = Json(answer).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A form that cannot be read is RFC 6749's `invalid_request`.
fn oauth(problem: Problem) -> Problem {
    Problem {
        code: "invalid_request",
        ..problem
    }
}

/// RFC 8414.
pub async fn server_metadata(State(web): State<Web>) -> Json<Value> {
    let base = web.app.settings.public_url.trim_end_matches('/').to_owned();
    Json(json!({
        "issuer": web.app.settings.public_url,
        "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
    }))
}

/// RFC 7517: the key of receipts and access tokens.
pub async fn jwks(State(web): State<Web>) -> Json<Value> {
    Json(web.app.jwks())
}
