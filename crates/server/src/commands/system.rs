//! `dagr system`

use clap::Subcommand;
use serde_json::json;

use super::{Done, Paging, Session};

const PATH: &str = "/registry/systems";

#[derive(Subcommand)]
pub enum Command {
    /// Enter an information system of an institution
    Create {
        /// The system's code
        code: String,
        name: String,
        /// Registration number of its institution
        #[arg(long)]
        institution: String,
    },
    /// All systems
    List(Paging),
}

pub async fn run(session: &Session, command: Command) -> Done {
    let Session { client, out } = session;
    match command {
        Command::Create {
            code,
            name,
            institution,
        } => {
            let body = json!({ "institution": institution, "code": code, "name": name });
            out.line(
                &client.post(PATH, &body).await?,
                &format!("system {code} entered"),
            );
        }
        Command::List(paging) => {
            out.table(
                &session.list(PATH, paging, vec![]).await?,
                &["code", "name", "institution"],
            );
        }
    }
    Ok(())
}
