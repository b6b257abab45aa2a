//! Data sets, by the operator or by their provider: definitions tried in the sandbox, published to main, and what a new text would touch.

use std::sync::Arc;

use dagr_model::{
    definition::{Condition, Definition, Evolution, Widened, check_publish, evolution},
    fault::Fault,
    ids::{DatasetName, RegistrationNumber, Section},
    permission::{Permission, PermissionState},
    schema::Schema,
};
use dagr_registry::{
    DatasetFilter, DatasetView, DefinitionPut, DefinitionVersion, Page, RegistryError, Versioned,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    App,
    catalog::{Catalog, Held},
    ctx::Ctx,
    institution::ListQuery,
    intake::is_newer,
    load::{everything_permission, transitions},
    problem::Problem,
    provide::{ANSWERING, not_admitted},
    set::{LiveSet, to_its_end},
};

/// A definition as the registry shows it.
#[derive(Debug, Clone, Serialize)]
pub struct DefinitionView {
    pub name: DatasetName,
    pub institution: RegistrationNumber,
    pub section: Section,
    pub version: u32,
    /// Canonical text.
    pub text: String,
    pub definition: Value,
    /// Against the published text: `identical`, `compatible` or `incompatible`, and each change. Null if none is.
    pub evolution: Option<Value>,
    /// Permissions in force on the published set.
    pub touches: Vec<Touched>,
    /// What should be known and stops nothing.
    pub remarks: Vec<Fault>,
}

/// A permission that a new text touches.
#[derive(Debug, Clone, Serialize)]
pub struct Touched {
    pub permission: String,
    pub recipient: String,
    pub purpose: String,
}

/// A definition sent.
#[derive(Debug, Clone, Default)]
pub struct DefinitionSent {
    pub text: String,
    pub institution: Option<String>,
    pub dry_run: bool,
    pub expected: Option<i64>,
}

impl App {
    /// Into the sandbox, which a new text empties. `true` = the data set is new.
    pub async fn definition_put(
        self: &Arc<Self>,
        ctx: &Ctx,
        dataset: &str,
        sent: DefinitionSent,
    ) -> Result<(Versioned<DefinitionView>, bool), Problem> {
        let (app, ctx, dataset) = (Arc::clone(self), ctx.clone(), dataset.to_owned());
        to_its_end(async move { app.sandbox_put(&ctx, &dataset, sent).await }).await
    }

    async fn sandbox_put(
        self: &Arc<Self>,
        ctx: &Ctx,
        dataset: &str,
        sent: DefinitionSent,
    ) -> Result<(Versioned<DefinitionView>, bool), Problem> {
        match self.catalog().datasets.get(dataset) {
            Some(set) => ctx.changes_sets_of(&set.provider)?,
            None if ctx.operator().is_ok() => {}
            None => ctx.acting(ANSWERING).map(|_| ())?,
        }
        let definition: Definition = sent.text.parse().map_err(Problem::invalid)?;
        if definition.name.as_str() != dataset {
            let message = format!("the text defines {}, the path names {dataset}", definition.name);
            return Err(Problem::invalid(vec![Fault::new("name", "name", message)]));
        }
        let _one = self.changing.lock().await;
        let name = definition.name.clone();
        let before = self.registry.dataset_get(&name).await?;
        let institution = self
            .provider(
                ctx,
                sent.institution.as_deref(),
                before.as_ref().map(|view| &view.value),
            )
            .await?;
        let definition = Arc::new(definition);
        let previous = before
            .as_ref()
            .and_then(|view| view.value.sandbox.as_ref().or(view.value.main.as_ref()));
        let schema = Schema::compile(Arc::clone(&definition), previous.map(|version| &version.leaf_ids));
        transitions(&schema).map_err(Problem::invalid)?;
        let text = definition.print();
        let unchanged = before
            .as_ref()
            .and_then(|view| view.value.sandbox.as_ref())
            .is_some_and(|sandbox| sandbox.text == text);
        if let Some(before) = before.as_ref().filter(|_| unchanged && !sent.dry_run) {
            // An earlier attempt may have gone no further than the registry.
            self.sandbox_in_force(ctx, &before.value).await?;
        }
        if sent.dry_run || unchanged {
            let version = before.as_ref().map_or(0, |view| view.version);
            let kept = before.as_ref().and_then(|view| view.value.sandbox.as_ref());
            let view = self.definition_view(
                ctx,
                &institution,
                &definition,
                Section::Sandbox,
                kept.map_or(0, |kept| kept.version),
            );
            return Ok((Versioned { value: view, version }, false));
        }
        let put = DefinitionPut {
            name: name.clone(),
            institution: institution.clone(),
            text,
            leaf_ids: schema.leaf_ids.clone(),
            replaces: definition.replaces.clone(),
            above: self.epoch_held(Section::Sandbox, &name).await?,
        };
        let made = self
            .registry
            .put_sandbox_definition(&ctx.actor(), &put, sent.expected)
            .await?;
        self.sandbox_in_force(ctx, &made.value).await?;
        let version = made.value.sandbox.as_ref().map_or(1, |sandbox| sandbox.version);
        let view = self.definition_view(ctx, &institution, &definition, Section::Sandbox, version);
        Ok((
            Versioned {
                value: view,
                version: made.version,
            },
            before.is_none(),
        ))
    }

