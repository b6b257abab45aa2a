//! Rows set aside while a package is read and applied: in files beside its stage, then in the quarantine table.
//!
//! A file holds frames: length (varint) and the value of a quarantine row, which is the encoded key with its
//! length (empty if it could not be read) and `{line, field, rule, reason}`.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use dagr_model::fault::Fault;
use dagr_store::{
    codec::{Reader, put_bytes, put_varint},
    kv::KvError,
};
use serde::{Deserialize, Serialize};

/// Rows of one package kept in quarantine; what is beyond is only counted.
pub const MAX_ROWS: u64 = 1_000_000;
/// Longest reason kept, in bytes.
const MAX_REASON: usize = 1_000;
const MAX_FRAME: u64 = 64 << 10;

/// One fault of one row, as the provider reads it. Never a value of the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AsideRow {
    pub line: u64,
    pub field: Option<String>,
    pub rule: String,
    pub reason: String,
}

impl AsideRow {
    pub fn new(line: u64, fault: &Fault) -> Self {
        let place = fault.place.as_str();
        let field = (!place.is_empty() && !place.starts_with("line ") && !place.starts_with("item "))
            .then_some(place);
        Self {
            line,
            field: field.map(|field| cut(field, 200)),
            rule: fault.rule.clone(),
            reason: cut(&fault.message, MAX_REASON),
        }
    }

    /// The same as the fault of a problem.
    pub fn fault(&self) -> Fault {
        let place = match &self.field {
            Some(field) => format!("line {}, {field}", self.line),
            None => format!("line {}", self.line),
        };
        Fault::new(place, &self.rule, &self.reason)
    }
}

fn cut(text: &str, most: usize) -> String {
    text[..text.floor_char_boundary(most)].to_owned()
}

/// Writes one of the files.
pub(super) struct AsideWriter {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    pub rows: u64,
    pub bytes: u64,
}

impl AsideWriter {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            file: None,
            rows: 0,
            bytes: 0,
        }
    }

    pub fn push(&mut self, key: &[u8], row: &AsideRow) -> Result<(), KvError> {
        self.rows += 1;
        if self.rows > MAX_ROWS {
            return Ok(());
        }
        let mut value = Vec::with_capacity(200);
        put_bytes(&mut value, key);
        serde_json::to_writer(&mut value, row).map_err(std::io::Error::other)?;
        let mut frame = Vec::with_capacity(value.len() + 3);
        put_bytes(&mut frame, &value);
        self.bytes += frame.len() as u64;
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(File::create(&self.path)?)),
        };
        Ok(file.write_all(&frame)?)
    }

    /// Begins again, empty.
    pub fn restart(&mut self) {
        *self = Self::new(std::mem::take(&mut self.path));
    }

    pub fn flush(&mut self) -> Result<(), KvError> {
        self.file.as_mut().map_or(Ok(()), |file| Ok(file.flush()?))
    }

    pub fn sync(&mut self) -> Result<(), KvError> {
        self.flush()?;
        self.file
            .as_ref()
            .map_or(Ok(()), |file| Ok(file.get_ref().sync_all()?))
    }
}

/// Gives every value of a file, in order. A file that is not there has none.
pub(super) fn each(path: &Path, visit: &mut dyn FnMut(&[u8]) -> Result<(), KvError>) -> Result<(), KvError> {
    let mut file = match File::open(path) {
        Ok(file) => BufReader::with_capacity(256 << 10, file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut value = Vec::new();
    while !file.fill_buf()?.is_empty() {
        let len = length(&mut file)?;
        value.resize(len as usize, 0);
        file.read_exact(&mut value)?;
        visit(&value)?;
    }
    Ok(())
}

fn length(file: &mut impl Read) -> Result<u64, KvError> {
    let mut bytes = Vec::with_capacity(4);
    loop {
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        bytes.push(byte[0]);
        if byte[0] & 0x80 == 0 || bytes.len() > 9 {
            break;
        }
    }
    Reader(&bytes)
        .varint()
        .filter(|len| *len <= MAX_FRAME)
        .ok_or_else(|| KvError::Corrupt("set-aside row".to_owned()))
}

/// Key and row of a stored value.
pub(super) fn read(value: &[u8]) -> Option<(&[u8], AsideRow)> {
    let mut reader = Reader(value);
    let key = reader.bytes()?;
    Some((key, serde_json::from_slice(reader.0).ok()?))
}

/// The same value without its key.
pub(super) fn without_key(value: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader(value);
    reader.bytes()?;
    let mut out = Vec::with_capacity(reader.0.len() + 1);
    put_varint(&mut out, 0);
    out.extend_from_slice(reader.0);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aside");
        let mut none = 0;
        each(&path, &mut |_| {
            none += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(none, 0);
        let mut writer = AsideWriter::new(path.clone());
        let first = AsideRow::new(7, &Fault::new("Code", "type", "x".repeat(5_000)));
        let second = AsideRow::new(8, &Fault::new("line 8", "json", "broken"));
        writer.push(b"k", &first).unwrap();
        writer.push(b"", &second).unwrap();
        writer.flush().unwrap();
        let mut rows = Vec::new();
        each(&path, &mut |value| {
            let (key, row) = read(value).unwrap();
            rows.push((key.to_vec(), row));
            let bare = without_key(value).unwrap();
            assert!(read(&bare).unwrap().0.is_empty());
            Ok(())
        })
        .unwrap();
        assert_eq!(rows, [(b"k".to_vec(), first), (Vec::new(), second)]);
        assert_eq!(rows[0].1.fault().place, "line 7, Code");
        assert_eq!(
            (rows[0].1.reason.len(), rows[1].1.field.as_deref()),
            (MAX_REASON, None)
        );
    }
}
