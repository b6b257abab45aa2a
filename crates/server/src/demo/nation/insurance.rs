//! Monthly reports of employers on the wages and contributions of their people.

use super::calendar::TODAY;
use super::json::Fields;
use super::random::{SplitMix64, Topic};
use super::{Nation, Person};

/// Months told, with the year they are of.
const MONTHS: [(i64, i64); 4] = [(2026, 2), (2026, 3), (2026, 4), (2026, 5)];

/// Rate of the contributions in hundredths of a per cent.
const RATE: i64 = 3_409;

impl Nation {
    /// One record for each of the last months of the employed.
    pub(super) fn insurance_records(&self, number: u32) -> u64 {
        let person = self.individual(number);
        let per_mille = match person.born.years_until(TODAY) {
            19..25 => 520,
            25..58 => 800,
            58..66 => 600,
            66..73 => 160,
            _ => 0,
        };
        let employed = SplitMix64::of(self.seed, Topic::Employment, u64::from(number)).chance(per_mille);
        if person.alive() && employed {
            MONTHS.len() as u64
        } else {
            0
        }
    }

    /// Number of the enterprise a person works for.
    fn employer(&self, number: u32) -> u64 {
        let mut random = SplitMix64::of(self.seed, Topic::Employment, !u64::from(number));
        let first = random.skewed(self.enterprises as usize) as u64;
        // The first enterprise is always active, so the search ends.
        (0..=first)
            .rev()
            .find(|enterprise| self.is_active(*enterprise))
            .unwrap_or(0)
    }

    /// The enterprise a person works for; `None` for who is not employed.
    pub fn employer_of(&self, person: &Person) -> Option<super::Enterprise> {
        let number = person.index as u32;
        (self.insurance_records(number) > 0).then(|| self.enterprise(self.employer(number)))
    }

    pub(super) fn write_insurance(&self, number: u32, month_number: u64, out: &mut Vec<u8>) {
        let employer = self.employer(number);
        let mut wages = SplitMix64::of(self.seed, Topic::Wage, u64::from(number));
        // From the minimum wage upwards, few far above.
        let wage = 78_000 + wages.skewed(420_000) as i64 + wages.skewed(200_000) as i64;
        let mut random = SplitMix64::of(
            self.seed,
            Topic::Wage,
            u64::from(number) | (month_number + 1) << 40,
        );
        let income = wage + random.between(-wage / 40, wage / 20);
        let (year, month) = MONTHS[month_number as usize % MONTHS.len()];
        let mut record = Fields::begin(out);
        record.code("PersonCode", &self.person_code(number));
        record.int("Year", year);
        record.int("Month", month);
        record.code("EmployerCode", &super::codes::registration_number(employer));
        record.text("EmployerName", &self.enterprise_name(employer));
        record.text("InsuredAs", "darba ņēmējs");
        record.cents("Income", income);
        record.cents("Contributions", income * RATE / 10_000);
        record.int("Hours", random.between(120, 176));
        record.end();
    }
}
