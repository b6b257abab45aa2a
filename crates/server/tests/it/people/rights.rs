//! The authorisation matrix: every operation under `/registry` × every role × own and other institution. What each is
//! answered stands in `rights.txt`; a change of a right is a change of that file (`DAGR_REWRITE=1` writes it).
//!
//! Connections are judged by `matrix::everything`, through the real program.

mod things;

use std::fmt::Write as _;

use super::*;
use things::Things;

/// Who calls. The recipient is party to the application and the permission, the provider to both and the set.
struct Column {
    name: String,
    token: Option<String>,
    /// For signing in again.
    code: Option<String>,
}

const ABBREVIATIONS: [(Role, &str); 7] = [
    (Role::Head, "hd"),
    (Role::DataManager, "dm"),
    (Role::LegalReviewer, "lr"),
    (Role::TechnicalContact, "tc"),
    (Role::Operator, "op"),
    (Role::DataProtectionOfficer, "dp"),
    (Role::Auditor, "au"),
];

async fn columns(office: &Office) -> Vec<Column> {
    let column = |name: &str, token: Option<String>, code: Option<u32>| Column {
        name: name.to_owned(),
        token,
        code: code.map(|code| format!("39{code:09}")),
    };
    let (_, oneself) = office.person(100, OTHER, &[]).await;
    let mut columns = vec![
        column("none", None, None),
        column("tokn", Some(office.operator_token()), None),
        column("self", Some(oneself), Some(100)),
    ];
    let mut code = 100;
    for (institution, side) in [(RECIPIENT, "r"), (PROVIDER, "p"), (OTHER, "o")] {
        for (role, short) in ABBREVIATIONS {
            code += 1;
            let (_, token) = office.person(code, institution, &[role]).await;
            columns.push(column(&format!("{side}:{short}"), Some(token), Some(code)));
        }
    }
    columns
}

/// `(operationId, method, path)` under `/registry`, as the server describes itself.
async fn operations(office: &Office) -> Vec<(String, Method, String)> {
    let document = office
        .send(None, (Method::GET, "/api/openapi.json"), &[], Vec::new())
        .await
        .json();
    let mut found = Vec::new();
    for (path, calls) in document["paths"].as_object().unwrap() {
        for (method, call) in calls.as_object().unwrap() {
            if path.starts_with("/registry/") {
                let method = method.to_uppercase().parse().unwrap();
                let id = call["operationId"].as_str().unwrap().to_owned();
                found.push((id, method, path.clone()));
            }
        }
    }
    found
}

async fn row(
    office: &Office,
    things: &mut Things,
    columns: &mut [Column],
    (id, method, path): &(String, Method, String),
) -> String {
    let mut line = format!("{id:24}");
    let mut call = things.call(office, id).await;
    for column in columns {
        let filled = call.fill(path);
        let answer = office
            .send(
                column.token.as_deref(),
                (method.clone(), &filled),
                &[("content-type", call.media)],
                call.body.clone(),
            )
            .await;
        assert!(answer.status < 500, "{id} {}: {}", column.name, answer.text());
        let _ = write!(line, " {:4}", answer.status);
        if answer.status < 300 && *method != Method::GET {
            call = things.call(office, id).await;
            if let (Some(code), "session_delete" | "session_update") = (&column.code, id.as_str()) {
                column.token = Some(office.sign_in(code).await);
            }
        }
    }
    line.trim_end().to_owned()
}

#[tokio::test]
async fn every_operation_is_open_to_whom_the_table_says() {
    let office = Office::open().await;
    let mut things = Things::new(&office).await;
    let mut columns = columns(&office).await;
    let operations = operations(&office).await;
    assert!(operations.len() > 70, "{}", operations.len());
    let mut table = String::from(
        "# What each caller is answered. none: no token; tokn: the operator token; self: a person for oneself;\n\
         # r: of the recipient, p: of the provider, o: of another institution; hd head, dm data manager, lr legal\n\
         # reviewer, tc technical contact, op operator, dp data protection officer, au auditor.\n",
    );
    let _ = write!(table, "{:24}", "operation");
    for column in &columns {
        let _ = write!(table, " {:4}", column.name);
    }
    for operation in &operations {
        let row = row(&office, &mut things, &mut columns, operation).await;
        let _ = write!(table, "\n{row}");
    }
    table.push('\n');
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/people/rights.txt");
    if std::env::var_os("DAGR_REWRITE").is_some() {
        std::fs::write(kept, &table).unwrap();
    }
    let kept = std::fs::read_to_string(kept).unwrap_or_default();
    for (now, before) in table.lines().zip(kept.lines()) {
        assert_eq!(
            now, before,
            "rights changed: if meant, DAGR_REWRITE=1 writes the table"
        );
    }
    assert_eq!(table.lines().count(), kept.lines().count());
}
