//! A relying party of OpenID Connect: sends a person to the provider and finds out who came back.
//!
//! Authorization code with PKCE S256, state and nonce, against any provider that publishes its metadata. It knows
//! nothing of DAGR: what comes out is a personal code and a name. What surprises: nothing is kept between the two
//! halves of a sign-in but a sealed text that the browser holds, and the list of those already used.

mod attempt;
mod failure;
mod http;
mod id_token;
mod identity;
mod kept;
mod keys;
mod metadata;
mod provider;
mod settings;
mod tokens;

pub use failure::Failure;
pub use identity::{ClaimNames, Identity};
pub use provider::{Begun, Callback, Provider};
pub use settings::{Secret, Settings};

/// Can this be the issuer of a provider? Asks nobody.
pub fn check_issuer(issuer: &str) -> Result<(), String> {
    metadata::place(issuer).map(|_| ())
}
