//! Signing in at the OpenID provider: there, and back again. What goes wrong is told in the person's language.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use dagr_app::session::SignedIn;
use dagr_oidc::{Callback, Failure, Provider};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    cookie,
    failed::Failed,
    lang::Lang,
    page::{Page, html, see},
    settings::Portal,
    sign_in::{inside, with_session},
    visitor::Visitor,
};

/// Longer ways back do not fit in the cookie.
const MAX_WAY_BACK: usize = 1_200;

/// `GET /sign-in/start?to=`: a link, because the pages' policy lets no form lead to another site.
pub async fn sign_in_start(State(portal): State<Portal>, visitor: Visitor) -> Result<Response, Failed> {
    let Some(provider) = &portal.settings.provider else {
        return Err(visitor.failed(dagr_app::problem::Problem::not_found()));
    };
    let mut query = visitor.query()?;
    let to = query.take("to").map_err(|problem| visitor.failed(problem))?;
    let to = way_back(to.as_deref().unwrap_or("/"));
    let here = visitor.url(&to);
    if visitor.person().is_some() {
        return Ok(see(&here));
    }
    let begun = match provider.begin(&here, visitor.lang.code(), visitor.ctx.now).await {
        Ok(begun) => begun,
        Err(failure) => return Ok(show(&portal, visitor, &to, &failure)),
    };
    let mut response = see(&begun.url);
    keep(
        &mut response,
        cookie::set_attempt(&begun.sealed, &portal.settings),
    );
    Ok(response)
}

