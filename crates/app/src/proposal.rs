//! Four eyes: a connection or a certificate lets a system in, so one proposes it and an operator, somebody else,
//! confirms. Only then is it made, and it is in force when the confirmation is answered.

use dagr_model::{
    fault::Fault,
    ids::ClientId,
    role::{Role, either},
};
use dagr_registry::{
    ConnectionCreate, Page, ProposalFilter, ProposalState, ProposalView, Proposed, ProposedCertificate,
};
use serde::Deserialize;

use crate::{
    App,
    ctx::{Caller, Ctx},
    institution::{KEEPERS, ListQuery, own, unknown},
    problem::Problem,
    token,
};

/// What somebody proposes: `{"connection": {…}}` or `{"certificate": {…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum ProposalCreate {
    /// By an operator.
    Connection(ConnectionCreate),
    /// By an operator, or by the head or technical contact of the connection's institution.
    Certificate { client_id: ClientId, pem: String },
}

#[derive(Debug, Clone, Default)]
pub struct ProposalQuery {
    pub state: Option<ProposalState>,
    pub page: ListQuery,
}

impl App {
    pub async fn proposal_create(&self, ctx: &Ctx, create: &ProposalCreate) -> Result<ProposalView, Problem> {
        let proposed = match create {
            ProposalCreate::Connection(create) => {
                ctx.operator()?;
                Proposed::Connection(create.clone())
            }
            ProposalCreate::Certificate { client_id, pem } => {
                if ctx.operator().is_err() {
                    ctx.acting(KEEPERS)?;
                }
                let held = self.connection_get(ctx, client_id.as_str()).await?.value;
                let held: Vec<&str> = held.certificates.iter().map(|one| one.sha256.as_str()).collect();
                Proposed::Certificate {
                    client_id: client_id.clone(),
                    certificates: certificates(ctx, pem, &held)?,
                }
            }
        };
        let _one = self.changing.lock().await;
        Ok(self.registry.proposal_insert(&ctx.actor(), &proposed).await?)
    }

    /// Newest first. The operator sees all, others those of the institution they act for.
    pub async fn proposal_list(
        &self,
        ctx: &Ctx,
        query: ProposalQuery,
    ) -> Result<Page<ProposalView>, Problem> {
        let filter = ProposalFilter {
            institution: own(ctx)?.cloned(),
            state: query.state,
        };
        let ListQuery { after, limit } = query.page;
        Ok(self.registry.proposal_list(&filter, after, limit).await?)
    }

    pub async fn proposal_get(&self, ctx: &Ctx, id: i64) -> Result<ProposalView, Problem> {
        let own = own(ctx)?;
        self.registry
            .proposal_get(id)
            .await?
            .filter(|found| own.is_none_or(|own| *own == found.institution))
            .ok_or_else(|| unknown("proposal"))
    }

    /// By an operator who did not propose it, in whatever role they did.
    pub async fn proposal_confirm(&self, ctx: &Ctx, id: i64) -> Result<ProposalView, Problem> {
        ctx.operator()?;
        let _one = self.changing.lock().await;
        let (view, made) = self.registry.proposal_confirm(&ctx.actor(), id).await?;
        self.put_connection(made);
        Ok(view)
    }

    /// By any operator, or by whoever looks after the institution's connections: nothing comes of it.
    pub async fn proposal_reject(&self, ctx: &Ctx, id: i64, reason: &str) -> Result<ProposalView, Problem> {
        let found = self.proposal_get(ctx, id).await?;
        if ctx.operator().is_err() {
            ctx.acting(KEEPERS)?;
            if matches!(found.proposed, Proposed::Connection(_)) {
                return Err(Problem::role_required(format!(
                    "a new connection is the operators' to reject; {} may take back certificates",
                    either(KEEPERS)
                )));
            }
        }
        let _one = self.changing.lock().await;
        Ok(self.registry.proposal_reject(&ctx.actor(), id, reason).await?)
    }

    /// Whether this caller may confirm it: what a page shows a button for.
    pub fn may_confirm(ctx: &Ctx, proposal: &ProposalView) -> bool {
        proposal.state == ProposalState::Proposed
            && ctx.operator().is_ok()
            && ctx.actor_name() != proposal.proposed_by
    }

    /// Whether this caller may propose a certificate for a connection they see.
    pub fn may_propose_certificate(ctx: &Ctx) -> bool {
        match &ctx.caller {
            Caller::Operator => true,
            Caller::Person(_) => ctx
                .acting(&[Role::Operator, Role::Head, Role::TechnicalContact])
                .is_ok(),
            Caller::Anonymous | Caller::Connection(..) => false,
        }
    }
}

/// Each must be readable, not over, and new to the connection.
fn certificates(ctx: &Ctx, pem: &str, held: &[&str]) -> Result<Vec<ProposedCertificate>, Problem> {
    let fault = |rule, why: String| Problem::invalid(vec![Fault::new("pem", rule, why)]);
    let mut facts = token::read_certificates(pem.as_bytes()).map_err(|why| fault("certificate", why))?;
    facts.sort_by(|a, b| a.sha256.cmp(&b.sha256));
    facts.dedup_by(|a, b| a.sha256 == b.sha256);
    if facts.iter().any(|facts| facts.not_after <= ctx.now) {
        return Err(fault(
            "expired",
            "the certificate has expired: make a new one".into(),
        ));
    }
    if facts.iter().any(|facts| held.contains(&facts.sha256.as_str())) {
        return Err(fault(
            "held",
            "the connection has this certificate already".into(),
        ));
    }
    let proposed = facts.into_iter().map(|facts| ProposedCertificate {
        sha256: facts.sha256,
        subject: facts.subject,
        not_before: facts.not_before,
        not_after: facts.not_after,
        pem: facts.pem,
    });
    Ok(proposed.collect())
}

#[cfg(test)]
mod tests;
