//! One provider: sends people there, and judges what comes back.

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Url;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::{
    attempt::{Attempt, Attempts, same},
    failure::{self, Failure},
    http::Http,
    id_token::{self, Expected, Fault},
    identity::Identity,
    kept::Kept,
    keys::Keys,
    metadata::{self, Metadata},
    settings::Settings,
    tokens::{self, Tokens},
};

/// Exchanges under way at once; more are told to try again.
const MAX_EXCHANGES: usize = 64;
const MAX_CODE_BYTES: usize = 4 << 10;

pub struct Provider {
    settings: Settings,
    place: Url,
    http: Http,
    attempts: Attempts,
    metadata: Kept<Metadata>,
    keys: Kept<Keys>,
    exchanges: Semaphore,
}

/// A sign-in that leaves for the provider.
pub struct Begun {
    pub url: String,
    /// For the browser to hold, and to show again.
    pub sealed: String,
}

/// What the provider sent the browser back with.
#[derive(Default)]
pub struct Callback {
    pub state: Option<String>,
    pub code: Option<String>,
    pub error: Option<String>,
    /// RFC 9207.
    pub iss: Option<String>,
}

impl Provider {
    /// Asks the provider nothing yet: it may be down while we start.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let place = metadata::place(&settings.issuer)?;
        Ok(Self {
            http: Http::new(place.scheme() == "https", settings.timeout)?,
            place,
            settings,
            attempts: Attempts::new()?,
            metadata: Kept::default(),
            keys: Kept::default(),
            exchanges: Semaphore::new(MAX_EXCHANGES),
        })
    }

    /// `to`: where the person wants to go, told again by `way_back`; `lang`: of the provider's pages.
    pub async fn begin(&self, to: &str, lang: &str, now: Timestamp) -> Result<Begun, Failure> {
        let metadata = self.metadata(now).await?;
        let (attempt, sealed) = self.attempts.begin(to, now)?;
        let mut url = metadata.authorization.clone();
        let settings = &self.settings;
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &settings.client_id)
            .append_pair("redirect_uri", &settings.redirect_uri)
            .append_pair("scope", &settings.scopes.join(" "))
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256")
            .append_pair("ui_locales", lang);
        if !settings.acr_values.is_empty() {
            query.append_pair("acr_values", &settings.acr_values.join(" "));
        }
        drop(query);
        Ok(Begun {
            url: url.into(),
            sealed,
        })
    }

    /// Where the person of a sealed text wanted to go, also when the sign-in fails.
    pub fn way_back(&self, sealed: &str) -> Option<String> {
        self.attempts.open(sealed).map(|attempt| attempt.to)
    }

    /// Who came back. Whatever the outcome, this sign-in is over.
    pub async fn finish(
        &self,
        callback: &Callback,
        sealed: Option<&str>,
        now: Timestamp,
    ) -> Result<Identity, Failure> {
        let attempt = self.attempts.take(sealed, callback.state.as_deref(), now)?;
        let metadata = self.metadata(now).await?;
        sent_by(&metadata, callback.iss.as_deref())?;
        if let Some(error) = &callback.error {
            return Err(failure::of_answer(error));
        }
        let code = callback
            .code
            .as_deref()
            .filter(|code| code.len() <= MAX_CODE_BYTES);
        let code = code.ok_or_else(|| Failure::Refused("the answer has no code".to_owned()))?;
        let _one = self
            .exchanges
            .try_acquire()
            .map_err(|_| Failure::Unavailable("too many sign-ins at once".to_owned()))?;
        let tokens = tokens::exchange(&self.http, &metadata, &self.settings, code, &attempt.verifier).await?;
        let claims = self.verified(&metadata, &tokens, &attempt, now).await?;
        self.strong_enough(&claims)?;
        let claims = self.completed(&metadata, &tokens, claims).await?;
        self.settings.claims.identity(&claims)
    }

    /// Where one signs out at the provider too, if it has such a place. No token is sent along: the provider asks.
    pub async fn sign_out_url(&self, lang: &str, now: Timestamp) -> Option<String> {
        let metadata = self.metadata(now).await.ok()?;
        let mut url = metadata.end_session.clone()?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", &self.settings.signed_out_uri)
            .append_pair("ui_locales", lang);
        Some(url.into())
    }

    async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>, Failure> {
        let fetch = || async {
            let what = "the provider's metadata";
            let answer = self.http.get(what, &self.place).await?;
            Metadata::read(&answer.good(what)?, &self.settings.issuer)
        };
        self.metadata.get(now, fetch).await
    }

    async fn verified(
        &self,
        metadata: &Metadata,
        tokens: &Tokens,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<Map<String, Value>, Failure> {
        let fetch = || async {
            let what = "the provider's keys";
            let answer = self.http.get(what, &metadata.keys).await?;
            Ok(Keys::read(&answer.good(what)?))
        };
        let expected = Expected {
            issuer: &metadata.issuer,
            client_id: &self.settings.client_id,
            nonce: &attempt.nonce,
        };
        let verify = |keys: &Keys| id_token::verify(&tokens.id_token, keys, &expected, now.as_second());
        let keys = self.keys.get(now, fetch).await?;
        let verdict = match verify(&keys) {
            Err(Fault::UnknownKey) => verify(&*self.keys.renew(&keys, now, fetch).await?),
            known => known,
        };
        verdict.map_err(|fault| {
            let why = match fault {
                Fault::UnknownKey => "no key of the provider fits it",
                Fault::Rule(rule) => rule,
            };
            Failure::Refused(format!("the ID token: {why}"))
        })
    }

    fn strong_enough(&self, claims: &Map<String, Value>) -> Result<(), Failure> {
        let accepted = &self.settings.acr_accepted;
        let acr = claims.get("acr").and_then(Value::as_str);
        if accepted.is_empty() || acr.is_some_and(|acr| accepted.iter().any(|good| good == acr)) {
            return Ok(());
        }
        Err(Failure::Weak(
            "the ID token: its acr is none of acr_accepted".to_owned(),
        ))
    }

    /// With what only the userinfo endpoint tells. The ID token, which is signed, has the last word.
    async fn completed(
        &self,
        metadata: &Metadata,
        tokens: &Tokens,
        claims: Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let (Some(url), Some(token)) = (&metadata.userinfo, &tokens.access_token) else {
            return Ok(claims);
        };
        if !self.settings.claims.lacking(&claims) {
            return Ok(claims);
        }
        let what = "the userinfo endpoint";
        let answer = self.http.get_with_token(what, url, token).await?;
        let mut told = answer.good(what)?;
        let sub = |claims: &Map<String, Value>| claims.get("sub").and_then(Value::as_str).map(str::to_owned);
        // Core §5.3.2: it might tell of somebody else.
        if sub(&told) != sub(&claims) {
            return Err(Failure::Refused(format!("{what} tells of another sub")));
        }
        told.extend(claims);
        Ok(told)
    }
}

/// An answer that names another issuer, or none where ours always does, is mixed up.
fn sent_by(metadata: &Metadata, iss: Option<&str>) -> Result<(), Failure> {
    let ours = match iss {
        Some(iss) => same(iss, &metadata.issuer),
        None => !metadata.names_itself,
    };
    if ours {
        Ok(())
    } else {
        Err(Failure::Refused(
            "the answer's iss is not the provider".to_owned(),
        ))
    }
}
