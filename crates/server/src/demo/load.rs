//! Delivering the seven registers: packages made while they are sent, through the interface every provider uses.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use super::{
    nation::{Nation, Register},
    state::Loaded,
    tell::thousands,
};
use crate::{client::Client, commands::Failure};

/// Records made at once; about half a mebibyte.
const PIECE: u64 = 1_000;
/// Pieces made ahead of what was sent.
const AHEAD: usize = 4;
const PACKAGE: &str = "pirma-piegade";

/// Delivers all records of a register as one package. Sent again, the same package is answered by its receipt.
pub async fn deliver(client: &Client, nation: &Arc<Nation>, register: Register) -> Result<Loaded, Failure> {
    let records = nation.count(register.name);
    let bar = bar(register, records);
    let begun = Instant::now();
    let path = format!("/intake/{}/packages/{PACKAGE}", register.dataset);
    let (nation, counted) = (nation.clone(), bar.clone());
    let sent = send(client, &path, records, move |from, to, piece| {
        nation.write(register.name, from, to, piece);
        counted.set_position(to);
    })
    .await;
    bar.finish_and_clear();
    let (receipt, bytes) = sent?;
    if receipt["quarantined"] != 0 {
        let text = format!(
            "{}: {} records were refused",
            register.dataset, receipt["quarantined"]
        );
        return Err(Failure::here(text));
    }
    let loaded = Loaded {
        records,
        bytes,
        seconds: begun.elapsed().as_secs_f64(),
    };
    println!(
        "   {:26} {:>11} ieraksti, {:>6} MB, {:>7.1} s  {}",
        register.dataset,
        thousands(records),
        bytes / 1_000_000,
        loaded.seconds,
        register.title_lv,
    );
    Ok(loaded)
}

/// Sends a package that is made while it is sent: `write` appends the lines of the records `from..to`. Returns the
/// receipt and the bytes sent.
async fn send(
    client: &Client,
    path: &str,
    records: u64,
    write: impl Fn(u64, u64, &mut Vec<u8>) + Send + 'static,
) -> Result<(serde_json::Value, u64), Failure> {
    let (sender, receiver) = mpsc::channel::<Bytes>(AHEAD);
    let maker = tokio::task::spawn_blocking(move || {
        let (mut from, mut bytes) = (0, 0);
        while from < records {
            let to = (from + PIECE).min(records);
            let mut piece = Vec::new();
            write(from, to, &mut piece);
            bytes += piece.len() as u64;
            // Nobody takes it any more: the receipt says why.
            if sender.blocking_send(piece.into()).is_err() {
                break;
            }
            from = to;
        }
        bytes
    });
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), receiver))
    });
    let body = reqwest::Body::wrap_stream(stream);
    let receipt = client
        .put_stream(path, &[(CONTENT_TYPE, "application/x-ndjson")], body)
        .await;
    let bytes = maker.await.unwrap_or(0);
    Ok((receipt?, bytes))
}

fn bar(register: Register, records: u64) -> ProgressBar {
    let bar = ProgressBar::new(records);
    let shape = "   {msg:26} {wide_bar} {human_pos}/{human_len} {elapsed}";
    if let Ok(style) = ProgressStyle::with_template(shape) {
        bar.set_style(style);
    }
    bar.set_message(register.dataset);
    bar
}
