//! Connections and their certificates: the operator sees all, an institution its own. What lets a system in is only
//! proposed here; `proposal` is where another confirms.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    App,
    institution::{KEEPERS, ListQuery},
    problem::Problem,
    proposal::{ProposalCreate, ProposalQuery},
    views::{
        CertificateView, ConnectionCreate, ConnectionKind, ConnectionState, ConnectionView, ProposalState,
    },
};
use dagr_model::ids::{ClientId, SystemCode};
use jiff::Timestamp;

use crate::{
    application::institution,
    failed::Failed,
    form::{Form, Posted},
    lang::Lang,
    page::{Page, html, see},
    proposal::{Waiting, waiting},
    settings::Portal,
    typed::{Typed, Wrong},
    visitor::{Signed, Visitor},
    words::State as Word,
};

/// Rows of one page.
const PAGE: u32 = 50;
/// A certificate that ends within so many days is worth renewing now.
const ENDS_SOON_DAYS: i64 = 30;
const TOKEN_LIFETIME_S: &str = "600";

#[derive(Template)]
#[template(path = "connections.html")]
struct ConnectionsPage {
    page: Page,
    operates: bool,
    waiting: Vec<Waiting>,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    client_id: String,
    institution: String,
    kind: String,
    state: Word,
    /// Of the certificate that lasts longest.
    certificate: Word,
}

#[derive(Template)]
#[template(path = "connection.html")]
struct ConnectionPage {
    page: Page,
    operates: bool,
    may_propose: bool,
    client_id: String,
    institution: String,
    system: String,
    kind: String,
    lifetime_s: u64,
    description: Option<String>,
    state: Word,
    is_active: bool,
    certificates: Vec<Certificate>,
    /// Proposed for this one and not decided yet.
    waiting: Vec<Waiting>,
    token_url: String,
    typed: Typed,
}

struct Certificate {
    sha256: String,
    subject: String,
    from: Timestamp,
    to: Timestamp,
    state: Word,
}

#[derive(Template)]
#[template(path = "connection_new.html")]
struct NewPage {
    page: Page,
    typed: Typed,
}

/// `GET /connections`
pub async fn connection_list(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
) -> Result<Response, Failed> {
    let mut query = visitor.query()?;
    let after = query.take("after").map_err(|problem| visitor.failed(problem))?;
    query.end().map_err(|problem| visitor.failed(problem))?;
    let page = listed(&portal, &visitor, after).await;
    page.map(|page| html(&page))
        .map_err(|problem| visitor.failed(problem))
}

async fn listed(
    portal: &Portal,
    visitor: &Visitor,
    after: Option<String>,
) -> Result<ConnectionsPage, Problem> {
    let (ctx, lang) = (&visitor.ctx, visitor.lang);
    let page = ListQuery { after, limit: PAGE };
    let found = portal.app.connection_list(ctx, page).await?;
    let operates = ctx.operator().is_ok();
    let rows = found.items.iter().map(|found| {
        let view = &found.value;
        let longest = view.certificates.iter().max_by_key(|held| held.not_after);
        Row {
            client_id: view.client_id.to_string(),
            institution: institution(portal, view.institution.as_str()),
            kind: kind(lang, view.kind),
            state: state(lang, view.state),
            certificate: match longest {
                Some(held) => validity(lang, held, ctx.now),
                None => Word {
                    icon: "⚠",
                    text: lang.t("certificate-missing"),
                    class: "wait",
                },
            },
        }
    });
    let title = visitor.lang.t("connections-title");
    Ok(ConnectionsPage {
        page: below(visitor, visitor.page(&portal.app, title)),
        operates,
        rows: rows.collect(),
        waiting: waiting(portal, visitor).await?,
        next: found
            .next
            .map(|next| visitor.url(&format!("/connections?after={next}"))),
    })
}

/// Under the operator's pages, or under one's institution.
fn below(visitor: &Visitor, page: Page) -> Page {
    if visitor.ctx.operator().is_ok() {
        page.under("/operator", visitor.lang.t("nav-operator"))
    } else {
        page.under("/institution", visitor.lang.t("nav-institution"))
    }
}

