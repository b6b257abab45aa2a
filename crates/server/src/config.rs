//! Configuration: one TOML file and the environment, every key known, every fault at once.

mod environment;
mod mail;
mod registry;
mod secret;
mod sign_in;

use std::{net::SocketAddr, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use mail::{Mail, MailTls};
pub use registry::{Registry, Secret};
pub use sign_in::SignIn;

/// Everything that can be set. Units stand in the names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub listen: Listen,
    pub registry: Registry,
    pub store: Store,
    pub disclosures: Disclosures,
    pub intake: Intake,
    pub limits: Limits,
    pub portal: Portal,
    pub sign_in: SignIn,
    pub people: People,
    pub mail: Mail,
    pub log: Log,
}

/// Where the server listens, and how the outside finds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// Recipients, providers and the registry.
    pub data: SocketAddr,
    /// Health and metrics; for operators only.
    pub operations: SocketAddr,
    /// How the outside reaches `data`: issuer of tokens, audience of assertions. Default `http://` + `data`.
    pub public_url: Option<String>,
    /// PEM file with the certificate chain; with `tls_key` turns TLS on.
    pub tls_certificate: Option<PathBuf>,
    /// PEM file with the private key.
    pub tls_key: Option<PathBuf>,
    /// Plain HTTP on an address that is not loopback: only behind a proxy that does TLS.
    pub allow_plain_http: bool,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            data: SocketAddr::from(([127, 0, 0, 1], 8480)),
            operations: SocketAddr::from(([127, 0, 0, 1], 8481)),
            public_url: None,
            tls_certificate: None,
            tls_key: None,
            allow_plain_http: false,
        }
    }
}

/// The embedded store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Most address space one data set may map.
    pub map_max_bytes: u64,
    /// Data sets open at once; idle ones are closed.
    pub open_sets: usize,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            map_max_bytes: 1 << 40,
            open_sets: 1_024,
        }
    }
}

/// The disclosure log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Disclosures {
    pub segment_bytes: u64,
    /// Whole segments older than this are removed.
    pub retention_days: u32,
}

impl Default for Disclosures {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            retention_days: 5 * 365 + 2,
        }
    }
}

/// Deliveries of providers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Intake {
    /// Largest package, decoded.
    pub package_max_bytes: u64,
    /// Free space that packages must leave on the disk.
    pub disk_reserve_bytes: u64,
    /// A package of which nothing comes for so long is given up, and its id is free again.
    pub idle_s: u64,
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            package_max_bytes: 64 << 30,
            disk_reserve_bytes: 1 << 30,
            idle_s: 60,
        }
    }
}

/// What is bounded at the door.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests worked on at once; more wait their turn.
    pub concurrent_requests: usize,
    /// How long a shutdown waits for calls that are under way.
    pub drain_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrent_requests: 4_096,
            drain_s: 30,
        }
    }
}

/// The pages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Portal {
    /// Whoever asks is who they say they are. For trying things out: on loopback only.
    pub development_sign_in: bool,
}

/// Sessions of people, and the deadlines they work to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct People {
    /// A session ends when it was not used for this long.
    pub session_idle_s: u32,
    /// A session ends this long after sign-in, used or not.
    pub session_absolute_s: u32,
    /// Working days a provider has to decide an application.
    pub decision_days: u32,
}

impl Default for People {
    fn default() -> Self {
        Self {
            session_idle_s: 30 * 60,
            session_absolute_s: 12 * 3_600,
            decision_days: 10,
        }
    }
}

