//! `dagr bench changes`

use std::{collections::HashMap, time::Instant};

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::{
    Size,
    bare::Bare,
    site::{self, Grant, SET, Site},
    step,
};
use crate::{client::Client, commands::Failure};

pub const PAGE: usize = 10_000;

/// What an enumeration brought.
pub struct Enumerated {
    pub records: u64,
    pub bytes: u64,
    pub pages: u64,
    pub seconds: f64,
}

pub async fn run(size: &Size) -> Result<Value, Failure> {
    let site = Site::open(&size.dir, false).await?;
    step(&format!("loading {} records", size.records));
    site.load(size.records).await?;
    let grant = site.grant(0, site::all_fields()).await?;
    step("enumerating");
    let seen = enumerate(&grant).await?;
    let copied = copy(&seen).await?;
    site.running.stop().await;
    let (rate, copy_rate) = (seen.records as f64 / seen.seconds, seen.records as f64 / copied);
    Ok(json!({
        "records": seen.records,
        "bytes": seen.bytes,
        "pages": seen.pages,
        "seconds": seen.seconds,
        "records_per_second": rate,
        "loopback_copy_records_per_second": copy_rate,
        "ratio": rate / copy_rate,
    }))
}

/// From nothing to the present, with records.
pub async fn enumerate(grant: &Grant) -> Result<Enumerated, Failure> {
    let begun = Instant::now();
    let mut seen = Enumerated {
        records: 0,
        bytes: 0,
        pages: 0,
        seconds: 0.0,
    };
    let mut after = String::new();
    loop {
        let path = format!("/data/{SET}/changes?limit={PAGE}&include=record{after}");
        let request = grant.client.request(Method::GET, &path).await?;
        let body = grant.client.send(request).await?.text();
        seen.bytes += body.len() as u64;
        seen.pages += 1;
        // Looked at, not parsed: the client's work is not what is measured.
        seen.records += body.matches("\"operation\":\"").count() as u64;
        let tail = &body[body.rfind("\"next\":").unwrap_or(body.len())..];
        let next = tail.split('"').nth(3).unwrap_or_default();
        if tail.contains("\"end\":true") || next.is_empty() {
            break;
        }
        after = format!("&after={next}");
    }
    seen.seconds = begun.elapsed().as_secs_f64();
    Ok(seen)
}

/// Seconds for the same bytes in as many answers of a server that only sends.
async fn copy(seen: &Enumerated) -> Result<f64, Failure> {
    let page = seen.bytes / seen.pages.max(1);
    let bare = Bare::start(HashMap::new(), Bytes::from(vec![b'x'; page as usize]))?;
    let client = Client::anonymous(&format!("http://{}", bare.address))?;
    let begun = Instant::now();
    for _ in 0..seen.pages {
        let request = client.request(Method::GET, "/bytes").await?;
        client.send(request).await?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    bare.stop().await;
    Ok(seconds)
}
