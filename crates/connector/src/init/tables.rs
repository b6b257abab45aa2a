//! Proposes definitions and feeds from what a database says of itself: types, keys, comments, what may be empty.
//!
//! A table whose key begins with its reference to another table's key is a list inside that table's records.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{Left, MAP, Proposal, SCHEDULE, absolute, begins, dataset, described, key, readable};
use crate::{
    error::{Error, Result},
    feed::{Engine, Secret, Sql},
    source::sql::survey::{Column, Reference, Table, tables},
};

/// `prefix`: the provider's abbreviation, which begins every data set's name.
pub async fn propose(sql: &Sql, prefix: &str) -> Result<(Vec<Proposal>, Vec<Left>)> {
    let tables = tables(sql).await?;
    if tables.is_empty() {
        return Err(Error::Source(
            "there are no tables to see; has the user the right to read them?".to_owned(),
        ));
    }
    Ok(proposals(sql, prefix, &tables))
}

fn proposals(sql: &Sql, prefix: &str, tables: &[Table]) -> (Vec<Proposal>, Vec<Left>) {
    let mut proposals = Vec::new();
    let mut left = Vec::new();
    let own: Vec<&Table> = tables
        .iter()
        .filter(|table| parent(tables, table).is_none())
        .collect();
    let mut alike = BTreeMap::<String, usize>::new();
    for table in &own {
        *alike.entry(dataset(prefix, &table.name)).or_default() += 1;
    }
    let mut names = BTreeSet::new();
    for table in own {
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
                parent(tables, child)
                    .is_some_and(|(parent, _)| parent.name == table.name && parent.schema == table.schema)
            })
            .collect();
        let mut name = dataset(prefix, &table.name);
        if alike.get(&name).is_some_and(|tables| *tables > 1) {
            name = dataset(prefix, &qualified(table));
        }
        if !names.insert(name.clone()) {
            left.push((
                qualified(table),
                format!("another table is proposed as {name} already"),
            ));
            continue;
        }
        let definition = definition(&name, table, &children);
        // A field may not be called like a query word, for instance.
        if let Err(faults) = readable(&definition) {
            left.push((table.name.clone(), faults));
            continue;
        }
        if let Some(why) = local_moments(table, &children) {
            left.push((table.name.clone(), why));
        }
        proposals.push(Proposal {
            feed: feed(sql, &name, table, &children),
            name,
            definition,
        });
    }
    (proposals, left)
}

/// Columns that hold what some clock showed.
fn local_moments(table: &Table, children: &[&Table]) -> Option<String> {
    let is_local = |column: &&Column| {
        let ty = column.ty.to_lowercase();
        ty.starts_with("datetime") || ty.contains("without time zone") && ty.starts_with("timestamp")
    };
    let columns = std::iter::once(table)
        .chain(children.iter().copied())
        .flat_map(|table| table.columns.iter().filter(is_local));
    let names: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} hold moments without a time zone: they are read as UTC, unless `timezone: Europe/Riga` stands in the definition",
            names.join(", ")
        )
    })
}

/// The reference that the key begins with, and goes on after.
fn inside(table: &Table) -> Option<&Reference> {
    table.references.iter().find(|reference| {
        table.key.len() > reference.columns.len()
            && table.key[..reference.columns.len()] == reference.columns[..]
    })
}

/// With its schema, where there are such.
fn qualified(table: &Table) -> String {
    if table.schema.is_empty() {
        table.name.clone()
    } else {
        format!("{}.{}", table.schema, table.name)
    }
}

/// The table inside whose records the rows of this one stand.
fn parent<'t>(tables: &'t [Table], child: &Table) -> Option<(&'t Table, Reference)> {
    let reference = inside(child)?;
    let named = || {
        tables
            .iter()
            .filter(|table| table.name == reference.table && table.name != child.name)
    };
    let near = named().find(|table| table.schema == child.schema);
    let parent = near.or_else(|| named().next())?;
    let whole = reference.to.is_empty() || reference.to == parent.key;
    // Lists in lists are not proposed.
    (whole && inside(parent).is_none()).then(|| {
        (
            parent,
            Reference {
                to: parent.key.clone(),
                ..reference.clone()
            },
        )
    })
}

