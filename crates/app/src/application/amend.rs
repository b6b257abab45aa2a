//! Applications that change a permission instead of making another: the decision is its new revision, under the same
//! number and the same count of uses.

use dagr_model::{
    application::{Application, Asked, DataAsked, FieldAsked},
    fault::Fault,
    ids::{PermissionNumber, RegistrationNumber},
    permission::{Permission, PermissionState},
};
use dagr_registry::{RegistryError, Versioned};

use super::{ApplicationView, decide};
use crate::{App, ctx::Ctx, permission::permission_unknown, problem::Problem};

impl App {
    /// A draft that asks for what the permission gives now, to be changed or given another end. Of its holder.
    pub async fn permission_amend(
        &self,
        ctx: &Ctx,
        number: &str,
    ) -> Result<Versioned<ApplicationView>, Problem> {
        let (_, acting) = ctx.acting(&[])?;
        let permission = self.permission_get(ctx, number).await?.value;
        if permission.recipient != acting.institution {
            return Err(Problem::role_required(
                "its holder applies for a change of a permission",
            ));
        }
        let earlier = self.registry.permission_applications(&permission.number).await?;
        let earlier = earlier.iter().rev().find_map(|one| one.asked.data());
        let asked = as_it_is(permission, earlier);
        self.application_create(ctx, Asked::Data(Box::new(asked))).await
    }

    /// Checked when begun, so that nobody drafts what can never be decided; the section is the permission's.
    pub(super) fn amending(&self, asked: Asked, applicant: &RegistrationNumber) -> Result<Asked, Problem> {
        let Asked::Data(mut data) = asked else {
            return Ok(asked);
        };
        if let Some(permission) = self.amended(&data, applicant)
            && data.environments.is_empty()
        {
            data.environments = vec![permission.environment];
        }
        let faults = self.unamendable(&data, applicant);
        if faults.is_empty() {
            Ok(Asked::Data(data))
        } else {
            Err(Problem::invalid(faults))
        }
    }

    /// The permission it names, if it is the applicant's and of this set.
    fn amended(
        &self,
        data: &DataAsked,
        applicant: &RegistrationNumber,
    ) -> Option<std::sync::Arc<Permission>> {
        let catalog = self.catalog();
        let held = catalog.permissions.get(data.amends.as_ref()?)?;
        let permission = &held.permission;
        let fits = permission.recipient == *applicant && permission.dataset == data.dataset;
        fits.then(|| std::sync::Arc::clone(permission))
    }

    /// Why the permission it names cannot be changed by it.
    pub(super) fn unamendable(&self, data: &DataAsked, applicant: &RegistrationNumber) -> Vec<Fault> {
        if data.amends.is_none() {
            return Vec::new();
        }
        let Some(permission) = self.amended(data, applicant) else {
            return vec![Fault::new(
                "amends",
                "unknown",
                "your institution holds no permission of this number for this data set",
            )];
        };
        let mut faults = Vec::new();
        if permission.state == PermissionState::Revoked {
            faults.push(Fault::new(
                "amends",
                "revoked",
                "the permission is revoked, and that is final: apply for another one",
            ));
        }
        if data
            .environments
            .iter()
            .any(|section| *section != permission.environment)
        {
            let section = permission.environment.as_str();
            faults.push(Fault::new(
                "environments",
                "fixed",
                format!("the permission is of the {section} section and stays there"),
            ));
        }
        faults
    }

    /// What the decision makes of the permission, and the version it was judged in.
    pub(super) async fn amendment(&self, next: &Application) -> Result<Option<(Permission, i64)>, Problem> {
        let fields = next.granted().to_vec();
        let Asked::Data(asked) = &next.asked else {
            return Ok(None);
        };
        let Some(number) = asked.amends.as_ref().filter(|_| !fields.is_empty()) else {
            return Ok(None);
        };
        let before = self
            .registry
            .permission_get(number)
            .await?
            .ok_or_else(permission_unknown)?;
        if before.value.state == PermissionState::Revoked {
            let detail =
                "the permission was revoked meanwhile: refuse the application, another one is needed";
            return Err(RegistryError::State {
                detail: detail.into(),
            }
            .into());
        }
        let section = before.value.environment;
        let ways = decide::left_ways(next, &fields)?;
        let create = decide::create(next, asked, section, &fields, ways);
        let wanted = Permission {
            state: before.value.state,
            revision: before.value.revision,
            ..create.granted(number.clone(), fields)
        };
        let set = self.set_of(section, asked.dataset.as_str())?;
        self.fits(&set, wanted.clone()).await?;
        Ok(Some((wanted, before.version)))
    }
}

/// The laws cited before stay beside their fields; one that was never cited is the permission's own.
fn as_it_is(permission: Permission, earlier: Option<&DataAsked>) -> DataAsked {
    let law = |field: &str| {
        let cited = earlier.and_then(|asked| asked.fields.iter().find(|one| one.field == field));
        cited.map_or_else(|| permission.legal_basis.clone(), |one| one.law.clone())
    };
    let fields = permission.fields.iter().map(|field| FieldAsked {
        field: field.clone(),
        law: law(field),
    });
    DataAsked {
        fields: fields.collect(),
        amends: Some(PermissionNumber::new(permission.number.as_str())),
        environments: vec![permission.environment],
        template: earlier.and_then(|asked| asked.template),
        use_case: earlier.map_or_else(String::new, |asked| asked.use_case.clone()),
        processor: earlier.and_then(|asked| asked.processor.clone()),
        dataset: permission.dataset,
        purpose: permission.purpose,
        legal_basis: permission.legal_basis,
        scope: permission.scope,
        ways: permission.ways,
        quota: permission.quota,
        quota_unit: permission.quota_unit,
        rate_per_second: permission.rate_per_second,
        misses_per_hour: permission.misses_per_hour,
        valid_from: permission.valid_from,
        valid_to: permission.valid_to,
        case_required: permission.case_required,
    }
}
