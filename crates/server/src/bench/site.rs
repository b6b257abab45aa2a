//! A server in this process with one data set of made-up records, on the disk that is measured.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Instant,
};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;

use crate::{
    client::Client,
    commands::Failure,
    config::Config,
    demo::office::Office,
    serve::{self, Running},
};

pub const SET: &str = "bench_item";
const PROVIDER: &str = "90000000104";
/// Of a package, read and sent at once.
const PIECE_BYTES: usize = 256 << 10;
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

    /// One more set, published.
    pub async fn set(&self, name: &str, definition: &str) -> Result<(), Failure> {
        self.office.dataset(PROVIDER, name, definition).await
    }

    /// Makes a package of the records `0..records`, in a file.
    pub async fn package(&self, records: u64) -> Result<PathBuf, Failure> {
        let path = self.dir.path().join("package.ndjson");
        let to = path.clone();
        let written = tokio::task::spawn_blocking(move || write_package(&to, records)).await;
        written
            .map_err(|error| Failure::here(error.to_string()))?
            .map_err(|error| Failure::file(&path, &error))?;
        Ok(path)
    }

    /// Delivers a package that lies in a file.
    pub async fn deliver(&self, package: &Path, records: u64) -> Result<Loaded, Failure> {
        let failed = |error: std::io::Error| Failure::file(package, &error);
        let bytes = fs::metadata(package).map_err(failed)?.len();
        let begun = Instant::now();
        let file = tokio::fs::File::open(package).await.map_err(failed)?;
        let stream = futures_util::stream::try_unfold(file, |mut file| async move {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            let read = file.read_buf(&mut piece).await?;
            Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(piece), file)))
        });
        let path = format!("/intake/{SET}/packages/first");
        let headers = [(CONTENT_TYPE, "application/x-ndjson")];
        let body = reqwest::Body::wrap_stream(stream);
        let receipt = self.provider.put_stream(&path, &headers, body).await?;
        if receipt["accepted"].as_u64() != Some(records) {
            return Err(Failure::here(format!("not everything was accepted: {receipt}")));
        }
        Ok(Loaded {
            seconds: begun.elapsed().as_secs_f64(),
            bytes,
            receipt,
        })
    }

    /// Delivers records `0..records` as one package.
    pub async fn load(&self, records: u64) -> Result<Loaded, Failure> {
        let package = self.package(records).await?;
        let loaded = self.deliver(&package, records).await?;
        fs::remove_file(&package).map_err(|error| Failure::file(&package, &error))?;
        Ok(loaded)
    }

    /// A recipient of the set of made-up records.
    pub async fn grant(&self, number: usize, fields: Vec<String>) -> Result<Grant, Failure> {
        self.grant_of(SET, number, fields).await
    }

    /// One recipient with its own institution, connection and permission. `number` makes names and the mask.
    pub async fn grant_of(&self, set: &str, number: usize, fields: Vec<String>) -> Result<Grant, Failure> {
        let institution = format!("400{number:08}");
        let name = format!("c{number}");
        self.office.institution(&institution, "Recipient").await?;
        self.office.system(&institution, &name, "Recipient").await?;
        let key = self
            .office
            .connection(self.dir.path(), &name, &name, "consumer")
            .await?;
        let body = json!({
            "dataset": set, "recipient": institution, "environment": "main", "purpose": "bench",
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

fn write_package(path: &Path, records: u64) -> std::io::Result<()> {
    let mut file = fs::File::create(path)?;
    let mut piece = Vec::new();
    for number in 0..records {
        write(number, &mut piece);
        if piece.len() >= PIECE_BYTES || number + 1 == records {
            file.write_all(&piece)?;
            piece.clear();
        }
    }
    // What is written now is not written while somebody measures.
    file.sync_all()
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
