//! The token endpoint: a code becomes an ID token (RFC 6749 §4.1.3, OpenID Connect Core §3.1.3).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use form_urlencoded::{Serializer, byte_serialize};
use serde_json::{Map, Value};

use crate::{
    failure::{Failure, clean},
    http::{Answer, Http},
    metadata::Metadata,
    settings::{Secret, Settings},
};

const WHAT: &str = "the token endpoint";

/// What the provider gave.
pub struct Tokens {
    pub id_token: String,
    /// For the userinfo endpoint only.
    pub access_token: Option<Secret>,
}

pub async fn exchange(
    http: &Http,
    metadata: &Metadata,
    settings: &Settings,
    code: &str,
    verifier: &str,
) -> Result<Tokens, Failure> {
    let (form, authorization) = request(metadata, settings, code, verifier);
    let answer = http.post_form(WHAT, &metadata.token, form, authorization).await?;
    if answer.status == 200 {
        read(&answer.good(WHAT)?)
    } else {
        Err(refusal(&answer))
    }
}

/// The form, and the `Authorization` header where the secret goes there.
fn request(metadata: &Metadata, settings: &Settings, code: &str, verifier: &str) -> (String, Option<Secret>) {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", &settings.redirect_uri)
        .append_pair("code_verifier", verifier);
    match &settings.client_secret {
        Some(secret) if !metadata.secret_in_form => {
            return (form.finish(), Some(basic(&settings.client_id, secret)));
        }
        Some(secret) => {
            form.append_pair("client_secret", secret.expose());
        }
        None => {}
    }
    form.append_pair("client_id", &settings.client_id);
    (form.finish(), None)
}

/// RFC 6749 §2.3.1: both parts form-encoded first.
fn basic(client_id: &str, secret: &Secret) -> Secret {
    let part = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", part(client_id), part(secret.expose()));
    Secret::new(format!("Basic {}", STANDARD.encode(pair)))
}

fn read(answer: &Map<String, Value>) -> Result<Tokens, Failure> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let bearer = text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    Ok(Tokens {
        id_token: text("id_token").ok_or_else(|| {
            Failure::Refused(format!("{WHAT} gave no ID token; is openid among the scopes?"))
        })?,
        access_token: text("access_token").filter(|_| bearer).map(Secret::new),
    })
}

fn refusal(answer: &Answer) -> Failure {
    let object = answer.object().unwrap_or_default();
    match object.get("error").and_then(Value::as_str).map(clean).as_deref() {
        // Used already, too old, or another client's.
        Some("invalid_grant") => Failure::Lost("the provider does not take the code"),
        Some(error) if answer.status < 500 => {
            Failure::Refused(format!("{WHAT} answered {} {error}", answer.status))
        }
        _ => answer.refused(WHAT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_named_as_the_standard_says() {
        let named = basic("a:b", &Secret::new("p w%"));
        assert_eq!(named.expose(), "Basic YSUzQWI6cCt3JTI1");
        assert_eq!(format!("{named:?}"), "(secret)");
    }
}
