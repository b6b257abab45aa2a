//! A client of the HTTP interface: signs in, calls, and reads problems. Feeds, replicas, the command line and the demo use it.

mod clock;
mod error;
mod patience;
mod sign_in;

use std::{future::Future, sync::Arc, time::Duration};

use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde_json::Value;

pub use error::{CallError, Place, Refusal};
use patience::{Moved, patient};
use sign_in::SignIn;
pub use sign_in::{AccessToken, SigningKey, sign_assertion};

/// How long a connection may take to be made. Answers may take as long as they need while something moves: a package is
/// large.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub type Result<T> = std::result::Result<T, CallError>;

/// Calls one server as one caller. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Arc<str>,
    caller: Caller,
    permission: Option<Arc<str>>,
    case: Option<Arc<str>>,
    idle: Duration,
}

#[derive(Clone)]
enum Caller {
    Anonymous,
    Bearer(Arc<str>),
    Connection(Arc<SignIn>),
}

/// An answer that is no problem.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; an empty one is null.
    pub fn json(&self) -> Result<Value> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body)
            .map_err(|_| CallError::Unexpected("the answer is not JSON".to_owned()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Makes AWS-LC the process's provider of cryptography. Again and again is once.
pub fn install_provider() {
    // The error says that there is one already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

impl Client {
    /// Without a token: the catalogue, public files, `/token`.
    pub fn anonymous(base: &str) -> Result<Self> {
        Self::new(base, Caller::Anonymous)
    }

    /// With the operator token.
    pub fn operator(base: &str, token: &str) -> Result<Self> {
        Self::bearer(base, token)
    }

    /// With an access token somebody else got.
    pub fn bearer(base: &str, token: &str) -> Result<Self> {
        Self::new(base, Caller::Bearer(token.trim().into()))
    }

    /// As a connection: signs in at the first call and again before the token expires. The assertion's audience is
    /// `base`, which therefore is the server's public URL.
    pub fn connection(base: &str, client_id: &str, key_pem: &str) -> Result<Self> {
        let key = SigningKey::from_pem(key_pem)?;
        Self::new(
            base,
            Caller::Connection(Arc::new(SignIn::new(base, client_id, key))),
        )
    }

    /// The same, trusting also the authorities of a PEM file.
    pub fn trusting(self, authorities_pem: &[u8]) -> Result<Self> {
        let certificates = reqwest::Certificate::from_pem_bundle(authorities_pem)
            .map_err(|_| CallError::Key("server.ca is no PEM file of certificates".to_owned()))?;
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .tls_certs_merge(certificates)
            .build()
            .map_err(|error| CallError::unreachable(&self.base, &error))?;
        Ok(Self { http, ..self })
    }

    fn new(base: &str, caller: Caller) -> Result<Self> {
        install_provider();
        let base = base.trim_end_matches('/');
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true);
        if base.starts_with("http://") {
            // Without TLS no certificates are wanted; some machines have none.
            builder = builder.tls_certs_only([]).no_proxy();
        }
        let http = builder
            .build()
            .map_err(|error| CallError::unreachable(base, &error))?;
        Ok(Self {
            http,
            base: base.into(),
            caller,
            permission: None,
            case: None,
            idle: patience::IDLE,
        })
    }

    /// The same caller, who gives a call up when nothing moved for so long.
    pub fn with_idle(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// The same caller, asking under a permission.
    pub fn with_permission(&self, number: &str) -> Self {
        Self {
            permission: Some(number.into()),
            ..self.clone()
        }
    }

    /// The same caller, asking in a case of its own.
    pub fn with_case(&self, case: &str) -> Self {
        Self {
            case: Some(case.into()),
            ..self.clone()
        }
    }

    /// The access token in use; `None` for an anonymous caller.
    pub async fn token(&self) -> Result<Option<String>> {
        match &self.caller {
            Caller::Anonymous => Ok(None),
            Caller::Bearer(token) => Ok(Some(token.to_string())),
            Caller::Connection(sign_in) => self
                .patiently(&Moved::now(), sign_in.token(&self.http))
                .await
                .map(Some),
        }
    }

    /// Exchanges a signed assertion for an access token. `audience` is the server's public URL.
    pub async fn sign_in(&self, client_id: &str, key: &SigningKey, audience: &str) -> Result<AccessToken> {
        let call = sign_in::sign_in(&self.http, &self.base, audience, client_id, key);
        self.patiently(&Moved::now(), call).await
    }

    /// A request with everything the caller sends each time; for headers of one's own.
    pub async fn request(&self, method: Method, path: &str) -> Result<RequestBuilder> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = self.token().await? {
            request = request.bearer_auth(token);
        }
        for (name, value) in [
            ("x-dagr-permission", &self.permission),
            ("x-dagr-case", &self.case),
        ] {
            if let Some(value) = value {
                request = request.header(name, &**value);
            }
        }
        Ok(request)
    }

    /// Sends; a status of 400 and above is an error with the problem's words.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        self.send_moving(request, &Moved::now()).await
    }

    async fn send_moving(&self, request: RequestBuilder, moved: &Moved) -> Result<Answer> {
        let call = async {
            let response = self.send_streamed(request).await?;
            moved.again();
            error::answer(response, moved).await
        };
        self.patiently(moved, call).await
    }

    async fn patiently<T>(&self, moved: &Moved, call: impl Future<Output = Result<T>>) -> Result<T> {
        let done = patient(self.idle, moved, call).await;
        done.unwrap_or_else(|| Err(CallError::still(&self.base, self.idle)))
    }

    /// Sends and leaves the body to be read piece by piece. Statuses are not judged.
    pub async fn send_streamed(&self, request: RequestBuilder) -> Result<Response> {
        let unreachable = |error| CallError::unreachable(&self.base, &error);
        let request = request.build().map_err(unreachable)?;
        let bearer = request.headers().get(header::AUTHORIZATION).cloned();
        let response = self.http.execute(request).await.map_err(unreachable)?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let (Caller::Connection(sign_in), Some(bearer)) = (&self.caller, bearer)
        {
            sign_in.forget(bearer.as_bytes()).await;
        }
        Ok(response)
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        self.get_with(path, &[]).await
    }

    /// `GET` with query words, encoded here.
    pub async fn get_with(&self, path: &str, query: &[(&str, String)]) -> Result<Value> {
        let request = self.request(Method::GET, path).await?;
        let request = if query.is_empty() {
            request
        } else {
            request.query(query)
        };
        self.send(request).await?.json()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.request(Method::POST, path).await?;
        self.send(request.json(body)).await?.json()
    }

    /// `POST` without a body: confirm, reject, publish.
    pub async fn post_empty(&self, path: &str) -> Result<Value> {
        let request = self.request(Method::POST, path).await?;
        self.send(request).await?.json()
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.request(Method::PATCH, path).await?;
        let request = request.header(header::CONTENT_TYPE, "application/merge-patch+json");
        self.send(request.body(body.to_string())).await?.json()
    }

    pub async fn delete(&self, path: &str) -> Result<Value> {
        let request = self.request(Method::DELETE, path).await?;
        self.send(request).await?.json()
    }

    /// `PUT` of a text: a definition, a certificate, a small package.
    pub async fn put(&self, path: &str, media_type: &str, body: impl Into<reqwest::Body>) -> Result<Value> {
        self.put_stream(path, &[(header::CONTENT_TYPE, media_type)], body)
            .await
    }

    /// `PUT` of a body of any length, with headers of its own. The body is read as the server takes it.
    pub async fn put_stream(
        &self,
        path: &str,
        headers: &[(header::HeaderName, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Result<Value> {
        let mut request = self.request(Method::PUT, path).await?;
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let moved = Moved::now();
        let body = moved.told_by(body.into());
        self.send_moving(request.body(body), &moved).await?.json()
    }
}
