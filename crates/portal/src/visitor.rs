//! Who looks at a page, and in which language.

use axum::extract::{FromRequestParts, OriginalUri};
use dagr_app::ctx::{Caller, Ctx, Person};
use dagr_model::ids::RequestId;
use dagr_web::{context::Id, query::Query};
use http::request::Parts;
use std::sync::Arc;

use crate::{cookie, csrf, failed::Failed, lang::Lang, page::Page, settings::Portal};

/// Whoever; signed in or not.
#[derive(Clone)]
pub struct Visitor {
    pub lang: Lang,
    pub ctx: Ctx,
    /// Path behind the language, `/` first, with its query: for the same page in the other language.
    pub path: String,
    query: Option<String>,
    session: Option<String>,
    /// Notifications not read yet; counted to ten.
    pub unread: usize,
    /// Acts for an institution that provides data, or may.
    pub provides: bool,
    development: bool,
}

/// A signed-in person; anybody else is sent to sign in, and comes back.
pub struct Signed(pub Visitor);

impl Visitor {
    pub fn person(&self) -> Option<&Arc<Person>> {
        match &self.ctx.caller {
            Caller::Person(person) => Some(person),
            Caller::Anonymous | Caller::Operator | Caller::Connection(..) => None,
        }
    }

    /// Words of the query, to be taken out one by one; what is left is refused by `Query::end`.
    pub fn query(&self) -> Result<Query, Failed> {
        Query::parse(self.query.as_deref()).map_err(|problem| self.failed(problem))
    }

    /// What goes in every form of this session; empty for whoever has none.
    pub fn csrf(&self) -> String {
        self.session.as_deref().map(csrf::token).unwrap_or_default()
    }

    pub fn holds_form(&self, sent: &str) -> bool {
        self.session
            .as_deref()
            .is_some_and(|session| csrf::fits(session, sent))
    }

    /// A path of ours in this language.
    pub fn url(&self, path: &str) -> String {
        format!("/{}{path}", self.lang.code())
    }

    pub fn failed(&self, problem: dagr_app::problem::Problem) -> Failed {
        Failed::new(self.clone(), problem)
    }

    /// The frame of a page of this title.
    pub fn page(&self, app: &dagr_app::App, title: impl Into<String>) -> Page {
        Page::new(self, app, title.into(), self.development)
    }
}

impl FromRequestParts<Portal> for Visitor {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Failed> {
        let uri = parts
            .extensions
            .get::<OriginalUri>()
            .map_or(&parts.uri, |original| &original.0);
        let (lang, path) = split(uri.path());
        let query = uri.query().map(str::to_owned);
        let path = match &query {
            Some(query) if lang.is_some() => format!("{path}?{query}"),
            _ => path.to_owned(),
        };
        let id = parts.extensions.get::<Id>().map(|id| id.0.clone());
        let mut visitor = Self {
            lang: lang.unwrap_or(Lang::Lv),
            ctx: Ctx {
                request_id: id.unwrap_or_else(|| RequestId::new("-")),
                now: portal.app.now(),
                caller: Caller::Anonymous,
                permission: None,
                case: None,
            },
            path,
            query,
            session: None,
            unread: 0,
            provides: false,
            development: portal.settings.development_sign_in,
        };
        if let Some(token) = cookie::read(&parts.headers, &portal.settings) {
            let person = portal.app.session_person(&token).await;
            if let Some(person) = person.map_err(|problem| visitor.failed(problem))? {
                visitor.ctx.caller = Caller::Person(person);
                visitor.session = Some(token);
                let frame = portal.app.frame_get(&visitor.ctx).await;
                let frame = frame.map_err(|problem| visitor.failed(problem))?;
                visitor.unread = frame.unread;
                visitor.provides = frame.provides;
            }
        }
        Ok(visitor)
    }
}

impl FromRequestParts<Portal> for Signed {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Failed> {
        let visitor = Visitor::from_request_parts(parts, portal).await?;
        if visitor.person().is_some() {
            Ok(Self(visitor))
        } else {
            Err(Failed::sign_in(visitor))
        }
    }
}

/// `/lv/catalogue` → Latvian, `/catalogue`. What stands under no language is the same page in none.
fn split(path: &str) -> (Option<Lang>, &str) {
    let (code, rest) = path
        .get(1..)
        .unwrap_or_default()
        .split_at_checked(2)
        .unwrap_or(("", ""));
    let rest = if rest.is_empty() { "/" } else { rest };
    match Lang::from_code(code) {
        Some(lang) => (Some(lang), rest),
        None => (None, "/"),
    }
}
