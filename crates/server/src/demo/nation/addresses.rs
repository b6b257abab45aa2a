//! Every dwelling of the nation as a pure function of its number.
//!
//! Numbers are dealt to the 43 municipalities by their real sizes, inside each to its towns and parishes. In a
//! town a part lives in blocks of flats, the rest in houses; in a parish farmsteads have names.

mod municipalities;
mod streets;

pub(super) use municipalities::MUNICIPALITIES;
use streets::{FARMSTEAD_PREFIXES, FARMSTEADS, STREET_FORMS, STREETS};

use super::json::Fields;
use super::random::{SplitMix64, Topic, coprime_step};

/// One of the 43. `size` in thousands of inhabitants, coordinates in millionths of a degree.
#[derive(Debug)]
pub struct Municipality {
    pub name: &'static str,
    /// First word of what is named after it: *Cēsu* pilsētas vidusskola.
    pub genitive: &'static str,
    /// Code of the administrative territory, as records name it.
    pub code: &'static str,
    size: u64,
    longitude: i64,
    latitude: i64,
    post_code: u64,
    towns: &'static [Town],
    parishes: &'static [&'static str],
}

#[derive(Debug)]
struct Town {
    name: &'static str,
    size: u64,
}

/// A run of dwelling numbers in one town or parish.
#[derive(Debug)]
struct Place {
    start: u64,
    len: u64,
    municipality: usize,
    /// Number of the town or, after the towns, of the parish.
    number: usize,
}

/// The nation's dwellings, numbered from 0.
#[derive(Debug)]
pub(super) struct Addresses {
    seed: u64,
    places: Vec<Place>,
    pub(super) count: u64,
}

/// One address in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Key in the address set.
    pub code: String,
    pub municipality: &'static str,
    pub municipality_code: &'static str,
    pub town: Option<&'static str>,
    /// Genitive, as in *Vaives pagasts*.
    pub parish: Option<&'static str>,
    pub street: Option<String>,
    /// A number, or a farmstead's name.
    pub house: String,
    pub flat: Option<u64>,
    pub post_code: String,
    /// Millionths of a degree, WGS 84.
    pub longitude: i64,
    pub latitude: i64,
}

impl Address {
    /// The address on one line, as the address register writes it.
    pub fn text(&self) -> String {
        let mut text = match &self.street {
            Some(street) => format!("{street} {}", self.house),
            None => format!("„{}”", self.house),
        };
        if let Some(flat) = self.flat {
            text.push_str(&format!(" - {flat}"));
        }
        if let Some(parish) = self.parish {
            text.push_str(&format!(", {parish} pag."));
        }
        if let Some(town) = self.town {
            text.push_str(&format!(", {town}"));
        }
        if let Some(district) = self.municipality.strip_suffix("novads") {
            text.push_str(&format!(", {district}nov."));
        }
        text.push_str(&format!(", {}", self.post_code));
        text
    }
}

impl Addresses {
    pub(super) fn new(seed: u64, count: u64) -> Self {
        let total: u64 = MUNICIPALITIES.iter().map(|municipality| municipality.size).sum();
        let mut places = Vec::new();
        let (mut before, mut start) = (0, 0);
        for (number, municipality) in MUNICIPALITIES.iter().enumerate() {
            before += municipality.size;
            let end = count * before / total;
            municipality.deal(number, start, end, &mut places);
            start = end;
        }
        Self { seed, places, count }
    }

    fn place(&self, dwelling: u64) -> &Place {
        // Empty places share their start with the next; the last place that starts at or before is not empty.
        &self.places[self
            .places
            .partition_point(|place| place.start <= dwelling)
            .max(1)
            - 1]
    }

