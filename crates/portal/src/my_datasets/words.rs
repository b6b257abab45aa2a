//! A provider's words: where a set stands, how fresh it is, what a package became, what a new text changes.

use dagr_app::{
    intake::seen::PackageState,
    provide::{Provided, SectionSeen},
};
use dagr_model::{
    definition::{EvolutionChange, EvolutionClass},
    fault::Fault,
    ids::Section,
};

use crate::{lang::Lang, words::State};

pub fn section(lang: Lang, section: Section) -> String {
    match section {
        Section::Main => lang.t("section-title-main"),
        Section::Sandbox => lang.t("section-title-sandbox"),
    }
}

/// Published, or only tried.
pub fn place(lang: Lang, set: &Provided) -> State {
    match (&set.main, &set.sandbox) {
        (Some(_), _) => State {
            icon: "✓",
            text: lang.t("set-published"),
            class: "good",
        },
        _ => State {
            icon: "✎",
            text: lang.t("set-tried"),
            class: "wait",
        },
    }
}

/// A word only where something was promised.
pub fn freshness(lang: Lang, seen: &SectionSeen) -> Option<State> {
    if seen.section == Section::Sandbox || seen.promise_s.is_none() {
        return None;
    }
    seen.applied?;
    Some(if seen.is_late {
        State {
            icon: "⚠",
            text: lang.t("fresh-late"),
            class: "grave",
        }
    } else {
        State {
            icon: "✓",
            text: lang.t("fresh-kept"),
            class: "good",
        }
    })
}

pub fn package(lang: Lang, state: PackageState) -> State {
    let (icon, name, class) = match state {
        PackageState::Open => ("…", "open", "wait"),
        PackageState::Applied => ("✓", "applied", "good"),
        PackageState::Held => ("‖", "held", "wait"),
        PackageState::Rejected => ("✕", "rejected", "plain"),
    };
    State {
        icon,
        text: lang.t(&format!("package-{name}")),
        class,
    }
}

pub fn class(lang: Lang, class: EvolutionClass) -> State {
    match class {
        EvolutionClass::Identical => State {
            icon: "=",
            text: lang.t("evolution-identical"),
            class: "plain",
        },
        EvolutionClass::Compatible => State {
            icon: "✓",
            text: lang.t("evolution-compatible"),
            class: "good",
        },
        EvolutionClass::Incompatible => State {
            icon: "⚠",
            text: lang.t("evolution-incompatible"),
            class: "grave",
        },
    }
}

/// Beginnings of what `evolution` says, and the names of our texts. The longest stand first.
const CHANGES: [(&str, &str); 18] = [
    ("added, and required", "change-added-required"),
    ("added before existing", "change-added-before"),
    ("added", "change-added"),
    ("removed", "change-removed"),
    ("moved", "change-moved"),
    ("became required", "change-required"),
    ("became a list", "change-list"),
    ("is no longer a list", "change-no-list"),
    ("no longer required", "change-optional"),
    ("description changed", "change-description"),
    ("its personal mark changed", "change-personal"),
    ("switched on", "change-on"),
    ("switched off", "change-off"),
    ("changed from a structured", "change-kind"),
    ("changed from", "change-from"),
    ("changed", "change-other"),
    ("is built anew", "change-other"),
    ("read as a whole number", "change-read"),
];

/// One change in the reader's language. What follows in the English words (names, values) is kept where it matters.
pub fn change(lang: Lang, change: &EvolutionChange) -> String {
    let what = change.what.as_str();
    // `name` added, `name` removed, `name` has another condition
    if let Some((name, rest)) = what.strip_prefix('`').and_then(|rest| rest.split_once("` ")) {
        let text = match rest {
            "added" => "change-name-added",
            "removed" => "change-name-removed",
            "has another condition" => "change-name-condition",
            _ => "change-name-anew",
        };
        return lang.with(text, &[("name", name)]);
    }
    let known = CHANGES.iter().find(|(begin, _)| what.starts_with(begin));
    match known {
        Some((begin, "change-from")) => {
            let values = what[begin.len()..].trim();
            let (from, to) = values.split_once(" to ").unwrap_or((values, ""));
            lang.with("change-from", &[("from", from), ("to", to)])
        }
        Some((_, "change-read")) => {
            let when = what.split_once('`').and_then(|(_, rest)| rest.rsplit_once('`'));
            lang.with("change-read", &[("when", when.map_or("", |(when, _)| when))])
        }
        Some((_, name)) => lang.t(name),
        None => what.to_owned(),
    }
}

/// As a permission's state is written.
pub fn permission(lang: Lang, state: &str) -> State {
    let (icon, name, class) = match state {
        "active" => ("✓", "reads-active", "good"),
        "suspended" => ("‖", "reads-suspended", "wait"),
        _ => ("⊘", "reads-ended", "plain"),
    };
    State {
        icon,
        text: lang.t(name),
        class,
    }
}

/// A fault of a definition: its rule in the reader's language, where we have words for it.
pub fn rule(lang: Lang, rule: &str) -> String {
    lang.known(&format!("rule-{}", rule.replace('_', "-")))
        .unwrap_or_else(|| rule.to_owned())
}

/// The line a fault stands in, if it says one.
pub fn line(fault: &Fault) -> Option<u32> {
    fault.place.strip_prefix("line ")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_and_class_has_its_word() {
        for lang in Lang::ALL {
            for state in PackageState::ALL {
                assert!(!package(lang, state).text.starts_with("package-"), "{state:?}");
            }
            for (_, name) in CHANGES {
                assert!(lang.known(name).is_some() || name == "change-from", "{name}");
            }
        }
    }

    #[test]
    fn changes_are_told_in_the_language_of_the_page() {
        let told = |what: &str| {
            change(
                Lang::Lv,
                &EvolutionChange {
                    place: "x".into(),
                    what: what.into(),
                    compatible: true,
                },
            )
        };
        assert_eq!(told("removed"), "izņemts");
        assert_eq!(told("`Surname` added"), "pievienots: Surname");
        assert_eq!(told("changed from int to text"), "mainīts no int uz text");
        let read = told(
            "read as a whole number by permission 7 (`Doors / 2 == 1`), to which a decimal is another value",
        );
        assert!(
            read.starts_with("nosacījums Doors / 2 == 1 to lasa kā veselu skaitli"),
            "{read}"
        );
        assert_eq!(told("something new"), "something new");
    }
}
