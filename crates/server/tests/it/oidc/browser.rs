//! What a browser does in a sign-in: follows redirects by hand, keeps cookies, knows who is who.

use std::collections::BTreeMap;

use http::Method;
use reqwest::{Url, header, redirect};

use crate::{
    raw::{self, Raw},
    server::Server,
};

/// How the outside calls the server: only this browser knows where it is.
pub const PUBLIC_URL: &str = "https://dagr.example";
pub const REDIRECT_URI: &str = "https://dagr.example/sign-in/callback";
pub const ATTEMPT: &str = "__Host-dagr-sign-in";
pub const SESSION: &str = "__Host-dagr";

/// A server that signs people in at `issuer`; without a secret as a public client. `more` lies over its settings.
pub fn server(
    issuer: &str,
    secret: Option<&str>,
    more: &[(&str, &str)],
) -> (Server, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{}\n", secret.unwrap_or_default())).unwrap();
    let mut environment = vec![
        ("DAGR_LISTEN__PUBLIC_URL", PUBLIC_URL),
        ("DAGR_SIGN_IN__ISSUER", issuer),
        ("DAGR_SIGN_IN__CLIENT_ID", "dagr"),
        ("DAGR_SIGN_IN__SCOPES", "openid profile personal"),
        ("DAGR_SIGN_IN__PERSONAL_CODE_PREFIX", "PNOLV-"),
        ("DAGR_SIGN_IN__LABEL_LV", "Pieteikties ar eParakstu"),
        ("DAGR_LOG__LEVEL", "info"),
    ];
    if secret.is_some() {
        environment.push(("DAGR_SIGN_IN__CLIENT_SECRET_FILE", file.path().to_str().unwrap()));
    }
    environment.extend_from_slice(more);
    (Server::start_with(&environment), file)
}

pub struct Browser {
    http: reqwest::Client,
    /// Where the server really listens.
    dagr: String,
    /// By site: cookies of DAGR and of the provider do not mix.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl Browser {
    pub fn new(server: &Server) -> Self {
        dagr_server::tls::install_provider();
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .tls_certs_only([])
            .no_proxy();
        Self {
            http: http.build().unwrap(),
            dagr: server.data.clone(),
            cookies: BTreeMap::new(),
        }
    }

    /// A page of DAGR, by path.
    pub async fn get(&mut self, path: &str) -> Raw {
        self.call(Method::GET, &format!("{PUBLIC_URL}{path}"), None).await
    }

    pub async fn post(&mut self, path: &str, form: &str) -> Raw {
        let url = format!("{PUBLIC_URL}{path}");
        self.call(Method::POST, &url, Some(form.to_owned())).await
    }

    /// One call; where it leads is not followed.
    pub async fn call(&mut self, method: Method, url: &str, form: Option<String>) -> Raw {
        let parsed = Url::parse(url).unwrap();
        let site = parsed.origin().ascii_serialization();
        let kept = self.cookies.entry(site).or_default();
        let cookie = kept.iter().map(|(name, value)| format!("{name}={value}"));
        let cookie = cookie.collect::<Vec<_>>().join("; ");
        let target = url.replacen(PUBLIC_URL, &self.dagr, 1);
        let mut request = self.http.request(method, target);
        if !cookie.is_empty() {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(form) = form {
            let kind = "application/x-www-form-urlencoded";
            request = request.header(header::CONTENT_TYPE, kind).body(form);
        }
        let answer = request.send().await.unwrap();
        let answer = Raw {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: answer.bytes().await.unwrap().to_vec(),
        };
        for value in answer.headers.get_all("set-cookie") {
            keep(kept, value.to_str().unwrap());
        }
        answer
    }

    /// Of DAGR.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.get(PUBLIC_URL)?.get(name).cloned()
    }

    pub fn set_cookie(&mut self, name: &str, value: Option<String>) {
        let kept = self.cookies.entry(PUBLIC_URL.to_owned()).or_default();
        match value {
            Some(value) => kept.insert(name.to_owned(), value),
            None => kept.remove(name),
        };
    }

    /// Leaves for the provider: the address it is sent to.
    pub async fn start(&mut self, lang: &str, to: &str) -> Url {
        let path = format!("/{lang}/sign-in/start?to={}", raw::percent(to));
        let answer = self.get(&path).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        Url::parse(answer.header("location")).unwrap()
    }

    /// Comes back by an address of `REDIRECT_URI`.
    pub async fn come_back(&mut self, callback: &str) -> Raw {
        assert!(callback.starts_with(REDIRECT_URI), "{callback}");
        self.call(Method::GET, callback, None).await
    }

    /// Is it signed in? Asks for a page that wants that.
    pub async fn is_signed_in(&mut self) -> bool {
        self.get("/lv/act-for").await.status == 200
    }
}

/// As a browser does: gone with `Max-Age=0` or an old `Expires`.
fn keep(kept: &mut BTreeMap<String, String>, text: &str) {
    let (pair, words) = text.split_once(';').unwrap_or((text, ""));
    let (name, value) = pair.split_once('=').unwrap();
    let words = words.to_ascii_lowercase();
    if words.contains("max-age=0") || words.contains("01 jan 1970") {
        kept.remove(name);
    } else {
        kept.insert(name.to_owned(), value.to_owned());
    }
}

/// A word of an address's query.
pub fn word(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(found, _)| found == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {url}"))
        .1
        .into_owned()
}

/// The address with a word of its query changed.
pub fn with(url: &Url, name: &str, value: &str) -> Url {
    let mut out = url.clone();
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(found, _)| found != name)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    out.query_pairs_mut()
        .clear()
        .extend_pairs(pairs)
        .append_pair(name, value);
    out
}
