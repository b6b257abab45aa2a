//! Answers that break one rule each: none lets anybody in, each is told kindly and logged once.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::{
    browser::{ATTEMPT, Browser, REDIRECT_URI, SESSION, server, word},
    false_provider::{FalseProvider, Signer},
    holds_none,
};
use crate::{raw::Raw, server::Server};

const SECRET: &str = "canary-3307 secret+of&the client";
const CODE: &str = "canary-9921-code";

fn now_s() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs() as i64
}

/// Good claims of a sign-in, with others laid over them; null takes one away.
fn claims(issuer: &str, nonce: &str, over: Value) -> Value {
    let mut claims = json!({
        "iss": issuer, "sub": "s-1", "aud": "dagr", "nonce": nonce, "iat": now_s(), "exp": now_s() + 300,
        "personal_code": "PNOLV-320000-00001", "given_name": "Anna", "family_name": "Ozola", "acr": "high",
    });
    for (name, value) in over.as_object().into_iter().flatten() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// A sign-in whose code is worth what `give` makes of its nonce.
async fn sign_in(server: &Server, provider: &FalseProvider, give: impl FnOnce(&str)) -> (Browser, Raw) {
    let mut browser = Browser::new(server);
    let url = browser.start("en", "/my-data").await;
    assert!(url.as_str().starts_with(&provider.issuer));
    give(&word(&url, "nonce"));
    let callback = format!("{REDIRECT_URI}?code={CODE}&state={}", word(&url, "state"));
    let answer = browser.come_back(&callback).await;
    (browser, answer)
}

async fn refused(what: &str, (mut browser, answer): (Browser, Raw), status: u16, text: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    assert!(answer.text().contains(text), "{what}: {}", answer.text());
    assert_eq!(
        (browser.cookie(SESSION), browser.cookie(ATTEMPT)),
        (None, None),
        "{what}"
    );
    assert!(!browser.is_signed_in().await, "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_false_answer_lets_anybody_in() {
    let signer = Signer::new("k1");
    let provider = FalseProvider::start(&signer).await;
    let more = [
        ("DAGR_SIGN_IN__ACR_VALUES", "high middle"),
        ("DAGR_SIGN_IN__ACR_ACCEPTED", "high"),
        ("DAGR_SIGN_IN__TIMEOUT_MS", "5000"),
    ];
    let (server, _file) = server(&provider.issuer, Some(SECRET), &more);

    let (mut browser, answer) = sign_in(&server, &provider, |nonce| {
        provider.will_give(&signer.sign(&claims(&provider.issuer, nonce, json!({}))));
    })
    .await;
    assert_eq!((answer.status, answer.header("location")), (303, "/en/my-data"));
    assert!(browser.is_signed_in().await, "a good token does");
    assert_eq!(provider.sent("client_secret").as_deref(), Some(SECRET));
    assert_eq!(provider.sent("redirect_uri").as_deref(), Some(REDIRECT_URI));

    let broken = tokens_that_break_a_rule(&server, &provider, &signer).await;
    let broken = broken + answers_that_are_none(&server, &provider).await;
    userinfo_tells_the_rest(&server, &provider, &signer).await;
    keys_change(&server, &provider).await;

    let log = server.logged();
    let told = log
        .lines()
        .filter(|line| line.contains("a sign-in failed"))
        .count();
    // One of a userinfo endpoint, and one of keys, besides.
    assert_eq!(told, broken + 2, "each is logged once:\n{log}");
    assert!(!log.contains("\u{1b}[2J") && !log.contains("\nforged"), "{log}");
    holds_none(&log, &[SECRET, CODE, "canary", "320000", "Ozola", "eyJ"]);
}

async fn tokens_that_break_a_rule(server: &Server, provider: &FalseProvider, signer: &Signer) -> usize {
    let (now, issuer) = (now_s(), provider.issuer.as_str());
    let untrusted = "cannot be trusted";
    let rules = [
        ("another nonce", json!({ "nonce": "another" }), 502, untrusted),
        ("no nonce", json!({ "nonce": null }), 502, untrusted),
        ("another audience", json!({ "aud": "other" }), 502, untrusted),
        (
            "a second audience",
            json!({ "aud": ["dagr", "other"] }),
            502,
            untrusted,
        ),
        (
            "for another",
            json!({ "aud": ["dagr", "other"], "azp": "other" }),
            502,
            untrusted,
        ),
        (
            "expired",
            json!({ "exp": now - 120, "iat": now - 420 }),
            502,
            untrusted,
        ),
        (
            "from the future",
            json!({ "iat": now + 600, "exp": now + 900 }),
            502,
            untrusted,
        ),
        (
            "another issuer",
            json!({ "iss": "https://evil.test" }),
            502,
            untrusted,
        ),
        ("no sub", json!({ "sub": null }), 502, untrusted),
        (
            "a weak sign-in",
            json!({ "acr": "middle" }),
            403,
            "not secure enough",
        ),
        (
            "another country",
            json!({ "personal_code": "PNOEE-38001085718" }),
            403,
            "Latvian personal code",
        ),
        (
            "no such code",
            json!({ "personal_code": "PNOLV-123" }),
            403,
            "Latvian personal code",
        ),
    ];
    let count = rules.len();
    for (what, over, status, text) in rules {
        let give = |nonce: &str| provider.will_give(&signer.sign(&claims(issuer, nonce, over)));
        refused(what, sign_in(server, provider, give).await, status, text).await;
    }

    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    type Forge<'a> = (&'a str, Box<dyn Fn(&Value) -> String + 'a>);
    let foreign = Signer::new("k1");
    let forged: [Forge<'_>; 5] = [
        ("another's key", Box::new(|claims| foreign.sign(claims))),
        (
            "no signature",
            Box::new(|claims| {
                let head = part(&json!({ "alg": "none", "typ": "JWT" }));
                format!("{head}.{}.", part(claims))
            }),
        ),
        (
            "signed with our secret",
            Box::new(|claims| {
                let key = EncodingKey::from_secret(SECRET.as_bytes());
                jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
            }),
        ),
        (
            "altered",
            Box::new(|claims| {
                let good = signer.sign(claims);
                let parts: Vec<&str> = good.split('.').collect();
                let mut other = claims.clone();
                other["personal_code"] = json!("PNOLV-32000000002");
                format!("{}.{}.{}", parts[0], part(&other), parts[2])
            }),
        ),
        ("no token at all", Box::new(|_| "eyJ.x".to_owned())),
    ];
    for (what, forge) in &forged {
        let give = |nonce: &str| provider.will_give(&forge(&claims(issuer, nonce, json!({}))));
        refused(what, sign_in(server, provider, give).await, 502, untrusted).await;
    }
    count + forged.len()
}

async fn answers_that_are_none(server: &Server, provider: &FalseProvider) -> usize {
    let large = format!("{{\"id_token\":\"{}\"}}", "x".repeat(300 << 10));
    let answers = [
        (
            "a used code",
            400,
            json!({ "error": "invalid_grant" }).to_string(),
            400,
            "no longer be completed",
        ),
        (
            "a wrong secret",
            401,
            json!({ "error": "invalid_client" }).to_string(),
            502,
            "cannot be trusted",
        ),
        (
            "a name made to forge a log",
            400,
            json!({ "error": "x\nforged\u{1b}[2J" }).to_string(),
            502,
            "trusted",
        ),
        (
            "a failing provider",
            500,
            "oops".to_owned(),
            503,
            "does not answer now",
        ),
        ("a redirect", 302, String::new(), 502, "cannot be trusted"),
        ("no JSON", 200, "<html>".to_owned(), 502, "cannot be trusted"),
        (
            "no ID token",
            200,
            json!({ "access_token": "a" }).to_string(),
            502,
            "cannot be trusted",
        ),
        ("too much", 200, large, 502, "cannot be trusted"),
    ];
    let count = answers.len();
    for (what, status, body, expected, text) in answers {
        let give = |_: &str| provider.will_answer(status, body);
        refused(what, sign_in(server, provider, give).await, expected, text).await;
    }
    count
}

async fn userinfo_tells_the_rest(server: &Server, provider: &FalseProvider, signer: &Signer) {
    let bare = json!({ "personal_code": null, "given_name": null, "family_name": null });
    let give = |nonce: &str| provider.will_give(&signer.sign(&claims(&provider.issuer, nonce, bare.clone())));
    let told = |sub: &str| json!({ "sub": sub, "personal_code": "PNOLV-32000000003", "name": "Jānis Bērzs" });

    provider.set_userinfo(told("s-2"));
    let answer = sign_in(server, provider, give).await;
    refused("another's userinfo", answer, 502, "cannot be trusted").await;

    provider.set_userinfo(told("s-1"));
    let (mut browser, answer) = sign_in(server, provider, give).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(browser.get("/en/act-for").await.text().contains("Jānis Bērzs"));
}

async fn keys_change(server: &Server, provider: &FalseProvider) {
    let (next, unknown) = (Signer::new("k2"), Signer::new("k3"));
    let asked = provider.keys_asked();
    provider.set_keys(&[&next]);
    let give = |nonce: &str| provider.will_give(&next.sign(&claims(&provider.issuer, nonce, json!({}))));
    let (_, answer) = sign_in(server, provider, give).await;
    assert_eq!(answer.status, 303, "a new key is fetched: {}", answer.text());
    assert_eq!(provider.keys_asked(), asked + 1);
    // A key that is not there does not make us ask again and again.
    let give = |nonce: &str| provider.will_give(&unknown.sign(&claims(&provider.issuer, nonce, json!({}))));
    let answer = sign_in(server, provider, give).await;
    refused("an unknown key", answer, 502, "cannot be trusted").await;
    assert_eq!(provider.keys_asked(), asked + 1);
}
