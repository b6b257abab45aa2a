//! Notifications by e-mail: where they go, and what they say.

use askama::Template;
use axum::{extract::State, response::Response};
use dagr_app::views::MailAddress;

use crate::{
    failed::Failed,
    form::{Form, Posted},
    lang::Lang,
    notification::{sentence, target},
    page::{Page, html, see, wrong},
    settings::Portal,
    typed::Typed,
    visitor::{Signed, Visitor},
};

#[derive(Template)]
#[template(path = "mail.html")]
struct MailPage {
    page: Page,
    typed: Typed,
    /// Whether the platform sends mail at all.
    is_on: bool,
    is_set: bool,
}

/// `GET /notifications/mail`
pub async fn mail_show(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let done = query.take("done").map_err(failed)?;
    query.end().map_err(failed)?;
    let found = portal.app.mail_address_get(&visitor.ctx).await.map_err(failed)?;
    let is_set = found.is_some();
    let form = Form::of(match found {
        Some(found) => [("address", found.address), ("language", found.language)],
        None => [
            ("address", String::new()),
            ("language", visitor.lang.code().to_owned()),
        ],
    });
    let mut shown = shown(&portal, &visitor, Typed::with(form, Vec::new()), is_set);
    shown.page = shown.page.saying(done.as_deref());
    Ok(html(&shown))
}

/// `POST /notifications/mail`: `stop` for no more mail.
pub async fn mail_post(State(portal): State<Portal>, posted: Posted) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let put = MailAddress {
        address: form.text("address").trim().to_owned(),
        language: form.text("language").to_owned(),
    };
    let stops = form.has("stop");
    let made = portal
        .app
        .mail_address_put(&visitor.ctx, (!stops).then_some(&put))
        .await;
    match made {
        Ok(()) => {
            let done = if stops { "mail-stopped" } else { "mail-set" };
            Ok(see(&visitor.url(&format!("/notifications/mail?done={done}"))))
        }
        Err(problem) => {
            let typed = Typed::refused(visitor.lang, form, problem, "address");
            let typed = typed.map_err(|problem| visitor.failed(problem))?;
            Ok(wrong(&shown(&portal, &visitor, typed, false)))
        }
    }
}

fn shown(portal: &Portal, visitor: &Visitor, typed: Typed, is_set: bool) -> MailPage {
    MailPage {
        page: visitor
            .page(&portal.app, visitor.lang.t("mail-title"))
            .under("/notifications", visitor.lang.t("notices-title")),
        typed,
        is_on: portal.settings.sends_mail,
        is_set,
    }
}

/// A message, as plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub subject: String,
    pub body: String,
}

/// What a notification says by e-mail: the sentence of the page, and where to go. No names and no data: mail is read
/// on the way. `base`: the public address, without a slash at its end.
pub fn mail(language: &str, kind: &str, object: &str, base: &str) -> Mail {
    let lang = Lang::from_code(language).unwrap_or(Lang::Lv);
    // An object is ours, but a header line ends where a line does.
    let object = &object.replace(char::is_control, " ");
    let page = target(object).unwrap_or_else(|| "/notifications".to_owned());
    let subject = sentence(lang, kind, object);
    let at = |path: &str| format!("{base}/{}{path}", lang.code());
    let link = at(&page);
    let stop = lang.with("mail-stop-hint", &[("url", &at("/notifications/mail"))]);
    let hello = lang.t("mail-hello");
    Mail {
        body: format!("{hello}\r\n\r\n{subject}.\r\n{link}\r\n\r\n-- \r\nDAGR\r\n{stop}\r\n"),
        subject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_happened_and_where_in_the_readers_language() {
        let base = "https://dagr.test";
        let latvian = mail("lv", "application_returned", "applications/200001", base);
        assert_eq!(latvian.subject, "Pieteikums 200001 ir atgriezts precizēšanai");
        assert!(
            latvian
                .body
                .contains("\r\nhttps://dagr.test/lv/applications/200001\r\n"),
            "{}",
            latvian.body
        );
        assert!(latvian.body.contains("https://dagr.test/lv/notifications/mail"));
        let english = mail("en", "proposal_waiting", "proposals/7", base);
        assert!(
            english.body.contains("https://dagr.test/en/proposals/7"),
            "{}",
            english.body
        );
        // What has no page leads to the list.
        let other = mail("xx", "something_new", "people/1", base);
        assert!(
            other.body.contains("https://dagr.test/lv/notifications\r\n"),
            "{}",
            other.body
        );
        // Nothing in an object gets into a header line of its own.
        let odd = mail(
            "lv",
            "application_returned",
            "applications/1\r\nBcc: x@y.lv",
            base,
        );
        assert!(!odd.subject.contains('\n'), "{}", odd.subject);
    }
}
