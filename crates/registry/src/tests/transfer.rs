//! Export and import, and the copy that fits both databases. A module of `applications`, which makes what is exported.

use std::path::{Path, PathBuf};

use dagr_model::ids::ClientId;
use proptest::prelude::*;

use super::super::{Place, fresh, furnished};
use super::*;
use crate::{
    db::{Conn, Value, query},
    table,
};

async fn export(registry: &Registry) -> String {
    let mut out = Vec::new();
    let rows = registry.export_to(&mut out).await.unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().count() as u64, rows + 2);
    text
}

/// A file for an import; it is gone with the folder.
fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.ndjson");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

async fn import(registry: &Registry, text: &str) -> std::result::Result<u64, ImportError> {
    let (_folder, path) = file(text);
    registry.import_from(&path).await
}

async fn refused(registry: &Registry, text: &str) -> String {
    let empty = export(registry).await;
    let Err(ImportError::Faults(faults)) = import(registry, text).await else {
        panic!("not refused: {text}")
    };
    assert_eq!(export(registry).await, empty, "something was left behind");
    faults.join("\n")
}

/// A row in each table that other tests fill by its calls.
const REST: &[&str] = &[
    "INSERT INTO attachment_contents VALUES ('aa', 'bGllbMSrYnU=')",
    "INSERT INTO application_attachments SELECT 1, id, 5, 1, applicant, 'document', 'ķ.pdf', 'application/pdf', 8, 'aa', NULL FROM applications",
    "INSERT INTO plans SELECT 300001, '300001', registration_number, 'alpha', 'open', '2026-01-01', '{}', 1 FROM institutions LIMIT 1",
    "INSERT INTO proposals SELECT 1, 'certificate', registration_number, 'fpr-producer', '{}', 'proposed', 'person:1', 7, NULL, NULL, NULL FROM institutions LIMIT 1",
    "INSERT INTO plan_recipients SELECT 300001, registration_number FROM institutions",
    "INSERT INTO plan_events SELECT 300001, 1, 5, 1, registration_number, 'head', 'create', 'null', '{}' FROM institutions LIMIT 1",
    "INSERT INTO plan_comments SELECT 1, 300001, 5, 1, registration_number, 'Kad?' FROM institutions LIMIT 1",
    "INSERT INTO projections VALUES ('use', '1-0', 9)",
    "INSERT INTO permission_days SELECT id, '2026-01-01', 'key', 3, 1, 3, 0 FROM permissions",
    "INSERT INTO permission_fields SELECT id, 'Code', '2026-01-01', NULL FROM permissions",
    "INSERT INTO dataset_stops VALUES (1, 'persons', 5, 'operator', 'Kļūda', 6, 'operator', 'Labots')",
    "INSERT INTO system_facts SELECT code, 1, '{}', 'Sākums', 'operator', 5 FROM systems",
    "INSERT INTO resources SELECT 'R', 1, code, '{}', 'Sākums', 'operator', 5 FROM systems LIMIT 1",
    "INSERT INTO services SELECT 'S', 1, code, '{}', 'Sākums', 'operator', 5 FROM systems LIMIT 1",
    "INSERT INTO acts VALUES ('pl', 'Pašvaldību likums', NULL, '[]', 1)",
    "INSERT INTO articles VALUES ('pl', '4', 1, '{}', 'Sākums', 'operator', 5)",
    "INSERT INTO article_ends VALUES ('pl', '4', 1, 6)",
    "INSERT INTO law_flags SELECT 1, id, 'pl', '4', 1, 5, NULL, NULL, NULL FROM permissions LIMIT 1",
    "INSERT INTO mail_addresses SELECT id, 'zane@riga.lv', 'lv' FROM people WHERE id = 1",
    "INSERT INTO mails SELECT n.id, 1, 'waiting', 2, 5, 6, 'Nav atbildes' FROM notifications n LIMIT 1",
    "INSERT INTO templates VALUES (1, 'persons', 'active', 1)",
    "INSERT INTO template_versions VALUES (1, 1, '{}', 'Sākums', 'operator', 5)",
    "INSERT INTO dataset_rules VALUES ('persons', 1, '{}', 'Sākums', 'operator', 5)",
    "INSERT INTO classifiers SELECT 'KINDS', 'Veidi', NULL, 'Ķ', registration_number, NULL, 1 FROM institutions LIMIT 1",
    "INSERT INTO classifier_versions VALUES ('KINDS', 1, '2026-01-01', 0, '[]', 'Sākums', 'operator', 5)",
    "INSERT INTO test_access SELECT p.id, a.id, p.dataset, 1, 5 FROM permissions p, applications a LIMIT 1",
    "INSERT INTO stopped_permissions SELECT 1, id FROM permissions",
];

