//! One port: bound, served with or without TLS, drained.

use std::{
    convert::Infallible,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use axum::{ServiceExt, response::Response};
use axum_server::{
    Handle,
    accept::{TcpConfigAcceptor, TcpKeepaliveConfig, TcpSocketConfig},
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use http::Request;
use hyper::body::Incoming;
use tokio::task::JoinHandle;
use tower::Service;

use super::StartError;
use crate::config::Listen;

/// How long a connection may take to send its first request's head, TLS included.
const FIRST_REQUEST: Duration = Duration::from_secs(30);
/// How long a later request's head may take once it has begun.
const HEADERS: Duration = Duration::from_secs(30);
/// A connection on which nothing moved for so long is probed; who does not answer for as long again is gone.
const SILENT: Duration = Duration::from_mins(1);
const PROBES: u32 = 4;

pub struct Listener {
    handle: Handle<SocketAddr>,
    task: JoinHandle<std::io::Result<()>>,
}

/// Binds; port 0 takes a free one.
pub fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|error| StartError::Listen {
        address,
        cause: error.to_string(),
    })
}

/// The address in fact bound.
pub fn address(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    listener
        .local_addr()
        .map_err(|error| StartError::App(error.to_string()))
}

pub async fn tls(listen: &Listen) -> Result<Option<RustlsConfig>, StartError> {
    match (&listen.tls_certificate, &listen.tls_key) {
        (Some(certificate), Some(key)) => crate::tls::load(certificate, key)
            .await
            .map(Some)
            .map_err(|error| StartError::Tls(error.to_string())),
        _ => Ok(None),
    }
}

/// A network that was cut closes nothing: without probes a call that waits, or a stream, would last for ever.
fn sockets() -> TcpConfigAcceptor {
    let probed = TcpKeepaliveConfig::new()
        .time(SILENT)
        .interval(SILENT / PROBES)
        .retries(PROBES);
    TcpConfigAcceptor::new(TcpSocketConfig::new().nodelay(true).keepalive(probed))
}

impl Listener {
    pub fn start<S>(socket: TcpListener, tls: Option<RustlsConfig>, service: S) -> Result<Self, StartError>
    where
        S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let handle = Handle::new();
        let mut server = axum_server::from_tcp(socket)
            .map_err(|error| StartError::App(error.to_string()))?
            .handle(handle.clone())
            .first_request_timeout(FIRST_REQUEST);
        server.http_builder().http1().header_read_timeout(HEADERS);
        let service = ServiceExt::<Request<Incoming>>::into_make_service(service);
        let task = match tls {
            None => tokio::spawn(server.acceptor(sockets()).serve(service)),
            Some(config) => {
                let acceptor = RustlsAcceptor::new(config).acceptor(sockets());
                tokio::spawn(server.acceptor(acceptor).serve(service))
            }
        };
        Ok(Self { handle, task })
    }

    /// No new connections; those that are open may end their call.
    pub fn stop(&self, drain: Duration) {
        self.handle.graceful_shutdown(Some(drain));
    }

    pub async fn ended(self) {
        match self.task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "a listener failed"),
            Err(error) => tracing::error!(%error, "a listener was broken off"),
        }
    }
}
