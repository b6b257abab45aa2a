//! Signing in and out, and for which institution one acts.

use askama::Template;
use axum::{extract::State, response::Response};
use dagr_app::{problem::Problem, session::SignedIn};
use http::{HeaderMap, header};

use crate::{
    cookie,
    failed::Failed,
    form::{Open, Posted},
    page::{Page, html, name_of, see},
    settings::{CastMember, Portal},
    visitor::{Signed, Visitor},
};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    page: Page,
    /// Where to go on.
    to: String,
    provider: Option<ProviderLink>,
    cast: Vec<CastMember>,
    /// A fault of what was typed.
    fault: Option<String>,
    code: String,
    name: String,
}

/// The way to the OpenID provider.
struct ProviderLink {
    url: String,
    label: String,
}

/// `GET /sign-in?to=`
pub async fn sign_in_show(State(portal): State<Portal>, visitor: Visitor) -> Result<Response, Failed> {
    let mut query = visitor.query()?;
    let to = query.take("to").map_err(|problem| visitor.failed(problem))?;
    let to = inside(to.as_deref().unwrap_or("/"));
    if visitor.person().is_some() {
        return Ok(see(&visitor.url(&to)));
    }
    Ok(html(&form(&portal, &visitor, to, None, ["", ""])))
}

/// `POST /sign-in`: whoever it is, is who they say. On loopback only.
pub async fn sign_in_development(
    State(portal): State<Portal>,
    headers: HeaderMap,
    Open { visitor, form: sent }: Open,
) -> Result<Response, Failed> {
    // A proxy in front brings the world to loopback.
    let proxied = headers.contains_key("x-forwarded-for") || headers.contains_key(header::FORWARDED);
    if !portal.settings.development_sign_in || proxied {
        return Err(visitor.failed(Problem::not_found()));
    }
    let to = inside(sent.text("to"));
    let (code, name) = (sent.text("code"), sent.text("name"));
    if !is_person_code(code) {
        let fault = Some(visitor.lang.t("sign-in-code-fault"));
        let page = form(&portal, &visitor, to, fault, [code, name]);
        return Ok(html(&page));
    }
    let signed_in = SignedIn {
        code: code.to_owned(),
        // Not the code: a name is shown to others.
        name: if name.is_empty() {
            visitor.lang.t("sign-in-unnamed")
        } else {
            name.to_owned()
        },
        by: "development".to_owned(),
    };
    let opened = portal.app.session_open(&visitor.ctx, &signed_in).await;
    let opened = opened.map_err(|problem| visitor.failed(problem))?;
    Ok(with_session(&portal, &visitor, &opened.token, &to))
}

/// On to where the person wanted, with the cookie.
pub fn with_session(portal: &Portal, visitor: &Visitor, token: &str, to: &str) -> Response {
    let mut response = see(&visitor.url(to));
    if let Some(value) = cookie::set(token, &portal.settings) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// `POST /sign-out`
pub async fn sign_out(State(portal): State<Portal>, posted: Posted) -> Result<Response, Failed> {
    let visitor = posted.visitor;
    let closed = portal.app.session_close(&visitor.ctx).await;
    closed.map_err(|problem| visitor.failed(problem))?;
    // Signed out here, perhaps not at the provider: the next page says so.
    let by_provider = visitor
        .person()
        .is_some_and(|person| person.signed_in_by == "oidc");
    let mut response = see(&visitor.url(if by_provider { "/signed-out" } else { "/" }));
    if let Some(value) = cookie::clear(&portal.settings) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

#[derive(Template)]
#[template(path = "act_for.html")]
struct ActForPage {
    page: Page,
    places: Vec<Place>,
    to: String,
}

struct Place {
    number: String,
    name: String,
    roles: Vec<String>,
    now: bool,
}

/// `GET /act-for?to=`
pub async fn act_for_show(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    let to = visitor
        .query()?
        .take("to")
        .map_err(|problem| visitor.failed(problem))?;
    let Some(person) = visitor.person() else {
        return Err(Failed::sign_in(visitor));
    };
    let catalog = portal.app.catalog();
    let acting = person.acting.as_ref().map(|acting| &acting.institution);
    let place = |place: &dagr_app::ctx::Acting| Place {
        number: place.institution.to_string(),
        name: name_of(
            catalog.institution_name(&place.institution),
            place.institution.as_str(),
        ),
        roles: place
            .roles
            .iter()
            .map(|role| {
                visitor
                    .lang
                    .t(&format!("role-{}", role.as_str().replace('_', "-")))
            })
            .collect(),
        now: acting == Some(&place.institution),
    };
    Ok(html(&ActForPage {
        page: visitor.page(&portal.app, visitor.lang.t("act-for-title")),
        places: person.may_act_for.iter().map(place).collect(),
        to: inside(to.as_deref().unwrap_or("/work")),
    }))
}

/// `POST /act-for`: another institution, or oneself where none is named.
pub async fn act_for(State(portal): State<Portal>, posted: Posted) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let number = Some(form.text("institution")).filter(|number| !number.is_empty());
    let changed = portal.app.session_act_for(&visitor.ctx, number).await;
    changed.map_err(|problem| visitor.failed(problem))?;
    Ok(see(&visitor.url(&inside(form.text("to")))))
}

fn form(
    portal: &Portal,
    visitor: &Visitor,
    to: String,
    fault: Option<String>,
    typed: [&str; 2],
) -> SignInPage {
    SignInPage {
        page: visitor.page(&portal.app, visitor.lang.t("sign-in")),
        provider: provider_link(portal, visitor, &to),
        to,
        cast: portal.settings.cast.get().cloned().unwrap_or_default(),
        fault,
        code: typed[0].to_owned(),
        name: typed[1].to_owned(),
    }
}

fn provider_link(portal: &Portal, visitor: &Visitor, to: &str) -> Option<ProviderLink> {
    portal.settings.provider.as_ref()?;
    let to: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
    let label = portal.settings.provider_label(visitor.lang.code());
    Some(ProviderLink {
        url: visitor.url(&format!("/sign-in/start?to={to}")),
        label: label.unwrap_or_else(|| visitor.lang.t("sign-in-provider")),
    })
}

/// A path of ours, or the start: never another site's.
pub fn inside(to: &str) -> String {
    let ours = to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '\r', '\n']);
    if ours && to.len() <= 2_000 {
        to.to_owned()
    } else {
        "/".to_owned()
    }
}

/// 11 digits, with or without the hyphen.
fn is_person_code(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    digits == 11 && plain && text.len() <= 12
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_leads_nowhere_else() {
        assert_eq!(inside("/my-data?after=1"), "/my-data?after=1");
        for foreign in [
            "//evil.test",
            "https://evil.test",
            "/\\evil.test",
            "",
            "/a\r\nb: c",
        ] {
            assert_eq!(inside(foreign), "/", "{foreign:?}");
        }
    }
}
