//! Articles of acts: each change is a new row, and flags the permissions that cite it in the same transaction.

use dagr_model::{application::Application, ids::PermissionNumber, permission::Permission};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::flag;
use crate::{
    Actor, Page, Registry, RegistryError, Result,
    check::Check,
    db::{Conn, Row, query},
    page::fetch,
    row::{from_json, micros, stored, text, time, to_json},
};

/// What an article says, and when. Both ends inclusive; none: not known, or no end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    text: String,
    valid_from: Option<Date>,
    valid_to: Option<Date>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArticlePut {
    /// Its text, or a summary.
    pub text: String,
    #[serde(default)]
    pub valid_from: Option<Date>,
    /// Its last day, when it ends.
    #[serde(default)]
    pub valid_to: Option<Date>,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArticleView {
    pub act: String,
    /// `5`, `5.1`.
    pub number: String,
    pub version: i64,
    pub text: String,
    pub valid_from: Option<Date>,
    pub valid_to: Option<Date>,
    pub reason: String,
    pub by: String,
    pub at: Timestamp,
}

/// A permission and the law it was asked and given under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cited {
    pub id: i64,
    pub number: PermissionNumber,
    pub legal_basis: String,
    /// What the asked fields cite, of every application that made or changed it.
    pub laws: Vec<String>,
}

impl ArticlePut {
    /// Does this say anything else than what stands?
    pub fn changes(&self, stands: &ArticleView) -> bool {
        (&self.text, self.valid_from, self.valid_to) != (&stands.text, stands.valid_from, stands.valid_to)
    }
}

impl Registry {
    /// `cited_by`: permissions that rest on the article, to be flagged.
    pub async fn article_put(
        &self,
        by: &Actor,
        act: &str,
        number: &str,
        put: &ArticlePut,
        cited_by: &[i64],
    ) -> Result<ArticleView> {
        check(number, put)?;
        let mut change = self.change(by).await?;
        if super::find(change.conn(), act).await?.is_none() {
            return Err(RegistryError::unknown("act", act));
        }
        let before = latest(change.conn(), act, number).await?;
        let view = ArticleView {
            act: act.to_owned(),
            number: number.to_owned(),
            version: before.as_ref().map_or(0, |before| before.version) + 1,
            text: put.text.clone(),
            valid_from: put.valid_from,
            valid_to: put.valid_to,
            reason: put.reason.clone(),
            by: by.name.clone(),
            at: stored(by.at),
        };
        let body = Body {
            text: view.text.clone(),
            valid_from: view.valid_from,
            valid_to: view.valid_to,
        };
        query(
            "INSERT INTO articles (act, number, version, body, reason, actor, set_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(act)
        .bind(number)
        .bind(view.version)
        .bind(to_json(&body)?)
        .bind(&view.reason)
        .bind(&view.by)
        .bind(micros(by.at))
        .execute(change.conn())
        .await?;
        for permission in cited_by {
            flag::insert(change.conn(), *permission, &view).await?;
        }
        let object = format!("acts/{act}/articles/{number}");
        change.commit("article_put", object, &before, &view).await?;
        Ok(view)
    }

    /// As it is now.
    pub async fn article_get(&self, act: &str, number: &str) -> Result<Option<ArticleView>> {
        latest(&mut self.read().await?, act, number).await
    }

    /// The present version of each, in the order of numbers as text.
    pub async fn article_list(
        &self,
        act: &str,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<ArticleView>> {
        let rows = query(
            "SELECT a.* FROM articles a WHERE a.act = $1 AND a.number > $2 AND a.version =
               (SELECT MAX(b.version) FROM articles b WHERE b.act = a.act AND b.number = a.number)
             ORDER BY a.number LIMIT $3",
        )
        .bind(act)
        .bind(after.unwrap_or_default())
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.number.clone()))
    }

    /// Permissions that are not revoked, behind `after`, in the order they were granted.
    pub async fn law_cited(&self, after: i64, limit: u32) -> Result<Vec<Cited>> {
        let rows = query(
            "SELECT page.id, page.number, page.body, a.body AS application FROM
               (SELECT id, number, body FROM permissions WHERE id > $1 AND state <> 'revoked'
                ORDER BY id LIMIT $2) AS page
             LEFT JOIN application_permissions ap ON ap.permission = page.id
             LEFT JOIN applications a ON a.id = ap.application
             ORDER BY page.id",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let mut out: Vec<Cited> = Vec::new();
        for row in &rows {
            let id: i64 = row.try_get("id")?;
            if out.last().is_none_or(|last| last.id != id) {
                let permission: Permission = from_json(&text(row, "body")?)?;
                out.push(Cited {
                    id,
                    number: PermissionNumber::new(text(row, "number")?),
                    legal_basis: permission.legal_basis,
                    laws: Vec::new(),
                });
            }
            let application: Option<String> = row.try_get("application")?;
            let (Some(application), Some(last)) = (application, out.last_mut()) else {
                continue;
            };
            let application: Application = from_json(&application)?;
            if let Some(asked) = application.asked.data() {
                let laws = asked.fields.iter().map(|field| &field.law);
                last.laws.extend(laws.filter(|law| !law.is_empty()).cloned());
                last.laws.dedup();
            }
        }
        Ok(out)
    }
}

fn check(number: &str, put: &ArticlePut) -> Result<()> {
    let mut check = Check::default();
    let digits = |piece: &str| (1..=4).contains(&piece.len()) && piece.bytes().all(|b| b.is_ascii_digit());
    check.require(
        number.len() <= 20 && number.split('.').all(digits),
        "number",
        "article",
        "must be the number of an article: `5`, or `5.1` for 5.¹",
    );
    check.text("text", &put.text, 20_000);
    if let (Some(from), Some(to)) = (put.valid_from, put.valid_to) {
        check.require(
            from <= to,
            "valid_to",
            "range",
            "must not lie before `valid_from`",
        );
    }
    check.text("reason", &put.reason, 2_000);
    check.done()
}

pub(super) async fn latest(conn: &mut Conn, act: &str, number: &str) -> Result<Option<ArticleView>> {
    let row = query("SELECT * FROM articles WHERE act = $1 AND number = $2 ORDER BY version DESC LIMIT 1")
        .bind(act)
        .bind(number)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

pub(super) fn read(row: &Row) -> Result<ArticleView> {
    let body: Body = from_json(&text(row, "body")?)?;
    Ok(ArticleView {
        act: text(row, "act")?,
        number: text(row, "number")?,
        version: row.try_get("version")?,
        text: body.text,
        valid_from: body.valid_from,
        valid_to: body.valid_to,
        reason: text(row, "reason")?,
        by: text(row, "actor")?,
        at: time(row, "set_at")?,
    })
}
