//! The measure: the same HTTP framework on the same runtime with the same listener, and nothing behind it.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use crate::{
    commands::Failure,
    serve::listener::{self, Listener},
};

/// Bodies by permission number: a look-up's answer of that mask.
type Bodies = Arc<HashMap<String, Bytes>>;

pub struct Bare {
    pub address: SocketAddr,
    listener: Listener,
}

impl Bare {
    /// Answers look-ups with the body of the permission named, whatever the key, and `/bytes` with `page`.
    pub fn start(bodies: HashMap<String, Bytes>, page: Bytes) -> Result<Self, Failure> {
        let failed = |error: crate::serve::StartError| Failure::here(error.to_string());
        let socket = listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).map_err(failed)?;
        let address = listener::address(&socket).map_err(failed)?;
        let bodies: Bodies = Arc::new(bodies);
        let router = Router::new()
            .route("/data/{set}/records/{key}", get(record))
            .with_state(bodies)
            .route("/bytes", get(move || std::future::ready(page.clone())));
        let listener = Listener::start(socket, None, router).map_err(failed)?;
        Ok(Self { address, listener })
    }

    pub async fn stop(self) {
        self.listener.stop(Duration::from_secs(1));
        self.listener.ended().await;
    }
}

async fn record(
    State(bodies): State<Bodies>,
    Path((_set, _key)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let number = headers
        .get("x-dagr-permission")
        .and_then(|value| value.to_str().ok());
    match number.and_then(|number| bodies.get(number)) {
        Some(body) => {
            let head = [
                (header::CONTENT_TYPE, "application/json"),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (head, body.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
