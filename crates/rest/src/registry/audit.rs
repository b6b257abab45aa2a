//! `/registry/audit`

use axum::{
    Json,
    extract::{Request, State},
};
use dagr_app::audit::AuditQuery;
use dagr_web::{Operator, Query, Rejected, context::Web};
use serde_json::{Value, json};

pub async fn audit_list(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let asked = AuditQuery {
        actor: query.take("actor")?,
        action: query.take("action")?,
        object: query.take("object")?,
        noun: query.take("noun")?,
        from: query.take_time("from")?,
        to: query.take_time("to")?,
        after: query.take("after")?,
        limit: dagr_app::records::page_limit(query.take_number("limit")?)? as u32,
    };
    query.end()?;
    let page = web.app.audit_list(&ctx, asked).await?;
    Ok(Json(json!({ "entries": page.items, "next": page.next })))
}
