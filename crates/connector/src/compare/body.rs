//! The body of a package: NDJSON operations, zstd on disk. It can be read while it grows.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use dagr_model::digest::SetDigest;
use futures_util::{Stream, stream};
use sha2::{Digest, Sha256};
use tokio::{
    io::AsyncReadExt,
    sync::watch::{self, Receiver, Sender},
};
use zstd::{bulk::Compressor, stream::read::Decoder};

use crate::error::{Error, Result};

/// Fast: the network is seldom slower than this compresses, and whoever takes it apart needs half of what level 1 needs.
const LEVEL: i32 = -1;
/// From so many bytes on a body is worth sending before it is whole.
const LARGE: u64 = 2 << 20;
/// Bytes hashed and packed at once, into a frame of their own: a body is several. RFC 8878, 3.1.
const GATHERED: usize = 256 << 10;
/// Bytes told of at once.
const STEP: u64 = 256 << 10;
/// Bytes read at once.
const READ: u64 = 256 << 10;

const UPSERT: &[u8] = b"{\"op\":\"upsert\",\"record\":";
const DELETE: &[u8] = b"{\"op\":\"delete\",\"key\":";

pub struct Body {
    /// `None` once it is finished.
    out: Option<Counted>,
    packer: Compressor<'static>,
    /// What was packed last.
    packed: Vec<u8>,
    path: PathBuf,
    sha256: Sha256,
    /// Lines that are not yet written.
    gathered: Vec<u8>,
    lines: u64,
    /// Bytes it may have on disk.
    limit: u64,
}

/// How much of a body may be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Grown {
    bytes: u64,
    whole: bool,
}

/// Counts what is written, and tells whoever reads it.
struct Counted {
    file: File,
    written: u64,
    told: Option<Sender<Grown>>,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let length = self.file.write(bytes)?;
        self.written += length as u64;
        if let Some(told) = &self.told
            && self.written >= told.borrow().bytes + STEP
        {
            told.send_replace(Grown {
                bytes: self.written,
                whole: false,
            });
        }
        Ok(length)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

pub struct Made {
    /// Of the decoded body, hex.
    pub sha256: String,
    /// On disk.
    pub bytes: u64,
    told: Option<Sender<Grown>>,
}

impl Made {
    /// Who reads along may have the end.
    pub fn release(self) {
        if let Some(told) = &self.told {
            told.send_replace(Grown {
                bytes: self.bytes,
                whole: true,
            });
        }
    }
}

fn too_large(limit: u64) -> Error {
    Error::Room(format!(
        "what is to be sent takes more than the {} MiB that spool_mib leaves for it: nothing of it is sent; raise spool_mib",
        limit >> 20
    ))
}

impl Body {
    /// Under a name that no package has yet.
    pub fn create(path: &Path, limit: u64) -> Result<Self> {
        let fault = |error: std::io::Error| Error::file(path, &error);
        let counted = Counted {
            file: File::create(path).map_err(fault)?,
            written: 0,
            told: None,
        };
        Ok(Self {
            out: Some(counted),
            packer: Compressor::new(LEVEL).map_err(fault)?,
            packed: Vec::new(),
            sha256: Sha256::new(),
            gathered: Vec::with_capacity(2 * GATHERED),
            lines: 0,
            limit,
            path: path.to_owned(),
        })
    }

    /// The number of its line, from 0.
    pub fn upsert(&mut self, record: &[u8]) -> Result<u64> {
        self.push(UPSERT, record)
    }

    pub fn delete(&mut self, key_json: &[u8]) -> Result<u64> {
        self.push(DELETE, key_json)
    }

    fn push(&mut self, before: &[u8], json: &[u8]) -> Result<u64> {
        self.gathered.extend_from_slice(before);
        self.gathered.extend_from_slice(json);
        self.gathered.extend_from_slice(b"}\n");
        self.lines += 1;
        if self.gathered.len() >= GATHERED {
            self.write()?;
        }
        Ok(self.lines - 1)
    }

    fn write(&mut self) -> Result<()> {
        let Some(out) = &mut self.out else { return Ok(()) };
        if out.written > self.limit {
            return Err(too_large(self.limit));
        }
        self.sha256.update(&self.gathered);
        let most = zstd::zstd_safe::compress_bound(self.gathered.len());
        self.packed.reserve(most);
        let written = self
            .packer
            .compress_to_buffer(&self.gathered, &mut self.packed)
            .and_then(|_| out.write_all(&self.packed));
        self.gathered.clear();
        self.packed.clear();
        written.map_err(|error| Error::file(&self.path, &error))
    }