fn definition(name: &str, table: &Table, children: &[&Table]) -> String {
    let mut text = format!(
        "name: {name}\nkey: {}\ndata_description: {}\nfields:\n",
        key(&table.key),
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
    let pointing: BTreeSet<&String> = inside(child)
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

fn ty(database: &str) -> &'static str {
    let begins = |words: &[&str]| words.iter().any(|word| database.starts_with(word));
    if database.ends_with("[]") || begins(&["json"]) {
        "json"
    } else if database.contains("range") || begins(&["interval"]) {
        "text"
    } else if begins(&["tinyint(1)", "bool"]) || database == "bit(1)" {
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
    ]) {
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
    let url = match sql.engine {
        Engine::Sqlite => absolute(Path::new(&sql.url)),
        _ => sql.url.clone(),
    };
    let password = match &sql.password {
        Some(Secret::Env(name)) => format!("password = {{ env = \"{name}\" }}"),
        Some(Secret::File(path)) => format!("password = {{ file = \"{}\" }}", absolute(path)),
        None => "# password = { env = \"SOURCE_PASSWORD\" }".to_owned(),
    };
    let mut text = begins(name);
    text.push_str(&format!(
        "\n[source]\nkind = \"{kind}\"\n{address} = \"{url}\"\n{password}\ntable = \"{}\"                      # or query = \"\"\"SELECT …\"\"\"\n",
        qualified(table)
    ));
    if let Some(tls) = &sql.tls {
        let ca = tls
            .ca
            .as_deref()
            .map(|path| format!("ca = \"{}\"\n", absolute(path)));
        text.push_str("tls = true\n");
        text.push_str(&ca.unwrap_or_default());
    }
    for child in children {
        let pairs: Vec<String> = inside(child)
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
        "\n# [map]                          # a field is filled by the column of its name; else:\n",
    );
    text.push_str(MAP);
    text.push_str("# drop = [\"column nobody wants\"]\n");
    text.push_str(SCHEDULE);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        feed::{Feed, Source, Tls},
        source::sql::survey::Column,
    };

    fn table(name: &str, columns: &[&str], key: usize, references: &[(&[&str], &str)]) -> Table {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (schema, name) = name.split_once('.').unwrap();
        let column = |name: &&str| Column {
            name: (*name).to_owned(),
            ty: "integer".to_owned(),
            ..Column::default()
        };
        Table {
            schema: schema.to_owned(),
            name: name.to_owned(),
            columns: columns.iter().map(column).collect(),
            key: names(&columns[..key]),
            references: references
                .iter()
                .map(|(columns, table)| Reference {
                    columns: names(columns),
                    table: (*table).to_owned(),
                    to: Vec::new(),
                })
                .collect(),
            ..Table::default()
        }
    }

    #[test]
    fn tables_of_one_name_are_told_apart_by_their_schemas() {
        let sql = Sql::plain("postgres://db/x", None, None).unwrap();
        let tables = [
            table("a.car", &["id", "plate"], 1, &[]),
            table(
                "a.owner",
                &["car_id", "n", "seller"],
                2,
                &[(&["seller"], "car"), (&["car_id"], "car")],
            ),
            table("b.car", &["id", "plate"], 1, &[]),
            table("b.owner", &["car_id", "n"], 2, &[(&["car_id"], "car")]),
            table("b.Van-1", &["id"], 1, &[]),
            table("b.van_1", &["id"], 1, &[]),
        ];
        let (proposals, left) = proposals(&sql, "ta", &tables);
        let names: Vec<&str> = proposals.iter().map(|proposal| proposal.name.as_str()).collect();
        assert_eq!(names, ["ta_a_car", "ta_b_car", "ta_b_van_1"]);
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].0, "b.van_1");
        // Each with its own list, by the reference that is in the list's key.
        assert!(
            proposals[0]
                .feed
                .contains("table = \"a.owner\"\nmatch = { car_id = \"id\" }\norder = [\"n\"]")
        );
        assert!(proposals[0].definition.contains("- seller int! : seller"));
        assert!(proposals[1].feed.contains("table = \"b.owner\""));
    }

    #[test]
    fn paths_hold_from_wherever_the_feed_stands() {
        let tls = Tls {
            ca: Some("ca.pem".into()),
        };
        let tables = [table("a.car", &["id"], 1, &[])];
        let of = |address: &str| {
            let sql = Sql::plain(address, None, Some(tls.clone())).unwrap();
            proposals(&sql, "ta", &tables).0.remove(0).feed
        };
        let here = std::env::current_dir().unwrap();
        let text = of("cars.db")
            .replace("tls = true\n", "")
            .replace("ca = ", "# ca = ");
        let feed = Feed::parse(&text, Path::new("/elsewhere")).unwrap();
        let Source::Sql(sql) = feed.source else {
            unreachable!()
        };
        assert_eq!(Path::new(&sql.url), here.join("cars.db"));
        let feed = Feed::parse(&of("postgres://db/x"), Path::new("/elsewhere")).unwrap();
        let Source::Sql(sql) = feed.source else {
            unreachable!()
        };
        assert_eq!(sql.tls.unwrap().ca.unwrap(), here.join("ca.pem"));
    }

    #[test]
    fn ranges_and_intervals_are_texts() {
        for database in [
            "int4range",
            "int8multirange",
            "interval",
            "numrange",
            "tstzrange",
            "interval day to second",
        ] {
            assert_eq!(ty(database), "text", "{database}");
        }
        assert_eq!((ty("int(11)"), ty("integer")), ("int", "int"));
    }
}
