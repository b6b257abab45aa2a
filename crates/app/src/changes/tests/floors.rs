//! What was purged from a list of leaves or deletes: whoever has yet to be told of it is told so.

use dagr_model::ids::Section;
use dagr_store::set::lists::Lists;
use serde_json::{Value, json};

use super::{DEFINITION, STRANGER, Site, World, delete, fields, scope, upsert, without_cursor};
use crate::{changes::ChangesQuery, ctx::Ctx, digest::ToldDigest, problem::Problem};

const KIND_A: usize = 4;
const MONTH: &str = "tombstones: 30d\n";
const LIST: &str = "changes: [{name: moves, when: 'old == null || new == null'}]\n";

/// A set whose deletes are remembered for 30 days, with four records of kind `a`.
async fn site(scope: usize) -> Site {
    let mut site = Site::new((0, scope)).await;
    site.world.publish(&format!("{DEFINITION}{MONTH}")).await;
    let lines: String = (0..4).map(|code| upsert(code, (0, 1, 0), 0)).collect();
    site.deliver(&lines).await;
    site
}

impl Site {
    fn set_date(&self, date: &str) {
        self.world.clock.set(&format!("{date}T13:00:00Z"));
    }

    async fn purge(&self) -> u64 {
        let set = self.world.app.catalog().live(Section::Main, "bss_back").cloned();
        self.world.app.purge_run(&set.unwrap()).await.unwrap()
    }

    /// What it tells, whether it ends, and the cursor behind it.
    async fn told(&self, after: Option<&str>, limit: u64) -> (Vec<Value>, bool, String) {
        read(&self.try_page(after, limit).await.unwrap())
    }

    async fn forgotten(&self, after: &str) {
        let refused = self.try_page(Some(after), 100).await.unwrap_err();
        is_forgotten(&refused);
    }
}

fn read(page: &str) -> (Vec<Value>, bool, String) {
    let (page, next) = without_cursor(page);
    let page: Value = serde_json::from_str(&page).unwrap();
    let changes = page["changes"].as_array().unwrap().clone();
    (changes, page["end"] == true, next)
}

fn is_forgotten(refused: &Problem) {
    assert_eq!(refused.code, "cursor_expired");
    assert!(refused.detail.contains("forgotten"), "{}", refused.detail);
}

#[tokio::test]
async fn deletes_remembered_longer_bring_back_no_leave() {
    let mut site = site(KIND_A).await;
    let (_, _, away) = site.told(None, 100).await;
    site.deliver(&upsert(1, (1, 1, 0), 0)).await;
    let (told, _, present) = site.told(Some(&away), 100).await;
    assert_eq!((told.len(), &told[0]["operation"]), (1, &json!("delete")));
    site.set_date("2024-07-15");
    assert_eq!(site.purge().await, 1);
    let (told, _, lately) = site.told(None, 100).await;
    assert_eq!(told.len(), 3);
    site.set_date("2024-07-31");
    site.world
        .publish(&format!("{DEFINITION}tombstones: 400d\n"))
        .await;
    site.forgotten(&away).await;
    let asked = ToldDigest {
        after: away,
        ..ToldDigest::default()
    };
    let reader = Ctx {
        now: site.world.app.now(),
        ..site.reader.clone()
    };
    let told = site
        .world
        .app
        .told_digest(&reader, Section::Main, "bss_back", asked)
        .await;
    is_forgotten(&told.err().unwrap());
    // It was told of it, and is refused too: others than its own may have gone since, and nobody shall know.
    site.forgotten(&present).await;
    let (told, end, _) = site.told(Some(&lately), 100).await;
    assert!(told.is_empty() && end, "who read what is remembered goes on");
    assert_eq!(site.told(None, 100).await.0.len(), 3, "as does who begins");
}

/// Of two changes a reader was told the first, 20 days later: its cursor is young, its place is old.
async fn young_seal(site: &mut Site) -> String {
    let (_, _, cursor) = site.told(None, 100).await;
    site.set_date("2024-06-02");
    site.deliver(&upsert(0, (0, 2, 0), 0)).await;
    site.deliver(&upsert(1, (1, 1, 0), 0)).await;
    site.set_date("2024-06-21");
    let (told, end, cursor) = site.told(Some(&cursor), 1).await;
    assert_eq!(
        (told.len(), &told[0]["operation"], end),
        (1, &json!("upsert"), false)
    );
    cursor
}

