//! Calls that are the same in every installation. An operation is named as the handler that answers it.

use serde_json::{Value, json};

use super::{
    operation::{Operation, Paths, Who, path_parameter, query_parameter, schema_ref},
    schemas::{registration_number, technical_name, text, time},
};

mod registry;

const LIST: &[&str] = &["After", "Limit"];

pub(super) fn fixed() -> Paths {
    let mut paths = Paths::default();
    tokens(&mut paths);
    documents(&mut paths);
    intake(&mut paths, "/intake/{set}", "");
    intake(&mut paths, "/sandbox/{set}/intake", "sandbox_");
    registry::actors(&mut paths);
    registry::system_facts(&mut paths);
    registry::templates(&mut paths);
    registry::registered(&mut paths);
    registry::datasets(&mut paths);
    registry::permissions(&mut paths);
    registry::applications(&mut paths);
    registry::life(&mut paths);
    registry::people(&mut paths);
    registry::sessions(&mut paths);
    registry::plans(&mut paths);
    registry::proposals(&mut paths);
    registry::law(&mut paths);
    registry::classifiers(&mut paths);
    registry::evidence(&mut paths);
    registry::backups(&mut paths);
    paths
}

fn tokens(paths: &mut Paths) {
    let form = [("application/x-www-form-urlencoded", schema_ref("TokenRequest"))];
    let call = Operation::new(
        "token_create",
        "tokens",
        Who::Anyone,
        "Sign in: an access token for a signed assertion",
    )
    .body(&form)
    .ok("The token.", schema_ref("Token"))
    .problems(&[400, 401, 403]);
    paths.add("post", "/token", call);
    let call = Operation::new(
        "server_metadata",
        "tokens",
        Who::Anyone,
        "Where tokens are given (RFC 8414)",
    )
    .ok("Metadata.", schema_ref("ServerMetadata"));
    paths.add("get", "/.well-known/oauth-authorization-server", call);
    let call = Operation::new(
        "jwks",
        "tokens",
        Who::Anyone,
        "The key of receipts and access tokens (RFC 7517)",
    )
    .ok("The keys.", schema_ref("KeySet"));
    paths.add("get", "/.well-known/jwks.json", call);
}

fn documents(paths: &mut Paths) {
    let services = json!({ "type": "array", "items": schema_ref("Service") });
    let call = Operation::new(
        "service_list",
        "documents",
        Who::Anyone,
        "Every published data set",
    )
    .ok("The data sets.", services)
    .problems(&[400]);
    paths.add("get", "/service_list", call);
    for (name, extension, media, schema) in [
        ("catalogue_turtle", "ttl", "text/turtle", text()),
        (
            "catalogue_json_ld",
            "jsonld",
            "application/ld+json",
            json!({ "type": "array", "items": { "type": "object" } }),
        ),
        ("catalogue_rdf", "rdf", "application/rdf+xml", text()),
    ] {
        let summary = "The public catalogue as DCAT-AP 3.0";
        let call = Operation::new(name, "documents", Who::Anyone, summary)
            .answer(200, "The graph.", &[(media, schema)], &[])
            .problems(&[400]);
        paths.add("get", &format!("/catalogue.{extension}"), call);
    }
    let usable = json!({ "type": "array", "items": schema_ref("UsablePermission") });
    let call = Operation::new(
        "current_user_permissions",
        "documents",
        Who::Connection,
        "Permissions you may use today",
    )
    .ok("The permissions.", usable)
    .problems(&[400]);
    paths.add("get", "/current_user_permissions", call);
    let call = Operation::new("page", "documents", Who::Anyone, "The interface, for people")
        .parameter(none_match())
        .answer(200, "The page.", &[("text/html", text())], &["ETag"])
        .answer(304, "As you have it.", &[], &["ETag"]);
    paths.add("get", "/api", call);
    let call = Operation::new(
        "openapi",
        "documents",
        Who::Anyone,
        "The interface, for machines: this document",
    )
    .parameter(none_match())
    .answer(
        200,
        "OpenAPI 3.1.",
        &[("application/json", json!({ "type": "object" }))],
        &["ETag"],
    )
    .answer(304, "As you have it.", &[], &["ETag"]);
    paths.add("get", "/api/openapi.json", call);
}

pub(super) fn none_match() -> Value {
    json!({ "$ref": "#/components/parameters/IfNoneMatch" })
}

/// An operation that answers a definition.
pub(super) fn definition_text(call: Operation) -> Operation {
    call.parameter(none_match())
        .answer(
            200,
            "The definition.",
            &[("application/yaml", json!({ "type": "object" }))],
            &["ETag"],
        )
        .answer(304, "As you have it.", &[], &["ETag"])
}

fn set_parameter() -> Value {
    path_parameter(
        "set",
        "Name of the data set.",
        json!({ "type": "string", "minLength": 1, "examples": ["bss_cars"] }),
    )
}

fn package_parameter() -> Value {
    let schema = json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -.0-~]+$" });
    path_parameter(
        "id",
        "The provider's id of the package: printable ASCII without `/`.",
        schema,
    )
}

