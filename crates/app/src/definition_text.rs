//! Definitions for the machines that deliver and read: the provider's as it stands, a reader's as far as the
//! permission shows. No record is told, so that nothing is entered and no use is taken.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dagr_model::{definition::Definition, ids::Section, permission::Way};
use dagr_policy::{Target, refuse_whatever};

use crate::{App, ctx::Ctx, problem::Problem};

/// Canonical text, with an entity tag that is the same while the text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionText {
    pub text: String,
    /// Strong, quotes included.
    pub etag: String,
    /// Anybody may have it.
    pub open: bool,
}

impl DefinitionText {
    fn of(definition: &Definition, open: bool) -> Self {
        let text = definition.print();
        let tag = digest(&SHA256, text.as_bytes());
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&tag.as_ref()[..18]));
        Self { text, etag, open }
    }
}

impl App {
    /// What a producer connection delivers to.
    pub fn delivered_definition(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
    ) -> Result<DefinitionText, Problem> {
        let set = self.provider_set(ctx, section, dataset)?;
        Ok(DefinitionText::of(set.definition(), false))
    }

    /// What a permission shows. It has to be usable; case, way and quota belong to reads of records.
    pub fn granted_definition(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
    ) -> Result<DefinitionText, Problem> {
        let admission = self.admit(ctx, section, dataset)?;
        let ask = admission.ask(ctx, Way::Key, None, Target::Keys(Vec::new()));
        if let Some(refusal) = refuse_whatever(&admission.grant, &ask) {
            return Err(refusal.into());
        }
        let paths: Vec<String> = admission.grant.granted().map(str::to_owned).collect();
        let narrowed = admission.set.definition().narrowed(&paths);
        Ok(DefinitionText::of(&narrowed, admission.open))
    }
}
