//! The catalogue searched in words: without regard to diacritics and word endings, as Latvian is written.

use dagr_model::definition::Field;
use unicode_normalization::UnicodeNormalization;

/// Words of one search, at most.
const MAX_WORDS: usize = 10;
/// The shortest stem an ending is taken from.
const MIN_STEM: usize = 3;

/// Endings of nouns and adjectives without their diacritics, the longest first.
const ENDINGS: [&str; 24] = [
    "iem", "ais", "as", "es", "is", "us", "os", "am", "em", "im", "um", "om", "ai", "ei", "ie", "a", "e",
    "i", "u", "o", "s", "m", "y", "t",
];
/// Letters two forms of one word may differ in behind a common stem: `sociālās`, `sociālajām`.
const MAX_BEHIND: usize = 2;

/// Stems of a text.
pub(super) fn stems(text: &str) -> Vec<String> {
    let folded: String = text
        .nfd()
        .filter(char::is_ascii)
        .collect::<String>()
        .to_lowercase();
    folded
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| stem(word).to_owned())
        .collect()
}

fn stem(word: &str) -> &str {
    let ending = ENDINGS.iter().find(|ending| {
        word.strip_suffix(**ending)
            .is_some_and(|stem| stem.len() >= MIN_STEM && stem.bytes().all(|byte| byte.is_ascii_alphabetic()))
    });
    ending.map_or(word, |ending| &word[..word.len() - ending.len()])
}

/// What a set is found by, the weightiest first.
pub(super) struct Index(Vec<(u32, Vec<String>)>);

impl Index {
    pub(super) fn of(name: &str, description: &str, provider: &str, fields: &[Field]) -> Self {
        let mut leaves = String::new();
        gather(fields, &mut leaves);
        Self(vec![
            (8, stems(name)),
            (8, stems(description)),
            (4, stems(provider)),
            (1, stems(&leaves)),
        ])
    }

    /// How well it fits; none if a word is not found at all.
    pub(super) fn score(&self, words: &[String]) -> Option<u32> {
        words.iter().take(MAX_WORDS).map(|word| self.of_word(word)).sum()
    }

    fn of_word(&self, word: &str) -> Option<u32> {
        let hit = |(weight, stems): &(u32, Vec<String>)| {
            if stems.iter().any(|stem| stem == word) {
                return Some(weight * 2);
            }
            // A word that is still being typed, or a longer form of one that is there.
            let near = |stem: &String| {
                let longer = word.strip_prefix(stem.as_str());
                (word.len() >= MIN_STEM && stem.starts_with(word))
                    || (stem.len() > MIN_STEM && longer.is_some_and(|behind| behind.len() <= MAX_BEHIND))
            };
            stems.iter().any(near).then_some(*weight)
        };
        self.0.iter().filter_map(hit).reduce(u32::saturating_add)
    }
}

fn gather(fields: &[Field], out: &mut String) {
    for field in fields {
        out.push_str(&field.name);
        out.push(' ');
        out.push_str(&field.comments);
        out.push(' ');
        gather(&field.fields, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_forms_and_diacritics_do_not_matter() {
        let index = Index::of(
            "viis_education",
            "Izglītojamie un viņu izglītības iestādes",
            "Izglītības un zinātnes ministrija",
            &[],
        );
        for words in [
            "izglitiba",
            "Izglītību",
            "iestāde",
            "iestādēm",
            "ministrijas izglītības",
            "izglit",
            "VIIS",
        ] {
            assert!(index.score(&stems(words)).is_some(), "{words}");
        }
        for words in ["adrese", "izglītība adrese", "zivis"] {
            assert_eq!(index.score(&stems(words)), None, "{words}");
        }
        assert_eq!(stems("adreses"), stems("Adrešu"));
        assert_eq!(stems("personas"), stems("personām"));
        assert_eq!(stems("bērni"), stems("bērnu"));
        assert_eq!(index.score(&[]), Some(0));
    }
}
