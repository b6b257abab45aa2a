//! Databases over TLS: known by an authority and by name, or not read.

use mysql_async::{Conn, Opts, prelude::Queryable};
use serde_json::json;
use tokio_postgres::NoTls;

use super::{Desk, free_port, mariadb::SCRIPT, not_tried, write};
use crate::{server::Server, throwaway::Cluster};

const DEFINITION: &str = "name: ce_words\nkey: Id\ndata_description: Vārdi\nclassification: restricted\nfields:\n  - Id int : numurs\n  - Word : vārds\n";

struct Certificate {
    pem: String,
    key: String,
}

fn certificate() -> Certificate {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    Certificate {
        pem: made.cert.pem(),
        key: made.signing_key.serialize_pem(),
    }
}

/// A feed that trusts the right authority reads; one that trusts another, asks another host or only the machine's does not.
async fn known_by_authority_and_name(kind: &str, own: &Certificate, address: impl Fn(&str) -> String) {
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "ce_words", DEFINITION).await;
    let rest = |host: &str, tls: &str| {
        format!(
            "dataset = 'ce_words'\n[source]\nkind = '{kind}'\nurl = '{}'\ntable = 'words'\n{tls}\n",
            address(host)
        )
    };
    let desk = Desk::feed(&server, &provider, &rest("localhost", "ca = 'own.pem'"));
    write(&desk.path("own.pem"), &own.pem);
    write(&desk.path("stranger.pem"), certificate().pem);
    assert_eq!(desk.done("once", &[])["upserts"], json!(2));
    for (host, tls) in [
        ("localhost", "ca = 'stranger.pem'"),
        ("127.0.0.1", "ca = 'own.pem'"),
        ("localhost", "tls = true"),
    ] {
        desk.point(&server, &provider, &rest(host, tls));
        let output = desk.run("check", &[]);
        let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert!(!output.status.success(), "{host} {tls}");
        assert!(said.contains("certificate"), "{host} {tls}: {said}");
    }
}

#[tokio::test]
async fn postgresql_is_known_by_its_authority_and_name() {
    let (own, port) = (certificate(), free_port());
    let cluster = match Cluster::start_with_tls(port, &own.pem, &own.key) {
        Ok(cluster) => cluster,
        Err(why) => return not_tried("POSTGRESQL", &why),
    };
    let url = format!("postgres://dagr@localhost:{port}/postgres?host={}", cluster.dir);
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
        .batch_execute(
            "CREATE TABLE words (id int PRIMARY KEY, word text); INSERT INTO words VALUES (1, 'ābols'), (2, 'ezis')",
        )
        .await
        .unwrap();
    known_by_authority_and_name("postgres", &own, |host| {
        format!("postgres://dagr@{host}:{port}/postgres")
    })
    .await;
}

#[tokio::test]
async fn mariadb_is_known_by_its_authority_and_name() {
    let (own, port) = (certificate(), free_port());
    let cluster = match Cluster::start_script_with_tls(SCRIPT, port, &own.pem, &own.key) {
        Ok(cluster) => cluster,
        Err(why) => return not_tried("MARIADB", &why),
    };
    let url = format!("mysql://root@localhost/mysql?socket={}/socket", cluster.dir);
    let mut conn = Conn::new(Opts::from_url(&url).unwrap()).await.unwrap();
    for statement in [
        "CREATE DATABASE register CHARACTER SET utf8mb4",
        "CREATE TABLE register.words (id int PRIMARY KEY, word varchar(20))",
        "SET NAMES utf8mb4",
        "INSERT INTO register.words VALUES (1, 'ābols'), (2, 'ezis')",
        "CREATE USER reader@'%'",
        "GRANT SELECT ON register.* TO reader@'%'",
    ] {
        conn.query_drop(statement).await.unwrap();
    }
    known_by_authority_and_name("mariadb", &own, |host| {
        format!("mysql://reader@{host}:{port}/register")
    })
    .await;
}
