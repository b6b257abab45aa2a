//! What a decider sees side by side: each asked field with its law and its weight, what others hold of the same set,
//! how many records it touches, and what the applicant could join it with.

use std::collections::BTreeSet;

use dagr_model::{
    application::DataAsked,
    clock::riga_date,
    definition::{Classification, Field, Personal, Type},
    ids::{DatasetName, PermissionNumber, RegistrationNumber, Section},
    permission::{Permission, PermissionState, Way},
};
use dagr_store::set::head::Head;
use jiff::civil::Date;
use serde::Serialize;

use crate::{App, catalog::Catalog, ctx::Ctx, problem::Problem, set::LiveSet};

/// Other recipients shown, at most; those that share most fields come first.
const MAX_OTHERS: usize = 50;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    pub dataset: DatasetName,
    pub classification: Classification,
    pub fields: Vec<FieldFacts>,
    /// Leaf fields of the set that were not asked.
    pub not_asked: usize,
    /// Live records of the main section: told to the provider and the operator only.
    pub records: Option<u64>,
    /// The application's scope in a word: `all`, `keys` or `predicate`.
    pub scope: &'static str,
    pub others: Vec<OtherRecipient>,
    /// All of them, shown or not.
    pub others_total: usize,
    pub joinable: Vec<JoinableSet>,
    /// What would change, when it amends a permission.
    pub amends: Option<Amendment>,
    /// The processor's name, when another works on the data.
    pub processor: Option<String>,
    /// Ways that ask for more than single records.
    pub bulk_ways: Vec<Way>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldFacts {
    pub field: String,
    pub law: String,
    pub comments: String,
    #[serde(rename = "type")]
    pub ty: String,
    /// `subject`, `identifying` or `sensitive`.
    pub personal: Option<Personal>,
    pub is_key: bool,
    /// Whether the set still has it.
    pub known: bool,
    /// How many other recipients hold it.
    pub held_by: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OtherRecipient {
    pub permission: PermissionNumber,
    pub recipient: RegistrationNumber,
    pub name: String,
    pub purpose: String,
    pub legal_basis: String,
    pub fields: Vec<String>,
    /// Of the fields asked here.
    pub shared: usize,
}

/// A set the applicant holds already and could lay beside this one, person by person or number by number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JoinableSet {
    pub dataset: DatasetName,
    pub permission: PermissionNumber,
    /// `person_code` or `org_code`.
    pub by: String,
    pub fields: Vec<String>,
}

/// Against the permission as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Amendment {
    pub permission: PermissionNumber,
    pub state: PermissionState,
    pub added: Vec<String>,
    pub removed: Vec<String>,
    pub ways_added: Vec<Way>,
    pub valid_to: Option<Date>,
}

impl App {
    pub async fn application_facts(&self, ctx: &Ctx, number: &str) -> Result<Facts, Problem> {
        let application = self.seen(ctx, number).await?.value;
        let Some(asked) = application.asked.data() else {
            return Err(Problem::new(
                404,
                "not_found",
                "an application for a role asks for no fields",
            ));
        };
        let set = self
            .described(&asked.dataset)
            .ok_or_else(Problem::dataset_unknown)?;
        let is_provider = ctx
            .acting_for()
            .is_some_and(|acting| acting.institution == set.provider);
        let catalog = self.catalog();
        let today = riga_date(ctx.now);
        let mut others: Vec<OtherRecipient> = Vec::new();
        // What others hold is between them and the provider.
        if is_provider || ctx.operator().is_ok() {
            others = others_of(&catalog, today, asked, &application.applicant);
        }
        let records = if is_provider || ctx.operator().is_ok() {
            self.live_records(&asked.dataset)?
        } else {
            None
        };
        let (total, fields) = (others.len(), field_facts(&set, asked, &others));
        others.truncate(MAX_OTHERS);
        let shown: BTreeSet<&str> = asked.fields.iter().map(|one| one.field.as_str()).collect();
        let paths = set.schema.leaf_paths.iter();
        let many = |way: &&Way| matches!(way, Way::Bulk | Way::Changes | Way::List(_) | Way::History);
        Ok(Facts {
            dataset: asked.dataset.clone(),
            classification: set.definition().classification,
            not_asked: paths.filter(|(path, _)| !shown.contains(path.as_str())).count(),
            fields,
            records,
            scope: match &asked.scope {
                None => "all",
                Some(dagr_model::permission::Scope::Keys(_)) => "keys",
                Some(dagr_model::permission::Scope::When(_)) => "predicate",
            },
            others,
            others_total: total,
            joinable: joinable(&catalog, today, &set, asked, &application.applicant),
            amends: amendment(&catalog, asked),
            processor: asked
                .processor
                .as_ref()
                .map(|number| catalog.institution_name(number).to_owned()),
            bulk_ways: asked.ways.iter().filter(many).cloned().collect(),
        })
    }

    /// Of the main section, as its head counts them: no record is read.
    fn live_records(&self, dataset: &DatasetName) -> Result<Option<u64>, Problem> {
        let catalog = self.catalog();
        let Some(set) = catalog.live(Section::Main, dataset.as_str()) else {
            return Ok(None);
        };
        if !set.is_settled() {
            return Ok(None);
        }
        let kv = set.open(&*self.engine)?;
        Ok(Some(Head::read(&*kv.snapshot()?)?.records))
    }
}

