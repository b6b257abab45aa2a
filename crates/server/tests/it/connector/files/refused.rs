//! Rows that are refused: what becomes of the records they may be of.

use serde_json::{Value, json};

use super::{DEFINITION, REST, Site, csv, site, told, without_9};
use crate::{
    connector::{Desk, state, until, write},
    server::Server,
};

#[tokio::test]
async fn a_row_that_cannot_be_taken_apart_deletes_nothing() {
    let Site {
        server: _server,
        provider,
        desk,
    } = site().await;
    write(&desk.path("in/1.csv"), csv(0..200, "A"));
    desk.done("once", &[]);
    // The row of 5 is damaged; 9 may be gone or not.
    write(&desk.path("in/2.csv"), without_9(",,,,,,"));
    let done = desk.done("once", &[]);
    assert_eq!(told(&done), [0, 1, 1, 2], "{done:#}");
    assert_eq!(told(&desk.status()), [0, 1, 1, 2]);
    assert_eq!(desk.status()["state"], "keeping");
    write(&desk.path("in/3.csv"), without_9(""));
    let done = desk.done("once", &[]);
    assert_eq!(told(&done), [1, 0, 0, 0], "{done:#}");
    assert_eq!(told(&desk.status()), [0, 0, 0, 0]);
    assert_eq!(desk.status()["state"], "ok");
    assert_eq!(state(&provider, "cf_boats").await["records"], 199);
}

#[tokio::test]
async fn a_first_load_with_refused_rows_is_the_whole_set_where_the_server_holds_nothing() {
    let Site {
        server: _server,
        provider,
        desk,
    } = site().await;
    write(&desk.path("in/1.csv"), without_9(",,,,,,"));
    assert_eq!(told(&desk.done("once", &[])), [0, 1, 1, 0]);
    assert_eq!(desk.status()["last_package"]["mode"], "snapshot");
    assert_eq!(state(&provider, "cf_boats").await["records"], 198);
}

#[tokio::test]
async fn a_first_load_with_a_row_that_cannot_be_taken_apart_removes_nothing_at_the_server() {
    let Site {
        server,
        provider,
        desk,
    } = site().await;
    write(&desk.path("in/1.csv"), csv(0..200, "A"));
    desk.done("once", &[]);
    // Another feed of the same set, which knows nothing of the first: 5 is damaged, 9 is gone.
    let other = Desk::feed(&server, &provider, &format!("name = 'other'\n{REST}"));
    std::fs::create_dir(other.path("in")).unwrap();
    write(&other.path("boats.yaml"), DEFINITION);
    write(&other.path("in/1.csv"), without_9(",,,,,,"));
    let (code, first) = other.answer("once", &[]);
    assert_eq!(first["unread"], 1, "{code:?} {first:#}\n{}", other.said());
    assert_eq!(other.status()["last_package"]["mode"], "delta");
    assert_eq!(state(&provider, "cf_boats").await["records"], 200);
    // Once it can be read, what is gone is found by comparing with the server.
    write(&other.path("in/2.csv"), without_9(""));
    let done = other.done("once", &["--reconcile"]);
    assert_eq!(done["unread"], 0, "{done:#}");
    write(&other.path("in/3.csv"), without_9(""));
    let done = other.done("once", &["--reconcile"]);
    assert_eq!(done["reconciled"]["differing"], 0, "{done:#}");
    assert_eq!(state(&provider, "cf_boats").await["records"], 199);
}

#[tokio::test]
async fn a_row_whose_key_cannot_be_read_deletes_nothing_and_one_without_a_key_holds_nothing_up() {
    let Site {
        server,
        provider,
        desk,
    } = site().await;
    write(&desk.path("in/1.csv"), csv(0..200, "A"));
    desk.done("once", &[]);
    write(&desk.path("in/2.csv"), without_9("").replace("\n5,", "\npieci,"));
    assert_eq!(told(&desk.done("once", &[])), [0, 1, 1, 2]);
    // Rows that are no records and never will be: whoever knows it says so.
    let passing = format!("unreadable_keys = 'pass'\n{REST}");
    desk.point(&server, &provider, &passing);
    write(&desk.path("in/3.csv"), csv(0..200, "A") + "Kopā,200,,,\n");
    assert_eq!(told(&desk.done("once", &[])), [0, 1, 0, 0]);
    desk.point(&server, &provider, REST);
    // The row of no record beside all others; 9 goes.
    write(
        &desk.path("in/4.csv"),
        without_9("").replace("\n5,", "\n,x,1,,\n5,"),
    );
    assert_eq!(told(&desk.done("once", &[])), [1, 1, 0, 0]);
    assert_eq!(state(&provider, "cf_boats").await["records"], 199);
}

#[tokio::test]
async fn everything_sent_anew_leaves_the_record_of_a_refused_row() {
    let Site {
        server: _server,
        provider,
        desk,
    } = site().await;
    write(&desk.path("in/1.csv"), csv(0..200, "A"));
    desk.done("once", &[]);
    let broken = csv(0..200, "B").replace("24.12.1995", "1995-12-24");
    write(&desk.path("in/2.csv"), broken);
    let done = desk.done("resync", &["--all", "--yes"]);
    assert_eq!(done["deletes"], 0, "{done:#}");
    assert_eq!(state(&provider, "cf_boats").await["records"], 200);
    let status = desk.status();
    assert!(status["refused"].as_u64() > Some(0), "{status:#}");
}

