//! Public files: no token, whole or by range, always one version.

use axum::{
    extract::{Request, State},
    response::Response,
};
use dagr_web::{Query, Rejected, context::Web};

use crate::path;

pub async fn file_get(State(web): State<Web>, request: Request) -> Result<Response, Rejected> {
    let dataset = path::segments(path::whole(&request).path())
        .into_iter()
        .nth(1)
        .flatten()
        .unwrap_or_default();
    let mut query = Query::parse(request.uri().query())?;
    let filename = query.take("filename")?;
    query.end()?;
    let file = web.app.public_file(&dataset, filename.as_deref()).await?;
    Ok(ranges::respond(file, request.headers())?)
}

mod ranges;
