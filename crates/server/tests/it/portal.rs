//! The pages, through the real binary: forms as a browser without JavaScript sends them.

mod attachment;
mod classifier;
mod life;
mod matrix;
mod my_datasets;
mod operator;
mod own;
mod register;
mod template;

use std::collections::BTreeMap;

use http::Method;
use serde_json::json;

use crate::{raw::Raw, server::Server};

/// A server that takes everybody at their word.
pub fn server() -> Server {
    Server::start_with(&[("DAGR_PORTAL__DEVELOPMENT_SIGN_IN", "true")])
}

/// One member of a form with a file.
pub struct Part<'a> {
    pub member: &'a str,
    /// The file's name as it stands in the form, and the browser's word for what it is.
    pub file: Option<(&'a str, &'a str)>,
    pub content: &'a [u8],
}

const BOUNDARY: &str = "----WebKitFormBoundaryq1W2e3R4";

/// A browser with its cookie.
pub struct Browser {
    client: reqwest::Client,
    base: String,
    cookie: String,
}

impl Browser {
    pub fn new(server: &Server) -> Self {
        // Installs the crypto that every client needs.
        drop(server.anonymous());
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self {
            client: client.build().unwrap(),
            base: server.data.clone(),
            cookie: String::new(),
        }
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, Vec<u8>)>,
    ) -> Raw {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        request = request.header("cookie", &self.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some((media_type, body)) = body {
            request = request.header("content-type", media_type).body(body);
        }
        let answer = request.send().await.unwrap();
        Raw {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: answer.bytes().await.unwrap().to_vec(),
        }
    }

    /// Signed in by the page.
    pub async fn signed_in(server: &Server, code: &str) -> Self {
        let mut browser = Self::new(server);
        let answer = browser
            .send(
                "/lv/sign-in",
                &[("code", code), ("name", "Anna Ozola"), ("to", "/work")],
            )
            .await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, "/lv/work"),
            "{}",
            answer.text()
        );
        let cookie = answer.header("set-cookie");
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        cookie.split(';').next().unwrap().clone_into(&mut browser.cookie);
        browser
    }

    pub async fn get(&self, path: &str) -> Raw {
        self.call(Method::GET, path, &[], None).await
    }

    /// The page, which must be there.
    pub async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        checked(path, &answer)
    }

    /// A form's body as it is.
    pub async fn send(&self, path: &str, pairs: &[(&str, &str)]) -> Raw {
        self.send_with(path, pairs, &[]).await
    }

    pub async fn send_with(&self, path: &str, pairs: &[(&str, &str)], headers: &[(&str, &str)]) -> Raw {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        let body = ("application/x-www-form-urlencoded", body.into_bytes());
        self.call(Method::POST, path, headers, Some(body)).await
    }

    /// A form with a file, member by member as a browser writes them.
    pub async fn send_parts(&self, path: &str, parts: &[Part<'_>], headers: &[(&str, &str)]) -> Raw {
        let mut body = Vec::new();
        for part in parts {
            body.extend(
                format!(
                    "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{}\"",
                    part.member
                )
                .as_bytes(),
            );
            if let Some((name, media_type)) = part.file {
                body.extend(format!("; filename=\"{name}\"\r\ncontent-type: {media_type}").as_bytes());
            }
            body.extend(b"\r\n\r\n");
            body.extend(part.content);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
        let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
        self.call(Method::POST, path, headers, Some((&media_type, body)))
            .await
    }

    /// Sends a form of a page with the hidden members it holds, and `pairs` beside them.
    pub async fn submit(&self, page: &str, action: &str, pairs: &[(&str, &str)]) -> Raw {
        let html = self.page(page).await;
        let hidden = hidden(&html, action);
        let mut all: Vec<(&str, &str)> = hidden.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        all.extend(pairs);
        self.send(action, &all).await
    }

    /// The same, and it must lead on; answers where to.
    pub async fn submitted(&self, page: &str, action: &str, pairs: &[(&str, &str)]) -> String {
        let answer = self.submit(page, action, pairs).await;
        assert_eq!(answer.status, 303, "{action}: {}", answer.text());
        answer.header("location").to_owned()
    }
}

/// Hidden members of the form that goes to `action`.
pub fn hidden(html: &str, action: &str) -> BTreeMap<String, String> {
    let start = html
        .find(&format!("action=\"{action}\""))
        .unwrap_or_else(|| panic!("no form to {action} in {html}"));
    let form = &html[start..start + html[start..].find("</form>").unwrap()];
    let attribute = |tag: &str, name: &str| {
        let rest = tag.split_once(&format!("{name}=\"")).map(|(_, rest)| rest);
        rest.and_then(|rest| rest.split_once('"'))
            .map(|(value, _)| value.to_owned())
    };
    form.split("<input ")
        .skip(1)
        .filter(|tag| tag.starts_with("type=\"hidden\""))
        .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?)))
        .collect()
}

/// What holds of every page.
pub fn checked(path: &str, answer: &Raw) -> String {
    let html = answer.text();
    let policy = answer.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{path}: {policy}"
    );
    assert!(
        !html.contains("<style") && !html.contains(" style=") && !html.contains("<script>"),
        "{path}"
    );
    assert!(html.len() < 100_000, "{path}: {} bytes", html.len());
    let lang = &path[1..3];
    assert!(html.contains(&format!("<html lang=\"{lang}\">")), "{path}");
    // A text that is not there shows its name.
    for mark in [
        ">nav-",
        ">draft-",
        ">field-",
        ">stage-",
        ">application-",
        ">proposal-",
        ">connection-",
        ">certificate-",
        ">health-",
        ">audit-",
        ">system-",
        ">criticality-",
        ">law-",
        ">classifier-",
    ] {
        assert!(!html.contains(mark), "{path} shows the name of a text: {mark}");
    }
    html
}

