//! Answers as they come: no status is an error here.

use std::fmt::Write as _;

use dagr_server::client::Client;
use http::{HeaderMap, Method};
use serde_json::Value;

/// One answer, whole.
#[derive(Debug)]
pub struct Raw {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Raw {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The problem's code; empty when it is none.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A call with headers of its own and perhaps a body (media type, bytes).
pub async fn call(
    client: &Client,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<(&str, Vec<u8>)>,
) -> Raw {
    let mut request = client.request(method, path).await.unwrap();
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some((media_type, body)) = body {
        request = request.header("content-type", media_type).body(body);
    }
    let answer = client.send_streamed(request).await.unwrap();
    Raw {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: answer.bytes().await.unwrap().to_vec(),
    }
}

pub async fn get(client: &Client, path: &str) -> Raw {
    call(client, Method::GET, path, &[], None).await
}

pub async fn post(client: &Client, path: &str, body: &Value) -> Raw {
    let body = Some(("application/json", body.to_string().into_bytes()));
    call(client, Method::POST, path, &[], body).await
}

/// Everything outside `A–Z a–z 0–9 - . _ ~` as `%XX`: a key part in a path.
pub fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => write!(encoded, "%{byte:02X}").unwrap(),
        }
    }
    encoded
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// One JSON a line, the last one ended too.
pub fn lines(values: &[Value]) -> String {
    values
        .iter()
        .fold(String::new(), |text, value| text + &value.to_string() + "\n")
}
