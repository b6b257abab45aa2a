//! The whole description: the fixed part, then each data set in each section.

use std::collections::BTreeMap;

use dagr_app::catalog::Catalog;
use dagr_model::ids::Section;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::{
    calls,
    codes::CODES,
    dataset::SetCalls,
    names::Names,
    operation::{Paths, schema_ref},
    schemas,
};

/// Statuses that only problems have.
const PROBLEMS: [(u16, &str); 13] = [
    (400, "The request cannot be read as it is."),
    (401, "No valid token."),
    (403, "Not allowed."),
    (404, "Not there."),
    (405, "No such method."),
    (409, "Not possible in the present state."),
    (410, "The cursor is no longer valid."),
    (412, "Changed in the meantime."),
    (413, "Too large."),
    (415, "Another media type is wanted."),
    (422, "Readable, but wrong."),
    (429, "Too many."),
    (500, "An unforeseen fault."),
];

const TAGS: [(&str, &str); 6] = [
    ("tokens", "Signing in."),
    ("documents", "What there is."),
    ("intake", "For providers."),
    ("sandbox", "The intake of data sets that are being tried."),
    ("registry", "Administration."),
    ("evidence", "Who got what; who changed what."),
];

/// What does not depend on the data sets: the document that is kept with the sources.
#[cfg(test)]
pub(super) fn fixed() -> Value {
    let mut names = Names::default();
    let (paths, schemas) = fixed_parts(&mut names);
    assemble("/", paths, schemas, Vec::new())
}

/// The description of this installation.
pub(super) fn of_catalog(catalog: &Catalog, public_url: &str, day: Date) -> Value {
    let lists = |list: &str| catalog.code_list(list, day).cloned();
    let mut names = Names::default();
    let (mut paths, mut schemas) = fixed_parts(&mut names);
    let mut tags = Vec::new();
    let sets: BTreeMap<&str, _> = catalog
        .datasets
        .iter()
        .map(|(name, set)| (name.as_str(), set))
        .collect();
    for section in [Section::Main, Section::Sandbox] {
        for live in sets.values().filter_map(|set| set.section(section)) {
            let set = SetCalls::new(
                live.definition(),
                section,
                &lists,
                &mut names,
                &mut paths,
                &mut schemas,
            );
            tags.push(set.tag());
            set.add();
        }
    }
    assemble(public_url.trim_end_matches('/'), paths, schemas, tags)
}

/// Takes the names of the fixed part, so that no data set gets them.
fn fixed_parts(names: &mut Names) -> (Paths, Map<String, Value>) {
    let (paths, schemas) = (calls::fixed(), schemas::fixed());
    for (tag, _) in TAGS {
        names.tag(tag);
    }
    for name in schemas.keys() {
        names.schema(name);
    }
    for operation in paths
        .0
        .values()
        .filter_map(Value::as_object)
        .flat_map(Map::values)
    {
        if let Some(id) = operation["operationId"].as_str() {
            names.operation(id);
        }
    }
    (paths, schemas)
}

fn assemble(server: &str, paths: Paths, schemas: Map<String, Value>, tags: Vec<Value>) -> Value {
    let fixed = TAGS
        .iter()
        .map(|(name, text)| json!({ "name": name, "description": text }));
    let all: Vec<Value> = fixed.chain(tags).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "DAGR",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Data of the state, given under permissions. `/api` tells the same to people.",
        },
        "servers": [{ "url": server }],
        "tags": all,
        "paths": paths.0,
        "components": {
            "schemas": schemas,
            "responses": responses(),
            "parameters": parameters(),
            "headers": headers(),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "Access token of a connection: POST /token." },
                "operator": { "type": "http", "scheme": "bearer", "description": "The operator's token." },
                "session": { "type": "http", "scheme": "bearer", "description": "A person's session, acting for one institution." },
            },
        },
    })
}

fn responses() -> Value {
    let problem = |status: u16, description: &str| {
        let codes: Vec<&str> = CODES
            .iter()
            .filter(|code| code.status == status)
            .map(|code| code.code)
            .collect();
        let mut headers = json!({ "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" } });
        if matches!(status, 409 | 429 | 503) {
            headers["Retry-After"] = json!({ "$ref": "#/components/headers/Retry-After" });
        }
        json!({
            "description": format!("{description} Codes: {}.", codes.join(", ")),
            "headers": headers,
            "content": { "application/problem+json": { "schema": schema_ref("Problem") } },
        })
    };
    let known = PROBLEMS.into_iter().chain([(503, "Not now.")]);
    known
        .map(|(status, text)| (format!("Problem{status}"), problem(status, text)))
        .collect::<Map<_, _>>()
        .into()
}

fn parameters() -> Value {
    let query = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "description": description, "schema": schema });
    let printable = json!({ "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$" });
    let number = json!({ "type": "string", "pattern": "^[0-9]{1,19}$" });
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": 10_000, "default": 100 });
    let wait = json!({ "type": "integer", "minimum": 0, "maximum": 60, "default": 0 });
    let fields = json!({ "type": "array", "items": schemas::text(), "minItems": 1 });
    let mut fields = query("fields", "Narrows to these fields; `A,B.C`.", fields);
    fields["style"] = json!("form");
    fields["explode"] = json!(false);
    let mut permission = header("X-DAGR-Permission", "Number of your permission.", number);
    permission["required"] = json!(true);
    json!({
        "RequestId": header("X-Request-Id", "Your id of the request; it is answered and logged.", printable),
        "Permission": permission,
        "Case": header("X-DAGR-Case", "Number of your case, where the permission asks for it.", schemas::text()),
        "IfMatch": header("If-Match", "Change only this version.", json!({ "type": "string", "examples": ["\"1\""] })),
        "IfNoneMatch": header("If-None-Match", "`ETag` of what you have.", schemas::text()),
        "Fields": fields,
        "Limit": query("limit", "Items of a page.", limit),
        "After": query("after", "`next` of the page before.", schemas::text()),
        "Wait": query("wait", "Seconds to wait for something visible.", wait),
    })
}

fn headers() -> Value {
    let header = |description: &str| json!({ "description": description, "schema": schemas::text() });
    json!({
        "X-Request-Id": header("The request's id."),
        "ETag": header("Version of what is answered."),
        "Location": header("Where the new thing is."),
        "Repr-Digest": header("SHA-256 of the whole file (RFC 9530)."),
        "Retry-After": { "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 0 } },
    })
}
