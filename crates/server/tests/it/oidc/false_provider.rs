//! A provider that answers what a test tells it to: metadata, keys, and any token.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    extract::State,
    response::IntoResponse,
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData as _};
use serde_json::{Value, json};

pub struct FalseProvider {
    pub issuer: String,
    shared: Arc<Shared>,
    serving: tokio::task::JoinHandle<()>,
}

struct Shared {
    issuer: String,
    state: Mutex<Told>,
}

struct Told {
    keys: Vec<Value>,
    /// Answers of the token endpoint, in this order.
    answers: VecDeque<(u16, Vec<u8>)>,
    userinfo: Value,
    /// Forms the token endpoint was sent.
    forms: Vec<Vec<(String, String)>>,
    keys_asked: usize,
}

impl Shared {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.state.lock().unwrap()
    }
}

/// A key of the provider.
pub struct Signer {
    pub key: KeyPair,
    pub kid: String,
}

impl Signer {
    pub fn new(kid: &str) -> Self {
        Self {
            key: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
            kid: kid.to_owned(),
        }
    }

    pub fn jwk(&self) -> Value {
        let raw = self.key.der_bytes();
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.kid,
            "x": URL_SAFE_NO_PAD.encode(&raw[1..33]), "y": URL_SAFE_NO_PAD.encode(&raw[33..]),
        })
    }

    pub fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.kid.clone());
        let key = EncodingKey::from_ec_pem(self.key.serialize_pem().as_bytes()).unwrap();
        jsonwebtoken::encode(&header, claims, &key).unwrap()
    }
}

impl FalseProvider {
    pub async fn start(signer: &Signer) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            issuer: issuer.clone(),
            state: Mutex::new(Told {
                keys: vec![signer.jwk()],
                answers: VecDeque::new(),
                userinfo: Value::Null,
                forms: Vec::new(),
                keys_asked: 0,
            }),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            issuer,
            shared,
            serving,
        }
    }

    pub fn will_answer(&self, status: u16, body: impl Into<Vec<u8>>) {
        self.shared.told().answers.push_back((status, body.into()));
    }

    /// The next code is worth this ID token.
    pub fn will_give(&self, id_token: &str) {
        let body =
            json!({ "token_type": "bearer", "access_token": "canary-7710-access", "id_token": id_token });
        self.will_answer(200, body.to_string());
    }

    pub fn set_keys(&self, signers: &[&Signer]) {
        self.shared.told().keys = signers.iter().map(|signer| signer.jwk()).collect();
    }

    pub fn set_userinfo(&self, claims: Value) {
        self.shared.told().userinfo = claims;
    }

    pub fn keys_asked(&self) -> usize {
        self.shared.told().keys_asked
    }

    /// A word of the last form the token endpoint was sent.
    pub fn sent(&self, name: &str) -> Option<String> {
        let told = self.shared.told();
        let found = told.forms.last()?.iter().find(|(found, _)| found == name)?;
        Some(found.1.clone())
    }
}

impl Drop for FalseProvider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn metadata(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let at = |path: &str| format!("{}{path}", shared.issuer);
    axum::Json(json!({
        "issuer": shared.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"), "userinfo_endpoint": at("/userinfo"),
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    }))
}

async fn keys(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let mut told = shared.told();
    told.keys_asked += 1;
    axum::Json(json!({ "keys": told.keys }))
}

async fn token(State(shared): State<Arc<Shared>>, form: String) -> impl IntoResponse {
    let form = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let mut told = shared.told();
    told.forms.push(form);
    let (status, body) = told.answers.pop_front().unwrap();
    let place = [("location", format!("{}/userinfo", shared.issuer))];
    (StatusCode::from_u16(status).unwrap(), place, body)
}

async fn userinfo(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    axum::Json(shared.told().userinfo.clone())
}
