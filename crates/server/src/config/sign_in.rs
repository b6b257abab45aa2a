//! `[sign_in]`: the OpenID provider people sign in at, and which of its claims say who they are.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use dagr_oidc::{ClaimNames, Provider, Secret, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret::read_line;

/// Signing people in by OpenID Connect. Without `issuer` nobody signs in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignIn {
    /// The provider, exactly as it names itself; its metadata stand under `/.well-known/openid-configuration`. https,
    /// or http on loopback.
    pub issuer: Option<String>,
    /// The name the provider gave us.
    pub client_id: Option<String>,
    /// File with the secret the provider gave us, one line. None: a public client, held by PKCE alone.
    pub client_secret_file: Option<PathBuf>,
    /// What is asked for; `openid` among them.
    pub scopes: Vec<String>,
    /// Claim with the personal code, in the ID token or at the userinfo endpoint.
    pub personal_code_claim: String,
    /// What stands before the code in that claim, and must: `PNOLV-`.
    pub personal_code_prefix: String,
    /// Claims that make up the name; where one is missing, `name` is taken.
    pub name_claims: Vec<String>,
    /// Ways to sign in that the provider is asked for, best first.
    pub acr_values: Vec<String>,
    /// Ways to sign in (`acr` of the ID token) that are good enough; empty: any.
    pub acr_accepted: Vec<String>,
    /// What the link to the provider says in Latvian.
    pub label_lv: Option<String>,
    /// What the link to the provider says in English.
    pub label_en: Option<String>,
    /// How long one answer of the provider may take.
    pub timeout_ms: u64,
}

impl Default for SignIn {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self {
            issuer: None,
            client_id: None,
            client_secret_file: None,
            scopes: words(&["openid", "profile"]),
            personal_code_claim: "personal_code".to_owned(),
            personal_code_prefix: String::new(),
            name_claims: words(&["given_name", "family_name"]),
            acr_values: Vec::new(),
            acr_accepted: Vec::new(),
            label_lv: None,
            label_en: None,
            timeout_ms: 10_000,
        }
    }
}

impl SignIn {
    pub(super) fn check(&self, faults: &mut Vec<String>) {
        let Some(issuer) = &self.issuer else {
            if self.client_id.is_some() || self.client_secret_file.is_some() {
                faults.push("sign_in.issuer: missing; without it nobody signs in".to_owned());
            }
            return;
        };
        if self.client_id.as_deref().unwrap_or_default().is_empty() {
            faults.push(
                "sign_in.client_id: missing; the provider gives one when you register there".to_owned(),
            );
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            faults.push("sign_in.scopes: openid is missing".to_owned());
        }
        let bad = |word: &String| word.is_empty() || word.contains(char::is_whitespace);
        for (name, words) in [
            ("scopes", &self.scopes),
            ("acr_values", &self.acr_values),
            ("name_claims", &self.name_claims),
        ] {
            if words.iter().any(bad) {
                faults.push(format!("sign_in.{name}: one word each, without spaces"));
            }
        }
        if self.personal_code_claim.is_empty() {
            faults.push("sign_in.personal_code_claim: empty; nobody would be anybody".to_owned());
        }
        if !(100..=60_000).contains(&self.timeout_ms) {
            faults.push("sign_in.timeout_ms: from 100 to 60000".to_owned());
        }
        if let Err(fault) = dagr_oidc::check_issuer(issuer) {
            faults.push(format!("sign_in.issuer: {fault}"));
        }
    }

    /// The provider, with its secret read; none where none is configured.
    pub fn provider(&self, public_url: &str) -> Result<Option<Provider>, String> {
        let secret = self.client_secret_file.as_deref().map(read_secret).transpose()?;
        self.made(public_url, secret)
    }

    /// By language.
    pub fn labels(&self) -> Vec<(&'static str, String)> {
        [("lv", &self.label_lv), ("en", &self.label_en)]
            .into_iter()
            .filter_map(|(lang, label)| Some((lang, label.clone()?)))
            .collect()
    }

    fn made(&self, public_url: &str, client_secret: Option<Secret>) -> Result<Option<Provider>, String> {
        let (Some(issuer), Some(client_id)) = (&self.issuer, &self.client_id) else {
            return Ok(None);
        };
        let base = public_url.trim_end_matches('/');
        let settings = Settings {
            issuer: issuer.clone(),
            client_id: client_id.clone(),
            client_secret,
            redirect_uri: format!("{base}/sign-in/callback"),
            signed_out_uri: format!("{base}/"),
            scopes: self.scopes.clone(),
            acr_values: self.acr_values.clone(),
            acr_accepted: self.acr_accepted.clone(),
            claims: ClaimNames {
                code: self.personal_code_claim.clone(),
                code_prefix: self.personal_code_prefix.clone(),
                name: self.name_claims.clone(),
            },
            timeout: Duration::from_millis(self.timeout_ms),
        };
        Provider::new(settings).map(Some)
    }
}

fn read_secret(path: &Path) -> Result<Secret, String> {
    read_line("client_secret_file", path).map(|secret| Secret::new(&secret))
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn faults(sign_in: &str) -> Vec<String> {
        let loaded = Config::load(Some(&format!("[sign_in]\n{sign_in}")), std::iter::empty());
        loaded.err().unwrap_or_default()
    }

    #[test]
    fn what_does_not_fit_together_is_named_at_once() {
        assert_eq!(faults(""), Vec::<String>::new());
        let good = "issuer = \"https://id.test/realms/x\"\nclient_id = \"dagr\"\n";
        assert_eq!(faults(good), Vec::<String>::new());
        assert_eq!(faults("client_id = \"dagr\"").len(), 1);
        let wrong = "issuer = \"https://id.test\"\nscopes = [\"a b\"]\ntimeout_ms = 1";
        assert_eq!(faults(wrong).len(), 4, "{:?}", faults(wrong));
        for issuer in ["http://id.test", "id.test", "https://id.test/?x"] {
            let found = faults(&format!("issuer = \"{issuer}\"\nclient_id = \"dagr\""));
            assert!(found[0].starts_with("sign_in.issuer"), "{found:?}");
        }
        // The secret itself is no setting.
        assert_eq!(faults(&format!("{good}client_secret = \"x\"")).len(), 1);
    }

    #[test]
    fn lists_come_from_the_environment_too() {
        let variables = [
            ("DAGR_SIGN_IN__ISSUER", "http://127.0.0.1:9"),
            ("DAGR_SIGN_IN__CLIENT_ID", "dagr"),
            ("DAGR_SIGN_IN__SCOPES", "openid  personal"),
        ];
        let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let config = Config::load(None, variables.into_iter()).unwrap();
        assert_eq!(config.sign_in.scopes, ["openid", "personal"]);
    }

    #[test]
    fn the_secret_is_read_from_its_file_and_shown_by_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        assert!(super::read_secret(&path).is_err());
        std::fs::write(&path, "canary-5512\n").unwrap();
        let secret = super::read_secret(&path).unwrap();
        assert!(!format!("{secret:?}").contains("canary"));
        std::fs::write(&path, "canary-5512\nx").unwrap();
        let fault = super::read_secret(&path).unwrap_err();
        assert!(fault.contains("one line") && !fault.contains("canary"), "{fault}");
    }
}
