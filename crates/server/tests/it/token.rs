//! Signing in: algorithms, claims, replay, certificates, withdrawal.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dagr_server::client::Client;
use http::Method;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, SignatureAlgorithm,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    raw::{self, Raw},
    server::Server,
};

const PUBLIC_URL: &str = "http://dagr.example";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A key with its certificate, from `from` to `to` seconds from now.
struct Held {
    key: KeyPair,
    pem: String,
    sha256: String,
}

fn held(algorithm: &'static SignatureAlgorithm, from: i64, to: i64) -> Held {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.not_before = (SystemTime::now() - std::time::Duration::from_secs(from.unsigned_abs())).into();
    let to_seconds = std::time::Duration::from_secs(to.unsigned_abs());
    let now = SystemTime::now();
    params.not_after = if to < 0 {
        now - to_seconds
    } else {
        now + to_seconds
    }
    .into();
    let certificate = params.self_signed(&key).unwrap();
    let sha256 = raw::hex(&Sha256::digest(certificate.der()));
    Held {
        pem: certificate.pem(),
        key,
        sha256,
    }
}

fn fresh(algorithm: &'static SignatureAlgorithm) -> Held {
    held(algorithm, -3_600, 86_400)
}

impl Held {
    fn signs(&self, algorithm: Algorithm) -> EncodingKey {
        let pem = self.key.serialize_pem();
        match algorithm {
            Algorithm::ES256 => EncodingKey::from_ec_pem(pem.as_bytes()),
            Algorithm::EdDSA => EncodingKey::from_ed_pem(pem.as_bytes()),
            _ => EncodingKey::from_rsa_pem(pem.as_bytes()),
        }
        .unwrap()
    }

    fn assertion(&self, algorithm: Algorithm, claims: &Value) -> String {
        jsonwebtoken::encode(&Header::new(algorithm), claims, &self.signs(algorithm)).unwrap()
    }
}

fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// Good claims of a client, with others laid over them; null takes one away.
fn claims(client: &str, over: Value) -> Value {
    use std::sync::atomic::{AtomicU32, Ordering};
    static JTI: AtomicU32 = AtomicU32::new(0);
    let jti = format!("jti-{}", JTI.fetch_add(1, Ordering::Relaxed));
    let mut claims =
        json!({ "iss": client, "sub": client, "aud": PUBLIC_URL, "exp": now_s() + 120, "jti": jti });
    for (name, value) in over.as_object().into_iter().flatten() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

async fn sign_in(server: &Server, assertion: &str) -> Raw {
    let form = format!(
        "grant_type=client_credentials&client_assertion_type={}&client_assertion={}",
        raw::percent(ASSERTION_TYPE),
        raw::percent(assertion)
    );
    let body = Some(("application/x-www-form-urlencoded", form.into_bytes()));
    raw::call(&server.anonymous(), Method::POST, "/token", &[], body).await
}

async fn refused(server: &Server, what: &str, assertion: &str) {
    let answer = sign_in(server, assertion).await;
    let body = answer.json();
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "invalid_client"),
        "{what}: {body}"
    );
    assert_eq!(body["error"], "invalid_client", "{what}");
    assert!(body["error_description"].is_string(), "{what}");
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{what}"
    );
}

/// The access token of an assertion that must be accepted.
async fn accepted(server: &Server, what: &str, assertion: &str) -> String {
    let answer = sign_in(server, assertion).await;
    let body = answer.json();
    assert_eq!(answer.status, 200, "{what}: {body}");
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("Bearer"), &json!(600)),
        "{what}"
    );
    body["access_token"].as_str().unwrap().to_owned()
}

fn start() -> Server {
    Server::start_with(&[("DAGR_LISTEN__PUBLIC_URL", PUBLIC_URL)])
}

async fn register(server: &Server, clients: &[&str]) {
    let operator = server.operator();
    let institution = json!({ "registration_number": "90000000009", "name": "Iestāde" });
    operator
        .post("/registry/institutions", &institution)
        .await
        .unwrap();
    let system = json!({ "institution": "90000000009", "code": "S", "name": "S" });
    operator.post("/registry/systems", &system).await.unwrap();
    for client in clients {
        let body = json!({ "client_id": client, "system": "S", "kind": "consumer", "token_lifetime_s": 600 });
        operator.post("/registry/connections", &body).await.unwrap();
    }
}

async fn attach(server: &Server, client: &str, held: &Held) {
    let path = format!("/registry/connections/{client}/certificate");
    server
        .operator()
        .put(&path, "application/x-pem-file", held.pem.clone())
        .await
        .unwrap();
}

async fn status_of(server: &Server, token: &str) -> u16 {
    raw::get(
        &Client::bearer(&server.data, token).unwrap(),
        "/current_user_permissions",
    )
    .await
    .status
}

