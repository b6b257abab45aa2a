//! Institutions, their systems and connections: use cases of the operator. What lets somebody in
//! (connections, certificates) is not one person's to do.

use std::sync::Arc;

use dagr_model::{
    ids::{ClientId, RegistrationNumber, SystemCode},
    role::Role,
};
use dagr_registry::{
    CertificateCreate, ConnectionCreate, ConnectionFilter, ConnectionPatch, ConnectionView,
    InstitutionCreate, InstitutionPatch, InstitutionView, Page, SystemCreate, SystemFilter, SystemPatch,
    SystemView, Versioned,
};
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    App,
    ctx::{Caller, Ctx},
    problem::Problem,
    token,
};

/// Which page of a list.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    pub after: Option<String>,
    pub limit: u32,
}

impl App {
    pub async fn institution_create(
        &self,
        ctx: &Ctx,
        create: &InstitutionCreate,
    ) -> Result<Versioned<InstitutionView>, Problem> {
        ctx.operator()?;
        let _one = self.changing.lock().await;
        let made = self.registry.institution_insert(&ctx.actor(), create).await?;
        self.put_institution(&made.value);
        Ok(made)
    }

    pub async fn institution_get(
        &self,
        ctx: &Ctx,
        number: &str,
    ) -> Result<Versioned<InstitutionView>, Problem> {
        reads(ctx, &RegistrationNumber::new(number))?;
        let found = self
            .registry
            .institution_get(&RegistrationNumber::new(number))
            .await?;
        found.ok_or_else(|| unknown("institution"))
    }

    pub async fn institution_list(
        &self,
        ctx: &Ctx,
        page: ListQuery,
    ) -> Result<Page<Versioned<InstitutionView>>, Problem> {
        ctx.operator()?;
        Ok(self.registry.institution_list(page.after, page.limit).await?)
    }

    pub async fn institution_update(
        &self,
        ctx: &Ctx,
        number: &str,
        patch: &InstitutionPatch,
        expected: Option<i64>,
    ) -> Result<Versioned<InstitutionView>, Problem> {
        ctx.operator()?;
        let _one = self.changing.lock().await;
        let number = RegistrationNumber::new(number);
        let changed = self
            .registry
            .institution_update(&ctx.actor(), &number, patch, expected)
            .await?;
        self.put_institution(&changed.value);
        Ok(changed)
    }

    /// Institutions whose number begins so or whose name holds every word, marks and case aside; in the order of names.
    /// Answers a page and how many there are.
    pub fn institution_search(
        &self,
        ctx: &Ctx,
        words: &str,
        from: usize,
        limit: usize,
    ) -> Result<(Vec<(RegistrationNumber, Arc<str>)>, usize), Problem> {
        ctx.operator()?;
        let words: Vec<String> = words.split_whitespace().map(plain).collect();
        let catalog = self.catalog();
        let mut found: Vec<(String, &RegistrationNumber, &Arc<str>)> = catalog
            .institutions
            .iter()
            .map(|(number, name)| (plain(name), number, name))
            .filter(|(name, number, _)| {
                let fits = |word: &String| {
                    name.contains(word.as_str()) || number.as_str().starts_with(word.as_str())
                };
                words.iter().all(fits)
            })
            .collect();
        found.sort_unstable();
        let of = found.len();
        let page = found.into_iter().skip(from).take(limit);
        let page = page.map(|(_, number, name)| (number.clone(), Arc::clone(name)));
        Ok((page.collect(), of))
    }

    fn put_institution(&self, view: &InstitutionView) {
        self.swap_catalog(|catalog| {
            catalog
                .institutions
                .insert(view.registration_number.clone(), view.name.as_str().into());
        });
    }

    pub async fn system_create(
        &self,
        ctx: &Ctx,
        create: &SystemCreate,
    ) -> Result<Versioned<SystemView>, Problem> {
        ctx.operator()?;
        let _one = self.changing.lock().await;
        Ok(self.registry.system_insert(&ctx.actor(), create).await?)
    }

    pub async fn system_get(&self, ctx: &Ctx, code: &str) -> Result<Versioned<SystemView>, Problem> {
        let own = own(ctx)?;
        self.registry
            .system_get(&SystemCode::new(code))
            .await?
            .filter(|found| own.is_none_or(|own| *own == found.value.institution))
            .ok_or_else(|| unknown("system"))
    }

    pub async fn system_list(
        &self,
        ctx: &Ctx,
        page: ListQuery,
    ) -> Result<Page<Versioned<SystemView>>, Problem> {
        self.system_list_of(ctx, None, page).await
    }

    /// The operator sees all, others those of the institution they act for.
    pub async fn system_list_of(
        &self,
        ctx: &Ctx,
        institution: Option<&RegistrationNumber>,
        page: ListQuery,
    ) -> Result<Page<Versioned<SystemView>>, Problem> {
        let filter = SystemFilter {
            institution: own(ctx)?.or(institution).cloned(),
        };
        Ok(self.registry.system_list(&filter, page.after, page.limit).await?)
    }

    pub async fn system_update(
        &self,
        ctx: &Ctx,
        code: &str,
        patch: &SystemPatch,
        expected: Option<i64>,
    ) -> Result<Versioned<SystemView>, Problem> {
        ctx.operator()?;
        let _one = self.changing.lock().await;
        Ok(self
            .registry
            .system_update(&ctx.actor(), &SystemCode::new(code), patch, expected)
            .await?)
    }

