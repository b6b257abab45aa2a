//! Permissions of the institution acted for: those it received and those that rest on its data.

mod explain;
mod moving;
mod uses;
mod words;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    App,
    institution::ListQuery,
    permission::PermissionQuery,
    problem::Problem,
    views::{Page as Found, PermissionRow, PermissionSeen, RevisionSeen},
};
use dagr_model::{
    ids::Section,
    permission::{PermissionState, QuotaUnit},
};
use jiff::Timestamp;

use crate::{
    failed::Failed,
    lang::Lang,
    page::{Page, html, name_of},
    settings::Portal,
    visitor::{Signed, Visitor},
};

use explain::Explained;
pub use explain::permission_explain;
pub use moving::{permission_move, permission_move_show};
pub use uses::{permission_amend, permission_narrow_post, permission_narrow_show, permission_odrl};
use words::{standing, way_text};

/// Permissions on one page, and revisions of one.
const PAGE: u32 = 50;
const REVISIONS: u32 = 20;

#[derive(Template)]
#[template(path = "permissions.html")]
struct PermissionsPage {
    page: Page,
    /// Those that rest on own data; else those received.
    is_provider: bool,
    dataset: String,
    state: String,
    states: [&'static str; 3],
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    number: String,
    description: String,
    dataset: String,
    /// The other side.
    party: String,
    purpose: String,
    standing: String,
    class: &'static str,
    icon: &'static str,
    used: u64,
    last_use: Option<Timestamp>,
    until: Option<jiff::civil::Date>,
    sandbox: bool,
}

/// `GET /permissions?side=&state=&dataset=&after=`
pub async fn permission_list(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
) -> Result<Response, Failed> {
    let mut query = visitor.query()?;
    let failed = |problem| visitor.failed(problem);
    let mut word = |name| query.take(name).map_err(failed).map(Option::unwrap_or_default);
    let (side, dataset, state, after) = (word("side")?, word("dataset")?, word("state")?, word("after")?);
    query.end().map_err(failed)?;
    let own = visitor.ctx.acting(&[]).map(|(_, acting)| &acting.institution);
    let own = own.map_err(failed)?.to_string();
    let is_provider = side == "provider";
    let (recipient, provider) = if is_provider {
        (None, Some(own))
    } else {
        (Some(own), None)
    };
    let asked = PermissionQuery {
        dataset: Some(dataset.trim().to_owned()).filter(|name| !name.is_empty()),
        recipient,
        provider,
        environment: None,
        state: known_state(&state),
        page: ListQuery {
            after: Some(after).filter(|after| !after.is_empty()),
            limit: PAGE,
        },
    };
    let found: Found<PermissionRow> = portal
        .app
        .permission_rows(&visitor.ctx, asked)
        .await
        .map_err(failed)?;
    let next = found.next.as_deref().map(|after| {
        let side = if is_provider { "provider" } else { "recipient" };
        let words = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("side", side),
                ("state", &state),
                ("dataset", &dataset),
                ("after", after),
            ])
            .finish();
        visitor.url(&format!("/permissions?{words}"))
    });
    let rows = found.items.into_iter();
    Ok(html(&PermissionsPage {
        page: visitor.page(&portal.app, visitor.lang.t("permissions-title")),
        is_provider,
        dataset,
        state,
        states: ["active", "suspended", "revoked"],
        rows: rows.map(|found| row(visitor.lang, found, is_provider)).collect(),
        next,
    }))
}

fn known_state(text: &str) -> Option<PermissionState> {
    match text {
        "active" => Some(PermissionState::Active),
        "suspended" => Some(PermissionState::Suspended),
        "revoked" => Some(PermissionState::Revoked),
        _ => None,
    }
}

fn row(lang: Lang, found: PermissionRow, is_provider: bool) -> Row {
    let named = |party: &dagr_app::views::Provider| name_of(&party.name, party.registration_number.as_str());
    let other = if is_provider {
        Some(&found.recipient)
    } else {
        found.provider.as_ref()
    };
    let (standing, class, icon) = standing(lang, found.standing);
    Row {
        number: found.permission.number.to_string(),
        party: other.map(named).unwrap_or_default(),
        description: found.description,
        dataset: found.permission.dataset.to_string(),
        purpose: found.permission.purpose,
        standing,
        class,
        icon,
        used: found.used,
        last_use: found.last_use,
        until: found.permission.valid_to,
        sandbox: found.permission.environment == Section::Sandbox,
    }
}