    /// Number of the dwelling's municipality in the list of 43.
    pub(super) fn municipality(&self, dwelling: u64) -> &'static Municipality {
        &MUNICIPALITIES[self.place(dwelling).municipality]
    }

    /// Key of a dwelling in the address set: nine digits, flats in a range of their own.
    pub(super) fn code(&self, dwelling: u64) -> u64 {
        let place = self.place(dwelling);
        let in_flats = place.is_town() && dwelling - place.start < place.flats();
        dwelling + if in_flats { 111_000_000 } else { 101_000_000 }
    }

    pub(super) fn address(&self, dwelling: u64) -> Address {
        let place = self.place(dwelling);
        let municipality = &MUNICIPALITIES[place.municipality];
        let within = dwelling - place.start;
        let salt = SplitMix64::of(self.seed, Topic::Building, place.start).next();
        let (street, house, flat) = if place.is_town() {
            place.town_house(within, salt)
        } else {
            farmstead(within, salt)
        };
        let town = municipality.towns.get(place.number).map(|town| town.name);
        let parish = municipality
            .parishes
            .get(place.number.wrapping_sub(municipality.towns.len()))
            .copied();
        // The flats of a building stand next to each other from number 1 and lie at one point.
        let mut spot = SplitMix64::of(self.seed, Topic::Dwelling, dwelling + 1 - flat.unwrap_or(1));
        // A city fills a few kilometres, a district some twenty.
        let spread = if municipality.parishes.is_empty() {
            40_000
        } else {
            160_000
        };
        Address {
            code: self.code(dwelling).to_string(),
            municipality: municipality.name,
            municipality_code: municipality.code,
            town,
            parish,
            street,
            house,
            flat,
            post_code: format!("LV-{}", municipality.post_code + place.post_office(within)),
            longitude: municipality.longitude + spot.between(-spread, spread),
            latitude: municipality.latitude + spot.between(-spread / 2, spread / 2),
        }
    }

    pub(super) fn write(&self, dwelling: u64, out: &mut Vec<u8>) {
        let address = self.address(dwelling);
        let mut record = Fields::begin(out);
        record.text("Code", &address.code);
        record.text(
            "Kind",
            if address.flat.is_some() {
                "telpu grupa"
            } else {
                "ēka"
            },
        );
        record.text("MunicipalityCode", address.municipality_code);
        record.text("Municipality", address.municipality);
        if let Some(town) = address.town {
            record.text("Town", town);
        }
        if let Some(parish) = address.parish {
            record.text("Parish", &format!("{parish} pagasts"));
        }
        if let Some(street) = &address.street {
            record.text("Street", street);
        }
        record.text("House", &address.house);
        if let Some(flat) = address.flat {
            record.text("Flat", &flat.to_string());
        }
        record.text("PostCode", &address.post_code);
        record.text("Address", &address.text());
        record.point("Location", address.longitude, address.latitude);
        record.end();
    }
}

impl Municipality {
    /// The whole name in the genitive: *Rīgas*, *Cēsu novada*.
    pub(super) fn genitive_name(&self) -> String {
        if self.parishes.is_empty() {
            self.genitive.to_owned()
        } else {
            format!("{} novada", self.genitive)
        }
    }

    /// Deals `start..end` to the towns by size, the rest evenly to the parishes.
    fn deal(&self, number: usize, start: u64, end: u64, places: &mut Vec<Place>) {
        let (towns, parishes) = (self.towns.len(), self.parishes.len() as u64);
        let dwellings = end - start;
        let urban: u64 = self.towns.iter().map(|town| town.size).sum();
        let whole = if parishes == 0 {
            urban
        } else {
            self.size.max(urban + 1)
        };
        let (mut from, mut before) = (start, 0);
        for (town, place) in self.towns.iter().enumerate() {
            before += place.size;
            let to = start + dwellings * before / whole;
            places.push(Place {
                start: from,
                len: to - from,
                municipality: number,
                number: town,
            });
            from = to;
        }
        let (rural, first) = (end - from, from);
        for parish in 0..parishes {
            let to = first + rural * (parish + 1) / parishes;
            places.push(Place {
                start: from,
                len: to - from,
                municipality: number,
                number: towns + parish as usize,
            });
            from = to;
        }
    }
}

/// Flats in a pair of neighbouring buildings.
const PAIR: u64 = 72;

impl Place {
    fn is_town(&self) -> bool {
        self.number < MUNICIPALITIES[self.municipality].towns.len()
    }

