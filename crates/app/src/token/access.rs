//! Access tokens: JWTs we sign, recognised from a bounded cache once they were verified.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dagr_model::ids::ClientId;
use jiff::Timestamp;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::Catalog,
    ctx::{Caller, Connection},
    problem::Problem,
    secrets::Secrets,
};

/// Tokens remembered at once; more are verified again.
const MAX_CACHED: usize = 100_000;
const MAX_TOKEN_BYTES: usize = 4 << 10;

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    iat: i64,
    exp: i64,
    jti: String,
}

struct Verified {
    client_id: ClientId,
    expires_s: i64,
}

/// Verified tokens by hash; a token itself is never kept.
#[derive(Default)]
pub struct Tokens {
    verified: RwLock<HashMap<[u8; 32], Verified>>,
}

impl Tokens {
    pub(crate) fn issue(
        secrets: &Secrets,
        issuer: &str,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<String, Problem> {
        let iat = now.as_second();
        let claims = Claims {
            iss: issuer.to_owned(),
            sub: connection.client_id.to_string(),
            iat,
            exp: iat + i64::from(connection.token_lifetime_s),
            jti: secrets.random_id(),
        };
        let header = format!(
            "{{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"{}\"}}",
            secrets.key_id()
        );
        let payload = serde_json::to_vec(&claims).map_err(Problem::internal)?;
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let signature = secrets.signing.sign(signed.as_bytes());
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())))
    }

    /// Who bears this token now. A withdrawn connection's token is nobody's.
    pub(crate) fn caller(&self, secrets: &Secrets, catalog: &Catalog, token: &str, now: Timestamp) -> Caller {
        if token.len() > MAX_TOKEN_BYTES {
            return Caller::Anonymous;
        }
        let hash = hash(token);
        let now_s = now.as_second();
        if let Some(found) = self.verified.read().get(&hash) {
            if found.expires_s <= now_s {
                return Caller::Anonymous;
            }
            return current(catalog, &found.client_id, found.expires_s);
        }
        if secrets.is_operator(token) {
            return Caller::Operator;
        }
        let Some(claims) = verify(secrets, token).filter(|claims| claims.exp > now_s) else {
            return Caller::Anonymous;
        };
        let client_id = ClientId::new(&claims.sub);
        let caller = current(catalog, &client_id, claims.exp);
        self.remember(
            hash,
            Verified {
                client_id,
                expires_s: claims.exp,
            },
            now_s,
        );
        caller
    }

    fn remember(&self, hash: [u8; 32], verified: Verified, now_s: i64) {
        let mut cache = self.verified.write();
        if cache.len() >= MAX_CACHED {
            cache.retain(|_, known| known.expires_s > now_s);
        }
        if cache.len() < MAX_CACHED {
            cache.insert(hash, verified);
        }
    }
}

/// The connection as it is now: nobody, once it is withdrawn.
fn current(catalog: &Catalog, client_id: &ClientId, expires_s: i64) -> Caller {
    let sign_in = catalog.connections.get(client_id);
    match (sign_in, Timestamp::from_second(expires_s)) {
        (Some(sign_in), Ok(until)) => Caller::Connection(Arc::clone(&sign_in.connection), until),
        _ => Caller::Anonymous,
    }
}

/// Who bore a token a while ago, now: nobody, once it has ended or its connection is withdrawn.
pub(crate) fn renewed(catalog: &Catalog, caller: &Caller, now: Timestamp) -> Caller {
    match caller {
        Caller::Connection(_, until) if *until <= now => Caller::Anonymous,
        Caller::Connection(connection, until) => current(catalog, &connection.client_id, until.as_second()),
        Caller::Anonymous | Caller::Operator | Caller::Person(_) => caller.clone(),
    }
}

fn hash(token: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes()).as_ref());
    out
}

fn verify(secrets: &Secrets, token: &str) -> Option<Claims> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (_, payload) = signed.split_once('.')?;
    let key =
        aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, secrets.public_key());
    key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?)
        .ok()?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}
