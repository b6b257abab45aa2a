//! `/registry/acts`, `/registry/law_flags`: the law, and what its changes touch.

use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use dagr_app::{
    law::ArticleChanged,
    views::{Act, ArticlePut, LawFlagView},
};
use dagr_web::{Operator, Person, Query, Rejected, SignedIn, Steward, context::Web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{created, expected, id, list, list_query, number, segment, take_page, view};
use crate::body;

/// An act, but for its id, which is in the path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    title: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    note: String,
}

pub async fn act_put(State(web): State<Web>, ctx: Operator, request: Request) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let Described { title, url, names } = body::json_with(request, &["title"]).await?;
    let act = Act {
        id,
        title,
        url,
        names,
    };
    let (made, is_new) = web.app.act_put(&ctx, &act, expected).await?;
    if is_new {
        let location = format!("/registry/acts/{}", made.value.id);
        Ok(created(made, &location))
    } else {
        Ok(view(made))
    }
}

pub async fn act_get(State(web): State<Web>, ctx: SignedIn, request: Request) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(view(web.app.act_get(&ctx, &id(&request)).await?))
}

pub async fn act_list(
    State(web): State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    Ok(list("acts", web.app.act_list(&ctx, page).await?))
}

pub async fn article_list(
    State(web): State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    let found = web.app.article_list(&ctx, &id(&request), page).await?;
    Ok(Json(json!({ "articles": found.items, "next": found.next })))
}

pub async fn article_put(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Json<ArticleChanged>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (act, article) = (id(&request), segment(&request, 4));
    let put: ArticlePut = body::json_with(request, &["text", "reason"]).await?;
    Ok(Json(web.app.article_put(&ctx, &act, &article, &put).await?))
}

pub async fn law_flag_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let open = query.take_bool("open")?;
    let page = take_page(&mut query)?;
    query.end()?;
    let found = web.app.law_flag_list(&ctx, open, page).await?;
    Ok(Json(json!({ "flags": found.items, "next": found.next })))
}

pub async fn law_flag_review(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Json<LawFlagView>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let id = number(&request, 2, "law flag")?;
    let Note { note } = body::json_with(request, &["note"]).await?;
    Ok(Json(web.app.law_flag_review(&ctx, id, &note).await?))
}
