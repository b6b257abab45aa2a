//! What a person sees about themselves, what they are told, and the permissions of their institution.

use dagr_server::client::Client;
use serde_json::json;

use super::{Browser, checked, hidden, person, server};
use crate::{raw, server::Party, server::Server};

const ONE: &str = "36184726051";
const OTHER: &str = "37295837162";
const HEAD: &str = "32000000011";
const READER: &str = "32000000012";
const STRANGER: &str = "32000000013";

const DEFINITION: &str = "name: own_person
key: Code
data_description: Iedzīvotāji
subject: Code
fields:
  - Code person_code : Personas kods
  - Surname : Uzvārds
";

struct World {
    server: Server,
    recipient: Party,
    client: Client,
    number: String,
}

impl World {
    async fn start() -> Self {
        let server = server();
        let (provider, recipient) = (server.producer().await, server.consumer().await);
        let stranger = server.consumer().await;
        server.publish(&provider, "own_person", DEFINITION).await;
        let record = |code: &str| json!({ "op": "upsert", "record": { "Code": code, "Surname": "Ozols" } });
        let body = raw::lines(&[record(ONE), record(OTHER)]);
        provider
            .client
            .put("/intake/own_person/packages/1", "application/x-ndjson", body)
            .await
            .unwrap();
        let body = json!({
            "dataset": "own_person", "recipient": recipient.institution, "environment": "main",
            "purpose": "=Pabalsta piešķiršana", "legal_basis": "Sociālo pakalpojumu likuma 4. pants",
            "fields": "all", "ways": ["key", "bulk"], "quota": 1000,
        });
        let made = server
            .operator()
            .post("/registry/permissions", &body)
            .await
            .unwrap();
        let number = made["number"].as_str().unwrap().to_owned();
        person(&server, HEAD, "Vadītāja", &provider.institution, &["head"]).await;
        person(
            &server,
            READER,
            "Lietotājs",
            &recipient.institution,
            &["data_manager"],
        )
        .await;
        person(&server, STRANGER, "Svešinieks", &stranger.institution, &["head"]).await;
        let client = recipient.client.with_permission(&number);
        Self {
            server,
            recipient,
            client,
            number,
        }
    }