/// Something in every table.
async fn full() -> Registry {
    let registry = furnished().await;
    people(&registry).await;
    let before = submitted(&registry).await;
    let (next, event, outcome) = decision(&before.value);
    registry
        .application_move(&by(), before.version, &next, &event, &outcome)
        .await
        .unwrap();
    let client = ClientId::new("fpr-producer");
    registry
        .certificate_insert(&by(), &client, &certificate('a'), None)
        .await
        .unwrap();
    // `alpha` stands before what it replaces.
    let replacing = DefinitionPut {
        replaces: Some(DatasetName::new("persons")),
        ..definition("alpha", "name: alpha", &["Code"])
    };
    registry
        .put_sandbox_definition(&by(), &replacing, None)
        .await
        .unwrap();
    let comment = CommentCreate {
        person: PersonId(1),
        person_name: "Persona 1".into(),
        institution: RegistrationNumber::new(RECIPIENT),
        text: "Vai \"viss\"?\n\tJā: \\ ķ 𐍈".into(),
    };
    registry
        .comment_insert(&by(), &before.value.number, &comment, &[])
        .await
        .unwrap();
    registry.setting_put(&by(), "motto", "", None).await.unwrap();
    registry.assertion_use(&client, "j", at(9)).await.unwrap();
    let job = JobCreate {
        kind: "backup".into(),
        dataset: None,
        detail: serde_json::from_str("{\"exact\": 1.10000000000000000001, \"none\": null}").unwrap(),
    };
    registry.job_insert(&job, at(3)).await.unwrap();
    let notice = NoticeCreate {
        dataset: DatasetName::new("persons"),
        permission: None,
        kind: "definition".into(),
        detail: serde_json::json!({}),
    };
    registry.notice_insert(&notice, at(4)).await.unwrap();
    let mut tx = registry.write().await.unwrap();
    query("INSERT INTO institution_roles SELECT $1, 'recipient', id, 5 FROM applications")
        .bind(RECIPIENT)
        .execute(&mut tx)
        .await
        .unwrap();
    for text in REST {
        query(text).execute(&mut tx).await.unwrap();
    }
    for table in table::all() {
        assert!(
            table.any().fetch_optional(&mut tx).await.unwrap().is_some(),
            "{} is empty",
            table.name
        );
    }
    tx.commit().await.unwrap();
    registry
}

#[tokio::test]
async fn what_was_imported_exports_the_same_on_either_database() {
    let registry = full().await;
    let exported = export(&registry).await;
    let other = Registry::open_in_memory().await.unwrap();
    for empty in [fresh().await, other] {
        let rows = import(&empty, &exported).await.unwrap();
        assert_eq!(rows as usize, exported.lines().count() - 2);
        assert_eq!(export(&empty).await, exported);
        assert_eq!(empty.load().await.unwrap(), registry.load().await.unwrap());
        // It goes on where the other stopped.
        let next = empty
            .permission_insert(&by(), &permission("persons"), leaves())
            .await
            .unwrap();
        assert_eq!(next.value.number.as_str(), "100002");
        let again = import(&empty, &exported).await;
        assert!(matches!(again, Err(ImportError::NotEmpty(_))));
    }
}

#[tokio::test]
async fn a_copy_goes_back_to_either_database() {
    let exported = export(&full().await).await;
    let first = Place::new();
    let registry = first.open().await.unwrap();
    import(&registry, &exported).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.sqlite");
    registry.backup_to(&path).await.unwrap();
    assert!(!Path::new(&format!("{}-wal", path.display())).exists());
    let copy = Registry::open(&path).await.unwrap();
    assert_eq!(export(&copy).await, exported);
    let place = Place::new();
    let other = place.open().await.unwrap();
    furnish(&other).await;
    // Twice: a restore that was broken off is repeated.
    for _ in 0..2 {
        other.replace_by(&copy).await.unwrap();
        assert_eq!(export(&other).await, exported);
    }
}

