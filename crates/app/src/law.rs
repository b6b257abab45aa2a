//! The law: acts and their articles, by the operator; when an article changes or ends, every permission that rests on it
//! is flagged, and its provider says what was done.

#[cfg(test)]
mod tests;

use dagr_model::{clock::riga_date, ids::RegistrationNumber, law::Citation, role::Role};
use dagr_registry::{Act, Actor, ArticlePut, ArticleView, LawFlagFilter, LawFlagView, Page, Versioned};
use serde::Serialize;

use crate::{
    App,
    ctx::Ctx,
    institution::{ListQuery, own, unknown},
    problem::Problem,
};

/// Permissions read at once while looking for citations.
const PAGE: u32 = 1_000;

/// Who judges for the provider what a change of law means.
pub const REVIEWERS: &[Role] = &[Role::Head, Role::DataManager, Role::LegalReviewer];

/// An article as it is now, and how many permissions its change flagged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArticleChanged {
    pub article: ArticleView,
    pub flagged: usize,
}

impl App {
    /// `true`: it is new.
    pub async fn act_put(
        &self,
        ctx: &Ctx,
        act: &Act,
        expected: Option<i64>,
    ) -> Result<(Versioned<Act>, bool), Problem> {
        ctx.operator()?;
        let _one = self.changing.lock().await;
        Ok(self.registry.act_put(&ctx.actor(), act, expected).await?)
    }

    pub async fn act_get(&self, ctx: &Ctx, id: &str) -> Result<Versioned<Act>, Problem> {
        ctx.signed_in()?;
        self.registry.act_get(id).await?.ok_or_else(|| unknown("act"))
    }

    pub async fn act_list(&self, ctx: &Ctx, page: ListQuery) -> Result<Page<Versioned<Act>>, Problem> {
        ctx.signed_in()?;
        Ok(self.registry.act_list(page.after, page.limit).await?)
    }

    /// The present version of each article.
    pub async fn article_list(
        &self,
        ctx: &Ctx,
        act: &str,
        page: ListQuery,
    ) -> Result<Page<ArticleView>, Problem> {
        self.act_get(ctx, act).await?;
        Ok(self.registry.article_list(act, page.after, page.limit).await?)
    }

    /// The next version. What says the same as the present one changes nothing. The first version flags nothing, unless
    /// it says when the article ends.
    pub async fn article_put(
        &self,
        ctx: &Ctx,
        act: &str,
        number: &str,
        put: &ArticlePut,
    ) -> Result<ArticleChanged, Problem> {
        ctx.operator()?;
        // Nothing is granted meanwhile: no permission is missed.
        let _one = self.changing.lock().await;
        let found = self.registry.act_get(act).await?;
        let found = found.ok_or_else(|| unknown("act"))?.value;
        let before = self.registry.article_get(act, number).await?;
        if let Some(stands) = before.as_ref().filter(|stands| !put.changes(stands)) {
            return Ok(ArticleChanged {
                article: stands.clone(),
                flagged: 0,
            });
        }
        let cited_by = if before.is_some() || put.valid_to.is_some() {
            self.resting_on(&Citation::new(found.cited_as(), number)).await?
        } else {
            Vec::new()
        };
        let article = self
            .registry
            .article_put(&ctx.actor(), act, number, put, &cited_by)
            .await?;
        Ok(ArticleChanged {
            article,
            flagged: cited_by.len(),
        })
    }

    /// Flags the permissions whose article's last day is over, once each. Answers how many articles ended.
    pub async fn law_end_run(&self) -> Result<usize, Problem> {
        let now = self.clock.now();
        let _one = self.changing.lock().await;
        let ended = self.registry.article_ended(riga_date(now)).await?;
        for article in &ended {
            let act = self.registry.act_get(&article.act).await?;
            let act = act.ok_or_else(|| unknown("act"))?.value;
            let citation = Citation::new(act.cited_as(), &article.number);
            let cited_by = self.resting_on(&citation).await?;
            let by = Actor {
                name: "calendar".to_owned(),
                request_id: "-".to_owned(),
                at: now,
            };
            self.registry.article_end(&by, article, &cited_by).await?;
        }
        Ok(ended.len())
    }

    /// Permissions, not revoked, whose legal basis or asked fields cite it.
    async fn resting_on(&self, citation: &Citation) -> Result<Vec<i64>, Problem> {
        let mut out = Vec::new();
        let mut after = 0;
        loop {
            let page = self.registry.law_cited(after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(out);
            };
            after = last.id;
            let rests = page
                .iter()
                .filter(|one| citation.is_in(&one.legal_basis, one.laws.iter().map(String::as_str)));
            out.extend(rests.map(|one| one.id));
        }
    }

    /// Newest first: all for the operator, for others those of permissions their institution gives or holds.
    pub async fn law_flag_list(
        &self,
        ctx: &Ctx,
        open: bool,
        page: ListQuery,
    ) -> Result<Page<LawFlagView>, Problem> {
        let filter = LawFlagFilter {
            institution: own(ctx)?.cloned(),
            open,
        };
        let ListQuery { after, limit } = page;
        Ok(self.registry.law_flag_list(&filter, after, limit).await?)
    }

    /// By the provider: its head, data manager or legal reviewer.
    pub async fn law_flag_review(&self, ctx: &Ctx, id: i64, note: &str) -> Result<LawFlagView, Problem> {
        let acting = &ctx.acting(&[])?.1.institution;
        let found = self.registry.law_flag_get(id).await?;
        let found = found
            .filter(|flag| sees(acting, flag))
            .ok_or_else(|| unknown("law flag"))?;
        if found.provider != *acting {
            let why = "the provider of the data judges what a change of law means";
            return Err(Problem::role_required(why));
        }
        ctx.acting(REVIEWERS)?;
        let _one = self.changing.lock().await;
        Ok(self.registry.law_flag_review(&ctx.actor(), id, note).await?)
    }

    /// What a page shows a form for.
    pub fn may_review_law(ctx: &Ctx, flag: &LawFlagView) -> bool {
        flag.reviewed_at.is_none()
            && ctx
                .acting(REVIEWERS)
                .is_ok_and(|(_, acting)| acting.institution == flag.provider)
    }
}

fn sees(institution: &RegistrationNumber, flag: &LawFlagView) -> bool {
    flag.provider == *institution || flag.recipient == *institution
}
