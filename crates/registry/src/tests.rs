//! The registry as its users see it, on either database: the same files are a module of `sqlite` and of `on_postgres`,
//! which say what `fresh` is.
#![allow(clippy::duplicate_mod, reason = "the suite runs on both databases")]

mod on_postgres;
mod seen;
mod sqlite;
#[allow(dead_code, reason = "the rest is for the program's tests")]
mod throwaway;

use dagr_model::{
    ids::{ClientId, DatasetName, RegistrationNumber, Section, SystemCode},
    permission::{QuotaUnit, Scope, Way},
    schema::LeafIds,
};
use jiff::Timestamp;

use crate::*;

const PROVIDER: &str = "90000000001";
const RECIPIENT: &str = "LT300000002";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn by() -> Actor {
    Actor {
        name: "operator".into(),
        request_id: "r-1".into(),
        at: at(0),
    }
}

fn institution(number: &str) -> InstitutionCreate {
    InstitutionCreate {
        registration_number: RegistrationNumber::new(number),
        name: format!("Iestāde {number}"),
        kind: None,
        parent: None,
    }
}

fn system(code: &str) -> SystemCreate {
    SystemCreate {
        institution: RegistrationNumber::new(PROVIDER),
        code: SystemCode::new(code),
        name: "Reģistrs".into(),
    }
}

fn connection(client: &str) -> ConnectionCreate {
    ConnectionCreate {
        client_id: ClientId::new(client),
        system: SystemCode::new("FPR"),
        kind: ConnectionKind::Producer,
        token_lifetime_s: 3_600,
        description: None,
    }
}

fn certificate(digit: char) -> CertificateCreate {
    CertificateCreate {
        sha256: digit.to_string().repeat(64),
        pem: "-----BEGIN CERTIFICATE-----".into(),
        not_before: at(0),
        not_after: at(1_000),
        subject: "CN=fpr".into(),
    }
}

fn definition(name: &str, text: &str, leaves: &[&str]) -> DefinitionPut {
    DefinitionPut {
        name: DatasetName::new(name),
        institution: RegistrationNumber::new(PROVIDER),
        text: text.into(),
        leaf_ids: LeafIds(
            leaves
                .iter()
                .enumerate()
                .map(|(id, path)| ((*path).to_owned(), id as u16))
                .collect(),
        ),
        replaces: None,
        above: 0,
    }
}

fn permission(dataset: &str) -> PermissionCreate {
    PermissionCreate {
        dataset: DatasetName::new(dataset),
        recipient: RegistrationNumber::new(RECIPIENT),
        environment: Section::Main,
        purpose: "Sociālā palīdzība".into(),
        legal_basis: "MK 2021/1".into(),
        fields: Fields::All,
        scope: Some(Scope::Keys(vec![vec!["A".into()], vec![7.into()]])),
        ways: vec![Way::Key, Way::Index("Surname".into())],
        quota: Some(10),
        quota_unit: Some(QuotaUnit::Record),
        rate_per_second: None,
        misses_per_hour: None,
        valid_from: None,
        valid_to: None,
        case_required: None,
    }
}

fn leaves() -> Vec<String> {
    vec!["Code".into(), "Surname".into()]
}

/// Two institutions, a system, a connection and the data set `persons`.
async fn furnish(registry: &Registry) {
    registry
        .institution_insert(&by(), &institution(PROVIDER))
        .await
        .unwrap();
    registry
        .institution_insert(&by(), &institution(RECIPIENT))
        .await
        .unwrap();
    registry.system_insert(&by(), &system("FPR")).await.unwrap();
    registry
        .connection_insert(&by(), &connection("fpr-producer"))
        .await
        .unwrap();
    registry
        .put_sandbox_definition(&by(), &definition("persons", "name: persons", &["Code"]), None)
        .await
        .unwrap();
}

/// The rules and places of the faults.
fn faults<T: std::fmt::Debug>(result: Result<T>) -> Vec<(String, String)> {
    match result {
        Err(RegistryError::Invalid(faults)) => faults
            .into_iter()
            .map(|fault| (fault.place, fault.rule))
            .collect(),
        other => panic!("not refused as invalid: {other:?}"),
    }
}
