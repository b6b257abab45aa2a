//! Applications: drafted, submitted, returned, reviewed, decided. The decision is the permission: what it grants is
//! in force when its call is answered.

mod amend;
pub mod attachment;
mod container;
mod decide;
mod due;
mod step;
mod thread;

use dagr_model::{
    application::{Application, Asked, InstitutionRole, Signatory, Verb, resolve_asked},
    fault::Fault,
    ids::{ApplicationNumber, DatasetName, PermissionNumber, RegistrationNumber, Section},
    role::Role,
};
use dagr_registry::{ApplicationFilter, ApplicationOrder, EventCreate, Page, Side, Versioned};
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;

use crate::{
    App,
    ctx::{Caller, Ctx},
    institution::ListQuery,
    problem::Problem,
    set::LiveSet,
};

pub use step::refused;
pub(crate) use step::told;

/// An application as its reader sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApplicationView {
    #[serde(flatten)]
    pub application: Application,
    /// The day the decision is due, while it waits for one.
    pub due: Option<Date>,
    /// Numbers of the permissions it became.
    pub permissions: Vec<PermissionNumber>,
    /// What the reader may do to it now.
    pub possible: Vec<Verb>,
}

/// Which applications; of an institution those it made and those it decides.
#[derive(Debug, Clone, Default)]
pub struct ApplicationQuery {
    /// `applicant` or `provider`: only of this side.
    pub side: Option<String>,
    /// Only of this institution: for the operator.
    pub institution: Option<String>,
    pub dataset: Option<String>,
    pub stage: Option<String>,
    /// Due on this day or before.
    pub due_by: Option<Date>,
    pub order: ApplicationOrder,
    pub page: ListQuery,
}

impl App {
    /// A draft of the institution acted for.
    pub async fn application_create(
        &self,
        ctx: &Ctx,
        asked: Asked,
    ) -> Result<Versioned<ApplicationView>, Problem> {
        let by = ctx.signatory()?;
        let _one = self.changing.lock().await;
        let provider = self.decides(&asked)?;
        let asked = self.filled(ctx, asked).await?;
        let asked = self.amending(self.resolved(asked), &by.institution)?;
        let draft = Application::draft(ApplicationNumber::new(""), provider, asked, &by).map_err(refused)?;
        let event = EventCreate {
            person: by.person,
            institution: by.institution.clone(),
            role: draft.role_for(Verb::Amend, &by).map_err(refused)?,
            event: None,
            seal: None,
        };
        let made = self
            .registry
            .application_insert(&ctx.actor(), &draft, &event)
            .await?;
        Ok(shown(made, Vec::new(), Some(&by)))
    }

    pub async fn application_get(
        &self,
        ctx: &Ctx,
        number: &str,
    ) -> Result<Versioned<ApplicationView>, Problem> {
        let found = self.seen(ctx, number).await?;
        self.viewed(ctx, found).await
    }

    /// Newest first, or by the day they are due.
    pub async fn application_list(
        &self,
        ctx: &Ctx,
        query: ApplicationQuery,
    ) -> Result<Page<Versioned<ApplicationView>>, Problem> {
        let filter = ApplicationFilter {
            side: side(ctx, &query)?,
            dataset: query.dataset.as_ref().map(DatasetName::new),
            stage: query.stage.map(known_stage).transpose()?,
            due_by: query.due_by,
            order: query.order,
        };
        let page = self
            .registry
            .application_list(&filter, query.page.after, query.page.limit)
            .await?;
        let by = ctx.signatory().ok();
        let mut items = Vec::with_capacity(page.items.len());
        // What never left its applicant stands in no list of others: such a page is shorter.
        for found in page.items.into_iter().filter(|found| may_see(ctx, &found.value)) {
            let permissions = self.permissions_of(&found.value).await?;
            items.push(shown(found, permissions, by.as_ref()));
        }
        Ok(Page {
            items,
            next: page.next,
        })
    }

    /// What is still missing or wrong before it can be submitted; empty when nothing is.
    pub async fn application_check(&self, ctx: &Ctx, number: &str) -> Result<Vec<Fault>, Problem> {
        let found = self.seen(ctx, number).await?;
        self.missing(ctx, &found.value).await
    }

    /// What the institution was admitted as.
    pub async fn institution_roles(
        &self,
        ctx: &Ctx,
        institution: &str,
    ) -> Result<Vec<InstitutionRole>, Problem> {
        if ctx.operator().is_err() {
            ctx.person()?;
        }
        Ok(self
            .registry
            .institution_roles(&RegistrationNumber::new(institution))
            .await?)
    }

    /// The application, if the caller may know of it; somebody else's looks like none.
    pub(crate) async fn seen(&self, ctx: &Ctx, number: &str) -> Result<Versioned<Application>, Problem> {
        if ctx.operator().is_err() {
            ctx.acting(&[])?;
        }
        // What is no number, or leads with zeros, is none of ours.
        let number = ApplicationNumber::new(number.trim());
        self.registry
            .application_get(&number)
            .await?
            .filter(|found| may_see(ctx, &found.value))
            .ok_or_else(|| Problem::new(404, "not_found", "there is no such application that you may see"))
    }

