//! A synthetic nation: seven registers that agree with each other, made from a seed and a size.
//!
//! Everything is drawn; no person, enterprise or address is meant to be a real one. The same seed and size give the
//! same bytes on every machine. People take 28 bytes each in memory; all else is computed when it is written.

mod addresses;
mod calendar;
mod codes;
mod disability;
mod education;
mod enterprises;
mod families;
mod insurance;
mod json;
mod names;
mod orphans;
mod persons;
mod random;
mod registers;

#[cfg(test)]
mod tests;

pub use addresses::{Address, Municipality};
pub use calendar::{Day, TODAY};
pub use enterprises::{Enterprise, Officer};
pub use names::Sex;
pub use persons::Person;
pub use registers::{REGISTERS, Register, RegisterName};

use addresses::Addresses;
use families::Population;
use random::coprime_step;

/// People in one block of the counts of a register that has none, one or several records a person.
const BLOCK: u64 = 1024;

/// A nation of a given seed and size. Cheap to share: nothing changes after [`Nation::new`].
#[derive(Debug)]
pub struct Nation {
    seed: u64,
    population: Population,
    addresses: Addresses,
    /// Households live at `household × step + offset` modulo the dwellings.
    dwelling_step: u64,
    enterprises: u64,
    /// For each register told by person: records before each block of [`BLOCK`] people, and their sum at the end.
    blocks: [Vec<u64>; 4],
}

impl Nation {
    /// People a nation can have: what four-byte numbers, day serials and registration numbers reach.
    pub const MOST_PERSONS: u64 = 10_000_000;

    /// Makes the nation; `persons` is held between 100 and [`Self::MOST_PERSONS`]. About a second per million.
    pub fn new(seed: u64, persons: u64) -> Self {
        let persons = persons.clamp(100, Self::MOST_PERSONS);
        let population = Population::new(seed, persons as usize);
        // One dwelling in nine stands empty; the least gives every municipality some.
        let dwellings = (population.households * 9 / 8).max(500);
        let mut nation = Self {
            seed,
            population,
            addresses: Addresses::new(seed, dwellings),
            dwelling_step: coprime_step(dwellings),
            enterprises: (persons / 12).clamp(20, codes::MOST_ENTERPRISES),
            blocks: Default::default(),
        };
        nation.blocks = RegisterName::BY_PERSON.map(|register| nation.count_blocks(register));
        nation
    }

    /// People in the nation, the dead among them.
    pub fn persons(&self) -> u64 {
        self.population.people.len() as u64
    }

    /// Records of a register; exact.
    pub fn count(&self, register: RegisterName) -> u64 {
        match register {
            RegisterName::Persons => self.persons(),
            RegisterName::Addresses => self.addresses.count,
            RegisterName::Enterprises => self.enterprises,
            _ => self.blocks[register.by_person()].last().copied().unwrap_or(0),
        }
    }

    /// Appends the records `from..to` (cut to what there is) as lines `{"op":"upsert","record":{…}}`.
    pub fn write(&self, register: RegisterName, from: u64, to: u64, out: &mut Vec<u8>) {
        let to = to.min(self.count(register));
        match register {
            RegisterName::Persons => lines(from..to, out, |at, out| self.write_person(at as u32, None, out)),
            RegisterName::Addresses => lines(from..to, out, |at, out| self.addresses.write(at, out)),
            RegisterName::Enterprises => lines(from..to, out, |at, out| self.write_enterprise(at, out)),
            _ => self.write_by_person(register, from, to, out),
        }
    }

    /// One package line around a record's JSON.
    pub fn upsert_line(record: &str) -> String {
        format!("{{\"op\":\"upsert\",\"record\":{record}}}\n")
    }

    fn count_blocks(&self, register: RegisterName) -> Vec<u64> {
        let mut sums = vec![0];
        let mut sum = 0;
        for block in 0..self.persons().div_ceil(BLOCK) {
            let people = block * BLOCK..((block + 1) * BLOCK).min(self.persons());
            sum += people
                .map(|person| self.records_of(register, person as u32))
                .sum::<u64>();
            sums.push(sum);
        }
        sums
    }

    /// Records that a register told by person holds of one.
    fn records_of(&self, register: RegisterName, person: u32) -> u64 {
        match register {
            RegisterName::Education => self.education_records(person),
            RegisterName::Insurance => self.insurance_records(person),
            RegisterName::Disability => self.disability_records(person),
            _ => u64::from(self.individual(person).guarded()),
        }
    }

    fn write_by_person(&self, register: RegisterName, from: u64, to: u64, out: &mut Vec<u8>) {
        let sums = &self.blocks[register.by_person()];
        let block = sums.partition_point(|sum| *sum <= from).max(1) as u64 - 1;
        let mut at = sums[block as usize];
        for person in block * BLOCK..self.persons() {
            if at >= to {
                return;
            }
            let records = self.records_of(register, person as u32);
            let wanted = from.max(at)..to.min(at + records);
            lines(wanted, out, |record, out| {
                let (person, number) = (person as u32, record - at);
                match register {
                    RegisterName::Education => self.write_education(person, number, out),
                    RegisterName::Insurance => self.write_insurance(person, number, out),
                    RegisterName::Disability => self.write_disability(person, out),
                    _ => self.write_orphan(person, out),
                }
            });
            at += records;
        }
    }
}

/// Wraps each record of a range in its package line. Does nothing for an empty or turned range.
fn lines(range: std::ops::Range<u64>, out: &mut Vec<u8>, mut record: impl FnMut(u64, &mut Vec<u8>)) {
    for at in range {
        out.extend_from_slice(b"{\"op\":\"upsert\",\"record\":");
        record(at, out);
        out.extend_from_slice(b"}\n");
    }
}
