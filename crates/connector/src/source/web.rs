//! Calls to somebody else's server, and answers that go to disk before they are read.

use std::{
    fs::File,
    io::{Seek, Write},
    path::Path,
    time::Duration,
};

use reqwest::{Client, ClientBuilder, Response, redirect::Policy};

use super::fault;
use crate::error::{Error, Result};

/// An address as it may be told: a query may hold a secret.
pub fn shown(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

const CONNECT: Duration = Duration::from_secs(10);
const REDIRECTS: usize = 10;

/// A client; `ca` = authorities to trust besides the machine's own.
pub fn client(ca: Option<&Path>, more: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Client> {
    let mut builder = more(Client::builder().connect_timeout(CONNECT).referer(false));
    if let Some(path) = ca {
        let pem = std::fs::read(path).map_err(|error| Error::away(path, &error))?;
        let authorities = reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| {
            Error::Source(format!(
                "{} (source.ca) is no PEM file of certificates",
                path.display()
            ))
        })?;
        builder = builder.tls_certs_merge(authorities);
    }
    builder.build().map_err(|error| fault(told(error)))
}

/// A call's body goes to no other server than the feed names.
pub fn same_origin() -> Policy {
    Policy::custom(|attempt| {
        let same = attempt
            .previous()
            .first()
            .is_some_and(|first| first.origin() == attempt.url().origin());
        if !same {
            attempt.error("it leads to another server: write the address it leads to as source.url")
        } else if attempt.previous().len() > REDIRECTS {
            attempt.error("it leads on and on")
        } else {
            attempt.follow()
        }
    })
}

/// The answer's bytes on disk. An answer that breaks off is an error.
pub async fn spooled(
    mut answer: Response,
    dir: &Path,
    shown: &str,
    most_bytes: u64,
    word: &str,
) -> Result<File> {
    let disk = |error: std::io::Error| Error::Source(format!("{shown}: no room for the answer: {error}"));
    let mut file = tempfile::tempfile_in(dir).map_err(disk)?;
    let mut taken = 0;
    while let Some(piece) = answer.chunk().await.map_err(|error| fault(told(error)))? {
        taken += piece.len() as u64;
        if taken > most_bytes {
            return Err(fault(format!(
                "{shown} answers more than {} MiB ({word}); it is not taken",
                most_bytes >> 20
            )));
        }
        file.write_all(&piece).map_err(disk)?;
    }
    file.rewind().map_err(disk)?;
    Ok(file)
}

/// What went wrong on the way, with its cause. An address that the answer led to may hold a token: it is not told.
pub fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// A header's text.
pub fn header(answer: &Response, name: reqwest::header::HeaderName) -> Option<String> {
    let value = answer.headers().get(name)?;
    value.to_str().ok().map(str::to_owned)
}

/// Media type in lower case, and the charset it names.
pub fn media(content_type: &str) -> (String, Option<String>) {
    let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let charset = parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, label)| label.trim().trim_matches('"').trim().to_owned())
        .filter(|label| !label.is_empty());
    (essence.trim().to_ascii_lowercase(), charset)
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn addresses_are_told_without_what_may_be_a_secret() {
        assert_eq!(
            shown("https://register.example.lv/cars.json?token=8814#part"),
            "https://register.example.lv/cars.json"
        );
        assert_eq!(shown("http://127.0.0.1:80/a"), "http://127.0.0.1:80/a");
    }
}
