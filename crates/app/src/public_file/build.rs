//! Writing a public file: one snapshot, rows in key order, renamed into place when whole.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, SHA256, digest};
use dagr_formats::csv_out;
use dagr_model::{definition::PublicFile, record::RecordRef, schema::NodeId};
use dagr_store::{
    kv::{Direction, Kv, Range, Table},
    set::{head::Head, stored::Stored},
};

use super::{Materialised, columns};
use crate::{problem::Problem, set::LiveSet};

/// Builds, or finds, the file of the present state.
pub(super) fn build(
    kv: &dyn Kv,
    set: &LiveSet,
    public: &PublicFile,
    dir: &Path,
    current: Option<&Materialised>,
) -> Result<Materialised, Problem> {
    let snapshot = kv.snapshot()?;
    let head = Head::read(&*snapshot)?;
    let of = (head.epoch, head.sequence, fingerprint(public));
    if let Some(current) = current.filter(|current| current.of == of) {
        return Ok(current.clone());
    }
    let dir = dir.join(set.name.as_str());
    fs::create_dir_all(&dir).map_err(Problem::internal)?;
    if let Some(found) = find(&dir, of) {
        return Ok(found);
    }
    let aside = dir.join("building");
    let mut out = Hashed {
        file: BufWriter::with_capacity(1 << 20, File::create(&aside).map_err(Problem::internal)?),
        hash: Context::new(&SHA256),
        len: 0,
    };
    let columns = columns(set, public);
    let nodes: Vec<NodeId> = columns.iter().filter_map(|path| set.schema.node(path)).collect();
    let mut row = Vec::new();
    csv_out::write_row(&mut row, columns.iter().map(|path| path.to_lowercase()));
    out.write(&row)?;
    for pair in snapshot.scan(Table::Record, Range::default(), Direction::Forward)? {
        let (_, bytes) = pair?;
        let stored = Stored::read(bytes)?;
        row.clear();
        csv_out::write_row(&mut row, nodes.iter().map(|node| cell(set, stored.record, *node)));
        out.write(&row)?;
    }
    finish(out, &aside, &dir, of)
}

/// One cell: text as it is, numbers plain, lists and objects as JSON text, no value empty.
fn cell(set: &LiveSet, record: RecordRef<'_>, node: NodeId) -> Vec<u8> {
    let values = set.schema.values(record, node);
    let Some(raw) = values.first() else {
        return Vec::new();
    };
    if is_listed(set, node) {
        return [b"[", values.join(&b',').as_slice(), b"]"].concat();
    }
    match raw.first() {
        Some(b'"') => serde_json::from_slice::<String>(raw)
            .unwrap_or_default()
            .into_bytes(),
        _ => raw.to_vec(),
    }
}

/// A list, or inside one: the cell holds all its values.
fn is_listed(set: &LiveSet, node: NodeId) -> bool {
    let mut at = Some(node);
    while let Some(node) = at {
        if set.schema.nodes[node].list {
            return true;
        }
        at = set.schema.nodes[node].parent;
    }
    false
}

struct Hashed {
    file: BufWriter<File>,
    hash: Context,
    len: u64,
}

impl Hashed {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
        self.file.write_all(bytes).map_err(Problem::internal)
    }
}

fn finish(out: Hashed, aside: &Path, dir: &Path, of: (u32, u64, u64)) -> Result<Materialised, Problem> {
    let Hashed { file, hash, len } = out;
    let file = file
        .into_inner()
        .map_err(|error| Problem::internal(error.error()))?;
    file.sync_all().map_err(Problem::internal)?;
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(hash.finish().as_ref());
    let path = dir.join(name(of, &sha256));
    fs::rename(aside, &path).map_err(Problem::internal)?;
    Ok(Materialised {
        path,
        len,
        sha256,
        of,
    })
}

/// Older files go; a download that began keeps its own open.
pub(super) fn remove_others(kept: &Path) {
    for old in kept.parent().map(files).unwrap_or_default() {
        if old != kept {
            // Still there: it goes with the next one.
            let _ = fs::remove_file(old);
        }
    }
}

fn name(of: (u32, u64, u64), sha256: &[u8; 32]) -> String {
    let hex = crate::intake::hex(sha256);
    format!("{:08x}-{:016x}-{:016x}-{hex}.csv", of.0, of.1, of.2)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "csv"))
        .collect()
}

/// The file of this very state, from before a restart.
fn find(dir: &Path, of: (u32, u64, u64)) -> Option<Materialised> {
    let stem = format!("{:08x}-{:016x}-{:016x}-", of.0, of.1, of.2);
    let path = files(dir).into_iter().find(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(&stem))
    })?;
    let file_name = path.file_name()?.to_string_lossy().into_owned();
    let hex = file_name.strip_prefix(&stem)?.strip_suffix(".csv")?;
    let mut sha256 = [0; 32];
    for (byte, pair) in sha256.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    let len = fs::metadata(&path).ok()?.len();
    Some(Materialised {
        path,
        len,
        sha256,
        of,
    })
}

/// What the columns are, as a number: other columns make another file.
pub(super) fn fingerprint(public: &PublicFile) -> u64 {
    let text = format!("{:?}", public.fields);
    digest(&SHA256, text.as_bytes())
        .as_ref()
        .first_chunk::<8>()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
