//! What a caller sends to grant or amend.

use dagr_model::{
    ids::{DatasetName, PermissionNumber, RegistrationNumber, Section},
    permission::{Permission, PermissionState, QuotaUnit, Scope, Way},
};
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::row::given;

/// `"all"`, or the fields named. Resolved to leaf paths by whoever knows the definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fields {
    All,
    Named(Vec<String>),
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Named(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Word(String),
            Names(Vec<String>),
        }
        match Form::deserialize(deserializer) {
            Ok(Form::Word(word)) if word == "all" => Ok(Self::All),
            Ok(Form::Names(names)) => Ok(Self::Named(names)),
            _ => Err(D::Error::custom(
                "`fields` must be \"all\" or a list of field names",
            )),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermissionCreate {
    pub dataset: DatasetName,
    pub recipient: RegistrationNumber,
    pub environment: Section,
    pub purpose: String,
    pub legal_basis: String,
    pub fields: Fields,
    #[serde(default)]
    pub scope: Option<Scope>,
    pub ways: Vec<Way>,
    #[serde(default)]
    pub quota: Option<u64>,
    /// Null is `call`.
    #[serde(default)]
    pub quota_unit: Option<QuotaUnit>,
    #[serde(default)]
    pub rate_per_second: Option<u32>,
    #[serde(default)]
    pub misses_per_hour: Option<u32>,
    #[serde(default)]
    pub valid_from: Option<Date>,
    #[serde(default)]
    pub valid_to: Option<Date>,
    /// Null is `false`.
    #[serde(default)]
    pub case_required: Option<bool>,
}

impl PermissionCreate {
    /// The permission it asks for, active, in revision 1.
    pub fn granted(&self, number: PermissionNumber, fields: Vec<String>) -> Permission {
        Permission {
            number,
            dataset: self.dataset.clone(),
            recipient: self.recipient.clone(),
            environment: self.environment,
            purpose: self.purpose.clone(),
            legal_basis: self.legal_basis.clone(),
            fields,
            scope: self.scope.clone(),
            ways: self.ways.clone(),
            quota: self.quota,
            quota_unit: self.quota_unit.unwrap_or_default(),
            rate_per_second: self.rate_per_second,
            misses_per_hour: self.misses_per_hour,
            valid_from: self.valid_from,
            valid_to: self.valid_to,
            case_required: self.case_required.unwrap_or_default(),
            state: PermissionState::Active,
            revision: 1,
        }
    }
}

/// Merge-patch. Data set, recipient and environment are fixed: for others another permission is granted.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermissionPatch {
    #[serde(default, deserialize_with = "given")]
    pub purpose: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub legal_basis: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub fields: Option<Fields>,
    #[serde(default, deserialize_with = "given")]
    pub scope: Option<Option<Scope>>,
    #[serde(default, deserialize_with = "given")]
    pub ways: Option<Vec<Way>>,
    #[serde(default, deserialize_with = "given")]
    pub quota: Option<Option<u64>>,
    #[serde(default, deserialize_with = "given")]
    pub quota_unit: Option<Option<QuotaUnit>>,
    #[serde(default, deserialize_with = "given")]
    pub rate_per_second: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given")]
    pub misses_per_hour: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given")]
    pub valid_from: Option<Option<Date>>,
    #[serde(default, deserialize_with = "given")]
    pub valid_to: Option<Option<Date>>,
    #[serde(default, deserialize_with = "given")]
    pub case_required: Option<Option<bool>>,
}

impl PermissionPatch {
    /// The permission as it would be. `fields`: the leaf paths that `self.fields` means today, if it is given.
    pub fn applied(&self, to: &Permission, fields: Option<Vec<String>>) -> Permission {
        let to = to.clone();
        Permission {
            purpose: self.purpose.clone().unwrap_or(to.purpose),
            legal_basis: self.legal_basis.clone().unwrap_or(to.legal_basis),
            fields: fields.unwrap_or(to.fields),
            scope: self.scope.clone().unwrap_or(to.scope),
            ways: self.ways.clone().unwrap_or(to.ways),
            quota: self.quota.unwrap_or(to.quota),
            quota_unit: self.quota_unit.map_or(to.quota_unit, Option::unwrap_or_default),
            rate_per_second: self.rate_per_second.unwrap_or(to.rate_per_second),
            misses_per_hour: self.misses_per_hour.unwrap_or(to.misses_per_hour),
            valid_from: self.valid_from.unwrap_or(to.valid_from),
            valid_to: self.valid_to.unwrap_or(to.valid_to),
            case_required: self
                .case_required
                .map_or(to.case_required, Option::unwrap_or_default),
            ..to
        }
    }
}