/// `GET /connections/{client}`
pub async fn connection_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(client): Path<String>,
) -> Result<Response, Failed> {
    let mut query = visitor.query()?;
    let done = query.take("done").map_err(|problem| visitor.failed(problem))?;
    query.end().map_err(|problem| visitor.failed(problem))?;
    let page = shown(&portal, &visitor, &client, Typed::default()).await;
    page.map(|mut page| {
        page.page = page.page.saying(done.as_deref());
        html(&page)
    })
    .map_err(|problem| visitor.failed(problem))
}

async fn shown(
    portal: &Portal,
    visitor: &Visitor,
    client: &str,
    typed: Typed,
) -> Result<ConnectionPage, Problem> {
    let (ctx, lang) = (&visitor.ctx, visitor.lang);
    let view = portal.app.connection_get(ctx, client).await?.value;
    let query = ProposalQuery {
        state: Some(ProposalState::Proposed),
        page: ListQuery {
            after: None,
            limit: PAGE,
        },
    };
    let open = portal.app.proposal_list(ctx, query).await?.items;
    let open = open
        .into_iter()
        .filter(|proposal| proposal.proposed.client_id().as_str() == client);
    let mut certificates: Vec<&CertificateView> = view.certificates.iter().collect();
    certificates.sort_by_key(|held| std::cmp::Reverse(held.not_after));
    let page = visitor.page(&portal.app, client.to_owned());
    Ok(ConnectionPage {
        page: below(visitor, page).under("/connections", lang.t("connections-title")),
        operates: ctx.operator().is_ok(),
        may_propose: App::may_propose_certificate(ctx),
        is_active: view.state == ConnectionState::Active,
        certificates: certificates
            .into_iter()
            .map(|held| Certificate {
                sha256: held.sha256.clone(),
                subject: held.subject.clone(),
                from: held.not_before,
                to: held.not_after,
                state: validity(lang, held, ctx.now),
            })
            .collect(),
        waiting: open
            .map(|proposal| Waiting::of(portal, visitor, &proposal))
            .collect(),
        institution: institution(portal, view.institution.as_str()),
        token_url: format!("{}/token", portal.app.settings.public_url.trim_end_matches('/')),
        typed,
        ..described(lang, view, visitor, portal)
    })
}

/// What stands in the view itself.
fn described(lang: Lang, view: ConnectionView, visitor: &Visitor, portal: &Portal) -> ConnectionPage {
    ConnectionPage {
        page: visitor.page(&portal.app, String::new()),
        operates: false,
        may_propose: false,
        kind: kind(lang, view.kind),
        state: state(lang, view.state),
        client_id: view.client_id.to_string(),
        institution: String::new(),
        system: view.system.to_string(),
        lifetime_s: u64::from(view.token_lifetime_s),
        description: view.description,
        is_active: false,
        certificates: Vec::new(),
        waiting: Vec::new(),
        token_url: String::new(),
        typed: Typed::default(),
    }
}

/// `POST /connections/{client}/certificates`
pub async fn certificate_propose(
    State(portal): State<Portal>,
    Path(client): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let create = ProposalCreate::Certificate {
        client_id: ClientId::new(client.as_str()),
        pem: form.text("pem").to_owned(),
    };
    match portal.app.proposal_create(&visitor.ctx, &create).await {
        Ok(_) => Ok(see(&visitor.url(&format!("/connections/{client}?done=proposed")))),
        Err(problem) => again(&portal, &visitor, &client, form, problem, "pem").await,
    }
}

/// `POST /connections/{client}/certificates/{sha256}/remove`
pub async fn certificate_remove(
    State(portal): State<Portal>,
    Path((client, sha256)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, .. } = posted;
    let removed = portal
        .app
        .certificate_delete(&visitor.ctx, &client, &sha256)
        .await;
    removed.map_err(|problem| visitor.failed(problem))?;
    Ok(see(
        &visitor.url(&format!("/connections/{client}?done=certificate-removed"))
    ))
}

/// `POST /connections/{client}/withdraw`
pub async fn connection_withdraw(
    State(portal): State<Portal>,
    Path(client): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let reason = form.text("reason").to_owned();
    match portal
        .app
        .connection_withdraw(&visitor.ctx, &client, &reason, None)
        .await
    {
        Ok(_) => Ok(see(
            &visitor.url(&format!("/connections/{client}?done=connection-withdrawn"))
        )),
        Err(problem) => again(&portal, &visitor, &client, form, problem, "reason").await,
    }
}