    async fn sandbox_in_force(self: &Arc<Self>, ctx: &Ctx, view: &DatasetView) -> Result<(), Problem> {
        self.put_in_force(view, Section::Sandbox).await?;
        self.provider_sandbox_permission(ctx, &view.name).await
    }

    pub async fn definition_get(
        &self,
        ctx: &Ctx,
        dataset: &str,
        section: Option<Section>,
    ) -> Result<Versioned<DefinitionView>, Problem> {
        let found = self.dataset_get(ctx, dataset).await?;
        let view = &found.value;
        let kept: &DefinitionVersion = match section {
            Some(section) => view.definition(section),
            None => view.main.as_ref().or(view.sandbox.as_ref()),
        }
        .ok_or_else(|| Problem::new(404, "not_found", "this section holds no definition of the set"))?;
        let definition: Definition = kept
            .text
            .parse()
            .map_err(|_| Problem::internal("stored definition"))?;
        let value = self.definition_view(ctx, &view.institution, &definition, kept.section, kept.version);
        Ok(Versioned {
            value,
            version: found.version,
        })
    }

    pub async fn dataset_list(
        &self,
        ctx: &Ctx,
        page: ListQuery,
    ) -> Result<Page<Versioned<DatasetView>>, Problem> {
        let institution = match ctx.operator() {
            Ok(()) => None,
            Err(_) => Some(ctx.acting(&[])?.1.institution.clone()),
        };
        let filter = DatasetFilter {
            institution,
            ..DatasetFilter::default()
        };
        Ok(self
            .registry
            .dataset_list(&filter, page.after, page.limit)
            .await?)
    }

    pub async fn dataset_get(&self, ctx: &Ctx, dataset: &str) -> Result<Versioned<DatasetView>, Problem> {
        if ctx.operator().is_err() {
            ctx.acting(&[])?;
        }
        let found = self.registry.dataset_get(&DatasetName::new(dataset)).await?;
        let found = found.ok_or_else(Problem::dataset_unknown)?;
        ctx.reads_sets_of(&found.value.institution)?;
        Ok(found)
    }

    /// Sandbox → main. The definition moves, never the records.
    pub async fn dataset_publish(
        self: &Arc<Self>,
        ctx: &Ctx,
        dataset: &str,
        expected: Option<i64>,
    ) -> Result<Versioned<DefinitionView>, Problem> {
        let (app, ctx, dataset) = (Arc::clone(self), ctx.clone(), dataset.to_owned());
        to_its_end(async move { app.main_publish(&ctx, &dataset, expected).await }).await
    }

    async fn main_publish(
        self: &Arc<Self>,
        ctx: &Ctx,
        dataset: &str,
        expected: Option<i64>,
    ) -> Result<Versioned<DefinitionView>, Problem> {
        let _one = self.changing.lock().await;
        let name = DatasetName::new(dataset);
        let before = self.dataset_get(ctx, dataset).await?;
        ctx.changes_sets_of(&before.value.institution)?;
        let sandbox = before.value.sandbox.as_ref().ok_or_else(|| {
            Problem::new(
                409,
                "state_conflict",
                "the sandbox holds no definition to publish",
            )
        })?;
        let next: Definition = sandbox
            .text
            .parse()
            .map_err(|_| Problem::internal("stored definition"))?;
        let faults = check_publish(&next);
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let main = before.value.main.as_ref();
        let is_published = main.is_some_and(|main| main.text == sandbox.text);
        let published = if is_published && !self.serves(&before.value, Section::Main) {
            // An earlier attempt went no further than the registry: nothing of it changes there.
            before
        } else {
            if expected.is_some_and(|version| version != before.version) {
                return Err(RegistryError::Precondition.into());
            }
            let head = self.head_held(Section::Main, &name).await?;
            let held = head.epoch;
            let anew = match main {
                Some(main) => {
                    let anew = self.incompatible(&name, main, &next)?;
                    if !anew && is_newer(&head, main.epoch, main.version) {
                        return Err(of_another_registry());
                    }
                    anew
                }
                // Records that no definition here is known to be of.
                None => held > 0,
            };
            if !anew {
                self.forget_scopes(&name, &next).await?;
            }
            let by = ctx.actor();
            if anew {
                self.registry.publish_anew(&by, &name, expected, held).await?
            } else {
                self.registry.publish(&by, &name, expected).await?
            }
        };
        self.put_in_force(&published.value, Section::Main).await?;
        let version = published.value.main.as_ref().map_or(1, |main| main.version);
        let view = self.definition_view(ctx, &published.value.institution, &next, Section::Main, version);
        Ok(Versioned {
            value: view,
            version: published.version,
        })
    }

