//! The network is cut in the middle of a package: nothing is closed, bytes vanish.

use std::time::{Duration, Instant};

use serde_json::json;

use super::super::{Desk, proxy::Proxy, state, until, watched};
use super::DEFINITION;
use crate::server::Server;

/// Rows that no compression makes small: the body does not fit what lies between the two ends.
const ROWS: u64 = 60_000;

fn large() -> Vec<u8> {
    let mut text = "Id,Word\n".to_owned();
    let mut random = 88_172_645_463_325_252_u64;
    for n in 0..ROWS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        text.push_str(&format!(
            "{n},{random:x}{:x}\n",
            random.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ));
    }
    text.into_bytes()
}

/// How long it stays cut; as long as it takes to be noticed when not said.
fn length() -> Duration {
    let seconds = std::env::var("DAGR_CUT_S").map_or(0, |text| text.parse().unwrap());
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn a_package_that_the_network_cut_off_arrives_once() {
    let proxy = Proxy::start();
    let settings = [
        ("DAGR_LISTEN__PUBLIC_URL", proxy.url.as_str()),
        ("DAGR_INTAKE__IDLE_S", "2"),
    ];
    let server = Server::start_with(&settings);
    proxy.lead_to(&server.data);
    let provider = proxy.past(&server, server.producer().await).await;
    let reader = proxy.past(&server, server.consumer().await).await;
    server.publish(&provider, "cu_words", DEFINITION).await;
    let ways = ["changes", "bulk"];
    let (_, number) = server.granted(&reader, "cu_words", &ways, json!({})).await;

    let desk = Desk::watching(&server, &provider, "cu_words");
    desk.aim(&proxy.url, &provider, &watched("cu_words"), "idle = '2s'");
    let copied = format!(
        "dataset = 'cu_words'\npermission = '{number}'\nwait = '1s'\n[target]\nkind = 'sqlite'\npath = 'copy.db'\n"
    );
    let replica = Desk::replica(&server, &reader, &copied);
    replica.aim(&proxy.url, &reader, &copied, "idle = '2s'");
    desk.drop_in("1.csv", &super::csv(10));
    let (feeding, mut copying) = (desk.service(), replica.service());
    until("the first file", async || {
        state(&provider, "cu_words").await["records"] == 10
    })
    .await;
    until("its copy", async || replica.status()["state"] == "current").await;

    proxy.cut_after(256 << 10);
    desk.drop_in("2.csv", &large());
    until("it is cut in the middle", async || proxy.is_cut()).await;
    let began = Instant::now();
    let problem = desk.until_problem("fell silent").await;
    assert!(problem.contains("network"), "{problem}");
    replica.until_problem("fell silent").await;
    tokio::time::sleep(length().saturating_sub(began.elapsed())).await;
    assert_eq!(desk.status()["state"], "problem");
    assert_eq!(
        state(&provider, "cu_words").await["records"],
        10,
        "nothing of a part of a package"
    );
    proxy.mend();

    until("all of it", async || {
        state(&provider, "cu_words").await["records"] == ROWS
    })
    .await;
    desk.until_whole(feeding, &provider, "cu_words").await;
    let packages = provider.client.get("/intake/cu_words/packages").await.unwrap();
    assert_eq!(
        packages["packages"].as_array().unwrap().len(),
        2,
        "each file once: {packages:#}"
    );
    until("the copy too", async || {
        let status = replica.status();
        status["state"] == "current" && status["problem"].is_null()
    })
    .await;
    assert_eq!(copying.stop(), Some(0));
    replica.done("once", &[]);
    let verified = replica.done("verify", &[]);
    let held = state(&provider, "cu_words").await;
    assert_eq!(
        (&verified["digest"], &verified["repaired"]),
        (&held["digest"], &json!(0))
    );
    eprintln!("cut for {:?}, {ROWS} records, 2 packages", began.elapsed());
}

/// The timer of the server's end of a connection, as the kernel tells it: `02` waits to probe.
fn timer(server_port: u16, client_port: u16) -> Option<String> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let ends = [format!(":{server_port:04X}"), format!(":{client_port:04X}")];
    let line = table.lines().find(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.len() > 5 && words[1].ends_with(&ends[0]) && words[2].ends_with(&ends[1])
    })?;
    let word = line.split_whitespace().nth(5)?;
    Some(word.split(':').next()?.to_owned())
}

#[tokio::test]
async fn the_server_probes_connections_on_which_nothing_moves() {
    let server = Server::start();
    for url in [&server.data, &server.operations] {
        let address = url.trim_start_matches("http://");
        let socket = std::net::TcpStream::connect(address).unwrap();
        let own = socket.local_addr().unwrap().port();
        let port = address.rsplit_once(':').unwrap().1.parse().unwrap();
        until("it is probed", async || timer(port, own).as_deref() == Some("02")).await;
    }
}
