//! What a database says of its own tables: columns, types, keys, comments.

use mysql_async::prelude::Queryable;
use rusqlite::{Connection, OpenFlags};

use super::{mariadb, postgres};
use crate::{
    error::Result,
    feed::{Engine, Sql},
    source::fault,
};

/// Tables looked at.
const TABLES: usize = 10_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    pub schema: String,
    pub name: String,
    pub comment: String,
    pub columns: Vec<Column>,
    /// Names, in order.
    pub key: Vec<String>,
    pub references: Vec<Reference>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// The database's own name of the type, lower-case.
    pub ty: String,
    pub nullable: bool,
    pub comment: String,
}

/// A foreign key: own columns, and the table and columns they point to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference {
    pub columns: Vec<String>,
    pub table: String,
    pub to: Vec<String>,
}

/// One row: schema, table, its comment, column, type, nullable, column's comment.
type Row = (String, String, String, String, String, bool, String);

pub async fn tables(sql: &Sql) -> Result<Vec<Table>> {
    match sql.engine {
        Engine::Postgres => of_postgres(sql).await,
        Engine::MariaDb => of_mariadb(sql).await,
        Engine::Sqlite => of_sqlite(&sql.url),
    }
}

fn add(tables: &mut Vec<Table>, row: Row) {
    let (schema, name, comment, column, ty, nullable, column_comment) = row;
    if tables
        .last()
        .is_none_or(|last| last.schema != schema || last.name != name)
    {
        if tables.len() >= TABLES {
            return;
        }
        tables.push(Table {
            schema,
            name,
            comment,
            ..Table::default()
        });
    }
    if let Some(table) = tables.last_mut() {
        table.columns.push(Column {
            name: column,
            ty: ty.to_lowercase(),
            nullable,
            comment: column_comment,
        });
    }
}

fn of<'t>(tables: &'t mut [Table], schema: &str, name: &str) -> Option<&'t mut Table> {
    tables
        .iter_mut()
        .find(|table| table.schema == schema && table.name == name)
}

async fn of_postgres(sql: &Sql) -> Result<Vec<Table>> {
    let client = postgres::connect(sql).await?;
    let told = postgres::told;
    let mut tables = Vec::new();
    let columns = "SELECT n.nspname::text, c.relname::text, coalesce(obj_description(c.oid, 'pg_class'), ''), a.attname::text,
        format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, coalesce(col_description(c.oid, a.attnum), '')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND NOT c.relispartition
        AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1, 2, a.attnum";
    for row in client.query(columns, &[]).await.map_err(told)? {
        add(
            &mut tables,
            (
                row.get(0),
                row.get(1),
                row.get(2),
                row.get(3),
                row.get(4),
                row.get(5),
                row.get(6),
            ),
        );
    }
    let keys = "SELECT n.nspname::text, c.relname::text, k.contype::text,
        ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, i) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.n ORDER BY u.i),
        coalesce(f.relname::text, ''),
        ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, i) JOIN pg_attribute a ON a.attrelid = f.oid AND a.attnum = u.n ORDER BY u.i)
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_class f ON f.oid = k.confrelid WHERE k.contype IN ('p', 'f') ORDER BY k.conname";
    for row in client.query(keys, &[]).await.map_err(told)? {
        let Some(table) = of(&mut tables, row.get(0), row.get(1)) else {
            continue;
        };
        if row.get::<_, &str>(2) == "p" {
            table.key = row.get(3);
        } else {
            table.references.push(Reference {
                columns: row.get(3),
                table: row.get(4),
                to: row.get(5),
            });
        }
    }
    Ok(tables)
}

async fn of_mariadb(sql: &Sql) -> Result<Vec<Table>> {
    let mut conn = mariadb::connect(sql).await?;
    let told = mariadb::told;
    let mut tables = Vec::new();
    let columns = "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_COMMENT, c.COLUMN_NAME, c.COLUMN_TYPE, c.IS_NULLABLE = 'YES', c.COLUMN_COMMENT
        FROM information_schema.TABLES t JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME
        WHERE t.TABLE_TYPE = 'BASE TABLE' AND t.TABLE_SCHEMA = DATABASE() ORDER BY 1, 2, c.ORDINAL_POSITION";
    let rows: Vec<Row> = conn.query(columns).await.map_err(told)?;
    for row in rows {
        add(&mut tables, row);
    }
    let keys = "SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, coalesce(REFERENCED_TABLE_NAME, ''), coalesce(REFERENCED_COLUMN_NAME, '')
        FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION";
    let rows: Vec<(String, String, String, String, String, String)> = conn.query(keys).await.map_err(told)?;
    let mut last = (String::new(), String::new());
    for (schema, name, constraint, column, target, to) in rows {
        let Some(table) = of(&mut tables, &schema, &name) else {
            continue;
        };
        if constraint == "PRIMARY" {
            table.key.push(column);
        } else if !target.is_empty() {
            if last != (name.clone(), constraint.clone()) {
                table.references.push(Reference {
                    table: target,
                    ..Reference::default()
                });
                last = (name, constraint);
            }
            if let Some(reference) = table.references.last_mut() {
                reference.columns.push(column);
                reference.to.push(to);
            }
        }
    }
    Ok(tables)
}

fn of_sqlite(path: &str) -> Result<Vec<Table>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(|error| fault(format!("{path}: {error}")))?;
    let mut names = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name")
        .map_err(fault)?;
    let names: Vec<String> = names
        .query_map([], |row| row.get(0))
        .map_err(fault)?
        .collect::<rusqlite::Result<_>>()
        .map_err(fault)?;
    names
        .into_iter()
        .take(TABLES)
        .map(|name| sqlite_table(&db, name).map_err(fault))
        .collect()
}

fn sqlite_table(db: &Connection, name: String) -> rusqlite::Result<Table> {
    let mut table = Table {
        name,
        ..Table::default()
    };
    let mut keys: Vec<(i64, String)> = Vec::new();
    let mut columns = db.prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1)")?;
    let mut rows = columns.query([&table.name])?;
    while let Some(row) = rows.next()? {
        let (column, place): (String, i64) = (row.get(0)?, row.get(3)?);
        if place > 0 {
            keys.push((place, column.clone()));
        }
        table.columns.push(Column {
            name: column,
            ty: row.get::<_, String>(1)?.to_lowercase(),
            nullable: row.get::<_, i64>(2)? == 0 && place == 0,
            comment: String::new(),
        });
    }
    keys.sort();
    table.key = keys.into_iter().map(|(_, name)| name).collect();
    let mut references = db.prepare(
        "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1) ORDER BY id, seq",
    )?;
    let mut rows = references.query([&table.name])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if last != Some(id) {
            table.references.push(Reference {
                table: row.get(1)?,
                ..Reference::default()
            });
            last = Some(id);
        }
        if let Some(reference) = table.references.last_mut() {
            reference.columns.push(row.get(2)?);
            reference.to.extend(row.get::<_, Option<String>>(3)?);
        }
    }
    Ok(table)
}
