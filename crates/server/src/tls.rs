//! The one provider of cryptography, and TLS for the listener.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use axum_server::tls_rustls::RustlsConfig;
pub use dagr_connector::client::install_provider;
use tokio::task::JoinHandle;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);

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

/// Takes the files anew when they change: a renewed certificate needs no restart. What cannot be served with leaves the
/// present one in use.
pub fn renewed(config: RustlsConfig, certificate: PathBuf, key: PathBuf) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut known = [stamp(&certificate), stamp(&key)];
        loop {
            tokio::time::sleep(LOOK).await;
            let now = [stamp(&certificate), stamp(&key)];
            if now == known {
                continue;
            }
            known = now;
            match config.reload_from_pem_file(&certificate, &key).await {
                Ok(()) => tracing::info!("the TLS certificate is a new one"),
                Err(error) => tracing::error!(%error, "the new TLS certificate or its key cannot be used"),
            }
        }
    })
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
