//! Signatures over what we hand out: detached JWS (RFC 7797, unencoded payload) over the RFC 8785 form.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
pub use dagr_model::jcs::canonical;

use crate::secrets::Secrets;

/// `header..signature`, EdDSA, over the payload as it stands. The key is in the JWKS under `kid`.
pub fn sign_detached(secrets: &Secrets, payload: &[u8]) -> String {
    let kid = secrets.key_id();
    let header = format!(r#"{{"alg":"EdDSA","b64":false,"crit":["b64"],"kid":"{kid}"}}"#);
    let header = URL_SAFE_NO_PAD.encode(header);
    let input = [header.as_bytes(), b".", payload].concat();
    let signature = URL_SAFE_NO_PAD.encode(secrets.signing.sign(&input));
    format!("{header}..{signature}")
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_detached_signature_verifies_against_the_public_key() {
        let dir = tempfile::tempdir().unwrap();
        let secrets = Secrets::open(dir.path()).unwrap();
        let payload = canonical(&json!({"b": 1, "a": [null, "ā\n\u{1}"], "A": {}}));
        assert_eq!(
            String::from_utf8(payload.clone()).unwrap(),
            "{\"A\":{},\"a\":[null,\"ā\\n\\u0001\"],\"b\":1}"
        );
        let jws = sign_detached(&secrets, &payload);
        let (header, signature) = jws.split_once("..").unwrap();
        let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
        assert_eq!(
            (&head["alg"], &head["b64"], &head["kid"]),
            (&json!("EdDSA"), &json!(false), &json!(secrets.key_id()))
        );
        let input = [header.as_bytes(), b".", payload.as_slice()].concat();
        let key = UnparsedPublicKey::new(&ED25519, secrets.public_key());
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        key.verify(&input, &signature).unwrap();
        assert!(key.verify(&[&input[..], b" "].concat(), &signature).is_err());
    }
}
