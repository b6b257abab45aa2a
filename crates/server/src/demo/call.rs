//! One call of the story: made here, and shown as the `curl` line that makes it again.

use std::path::PathBuf;

use http::Method;
use serde_json::Value;

use super::cast::Recipient;
use crate::{
    client::{CallError, Client},
    commands::Failure,
};

/// Who calls.
#[derive(Debug, Clone)]
pub enum Who {
    Nobody,
    Recipient(Recipient),
    /// Shell variable of the provider's token.
    Provider(&'static str),
    /// The operator; the file that holds the token.
    Operator(PathBuf),
}

#[derive(Debug, Clone)]
pub enum Body {
    None,
    Json(Value),
    /// Package lines, and the file they are in.
    Lines(String, PathBuf),
}

#[derive(Debug, Clone)]
pub struct Call {
    pub who: Who,
    pub permission: Option<String>,
    pub method: Method,
    pub path: String,
    pub body: Body,
}

impl Call {
    pub fn get(who: Who, path: String) -> Self {
        Self {
            who,
            permission: None,
            method: Method::GET,
            path,
            body: Body::None,
        }
    }

    pub fn post(who: Who, path: &str, body: Value) -> Self {
        Self {
            method: Method::POST,
            body: Body::Json(body),
            ..Self::get(who, path.to_owned())
        }
    }

    pub fn under(mut self, permission: &str) -> Self {
        self.permission = Some(permission.to_owned());
        self
    }

    /// The line for a shell in which `U` is the server and the callers' variables hold their tokens.
    pub fn curl(&self) -> String {
        let mut line = "curl -sS -w '\\n'".to_owned();
        let token = match &self.who {
            Who::Nobody => None,
            Who::Recipient(recipient) => Some(format!("${}", recipient.variable)),
            Who::Provider(variable) => Some(format!("${variable}")),
            Who::Operator(file) => Some(format!("$(cat {})", quoted(&file.display().to_string()))),
        };
        if let Some(token) = token {
            line += &format!(" -H \"Authorization: Bearer {token}\"");
        }
        if let Some(permission) = &self.permission {
            line += &format!(" -H 'X-DAGR-Permission: {permission}'");
        }
        match &self.body {
            Body::None => {}
            Body::Json(body) => {
                line += &format!(
                    " -H 'Content-Type: application/json' -d {}",
                    quoted(&body.to_string())
                );
            }
            Body::Lines(_, file) => {
                let file = quoted(&format!("@{}", file.display()));
                line += &format!(" -X PUT -H 'Content-Type: application/x-ndjson' --data-binary {file}");
            }
        }
        line + &format!(" \"$U{}\"", self.path)
    }

    /// Makes the call; a refusal is an answer too.
    pub async fn send(&self, client: &Client) -> Result<(u16, Value), Failure> {
        let client = match &self.permission {
            Some(number) => client.with_permission(number),
            None => client.clone(),
        };
        let request = client.request(self.method.clone(), &self.path).await?;
        let request = match &self.body {
            Body::None => request,
            Body::Json(body) => request.json(body),
            Body::Lines(lines, _) => request
                .header(http::header::CONTENT_TYPE, "application/x-ndjson")
                .body(lines.clone()),
        };
        match client.send(request).await {
            Ok(answer) => Ok((answer.status, answer.json()?)),
            Err(CallError::Refused(refusal)) => {
                let shown = serde_json::json!({ "code": refusal.code, "detail": refusal.detail });
                Ok((refusal.status, shown))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Call {
    /// `PUT` of a small package that lies in a file.
    pub fn package(variable: &'static str, path: String, lines: String, file: PathBuf) -> Self {
        Self {
            method: Method::PUT,
            body: Body::Lines(lines, file),
            ..Self::get(Who::Provider(variable), path)
        }
    }
}

/// A word of a shell, taken as it is.
pub fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@=".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
