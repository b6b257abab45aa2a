//! A person signs in at a real provider; what a person, another site or a broken network may do wrong.

use http::Method;
use reqwest::Url;

use super::{
    browser::{ATTEMPT, Browser, PUBLIC_URL, REDIRECT_URI, SESSION, server, with, word},
    holds_none,
    real_provider::{RealProvider, SECRET},
};
use crate::{raw::Raw, server::Server};

/// From the provider's front door to the address it sends the browser back to.
async fn at_the_provider(browser: &mut Browser, url: &Url, who: &str) -> String {
    let mut next = with(url, "login_hint", who).to_string();
    for _ in 0..8 {
        if next.starts_with(REDIRECT_URI) {
            return next;
        }
        let answer = browser.call(Method::GET, &next, None).await;
        assert!((302..=303).contains(&answer.status), "{next}: {}", answer.text());
        next = Url::parse(&next)
            .unwrap()
            .join(answer.header("location"))
            .unwrap()
            .into();
    }
    panic!("the provider does not come to an end: {next}");
}

async fn sign_in(browser: &mut Browser, lang: &str, to: &str, who: &str) -> Raw {
    let url = browser.start(lang, to).await;
    let callback = at_the_provider(browser, &url, who).await;
    browser.come_back(&callback).await
}

/// Nobody is signed in, the page says so in this language, and the sign-in cannot go on.
async fn refused(browser: &mut Browser, what: &str, answer: &Raw, status: u16, text: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    assert!(answer.text().contains(text), "{what}: {}", answer.text());
    assert!(!browser.is_signed_in().await, "{what}");
    assert_eq!(browser.cookie(ATTEMPT), None, "{what}");
    assert_eq!(browser.cookie(SESSION), None, "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_at_a_real_provider() {
    let Some(mut provider) = RealProvider::start() else {
        return;
    };
    let (server, _file) = server(&provider.issuer, Some(SECRET), &[]);
    people_sign_in_and_out(&server).await;
    people_who_cannot(&server).await;
    addresses_that_were_changed(&server).await;
    what_comes_twice(&server).await;
    clients_the_provider_knows_otherwise(&provider.issuer).await;
    provider.kill();
    a_provider_that_is_gone(&server, &provider.issuer).await;

    let log = server.logged();
    holds_none(
        &log,
        &[SECRET, "320000", "38001085718", "Ozola", "Tamm", "code=", "eyJ"],
    );
}

async fn people_sign_in_and_out(server: &Server) {
    for (lang, label, name) in [
        ("lv", "Pieteikties ar eParakstu", "Iziet"),
        ("en", "Sign in with electronic identity", "Sign out"),
    ] {
        let mut browser = Browser::new(server);
        // Whoever wants a page is sent to sign in, and comes to that page.
        let wanted = browser.get(&format!("/{lang}/act-for?to=%2Fmy-data")).await;
        assert_eq!(wanted.status, 303);
        let page = browser.get(wanted.header("location")).await;
        assert!(page.text().contains(label), "{}", page.text());
        let link = format!("/{lang}/sign-in/start?to=%2Fact-for%3Fto%3D%252Fmy-data");
        assert!(page.text().contains(&link), "{}", page.text());

        let url = browser.start(lang, "/act-for?to=%2Fmy-data").await;
        assert_eq!(word(&url, "ui_locales"), lang);
        assert_eq!(word(&url, "code_challenge_method"), "S256");
        let callback = at_the_provider(&mut browser, &url, "anna").await;
        let answer = browser.come_back(&callback).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        assert_eq!(
            answer.header("location"),
            format!("/{lang}/act-for?to=%2Fmy-data")
        );
        let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
        assert!(cookies.iter().all(|cookie| {
            let cookie = cookie.to_str().unwrap();
            ["__Host-", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Path=/"]
                .iter()
                .all(|word| cookie.contains(word))
        }));
        assert_eq!(browser.cookie(ATTEMPT), None);

        let page = browser.get(&format!("/{lang}/act-for")).await;
        assert!(page.text().contains("Anna Ozola"), "{}", page.text());
        sign_out(&mut browser, lang, &page.text(), name).await;
    }
}

async fn sign_out(browser: &mut Browser, lang: &str, page: &str, name: &str) {
    assert!(page.contains(name));
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
    let csrf = rest.split('"').next().unwrap();
    let answer = browser
        .post(&format!("/{lang}/sign-out"), &format!("csrf={csrf}"))
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, format!("/{lang}/signed-out").as_str())
    );
    assert!(!browser.is_signed_in().await);
    let page = browser.get(&format!("/{lang}/signed-out")).await.text();
    // The provider has a place to sign out, knows us and takes the way back.
    let (_, rest) = page.split_once("href=\"http://127.0.0.1:").unwrap();
    let url = format!("http://127.0.0.1:{}", rest.split('"').next().unwrap());
    let url = url.replace("&#38;", "&").replace("&amp;", "&");
    assert_eq!(
        word(&Url::parse(&url).unwrap(), "post_logout_redirect_uri"),
        format!("{PUBLIC_URL}/")
    );
    let answer = browser.call(Method::GET, &url, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn people_who_cannot(server: &Server) {
    for (lang, who, text) in [
        ("lv", "nameless", "nenosauca jūsu Latvijas personas kodu"),
        ("en", "foreign", "did not tell your Latvian personal code"),
        ("lv", "nobody", "Pieteikšanās netika pabeigta"),
        ("en", "nobody", "The sign-in was not completed"),
    ] {
        let mut browser = Browser::new(server);
        let answer = sign_in(&mut browser, lang, "/my-data", who).await;
        refused(&mut browser, who, &answer, 403, text).await;
        let again = format!("/{lang}/sign-in?to=%2Fmy-data");
        assert!(answer.text().contains(&again), "{}", answer.text());
        assert!(!answer.text().contains("code="), "the address stands in no page");
    }
}

/// A person, or what sits in the browser, changes what goes to the provider and what comes back.
async fn addresses_that_were_changed(server: &Server) {
    let lost = "Šo pieteikšanos vairs nevar pabeigt";
    // To the provider: another nonce, a code for another client, another challenge.
    for (name, value, status, text) in [
        ("nonce", "another", 502, "atbildei nevar uzticēties"),
        ("client_id", "other", 400, lost),
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            400,
            lost,
        ),
    ] {
        let mut browser = Browser::new(server);
        let url = with(&browser.start("lv", "/").await, name, value);
        let callback = at_the_provider(&mut browser, &url, "anna").await;
        let answer = browser.come_back(&callback).await;
        refused(&mut browser, name, &answer, status, text).await;
    }
    // From the provider: the state of another, none, another issuer, a word twice.
    for (name, value, status, text) in [
        ("state", Some("another"), 400, lost),
        ("state", None, 400, lost),
        ("code", None, 502, "atbildei nevar uzticēties"),
        ("iss", Some("https://evil.test"), 502, "atbildei nevar uzticēties"),
        ("iss", None, 502, "atbildei nevar uzticēties"),
    ] {
        let mut browser = Browser::new(server);
        let url = browser.start("lv", "/").await;
        let callback = at_the_provider(&mut browser, &url, "anna").await;
        let changed = with(&Url::parse(&callback).unwrap(), name, value.unwrap_or_default());
        let changed = match value {
            Some(_) => changed.to_string(),
            None => changed.to_string().replace(&format!("&{name}="), ""),
        };
        let answer = browser.come_back(&changed).await;
        refused(&mut browser, &format!("{name} {value:?}"), &answer, status, text).await;
    }
}

async fn what_comes_twice(server: &Server) {
    let mut browser = Browser::new(server);
    let url = browser.start("en", "/").await;
    let sealed = browser.cookie(ATTEMPT);
    let callback = at_the_provider(&mut browser, &url, "anna").await;

    // Somebody else who saw the address has no cookie, and spoils nothing. The language is what the browser says.
    let mut thief = Browser::new(server);
    let answer = thief.come_back(&callback).await;
    refused(&mut thief, "without the cookie", &answer, 400, "Šo pieteikšanos").await;
    let answer = browser.come_back(&callback).await;
    assert_eq!(answer.status, 303, "{}", answer.text());

    // The whole again: address and cookie.
    let mut again = Browser::new(server);
    again.set_cookie(ATTEMPT, sealed);
    let answer = again.come_back(&callback).await;
    refused(
        &mut again,
        "replayed",
        &answer,
        400,
        "This sign-in can no longer be completed",
    )
    .await;

    // The used code in a sign-in of one's own.
    let own = again.start("en", "/").await;
    let code = word(&Url::parse(&callback).unwrap(), "code");
    let swapped = at_the_provider(&mut again, &own, "anna").await;
    let swapped = with(&Url::parse(&swapped).unwrap(), "code", &code);
    let answer = again.come_back(swapped.as_str()).await;
    refused(
        &mut again,
        "another's code",
        &answer,
        400,
        "can no longer be completed",
    )
    .await;

    // An altered cookie opens nothing.
    let url = again.start("en", "/").await;
    let altered = again.cookie(ATTEMPT).map(|sealed| format!("A{}", &sealed[1..]));
    let callback = at_the_provider(&mut again, &url, "anna").await;
    again.set_cookie(ATTEMPT, altered);
    let answer = again.come_back(&callback).await;
    assert_eq!(answer.status, 400);
    assert!(!again.is_signed_in().await);
}

/// A client without a secret is held by PKCE alone; one with a wrong secret gets nobody in.
async fn clients_the_provider_knows_otherwise(issuer: &str) {
    let (public, _file) = super::browser::server(issuer, None, &[("DAGR_SIGN_IN__CLIENT_ID", "public")]);
    let mut browser = Browser::new(&public);
    let answer = sign_in(&mut browser, "lv", "/", "anna").await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(browser.is_signed_in().await);

    let (wrong, _file) = super::browser::server(issuer, Some("another"), &[]);
    let mut browser = Browser::new(&wrong);
    let answer = sign_in(&mut browser, "en", "/", "anna").await;
    refused(&mut browser, "a wrong secret", &answer, 502, "cannot be trusted").await;
    assert!(
        wrong.logged().contains("401 invalid_client"),
        "the log says why: {}",
        wrong.logged()
    );
}

async fn a_provider_that_is_gone(server: &Server, issuer: &str) {
    // Known from before: the person is sent there, and finds nobody; so does the code.
    let mut browser = Browser::new(server);
    let url = browser.start("lv", "/my-data").await;
    let callback = format!(
        "{REDIRECT_URI}?code=x&state={}&iss={}",
        word(&url, "state"),
        crate::raw::percent(issuer)
    );
    let answer = browser.come_back(&callback).await;
    refused(&mut browser, "gone", &answer, 503, "pakalpojums pašlaik neatbild").await;

    // Never known: the server starts all the same, and says so on the page.
    let (fresh, _file) = super::browser::server(issuer, Some(SECRET), &[]);
    let mut browser = Browser::new(&fresh);
    let answer = browser.get("/en/sign-in/start?to=%2Fmy-data").await;
    refused(&mut browser, "never there", &answer, 503, "does not answer now").await;
    assert!(answer.text().contains("/en/sign-in?to=%2Fmy-data"));
    assert_eq!(browser.get("/en/").await.status, 200);
}
