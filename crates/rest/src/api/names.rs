//! Names that stay apart: client generators make files and methods of them, without regard to case.

use std::collections::HashSet;

/// Names given so far. A name taken already gets a number.
#[derive(Default)]
pub(super) struct Names {
    operations: HashSet<String>,
    schemas: HashSet<String>,
    tags: HashSet<String>,
}

impl Names {
    pub fn operation(&mut self, wanted: &str) -> String {
        distinct(&mut self.operations, wanted)
    }

    pub fn tag(&mut self, wanted: &str) -> String {
        distinct(&mut self.tags, wanted)
    }

    pub fn schema(&mut self, wanted: &str) -> String {
        distinct(&mut self.schemas, wanted)
    }
}

fn distinct(taken: &mut HashSet<String>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    let mut number = 2;
    while !taken.insert(name.to_lowercase()) {
        name = format!("{wanted}{number}");
        number += 1;
    }
    name
}

/// `fpr_person` → `FprPerson`: letters and digits only, as component names allow.
pub(super) fn pascal(text: &str) -> String {
    let plain = plain(text);
    let words = plain.split('_').filter(|word| !word.is_empty());
    words
        .map(|word| {
            let mut characters = word.chars();
            let first = characters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(characters).collect::<String>()
        })
        .collect()
}

/// Lower case, ASCII, `_` for whatever else.
pub(super) fn snake(text: &str) -> String {
    plain(text).to_ascii_lowercase()
}

/// ASCII letters and digits stay, Latvian letters lose their marks, the rest becomes `_`.
fn plain(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            'ā' => 'a',
            'č' => 'c',
            'ē' => 'e',
            'ģ' => 'g',
            'ī' => 'i',
            'ķ' => 'k',
            'ļ' => 'l',
            'ņ' => 'n',
            'š' => 's',
            'ū' => 'u',
            'ž' => 'z',
            'Ā' => 'A',
            'Č' => 'C',
            'Ē' => 'E',
            'Ģ' => 'G',
            'Ī' => 'I',
            'Ķ' => 'K',
            'Ļ' => 'L',
            'Ņ' => 'N',
            'Š' => 'S',
            'Ū' => 'U',
            'Ž' => 'Z',
            other if other.is_ascii_alphanumeric() => other,
            _ => '_',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_stay_apart() {
        assert_eq!(pascal("fpr_person"), "FprPerson");
        assert_eq!(pascal("Adrese.Iela_ķ"), "AdreseIelaK");
        assert_eq!(snake("Dzīvnieks"), "dzivnieks");
        let mut names = Names::default();
        assert_eq!(names.schema("AbRecord"), "AbRecord");
        assert_eq!(names.schema("ABRecord"), "ABRecord2");
        assert_eq!(names.operation("a_b"), "a_b");
        assert_eq!(names.operation("a_b"), "a_b2");
    }
}
