//! The people: 28 bytes each, made household by household, then linked across households.
//!
//! Order of work: households with ages and ties → grown-ups find parents in older households → surnames go down
//! the generations → personal codes and given names. Every step reads only what is older or done.

mod households;
mod lineage;

use super::calendar::Day;
use super::names::{Origin, Sex};

/// No such person.
pub(super) const NOBODY: u32 = u32::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marital {
    Single,
    Married,
    Divorced,
    Widowed,
}

#[derive(Debug, Clone)]
pub(super) struct Individual {
    /// Members of a household stand next to each other.
    pub(super) household: u32,
    pub(super) mother: u32,
    pub(super) father: u32,
    /// The other one of a couple, married or not, also after a death. Mutual.
    pub(super) partner: u32,
    pub(super) born: Day,
    /// [`Day::NONE`] for the living.
    pub(super) died: Day,
    /// Serial number of the birthday in the older personal code.
    pub(super) serial: u16,
    pub(super) given: u16,
    pub(super) surname: u16,
    /// Sex, marital status, origin, citizenship and form of code, two bits or less each.
    traits: u16,
}

const FEMALE: u16 = 1;
const NEW_CODE: u16 = 1 << 1;
const GUARDED: u16 = 1 << 2;

impl Individual {
    fn new(household: u32, sex: Sex, born: Day) -> Self {
        Self {
            household,
            mother: NOBODY,
            father: NOBODY,
            partner: NOBODY,
            born,
            died: Day::NONE,
            serial: 0,
            given: 0,
            surname: 0,
            traits: if sex == Sex::Female { FEMALE } else { 0 },
        }
    }

    pub(super) fn sex(&self) -> Sex {
        if self.traits & FEMALE != 0 {
            Sex::Female
        } else {
            Sex::Male
        }
    }

    pub(super) fn alive(&self) -> bool {
        self.died.is_none()
    }

    pub(super) fn marital(&self) -> Marital {
        [
            Marital::Single,
            Marital::Married,
            Marital::Divorced,
            Marital::Widowed,
        ][usize::from(self.traits >> 4 & 3)]
    }

    fn set_marital(&mut self, marital: Marital) {
        self.traits = self.traits & !(3 << 4) | (marital as u16) << 4;
    }

    pub(super) fn origin(&self) -> Origin {
        Origin::ALL[usize::from(self.traits >> 6 & 3)]
    }

    fn set_origin(&mut self, origin: Origin) {
        self.traits = self.traits & !(3 << 6) | (origin as u16) << 6;
    }

    /// 0 citizen of Latvia, 1 non-citizen, 2 and 3 foreigners.
    pub(super) fn citizenship(&self) -> u16 {
        self.traits >> 8 & 3
    }

    fn set_citizenship(&mut self, citizenship: u16) {
        self.traits = self.traits & !(3 << 8) | (citizenship & 3) << 8;
    }

    /// Whether the code is of the form since 2017.
    pub(super) fn has_new_code(&self) -> bool {
        self.traits & NEW_CODE != 0
    }

    /// A child without parents, whose guardian is the household's first member.
    pub(super) fn guarded(&self) -> bool {
        self.traits & GUARDED != 0
    }
}

/// All people, and how many households they form.
#[derive(Debug)]
pub(super) struct Population {
    pub(super) people: Vec<Individual>,
    pub(super) households: u64,
}

impl Population {
    pub(super) fn new(seed: u64, persons: usize) -> Self {
        let (mut people, households) = households::found(seed, persons);
        lineage::find_parents(seed, &mut people);
        lineage::hand_down_surnames(seed, &mut people);
        lineage::name_and_number(seed, &mut people);
        Self { people, households }
    }
}
