//! `dagr institution`

use clap::Subcommand;
use serde_json::json;

use super::{Done, Paging, Session, members, path_of};

const PATH: &str = "/registry/institutions";
const COLUMNS: [&str; 3] = ["registration_number", "name", "kind"];

#[derive(Subcommand)]
pub enum Command {
    /// Enter an institution
    Create {
        /// Registration number: 11 digits
        registration_number: String,
        name: String,
        /// What it is: municipality, bank, …
        #[arg(long)]
        kind: Option<String>,
    },
    /// All institutions
    List(Paging),
    /// One institution
    Show { registration_number: String },
}

pub async fn run(session: &Session, command: Command) -> Done {
    let Session { client, out } = session;
    match command {
        Command::Create {
            registration_number,
            name,
            kind,
        } => {
            let body = members([
                ("registration_number", Some(json!(registration_number))),
                ("name", Some(json!(name))),
                ("kind", kind.map(|kind| json!(kind))),
            ]);
            let made = client.post(PATH, &body).await?;
            out.line(&made, &format!("institution {registration_number} entered"));
        }
        Command::List(paging) => out.table(&session.list(PATH, paging, vec![]).await?, &COLUMNS),
        Command::Show { registration_number } => {
            out.object(&client.get(&path_of(PATH, &registration_number)).await?);
        }
    }
    Ok(())
}
