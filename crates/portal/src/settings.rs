//! What the program tells the pages.

use std::sync::{Arc, OnceLock};

use dagr_app::App;
use dagr_oidc::Provider;

/// State of every handler.
#[derive(Clone)]
pub(crate) struct Portal {
    pub app: Arc<App>,
    pub settings: Arc<Settings>,
}

#[derive(Clone, Default)]
pub struct Settings {
    /// Served over TLS, here or before us: cookies are `Secure`.
    pub secure: bool,
    /// The OpenID provider people sign in at.
    pub provider: Option<Arc<Provider>>,
    /// What the link there says, by language (`lv`, `en`); our own words where there is none.
    pub provider_labels: Vec<(&'static str, String)>,
    /// Whoever asks is who they say. The program allows it on loopback only.
    pub development_sign_in: bool,
    /// Notifications go out by e-mail, too.
    pub sends_mail: bool,
    /// People of a demonstration, offered at the development sign-in; told once they are there.
    pub cast: Cast,
}

/// Set once, by whoever makes the people.
pub type Cast = Arc<OnceLock<Vec<CastMember>>>;

impl Settings {
    pub(crate) fn provider_label(&self, lang: &str) -> Option<String> {
        let label = self.provider_labels.iter().find(|(code, _)| *code == lang);
        label.map(|(_, text)| text.clone())
    }
}

/// Somebody to sign in as.
#[derive(Debug, Clone)]
pub struct CastMember {
    pub code: String,
    pub name: String,
    /// What they are, in a few words: `Rīgas dome, datu pārzinis`.
    pub what: String,
}