fn amendment(catalog: &Catalog, asked: &DataAsked) -> Option<Amendment> {
    let permission = &catalog.permissions.get(asked.amends.as_ref()?)?.permission;
    let wanted: Vec<&str> = asked.fields.iter().map(|one| one.field.as_str()).collect();
    let held = |field: &str| permission.fields.iter().any(|known| known == field);
    let added = wanted.iter().filter(|field| !held(field));
    let removed = permission.fields.iter();
    let ways = asked.ways.iter();
    Some(Amendment {
        added: added.map(|field| (*field).to_owned()).collect(),
        removed: removed
            .filter(|field| !wanted.contains(&field.as_str()))
            .cloned()
            .collect(),
        ways_added: ways
            .filter(|way| !permission.ways.contains(way))
            .cloned()
            .collect(),
        permission: permission.number.clone(),
        state: permission.state,
        valid_to: permission.valid_to,
    })
}

/// Of the main section, and on that day.
fn serves(permission: &Permission, today: Date) -> bool {
    permission.state == PermissionState::Active
        && permission.environment == Section::Main
        && permission.valid_to.is_none_or(|to| today <= to)
}

fn others_of(
    catalog: &Catalog,
    today: Date,
    asked: &DataAsked,
    applicant: &RegistrationNumber,
) -> Vec<OtherRecipient> {
    let wanted: BTreeSet<&str> = asked.fields.iter().map(|one| one.field.as_str()).collect();
    let permissions = catalog.held_for(&asked.dataset).map(|held| &held.permission);
    let mut others: Vec<OtherRecipient> = permissions
        .filter(|permission| serves(permission, today) && permission.recipient != *applicant)
        .map(|permission| OtherRecipient {
            permission: permission.number.clone(),
            recipient: permission.recipient.clone(),
            name: catalog.institution_name(&permission.recipient).to_owned(),
            purpose: permission.purpose.clone(),
            legal_basis: permission.legal_basis.clone(),
            shared: permission
                .fields
                .iter()
                .filter(|field| wanted.contains(field.as_str()))
                .count(),
            fields: permission.fields.clone(),
        })
        .collect();
    others.sort_by(|a, b| {
        let by_shared = b.shared.cmp(&a.shared);
        by_shared.then_with(|| a.permission.cmp(&b.permission))
    });
    others
}

fn field_facts(set: &LiveSet, asked: &DataAsked, others: &[OtherRecipient]) -> Vec<FieldFacts> {
    let definition = set.definition();
    let facts = |one: &dagr_model::application::FieldAsked| {
        let field = described(&definition.fields, &one.field);
        FieldFacts {
            field: one.field.clone(),
            law: one.law.clone(),
            comments: field.map_or_else(String::new, |field| field.comments.clone()),
            ty: field.map_or_else(String::new, |field| field.ty.to_string()),
            personal: field.and_then(|field| field.personal),
            is_key: definition.key.fields().any(|key| key == one.field),
            known: field.is_some(),
            held_by: others
                .iter()
                .filter(|other| other.fields.contains(&one.field))
                .map(|other| &other.recipient)
                .collect::<BTreeSet<_>>()
                .len(),
        }
    };
    asked.fields.iter().map(facts).collect()
}

fn described<'a>(fields: &'a [Field], path: &str) -> Option<&'a Field> {
    let (name, rest) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    let field = fields.iter().find(|field| field.name == name)?;
    match rest {
        Some(rest) => described(&field.fields, rest),
        None => Some(field),
    }
}

/// By a code that both show.
fn joinable(
    catalog: &Catalog,
    today: Date,
    set: &LiveSet,
    asked: &DataAsked,
    applicant: &RegistrationNumber,
) -> Vec<JoinableSet> {
    let asked: Vec<String> = asked.fields.iter().map(|one| one.field.clone()).collect();
    let wanted = codes(set, &asked);
    let mut found: Vec<JoinableSet> = Vec::new();
    for held in catalog.held_by(applicant) {
        let permission = &held.permission;
        if !serves(permission, today) || permission.dataset == set.name {
            continue;
        }
        let Some(other) = catalog.live(Section::Main, permission.dataset.as_str()) else {
            continue;
        };
        for by in codes(other, &permission.fields).intersection(&wanted) {
            found.push(JoinableSet {
                dataset: permission.dataset.clone(),
                permission: permission.number.clone(),
                by: (*by).to_owned(),
                fields: permission.fields.clone(),
            });
        }
    }
    found.sort_by(|a, b| (&a.dataset, &a.permission, &a.by).cmp(&(&b.dataset, &b.permission, &b.by)));
    found
}

/// Kinds of codes among these fields.
fn codes(set: &LiveSet, fields: &[String]) -> BTreeSet<&'static str> {
    let kind = |path: &String| {
        let node = set.schema.node(path)?;
        match set.schema.nodes[node].ty {
            Type::PersonCode => Some("person_code"),
            Type::OrgCode => Some("org_code"),
            _ => None,
        }
    };
    fields.iter().filter_map(kind).collect()
}
