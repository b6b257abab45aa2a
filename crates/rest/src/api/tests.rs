use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use dagr_app::{
    catalog::{Catalog, Dataset},
    classifier::InForce,
    problem::ProblemCode,
    set::{LiveSet, SetRuntime},
    views::{Classifier, ClassifierKept, VersionKept},
};
use dagr_model::{
    definition::Definition,
    ids::{DatasetName, RegistrationNumber, Section},
    schema::Schema,
};
use serde_json::Value;

use super::{codes::CODES, document, html};

const PETS: &str = "name: bss_pet_report
key: Code(, Year, Id)
subject: Code
data_description: Mājdzīvnieki <b>& citi</b>
indexes: [Surname, [Name, Year]]
history: true
changes: [{name: died, when: \"new.Status == 'X'\"}]
fields:
  - Id : Pārskata identifikators
  - Code person_code : Personas kods
  - Name : Vārds
  - Surname : Uzvārds
  - Year int : Gads
  - Weight decimal : Svars
  - Status code(STAVOKLIS) : Statuss
  - Place point : Vieta
  - Raw json : Viss
  - Pets * :
      comments : Mājdzīvnieku saraksts
      fields:
        - Species : Suga
        - Age int : Vecums
";

const RUNWAYS: &str = "name: runways
key: Mark
classification: open
data_description: Skrejceļi
public: {filename: runways.csv}
fields:
  - Mark : Zīme
  - Length decimal : Garums
";

const DAY: jiff::civil::Date = jiff::civil::date(2026, 1, 1);

fn live(text: &str, section: Section) -> Arc<LiveSet> {
    let definition: Definition = text.parse().unwrap();
    let name = definition.name.clone();
    let schema = Arc::new(Schema::compile(Arc::new(definition), None));
    Arc::new(LiveSet {
        name: name.clone(),
        section,
        provider: RegistrationNumber::new("40000000001"),
        version: 1,
        set_at: jiff::Timestamp::UNIX_EPOCH,
        epoch: 1,
        schema,
        indexes: Vec::new(),
        changes: Vec::new(),
        open_grant: None,
        runtime: Arc::new(SetRuntime::new(section, &name)),
    })
}

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for text in [PETS, RUNWAYS] {
        let main = live(text, Section::Main);
        let dataset = Dataset {
            name: main.name.clone(),
            provider: main.provider.clone(),
            sandbox: (text == PETS).then(|| live(text, Section::Sandbox)),
            main: Some(main),
            replaced_by: None,
        };
        catalog.datasets.insert(dataset.name.clone(), Arc::new(dataset));
    }
    catalog
}

fn sample() -> Value {
    document::of_catalog(&catalog(), "http://127.0.0.1:8480/", DAY)
}

/// `(method, path, operation)` of a document.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let item = item.as_object().unwrap();
            item.iter()
                .map(move |(method, call)| (method.as_str(), path.as_str(), call))
        })
        .collect()
}

fn id(operation: &Value) -> &str {
    operation["operationId"].as_str().unwrap()
}

#[test]
fn operation_ids_are_unique() {
    let document = sample();
    let mut seen = BTreeSet::new();
    for (_, path, operation) in operations(&document) {
        assert!(
            seen.insert(id(operation).to_lowercase()),
            "{path}: {}",
            id(operation)
        );
    }
    for wanted in [
        "package_put",
        "sandbox_package_put",
        "bss_pet_report_record_get",
        "bss_pet_report_record_list_of_code",
        "bss_pet_report_record_list_of_code_year",
        "bss_pet_report_died_event_list",
        "sandbox_bss_pet_report_change_list",
        "runways_file_get",
    ] {
        assert!(seen.contains(wanted), "{wanted}");
    }
}

#[test]
fn names_that_differ_only_in_form_stay_apart() {
    let mut catalog = Catalog::default();
    for name in ["a_b", "ab", "intake", "package"] {
        let text = RUNWAYS.replace("runways\n", &format!("{name}\n"));
        let main = live(&text, Section::Main);
        let dataset = Dataset {
            name: DatasetName::new(name),
            provider: main.provider.clone(),
            main: Some(main),
            sandbox: None,
            replaced_by: None,
        };
        catalog.datasets.insert(dataset.name.clone(), Arc::new(dataset));
    }
    let document = document::of_catalog(&catalog, "http://h", DAY);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let lower: BTreeSet<String> = schemas.keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(lower.len(), schemas.len());
    let tags: Vec<&str> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    assert_eq!(tags.iter().collect::<BTreeSet<_>>().len(), tags.len());
    all_references_resolve(&document, &document);
}

