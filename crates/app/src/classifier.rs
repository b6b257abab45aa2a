//! Classifiers: anybody reads them; who keeps one publishes its versions, and the newest in force judges deliveries.

pub mod csv;
mod in_force;
mod kept;

use std::sync::Arc;

use dagr_model::{
    classifier::{ClassifierValue, Difference, difference, is_classifier},
    clock::riga_date,
    definition::Definition,
    fault::{Fault, nearest},
    ids::{DatasetName, Section},
};
use dagr_registry::{
    Classifier, ClassifierVersionPut, ClassifierVersionView, ClassifierView, Page, Versioned,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use in_force::{InForce, LiveVersion};
pub(crate) use kept::KeptVersions;

use crate::{
    App,
    ctx::Ctx,
    institution::{ListQuery, unknown},
    load::in_order,
    problem::Problem,
    service::named_by,
};

/// A classifier as anybody sees it.
#[derive(Debug, Clone, Serialize)]
pub struct ClassifierSeen {
    #[serde(flatten)]
    pub view: ClassifierView,
    pub keeper_name: String,
    /// Number of the version that judges today.
    pub in_force: Option<i64>,
    /// Whether who looks may publish a version.
    #[serde(skip)]
    pub may_publish: bool,
}

/// A field that names the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UsedBy {
    pub dataset: DatasetName,
    pub section: Section,
    pub field: String,
}

/// The next version as it is sent. Without `valid_from` it judges from today on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionSent {
    #[serde(default)]
    pub valid_from: Option<Date>,
    pub reason: String,
    pub values: Vec<ClassifierValue>,
}

/// What publishing would do.
#[derive(Debug, Clone)]
pub struct VersionChecked {
    /// The newest version there is.
    before: Option<Arc<VersionWhole>>,
    pub after: Vec<ClassifierValue>,
    pub valid_from: Date,
    pub used_by: Vec<UsedBy>,
}

impl VersionChecked {
    pub fn difference(&self) -> Difference<'_> {
        let before = self.before.as_ref().map_or(&[][..], |whole| whole.1.as_slice());
        difference(before, &self.after)
    }
}

/// Which version: `current`, or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Current,
    Number(i64),
}

impl Which {
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "current" => Ok(Self::Current),
            _ => text.parse().map(Self::Number).map_err(|_| unknown("version")),
        }
    }
}

/// A version with all its codes.
pub type VersionWhole = (ClassifierVersionView, Vec<ClassifierValue>);

impl App {
    /// A new one is the operator's to register, for it judges whatever names it. `true`: it is new.
    pub async fn classifier_put(
        &self,
        ctx: &Ctx,
        put: &Classifier,
        expected: Option<i64>,
    ) -> Result<(Versioned<ClassifierSeen>, bool), Problem> {
        let _one = self.changing.lock().await;
        if ctx.operator().is_err() {
            let known = self.registry.classifier_get(&put.id).await?;
            let keeper = known.as_ref().map(|known| &known.value.classifier.keeper);
            let Some(keeper) = keeper else {
                ctx.operator()?;
                return Err(unknown("classifier"));
            };
            ctx.keeps(keeper, "classifier")?;
            if *keeper != put.keeper {
                return Err(Problem::role_required(
                    "an operator gives a classifier to another keeper",
                ));
            }
        }
        let (made, is_new) = self.registry.classifier_put(&ctx.actor(), put, expected).await?;
        self.reload_classifier(ctx, &put.id).await?;
        Ok((self.classifier_seen(ctx, made), is_new))
    }

    pub async fn classifier_get(&self, ctx: &Ctx, id: &str) -> Result<Versioned<ClassifierSeen>, Problem> {
        // What cannot be one's name is not looked for.
        let found = if is_classifier(id) {
            self.registry.classifier_get(id).await?
        } else {
            None
        };
        let found = found.ok_or_else(|| unknown("classifier"))?;
        Ok(self.classifier_seen(ctx, found))
    }

    /// In the order of ids.
    pub async fn classifier_list(
        &self,
        ctx: &Ctx,
        page: ListQuery,
    ) -> Result<Page<Versioned<ClassifierSeen>>, Problem> {
        let found = self.registry.classifier_list(page.after, page.limit).await?;
        Ok(found.map(|one| self.classifier_seen(ctx, one)))
    }

    /// Newest first, without codes.
    pub async fn classifier_version_list(
        &self,
        ctx: &Ctx,
        id: &str,
        page: ListQuery,
    ) -> Result<Page<ClassifierVersionView>, Problem> {
        self.classifier_get(ctx, id).await?;
        let ListQuery { after, limit } = page;
        Ok(self.registry.classifier_version_list(id, after, limit).await?)
    }

    pub async fn classifier_version_get(
        &self,
        ctx: &Ctx,
        id: &str,
        which: Which,
    ) -> Result<Arc<VersionWhole>, Problem> {
        let seen = self.classifier_get(ctx, id).await?.value;
        let number = match which {
            Which::Number(number) => Some(number),
            Which::Current => seen.in_force,
        };
        let found = match number {
            Some(number) => self.classifier_versions.get(&self.registry, id, number).await?,
            None => None,
        };
        found.ok_or_else(|| unknown("version of the classifier"))
    }

