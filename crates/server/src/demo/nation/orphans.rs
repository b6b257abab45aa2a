//! Certificates of orphans: children whose parents the person register tells to be dead.

use super::calendar::TODAY;
use super::families::NOBODY;
use super::json::Fields;
use super::persons::name_fields;
use super::random::{SplitMix64, Topic};
use super::{Day, Nation};

impl Nation {
    pub(super) fn write_orphan(&self, number: u32, out: &mut Vec<u8>) {
        let child = self.individual(number);
        // Brothers and sisters get theirs on one day.
        let mut random = SplitMix64::of(self.seed, Topic::Orphan, u64::from(child.household));
        let parents: Vec<u32> = [child.mother, child.father]
            .into_iter()
            .filter(|parent| *parent != NOBODY)
            .collect();
        let bereft = parents
            .iter()
            .map(|parent| self.individual(*parent).died)
            .max()
            .unwrap_or(TODAY);
        let since = bereft.plus(random.between(10, 60)).min(TODAY);
        let municipality = self.addresses.municipality(self.dwelling(child));
        let mut record = Fields::begin(out);
        record.code("PersonCode", &self.person_code(number));
        record.text("CertificateNumber", &format!("BA{number:08}"));
        name_fields(&mut record, child);
        record.date("IssuedOn", since);
        record.date("ValidTo", coming_of_age(child.born));
        record.text("Court", &format!("{} bāriņtiesa", municipality.genitive_name()));
        record.text("MunicipalityCode", municipality.code);
        record.list("Parents", &parents, |entry, parent| {
            let person = self.individual(*parent);
            entry.code("PersonCode", &self.person_code(*parent));
            name_fields(entry, person);
            entry.date("DiedOn", person.died);
        });
        let guardian = self.guardian(number);
        record.object("Guardian", |entry| {
            let person = self.individual(guardian);
            entry.code("PersonCode", &self.person_code(guardian));
            name_fields(entry, person);
            let is_grandmother = parents
                .iter()
                .any(|parent| self.individual(*parent).mother == guardian);
            entry.text(
                "Relation",
                if is_grandmother {
                    "vecmāmiņa"
                } else {
                    "aizbildne"
                },
            );
            entry.date("Since", since);
        });
        record.end();
    }

    /// The first member of the child's household.
    fn guardian(&self, child: u32) -> u32 {
        let household = self.individual(child).household;
        (0..=child)
            .rev()
            .take_while(|number| self.individual(*number).household == household)
            .last()
            .unwrap_or(child)
    }
}

/// The eighteenth birthday, on 28 February for those of a leap day.
fn coming_of_age(born: Day) -> Day {
    let (year, month, day) = born.civil();
    Day::of(year + 18, month, if month == 2 { day.min(28) } else { day })
}
