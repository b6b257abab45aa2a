//! `/registry`: administration and evidence.

mod application;
mod classifier;
mod life;
mod plan;
mod proposal;
mod register;
mod session;

use serde_json::{Value, json};

pub(super) use application::{applications, people};
pub(super) use classifier::classifiers;
pub(super) use life::life;
pub(super) use plan::plans;
pub(super) use proposal::proposals;
pub(super) use register::{law, registered, system_facts, templates};
pub(super) use session::sessions;

use super::{
    LIST, Operation, Paths, Who, path_parameter, query_parameter, registration_number, schema_ref,
    technical_name, text, time,
};

/// One noun of the registry: its operations share tag, path and view.
struct Noun {
    name: &'static str,
    /// `/registry/institutions`.
    root: &'static str,
    view: &'static str,
    id: Value,
    who: Who,
}

impl Noun {
    /// The same noun, for calls that people of an institution make too.
    fn seen(&self) -> Self {
        Self {
            who: Who::Steward,
            id: self.id.clone(),
            ..*self
        }
    }

    fn call(&self, verb: &str, summary: &str) -> Operation {
        Operation::new(format!("{}_{verb}", self.name), "registry", self.who, summary).problems(&[400])
    }

    fn one(&self, verb: &str, summary: &str) -> Operation {
        self.call(verb, summary)
            .parameter(self.id.clone())
            .problems(&[404])
    }

    /// A change of one thing, guarded by `If-Match`.
    fn change(&self, verb: &str, summary: &str) -> Operation {
        let call = self
            .one(verb, summary)
            .shared(&["IfMatch"])
            .problems(&[409, 412, 422]);
        shown(call, self.view)
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/{{id}}{rest}", self.root)
    }

    fn create(&self, paths: &mut Paths, summary: &str) {
        let call = self
            .call("create", summary)
            .json_body(schema_ref(&format!("{}Create", self.view)));
        paths.add("post", self.root, made(call, self.view).problems(&[409]));
    }

    fn list(&self, paths: &mut Paths, summary: &str) {
        let call = self
            .call("list", summary)
            .shared(LIST)
            .ok("A page.", schema_ref(&format!("{}List", self.view)));
        paths.add("get", self.root, call.problems(&[422]));
    }

    fn get(&self, paths: &mut Paths, summary: &str) {
        paths.add("get", &self.path(""), shown(self.one("get", summary), self.view));
    }

    fn update(&self, paths: &mut Paths, summary: &str) {
        let patch = schema_ref(&format!("{}Patch", self.view));
        let media = [
            ("application/merge-patch+json", patch.clone()),
            ("application/json", patch),
        ];
        paths.add(
            "patch",
            &self.path(""),
            self.change("update", summary).body(&media),
        );
    }
}

fn shown(call: Operation, view: &str) -> Operation {
    call.answer(
        200,
        "As it is now.",
        &[("application/json", schema_ref(view))],
        &["ETag"],
    )
}

fn made(call: Operation, view: &str) -> Operation {
    call.answer(
        201,
        "Made.",
        &[("application/json", schema_ref(view))],
        &["ETag", "Location"],
    )
}

pub(super) fn actors(paths: &mut Paths) {
    let id = |description: &str, schema: Value| path_parameter("id", description, schema);
    let institutions = Noun {
        name: "institution",
        root: "/registry/institutions",
        view: "Institution",
        id: id("Registration number.", registration_number()),
        who: Who::Operator,
    };
    institutions.create(paths, "Register an institution");
    institutions.list(paths, "Institutions");
    institutions
        .seen()
        .get(paths, "One institution; the operator's, or one's own");
    institutions.update(paths, "Change an institution");
    let systems = Noun {
        name: "system",
        root: "/registry/systems",
        view: "System",
        id: id("Code of the system.", technical_name()),
        who: Who::Operator,
    };
    systems.create(paths, "Register an information system");
    systems
        .seen()
        .list(paths, "Information systems; all, or those of one's institution");
    systems.seen().get(paths, "One information system");
    systems.update(paths, "Change an information system");
    connections(paths, id("Client id of the connection.", technical_name()));
}

