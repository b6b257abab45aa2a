//! Plans of transition in all three scenarios: one begun, one under way and late, one nearly done.

use std::sync::Arc;

use dagr_app::{App, ctx::Ctx, plan::StepAssign, problem::Problem};
use dagr_model::{
    clock::riga_date,
    ids::{DatasetName, RegistrationNumber},
    plan::{Period, PlanCreate, Scenario, Subject},
};
use jiff::ToSpan as _;

use super::{
    cast::{BANK, MUNICIPALITY, RESEARCHER},
    nation::REGISTERS,
    people::{self, Official},
};

/// Makes them; answers how many.
pub async fn make(app: &Arc<App>, officials: &[Official]) -> Result<usize, Problem> {
    let today = riga_date(app.now());
    let plan = |scenario, subject, title: &str, description: &str, recipients: &[&str]| PlanCreate {
        scenario,
        subject,
        title: title.to_owned(),
        description: description.to_owned(),
        recipients: recipients.iter().map(RegistrationNumber::new).collect(),
        period: Some(Period {
            from: today.saturating_sub(30.days()),
            to: today.saturating_add(90.days()),
        }),
    };
    let dataset = |name: &str| Subject::Dataset {
        dataset: DatasetName::new(name),
    };
    let municipality = people::municipalities()
        .first()
        .map(|(number, _)| number.clone())
        .unwrap_or_default();
    let plans = [
        (
            3,
            6,
            plan(
                Scenario::NewDataset,
                dataset("viis_education"),
                "Izglītības dati pašvaldībām",
                "Pašvaldības saņems, kur bērns mācās, lai pašas piešķirtu brīvpusdienas.",
                &[MUNICIPALITY.number, &municipality],
            ),
        ),
        (
            2,
            3,
            plan(
                Scenario::MoveToDagr,
                dataset("ur_enterprise"),
                "Uzņēmumu reģistra vecā saskarne pāriet uz DAGR",
                "Līdzšinējo tīmekļa pakalpi slēgs, kad visi saņēmēji būs pārgājuši.",
                &[BANK.number, RESEARCHER.number],
            ),
        ),
        (
            4,
            1,
            plan(
                Scenario::BehindApiManager,
                Subject::Service {
                    service: "Iemaksu aprēķina pakalpe".to_owned(),
                },
                "Iemaksu aprēķins paliek aiz API pārvaldnieka",
                "Pakalpe rēķina uz vietas, tāpēc dati netiek kopēti.",
                &[MUNICIPALITY.number],
            ),
        ),
    ];
    let count = plans.len();
    for (register, done, create) in plans {
        one(app, officials, REGISTERS[register].provider_number, done, create).await?;
    }
    Ok(count)
}

/// The first `done` steps are done; the next one was due yesterday where three are.
async fn one(
    app: &App,
    officials: &[Official],
    provider: &str,
    done: u32,
    create: PlanCreate,
) -> Result<(), Problem> {
    let head = officials
        .iter()
        .find(|official| official.institution == provider && official.what.is_empty());
    let Some(head) = head else { return Ok(()) };
    let ctx: Ctx = people::signed_in(app, head).await?;
    let made = app.plan_create(&ctx, create).await?;
    let number = made.value.head.number.to_string();
    for step in 1..=done {
        app.plan_step_done(&ctx, &number, step, None, None).await?;
    }
    if done == 3 {
        let yesterday = riga_date(app.now()).saturating_sub(1.days());
        let assign = StepAssign {
            person: None,
            due: Some(Some(yesterday)),
        };
        app.plan_step_assign(&ctx, &number, done + 1, assign, None)
            .await?;
    }
    let text = "Lūdzam līdz mēneša beigām pateikt, kuri lauki jums vajadzīgi.";
    app.plan_comment_create(&ctx, &number, text).await?;
    app.session_close(&ctx).await
}