/// `prefix` keeps the sandbox's twins apart.
fn intake(paths: &mut Paths, root: &str, prefix: &str) {
    let new = |id: &str, summary: &str| {
        let tag = if prefix.is_empty() { "intake" } else { "sandbox" };
        let who = if id == "package_put" {
            Who::Connection
        } else {
            Who::Supplier
        };
        let call = Operation::new(format!("{prefix}{id}"), tag, who, summary);
        call.parameter(set_parameter()).problems(&[400, 404])
    };
    let call = new("package_list", "Packages: those coming in, then the newest")
        .shared(LIST)
        .ok("A page.", schema_ref("PackageList"));
    paths.add("get", &format!("{root}/packages"), call);
    package_put(paths, root, new("package_put", "Deliver a package"));
    let one = format!("{root}/packages/{{id}}");
    let call = new(
        "package_get",
        "One package: progress while open, the receipt afterwards",
    )
    .parameter(package_parameter())
    .ok("The package.", schema_ref("Package"))
    .problems(&[422]);
    paths.add("get", &one, call);
    let call = new("package_confirm", "Apply a held package")
        .parameter(package_parameter())
        .ok("The receipt.", schema_ref("Receipt"))
        .problems(&[409, 422]);
    paths.add("post", &format!("{one}/confirm"), call);
    let call = new("package_reject", "Reject a held package; its id is free again")
        .parameter(package_parameter())
        .ok("The package.", schema_ref("Package"))
        .problems(&[409, 422]);
    paths.add("post", &format!("{one}/reject"), call);
    let call = new("quarantine_list", "Rows that were refused")
        .parameter(query_parameter("package", "Only of this package.", text()))
        .shared(LIST)
        .ok("A page.", schema_ref("QuarantineList"));
    paths.add("get", &format!("{root}/quarantine"), call);
    let call =
        new("set_state", "State of the set, for reconciliation").ok("The state.", schema_ref("SetState"));
    paths.add("get", &format!("{root}/state"), call);
    let call = Operation::new(
        format!("{prefix}set_definition"),
        if prefix.is_empty() { "intake" } else { "sandbox" },
        Who::Connection,
        "The definition of what is delivered: its canonical text",
    )
    .parameter(set_parameter())
    .problems(&[400, 404]);
    paths.add("get", &format!("{root}/definition"), definition_text(call));
    set_digest(paths, root, prefix);
    let call = new("recipient_list", "Who may read this set, what, with last use")
        .shared(LIST)
        .ok("A page.", schema_ref("RecipientList"));
    paths.add("get", &format!("{root}/recipients"), call);
}

fn set_digest(paths: &mut Paths, root: &str, prefix: &str) {
    let call = Operation::new(
        format!("{prefix}set_digest"),
        if prefix.is_empty() { "intake" } else { "sandbox" },
        Who::Connection,
        "Digest of a range of keys, whole and in pieces",
    )
    .describe("Of one moment. Over the whole set it is that of `state`.")
    .parameter(set_parameter())
    .json_body(schema_ref("DigestRange"))
    .ok("The digest.", schema_ref("SetDigest"))
    .problems(&[400, 404, 429]);
    paths.add("post", &format!("{root}/digest"), call);
}

fn package_put(paths: &mut Paths, root: &str, call: Operation) {
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "description": description, "schema": schema });
    let lines = json!({ "type": "string",
        "description": "One operation a line: {\"op\":\"upsert\",\"record\":{…}}, {\"op\":\"delete\",\"key\":{…}} or {\"op\":\"erase\",\"key\":{…}}." });
    let records = json!({ "type": "array", "items": { "type": "object" } });
    let mode = json!({ "type": "string", "enum": ["delta", "snapshot"], "default": "delta" });
    let digest =
        json!({ "type": "string", "examples": ["sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"] });
    let encoding = json!({ "type": "string", "enum": ["identity", "gzip", "zstd"] });
    let call = call
        .describe("The same id with the same body answers the same receipt. All of a package becomes visible at once.")
        .parameter(package_parameter())
        .parameter(query_parameter("mode", "`snapshot` replaces the whole set.", mode))
        .parameter(query_parameter("previous", "Refuse unless this was the last package applied.", text()))
        .parameter(query_parameter("dry_run", "Check and report, apply nothing.", json!({ "type": "boolean" })))
        .parameter(header("Repr-Digest", "SHA-256 of the decoded body (RFC 9530).", digest))
        .parameter(header("Content-Encoding", "How the body is compressed.", encoding))
        .body(&[("application/x-ndjson", lines), ("application/json", records), ("text/csv", text())])
        .ok("The receipt.", schema_ref("Receipt"))
        .answer(
            202,
            "Held: it would remove more records than the guard allows. Confirm or reject it.",
            &[("application/json", schema_ref("HeldPackage"))],
            &[],
        )
        .problems(&[409, 422]);
    paths.add("put", &format!("{root}/packages/{{id}}"), call);
}
