//! Proposes definitions and feeds from what a database says of itself: types, keys, comments, what may be empty.
//!
//! A table whose key begins with its reference to another table's key is a list inside that table's records.

use std::collections::BTreeSet;

use dagr_model::definition::Definition;

use crate::{
    error::{Error, Result},
    feed::{Engine, Sql},
    source::sql::survey::{Column, Reference, Table, tables},
};

/// A data set proposed: its name and two texts.
#[derive(Debug, Clone)]
pub struct Proposal {
    pub name: String,
    pub definition: String,
    pub feed: String,
}

/// What cannot be proposed, and why.
pub type Left = (String, String);

/// `prefix`: the provider's abbreviation, which begins every data set's name.
pub async fn propose(sql: &Sql, prefix: &str) -> Result<(Vec<Proposal>, Vec<Left>)> {
    let tables = tables(sql).await?;
    if tables.is_empty() {
        return Err(Error::Source(
            "there are no tables to see; has the user the right to read them?".to_owned(),
        ));
    }
    let mut proposals = Vec::new();
    let mut left = Vec::new();
    for table in &tables {
        if parent(&tables, table).is_some() {
            continue;
        }
        if table.key.is_empty() {
            left.push((
                table.name.clone(),
                "it has no primary key: say in a definition of your own what identifies a record".to_owned(),
            ));
            continue;
        }
        let children: Vec<&Table> = tables
            .iter()
            .filter(|child| {
                parent(&tables, child)
                    .is_some_and(|(parent, _)| parent.name == table.name && parent.schema == table.schema)
            })
            .collect();
        let name = dataset(prefix, &table.name);
        let definition = definition(&name, table, &children);
        // What is proposed must be readable; a field may not be called like a query word, for instance.
        if let Err(faults) = definition.parse::<Definition>() {
            let told: Vec<String> = faults
                .iter()
                .map(|fault| format!("{}: {}", fault.place, fault.message))
                .collect();
            left.push((table.name.clone(), told.join("; ")));
            continue;
        }
        proposals.push(Proposal {
            feed: feed(sql, &name, table, &children),
            name,
            definition,
        });
    }
    Ok((proposals, left))
}

/// The table inside whose records the rows of this one stand.
fn parent<'t>(tables: &'t [Table], child: &Table) -> Option<(&'t Table, Reference)> {
    let inside = |reference: &&Reference| {
        child.key.len() > reference.columns.len()
            && child.key[..reference.columns.len()] == reference.columns[..]
    };
    let reference = child.references.iter().find(inside)?;
    let parent = tables
        .iter()
        .find(|table| table.name == reference.table && table.name != child.name)?;
    let whole = reference.to.is_empty() || reference.to == parent.key;
    // Lists in lists are not proposed.
    let deep = parent.references.iter().any(|above| {
        parent.key.len() > above.columns.len() && parent.key[..above.columns.len()] == above.columns[..]
    });
    (whole && !deep).then(|| {
        (
            parent,
            Reference {
                to: parent.key.clone(),
                ..reference.clone()
            },
        )
    })
}

fn dataset(prefix: &str, table: &str) -> String {
    let plain: String = table
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    format!("{prefix}_{}", plain.trim_matches('_'))
}

fn definition(name: &str, table: &Table, children: &[&Table]) -> String {
    let (first, rest) = table
        .key
        .split_first()
        .map_or((String::new(), &[][..]), |(first, rest)| (first.clone(), rest));
    let key = if rest.is_empty() {
        first
    } else {
        format!("{first}(, {})", rest.join(", "))
    };
    let mut text = format!(
        "name: {name}\nkey: {key}\ndata_description: {}\nfields:\n",
        described(&table.comment, &table.name)
    );
    for column in &table.columns {
        text.push_str(&line(column, table.key.contains(&column.name), "  "));
    }
    for child in children {
        text.push_str(&format!(
            "  - {} * :\n      comments: {}\n      fields:\n",
            child.name,
            described(&child.comment, &child.name)
        ));
        let own = own_columns(child);
        for column in &own {
            text.push_str(&line(column, false, "        "));
        }
    }
    text
}

/// Columns of a child besides those that point to its parent.
fn own_columns(child: &Table) -> Vec<&Column> {
    let inside = child.references.iter().find(|reference| {
        child.key.len() > reference.columns.len()
            && child.key[..reference.columns.len()] == reference.columns[..]
    });
    let pointing: BTreeSet<&String> = inside
        .into_iter()
        .flat_map(|reference| &reference.columns)
        .collect();
    child
        .columns
        .iter()
        .filter(|column| !pointing.contains(&column.name))
        .collect()
}

