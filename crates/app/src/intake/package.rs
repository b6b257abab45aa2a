//! What is kept of a package: its row in the data set's store, and how a provider sees it.

use std::fmt::Write as _;

use dagr_formats::{MediaType, ReadAs};
use dagr_model::ids::Sequence;
use dagr_store::{
    kv::{KvError, Snapshot, Table},
    set::{apply::Mode, head::Head, keys},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::problem::Problem;

const FORMAT: u8 = 1;
/// Longest id of a package, in characters.
const MAX_ID: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Applied,
    /// The guard waits for the provider's word.
    Held,
    /// By the provider, or outdated. The id is free again.
    Rejected,
}

/// One package as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PackageRow {
    pub format: u8,
    pub package_id: String,
    /// Its place among the data set's packages.
    pub order: u64,
    pub state: State,
    pub facts: Facts,
    pub receipt: Option<Value>,
    pub held: Option<Held>,
    /// Of a rejected one: nobody decided against it, it could not be applied any more.
    #[serde(default)]
    pub outdated: bool,
}

/// What is known of a package once its body has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// SHA-256 of the decoded body, hex.
    pub digest: String,
    pub snapshot: bool,
    /// `{media_type, charset, delimiter}`.
    pub read_as: Value,
    pub received_ms: i64,
    /// Rows set aside while reading.
    pub quarantined: u64,
    /// Made by the platform, not delivered.
    #[serde(default)]
    pub generated: bool,
}

/// What a held package waits with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    pub would_delete: u64,
    /// The data set it was compared with.
    pub sequence: Sequence,
    pub epoch: u32,
    /// Directory of its stage.
    pub stage: String,
}

impl Facts {
    pub fn new(digest: &[u8; 32], mode: Mode, read_as: &ReadAs, received_ms: i64, quarantined: u64) -> Self {
        Self {
            digest: hex(digest),
            snapshot: mode == Mode::Snapshot,
            read_as: serde_json::to_value(read_as).unwrap_or_default(),
            received_ms,
            quarantined,
            generated: false,
        }
    }

    pub fn generated(self, generated: bool) -> Self {
        Self { generated, ..self }
    }

    pub fn mode(&self) -> Mode {
        if self.snapshot {
            Mode::Snapshot
        } else {
            Mode::Delta
        }
    }

    pub fn is_csv(&self) -> bool {
        self.read_as["media_type"]
            .as_str()
            .and_then(MediaType::parse)
            .is_some_and(|(media, _)| media == MediaType::Csv)
    }
}

impl PackageRow {
    pub fn new(package_id: &str, order: u64, state: State, facts: Facts) -> Self {
        Self {
            format: FORMAT,
            package_id: package_id.to_owned(),
            order,
            state,
            facts,
            receipt: None,
            held: None,
            outdated: false,
        }
    }

    pub fn read(snapshot: &dyn Snapshot, id: &str) -> Result<Option<Self>, KvError> {
        let bytes = snapshot.get(Table::Package, &keys::package(id))?;
        bytes
            .map(|bytes| serde_json::from_slice(bytes).map_err(|_| damaged()))
            .transpose()
    }

    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// `{package_id, state, receipt?, would_delete?, outdated?}`.
    pub fn view(&self) -> Value {
        let mut view = json!({ "package_id": self.package_id, "state": self.state });
        if let Some(receipt) = &self.receipt {
            view["receipt"] = receipt.clone();
        }
        if let Some(held) = self.held.as_ref().filter(|_| self.state == State::Held) {
            view["would_delete"] = json!(held.would_delete);
        }
        if self.outdated {
            view["outdated"] = json!(true);
        }
        view
    }
}

/// Whether all that a set holds was generated: the package applied last replaced everything, in this epoch, and was the
/// platform's. The order of rows is that of their arrival: a held one is applied later.
pub(crate) fn generated_only(snapshot: &dyn Snapshot, head: &Head) -> Result<bool, KvError> {
    let Some(last) = &head.last_package else {
        return Ok(false);
    };
    let Some(row) = PackageRow::read(snapshot, last)? else {
        return Ok(false);
    };
    let of_epoch = row
        .receipt
        .as_ref()
        .is_some_and(|receipt| receipt["epoch"] == head.epoch);
    Ok(row.facts.generated && row.facts.snapshot && of_epoch)
}

pub(super) fn damaged() -> KvError {
    KvError::Corrupt("package row".to_owned())
}

/// 1 to 200 printable ASCII characters other than `/`.
pub(super) fn check_id(id: &str) -> Result<(), Problem> {
    let fits = (1..=MAX_ID).contains(&id.len())
        && id.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'/');
    if fits {
        return Ok(());
    }
    let message = format!("a package id has 1 to {MAX_ID} printable ASCII characters and no /");
    Err(Problem::invalid(vec![dagr_model::fault::Fault::new(
        "package_id",
        "package_id",
        message,
    )]))
}

pub(super) fn package_unknown() -> Problem {
    Problem::new(
        404,
        "package_unknown",
        "no package of this id is known; one that was refused leaves nothing",
    )
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            // Writing to a string does not fail.
            let _ = write!(out, "{byte:02x}");
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_printable_and_short() {
        for id in ["1", "2024-01-01 full", &"x".repeat(200)] {
            assert_eq!(check_id(id), Ok(()), "{id}");
        }
        for id in ["", "a/b", "ā", "a\n", &"x".repeat(201)] {
            assert_eq!(check_id(id).unwrap_err().status, 422, "{id}");
        }
    }
}