    async fn look_up(&self, code: &str) -> u16 {
        raw::get(&self.client, &format!("/data/own_person/records/{code}"))
            .await
            .status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_who_got_what_and_a_provider_stops_it() {
    let world = World::start().await;
    own_data(&world).await;
    notifications(&world).await;
    permissions(&world).await;
    rights_and_revocation(&world).await;
}

async fn own_data(world: &World) {
    let citizen = Browser::signed_in(&world.server, ONE).await;
    assert!(
        citizen
            .page("/lv/my-data")
            .await
            .contains("vēl neviens nav saņēmis")
    );
    assert_eq!(world.look_up(ONE).await, 200);
    assert_eq!(world.look_up(OTHER).await, 200);
    let bulk = raw::get(&world.client, "/data/own_person/records").await;
    assert_eq!(bulk.status, 200);
    for lang in ["lv", "en"] {
        let page = citizen.page(&format!("/{lang}/my-data")).await;
        assert!(page.contains("Sociālo pakalpojumu likuma 4. pants"), "{page}");
        assert!(page.contains("Uzvārds") && page.contains("Iedzīvotāji"), "{page}");
        assert!(!page.contains(OTHER), "nobody else's code");
    }
    let page = citizen.page("/lv/my-data").await;
    let all = page.find("par daudziem cilvēkiem").unwrap();
    let one = page.find("skatīja datus par jums").unwrap();
    assert!(all < one, "newest first");
    one_entry(world, &citizen, &page).await;
    filters_and_files(world, &citizen).await;
}

async fn one_entry(world: &World, citizen: &Browser, page: &str) {
    let link = page.split("href=\"/lv/my-data/").nth(1).unwrap();
    let link = format!("/lv/my-data/{}", link.split('"').next().unwrap());
    let one = citizen.page(&link).await;
    assert!(one.contains(&world.recipient.institution) && one.contains("Datu valsts inspekcijā"));
    assert!(
        !one.contains(OTHER),
        "a page of the bulk names many; the person sees only themselves"
    );
    let stranger = Browser::signed_in(&world.server, STRANGER).await;
    assert_eq!(
        stranger.get(&link).await.status,
        404,
        "another's entry looks like none"
    );
    assert_eq!(stranger.get("/lv/my-data/x").await.status, 404);
    let nobody = Browser::new(&world.server);
    assert_eq!(nobody.get("/lv/my-data").await.status, 303, "to the sign-in");
}

async fn filters_and_files(world: &World, citizen: &Browser) {
    let none = citizen.page("/lv/my-data?from=2001-01-01&to=2001-01-02").await;
    assert!(none.contains("Šajā atlasē nekā nav"));
    let named = format!("/lv/my-data?recipient={}", world.recipient.institution);
    assert!(citizen.page(&named).await.contains("skatīja datus par jums"));
    let wrong = citizen.get("/lv/my-data?from=vakar&to=2026-01-01").await;
    assert_eq!(wrong.status, 422);
    let wrong = checked("/lv/my-data", &wrong);
    assert!(
        wrong.contains("value=\"vakar\"") && wrong.contains("href=\"#from\""),
        "{wrong}"
    );
    let json = citizen.get("/lv/my-data.json").await;
    let listed = json.json()["disclosures"].as_array().unwrap().len();
    assert_eq!(listed, 2, "{}", json.text());
    assert!(json.header("content-disposition").contains("attachment"));
    let csv = citizen.get("/lv/my-data.csv").await.text();
    assert!(csv.starts_with('\u{feff}') && csv.lines().count() == 3, "{csv}");
    assert!(csv.contains("\"'=Pabalsta piešķiršana\""), "no formula: {csv}");
    assert!(!csv.contains(OTHER));
    let none = citizen.get("/lv/my-data.json?to=2001-01-02").await;
    assert_eq!(none.json(), json!({ "disclosures": [] }));
}

async fn notifications(world: &World) {
    let reader = Browser::signed_in(&world.server, READER).await;
    for lang in ["lv", "en"] {
        reader.page(&format!("/{lang}/notifications")).await;
        reader.page(&format!("/{lang}/notifications?show=unread")).await;
    }
    assert!(reader.page("/lv/notifications").await.contains("Te būs ziņas"));
    let foreign = reader
        .send("/lv/notifications/read", &[("csrf", "x"), ("id", "1")])
        .await;
    assert_eq!(foreign.status, 403);
}

async fn permissions(world: &World) {
    let reader = Browser::signed_in(&world.server, READER).await;
    let path = format!("permissions/{}", world.number);
    for lang in ["lv", "en"] {
        let list = reader.page(&format!("/{lang}/permissions")).await;
        assert!(list.contains(&format!("/{lang}/{path}\"")), "{list}");
        let page = reader.page(&format!("/{lang}/{path}")).await;
        assert!(page.contains("Sociālo pakalpojumu likuma 4. pants") && page.contains("<svg"));
        assert!(
            !page.contains(&format!("{path}/suspend")),
            "a recipient suspends nothing"
        );
        assert!(page.contains(&format!("{path}/revoke")), "but may give it up");
    }
    let given = reader.page("/lv/permissions?side=provider").await;
    assert!(!given.contains(&format!("/lv/{path}\"")), "it gave none");
    let none = reader.page("/lv/permissions?state=revoked").await;
    assert!(none.contains("Šādu atļauju nav"));
    let page = format!("/lv/{path}");
    let html = reader.page(&page).await;
    let token = &hidden(&html, &format!("{page}/explain#explain"))["csrf"];
    let ask = |way: &'static str, fields: &'static str| {
        [
            ("csrf", token.as_str()),
            ("way", way),
            ("fields", fields),
            ("key", ONE),
        ]
    };
    let explain = format!("{page}/explain");
    let good = reader.send(&explain, &ask("key", "Surname")).await;
    assert!(
        good.status == 200 && good.text().contains("Tas izdotos"),
        "{}",
        good.text()
    );
    let bad = reader.send(&explain, &ask("history", "")).await.text();
    assert!(
        bad.contains("Tas neizdotos") && bad.contains("Tā prasīt atļauja neļauj"),
        "{bad}"
    );
}

async fn rights_and_revocation(world: &World) {
    let path = format!("/lv/permissions/{}", world.number);
    let stranger = Browser::signed_in(&world.server, STRANGER).await;
    assert_eq!(stranger.get(&path).await.status, 404);
    assert_eq!(stranger.get(&format!("{path}/revoke")).await.status, 404);
    let head = Browser::signed_in(&world.server, HEAD).await;
    assert!(head.page("/lv/permissions?side=provider").await.contains(&path));
    let suspend = format!("{path}/suspend");
    let empty = head.submit(&suspend, &suspend, &[("reason", " ")]).await;
    assert_eq!(empty.status, 422);
    assert!(checked(&suspend, &empty).contains("Ierakstiet iemeslu"));
    let foreign = head.send(&suspend, &[("csrf", "x"), ("reason", "y")]).await;
    assert_eq!(foreign.status, 403);
    let to = head
        .submitted(&suspend, &suspend, &[("reason", "Pārbaude")])
        .await;
    let page = head.page(&to).await;
    assert!(page.contains("Atļauja ir apturēta") && page.contains("Pārbaude") && page.contains("Vadītāja"));
    assert_eq!(world.look_up(ONE).await, 403, "at once");
    let resume = format!("{path}/resume");
    head.submitted(&resume, &resume, &[("reason", "Viss kārtībā")])
        .await;
    assert_eq!(world.look_up(ONE).await, 200);
    let revoke = format!("{path}/revoke");
    head.submitted(&revoke, &revoke, &[("reason", "Vairs nevajag")])
        .await;
    assert_eq!(world.look_up(ONE).await, 403);
    let gone = head.get(&revoke).await;
    assert_eq!(gone.status, 409, "revoked once and for all");
    let page = head.page(&path).await;
    assert!(!page.contains(&revoke) && page.contains("Vairs nevajag"));
}
