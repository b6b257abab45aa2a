//! Connections: the technical credentials of one information system.

use dagr_model::ids::{ClientId, RegistrationNumber, SystemCode};
use serde::{Deserialize, Serialize};

use crate::{
    Actor, CertificateView, Page, Registry, RegistryError, Result, Versioned, certificate,
    check::Check,
    db::{Conn, Row, query},
    open::Change,
    page::fetch,
    row::{from_word, given, small, text, word},
    system,
};

/// A producer delivers, a consumer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionKind {
    Producer,
    Consumer,
}

/// A withdrawn connection stays, for the evidence, and never works again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionState {
    Active,
    Withdrawn,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionCreate {
    pub client_id: ClientId,
    pub system: SystemCode,
    pub kind: ConnectionKind,
    /// 1 to 86 400 seconds.
    pub token_lifetime_s: u32,
    #[serde(default)]
    pub description: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionView {
    pub client_id: ClientId,
    /// The system's institution.
    pub institution: RegistrationNumber,
    pub system: SystemCode,
    pub kind: ConnectionKind,
    pub token_lifetime_s: u32,
    pub description: Option<String>,
    pub state: ConnectionState,
    /// In the order of their digests.
    pub certificates: Vec<CertificateView>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionPatch {
    #[serde(default, deserialize_with = "given")]
    pub token_lifetime_s: Option<u32>,
    #[serde(default, deserialize_with = "given")]
    pub description: Option<Option<String>>,
}

#[derive(Debug, Clone, Default)]
pub struct ConnectionFilter {
    pub institution: Option<RegistrationNumber>,
    pub system: Option<SystemCode>,
    pub kind: Option<ConnectionKind>,
    pub state: Option<ConnectionState>,
}

impl Registry {
    pub async fn connection_insert(
        &self,
        by: &Actor,
        create: &ConnectionCreate,
    ) -> Result<Versioned<ConnectionView>> {
        let mut change = self.change(by).await?;
        let view = insert(&mut change, create).await?;
        change.tx.commit().await?;
        Ok(view)
    }

    pub async fn connection_get(&self, client: &ClientId) -> Result<Option<Versioned<ConnectionView>>> {
        find(&mut *self.snapshot().await?, client).await
    }

    /// In the order of client ids.
    pub async fn connection_list(
        &self,
        filter: &ConnectionFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Versioned<ConnectionView>>> {
        let mut tx = self.snapshot().await?;
        let rows = query(
            "SELECT c.*, s.institution FROM connections c JOIN systems s ON s.code = c.system
             WHERE c.client_id > $1
               AND s.institution = COALESCE(CAST($2 AS TEXT), s.institution)
               AND c.system = COALESCE(CAST($3 AS TEXT), c.system)
               AND c.kind = COALESCE(CAST($4 AS TEXT), c.kind)
               AND c.state = COALESCE(CAST($5 AS TEXT), c.state)
             ORDER BY c.client_id LIMIT $6",
        )
        .bind(after.unwrap_or_default())
        .bind(filter.institution.as_ref().map(RegistrationNumber::as_str))
        .bind(filter.system.as_ref().map(SystemCode::as_str))
        .bind(filter.kind.map(word).transpose()?)
        .bind(filter.state.map(word).transpose()?)
        .bind(fetch(limit))
        .fetch_all(&mut tx)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        let mut page = Page::cut(items, limit, |item| item.value.client_id.to_string());
        certificate::attach(&mut tx, &mut page.items).await?;
        Ok(page)
    }

    pub async fn connection_update(
        &self,
        by: &Actor,
        client: &ClientId,
        patch: &ConnectionPatch,
        expected: Option<i64>,
    ) -> Result<Versioned<ConnectionView>> {
        let mut change = self.change(by).await?;
        let before = require(change.conn(), client).await?.expect(expected)?;
        let mut after = before.value.clone();
        after.token_lifetime_s = patch.token_lifetime_s.unwrap_or(after.token_lifetime_s);
        after.description = patch.description.clone().unwrap_or(after.description);
        check(after.token_lifetime_s, after.description.as_deref()).done()?;
        let version = before.version + 1;
        query(
            "UPDATE connections SET token_lifetime_s = $2, description = $3, version = $4 WHERE client_id = $1",
        )
        .bind(client.as_str())
        .bind(i64::from(after.token_lifetime_s))
        .bind(&after.description)
        .bind(version)
        .execute(change.conn())
        .await?;
        change
            .commit("connection_update", object(client), &before.value, &after)
            .await?;
        Ok(Versioned {
            value: after,
            version,
        })
    }

    /// For good: no new tokens, and those given stop working. The trail keeps the reason.
    pub async fn connection_withdraw(
        &self,
        by: &Actor,
        client: &ClientId,
        reason: &str,
        expected: Option<i64>,
    ) -> Result<Versioned<ConnectionView>> {
        let mut check = Check::default();
        check.text("reason", reason, 2_000);
        check.done()?;
        let mut change = self.change(by).await?;
        let before = require(change.conn(), client).await?.expect(expected)?;
        require_active(&before.value)?;
        let mut after = before.value.clone();
        after.state = ConnectionState::Withdrawn;
        let version = before.version + 1;
        query("UPDATE connections SET state = 'withdrawn', version = $2 WHERE client_id = $1")
            .bind(client.as_str())
            .bind(version)
            .execute(change.conn())
            .await?;
        let mut told = serde_json::to_value(&after)?;
        told["reason"] = reason.into();
        change
            .commit("connection_withdraw", object(client), &before.value, &told)
            .await?;
        Ok(Versioned {
            value: after,
            version,
        })
    }
}

/// Makes one, with its entry in the trail; whoever calls commits.
pub(crate) async fn insert(
    change: &mut Change<'_>,
    create: &ConnectionCreate,
) -> Result<Versioned<ConnectionView>> {
    let owner = system::find(change.conn(), &create.system).await?;
    let mut check = check(create.token_lifetime_s, create.description.as_deref());
    check.code("client_id", create.client_id.as_str());
    check.reference(owner.is_some(), "system", "system");
    check.done()?;
    if find(change.conn(), &create.client_id).await?.is_some() {
        return Err(RegistryError::Exists {
            what: format!("connection {}", create.client_id),
        });
    }
    query(
        "INSERT INTO connections (client_id, system, kind, token_lifetime_s, description, state, version)
         VALUES ($1, $2, $3, $4, $5, 'active', 1)",
    )
    .bind(create.client_id.as_str())
    .bind(create.system.as_str())
    .bind(word(create.kind)?)
    .bind(i64::from(create.token_lifetime_s))
    .bind(&create.description)
    .execute(change.conn())
    .await?;
    let view = require(change.conn(), &create.client_id).await?;
    change
        .enter("connection_create", object(&create.client_id), &(), &view.value)
        .await?;
    Ok(view)
}

pub(crate) fn object(client: &ClientId) -> String {
    format!("connections/{client}")
}

fn check(token_lifetime_s: u32, description: Option<&str>) -> Check {
    let mut check = Check::default();
    check.token_lifetime(token_lifetime_s);
    check.optional_text("description", description, 2_000);
    check
}

pub(crate) fn require_active(view: &ConnectionView) -> Result<()> {
    match view.state {
        ConnectionState::Active => Ok(()),
        ConnectionState::Withdrawn => Err(RegistryError::state("the connection is withdrawn")),
    }
}

pub(crate) async fn require(conn: &mut Conn, client: &ClientId) -> Result<Versioned<ConnectionView>> {
    find(conn, client)
        .await?
        .ok_or_else(|| RegistryError::unknown("connection", client))
}

async fn find(conn: &mut Conn, client: &ClientId) -> Result<Option<Versioned<ConnectionView>>> {
    let row = query(
        "SELECT c.*, s.institution FROM connections c JOIN systems s ON s.code = c.system WHERE c.client_id = $1",
    )
    .bind(client.as_str())
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut found = [read(&row)?];
    certificate::attach(conn, &mut found).await?;
    let [found] = found;
    Ok(Some(found))
}

/// Without its certificates: see `certificate::attach`.
pub(crate) fn read(row: &Row) -> Result<Versioned<ConnectionView>> {
    let value = ConnectionView {
        client_id: ClientId::new(text(row, "client_id")?),
        institution: RegistrationNumber::new(text(row, "institution")?),
        system: SystemCode::new(text(row, "system")?),
        kind: from_word(text(row, "kind")?)?,
        token_lifetime_s: small(row, "token_lifetime_s")?,
        description: row.try_get("description")?,
        state: from_word(text(row, "state")?)?,
        certificates: Vec::new(),
    };
    Ok(Versioned {
        value,
        version: row.try_get("version")?,
    })
}