/// `GET /sign-in/callback`: without a language, so that one address is registered at the provider.
pub async fn sign_in_callback(
    State(portal): State<Portal>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Response {
    let Some(provider) = portal.settings.provider.clone() else {
        return visitor
            .failed(dagr_app::problem::Problem::not_found())
            .into_response();
    };
    let sealed = cookie::read_attempt(&headers, &portal.settings);
    let (visitor, to) = returned(visitor, &provider, sealed.as_deref(), &headers);
    let mut response = match came_back(&portal, &provider, &visitor, sealed.as_deref()).await {
        Ok(token) => with_session(&portal, &visitor, &token, &to),
        Err(Stopped::Failure(failure)) => show(&portal, visitor, &to, &failure),
        Err(Stopped::Failed(failed)) => failed.into_response(),
    };
    // Once, whatever came of it.
    keep(&mut response, cookie::clear_attempt(&portal.settings));
    response
}

/// `GET /signed-out`: here it is done; at the provider it is for the person to do.
pub async fn signed_out_show(State(portal): State<Portal>, visitor: Visitor) -> Result<Response, Failed> {
    let url = match &portal.settings.provider {
        Some(provider) => provider.sign_out_url(visitor.lang.code(), visitor.ctx.now).await,
        None => None,
    };
    Ok(html(&SignedOutPage {
        page: visitor.page(&portal.app, visitor.lang.t("signed-out-title")),
        provider: url,
    }))
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage {
    page: Page,
    /// Where to sign out at the provider.
    provider: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in_failed.html")]
struct SignInFailedPage {
    page: Page,
    text: String,
    /// What to do.
    then: String,
    again: String,
    request_id: Option<String>,
}

enum Stopped {
    Failure(Failure),
    Failed(Failed),
}

async fn came_back(
    portal: &Portal,
    provider: &Provider,
    visitor: &Visitor,
    sealed: Option<&str>,
) -> Result<String, Stopped> {
    let callback =
        callback(visitor).ok_or(Stopped::Failure(Failure::Lost("the answer names a word twice")))?;
    let identity = provider
        .finish(&callback, sealed, visitor.ctx.now)
        .await
        .map_err(Stopped::Failure)?;
    let signed_in = SignedIn {
        code: identity.code,
        name: identity.name,
        by: "oidc".to_owned(),
    };
    let opened = portal.app.session_open(&visitor.ctx, &signed_in).await;
    opened
        .map(|opened| opened.token)
        .map_err(|problem| Stopped::Failed(visitor.failed(problem)))
}

/// What else the provider sends along, `session_state` and the like, is not for us.
fn callback(visitor: &Visitor) -> Option<Callback> {
    let mut query = visitor.query().ok()?;
    Some(Callback {
        state: query.take("state").ok()?,
        code: query.take("code").ok()?,
        error: query.take("error").ok()?,
        iss: query.take("iss").ok()?,
    })
}

/// The visitor in the language the sign-in began in, and where it should end. The address of this call, which holds
/// the code, stands in no page.
fn returned(
    mut visitor: Visitor,
    provider: &Provider,
    sealed: Option<&str>,
    headers: &HeaderMap,
) -> (Visitor, String) {
    let back = sealed.and_then(|sealed| provider.way_back(sealed));
    let found = back.as_deref().and_then(|back| {
        let (code, to) = back.strip_prefix('/')?.split_at_checked(2)?;
        Some((Lang::from_code(code)?, way_back(to)))
    });
    let (lang, to) = found.unwrap_or_else(|| (preferred(headers), "/".to_owned()));
    visitor.lang = lang;
    visitor.path = again(&to);
    (visitor, to)
}

/// The first of our languages that the browser names.
fn preferred(headers: &HeaderMap) -> Lang {
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let mut codes = accepted.unwrap_or_default().split(',').map(str::trim);
    codes
        .find_map(|code| Lang::from_code(code.get(..2)?))
        .unwrap_or(Lang::Lv)
}

fn way_back(to: &str) -> String {
    let to = inside(to);
    if to.len() <= MAX_WAY_BACK && to.bytes().all(|byte| byte.is_ascii_graphic()) {
        to
    } else {
        "/".to_owned()
    }
}

fn again(to: &str) -> String {
    let to: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
    format!("/sign-in?to={to}")
}

/// What happened and what to do. Logged here, once: neither code nor token nor person stands in a failure.
fn show(portal: &Portal, visitor: Visitor, to: &str, failure: &Failure) -> Response {
    let (word, cause) = (failure.word(), failure.cause());
    let request_id = visitor.ctx.request_id.as_str();
    let status = match failure {
        Failure::Denied(_) | Failure::Weak(_) | Failure::Unnamed(_) => StatusCode::FORBIDDEN,
        Failure::Lost(_) => StatusCode::BAD_REQUEST,
        Failure::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Failure::Refused(_) => StatusCode::BAD_GATEWAY,
    };
    if status.is_server_error() {
        tracing::warn!(word, cause, request_id, "a sign-in failed");
    } else {
        tracing::info!(word, cause, request_id, "a sign-in failed");
    }
    let lang = visitor.lang;
    let mut response = html(&SignInFailedPage {
        text: lang.t(&format!("sign-in-failed-{word}")),
        then: lang.t(&format!("sign-in-then-{word}")),
        again: visitor.url(&again(to)),
        request_id: status.is_server_error().then(|| request_id.to_owned()),
        page: visitor.page(&portal.app, lang.t("sign-in-failed")),
    });
    *response.status_mut() = status;
    response
}

fn keep(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_texts() {
        let text = String::new;
        for failure in [
            Failure::Denied(text()),
            Failure::Lost(""),
            Failure::Unavailable(text()),
            Failure::Refused(text()),
            Failure::Weak(text()),
            Failure::Unnamed(text()),
        ] {
            for (lang, part) in Lang::ALL
                .into_iter()
                .flat_map(|lang| [(lang, "failed"), (lang, "then")])
            {
                let name = format!("sign-in-{part}-{}", failure.word());
                assert!(lang.known(&name).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn the_browser_says_which_language_when_nothing_else_does() {
        let preferred = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value));
            preferred(&headers)
        };
        assert_eq!(preferred("de, en-GB;q=0.8, lv;q=0.5"), Lang::En);
        assert_eq!(preferred("lv-LV, en"), Lang::Lv);
        assert_eq!(preferred("fr, *"), Lang::Lv);
        assert_eq!(way_back("/a?b=%C4%80"), "/a?b=%C4%80");
        assert_eq!(way_back("/ā"), "/");
        assert_eq!(way_back(&format!("/{}", "x".repeat(MAX_WAY_BACK))), "/");
    }
}
