//! `dagr bench pages`: pages and look-ups of a registry as large as a nation's, beside the same with ten permissions.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use dagr_app::{
    ctx::{Caller, Ctx},
    session::SignedIn,
};
use dagr_model::ids::RequestId;
use dagr_registry::Registry;
use serde_json::{Map, Value, json};

use super::{
    median,
    site::{self, Grant, SET, Site},
    step, wrk,
};
use crate::{
    commands::Failure,
    demo::usage,
    serve::{self, Running},
};

/// Permissions that look-ups are made under, before and after.
const GRANTS: usize = 10;
const RECORDS: u64 = 100_000;
/// Alternating is not possible: the registry grows between. The median of so many runs counts.
const RUNS: usize = 3;
/// Times each page is asked for.
const TIMES: usize = 40;

#[derive(Args)]
pub struct Pages {
    #[arg(long, default_value_t = 10_000)]
    institutions: u64,
    #[arg(long, default_value_t = 100_000)]
    permissions: u64,
    /// Events of the audit trail
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Of each run of look-ups
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Directory on the disk to measure; what is made below it is removed again
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
}

/// People who look: code, institution, role.
fn people() -> [(&'static str, String, &'static str); 3] {
    [
        ("39000000001", "90000000104".to_owned(), "head"),
        ("39000000002", format!("400{:08}", 0), "head"),
        ("39000000003", format!("400{:08}", 1), "operator"),
    ]
}

/// Who asks for what; `{p}` is a permission.
const PAGES: [(usize, &str); 14] = [
    (0, "/lv/"),
    (0, "/lv/datasets/bench_item"),
    (0, "/lv/work"),
    (0, "/lv/applications"),
    (0, "/lv/permissions?side=provider"),
    (0, "/lv/my-datasets"),
    (0, "/lv/my-datasets/bench_item"),
    (0, "/lv/my-datasets/bench_item/recipients"),
    (1, "/lv/permissions"),
    (1, "/lv/permissions/{p}"),
    (1, "/lv/notifications"),
    (2, "/lv/operator"),
    (2, "/lv/operator/institutions"),
    (2, "/lv/operator/audit"),
];

pub async fn run(pages: &Pages) -> Result<Value, Failure> {
    let site = Site::open(&pages.dir, false).await?;
    site.load(RECORDS).await?;
    let mut grants = Vec::new();
    for number in 0..GRANTS {
        grants.push(site.grant(number, site::mask(number)).await?);
    }
    for (code, institution, role) in people() {
        let made = json!({ "code": code, "name": "Anna Ozola" });
        let made = site.office.operator.post("/registry/people", &made).await?;
        let id = made["id"]
            .as_str()
            .map_or_else(|| made["id"].to_string(), str::to_owned);
        let body = json!({ "institution": institution, "role": role });
        site.office
            .operator
            .post(&format!("/registry/people/{id}/roles"), &body)
            .await?;
    }
    let script = site.dir.path().join("lookup.lua");
    wrk::write_script(&script, &grants, RECORDS)?;
    step("look-ups with ten permissions");
    let few = look_ups(&script, &site.running.public_url, pages.seconds).await?;

    let data = site.running.dir.clone();
    let port = site.running.data.port();
    let Site { dir, running, .. } = site;
    running.stop().await;
    step("growing the registry");
    let imported = grow(&data, pages).await?;
    let mut config = site::config();
    config.listen.data.set_port(port);
    let begun = Instant::now();
    let running = serve::start(config, &data).await;
    let running = running.map_err(|error| Failure::here(error.to_string()))?;
    let start_seconds = begun.elapsed().as_secs_f64();
    let idle_memory = usage::own_memory().unwrap_or_default();
    step("look-ups with all permissions");
    let many = look_ups(&script, &running.public_url, pages.seconds).await?;
    step("pages");
    let times = page_times(&running, &grants).await?;
    step("a permission granted");
    let granting = granting_ms(&running, &data, &grants).await?;
    let slowest = times.values().filter_map(Value::as_f64).fold(0.0, f64::max);
    running.stop().await;
    drop(dir);
    Ok(json!({
        "institutions": pages.institutions,
        "permissions": pages.permissions,
        "audit_events": pages.events,
        "rows_imported": imported.0,
        "import_seconds": imported.1,
        "start_seconds": start_seconds,
        "memory_mb": idle_memory as f64 / 1e6,
        "look_ups_per_second_ten": few,
        "look_ups_per_second_all": many,
        "look_up_ratio": many / few,
        "grant_median_ms": granting,
        "slowest_page_p95_ms": slowest,
        "pages_p95_ms": times,
    }))
}

