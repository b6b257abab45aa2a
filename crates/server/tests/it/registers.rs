//! Real registers through the real binary. What the shared data are compared with is computed here, by
//! `independent`, which shares no line with the product.

mod aircraft;
mod catalogue;
mod independent;
mod riga;
mod runways;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use dagr_server::client::Client;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    raw::{self, Raw},
    seen::{figure, not_tried},
    server::Party,
};

/// A file of the shared data; says so when it is not here.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    not_tried("A REGISTER", &format!("../shared/data/{name} is not here"));
    None
}

/// Every file of an archive, by name, in name order.
fn unpack(name: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let archive = shared(name)?;
    let dir = tempfile::tempdir().unwrap();
    let done = Command::new("tar")
        .arg("-xJf")
        .arg(archive)
        .arg("-C")
        .arg(dir.path())
        .status();
    if !done.is_ok_and(|status| status.success()) {
        not_tried("A REGISTER", "the programs `tar` and `xz` are not here");
        return None;
    }
    let mut files: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (
                entry.file_name().into_string().unwrap(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    Some(files)
}

/// One compressed file, unpacked.
fn uncompress(name: &str) -> Option<Vec<u8>> {
    let output = Command::new("xz").arg("-dc").arg(shared(name)?).output();
    match output {
        Ok(output) if output.status.success() => Some(output.stdout),
        _ => {
            not_tried("A REGISTER", "the program `xz` is not here");
            None
        }
    }
}

async fn deliver(provider: &Party, path: &str, media_type: &str, body: Vec<u8>) -> Raw {
    let body = Some((media_type, body));
    raw::call(&provider.client, Method::PUT, path, &[], body).await
}

async fn state(provider: &Party, dataset: &str) -> Value {
    provider
        .client
        .get(&format!("/intake/{dataset}/state"))
        .await
        .unwrap()
}

/// What a recipient has who knows nothing but the answers of `changes`: key → record, as they came.
#[derive(Default)]
struct Replica {
    records: BTreeMap<String, String>,
    cursor: Option<String>,
}

/// What one round told.
#[derive(Default)]
struct Heard {
    told: usize,
    deleted: Vec<String>,
    /// Keys the copy did not have.
    new: Vec<String>,
}

#[derive(Deserialize)]
struct Page {
    changes: Vec<Change>,
    next: String,
    end: bool,
}

#[derive(Deserialize)]
struct Change {
    operation: String,
    key: Box<RawValue>,
    record: Option<Box<RawValue>>,
}

impl Replica {
    /// Follows the feed to its present end.
    async fn follow(&mut self, recipient: &Client, dataset: &str) -> Heard {
        let mut heard = Heard::default();
        loop {
            let after = self
                .cursor
                .as_ref()
                .map_or_else(String::new, |cursor| format!("&after={cursor}"));
            let path = format!("/data/{dataset}/changes?include=record&limit=7000{after}");
            let answer = raw::get(recipient, &path).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let page: Page = serde_json::from_slice(&answer.body).unwrap();
            for change in page.changes {
                self.take(change, &mut heard);
            }
            self.cursor = Some(page.next);
            if page.end {
                return heard;
            }
        }
    }

    fn take(&mut self, change: Change, heard: &mut Heard) {
        let key = change.key.get().to_owned();
        heard.told += 1;
        if change.operation == "delete" {
            assert!(change.record.is_none(), "a delete tells no record");
            assert!(
                self.records.remove(&key).is_some(),
                "a delete of a key never told: {key}"
            );
            heard.deleted.push(key);
            return;
        }
        assert_eq!(change.operation, "upsert");
        let record = change.record.unwrap().get().to_owned();
        if self.records.insert(key.clone(), record).is_none() {
            heard.new.push(key);
        }
    }

    fn digest(&self) -> String {
        independent::digest(self.records.values().map(String::as_str))
    }
}
