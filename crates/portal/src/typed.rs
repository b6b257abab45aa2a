//! A form shown again: what was typed, and what was wrong with it, at the field and in a list.

use dagr_app::problem::Problem;

use crate::{failed::fault_text, form::Form, lang::Lang};

/// A form as it stands; empty when it is shown for the first time.
#[derive(Default)]
pub struct Typed {
    form: Form,
    pub faults: Vec<Wrong>,
}

/// `at`: the field's id.
pub struct Wrong {
    pub at: String,
    pub text: String,
}

impl Typed {
    /// What is wrong goes to its field; what exists already, to the field `taken`. Anything else is no fault of typing.
    pub fn refused(lang: Lang, form: Form, problem: Problem, taken: &str) -> Result<Self, Problem> {
        let faults = match (problem.status, problem.code) {
            (422, _) if !problem.faults.is_empty() => problem
                .faults
                .iter()
                .map(|fault| Wrong {
                    at: fault.place.clone(),
                    text: fault_text(lang, fault),
                })
                .collect(),
            (409, "exists") => vec![Wrong {
                at: taken.to_owned(),
                text: lang.t("fault-exists"),
            }],
            _ => return Err(problem),
        };
        Ok(Self { form, faults })
    }

    pub fn with(form: Form, faults: Vec<Wrong>) -> Self {
        Self { form, faults }
    }

    pub fn has(&self, name: &str) -> bool {
        self.form.has(name)
    }

    pub fn value(&self, name: &str) -> String {
        self.form.text(name).to_owned()
    }

    pub fn fault(&self, name: &str) -> Option<String> {
        let of = |wrong: &&Wrong| wrong.at == name;
        self.faults.iter().find(of).map(|wrong| wrong.text.clone())
    }

    pub fn is_wrong(&self) -> bool {
        !self.faults.is_empty()
    }
}
