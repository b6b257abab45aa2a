//! The register of enterprises with their officers.

use super::calendar::{Day, TODAY};
use super::codes::registration_number;
use super::json::Fields;
use super::persons::name_fields;
use super::random::{SplitMix64, Topic};
use super::{Nation, Person};

/// First words of names, in the genitive where a second follows.
const FIRST: &[&str] = &[
    "Baltic",
    "Latvijas",
    "Rīgas",
    "Kurzemes",
    "Vidzemes",
    "Zemgales",
    "Latgales",
    "Daugavas",
    "Gaujas",
    "Ventas",
    "Ziemeļu",
    "Jūras",
    "Dzintara",
    "Saules",
    "Ozolu",
    "Bērzu",
    "Lauku",
    "Meža",
    "Pilsētas",
    "Vecrīgas",
    "Nordic",
    "Amber",
    "Rota",
    "Pērkona",
    "Zvaigžņu",
    "Kalnu",
    "Ezera",
    "Vēja",
    "Krasta",
    "Ostas",
];

const SECOND: &[&str] = &[
    "Koks",
    "Būve",
    "Piens",
    "Maize",
    "Transports",
    "Loģistika",
    "Serviss",
    "Dati",
    "Enerģija",
    "Metāls",
    "Tekstils",
    "Nami",
    "Projekti",
    "Aptieka",
    "Tirdzniecība",
    "Druka",
    "Dārzi",
    "Graudi",
    "Zivis",
    "Auto",
    "Instrumenti",
    "Konsultācijas",
    "Sistēmas",
    "Stils",
    "Veselība",
    "Mēbeles",
    "Kafija",
    "Ceļi",
    "Ūdens",
    "Siltums",
];

/// NACE 2.1 classes and what they are.
const TRADES: &[(&str, &str)] = &[
    ("47.11", "Mazumtirdzniecība nespecializētajos veikalos"),
    ("41.00", "Dzīvojamo un nedzīvojamo ēku būvniecība"),
    ("49.41", "Kravu pārvadājumi pa autoceļiem"),
    ("68.20", "Nekustamā īpašuma izīrēšana un pārvaldīšana"),
    ("62.10", "Datorprogrammēšana"),
    ("56.11", "Restorānu pakalpojumi"),
    ("01.11", "Graudaugu audzēšana"),
    ("02.20", "Mežizstrāde"),
    ("16.11", "Zāģēšana un ēvelēšana"),
    ("69.20", "Uzskaites un grāmatvedības pakalpojumi"),
    ("70.20", "Konsultēšana komercdarbībā"),
    ("95.31", "Automobiļu apkope un remonts"),
    ("96.21", "Frizieru pakalpojumi"),
    ("86.21", "Vispārējā ārstu prakse"),
    ("10.51", "Piena pārstrāde un siera ražošana"),
    ("55.10", "Izmitināšana viesnīcās"),
    ("25.11", "Metāla konstrukciju ražošana"),
    ("03.11", "Jūras zvejniecība"),
];

/// One enterprise in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enterprise {
    pub number: u64,
    pub registration_number: String,
    pub name: String,
    pub active: bool,
    pub officers: Vec<Officer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    /// Number of the person in the nation.
    pub person: u64,
    pub role: &'static str,
    pub since: Day,
}

/// What an enterprise's number tells at once.
struct Outline {
    form: &'static str,
    registered: Day,
    status: &'static str,
    terminated: Day,
}

