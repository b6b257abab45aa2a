//! A few hundred applications in every state, made by the same use cases a page calls.

use std::{collections::BTreeMap, sync::Arc};

use dagr_app::{
    App,
    ctx::Ctx,
    problem::Problem,
    views::{Rules, RulesPut, TemplatePut},
};
use dagr_model::{
    application::{Asked, DataAsked, FieldAsked, FieldRefused, Remark, Verdict},
    ids::DatasetName,
    permission::QuotaUnit,
    role::Role,
    template::Template,
};

use super::{
    nation::REGISTERS,
    people::{self, Official},
};

/// Purpose, law, and the fields asked of a register.
const WISHES: [(&str, &str, &str, &[&str]); 6] = [
    (
        "fpr_person",
        "Dzīvokļa pabalsta piešķiršana",
        "Sociālo pakalpojumu un sociālās palīdzības likums, 35. pants",
        &["PersonCode", "Name", "Surname", "Status", "AddressCode"],
    ),
    (
        "vsaa_insurance",
        "Trūcīgas mājsaimniecības statusa noteikšana",
        "Sociālo pakalpojumu un sociālās palīdzības likums, 33. pants",
        &["PersonCode", "Year", "Month", "Income", "EmployerName"],
    ),
    (
        "vdeavk_disability",
        "Asistenta pakalpojuma piešķiršana",
        "Invaliditātes likums, 12. pants",
        &["PersonCode", "DecisionNumber", "Group", "From", "To", "Disorder"],
    ),
    (
        "viis_education",
        "Brīvpusdienu piešķiršana skolēniem",
        "Izglītības likums, 17. pants",
        &["PersonCode", "Id", "Institution", "Grade", "Status"],
    ),
    (
        "vbtai_orphan_certificate",
        "Atvieglojumi bāreņiem",
        "Bērnu tiesību aizsardzības likums, 26. pants",
        &[],
    ),
    (
        "ur_enterprise",
        "Uzņēmēju atbalsta programma",
        "Pašvaldību likums, 4. pants",
        &["RegistrationNumber", "Name", "Status", "Officers"],
    ),
];

/// The register whose sandbox is given by rule.
const TRIED: &str = "viis_education";

/// How far each application came, one after the other.
const ENDS: [End; 9] = [
    End::Approved,
    End::Submitted,
    End::Partial,
    End::Draft,
    End::Returned,
    End::Approved,
    End::Refused,
    End::Resubmitted,
    End::Withdrawn,
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Draft,
    Submitted,
    Returned,
    Resubmitted,
    Approved,
    Partial,
    Refused,
    Withdrawn,
}

/// Makes them; answers how many.
pub async fn make(app: &Arc<App>, officials: &[Official]) -> Result<usize, Problem> {
    let deciders = deciders(app, officials).await?;
    offered(app, &deciders).await?;
    let applicants = officials
        .iter()
        .filter(|official| official.roles == [Role::DataManager] && !is_provider(&official.institution));
    let mut count = 0;
    for official in applicants {
        let ctx = people::signed_in(app, official).await?;
        for wish in WISHES {
            let end = ENDS[count % ENDS.len()];
            one(
                app,
                &people::context(app, ctx.caller.clone()),
                wish,
                end,
                &deciders,
            )
            .await?;
            count += 1;
        }
        app.session_close(&ctx).await?;
    }
    for ctx in deciders.values() {
        app.session_close(ctx).await?;
    }
    Ok(count)
}

/// What providers decided beforehand: two templates, and a sandbox that whoever asks may try at once.
async fn offered(app: &Arc<App>, deciders: &BTreeMap<&'static str, Ctx>) -> Result<(), Problem> {
    for (dataset, purpose, law, fields) in &WISHES[..2] {
        let Some(ctx) = deciders.get(dataset) else {
            continue;
        };
        let Asked::Data(wished) = asked(app, dataset, purpose, law, fields) else {
            continue;
        };
        let put = TemplatePut {
            template: Template {
                title: (*purpose).to_owned(),
                use_case: wished.use_case,
                purpose: wished.purpose,
                legal_basis: wished.legal_basis,
                fields: wished.fields,
                ways: wished.ways,
                scope: None,
                quota: Some(100_000),
                quota_unit: QuotaUnit::Call,
                days: Some(730),
            },
            reason: "Visām pašvaldībām vajag vienu un to pašu.".to_owned(),
        };
        app.template_create(ctx, dataset, put).await?;
    }
    if let Some(ctx) = deciders.get(TRIED) {
        app.sandbox_fill(ctx, TRIED, 200, 1).await?;
        let put = RulesPut {
            rules: Rules {
                template_only: false,
                test_access: true,
            },
            reason: "Izdomātus ierakstus var izmēģināt ikviens.".to_owned(),
        };
        app.rules_put(ctx, TRIED, &put, None).await?;
    }
    Ok(())
}

