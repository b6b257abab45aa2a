//! One disclosure in a sentence, and days with what happened in them.

use dagr_app::views::OwnDisclosure;
use dagr_model::{
    clock::{riga, riga_date},
    ids::Section,
};

use crate::{lang::Lang, page::name_of};

/// Fields named in a sentence; the page of the disclosure names all.
const NAMED: usize = 6;

pub struct Day {
    pub name: String,
    pub lines: Vec<Line>,
}

pub struct Line {
    pub id: String,
    /// `14:05`
    pub time: String,
    pub sentence: String,
    pub fields: String,
    pub purpose: String,
    pub law: String,
    pub case: Option<String>,
    pub description: String,
    pub found: bool,
    pub sandbox: bool,
}

/// Newest first, as they come.
pub fn days(lang: Lang, items: &[OwnDisclosure]) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for item in items {
        let name = lang.date(riga_date(item.at));
        if days.last().is_none_or(|day| day.name != name) {
            days.push(Day {
                name,
                lines: Vec::new(),
            });
        }
        if let Some(day) = days.last_mut() {
            day.lines.push(line(lang, item));
        }
    }
    days
}

fn line(lang: Lang, item: &OwnDisclosure) -> Line {
    let at = item.at.to_zoned_datetime(riga());
    Line {
        id: item.id.clone(),
        time: format!("{:02}:{:02}", at.hour(), at.minute()),
        sentence: sentence(lang, item),
        fields: fields(lang, item),
        purpose: item.purpose.clone(),
        law: item.legal_basis.clone(),
        case: item.case.clone(),
        description: item.description.clone(),
        found: item.found,
        sandbox: item.section == Section::Sandbox,
    }
}

/// Who did what: `Rīgas dome skatīja datus par jums`.
pub fn sentence(lang: Lang, item: &OwnDisclosure) -> String {
    let who = name_of(&item.recipient.name, item.recipient.registration_number.as_str());
    let (kind, name) = item.way.split_once(':').unwrap_or((&item.way, ""));
    let id = match (item.found, kind) {
        (false, _) => "own-did-not-find",
        (true, "key") => "own-did-key",
        (true, "index") => "own-did-index",
        (true, "changes") => "own-did-changes",
        (true, "list") => "own-did-list",
        (true, "bulk") => "own-did-bulk",
        (true, "history") => "own-did-history",
        (true, _) => "own-did-other",
    };
    lang.with(id, &[("who", &who), ("name", name)])
}

/// `Vārds, uzvārds un vēl 3 lauki`.
fn fields(lang: Lang, item: &OwnDisclosure) -> String {
    let all = item.fields.len();
    // One more is shown rather than counted.
    let shown = if all == NAMED + 1 { all } else { all.min(NAMED) };
    let named: Vec<&str> = item
        .fields
        .iter()
        .take(shown)
        .map(|field| field.meaning.as_str())
        .collect();
    let named = named.join("; ");
    if all == shown {
        return named;
    }
    format!("{named} {}", lang.n("own-more-fields", (all - shown) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dagr_app::views::{FieldMeaning, Provider};
    use dagr_model::ids::{DatasetName, RegistrationNumber};

    fn item(way: &str, fields: usize) -> OwnDisclosure {
        OwnDisclosure {
            id: "1.2".into(),
            at: "2026-05-12T11:05:00Z".parse().unwrap(),
            found: true,
            partly: false,
            recipient: Provider {
                registration_number: RegistrationNumber::new("90000000812"),
                name: "Rīgas dome".into(),
            },
            dataset: DatasetName::new("persons"),
            description: "Personas".into(),
            provider: None,
            section: Section::Main,
            way: way.into(),
            fields: (0..fields)
                .map(|n| FieldMeaning {
                    path: format!("F{n}"),
                    meaning: format!("Lauks {n}"),
                })
                .collect(),
            purpose: "Pabalsts".into(),
            legal_basis: "4. pants".into(),
            case: None,
            permission: "1".into(),
        }
    }

    #[test]
    fn a_disclosure_is_told_in_a_sentence_with_its_day_and_hour_in_riga() {
        let told = days(Lang::Lv, &[item("key", 2), item("list:died", 1)]);
        assert_eq!(told.len(), 1, "one day");
        assert_eq!(told[0].name, "2026. gada 12. maijs");
        assert_eq!(told[0].lines[0].time, "14:05");
        assert_eq!(told[0].lines[0].sentence, "Rīgas dome skatīja datus par jums");
        assert!(told[0].lines[1].sentence.contains("died"));
        let mut missed = item("key", 0);
        missed.found = false;
        assert!(sentence(Lang::Lv, &missed).contains("neatrada"));
    }

    #[test]
    fn every_way_has_a_sentence_of_its_own_in_both_languages() {
        for lang in Lang::ALL {
            let ways = [
                "key",
                "index:Surname",
                "changes",
                "list:x",
                "bulk",
                "history",
                "new",
            ];
            let told: std::collections::BTreeSet<String> =
                ways.iter().map(|way| sentence(lang, &item(way, 1))).collect();
            assert_eq!(told.len(), ways.len(), "{told:?}");
            assert!(
                told.iter().all(|text| text.starts_with("Rīgas dome ")),
                "{told:?}"
            );
        }
    }

    #[test]
    fn many_fields_are_counted() {
        assert_eq!(fields(Lang::Lv, &item("key", 2)), "Lauks 0; Lauks 1");
        assert!(fields(Lang::Lv, &item("key", 7)).ends_with("Lauks 6"));
        assert!(fields(Lang::Lv, &item("key", 27)).ends_with("un vēl 21 lauks"));
    }
}
