//! One proposal: what would let a system in, who proposes it, and another who confirms.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    App,
    institution::ListQuery,
    problem::Problem,
    proposal::ProposalQuery,
    views::{ProposalState, ProposalView, Proposed},
};
use jiff::Timestamp;

use crate::{
    application::institution,
    connection::{keeps, kind},
    failed::Failed,
    form::Posted,
    lang::Lang,
    operator::actor,
    page::{Page, html, see, wrong},
    settings::Portal,
    typed::Typed,
    visitor::{Signed, Visitor},
    words::State as Word,
};

/// Proposals told of in a list.
const MOST: u32 = 50;

/// One that waits, in a line.
pub struct Waiting {
    pub id: i64,
    pub what: String,
    pub client_id: String,
    pub institution: String,
    pub at: Timestamp,
    /// Not one's own, and one may.
    pub confirmable: bool,
}

impl Waiting {
    pub fn of(portal: &Portal, visitor: &Visitor, proposal: &ProposalView) -> Self {
        Self {
            id: proposal.id,
            what: what(visitor.lang, &proposal.proposed),
            client_id: proposal.proposed.client_id().to_string(),
            institution: institution(portal, proposal.institution.as_str()),
            at: proposal.proposed_at,
            confirmable: App::may_confirm(&visitor.ctx, proposal),
        }
    }
}

/// Not decided yet, newest first.
pub async fn waiting(portal: &Portal, visitor: &Visitor) -> Result<Vec<Waiting>, Problem> {
    let query = ProposalQuery {
        state: Some(ProposalState::Proposed),
        page: ListQuery {
            after: None,
            limit: MOST,
        },
    };
    let found = portal.app.proposal_list(&visitor.ctx, query).await?.items;
    let rows = found
        .iter()
        .map(|proposal| Waiting::of(portal, visitor, proposal));
    Ok(rows.collect())
}

fn what(lang: Lang, proposed: &Proposed) -> String {
    match proposed {
        Proposed::Connection(_) => lang.t("proposal-connection"),
        Proposed::Certificate { .. } => lang.t("proposal-certificate"),
    }
}

#[derive(Template)]
#[template(path = "proposal.html")]
struct ProposalPage {
    page: Page,
    id: i64,
    what: String,
    state: Word,
    institution: String,
    client_id: String,
    /// Of a new connection.
    connection: Option<New>,
    certificates: Vec<Held>,
    proposed_by: String,
    proposed_at: Timestamp,
    decided: Option<(String, Timestamp)>,
    reason: Option<String>,
    is_open: bool,
    is_own: bool,
    operates: bool,
    may_confirm: bool,
    may_reject: bool,
    typed: Typed,
}

struct New {
    system: String,
    kind: String,
    lifetime_s: u64,
    description: Option<String>,
}

struct Held {
    subject: String,
    sha256: String,
    from: Timestamp,
    to: Timestamp,
}

/// `GET /proposals/{id}`
pub async fn proposal_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let done = query.take("done").map_err(failed)?;
    query.end().map_err(failed)?;
    let mut page = shown(&portal, &visitor, number(&id).map_err(failed)?, Typed::default())
        .await
        .map_err(failed)?;
    page.page = page.page.saying(done.as_deref());
    Ok(html(&page))
}

async fn shown(portal: &Portal, visitor: &Visitor, id: i64, typed: Typed) -> Result<ProposalPage, Problem> {
    let (ctx, lang) = (&visitor.ctx, visitor.lang);
    let view = portal.app.proposal_get(ctx, id).await?;
    let is_open = view.state == ProposalState::Proposed;
    let operates = ctx.operator().is_ok();
    let (connection, certificates) = match &view.proposed {
        Proposed::Connection(create) => (
            Some(New {
                system: create.system.to_string(),
                kind: kind(lang, create.kind),
                lifetime_s: u64::from(create.token_lifetime_s),
                description: create.description.clone(),
            }),
            Vec::new(),
        ),
        Proposed::Certificate { certificates, .. } => {
            let held = certificates.iter().map(|one| Held {
                subject: one.subject.clone(),
                sha256: one.sha256.clone(),
                from: one.not_before,
                to: one.not_after,
            });
            (None, held.collect())
        }
    };
    let what = what(lang, &view.proposed);
    let up = if operates { "/operator" } else { "/institution" };
    let up_text = if operates {
        lang.t("nav-operator")
    } else {
        lang.t("nav-institution")
    };
    let decided = match (&view.decided_by, view.decided_at) {
        (Some(by), Some(at)) => Some((actor(portal, visitor, by).await, at)),
        _ => None,
    };
    Ok(ProposalPage {
        page: visitor
            .page(&portal.app, format!("{what}: {}", view.proposed.client_id()))
            .under(up, up_text),
        id,
        state: state(lang, view.state),
        institution: institution(portal, view.institution.as_str()),
        client_id: view.proposed.client_id().to_string(),
        may_reject: is_open && (operates || (keeps(visitor) && connection.is_none())),
        connection,
        certificates,
        proposed_by: actor(portal, visitor, &view.proposed_by).await,
        proposed_at: view.proposed_at,
        decided,
        reason: view.reason.clone(),
        is_open,
        is_own: ctx.actor_name() == view.proposed_by,
        operates,
        may_confirm: App::may_confirm(ctx, &view),
        what,
        typed,
    })
}

/// `POST /proposals/{id}/confirm`
pub async fn proposal_confirm(
    State(portal): State<Portal>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, .. } = posted;
    let failed = |problem| visitor.failed(problem);
    let id = number(&id).map_err(failed)?;
    portal
        .app
        .proposal_confirm(&visitor.ctx, id)
        .await
        .map_err(failed)?;
    Ok(see(&visitor.url(&format!("/proposals/{id}?done=confirmed"))))
}

/// `POST /proposals/{id}/reject`
pub async fn proposal_reject(
    State(portal): State<Portal>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let failed = |problem| visitor.failed(problem);
    let id = number(&id).map_err(failed)?;
    let reason = form.text("reason").to_owned();
    match portal.app.proposal_reject(&visitor.ctx, id, &reason).await {
        Ok(_) => Ok(see(&visitor.url(&format!("/proposals/{id}?done=rejected")))),
        Err(problem) => {
            let typed = Typed::refused(visitor.lang, form, problem, "reason").map_err(failed)?;
            let page = shown(&portal, &visitor, id, typed).await.map_err(failed)?;
            Ok(wrong(&page))
        }
    }
}

fn number(id: &str) -> Result<i64, Problem> {
    id.parse().map_err(|_| Problem::not_found())
}

fn state(lang: Lang, state: ProposalState) -> Word {
    match state {
        ProposalState::Proposed => Word {
            icon: "◷",
            text: lang.t("proposal-proposed"),
            class: "wait",
        },
        ProposalState::Confirmed => Word {
            icon: "✓",
            text: lang.t("proposal-confirmed"),
            class: "good",
        },
        ProposalState::Rejected => Word {
            icon: "✕",
            text: lang.t("proposal-rejected"),
            class: "grave",
        },
    }
}