fn all_references_resolve(document: &Value, value: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get("$ref") {
                let pointer = target.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{target}");
            }
            members
                .values()
                .for_each(|member| all_references_resolve(document, member));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| all_references_resolve(document, item)),
        _ => {}
    }
}

#[test]
fn every_reference_resolves() {
    let document = sample();
    all_references_resolve(&document, &document);
}

#[test]
fn path_parameters_are_those_of_the_path() {
    let document = sample();
    for (_, path, operation) in operations(&document) {
        let wanted: BTreeSet<&str> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let parameters = operation["parameters"].as_array().unwrap();
        let given: BTreeSet<&str> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(given, wanted, "{path}");
    }
}

#[test]
fn what_needs_no_token_is_listed() {
    let document = sample();
    let open: Vec<&str> = operations(&document)
        .into_iter()
        .filter(|(_, _, operation)| operation["security"] == serde_json::json!([]))
        .map(|(_, _, operation)| id(operation))
        .collect();
    let known = [
        "token_create",
        "server_metadata",
        "jwks",
        "service_list",
        "catalogue_turtle",
        "catalogue_json_ld",
        "catalogue_rdf",
        "page",
        "openapi",
        "classifier_list",
        "classifier_get",
        "classifier_version_list",
        "classifier_version_get",
        "classifier_value_list",
        "classifier_value_export",
        "runways_record_get",
        "runways_record_list",
        "runways_lookup",
        "runways_definition_get",
        "runways_change_list",
        "runways_digest",
        "runways_file_get",
    ];
    assert_eq!(open, known);
}

#[test]
fn fields_keep_their_types() {
    let document = sample();
    let record = &document["components"]["schemas"]["BssPetReportRecord"];
    let member = |name: &str| record["properties"][name].clone();
    assert_eq!(member("Year")["format"], "int64");
    assert_eq!(member("Weight")["type"], "number");
    assert_eq!(member("Code")["pattern"], "^[0-9]{6}-?[0-9]{5}$");
    assert_eq!(member("Status")["description"], "Statuss Classifier: STAVOKLIS.");
    assert_eq!(member("Status")["type"], "string");
    assert_eq!(
        member("Pets")["items"]["$ref"],
        "#/components/schemas/BssPetReportRecordPets"
    );
    assert_eq!(member("Place")["type"], "object");
    let get = &document["paths"]["/data/bss_pet_report/records/{Code}/{Year}/{Id}"]["get"];
    assert_eq!(get["security"], serde_json::json!([{ "token": [] }]));
    for status in ["200", "304", "400", "401", "403", "404", "429", "500", "503"] {
        assert!(!get["responses"][status].is_null(), "{status}");
    }
}

fn listed(count: usize) -> Value {
    let values = (0..count).map(|code| serde_json::json!({ "code": code.to_string(), "name": "Stāvoklis" }));
    let kept = ClassifierKept {
        classifier: Classifier {
            id: "STAVOKLIS".into(),
            title: "Stāvokļi".into(),
            title_en: None,
            description: None,
            keeper: RegistrationNumber::new("40000000001"),
            url: None,
        },
        versions: vec![VersionKept {
            number: 1,
            valid_from: DAY,
            values: values
                .map(|value| serde_json::from_value(value).unwrap())
                .collect(),
        }],
    };
    let mut catalog = catalog();
    catalog
        .classifiers
        .insert("STAVOKLIS".into(), Arc::new(InForce::of(kept)));
    let document = document::of_catalog(&catalog, "http://h", DAY);
    document["components"]["schemas"]["BssPetReportRecord"]["properties"]["Status"].clone()
}

