//! `dagr audit`

use clap::Args;

use super::{Done, Paging, Session};

#[derive(Args)]
pub struct Audit {
    #[command(flatten)]
    paging: Paging,
}

pub async fn run(session: &Session, command: Audit) -> Done {
    let list = session.list("/registry/audit", command.paging, vec![]).await?;
    session.out.table(&list, &["at", "actor", "action", "object"]);
    Ok(())
}
