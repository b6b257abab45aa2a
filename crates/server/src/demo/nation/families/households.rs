//! Households: who lives together, how old they are and how they are tied.

use super::super::calendar::{Day, TODAY};
use super::super::names::Sex;
use super::super::random::{SplitMix64, Topic};
use super::{GUARDED, Individual, Marital, NOBODY};

/// A household never has more members; near the end of the count only people living alone are added.
const LARGEST: usize = 9;

const DAYS_PER_YEAR: i64 = 365;

/// Exactly `persons` people in households, and the number of these.
pub(super) fn found(seed: u64, persons: usize) -> (Vec<Individual>, u64) {
    let mut founder = Founder {
        random: SplitMix64::of(seed, Topic::Households, 0),
        people: Vec::with_capacity(persons),
        household: 0,
    };
    while founder.people.len() < persons {
        if persons - founder.people.len() < LARGEST {
            founder.alone();
        } else {
            founder.any();
        }
        founder.household += 1;
    }
    (founder.people, u64::from(founder.household))
}

struct Founder {
    random: SplitMix64,
    people: Vec<Individual>,
    household: u32,
}

impl Founder {
    fn any(&mut self) {
        match self.random.below(1000) {
            0..205 => {
                self.family();
            }
            205..250 => self.three_generations(),
            250..340 => self.lone_parent(),
            340..575 => {
                let woman_age = self.random.between(24, 86);
                let apart = self.random.between(-3, 7);
                self.couple(woman_age, apart);
            }
            575..880 => self.alone(),
            880..940 => self.grown_child_at_home(),
            940..975 => self.widowed(),
            975..995 => self.lately_deceased(),
            _ => self.orphans(),
        }
    }

    /// Adds somebody who was born `age` years and some days ago.
    fn add(&mut self, sex: Sex, age: i64) -> usize {
        let days = age * 1461 / 4 + self.random.below(DAYS_PER_YEAR as u64) as i64;
        self.add_born(sex, TODAY.plus(-days - 1))
    }

    fn add_born(&mut self, sex: Sex, born: Day) -> usize {
        self.people.push(Individual::new(self.household, sex, born));
        self.people.len() - 1
    }

    fn some_sex(&mut self) -> Sex {
        if self.random.chance(513) {
            Sex::Male
        } else {
            Sex::Female
        }
    }

    fn set_pair(&mut self, woman: usize, man: usize, marital: Marital) {
        self.people[woman].partner = man as u32;
        self.people[man].partner = woman as u32;
        self.people[woman].set_marital(marital);
        self.people[man].set_marital(marital);
    }

    /// A woman of `age` and a man `apart` years older, four fifths of them married.
    fn couple(&mut self, age: i64, apart: i64) -> (usize, usize) {
        let woman = self.add(Sex::Female, age);
        let man = self.add(Sex::Male, (age + apart).max(20));
        let marital = if self.random.chance(800) {
            Marital::Married
        } else {
            Marital::Single
        };
        self.set_pair(woman, man, marital);
        (woman, man)
    }

    /// Ages of a mother at the births of the children who still live with her, two years or more apart.
    fn births(&mut self, mother_age: i64) -> Vec<i64> {
        let (low, high) = ((mother_age - 22).max(19), (mother_age - 1).min(41));
        let number = [1, 1, 1, 1, 2, 2, 2, 2, 3, 3][self.random.below(10) as usize]
            + i64::from(self.random.chance(60));
        let mut ages = vec![self.random.between(low, high)];
        while (ages.len() as i64) < number {
            let next = ages[ages.len() - 1] + self.random.between(2, 5);
            if next > high {
                break;
            }
            ages.push(next);
        }
        ages
    }

    /// Adds the children a mother bore at `ages`.
    fn children(&mut self, mother_born: Day, mother: u32, father: u32, ages: &[i64]) {
        for age in ages {
            let sex = self.some_sex();
            let days = age * 1461 / 4 + self.random.below(DAYS_PER_YEAR as u64) as i64;
            let recently = TODAY.plus(-self.random.between(1, 200));
            let child = self.add_born(sex, mother_born.plus(days + 1).min(recently));
            self.people[child].mother = mother;
            self.people[child].father = father;
        }
    }

