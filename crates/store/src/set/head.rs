//! What is true of a data set as a whole. Written last in every bulk: moving it publishes the package.

use dagr_model::{digest::SetDigest, ids::Sequence};
use serde::{Deserialize, Serialize};

use super::{corrupt, keys};
use crate::kv::{KvError, Snapshot, Table};

/// Version of the layouts in this module's tables.
pub const FORMAT: u8 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub format: u8,
    /// The last change; 0 = none yet.
    pub sequence: Sequence,
    /// Raised by a restore and whenever a definition empties the set: cursors of an older epoch expire.
    pub epoch: u32,
    /// The version of the definition the records are of. None: written before this was kept.
    #[serde(default)]
    pub definition: Option<u32>,
    pub records: u64,
    /// Lower-case hex of the data set's digest.
    pub digest: String,
    /// The newest purged tombstone.
    pub floor: Sequence,
    /// How long deletes are remembered here, in days. None: written before this was kept.
    #[serde(default)]
    pub remembers_days: Option<u32>,
    /// Deletes before this are forgotten, or may be though they would be remembered now, milliseconds.
    #[serde(default)]
    pub forgotten_ms: i64,
    /// When the last package was applied, milliseconds.
    pub applied_ms: Option<i64>,
    pub last_package: Option<String>,
    /// Packages ever entered: the next one's order.
    pub packages: u64,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            format: FORMAT,
            sequence: 0,
            epoch: 1,
            definition: None,
            records: 0,
            digest: SetDigest::default().hex(),
            floor: 0,
            remembers_days: None,
            forgotten_ms: 0,
            applied_ms: None,
            last_package: None,
            packages: 0,
        }
    }
}

impl Head {
    pub fn read(snapshot: &dyn Snapshot) -> Result<Self, KvError> {
        let Some(bytes) = snapshot.get(Table::Meta, keys::HEAD)? else {
            return Ok(Self::default());
        };
        let head: Self = serde_json::from_slice(bytes).map_err(|_| corrupt("head"))?;
        if head.format > FORMAT {
            return Err(KvError::Engine(format!(
                "data set format {} is newer than this program's {FORMAT}; run a newer dagr",
                head.format
            )));
        }
        Ok(head)
    }

    /// The data set's digest as a number; `None` = damaged.
    pub fn set_digest(&self) -> Option<SetDigest> {
        let hex = self.digest.as_bytes();
        let mut digest = SetDigest::default();
        for (byte, pair) in digest.0.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        (hex.len() == 64).then_some(digest)
    }

    /// From now on deletes are remembered for so many days. What was forgotten by then is not remembered again.
    pub fn remember(&mut self, days: u32, now_ms: i64) {
        if let Some(had) = self.remembers_days.filter(|had| *had < days) {
            self.forgotten_ms = self.forgotten_ms.max(now_ms - i64::from(had) * 86_400_000);
        }
        self.remembers_days = Some(days);
    }

    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}
