//! Files beside an application: listed on its page, given back to be saved, sent by a form.

use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    application::{
        ApplicationView,
        attachment::{AttachmentSent, MAX_BYTES, MAX_COUNT, endings, may_attach},
    },
    problem::Problem,
    views::AttachmentView,
};
use dagr_model::fault::Fault;
use dagr_web::saved;
use jiff::Timestamp;

use super::{institution, show};
use crate::{
    failed::Failed,
    page::{see, wrong},
    settings::Portal,
    upload::{Sent, Upload},
    visitor::{Signed, Visitor},
    words,
};

/// What the application's page says of its files.
pub struct Attachments {
    pub rows: Vec<AttachmentRow>,
    /// The reader may attach another now.
    pub may: bool,
    /// The reader might, were there not as many as there may be.
    pub full: bool,
    /// For the browser's window: `.pdf,.png`.
    pub accept: String,
}

pub struct AttachmentRow {
    pub id: i64,
    pub name: String,
    pub kind: String,
    pub is_signature: bool,
    pub size: String,
    pub who: String,
    pub at: Timestamp,
}

pub async fn attachments(
    portal: &Portal,
    visitor: &Visitor,
    view: &ApplicationView,
) -> Result<Attachments, Problem> {
    let number = view.application.number.as_str();
    let found = portal.app.attachment_list(&visitor.ctx, number).await?;
    let may = may_attach(&visitor.ctx, &view.application).is_ok();
    let full = found.len() >= MAX_COUNT;
    Ok(Attachments {
        rows: found.into_iter().map(|one| row(portal, visitor, one)).collect(),
        may: may && !full,
        full: may && full,
        accept: endings()
            .map(|ending| format!(".{ending}"))
            .collect::<Vec<_>>()
            .join(","),
    })
}

fn row(portal: &Portal, visitor: &Visitor, view: AttachmentView) -> AttachmentRow {
    AttachmentRow {
        id: view.id,
        kind: visitor.lang.t(&format!("attachment-{}", view.kind)),
        is_signature: view.kind == "signature",
        size: words::bytes(visitor.lang, view.bytes.unsigned_abs()),
        who: format!(
            "{}, {}",
            view.person_name,
            institution(portal, view.institution.as_str())
        ),
        at: view.at,
        name: view.name,
    }
}

/// `GET /applications/{number}/attachments`: where one comes back to after a sign-in; they stand on the page itself.
pub async fn attachment_list(Signed(visitor): Signed, Path(number): Path<String>) -> Response {
    see(&place(&visitor, &number, ""))
}

/// `GET /applications/{number}/attachments/{attachment}`: to be saved, never shown.
pub async fn attachment_get(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path((number, attachment)): Path<(String, String)>,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    visitor.query()?.end().map_err(failed)?;
    let id = attachment.parse().map_err(|_| failed(Problem::not_found()))?;
    let found = portal.app.attachment_get(&visitor.ctx, &number, id).await;
    let (view, bytes) = found.map_err(failed)?;
    Ok(saved::file(&view.name, &view.media_type, &view.sha256, bytes))
}

/// `POST /applications/{number}/attachments`
pub async fn attachment_post(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    upload: Upload,
) -> Result<Response, Failed> {
    // Who asks is judged before megabytes are taken.
    let room = match room(&portal, &upload.visitor, &number).await {
        Ok(room) => room,
        Err(problem) => return Err(upload.refused(problem).await),
    };
    let (visitor, sent) = upload.file("file", MAX_BYTES).await?;
    let made = match judged(room, sent) {
        Ok(sent) => portal.app.attachment_create(&visitor.ctx, &number, sent).await,
        Err(fault) => Err(Problem::invalid(vec![fault])),
    };
    match made {
        Ok(_) => Ok(see(&place(&visitor, &number, "?done=attached"))),
        Err(problem) if problem.status == 422 => {
            let page = show::with_faults(&portal, &visitor, &number, &problem.faults).await;
            page.map(|page| wrong(&page))
                .map_err(|problem| visitor.failed(problem))
        }
        Err(problem) => Err(visitor.failed(problem)),
    }
}

/// Whether the caller may attach here at all, and whether there is room for one more.
async fn room(portal: &Portal, visitor: &Visitor, number: &str) -> Result<bool, Problem> {
    let found = portal.app.application_get(&visitor.ctx, number).await?;
    may_attach(&visitor.ctx, &found.value.application)?;
    let held = portal.app.attachment_list(&visitor.ctx, number).await?;
    Ok(held.len() < MAX_COUNT)
}

/// What the use case would say of a body as a whole, said of a person's file.
fn judged(room: bool, sent: Sent) -> Result<AttachmentSent, Fault> {
    let fault = |rule: &str, message: &str| Err(Fault::new("file", rule, message));
    if !room {
        return fault("count", "the application has as many attachments as it may have");
    }
    match sent.content {
        None => fault("too_large", "5 MiB at most"),
        Some(content) if content.is_empty() && sent.name.is_empty() => fault("required", "choose a file"),
        Some(content) if content.is_empty() => fault("empty", "the file is empty"),
        Some(content) => Ok(AttachmentSent::from_file(&sent.name, &sent.media_type, content)),
    }
}

fn place(visitor: &Visitor, number: &str, query: &str) -> String {
    visitor.url(&format!("/applications/{number}{query}#attachments"))
}
