//! Ways and states as people say them.

use dagr_app::{permission::Transition, views::Standing};
use dagr_model::permission::{PermissionState, Way};

use crate::lang::Lang;

/// In a word, how it is marked, and an icon: colour alone says nothing.
pub fn standing(lang: Lang, standing: Standing) -> (String, &'static str, &'static str) {
    let (class, icon) = match standing {
        Standing::Active => ("good", "✓"),
        Standing::NotYet => ("wait", "◷"),
        Standing::Suspended => ("wait", "⏸"),
        Standing::Expired => ("plain", "◷"),
        Standing::Revoked => ("grave", "✕"),
    };
    let id = format!("permission-standing-{}", standing.as_str());
    (lang.known(&id).unwrap_or_default(), class, icon)
}

/// The text of a state something was brought to.
pub fn state_name(state: PermissionState) -> &'static str {
    match state {
        PermissionState::Active => "permission-became-active",
        PermissionState::Suspended => "permission-became-suspended",
        PermissionState::Revoked => "permission-became-revoked",
    }
}

/// `index:Surname` → `meklējot pēc lauka Surname`; what is no way stays as it is.
pub fn way_text(lang: Lang, way: &str) -> String {
    // Not granted by itself: it goes with `changes`.
    if way == "digest" {
        return lang.t("way-digest");
    }
    way.parse::<Way>()
        .map_or_else(|_| way.to_owned(), |way| crate::words::way(lang, &way, None))
}

pub fn transition(name: &str) -> Option<Transition> {
    Transition::ALL
        .into_iter()
        .find(|transition| transition.as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standing_and_way_has_a_word_in_both_languages() {
        for lang in Lang::ALL {
            for one in Standing::ALL {
                assert!(!standing(lang, one).0.is_empty(), "{one:?}");
            }
            for way in [
                "key",
                "index:Surname",
                "changes",
                "list:died",
                "bulk",
                "history",
                "digest",
            ] {
                assert_ne!(way_text(lang, way), way);
            }
            for to in Transition::ALL {
                for family in ["title", "note", "button", "do"] {
                    let id = format!("permission-{family}-{}", to.as_str());
                    assert!(lang.known(&id).is_some(), "{id}");
                }
                assert!(lang.known(&format!("done-permission-{}", to.as_str())).is_some());
                assert_eq!(transition(to.as_str()), Some(to));
            }
        }
        assert_eq!(transition("explain"), None);
    }
}