impl People {
    fn check(&self, faults: &mut Vec<String>) {
        // The last use is written once a minute: a shorter limit could not be kept.
        if !(120..=86_400).contains(&self.session_idle_s) {
            faults.push("people.session_idle_s: from 120 to 86400".to_owned());
        }
        if !(self.session_idle_s..=7 * 86_400).contains(&self.session_absolute_s) {
            faults.push("people.session_absolute_s: from session_idle_s to 604800".to_owned());
        }
        if !(1..=250).contains(&self.decision_days) {
            faults.push("people.decision_days: from 1 to 250 working days".to_owned());
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, or a filter such as `info,dagr_app=debug`.
    pub level: String,
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::Text,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

impl Config {
    /// Reads the file (if any) and lays the environment over it.
    pub fn load(
        file: Option<&str>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut table: toml::Table = match file.unwrap_or_default().parse() {
            Ok(table) => table,
            // Without the line itself, which `error` would show: the password may stand in it.
            Err(error) => {
                let before = error.span().map_or("", |span| {
                    file.unwrap_or_default().get(..span.start).unwrap_or_default()
                });
                let line = before.matches('\n').count() + 1;
                return Err(vec![format!("line {line}: {}", error.message())]);
            }
        };
        environment::lay_over(&mut table, environment, &mut faults);
        environment::check_known(&table, &mut faults);
        match table.try_into::<Self>() {
            Ok(config) => {
                config.check(&mut faults);
                if faults.is_empty() {
                    Ok(config)
                } else {
                    Err(faults)
                }
            }
            Err(error) => {
                if faults.is_empty() {
                    faults.push(error.to_string());
                }
                Err(faults)
            }
        }
    }

    fn check(&self, faults: &mut Vec<String>) {
        self.people.check(faults);
        self.registry.check(faults);
        let listen = &self.listen;
        if listen.tls_certificate.is_some() != listen.tls_key.is_some() {
            faults.push("listen: tls_certificate and tls_key go together".to_owned());
        }
        let plain = listen.tls_certificate.is_none() && !listen.allow_plain_http;
        if plain && !listen.data.ip().is_loopback() {
            faults.push(
                "listen.data: plain HTTP only on loopback; set tls_certificate and tls_key, or allow_plain_http = true \
                 behind a proxy that does TLS"
                    .to_owned(),
            );
        }
        if !listen.allow_plain_http && !listen.operations.ip().is_loopback() {
            faults.push(
                "listen.operations: plain HTTP only on loopback; set allow_plain_http = true where none but operators \
                 reach it"
                    .to_owned(),
            );
        }
        if self.portal.development_sign_in
            && !(listen.data.ip().is_loopback() && is_local(listen.public_url.as_deref()))
        {
            faults.push(
                "portal.development_sign_in: everybody would be whoever they like; only where listen.data and \
                 listen.public_url are loopback"
                    .to_owned(),
            );
        }
        if listen
            .public_url
            .as_deref()
            .is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://"))
        {
            faults.push("listen.public_url: begins with https:// or http://".to_owned());
        }
        self.sign_in.check(faults);
        self.mail.check(faults);
        if self.disclosures.segment_bytes < 8 << 20 || self.disclosures.segment_bytes > 2 << 30 {
            faults.push("disclosures.segment_bytes: from 8 MiB to 2 GiB".to_owned());
        }
    }

    /// Where the outside finds the server.
    pub fn public_url(&self) -> String {
        let scheme = if self.listen.tls_certificate.is_some() {
            "https"
        } else {
            "http"
        };
        self.listen
            .public_url
            .clone()
            .unwrap_or_else(|| format!("{scheme}://{}", self.listen.data))
    }

    pub fn schema() -> String {
        let schema = schemars::schema_for!(Self);
        serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
    }
}

/// Nothing, or an address that names this machine only.
fn is_local(url: Option<&str>) -> bool {
    let Some(url) = url else { return true };
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        Config::load(
            Some(file),
            environment
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        )
    }

    #[test]
    fn the_environment_lies_over_the_file() {
        let config = load(
            "[listen]\ndata = \"127.0.0.1:1\"\n[log]\nformat = \"json\"",
            &[
                ("DAGR_LISTEN__DATA", "127.0.0.1:2"),
                ("DAGR_LIMITS__DRAIN_S", "5"),
                ("PATH", "x"),
            ],
        )
        .unwrap();
        assert_eq!(config.listen.data.port(), 2);
        assert_eq!((config.limits.drain_s, config.log.format), (5, LogFormat::Json));
        assert_eq!(config.public_url(), "http://127.0.0.1:2");
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let faults = load(
            "[listen]\ndatta = 1\n[logg]\nx = 1",
            &[("DAGR_LISTEN__PUBLIC_URI", "x")],
        )
        .unwrap_err();
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(
            faults
                .iter()
                .any(|fault| fault.contains("listen.datta") && fault.contains("data"))
        );
    }

    #[test]
    fn plain_http_stays_at_home() {
        assert!(load("[listen]\ndata = \"0.0.0.0:8480\"", &[]).is_err());
        assert!(load("[listen]\ndata = \"0.0.0.0:8480\"\nallow_plain_http = true", &[]).is_ok());
        assert!(load("[listen]\ntls_key = \"a\"", &[]).is_err());
        let tls = "[listen]\ntls_key = \"a\"\ntls_certificate = \"b\"\n";
        assert!(load(&format!("{tls}data = \"0.0.0.0:8480\""), &[]).is_ok());
        // The operations port has no TLS.
        assert!(load(&format!("{tls}operations = \"0.0.0.0:8481\""), &[]).is_err());
        assert!(
            load(
                &format!("{tls}operations = \"0.0.0.0:8481\"\nallow_plain_http = true"),
                &[]
            )
            .is_ok()
        );
    }

    #[test]
    fn the_development_sign_in_stays_at_home() {
        let with = |listen: &str| {
            load(
                &format!("[portal]\ndevelopment_sign_in = true\n[listen]\n{listen}"),
                &[],
            )
        };
        assert!(with("").is_ok());
        assert!(with("public_url = \"http://localhost:8480\"").is_ok());
        assert!(with("data = \"0.0.0.0:1\"\nallow_plain_http = true").is_err());
        assert!(with("public_url = \"https://dagr.gov.lv\"").is_err());
    }

    #[test]
    fn limits_of_people_are_kept_within_reason() {
        let people = |text: &str| load(&format!("[people]\n{text}"), &[]);
        let set = people("session_idle_s = 600\nsession_absolute_s = 3600\ndecision_days = 5").unwrap();
        assert_eq!((set.people.session_idle_s, set.people.decision_days), (600, 5));
        let faults = people("session_idle_s = 30\nsession_absolute_s = 20\ndecision_days = 0").unwrap_err();
        assert_eq!(faults.len(), 3, "{faults:?}");
    }

    #[test]
    fn the_committed_schema_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../api/config.schema.json");
        if std::env::var_os("DAGR_REWRITE").is_some() {
            std::fs::write(path, Config::schema()).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            Config::schema(),
            "run the tests with DAGR_REWRITE=1"
        );
    }
}
