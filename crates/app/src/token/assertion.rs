//! RFC 7523: the signed assertion a connection authenticates with.

use std::collections::HashSet;

use dagr_model::ids::ClientId;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::{Accepted, certificate};
use crate::catalog::Catalog;

/// `exp` may be at most this far ahead.
const LONGEST_S: i64 = 300;
/// Clocks may differ by this much.
const SKEW_S: i64 = 60;
const MAX_ASSERTION_BYTES: usize = 16 << 10;
const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::RS256,
    Algorithm::PS256,
    Algorithm::ES256,
    Algorithm::EdDSA,
];

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
    jti: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn names_any(&self, accepted: &[String]) -> bool {
        match self {
            Self::One(one) => accepted.contains(one),
            Self::Many(many) => many.iter().any(|one| accepted.contains(one)),
        }
    }
}

/// Checks signature and claims; the replay check is the caller's.
pub(super) fn verify(
    text: &str,
    catalog: &Catalog,
    audiences: &[String],
    now: Timestamp,
) -> Result<Accepted, String> {
    if text.len() > MAX_ASSERTION_BYTES {
        return Err(format!(
            "the assertion is longer than {MAX_ASSERTION_BYTES} bytes"
        ));
    }
    let header =
        jsonwebtoken::decode_header(text).map_err(|_| "the assertion is not a signed JWT".to_owned())?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err("sign the assertion with RS256, PS256, ES256 or EdDSA".to_owned());
    }
    // The subject only chooses the certificates; nothing is believed before the signature is.
    let unverified: Claims = jsonwebtoken::dangerous::insecure_decode(text)
        .map(|token| token.claims)
        .map_err(|_| "the assertion's claims are not readable".to_owned())?;
    let subject = unverified.sub.ok_or("sub is missing")?;
    let sign_in = catalog
        .connections
        .get(subject.as_str())
        .ok_or("no such connection, or no certificate fits")?;
    let keys = certificate::usable_keys(&sign_in.certificates, header.alg, now);
    if keys.is_empty() {
        return Err("no certificate of the connection is valid today for this algorithm".to_owned());
    }
    let claims = keys
        .iter()
        .find_map(|key| signed_claims(text, key, header.alg))
        .ok_or("the signature fits no certificate of the connection")?;
    check(claims, audiences, now)
}

fn signed_claims(text: &str, key: &DecodingKey, algorithm: Algorithm) -> Option<Claims> {
    let mut validation = Validation::new(algorithm);
    // Times and audience are checked below, by the clock that is handed in.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims = HashSet::new();
    jsonwebtoken::decode::<Claims>(text, key, &validation)
        .ok()
        .map(|token| token.claims)
}

fn check(claims: Claims, audiences: &[String], now: Timestamp) -> Result<Accepted, String> {
    let now_s = now.as_second();
    let sub = claims.sub.ok_or("sub is missing")?;
    if claims.iss.as_deref() != Some(&sub) {
        return Err("iss and sub must both be the client_id".to_owned());
    }
    if !claims.aud.is_some_and(|aud| aud.names_any(audiences)) {
        return Err(format!("aud must be {} or {}", audiences[0], audiences[2]));
    }
    let exp = claims.exp.filter(|exp| exp.is_finite()).ok_or("exp is missing")?;
    if exp + (SKEW_S as f64) < now_s as f64 {
        return Err("the assertion has expired; check the clock and make a new one".to_owned());
    }
    if exp > (now_s + LONGEST_S + SKEW_S) as f64 {
        return Err("exp is more than 5 minutes ahead".to_owned());
    }
    for (name, time) in [("nbf", claims.nbf), ("iat", claims.iat)] {
        if time.is_some_and(|time| time > (now_s + SKEW_S) as f64) {
            return Err(format!("{name} is in the future; check the clock"));
        }
    }
    let jti = claims
        .jti
        .filter(|jti| !jti.is_empty() && jti.len() <= 255)
        .ok_or("jti is missing, or too long")?;
    let remembered_until = Timestamp::from_second(exp as i64)
        .and_then(|exp| exp.checked_add(SignedDuration::from_secs(SKEW_S + 1)))
        .map_err(|_| "exp is out of range".to_owned())?;
    Ok(Accepted {
        client_id: ClientId::new(sub),
        jti,
        remembered_until,
    })
}