fn connections(paths: &mut Paths, id: Value) {
    let connections = Noun {
        name: "connection",
        root: "/registry/connections",
        view: "Connection",
        id,
        who: Who::Operator,
    };
    connections.create(paths, "Register a connection");
    connections
        .seen()
        .list(paths, "Connections; all, or those of one's institution");
    connections.seen().get(paths, "One connection");
    connections.update(paths, "Change a connection");
    let call = connections
        .change("withdraw", "Withdraw a connection: its tokens end at once")
        .json_body(schema_ref("Reason"));
    paths.add("post", &connections.path("/withdraw"), call);
    let certificates = Noun {
        name: "certificate",
        ..connections
    };
    let pem = [
        ("application/x-pem-file", text()),
        ("application/pem-certificate-chain", text()),
    ];
    let call = shown(certificates.one("put", "Attach certificates"), "Connection")
        .body(&pem)
        .problems(&[409, 422]);
    paths.add(
        "put",
        &certificates.path("/certificate"),
        made(call, "Connection"),
    );
    let call = certificates
        .seen()
        .one("list", "Certificates of a connection")
        .shared(LIST)
        .ok("All of them.", schema_ref("CertificateList"));
    paths.add("get", &certificates.path("/certificates"), call);
    let sha256 = json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" });
    let call = certificates
        .seen()
        .one("delete", "Remove a certificate; tokens already given stay valid")
        .parameter(path_parameter("sha256", "SHA-256 of the DER, hex.", sha256))
        .problems(&[409, 422]);
    paths.add(
        "delete",
        &certificates.path("/certificates/{sha256}"),
        shown(call, "Connection"),
    );
}

pub(super) fn datasets(paths: &mut Paths) {
    let id = path_parameter(
        "id",
        "Name of the data set.",
        json!({ "type": "string", "minLength": 1 }),
    );
    let datasets = Noun {
        name: "dataset",
        root: "/registry/datasets",
        view: "Dataset",
        id,
        who: Who::Steward,
    };
    datasets.list(paths, "Data sets in both sections");
    datasets.get(paths, "One data set with its definitions");
    let call = datasets
        .one(
            "publish",
            "Sandbox → main: the definition moves, never the records",
        )
        .shared(&["IfMatch"]);
    paths.add(
        "post",
        &datasets.path("/publish"),
        shown(call, "Definition").problems(&[409, 412, 422]),
    );
    let seen = Noun {
        who: Who::Steward,
        id: datasets.id.clone(),
        ..datasets
    };
    let call = previewed(seen.one(
        "preview",
        "Records generated from the definition; none was delivered",
    ))
    .shared(&["Fields"])
    .problems(&[422]);
    paths.add("get", &seen.path("/preview"), call);
    let definitions = Noun {
        name: "definition",
        view: "Definition",
        ..datasets
    };
    let yaml = ["application/yaml", "text/yaml", "application/x-yaml"].map(|media| (media, text()));
    let call = definitions
        .one("put", "Try a definition in the sandbox, which a new text empties")
        .parameter(query_parameter(
            "institution",
            "Provider of a new data set: the operator names it; for a person it is the institution acted for.",
            registration_number(),
        ))
        .parameter(query_parameter(
            "dry_run",
            "Check and report, change nothing.",
            json!({ "type": "boolean" }),
        ))
        .shared(&["IfMatch"])
        .body(&yaml)
        .problems(&[409, 412, 422]);
    paths.add(
        "put",
        &definitions.path("/definition"),
        made(shown(call, "Definition"), "Definition"),
    );
    let section = json!({ "type": "string", "enum": ["main", "sandbox"] });
    let call = definitions
        .one("get", "The definition in force, or of one section")
        .parameter(query_parameter(
            "section",
            "Main if it is published, else the sandbox.",
            section,
        ));
    paths.add("get", &definitions.path("/definition"), shown(call, "Definition"));
}

/// What every preview takes and gives.
fn previewed(call: Operation) -> Operation {
    let records = json!({ "type": "integer", "minimum": 1, "maximum": 20 });
    let seed = json!({ "type": "integer", "format": "int64", "minimum": 0 });
    call.parameter(query_parameter("records", "How many.", records))
        .parameter(query_parameter(
            "seed",
            "The same seed shows the same records.",
            seed,
        ))
        .ok("Marked as generated.", schema_ref("Preview"))
}