fn is_provider(institution: &str) -> bool {
    REGISTERS
        .iter()
        .any(|register| register.provider_number == institution)
}

/// Somebody who decides, for each register.
async fn deciders(app: &App, officials: &[Official]) -> Result<BTreeMap<&'static str, Ctx>, Problem> {
    let mut out = BTreeMap::new();
    for register in REGISTERS {
        let decides = |official: &&Official| {
            official.institution == register.provider_number && official.roles.contains(&Role::Head)
        };
        if let Some(official) = officials.iter().find(decides) {
            out.insert(register.dataset, people::signed_in(app, official).await?);
        }
    }
    Ok(out)
}

async fn one(
    app: &App,
    ctx: &Ctx,
    (dataset, purpose, law, fields): (&str, &str, &str, &[&str]),
    end: End,
    deciders: &BTreeMap<&'static str, Ctx>,
) -> Result<(), Problem> {
    let asked = asked(app, dataset, purpose, law, fields);
    let made = app.application_create(ctx, asked).await?;
    let number = made.value.application.number.to_string();
    let leaves: Vec<String> = made.value.application.asked.fields().map(str::to_owned).collect();
    if end == End::Draft {
        return Ok(());
    }
    app.application_submit(ctx, &number, None).await?;
    let Some(decider) = deciders.get(dataset) else {
        return Ok(());
    };
    match end {
        End::Draft | End::Submitted => {}
        End::Withdrawn => {
            let reason = "Datus iegūsim citādi.".to_owned();
            app.application_withdraw(ctx, &number, reason, None).await?;
        }
        End::Returned | End::Resubmitted => {
            let remark = Remark {
                place: Some("legal_basis".to_owned()),
                text: "Lūdzu, norādiet arī panta daļu un punktu.".to_owned(),
            };
            app.application_return(decider, &number, vec![remark], None)
                .await?;
            if end == End::Resubmitted {
                let patch = serde_json::json!({ "legal_basis": format!("{law}, otrās daļas 1. punkts") });
                app.application_update(ctx, &number, &patch, None).await?;
                app.application_resubmit(ctx, &number, None).await?;
            }
        }
        End::Approved => {
            app.application_decide(decider, &number, Verdict::Approve, None)
                .await?;
        }
        End::Partial => {
            let verdict = partial(&leaves);
            app.application_decide(decider, &number, verdict, None).await?;
        }
        End::Refused => {
            let reason = "Norādītais likums šo uzdevumu pašvaldībai neuzliek.".to_owned();
            app.application_decide(decider, &number, Verdict::Refuse { reason }, None)
                .await?;
        }
    }
    Ok(())
}

/// Everything but the last field.
fn partial(leaves: &[String]) -> Verdict {
    match leaves.split_last() {
        Some((last, rest)) if !rest.is_empty() => Verdict::Partial {
            refused: vec![FieldRefused {
                field: last.clone(),
                reason: "Šim mērķim lauks nav vajadzīgs.".to_owned(),
            }],
        },
        _ => Verdict::Approve,
    }
}

fn asked(app: &App, dataset: &str, purpose: &str, law: &str, fields: &[&str]) -> Asked {
    let all = app.definition_of(dataset);
    let all = all
        .iter()
        .flat_map(|definition| definition.fields.iter().map(|field| field.name.clone()));
    let fields: Vec<String> = if fields.is_empty() {
        all.take(5).collect()
    } else {
        fields.iter().map(|&field| field.to_owned()).collect()
    };
    let mut asked = DataAsked::about(DatasetName::new(dataset));
    purpose.clone_into(&mut asked.purpose);
    law.clone_into(&mut asked.legal_basis);
    "Sociālais dienests pārbauda iesniedzēja norādīto, kad izskata iesniegumu."
        .clone_into(&mut asked.use_case);
    asked.fields = fields
        .into_iter()
        .map(|field| FieldAsked {
            field,
            law: law.to_owned(),
        })
        .collect();
    asked.quota = Some(50_000);
    Asked::Data(Box::new(asked))
}
