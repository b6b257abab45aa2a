//! Receipts: do they say what was sent, and did the server sign them?

use std::sync::Mutex;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dagr_model::jcs;
use serde_json::Value;

use crate::{
    client::Client,
    error::{Error, Result},
    state::Package,
};

/// The server's keys, fetched when first needed and when an unknown one signs.
#[derive(Default)]
pub struct Receipts {
    keys: Mutex<Vec<(String, Vec<u8>)>>,
}

impl Receipts {
    pub async fn check(&self, client: &Client, package: &Package, receipt: &Value) -> Result<()> {
        let says = |member: &str, expected: &str| -> Result<()> {
            if receipt[member].as_str() == Some(expected) {
                return Ok(());
            }
            Err(Error::Decide(format!(
                "the receipt of package {} names another {member}: nothing more is sent",
                package.id
            )))
        };
        says("package_id", &package.id)?;
        says("digest", &package.sha256)?;
        let signature = receipt["signature"].as_str().unwrap_or_default();
        let kid = kid_of(signature).ok_or_else(|| unsigned(package))?;
        if self.key(&kid).is_none() {
            self.fetch(client).await?;
        }
        let key = self.key(&kid).ok_or_else(|| unsigned(package))?;
        if verify(receipt, signature, &key) {
            Ok(())
        } else {
            Err(unsigned(package))
        }
    }

    fn key(&self, kid: &str) -> Option<Vec<u8>> {
        let keys = self.keys.lock().ok()?;
        keys.iter()
            .find(|(known, _)| known == kid)
            .map(|(_, key)| key.clone())
    }

    async fn fetch(&self, client: &Client) -> Result<()> {
        let set = client.get("/.well-known/jwks.json").await?;
        let found = set["keys"].as_array().into_iter().flatten().filter_map(|key| {
            let x = URL_SAFE_NO_PAD.decode(key["x"].as_str()?).ok()?;
            Some((key["kid"].as_str()?.to_owned(), x))
        });
        if let Ok(mut keys) = self.keys.lock() {
            *keys = found.collect();
        }
        Ok(())
    }
}

fn unsigned(package: &Package) -> Error {
    Error::Decide(format!(
        "the receipt of package {} is not signed by the server: nothing more is sent",
        package.id
    ))
}

fn kid_of(signature: &str) -> Option<String> {
    let (header, _) = signature.split_once("..")?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    (header["alg"] == "EdDSA" && header["b64"] == false).then_some(())?;
    header["kid"].as_str().map(str::to_owned)
}

/// Detached JWS with an unencoded payload (RFC 7797) over the RFC 8785 form of the rest.
fn verify(receipt: &Value, signature: &str, key: &[u8]) -> bool {
    let Some((header, signed)) = signature.split_once("..") else {
        return false;
    };
    let mut rest = receipt.clone();
    if let Some(members) = rest.as_object_mut() {
        members.remove("signature");
    }
    let input = [header.as_bytes(), b".", jcs::canonical(&rest).as_slice()].concat();
    let Ok(signed) = URL_SAFE_NO_PAD.decode(signed) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key)
        .verify(&input, &signed)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_the_server_signed_verifies() {
        let pair = Ed25519KeyPair::generate().unwrap();
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","b64":false,"crit":["b64"],"kid":"k"}"#);
        let rest = json!({"package_id": "a", "digest": "b", "accepted": 1});
        let input = [header.as_bytes(), b".", jcs::canonical(&rest).as_slice()].concat();
        let signature = format!("{header}..{}", URL_SAFE_NO_PAD.encode(pair.sign(&input)));
        let mut receipt = rest;
        receipt["signature"] = json!(signature);
        let key = pair.public_key().as_ref();
        assert_eq!(kid_of(&signature).as_deref(), Some("k"));
        assert!(verify(&receipt, &signature, key));
        receipt["accepted"] = json!(2);
        assert!(!verify(&receipt, &signature, key));
    }
}
