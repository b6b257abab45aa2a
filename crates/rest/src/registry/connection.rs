//! `/registry/connections`

use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use dagr_app::problem::Problem;
use dagr_app::views::{ConnectionCreate, ConnectionPatch};
use dagr_web::{Operator, Query, Rejected, Steward, context::Web};
use serde_json::{Value, json};

use super::{Reason, created, expected, id, list, list_query, patch, segment, view};
use crate::body;

pub async fn connection_create(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let required = ["client_id", "system", "kind", "token_lifetime_s"];
    let create: ConnectionCreate = body::json_with(request, &required).await?;
    let made = web.app.connection_create(&ctx, &create).await?;
    let location = format!("/registry/connections/{}", made.value.client_id);
    Ok(created(made, &location))
}

pub async fn connection_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    Ok(list("connections", web.app.connection_list(&ctx, page).await?))
}

pub async fn connection_get(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(view(web.app.connection_get(&ctx, &id(&request)).await?))
}

pub async fn connection_update(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let change: ConnectionPatch = patch(request).await?;
    Ok(view(
        web.app.connection_update(&ctx, &id, &change, expected).await?,
    ))
}

pub async fn connection_withdraw(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let Reason { reason } = body::json(request).await?;
    Ok(view(
        web.app.connection_withdraw(&ctx, &id, &reason, expected).await?,
    ))
}

pub async fn certificate_put(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let media = body::media_type(request.headers());
    if !media.is_some_and(|media| {
        media == "application/x-pem-file" || media == "application/pem-certificate-chain"
    }) {
        return Err(Problem::new(415, "media_type", "send application/x-pem-file").into());
    }
    let client = id(&request);
    let pem = body::bytes(request).await?;
    let (connection, added) = web.app.certificate_put(&ctx, &client, &pem).await?;
    let location = format!("/registry/connections/{client}/certificates");
    Ok(if added {
        created(connection, &location)
    } else {
        view(connection)
    })
}

pub async fn certificate_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    list_query(&request)?;
    let connection = web.app.connection_get(&ctx, &id(&request)).await?;
    // A connection holds few; the page is always whole.
    Ok(Json(
        json!({ "certificates": connection.value.certificates, "next": null }),
    ))
}

pub async fn certificate_delete(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (client, sha256) = (id(&request), segment(&request, 4));
    Ok(view(web.app.certificate_delete(&ctx, &client, &sha256).await?))
}