    /// A couple with children at home.
    fn family(&mut self) -> (usize, usize) {
        let age = self.random.between(24, 55);
        let births = self.births(age);
        // Kept so that he, too, was 18 to 45 at each birth.
        let (first, last) = (births[0], births[births.len() - 1]);
        let apart = self
            .random
            .between(-3, 8)
            .clamp(20 - first, (43 - last).max(20 - first));
        let (woman, man) = self.couple(age, apart);
        self.children(self.people[woman].born, woman as u32, man as u32, &births);
        (woman, man)
    }

    fn three_generations(&mut self) {
        let (_, man) = self.family();
        let days = self.random.between(20, 38) * 1461 / 4;
        let grandmother = self.add_born(Sex::Female, self.people[man].born.plus(-days));
        self.people[grandmother].set_marital(Marital::Divorced);
        self.people[man].mother = grandmother as u32;
    }

    fn lone_parent(&mut self) {
        let age = self.random.between(22, 54);
        let births = self.births(age);
        let sex = if self.random.chance(900) {
            Sex::Female
        } else {
            Sex::Male
        };
        let parent = self.add(sex, age);
        let marital = if self.random.chance(550) {
            Marital::Divorced
        } else {
            Marital::Single
        };
        self.people[parent].set_marital(marital);
        let born = self.people[parent].born;
        match sex {
            Sex::Female => self.children(born, parent as u32, NOBODY, &births),
            Sex::Male => self.children(born, NOBODY, parent as u32, &births),
        }
    }

    fn alone(&mut self) {
        let sex = self.some_sex();
        let age = match (self.random.below(100), sex) {
            (0..45, _) => self.random.between(19, 44),
            (45..75, _) => self.random.between(45, 66),
            (_, Sex::Male) => self.random.between(60, 82),
            (_, Sex::Female) => self.random.between(66, 97),
        };
        let person = self.add(sex, age);
        let marital = match age {
            0..30 => Marital::Single,
            _ if self.random.chance(500) => Marital::Divorced,
            _ => Marital::Single,
        };
        self.people[person].set_marital(marital);
    }

    fn grown_child_at_home(&mut self) {
        let mother_age = self.random.between(50, 84);
        let at_birth = self
            .random
            .between((mother_age - 55).max(19), (mother_age - 25).min(38));
        let apart = self.random.between(-1, 5).clamp(20 - at_birth, 43 - at_birth);
        let (woman, man) = self.couple(mother_age, apart);
        self.children(self.people[woman].born, woman as u32, man as u32, &[at_birth]);
    }

    fn widowed(&mut self) {
        let age = self.random.between(58, 92);
        let apart = self.random.between(-2, 6);
        let (woman, man) = self.couple(age, apart);
        let (dead, left) = if self.random.chance(780) {
            (man, woman)
        } else {
            (woman, man)
        };
        self.set_pair(woman, man, Marital::Married);
        self.people[left].set_marital(Marital::Widowed);
        self.people[dead].died = TODAY.plus(-self.random.between(40, 4_000));
    }

    fn lately_deceased(&mut self) {
        let sex = self.some_sex();
        let age = self.random.between(62, 99);
        let person = self.add(sex, age);
        self.people[person].died = TODAY.plus(-self.random.between(20, 2_500));
    }

    /// Children whose parents are dead, with a guardian: mostly the father's mother. The guardian comes first.
    fn orphans(&mut self) {
        let mother_age = self.random.between(27, 48);
        let mut births = self.births(mother_age);
        births.retain(|age| mother_age - age <= 16);
        if births.is_empty() {
            births.push((mother_age - 10).clamp(19, 41));
        }
        let (first, last) = (births[0], births[births.len() - 1]);
        let apart = self
            .random
            .between(-2, 6)
            .clamp(20 - first, (43 - last).max(20 - first));
        let is_grandmother = self.random.chance(650);
        let guardian_age = mother_age + apart + self.random.between(20, 30);
        let guardian = self.add(Sex::Female, if is_grandmother { guardian_age } else { 45 });
        self.people[guardian].set_marital(Marital::Divorced);
        let (woman, man) = self.couple(mother_age, apart);
        self.children(self.people[woman].born, woman as u32, man as u32, &births);
        if is_grandmother {
            self.people[man].mother = guardian as u32;
        }
        let youngest = self.people[self.people.len() - 1].born;
        for parent in [woman, man] {
            let after = i64::from(TODAY.0 - youngest.0);
            let died = youngest.plus(self.random.between(1, after.max(2) - 1));
            self.people[parent].died = died.min(TODAY.plus(-1));
        }
        for child in woman + 2..self.people.len() {
            self.people[child].traits |= GUARDED;
        }
    }
}
