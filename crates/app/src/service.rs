//! What is published, for everybody; who may read what, for a set's provider; our own public key.

mod find;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dagr_model::{
    definition::{Classification, Definition},
    ids::{DatasetName, RegistrationNumber, Section},
    permission::PermissionState,
};
use dagr_registry::NoticeCreate;
use dagr_store::set::head::Head;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    App,
    catalog::{Catalog, Held},
    changes::time_text,
    ctx::Ctx,
    load::in_order,
    problem::Problem,
    set::LiveSet,
};

/// A published data set, as everybody may know it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Service {
    pub name: DatasetName,
    pub provider: Provider,
    pub description: String,
    pub classification: Classification,
    /// Key fields, the partition first.
    pub key: Vec<String>,
    pub change_lists: Vec<String>,
    /// Time of the last applied package, to the minute.
    pub freshness: Option<String>,
    /// `records`, `changes`, `description`, and `public` where there is a public file.
    pub links: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provider {
    pub registration_number: RegistrationNumber,
    pub name: String,
}

/// One data set as everybody may know it, down to the field.
#[derive(Debug, Clone)]
pub struct ServiceDescribed {
    pub service: Service,
    pub definition: Arc<Definition>,
    /// Published; else it is only tried in the sandbox.
    pub is_main: bool,
    /// Institutions that may read it now.
    pub recipients: usize,
    pub replaced_by: Option<DatasetName>,
}

/// What was found; `of` sets in all.
#[derive(Debug, Clone)]
pub struct ServicesFound {
    pub services: Vec<Service>,
    pub of: usize,
}

/// Does a name hold these words, in whatever form?
pub(crate) fn named_by(words: &str) -> impl Fn(&str) -> bool {
    let stems = find::stems(words);
    move |name| find::Index::of(name, "", "", &[]).score(&stems).is_some()
}

/// How well a name, a text and a provider fit these words; none if a word is not found at all.
pub(crate) fn finder(words: &str) -> impl Fn(&str, &str, &str) -> Option<u32> + Send {
    let stems = find::stems(words);
    move |name, text, provider| find::Index::of(name, text, provider, &[]).score(&stems)
}

impl App {
    /// Is this many parts the set's full key? `false` for a set that is not there: the use case says so.
    pub fn is_full_key(&self, section: Section, dataset: &str, parts: usize) -> bool {
        self.catalog()
            .live(section, dataset)
            .is_some_and(|set| set.schema.key.len() == parts)
    }

    /// The first checks of a data call, before its body is read.
    pub fn admit_only(&self, ctx: &Ctx, section: Section, dataset: &str) -> Result<(), Problem> {
        self.admit_counting(ctx, section, dataset, false).map(|_| ())
    }

    /// Every published set of the main section, by name.
    pub fn service_list(&self) -> Result<Vec<Service>, Problem> {
        let catalog = self.catalog();
        in_order(&catalog.datasets)
            .into_iter()
            .filter_map(|(_, dataset)| dataset.main.as_ref())
            .map(|set| self.service(&catalog, set))
            .collect()
    }

    /// Published sets that fit the words, the best first; all by name where there are no words. From `from` on,
    /// `limit` at most: only these are opened for their freshness.
    pub fn service_search(&self, words: &str, from: usize, limit: usize) -> Result<ServicesFound, Problem> {
        let catalog = self.catalog();
        let stems = find::stems(words);
        let mut found: Vec<(u32, &Arc<LiveSet>)> = in_order(&catalog.datasets)
            .into_iter()
            .filter_map(|(_, dataset)| dataset.main.as_ref())
            .filter_map(|set| {
                if stems.is_empty() {
                    return Some((0, set));
                }
                let definition = set.definition();
                let provider = catalog.institution_name(&set.provider);
                let index = find::Index::of(
                    set.name.as_str(),
                    &definition.description,
                    provider,
                    &definition.fields,
                );
                Some((index.score(&stems)?, set))
            })
            .collect();
        // Stable: equals stay by name.
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let of = found.len();
        let page = found.into_iter().skip(from).take(limit);
        let services = page
            .map(|(_, set)| self.service(&catalog, set))
            .collect::<Result<_, _>>()?;
        Ok(ServicesFound { services, of })
    }

    /// One set, published or tried.
    pub fn service_get(&self, name: &str) -> Result<ServiceDescribed, Problem> {
        let catalog = self.catalog();
        let dataset = catalog.datasets.get(name).ok_or_else(Problem::dataset_unknown)?;
        let set = dataset
            .main
            .as_ref()
            .or(dataset.sandbox.as_ref())
            .ok_or_else(Problem::dataset_unknown)?;
        Ok(ServiceDescribed {
            service: self.service(&catalog, set)?,
            definition: Arc::clone(&set.schema.definition),
            is_main: dataset.main.is_some(),
            recipients: catalog.recipients_of(&set.name),
            replaced_by: dataset.replaced_by.clone(),
        })
    }

