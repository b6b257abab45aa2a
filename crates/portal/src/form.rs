//! A form that was sent: bounded, by a signed-in person, from a page of ours.

use axum::extract::{FromRequest, FromRequestParts, Request};
use dagr_app::problem::Problem;
use dagr_model::fault::Fault;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, Limited};
use jiff::civil::Date;

use crate::{
    csrf,
    failed::Failed,
    settings::Portal,
    visitor::{Signed, Visitor},
};

/// A form's bytes: two thousand fields with their laws go in.
const MAX_BYTES: usize = 4 << 20;
const MAX_PAIRS: usize = 20_000;

/// What a person sent.
pub struct Posted {
    pub visitor: Visitor,
    pub form: Form,
}

/// What was sent before anybody was signed in: from a page of ours, for what it is worth.
pub struct Open {
    pub visitor: Visitor,
    pub form: Form,
}

/// Pairs in the order sent.
#[derive(Debug, Default, Clone)]
pub struct Form(Vec<(String, String)>);

impl Form {
    fn parse(body: &[u8]) -> Option<Self> {
        let pairs: Vec<_> = form_urlencoded::parse(body)
            .map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n")))
            .take(MAX_PAIRS + 1)
            .collect();
        (pairs.len() <= MAX_PAIRS).then_some(Self(pairs))
    }

    /// A form as it stands before anybody types.
    pub fn of<const N: usize>(pairs: [(&str, String); N]) -> Self {
        Self(pairs.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// The first of this name, trimmed; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(found, _)| found == name)
            .map_or("", |(_, value)| value.trim())
    }

    /// The first of this name as it was typed, for texts whose lines count.
    pub fn raw(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(found, _)| found == name)
            .map_or("", |(_, value)| value)
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(found, _)| found == name)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let same = move |pair: &&(String, String)| pair.0 == name;
        self.0.iter().filter(same).map(|(_, value)| value.trim())
    }

    /// `law:Code` → (`Code`, value), for every name that begins so.
    pub fn named<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let strip =
            move |(name, value): &'a (String, String)| Some((name.strip_prefix(prefix)?, value.trim()));
        self.0.iter().filter_map(strip)
    }
}

/// A day: `2026-05-12` as browsers send it, `12.05.2026.` as people write it. None where nothing was written.
pub fn date(form: &Form, name: &str, faults: &mut Vec<Fault>) -> Option<Date> {
    let text = form.text(name);
    if text.is_empty() {
        return None;
    }
    let written = || {
        let mut parts = text.trim_end_matches('.').split('.');
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
    };
    let date = text.parse::<Date>().ok().or_else(written);
    if date.is_none() {
        faults.push(Fault::new(name, "date", "a day, such as 12.05.2026."));
    }
    date
}

impl FromRequest<Portal> for Posted {
    type Rejection = Failed;

    async fn from_request(request: Request, portal: &Portal) -> Result<Self, Failed> {
        let (mut parts, body) = request.into_parts();
        let Signed(visitor) = Signed::from_request_parts(&mut parts, portal).await?;
        let form = read(&visitor, &parts.headers, body).await?;
        if !visitor.holds_form(form.text("csrf")) {
            return Err(foreign(&visitor));
        }
        Ok(Self { visitor, form })
    }
}

impl FromRequest<Portal> for Open {
    type Rejection = Failed;

    async fn from_request(request: Request, portal: &Portal) -> Result<Self, Failed> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, portal).await?;
        let form = read(&visitor, &parts.headers, body).await?;
        Ok(Self { visitor, form })
    }
}

async fn read(visitor: &Visitor, headers: &HeaderMap, body: axum::body::Body) -> Result<Form, Failed> {
    if !csrf::same_origin(headers) {
        return Err(foreign(visitor));
    }
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        return Err(visitor.failed(Problem::new(415, "media_type", "a form is wanted")));
    }
    let too_large = || visitor.failed(Problem::new(413, "too_large", "the form is too large"));
    let body = Limited::new(body, MAX_BYTES)
        .collect()
        .await
        .map_err(|_| too_large())?;
    Form::parse(&body.to_bytes()).ok_or_else(too_large)
}

pub fn foreign(visitor: &Visitor) -> Failed {
    visitor.failed(Problem::new(
        403,
        "form_foreign",
        "the form was not sent from a page of this session; open the page again",
    ))
}
