//! Packages and their receipts; a held snapshot, why it is held in numbers, and the provider's word on it.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    intake::seen::{HeldSeen, PackageSeen, PackageState},
    problem::Problem,
};
use dagr_model::ids::Section;
use jiff::Timestamp;
use serde_json::Value;

use super::{encoded, packages_url, page_of, section_of, words};
use crate::{
    failed::Failed,
    form::Posted,
    lang::{Lang, number},
    page::{Page, html, see},
    settings::Portal,
    visitor::{Signed, Visitor},
    words::State as Word,
};

const PAGE: u64 = 50;

/// A package in a table.
pub struct PackageRow {
    pub id: String,
    /// Behind the language.
    pub url: String,
    pub state: Word,
    pub is_held: bool,
    pub mode: String,
    pub received: String,
    pub accepted: String,
    pub removed: String,
    pub quarantined: String,
    pub would_delete: u64,
}

pub fn rows(lang: Lang, name: &str, section: Section, packages: Vec<PackageSeen>) -> Vec<PackageRow> {
    let row = |package: PackageSeen| {
        let receipt = package.receipt.as_ref();
        let count = |member: &str| receipt.and_then(|receipt| receipt[member].as_u64());
        let shown = |member: &str| count(member).map_or_else(String::new, number);
        PackageRow {
            url: place(name, section, &package.id, ""),
            state: words::package(lang, package.state),
            is_held: package.state == PackageState::Held,
            mode: mode(lang, &package),
            received: package.received.map_or_else(String::new, |at| lang.moment(at)),
            accepted: package.rows.map_or_else(|| shown("accepted"), number),
            removed: shown("deleted"),
            quarantined: number(package.quarantined),
            would_delete: package.held.map_or(0, |held| held.would_delete),
            id: package.id,
        }
    };
    packages.into_iter().map(row).collect()
}

fn mode(lang: Lang, package: &PackageSeen) -> String {
    match (package.state, package.snapshot) {
        (PackageState::Open, _) => String::new(),
        (_, true) => lang.t("mode-snapshot"),
        (_, false) => lang.t("mode-delta"),
    }
}

/// `/my-datasets/{name}/packages/{id}{step}?section=…`
fn place(name: &str, section: Section, id: &str, step: &str) -> String {
    format!(
        "/my-datasets/{name}/packages/{}{step}?section={}",
        encoded(id),
        section.as_str()
    )
}

#[derive(Template)]
#[template(path = "packages.html")]
struct PackagesPage {
    page: Page,
    packages: Vec<PackageRow>,
    next: Option<String>,
}

/// `GET /my-datasets/{name}/packages?section=&after=`
pub async fn package_list(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let section = query.take("section").map_err(failed)?;
    let after = query.take("after").map_err(failed)?;
    query.end().map_err(failed)?;
    let section = section_of(&visitor, section.as_deref())?;
    let found = portal
        .app
        .package_page(&visitor.ctx, section, &name, after.as_deref(), PAGE)
        .await
        .map_err(failed)?;
    let title = visitor.lang.t(match section {
        Section::Main => "packages-main",
        Section::Sandbox => "packages-sandbox",
    });
    Ok(html(&PackagesPage {
        page: page_of(&portal, &visitor, &name, title),
        packages: rows(visitor.lang, &name, section, found.packages),
        next: found
            .next
            .map(|next| visitor.url(&packages_url(&name, section, Some(&next)))),
    }))
}

#[derive(Template)]
#[template(path = "package.html")]
struct PackagePage {
    page: Page,
    state: Word,
    /// Name and count, in the order of the receipt.
    counts: Vec<(String, String)>,
    held: Option<HeldShown>,
    confirm_url: String,
    reject_url: String,
    quarantine_url: Option<String>,
    /// Signed, as the sender got it.
    receipt: Option<String>,
    may_change: bool,
}

/// Why it is held.
pub struct HeldShown {
    pub would_delete: String,
    pub records: String,
    pub share: String,
    pub guard: String,
    pub outdated: bool,
}

impl HeldShown {
    fn of(lang: Lang, held: &HeldSeen) -> Self {
        Self {
            would_delete: lang.n("count-records", held.would_delete),
            records: lang.n("count-records", held.records),
            share: per_cent(lang, held.share_bp()),
            guard: per_cent(lang, u64::from(held.guard_bp)),
            outdated: held.outdated,
        }
    }
}

/// Hundredths of a per cent as people write them: `12,5 %`.
fn per_cent(lang: Lang, hundredths: u64) -> String {
    let (whole, rest) = (number(hundredths / 100), hundredths % 100);
    let mark = if lang == Lang::Lv { ',' } else { '.' };
    let text = match rest {
        0 => whole,
        rest if rest.is_multiple_of(10) => format!("{whole}{mark}{}", rest / 10),
        rest => format!("{whole}{mark}{rest:02}"),
    };
    format!("{text}\u{a0}%")
}

/// `GET /my-datasets/{name}/packages/{id}?section=`
pub async fn package_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, Failed> {
    let (section, done, package) = one(&portal, &visitor, &name, &id).await?;
    let lang = visitor.lang;
    let quarantine = format!(
        "/my-datasets/{name}/quarantine?section={}&package={}",
        section.as_str(),
        encoded(&id)
    );
    let title = lang.with("package-title", &[("id", &id)]);
    Ok(html(&PackagePage {
        page: page_of(&portal, &visitor, &name, title).saying(done.as_deref()),
        state: words::package(lang, package.state),
        counts: counts(lang, &package),
        held: package.held.as_ref().map(|held| HeldShown::of(lang, held)),
        confirm_url: visitor.url(&place(&name, section, &id, "/confirm")),
        reject_url: visitor.url(&place(&name, section, &id, "/reject")),
        quarantine_url: (package.quarantined > 0 && package.state == PackageState::Applied)
            .then(|| visitor.url(&quarantine)),
        receipt: package
            .receipt
            .as_ref()
            .map(|receipt| serde_json::to_string_pretty(receipt).unwrap_or_default()),
        may_change: visitor.ctx.answers_for_data(),
    }))
}