    /// The definition of a set, as published, else as tried. Public, and read from memory.
    pub fn definition_of(&self, name: &str) -> Option<Arc<Definition>> {
        let set = self.described(&DatasetName::new(name))?;
        Some(Arc::clone(&set.schema.definition))
    }

    fn service(&self, catalog: &Catalog, set: &LiveSet) -> Result<Service, Problem> {
        let definition = set.definition();
        Ok(Service {
            name: set.name.clone(),
            provider: Provider {
                registration_number: set.provider.clone(),
                name: catalog.institution_name(&set.provider).to_owned(),
            },
            description: definition.description.clone(),
            classification: definition.classification,
            key: definition.key.fields().map(str::to_owned).collect(),
            change_lists: definition.changes.iter().map(|list| list.name.clone()).collect(),
            freshness: self.freshness(set)?,
            links: self.links(set),
        })
    }

    /// When the last package was applied, to the minute.
    fn freshness(&self, set: &LiveSet) -> Result<Option<String>, Problem> {
        if !set.is_settled() {
            return Ok(None);
        }
        let kv = set.open(&*self.engine)?;
        let head = Head::read(&*kv.snapshot()?)?;
        Ok(head.applied_ms.map(|ms| time_text(ms - ms.rem_euclid(60_000))))
    }

    fn links(&self, set: &LiveSet) -> Map<String, Value> {
        let base = self.settings.public_url.trim_end_matches('/');
        let name = &set.name;
        let mut links = Map::new();
        links.insert("records".to_owned(), format!("{base}/data/{name}/records").into());
        links.insert("changes".to_owned(), format!("{base}/data/{name}/changes").into());
        links.insert("description".to_owned(), format!("{base}/api#{name}").into());
        if let Some(public) = &set.definition().public {
            let filename: String = form_escape(&public.filename);
            links.insert(
                "public".to_owned(),
                format!("{base}/public/{name}?filename={filename}").into(),
            );
        }
        links
    }

    /// Who may read a set, what, and when they last did.
    pub fn recipient_list(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Value, Problem> {
        let set = self.supplied_set(ctx, section, dataset, false)?;
        let catalog = self.catalog();
        let mut held: Vec<&Arc<Held>> = catalog
            .held_for(&set.name)
            .filter(|held| held.permission.environment == section)
            .filter(|held| held.permission.state != PermissionState::Revoked)
            .collect();
        let number = |held: &Held| held.permission.number.as_str().parse::<u64>().unwrap_or_default();
        held.sort_by_key(|held| number(held));
        let from = match after {
            None => 0,
            Some(text) => text
                .parse()
                .map_err(|_| Problem::query_invalid("after", "not a token of this list"))?,
        };
        let mut rest = held.into_iter().filter(|held| number(held) > from);
        let page: Vec<_> = rest.by_ref().take(limit as usize).collect();
        let next = rest.next().and(page.last()).map(|last| number(last).to_string());
        let view = |held: &&Arc<Held>| {
            let permission = &held.permission;
            json!({
                "permission": permission.number,
                "recipient": permission.recipient,
                "purpose": permission.purpose,
                "fields": permission.fields,
                "ways": permission.ways,
                "state": permission.state,
                "last_use": held.usage.last_use_ms().map(time_text),
            })
        };
        Ok(json!({ "recipients": page.iter().map(view).collect::<Vec<_>>(), "next": next }))
    }

    /// RFC 7517: the key that receipts and access tokens are signed with.
    pub fn jwks(&self) -> Value {
        json!({ "keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": "EdDSA",
            "kid": self.secrets.key_id(),
            "x": URL_SAFE_NO_PAD.encode(self.secrets.public_key()),
        }] })
    }

    /// Tells the provider of a set something, in the background; a notice that fails is logged.
    pub(crate) fn notice(&self, ctx: &Ctx, set: &LiveSet, kind: &str, detail: &str) {
        let create = NoticeCreate {
            dataset: set.name.clone(),
            permission: None,
            kind: kind.to_owned(),
            detail: Value::String(detail.to_owned()),
        };
        let (registry, now) = (self.registry.clone(), ctx.now);
        tokio::spawn(async move {
            if let Err(error) = registry.notice_insert(&create, now).await {
                tracing::warn!(%error, "a notice could not be kept");
            }
        });
    }
}

/// Percent-encodes what is not plain in a query value.
fn form_escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