impl Nation {
    /// Code and name of what enterprises do.
    pub fn trades() -> &'static [(&'static str, &'static str)] {
        TRADES
    }

    /// The enterprise of a number; numbers beyond the last count from the start again.
    pub fn enterprise(&self, number: u64) -> Enterprise {
        let number = number % self.enterprises;
        Enterprise {
            number,
            registration_number: String::from_utf8_lossy(&registration_number(number)).into_owned(),
            name: self.enterprise_name(number),
            active: self.is_active(number),
            officers: self.officers(number),
        }
    }

    /// The first active enterprise with two or more officers, and the first of these.
    pub fn enterprise_with_officers(&self) -> (Enterprise, Person) {
        let found = (0..self.enterprises)
            .map(|number| self.enterprise(number))
            .find(|enterprise| enterprise.active && enterprise.officers.len() >= 2)
            .unwrap_or_else(|| self.enterprise(0));
        let person = self.person(found.officers.first().map_or(0, |officer| officer.person));
        (found, person)
    }

    pub(super) fn is_active(&self, number: u64) -> bool {
        self.outline(number).terminated.is_none()
    }

    fn outline(&self, number: u64) -> Outline {
        let mut random = SplitMix64::of(self.seed, Topic::Enterprise, number);
        let form = match random.below(100) {
            0..88 => "SIA",
            88..92 => "AS",
            92..97 => "IK",
            _ => "ZS",
        };
        let registered = Day::of(1992, 1, 15).plus(random.between(0, 12_200));
        let (status, terminated) = match random.below(100) {
            _ if number == 0 => ("reģistrēts", Day::NONE),
            0..86 => ("reģistrēts", Day::NONE),
            86..89 => ("maksātnespējas process", Day::NONE),
            _ => {
                let after = i64::from(TODAY.0) - i64::from(registered.0);
                ("likvidēts", registered.plus(random.between(1, after.max(1))))
            }
        };
        Outline {
            form,
            registered,
            status,
            terminated,
        }
    }

    /// Name with its legal form and Latvian quotation marks. Distinct: repeated pairs of words get a number.
    pub(super) fn enterprise_name(&self, number: u64) -> String {
        let pairs = (FIRST.len() * SECOND.len()) as u64;
        let pair = (number % pairs * 613 + self.seed % pairs) % pairs;
        let (first, second) = (
            FIRST[pair as usize % FIRST.len()],
            SECOND[pair as usize / FIRST.len()],
        );
        let form = self.outline(number).form;
        match number / pairs {
            0 => format!("{form} „{first} {second}”"),
            round => format!("{form} „{first} {second} {}”", round + 1),
        }
    }

    /// One to three living grown-ups; none after the end.
    fn officers(&self, number: u64) -> Vec<Officer> {
        let outline = self.outline(number);
        let mut random = SplitMix64::of(self.seed, Topic::Officers, number);
        let wanted = match (outline.form, outline.terminated.is_none()) {
            (_, false) => 0,
            ("AS", _) => 3,
            ("IK" | "ZS", _) => 1,
            _ => 1 + usize::from(random.chance(320)) + usize::from(random.chance(120)),
        };
        let mut officers: Vec<Officer> = Vec::with_capacity(wanted);
        for attempt in 0..200 {
            if officers.len() == wanted {
                break;
            }
            let person = random.below(self.persons());
            let individual = self.individual(person as u32);
            let age = individual.born.years_until(TODAY);
            let is_new = officers.iter().all(|officer| officer.person != person);
            // The last attempts take anybody grown up, so that a small nation's boards fill too.
            let fits = (22..76).contains(&age) || (attempt > 150 && age >= 18);
            if is_new && fits && individual.alive() {
                let role = match (outline.form, officers.len()) {
                    ("IK" | "ZS", _) => "īpašnieks",
                    (_, 0) if wanted > 1 => "valdes priekšsēdētājs",
                    _ => "valdes loceklis",
                };
                let earliest = outline.registered.max(individual.born.plus(18 * 366));
                let span = i64::from(TODAY.0) - i64::from(earliest.0);
                let since = earliest.plus(random.between(0, span.max(0))).min(TODAY);
                officers.push(Officer { person, role, since });
            }
        }
        officers
    }

    pub(super) fn write_enterprise(&self, number: u64, out: &mut Vec<u8>) {
        let outline = self.outline(number);
        let mut random = SplitMix64::of(self.seed, Topic::Enterprise, !number);
        let dwelling = random.below(self.addresses.count);
        let (class, activity) = TRADES[random.skewed(TRADES.len())];
        let mut record = Fields::begin(out);
        record.code("RegistrationNumber", &registration_number(number));
        record.text("Name", &self.enterprise_name(number));
        record.text("Form", outline.form);
        record.text("Status", outline.status);
        record.date("RegisteredOn", outline.registered);
        record.date("TerminatedOn", outline.terminated);
        record.code(
            "AddressCode",
            self.addresses.code(dwelling).to_string().as_bytes(),
        );
        record.text("MunicipalityCode", self.addresses.municipality(dwelling).code);
        record.text("NaceCode", class);
        record.text("Activity", activity);
        if outline.form == "SIA" || outline.form == "AS" {
            let capital = if outline.form == "AS" { 2_500_000 } else { 280_000 };
            record.cents("ShareCapital", capital + random.skewed(5_000) as i64 * 1_000);
        }
        record.list("Officers", self.officers(number), |entry, officer| {
            let person = officer.person as u32;
            entry.code("PersonCode", &self.person_code(person));
            name_fields(entry, self.individual(person));
            entry.text("Role", officer.role);
            entry.date("Since", officer.since);
        });
        record.end();
    }
}
