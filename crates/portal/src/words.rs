//! The domain's words in the reader's language: states, ways, scopes.

use dagr_model::{
    application::{Application, Asked, Decision, InstitutionRole, Stage},
    definition::{Definition, Field},
    permission::{QuotaUnit, Scope, Way},
};

use crate::lang::Lang;

/// A state as a word with an icon; colour only repeats it.
pub struct State {
    pub icon: &'static str,
    pub text: String,
    pub class: &'static str,
}

/// Where an application stands.
pub fn stage(lang: Lang, stage: &Stage) -> State {
    let (icon, name, class) = match stage {
        Stage::Draft => ("✎", "draft", "plain"),
        Stage::Submitted { .. } => ("➜", "submitted", "wait"),
        Stage::Returned { .. } => ("↩", "returned", "wait"),
        Stage::Resubmitted { .. } => ("➜", "resubmitted", "wait"),
        Stage::LegalReview { .. } => ("§", "legal-review", "wait"),
        Stage::Withdrawn { .. } => ("⊘", "withdrawn", "plain"),
        Stage::Decided { decision, .. } => match decision {
            Decision::Approved { .. } => ("✓", "approved", "good"),
            Decision::Partial { .. } => ("◐", "partial", "good"),
            Decision::Refused { .. } => ("✕", "refused", "grave"),
        },
    };
    State {
        icon,
        text: lang.t(&format!("stage-{name}")),
        class,
    }
}

pub fn institution_role(lang: Lang, role: InstitutionRole) -> String {
    match role {
        InstitutionRole::Provider => lang.t("institution-role-provider"),
        InstitutionRole::Recipient => lang.t("institution-role-recipient"),
    }
}

/// What an application is about, in a few words.
pub fn subject(lang: Lang, application: &Application, described: impl Fn(&str) -> Option<String>) -> String {
    match &application.asked {
        Asked::Data(data) => described(data.dataset.as_str()).unwrap_or_else(|| data.dataset.to_string()),
        Asked::Role(asked) => lang.with(
            "application-role",
            &[("role", &institution_role(lang, asked.role))],
        ),
    }
}

/// `definition`: fields are named by what they mean.
pub fn way(lang: Lang, way: &Way, definition: Option<&Definition>) -> String {
    match way {
        Way::Key => lang.t("way-key"),
        Way::Index(names) => {
            let meaning = |name: &str| {
                let field = definition.and_then(|definition| definition.field(name));
                field.map_or_else(|| name.to_owned(), |field| format!("{} ({name})", field.comments))
            };
            let names: Vec<String> = names.split(',').map(meaning).collect();
            lang.with("way-index", &[("name", &names.join(", "))])
        }
        Way::Changes => lang.t("way-changes"),
        Way::List(name) => lang.with("way-list", &[("name", name)]),
        Way::Bulk => lang.t("way-bulk"),
        Way::History => lang.t("way-history"),
    }
}

/// Every way a set can be asked for.
pub fn ways_of(definition: &Definition) -> Vec<Way> {
    let mut ways = vec![Way::Key];
    ways.extend(definition.indexes.iter().map(|index| Way::Index(index.join(","))));
    ways.push(Way::Changes);
    ways.extend(definition.changes.iter().map(|list| Way::List(list.name.clone())));
    ways.push(Way::Bulk);
    if definition.history {
        ways.push(Way::History);
    }
    ways
}

pub fn scope(lang: Lang, scope: Option<&Scope>) -> String {
    match scope {
        None => lang.t("scope-all"),
        Some(Scope::Keys(keys)) => lang.n("scope-keys", keys.len() as u64),
        Some(Scope::When(text)) => lang.with("scope-when", &[("when", text)]),
    }
}

pub fn quota(lang: Lang, quota: Option<u64>, unit: QuotaUnit) -> String {
    match (quota, unit) {
        (None, _) => lang.t("quota-none"),
        (Some(quota), QuotaUnit::Call) => lang.n("quota-calls", quota),
        (Some(quota), QuotaUnit::Record) => lang.n("quota-records", quota),
    }
}

/// One leaf of a definition.
pub struct Leaf {
    pub path: String,
    /// `Vecāki › Vecāka personas kods`
    pub meaning: String,
    /// How it concerns a person, in words; empty: not at all.
    pub personal: String,
    /// Identifying or sensitive.
    pub is_grave: bool,
    pub is_key: bool,
}

/// Leaves in definition order.
pub fn leaves(lang: Lang, definition: &Definition) -> Vec<Leaf> {
    let mut out = Vec::new();
    gather(lang, definition, &definition.fields, ("", ""), &mut out);
    out
}

fn gather(
    lang: Lang,
    definition: &Definition,
    fields: &[Field],
    (path, meaning): (&str, &str),
    out: &mut Vec<Leaf>,
) {
    for field in fields {
        let path = if path.is_empty() {
            field.name.clone()
        } else {
            format!("{path}.{}", field.name)
        };
        let meaning = if meaning.is_empty() {
            field.comments.clone()
        } else {
            format!("{meaning} › {}", field.comments)
        };
        if field.fields.is_empty() {
            out.push(leaf(lang, definition, field, path, meaning));
        } else {
            gather(lang, definition, &field.fields, (&path, &meaning), out);
        }
    }
}

fn leaf(lang: Lang, definition: &Definition, field: &Field, path: String, meaning: String) -> Leaf {
    Leaf {
        is_key: definition.key.fields().any(|key| key == path),
        personal: field
            .personal
            .map_or_else(String::new, |personal| personal_text(lang, personal)),
        is_grave: field.personal.is_some(),
        path,
        meaning,
    }
}

pub fn personal_text(lang: Lang, personal: dagr_model::definition::Personal) -> String {
    use dagr_model::definition::Personal;
    match personal {
        Personal::Subject => lang.t("personal-subject"),
        Personal::Identifying => lang.t("personal-identifying"),
        Personal::Sensitive => lang.t("personal-sensitive"),
    }
}

/// `12,3 GiB`: one digit behind the comma is enough to see where it goes.
pub fn bytes(lang: Lang, bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut tenths = bytes.saturating_mul(10);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1_024;
        unit += 1;
    }
    let point = if lang == Lang::Lv { ',' } else { '.' };
    match (unit, tenths % 10) {
        (0, _) => format!("{}\u{a0}B", tenths / 10),
        (_, tenth) => format!("{}{point}{tenth}\u{a0}{}", tenths / 10, UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_said_in_its_largest_whole_unit() {
        let said = |bytes| self::bytes(Lang::Lv, bytes).replace('\u{a0}', " ");
        assert_eq!(
            [0, 15, 1_023, 1_024, 1_536, 5 << 20, u64::MAX].map(said),
            [
                "0 B",
                "15 B",
                "1023 B",
                "1,0 KiB",
                "1,5 KiB",
                "5,0 MiB",
                "1677721,5 TiB"
            ]
        );
        assert_eq!(self::bytes(Lang::En, 1_536), "1.5\u{a0}KiB");
    }
}
