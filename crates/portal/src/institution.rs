//! An institution: its people and their roles, what it is on the platform, its systems. The head gives roles; others of
//! the institution read. The operator sees any, and keeps its name and systems.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    institution::ListQuery,
    problem::Problem,
    views::{InstitutionPatch, PersonCreate, RoleCreate, RoleFilter, RoleState, SystemCreate},
};
use dagr_model::{
    ids::{PersonId, RegistrationNumber, SystemCode},
    role::Role,
};
use jiff::Timestamp;

use crate::{
    failed::Failed,
    form::{Form, Posted},
    lang::Lang,
    operator::actor,
    page::{Page, html, see, wrong},
    settings::Portal,
    typed::{Typed, Wrong},
    visitor::{Signed, Visitor},
    words::{State as Word, institution_role},
};

/// Roles and systems shown on one page.
const PAGE: u32 = 100;

#[derive(Template)]
#[template(path = "institution.html")]
struct InstitutionPage {
    page: Page,
    /// Where its forms go: `/institution` or `/operator/institutions/{number}`.
    base: String,
    number: String,
    name: String,
    kind: String,
    /// Number, and name, of the institution it is under.
    parent: String,
    parent_name: String,
    version: i64,
    operates: bool,
    /// Gives and ends roles.
    heads: bool,
    may_apply: bool,
    platform_roles: Vec<String>,
    people: Vec<Held>,
    next: Option<String>,
    /// What may be given.
    roles: Vec<(&'static str, String)>,
    systems: Vec<(String, String)>,
    typed: Typed,
}

struct Held {
    id: i64,
    person: i64,
    name: String,
    role: String,
    state: Word,
    from: Option<Timestamp>,
    /// Whoever looks may end it.
    endable: bool,
}

/// `GET /institution`
pub async fn institution_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
) -> Result<Response, Failed> {
    let Some(number) = own(&visitor) else {
        return Ok(see(&visitor.url("/act-for?to=/institution")));
    };
    show(&portal, &visitor, &number).await
}

/// `GET /operator/institutions/{number}`
pub async fn institution_any(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(number): Path<String>,
) -> Result<Response, Failed> {
    visitor
        .ctx
        .operator()
        .map_err(|problem| visitor.failed(problem))?;
    show(&portal, &visitor, &number).await
}

fn own(visitor: &Visitor) -> Option<String> {
    visitor
        .ctx
        .acting_for()
        .map(|acting| acting.institution.to_string())
}

async fn show(portal: &Portal, visitor: &Visitor, number: &str) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let done = query.take("done").map_err(failed)?;
    let after = query.take("after").map_err(failed)?;
    query.end().map_err(failed)?;
    let page = shown(portal, visitor, number, after, Typed::default()).await;
    let mut page = page.map_err(failed)?;
    page.page = page.page.saying(done.as_deref());
    Ok(html(&page))
}

async fn shown(
    portal: &Portal,
    visitor: &Visitor,
    number: &str,
    after: Option<String>,
    typed: Typed,
) -> Result<InstitutionPage, Problem> {
    let (ctx, lang, app) = (&visitor.ctx, visitor.lang, &portal.app);
    let view = app.institution_get(ctx, number).await?;
    let operates = ctx.operator().is_ok();
    let heads = operates || ctx.acting(&[Role::Head]).is_ok();
    let base = if operates {
        format!("/operator/institutions/{number}")
    } else {
        "/institution".to_owned()
    };
    let (people, next) = people(portal, visitor, number, after, (operates, heads)).await?;
    let page = ListQuery {
        after: None,
        limit: PAGE,
    };
    let institution = RegistrationNumber::new(number);
    let systems = app.system_list_of(ctx, Some(&institution), page).await?.items;
    let platform = app.institution_roles(ctx, number).await?;
    let title = view.value.name.clone();
    let mut frame = visitor.page(app, title);
    if operates {
        frame = frame
            .under("/operator", lang.t("nav-operator"))
            .under("/operator/institutions", lang.t("institutions-title"));
    }
    let given = |role: &Role| operates || !role.widens_operation();
    Ok(InstitutionPage {
        page: frame,
        number: number.to_owned(),
        name: view.value.name,
        kind: view.value.kind.unwrap_or_default(),
        parent_name: view.value.parent.as_ref().map_or_else(String::new, |parent| {
            crate::application::institution(portal, parent.as_str())
        }),
        parent: view
            .value
            .parent
            .map_or_else(String::new, |parent| parent.to_string()),
        version: view.version,
        operates,
        heads,
        may_apply: ctx.acting(dagr_model::application::APPLICANTS).is_ok() && !operates,
        platform_roles: platform
            .into_iter()
            .map(|role| institution_role(lang, role))
            .collect(),
        next: next.map(|next| visitor.url(&format!("{base}?after={next}"))),
        people,
        roles: Role::ALL
            .into_iter()
            .filter(given)
            .map(|role| (role.as_str(), role_name(lang, role)))
            .collect(),
        systems: systems
            .into_iter()
            .map(|found| (found.value.code.to_string(), found.value.name))
            .collect(),
        base,
        typed,
    })
}

