//! A package's body on its way to its stage: pieces go through a short channel to a thread that reads them.

use std::{
    io,
    path::Path,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use dagr_formats::{Decoder, Limits, MediaType, ReadAs, Unreadable};
use dagr_model::classifier::Codes;
use dagr_store::set::apply::Mode;
use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::{
    open::Progress,
    parse::Parser,
    rows::{Lot, ReadRows, Rows},
    stage_dir::{StageDir, check_space, stage_problem},
};
use crate::{problem::Problem, set::LiveSet};

/// Pieces of a body that may wait for the reader.
pub(super) const PIECES: usize = 16;
/// Larger pieces are cut, so that the channel is bounded in bytes too.
const PIECE_BYTES: usize = 256 << 10;
/// Free space is looked at after so many bytes.
const SPACE_EVERY: u64 = 32 << 20;
/// A long package tells how far it is.
const TELL_EVERY: Duration = Duration::from_secs(10);

pub(super) enum Piece {
    Bytes(Bytes),
    /// The body ended as it should: without this it was cut off.
    End,
}

/// How the body of a package ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pumped {
    Ended,
    /// The reader has stopped; it says why.
    Stopped,
}

/// Hands the body on, piece by piece, as fast as it is read.
pub(super) async fn pump(
    body: impl Stream<Item = io::Result<Bytes>> + Send,
    idle: Duration,
    pieces: &mpsc::Sender<Piece>,
) -> Result<Pumped, Problem> {
    let mut body = pin!(body);
    while let Some(mut piece) = next(&mut body, idle).await? {
        while !piece.is_empty() {
            let part = piece.split_to(piece.len().min(PIECE_BYTES));
            if pieces.send(Piece::Bytes(part)).await.is_err() {
                return Ok(Pumped::Stopped);
            }
        }
    }
    Ok(if pieces.send(Piece::End).await.is_ok() {
        Pumped::Ended
    } else {
        Pumped::Stopped
    })
}

/// The next piece. A sender whose network was cut says nothing any more and never closes: its package must not stay
/// open, or it could not send it again.
async fn next(
    body: &mut (impl Stream<Item = io::Result<Bytes>> + Unpin),
    idle: Duration,
) -> Result<Option<Bytes>, Problem> {
    match tokio::time::timeout(idle, body.next()).await {
        Ok(piece) => piece.transpose().map_err(|error| cut_off(&error)),
        Err(_) => Err(stalled(idle)),
    }
}

fn stalled(idle: Duration) -> Problem {
    tracing::info!("nothing more came of a package's body");
    let seconds = idle.as_secs();
    let detail =
        format!("nothing of the package came for {seconds} s; nothing was kept; send the package again");
    Problem::new(408, "package_stalled", detail)
}

/// The digest of a body that is not needed otherwise.
pub(super) async fn digest(
    body: impl Stream<Item = io::Result<Bytes>> + Send,
    idle: Duration,
    max_bytes: u64,
) -> Result<[u8; 32], Problem> {
    let mut body = pin!(body);
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    while let Some(piece) = next(&mut body, idle).await? {
        bytes += piece.len() as u64;
        check_size(bytes, max_bytes)?;
        hash.update(&piece);
    }
    Ok(hash.finalize().into())
}

fn cut_off(error: &io::Error) -> Problem {
    tracing::info!(kind = ?error.kind(), "a package's body ended early");
    Problem::new(
        422,
        "package_unreadable",
        "the body was cut off or does not fit its Content-Encoding; nothing was kept; send the package again",
    )
}

fn check_size(bytes: u64, max_bytes: u64) -> Result<(), Problem> {
    if bytes <= max_bytes {
        return Ok(());
    }
    let detail = format!("a package has at most {max_bytes} bytes; send it as several deltas");
    Err(Problem::new(413, "body_too_large", detail))
}

/// What the reader of a body needs to know.
pub(super) struct Reading {
    pub set: Arc<LiveSet>,
    /// As they were when the package began.
    pub codes: Codes,
    pub media: MediaType,
    /// Of the Content-Type.
    pub charset: Option<String>,
    pub mode: Mode,
    pub dir: StageDir,
    pub max_bytes: u64,
    pub reserve_bytes: u64,
    pub progress: Arc<Progress>,
}

