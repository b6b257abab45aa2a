//! One sign-in under way: what the browser holds sealed between leaving for the provider and coming back.
//!
//! The key lives as long as the process, and so does the list of what was used: a text that opens was never
//! forgotten, so none comes in twice. A restart ends the sign-ins under way; people begin again.

use std::collections::HashMap;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest,
    rand::{SecureRandom, SystemRandom},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// How long somebody may take at the provider.
pub const LIFETIME_S: i64 = 600;
/// What a browser keeps in a cookie, less its name and words.
const MAX_SEALED_BYTES: usize = 3_900;
/// Sign-ins that came back within their lifetime, at most: 160 a second.
const MAX_USED: usize = 100_000;
const CONTEXT: &[u8] = b"dagr sign-in 1";

/// Sealed as it stands.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub state: String,
    pub nonce: String,
    /// Of PKCE (RFC 7636).
    pub verifier: String,
    /// Where the person wanted to go.
    pub to: String,
    until_s: i64,
}

pub struct Attempts {
    key: RandomizedNonceKey,
    used: Mutex<HashMap<String, i64>>,
}

impl Attempts {
    pub fn new() -> Result<Self, String> {
        let fault = |_| "no random numbers".to_owned();
        let mut key = [0; 32];
        SystemRandom::new().fill(&mut key).map_err(fault)?;
        Ok(Self {
            key: RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(fault)?,
            used: Mutex::default(),
        })
    }

    /// A new attempt and its sealed text.
    pub fn begin(&self, to: &str, now: Timestamp) -> Result<(Attempt, String), Failure> {
        let fault = || Failure::Unavailable("no random numbers".to_owned());
        let attempt = Attempt {
            state: random().ok_or_else(fault)?,
            nonce: random().ok_or_else(fault)?,
            verifier: random().ok_or_else(fault)?,
            to: to.to_owned(),
            until_s: now.as_second() + LIFETIME_S,
        };
        let sealed = self.seal(&attempt).ok_or_else(fault)?;
        if sealed.len() > MAX_SEALED_BYTES {
            return Err(Failure::Lost("the way back is too long"));
        }
        Ok((attempt, sealed))
    }

    /// What was sealed here; nothing of whatever else.
    pub fn open(&self, sealed: &str) -> Option<Attempt> {
        if sealed.len() > MAX_SEALED_BYTES {
            return None;
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, rest) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.key.open_in_place(nonce, Aad::from(CONTEXT), rest).ok()?;
        serde_json::from_slice(plain).ok()
    }

    /// Once, in time, with the state it began with. Whatever follows, it is used.
    pub fn take(
        &self,
        sealed: Option<&str>,
        state: Option<&str>,
        now: Timestamp,
    ) -> Result<Attempt, Failure> {
        let sealed = sealed.ok_or(Failure::Lost("the browser sent no cookie of a sign-in"))?;
        let attempt = self
            .open(sealed)
            .ok_or(Failure::Lost("the cookie is not one of this process"))?;
        let state = state.ok_or(Failure::Lost("the answer has no state"))?;
        if !same(state, &attempt.state) {
            return Err(Failure::Lost("the state is another sign-in's"));
        }
        let now_s = now.as_second();
        if now_s >= attempt.until_s {
            return Err(Failure::Lost("it took longer than ten minutes"));
        }
        let mut used = self.used.lock();
        if used.len() >= MAX_USED {
            used.retain(|_, until_s| *until_s > now_s);
        }
        if used.contains_key(&attempt.state) {
            return Err(Failure::Lost("this sign-in was used before"));
        }
        // To forget one would be to let it in again.
        if used.len() >= MAX_USED {
            return Err(Failure::Unavailable("too many sign-ins at once".to_owned()));
        }
        used.insert(attempt.state.clone(), attempt.until_s);
        drop(used);
        Ok(attempt)
    }

    fn seal(&self, attempt: &Attempt) -> Option<String> {
        let mut bytes = serde_json::to_vec(attempt).ok()?;
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(CONTEXT), &mut bytes)
            .ok()?;
        let mut out = nonce.as_ref().to_vec();
        out.extend_from_slice(&bytes);
        Some(URL_SAFE_NO_PAD.encode(out))
    }
}

impl Attempt {
    /// S256.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, self.verifier.as_bytes()))
    }
}

/// 256 random bits.
fn random() -> Option<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// Equal, in the same time whatever was sent.
pub fn same(sent: &str, ours: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(sent.as_bytes(), ours.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn an_attempt_comes_back_once_in_time_with_its_state() {
        let attempts = Attempts::new().unwrap();
        let (begun, sealed) = attempts.begin("/lv/my-data", at(0)).unwrap();
        let take = |state: Option<&str>, second| attempts.take(Some(&sealed), state, at(second));
        let lost = |taken: Result<Attempt, Failure>| assert_eq!(taken.unwrap_err().word(), "lost");
        lost(attempts.take(None, Some(&begun.state), at(1)));
        lost(take(None, 1));
        lost(take(Some("x"), 1));
        lost(take(Some(&begun.state), LIFETIME_S));
        let (other, _) = attempts.begin("/", at(0)).unwrap();
        lost(take(Some(&other.state), 1));
        assert_eq!(take(Some(&begun.state), LIFETIME_S - 1).unwrap(), begun);
        lost(take(Some(&begun.state), LIFETIME_S - 1));
        // Another process, another key.
        let another = Attempts::new().unwrap();
        lost(another.take(Some(&sealed), Some(&begun.state), at(1)));
    }

    #[test]
    fn two_attempts_share_nothing_and_the_challenge_is_no_verifier() {
        let attempts = Attempts::new().unwrap();
        let [(a, _), (b, _)] = [(); 2].map(|()| attempts.begin("/", at(0)).unwrap());
        assert!(a.state != b.state && a.nonce != b.nonce && a.verifier != b.verifier);
        assert!(a.state != a.nonce && a.verifier.len() >= 43 && a.challenge() != a.verifier);
        // RFC 7636, appendix B.
        let known = Attempt {
            verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned(),
            ..a
        };
        assert_eq!(known.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn what_is_used_is_never_forgotten_while_it_would_open() {
        let attempts = Attempts::new().unwrap();
        for number in 0..MAX_USED {
            attempts
                .used
                .lock()
                .insert(number.to_string(), at(10).as_second());
        }
        let (begun, sealed) = attempts.begin("/", at(0)).unwrap();
        let taken = attempts.take(Some(&sealed), Some(&begun.state), at(1));
        assert_eq!(taken.unwrap_err().word(), "unavailable");
        assert!(attempts.take(Some(&sealed), Some(&begun.state), at(10)).is_ok());
        assert_eq!(attempts.used.lock().len(), 1);
    }

    proptest! {
        #[test]
        fn nothing_but_our_own_text_opens(text in "\\PC{0,200}", at_byte in 0_usize..1_000, bit in 0_u8..8) {
            let attempts = Attempts::new().unwrap();
            prop_assert!(attempts.open(&text).is_none());
            let (_, sealed) = attempts.begin("/lv/", at(0)).unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
            let place = at_byte % bytes.len();
            bytes[place] ^= 1 << bit;
            prop_assert!(attempts.open(&URL_SAFE_NO_PAD.encode(bytes)).is_none());
        }
    }
}
