//! What a person may do for an institution.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A role is held by a person in one institution. Nobody acts for two institutions at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Signs for the institution and gives its other roles.
    Head,
    /// Answers for the institution's data: applies and decides.
    DataManager,
    /// Reads applications for their law: returns them or passes them on.
    LegalReviewer,
    TechnicalContact,
    /// Keeps the platform. Only of the platform's own keeper.
    Operator,
    DataProtectionOfficer,
    Auditor,
}

impl Role {
    pub const ALL: [Self; 7] = [
        Self::Head,
        Self::DataManager,
        Self::LegalReviewer,
        Self::TechnicalContact,
        Self::Operator,
        Self::DataProtectionOfficer,
        Self::Auditor,
    ];

    /// As it is written in bodies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::DataManager => "data_manager",
            Self::LegalReviewer => "legal_reviewer",
            Self::TechnicalContact => "technical_contact",
            Self::Operator => "operator",
            Self::DataProtectionOfficer => "data_protection_officer",
            Self::Auditor => "auditor",
        }
    }

    /// Whoever holds it reaches every institution: giving it takes two people.
    pub fn widens_operation(self) -> bool {
        self == Self::Operator
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `head or data_manager`: for messages.
pub fn either(roles: &[Role]) -> String {
    roles
        .iter()
        .map(|role| role.as_str())
        .collect::<Vec<_>>()
        .join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_written_one_way() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert_eq!(either(&[Role::Head, Role::DataManager]), "head or data_manager");
    }
}
