//! Classifiers through the real program: registered and published by the command line, judging what is delivered.

use http::Method;
use serde_json::{Value, json};

use crate::{
    raw::{call, get},
    server::Server,
};

const CARS: &str = "name: cl_cars
key: Mark
classification: open
data_description: Automobiļi
fields:
  - Mark : Numurs
  - Kind code(CL_KINDS) : Veids
  - Colour code(CL_COLOURS) : Krāsa
";

fn car(mark: &str, kind: &str) -> String {
    json!({ "op": "upsert", "record": { "Mark": mark, "Kind": kind, "Colour": "any" } }).to_string() + "\n"
}

async fn deliver(client: &dagr_server::client::Client, id: &str, lines: String) -> (u16, Value) {
    let path = format!("/intake/cl_cars/packages/{id}");
    let body = Some(("application/x-ndjson", lines.into_bytes()));
    let answer = call(client, Method::PUT, &path, &[], body).await;
    (answer.status, answer.json())
}

fn done(server: &Server, words: &[&str]) -> String {
    let output = server.run(words);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{words:?}: {told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_list_judges_deliveries_and_its_next_version_too() {
    let mut server = Server::start();
    let producer = server.producer().await;
    server.publish(&producer, "cl_cars", CARS).await;
    // Nobody registered the list: any text is taken, and the definition says so.
    let (status, receipt) = deliver(&producer.client, "p0", car("A", "old")).await;
    assert_eq!((status, &receipt["accepted"]), (200, &json!(1)));
    let definition = server
        .operator()
        .get("/registry/datasets/cl_cars/definition")
        .await
        .unwrap();
    assert_eq!(definition["remarks"][0]["rule"], "classifier_unknown");

    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let classifier = json!({ "id": "CL_KINDS", "title": "Veidi", "keeper": producer.institution });
    done(
        &server,
        &["classifier", "put", &file("c.json", &classifier.to_string())],
    );
    let first = file(
        "1.csv",
        "code;name;valid_to\nM1;Vieglie;\nM2;Autobusi;2020-12-31\n",
    );
    let publish = ["classifier", "publish", "CL_KINDS"];
    let told = done(
        &server,
        &[&publish[..], &[&first, "--reason", "Sākums", "--dry-run"]].concat(),
    );
    assert!(
        told.contains("2 added") && told.contains("2 fields use it"),
        "{told}"
    );
    done(&server, &[&publish[..], &[&first, "--reason", "Sākums"]].concat());
    let wrong = file("w.csv", "code;name;parent\nM1;Vieglie;M9\nM1;Vieglie;\n");
    let refused = server.run(&[&publish[..], &[&wrong, "--reason", "x"]].concat());
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(told.contains("line 2") && told.contains("line 3"), "{told}");

    let (status, receipt) = deliver(&producer.client, "p1", car("B", "M2") + &car("C", "M9")).await;
    assert_eq!((status, &receipt["quarantined"]), (200, &json!(1)));
    let rows = producer
        .client
        .get("/intake/cl_cars/quarantine?package=p1")
        .await
        .unwrap();
    let row = &rows["rows"][0];
    assert_eq!(
        (&row["line"], &row["field"], &row["rule"]),
        (&json!(2), &json!("Kind"), &json!("code_unknown"))
    );
    assert_eq!(row["reason"], "not a code of the classifier CL_KINDS (version 1)");

    let second = file("2.csv", "code;name\nM1;Vieglie\nM9;Citi\n");
    done(
        &server,
        &[&publish[..], &[&second, "--reason", "Grozījumi"]].concat(),
    );
    let (status, _) = deliver(&producer.client, "p2", car("C", "M9")).await;
    assert_eq!(status, 200);
    let (status, problem) = deliver(&producer.client, "p3", car("D", "M2")).await;
    assert_eq!((status, &problem["code"]), (422, &json!("package_refused")));
    // What is stored stays, and a restart judges by the same version.
    server.kill_and_restart();
    let producer = server.again(&producer);
    let (status, _) = deliver(&producer, "p4", car("D", "M2")).await;
    assert_eq!(status, 422);
    let anonymous = server.anonymous();
    for mark in ["A", "B"] {
        assert_eq!(
            get(&anonymous, &format!("/data/cl_cars/records/{mark}"))
                .await
                .status,
            200
        );
    }
    // Everybody reads the list, and the interface tells it.
    let page = "/registry/classifiers/CL_KINDS/versions/current/values?limit=1";
    let values = anonymous.get(page).await.unwrap();
    assert_eq!(
        (&values["values"][0]["code"], &values["next"]),
        (&json!("M1"), &json!("1"))
    );
    let rest = anonymous.get(&format!("{page}&after=1")).await.unwrap();
    assert_eq!(
        (&rest["values"][0]["code"], &rest["next"]),
        (&json!("M9"), &Value::Null)
    );
    let csv = get(&anonymous, "/registry/classifiers/CL_KINDS/versions/1/values.csv").await;
    assert!(
        csv.text().contains("M2,Autobusi,,,,2020-12-31\n"),
        "{}",
        csv.text()
    );
    let interface = anonymous.get("/api/openapi.json").await.unwrap();
    let kind = &interface["components"]["schemas"]["ClCarsRecord"]["properties"]["Kind"];
    assert_eq!(kind["anyOf"][0]["enum"], json!(["M1", "M9"]));
    let seen = anonymous.get("/registry/classifiers/CL_KINDS").await.unwrap();
    assert_eq!((&seen["latest"], &seen["in_force"]), (&json!(2), &json!(2)));
}
