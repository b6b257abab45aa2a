//! Is this ID token the provider's, for us, for this sign-in, and from now? (OpenID Connect Core §3.1.3.7)

use std::collections::HashSet;

use jsonwebtoken::{Algorithm, Validation};
use serde_json::{Map, Value};

use crate::{attempt::same, keys::Keys};

/// Clocks may differ by this much.
const SKEW_S: i64 = 60;
/// A token straight from the provider is never older.
const OLDEST_S: i64 = 600;
const MAX_BYTES: usize = 64 << 10;
/// Public keys only: what can be verified with our own secret, or with nothing, proves nothing about the provider.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// Signed by a key not known yet: fetch the keys again.
    UnknownKey,
    /// The rule that is broken; no value of the token.
    Rule(&'static str),
}

/// The claims of a token that keeps every rule.
pub fn verify(
    token: &str,
    keys: &Keys,
    expected: &Expected<'_>,
    now_s: i64,
) -> Result<Map<String, Value>, Fault> {
    let claims = signed_claims(token, keys)?;
    check(&claims, expected, now_s).map_err(Fault::Rule)?;
    Ok(claims)
}

fn signed_claims(token: &str, keys: &Keys) -> Result<Map<String, Value>, Fault> {
    if token.len() > MAX_BYTES {
        return Err(Fault::Rule("it is too long"));
    }
    // `none` is no algorithm there: such a header is not read at all.
    let header = jsonwebtoken::decode_header(token)
        .map_err(|_| Fault::Rule("it is not signed by an algorithm we take"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Fault::Rule("its algorithm is none of RS, PS, ES, EdDSA"));
    }
    if header.crit.is_some() {
        return Err(Fault::Rule("its header holds crit, which we do not understand"));
    }
    let fitting = keys.fitting(header.kid.as_deref(), header.alg);
    if fitting.is_empty() {
        return Err(Fault::UnknownKey);
    }
    let mut validation = Validation::new(header.alg);
    // Times and audience are checked below, by the clock that is handed in.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims = HashSet::new();
    let signed = fitting
        .into_iter()
        .find_map(|key| jsonwebtoken::decode::<Value>(token, key, &validation).ok());
    match signed.map(|token| token.claims) {
        Some(Value::Object(claims)) => Ok(claims),
        Some(_) => Err(Fault::Rule("its claims are no object")),
        None => Err(Fault::Rule("the signature does not fit")),
    }
}

fn check(claims: &Map<String, Value>, expected: &Expected<'_>, now_s: i64) -> Result<(), &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err("iss is not the provider");
    }
    audience(claims, expected.client_id)?;
    if text("sub").is_none_or(|sub| sub.is_empty() || sub.len() > 255) {
        return Err("sub is missing, or too long");
    }
    times(claims, now_s)?;
    if !text("nonce").is_some_and(|nonce| same(nonce, expected.nonce)) {
        return Err("nonce is not this sign-in's");
    }
    Ok(())
}

/// For us; where it is for others too, given to us.
fn audience(claims: &Map<String, Value>, client_id: &str) -> Result<(), &'static str> {
    let us = |value: &Value| value.as_str() == Some(client_id);
    let several = match claims.get("aud") {
        Some(Value::Array(many)) if many.iter().any(us) => many.len() > 1,
        Some(one) if us(one) => false,
        _ => return Err("aud does not name this client"),
    };
    match claims.get("azp") {
        Some(azp) if us(azp) => Ok(()),
        Some(_) => Err("azp is another client"),
        None if several => Err("aud names several and azp is missing"),
        None => Ok(()),
    }
}

fn times(claims: &Map<String, Value>, now_s: i64) -> Result<(), &'static str> {
    let (now, skew) = (now_s as f64, SKEW_S as f64);
    let time = |name: &str| {
        let seconds = claims.get(name).and_then(Value::as_f64);
        seconds.filter(|seconds| seconds.is_finite())
    };
    let exp = time("exp").ok_or("exp is missing")?;
    let iat = time("iat").ok_or("iat is missing")?;
    if exp + skew <= now {
        return Err("it has expired; check the clock");
    }
    if iat > now + skew || time("nbf").is_some_and(|nbf| nbf > now + skew) {
        return Err("it is from the future; check the clock");
    }
    if iat < now - skew - OLDEST_S as f64 {
        return Err("it was made too long ago; check the clock");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
