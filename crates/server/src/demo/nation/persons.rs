//! The register of natural persons, and what happens to one of them.

use super::addresses::{Address, MUNICIPALITIES};
use super::calendar::{Day, TODAY};
use super::families::{Individual, Marital, NOBODY};
use super::json::Fields;
use super::names::{Sex, decline, given, surname};
use super::random::{SplitMix64, Topic};
use super::{Nation, codes};

/// One person in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Number in the nation, `0..persons`.
    pub index: u64,
    pub code: String,
    pub name: String,
    pub surname: String,
    pub sex: Sex,
    pub born: Day,
    /// `None` for the living.
    pub died: Option<Day>,
    /// Key in the address set.
    pub address_code: String,
    pub municipality_code: &'static str,
    pub municipality: &'static str,
    /// Numbers of mother and father, where the register knows them.
    pub mother: Option<u64>,
    pub father: Option<u64>,
    /// Number of the husband or wife, of the living and married only.
    pub spouse: Option<u64>,
}

/// What differs from the person's first record.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// Moved to a dwelling.
    Moved(u64),
    Died,
    /// The spouse died.
    Widowed,
}

impl Nation {
    /// The person of a number; numbers beyond the last count from the start again.
    pub fn person(&self, index: u64) -> Person {
        let number = (index % self.persons()) as u32;
        let person = self.individual(number);
        let dwelling = self.dwelling(person);
        let municipality = self.addresses.municipality(dwelling);
        Person {
            index: u64::from(number),
            code: String::from_utf8_lossy(&self.person_code(number)).into_owned(),
            name: given_name(person).to_owned(),
            surname: family_name(person),
            sex: person.sex(),
            born: person.born,
            died: (!person.alive()).then_some(person.died),
            address_code: self.addresses.code(dwelling).to_string(),
            municipality_code: municipality.code,
            municipality: municipality.name,
            mother: known(person.mother),
            father: known(person.father),
            spouse: self.spouse(person).and_then(known),
        }
    }

    /// The address a person lives at.
    pub fn address_of(&self, index: u64) -> Address {
        self.addresses
            .address(self.dwelling(self.individual((index % self.persons()) as u32)))
    }

    /// Living grown-ups who live in the municipality of this code, in the order of their numbers.
    pub fn residents<'a>(&'a self, municipality_code: &'a str) -> impl Iterator<Item = Person> + 'a {
        (0..self.persons() as u32).filter_map(move |number| {
            let person = self.individual(number);
            let here = self.is_grown_up(number)
                && self.addresses.municipality(self.dwelling(person)).code == municipality_code;
            here.then(|| self.person(u64::from(number)))
        })
    }