    pub(crate) async fn viewed(
        &self,
        ctx: &Ctx,
        found: Versioned<Application>,
    ) -> Result<Versioned<ApplicationView>, Problem> {
        let permissions = self.permissions_of(&found.value).await?;
        Ok(shown(found, permissions, ctx.signatory().ok().as_ref()))
    }

    async fn permissions_of(&self, application: &Application) -> Result<Vec<PermissionNumber>, Problem> {
        // A rule may have given the sandbox before anybody decided.
        let data = application.asked.data();
        let tries = data.is_some_and(|asked| asked.environments.contains(&Section::Sandbox));
        if application.granted().is_empty() && !tries {
            return Ok(Vec::new());
        }
        Ok(self.registry.application_permissions(&application.number).await?)
    }

    /// The set as it is served, or as it is tried.
    pub(crate) fn described(&self, dataset: &DatasetName) -> Option<std::sync::Arc<LiveSet>> {
        let catalog = self.catalog();
        let live = |section| catalog.live(section, dataset.as_str());
        live(Section::Main).or_else(|| live(Section::Sandbox)).cloned()
    }

    /// Whose decision it is.
    fn decides(&self, asked: &Asked) -> Result<Option<RegistrationNumber>, Problem> {
        let Asked::Data(data) = asked else {
            return Ok(None);
        };
        let set = self.described(&data.dataset).ok_or_else(|| {
            let catalog = self.catalog();
            let known = catalog.datasets.keys().map(DatasetName::as_str);
            let message = match dagr_model::fault::nearest(data.dataset.as_str(), known) {
                Some(near) => format!("there is no such data set: did you mean {near}?"),
                None => "there is no such data set: the catalogue names them".to_owned(),
            };
            Problem::invalid(vec![Fault::new("dataset", "unknown", message)])
        })?;
        Ok(Some(set.provider.clone()))
    }

    /// Structured fields become the leaves below them.
    fn resolved(&self, asked: Asked) -> Asked {
        match asked {
            Asked::Data(mut data) => {
                if let Some(set) = self.described(&data.dataset) {
                    data.fields = resolve_asked(&set.schema, &data.fields);
                }
                Asked::Data(data)
            }
            role @ Asked::Role(_) => role,
        }
    }
}

fn shown(
    found: Versioned<Application>,
    permissions: Vec<PermissionNumber>,
    by: Option<&Signatory>,
) -> Versioned<ApplicationView> {
    let possible = by.map_or_else(Vec::new, |by| found.value.open_to(by));
    Versioned {
        value: ApplicationView {
            due: found.value.stage.due(),
            permissions,
            possible,
            application: found.value,
        },
        version: found.version,
    }
}

/// The applicant sees all of it; the provider and the operator once it was submitted.
fn may_see(ctx: &Ctx, application: &Application) -> bool {
    let never_submitted = application.stage.submission().is_none();
    match &ctx.caller {
        Caller::Operator => true,
        Caller::Anonymous | Caller::Connection(..) => false,
        Caller::Person(person) => person.acting.as_ref().is_some_and(|acting| {
            let own = acting.institution == application.applicant;
            let decides = application.provider.as_ref() == Some(&acting.institution);
            let operates = acting.roles.contains(&Role::Operator);
            own || ((decides || operates) && !never_submitted)
        }),
    }
}

fn side(ctx: &Ctx, query: &ApplicationQuery) -> Result<Side, Problem> {
    let institution = match (&query.institution, ctx.operator()) {
        (Some(number), Ok(())) => Some(RegistrationNumber::new(number)),
        (None, Ok(())) => None,
        (asked, Err(_)) => {
            let (_, acting) = ctx.acting(&[])?;
            if asked
                .as_ref()
                .is_some_and(|asked| *asked != acting.institution.as_str())
            {
                return Err(Problem::role_required(
                    "the applications of the institution you act for, and no other's",
                ));
            }
            Some(acting.institution.clone())
        }
    };
    match (institution, query.side.as_deref()) {
        (Some(number), None) => Ok(Side::Either(number)),
        (Some(number), Some("applicant")) => Ok(Side::Applicant(number)),
        (Some(number), Some("provider")) => Ok(Side::Provider(number)),
        (None, None) => Ok(Side::Everybody),
        (None, Some("operator")) => Ok(Side::Operator),
        (None, Some("applicant" | "provider")) => {
            Err(Problem::query_invalid("side", "name the institution too"))
        }
        _ => Err(Problem::query_invalid("side", "write applicant or provider")),
    }
}

fn known_stage(stage: String) -> Result<String, Problem> {
    let known = dagr_model::application::Stage::NAMES;
    if known.contains(&stage.as_str()) {
        Ok(stage)
    } else {
        Err(Problem::query_invalid(
            "stage",
            format!("one of {}", known.join(", ")),
        ))
    }
}

/// RFC 7396: members of the patch replace, null removes.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Some(object) = target.as_object_mut() else {
        return;
    };
    for (name, value) in members {
        if value.is_null() {
            object.shift_remove(name);
        } else {
            merge(object.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests;
