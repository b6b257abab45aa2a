//! Who learns where, and what diplomas people hold.

use super::Nation;
use super::calendar::{Day, TODAY};
use super::json::Fields;
use super::random::{SplitMix64, Topic};

const HIGHER: &[(&str, &str)] = &[
    ("Latvijas Universitāte", "Rīga"),
    ("Rīgas Tehniskā universitāte", "Rīga"),
    ("Rīgas Stradiņa universitāte", "Rīga"),
    ("Latvijas Biozinātņu un tehnoloģiju universitāte", "Jelgava"),
    ("Daugavpils Universitāte", "Daugavpils"),
    ("RTU Liepājas akadēmija", "Liepāja"),
    ("Vidzemes Augstskola", "Valmiera"),
    ("Ventspils Augstskola", "Ventspils"),
    ("Latvijas Kultūras akadēmija", "Rīga"),
    ("RTU Rēzeknes akadēmija", "Rēzekne"),
    ("Jāzepa Vītola Latvijas Mūzikas akadēmija", "Rīga"),
    ("Latvijas Mākslas akadēmija", "Rīga"),
];

const PROGRAMMES: &[&str] = &[
    "Vadībzinātne",
    "Tiesību zinātne",
    "Datorzinātne",
    "Būvniecība",
    "Medicīna",
    "Skolotājs",
    "Ekonomika",
    "Mašīnbūve",
    "Filoloģija",
    "Vides zinātne",
    "Mežzinātne",
    "Elektronika",
    "Psiholoģija",
    "Māszinības",
    "Vēsture",
];

const TRADES: &[&str] = &[
    "Galdnieks",
    "Elektriķis",
    "Pavārs",
    "Automehāniķis",
    "Frizieris",
    "Grāmatvedis",
    "Šuvējs",
    "Mūrnieks",
    "Metinātājs",
    "Programmēšanas tehniķis",
];

/// A school year begins then.
const TERM: (i64, i64) = (9, 1);

impl Nation {
    /// Records of one person: pupils one, grown-ups one to three.
    pub(super) fn education_records(&self, number: u32) -> u64 {
        let person = self.individual(number);
        if !person.alive() {
            return 0;
        }
        let draw = SplitMix64::of(self.seed, Topic::Education, u64::from(number)).below(100);
        match person.born.years_until(TODAY) {
            0..7 => 0,
            7..19 => 1,
            19..24 => 1 + u64::from(draw < 45),
            24..71 => 1 + u64::from(draw < 60) + u64::from(draw < 12),
            _ => 1,
        }
    }

    pub(super) fn write_education(&self, number: u32, record_number: u64, out: &mut Vec<u8>) {
        let person = self.individual(number);
        let age = person.born.years_until(TODAY);
        let mut random = SplitMix64::of(
            self.seed,
            Topic::Education,
            u64::from(number) << 2 | (record_number + 1) << 40,
        );
        let school_year = person.born.year() + 7;
        let mut record = Fields::begin(out);
        record.code("PersonCode", &self.person_code(number));
        record.int("Id", i64::from(number) * 4 + record_number as i64 + 1);
        match (record_number, age) {
            (0, 0..19) => {
                record.text("Institution", &self.school(number, &mut random));
                record.text(
                    "Level",
                    if age < 16 {
                        "pamatizglītība"
                    } else {
                        "vispārējā vidējā izglītība"
                    },
                );
                record.int("Grade", (age - 6).clamp(1, 12));
                record.text("Status", "mācās");
                record.date("EnrolledOn", Day::of(school_year, TERM.0, TERM.1).min(TODAY));
            }
            (0, _) => {
                record.text("Institution", &self.school(number, &mut random));
                record.text("Level", "vispārējā vidējā izglītība");
                record.text("Status", "absolvējis");
                record.date("EnrolledOn", Day::of(school_year, TERM.0, TERM.1));
                // Whoever is 19 had a graduation in June behind them, or has it these days.
                diploma(
                    &mut record,
                    "V",
                    Day::of(school_year + 12, 6, 15).min(TODAY),
                    &mut random,
                );
            }
            (1, 19..24) => {
                self.higher_or_trade(number, &mut record, &mut random);
                record.text("Status", "mācās");
                record.date(
                    "EnrolledOn",
                    Day::of(person.born.year() + 19, TERM.0, TERM.1).min(TODAY),
                );
            }
            _ => {
                self.higher_or_trade(number, &mut record, &mut random);
                record.text("Status", "absolvējis");
                let began = person.born.year() + 19 + (record_number as i64 - 1) * 4;
                let ended = Day::of(began + 4, 6, 20).min(TODAY);
                record.date("EnrolledOn", Day::of(began, TERM.0, TERM.1).min(ended));
                diploma(&mut record, "D", ended, &mut random);
            }
        }
        record.end();
    }

    /// A school of the person's municipality.
    fn school(&self, number: u32, random: &mut SplitMix64) -> String {
        let municipality = self
            .addresses
            .municipality(self.dwelling(self.individual(number)));
        let name = municipality.genitive;
        match (municipality.code, random.below(6)) {
            ("0001000", _) => format!("Rīgas {}. vidusskola", 1 + random.below(99)),
            (_, 0) => format!("{name} Valsts ģimnāzija"),
            (_, kind @ 1..4) => format!("{name} {kind}. vidusskola"),
            _ => format!("{name} pamatskola"),
        }
    }

    fn higher_or_trade(&self, number: u32, record: &mut Fields<'_>, random: &mut SplitMix64) {
        if random.chance(620) {
            record.text("Institution", HIGHER[random.skewed(HIGHER.len())].0);
            record.text("Level", "augstākā izglītība");
            record.text("Programme", random.pick(PROGRAMMES));
        } else {
            let municipality = self
                .addresses
                .municipality(self.dwelling(self.individual(number)));
            record.text("Institution", &format!("{} tehnikums", municipality.genitive));
            record.text("Level", "profesionālā vidējā izglītība");
            record.text("Programme", random.pick(TRADES));
        }
    }
}

fn diploma(record: &mut Fields<'_>, series: &str, issued: Day, random: &mut SplitMix64) {
    record.text(
        "DocumentNumber",
        &format!("{series}{series} Nr. {:06}", random.below(1_000_000)),
    );
    record.date("IssuedOn", issued);
}
