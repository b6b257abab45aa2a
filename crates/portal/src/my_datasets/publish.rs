//! Sandbox → main, after one more look: what changes, and for whom.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::problem::Problem;

use super::{
    definition::{Checked, shown, tried},
    page_of,
};
use crate::{
    failed::Failed,
    form::Posted,
    page::{Page, html, see},
    settings::Portal,
    visitor::{Signed, Visitor},
};

#[derive(Template)]
#[template(path = "publish.html")]
struct PublishPage {
    page: Page,
    name: String,
    version: i64,
    /// None: the sandbox holds nothing new.
    checked: Option<Checked>,
    /// Permissions rely on what would be lost.
    is_stopped: bool,
    /// Records of main would go.
    empties: bool,
}

/// `GET /my-datasets/{name}/publish`
pub async fn publish_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    visitor
        .query()?
        .end()
        .map_err(|problem| visitor.failed(problem))?;
    let page = publish_page(&portal, &visitor, name).await;
    page.map(|page| html(&page))
        .map_err(|problem| visitor.failed(problem))
}

async fn publish_page(portal: &Portal, visitor: &Visitor, name: String) -> Result<PublishPage, Problem> {
    let (version, checked) = tried(portal, visitor, &name).await?;
    let checked = checked.map(|checked| shown(portal, visitor.lang, checked));
    let is_incompatible = checked
        .as_ref()
        .and_then(|checked| checked.evolution.as_ref())
        .is_some_and(|found| found.is_incompatible);
    let hits = checked
        .as_ref()
        .is_some_and(|checked| !checked.touches.is_empty());
    Ok(PublishPage {
        page: page_of(portal, visitor, &name, visitor.lang.t("publish-title")),
        is_stopped: is_incompatible && hits,
        empties: is_incompatible && !hits,
        name,
        version,
        checked,
    })
}

/// `POST /my-datasets/{name}/publish`: the text that was looked at, and no other.
pub async fn publish_post(
    State(portal): State<Portal>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let failed = |problem| visitor.failed(problem);
    let version = form.text("version").parse();
    let version = version.map_err(|_| failed(Problem::query_invalid("version", "open the page again")))?;
    portal
        .app
        .dataset_publish(&visitor.ctx, &name, Some(version))
        .await
        .map_err(failed)?;
    Ok(see(
        &visitor.url(&format!("/my-datasets/{name}?done=dataset-published"))
    ))
}
