//! X.509 certificates of connections: what is in them, and the keys they carry.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey};
use x509_parser::{pem::Pem, prelude::X509Certificate, public_key::PublicKey};

/// What the registry keeps of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Lower-case hex of the DER's SHA-256.
    pub sha256: String,
    pub pem: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub subject: String,
}

/// Certificates one upload may hold, and its bytes.
const MAX_CERTIFICATES: usize = 8;
const MAX_PEM_BYTES: usize = 64 << 10;
const OID_ED25519: &str = "1.3.101.112";
const OID_EC: &str = "1.2.840.10045.2.1";
const OID_P256: &str = "1.2.840.10045.3.1.7";
const OID_RSA: &str = "1.2.840.113549.1.1.1";

/// Reads a PEM text of one or more certificates; each must carry a key we can verify with.
pub fn read_certificates(pem: &[u8]) -> Result<Vec<CertificateFacts>, String> {
    if pem.len() > MAX_PEM_BYTES {
        return Err(format!("longer than {MAX_PEM_BYTES} bytes"));
    }
    let mut facts = Vec::new();
    for block in Pem::iter_from_buffer(pem) {
        let block = block.map_err(|_| "not a PEM text: send -----BEGIN CERTIFICATE----- …".to_owned())?;
        if block.label.contains("PRIVATE KEY") {
            return Err("this is a private key: keep it, and send the certificate only".to_owned());
        }
        if block.label != "CERTIFICATE" {
            return Err(format!("a {} is not a certificate", block.label));
        }
        facts.push(read(&block)?);
    }
    match facts.len() {
        0 => Err("no certificate in the text: send -----BEGIN CERTIFICATE----- …".to_owned()),
        n if n > MAX_CERTIFICATES => Err(format!("at most {MAX_CERTIFICATES} certificates at once")),
        _ => Ok(facts),
    }
}

fn read(block: &Pem) -> Result<CertificateFacts, String> {
    let certificate = block
        .parse_x509()
        .map_err(|_| "not an X.509 certificate".to_owned())?;
    if !ALL
        .iter()
        .any(|algorithm| key(&certificate, *algorithm).is_some())
    {
        return Err("the key must be RSA (2048 bits or more), EC P-256 or Ed25519".to_owned());
    }
    let time = |time: x509_parser::time::ASN1Time| {
        Timestamp::from_second(time.timestamp()).map_err(|_| "its validity is out of range".to_owned())
    };
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &block.contents);
    Ok(CertificateFacts {
        sha256: crate::intake::hex(digest.as_ref()),
        pem: to_pem(&block.contents),
        not_before: time(certificate.validity().not_before)?,
        not_after: time(certificate.validity().not_after)?,
        subject: certificate.subject().to_string(),
    })
}

/// PEM in one form, whatever the upload looked like.
fn to_pem(der: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

const ALL: [Algorithm; 4] = [
    Algorithm::RS256,
    Algorithm::PS256,
    Algorithm::ES256,
    Algorithm::EdDSA,
];

/// Keys of the certificates that are valid now and fit the algorithm: a key is never used with another's.
pub(super) fn usable_keys(pems: &[String], algorithm: Algorithm, now: Timestamp) -> Vec<DecodingKey> {
    let usable = |pem: &String| {
        let block = Pem::iter_from_buffer(pem.as_bytes()).next()?.ok()?;
        let certificate = block.parse_x509().ok()?;
        let validity = certificate.validity();
        let now_s = now.as_second();
        let valid = validity.not_before.timestamp() <= now_s && now_s <= validity.not_after.timestamp();
        valid.then(|| key(&certificate, algorithm))?
    };
    pems.iter().filter_map(usable).collect()
}

fn key(certificate: &X509Certificate<'_>, algorithm: Algorithm) -> Option<DecodingKey> {
    let spki = certificate.public_key();
    let bytes = spki.subject_public_key.data.as_ref();
    let oid = spki.algorithm.algorithm.to_id_string();
    match algorithm {
        Algorithm::RS256 | Algorithm::PS256 if oid == OID_RSA => match spki.parsed().ok()? {
            PublicKey::RSA(rsa) if rsa.key_size() >= 2_048 => Some(DecodingKey::from_rsa_der(bytes)),
            _ => None,
        },
        Algorithm::ES256 if oid == OID_EC => {
            let curve = spki.algorithm.parameters.as_ref()?.as_oid().ok()?;
            (curve.to_id_string() == OID_P256).then(|| DecodingKey::from_ec_der(bytes))
        }
        Algorithm::EdDSA if oid == OID_ED25519 => Some(DecodingKey::from_ed_der(bytes)),
        _ => None,
    }
}
