//! Decisions on disability: about one person in ten, more of the old.

use super::Nation;
use super::calendar::TODAY;
use super::json::Fields;
use super::persons::name_fields;
use super::random::{SplitMix64, Topic};

const CAUSES: &[&str] = &[
    "vispārēja saslimšana",
    "nelaimes gadījums darbā",
    "arodslimība",
    "slimība kopš bērnības",
    "nelaimes gadījums sadzīvē",
];

const DISORDERS: &[&str] = &[
    "kustību",
    "redzes",
    "dzirdes",
    "garīga rakstura",
    "asinsrites",
    "elpošanas",
    "cita",
];

impl Nation {
    pub(super) fn disability_records(&self, number: u32) -> u64 {
        let person = self.individual(number);
        let per_mille = match person.born.years_until(TODAY) {
            0..18 => 22,
            18..40 => 48,
            40..60 => 110,
            60..75 => 190,
            _ => 260,
        };
        let has_one = SplitMix64::of(self.seed, Topic::Disability, u64::from(number)).chance(per_mille);
        u64::from(person.alive() && has_one)
    }

    pub(super) fn write_disability(&self, number: u32, out: &mut Vec<u8>) {
        let person = self.individual(number);
        let mut random = SplitMix64::of(self.seed, Topic::Disability, !u64::from(number));
        let age = person.born.years_until(TODAY);
        let lived = i64::from(TODAY.0 - person.born.0);
        let from = TODAY.plus(-random.between(1, 3_600.min(lived.max(2) - 1)));
        let mut record = Fields::begin(out);
        record.code("PersonCode", &self.person_code(number));
        record.text("DecisionNumber", &format!("{}-{:07}", from.year(), number));
        name_fields(&mut record, person);
        record.date("From", from);
        if age < 18 {
            record.text("Group", "bez grupas");
            record.date("To", from.plus(lived.min(5 * 365)));
        } else {
            let (group, loss) = match random.below(10) {
                0..2 => ("I", random.between(80, 100)),
                2..6 => ("II", random.between(60, 79)),
                _ => ("III", random.between(25, 59)),
            };
            record.text("Group", group);
            if age < 65 {
                record.int("WorkCapacityLoss", loss);
            }
            let for_life = random.chance(450);
            if !for_life {
                record.date("To", from.plus([365, 730, 1_826][random.below(3) as usize]));
            }
            record.flag("ForLife", for_life);
        }
        record.text("Disorder", random.pick(DISORDERS));
        record.text("Cause", if age < 18 { CAUSES[3] } else { random.pick(CAUSES) });
        record.flag("NeedsCare", random.chance(180));
        record.end();
    }
}
