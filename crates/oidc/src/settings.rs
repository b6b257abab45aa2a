//! What has to be known to sign people in.

use std::{fmt, time::Duration};

use crate::identity::ClaimNames;

#[derive(Debug, Clone)]
pub struct Settings {
    /// Exactly as the provider names itself.
    pub issuer: String,
    pub client_id: String,
    /// None: a public client, held by PKCE alone.
    pub client_secret: Option<Secret>,
    /// Where the provider sends people back to; registered there.
    pub redirect_uri: String,
    /// Where the provider sends people who also signed out there; registered there.
    pub signed_out_uri: String,
    /// With `openid`.
    pub scopes: Vec<String>,
    /// Ways to sign in that are asked for.
    pub acr_values: Vec<String>,
    /// Ways to sign in that are good enough; empty: any.
    pub acr_accepted: Vec<String>,
    pub claims: ClaimNames,
    /// How long one answer of the provider may take.
    pub timeout: Duration,
}

/// Never shown, whoever prints what it stands in.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}
