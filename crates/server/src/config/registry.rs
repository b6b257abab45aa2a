//! Where the control plane is kept.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// The control plane: institutions to permissions, and who changed what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Registry {
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`; without it a file of the data directory.
    pub url: Option<Secret>,
}

impl Registry {
    pub(super) fn check(&self, faults: &mut Vec<String>) {
        let is_postgres =
            |url: &Secret| url.0.starts_with("postgres://") || url.0.starts_with("postgresql://");
        if self.url.as_ref().is_some_and(|url| !is_postgres(url)) {
            faults.push(
                "registry.url: begins with postgres://; leave it out for SQLite in the data directory"
                    .to_owned(),
            );
        }
    }
}

/// A text that is never shown: `dagr config print` and every message have `***` in its place.
#[derive(Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    const URL: &str = "postgres://dagr:hidden@db/registry";

    fn load(file: &str) -> Result<Config, Vec<String>> {
        Config::load(Some(file), std::iter::empty())
    }

    #[test]
    fn a_password_is_in_no_print_and_no_fault() {
        let environment = [("DAGR_REGISTRY__URL".to_owned(), URL.to_owned())];
        let config = Config::load(None, environment.into_iter()).unwrap();
        assert_eq!(config.registry.url.as_ref().unwrap().expose(), URL);
        let shown = toml::to_string(&config).unwrap() + &format!("{config:?}");
        assert!(shown.contains("***") && !shown.contains("hidden"), "{shown}");
        for file in [
            format!("[registry]\nurl = \"{URL}\n"),
            format!("[registry]\nurl = {URL}\n"),
            format!("[registry]\nurl = [\"{URL}\"]\n"),
            "[registry]\nurl = \"mysql://dagr:hidden@db\"\n".to_owned(),
        ] {
            let faults = load(&file).unwrap_err().join("\n");
            assert!(!faults.contains("hidden"), "{faults}");
        }
    }
}
