//! An export into an empty registry: all of it in one transaction, or nothing.
//!
//! The file is read twice: first for its form, so that every fault is named before anything is written; then for its
//! rows, where the database judges references and what must be unique.

mod line;

use std::path::Path;

use tokio::{
    fs::File,
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
};

use crate::{
    Registry, RegistryError,
    copy::Later,
    db::{Query, Tx},
    table::{self, Table},
};
use line::{Line, parse};

/// The longest line: a definition of 1 MiB and what stands beside it, all of it escaped.
const MAX_LINE: u64 = 32 << 20;
/// Faults that are named; more of them are only counted.
const MAX_FAULTS: usize = 100;

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{0}")]
    Registry(#[from] RegistryError),
    #[error("the export cannot be read: {0}")]
    Io(#[from] std::io::Error),
    #[error("the registry is not empty ({0}): import into a new instance")]
    NotEmpty(String),
    /// Nothing was written.
    #[error("nothing was imported:\n  {}", .0.join("\n  "))]
    Faults(Vec<String>),
}

#[derive(Default)]
struct Faults {
    named: Vec<String>,
    more: usize,
}

impl Faults {
    fn add(&mut self, number: u64, text: impl std::fmt::Display) {
        if self.named.len() < MAX_FAULTS {
            self.named.push(format!("line {number}: {text}"));
        } else {
            self.more += 1;
        }
    }

    fn done(mut self) -> Result<(), ImportError> {
        if self.named.is_empty() {
            return Ok(());
        }
        if self.more > 0 {
            self.named.push(format!("and {} more", self.more));
        }
        Err(ImportError::Faults(self.named))
    }
}

impl Registry {
    /// Answers how many rows. The registry must hold nothing, and holds nothing still when this fails.
    pub async fn import_from(&self, path: &Path) -> Result<u64, ImportError> {
        examine(path).await?;
        let mut tx = self.write().await?;
        let full = filled(&mut tx).await?;
        if !full.is_empty() {
            return Err(ImportError::NotEmpty(full.join(", ")));
        }
        let rows = fill(&mut tx, path).await?;
        tx.commit().await.map_err(RegistryError::from)?;
        Ok(rows)
    }
}

/// Tables that hold something.
async fn filled(tx: &mut Tx) -> Result<Vec<&'static str>, RegistryError> {
    let mut full = Vec::new();
    for table in table::all().iter().filter(|table| !table.is_preset()) {
        if table.any().fetch_optional(tx).await?.is_some() {
            full.push(table.name);
        }
    }
    Ok(full)
}

/// The lines of a file, one at a time.
struct Lines {
    file: BufReader<File>,
    text: Vec<u8>,
    number: u64,
}

impl Lines {
    async fn open(path: &Path) -> Result<Self, ImportError> {
        Ok(Self {
            file: BufReader::with_capacity(1 << 16, File::open(path).await?),
            text: Vec::new(),
            number: 0,
        })
    }

    async fn next(&mut self) -> Result<Option<Line<'_>>, ImportError> {
        self.text.clear();
        let mut bounded = (&mut self.file).take(MAX_LINE);
        let read = bounded.read_until(b'\n', &mut self.text).await?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.text.last() != Some(&b'\n') {
            let why = "ends in the middle, or is longer than 32 MiB: the file is not whole";
            let fault = format!("line {}: {why}", self.number);
            return Err(ImportError::Faults(vec![fault]));
        }
        Ok(Some(parse(self.number, &self.text)))
    }
}

/// The form of every line, and that head and end are where they belong.
async fn examine(path: &Path) -> Result<(), ImportError> {
    let mut lines = Lines::open(path).await?;
    let (mut faults, mut rows, mut at, mut ended) = (Faults::default(), 0, 0, false);
    while let Some(line) = lines.next().await? {
        if ended {
            faults.add(at + 1, "nothing may follow the end");
            break;
        }
        at += 1;
        match line {
            Line::Head(None) if at == 1 => {}
            // Of another format, nothing else can be judged.
            Line::Head(why) => {
                faults.add(
                    at,
                    why.unwrap_or_else(|| "a head stands only in the first line".to_owned()),
                );
                break;
            }
            _ if at == 1 => {
                faults.add(1, "no head: this is no export of a registry");
                break;
            }
            Line::Row(..) => rows += 1,
            Line::End(told) => {
                ended = true;
                if told != rows {
                    faults.add(at, format!("tells of {told} rows, and {rows} are there"));
                }
            }
            Line::Faulty(found) => {
                rows += 1;
                for fault in found {
                    faults.add(at, fault);
                }
            }
        }
    }
    if faults.named.is_empty() && !ended {
        faults.add(at + 1, "the end is missing: the file is not whole");
    }
    faults.done()
}

async fn fill(tx: &mut Tx, path: &Path) -> Result<u64, ImportError> {
    for table in table::all().iter().filter(|table| table.is_preset()) {
        table.clear().execute(tx).await.map_err(RegistryError::from)?;
    }
    let mut lines = Lines::open(path).await?;
    let (mut faults, mut later, mut rows) = (Faults::default(), Later::default(), 0);
    let mut number = 0;
    while let Some(line) = lines.next().await? {
        number += 1;
        if let Line::Row(table, mut values) = line {
            rows += 1;
            later.take(table, &mut values);
            insert(tx, table, table.insert(values), number, &mut faults).await?;
        }
    }
    faults.done()?;
    later.put(tx).await?;
    Ok(rows)
}

/// One row. A refusal is a fault of its line, and the next one is tried: the savepoint is what PostgreSQL needs for it.
async fn insert(
    tx: &mut Tx,
    table: &Table,
    row: Query<'_>,
    number: u64,
    faults: &mut Faults,
) -> Result<(), ImportError> {
    let postgres = tx.is_postgres();
    if postgres {
        tx.run("SAVEPOINT line").await.map_err(RegistryError::from)?;
    }
    match row.execute(tx).await {
        Ok(_) if postgres => tx
            .run("RELEASE SAVEPOINT line")
            .await
            .map_err(RegistryError::from)?,
        Ok(_) => {}
        Err(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => {
            faults.add(
                number,
                format!("{}: names something that no line before it makes", table.name),
            );
            undo(tx, postgres).await?;
        }
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            faults.add(number, format!("{}: is there already", table.name));
            undo(tx, postgres).await?;
        }
        Err(error) => return Err(RegistryError::from(error).into()),
    }
    Ok(())
}

async fn undo(tx: &mut Tx, postgres: bool) -> Result<(), ImportError> {
    if postgres {
        tx.run("ROLLBACK TO SAVEPOINT line; RELEASE SAVEPOINT line")
            .await
            .map_err(RegistryError::from)?;
    }
    Ok(())
}
