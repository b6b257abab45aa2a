//! What the operator enters in the registry. Entering again what is there already is no error: a demo that was
//! broken off goes on where it stopped.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    client::{CallError, Client},
    commands::{Failure, path_of},
    keys,
};

pub struct Office {
    pub operator: Client,
}

impl Office {
    pub async fn institution(&self, number: &str, name: &str) -> Result<(), Failure> {
        let body = json!({ "registration_number": number, "name": name });
        fresh_or_there(self.operator.post("/registry/institutions", &body).await)
    }

    pub async fn system(&self, institution: &str, code: &str, name: &str) -> Result<(), Failure> {
        let body = json!({ "institution": institution, "code": code, "name": name });
        fresh_or_there(self.operator.post("/registry/systems", &body).await)
    }

    /// A connection with a key of its own, kept in `keys` as CLIENT_ID.pem (mode 0600) beside its certificate.
    /// Returns the key.
    pub async fn connection(
        &self,
        keys: &Path,
        client_id: &str,
        system: &str,
        kind: &str,
    ) -> Result<String, Failure> {
        let body =
            json!({ "client_id": client_id, "system": system, "kind": kind, "token_lifetime_s": 3_600 });
        fresh_or_there(self.operator.post("/registry/connections", &body).await)?;
        let (key, certificate) = key_pair(keys, client_id)?;
        let path = format!("{}/certificate", path_of("/registry/connections", client_id));
        let attached = self
            .operator
            .put(&path, "application/x-pem-file", certificate)
            .await;
        fresh_or_there(attached)?;
        Ok(key)
    }

    /// Puts a definition and publishes it, unless it is published.
    pub async fn dataset(&self, provider: &str, name: &str, definition: &str) -> Result<(), Failure> {
        let path = path_of("/registry/datasets", name);
        let published = format!("{path}/definition?section=main");
        if self.operator.get(&published).await.is_ok() {
            return Ok(());
        }
        let put = format!("{path}/definition?institution={provider}");
        self.operator
            .put(&put, "application/yaml", definition.to_owned())
            .await?;
        self.operator.post_empty(&format!("{path}/publish")).await?;
        Ok(())
    }

    /// What is there already is said again.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let sent = self.operator.put(path, "application/json", body.to_string());
        Ok(sent.await?)
    }

    /// Versions that are not there yet, each with its first day, the reason and the codes.
    pub async fn classifier(
        &self,
        id: &str,
        described: &Value,
        versions: &[(&str, &str, Vec<Value>)],
    ) -> Result<(), Failure> {
        let path = path_of("/registry/classifiers", id);
        let view = self.put(&path, described).await?;
        let there = view["latest"].as_u64().unwrap_or(0) as usize;
        for (valid_from, reason, values) in versions.iter().skip(there) {
            let body = json!({ "valid_from": valid_from, "reason": reason, "values": values });
            self.operator.post(&format!("{path}/versions"), &body).await?;
        }
        Ok(())
    }

    /// Returns the permission's number.
    pub async fn permission(&self, body: &Value) -> Result<String, Failure> {
        let view = self.operator.post("/registry/permissions", body).await?;
        view["number"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| Failure::here("the new permission has no number".to_owned()))
    }
}

fn fresh_or_there(answer: Result<Value, CallError>) -> Result<(), Failure> {
    match answer {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("exists") => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn key_pair(keys: &Path, client_id: &str) -> Result<(String, String), Failure> {
    let (key, certificate) = (
        keys.join(format!("{client_id}.pem")),
        keys.join(format!("{client_id}.crt")),
    );
    if let (Ok(key), Ok(certificate)) = (fs::read_to_string(&key), fs::read_to_string(&certificate)) {
        return Ok((key, certificate));
    }
    let made = keys::generate(client_id).map_err(|error| Failure::here(format!("no key: {error}")))?;
    // Half a pair is what a broken start left; nothing can have signed with it.
    let _ = fs::remove_file(&key);
    keys::write_private(&key, &made.key_pem).map_err(|error| Failure::file(&key, &error))?;
    fs::write(&certificate, &made.certificate_pem).map_err(|error| Failure::file(&certificate, &error))?;
    Ok((made.key_pem, made.certificate_pem))
}
