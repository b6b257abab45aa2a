//! `/registry/resources`, `/registry/services`: what information systems have.

use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use dagr_app::views::{Kept, Put, Registered, RegisteredService, Resource, Versioned};
use dagr_web::{Query, Rejected, SignedIn, Steward, context::Web};
use serde_json::{Value, json};

use super::{created, expected, id, list_query, view};
use crate::body;

pub async fn registered_resource_put(
    state: State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    put::<Resource>(state, ctx, request).await
}

pub async fn registered_resource_get(
    state: State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Response, Rejected> {
    get::<Resource>(state, ctx, request).await
}

pub async fn registered_resource_list(
    state: State<Web>,
    _: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    list::<Resource>(state, request).await
}

pub async fn registered_resource_versions(
    state: State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    versions::<Resource>(state, ctx, request).await
}

pub async fn registered_service_put(
    state: State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    put::<RegisteredService>(state, ctx, request).await
}

pub async fn registered_service_get(
    state: State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Response, Rejected> {
    get::<RegisteredService>(state, ctx, request).await
}

pub async fn registered_service_list(
    state: State<Web>,
    _: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    list::<RegisteredService>(state, request).await
}

pub async fn registered_service_versions(
    state: State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    versions::<RegisteredService>(state, ctx, request).await
}

async fn put<T: Kept>(State(web): State<Web>, ctx: Steward, request: Request) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let put: Put<T> = body::json_with(request, &["described", "reason"]).await?;
    let made = web.app.registered_put(&ctx, &id, &put, expected).await?;
    if made.version == 1 {
        let location = format!("/registry/{}/{}", T::NOUN, made.code);
        Ok(created(versioned(made), &location))
    } else {
        Ok(view(versioned(made)))
    }
}

async fn get<T: Kept>(State(web): State<Web>, ctx: SignedIn, request: Request) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let seen = web.app.registered_seen::<T>(&ctx, &id(&request)).await?;
    Ok(view(versioned(seen.now)))
}

async fn list<T: Kept>(State(web): State<Web>, request: Request) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    let found = web.app.registered_list::<T>(page).await?;
    Ok(Json(json!({ T::NOUN: found.items, "next": found.next })))
}

async fn versions<T: Kept>(
    State(web): State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    let found = web
        .app
        .registered_versions::<T>(&ctx, &id(&request), page)
        .await?;
    Ok(Json(json!({ "versions": found.items, "next": found.next })))
}

/// Its version is its tag.
fn versioned<T>(value: Registered<T>) -> Versioned<Registered<T>> {
    let version = value.version;
    Versioned { value, version }
}
