//! `dagr connection`

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Done, Failure, Paging, Session, members, path_of};
use crate::keys;

const PATH: &str = "/registry/connections";
const PEM: &str = "application/x-pem-file";

#[derive(Subcommand)]
pub enum Command {
    /// Enter a connection
    Create(Create),
    /// All connections
    List(Paging),
    /// One connection, with its certificates
    Show { client_id: String },
    /// Attach a certificate, or remove one
    Certificate(Certificate),
    /// End a connection: its tokens are no longer accepted
    Withdraw {
        client_id: String,
        /// Why: the trail keeps it
        #[arg(long)]
        reason: String,
    },
}

#[derive(Args)]
pub struct Create {
    /// The connection's technical name
    client_id: String,
    /// Code of the information system
    #[arg(long)]
    system: String,
    #[arg(long)]
    kind: Kind,
    /// How long an access token is valid, in seconds
    #[arg(long, default_value_t = 3_600)]
    token_lifetime_s: u32,
    #[arg(long)]
    description: Option<String>,
    /// Make a private key, write it to FILE (mode 0600), attach its certificate
    #[arg(long, value_name = "FILE")]
    generate_key: Option<PathBuf>,
    /// Attach this certificate (PEM)
    #[arg(long, value_name = "FILE", conflicts_with = "generate_key")]
    certificate: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Producer,
    Consumer,
}

#[derive(Args)]
pub struct Certificate {
    client_id: String,
    /// PEM file to attach
    #[arg(required_unless_present = "remove")]
    file: Option<PathBuf>,
    /// SHA-256 of the certificate to remove
    #[arg(long, value_name = "SHA256", conflicts_with = "file")]
    remove: Option<String>,
}

pub async fn run(session: &Session, command: Command) -> Done {
    let Session { client, out } = session;
    match command {
        Command::Create(command) => create(session, command).await?,
        Command::List(paging) => {
            let list = session.list(PATH, paging, vec![]).await?;
            out.table(
                &list,
                &["client_id", "kind", "system", "state", "token_lifetime_s"],
            );
        }
        Command::Show { client_id } => out.object(&client.get(&path_of(PATH, &client_id)).await?),
        Command::Certificate(Certificate {
            client_id,
            file,
            remove,
        }) => {
            let path = path_of(PATH, &client_id);
            if let Some(file) = file {
                let pem = fs::read_to_string(&file).map_err(|error| Failure::file(&file, &error))?;
                let view = attach(session, &client_id, pem).await?;
                out.line(&view, &format!("certificate attached to {client_id}"));
            } else if let Some(sha256) = remove {
                let view = client
                    .delete(&path_of(&format!("{path}/certificates"), &sha256))
                    .await?;
                out.line(&view, &format!("certificate removed from {client_id}"));
            }
        }
        Command::Withdraw { client_id, reason } => {
            let path = format!("{}/withdraw", path_of(PATH, &client_id));
            let view = client.post(&path, &json!({ "reason": reason })).await?;
            out.line(&view, &format!("connection {client_id} withdrawn"));
        }
    }
    Ok(())
}

async fn create(session: &Session, command: Create) -> Done {
    let Create {
        client_id,
        system,
        kind,
        token_lifetime_s,
        description,
        generate_key,
        certificate,
    } = command;
    // Everything that can fail here fails before the server is changed.
    let pem = match (&generate_key, &certificate) {
        (Some(file), _) => {
            let made =
                keys::generate(&client_id).map_err(|error| Failure::here(format!("no key: {error}")))?;
            keys::write_private(file, &made.key_pem).map_err(|error| Failure::file(file, &error))?;
            Some(made.certificate_pem)
        }
        (None, Some(file)) => Some(fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?),
        (None, None) => None,
    };
    let kind = match kind {
        Kind::Producer => "producer",
        Kind::Consumer => "consumer",
    };
    let body = members([
        ("client_id", Some(json!(client_id))),
        ("system", Some(json!(system))),
        ("kind", Some(json!(kind))),
        ("token_lifetime_s", Some(json!(token_lifetime_s))),
        ("description", description.map(|text| json!(text))),
    ]);
    let made = session.client.post(PATH, &body).await;
    let mut view = match (made, &generate_key) {
        (Ok(view), _) => view,
        (Err(error), Some(file)) => {
            // A key nobody can use would only block the next attempt.
            let _ = fs::remove_file(file);
            return Err(error.into());
        }
        (Err(error), None) => return Err(error.into()),
    };
    if let Some(pem) = pem {
        view = attach(session, &client_id, pem).await?;
    }
    let key = generate_key.map_or_else(String::new, |file| format!(", private key in {}", file.display()));
    session
        .out
        .line(&view, &format!("connection {client_id} entered{key}"));
    Ok(())
}

async fn attach(session: &Session, client_id: &str, pem: String) -> Result<Value, Failure> {
    let path = format!("{}/certificate", path_of(PATH, client_id));
    Ok(session.client.put(&path, PEM, pem).await?)
}
