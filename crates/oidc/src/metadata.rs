//! What the provider says about itself (OpenID Connect Discovery 1.0, RFC 8414).

use reqwest::Url;
use serde_json::{Map, Value};

use crate::failure::Failure;

#[derive(Debug)]
pub struct Metadata {
    pub issuer: String,
    pub authorization: Url,
    pub token: Url,
    pub keys: Url,
    pub userinfo: Option<Url>,
    pub end_session: Option<Url>,
    /// The secret goes into the form, since the provider does not take it in a header.
    pub secret_in_form: bool,
    /// Its answers name their issuer (RFC 9207): one that does not is another's.
    pub names_itself: bool,
}

/// Where an issuer publishes it.
pub fn place(issuer: &str) -> Result<Url, String> {
    let mut url = Url::parse(issuer).map_err(|_| "the issuer is no URL".to_owned())?;
    if !is_safe(&url) {
        return Err("the issuer must begin with https:// (http:// on loopback only)".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("the issuer is scheme, host, port and path, nothing else".to_owned());
    }
    let path = format!(
        "{}/.well-known/openid-configuration",
        url.path().trim_end_matches('/')
    );
    url.set_path(&path);
    Ok(url)
}

impl Metadata {
    pub fn read(document: &Map<String, Value>, issuer: &str) -> Result<Self, Failure> {
        let refused = |what: String| Failure::Refused(format!("the provider's metadata: {what}"));
        // Character by character: that is what the standard asks, and what tokens will be compared with.
        if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return Err(refused(
                "its issuer is not the one configured (compare them character by character)".to_owned(),
            ));
        }
        let tls = issuer.starts_with("https://");
        let optional = |name: &str| match document.get(name).and_then(Value::as_str) {
            None => Ok(None),
            Some(text) => Url::parse(text)
                .ok()
                .filter(|url| is_safe(url) && (url.scheme() == "https") >= tls)
                .map(Some)
                .ok_or_else(|| refused(format!("{name} is no https URL"))),
        };
        let wanted = |name: &str| optional(name)?.ok_or_else(|| refused(format!("{name} is missing")));
        let listed = |name: &str, word: &str| {
            let list = document.get(name).and_then(Value::as_array);
            list.map(|list| list.iter().any(|item| item.as_str() == Some(word)))
        };
        if listed("response_types_supported", "code") == Some(false) {
            return Err(refused("it does not do the code flow".to_owned()));
        }
        if listed("code_challenge_methods_supported", "S256") == Some(false) {
            return Err(refused("it does not do PKCE with S256".to_owned()));
        }
        let methods = "token_endpoint_auth_methods_supported";
        Ok(Self {
            issuer: issuer.to_owned(),
            authorization: wanted("authorization_endpoint")?,
            token: wanted("token_endpoint")?,
            keys: wanted("jwks_uri")?,
            userinfo: optional("userinfo_endpoint")?,
            end_session: optional("end_session_endpoint")?,
            secret_in_form: listed(methods, "client_secret_basic") == Some(false)
                && listed(methods, "client_secret_post") == Some(true),
            names_itself: document.get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true)),
        })
    }
}

/// https, or this machine.
fn is_safe(url: &Url) -> bool {
    let loopback = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback()),
        None => false,
    };
    url.host_str().is_some() && (url.scheme() == "https" || (url.scheme() == "http" && loopback))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(over: Value) -> Result<Metadata, Failure> {
        let mut document = json!({
            "issuer": "https://id.test", "authorization_endpoint": "https://id.test/auth?x=1",
            "token_endpoint": "https://id.test/token", "jwks_uri": "https://keys.test/jwks",
            "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
        });
        for (name, value) in over.as_object().unwrap() {
            document[name] = value.clone();
        }
        Metadata::read(document.as_object().unwrap(), "https://id.test")
    }

    #[test]
    fn the_issuer_is_https_or_this_machine() {
        assert_eq!(
            place("https://id.test/realms/x/").unwrap().as_str(),
            "https://id.test/realms/x/.well-known/openid-configuration"
        );
        assert!(place("http://127.0.0.1:9").is_ok() && place("http://[::1]:9").is_ok());
        for wrong in [
            "http://id.test",
            "ftp://id.test",
            "id.test",
            "",
            "https://",
            "https://a@id.test",
            "https://id.test/?a",
        ] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn metadata_of_another_or_without_what_is_needed_are_refused() {
        let good = read(json!({})).unwrap();
        assert!(!good.secret_in_form && !good.names_itself && good.end_session.is_none());
        for wrong in [
            json!({ "issuer": "https://id.test/" }),
            json!({ "issuer": "https://other.test" }),
            json!({ "token_endpoint": null }),
            json!({ "token_endpoint": "http://id.test/token" }),
            // TLS is not given up for a neighbour on this machine.
            json!({ "userinfo_endpoint": "http://127.0.0.1/u" }),
            json!({ "jwks_uri": "file:///etc/passwd" }),
            json!({ "code_challenge_methods_supported": ["plain"] }),
            json!({ "response_types_supported": ["id_token"] }),
        ] {
            assert_eq!(read(wrong.clone()).unwrap_err().word(), "refused", "{wrong}");
        }
        let methods = json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] });
        assert!(read(methods).unwrap().secret_in_form);
    }
}