    /// The next version. It judges what is delivered from its first day on; a package that is coming in keeps the version
    /// it began with.
    pub async fn classifier_publish(
        &self,
        ctx: &Ctx,
        id: &str,
        sent: VersionSent,
        expected: Option<i64>,
    ) -> Result<Versioned<ClassifierVersionView>, Problem> {
        self.may_publish(ctx, id).await?;
        let put = version_put(ctx, sent);
        let _one = self.changing.lock().await;
        let made = self
            .registry
            .classifier_version_insert(&ctx.actor(), id, &put, expected)
            .await?;
        self.reload_classifier(ctx, id).await?;
        Ok(made)
    }

    /// What publishing would do: every fault, or the difference and who uses the list. Changes nothing.
    pub async fn classifier_check(
        &self,
        ctx: &Ctx,
        id: &str,
        sent: VersionSent,
    ) -> Result<VersionChecked, Problem> {
        let seen = self.may_publish(ctx, id).await?;
        let put = version_put(ctx, sent);
        let before = match seen.view.latest {
            Some(number) => self.classifier_versions.get(&self.registry, id, number).await?,
            None => None,
        };
        dagr_registry::check_version(&put, before.as_ref().map(|whole| (&whole.0, whole.1.as_slice())))?;
        Ok(VersionChecked {
            before,
            after: put.values,
            valid_from: put.valid_from,
            used_by: self.classifier_uses(id),
        })
    }

    /// An operator or its keeper; else why not.
    pub async fn may_publish(&self, ctx: &Ctx, id: &str) -> Result<ClassifierSeen, Problem> {
        let seen = self.classifier_get(ctx, id).await?.value;
        ctx.keeps(&seen.view.classifier.keeper, "classifier")?;
        Ok(seen)
    }

    /// Fields of `code(LIST)`, of every data set in both sections.
    pub fn classifier_uses(&self, id: &str) -> Vec<UsedBy> {
        let catalog = self.catalog();
        let mut uses = Vec::new();
        for (name, dataset) in in_order(&catalog.datasets) {
            for set in [&dataset.main, &dataset.sandbox].into_iter().flatten() {
                for (list, field) in set.definition().classifiers() {
                    if list == id {
                        uses.push(UsedBy {
                            dataset: name.clone(),
                            section: set.section,
                            field,
                        });
                    }
                }
            }
        }
        uses
    }

    /// Those whose id or title holds these words, in whatever form; by id.
    pub fn classifier_search(&self, words: &str, limit: usize) -> Vec<Classifier> {
        let is_named = named_by(words);
        let catalog = self.catalog();
        let mut found: Vec<Classifier> = catalog
            .classifiers
            .values()
            .map(|live| &live.classifier)
            .filter(|one| {
                let english = one.title_en.as_deref().unwrap_or_default();
                is_named(&format!("{} {} {english}", one.id, one.title))
            })
            .cloned()
            .collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        found.truncate(limit);
        found
    }

    /// What does not stop a definition and should be known: lists that judge nothing yet.
    pub(crate) fn remarks(&self, ctx: &Ctx, definition: &Definition) -> Vec<Fault> {
        let catalog = self.catalog();
        let today = riga_date(ctx.now);
        let mut remarks = Vec::new();
        for (list, field) in definition.classifiers() {
            let (rule, message) = match catalog.classifiers.get(list) {
                None => {
                    let near = nearest(list, catalog.classifiers.keys().map(String::as_str));
                    let near = near.map_or_else(String::new, |near| format!(" (did you mean {near}?)"));
                    (
                        "classifier_unknown",
                        format!(
                            "no classifier {list} is registered{near}: any text is taken; an operator registers it, then its keeper publishes its codes"
                        ),
                    )
                }
                Some(known) if known.on(today).is_none() => (
                    "classifier_empty",
                    format!(
                        "no version of the classifier {list} is in force yet: any text is taken until its keeper publishes one"
                    ),
                ),
                Some(_) => continue,
            };
            remarks.push(Fault::new(field, rule, message));
        }
        remarks
    }

    /// What the registry holds of it, put in force.
    async fn reload_classifier(&self, ctx: &Ctx, id: &str) -> Result<(), Problem> {
        if let Some(kept) = self.registry.classifier_from(id, riga_date(ctx.now)).await? {
            let live = Arc::new(InForce::of(kept));
            self.swap_catalog(|catalog| {
                catalog
                    .classifiers
                    .insert(live.classifier.id.clone(), Arc::clone(&live));
            });
        }
        Ok(())
    }

    fn classifier_seen(&self, ctx: &Ctx, found: Versioned<ClassifierView>) -> Versioned<ClassifierSeen> {
        let catalog = self.catalog();
        let Versioned { value: view, version } = found;
        let keeper = &view.classifier.keeper;
        let live = catalog.classifiers.get(&view.classifier.id);
        let in_force = live.and_then(|live| live.on(riga_date(ctx.now)));
        let value = ClassifierSeen {
            keeper_name: catalog.institution_name(keeper).to_owned(),
            in_force: in_force.map(|list| list.number),
            may_publish: ctx.keeps(keeper, "classifier").is_ok(),
            view,
        };
        Versioned { value, version }
    }
}

fn version_put(ctx: &Ctx, sent: VersionSent) -> ClassifierVersionPut {
    ClassifierVersionPut {
        valid_from: sent.valid_from.unwrap_or_else(|| riga_date(ctx.now)),
        reason: sent.reason,
        values: sent.values,
    }
}

#[cfg(test)]
mod tests;
