//! Who plays in the story: the recipients, their permissions, and the people and the enterprise it is about.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::nation::{Enterprise, Nation, Person, RegisterName};

/// A recipient's institution, system and connection.
#[derive(Debug, Clone, Copy)]
pub struct Recipient {
    pub number: &'static str,
    pub name: &'static str,
    pub system: &'static str,
    pub client_id: &'static str,
    /// Shell variable of its token.
    pub variable: &'static str,
}

pub const MUNICIPALITY: Recipient = Recipient {
    number: "90000000812",
    name: "Rīgas valstspilsētas pašvaldība",
    system: "RIGA",
    client_id: "riga",
    variable: "RIGA",
};
pub const BANK: Recipient = Recipient {
    number: "40000000916",
    name: "AS „Demo banka”",
    system: "BANKA",
    client_id: "banka",
    variable: "BANKA",
};
pub const RESEARCHER: Recipient = Recipient {
    number: "90000001020",
    name: "Pētniecības institūts",
    system: "INSTITUTS",
    client_id: "instituts",
    variable: "INSTITUTS",
};
pub const RECIPIENTS: [Recipient; 3] = [MUNICIPALITY, BANK, RESEARCHER];

/// Rīga and Jūrmala.
pub const HERE: &str = "0001000";
pub const ELSEWHERE: &str = "0004000";

pub const RESIDENTS: &str = "residents";
pub const CUSTOMERS: &str = "customers";
pub const BANK_ENTERPRISES: &str = "enterprises-bank";
pub const RESEARCH_ENTERPRISES: &str = "enterprises-research";
pub const PERMISSIONS: [&str; 4] = [RESIDENTS, CUSTOMERS, BANK_ENTERPRISES, RESEARCH_ENTERPRISES];

/// What a permission of the story says.
pub fn permission(name: &str) -> Value {
    let common = |dataset: &str, recipient: Recipient, purpose: &str, legal_basis: &str| {
        json!({
            "dataset": dataset, "recipient": recipient.number, "environment": "main",
            "purpose": purpose, "legal_basis": legal_basis,
        })
    };
    let (mut body, more) = match name {
        RESIDENTS => (
            common(
                "fpr_person",
                MUNICIPALITY,
                "Pašvaldības iedzīvotāju uzskaite",
                "Pašvaldību likums, 4. pants",
            ),
            json!({
                "fields": ["PersonCode", "Name", "Surname", "Status", "AddressCode", "MunicipalityCode"],
                "scope": { "when": format!("record.MunicipalityCode == '{HERE}'") },
                "ways": ["key", "changes"],
            }),
        ),
        CUSTOMERS => (
            common(
                "fpr_person",
                BANK,
                "Klienta pārbaude",
                "Kredītiestāžu likums, 71. pants",
            ),
            json!({ "fields": ["PersonCode", "Name", "Surname", "Status"], "ways": ["key"], "quota": 3 }),
        ),
        BANK_ENTERPRISES => (
            common(
                "ur_enterprise",
                BANK,
                "Klienta izpēte",
                "Noziedzīgi iegūtu līdzekļu legalizācijas novēršanas likums, 11. pants",
            ),
            json!({ "fields": "all", "ways": ["key", "changes"] }),
        ),
        _ => (
            common(
                "ur_enterprise",
                RESEARCHER,
                "Pētījums par uzņēmējdarbību",
                "Statistikas likums, 19. pants",
            ),
            json!({
                "fields": ["RegistrationNumber", "Name", "Form", "Status", "RegisteredOn", "TerminatedOn",
                    "MunicipalityCode", "NaceCode", "Activity", "ShareCapital"],
                "ways": ["key", "changes"],
            }),
        ),
    };
    for (member, value) in more.as_object().into_iter().flatten() {
        body[member] = value.clone();
    }
    body
}

/// Names of the institutions by registration number.
pub fn names() -> BTreeMap<&'static str, &'static str> {
    let recipients = RECIPIENTS.map(|recipient| (recipient.number, recipient.name));
    let providers =
        super::nation::REGISTERS.map(|register| (register.provider_number, register.provider_name));
    recipients.into_iter().chain(providers).collect()
}

/// People and an enterprise of this nation that fit the story.
pub struct Cast {
    /// An officer of the enterprise who lives here.
    pub citizen: Person,
    pub enterprise: Enterprise,
    /// Stays in town; another address.
    pub mover: Person,
    /// Goes elsewhere.
    pub leaver: Person,
    /// Lives elsewhere.
    pub stranger: Person,
}

impl Cast {
    pub fn of(nation: &Nation) -> Self {
        let (enterprise, citizen) = officer_here(nation).unwrap_or_else(|| nation.enterprise_with_officers());
        let mut others = nation
            .residents(HERE)
            .filter(|person| person.code != citizen.code);
        let mover = others.next().unwrap_or_else(|| nation.person(0));
        let leaver = others
            .find(|person| person.address_code != mover.address_code)
            .unwrap_or_else(|| nation.person(1));
        let stranger = nation
            .residents(ELSEWHERE)
            .next()
            .unwrap_or_else(|| nation.person(2));
        Self {
            citizen,
            enterprise,
            mover,
            leaver,
            stranger,
        }
    }

    /// Package lines of the persons' changes; every second telling takes the first's back.
    pub fn moves(&self, nation: &Nation, back: bool) -> String {
        let original = |person: &Person| line(nation, RegisterName::Persons, person.index);
        if back {
            return original(&self.mover) + &original(&self.leaver);
        }
        let moved = Nation::upsert_line(&nation.moved(self.mover.index));
        let left = nation
            .moved_to(self.leaver.index, ELSEWHERE)
            .map(|record| Nation::upsert_line(&record));
        moved + &left.unwrap_or_default()
    }

    /// The package line by which the last officer goes, or comes back.
    pub fn officers_changed(&self, nation: &Nation, back: bool) -> String {
        let original = line(nation, RegisterName::Enterprises, self.enterprise.number);
        if back {
            return original;
        }
        let Ok(mut change) = serde_json::from_str::<Value>(&original) else {
            return original;
        };
        if let Some(officers) = change["record"]["Officers"].as_array_mut() {
            officers.pop();
        }
        format!("{change}\n")
    }
}

fn line(nation: &Nation, register: RegisterName, number: u64) -> String {
    let mut out = Vec::new();
    nation.write(register, number, number + 1, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn officer_here(nation: &Nation) -> Option<(Enterprise, Person)> {
    (0..nation.count(RegisterName::Enterprises))
        .map(|number| nation.enterprise(number))
        .filter(|enterprise| enterprise.active && enterprise.officers.len() >= 2)
        .find_map(|enterprise| {
            let person = nation.person(enterprise.officers.first()?.person);
            (person.municipality_code == HERE).then_some((enterprise, person))
        })
}
