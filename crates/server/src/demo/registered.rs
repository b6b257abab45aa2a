//! Information resources, and interfaces that institutions give at addresses of their own.

use std::sync::Arc;

use dagr_app::{
    App,
    ctx::Ctx,
    problem::Problem,
    views::{Kept, Put, RegisteredService, Resource, ServiceKind, ServiceState},
};
use dagr_model::{
    definition::Classification,
    ids::{DatasetName, SystemCode},
};

use super::people;

/// Makes them; what is there already stays as it is.
pub async fn make(app: &Arc<App>) -> Result<(), Problem> {
    let ctx = people::operator(app);
    for (code, resource) in resources() {
        put(app, &ctx, code, resource).await?;
    }
    for (code, service) in services() {
        put(app, &ctx, code, service).await?;
    }
    Ok(())
}

async fn put<T: Kept>(app: &App, ctx: &Ctx, code: &str, described: T) -> Result<(), Problem> {
    let reason = "Pirmais apraksts".to_owned();
    match app
        .registered_put(ctx, code, &Put { described, reason }, Some(0))
        .await
    {
        Err(problem) if problem.status != 412 => Err(problem),
        _ => Ok(()),
    }
}

fn resources() -> [(&'static str, Resource); 2] {
    [
        (
            "FPR-PERSONAS",
            Resource {
                system: SystemCode::new("FPR"),
                title_lv: "Fizisko personu pamatdati".to_owned(),
                title_en: "Basic data of natural persons".to_owned(),
                description: "Ziņas, pēc kurām iestādes pazīst cilvēku.".to_owned(),
                content: "Personas kods, vārds, uzvārds, dzimšanas diena, deklarētā adrese.".to_owned(),
                legal_acts: vec!["Fizisko personu reģistra likums".to_owned()],
                datasets: vec![DatasetName::new("fpr_person")],
            },
        ),
        (
            "VAR-ADRESES",
            Resource {
                system: SystemCode::new("VAR"),
                title_lv: "Adreses".to_owned(),
                title_en: "Addresses".to_owned(),
                description: "Visas adreses Latvijā: spēkā esošās un vēsturiskās.".to_owned(),
                content: "Ēkas, telpu grupas, ielas, ciemi, pagasti, novadi.".to_owned(),
                legal_acts: vec!["Adresācijas noteikumi".to_owned()],
                datasets: vec![DatasetName::new("var_address")],
            },
        ),
    ]
}

fn services() -> [(&'static str, RegisteredService); 3] {
    let service = |system: &str, titles: [&str; 2], description: &str, path: &str| RegisteredService {
        kind: ServiceKind::Api,
        system: SystemCode::new(system),
        resource: None,
        title_lv: titles[0].to_owned(),
        title_en: titles[1].to_owned(),
        description: description.to_owned(),
        address: format!("https://saskarnes.example/{path}"),
        interface: Some(format!("https://saskarnes.example/{path}/openapi.json")),
        access: "Rakstiet iestādei; pēc vienošanās tā izsniedz piekļuves atslēgu.".to_owned(),
        classification: Classification::Restricted,
        state: ServiceState::InUse,
    };
    [
        (
            "VAR-MEKLESANA",
            RegisteredService {
                resource: Some("VAR-ADRESES".to_owned()),
                access: "Piekļuve nav jāprasa.".to_owned(),
                classification: Classification::Open,
                ..service(
                    "VAR",
                    ["Adrešu meklēšana pēc teksta", "Search of addresses by text"],
                    "Atrod adresi pēc tā, kā cilvēks to uzrakstījis.",
                    "adreses/v2",
                )
            },
        ),
        (
            "UR-PARSTAVJI",
            service(
                "UR",
                ["Uzņēmuma pārstāvju pārbaude", "Check of who represents a company"],
                "Atbild, vai cilvēks drīkst parakstīt uzņēmuma vārdā.",
                "parstavji/v1",
            ),
        ),
        (
            "VAR-MEKLESANA-1",
            RegisteredService {
                state: ServiceState::Ended,
                ..service(
                    "VAR",
                    [
                        "Adrešu meklēšana, pirmā versija",
                        "Search of addresses, first version",
                    ],
                    "Aizstāta ar otro versiju.",
                    "adreses/v1",
                )
            },
        ),
    ]
}