#[derive(Template)]
#[template(path = "permission.html")]
struct PermissionPage {
    page: Page,
    seen: PermissionSeen,
    standing: String,
    class: &'static str,
    icon: &'static str,
    recipient: String,
    provider: String,
    sandbox: bool,
    scope: String,
    ways: Vec<String>,
    /// What may be asked about: its own ways, and those it lacks.
    ask_ways: Vec<(String, String)>,
    by_record: bool,
    percent: Option<u64>,
    revisions: Vec<Revision>,
    older: Option<String>,
    explained: Option<Explained>,
    may: uses::MayAsk,
    /// None: nothing is counted yet.
    chart: Option<uses::UseChart>,
}

struct Revision {
    at: Timestamp,
    who: String,
    what: String,
    reason: Option<String>,
}

/// `GET /permissions/{number}?after=&done=`
pub async fn permission_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(number): Path<String>,
) -> Result<Response, Failed> {
    let mut query = visitor.query()?;
    let failed = |problem: Problem| visitor.failed(problem);
    let after = query.take("after").map_err(failed)?;
    let done = query.take("done").map_err(failed)?;
    query.end().map_err(failed)?;
    let mut page = shown(&portal.app, &visitor, &number, after).await?;
    page.page = page.page.saying(done.as_deref());
    Ok(html(&page))
}

async fn shown(
    app: &App,
    visitor: &Visitor,
    number: &str,
    after: Option<String>,
) -> Result<PermissionPage, Failed> {
    let failed = |problem: Problem| visitor.failed(problem);
    let seen = app.permission_show(&visitor.ctx, number).await.map_err(failed)?;
    let asked = ListQuery {
        after,
        limit: REVISIONS,
    };
    let revisions = app.permission_revision_list(&visitor.ctx, number, asked).await;
    let revisions = revisions.map_err(failed)?;
    let used = app.permission_use(&visitor.ctx, number).await.map_err(failed)?;
    let lang = visitor.lang;
    let permission = &seen.row.permission;
    let named = |party: &dagr_app::views::Provider| name_of(&party.name, party.registration_number.as_str());
    let (standing, class, icon) = standing(lang, seen.row.standing);
    let number = permission.number.to_string();
    let older = revisions.next.as_deref();
    Ok(PermissionPage {
        page: visitor
            .page(app, lang.with("permission-title", &[("number", &number)]))
            .under("/permissions", lang.t("permissions-title")),
        standing,
        class,
        icon,
        recipient: named(&seen.row.recipient),
        provider: seen.row.provider.as_ref().map(named).unwrap_or_default(),
        sandbox: permission.environment == Section::Sandbox,
        scope: crate::words::scope(lang, permission.scope.as_ref()),
        ways: permission
            .ways
            .iter()
            .map(|way| way_text(lang, &way.text()))
            .collect(),
        ask_ways: explain::ways(lang, permission),
        by_record: permission.quota_unit == QuotaUnit::Record,
        percent: permission
            .quota
            .map(|quota| (seen.row.used.min(quota) * 100).checked_div(quota).unwrap_or(100)),
        older: older.map(|after| visitor.url(&format!("/permissions/{number}?after={after}#history"))),
        revisions: revisions
            .items
            .into_iter()
            .map(|found| revision(lang, found))
            .collect(),
        explained: None,
        may: uses::may_ask(visitor, &seen),
        chart: used.counted_to.map(|_| uses::chart(lang, &used)),
        seen,
    })
}

fn revision(lang: Lang, found: RevisionSeen) -> Revision {
    let what = if found.version == 1 {
        lang.t("permission-granted")
    } else {
        let named = |name: &&str| {
            if *name == "state" {
                return lang.t(words::state_name(found.state));
            }
            let id = format!("permission-changed-{}", name.replace('_', "-"));
            lang.known(&id).unwrap_or_else(|| (*name).to_owned())
        };
        let changed: Vec<String> = found.changed.iter().map(named).collect();
        changed.join(", ")
    };
    let who = found.who.replace([':', '_'], "-");
    Revision {
        at: found.at,
        who: lang
            .known(&format!("permission-actor-{who}"))
            .unwrap_or(found.who),
        what,
        reason: found.reason,
    }
}
