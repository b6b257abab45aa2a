//! Calls to the provider: each ends in time, no answer is larger than it may be, no redirect is followed.

use std::time::Duration;

use reqwest::{RequestBuilder, Url, header, redirect};
use serde_json::{Map, Value};

use crate::{failure::Failure, settings::Secret};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Of metadata, keys and tokens alike.
const MAX_BYTES: usize = 256 << 10;

pub struct Http(reqwest::Client);

/// An answer of the provider, whole.
pub struct Answer {
    pub status: u16,
    body: Vec<u8>,
}

impl Answer {
    /// A JSON object, or nothing.
    pub fn object(&self) -> Option<Map<String, Value>> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The object of an answer that must be 200.
    pub fn good(&self, what: &str) -> Result<Map<String, Value>, Failure> {
        if self.status != 200 {
            return Err(self.refused(what));
        }
        self.object()
            .ok_or_else(|| Failure::Refused(format!("{what} answered no JSON object")))
    }

    pub fn refused(&self, what: &str) -> Failure {
        let status = self.status;
        match status {
            429 | 500.. => Failure::Unavailable(format!("{what} answered {status}")),
            300..400 => Failure::Refused(format!("{what} answered {status}: redirects are not followed")),
            _ => Failure::Refused(format!("{what} answered {status}")),
        }
    }
}

impl Http {
    /// `tls`: the provider is reached by https, and then by nothing else. The process has its provider of cryptography.
    pub fn new(tls: bool, timeout: Duration) -> Result<Self, String> {
        let builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .timeout(timeout)
            .redirect(redirect::Policy::none())
            .https_only(tls);
        // On loopback no certificates are wanted; some machines have none.
        let builder = if tls {
            builder
        } else {
            builder.tls_certs_only([]).no_proxy()
        };
        builder.build().map(Self).map_err(|error| error.to_string())
    }

    pub async fn get(&self, what: &str, url: &Url) -> Result<Answer, Failure> {
        self.call(what, self.0.get(url.clone())).await
    }

    pub async fn get_with_token(&self, what: &str, url: &Url, token: &Secret) -> Result<Answer, Failure> {
        let request = self.0.get(url.clone()).bearer_auth(token.expose());
        self.call(what, request).await
    }

    /// `authorization`: the header's value, if the client is named there.
    pub async fn post_form(
        &self,
        what: &str,
        url: &Url,
        form: String,
        authorization: Option<Secret>,
    ) -> Result<Answer, Failure> {
        let mut request = self
            .0
            .post(url.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value.expose());
        }
        self.call(what, request).await
    }

    async fn call(&self, what: &str, request: RequestBuilder) -> Result<Answer, Failure> {
        let failed = |error: &reqwest::Error| Failure::Unavailable(format!("{what}: {}", words(error)));
        let request = request.header(header::ACCEPT, "application/json");
        let mut response = request.send().await.map_err(|error| failed(&error))?;
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| failed(&error))? {
            if body.len() + piece.len() > MAX_BYTES {
                return Err(Failure::Refused(format!(
                    "{what} answered more than {MAX_BYTES} bytes"
                )));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer {
            status: response.status().as_u16(),
            body,
        })
    }
}

/// Without the URL: it may hold what is nobody's to read.
fn words(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection; is the address right, and its certificate trusted here?"
    } else {
        "the call broke off"
    }
}
