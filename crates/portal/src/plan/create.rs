//! A new plan: which scenario, about what, with whom, by when.

use askama::Template;
use axum::{extract::State, response::Response};
use dagr_app::problem::Problem;
use dagr_model::{
    fault::Fault,
    ids::{DatasetName, RegistrationNumber},
    plan::{PLANNERS, Period, PlanCreate, Scenario, Subject},
};
use http::StatusCode;

use crate::{
    application::{FormFault, form_faults},
    failed::Failed,
    form::{Form, Posted, date},
    page::{Page, html, see},
    settings::Portal,
    visitor::{Signed, Visitor},
};

#[derive(Template)]
#[template(path = "plan_new.html")]
struct NewPage {
    page: Page,
    scenarios: Vec<(&'static str, String, String)>,
    /// Own data sets: name and description.
    datasets: Vec<(String, String)>,
    form: Form,
    faults: Vec<FormFault>,
}

impl NewPage {
    fn fault(&self, at: &str) -> Option<&str> {
        self.faults
            .iter()
            .find(|fault| fault.at == at)
            .map(|fault| fault.text.as_str())
    }
}

/// `GET /plans/new`
pub async fn plan_new(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    let may = visitor
        .ctx
        .acting_for()
        .is_some_and(|acting| acting.holds(PLANNERS));
    if !may {
        let why = "a head or data manager of the provider makes a plan";
        return Err(visitor.failed(Problem::role_required(why)));
    }
    Ok(html(&page(&portal, &visitor, Form::default(), &[])))
}

fn page(portal: &Portal, visitor: &Visitor, form: Form, faults: &[Fault]) -> NewPage {
    let lang = visitor.lang;
    let scenario = |(value, name): (&'static str, &str)| {
        (
            value,
            lang.t(&format!("scenario-{name}")),
            lang.t(&format!("scenario-{name}-hint")),
        )
    };
    NewPage {
        page: visitor
            .page(&portal.app, lang.t("plan-new"))
            .under("/plans", lang.t("nav-plans")),
        scenarios: [
            ("new_dataset", "new"),
            ("move_to_dagr", "move"),
            ("behind_api_manager", "behind"),
        ]
        .map(scenario)
        .to_vec(),
        datasets: own(portal, visitor),
        faults: form_faults(visitor, faults),
        form,
    }
}

fn own(portal: &Portal, visitor: &Visitor) -> Vec<(String, String)> {
    let Some(acting) = visitor.ctx.acting_for() else {
        return Vec::new();
    };
    let catalog = portal.app.catalog();
    let mine = catalog
        .datasets
        .values()
        .filter(|set| set.provider == acting.institution);
    let mut own: Vec<(String, String)> = mine
        .map(|set| {
            let text = portal.app.definition_of(set.name.as_str());
            (
                set.name.to_string(),
                text.map_or_else(String::new, |text| text.description.clone()),
            )
        })
        .collect();
    own.sort();
    own
}

/// `POST /plans`
pub async fn plan_create(State(portal): State<Portal>, posted: Posted) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let again = |faults: &[Fault]| {
        let mut response = html(&page(&portal, &visitor, form.clone(), faults));
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        response
    };
    let create = match read(&form) {
        Ok(create) => create,
        Err(faults) => return Ok(again(&faults)),
    };
    match portal.app.plan_create(&visitor.ctx, create).await {
        Ok(made) => {
            let number = made.value.head.number;
            Ok(see(&visitor.url(&format!("/plans/{number}?done=plan-made"))))
        }
        Err(problem) if problem.status == 422 => Ok(again(&problem.faults)),
        Err(problem) => Err(visitor.failed(problem)),
    }
}

fn read(form: &Form) -> Result<PlanCreate, Vec<Fault>> {
    let mut faults = Vec::new();
    let scenario = match form.text("scenario") {
        "new_dataset" => Scenario::NewDataset,
        "move_to_dagr" => Scenario::MoveToDagr,
        "behind_api_manager" => Scenario::BehindApiManager,
        _ => {
            faults.push(Fault::new("scenario", "required", "choose one"));
            Scenario::NewDataset
        }
    };
    let dataset = form.text("dataset");
    let subject = if scenario == Scenario::BehindApiManager || dataset.is_empty() {
        Subject::Service {
            service: form.text("service").to_owned(),
        }
    } else {
        Subject::Dataset {
            dataset: DatasetName::new(dataset),
        }
    };
    let period = period(form, &mut faults);
    let create = PlanCreate {
        scenario,
        subject,
        title: form.text("title").to_owned(),
        description: form.text("description").to_owned(),
        recipients: numbers(form.text("recipients")),
        period,
    };
    if faults.is_empty() {
        Ok(create)
    } else {
        Err(faults)
    }
}

/// Both days or none.
pub(super) fn period(form: &Form, faults: &mut Vec<Fault>) -> Option<Period> {
    let from = date(form, "from", faults);
    let to = date(form, "to", faults);
    match (from, to) {
        (Some(from), Some(to)) => Some(Period { from, to }),
        (None, None) => None,
        (Some(_), None) => {
            faults.push(Fault::new("to", "required", "name the last day too"));
            None
        }
        (None, Some(_)) => {
            faults.push(Fault::new("from", "required", "name the first day too"));
            None
        }
    }
}

/// Registration numbers, one a line or divided by commas.
pub(super) fn numbers(text: &str) -> Vec<RegistrationNumber> {
    text.split([',', ';', '\n', ' '])
        .map(str::trim)
        .filter(|number| !number.is_empty())
        .map(RegistrationNumber::new)
        .collect()
}
