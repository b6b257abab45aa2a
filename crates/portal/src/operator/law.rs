//! The law: acts with their articles, by the operator, and permissions that a change of law flagged, for their provider.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    App,
    institution::ListQuery,
    problem::Problem,
    views::{Act, ArticlePut, ArticleView, LawFlagView},
};
use dagr_model::fault::Fault;

use crate::{
    application::institution,
    failed::Failed,
    form::{Posted, date},
    page::{Page, html, see, wrong},
    settings::Portal,
    typed::Typed,
    visitor::{Signed, Visitor},
};

/// Acts, articles or flags told of on one page.
const MOST: u32 = 100;

#[derive(Template)]
#[template(path = "operator_law.html")]
struct LawPage {
    page: Page,
    acts: Vec<Act>,
    typed: Typed,
}

#[derive(Template)]
#[template(path = "operator_act.html")]
struct ActPage {
    page: Page,
    act: Act,
    articles: Vec<ArticleView>,
    typed: Typed,
}

#[derive(Template)]
#[template(path = "law_flags.html")]
struct FlagsPage {
    page: Page,
    rows: Vec<Flag>,
    typed: Typed,
}

struct Flag {
    view: LawFlagView,
    provider: String,
    recipient: String,
    reviewable: bool,
}

/// `GET /operator/law`
pub async fn law_show(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    visitor.ctx.operator().map_err(failed)?;
    visitor.query()?.end().map_err(failed)?;
    let page = listed(&portal, &visitor, Typed::default()).await;
    Ok(html(&page.map_err(failed)?))
}

async fn listed(portal: &Portal, visitor: &Visitor, typed: Typed) -> Result<LawPage, Problem> {
    let acts = portal.app.act_list(&visitor.ctx, first_page()).await?.items;
    Ok(LawPage {
        page: visitor
            .page(&portal.app, visitor.lang.t("law-title"))
            .under("/operator", visitor.lang.t("nav-operator")),
        acts: acts.into_iter().map(|act| act.value).collect(),
        typed,
    })
}

fn first_page() -> ListQuery {
    ListQuery {
        after: None,
        limit: MOST,
    }
}

/// `POST /operator/law`
pub async fn act_put(State(portal): State<Portal>, posted: Posted) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let failed = |problem| visitor.failed(problem);
    let url = form.text("url");
    let names = form.text("names").lines().map(str::trim);
    let act = Act {
        id: form.text("id").to_owned(),
        title: form.text("title").to_owned(),
        url: (!url.is_empty()).then(|| url.to_owned()),
        names: names.filter(|name| !name.is_empty()).map(str::to_owned).collect(),
    };
    match portal.app.act_put(&visitor.ctx, &act, Some(0)).await {
        Ok(_) => Ok(see(
            &visitor.url(&format!("/operator/law/{}?done=act-saved", act.id))
        )),
        Err(mut problem) => {
            // Only what is not there yet is made here.
            if problem.status == 412 {
                problem = Problem::new(409, "exists", "the act is registered already");
            }
            let typed = Typed::refused(visitor.lang, form, problem, "id").map_err(failed)?;
            let page = listed(&portal, &visitor, typed).await.map_err(failed)?;
            Ok(wrong(&page))
        }
    }
}

/// `GET /operator/law/{act}`
pub async fn act_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(act): Path<String>,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    visitor.ctx.operator().map_err(failed)?;
    let mut query = visitor.query()?;
    let done = query.take("done").map_err(failed)?;
    query.end().map_err(failed)?;
    let page = shown(&portal, &visitor, &act, Typed::default()).await;
    let mut page = page.map_err(failed)?;
    page.page = page.page.saying(done.as_deref());
    Ok(html(&page))
}

async fn shown(portal: &Portal, visitor: &Visitor, act: &str, typed: Typed) -> Result<ActPage, Problem> {
    let found = portal.app.act_get(&visitor.ctx, act).await?.value;
    let articles = portal.app.article_list(&visitor.ctx, act, first_page()).await?;
    Ok(ActPage {
        page: visitor
            .page(&portal.app, found.title.clone())
            .under("/operator", visitor.lang.t("nav-operator"))
            .under("/operator/law", visitor.lang.t("law-title")),
        act: found,
        articles: articles.items,
        typed,
    })
}

/// `POST /operator/law/{act}/articles`
pub async fn article_put(
    State(portal): State<Portal>,
    Path(act): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let failed = |problem| visitor.failed(problem);
    let mut faults: Vec<Fault> = Vec::new();
    let put = ArticlePut {
        text: form.text("text").to_owned(),
        valid_from: date(&form, "valid_from", &mut faults),
        valid_to: date(&form, "valid_to", &mut faults),
        reason: form.text("why").to_owned(),
    };
    let made = if faults.is_empty() {
        let number = form.text("number");
        portal.app.article_put(&visitor.ctx, &act, number, &put).await
    } else {
        visitor.ctx.operator().map_err(failed)?;
        Err(Problem::invalid(faults))
    };
    match made {
        Ok(changed) if changed.flagged > 0 => Ok(see(&visitor.url("/law-flags?done=article-flagged"))),
        Ok(_) => Ok(see(
            &visitor.url(&format!("/operator/law/{act}?done=article-saved"))
        )),
        Err(mut problem) => {
            for fault in problem.faults.iter_mut().filter(|fault| fault.place == "reason") {
                fault.place = "why".into();
            }
            let typed = Typed::refused(visitor.lang, form, problem, "number").map_err(failed)?;
            let page = shown(&portal, &visitor, &act, typed).await.map_err(failed)?;
            Ok(wrong(&page))
        }
    }
}

/// `GET /law-flags`
pub async fn flags_show(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let done = query.take("done").map_err(failed)?;
    query.end().map_err(failed)?;
    let page = flags(&portal, &visitor, Typed::default()).await;
    let mut page = page.map_err(failed)?;
    page.page = page.page.saying(done.as_deref());
    Ok(html(&page))
}

async fn flags(portal: &Portal, visitor: &Visitor, typed: Typed) -> Result<FlagsPage, Problem> {
    let found = portal
        .app
        .law_flag_list(&visitor.ctx, false, first_page())
        .await?;
    let rows = found.items.into_iter().map(|view| Flag {
        provider: institution(portal, view.provider.as_str()),
        recipient: institution(portal, view.recipient.as_str()),
        reviewable: App::may_review_law(&visitor.ctx, &view),
        view,
    });
    Ok(FlagsPage {
        page: visitor.page(&portal.app, visitor.lang.t("law-flags-title")),
        rows: rows.collect(),
        typed,
    })
}

/// `POST /law-flags/{id}/review`
pub async fn flag_review(
    State(portal): State<Portal>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let failed = |problem| visitor.failed(problem);
    let id: i64 = id.parse().map_err(|_| failed(Problem::not_found()))?;
    let note = form.text("note").to_owned();
    match portal.app.law_flag_review(&visitor.ctx, id, &note).await {
        Ok(_) => Ok(see(&visitor.url("/law-flags?done=law-reviewed"))),
        Err(mut problem) => {
            // A note stands once for each flag: its field is named after it.
            for fault in &mut problem.faults {
                fault.place = format!("note-{id}");
            }
            let typed = Typed::refused(visitor.lang, form, problem, "note").map_err(failed)?;
            let page = flags(&portal, &visitor, typed).await.map_err(failed)?;
            Ok(wrong(&page))
        }
    }
}

impl FlagsPage {
    #[expect(clippy::unused_self, reason = "a template calls what its page has")]
    fn note_id(&self, flag: &Flag) -> String {
        format!("note-{}", flag.view.id)
    }
}
