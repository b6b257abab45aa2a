//! Seals: what a person accepted, signed by the platform for that person. Anybody can verify one with the JWKS.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dagr_model::{
    application::{Application, Asked, Decision},
    permission::Way,
    role::Role,
};
use serde_json::{Value, json};

use crate::{
    App,
    ctx::{Acting, Ctx, Person},
    jws::{canonical, sign_detached},
    problem::Problem,
};

/// The statement, and the detached JWS (RFC 7797) over its RFC 8785 form.
pub(crate) type Seal = (Value, String);

/// What is accepted besides what was asked.
pub(crate) enum Act<'a> {
    Submit,
    Decide { decision: &'a Decision, ways: &'a [Way] },
}

impl App {
    pub(crate) fn seal(
        &self,
        ctx: &Ctx,
        application: &Application,
        role: Role,
        accepted: (&Act<'_>, &[String]),
    ) -> Result<Seal, Problem> {
        let (person, acting) = ctx.acting(&[])?;
        let statement = statement(ctx, application, (&**person, acting, role), accepted)?;
        let jws = sign_detached(&self.secrets, &canonical(&statement));
        Ok((statement, jws))
    }

    /// Does this seal stand for this statement, by our present key?
    pub fn seal_verify(&self, statement: &Value, seal: &str) -> bool {
        verify(self.secrets.public_key(), statement, seal).is_some()
    }
}

fn statement(
    ctx: &Ctx,
    application: &Application,
    (person, acting, role): (&Person, &Acting, Role),
    (act, attached): (&Act<'_>, &[String]),
) -> Result<Value, Problem> {
    let mut asked = serde_json::to_value(&application.asked).map_err(Problem::internal)?;
    if let Asked::Data(data) = &application.asked
        && data.scope.is_some()
    {
        // Keys may be decimals, which RFC 8785 would write in another way: as text they stay what they are.
        asked["scope"] = Value::String(asked["scope"].to_string());
    }
    let (name, decision, ways) = match act {
        Act::Submit => ("submit", Value::Null, Value::Null),
        Act::Decide { decision, ways } => ("decide", json!(decision), json!(ways)),
    };
    Ok(json!({
        "act": name,
        "application": application.number,
        "applicant": application.applicant,
        "provider": application.provider,
        "asked": asked,
        "attachments": attached,
        "decision": decision,
        "ways": ways,
        "person": person.id,
        "institution": acting.institution,
        "role": role,
        "signed_in_by": person.signed_in_by,
        "signed_in_at": person.signed_in_at,
        "at": ctx.now,
    }))
}

fn verify(key: &[u8], statement: &Value, seal: &str) -> Option<()> {
    let (header, signature) = seal.split_once("..")?;
    let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    // The key is ours; the header must say what is being verified.
    (head["alg"] == "EdDSA" && head["b64"] == false).then_some(())?;
    let input = [header.as_bytes(), b".", &canonical(statement)].concat();
    UnparsedPublicKey::new(&ED25519, key)
        .verify(&input, &URL_SAFE_NO_PAD.decode(signature).ok()?)
        .ok()
}
