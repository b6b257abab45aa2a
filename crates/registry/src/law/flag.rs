//! Permissions whose law has changed: told once to both sides, open until the provider has looked.

use dagr_model::ids::{PermissionNumber, RegistrationNumber};
use jiff::Timestamp;
use serde::Serialize;

use super::ArticleView;
use crate::{
    Actor, NotificationCreate, Page, Registry, RegistryError, Result, To,
    check::Check,
    db::{Conn, Row, query},
    notification,
    open::next_number,
    page::{fetch, number_token},
    row::{from_micros, micros, text, time},
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LawFlagView {
    pub id: i64,
    pub permission: PermissionNumber,
    pub provider: RegistrationNumber,
    pub recipient: RegistrationNumber,
    pub act: String,
    pub article: String,
    /// Of the article: the one that flagged.
    pub version: i64,
    pub at: Timestamp,
    pub reviewed_at: Option<Timestamp>,
    pub reviewed_by: Option<String>,
    pub note: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct LawFlagFilter {
    /// Provider or recipient.
    pub institution: Option<RegistrationNumber>,
    /// Not reviewed yet.
    pub open: bool,
}

impl Registry {
    /// Newest first.
    pub async fn law_flag_list(
        &self,
        filter: &LawFlagFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<LawFlagView>> {
        let rows = query(
            "SELECT f.*, p.number, p.recipient, d.institution AS provider FROM law_flags f
             JOIN permissions p ON p.id = f.permission JOIN datasets d ON d.name = p.dataset
             WHERE f.id < $1 AND ($2 = 0 OR f.reviewed_at IS NULL)
               AND (CAST($3 AS TEXT) IS NULL OR d.institution = $3 OR p.recipient = $3)
             ORDER BY f.id DESC LIMIT $4",
        )
        .bind(number_token(after.as_deref())?.unwrap_or(i64::MAX))
        .bind(i64::from(filter.open))
        .bind(filter.institution.as_ref().map(RegistrationNumber::as_str))
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.id.to_string()))
    }

    pub async fn law_flag_get(&self, id: i64) -> Result<Option<LawFlagView>> {
        find(&mut self.read().await?, id).await
    }

    /// The provider has looked: the permission stands under the new law, or what was done about it.
    pub async fn law_flag_review(&self, by: &Actor, id: i64, note: &str) -> Result<LawFlagView> {
        let mut check = Check::default();
        check.text("note", note, 2_000);
        check.done()?;
        let mut change = self.change(by).await?;
        let before = find(change.conn(), id).await?;
        let before = before.ok_or_else(|| RegistryError::unknown("law flag", id))?;
        if before.reviewed_at.is_some() {
            return Err(RegistryError::state("the change of law is reviewed already"));
        }
        query("UPDATE law_flags SET reviewed_at = $2, reviewed_by = $3, note = $4 WHERE id = $1")
            .bind(id)
            .bind(micros(by.at))
            .bind(&by.name)
            .bind(note)
            .execute(change.conn())
            .await?;
        let after = find(change.conn(), id).await?;
        let after = after.ok_or_else(|| RegistryError::unknown("law flag", id))?;
        let object = format!("permissions/{}", after.permission);
        change.commit("law_flag_review", object, &before, &after).await?;
        Ok(after)
    }
}

/// One flag a permission and version of an article; both sides are told once of it.
pub(super) async fn insert(conn: &mut Conn, permission: i64, article: &ArticleView) -> Result<()> {
    let id = next_number(&mut *conn, "law_flag").await?;
    query(
        "INSERT INTO law_flags (id, permission, act, article, version, at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(permission)
    .bind(&article.act)
    .bind(&article.number)
    .bind(article.version)
    .bind(micros(article.at))
    .execute(&mut *conn)
    .await?;
    tell(conn, id, "law_changed", article.at).await
}

/// The article's last day is over: what was reviewed while it was ahead is to be looked at again.
pub(super) async fn reopen(
    conn: &mut Conn,
    permission: i64,
    article: &ArticleView,
    at: Timestamp,
) -> Result<()> {
    let row = query(
        "SELECT id FROM law_flags WHERE permission = $1 AND act = $2 AND article = $3 AND version = $4",
    )
    .bind(permission)
    .bind(&article.act)
    .bind(&article.number)
    .bind(article.version)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else {
        let ended = ArticleView {
            at,
            ..article.clone()
        };
        return insert(conn, permission, &ended).await;
    };
    let id: i64 = row.try_get("id")?;
    query("UPDATE law_flags SET reviewed_at = NULL, reviewed_by = NULL, note = NULL WHERE id = $1")
        .bind(id)
        .execute(&mut *conn)
        .await?;
    tell(conn, id, "law_ended", at).await
}

/// Both sides, once of each kind.
async fn tell(conn: &mut Conn, id: i64, kind: &str, at: Timestamp) -> Result<()> {
    let flag = find(&mut *conn, id).await?;
    let flag = flag.ok_or_else(|| RegistryError::unknown("law flag", id))?;
    let mut told = vec![flag.provider];
    if flag.recipient != told[0] {
        told.push(flag.recipient);
    }
    for institution in told {
        let create = NotificationCreate {
            once: Some(format!("{kind}:{id}:{institution}")),
            to: To::Institution(institution),
            kind: kind.to_owned(),
            object: format!("permissions/{}", flag.permission),
        };
        notification::insert(&mut *conn, &create, at).await?;
    }
    Ok(())
}

async fn find(conn: &mut Conn, id: i64) -> Result<Option<LawFlagView>> {
    let row = query(
        "SELECT f.*, p.number, p.recipient, d.institution AS provider FROM law_flags f
         JOIN permissions p ON p.id = f.permission JOIN datasets d ON d.name = p.dataset WHERE f.id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<LawFlagView> {
    let reviewed: Option<i64> = row.try_get("reviewed_at")?;
    Ok(LawFlagView {
        id: row.try_get("id")?,
        permission: PermissionNumber::new(text(row, "number")?),
        provider: RegistrationNumber::new(text(row, "provider")?),
        recipient: RegistrationNumber::new(text(row, "recipient")?),
        act: text(row, "act")?,
        article: text(row, "article")?,
        version: row.try_get("version")?,
        at: time(row, "at")?,
        reviewed_at: reviewed.map(from_micros).transpose()?,
        reviewed_by: row.try_get("reviewed_by")?,
        note: row.try_get("note")?,
    })
}