async fn people(
    portal: &Portal,
    visitor: &Visitor,
    number: &str,
    after: Option<String>,
    (operates, heads): (bool, bool),
) -> Result<(Vec<Held>, Option<String>), Problem> {
    let filter = RoleFilter {
        institution: Some(RegistrationNumber::new(number)),
        ..RoleFilter::default()
    };
    let page = ListQuery { after, limit: PAGE };
    let found = portal.app.role_search(&visitor.ctx, filter, page).await?;
    let mut people = Vec::with_capacity(found.items.len());
    for role in found
        .items
        .into_iter()
        .filter(|role| role.state != RoleState::Ended)
    {
        people.push(Held {
            id: role.id,
            person: role.person.0,
            name: actor(portal, visitor, &role.person.to_string()).await,
            role: role_name(visitor.lang, role.role),
            state: role_state(visitor.lang, role.state),
            from: role.from,
            endable: operates || (heads && !role.role.widens_operation()),
        });
    }
    people.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
    Ok((people, found.next))
}

/// The institution a form is about: in the path for an operator, else the one acted for.
fn about(visitor: &Visitor, number: Option<Path<String>>) -> Result<(String, String), Failed> {
    match number {
        Some(Path(number)) => {
            visitor
                .ctx
                .operator()
                .map_err(|problem| visitor.failed(problem))?;
            Ok((format!("/operator/institutions/{number}"), number))
        }
        None => own(visitor)
            .map(|number| ("/institution".to_owned(), number))
            .ok_or_else(|| visitor.failed(Problem::role_required("choose the institution you act for"))),
    }
}

/// `POST …/roles`
pub async fn role_give(
    State(portal): State<Portal>,
    number: Option<Path<String>>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let (base, number) = about(&visitor, number)?;
    let Some(role) = Role::ALL
        .into_iter()
        .find(|role| role.as_str() == form.text("role"))
    else {
        let wrong = Wrong {
            at: "role".to_owned(),
            text: visitor.lang.t("fault-role-required"),
        };
        return again(&portal, &visitor, &number, Typed::with(form, vec![wrong])).await;
    };
    let person = PersonCreate {
        code: form.text("code").to_owned(),
        name: form.text("name").to_owned(),
    };
    let create = RoleCreate {
        institution: RegistrationNumber::new(number.as_str()),
        role,
    };
    match portal.app.role_give(&visitor.ctx, &person, &create).await {
        Ok(given) => {
            let done = match given.state {
                RoleState::Proposed => "role-proposed",
                _ => "role-given",
            };
            Ok(see(&visitor.url(&format!("{base}?done={done}"))))
        }
        Err(problem) => refused(&portal, &visitor, &number, form, problem, "role").await,
    }
}

