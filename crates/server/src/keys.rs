//! A key pair for a connection: EC P-256 with a self-signed certificate.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

/// How long a generated certificate is valid.
const VALID_DAYS: i64 = 3 * 365;

/// A private key (PKCS #8) and the certificate of its public half.
pub struct Generated {
    pub key_pem: String,
    pub certificate_pem: String,
}

/// Makes a key and a certificate that names the client.
pub fn generate(client_id: &str) -> Result<Generated, rcgen::Error> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(Vec::new())?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, client_id);
    params.distinguished_name = name;
    let today = jiff::Timestamp::now()
        .to_zoned_datetime(jiff::tz::TimeZone::UTC)
        .date();
    let day = |date: jiff::civil::Date| {
        rcgen::date_time_ymd(date.year().into(), date.month() as u8, date.day() as u8)
    };
    // A day back: clocks differ.
    params.not_before = day(today.saturating_sub(jiff::Span::new().days(1)));
    params.not_after = day(today.saturating_add(jiff::Span::new().days(VALID_DAYS)));
    let certificate = params.self_signed(&key)?;
    Ok(Generated {
        key_pem: key.serialize_pem(),
        certificate_pem: certificate.pem(),
    })
}

/// Writes a new file that only its owner reads; an existing one is not touched.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file: File = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
