//! `dagr token`

use std::{fs, path::PathBuf};

use clap::Args;
use serde_json::json;

use super::{Done, Failure, Output, Session, server};
use crate::{
    cli::Global,
    client::{self, Client, SigningKey},
};

/// A connection and its private key.
#[derive(Args)]
pub struct SignIn {
    /// The connection's technical name
    #[arg(long)]
    client_id: String,
    /// Its private key (PEM): RSA, EC P-256 or Ed25519
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

impl SignIn {
    fn key_pem(&self) -> Result<String, Failure> {
        fs::read_to_string(&self.key).map_err(|error| Failure::file(&self.key, &error))
    }

    /// A session that signs in by itself.
    pub fn session(&self, global: &Global) -> Result<Session, Failure> {
        let client = Client::connection(&server(global)?, &self.client_id, &self.key_pem()?)?;
        Ok(Session {
            client,
            out: Output::new(global.json),
        })
    }
}

#[derive(Args)]
pub struct Token {
    #[command(flatten)]
    sign_in: SignIn,
    /// The server's public URL, where it differs from --server
    #[arg(long, value_name = "URL")]
    audience: Option<String>,
    /// Print the signed assertion instead of calling the server
    #[arg(long)]
    assertion: bool,
}

/// Prints the access token alone, so that a shell can take it.
pub async fn run(global: &Global, command: Token) -> Done {
    let out = Output::new(global.json);
    let base = server(global)?;
    let audience = command.audience.as_deref().unwrap_or(&base);
    let key = SigningKey::from_pem(&command.sign_in.key_pem()?)?;
    if command.assertion {
        let assertion = client::sign_assertion(&key, &command.sign_in.client_id, audience)?;
        out.line(&json!({ "assertion": assertion }), &assertion);
        return Ok(());
    }
    let given = Client::anonymous(&base)?
        .sign_in(&command.sign_in.client_id, &key, audience)
        .await?;
    out.line(&json!(given), &given.access_token);
    Ok(())
}
