//! Classifiers by page: read by everybody, published by their keeper after one more look.

use serde_json::json;

use super::{Browser, checked, hidden, person, server};

const CARS: &str = "name: pc_cars
key: Mark
data_description: Automobiļi
fields:
  - Mark : Numurs
  - Kind code(PC_KINDS) : Veids
";

#[tokio::test]
async fn a_keeper_pastes_a_list_sees_what_changes_and_publishes() {
    let server = server();
    let (party, other) = (server.producer().await, server.consumer().await);
    server.publish(&party, "pc_cars", CARS).await;
    let operator = server.operator();
    let body =
        json!({ "title": "Transporta veidi", "title_en": "Kinds of vehicles", "keeper": party.institution });
    let path = "/registry/classifiers/PC_KINDS";
    operator
        .put(path, "application/json", body.to_string())
        .await
        .unwrap();
    for (code, name, institution, role) in [
        (
            "39000000301",
            "Pārvaldnieks Pēteris",
            &party.institution,
            "data_manager",
        ),
        ("39000000302", "Svešais Sandis", &other.institution, "head"),
    ] {
        person(&server, code, name, institution.as_str(), &[role]).await;
    }
    let manager = Browser::signed_in(&server, "39000000301").await;
    let stranger = Browser::signed_in(&server, "39000000302").await;
    let anybody = Browser::new(&server);
    let (page, form) = ("/lv/classifiers/PC_KINDS", "/lv/classifiers/PC_KINDS/publish");
    // Nothing is published: the page says what that means, and so does the editor.
    let text = anybody.page(page).await;
    assert!(
        text.contains("pieņem jebkuru tekstu") && !text.contains("/publish\""),
        "{text}"
    );
    let editor = "/lv/my-datasets/pc_cars/definition";
    let text = checked(
        editor,
        &manager
            .submit(editor, editor, &[("text", CARS), ("do", "check")])
            .await,
    );
    assert!(text.contains("klasifikatoram PC_KINDS nav spēkā"), "{text}");
    assert_eq!(anybody.get(form).await.status, 303, "to sign in");
    assert_eq!(stranger.get(form).await.status, 403);

    let wrong = "code;name;parent\nM1;Vieglie;X\nM1;Vēlreiz;\n";
    let pairs = [("values", wrong), ("why", "Sākums"), ("do", "check")];
    let answer = manager.submit(form, form, &pairs).await;
    assert_eq!(answer.status, 422);
    let text = checked(form, &answer);
    assert!(
        text.contains("3. rinda, kods „M1”: šis kods ir jau augstāk") && text.contains("2. rinda"),
        "{text}"
    );
    assert!(text.contains("M1;Vieglie;X"), "what was typed is kept: {text}");
    let empty = manager
        .submit(form, form, &[("values", "code;name\n"), ("do", "check")])
        .await;
    assert!(checked(form, &empty).contains("href=\"#why\""));

    let first = "code;name;name_en;valid_to\nM1;Vieglie;Cars;\nM2;<b>Autobusi</b>;Buses;2020-12-31\n";
    let pairs = [("values", first), ("why", "Sākums"), ("do", "check")];
    let answer = manager.submit(form, form, &pairs).await;
    let text = checked(form, &answer);
    assert_eq!(answer.status, 200);
    assert!(
        text.contains("Pievienoti 2 kodi") && text.contains("pc_cars"),
        "{text}"
    );
    assert!(!text.contains("<b>Autobusi"), "{text}");
    assert_eq!(
        operator.get(path).await.unwrap()["latest"],
        json!(null),
        "only looked at"
    );
    let mut pairs: Vec<(String, String)> = hidden(&text, form)
        .into_iter()
        .map(|(name, value)| (name, value.replace("&#60;", "<").replace("&#62;", ">")))
        .collect();
    pairs.push(("do".into(), "publish".into()));
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let csrf = hidden(&stranger.page(page).await, "/lv/sign-out")["csrf"].clone();
    let mut theirs: Vec<_> = pairs
        .iter()
        .filter(|(name, _)| *name != "csrf")
        .copied()
        .collect();
    theirs.push(("csrf", &csrf));
    assert_eq!(stranger.send(form, &theirs).await.status, 403);
    let done = manager.send(form, &pairs).await;
    assert_eq!(done.status, 303, "{}", done.text());
    let text = manager.page(done.header("location")).await;
    assert!(
        text.contains("Jaunā versija ir publicēta") && text.contains("31.12.2020."),
        "{text}"
    );
    // Sent twice: the classifier has changed since it was looked at.
    let late = manager.send(form, &pairs).await;
    assert_eq!(late.status, 422);
    assert!(late.text().contains("tikmēr"), "{}", late.text());

    // The form begins with what is there; a renamed code shows as one.
    let text = manager.page(form).await;
    assert!(text.contains("M1,Vieglie,Cars"), "{text}");
    let second = "code;name;name_en\nM1;Vieglie auto;Cars\nM3;Citi;Others\n";
    let pairs = [
        ("values", second),
        ("why", "Grozījumi"),
        ("valid_from", "01.01.2020."),
    ];
    let answer = manager
        .submit(form, form, &[&pairs[..], &[("do", "check")]].concat())
        .await;
    assert!(
        checked(form, &answer).contains("href=\"#valid_from\""),
        "before the first version"
    );
    let pairs = [("values", second), ("why", "Grozījumi"), ("do", "publish")];
    manager.submitted(form, form, &pairs).await;
    for (lang, words) in [
        (
            "lv",
            [
                "Izņemts 1 kods",
                "Vieglie / Cars → Vieglie auto / Cars",
                "Transporta veidi",
            ],
        ),
        ("en", ["1 code removed", "Others", "Kinds of vehicles"]),
    ] {
        let text = anybody.page(&format!("/{lang}/classifiers/PC_KINDS")).await;
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(
            anybody
                .page(&format!("/{lang}/classifiers"))
                .await
                .contains("PC_KINDS")
        );
        manager
            .page(&format!("/{lang}/classifiers/PC_KINDS/publish"))
            .await;
    }
    let text = anybody.page(&format!("{page}?version=1")).await;
    assert!(text.contains("M2") && !text.contains("M3"), "{text}");
    assert_eq!(anybody.get(&format!("{page}?version=9")).await.status, 404);
    assert_eq!(anybody.get("/lv/classifiers/nothing").await.status, 404);
    // Found from the data set, and by search.
    let text = anybody.page("/lv/datasets/pc_cars").await;
    assert!(text.contains("href=\"/lv/classifiers/PC_KINDS\""), "{text}");
    let text = anybody.page("/lv/?q=transporta%20veids").await;
    assert!(text.contains("href=\"/lv/classifiers/PC_KINDS\""), "{text}");
}