fn line(column: &Column, key: bool, indent: &str) -> String {
    let ty = ty(&column.ty);
    let required = if !column.nullable && !key && ty != "text" {
        "!"
    } else {
        ""
    };
    let ty = if ty == "text" {
        String::new()
    } else {
        format!(" {ty}{required}")
    };
    format!(
        "{indent}- {}{ty} : {}\n",
        column.name,
        described(&column.comment, &column.name)
    )
}

/// The database's comment on one line, or the name until somebody writes one.
fn described(comment: &str, name: &str) -> String {
    let comment = comment.split_whitespace().collect::<Vec<_>>().join(" ");
    if comment.is_empty() {
        name.to_owned()
    } else {
        format!("\"{}\"", comment.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

fn ty(database: &str) -> &'static str {
    let begins = |words: &[&str]| words.iter().any(|word| database.starts_with(word));
    if database.ends_with("[]") || begins(&["json"]) {
        "json"
    } else if begins(&["tinyint(1)", "bool"]) {
        "bool"
    } else if begins(&["bigint unsigned"]) {
        "decimal"
    } else if begins(&[
        "int",
        "bigint",
        "smallint",
        "mediumint",
        "tinyint",
        "serial",
        "year",
    ]) && !begins(&["interval"])
    {
        "int"
    } else if begins(&["numeric", "decimal", "real", "double", "float", "money"]) {
        "decimal"
    } else if begins(&["timestamp", "datetime"]) {
        "timestamp"
    } else if database == "date" {
        "date"
    } else if database == "uuid" {
        "uuid"
    } else {
        "text"
    }
}

fn feed(sql: &Sql, name: &str, table: &Table, children: &[&Table]) -> String {
    let (kind, address) = match sql.engine {
        Engine::Postgres => ("postgres", "url"),
        Engine::MariaDb => ("mariadb", "url"),
        Engine::Sqlite => ("sqlite", "path"),
    };
    let qualified = |table: &Table| {
        if table.schema.is_empty() {
            table.name.clone()
        } else {
            format!("{}.{}", table.schema, table.name)
        }
    };
    let mut text = format!(
        "# The feed of {name}. `dagr connector check` tries it and sends nothing; `dagr connector run` is the service.\n\
         dataset = \"{name}\"\n# section = \"sandbox\"          # while the data set is tried\n# state = \"{name}.state\"     # what the feed remembers\n\n\
         [server]\nurl = \"https://dagr.example.lv\"    # where DAGR is\nclient_id = \"…\"                   # the producer connection\nkey = {{ file = \"key.pem\" }}         # its private key; or {{ env = \"NAME\" }}\n\n\
         [source]\nkind = \"{kind}\"\n{address} = \"{}\"\n# password = {{ env = \"SOURCE_PASSWORD\" }}\ntable = \"{}\"                      # or query = \"\"\"SELECT …\"\"\"\n",
        sql.url,
        qualified(table)
    );
    if let Some(tls) = &sql.tls {
        let ca = tls
            .ca
            .as_deref()
            .map(|path| format!("ca = \"{}\"\n", path.display()));
        text.push_str("tls = true\n");
        text.push_str(&ca.unwrap_or_default());
    }
    for child in children {
        let reference = child
            .references
            .iter()
            .find(|reference| reference.table == table.name);
        let pairs: Vec<String> = reference
            .map(|reference| {
                reference
                    .columns
                    .iter()
                    .zip(&table.key)
                    .map(|(own, outer)| format!("{own} = \"{outer}\""))
                    .collect()
            })
            .unwrap_or_default();
        let order: Vec<String> = child
            .key
            .iter()
            .skip(pairs.len())
            .map(|name| format!("\"{name}\""))
            .collect();
        text.push_str(&format!(
            "\n[[source.lists]]                 # rows of {0} inside the record\nfield = \"{0}\"\ntable = \"{1}\"\nmatch = {{ {2} }}\norder = [{3}]\n",
            child.name,
            qualified(child),
            pairs.join(", "),
            order.join(", ")
        ));
    }
    text.push_str("\n# [source.follow]                # changes as they are committed, instead of comparing on schedule only\n# every = \"200ms\"\n");
    text.push_str(
        "\n# [map]                          # a field is filled by the column of its name; else:\n# Field = \"column\"\n# Field = { column = \"st\", codes = { \"1\" = \"alive\" } }\n# drop = [\"column nobody wants\"]\n\n\
         # [schedule]\n# compare = \"15m\"                # everything, against what was sent\n# reconcile = \"24h\"              # what was sent, against the server's digest\n",
    );
    text
}