#[tokio::test]
async fn a_faulty_export_is_refused_with_every_fault_and_nothing_stays() {
    let registry = fresh().await;
    let head = "{\"format\":\"dagr-registry\",\"version\":1}\n";
    let all = refused(
        &registry,
        &format!(
            "{head}{{\"institutions\":{{\"registration_number\":5,\"nick\":\"x\",\"version\":1}}}}\n\
             {{\"planets\":{{}}}}\n\
             nonsense\n\
             {{\"settings\":{{\"name\":\"a\\u0000\",\"value\":\"\",\"version\":1.5}}}}\n\
             {{\"permissions\":{{\"id\":1,\"number\":\"1\",\"dataset\":\"d\",\"recipient\":\"r\",\"environment\":\"main\",\
             \"state\":\"active\",\"body\":{{}},\"version\":1}}}}\n{{\"end\":{{\"rows\":7}}}}\n"
        ),
    )
    .await;
    for fault in [
        "line 2: institutions.registration_number: is not a text",
        "line 2: institutions.name: is missing",
        "line 2: institutions.nick: no such column",
        "line 3: planets: no such table",
        "line 4: no JSON",
        "line 5: settings.name: holds the character NUL",
        "line 5: settings.version: is not a whole number",
        "line 6: permissions.body: cannot be read",
        "line 7: tells of 7 rows, and 5 are there",
    ] {
        assert!(all.contains(fault), "{fault} is not in\n{all}");
    }
    for (text, fault) in [
        ("", "the end is missing"),
        (
            "{\"format\":\"dagr-registry\",\"version\":2}\n",
            "this release reads 1",
        ),
        (
            "{\"format\":\"dagr-registry\",\"version\":1,\"x\":1}\n",
            "not known",
        ),
        ("{\"institutions\":{}}\n", "no head"),
        (head, "the end is missing"),
        (&format!("{head}{{\"end\":{{\"rows\":0}}}}"), "not whole"),
        (
            &format!("{head}{{\"end\":{{\"rows\":0}}}}\n{{}}\n"),
            "nothing may follow",
        ),
    ] {
        let told = refused(&registry, text).await;
        assert!(told.contains(fault), "{fault} is not in\n{told}");
    }
}

#[tokio::test]
async fn references_that_lead_nowhere_and_doubles_are_all_named() {
    let registry = fresh().await;
    let line = |number: &str| {
        format!(
            "{{\"institutions\":{{\"registration_number\":\"{number}\",\"name\":\"n\",\"version\":1}}}}\n"
        )
    };
    let system = "{\"systems\":{\"code\":\"s\",\"institution\":\"9\",\"name\":\"n\",\"version\":1}}\n";
    let text = format!(
        "{{\"format\":\"dagr-registry\",\"version\":1}}\n{}{}{system}{}{{\"end\":{{\"rows\":4}}}}\n",
        line("1"),
        line("1"),
        line("2")
    );
    let told = refused(&registry, &text).await;
    assert_eq!(
        told,
        "line 3: institutions: is there already\nline 4: systems: names something that no line before it makes"
    );
}

#[tokio::test]
async fn every_table_and_column_is_exported_or_left_out_by_name() {
    let registry = Registry::open_in_memory().await.unwrap();
    let mut conn = registry.read().await.unwrap();
    let mut known: Vec<_> = table::LEFT_OUT.iter().map(|name| (*name).to_owned()).collect();
    for table in table::all() {
        known.push(table.name.to_owned());
        let columns = names(
            &mut conn,
            "SELECT name FROM pragma_table_info($1) ORDER BY name",
            table.name,
        )
        .await;
        let mut listed: Vec<_> = table.columns.iter().map(|column| column.name).collect();
        listed.sort_unstable();
        assert_eq!(columns, listed, "{}", table.name);
    }
    known.sort();
    let tables = names(
        &mut conn,
        "SELECT name FROM sqlite_master WHERE type = $1 ORDER BY name",
        "table",
    )
    .await;
    assert_eq!(tables, known);
}

async fn names(conn: &mut Conn, text: &'static str, value: &str) -> Vec<String> {
    let rows = query(text).bind(value).fetch_all(conn).await.unwrap();
    rows.iter().map(|row| row.try_get("name").unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_text_and_number_comes_back(
        rows in proptest::collection::btree_map("[^\0]{1,8}", ("[^\0]{0,20}", proptest::option::of("\\PC{0,9}"), any::<i64>()), 0..12)
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let registry = fresh().await;
            let institutions = table::all().iter().find(|table| table.name == "institutions").unwrap();
            let mut tx = registry.write().await.unwrap();
            for (number, (name, kind, version)) in &rows {
                let values: Vec<Value> = vec![number.into(), name.into(), kind.into(), (*version).into(), kind.into()];
                institutions.insert(values).execute(&mut tx).await.unwrap();
            }
            tx.commit().await.unwrap();
            let exported = export(&registry).await;
            let empty = fresh().await;
            import(&empty, &exported).await.unwrap();
            assert_eq!(export(&empty).await, exported);
        });
    }
}
