//! A server in this process with one data set of made-up records, on the disk that is measured.

use std::{fs, path::Path, time::Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    client::Client,
    commands::Failure,
    config::Config,
    demo::{load, office::Office},
    serve::{self, Running},
};

pub const SET: &str = "bench_item";
const PROVIDER: &str = "90000000104";
/// Text fields beside key, group and person.
pub const TEXTS: usize = 12;

pub struct Site {
    pub dir: TempDir,
    pub running: Running,
    pub office: Office,
    provider: Client,
}

/// A permission's number and a token of its recipient.
pub struct Grant {
    pub permission: String,
    pub token: String,
    pub client: Client,
    pub fields: Vec<String>,
}

pub struct Loaded {
    pub seconds: f64,
    pub bytes: u64,
    pub receipt: Value,
}

pub fn config() -> Config {
    let mut config = Config::default();
    config.listen.data.set_port(0);
    config.listen.operations.set_port(0);
    config
}

impl Site {
    /// An empty set, published. `personal` = one subject a record.
    pub async fn open(dir: &Path, personal: bool) -> Result<Self, Failure> {
        let dir = tempfile::Builder::new()
            .prefix("dagr-bench-")
            .tempdir_in(dir)
            .map_err(|error| Failure::file(dir, &error))?;
        let data = dir.path().join("data");
        let running = serve::start(config(), &data)
            .await
            .map_err(|error| Failure::here(error.to_string()))?;
        let token = data.join("secrets").join(dagr_app::secrets::OPERATOR_TOKEN);
        let token = fs::read_to_string(&token).map_err(|error| Failure::file(&token, &error))?;
        let office = Office {
            operator: Client::operator(&running.public_url, &token)?,
        };
        office.institution(PROVIDER, "Provider").await?;
        office.system(PROVIDER, "P", "Provider").await?;
        let key = office.connection(dir.path(), "p", "P", "producer").await?;
        office.dataset(PROVIDER, SET, &definition(personal)).await?;
        let provider = Client::connection(&running.public_url, "p", &key)?;
        Ok(Self {
            dir,
            running,
            office,
            provider,
        })
    }

    /// Delivers records `0..records` as one package.
    pub async fn load(&self, records: u64) -> Result<Loaded, Failure> {
        let begun = Instant::now();
        let path = format!("/intake/{SET}/packages/first");
        let (receipt, bytes) = load::send(&self.provider, &path, records, |from, to, piece| {
            for number in from..to {
                write(number, piece);
            }
        })
        .await?;
        if receipt["accepted"].as_u64() != Some(records) {
            return Err(Failure::here(format!("not everything was accepted: {receipt}")));
        }
        Ok(Loaded {
            seconds: begun.elapsed().as_secs_f64(),
            bytes,
            receipt,
        })
    }

    /// One recipient with its own institution, connection and permission. `number` makes names and the mask.
    pub async fn grant(&self, number: usize, fields: Vec<String>) -> Result<Grant, Failure> {
        let institution = format!("400{number:08}");
        let name = format!("c{number}");
        self.office.institution(&institution, "Recipient").await?;
        self.office.system(&institution, &name, "Recipient").await?;
        let key = self
            .office
            .connection(self.dir.path(), &name, &name, "consumer")
            .await?;
        let body = json!({
            "dataset": SET, "recipient": institution, "environment": "main", "purpose": "bench",
            "legal_basis": "bench", "fields": fields, "ways": ["key", "changes"],
        });
        let permission = self.office.permission(&body).await?;
        let client = Client::connection(&self.running.public_url, &name, &key)?.with_permission(&permission);
        let token = client.token().await?.unwrap_or_default();
        Ok(Grant {
            permission,
            token,
            client,
            fields,
        })
    }
}

/// Every field.
pub fn all_fields() -> Vec<String> {
    let texts = (0..TEXTS).map(text_name);
    ["Code", "Group", "Person"]
        .map(str::to_owned)
        .into_iter()
        .chain(texts)
        .collect()
}

/// Fields of the n-th mask: the key, and of the rest a choice that differs from mask to mask.
pub fn mask(number: usize) -> Vec<String> {
    let bits = number + 1;
    let chosen = (0..TEXTS).filter(|field| field >= &6 || bits >> field & 1 == 1);
    ["Code".to_owned()]
        .into_iter()
        .chain(chosen.map(text_name))
        .collect()
}

fn text_name(number: usize) -> String {
    format!("Text{number:02}")
}

fn definition(personal: bool) -> String {
    let texts: Vec<String> = (0..TEXTS)
        .map(|number| format!("  - {} : text\n", text_name(number)))
        .collect();
    let texts = texts.concat();
    let subject = if personal { "subject: Person\n" } else { "" };
    let person = if personal { "person_code!" } else { "text" };
    format!(
        "name: {SET}\nkey: Code\ndata_description: records to measure with\nfields:\n  - Code int! : key\n  \
         - Group : one of a thousand\n  - Person {person} : somebody\n{texts}{subject}classification: restricted\n\
         indexes: [Group]\n"
    )
}

/// Person of a record: neighbours by key are no neighbours by code. The step shares no factor with 10⁹, so no two
/// records have the same.
pub fn person(number: u64) -> String {
    format!("32{:09}", (number * 618_033_989 + 271_828) % 1_000_000_000)
}

/// Appends the package line of a record; about 300 bytes.
fn write(number: u64, out: &mut Vec<u8>) {
    let head = format!(
        "{{\"op\":\"upsert\",\"record\":{{\"Code\":{number},\"Group\":\"g{:03}\",\"Person\":\"{}\"",
        spread(number) % 1_000,
        person(number)
    );
    out.extend_from_slice(head.as_bytes());
    for field in 0..TEXTS as u64 {
        let word = spread(number * 31 + field) % 100_000_000;
        out.extend_from_slice(format!(",\"Text{field:02}\":\"v{word:08}\"").as_bytes());
    }
    out.extend_from_slice(b"}}\n");
}

/// Looks random and is the same each time: a mixing step of SplitMix64.
fn spread(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
