//! Ties across households: parents of grown-ups, surnames down the generations, codes and given names.

use super::super::calendar::{Day, TODAY};
use super::super::codes::{NEW_FORM_SINCE, old_form};
use super::super::names::{Origin, Sex, draw_given, draw_surname};
use super::super::random::{SplitMix64, Topic};
use super::{Individual, Marital, NEW_CODE, NOBODY};

/// The register knows parents of people born since then.
const PARENTS_KNOWN_SINCE: Day = Day::of(1965, 1, 1);

/// Gives grown-ups without parents a couple of fitting age, more surely the younger they are.
pub(super) fn find_parents(seed: u64, people: &mut [Individual]) {
    let mothers = Mothers::new(people);
    for index in 0..people.len() {
        let person = &people[index];
        let age = person.born.years_until(TODAY);
        let known = person.mother != NOBODY || person.father != NOBODY;
        if known || person.born < PARENTS_KNOWN_SINCE || age < 19 {
            continue;
        }
        let mut random = SplitMix64::of(seed, Topic::Lineage, index as u64);
        if !random.chance((1_250 - 14 * age) as u64) {
            continue;
        }
        for _ in 0..6 {
            let year = person.born.year() - random.between(20, 40);
            let Some(mother) = mothers.draw(year, &mut random) else {
                continue;
            };
            let father = people[mother as usize].partner;
            if fits(people, index, mother, father) {
                people[index].mother = mother;
                people[index].father = father;
                break;
            }
        }
    }
}

/// Whether both were 18 to 45 at the birth, alive, and are not the parents of the person's own partner.
fn fits(people: &[Individual], index: usize, mother: u32, father: u32) -> bool {
    let person = &people[index];
    let of_age = |parent: u32| {
        let parent = &people[parent as usize];
        let age = parent.born.years_until(person.born);
        (18..45).contains(&age) && (parent.alive() || parent.died > person.born)
    };
    let in_law = person.partner != NOBODY && people[person.partner as usize].mother == mother;
    !in_law && of_age(mother) && of_age(father)
}

/// Women of couples by year of birth.
struct Mothers {
    /// Where each year from 1900 begins in `women`.
    starts: Vec<usize>,
    women: Vec<u32>,
}

impl Mothers {
    fn new(people: &[Individual]) -> Self {
        let eligible = |person: &&Individual| person.sex() == Sex::Female && person.partner != NOBODY;
        let year = |person: &Individual| (person.born.year() - 1900) as usize;
        let mut starts = vec![0; 182];
        for person in people.iter().filter(eligible) {
            starts[year(person) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut women = vec![0; starts[181]];
        for (index, person) in people.iter().enumerate().filter(|(_, person)| eligible(person)) {
            women[next[year(person)]] = index as u32;
            next[year(person)] += 1;
        }
        Self { starts, women }
    }

    fn draw(&self, year: i64, random: &mut SplitMix64) -> Option<u32> {
        let at = usize::try_from(year - 1900).ok().filter(|at| *at < 181)?;
        let of_year = &self.women[self.starts[at]..self.starts[at + 1]];
        (!of_year.is_empty()).then(|| random.pick(of_year))
    }
}

/// Everybody gets the father's surname at birth (else the mother's, else one from the stock), the older first;
/// then most married women take their husband's.
pub(super) fn hand_down_surnames(seed: u64, people: &mut [Individual]) {
    for index in by_birth(people) {
        let person = &people[index as usize];
        let parent = if person.father == NOBODY {
            person.mother
        } else {
            person.father
        };
        let (surname, origin) = if parent == NOBODY {
            let mut random = SplitMix64::of(seed, Topic::Surname, u64::from(index));
            let origin = Origin::draw(&mut random);
            (draw_surname(origin, &mut random), origin)
        } else {
            (people[parent as usize].surname, people[parent as usize].origin())
        };
        people[index as usize].surname = surname;
        people[index as usize].set_origin(origin);
    }
    for index in 0..people.len() {
        let person = &people[index];
        let married = matches!(person.marital(), Marital::Married | Marital::Widowed);
        if person.sex() == Sex::Female && married && person.partner != NOBODY {
            let keeps_own = SplitMix64::of(seed, Topic::Surname, !(index as u64)).chance(90);
            if !keeps_own {
                people[index].surname = people[person.partner as usize].surname;
            }
        }
    }
}

/// Indices ordered by day of birth.
fn by_birth(people: &[Individual]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..people.len() as u32).collect();
    order.sort_unstable_by_key(|index| (people[*index as usize].born, *index));
    order
}

/// Personal codes, citizenship and given names; brothers and sisters at home are not called alike.
pub(super) fn name_and_number(seed: u64, people: &mut [Individual]) {
    let mut taken = vec![0u16; usize::from(TODAY.0) + 1];
    for index in 0..people.len() {
        let mut random = SplitMix64::of(seed, Topic::GivenName, index as u64);
        let citizenship = draw_citizenship(&people[index], &mut random);
        people[index].set_citizenship(citizenship);
        match next_serial(seed, people[index].born, &mut taken) {
            Some(serial) if people[index].born < NEW_FORM_SINCE && citizenship < 2 => {
                people[index].serial = serial;
            }
            _ => people[index].traits |= NEW_CODE,
        }
        let (sex, origin, born) = (people[index].sex(), people[index].origin(), people[index].born);
        for _ in 0..8 {
            people[index].given = draw_given(origin, sex, born.year(), &mut random);
            let (person, before) = (&people[index], &people[index.saturating_sub(8)..index]);
            let alike = |other: &Individual| {
                other.household == person.household && other.sex() == sex && other.given == person.given
            };
            if !before.iter().any(alike) {
                break;
            }
        }
    }
}

/// The next free serial number of a day that has a check digit; `None` when the day is full.
fn next_serial(seed: u64, born: Day, taken: &mut [u16]) -> Option<u16> {
    let first = SplitMix64::of(seed, Topic::Serial, u64::from(born.0)).below(1000) as u16;
    let count = &mut taken[usize::from(born.0)];
    while *count < 1000 {
        // 7 shares no factor with 1 000, so each number comes once.
        let serial = (first + *count * 7) % 1000;
        *count += 1;
        if old_form(born, serial).is_some() {
            return Some(serial);
        }
    }
    None
}

fn draw_citizenship(person: &Individual, random: &mut SplitMix64) -> u16 {
    let age = person.born.years_until(TODAY);
    match (person.origin(), random.below(1000)) {
        (Origin::Slavic, 0..260) if age > 30 => 1,
        (Origin::Slavic, 900..) => 2,
        (Origin::Lithuanian, 900..) => 3,
        _ => 0,
    }
}