    /// Is the text incompatible with the published one? With permissions in force that is refused.
    fn incompatible(
        &self,
        name: &DatasetName,
        main: &DefinitionVersion,
        next: &Definition,
    ) -> Result<bool, Problem> {
        let main: Definition = main
            .text
            .parse()
            .map_err(|_| Problem::internal("stored definition"))?;
        let found = self.evolution(&main, next);
        if found.changes.iter().all(|change| change.compatible) {
            return Ok(false);
        }
        let touched = self.touched(name);
        if touched.is_empty() {
            return Ok(true);
        }
        let mut faults: Vec<Fault> = found
            .changes
            .iter()
            .filter(|change| !change.compatible)
            .map(|change| Fault::new(&change.place, "incompatible", &change.what))
            .collect();
        faults.extend(touched.iter().map(|touched| {
            let message = format!(
                "permission {} of {}: {}",
                touched.permission, touched.recipient, touched.purpose
            );
            Fault::new(format!("permission {}", touched.permission), "touches", message)
        }));
        let detail = format!(
            "{} permissions in force rely on the published text; define a new set that `replaces: {name}` instead",
            touched.len()
        );
        Err(Problem::new(409, "definition_incompatible", detail).with_faults(faults))
    }

    /// From the published text to another, under the permissions that are in force.
    pub(crate) fn evolution(&self, main: &Definition, next: &Definition) -> Evolution {
        let catalog = self.catalog();
        let scopes: Vec<Condition> = relying(&catalog, &main.name)
            .into_iter()
            .filter_map(|held| {
                Some(Condition {
                    of: format!("permission {}", held.permission.number),
                    when: held.predicate()?.to_owned(),
                })
            })
            .collect();
        evolution(main, next, &scopes)
    }

    /// Before a compatible text is published: lists of conditions that it gives another meaning are kept for cursors
    /// of earlier revisions alone, and would no longer know who had left.
    async fn forget_scopes(&self, name: &DatasetName, next: &Definition) -> Result<(), Problem> {
        let main = self.catalog().live(Section::Main, name.as_str()).cloned();
        let Some(main) = main else { return Ok(()) };
        match Widened::between(main.definition(), next) {
            Some(widened) => self.remove_scopes(&main, widened).await,
            None => Ok(()),
        }
    }

    pub(crate) fn touched(&self, name: &DatasetName) -> Vec<Touched> {
        let catalog = self.catalog();
        let touched = |permission: &Permission| Touched {
            permission: permission.number.to_string(),
            recipient: permission.recipient.to_string(),
            purpose: permission.purpose.clone(),
        };
        let held = relying(&catalog, name);
        held.into_iter().map(|held| touched(&held.permission)).collect()
    }

    fn definition_view(
        &self,
        ctx: &Ctx,
        institution: &RegistrationNumber,
        definition: &Definition,
        section: Section,
        version: u32,
    ) -> DefinitionView {
        let catalog = self.catalog();
        let main = catalog.live(Section::Main, definition.name.as_str());
        let evolution = main.filter(|_| section == Section::Sandbox).map(|main| {
            serde_json::to_value(self.evolution(main.definition(), definition)).unwrap_or_default()
        });
        DefinitionView {
            name: definition.name.clone(),
            institution: institution.clone(),
            section,
            version,
            text: definition.print(),
            definition: serde_json::to_value(definition).unwrap_or_default(),
            touches: if evolution.is_some() {
                self.touched(&definition.name)
            } else {
                Vec::new()
            },
            evolution,
            remarks: self.remarks(ctx, definition),
        }
    }

    /// Whose the set is, and whether the caller may change it. A person's new set belongs to the institution acted for.
    async fn provider(
        &self,
        ctx: &Ctx,
        sent: Option<&str>,
        known: Option<&DatasetView>,
    ) -> Result<RegistrationNumber, Problem> {
        if ctx.operator().is_ok() {
            return provider(sent, known);
        }
        let own = &ctx.acting(ANSWERING)?.1.institution;
        if let Some(known) = known {
            ctx.changes_sets_of(&known.institution)?;
        } else if !self.may_provide(own).await? {
            return Err(not_admitted());
        }
        if sent.is_some_and(|sent| sent != own.as_str()) {
            return Err(Problem::role_required(format!(
                "a data set belongs to the institution you act for, {own}"
            )));
        }
        Ok(own.clone())
    }

