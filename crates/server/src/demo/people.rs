//! Who signs in: people for each role, by made-up codes, and the institutions they act for.

use std::sync::Arc;

use dagr_app::{
    App,
    ctx::{Caller, Ctx},
    problem::Problem,
    session::SignedIn,
    views::{InstitutionCreate, PersonCreate, RoleCreate},
};
use dagr_model::{
    ids::{PersonId, RegistrationNumber, RequestId},
    role::Role,
};
use dagr_portal::CastMember;

use super::{
    cast::{BANK, MUNICIPALITY, RESEARCHER},
    nation::{Nation, REGISTERS},
};

/// Keeps the platform.
pub const OPERATOR: (&str, &str) = ("90000001124", "Valsts digitālās attīstības aģentūra");

/// Somebody with roles in one institution.
#[derive(Debug, Clone)]
pub struct Official {
    pub code: String,
    pub name: String,
    pub institution: String,
    pub roles: Vec<Role>,
    /// What the sign-in page says of them; nobody it offers: empty.
    pub what: String,
}

/// The ones the story is told with.
fn leading() -> Vec<Official> {
    let person = |code: u32, name: &str, institution: &str, roles: &[Role], what: &str| Official {
        code: format!("39{code:09}"),
        name: name.to_owned(),
        institution: institution.to_owned(),
        roles: roles.to_vec(),
        what: what.to_owned(),
    };
    let persons = REGISTERS[1].provider_number;
    vec![
        person(
            101,
            "Zane Kalniņa",
            MUNICIPALITY.number,
            &[Role::DataManager],
            "Rīgas pašvaldība, datu pārzine: piesakās datiem",
        ),
        person(
            102,
            "Uldis Vītols",
            MUNICIPALITY.number,
            &[Role::Head, Role::DataProtectionOfficer],
            "Rīgas pašvaldība, vadītājs",
        ),
        person(
            103,
            "Inese Liepa",
            persons,
            &[Role::LegalReviewer],
            "PMLP, juriste: izvērtē pieteikumus",
        ),
        person(
            104,
            "Pēteris Bērziņš",
            persons,
            &[Role::DataManager],
            "PMLP, datu pārzinis: lemj",
        ),
        person(105, "Dace Krūmiņa", persons, &[Role::Head], "PMLP, vadītāja"),
        person(
            106,
            "Jānis Ozols",
            OPERATOR.0,
            &[Role::Operator],
            "DAGR operators",
        ),
        person(
            107,
            "Līga Balode",
            OPERATOR.0,
            &[Role::Operator],
            "DAGR operatore: otrās acis",
        ),
        person(
            108,
            "Māris Zariņš",
            BANK.number,
            &[Role::DataManager, Role::Head],
            "AS „Demo banka”, datu pārzinis",
        ),
        person(
            109,
            "Ilze Siliņa",
            RESEARCHER.number,
            &[Role::DataManager],
            "Pētniecības institūts, datu pārzine",
        ),
    ]
}

/// Heads of the registers, who decide, and of municipalities, who apply.
pub fn officials(nation: &Nation) -> Vec<Official> {
    let name = |index: u64| {
        let person = nation.person(index % nation.persons());
        format!("{} {}", person.name, person.surname)
    };
    let head = |at: usize, institution: String, roles: Vec<Role>| Official {
        code: format!("39{:09}", 1_000 + at),
        name: name(11 * at as u64 + 5),
        institution,
        roles,
        what: String::new(),
    };
    let deciders = REGISTERS.iter().enumerate().map(|(at, register)| {
        head(
            at,
            register.provider_number.to_owned(),
            vec![Role::Head, Role::DataManager],
        )
    });
    let applicants = municipalities()
        .into_iter()
        .enumerate()
        .map(|(at, (number, _))| head(100 + at, number, vec![Role::DataManager]));
    leading().into_iter().chain(deciders).chain(applicants).collect()
}

/// Number and name of every municipality but the one of the story.
pub fn municipalities() -> Vec<(String, String)> {
    Nation::municipalities()
        .iter()
        .enumerate()
        .skip(1)
        .map(|(at, municipality)| {
            let kind = if at < 7 { "valstspilsētas" } else { "novada" };
            let name = format!("{} {kind} pašvaldība", municipality.genitive);
            (format!("9000002{:04}", 104 + at), name)
        })
        .collect()
}

/// The operator's context, of now.
pub fn operator(app: &App) -> Ctx {
    context(app, Caller::Operator)
}

pub fn context(app: &App, caller: Caller) -> Ctx {
    Ctx {
        request_id: RequestId::new("demo"),
        now: app.now(),
        caller,
        permission: None,
        case: None,
    }
}

/// Enters institutions, people and roles. What is there already stays.
pub async fn enter(app: &Arc<App>, officials: &[Official]) -> Result<(), Problem> {
    let ctx = operator(app);
    let others = [(OPERATOR.0.to_owned(), OPERATOR.1.to_owned())];
    for (registration_number, name) in municipalities().into_iter().chain(others) {
        let create = InstitutionCreate {
            registration_number: RegistrationNumber::new(&registration_number),
            name,
            kind: None,
            parent: None,
        };
        there(app.institution_create(&ctx, &create).await)?;
    }
    for official in officials {
        let create = PersonCreate {
            code: official.code.clone(),
            name: official.name.clone(),
        };
        let Some(person) = there(app.person_create(&ctx, &create).await)? else {
            continue;
        };
        roles(app, &ctx, person.value.id, official).await?;
    }
    Ok(())
}

async fn roles(app: &App, ctx: &Ctx, person: PersonId, official: &Official) -> Result<(), Problem> {
    for role in &official.roles {
        let create = RoleCreate {
            institution: RegistrationNumber::new(&official.institution),
            role: *role,
        };
        there(app.role_grant(ctx, person, &create).await)?;
    }
    Ok(())
}

fn there<T>(made: Result<T, Problem>) -> Result<Option<T>, Problem> {
    match made {
        Ok(made) => Ok(Some(made)),
        Err(problem) if problem.code == "exists" => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// The context of somebody signed in.
pub async fn signed_in(app: &App, official: &Official) -> Result<Ctx, Problem> {
    let signed_in = SignedIn {
        code: official.code.clone(),
        name: official.name.clone(),
        by: "development".to_owned(),
    };
    let opened = app
        .session_open(&context(app, Caller::Anonymous), &signed_in)
        .await?;
    Ok(context(app, Caller::Person(opened.person)))
}

/// Whom the sign-in page offers: those of the story, and the citizen it is about.
pub fn cast(officials: &[Official], citizen: &super::nation::Person) -> Vec<CastMember> {
    let member = |official: &Official| CastMember {
        code: official.code.clone(),
        name: official.name.clone(),
        what: official.what.clone(),
    };
    let mut cast: Vec<CastMember> = officials
        .iter()
        .filter(|official| !official.what.is_empty())
        .map(member)
        .collect();
    cast.push(CastMember {
        code: citizen.code.clone(),
        name: format!("{} {}", citizen.name, citizen.surname),
        what: "iedzīvotājs: skatās, kas saņēmis datus par viņu".to_owned(),
    });
    cast
}