    /// What reads along, once the body is large.
    pub fn growing(&mut self) -> Result<Option<Growing>> {
        let Some(counted) = &mut self.out else {
            return Ok(None);
        };
        if counted.written < LARGE || counted.told.is_some() {
            return Ok(None);
        }
        let (told, grown) = watch::channel(Grown {
            bytes: counted.written,
            whole: false,
        });
        counted.told = Some(told);
        let file = File::open(&self.path).map_err(|error| Error::file(&self.path, &error))?;
        Ok(Some(Growing {
            file: tokio::fs::File::from_std(file),
            read: 0,
            grown,
        }))
    }

    /// The same body but for some lines. Whoever reads along is cut off.
    pub fn without(mut self, dropped: &Lines) -> Result<Self> {
        self.write()?;
        let fault = |error: std::io::Error| Error::file(&self.path, &error);
        let old = self.path.with_extension("all");
        self.out = None;
        fs::rename(&self.path, &old).map_err(fault)?;
        let mut kept = Self::create(&self.path, self.limit)?;
        let decoder = Decoder::new(File::open(&old).map_err(fault)?).map_err(fault)?;
        let mut input = BufReader::with_capacity(1 << 18, decoder);
        let mut line = Vec::new();
        for number in 0.. {
            line.clear();
            if input.read_until(b'\n', &mut line).map_err(fault)? == 0 {
                break;
            }
            if !dropped.has(number) {
                kept.gathered.extend_from_slice(&line);
                kept.lines += 1;
                if kept.gathered.len() >= GATHERED {
                    kept.write()?;
                }
            }
        }
        fs::remove_file(&old).map_err(fault)?;
        Ok(kept)
    }

    /// Durable under its name.
    pub fn finish(mut self) -> Result<Made> {
        if !self.gathered.is_empty() || self.lines == 0 {
            self.write()?;
        }
        let fault = |error: std::io::Error| Error::file(&self.path, &error);
        let Some(mut out) = self.out.take() else {
            return Err(Error::State("a body was ended twice".to_owned()));
        };
        // The end is told when the package is entered.
        let told = out.told.take();
        let file = out.file;
        file.sync_all().map_err(fault)?;
        if let Some(dir) = self.path.parent() {
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(fault)?;
        }
        let bytes = file.metadata().map_err(fault)?.len();
        let sha256 = SetDigest(std::mem::take(&mut self.sha256).finalize().into()).hex();
        Ok(Made { sha256, bytes, told })
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // Swept away at the next start if it does not go now.
        if self.out.is_some() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Lines of a body, by their numbers from 0.
#[derive(Debug, Default)]
pub struct Lines {
    bits: Vec<u64>,
    count: u64,
}

impl Lines {
    pub fn mark(&mut self, line: Option<u64>) {
        let Some(line) = line else { return };
        let at = (line / 64) as usize;
        if self.bits.len() <= at {
            self.bits.resize(at + 1, 0);
        }
        self.count += u64::from(!self.has(line));
        self.bits[at] |= 1 << (line % 64);
    }

    pub fn unmark(&mut self, line: u64) {
        if self.has(line) {
            self.bits[(line / 64) as usize] &= !(1 << (line % 64));
            self.count -= 1;
        }
    }

    pub fn has(&self, line: u64) -> bool {
        self.bits
            .get((line / 64) as usize)
            .is_some_and(|bits| bits & 1 << (line % 64) != 0)
    }

    pub fn any(&self) -> bool {
        self.count > 0
    }
}

/// A body as it grows. Ends with an error when its package is given up.
pub struct Growing {
    file: tokio::fs::File,
    read: u64,
    grown: Receiver<Grown>,
}

impl Growing {
    pub fn stream(self) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
        stream::try_unfold(self, |mut growing| async move {
            let piece = growing.next().await?;
            Ok(piece.map(|piece| (piece, growing)))
        })
    }

    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        let read = self.read;
        let grown = self
            .grown
            .wait_for(|grown| grown.whole || grown.bytes > read)
            .await
            .map(|grown| grown.bytes)
            .map_err(|_| std::io::Error::other("the package was given up"))?;
        let length = (grown - read).min(READ);
        if length == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; length as usize];
        self.file.read_exact(&mut piece).await?;
        self.read += length;
        Ok(Some(piece.into()))
    }
}

/// Every line of a body.
pub fn each_line(path: &Path, mut take: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let fault = |error: std::io::Error| Error::file(path, &error);
    let decoder = Decoder::new(File::open(path).map_err(fault)?).map_err(fault)?;
    for line in BufReader::new(decoder).lines() {
        take(&line.map_err(fault)?)?;
    }
    Ok(())
}
