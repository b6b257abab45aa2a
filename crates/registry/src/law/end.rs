//! Articles whose last day has passed.

use super::{
    ArticleView,
    article::{latest, read},
    flag,
};
use crate::{Actor, Registry, Result, db::query, row::micros};
use jiff::civil::Date;

impl Registry {
    /// Present versions that ended before that day and flagged nothing for it yet. Articles are a few thousand.
    pub async fn article_ended(&self, today: Date) -> Result<Vec<ArticleView>> {
        let rows = query(
            "SELECT a.* FROM articles a WHERE a.version =
               (SELECT MAX(b.version) FROM articles b WHERE b.act = a.act AND b.number = a.number)
             AND NOT EXISTS (SELECT 1 FROM article_ends e
               WHERE e.act = a.act AND e.number = a.number AND e.version = a.version)
             ORDER BY a.act, a.number",
        )
        .fetch_all(&mut self.read().await?)
        .await?;
        let mut ended = Vec::new();
        for row in &rows {
            let article = read(row)?;
            if article.valid_to.is_some_and(|to| to < today) {
                ended.push(article);
            }
        }
        Ok(ended)
    }

    /// Once a version: `cited_by` are flagged, again if their flag was reviewed. Does nothing when another version
    /// stands by now.
    pub async fn article_end(&self, by: &Actor, article: &ArticleView, cited_by: &[i64]) -> Result<()> {
        let mut change = self.change(by).await?;
        let stands = latest(change.conn(), &article.act, &article.number).await?;
        if stands.is_none_or(|stands| stands.version != article.version) {
            return Ok(());
        }
        query("INSERT INTO article_ends (act, number, version, at) VALUES ($1, $2, $3, $4)")
            .bind(&article.act)
            .bind(&article.number)
            .bind(article.version)
            .bind(micros(by.at))
            .execute(change.conn())
            .await?;
        for permission in cited_by {
            flag::reopen(change.conn(), *permission, article, by.at).await?;
        }
        let object = format!("acts/{}/articles/{}", article.act, article.number);
        change
            .commit("article_end", object, article, &cited_by.len())
            .await
    }
}