    /// Dwellings of a town that are flats; they come first.
    fn flats(&self) -> u64 {
        let share = if MUNICIPALITIES[self.municipality].parishes.is_empty() {
            85
        } else {
            60
        };
        self.len * share / 100 / PAIR * PAIR
    }

    /// Street, house number and flat of a town's dwelling.
    fn town_house(&self, within: u64, salt: u64) -> (Option<String>, String, Option<u64>) {
        let flats = self.flats();
        let most = (STREETS.len() * STREET_FORMS.len()) as u64;
        let flat_streets = (flats / PAIR / 3).clamp(2, most / 3);
        if within >= flats {
            let house = within - flats;
            let streets = ((self.len - flats) / 25).clamp(3, most - flat_streets);
            let number = house / streets + 1;
            return (
                Some(street(flat_streets + house % streets, salt)),
                number.to_string(),
                None,
            );
        }
        let (pair, rest) = (within / PAIR, within % PAIR);
        let split = [12, 18, 24, 36][(salt.rotate_left((pair % 61) as u32) & 3) as usize];
        let (building, flat) = if rest < split {
            (2 * pair, rest + 1)
        } else {
            (2 * pair + 1, rest - split + 1)
        };
        // Some numbers of a street are shops and schools: each building takes one of three.
        let number = building / flat_streets * 3 + 1 + (salt ^ building.wrapping_mul(0x9e37_79b9)) % 3;
        (
            Some(street(building % flat_streets, salt)),
            number.to_string(),
            Some(flat),
        )
    }

    /// What the place and the part of it add to the municipality's first post code.
    fn post_office(&self, within: u64) -> u64 {
        match MUNICIPALITIES[self.municipality].code {
            "0001000" => within * 83 / self.len.max(1),
            _ if self.is_town() => 0,
            _ => self.number as u64,
        }
    }
}

/// A parish's dwelling is a farmstead with a name of its own.
fn farmstead(within: u64, salt: u64) -> (Option<String>, String, Option<u64>) {
    let names = (FARMSTEADS.len() * FARMSTEAD_PREFIXES.len()) as u64;
    let name = (within % names * coprime_step(names) + salt % names) % names;
    let stem = FARMSTEADS[(name % FARMSTEADS.len() as u64) as usize];
    let prefix = FARMSTEAD_PREFIXES[(name / FARMSTEADS.len() as u64) as usize];
    let mut house = String::from(prefix);
    let mut letters = stem.chars();
    match letters.next() {
        Some(first) if !prefix.is_empty() => house.extend(first.to_lowercase()),
        Some(first) => house.push(first),
        None => {}
    }
    house.push_str(letters.as_str());
    if within >= names {
        house.push_str(&format!(" {}", within / names + 1));
    }
    (None, house, None)
}

/// Name of a town's street. Inside groups of 16 the order differs from town to town.
fn street(number: u64, salt: u64) -> String {
    let number = number as usize;
    let word = number % STREETS.len();
    let word = (word & !15) | ((word ^ salt as usize) & 15);
    let (before, after) = STREET_FORMS[number / STREETS.len() % STREET_FORMS.len()];
    format!("{before}{}{after}", STREETS[word])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_dwellings_share_an_address() {
        let addresses = Addresses::new(7, 300_000);
        let mut seen = HashSet::new();
        for dwelling in 0..addresses.count {
            let address = addresses.address(dwelling);
            assert!(address.town.is_some() != address.parish.is_some());
            assert!(seen.insert(address.text()), "{}", address.text());
        }
    }

    #[test]
    fn all_municipalities_are_there() {
        let codes: HashSet<_> = MUNICIPALITIES
            .iter()
            .map(|municipality| municipality.code)
            .collect();
        assert_eq!(codes.len(), 43);
        assert_eq!(
            MUNICIPALITIES
                .iter()
                .filter(|municipality| municipality.parishes.is_empty())
                .count(),
            7
        );
        let addresses = Addresses::new(1, 5_000);
        let seen: HashSet<_> = (0..5_000)
            .map(|dwelling| addresses.municipality(dwelling).code)
            .collect();
        assert_eq!(seen.len(), 43);
    }
}