async fn look_ups(script: &Path, url: &str, seconds: u64) -> Result<f64, Failure> {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let report = wrk::run(script, url, seconds, 0.0).await?;
        if report.refused > 0 {
            return Err(Failure::here(format!("{} look-ups were refused", report.refused)));
        }
        runs.push(report.per_second());
    }
    Ok(median(runs))
}

/// Exports the registry, multiplies it, and puts it in the place of the old one. Rows, and seconds of the import.
async fn grow(data: &Path, pages: &Pages) -> Result<(u64, f64), Failure> {
    let here = |error: &dyn std::fmt::Display| Failure::here(error.to_string());
    let file = data.join("registry.sqlite");
    let (small, large) = (data.join("small.ndjson"), data.join("large.ndjson"));
    let registry = Registry::open(&file).await.map_err(|error| here(&error))?;
    let mut out = tokio::fs::File::create(&small)
        .await
        .map_err(|error| here(&error))?;
    registry.export_to(&mut out).await.map_err(|error| here(&error))?;
    registry.close().await;
    multiply(&small, &large, pages).map_err(|error| here(&error))?;
    for end in ["", "-wal", "-shm"] {
        // What is not there need not go.
        let _ = std::fs::remove_file(data.join(format!("registry.sqlite{end}")));
    }
    let registry = Registry::open(&file).await.map_err(|error| here(&error))?;
    let begun = Instant::now();
    let rows = registry.import_from(&large).await.map_err(|error| here(&error))?;
    let seconds = begun.elapsed().as_secs_f64();
    registry.close().await;
    for made in [small, large] {
        std::fs::remove_file(&made).map_err(|error| Failure::file(&made, &error))?;
    }
    Ok((rows, seconds))
}

/// Every line, and behind a table's last the rows that are added to it.
fn multiply(from: &Path, to: &Path, pages: &Pages) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(to)?);
    let mut last: Option<(String, Value)> = None;
    let mut rows = 0_u64;
    for line in BufReader::new(File::open(from)?).lines() {
        let line: Map<String, Value> = serde_json::from_str(&line?)?;
        let table = line.keys().next().cloned().unwrap_or_default();
        if let Some((before, template)) = last.take_if(|(before, _)| *before != table) {
            rows += add(&mut out, &before, &template, pages)?;
        }
        match table.as_str() {
            "format" => writeln!(out, "{}", Value::Object(line))?,
            "end" => writeln!(out, "{}", json!({ "end": { "rows": rows } }))?,
            _ => {
                let row = raised(&table, &line[&table], pages);
                writeln!(out, "{}", json!({ &table: row }))?;
                rows += 1;
                last = Some((table, row));
            }
        }
    }
    out.into_inner()
        .map_err(std::io::IntoInnerError::into_error)?
        .sync_all()
}

/// A sequence goes on behind what is added.
fn raised(table: &str, row: &Value, pages: &Pages) -> Value {
    let mut row = row.clone();
    if table == "sequences" {
        let more = match row["name"].as_str() {
            Some("permission") => pages.permissions,
            Some("audit") => pages.events,
            _ => 0,
        };
        row["value"] = (row["value"].as_u64().unwrap_or_default() + more).into();
    }
    row
}