    pub async fn connection_create(
        &self,
        ctx: &Ctx,
        create: &ConnectionCreate,
    ) -> Result<Versioned<ConnectionView>, Problem> {
        ctx.operator_token()?;
        let _one = self.changing.lock().await;
        let made = self.registry.connection_insert(&ctx.actor(), create).await?;
        Ok(self.put_connection(made))
    }

    pub async fn connection_get(
        &self,
        ctx: &Ctx,
        client: &str,
    ) -> Result<Versioned<ConnectionView>, Problem> {
        let own = own(ctx)?;
        self.registry
            .connection_get(&ClientId::new(client))
            .await?
            .filter(|found| own.is_none_or(|own| *own == found.value.institution))
            .ok_or_else(|| unknown("connection"))
    }

    pub async fn connection_list(
        &self,
        ctx: &Ctx,
        page: ListQuery,
    ) -> Result<Page<Versioned<ConnectionView>>, Problem> {
        self.connection_list_of(ctx, None, page).await
    }

    /// The operator sees all, others those of the institution they act for.
    pub async fn connection_list_of(
        &self,
        ctx: &Ctx,
        institution: Option<&RegistrationNumber>,
        page: ListQuery,
    ) -> Result<Page<Versioned<ConnectionView>>, Problem> {
        let filter = ConnectionFilter {
            institution: own(ctx)?.or(institution).cloned(),
            ..ConnectionFilter::default()
        };
        Ok(self
            .registry
            .connection_list(&filter, page.after, page.limit)
            .await?)
    }

    pub async fn connection_update(
        &self,
        ctx: &Ctx,
        client: &str,
        patch: &ConnectionPatch,
        expected: Option<i64>,
    ) -> Result<Versioned<ConnectionView>, Problem> {
        ctx.operator_token()?;
        let _one = self.changing.lock().await;
        let client = ClientId::new(client);
        let changed = self
            .registry
            .connection_update(&ctx.actor(), &client, patch, expected)
            .await?;
        Ok(self.put_connection(changed))
    }

    /// Its tokens end at once.
    pub async fn connection_withdraw(
        &self,
        ctx: &Ctx,
        client: &str,
        reason: &str,
        expected: Option<i64>,
    ) -> Result<Versioned<ConnectionView>, Problem> {
        ctx.operator()?;
        let _one = self.changing.lock().await;
        let client = ClientId::new(client);
        let changed = self
            .registry
            .connection_withdraw(&ctx.actor(), &client, reason, expected)
            .await?;
        Ok(self.put_connection(changed))
    }

    /// Adds the certificates of a PEM text. `true` = at least one was new.
    pub async fn certificate_put(
        &self,
        ctx: &Ctx,
        client: &str,
        pem: &[u8],
    ) -> Result<(Versioned<ConnectionView>, bool), Problem> {
        ctx.operator_token()?;
        let facts = token::read_certificates(pem).map_err(|why| {
            Problem::invalid(vec![dagr_model::fault::Fault::new("body", "certificate", why)])
        })?;
        let _one = self.changing.lock().await;
        let client = ClientId::new(client);
        let mut view = self
            .registry
            .connection_get(&client)
            .await?
            .ok_or_else(|| unknown("connection"))?;
        let mut added = false;
        for facts in facts {
            if view
                .value
                .certificates
                .iter()
                .any(|held| held.sha256 == facts.sha256)
            {
                continue;
            }
            let create = CertificateCreate {
                sha256: facts.sha256,
                pem: facts.pem,
                not_before: facts.not_before,
                not_after: facts.not_after,
                subject: facts.subject,
            };
            view = self
                .registry
                .certificate_insert(&ctx.actor(), &client, &create, None)
                .await?;
            added = true;
        }
        Ok((self.put_connection(view), added))
    }

    /// Tokens already given stay valid.
    pub async fn certificate_delete(
        &self,
        ctx: &Ctx,
        client: &str,
        sha256: &str,
    ) -> Result<Versioned<ConnectionView>, Problem> {
        if ctx.operator().is_err() {
            // Narrowing: a key that got out is shut out at once, by whose it is.
            ctx.acting(KEEPERS)?;
            self.connection_get(ctx, client).await?;
        }
        let _one = self.changing.lock().await;
        let client = ClientId::new(client);
        let changed = self
            .registry
            .certificate_delete(&ctx.actor(), &client, sha256, None)
            .await?;
        Ok(self.put_connection(changed))
    }

    pub(crate) fn put_connection(&self, view: Versioned<ConnectionView>) -> Versioned<ConnectionView> {
        self.swap_catalog(|catalog| catalog.put_connection(&view.value));
        view
    }
}

/// Who looks after the connections of their institution.
pub const KEEPERS: &[Role] = &[Role::Head, Role::TechnicalContact];

/// The institution whose things alone are seen; none: an operator, who sees all.
pub(crate) fn own(ctx: &Ctx) -> Result<Option<&RegistrationNumber>, Problem> {
    match &ctx.caller {
        Caller::Person(_) if ctx.operator().is_err() => {
            ctx.acting(&[]).map(|(_, acting)| Some(&acting.institution))
        }
        _ => ctx.operator().map(|()| None),
    }
}

/// An operator, or somebody of this institution. Others are not told whether there is such a one.
fn reads(ctx: &Ctx, number: &RegistrationNumber) -> Result<(), Problem> {
    match own(ctx)? {
        Some(own) if own != number => Err(unknown("institution")),
        _ => Ok(()),
    }
}

/// Without marks and case, for comparing.
fn plain(text: &str) -> String {
    text.nfd()
        .filter(char::is_ascii)
        .collect::<String>()
        .to_lowercase()
}

pub(crate) fn unknown(what: &str) -> Problem {
    Problem::new(404, "not_found", format!("there is no such {what}"))
}