#[tokio::test(flavor = "multi_thread")]
async fn four_algorithms_sign_in_and_none_is_taken_for_another() {
    let server = start();
    register(&server, &["rsa", "ec", "ed"]).await;
    let (rsa, ec, ed) = (
        fresh(&PKCS_RSA_SHA256),
        fresh(&PKCS_ECDSA_P256_SHA256),
        fresh(&PKCS_ED25519),
    );
    for (client, held) in [("rsa", &rsa), ("ec", &ec), ("ed", &ed)] {
        attach(&server, client, held).await;
    }
    let pairs = [
        ("rsa", &rsa, Algorithm::RS256),
        ("rsa", &rsa, Algorithm::PS256),
        ("ec", &ec, Algorithm::ES256),
        ("ed", &ed, Algorithm::EdDSA),
    ];
    for (client, held, algorithm) in pairs {
        accepted(
            &server,
            client,
            &held.assertion(algorithm, &claims(client, json!({}))),
        )
        .await;
        for (other, key, theirs) in pairs.iter().filter(|(other, _, _)| *other != client) {
            let assertion = key.assertion(*theirs, &claims(client, json!({})));
            refused(&server, &format!("{client} by the key of {other}"), &assertion).await;
        }
    }
    refused(
        &server,
        "RS384",
        &rsa.assertion(Algorithm::RS384, &claims("rsa", json!({}))),
    )
    .await;
    // The public half is no secret: what it signs as one is nobody's word.
    for secret in [
        rsa.key.public_key_pem().into_bytes(),
        rsa.pem.clone().into_bytes(),
    ] {
        let key = EncodingKey::from_secret(&secret);
        let made =
            jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims("rsa", json!({})), &key).unwrap();
        refused(&server, "HS256 with the public key", &made).await;
    }
    for name in ["none", "None", "NONE", ""] {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let made = format!(
            "{}.{}.",
            part(&json!({ "alg": name, "typ": "JWT" })),
            part(&claims("rsa", json!({})))
        );
        refused(&server, "none", &made).await;
    }
    refused(
        &server,
        "an unknown client",
        &rsa.assertion(Algorithm::RS256, &claims("nobody", json!({}))),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_held_to_the_letter() {
    let server = start();
    register(&server, &["ec"]).await;
    let ec = fresh(&PKCS_ECDSA_P256_SHA256);
    attach(&server, "ec", &ec).await;
    let made = |over: Value| ec.assertion(Algorithm::ES256, &claims("ec", over));
    let now = now_s();
    for over in [
        json!({ "aud": format!("{PUBLIC_URL}/") }),
        json!({ "aud": format!("{PUBLIC_URL}/token") }),
        json!({ "aud": ["https://elsewhere.example", PUBLIC_URL] }),
        json!({ "exp": now + 295 }),
        json!({ "exp": now - 30 }),
        json!({ "nbf": now + 30, "iat": now }),
    ] {
        accepted(&server, &over.to_string(), &made(over.clone())).await;
    }
    for over in [
        json!({ "aud": "https://elsewhere.example" }),
        json!({ "aud": null }),
        json!({ "aud": format!("{PUBLIC_URL}/token/") }),
        json!({ "exp": now + 600 }),
        json!({ "exp": now - 90 }),
        json!({ "exp": null }),
        json!({ "exp": "soon" }),
        json!({ "exp": 1e30 }),
        json!({ "jti": null }),
        json!({ "jti": "" }),
        json!({ "jti": 5 }),
        json!({ "iss": "somebody" }),
        json!({ "iss": null }),
        json!({ "sub": null }),
        json!({ "nbf": now + 200 }),
    ] {
        refused(&server, &over.to_string(), &made(over.clone())).await;
    }
    for (grant, expected) in [
        ("password", "unsupported_grant_type"),
        ("", "unsupported_grant_type"),
    ] {
        let form = format!("grant_type={grant}&client_assertion_type={ASSERTION_TYPE}&client_assertion=x");
        let body = Some(("application/x-www-form-urlencoded", form.into_bytes()));
        let answer = raw::call(&server.anonymous(), Method::POST, "/token", &[], body).await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (400, Some(expected))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_is_good_once_even_after_a_kill() {
    let mut server = start();
    register(&server, &["ec"]).await;
    let ec = fresh(&PKCS_ECDSA_P256_SHA256);
    attach(&server, "ec", &ec).await;
    let once = ec.assertion(Algorithm::ES256, &claims("ec", json!({})));
    let token = accepted(&server, "first", &once).await;
    refused(&server, "replay", &once).await;
    server.kill_and_restart();
    refused(&server, "replay after a kill", &once).await;
    assert_eq!(
        status_of(&server, &token).await,
        200,
        "the token outlives the kill"
    );
    assert_eq!(
        status_of(&server, &once).await,
        401,
        "an assertion is no access token"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_rotate_and_connections_end() {
    let mut server = start();
    register(&server, &["ec"]).await;
    let operator = server.operator();
    let (first, second) = (fresh(&PKCS_ECDSA_P256_SHA256), fresh(&PKCS_ECDSA_P256_SHA256));
    let by = |held: &Held| held.assertion(Algorithm::ES256, &claims("ec", json!({})));
    attach(&server, "ec", &held(&PKCS_ECDSA_P256_SHA256, -7_200, -3_600)).await;
    refused(&server, "no certificate is valid today", &by(&first)).await;
    attach(&server, "ec", &first).await;
    attach(&server, "ec", &second).await;
    let token = accepted(&server, "the old key", &by(&first)).await;
    accepted(&server, "the new key", &by(&second)).await;
    operator
        .delete(&format!("/registry/connections/ec/certificates/{}", first.sha256))
        .await
        .unwrap();
    refused(&server, "the old key is removed", &by(&first)).await;
    accepted(&server, "the new key stays", &by(&second)).await;
    assert_eq!(status_of(&server, &token).await, 200, "tokens already given stay");

    let withdraw = "/registry/connections/ec/withdraw";
    let without = operator.post(withdraw, &json!({})).await.unwrap_err();
    assert_eq!((without.status(), without.code()), (Some(422), Some("invalid")));
    operator
        .post(withdraw, &json!({ "reason": "the system is closed" }))
        .await
        .unwrap();
    let again = operator
        .post(withdraw, &json!({ "reason": "again" }))
        .await
        .unwrap_err();
    assert_eq!(
        (again.status(), again.code()),
        (Some(409), Some("state_conflict"))
    );
    assert_eq!(status_of(&server, &token).await, 401);
    refused(&server, "withdrawn", &by(&second)).await;
    server.kill_and_restart();
    assert_eq!(
        status_of(&server, &token).await,
        401,
        "withdrawn after a kill too"
    );
}