    /// Codes and names of the 43 municipalities.
    pub fn municipalities() -> &'static [super::Municipality] {
        MUNICIPALITIES
    }

    /// The record of a person who moved, as JSON: another dwelling in the same municipality where there is one.
    pub fn moved(&self, index: u64) -> String {
        let number = (index % self.persons()) as u32;
        let home = self.dwelling(self.individual(number));
        let municipality = self.addresses.municipality(home).code;
        let mut random = SplitMix64::of(self.seed, Topic::Change, u64::from(number));
        let near = |random: &mut SplitMix64| {
            let dwelling = (home + 1 + random.below(40)) % self.addresses.count;
            (dwelling != home && self.addresses.municipality(dwelling).code == municipality)
                .then_some(dwelling)
        };
        let to = (0..16)
            .find_map(|_| near(&mut random))
            .unwrap_or((home + 1) % self.addresses.count);
        self.record(number, Event::Moved(to))
    }

    /// The record of a person who moved to the municipality of this code, as JSON; `None` if there is no such.
    pub fn moved_to(&self, index: u64, municipality_code: &str) -> Option<String> {
        let to = (0..self.addresses.count)
            .find(|dwelling| self.addresses.municipality(*dwelling).code == municipality_code)?;
        Some(self.record((index % self.persons()) as u32, Event::Moved(to)))
    }

    /// The record of a person who died today, as JSON. The spouse's record changes too: see [`Self::widowed`].
    pub fn died(&self, index: u64) -> String {
        self.record((index % self.persons()) as u32, Event::Died)
    }

    /// The record of the spouse whom this person's death leaves, as JSON.
    pub fn widowed(&self, index: u64) -> Option<String> {
        let spouse = self.spouse(self.individual((index % self.persons()) as u32))?;
        Some(self.record(spouse, Event::Widowed))
    }

    fn record(&self, number: u32, event: Event) -> String {
        let mut out = Vec::new();
        self.write_person(number, Some(event), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    pub(super) fn individual(&self, number: u32) -> &Individual {
        &self.population.people[number as usize]
    }

    pub(super) fn is_grown_up(&self, number: u32) -> bool {
        let person = self.individual(number);
        person.alive() && person.born.years_until(TODAY) >= 18
    }

    pub(super) fn dwelling(&self, person: &Individual) -> u64 {
        (u64::from(person.household) * self.dwelling_step + self.seed % 1_000_003) % self.addresses.count
    }

    pub(super) fn person_code(&self, number: u32) -> [u8; 11] {
        let person = self.individual(number);
        let old = if person.has_new_code() {
            None
        } else {
            codes::old_form(person.born, person.serial)
        };
        old.unwrap_or_else(|| {
            // The step shares no factor with 10⁹, so each number of a person gives another code.
            let offset = SplitMix64::of(self.seed, Topic::NewCode, 0).below(1_000_000_000);
            codes::new_form((u64::from(number) * 618_033_989 + offset) % 1_000_000_000)
        })
    }

    /// Husband or wife, while both live.
    fn spouse(&self, person: &Individual) -> Option<u32> {
        let married = person.marital() == Marital::Married && person.partner != NOBODY && person.alive();
        (married && self.individual(person.partner).alive()).then_some(person.partner)
    }

    pub(super) fn write_person(&self, number: u32, event: Option<Event>, out: &mut Vec<u8>) {
        let person = self.individual(number);
        let died = if matches!(event, Some(Event::Died)) {
            TODAY
        } else {
            person.died
        };
        let dwelling = match event {
            Some(Event::Moved(dwelling)) => dwelling,
            _ => self.dwelling(person),
        };
        let mut record = Fields::begin(out);
        record.code("PersonCode", &self.person_code(number));
        name_fields(&mut record, person);
        record.text("Sex", if person.sex() == Sex::Female { "F" } else { "M" });
        record.date("BornOn", person.born);
        record.text("Status", if died.is_none() { "alive" } else { "dead" });
        record.date("DiedOn", died);
        record.text(
            "Citizenship",
            ["LVA", "LVN", "UKR", "LTU"][usize::from(person.citizenship())],
        );
        if died.is_none() {
            record.code(
                "AddressCode",
                self.addresses.code(dwelling).to_string().as_bytes(),
            );
            record.text("MunicipalityCode", self.addresses.municipality(dwelling).code);
            self.family_state(&mut record, person, event);
        }
        let parents = [(person.mother, "mother"), (person.father, "father")];
        record.list(
            "Parents",
            parents.into_iter().filter(|(parent, _)| *parent != NOBODY),
            |entry, (parent, role)| {
                entry.code("PersonCode", &self.person_code(parent));
                entry.text("Role", role);
            },
        );
        record.end();
    }

    fn family_state(&self, record: &mut Fields<'_>, person: &Individual, event: Option<Event>) {
        if person.born.years_until(TODAY) < 18 {
            return;
        }
        let spouse = self
            .spouse(person)
            .filter(|_| !matches!(event, Some(Event::Widowed)));
        let state = match (person.marital(), spouse) {
            (Marital::Married, Some(_)) => "married",
            (Marital::Married, None) | (Marital::Widowed, _) => "widowed",
            (Marital::Divorced, _) => "divorced",
            (Marital::Single, _) => "single",
        };
        record.text("MaritalStatus", state);
        if let Some(spouse) = spouse {
            record.code("SpouseCode", &self.person_code(spouse));
        }
    }
}

/// `Name` and `Surname`, as several registers repeat them.
pub(super) fn name_fields(record: &mut Fields<'_>, person: &Individual) {
    record.text("Name", given_name(person));
    record.text("Surname", &family_name(person));
}

fn known(number: u32) -> Option<u64> {
    (number != NOBODY).then_some(u64::from(number))
}

fn given_name(person: &Individual) -> &'static str {
    given(person.origin(), person.sex(), person.given)
}

fn family_name(person: &Individual) -> String {
    let (stem, ending) = decline(surname(person.surname), person.sex());
    format!("{stem}{ending}")
}
