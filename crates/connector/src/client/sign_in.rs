//! Signing in by a signed assertion (RFC 7523), and again before the token expires.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{CallError, Moved, Result, clock, error};

/// RFC 7523.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far ahead an assertion expires.
const ASSERTION_S: u64 = 120;
/// A token is renewed so long before it expires, or at a quarter of a short life.
const RENEW_BEFORE: Duration = Duration::from_secs(30);

/// A private key and the algorithm it signs with: RS256, ES256 or EdDSA.
#[derive(Clone)]
pub struct SigningKey {
    key: EncodingKey,
    algorithm: Algorithm,
}

impl SigningKey {
    /// Reads a PEM private key (PKCS #8, or PKCS #1 for RSA) and tries it.
    pub fn from_pem(pem: &str) -> Result<Self> {
        let pem = pem.as_bytes();
        let found = EncodingKey::from_rsa_pem(pem)
            .map(|key| (key, Algorithm::RS256))
            .or_else(|_| EncodingKey::from_ec_pem(pem).map(|key| (key, Algorithm::ES256)))
            .or_else(|_| EncodingKey::from_ed_pem(pem).map(|key| (key, Algorithm::EdDSA)));
        let (key, algorithm) = found.map_err(|_| {
            CallError::Key("an unencrypted PEM private key is wanted: RSA, EC P-256 or Ed25519".to_owned())
        })?;
        let signing = Self { key, algorithm };
        sign_assertion(&signing, "trial", "trial")?;
        Ok(signing)
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
    jti: String,
}

/// An assertion for one use: `audience` is the server's public URL.
pub fn sign_assertion(key: &SigningKey, client_id: &str, audience: &str) -> Result<String> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let mut random = [0; 16];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| CallError::Key("no random numbers".to_owned()))?;
    let claims = Claims {
        iss: client_id,
        sub: client_id,
        aud: audience,
        iat: now,
        exp: now + ASSERTION_S,
        jti: URL_SAFE_NO_PAD.encode(random),
    };
    jsonwebtoken::encode(&Header::new(key.algorithm), &claims, &key.key)
        .map_err(|_| CallError::Key("RSA of at least 2048 bits, EC P-256 or Ed25519 is wanted".to_owned()))
}

/// The answer of `/token`.
#[derive(Clone, Serialize, Deserialize)]
pub struct AccessToken {
    pub access_token: String,
    pub token_type: String,
    pub expires_in: u64,
}

/// A connection that signs itself in.
pub(super) struct SignIn {
    base: String,
    client_id: String,
    key: SigningKey,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: String,
    renew_at: Instant,
}

impl SignIn {
    pub(super) fn new(base: &str, client_id: &str, key: SigningKey) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self {
            base,
            client_id: client_id.to_owned(),
            key,
            held: Mutex::new(None),
        }
    }

    /// The server does not know the token that this header bore: if it is still in use, the next call signs in.
    pub(super) async fn forget(&self, header: &[u8]) {
        let mut held = self.held.lock().await;
        held.take_if(|held| header.ends_with(held.token.as_bytes()));
    }

    /// The token in use, or a new one.
    pub(super) async fn token(&self, http: &reqwest::Client) -> Result<String> {
        let mut held = self.held.lock().await;
        if let Some(held) = held.as_ref().filter(|held| Instant::now() < held.renew_at) {
            return Ok(held.token.clone());
        }
        let given = sign_in(http, &self.base, &self.base, &self.client_id, &self.key).await?;
        let life = Duration::from_secs(given.expires_in);
        let renew_at = Instant::now() + life.saturating_sub(RENEW_BEFORE.min(life / 4));
        let token = given.access_token;
        *held = Some(Held {
            token: token.clone(),
            renew_at,
        });
        Ok(token)
    }
}

/// One call of `/token`.
pub(super) async fn sign_in(
    http: &reqwest::Client,
    base: &str,
    audience: &str,
    client_id: &str,
    key: &SigningKey,
) -> Result<AccessToken> {
    let assertion = sign_assertion(key, client_id, audience)?;
    // Every value is of characters that a form takes as they are, but for the colons.
    let kind = ASSERTION_TYPE.replace(':', "%3A");
    let form =
        format!("grant_type=client_credentials&client_assertion_type={kind}&client_assertion={assertion}");
    let request = http
        .post(format!("{base}/token"))
        .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form);
    let response = request
        .send()
        .await
        .map_err(|error| CallError::unreachable(base, &error))?;
    let clocks = clock::words(response.headers());
    let answer = error::answer(response, &Moved::now())
        .await
        .map_err(|error| match error {
            CallError::Refused(mut refusal) if refusal.code == "invalid_client" => {
                refusal.detail.push_str(&clocks);
                CallError::Refused(refusal)
            }
            other => other,
        })?;
    serde_json::from_slice(&answer.body)
        .map_err(|_| CallError::Unexpected("the answer of /token holds no access token".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Write},
        net::TcpListener,
        thread,
    };

    use super::*;
    use crate::client::{Client, install_provider};

    /// Signs in by tokens `t1`, `t2` …, of which it knows the newest from the second on.
    fn server() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let mut given = 0;
            for mut stream in listener.incoming().flatten() {
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let head: Vec<String> = lines
                    .map_while(|line| line.ok().filter(|line| !line.is_empty()))
                    .collect();
                let bears = |token: &str| head.iter().any(|line| line.ends_with(&format!("Bearer {token}")));
                let (status, body) = if head[0].starts_with("POST /token") {
                    given += 1;
                    (
                        200,
                        format!(r#"{{"access_token":"t{given}","token_type":"Bearer","expires_in":3600}}"#),
                    )
                } else if given > 1 && bears(&format!("t{given}")) {
                    (200, format!(r#"{{"given":{given}}}"#))
                } else {
                    (401, r#"{"status":401,"code":"token_invalid"}"#.to_owned())
                };
                let text = format!(
                    "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(text.as_bytes());
            }
        });
        url
    }

    #[tokio::test]
    async fn a_token_that_the_server_does_not_know_is_not_used_again() {
        install_provider();
        let made = rcgen::generate_simple_self_signed(vec!["client".to_owned()]).unwrap();
        let client = Client::connection(&server(), "client", &made.signing_key.serialize_pem()).unwrap();
        let refused = client.get("/x").await.unwrap_err();
        assert_eq!(refused.code(), Some("token_invalid"));
        for _ in 0..2 {
            assert_eq!(
                client.get("/x").await.unwrap()["given"],
                2,
                "signed in once more, and once only"
            );
        }
    }

    #[test]
    fn a_generated_key_signs_and_nonsense_does_not() {
        let made = rcgen::generate_simple_self_signed(vec!["client".to_owned()]).unwrap();
        let key = SigningKey::from_pem(&made.signing_key.serialize_pem()).unwrap();
        assert_eq!(key.algorithm, Algorithm::ES256);
        let one = sign_assertion(&key, "client", "http://x").unwrap();
        assert_ne!(
            one,
            sign_assertion(&key, "client", "http://x").unwrap(),
            "every assertion has its own jti"
        );
        assert!(SigningKey::from_pem("x").is_err());
        assert!(SigningKey::from_pem(&made.cert.pem()).is_err());
    }
}
