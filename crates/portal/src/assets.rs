//! Style, script and icon: in the program, named by their content, kept by browsers for ever.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

struct Asset {
    /// `portal.css`
    name: &'static str,
    media: &'static str,
    text: &'static str,
}

const ASSETS: [Asset; 3] = [
    Asset {
        name: "portal.css",
        media: "text/css; charset=utf-8",
        text: include_str!("../assets/portal.css"),
    },
    Asset {
        name: "portal.js",
        media: "text/javascript; charset=utf-8",
        text: include_str!("../assets/portal.js"),
    },
    Asset {
        name: "icon.svg",
        media: "image/svg+xml",
        text: include_str!("../assets/icon.svg"),
    },
];

/// `portal-3J5hq0ab.css`, in the order of `ASSETS`.
static NAMES: LazyLock<[String; 3]> = LazyLock::new(|| ASSETS.each_ref().map(hashed));

fn hashed(asset: &Asset) -> String {
    let digest = Sha256::digest(asset.text.as_bytes());
    let hex = URL_SAFE_NO_PAD.encode(&digest[..6]);
    let (stem, extension) = asset.name.split_once('.').unwrap_or((asset.name, ""));
    format!("{stem}-{hex}.{extension}")
}

/// Where a page finds it.
pub fn path(name: &str) -> String {
    let at = ASSETS.iter().position(|asset| asset.name == name);
    at.map_or_else(String::new, |at| format!("/assets/{}", NAMES[at]))
}

pub async fn asset_get(Path(name): Path<String>) -> Response {
    let Some(at) = NAMES.iter().position(|known| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static(ASSETS[at].media));
    let keep = (
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    ([kind, keep], ASSETS[at].text).into_response()
}
