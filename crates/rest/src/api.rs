//! The interface describes itself: for people at `/api`, for machines at `/api/openapi.json`.

use axum::{
    Json,
    extract::State,
    response::Html,
};
use dagr_web::context::Web;
use serde_json::{Value, json};

pub async fn openapi(State(_web): State<Web>) -> Json<Value> {
    Json(json!({ "openapi": "3.1.0", "info": { "title": "DAGR", "version": env!("CARGO_PKG_VERSION") }, "paths": {} }))
}

pub async fn page(State(_web): State<Web>) -> Html<String> {
    Html("<!doctype html><title>DAGR</title>".to_owned())
}
