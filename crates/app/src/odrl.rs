//! A permission and the decision behind it as an ODRL 2.2 agreement, in JSON-LD
//! (<https://www.w3.org/TR/odrl-vocab/>). What ODRL has no word for stands under our own prefix and profile.

use dagr_model::{
    application::{Application, Stage},
    clock::riga,
    permission::{Permission, QuotaUnit, Scope},
};
use jiff::{ToSpan as _, civil::Date};
use serde_json::{Value, json};

use crate::{App, ctx::Ctx, problem::Problem};

impl App {
    /// For whoever may see the permission. Dates are instants: a last day ends where the next begins, in Latvia.
    pub async fn permission_odrl(&self, ctx: &Ctx, number: &str) -> Result<Value, Problem> {
        let permission = self.permission_get(ctx, number).await?.value;
        let granted = self.registry.permission_granted_at(&permission.number).await?;
        let applications = self.registry.permission_applications(&permission.number).await?;
        let base = self.settings.public_url.trim_end_matches('/');
        let provider = self.provider_of(&permission);
        let party = |number: &str| {
            let catalog = self.catalog();
            json!({
                "@type": "Party",
                "uid": format!("{base}/catalogue#institution-{number}"),
                "dct:identifier": number,
                "dct:title": catalog.institutions.get(number).map_or("", |name| name),
            })
        };
        let decisions: Vec<Value> = applications.iter().filter_map(decision).collect();
        Ok(json!({
            "@context": ["http://www.w3.org/ns/odrl.jsonld", {
                "dct": "http://purl.org/dc/terms/",
                "dpv": "https://w3id.org/dpv#",
                "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
                "xsd": "http://www.w3.org/2001/XMLSchema#",
                "dagr": format!("{base}/api#"),
            }],
            "@type": "Agreement",
            "uid": format!("{base}/registry/permissions/{}", permission.number),
            "profile": format!("{base}/api#odrl"),
            "dct:identifier": permission.number,
            "dct:issued": granted.map(|at| json!({ "@value": at, "@type": "xsd:dateTime" })),
            "dpv:hasLegalBasis": { "@type": "dpv:LegalBasis", "dct:description": permission.legal_basis },
            "dagr:state": permission.state,
            "dagr:revision": permission.revision,
            "dagr:decision": decisions,
            "assigner": provider.map(|number| party(number.as_str())),
            "assignee": party(permission.recipient.as_str()),
            "permission": [rule(&permission, base)?],
        }))
    }
}

fn rule(permission: &Permission, base: &str) -> Result<Value, Problem> {
    let mut rule = json!({
        "target": {
            "@type": "AssetCollection",
            "source": format!("{base}/catalogue#{}", permission.dataset),
            "refinement": refinements(permission),
        },
        "action": [{
            "rdf:value": { "@id": "odrl:read" },
            "refinement": [constraint("dagr:way", "isAnyOf", json!(permission.ways))],
        }],
        "constraint": constraints(permission)?,
        "duty": [{ "action": "acceptTracking" }],
    });
    if permission.case_required
        && let Some(duties) = rule["duty"].as_array_mut()
    {
        duties.push(json!({ "action": "dagr:stateCase" }));
    }
    Ok(rule)
}

/// What of the set.
fn refinements(permission: &Permission) -> Vec<Value> {
    let section = constraint("dagr:section", "eq", json!(permission.environment));
    let fields = constraint("dagr:field", "isAnyOf", json!(permission.fields));
    let scope = permission.scope.as_ref().map(|scope| match scope {
        // As text: a key of several parts is no single value.
        Scope::Keys(keys) => {
            let keys: Vec<String> = keys.iter().map(|key| json!(key).to_string()).collect();
            constraint("dagr:key", "isAnyOf", json!(keys))
        }
        Scope::When(predicate) => constraint("dagr:predicate", "eq", json!(predicate)),
    });
    [section, fields].into_iter().chain(scope).collect()
}

/// For what, how long, how often.
fn constraints(permission: &Permission) -> Result<Vec<Value>, Problem> {
    let purpose = json!({ "@value": permission.purpose, "@language": "lv" });
    let mut out = vec![constraint("purpose", "eq", purpose)];
    if let Some(from) = permission.valid_from {
        out.push(constraint("dateTime", "gteq", begin_of(from)?));
    }
    if let Some(to) = permission.valid_to {
        let next = to.checked_add(1.day()).map_err(Problem::internal)?;
        out.push(constraint("dateTime", "lt", begin_of(next)?));
    }
    if let Some(quota) = permission.quota {
        let mut count = constraint("count", "lteq", json!(quota));
        count["unit"] = json!(match permission.quota_unit {
            QuotaUnit::Call => "dagr:call",
            QuotaUnit::Record => "dagr:record",
        });
        out.push(count);
    }
    if let Some(rate) = permission.rate_per_second {
        out.push(constraint("dagr:callsPerSecond", "lteq", json!(rate)));
    }
    if let Some(misses) = permission.misses_per_hour {
        out.push(constraint("dagr:missesPerHour", "lteq", json!(misses)));
    }
    Ok(out)
}

fn constraint(left: &str, operator: &str, right: Value) -> Value {
    json!({ "@type": "Constraint", "leftOperand": left, "operator": operator, "rightOperand": right })
}

fn begin_of(day: Date) -> Result<Value, Problem> {
    let begin = day.to_zoned_datetime(riga()).map_err(Problem::internal)?;
    let text = begin.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    Ok(json!({ "@value": text, "@type": "xsd:dateTime" }))
}

/// Who granted it is in the seal, which anybody can verify; the person's name is nobody else's business.
fn decision(application: &Application) -> Option<Value> {
    let Stage::Decided { at, seal, .. } = &application.stage else {
        return None;
    };
    let cited = application.asked.data().map_or(&[][..], |asked| &asked.fields);
    let laws: Vec<Value> = cited
        .iter()
        .filter(|one| application.granted().contains(&one.field))
        .map(|one| json!({ "dagr:field": one.field, "dagr:law": one.law }))
        .collect();
    Some(json!({
        "@type": "dagr:Decision",
        "dct:identifier": application.number,
        "dct:issued": { "@value": at, "@type": "xsd:dateTime" },
        "dagr:seal": seal,
        "dagr:cites": laws,
    }))
}
