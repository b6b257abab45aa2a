//! The copy of a data set in memory: one file of `table, key length, value length, key, value`.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use super::Tables;
use crate::kv::{KvError, Table};

const FILE: &str = "memory.bin";
const MAGIC: &[u8] = b"dagr-memory 1\n";

pub(super) fn write(tables: &Tables, to: &Path) -> Result<(), KvError> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::create_dir(to)?;
    let mut file = BufWriter::new(fs::File::create_new(to.join(FILE))?);
    file.write_all(MAGIC)?;
    for table in Table::ALL {
        for (key, value) in tables.of(table) {
            file.write_all(&[table as u8])?;
            file.write_all(&(key.len() as u32).to_le_bytes())?;
            file.write_all(&(value.len() as u32).to_le_bytes())?;
            file.write_all(key)?;
            file.write_all(value)?;
        }
    }
    file.into_inner()
        .map_err(std::io::IntoInnerError::into_error)?
        .sync_all()?;
    Ok(())
}

pub(super) fn read(from: &Path) -> Result<Tables, KvError> {
    let bytes = fs::read(from.join(FILE))?;
    let mut rest = bytes.strip_prefix(MAGIC).ok_or_else(cut)?;
    let mut tables = Tables::default();
    while let Some((number, after)) = rest.split_first() {
        let entries = tables.0.get_mut(usize::from(*number)).ok_or_else(cut)?;
        let (key_len, after) = length(after)?;
        let (value_len, after) = length(after)?;
        let (key, after) = after.split_at_checked(key_len).ok_or_else(cut)?;
        let (value, after) = after.split_at_checked(value_len).ok_or_else(cut)?;
        Arc::make_mut(entries).insert(key.into(), value.into());
        rest = after;
    }
    Ok(tables)
}

fn length(bytes: &[u8]) -> Result<(usize, &[u8]), KvError> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
    Ok((u32::from_le_bytes(*length) as usize, rest))
}

fn cut() -> KvError {
    KvError::Corrupt("the copy is cut or not one of this engine".to_owned())
}
