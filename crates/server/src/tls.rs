//! The one provider of cryptography, and TLS for the listener.

use std::{io, path::Path};

use axum_server::tls_rustls::RustlsConfig;
pub use dagr_connector::client::install_provider;

/// Certificate chain and key of the listener.
pub async fn load(certificate: &Path, key: &Path) -> io::Result<RustlsConfig> {
    install_provider();
    RustlsConfig::from_pem_file(certificate, key)
        .await
        .map_err(|error| {
            let files = format!("{} and {}", certificate.display(), key.display());
            io::Error::other(format!("no TLS with {files}: {error}"))
        })
}
