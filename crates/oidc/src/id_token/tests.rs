use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{EncodingKey, Header};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData as _};
use serde_json::json;

use super::*;

const NOW: i64 = 1_700_000_000;
const EXPECTED: Expected<'static> = Expected {
    issuer: "https://id.test",
    client_id: "dagr",
    nonce: "n-1",
};

struct Signer {
    key: KeyPair,
    kid: &'static str,
}

impl Signer {
    fn new(kid: &'static str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Self { key, kid }
    }

    fn jwk(&self) -> Value {
        let raw = self.key.der_bytes();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
            "x": part(&raw[1..33]), "y": part(&raw[33..]),
        })
    }

    fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.kid.to_owned());
        self.sign_as(&header, claims)
    }

    fn sign_as(&self, header: &Header, claims: &Value) -> String {
        let key = EncodingKey::from_ec_pem(self.key.serialize_pem().as_bytes()).unwrap();
        jsonwebtoken::encode(header, claims, &key).unwrap()
    }
}

fn keys(all: &[Value]) -> Keys {
    Keys::read(json!({ "keys": all }).as_object().unwrap())
}

/// Good claims with others laid over them; null takes one away.
fn claims(over: Value) -> Value {
    let mut claims = json!({
        "iss": "https://id.test", "sub": "s", "aud": "dagr", "nonce": "n-1", "iat": NOW, "exp": NOW + 300,
    });
    for (name, value) in over.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

#[test]
fn a_token_that_keeps_every_rule_is_taken() {
    let signer = Signer::new("k1");
    let keys = keys(&[signer.jwk()]);
    for over in [
        json!({}),
        json!({ "aud": ["dagr"] }),
        json!({ "aud": ["other", "dagr"], "azp": "dagr" }),
        json!({ "azp": "dagr" }),
        json!({ "exp": NOW - SKEW_S + 1 }),
        json!({ "iat": NOW + SKEW_S }),
        json!({ "iat": NOW as f64 + 0.5, "nbf": NOW }),
    ] {
        let verdict = verify(&signer.sign(&claims(over.clone())), &keys, &EXPECTED, NOW);
        assert_eq!(verdict.unwrap()["sub"], "s", "{over}");
    }
}

#[test]
fn a_token_that_breaks_a_rule_is_refused() {
    let signer = Signer::new("k1");
    let keys = keys(&[signer.jwk()]);
    for over in [
        json!({ "iss": "https://id.test/" }),
        json!({ "iss": null }),
        json!({ "aud": "other" }),
        json!({ "aud": null }),
        json!({ "aud": [] }),
        json!({ "aud": ["dagr", "other"] }),
        json!({ "aud": ["dagr", "other"], "azp": "other" }),
        json!({ "azp": "other" }),
        json!({ "sub": "" }),
        json!({ "sub": "x".repeat(256) }),
        json!({ "nonce": "n-2" }),
        json!({ "nonce": null }),
        json!({ "exp": null }),
        json!({ "exp": "never" }),
        json!({ "exp": NOW - SKEW_S }),
        json!({ "iat": null }),
        json!({ "iat": NOW + SKEW_S + 1 }),
        json!({ "iat": NOW - SKEW_S - OLDEST_S - 1 }),
        json!({ "nbf": NOW + SKEW_S + 1 }),
    ] {
        let verdict = verify(&signer.sign(&claims(over.clone())), &keys, &EXPECTED, NOW);
        assert!(matches!(verdict, Err(Fault::Rule(_))), "{over}: {verdict:?}");
    }
}

#[test]
fn a_token_is_signed_by_a_public_key_of_the_provider_or_not_at_all() {
    let (signer, foreign) = (Signer::new("k1"), Signer::new("k1"));
    let keys = keys(&[signer.jwk()]);
    let verdict = |token: &str| verify(token, &keys, &EXPECTED, NOW);
    let rule = |token: &str| assert!(matches!(verdict(token), Err(Fault::Rule(_))), "{token}");
    rule(&foreign.sign(&claims(json!({}))));
    assert_eq!(
        verdict(&Signer::new("k2").sign(&claims(json!({})))),
        Err(Fault::UnknownKey)
    );

    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for alg in ["none", "None", "NONE", ""] {
        let head = part(&json!({ "alg": alg, "kid": "k1" }));
        rule(&format!("{head}.{}.", part(&claims(json!({})))));
    }
    // The public key, used as if it were a shared secret.
    let jwk = signer.jwk().to_string();
    for secret in [
        signer.key.der_bytes(),
        signer.key.serialize_pem().as_bytes(),
        jwk.as_bytes(),
    ] {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("k1".to_owned());
        let key = EncodingKey::from_secret(secret);
        rule(&jsonwebtoken::encode(&header, &claims(json!({})), &key).unwrap());
    }
    let mut header = Header::new(Algorithm::ES256);
    header.crit = Some(vec!["b64".to_owned()]);
    rule(&signer.sign_as(&header, &claims(json!({}))));
    let good = signer.sign(&claims(json!({})));
    rule(&good[..good.len() - 4]);
    rule(&"x".repeat(MAX_BYTES + 1));
    rule("");
}

#[test]
fn only_keys_that_may_sign_are_taken() {
    let signer = Signer::new("k1");
    let with = |name: &str, value: &str| {
        let mut jwk = signer.jwk();
        jwk[name] = json!(value);
        jwk
    };
    let token = signer.sign(&claims(json!({})));
    let verdict = |all: &[Value]| verify(&token, &keys(all), &EXPECTED, NOW);
    for wrong in [
        with("use", "enc"),
        with("alg", "ES384"),
        with("alg", "ECDH-ES"),
        with("kty", "XX"),
        json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "k1" }),
        json!(1),
    ] {
        assert_eq!(
            verdict(std::slice::from_ref(&wrong)),
            Err(Fault::UnknownKey),
            "{wrong}"
        );
        // One key nobody understands spoils no other.
        assert!(verdict(&[wrong, signer.jwk()]).is_ok());
    }
    // Without a name in the header every key that fits is tried.
    let unnamed = signer.sign_as(&Header::new(Algorithm::ES256), &claims(json!({})));
    let other = Signer::new("k0");
    assert!(verify(&unnamed, &keys(&[other.jwk(), signer.jwk()]), &EXPECTED, NOW).is_ok());
}

#[test]
fn ed25519_is_taken_too() {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let jwk = json!({
        "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(key.der_bytes()),
    });
    let signing = EncodingKey::from_ed_pem(key.serialize_pem().as_bytes()).unwrap();
    let token = jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims(json!({})), &signing).unwrap();
    assert!(verify(&token, &keys(&[jwk]), &EXPECTED, NOW).is_ok());
}