#[tokio::test]
async fn a_cursor_sealed_lately_may_stand_before_what_is_forgotten() {
    let mut site = site(KIND_A).await;
    let cursor = young_seal(&mut site).await;
    site.set_date("2024-07-01");
    assert_eq!(site.purge().await, 0);
    assert_eq!(site.told(Some(&cursor), 100).await.0.len(), 1, "not purged yet");
    site.set_date("2024-07-05");
    assert_eq!(site.purge().await, 1);
    site.forgotten(&cursor).await;
}

/// A first load begun on the first of June, of which three of four records were told.
async fn begun_load() -> (Site, String) {
    let site = site(KIND_A).await;
    let (told, end, cursor) = site.told(None, 3).await;
    assert_eq!((told.len(), end), (3, false));
    (site, cursor)
}

/// A page that ends a load with what came lately, and stops before what came long ago.
#[tokio::test]
async fn the_end_of_a_load_makes_no_place_younger() {
    let mut refusals = Vec::new();
    for hidden in [true, false] {
        let (mut site, cursor) = begun_load().await;
        site.deliver(&upsert(5, (2, 1, 0), 0)).await;
        site.set_date("2024-06-05");
        site.deliver(&upsert(0, (0, 2, 0), 0)).await;
        if hidden {
            site.deliver(&delete(5)).await;
        }
        site.set_date("2024-06-20");
        // The last of the load.
        site.deliver(&upsert(3, (0, 2, 0), 0)).await;
        site.set_date("2024-06-21");
        let (told, end, cursor) = site.told(Some(&cursor), 1).await;
        assert_eq!((&told[0]["key"]["Code"], end), (&json!("c3"), false));
        site.set_date("2024-07-10");
        site.purge().await;
        let refused = site.try_page(Some(&cursor), 100).await.unwrap_err();
        is_forgotten(&refused);
        refusals.push(refused.detail);
    }
    assert_eq!(refusals[0], refusals[1]);
}

/// What its reader is answered on each day of two months, in a world where records it does not see go, or none.
async fn answers(of: (usize, &str), hidden: bool) -> Vec<String> {
    let (scope, remembered) = of;
    let mut site = site(scope).await;
    site.deliver(&upsert(5, (2, 1, 0), 0)).await;
    let (_, _, behind) = site.told(None, 100).await;
    let (_, _, within) = site.told(None, 1).await;
    if hidden {
        site.set_date("2024-06-02");
        site.deliver(&delete(5)).await;
    }
    let mut answers = Vec::new();
    for day in 0..60 {
        let date = format!("2024-{:02}-{:02}", 6 + day / 30, 1 + day % 30);
        site.set_date(&date);
        site.purge().await;
        if day == 40 && remembered != "30d" {
            let text = format!("{DEFINITION}tombstones: {remembered}\n");
            site.world.publish(&text).await;
        }
        for cursor in [&behind, &within] {
            let page = site.try_page(Some(cursor), 2).await;
            answers.push(match page {
                Ok(page) => format!("{date} {}", without_cursor(&page).0),
                Err(problem) => format!("{date} {}", problem.detail),
            });
        }
    }
    answers
}

#[tokio::test]
async fn what_is_forgotten_does_not_tell_of_records_that_are_hidden() {
    for scope in [KIND_A, 6] {
        for remembered in ["30d", "10d", "400d"] {
            let of = (scope, remembered);
            let (with, without) = (answers(of, true).await, answers(of, false).await);
            assert_eq!(with, without, "{of:?}");
            let refused = with.iter().filter(|told| told.contains("forgotten")).count();
            assert!(refused > 20 && refused < 100, "{refused} refused");
        }
    }
}

