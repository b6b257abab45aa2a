//! A data set that keeps its records for so long: they go at the server by themselves.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Desk, state, until, watched};
use crate::server::{Party, Server};

const DEFINITION: &str = "name: ce_calls\nkey: Id\ndata_description: Zvani\nclassification: restricted\nretention: {field: At, keep: 1d}\nfields:\n  - Id int : numurs\n  - At timestamp : laiks\n";
const DAY: SignedDuration = SignedDuration::from_hours(24);

struct Site {
    server: Server,
    provider: Party,
    desk: Desk,
    now: Timestamp,
}

impl Site {
    async fn new() -> Self {
        let server = Server::start();
        let provider = server.producer().await;
        server.publish(&provider, "ce_calls", DEFINITION).await;
        let desk = Desk::watching(&server, &provider, "ce_calls");
        Self {
            server,
            provider,
            desk,
            now: this_second(),
        }
    }

    /// Calls of now, and others of their own time.
    fn csv(&self, calls: u32, others: &[(u32, Timestamp)]) -> String {
        let now = (0..calls).map(|id| (id, self.now));
        let line = |(id, at)| format!("{id},{at}\n");
        let lines: String = now.chain(others.iter().copied()).map(line).collect();
        format!("Id,At\n{lines}")
    }

    /// A time that is past the retention in a few seconds.
    fn soon_past() -> Timestamp {
        this_second() - DAY + SignedDuration::from_secs(20)
    }

    /// That time has come, and the server has looked: it does so when it starts.
    async fn goes(&mut self, at: Timestamp, left: u32) {
        until("it is past", async || Timestamp::now() > at + DAY).await;
        self.server.kill_and_restart();
        self.provider.client = self.server.again(&self.provider);
        let rest = watched("ce_calls");
        self.desk.point(&self.server, &self.provider, &rest);
        until("it has gone", async || {
            state(&self.provider, "ce_calls").await["records"] == left
        })
        .await;
    }
}

fn this_second() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap()
}

fn told(done: &Value) -> [&Value; 5] {
    let names = ["upserts", "deletes", "expired", "packages"];
    let [upserts, deletes, expired, packages] = names.map(|name| &done[name]);
    [
        upserts,
        deletes,
        expired,
        packages,
        &done["reconciled"]["differing"],
    ]
}

#[tokio::test]
async fn what_is_past_its_retention_is_not_sent_again_and_the_two_sides_are_equal() {
    let mut site = Site::new().await;
    let (soon, old) = (Site::soon_past(), site.now - DAY * 2);
    site.desk
        .drop_in("1.csv", site.csv(20, &[(20, soon), (21, old)]).as_bytes());
    let once = |desk: &Desk| desk.done("once", &["--reconcile"]);
    let done = once(&site.desk);
    assert_eq!(
        told(&done),
        [21, 0, 1, 1, 0].map(|n| json!(n)).each_ref(),
        "{done:#}"
    );
    site.goes(soon, 20).await;
    let done = once(&site.desk);
    assert_eq!(
        told(&done),
        [0, 0, 2, 0, 0].map(|n| json!(n)).each_ref(),
        "{done:#}"
    );
    let done = once(&site.desk);
    let held = state(&site.provider, "ce_calls").await;
    assert_eq!(
        (&done["reconciled"]["digest"], &done["reconciled"]["exchanges"]),
        (&held["digest"], &json!(1)),
        "{done:#}"
    );
    assert_eq!(site.desk.status()["records"], 20);
    site.desk
        .drop_in("2.csv", site.csv(20, &[(20, soon), (21, site.now)]).as_bytes());
    let done = once(&site.desk);
    assert_eq!(
        told(&done),
        [1, 0, 1, 1, 0].map(|n| json!(n)).each_ref(),
        "{done:#}"
    );
}

#[tokio::test]
async fn a_held_package_that_is_out_of_date_is_read_again_whoever_finds_out() {
    for in_the_portal in [false, true] {
        let mut site = Site::new().await;
        let soon = Site::soon_past();
        site.desk.drop_in("1.csv", site.csv(20, &[(20, soon)]).as_bytes());
        site.desk.done("once", &[]);
        site.desk.drop_in("2.csv", site.csv(10, &[]).as_bytes());
        let held = |desk: &Desk| desk.answer("once", &[]).1["held"].clone();
        let first = held(&site.desk);
        let first = first.as_str().unwrap();
        site.goes(soon, 20).await;
        let verb = if in_the_portal {
            let path = format!("/intake/ce_calls/packages/{first}/confirm");
            site.provider.client.post_empty(&path).await.unwrap_err();
            "once"
        } else {
            "release"
        };
        let output = site.desk.run(verb, &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("its changes are read again"), "{said}");
        let second = held(&site.desk);
        assert!(second.as_str().is_some_and(|second| second != first), "{second}");
        site.desk.done("release", &[]);
        assert_eq!(state(&site.provider, "ce_calls").await["records"], 10);
    }
}