/// A package that is whole, staged and not yet applied.
pub(super) struct Received {
    pub dir: StageDir,
    pub rows: ReadRows,
    pub read_as: ReadAs,
    /// SHA-256 of the decoded body.
    pub digest: [u8; 32],
}

/// Reads and stages a body. Blocks; threads it starts end before it returns.
pub(super) fn receive(pieces: mpsc::Receiver<Piece>, reading: Reading) -> Result<Received, Problem> {
    let csv = &reading.set.definition().csv;
    let decoder = Decoder::new(reading.media, reading.charset.as_deref(), csv, Limits::default())
        .map_err(unreadable)?;
    let parser = Parser::new(&reading.set.schema, reading.codes.clone(), reading.mode);
    let (rows, read_as, digest) = std::thread::scope(|scope| {
        let rows = Rows::new(scope, &parser, reading.dir.path(), Lot::default());
        read_body(pieces, &reading, decoder, rows)
    })?;
    Ok(Received {
        dir: reading.dir,
        rows,
        read_as,
        digest,
    })
}

fn read_body(
    mut pieces: mpsc::Receiver<Piece>,
    reading: &Reading,
    mut decoder: Decoder,
    mut rows: Rows<'_, '_>,
) -> Result<(ReadRows, ReadAs, [u8; 32]), Problem> {
    let progress = &reading.progress;
    let mut hash = Sha256::new();
    let mut meter = Meter {
        path: reading.dir.path(),
        reserve_bytes: reading.reserve_bytes,
        checked: 0,
        told: Instant::now(),
    };
    let mut bytes = 0;
    meter.check(0, true)?;
    loop {
        match pieces.blocking_recv() {
            Some(Piece::End) => break,
            None => return Err(cut_off(&io::ErrorKind::UnexpectedEof.into())),
            Some(Piece::Bytes(piece)) => {
                bytes += piece.len() as u64;
                check_size(bytes, reading.max_bytes)?;
                hash.update(&piece);
                let fed = decoder.feed(&piece, &mut rows);
                fed.map_err(|error| failure(&mut rows, error))?;
                progress.bytes.store(bytes, Ordering::Relaxed);
                progress.rows.store(rows.count, Ordering::Relaxed);
                meter.check(rows.bytes(), false)?;
                meter.tell(&reading.set, progress);
            }
        }
    }
    let read_as = decoder
        .finish(&mut rows)
        .map_err(|error| failure(&mut rows, error))?;
    progress.rows.store(rows.count, Ordering::Relaxed);
    let rows = rows.finish().map_err(stage_problem)?;
    Ok((rows, read_as, hash.finalize().into()))
}

fn failure(rows: &mut Rows<'_, '_>, error: Unreadable) -> Problem {
    rows.failed
        .take()
        .map_or_else(|| unreadable(error), stage_problem)
}

fn unreadable(error: Unreadable) -> Problem {
    let status = if error.code == "media_type" { 415 } else { 422 };
    let first = error
        .faults
        .first()
        .map_or("the package cannot be read", |fault| fault.message.as_str());
    Problem::new(status, error.code, first.to_owned()).with_faults(error.faults)
}

/// Watches the disk and tells how far a long package is.
struct Meter<'d> {
    path: &'d Path,
    reserve_bytes: u64,
    checked: u64,
    told: Instant,
}

impl Meter<'_> {
    fn check(&mut self, written: u64, now: bool) -> Result<(), Problem> {
        if now || written - self.checked >= SPACE_EVERY {
            self.checked = written;
            check_space(self.path, self.reserve_bytes)?;
        }
        Ok(())
    }

    fn tell(&mut self, set: &LiveSet, progress: &Progress) {
        if self.told.elapsed() >= TELL_EVERY {
            self.told = Instant::now();
            let (rows, bytes) = (
                progress.rows.load(Ordering::Relaxed),
                progress.bytes.load(Ordering::Relaxed),
            );
            tracing::info!(set = %set.name, section = set.section.as_str(), rows, bytes, "a package is coming in");
        }
    }
}