    /// Brings each section to the definition that the registry holds for it: its store first, then what is served.
    /// Does what an earlier attempt left undone. Fails if the section asked for does. The caller lets nothing else
    /// change meanwhile.
    async fn put_in_force(self: &Arc<Self>, view: &DatasetView, asked: Section) -> Result<(), Problem> {
        let mut dataset = self.catalog().compiled(view)?;
        let due: Vec<Arc<LiveSet>> = dataset
            .sections()
            .filter(|set| !self.serves(view, set.section))
            .cloned()
            .collect();
        let (mut turns, mut done) = (Vec::new(), Ok(()));
        for set in &due {
            // No package applies between the end of the old definition and the beginning of the new.
            turns.push(set.runtime.apply.lock().await);
            if let Err(problem) = self.settle(set).await {
                tracing::error!(set = set.runtime.store_name, %problem, "a definition could not be put in force");
                let before = self.catalog().live(set.section, view.name.as_str()).cloned();
                *dataset.section_mut(set.section) = before;
                if set.section == asked {
                    done = Err(problem);
                }
            }
        }
        let dataset = Arc::new(dataset);
        self.swap_catalog(|catalog| catalog.put_dataset(Arc::clone(&dataset)));
        drop(turns);
        for set in due
            .iter()
            .filter(|set| set.section == Section::Main && set.is_settled())
        {
            self.public_changed(set);
        }
        done
    }

    /// Is everything done that the registry's definition of a section asks for?
    fn serves(&self, view: &DatasetView, section: Section) -> bool {
        let Some(version) = view.definition(section) else {
            return true;
        };
        let catalog = self.catalog();
        let live = catalog.live(section, view.name.as_str());
        live.is_some_and(|live| live.serves(version))
    }

    /// The provider tries its own sandbox under a permission of its own, made with the first definition and
    /// kept at everything the present one holds.
    async fn provider_sandbox_permission(&self, ctx: &Ctx, name: &DatasetName) -> Result<(), Problem> {
        let catalog = self.catalog.load_full();
        let Some(set) = catalog.live(Section::Sandbox, name.as_str()) else {
            return Ok(());
        };
        let wanted = everything_permission(&set.schema, &set.provider, Section::Sandbox);
        let held = catalog.held_for(name).find(|held| {
            held.permission.environment == Section::Sandbox
                && held.permission.recipient == set.provider
                && held.permission.purpose == wanted.purpose
                && held.permission.state != PermissionState::Revoked
        });
        match held {
            Some(held)
                if (&held.permission.fields, &held.permission.ways) == (&wanted.fields, &wanted.ways) => {}
            Some(held) => {
                let next = Permission {
                    fields: wanted.fields,
                    ways: wanted.ways,
                    ..Permission::clone(&held.permission)
                };
                let number = next.number.clone();
                self.permission_store_update(ctx, &number, next, None).await?;
            }
            None => {
                self.permission_store_insert(ctx, wanted).await?;
            }
        }
        Ok(())
    }
}

/// Permissions on the published set that are not revoked, by number.
fn relying<'a>(catalog: &'a Catalog, name: &DatasetName) -> Vec<&'a Arc<Held>> {
    let mut all: Vec<_> = catalog
        .held_for(name)
        .filter(|held| held.permission.environment == Section::Main)
        .filter(|held| held.permission.state != PermissionState::Revoked)
        .collect();
    all.sort_by(|a, b| a.permission.number.cmp(&b.permission.number));
    all
}

/// A compatible text would be taken for that of records which a lost one was of.
fn of_another_registry() -> Problem {
    let detail = "the set holds records of a definition that the registry does not know: restore both from one \
                  backup, or publish an incompatible definition, which empties the set";
    Problem::new(409, "state_conflict", detail)
}

/// By the operator.
fn provider(sent: Option<&str>, known: Option<&DatasetView>) -> Result<RegistrationNumber, Problem> {
    match (sent, known) {
        (None, None) => Err(Problem::query_invalid(
            "institution",
            "a new data set needs its provider: ?institution=NUMBER",
        )),
        (None, Some(known)) => Ok(known.institution.clone()),
        (Some(sent), Some(known)) if sent != known.institution.as_str() => Err(Problem::new(
            409,
            "exists",
            "a data set of this name belongs to another institution",
        )),
        (Some(sent), _) => Ok(RegistrationNumber::new(sent)),
    }
}

#[cfg(test)]
mod tests;
