//! Certificates of connections: several at once, for rotation.

use std::collections::HashMap;

use dagr_model::ids::ClientId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Actor, ConnectionView, Registry, RegistryError, Result, Versioned,
    check::Check,
    connection::{object, require, require_active},
    db::{Conn, Row, query},
    open::Change,
    row::{micros, stored, text, time},
};

/// The most certificates one connection holds.
const MAX_CERTIFICATES: usize = 20;

/// As read from the PEM by the caller; this crate takes it as told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateCreate {
    /// Lower-case hex of the SHA-256 of the DER.
    pub sha256: String,
    pub pem: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub subject: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateView {
    pub sha256: String,
    pub subject: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub pem: String,
}

impl Registry {
    /// The connection with the certificate added.
    pub async fn certificate_insert(
        &self,
        by: &Actor,
        client: &ClientId,
        create: &CertificateCreate,
        expected: Option<i64>,
    ) -> Result<Versioned<ConnectionView>> {
        let mut change = self.change(by).await?;
        let after = insert(&mut change, client, create, expected).await?;
        change.tx.commit().await?;
        Ok(after)
    }

    /// The connection without it. Tokens already given stay valid.
    pub async fn certificate_delete(
        &self,
        by: &Actor,
        client: &ClientId,
        sha256: &str,
        expected: Option<i64>,
    ) -> Result<Versioned<ConnectionView>> {
        let mut change = self.change(by).await?;
        let before = require(change.conn(), client).await?.expect(expected)?;
        let removed = before
            .value
            .certificates
            .iter()
            .find(|certificate| certificate.sha256 == sha256)
            .ok_or_else(|| RegistryError::unknown("certificate", sha256))?;
        query("DELETE FROM certificates WHERE client_id = $1 AND sha256 = $2")
            .bind(client.as_str())
            .bind(sha256)
            .execute(change.conn())
            .await?;
        touch(change.conn(), client).await?;
        let after = require(change.conn(), client).await?;
        let place = format!("{}/certificates/{sha256}", object(client));
        change.commit("certificate_delete", place, removed, &()).await?;
        Ok(after)
    }
}

/// Adds one, with its entry in the trail; whoever calls commits.
pub(crate) async fn insert(
    change: &mut Change<'_>,
    client: &ClientId,
    create: &CertificateCreate,
    expected: Option<i64>,
) -> Result<Versioned<ConnectionView>> {
    check(create)?;
    let before = require(change.conn(), client).await?.expect(expected)?;
    require_active(&before.value)?;
    let held = &before.value.certificates;
    if held.iter().any(|certificate| certificate.sha256 == create.sha256) {
        return Err(RegistryError::Exists {
            what: format!("certificate {}", create.sha256),
        });
    }
    if held.len() >= MAX_CERTIFICATES {
        return Err(RegistryError::state(format!(
            "a connection holds at most {MAX_CERTIFICATES} certificates: remove one first"
        )));
    }
    query(
        "INSERT INTO certificates (client_id, sha256, pem, not_before, not_after, subject)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(client.as_str())
    .bind(&create.sha256)
    .bind(&create.pem)
    .bind(micros(create.not_before))
    .bind(micros(create.not_after))
    .bind(&create.subject)
    .execute(change.conn())
    .await?;
    touch(change.conn(), client).await?;
    let after = require(change.conn(), client).await?;
    let added = CertificateView {
        sha256: create.sha256.clone(),
        subject: create.subject.clone(),
        not_before: stored(create.not_before),
        not_after: stored(create.not_after),
        pem: create.pem.clone(),
    };
    let place = format!("{}/certificates/{}", object(client), create.sha256);
    change.enter("certificate_create", place, &(), &added).await?;
    Ok(after)
}

fn check(create: &CertificateCreate) -> Result<()> {
    let mut check = Check::default();
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    check.require(
        create.sha256.len() == 64 && create.sha256.bytes().all(hex),
        "sha256",
        "digest",
        "must be 64 lower-case hex digits",
    );
    check.require(
        !create.pem.is_empty() && create.pem.len() <= 65_536,
        "pem",
        "too_long",
        "must be PEM of at most 64 KiB",
    );
    check.require(
        create.not_before < create.not_after,
        "not_after",
        "range",
        "the certificate must end after it begins",
    );
    check.require(
        create.subject.chars().count() <= 2_000,
        "subject",
        "too_long",
        "must have at most 2000 characters",
    );
    check.done()
}

async fn touch(conn: &mut Conn, client: &ClientId) -> Result<()> {
    query("UPDATE connections SET version = version + 1 WHERE client_id = $1")
        .bind(client.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Fills in the certificates of connections that stand in the order of their client ids.
pub(crate) async fn attach(conn: &mut Conn, connections: &mut [Versioned<ConnectionView>]) -> Result<()> {
    let (Some(first), Some(last)) = (connections.first(), connections.last()) else {
        return Ok(());
    };
    let rows = query(
        "SELECT * FROM certificates WHERE client_id >= $1 AND client_id <= $2 ORDER BY client_id, sha256",
    )
    .bind(first.value.client_id.as_str())
    .bind(last.value.client_id.as_str())
    .fetch_all(conn)
    .await?;
    let mut by_client: HashMap<String, Vec<CertificateView>> = HashMap::new();
    for row in &rows {
        by_client
            .entry(text(row, "client_id")?)
            .or_default()
            .push(read(row)?);
    }
    for connection in connections {
        connection.value.certificates = by_client
            .remove(connection.value.client_id.as_str())
            .unwrap_or_default();
    }
    Ok(())
}

fn read(row: &Row) -> Result<CertificateView> {
    Ok(CertificateView {
        sha256: text(row, "sha256")?,
        subject: text(row, "subject")?,
        not_before: time(row, "not_before")?,
        not_after: time(row, "not_after")?,
        pem: text(row, "pem")?,
    })
}