/// `POST …/roles/end`
pub async fn role_end(
    State(portal): State<Portal>,
    number: Option<Path<String>>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let (base, number) = about(&visitor, number)?;
    let id = |name| form.text(name).parse::<i64>().unwrap_or(-1);
    let (person, role) = (PersonId(id("person")), id("id"));
    let ended = portal
        .app
        .role_end(&visitor.ctx, person, role, form.text("reason"))
        .await;
    match ended {
        Ok(_) => Ok(see(&visitor.url(&format!("{base}?done=role-ended")))),
        Err(problem) => {
            let at = format!("reason-{role}");
            refused(&portal, &visitor, &number, form, problem, &at).await
        }
    }
}

/// `POST /operator/institutions/{number}`
pub async fn institution_update(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let (kind, parent) = (form.text("kind"), form.text("parent"));
    let patch = InstitutionPatch {
        name: Some(form.text("institution_name").to_owned()),
        kind: Some((!kind.is_empty()).then(|| kind.to_owned())),
        parent: Some((!parent.is_empty()).then(|| RegistrationNumber::new(parent))),
    };
    let expected = form.text("version").parse().ok();
    let changed = portal
        .app
        .institution_update(&visitor.ctx, &number, &patch, expected)
        .await;
    match changed {
        Ok(_) => Ok(see(&visitor.url(&format!(
            "/operator/institutions/{number}?done=institution-changed"
        )))),
        Err(mut problem) => {
            // The page has another field of this name.
            for fault in problem.faults.iter_mut().filter(|fault| fault.place == "name") {
                fault.place = "institution_name".into();
            }
            refused(&portal, &visitor, &number, form, problem, "institution_name").await
        }
    }
}

/// `POST /operator/institutions/{number}/systems`
pub async fn system_create(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let create = SystemCreate {
        institution: RegistrationNumber::new(number.as_str()),
        code: SystemCode::new(form.text("system_code")),
        name: form.text("system_name").to_owned(),
    };
    match portal.app.system_create(&visitor.ctx, &create).await {
        Ok(_) => Ok(see(
            &visitor.url(&format!("/operator/institutions/{number}?done=system-made"))
        )),
        Err(mut problem) => {
            for fault in &mut problem.faults {
                fault.place = format!("system_{}", fault.place);
            }
            refused(&portal, &visitor, &number, form, problem, "system_code").await
        }
    }
}

async fn refused(
    portal: &Portal,
    visitor: &Visitor,
    number: &str,
    form: Form,
    problem: Problem,
    taken: &str,
) -> Result<Response, Failed> {
    let typed = Typed::refused(visitor.lang, form, problem, taken);
    let mut typed = typed.map_err(|problem| visitor.failed(problem))?;
    // A reason stands once for each role: its field is named after it.
    for fault in typed.faults.iter_mut().filter(|fault| fault.at == "reason") {
        taken.clone_into(&mut fault.at);
    }
    again(portal, visitor, number, typed).await
}

async fn again(portal: &Portal, visitor: &Visitor, number: &str, typed: Typed) -> Result<Response, Failed> {
    let page = shown(portal, visitor, number, None, typed).await;
    let page = page.map_err(|problem| visitor.failed(problem))?;
    Ok(wrong(&page))
}

impl InstitutionPage {
    /// What was typed, else what stands.
    fn now(&self, name: &str, stands: &str) -> String {
        if self.typed.has(name) {
            self.typed.value(name)
        } else {
            stands.to_owned()
        }
    }

    #[expect(clippy::unused_self, reason = "a template calls what its page has")]
    fn reason_id(&self, held: &Held) -> String {
        format!("reason-{}", held.id)
    }
}

pub fn role_name(lang: Lang, role: Role) -> String {
    lang.t(&format!("role-{}", role.as_str().replace('_', "-")))
}

pub fn role_state(lang: Lang, state: RoleState) -> Word {
    let (icon, name, class) = match state {
        RoleState::Proposed => ("◷", "role-state-proposed", "wait"),
        RoleState::Active => ("✓", "role-state-active", "good"),
        RoleState::Ended => ("⊘", "role-state-ended", "plain"),
    };
    Word {
        icon,
        text: lang.t(name),
        class,
    }
}
