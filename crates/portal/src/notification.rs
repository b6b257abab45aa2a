//! What a person and the institution they act for should look at: a sentence with a link each, newest first.

use askama::Template;
use axum::{extract::State, response::Response};
use dagr_app::{institution::ListQuery, views::NotificationView};
use jiff::Timestamp;

use crate::{
    failed::Failed,
    form::Posted,
    lang::Lang,
    page::{Page, html, name_of, see},
    settings::Portal,
    visitor::Signed,
};

/// Notifications on one page.
const PAGE: u32 = 30;
/// Nouns an object may be of that have pages.
const NOUNS: [&str; 5] = ["applications", "permissions", "plans", "datasets", "proposals"];

#[derive(Template)]
#[template(path = "notifications.html")]
struct NotificationsPage {
    page: Page,
    /// Only what is not read yet.
    unread: bool,
    items: Vec<Item>,
    /// Those of this page that are not read yet.
    open: Vec<i64>,
    next: Option<String>,
}

struct Item {
    id: i64,
    text: String,
    url: Option<String>,
    at: Timestamp,
    /// The institution it was sent to; none: the person.
    institution: Option<String>,
    read: Option<Timestamp>,
}

/// `GET /notifications?show=unread&after=`
pub async fn notification_list(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
) -> Result<Response, Failed> {
    let mut query = visitor.query()?;
    let failed = |problem| visitor.failed(problem);
    let unread = query.take("show").map_err(failed)?.as_deref() == Some("unread");
    let after = query.take("after").map_err(failed)?;
    let done = query.take("done").map_err(failed)?;
    query.end().map_err(failed)?;
    let asked = ListQuery { after, limit: PAGE };
    let found = portal.app.notification_list(&visitor.ctx, unread, asked).await;
    let found = found.map_err(failed)?;
    let show = if unread { "show=unread&" } else { "" };
    let next = found.next.as_deref();
    let next = next.map(|after| visitor.url(&format!("/notifications?{show}after={after}")));
    let catalog = portal.app.catalog();
    let items: Vec<Item> = found
        .items
        .iter()
        .map(|view| {
            let number = view.institution.as_ref();
            let name = number.map(|number| name_of(catalog.institution_name(number), number.as_str()));
            let url = target(&view.object).map(|path| visitor.url(&path));
            item(visitor.lang, view, url, name)
        })
        .collect();
    Ok(html(&NotificationsPage {
        page: visitor
            .page(&portal.app, visitor.lang.t("notices-title"))
            .saying(done.as_deref()),
        unread,
        open: items
            .iter()
            .filter(|item| item.read.is_none())
            .map(|item| item.id)
            .collect(),
        items,
        next,
    }))
}

/// `POST /notifications/read`: each `id` sent.
pub async fn notification_read(State(portal): State<Portal>, posted: Posted) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let ids = form.all("id").filter_map(|id| id.parse().ok());
    // No page shows more.
    for id in ids.take(PAGE as usize) {
        let read = portal.app.notification_read(&visitor.ctx, id).await;
        read.map_err(|problem| visitor.failed(problem))?;
    }
    let show = if form.text("show") == "unread" {
        "show=unread&"
    } else {
        ""
    };
    Ok(see(
        &visitor.url(&format!("/notifications?{show}done=notice-read"))
    ))
}

fn item(lang: Lang, view: &NotificationView, url: Option<String>, institution: Option<String>) -> Item {
    Item {
        id: view.id,
        text: sentence(lang, &view.kind, &view.object),
        url,
        at: view.at,
        institution,
        read: view.read_at,
    }
}

/// What happened, by its kind.
pub(crate) fn sentence(lang: Lang, kind: &str, object: &str) -> String {
    let number = object.rsplit('/').next().unwrap_or_default();
    let id = format!("notice-{}", kind.replace('_', "-"));
    let text = lang.with(&id, &[("number", number)]);
    // A kind that is newer than these pages.
    if text == id {
        lang.with("notice-other", &[("number", number)])
    } else {
        text
    }
}

/// `applications/200001` → its page.
pub(crate) fn target(object: &str) -> Option<String> {
    let (noun, id) = object.split_once('/')?;
    let plain = !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    (NOUNS.contains(&noun) && plain).then(|| format!("/{noun}/{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `app` tells them.
    const KINDS: [&str; 23] = [
        "test_access_ended",
        "law_changed",
        "law_ended",
        "application_attached",
        "dataset_stopped",
        "dataset_resumed",
        "permission_expiring",
        "plan_invited",
        "plan_commented",
        "plan_closed",
        "plan_step_due",
        "plan_step_late",
        "proposal_waiting",
        "proposal_confirmed",
        "proposal_rejected",
        "application_submitted",
        "application_withdrawn",
        "application_returned",
        "application_reviewed",
        "application_decided",
        "application_commented",
        "application_due",
        "application_overdue",
    ];

    #[test]
    fn every_kind_has_a_sentence_with_its_number_in_both_languages() {
        for lang in Lang::ALL {
            let other = sentence(lang, "something_new", "applications/200001");
            assert!(!other.contains("something"), "{other}");
            for kind in KINDS {
                let text = sentence(lang, kind, "applications/200001");
                assert!(text.contains("200001") && text != other, "{kind}: {text}");
            }
        }
    }

    #[test]
    fn an_object_leads_to_its_page_and_nowhere_else() {
        assert_eq!(
            target("applications/200001").as_deref(),
            Some("/applications/200001")
        );
        assert_eq!(target("people/1"), None);
        assert_eq!(target("applications//evil.test"), None);
        assert_eq!(target("applications"), None);
    }
}
