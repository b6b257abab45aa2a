//! `[mail]`: the mail server notifications go out by.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret::read_line;

/// Notifications by e-mail. Without `host` none are sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// The mail server (SMTP submission).
    pub host: Option<String>,
    pub port: u16,
    pub tls: MailTls,
    /// Who signs in there; none: nobody does.
    pub user: Option<String>,
    /// File with the user's password, one line.
    pub password_file: Option<PathBuf>,
    /// Whom messages come from: `DAGR <dagr@example.lv>`.
    pub from: Option<String>,
    /// How long one answer of the mail server may take.
    pub timeout_ms: u64,
}

/// How the way to the mail server is kept from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// Plain at first, and never further without TLS (RFC 3207).
    Starttls,
    /// From the first byte (RFC 8314), on port 465.
    Tls,
    /// Not at all: on loopback only.
    None,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            host: None,
            port: 587,
            tls: MailTls::Starttls,
            user: None,
            password_file: None,
            from: None,
            timeout_ms: 10_000,
        }
    }
}

impl Mail {
    pub(super) fn check(&self, faults: &mut Vec<String>) {
        let Some(host) = &self.host else {
            if self.from.is_some() || self.user.is_some() || self.password_file.is_some() {
                faults.push("mail.host: missing; without it no mail is sent".to_owned());
            }
            return;
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
        if host.is_empty() || !host.bytes().all(plain) {
            faults.push("mail.host: the name or address of the mail server is wanted".to_owned());
        }
        if self.port == 0 {
            faults.push("mail.port: from 1 to 65535".to_owned());
        }
        if self.tls == MailTls::None && !is_loopback(host) {
            faults
                .push("mail.tls: none is for a mail server on loopback only; use starttls or tls".to_owned());
        }
        if self.user.is_some() != self.password_file.is_some() {
            faults.push("mail.user: goes with mail.password_file, and that with it".to_owned());
        }
        match self.from.as_deref().map(str::parse::<lettre::message::Mailbox>) {
            None => faults.push("mail.from: missing; messages need a sender".to_owned()),
            Some(Err(_)) => {
                faults.push("mail.from: an address is wanted: `DAGR <dagr@example.lv>`".to_owned());
            }
            Some(Ok(_)) => {}
        }
        if !(100..=60_000).contains(&self.timeout_ms) {
            faults.push("mail.timeout_ms: from 100 to 60000".to_owned());
        }
    }

    /// Read when the server starts: a file that is not there is told then.
    pub fn password(&self) -> Result<Option<String>, String> {
        let read = |path: &PathBuf| read_line("password_file", path);
        self.password_file.as_ref().map(read).transpose()
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn faults(mail: &str) -> Vec<String> {
        let loaded = Config::load(Some(&format!("[mail]\n{mail}")), std::iter::empty());
        loaded.err().unwrap_or_default()
    }

    #[test]
    fn what_does_not_fit_together_is_named_at_once() {
        assert_eq!(faults(""), Vec::<String>::new());
        let good = "host = \"mail.test\"\nfrom = \"DAGR <dagr@mail.test>\"\n";
        assert_eq!(faults(good), Vec::<String>::new());
        assert_eq!(faults("from = \"dagr@mail.test\"").len(), 1);
        assert_eq!(
            faults("host = \"127.0.0.1\"\nfrom = \"a@b.lv\"\ntls = \"none\""),
            Vec::<String>::new()
        );
        let wrong = "host = \"mail.test\"\ntls = \"none\"\nuser = \"x\"\ntimeout_ms = 1\nport = 0";
        assert_eq!(faults(wrong).len(), 5, "{:?}", faults(wrong));
        assert_eq!(faults(&format!("{good}tls = \"ssl\"")).len(), 1);
        // The password itself is no setting.
        assert_eq!(faults(&format!("{good}password = \"x\"")).len(), 1);
    }
}
