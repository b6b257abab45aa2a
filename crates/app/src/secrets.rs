//! Keys made at the first start and kept in files only their owner reads. Never logged, never shown.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    hmac,
    rand::{SecureRandom, SystemRandom},
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{admit::Admission, cursor::CursorKey};

/// Names of the files under `DIR/secrets`.
pub const OPERATOR_TOKEN: &str = "operator-token";
const CURSOR_KEY: &str = "cursor-key";
const ETAG_KEY: &str = "etag-key";
const SIGNING_KEY: &str = "signing-key";

/// Everything secret this installation holds.
pub struct Secrets {
    dir: PathBuf,
    operator: hmac::Key,
    pub cursors: CursorKey,
    etags: hmac::Key,
    /// Ed25519: access tokens and receipts.
    pub signing: Ed25519KeyPair,
    /// PKCS #8 of `signing`, for libraries that want it so.
    pub signing_pkcs8: Vec<u8>,
    operator_tag: Vec<u8>,
}

impl Secrets {
    /// Reads the secrets of `dir`, making those that are missing.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let invalid = |what: &str| io::Error::other(format!("{what} in {} is damaged", dir.display()));
        let operator_text = text(&dir.join(OPERATOR_TOKEN))?;
        let comparing = hmac::Key::new(hmac::HMAC_SHA256, &random::<32>()?);
        let operator_tag = hmac::sign(&comparing, operator_text.as_bytes()).as_ref().to_vec();
        let cursor_key: [u8; 32] = bytes(&dir.join(CURSOR_KEY), || Ok(random::<32>()?.to_vec()))?
            .try_into()
            .map_err(|_| invalid(CURSOR_KEY))?;
        let etag_key = bytes(&dir.join(ETAG_KEY), || Ok(random::<32>()?.to_vec()))?;
        let pkcs8 = bytes(&dir.join(SIGNING_KEY), || {
            let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(io::Error::other)?;
            Ok(made.as_ref().to_vec())
        })?;
        Ok(Self {
            dir: dir.to_owned(),
            operator: comparing,
            cursors: CursorKey::new(&cursor_key).ok_or_else(|| invalid(CURSOR_KEY))?,
            etags: hmac::Key::new(hmac::HMAC_SHA256, &etag_key),
            signing: Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|_| invalid(SIGNING_KEY))?,
            signing_pkcs8: pkcs8,
            operator_tag,
        })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Is this the operator token? Takes the same time whatever is wrong with it.
    pub fn is_operator(&self, token: &str) -> bool {
        hmac::verify(&self.operator, token.as_bytes(), &self.operator_tag).is_ok()
    }

    /// 128 random bits as text.
    pub fn random_id(&self) -> String {
        let mut bytes = [0; 16];
        // The system's source does not fail once it has answered at the start.
        let _ = SystemRandom::new().fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// 256 random bits as text: always of one length.
    pub fn random_token(&self) -> io::Result<String> {
        Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
    }

    /// A record's entity tag: keyed, over permission, revision and the masked bytes.
    pub fn etag(&self, admission: &Admission, masked: &[u8]) -> String {
        let permission = &admission.held.permission;
        let mut context = hmac::Context::with_key(&self.etags);
        context.update(permission.number.as_str().as_bytes());
        context.update(&permission.revision.to_be_bytes());
        context.update(masked);
        format!("\"{}\"", URL_SAFE_NO_PAD.encode(&context.sign().as_ref()[..18]))
    }

    /// Public half of the signing key.
    pub fn public_key(&self) -> &[u8] {
        self.signing.public_key().as_ref()
    }

    /// Name of the signing key in the JWKS: the RFC 7638 thumbprint.
    pub fn key_id(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.public_key());
        let canonical = format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{x}\"}}");
        URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            canonical.as_bytes(),
        ))
    }
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut out = [0; N];
    SystemRandom::new().fill(&mut out).map_err(io::Error::other)?;
    Ok(out)
}

/// A random text token: the file holds it alone, without a newline.
fn text(path: &Path) -> io::Result<String> {
    let bytes = bytes(path, || Ok(URL_SAFE_NO_PAD.encode(random::<32>()?).into_bytes()))?;
    let text = String::from_utf8(bytes).map_err(io::Error::other)?;
    Ok(text.trim_end().to_owned())
}

/// Reads a secret, or makes it: written aside, synced, then renamed, so that no half secret is ever found.
fn bytes(path: &Path, make: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Ok(found) => return Ok(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let made = make()?;
    let aside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&aside)?;
    file.write_all(&made)?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    if let Some(dir) = path.parent() {
        fs::File::open(dir)?.sync_all()?;
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secrets_are_made_once_and_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let first = Secrets::open(dir.path()).unwrap();
        let token = fs::read_to_string(dir.path().join(OPERATOR_TOKEN)).unwrap();
        assert!(!token.ends_with('\n') && token.len() >= 40);
        let again = Secrets::open(dir.path()).unwrap();
        assert_eq!(first.key_id(), again.key_id());
        assert!(again.is_operator(&token) && !again.is_operator("x") && !again.is_operator(""));
        for name in [OPERATOR_TOKEN, CURSOR_KEY, ETAG_KEY, SIGNING_KEY] {
            let mode = fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}
