//! Typed ids: a data set's name is not a client id.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(text.as_ref().into())
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id!(
    /// A data set's name: lower-case letters, digits and `_`.
    DatasetName
);
text_id!(
    /// A connection's technical name.
    ClientId
);
text_id!(
    /// An institution's registration number (11 digits for Latvian ones).
    RegistrationNumber
);
text_id!(
    /// An information system's code.
    SystemCode
);
text_id!(
    /// A permission's number as recipients send it.
    PermissionNumber
);
text_id!(
    /// The id a provider gives one delivery.
    PackageId
);
text_id!(
    /// The id of one request, ours or the caller's.
    RequestId
);
text_id!(
    /// An application's number, in digits.
    ApplicationNumber
);
text_id!(
    /// A plan's number, in digits.
    PlanNumber
);

/// A person as the registry and its trail name one: a number that says nothing about anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub i64);

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "person:{}", self.0)
    }
}

/// Where a data set is served: tried (`sandbox`) or relied on (`main`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Section {
    Main,
    Sandbox,
}

impl Section {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Sandbox => "sandbox",
        }
    }
}

impl FromStr for Section {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "main" => Ok(Self::Main),
            "sandbox" => Ok(Self::Sandbox),
            _ => Err(()),
        }
    }
}

/// Position in the gap-free order of one data set's changes; the first change is 1.
pub type Sequence = u64;
