//! The provider's public keys (RFC 7517).

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{Jwk, PublicKeyUse},
};
use serde_json::{Map, Value};

/// More keys than any provider has at once.
const MAX_KEYS: usize = 64;

/// Keys that may sign. What we do not understand is as if it were not there.
pub struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    /// The only algorithm it is for, where it says so.
    algorithm: Option<Algorithm>,
    key: DecodingKey,
}

impl Keys {
    pub fn read(document: &Map<String, Value>) -> Self {
        let keys = document.get("keys").and_then(Value::as_array);
        Self(
            keys.into_iter()
                .flatten()
                .filter_map(key)
                .take(MAX_KEYS)
                .collect(),
        )
    }

    /// Those a token with this header may be signed by.
    pub fn fitting(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<&DecodingKey> {
        let fits = |key: &&Key| {
            let named = id.is_none_or(|id| key.id.as_deref() == Some(id));
            named
                && key.key.family() == algorithm.family()
                && key.algorithm.is_none_or(|only| only == algorithm)
        };
        self.0.iter().filter(fits).map(|key| &key.key).collect()
    }
}

fn key(value: &Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let algorithm = match jwk.common.key_algorithm {
        None => None,
        // One we do not know is for something else than what we verify.
        Some(named) => Some(Algorithm::try_from(named).ok()?),
    };
    signs.then_some(Key {
        id: jwk.common.key_id.clone(),
        algorithm,
        key: DecodingKey::from_jwk(&jwk).ok()?,
    })
}