pub(super) fn permissions(paths: &mut Paths) {
    let number = json!({ "type": "string", "pattern": "^[0-9]{1,19}$" });
    let id = path_parameter("id", "Number of the permission.", number);
    let permissions = Noun {
        name: "permission",
        root: "/registry/permissions",
        view: "Permission",
        id,
        who: Who::Operator,
    };
    permissions.create(paths, "Grant a permission");
    permissions.update(paths, "Amend a permission");
    let permissions = Noun {
        who: Who::Steward,
        ..permissions
    };
    let filter = |name: &str| query_parameter(name, "Only of this.", text());
    let words = |name: &str, words: &[&str]| {
        query_parameter(name, "Only of this.", json!({ "type": "string", "enum": words }))
    };
    let call = permissions
        .call(
            "list",
            "Permissions; a person sees those of the institution acted for",
        )
        .shared(LIST)
        .parameter(filter("dataset"))
        .parameter(filter("recipient"))
        .parameter(filter("provider"))
        .parameter(words("environment", &["main", "sandbox"]))
        .parameter(words("state", &["active", "suspended", "revoked"]))
        .ok("A page.", schema_ref("PermissionList"));
    paths.add("get", permissions.root, call.problems(&[422]));
    permissions.get(paths, "One permission");
    for (verb, summary) in [
        ("suspend", "Suspend a permission"),
        ("resume", "Resume a suspended permission"),
        ("revoke", "Revoke a permission for good"),
    ] {
        let call = permissions.change(verb, summary).json_body(schema_ref("Reason"));
        paths.add("post", &permissions.path(&format!("/{verb}")), call);
    }
    let call = Operation::new(
        "permission_explain",
        "registry",
        Who::SignedIn,
        "Would the call be allowed now, and why",
    )
    .describe(
        "Reads no record. Holders ask about their own permissions, providers about those on their sets.",
    )
    .parameter(permissions.id.clone())
    .parameter(query_parameter(
        "way",
        "`key`, `index:A`, `changes`, `list:NAME`, `bulk`, `history`.",
        text(),
    ))
    .shared(&["Fields"])
    .parameter(query_parameter(
        "key",
        "Key parts joined with `/`, percent-encoded as in a path.",
        text(),
    ))
    .ok("The decision with its reasons.", schema_ref("Explanation"))
    .problems(&[400, 404]);
    paths.add("get", &permissions.path("/explain"), call);
}

pub(super) fn evidence(paths: &mut Paths) {
    let new = |id: &str, summary: &str| {
        Operation::new(id, "evidence", Who::SignedIn, summary)
            .shared(LIST)
            .problems(&[400])
    };
    let filter = |name: &str| query_parameter(name, "Only of this.", text());
    let from = || query_parameter("from", "From this instant on.", time());
    let to = || query_parameter("to", "Before this instant.", time());
    let call = new(
        "disclosure_list",
        "What was given to whom; reading it is itself entered",
    )
    .parameter(filter("permission"))
    .parameter(filter("recipient"))
    .parameter(filter("dataset"))
    .parameter(from())
    .parameter(to())
    .ok("A page.", schema_ref("DisclosureList"));
    paths.add("get", "/registry/disclosures", call);
    let call = new("disclosure_search", "What was given about one person")
        .json_body(schema_ref("DisclosureSearch"))
        .ok("A page.", schema_ref("DisclosureList"));
    paths.add("post", "/registry/disclosures/search", call);
    let call = Operation::new("disclosure_get", "evidence", Who::SignedIn, "One disclosure")
        .parameter(path_parameter("id", "Id of the disclosure.", text()))
        .ok("The entry.", schema_ref("Disclosure"))
        .problems(&[400, 404]);
    paths.add("get", "/registry/disclosures/{id}", call);
    let call = new("subject_list", "All subjects and keys of one disclosure")
        .parameter(path_parameter("id", "Id of the disclosure.", text()))
        .ok("A page.", schema_ref("SubjectList"))
        .problems(&[404]);
    paths.add("get", "/registry/disclosures/{id}/subjects", call);
    let call = Operation::new(
        "audit_list",
        "evidence",
        Who::Operator,
        "Who changed what, when, from what to what",
    )
    .parameter(filter("actor"))
    .parameter(filter("action"))
    .parameter(filter("object"))
    .parameter(filter("noun"))
    .parameter(from())
    .parameter(to())
    .shared(LIST)
    .ok("A page.", schema_ref("AuditList"))
    .problems(&[400, 422]);
    paths.add("get", "/registry/audit", call);
}

pub(super) fn backups(paths: &mut Paths) {
    let summary = "Begin a copy of everything on the server's machine";
    let call = Operation::new("backup_create", "registry", Who::Operator, summary)
        .json_body(schema_ref("BackupCreate"))
        .answer(
            202,
            "Begun.",
            &[("application/json", schema_ref("Backup"))],
            &["Location"],
        )
        .problems(&[400, 409, 422]);
    paths.add("post", "/registry/backups", call);
    let call = Operation::new("backup_get", "registry", Who::Operator, "How far a backup is")
        .parameter(path_parameter("id", "Id of the backup.", text()))
        .ok("The backup.", schema_ref("Backup"))
        .problems(&[400, 404]);
    paths.add("get", "/registry/backups/{id}", call);
    let call = Operation::new(
        "registry_export",
        "registry",
        Who::Operator,
        "The whole registry, one line a row: for `dagr registry import`. Of the operator token alone",
    )
    .answer(
        200,
        "A head, a line a row in the order of tables and keys, an end that counts them.",
        &[("application/x-ndjson", json!({ "type": "string" }))],
        &[],
    )
    .problems(&[400]);
    paths.add("get", "/registry/export", call);
}
