//! A copy in PostgreSQL among other things that stand there.

use serde_json::json;

use super::{Site, killed, site};
use crate::{
    connector::{Desk, postgres::Database, until},
    server::dagr,
};

/// A schema of its own, for a user who may do nothing else.
const OWNER: &str = "CREATE ROLE writer LOGIN; CREATE ROLE looker; CREATE SCHEMA kopija AUTHORIZATION writer";

impl Database {
    fn target(&self) -> String {
        let url = self.url.replace("dagr@", "writer@");
        format!("kind = 'postgres'\nurl = '{url}'\nschema = 'kopija'\n")
    }

    async fn says(&self, query: &str) -> String {
        self.client
            .query_one(&format!("SELECT ({query})::text"), &[])
            .await
            .unwrap()
            .get::<_, Option<String>>(0)
            .unwrap_or_default()
    }
}

async fn stand() -> Option<(Database, Site, Desk)> {
    let database = Database::start().await?;
    database.run(OWNER).await;
    let mut site = site().await;
    site.upserts(0..30, 1).await;
    let desk = site.desk(&database.target());
    Some((database, site, desk))
}

fn refused(desk: &Desk, verb: &str) -> String {
    let output = desk.run(verb, &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn a_table_of_somebody_elses_stays() {
    let Some((database, _site, desk)) = stand().await else {
        return;
    };
    database
        .run("CREATE TABLE kopija.cr_people_tags AS SELECT 'mine' AS own")
        .await;
    let said = refused(&desk, "once");
    assert!(
        said.contains("cr_people_tags is there, and not this replica's"),
        "{said}"
    );
    let own = database.says("SELECT own FROM kopija.cr_people_tags").await;
    assert_eq!(own, "mine");
}

#[tokio::test]
async fn a_copy_loaded_anew_keeps_the_rights_indexes_and_views_on_it() {
    let Some((database, mut site, desk)) = stand().await else {
        return;
    };
    desk.done("once", &[]);
    database
        .run(
            "GRANT SELECT ON kopija.cr_people TO looker; CREATE INDEX own ON kopija.cr_people (\"Name\");
            CREATE VIEW kopija.looks AS SELECT \"Secret\" FROM kopija.cr_people",
        )
        .await;
    // The permission is renewed: the same under another number.
    site.upserts(30..31, 1).await;
    let ways = ["key", "changes", "bulk"];
    let (_, number) = site
        .server
        .granted(&site.reader, "cr_people", &ways, json!({}))
        .await;
    site.number = number;
    desk.point(&site.server, &site.reader, &site.rest(&database.target()));
    desk.done("once", &[]);
    assert_eq!(database.says("SELECT count(*) FROM kopija.looks").await, "31");
    assert_eq!(
        database
            .says("has_table_privilege('looker', 'kopija.cr_people', 'SELECT')")
            .await,
        "true"
    );
    assert_eq!(database.says("to_regclass('kopija.own')").await, "kopija.own");
    let left = "SELECT count(*) FROM pg_tables WHERE tablename LIKE '%loading'";
    assert_eq!(database.says(left).await, "0");
    // What may no longer be shown stands in a view: it is named, and nothing is half done.
    site.amend(json!({"fields": ["Code", "Year", "Name"]})).await;
    let said = refused(&desk, "once");
    assert!(said.contains("looks depends on"), "{said}");
    assert_eq!(desk.status()["state"], "problem");
    assert!(
        !database
            .says("to_regclass('kopija.cr_people_tags')")
            .await
            .is_empty()
    );
    database.run("DROP VIEW kopija.looks").await;
    desk.done("once", &[]);
    assert_eq!(desk.status()["state"], "current");
    assert_eq!(database.says("to_regclass('kopija.cr_people_tags')").await, "");
    let secret = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'Secret'";
    assert_eq!(database.says(secret).await, "0");
}

#[tokio::test]
async fn a_lost_connection_is_made_anew_and_a_second_process_does_not_work_beside_the_first() {
    let Some((database, mut site, desk)) = stand().await else {
        return;
    };
    desk.done("once", &[]);
    site.upserts(30..40, 1).await;
    // It waits for a table, and then its session ends.
    database
        .run("BEGIN; LOCK TABLE kopija.cr_people IN SHARE MODE")
        .await;
    let mut once = dagr().args(["replica", "once"]).arg(&desk.file).spawn().unwrap();
    let waits = "FROM pg_locks WHERE NOT granted";
    until("it waits", async || {
        database.says(&format!("SELECT count(*) {waits}")).await == "1"
    })
    .await;
    database
        .run(&format!("SELECT pg_terminate_backend(pid) {waits}; COMMIT"))
        .await;
    assert_eq!(once.wait().unwrap().code(), Some(0));
    let records = "SELECT count(*) FROM kopija.cr_people";
    assert_eq!(database.says(records).await, "40");
    // The service lives through it too.
    let mut service = desk.service();
    until("it keeps the copy", async || {
        desk.log().contains("the replica runs")
    })
    .await;
    let said = refused(&desk, "verify");
    assert!(
        said.contains("another process keeps the copy of replica cr_people"),
        "{said}"
    );
    assert!(
        said.contains("of writer") && said.contains("`SELECT pg_terminate_backend("),
        "{said}"
    );
    database
        .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'writer'")
        .await;
    site.upserts(40..50, 1).await;
    until("it goes on", async || database.says(records).await == "50").await;
    assert_eq!(service.stop(), Some(0));
}

#[tokio::test]
async fn a_copy_whose_process_is_killed_while_it_works_is_right_in_the_end() {
    let Some((database, mut site, desk)) = stand().await else {
        return;
    };
    let cursor = async || {
        let query = "SELECT value FROM kopija.dagr_replica WHERE name = 'cursor' AND value <> ''";
        let row = database.client.query_opt(query, &[]).await.ok()??;
        Some(row.get(0))
    };
    killed(&mut site, &desk, cursor).await;
}