async fn again(
    portal: &Portal,
    visitor: &Visitor,
    client: &str,
    form: Form,
    problem: Problem,
    taken: &str,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let typed = Typed::refused(visitor.lang, form, problem, taken).map_err(failed)?;
    let page = shown(portal, visitor, client, typed).await.map_err(failed)?;
    Ok(crate::page::wrong(&page))
}

/// `GET /connections/new`
pub async fn connection_new(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
) -> Result<Response, Failed> {
    visitor
        .ctx
        .operator()
        .map_err(|problem| visitor.failed(problem))?;
    Ok(html(&new_page(&portal, &visitor, Typed::default())))
}

fn new_page(portal: &Portal, visitor: &Visitor, typed: Typed) -> NewPage {
    let page = visitor.page(&portal.app, visitor.lang.t("connection-new"));
    NewPage {
        page: below(visitor, page).under("/connections", visitor.lang.t("connections-title")),
        typed,
    }
}

impl NewPage {
    fn lifetime(&self) -> String {
        let typed = self.typed.value("token_lifetime_s");
        if typed.is_empty() {
            TOKEN_LIFETIME_S.to_owned()
        } else {
            typed
        }
    }
}

/// `POST /connections`
pub async fn connection_propose(State(portal): State<Portal>, posted: Posted) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let kind = match form.text("kind") {
        "producer" => Some(ConnectionKind::Producer),
        "consumer" => Some(ConnectionKind::Consumer),
        _ => None,
    };
    let description = form.text("description");
    let made = match kind {
        Some(kind) => {
            let create = ConnectionCreate {
                client_id: ClientId::new(form.text("client_id")),
                system: SystemCode::new(form.text("system")),
                kind,
                // No number is 0, which is refused at its field.
                token_lifetime_s: form.text("token_lifetime_s").parse().unwrap_or(0),
                description: (!description.is_empty()).then(|| description.to_owned()),
            };
            let create = ProposalCreate::Connection(create);
            portal.app.proposal_create(&visitor.ctx, &create).await.map(Some)
        }
        None => visitor.ctx.operator().map(|()| None),
    };
    match made {
        Ok(Some(made)) => Ok(see(&visitor.url(&format!("/proposals/{}?done=proposed", made.id)))),
        Ok(None) => {
            let wrong = Wrong {
                at: "kind".to_owned(),
                text: visitor.lang.t("fault-kind-required"),
            };
            let typed = Typed::with(form, vec![wrong]);
            Ok(crate::page::wrong(&new_page(&portal, &visitor, typed)))
        }
        Err(problem) => {
            let typed = Typed::refused(visitor.lang, form, problem, "client_id");
            let typed = typed.map_err(|problem| visitor.failed(problem))?;
            Ok(crate::page::wrong(&new_page(&portal, &visitor, typed)))
        }
    }
}

pub fn kind(lang: Lang, kind: ConnectionKind) -> String {
    match kind {
        ConnectionKind::Producer => lang.t("connection-kind-producer"),
        ConnectionKind::Consumer => lang.t("connection-kind-consumer"),
    }
}

fn state(lang: Lang, state: ConnectionState) -> Word {
    match state {
        ConnectionState::Active => Word {
            icon: "✓",
            text: lang.t("connection-active"),
            class: "good",
        },
        ConnectionState::Withdrawn => Word {
            icon: "✕",
            text: lang.t("connection-withdrawn"),
            class: "grave",
        },
    }
}

/// How long it still lasts, in a word.
fn validity(lang: Lang, held: &CertificateView, now: Timestamp) -> Word {
    let days = (held.not_after.as_second() - now.as_second()).div_euclid(86_400);
    let (icon, text, class) = if held.not_before > now {
        ("◷", lang.t("certificate-not-yet"), "wait")
    } else if held.not_after <= now {
        ("✕", lang.t("certificate-expired"), "grave")
    } else if days <= ENDS_SOON_DAYS {
        let days = u64::try_from(days).unwrap_or_default();
        ("⚠", lang.n("certificate-ends", days), "wait")
    } else {
        ("✓", lang.t("certificate-valid"), "good")
    };
    Word { icon, text, class }
}

/// Whether this visitor looks after connections: what is offered, not what is allowed.
pub fn keeps(visitor: &Visitor) -> bool {
    visitor.ctx.acting(KEEPERS).is_ok()
}
