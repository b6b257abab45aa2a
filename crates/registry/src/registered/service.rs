//! A service of an information system that is not a data set of ours: somebody else's interface.

use dagr_model::{definition::Classification, ids::SystemCode, web_address};
use serde::{Deserialize, Serialize};

use super::{Faults, Kept, MAX_TEXT, Refers, Resource, Statements, latest, statements};
use crate::Result;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub kind: ServiceKind,
    pub system: SystemCode,
    /// Code of the resource it gives out, of the same system.
    #[serde(default)]
    pub resource: Option<String>,
    pub title_lv: String,
    pub title_en: String,
    pub description: String,
    /// Where it answers.
    pub address: String,
    /// Where its description for machines is: OpenAPI, WSDL.
    #[serde(default)]
    pub interface: Option<String>,
    /// What one does to be let in.
    pub access: String,
    pub classification: Classification,
    pub state: ServiceState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceKind {
    /// Called by programs, at an address of its own.
    Api,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    InUse,
    Ended,
}

impl ServiceState {
    pub const ALL: [Self; 2] = [Self::InUse, Self::Ended];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::InUse => "in_use",
            Self::Ended => "ended",
        }
    }
}

impl Kept for Service {
    const WORD: &'static str = "service";
    const NOUN: &'static str = "services";
    const ACTION: &'static str = "service_put";
    const SQL: Statements = statements!("services");

    fn system(&self) -> &SystemCode {
        &self.system
    }

    fn check(&self, faults: &mut Faults) {
        faults.titles(&self.title_lv, &self.title_en);
        let check = &mut faults.0;
        check.text("description", &self.description, MAX_TEXT);
        let addresses = [
            ("address", Some(&self.address)),
            ("interface", self.interface.as_ref()),
        ];
        for (place, address) in addresses {
            check.require(
                address.is_none_or(|address| web_address::is_https(address)),
                place,
                "url",
                "must be an address that begins with https://, in letters of ASCII, without a name, a password or a `#`",
            );
        }
        check.text("access", &self.access, MAX_TEXT);
    }

    async fn refers(&self, refers: &mut Refers<'_>) -> Result<()> {
        let Some(code) = &self.resource else {
            return Ok(());
        };
        let found = latest::<Resource>(refers.conn, code).await?;
        let of_system = found.is_some_and(|found| found.described.system == self.system);
        refers
            .check
            .reference(of_system, "resource", "resource of this system");
        Ok(())
    }
}
