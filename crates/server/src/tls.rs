//! The one provider of cryptography, and TLS for the listener.

use std::{io, path::Path};

use axum_server::tls_rustls::RustlsConfig;

/// Makes AWS-LC the process's provider. Again and again is once.
pub fn install_provider() {
    // The error says that there is one already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

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
