//! What is asked for. A draft may be incomplete; what is submitted may not.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    fault::Fault,
    ids::{DatasetName, PermissionNumber, RegistrationNumber, Section},
    permission::{QuotaUnit, Scope, Way},
    schema::Schema,
    template::TemplateUse,
};

const MAX_FIELDS: usize = 2_000;
const MAX_WAYS: usize = 200;
const MAX_KEYS: usize = 10_000;
const MAX_TEXT: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Asked {
    /// A permission; decided by the provider.
    Data(Box<DataAsked>),
    /// To be a provider or a recipient; decided by the operator.
    Role(RoleAsked),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataAsked {
    pub dataset: DatasetName,
    /// The permission that shall be as asked here, instead of another one made. Fixed like the data set.
    #[serde(default)]
    pub amends: Option<PermissionNumber>,
    /// The template it is asked under, as it was when it was chosen.
    #[serde(default)]
    pub template: Option<TemplateUse>,
    /// A permission is made for each.
    #[serde(default)]
    pub environments: Vec<Section>,
    #[serde(default)]
    pub purpose: String,
    #[serde(default)]
    pub legal_basis: String,
    /// What is done with the data, in the applicant's words.
    #[serde(default)]
    pub use_case: String,
    #[serde(default)]
    pub fields: Vec<FieldAsked>,
    #[serde(default)]
    pub scope: Option<Scope>,
    #[serde(default)]
    pub ways: Vec<Way>,
    #[serde(default)]
    pub quota: Option<u64>,
    #[serde(default)]
    pub quota_unit: QuotaUnit,
    #[serde(default)]
    pub rate_per_second: Option<u32>,
    #[serde(default)]
    pub misses_per_hour: Option<u32>,
    #[serde(default)]
    pub valid_from: Option<Date>,
    #[serde(default)]
    pub valid_to: Option<Date>,
    #[serde(default)]
    pub case_required: bool,
    /// Who works on the data for the applicant; the provider sees it.
    #[serde(default)]
    pub processor: Option<RegistrationNumber>,
}

/// One field and the article that allows the applicant to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldAsked {
    pub field: String,
    #[serde(default)]
    pub law: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleAsked {
    pub role: InstitutionRole,
    /// Why: the law or contract that makes the institution one.
    #[serde(default)]
    pub grounds: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstitutionRole {
    Provider,
    Recipient,
}

impl Asked {
    /// Leaf paths asked, in the order of the application; empty for a role.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let fields = self.data().map_or(&[][..], |asked| &asked.fields);
        fields.iter().map(|asked| asked.field.as_str())
    }

    pub fn data(&self) -> Option<&DataAsked> {
        match self {
            Self::Data(asked) => Some(asked),
            Self::Role(_) => None,
        }
    }

    /// What the application is about: stays the same for its life.
    pub(super) fn subject(
        &self,
    ) -> (
        Option<&DatasetName>,
        Option<&PermissionNumber>,
        Option<InstitutionRole>,
    ) {
        match self {
            Self::Data(asked) => (Some(&asked.dataset), asked.amends.as_ref(), None),
            Self::Role(asked) => (None, None, Some(asked.role)),
        }
    }

    /// Faults that even a draft may not have.
    pub(super) fn bounds(&self) -> Vec<Fault> {
        let mut check = Check::default();
        match self {
            Self::Role(asked) => check.most("grounds", asked.grounds.chars().count(), MAX_TEXT),
            Self::Data(asked) => {
                check.most("purpose", asked.purpose.chars().count(), MAX_TEXT);
                check.most("legal_basis", asked.legal_basis.chars().count(), MAX_TEXT);
                check.most("use_case", asked.use_case.chars().count(), MAX_TEXT);
                check.most("fields", asked.fields.len(), MAX_FIELDS);
                check.most("ways", asked.ways.len(), MAX_WAYS);
                check.most("environments", asked.environments.len(), 2);
                for one in asked.fields.iter().take(MAX_FIELDS) {
                    check.most(
                        &format!("fields.{}", shown(&one.field)),
                        one.field.len(),
                        MAX_TEXT,
                    );
                    check.most(&law_place(&one.field), one.law.chars().count(), MAX_TEXT);
                }
                match &asked.scope {
                    Some(Scope::Keys(keys)) => check.most("scope.keys", keys.len(), MAX_KEYS),
                    Some(Scope::When(text)) => check.most("scope.when", text.chars().count(), MAX_TEXT),
                    None => {}
                }
            }
        }
        check.0
    }

    /// What is still missing before it may be submitted, all at once.
    pub fn completeness(&self) -> Vec<Fault> {
        let mut check = Check(self.bounds());
        match self {
            Self::Role(asked) => check.said("grounds", &asked.grounds, "say on what grounds"),
            Self::Data(asked) => asked.completeness(&mut check),
        }
        check.0
    }
}

impl DataAsked {
    /// An empty one, to begin with: in the main section, record by record.
    pub fn about(dataset: DatasetName) -> Self {
        Self {
            dataset,
            amends: None,
            template: None,
            environments: vec![Section::Main],
            purpose: String::new(),
            legal_basis: String::new(),
            use_case: String::new(),
            fields: Vec::new(),
            scope: None,
            ways: vec![Way::Key],
            quota: None,
            quota_unit: QuotaUnit::default(),
            rate_per_second: None,
            misses_per_hour: None,
            valid_from: None,
            valid_to: None,
            case_required: false,
            processor: None,
        }
    }

    fn completeness(&self, check: &mut Check) {
        let one = "name at least one";
        check.holds(!self.environments.is_empty(), "environments", "required", one);
        let twice = self.environments.len() == 2 && self.environments[0] == self.environments[1];
        check.holds(!twice, "environments", "repeated", "name each once");
        let many = self.amends.is_some() && self.environments.len() > 1;
        check.holds(
            !many,
            "environments",
            "one",
            "an amendment stays in the permission's section",
        );
        check.said("purpose", &self.purpose, "say what the data are for");
        check.said(
            "legal_basis",
            &self.legal_basis,
            "name the law that gives you the task",
        );
        check.said("use_case", &self.use_case, "say how the data are used");
        check.holds(!self.fields.is_empty(), "fields", "required", one);
        let mut seen = std::collections::HashSet::new();
        for asked in &self.fields {
            let place = format!("fields.{}", shown(&asked.field));
            check.holds(
                seen.insert(&asked.field),
                &place,
                "repeated",
                "name each field once",
            );
            check.said(
                &law_place(&asked.field),
                &asked.law,
                "cite the article that allows you to know this field",
            );
        }
        check.holds(!self.ways.is_empty(), "ways", "required", one);
        if let (Some(from), Some(to)) = (self.valid_from, self.valid_to) {
            check.holds(from <= to, "valid_to", "range", "is before valid_from");
        }
    }
}

/// Structured fields become the leaves below them, each with the same law; unknown names stay for the check to
/// find; a leaf named twice stays where it first stood.
pub fn resolve_asked(schema: &Schema, asked: &[FieldAsked]) -> Vec<FieldAsked> {
    let mut out: Vec<FieldAsked> = Vec::new();
    let mut put = |field: String, law: &str| match out.iter_mut().find(|known| known.field == field) {
        // A law cited for the leaf itself is more exact than none.
        Some(known) if known.law.trim().is_empty() => law.clone_into(&mut known.law),
        Some(_) => {}
        None => out.push(FieldAsked {
            field,
            law: law.to_owned(),
        }),
    };
    for one in asked.iter().take(MAX_FIELDS) {
        match schema.resolve(std::iter::once(one.field.as_str())) {
            Ok(leaves) => leaves.into_iter().for_each(|leaf| put(leaf, &one.law)),
            Err(_) => put(one.field.clone(), &one.law),
        }
    }
    out
}

fn law_place(field: &str) -> String {
    format!("fields.{}.law", shown(field))
}

/// A field as a fault repeats it: bounded.
fn shown(field: &str) -> String {
    field.chars().take(100).collect()
}

#[derive(Default)]
struct Check(Vec<Fault>);

impl Check {
    fn holds(&mut self, holds: bool, place: &str, rule: &str, message: &str) {
        if !holds {
            self.0.push(Fault::new(place, rule, message));
        }
    }

    fn said(&mut self, place: &str, text: &str, message: &str) {
        self.holds(!text.trim().is_empty(), place, "required", message);
    }

    fn most(&mut self, place: &str, length: usize, most: usize) {
        if length > most {
            self.0
                .push(Fault::new(place, "too_long", format!("at most {most}")));
        }
    }
}