#[test]
fn a_short_list_is_told_code_by_code() {
    let two = listed(2);
    assert_eq!(two["anyOf"][0]["enum"], serde_json::json!(["0", "1"]));
    assert_eq!(two["description"], "Statuss Classifier: STAVOKLIS.");
    assert_eq!(listed(100)["anyOf"][0]["enum"].as_array().unwrap().len(), 100);
    assert!(listed(101)["anyOf"].is_null());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_kept_document_is_current() {
    let path = root().join("api/openapi.json");
    let mut text = serde_json::to_string_pretty(&document::fixed()).unwrap();
    text.push('\n');
    if std::env::var_os("DAGR_REWRITE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "api/openapi.json is not current; DAGR_REWRITE=1 writes it"
    );
}

/// `(method, path, handler)` as the text of `routes.rs` has them.
fn routes() -> Vec<(String, String, String)> {
    let text = include_str!("../routes.rs");
    let mut found = Vec::new();
    for piece in text.split(".route(").skip(1) {
        // The call's own words, on however many lines.
        let mut depth = 1;
        let end = piece.find(|character| {
            depth += match character {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        let (_, call) = piece[..end.unwrap()].split_once('"').unwrap();
        let (path, rest) = call.split_once('"').unwrap();
        for method in ["get", "put", "post", "patch", "delete"] {
            let Some((_, after)) = rest.split_once(&format!("{method}(")) else {
                continue;
            };
            let handler = after.split(')').next().unwrap().to_owned();
            let prefixes: &[&str] = match handler.split("::").next().unwrap() {
                "data" if path.starts_with("/{set}") => &["/data", "/sandbox"],
                "intake" => &["/intake/{set}", "/sandbox/{set}/intake"],
                "data" | "public" | "token" | "api" | "catalogue" => &[""],
                _ => &["/registry"],
            };
            for prefix in prefixes {
                found.push((method.to_owned(), format!("{prefix}{path}"), handler.clone()));
            }
        }
    }
    found
}

fn matches(route: &str, path: &str) -> bool {
    let (route, path): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    let open_end = route.last().is_some_and(|last| last.starts_with("{*"));
    let same_length = if open_end {
        path.len() >= route.len()
    } else {
        path.len() == route.len()
    };
    same_length
        && route
            .iter()
            .zip(&path)
            .all(|(route, part)| route.starts_with('{') || route == part)
}

#[test]
fn every_route_is_described() {
    let document = sample();
    let calls = operations(&document);
    let routes = routes();
    assert!(routes.len() > 50, "{}", routes.len());
    // A closing slash is an empty key part: answered, never wanted.
    for (method, route, handler) in routes.iter().filter(|(_, route, _)| !route.ends_with('/')) {
        let found = calls
            .iter()
            .find(|(known, path, _)| known == method && matches(route, path));
        let (_, _, operation) = found.unwrap_or_else(|| panic!("{method} {route} is not described"));
        let name = handler.rsplit("::").next().unwrap();
        let per_set = ["/data/", "/sandbox/{set}/", "/public/"]
            .iter()
            .any(|root| route.starts_with(root));
        if per_set {
            let id = id(operation);
            let known = id.ends_with(name) || id.ends_with("_event_list") || id.contains("_record_list");
            assert!(known, "{id} {name}");
        } else {
            assert_eq!(id(operation), name);
        }
    }
    for (method, path, _) in &calls {
        let served = routes
            .iter()
            .any(|(known, route, _)| known == method && matches(route, path));
        assert!(served, "{method} {path} is described and not served");
    }
}

#[test]
fn every_code_is_explained() {
    let explained: BTreeMap<&str, u16> = CODES.iter().map(|code| (code.code, code.status)).collect();
    assert_eq!(explained.len(), CODES.len());
    for code in ProblemCode::ALL {
        assert_eq!(explained.get(code.as_str()), Some(&code.status()), "{code}");
    }
    for name in ["app", "web", "rest"] {
        codes_of(&root().join("crates").join(name).join("src"), &explained);
    }
}

/// Every `Problem::new(404, "not_found"…` in the sources.
fn codes_of(dir: &Path, explained: &BTreeMap<&str, u16>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            codes_of(&path, explained);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let made = ["Problem::new(", "Self::new("]
            .into_iter()
            .flat_map(|call| text.split(call).skip(1));
        for rest in made {
            let mut words = rest.split(',').map(str::trim);
            let Some(Ok(status)) = words.next().map(str::parse::<u16>) else {
                continue;
            };
            let code = words
                .next()
                .and_then(|word| word.strip_prefix('"')?.strip_suffix('"'));
            if let Some(code) = code {
                assert_eq!(explained.get(code), Some(&status), "{code} in {}", path.display());
            }
        }
    }
}

#[test]
fn the_page_escapes_and_has_every_anchor() {
    let page = html::page(&catalog());
    assert!(!page.contains("<b>&"), "not escaped");
    assert!(page.contains("Mājdzīvnieki &lt;b&gt;&amp; citi&lt;/b&gt;"));
    for anchor in [
        "bss_pet_report",
        "sandbox-bss_pet_report",
        "runways",
        "problem-key_invalid",
        "problem-internal",
    ] {
        assert_eq!(page.matches(&format!("id=\"{anchor}\"")).count(), 1, "{anchor}");
    }
    assert!(page.len() < 100_000, "{}", page.len());
    for part in ["<script", "http://", "https://", "src="] {
        assert!(!page.contains(part), "{part}");
    }
}

#[test]
fn a_known_document_is_not_sent_again() {
    let tagged = super::tagged("x".to_owned());
    let mut headers = http::HeaderMap::new();
    assert_eq!(super::respond(&tagged, "text/plain", &headers).status(), 200);
    headers.insert(http::header::IF_NONE_MATCH, tagged.etag.parse().unwrap());
    assert_eq!(super::respond(&tagged, "text/plain", &headers).status(), 304);
}
