//! The body of a package: NDJSON operations, zstd on disk.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use dagr_model::digest::SetDigest;
use sha2::{Digest, Sha256};
use zstd::stream::{read::Decoder, write::Encoder};

use crate::error::{Error, Result};

/// Fast: the network is seldom slower than this compresses.
const LEVEL: i32 = 1;

pub struct Body {
    out: Encoder<'static, File>,
    path: PathBuf,
    sha256: Sha256,
    line: Vec<u8>,
    pub upserts: u64,
    pub deletes: u64,
}

pub struct Made {
    /// Of the decoded body, hex.
    pub sha256: String,
    /// On disk.
    pub bytes: u64,
}

impl Body {
    /// Under a name that no package has yet.
    pub fn create(path: &Path) -> Result<Self> {
        let path = path.to_owned();
        let fault = |error: std::io::Error| Error::file(&path, &error);
        let out = Encoder::new(File::create(&path).map_err(fault)?, LEVEL).map_err(fault)?;
        Ok(Self {
            out,
            sha256: Sha256::new(),
            line: Vec::new(),
            upserts: 0,
            deletes: 0,
            path,
        })
    }

    pub fn upsert(&mut self, record: &[u8]) -> Result<()> {
        self.upserts += 1;
        self.push(b"{\"op\":\"upsert\",\"record\":", record)
    }

    pub fn delete(&mut self, key_json: &[u8]) -> Result<()> {
        self.deletes += 1;
        self.push(b"{\"op\":\"delete\",\"key\":", key_json)
    }

    fn push(&mut self, before: &[u8], json: &[u8]) -> Result<()> {
        self.line.clear();
        self.line.extend_from_slice(before);
        self.line.extend_from_slice(json);
        self.line.extend_from_slice(b"}\n");
        self.sha256.update(&self.line);
        self.out
            .write_all(&self.line)
            .map_err(|error| Error::file(&self.path, &error))
    }

    /// Durable under its name.
    pub fn finish(self) -> Result<Made> {
        let fault = |error: std::io::Error| Error::file(&self.path, &error);
        let file = self.out.finish().map_err(fault)?;
        file.sync_all().map_err(fault)?;
        if let Some(dir) = self.path.parent() {
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(fault)?;
        }
        let bytes = file.metadata().map_err(fault)?.len();
        let sha256 = SetDigest(self.sha256.finalize().into()).hex();
        Ok(Made { sha256, bytes })
    }

    pub fn discard(self) {
        // Swept away at the next start if it does not go now.
        let _ = fs::remove_file(&self.path);
    }
}

/// The named lines (from 1, rising) of a body.
pub fn lines(path: &Path, wanted: &[u64]) -> Result<Vec<String>> {
    let fault = |error: std::io::Error| Error::file(path, &error);
    let decoder = Decoder::new(File::open(path).map_err(fault)?).map_err(fault)?;
    let mut found = Vec::with_capacity(wanted.len());
    let mut wanted = wanted.iter().peekable();
    for (at, line) in BufReader::new(decoder).lines().enumerate() {
        let line = line.map_err(fault)?;
        if wanted.next_if(|wanted| **wanted == at as u64 + 1).is_some() {
            found.push(line);
        }
        if wanted.peek().is_none() {
            break;
        }
    }
    Ok(found)
}