#[tokio::test]
async fn a_first_load_of_which_the_server_takes_no_row_is_not_sent_again() {
    let server = Server::start();
    let provider = server.producer().await;
    // The feed knows it by an earlier definition.
    let narrower = DEFINITION.replace("- Name :", "- Name date :");
    server.publish(&provider, "cf_boats", &narrower).await;
    let desk = Desk::feed(&server, &provider, REST);
    std::fs::create_dir(desk.path("in")).unwrap();
    write(&desk.path("boats.yaml"), DEFINITION);
    write(&desk.path("in/1.csv"), csv(0..20, "A"));
    assert_eq!(desk.done("once", &[])["packages"], 0);
    let told = desk.said();
    assert!(told.contains("the server took no row"), "{told}");
    let status = desk.status();
    assert_eq!((&status["declined"], &status["records"]), (&20.into(), &0.into()));
    let mut service = desk.service();
    // Somebody puts it right.
    let dated = |text: String, n| text.replace(&format!("A Ķīlis {n},"), "2020-01-01,");
    write(&desk.path("in/2.csv"), (0..20).fold(csv(0..20, "A"), dated));
    until("it is taken", async || {
        state(&provider, "cf_boats").await["records"] == 20
    })
    .await;
    assert_eq!(service.stop(), Some(0));
    let packages = provider.client.get("/intake/cf_boats/packages").await.unwrap();
    assert_eq!(packages["packages"].as_array().unwrap().len(), 1);
    let last = desk.status()["last_package"]["id"].clone();
    assert!(last.as_str().unwrap().contains("-00000002-"), "{last}");
}

/// What is looked at by whoever checks is what a comparison finds: one row of a key, or none.
#[tokio::test]
async fn rows_of_one_key_are_told_by_a_check_as_a_comparison_does() {
    let site = site().await;
    let without_head = |text: String| text.split_once('\n').unwrap().1.to_owned();
    let rows = [
        csv(0..100, "A"),
        // The same again, and another.
        without_head(csv(7..8, "A")),
        without_head(csv(8..9, "B")),
    ];
    write(&site.desk.path("in/1.csv"), rows.concat());
    let (code, checked) = site.desk.answer("check", &[]);
    let refusals = &checked["refusals"];
    assert_eq!(
        (code, &checked["records"], &checked["refused"]),
        (Some(1), &json!(99), &json!(1)),
        "{checked:#}"
    );
    assert_eq!(
        (&refusals[0]["rule"], &refusals[0]["column"]),
        (&json!("duplicate_key"), &json!("Number"))
    );
    let done = site.desk.done("once", &[]);
    assert_eq!(
        (&done["upserts"], &done["refused"]),
        (&json!(99), &json!(1)),
        "{done:#}"
    );
    // A comparison knows the key, too.
    let mut told = site.desk.status()["refusals"].take();
    assert_eq!(told[0]["record"].take(), json!(r#"{"Number":8}"#));
    told[0]["record"] = json!("");
    assert_eq!(told, *refusals);
}

/// What a check says would be sent is what the next round sends, whatever was sent before.
#[tokio::test]
async fn a_check_tells_what_the_next_round_does() {
    let site = site().await;
    let without_head = |text: String| text.split_once('\n').unwrap().1.to_owned();
    let files = [
        // The first load; the same again.
        csv(0..50, "A"),
        csv(0..50, "A") + "\n",
        // New ones, one different, two gone.
        csv(2..60, "A").replace("A Ķīlis 7,", "B Ķīlis 7,"),
        // Rows given twice, alike and not, of records that are there and of new ones; one that cannot be read as it is.
        [
            csv(2..62, "A").replace(",9.50,", ",deviņi,"),
            without_head(csv(7..9, "A")),
            without_head(csv(8..9, "B")),
            without_head(csv(61..62, "C")),
        ]
        .concat(),
        // The same record refused and read.
        csv(2..62, "A") + &without_head(csv(12..13, "E")).replace(",12.50,", ",divpadsmit,"),
        // A row that may be of any record.
        csv(4..62, "A").replace("\n9,", "\ndeviņi,"),
        csv(4..62, "A"),
        csv(4..30, "D"),
    ];
    let mut told = Vec::new();
    for (at, body) in files.into_iter().enumerate() {
        write(&site.desk.path("in").join(format!("{at}.csv")), body);
        let checked = site.desk.answer("check", &[]).1;
        let done = site.desk.answer("once", &[]).1;
        let changes = &checked["changes"];
        let number = |value: &Value| value.as_u64().unwrap();
        if at == 0 {
            assert_eq!((changes, &checked["records"]), (&Value::Null, &done["upserts"]));
            continue;
        }
        let would = number(&changes["new"]) + number(&changes["different"]);
        assert_eq!(would, number(&done["upserts"]), "{at}: {checked:#}\n{done:#}");
        let gone = number(&changes["gone"]);
        let kept = changes["kept"] == true;
        let (stay, go) = if kept { (gone, 0) } else { (0, gone) };
        assert_eq!(
            (stay, go),
            (number(&done["kept"]), number(&done["deletes"])),
            "{at}: {checked:#}\n{done:#}"
        );
        assert_eq!(
            checked["held"] == true,
            done["held"].is_string(),
            "{at}: {done:#}"
        );
        told.push((would, gone, kept, checked["held"] == true));
    }
    assert_eq!(
        told,
        [
            (0, 0, false, false),
            (11, 2, false, false),
            (2, 0, false, false),
            (1, 0, false, false),
            (0, 3, true, false),
            (0, 2, false, false),
            (26, 32, false, true)
        ],
    );
    let text = String::from_utf8(site.desk.run("check", &[]).stdout).unwrap();
    assert!(text.contains("26 are unchanged"), "{text}");
}