async fn one(
    portal: &Portal,
    visitor: &Visitor,
    name: &str,
    id: &str,
) -> Result<(Section, Option<String>, PackageSeen), Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let section = query.take("section").map_err(failed)?;
    let done = query.take("done").map_err(failed)?;
    query.end().map_err(failed)?;
    let section = section_of(visitor, section.as_deref())?;
    let package = portal.app.package_seen(&visitor.ctx, section, name, id).await;
    Ok((section, done, package.map_err(failed)?))
}

/// Members of a receipt that are counts, with their texts.
const COUNTS: [(&str, &str); 7] = [
    ("received", "receipt-received"),
    ("accepted", "receipt-accepted"),
    ("unchanged", "receipt-unchanged"),
    ("deleted", "receipt-deleted"),
    ("duplicates", "receipt-duplicates"),
    ("expired", "receipt-expired"),
    ("quarantined", "receipt-quarantined"),
];

fn counts(lang: Lang, package: &PackageSeen) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mode = mode(lang, package);
    if !mode.is_empty() {
        out.push((lang.t("package-mode"), mode));
    }
    let at = |at: Timestamp| lang.moment(at);
    if let Some(received) = package.received {
        out.push((lang.t("package-received"), at(received)));
    }
    if let Some(rows) = package.rows {
        out.push((lang.t("receipt-received"), number(rows)));
    }
    for (member, text) in COUNTS {
        let count = package
            .receipt
            .as_ref()
            .and_then(|receipt| receipt[member].as_u64());
        out.extend(count.map(|count| (lang.t(text), number(count))));
    }
    if package.receipt.is_none() && package.quarantined > 0 {
        out.push((lang.t("receipt-quarantined"), number(package.quarantined)));
    }
    out
}

#[derive(Template)]
#[template(path = "package_decide.html")]
struct DecidePage {
    page: Page,
    held: HeldShown,
    confirms: bool,
    action: String,
    back: String,
}

/// `GET /my-datasets/{name}/packages/{id}/confirm?section=`
pub async fn confirm_show(
    State(portal): State<Portal>,
    signed: Signed,
    place: Path<(String, String)>,
) -> Result<Response, Failed> {
    ask(&portal, signed, place, true).await
}

/// `GET /my-datasets/{name}/packages/{id}/reject?section=`
pub async fn reject_show(
    State(portal): State<Portal>,
    signed: Signed,
    place: Path<(String, String)>,
) -> Result<Response, Failed> {
    ask(&portal, signed, place, false).await
}

async fn ask(
    portal: &Portal,
    Signed(visitor): Signed,
    Path((name, id)): Path<(String, String)>,
    confirms: bool,
) -> Result<Response, Failed> {
    let (section, _, package) = one(portal, &visitor, &name, &id).await?;
    let Some(held) = package.held.filter(|held| !(confirms && held.outdated)) else {
        // Decided meanwhile, or outdated: the package's page says so.
        return Ok(see(&visitor.url(&place(&name, section, &id, ""))));
    };
    if !visitor.ctx.answers_for_data() {
        return Err(visitor.failed(Problem::role_required(
            "the head or the data manager of the provider decides",
        )));
    }
    let title = visitor.lang.t(if confirms {
        "held-confirm-title"
    } else {
        "held-reject-title"
    });
    let step = if confirms { "/confirm" } else { "/reject" };
    Ok(html(&DecidePage {
        page: page_of(portal, &visitor, &name, title),
        held: HeldShown::of(visitor.lang, &held),
        confirms,
        action: visitor.url(&place(&name, section, &id, step)),
        back: visitor.url(&place(&name, section, &id, "")),
    }))
}

/// `POST /my-datasets/{name}/packages/{id}/confirm?section=`
pub async fn confirm_post(
    State(portal): State<Portal>,
    Path((name, id)): Path<(String, String)>,
    Posted { visitor, .. }: Posted,
) -> Result<Response, Failed> {
    decide(&portal, &visitor, &name, &id, true).await
}

/// `POST /my-datasets/{name}/packages/{id}/reject?section=`
pub async fn reject_post(
    State(portal): State<Portal>,
    Path((name, id)): Path<(String, String)>,
    Posted { visitor, .. }: Posted,
) -> Result<Response, Failed> {
    decide(&portal, &visitor, &name, &id, false).await
}

async fn decide(
    portal: &Portal,
    visitor: &Visitor,
    name: &str,
    id: &str,
    confirms: bool,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let section = query.take("section").map_err(failed)?;
    query.end().map_err(failed)?;
    let section = section_of(visitor, section.as_deref())?;
    let app = &portal.app;
    let decided: Result<Value, Problem> = if confirms {
        app.package_confirm(&visitor.ctx, section, name, id).await
    } else {
        app.package_reject(&visitor.ctx, section, name, id).await
    };
    decided.map_err(failed)?;
    let done = if confirms {
        "package-confirmed"
    } else {
        "package-rejected"
    };
    let to = format!("{}&done={done}", place(name, section, id, ""));
    Ok(see(&visitor.url(&to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_written_as_people_write_them() {
        assert_eq!(per_cent(Lang::Lv, 1_000), "10\u{a0}%");
        assert_eq!(per_cent(Lang::Lv, 1_250), "12,5\u{a0}%");
        assert_eq!(per_cent(Lang::En, 1_205), "12.05\u{a0}%");
    }
}
