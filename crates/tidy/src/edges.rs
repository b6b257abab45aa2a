//! Which crate may use which: the table of `docs/ARCHITECTURE.md`.

use std::{collections::BTreeMap, fs};

use toml::Table;

use crate::{none, root};

/// Crate, and what it may use of ours. Surfaces (`rest`) name neither a store nor the registry nor `policy`.
const EDGES: [(&str, &[&str]); 14] = [
    ("model", &[]),
    ("policy", &["model"]),
    ("formats", &["model"]),
    ("store", &["model"]),
    ("store-embedded", &["model", "store"]),
    ("registry", &["model"]),
    ("app", &["model", "policy", "formats", "store", "registry"]),
    ("web", &["model", "app"]),
    ("rest", &["model", "app", "web"]),
    ("oidc", &["model"]),
    ("connector", &["model", "formats"]),
    ("portal", &["model", "app", "web", "oidc"]),
    (
        "server",
        &[
            "model",
            "formats",
            "store",
            "store-embedded",
            "registry",
            "app",
            "web",
            "rest",
            "portal",
            "oidc",
            "connector",
        ],
    ),
    ("tidy", &[]),
];

/// Tests alone may also name the engine.
const IN_TESTS: [&str; 1] = ["store-embedded"];

/// Heavy dependencies, and the only crates that may name them: what keeps pure crates pure.
const ONLY_IN: [(&str, &[&str]); 16] = [
    (
        "tokio",
        &[
            "registry",
            "app",
            "web",
            "rest",
            "oidc",
            "portal",
            "connector",
            "server",
        ],
    ),
    ("axum", &["web", "rest", "portal", "server"]),
    ("axum-server", &["server"]),
    // Nothing calls out but the command line, and a sign-in its provider.
    ("lettre", &["server"]),
    ("reqwest", &["oidc", "connector", "server"]),
    ("sqlx", &["registry"]),
    ("heed", &["store-embedded"]),
    // Sources and replicas.
    ("rusqlite", &["connector"]),
    ("tokio-postgres", &["connector"]),
    ("mysql_async", &["connector"]),
    ("parquet", &["connector"]),
    ("quick-xml", &["connector"]),
    ("zip", &["connector"]),
    ("rustix", &["store", "store-embedded", "app", "server"]),
    ("utoipa", &["rest"]),
    ("clap", &["server"]),
];

fn manifests() -> BTreeMap<String, Table> {
    let crates = fs::read_dir(root().join("crates")).unwrap();
    crates
        .filter_map(|entry| {
            let dir = entry.unwrap();
            let text = fs::read_to_string(dir.path().join("Cargo.toml")).ok()?;
            Some((
                dir.file_name().to_string_lossy().into_owned(),
                text.parse().unwrap(),
            ))
        })
        .collect()
}

fn names<'t>(manifest: &'t Table, section: &str) -> Vec<&'t str> {
    let table = manifest.get(section).and_then(|section| section.as_table());
    table
        .into_iter()
        .flat_map(|table| table.keys().map(String::as_str))
        .collect()
}

#[test]
fn crates_use_only_what_they_may() {
    let mut faults = Vec::new();
    for (name, manifest) in manifests() {
        let Some((_, allowed)) = EDGES.iter().find(|(known, _)| *known == name) else {
            faults.push(format!("crates/{name} stands in no row of EDGES"));
            continue;
        };
        for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
            for dependency in names(&manifest, section) {
                let Some(own) = dependency.strip_prefix("dagr-") else {
                    continue;
                };
                let in_tests = section == "dev-dependencies" && IN_TESTS.contains(&own);
                if !allowed.contains(&own) && !in_tests {
                    faults.push(format!("{name} may not use {own} ({section})"));
                }
            }
        }
    }
    none(faults);
}

#[test]
fn heavy_dependencies_stay_where_they_belong() {
    let mut faults = Vec::new();
    for (name, manifest) in manifests() {
        for dependency in names(&manifest, "dependencies") {
            let rule = ONLY_IN.iter().find(|(heavy, _)| *heavy == dependency);
            if rule.is_some_and(|(_, homes)| !homes.contains(&name.as_str())) {
                faults.push(format!("{name} may not use {dependency}"));
            }
        }
    }
    none(faults);
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let lints = |manifest: &Table| manifest.get("lints")?.get("workspace")?.as_bool();
    let without = manifests()
        .into_iter()
        .filter(|(_, manifest)| lints(manifest) != Some(true));
    none(
        without
            .map(|(name, _)| format!("{name}: [lints] workspace = true is missing"))
            .collect(),
    );
}

#[test]
fn every_row_names_a_crate() {
    let crates = manifests();
    none(
        EDGES
            .iter()
            .filter(|(name, _)| !crates.contains_key(*name))
            .map(|(name, _)| (*name).to_owned())
            .collect(),
    );
}
