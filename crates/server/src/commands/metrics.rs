//! `--metrics ADDRESS` of a feed or a replica: Prometheus text over HTTP, made anew for each look.

use std::net::SocketAddr;

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use dagr_connector::error::Error;
use tokio::net::TcpListener;

use super::Failure;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves `/metrics` for as long as the process lives. `read` says what it gives; it may block.
pub async fn listen(
    address: SocketAddr,
    read: impl Fn() -> Result<String, Error> + Clone + Send + Sync + 'static,
) -> Result<(), Failure> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| Failure::here(format!("--metrics {address}: {error}")))?;
    let bound = listener.local_addr().unwrap_or(address);
    tracing::info!(%bound, "metrics");
    let answer = move || {
        let read = read.clone();
        async move {
            let read = tokio::task::spawn_blocking(read).await;
            answered(read.unwrap_or_else(|error| Err(Error::State(error.to_string()))))
        }
    };
    let router = Router::new().route("/metrics", get(answer));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "metrics are told no more");
        }
    });
    Ok(())
}

fn answered(read: Result<String, Error>) -> Response {
    match read {
        Ok(text) => ([(CONTENT_TYPE, TEXT)], text).into_response(),
        Err(error) => {
            tracing::warn!(%error, "metrics");
            (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
        }
    }
}
