//! A decision as an ODRL agreement, judged by the vocabulary (W3C, ODRL Vocabulary & Expression 2.2).

use super::*;

const LEFT_OPERANDS: [&str; 4] = ["count", "dateTime", "purpose", "elapsedTime"];
const OPERATORS: [&str; 12] = [
    "eq", "gt", "gteq", "lt", "lteq", "neq", "isA", "hasPart", "isPartOf", "isAllOf", "isAnyOf", "isNoneOf",
];

/// ODRL Information Model 2.2, 2.5.1: three members, each once.
fn constraint(value: &Value) {
    let left = value["leftOperand"].as_str().unwrap();
    assert!(
        LEFT_OPERANDS.contains(&left) || left.starts_with("dagr:"),
        "{left}"
    );
    assert!(
        OPERATORS.contains(&value["operator"].as_str().unwrap()),
        "{value}"
    );
    assert!(!value["rightOperand"].is_null(), "{value}");
}

fn action(value: &Value) {
    let name = value["rdf:value"]["@id"].as_str().or(value.as_str()).unwrap();
    let known = ["odrl:read", "acceptTracking", "dagr:stateCase"];
    assert!(known.contains(&name), "{value}");
    value["refinement"]
        .as_array()
        .into_iter()
        .flatten()
        .for_each(constraint);
}

/// What an Agreement must have (2.1.3): uid, one assigner, one assignee, rules with target and action.
fn agreement(value: &Value) {
    assert_eq!(value["@context"][0], "http://www.w3.org/ns/odrl.jsonld");
    assert_eq!(value["@type"], "Agreement");
    for member in ["uid", "profile"] {
        assert!(value[member].as_str().unwrap().starts_with("http"), "{member}");
    }
    for party in ["assigner", "assignee"] {
        assert!(
            value[party]["uid"].as_str().unwrap().starts_with("http"),
            "{party}"
        );
    }
    let rules = value["permission"].as_array().unwrap();
    assert!(!rules.is_empty());
    for rule in rules {
        let target = &rule["target"];
        // A collection with a source, for a refinement is of its parts (2.2.3).
        assert_eq!(target["@type"], "AssetCollection");
        assert!(target["source"].as_str().unwrap().starts_with("http"));
        target["refinement"]
            .as_array()
            .unwrap()
            .iter()
            .for_each(constraint);
        rule["action"].as_array().unwrap().iter().for_each(action);
        rule["constraint"].as_array().unwrap().iter().for_each(constraint);
        for duty in rule["duty"].as_array().unwrap() {
            action(&duty["action"]);
        }
    }
}

#[tokio::test]
async fn a_decision_is_an_odrl_agreement() {
    let office = Office::open().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let (_, decider) = office.person(2, PROVIDER, &[Role::Head]).await;
    let mut wanted = asked();
    for (name, value) in [
        ("quota", json!(1_000)),
        ("valid_from", json!("2024-07-01")),
        ("valid_to", json!("2024-12-31")),
        ("case_required", json!(true)),
        ("scope", json!({ "when": "record.Town == 'Cēsis'" })),
    ] {
        wanted[name] = value;
    }
    let permission = office.granted(&applicant, &decider, wanted).await;
    let path = format!("/registry/permissions/{permission}/odrl");
    let answer = office.get(&applicant, &path).await;
    assert_eq!(answer.header("content-type"), "application/ld+json");
    let odrl = answer.json();
    agreement(&odrl);
    assert!(odrl["assigner"]["uid"].as_str().unwrap().ends_with(PROVIDER));
    assert!(odrl["assignee"]["uid"].as_str().unwrap().ends_with(RECIPIENT));
    let rule = &odrl["permission"][0];
    assert_eq!(
        rule["target"]["refinement"][1]["rightOperand"],
        json!(["Code", "Surname", "Town"])
    );
    let limits: Vec<(&str, &str, &Value)> = rule["constraint"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let words = (
                one["leftOperand"].as_str().unwrap(),
                one["operator"].as_str().unwrap(),
            );
            (words.0, words.1, &one["rightOperand"])
        })
        .collect();
    let instant = |text: &str| json!({ "@value": text, "@type": "xsd:dateTime" });
    assert_eq!(
        limits[1],
        ("dateTime", "gteq", &instant("2024-07-01T00:00:00+03:00"))
    );
    assert_eq!(
        limits[2],
        ("dateTime", "lt", &instant("2025-01-01T00:00:00+02:00"))
    );
    assert_eq!(limits[3], ("count", "lteq", &json!(1_000)));
    let decision = &odrl["dagr:decision"][0];
    assert!(decision["dagr:seal"].as_str().unwrap().contains(".."));
    assert_eq!(decision["dagr:cites"][2]["dagr:law"], "5. pants");
    let (_, stranger) = office.person(3, OTHER, &[Role::Head]).await;
    assert_eq!(office.get(&stranger, &path).await.code(), "permission_unknown");
}
