//! Names: which a person gets, and how they end.

mod given;
mod surnames;

use super::random::SplitMix64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    Female,
    Male,
}

/// Where a family's names come from. All are written as Latvian writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Latvian,
    Slavic,
    Polish,
    Lithuanian,
}

impl Origin {
    pub(super) const ALL: [Origin; 4] = [Self::Latvian, Self::Slavic, Self::Polish, Self::Lithuanian];

    pub(super) fn draw(random: &mut SplitMix64) -> Self {
        match random.below(100) {
            0..62 => Self::Latvian,
            62..90 => Self::Slavic,
            90..96 => Self::Polish,
            _ => Self::Lithuanian,
        }
    }

    fn surnames(self) -> &'static [&'static str] {
        match self {
            Self::Latvian => surnames::LATVIAN,
            Self::Slavic => surnames::SLAVIC,
            Self::Polish => surnames::POLISH,
            Self::Lithuanian => surnames::LITHUANIAN,
        }
    }

    fn given(self, sex: Sex) -> &'static [&'static str] {
        match (self, sex) {
            (Self::Slavic, Sex::Female) => given::SLAVIC_FEMALE,
            (Self::Slavic, Sex::Male) => given::SLAVIC_MALE,
            (Self::Polish, Sex::Female) => given::POLISH_FEMALE,
            (Self::Polish, Sex::Male) => given::POLISH_MALE,
            (Self::Lithuanian, Sex::Female) => given::LITHUANIAN_FEMALE,
            (Self::Lithuanian, Sex::Male) => given::LITHUANIAN_MALE,
            (Self::Latvian, Sex::Female) => given::LATVIAN_FEMALE,
            (Self::Latvian, Sex::Male) => given::LATVIAN_MALE,
        }
    }
}

/// A surname as a number: origin in the upper bits, place in its list in the lower ten.
pub(super) fn draw_surname(origin: Origin, random: &mut SplitMix64) -> u16 {
    (origin as u16) << 10 | random.skewed(origin.surnames().len()) as u16
}

/// The man's form of a surname number.
pub(super) fn surname(number: u16) -> &'static str {
    let list = Origin::ALL[usize::from(number >> 10) % 4].surnames();
    list[usize::from(number & 1023) % list.len()]
}

/// A given name's place in its list. The lists run from grandparents' names to children's.
pub(super) fn draw_given(origin: Origin, sex: Sex, birth_year: i64, random: &mut SplitMix64) -> u16 {
    let len = origin.given(sex).len() as i64;
    let centre = (birth_year - 1930).clamp(0, 95) * (len - 1) / 95;
    let spread = len / 3;
    let place = centre + random.between(-spread, spread) / 2 + random.between(-spread, spread) / 2;
    // What falls off an end comes back from it, so that the oldest and newest names are not everybody's.
    (if place < 0 {
        -place
    } else if place >= len {
        2 * (len - 1) - place
    } else {
        place
    })
    .clamp(0, len - 1) as u16
}

pub(super) fn given(origin: Origin, sex: Sex, place: u16) -> &'static str {
    let list = origin.given(sex);
    list[usize::from(place) % list.len()]
}

/// The ending a surname takes for a woman or a man: the part to keep of the man's form, and what follows it.
/// Names in -a, -e and -o are the same for both.
pub(super) fn decline(man: &'static str, sex: Sex) -> (&'static str, &'static str) {
    if sex == Sex::Male {
        return (man, "");
    }
    for (ending, woman) in [
        ("skis", "ska"),
        ("ckis", "cka"),
        ("ais", "ā"),
        ("is", "e"),
        ("š", "a"),
        ("s", "a"),
    ] {
        if let Some(stem) = man.strip_suffix(ending) {
            return (stem, woman);
        }
    }
    (man, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn woman(man: &'static str) -> String {
        let (stem, ending) = decline(man, Sex::Female);
        format!("{stem}{ending}")
    }

    #[test]
    fn surnames_take_the_ending_of_their_bearer() {
        for (man, expected) in [
            ("Bērziņš", "Bērziņa"),
            ("Kalns", "Kalna"),
            ("Ozols", "Ozola"),
            ("Liepa", "Liepa"),
            ("Eglītis", "Eglīte"),
            ("Lācis", "Lāce"),
            ("Ivanovs", "Ivanova"),
            ("Kovaļevskis", "Kovaļevska"),
            ("Mazais", "Mazā"),
            ("Ševčenko", "Ševčenko"),
        ] {
            assert_eq!(woman(man), expected);
            assert_eq!(decline(man, Sex::Male), (man, ""));
        }
    }

    #[test]
    fn the_stock_is_large_distinct_and_ends_right() {
        use std::collections::HashSet;
        assert!(surnames::LATVIAN.len() >= 150);
        assert!(given::LATVIAN_FEMALE.len() >= 80 && given::LATVIAN_MALE.len() >= 80);
        for origin in Origin::ALL {
            let surnames = origin.surnames();
            assert_eq!(surnames.iter().collect::<HashSet<_>>().len(), surnames.len());
            assert!(surnames.len() < 1024);
            for name in surnames {
                assert!(!woman(name).ends_with(['s', 'š']), "{name}");
            }
            for (sex, endings) in [(Sex::Female, ['a', 'e', 'e']), (Sex::Male, ['s', 'š', 'o'])] {
                let names = origin.given(sex);
                let mut seen = HashSet::new();
                for name in names {
                    assert!(seen.insert(name), "{name} twice");
                    assert!(name.ends_with(endings), "{name}");
                }
            }
        }
    }

    #[test]
    fn every_name_is_in_composed_form() {
        let combining = |letter: char| ('\u{300}'..='\u{36f}').contains(&letter);
        for origin in Origin::ALL {
            for list in [
                origin.surnames(),
                origin.given(Sex::Female),
                origin.given(Sex::Male),
            ] {
                assert!(!list.iter().any(|name| name.contains(combining)));
            }
        }
    }
}
