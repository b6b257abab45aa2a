//! Proposals: what lets a system in is proposed by one and made by another's confirmation, in one transaction.

use dagr_model::ids::{ClientId, PersonId, RegistrationNumber};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Actor, CertificateCreate, ConnectionCreate, ConnectionView, NotificationCreate, Page, Registry,
    RegistryError, Result, To, Versioned, certificate,
    check::Check,
    connection,
    db::{Conn, Row, query},
    notification,
    open::{Change, next_number},
    page::{fetch, number_token},
    row::{from_json, from_micros, from_word, micros, stored, text, time, to_json, word},
};

/// Operators told of one proposal.
const MAX_TOLD: i64 = 100;

/// What would be made. `{"connection": {…}}` or `{"certificate": {…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proposed {
    Connection(ConnectionCreate),
    Certificate {
        client_id: ClientId,
        certificates: Vec<ProposedCertificate>,
    },
}

/// Of a connection that is there, for rotation: the old one stays until it is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedCertificate {
    pub sha256: String,
    pub subject: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub pem: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProposalState {
    Proposed,
    Confirmed,
    Rejected,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProposalView {
    pub id: i64,
    pub institution: RegistrationNumber,
    pub proposed: Proposed,
    pub state: ProposalState,
    pub proposed_by: String,
    pub proposed_at: Timestamp,
    pub decided_by: Option<String>,
    pub decided_at: Option<Timestamp>,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct ProposalFilter {
    pub institution: Option<RegistrationNumber>,
    pub state: Option<ProposalState>,
}

impl Proposed {
    pub fn client_id(&self) -> &ClientId {
        match self {
            Self::Connection(create) => &create.client_id,
            Self::Certificate { client_id, .. } => client_id,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Connection(_) => "connection",
            Self::Certificate { .. } => "certificate",
        }
    }
}

impl Registry {
    /// Makes nothing yet, but refuses what could not be made now.
    pub async fn proposal_insert(&self, by: &Actor, proposed: &Proposed) -> Result<ProposalView> {
        let mut trial = self.change(by).await?;
        let institution = make(&mut trial, proposed).await?.value.institution;
        // Undone: it was only tried.
        drop(trial);
        let mut change = self.change(by).await?;
        let view = ProposalView {
            id: next_number(change.conn(), "proposal").await?,
            institution,
            proposed: proposed.clone(),
            state: ProposalState::Proposed,
            proposed_by: by.name.clone(),
            proposed_at: stored(by.at),
            decided_by: None,
            decided_at: None,
            reason: None,
        };
        query(
            "INSERT INTO proposals (id, kind, institution, client_id, body, state, proposed_by, proposed_at)
             VALUES ($1, $2, $3, $4, $5, 'proposed', $6, $7)",
        )
        .bind(view.id)
        .bind(proposed.kind())
        .bind(view.institution.as_str())
        .bind(proposed.client_id().as_str())
        .bind(to_json(proposed)?)
        .bind(&view.proposed_by)
        .bind(micros(by.at))
        .execute(change.conn())
        .await?;
        tell_operators(change.conn(), &view).await?;
        change
            .commit("proposal_create", object(&view), &(), &view)
            .await?;
        Ok(view)
    }

    /// Makes what was proposed, at once with the confirmation. Never by who proposed it.
    pub async fn proposal_confirm(
        &self,
        by: &Actor,
        id: i64,
    ) -> Result<(ProposalView, Versioned<ConnectionView>)> {
        let mut change = self.change(by).await?;
        let before = require(change.conn(), id).await?;
        if before.proposed_by == by.name {
            return Err(RegistryError::state(
                "who proposed it does not confirm it: another operator has to",
            ));
        }
        let made = make(&mut change, &before.proposed).await?;
        let view = decide(change, before, ProposalState::Confirmed, None).await?;
        Ok((view, made))
    }

    /// Nothing is made.
    pub async fn proposal_reject(&self, by: &Actor, id: i64, reason: &str) -> Result<ProposalView> {
        let mut check = Check::default();
        check.text("reason", reason, 2_000);
        check.done()?;
        let mut change = self.change(by).await?;
        let before = require(change.conn(), id).await?;
        decide(change, before, ProposalState::Rejected, Some(reason)).await
    }

    pub async fn proposal_get(&self, id: i64) -> Result<Option<ProposalView>> {
        find(&mut self.read().await?, id).await
    }

    /// Newest first.
    pub async fn proposal_list(
        &self,
        filter: &ProposalFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<ProposalView>> {
        let rows = query(
            "SELECT * FROM proposals
             WHERE id < $1 AND state = COALESCE(CAST($2 AS TEXT), state)
               AND institution = COALESCE(CAST($3 AS TEXT), institution)
             ORDER BY id DESC LIMIT $4",
        )
        .bind(number_token(after.as_deref())?.unwrap_or(i64::MAX))
        .bind(filter.state.map(word).transpose()?)
        .bind(filter.institution.as_ref().map(RegistrationNumber::as_str))
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.id.to_string()))
    }
}

/// What was proposed, in the transaction of whoever calls.
async fn make(change: &mut Change<'_>, proposed: &Proposed) -> Result<Versioned<ConnectionView>> {
    match proposed {
        Proposed::Connection(create) => connection::insert(change, create).await,
        Proposed::Certificate {
            client_id,
            certificates,
        } => {
            let mut view = connection::require(change.conn(), client_id).await?;
            for held in certificates {
                let create = CertificateCreate {
                    sha256: held.sha256.clone(),
                    pem: held.pem.clone(),
                    not_before: held.not_before,
                    not_after: held.not_after,
                    subject: held.subject.clone(),
                };
                view = certificate::insert(change, client_id, &create, None).await?;
            }
            Ok(view)
        }
    }
}

async fn decide(
    mut change: Change<'_>,
    before: ProposalView,
    state: ProposalState,
    reason: Option<&str>,
) -> Result<ProposalView> {
    if before.state != ProposalState::Proposed {
        return Err(RegistryError::state("the proposal is decided already"));
    }
    let view = ProposalView {
        state,
        decided_by: Some(change.by.name.clone()),
        decided_at: Some(stored(change.by.at)),
        reason: reason.map(str::to_owned),
        ..before.clone()
    };
    query("UPDATE proposals SET state = $2, decided_by = $3, decided_at = $4, reason = $5 WHERE id = $1")
        .bind(view.id)
        .bind(word(state)?)
        .bind(&view.decided_by)
        .bind(micros(change.by.at))
        .bind(&view.reason)
        .execute(change.conn())
        .await?;
    let (kind, action) = match state {
        ProposalState::Confirmed => ("proposal_confirmed", "proposal_confirm"),
        _ => ("proposal_rejected", "proposal_reject"),
    };
    // Not who decides, should they take back their own.
    let proposer = view.proposed_by.strip_prefix("person:");
    if view.decided_by.as_ref() != Some(&view.proposed_by)
        && let Some(person) = proposer.and_then(|number| number.parse().ok())
    {
        tell(change.conn(), &view, PersonId(person), kind).await?;
    }
    change.commit(action, object(&view), &before, &view).await?;
    Ok(view)
}

/// Each operator but the one who proposes.
async fn tell_operators(conn: &mut Conn, view: &ProposalView) -> Result<()> {
    let rows = query(
        "SELECT DISTINCT person FROM roles WHERE role = 'operator' AND state = 'active' ORDER BY person LIMIT $1",
    )
    .bind(MAX_TOLD)
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        let person = PersonId(row.try_get("person")?);
        if person.to_string() != view.proposed_by {
            tell(conn, view, person, "proposal_waiting").await?;
        }
    }
    Ok(())
}

