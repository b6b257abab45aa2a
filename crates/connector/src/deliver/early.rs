//! A large package goes out while it is made. Where that fails, it goes from the spool like any other.

use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinHandle;

use super::{address, counted, put_body};
use crate::{
    client::{CallError, Client},
    compare::Growing,
    feed::Feed,
    progress::Progress,
    state::Package,
};

pub struct Early {
    /// The package's number.
    pub n: i64,
    answer: JoinHandle<Result<Value, CallError>>,
}

impl Early {
    pub fn start(
        feed: &Feed,
        client: &Client,
        package: &Package,
        body: Growing,
        progress: &Arc<Progress>,
    ) -> Self {
        let (client, address) = (client.clone(), address(feed, package));
        let body = counted(body.stream(), progress);
        Self {
            n: package.n,
            answer: tokio::spawn(async move { put_body(&client, &address, body).await }),
        }
    }

    /// The server's answer. `None`: it goes from the spool, and what is wrong is told then.
    pub async fn answer(self) -> Option<Value> {
        match self.answer.await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => {
                tracing::info!(%error, "not delivered while it was made");
                None
            }
            Err(_) => None,
        }
    }
}
