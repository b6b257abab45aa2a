//! The frame around every page: who is signed in, for whom, where one is, where one can go.

use askama::Template;
use axum::response::{IntoResponse, Response};
use dagr_app::{App, ctx::Person};
use http::{HeaderValue, StatusCode, header};
use jiff::{Timestamp, civil::Date};

use crate::{assets, lang::Lang, visitor::Visitor};

pub struct Page {
    pub lang: Lang,
    pub title: String,
    /// Behind the language: the same page in the other one.
    pub path: String,
    pub crumbs: Vec<Crumb>,
    pub who: Option<Who>,
    pub csrf: String,
    /// Something was done: said once, above the page.
    pub done: Option<String>,
    pub development: bool,
}

pub struct Crumb {
    pub url: String,
    pub text: String,
}

/// The person signed in.
pub struct Who {
    pub name: String,
    /// The institution acted for.
    pub institution: Option<String>,
    /// Whether there is another to act for.
    pub may_change: bool,
    pub unread: usize,
    /// Acts for an institution that provides data, or may.
    pub provides: bool,
    /// Acts as the platform's operator.
    pub operates: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::unused_self,
    reason = "a template hands over references, and calls what its page has"
)]
impl Page {
    pub fn new(visitor: &Visitor, app: &App, title: String, development: bool) -> Self {
        let mut page = Self::without_counts(visitor, title);
        page.development = development;
        if let Some(person) = visitor.person() {
            page.who = Some(who(person, app, visitor));
        }
        page
    }

    /// Without what would have to be looked up.
    pub fn without_counts(visitor: &Visitor, title: String) -> Self {
        Self {
            lang: visitor.lang,
            title,
            path: visitor.path.clone(),
            crumbs: Vec::new(),
            who: visitor.person().map(|person| Who {
                name: person.name.clone(),
                institution: None,
                may_change: false,
                unread: 0,
                provides: false,
                operates: false,
            }),
            csrf: visitor.csrf(),
            done: None,
            development: false,
        }
    }

    /// Where this page lies, from the top down; itself is not named.
    pub fn under(mut self, path: &str, text: impl Into<String>) -> Self {
        self.crumbs.push(Crumb {
            url: self.url(path),
            text: text.into(),
        });
        self
    }

    /// What was done, by the name of its text.
    pub fn saying(mut self, done: Option<&str>) -> Self {
        self.done = done.and_then(|name| self.lang.known(&format!("done-{name}")));
        self
    }

    pub fn url(&self, path: &str) -> String {
        format!("/{}{path}", self.lang.code())
    }

    pub fn other_url(&self) -> String {
        format!("/{}{}", self.lang.other().code(), self.path)
    }

    pub fn is_at(&self, section: &str) -> bool {
        let path = self.path.split('?').next().unwrap_or_default();
        path == section
            || path
                .strip_prefix(section)
                .is_some_and(|rest| rest.starts_with('/'))
    }

    pub fn t(&self, id: &str) -> String {
        self.lang.t(id)
    }

    /// A text of a family, by the name of its member.
    pub fn family(&self, family: &str, member: &str) -> String {
        self.lang.t(&format!("{family}-{member}"))
    }

    pub fn n(&self, id: &str, n: &u64) -> String {
        self.lang.n(id, *n)
    }

    pub fn count(&self, id: &str, n: &usize) -> String {
        self.lang.n(id, *n as u64)
    }

    pub fn number(&self, n: &u64) -> String {
        crate::lang::number(*n)
    }

    pub fn with(&self, id: &str, name: &str, value: &str) -> String {
        self.lang.with(id, &[(name, value)])
    }

    pub fn date(&self, date: &Date) -> String {
        self.lang.date(*date)
    }

    pub fn day(&self, date: &Date) -> String {
        self.lang.day(*date)
    }

    pub fn moment(&self, at: &Timestamp) -> String {
        self.lang.moment(*at)
    }

    /// For programs: to the second, in UTC.
    pub fn stamp(&self, at: &Timestamp) -> String {
        at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    pub fn asset(&self, name: &str) -> String {
        assets::path(name)
    }
}

fn who(person: &Person, app: &App, visitor: &Visitor) -> Who {
    let catalog = app.catalog();
    let acting = person.acting.as_ref();
    Who {
        name: person.name.clone(),
        institution: acting.map(|acting| {
            name_of(
                catalog.institution_name(&acting.institution),
                acting.institution.as_str(),
            )
        }),
        may_change: person.may_act_for.len() > usize::from(acting.is_some()),
        unread: visitor.unread,
        provides: visitor.provides,
        operates: acting.is_some_and(|acting| acting.holds(&[dagr_model::role::Role::Operator])),
    }
}

/// The name, or the number where there is none.
pub fn name_of(name: &str, number: &str) -> String {
    if name.is_empty() {
        number.to_owned()
    } else {
        name.to_owned()
    }
}

/// A rendered page. Personal pages are nobody's to keep: none is cached.
pub fn html(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => {
            let kind = (
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            );
            let keep = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            ([kind, keep], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The form again, with what was typed and what is wrong with it.
pub fn wrong(template: &impl Template) -> Response {
    let mut response = html(template);
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}

/// After a form: see the page there (303), so that a reload sends nothing twice.
pub fn see(url: &str) -> Response {
    let place = HeaderValue::from_str(url).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}