/// A hundred permissions of the one who looks, the others spread.
fn recipient(at: u64, pages: &Pages) -> String {
    if at.is_multiple_of(1_000) {
        return format!("400{:08}", 0);
    }
    format!("500{:08}", at % pages.institutions)
}

fn add(out: &mut impl Write, table: &str, template: &Value, pages: &Pages) -> std::io::Result<u64> {
    let count = match table {
        "institutions" => pages.institutions,
        "permissions" | "permission_revisions" => pages.permissions,
        "audit" => pages.events,
        _ => 0,
    };
    let first = template["id"]
        .as_u64()
        .or(template["permission"].as_u64())
        .unwrap_or_default();
    for at in 0..count {
        let mut row = template.clone();
        let id = first + 1 + at;
        match table {
            "institutions" => {
                row["registration_number"] = format!("500{at:08}").into();
                row["name"] = format!("{at}. novada pašvaldība").into();
            }
            "audit" => row["id"] = id.into(),
            _ => {
                let number = id.to_string();
                row["body"]["number"] = number.as_str().into();
                row["body"]["recipient"] = recipient(at, pages).into();
                if table == "permissions" {
                    row["id"] = id.into();
                    row["number"] = number.into();
                    row["recipient"] = recipient(at, pages).into();
                } else {
                    row["permission"] = id.into();
                }
            }
        }
        writeln!(out, "{}", json!({ table: row }))?;
    }
    Ok(count)
}

/// The 95th of a hundred, in milliseconds, over loopback; a page that is not given ends the run.
async fn page_times(running: &Running, grants: &[Grant]) -> Result<Map<String, Value>, Failure> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build();
    let client = client.map_err(|error| Failure::here(error.to_string()))?;
    let mut cookies = Vec::new();
    for (code, ..) in people() {
        cookies.push(session(running, code).await?);
    }
    let mut figures = Map::new();
    for (who, page) in PAGES {
        let path = page.replace("{p}", &grants[0].permission);
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let begun = Instant::now();
            let request = client
                .get(format!("{}{path}", running.public_url))
                .header("cookie", &cookies[who]);
            let answer = request
                .send()
                .await
                .map_err(|error| Failure::here(error.to_string()))?;
            let status = answer.status();
            let body = answer
                .bytes()
                .await
                .map_err(|error| Failure::here(error.to_string()))?;
            if status != http::StatusCode::OK || body.len() > 100_000 {
                return Err(Failure::here(format!("{path}: {status}, {} bytes", body.len())));
            }
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        figures.insert(page.to_owned(), times[TIMES * 95 / 100].into());
    }
    Ok(figures)
}

async fn session(running: &Running, code: &str) -> Result<String, Failure> {
    let ctx = Ctx {
        request_id: RequestId::new("bench"),
        now: running.app.now(),
        caller: Caller::Anonymous,
        permission: None,
        case: None,
    };
    let signed_in = SignedIn {
        code: code.to_owned(),
        name: "Anna Ozola".to_owned(),
        by: "bench".to_owned(),
    };
    let opened = running.app.session_open(&ctx, &signed_in).await;
    let opened = opened.map_err(|problem| Failure::here(problem.to_string()))?;
    Ok(format!("dagr={}", opened.token))
}

/// From the call to its answer: the permission is durable and in force.
async fn granting_ms(running: &Running, data: &Path, grants: &[Grant]) -> Result<f64, Failure> {
    let path = data.join("secrets").join(dagr_app::secrets::OPERATOR_TOKEN);
    let token = std::fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
    let operator = crate::client::Client::operator(&running.public_url, &token)?;
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let body = json!({
            "dataset": SET, "recipient": format!("400{:08}", 0), "environment": "main", "purpose": "bench",
            "legal_basis": "bench", "fields": grants[0].fields, "ways": ["key"],
        });
        let begun = Instant::now();
        operator.post("/registry/permissions", &body).await?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(times))
}