#[tokio::test]
async fn what_left_an_earlier_scope_is_not_taken_back_once_it_is_forgotten() {
    let mut site = site(KIND_A).await;
    let cursor = young_seal(&mut site).await;
    site.amend((0, 5)).await;
    let (_, end, cursor) = site.told(Some(&cursor), 1).await;
    assert!(!end);
    site.set_date("2024-07-05");
    assert_eq!(site.purge().await, 1);
    site.forgotten(&cursor).await;
}

#[tokio::test]
async fn a_first_load_outlived_by_a_leave_begins_anew() {
    let mut site = site(KIND_A).await;
    let (_, _, cursor) = site.told(None, 2).await;
    site.set_date("2024-06-02");
    site.deliver(&upsert(0, (1, 1, 0), 0)).await;
    site.set_date("2024-06-21");
    let (_, _, cursor) = site.told(Some(&cursor), 1).await;
    site.set_date("2024-07-05");
    assert_eq!(site.purge().await, 1);
    site.forgotten(&cursor).await;
}

#[tokio::test]
async fn a_named_list_tells_that_its_deletes_are_forgotten() {
    let mut site = site(0).await;
    site.world.publish(&format!("{DEFINITION}{MONTH}{LIST}")).await;
    for code in 4..8 {
        site.deliver(&upsert(code, (0, 1, 0), 0)).await;
    }
    site.deliver(&delete(5)).await;
    let reader = list_reader(&site).await;
    let (told, ..) = events(&site, &reader, None, 100).await.unwrap();
    assert_eq!(told.len(), 4, "three that came, one that went");
    site.set_date("2024-07-05");
    // The delete stands in the list and among the changes of the set.
    assert_eq!(site.purge().await, 2);
    assert!(floors(&site)[0] > 0);

    // What went before a reader began ends nothing for it, however slowly it reads.
    let mut cursor = None;
    for code in ["c4", "c6", "c7"] {
        let (told, _, next) = events(&site, &reader, cursor.as_deref(), 1).await.unwrap();
        assert_eq!(told[0]["key"]["Code"], code);
        cursor = Some(next);
    }
    let (told, end, cursor) = events(&site, &reader, cursor.as_deref(), 1).await.unwrap();
    assert!(told.is_empty() && end);

    site.set_date("2024-07-06");
    site.deliver(&upsert(8, (0, 1, 0), 0)).await;
    site.deliver(&delete(4)).await;
    site.set_date("2024-07-25");
    let (told, end, cursor) = events(&site, &reader, Some(&cursor), 1).await.unwrap();
    assert_eq!((&told[0]["key"]["Code"], end), (&json!("c8"), false));
    site.set_date("2024-08-08");
    assert_eq!(site.purge().await, 2);
    let refused = events(&site, &reader, Some(&cursor), 1).await.unwrap_err();
    is_forgotten(&refused);
}

async fn list_reader(site: &Site) -> Ctx {
    let create = json!({
        "dataset": "bss_back", "recipient": STRANGER, "environment": "main", "purpose": "p", "legal_basis": "l",
        "fields": fields((0, 0)), "scope": scope(0), "ways": ["list:moves"],
    });
    let create = serde_json::from_value(create).unwrap();
    let World { app, .. } = &site.world;
    let made = app
        .permission_create(&site.world.operator(), &create)
        .await
        .unwrap();
    Ctx {
        permission: Some(made.value.number.to_string()),
        ..site.reader.clone()
    }
}

async fn events(
    site: &Site,
    reader: &Ctx,
    after: Option<&str>,
    limit: u64,
) -> Result<(Vec<Value>, bool, String), Problem> {
    let app = &site.world.app;
    let reader = Ctx {
        now: app.now(),
        ..reader.clone()
    };
    let query = ChangesQuery {
        after: after.map(str::to_owned),
        limit: Some(limit),
        ..ChangesQuery::default()
    };
    let page = app
        .event_list(&reader, Section::Main, "bss_back", "moves", query)
        .await?;
    Ok(read(std::str::from_utf8(&page.into_inner().body).unwrap()))
}

fn floors(site: &Site) -> Vec<u64> {
    let kv = site.world.engine.open("main/bss_back").unwrap();
    let lists = Lists::read(&*kv.snapshot().unwrap()).unwrap();
    lists.changes.values().map(|list| list.floor).collect()
}
