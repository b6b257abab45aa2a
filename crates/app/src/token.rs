//! Signing in: an assertion is exchanged for an access token, and access tokens are recognised.

mod access;
mod assertion;
mod certificate;

use dagr_model::ids::ClientId;

use crate::{App, problem::Problem};

pub use access::Tokens;
pub(crate) use access::renewed;
pub use certificate::{CertificateFacts, read_certificates};

/// `client_assertion_type` of RFC 7523.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The form of `POST /token`.
#[derive(Debug, Default, Clone)]
pub struct TokenRequest {
    pub grant_type: Option<String>,
    pub client_assertion_type: Option<String>,
    pub client_assertion: Option<String>,
    pub client_id: Option<String>,
}

/// An access token as given.
#[derive(Debug, Clone)]
pub struct Token {
    pub access_token: String,
    pub expires_in: u32,
}

impl App {
    pub async fn token_create(&self, request: TokenRequest) -> Result<Token, Problem> {
        let now = self.clock.now();
        let text = check_form(&request)?;
        let catalog = self.catalog.load_full();
        let audiences = self.audiences();
        let accepted =
            assertion::verify(text, &catalog, &audiences, now).map_err(|why| invalid_client(&why))?;
        if request
            .client_id
            .is_some_and(|id| id != accepted.client_id.as_str())
        {
            return Err(invalid_client("client_id is not the assertion's sub"));
        }
        let fresh = self
            .registry
            .assertion_use(&accepted.client_id, &accepted.jti, accepted.remembered_until)
            .await?;
        if !fresh {
            return Err(invalid_client(
                "this jti was used before; make a new assertion for every call",
            ));
        }
        let sign_in = catalog.connections.get(&accepted.client_id);
        let connection = sign_in
            .map(|found| &found.connection)
            .ok_or_else(|| invalid_client("no such connection"))?;
        let access_token = Tokens::issue(&self.secrets, &self.settings.public_url, connection, now)?;
        Ok(Token {
            access_token,
            expires_in: connection.token_lifetime_s,
        })
    }

    /// What assertions may name as `aud`.
    fn audiences(&self) -> Vec<String> {
        let base = self.settings.public_url.trim_end_matches('/');
        vec![base.to_owned(), format!("{base}/"), format!("{base}/token")]
    }
}

fn check_form(request: &TokenRequest) -> Result<&str, Problem> {
    match request.grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => {
            return Err(Problem::new(
                400,
                "unsupported_grant_type",
                "grant_type must be client_credentials",
            ));
        }
        None => return Err(invalid_request("grant_type=client_credentials is missing")),
    }
    if request.client_assertion_type.as_deref() != Some(ASSERTION_TYPE) {
        return Err(invalid_request(&format!(
            "client_assertion_type must be {ASSERTION_TYPE}"
        )));
    }
    request
        .client_assertion
        .as_deref()
        .ok_or_else(|| invalid_request("client_assertion is missing"))
}

fn invalid_request(detail: &str) -> Problem {
    Problem::new(400, "invalid_request", detail)
}

fn invalid_client(detail: &str) -> Problem {
    Problem::new(401, "invalid_client", detail)
}

/// Who an accepted assertion speaks for.
struct Accepted {
    client_id: ClientId,
    jti: String,
    /// Until then the jti must be remembered.
    remembered_until: jiff::Timestamp,
}
