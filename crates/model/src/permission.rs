//! A permission: fields × persons or rows × purpose × legal basis × quota × validity.

use std::borrow::Cow;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ids::{DatasetName, PermissionNumber, RegistrationNumber, Section};

/// One permission as granted. Enforced on every channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Permission {
    pub number: PermissionNumber,
    pub dataset: DatasetName,
    pub recipient: RegistrationNumber,
    pub environment: Section,
    pub purpose: String,
    pub legal_basis: String,
    /// Resolved leaf paths in definition order (`all` and structured fields are resolved when granted).
    pub fields: Vec<String>,
    pub scope: Option<Scope>,
    /// `key`, `index:A` (or `index:A,B`), `changes`, `list:NAME`, `bulk`, `history`.
    pub ways: Vec<Way>,
    pub quota: Option<u64>,
    pub quota_unit: QuotaUnit,
    pub rate_per_second: Option<u32>,
    pub misses_per_hour: Option<u32>,
    pub valid_from: Option<Date>,
    pub valid_to: Option<Date>,
    pub case_required: bool,
    pub state: PermissionState,
    /// Grows only when fields, scope or ways change.
    pub revision: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Scope {
    /// Full keys or leading parts; values as JSON, in key order.
    Keys(Vec<Vec<serde_json::Value>>),
    /// CEL over `record`.
    When(String),
}

/// How a permission may be used. Text form: `key`, `index:Surname`, `changes`, `list:died`, `bulk`, `history`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Way {
    Key,
    /// Field names of the index joined with `,`.
    Index(String),
    Changes,
    List(String),
    Bulk,
    History,
}

impl Way {
    /// As an application, a permission and an entry write it.
    pub fn text(&self) -> Cow<'static, str> {
        match self {
            Self::Key => "key".into(),
            Self::Index(name) => format!("index:{name}").into(),
            Self::Changes => "changes".into(),
            Self::List(name) => format!("list:{name}").into(),
            Self::Bulk => "bulk".into(),
            Self::History => "history".into(),
        }
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

impl std::str::FromStr for Way {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "key" => Ok(Self::Key),
            "changes" => Ok(Self::Changes),
            "bulk" => Ok(Self::Bulk),
            "history" => Ok(Self::History),
            _ => match text.split_once(':') {
                Some(("index", name)) if !name.is_empty() => Ok(Self::Index(name.to_owned())),
                Some(("list", name)) if !name.is_empty() => Ok(Self::List(name.to_owned())),
                _ => Err(format!(
                    "unknown way {text:?}: write key, index:FIELD, changes, list:NAME, bulk or history"
                )),
            },
        }
    }
}

impl Serialize for Way {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Way {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuotaUnit {
    #[default]
    Call,
    Record,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PermissionState {
    Active,
    Suspended,
    Revoked,
}