async fn tell(conn: &mut Conn, view: &ProposalView, person: PersonId, kind: &str) -> Result<()> {
    let create = NotificationCreate {
        to: To::Person(person),
        kind: kind.to_owned(),
        object: object(view),
        once: None,
    };
    notification::insert(conn, &create, view.decided_at.unwrap_or(view.proposed_at)).await
}

fn object(view: &ProposalView) -> String {
    format!("proposals/{}", view.id)
}

async fn require(conn: &mut Conn, id: i64) -> Result<ProposalView> {
    find(conn, id)
        .await?
        .ok_or_else(|| RegistryError::unknown("proposal", id))
}

async fn find(conn: &mut Conn, id: i64) -> Result<Option<ProposalView>> {
    let row = query("SELECT * FROM proposals WHERE id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<ProposalView> {
    Ok(ProposalView {
        id: row.try_get("id")?,
        institution: RegistrationNumber::new(text(row, "institution")?),
        proposed: from_json(row.try_get("body")?)?,
        state: from_word(text(row, "state")?)?,
        proposed_by: text(row, "proposed_by")?,
        proposed_at: time(row, "proposed_at")?,
        decided_by: row.try_get("decided_by")?,
        decided_at: row
            .try_get::<Option<i64>>("decided_at")?
            .map(from_micros)
            .transpose()?,
        reason: row.try_get("reason")?,
    })
}