/// A person with roles in an institution, by the operator.
pub async fn person(server: &Server, code: &str, name: &str, institution: &str, roles: &[&str]) {
    let operator = server.operator();
    let body = json!({ "code": code, "name": name });
    let made = operator.post("/registry/people", &body).await.unwrap();
    let id = &made["id"];
    for role in roles {
        let body = json!({ "institution": institution, "role": role });
        let path = format!(
            "/registry/people/{}/roles",
            id.as_str().map_or_else(|| id.to_string(), str::to_owned)
        );
        operator.post(&path, &body).await.unwrap();
    }
}

#[tokio::test]
async fn public_pages_are_whole_in_both_languages() {
    let server = server();
    let provider = server.producer().await;
    server.publish(&provider, "pt_open", OPEN).await;
    let browser = Browser::new(&server);
    for lang in ["lv", "en"] {
        for path in ["/", "/?q=kaķi", "/?q=zzz", "/datasets/pt_open", "/sign-in"] {
            browser.page(&format!("/{lang}{path}")).await;
        }
        let missing = browser.get(&format!("/{lang}/nowhere")).await;
        assert_eq!(missing.status, 404);
        checked(&format!("/{lang}/nowhere"), &missing);
        let unknown = browser.get(&format!("/{lang}/datasets/nothing")).await;
        assert_eq!(unknown.status, 404);
    }
    let found = browser.page("/lv/?q=kaķis").await;
    assert!(
        found.contains("Mājdzīvnieki un kaķi") && found.contains("Atrasta 1 datu kopa"),
        "{found}"
    );
    assert!(
        browser
            .page("/lv/?q=zivis")
            .await
            .contains("garumzīmes un galotnes nav svarīgas")
    );
    assert_eq!(browser.get("/").await.header("location"), "/lv/");
    let page = browser.page("/lv/datasets/pt_open").await;
    assert!(
        page.contains("izdomāja sistēma") && page.contains("Vārds"),
        "{page}"
    );
    // Assets stand under the hash of what they hold.
    let style = page
        .split("href=\"/assets/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let style = browser.get(&format!("/assets/{style}")).await;
    assert_eq!(style.status, 200);
    assert!(style.header("cache-control").contains("immutable"));
    assert_eq!(browser.get("/assets/portal-0.css").await.status, 404);
}

const OPEN: &str = "name: pt_open
key: Code
data_description: Mājdzīvnieki un kaķi
classification: open
fields:
  - Code : kods
  - Name : Vārds
";

#[tokio::test]
async fn nobody_is_let_in_by_a_word_where_it_is_not_meant() {
    let plain = Server::start();
    let browser = Browser::new(&plain);
    let pairs = [("code", "32000000001"), ("name", "X"), ("to", "/")];
    assert_eq!(browser.send("/lv/sign-in", &pairs).await.status, 404);
    let page = browser.page("/lv/sign-in").await;
    assert!(
        !page.contains("name=\"code\""),
        "no such form where it is not set"
    );

    let server = server();
    let browser = Browser::new(&server);
    let proxied = [("x-forwarded-for", "1.2.3.4")];
    assert_eq!(
        browser.send_with("/lv/sign-in", &pairs, &proxied).await.status,
        404
    );
    let foreign = [("sec-fetch-site", "cross-site")];
    assert_eq!(
        browser.send_with("/lv/sign-in", &pairs, &foreign).await.status,
        403
    );
    let wrong = browser
        .send("/lv/sign-in", &[("code", "12"), ("name", "Ā")])
        .await;
    assert!(
        wrong.text().contains("11 cipari") && wrong.text().contains("value=\"12\""),
        "{}",
        wrong.text()
    );
    let away = browser
        .send("/lv/sign-in", &[("code", "32000000001"), ("to", "//evil.test")])
        .await;
    assert_eq!(away.header("location"), "/lv/");
}

#[tokio::test]
async fn a_form_needs_its_session_and_signing_out_ends_it() {
    let server = server();
    let browser = Browser::signed_in(&server, "32000000001").await;
    let other = Browser::signed_in(&server, "32000000002").await;
    let token = hidden(&other.page("/lv/").await, "/lv/sign-out")["csrf"].clone();
    for csrf in ["", "x", &token] {
        let answer = browser.send("/lv/sign-out", &[("csrf", csrf)]).await;
        assert_eq!(answer.status, 403, "{csrf}");
        assert!(answer.text().contains("Atveriet lapu vēlreiz"));
    }
    let foreign = browser
        .send_with(
            "/lv/sign-out",
            &[("csrf", &token)],
            &[("origin", "http://evil.test")],
        )
        .await;
    assert_eq!(foreign.status, 403);
    assert!(browser.page("/lv/").await.contains("Anna Ozola"));
    assert_eq!(browser.submitted("/lv/", "/lv/sign-out", &[]).await, "/lv/");
    let answer = browser.get("/lv/work?x=1").await;
    assert_eq!(answer.status, 303, "the cookie opens nothing any more");
    assert_eq!(answer.header("location"), "/lv/sign-in?to=%2Fwork%3Fx%3D1");
}
