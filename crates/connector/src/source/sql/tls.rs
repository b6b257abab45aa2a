//! TLS to databases: always with the server's certificate checked.

use std::{fs, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::{
    client::install_provider,
    error::{Error, Result},
    feed::Tls,
};

/// Whom to trust: `ca` alone, or the machine's authorities.
pub fn authorities(tls: &Tls) -> Result<Vec<CertificateDer<'static>>> {
    install_provider();
    let (certificates, place) = match &tls.ca {
        None => {
            let found = rustls_native_certs::load_native_certs();
            (found.certs, "this machine".to_owned())
        }
        Some(path) => {
            let pem = fs::read(path).map_err(|error| Error::file(path, &error))?;
            let certificates = CertificateDer::pem_slice_iter(&pem).flatten().collect();
            (certificates, path.display().to_string())
        }
    };
    if certificates.is_empty() {
        return Err(Error::State(format!(
            "TLS to the database: {place} has no certificate of an authority; ca = \"file.pem\" names some"
        )));
    }
    Ok(certificates)
}

pub fn client(tls: &Tls) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities(tls)?);
    Ok(ClientConfig::builder()
        .with_root_certificates(Arc::new(roots))
        .with_no_client_auth())
}
