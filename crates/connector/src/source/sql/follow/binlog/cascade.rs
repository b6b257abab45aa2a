//! Foreign keys by which a change of one table goes on to rows of another: InnoDB does that below the log, which tells only the
//! first. <https://dev.mysql.com/doc/refman/8.4/en/innodb-and-mysql-replication.html>

use std::collections::{BTreeSet, HashMap};

use mysql_async::{Conn, Row, binlog::row::BinlogRow, prelude::Queryable};

use super::tables::{self, Table, folded, value};
use crate::{
    error::{Error, Result},
    feed::{Engine, Followed, quoted},
    source::sql::mariadb::told,
};

/// A table whose changes go on to followed rows.
#[derive(Debug, Default)]
pub struct Parent {
    /// Of a row that goes.
    deletes: bool,
    /// Of changes of these columns.
    referenced: BTreeSet<usize>,
}

impl Parent {
    /// Does this change go on? `whole`: the rows hold all columns.
    pub fn goes_on(&self, before: Option<&BinlogRow>, after: Option<&BinlogRow>, whole: bool) -> bool {
        match (before, after) {
            (Some(before), Some(after)) => {
                !self.referenced.is_empty()
                    && (!whole
                        || self
                            .referenced
                            .iter()
                            .any(|at| value(before, *at) != value(after, *at)))
            }
            // A row that is new has nothing that refers to it.
            (None, _) => false,
            (Some(_), None) => self.deletes,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct ForeignKey {
    parent: Table,
    /// Of the child, and of the parent.
    columns: Vec<(String, String)>,
    deletes: bool,
    updates: bool,
}

/// Everything from where a change comes to the followed tables unseen.
pub async fn parents(
    conn: &mut Conn,
    followed: &[(Table, &Followed)],
    folds: bool,
) -> Result<HashMap<Table, Parent>> {
    let mut parents: HashMap<Table, Parent> = HashMap::new();
    let mut due: Vec<Table> = followed.iter().map(|(table, _)| table.clone()).collect();
    let mut seen: BTreeSet<Table> = due.iter().cloned().collect();
    while let Some(child) = due.pop() {
        for key in foreign_keys(conn, &child, folds).await? {
            if !is_told(&key, &child, followed) {
                let referenced = referenced(conn, &child, &key).await?;
                let parent = parents.entry(key.parent.clone()).or_default();
                parent.deletes |= key.deletes;
                if key.updates {
                    parent.referenced.extend(referenced);
                }
            }
            if seen.insert(key.parent.clone()) {
                due.push(key.parent);
            }
        }
    }
    Ok(parents)
}

/// The columns of the parent that a foreign key refers to, and its own foreign keys, must be seen.
async fn referenced(conn: &mut Conn, (_, child): &Table, key: &ForeignKey) -> Result<Vec<usize>> {
    let (schema, name) = &key.parent;
    let unseen = || {
        Error::Decide(format!(
            "GRANT SELECT ON {schema}.{name}: its changes go on to rows of {child} by a foreign key, and this user may not see it"
        ))
    };
    let columns = match tables::columns(conn, &key.parent).await {
        Err(Error::Decide(_)) => return Err(unseen()),
        columns => columns?,
    };
    let at = |own: &String| {
        let column = columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(own));
        column.map(|column| column.at).ok_or_else(unseen)
    };
    key.columns.iter().map(|(_, own)| at(own)).collect()
}

/// Those of a table by which something goes on to it. Their rules stand in `SHOW CREATE TABLE`: MariaDB shows them nowhere else to a user
/// who may only read.
async fn foreign_keys(conn: &mut Conn, child: &Table, folds: bool) -> Result<Vec<ForeignKey>> {
    let (schema, name) = child;
    let rows: Vec<(String, String, String, String, String)> = conn
        .exec(
            "SELECT CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME
             FROM information_schema.KEY_COLUMN_USAGE
             WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND REFERENCED_TABLE_NAME IS NOT NULL
             ORDER BY CONSTRAINT_NAME, ORDINAL_POSITION",
            (schema, name),
        )
        .await
        .map_err(told)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let query = format!(
        "SHOW CREATE TABLE {}.{}",
        quoted(Engine::MariaDb, schema),
        quoted(Engine::MariaDb, name)
    );
    let made: Option<Row> = conn.query_first(query).await.map_err(told)?;
    let made: String = made
        .and_then(|row| row.get_opt(1).and_then(std::result::Result::ok))
        .unwrap_or_default();
    let mut keys: Vec<(String, ForeignKey)> = Vec::new();
    for (name, column, of_schema, of_table, of_column) in rows {
        match keys.last_mut() {
            Some((last, key)) if *last == name => key.columns.push((column, of_column)),
            _ => {
                let (deletes, updates) = rules(&made, &name);
                let key = ForeignKey {
                    parent: folded((of_schema, of_table), folds),
                    columns: vec![(column, of_column)],
                    deletes,
                    updates,
                };
                keys.push((name, key));
            }
        }
    }
    let keys = keys.into_iter().map(|(_, key)| key);
    Ok(keys.filter(|key| key.deletes || key.updates).collect())
}

/// Does a deleted row of the parent go on, and a changed key? What cannot be read may.
fn rules(made: &str, name: &str) -> (bool, bool) {
    let is = |quote: char| {
        let doubled = name.replace(quote, &format!("{quote}{quote}"));
        format!("CONSTRAINT {quote}{doubled}{quote} FOREIGN KEY ")
    };
    let (plain, ansi) = (is('`'), is('"'));
    let line = made
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with(&plain) || line.starts_with(&ansi));
    let Some((_, rules)) = line.and_then(|line| line.rsplit_once(')')) else {
        return (true, true);
    };
    let goes_on = |of: &str| {
        rules
            .split_once(of)
            .is_some_and(|(_, rule)| rule.starts_with("CASCADE") || rule.starts_with("SET "))
    };
    (goes_on("ON DELETE "), goes_on("ON UPDATE "))
}

/// Both tables are followed, and the foreign key is what leads from both to the same record: the parent's change tells it.
fn is_told(key: &ForeignKey, child: &Table, followed: &[(Table, &Followed)]) -> bool {
    let of = |place: &Table| -> Vec<&Followed> {
        let tables = followed.iter().filter(|(table, _)| table == place);
        tables.map(|(_, followed)| *followed).collect()
    };
    let (children, parents) = (of(child), of(&key.parent));
    !children.is_empty()
        && children.iter().all(|child| {
            !child.key.is_empty()
                && child.key.iter().all(|(own, outer)| {
                    let mut pairs = key.columns.iter();
                    let pair = pairs.find(|(column, _)| column.eq_ignore_ascii_case(own));
                    pair.is_some_and(|(_, referenced)| {
                        parents.iter().any(|parent| {
                            parent
                                .column(outer)
                                .is_ok_and(|column| column.eq_ignore_ascii_case(referenced))
                        })
                    })
                })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_a_foreign_key_are_read() {
        let made = "CREATE TABLE `a` (\n  `id` int,\n  CONSTRAINT `a_1` FOREIGN KEY (`x`) REFERENCES `b` (`id`),\n  CONSTRAINT `a``2` FOREIGN KEY (`y`, `z`) REFERENCES `b` (`id`, `n`) ON DELETE CASCADE,\n  CONSTRAINT \"a_3\" FOREIGN KEY (\"x\") REFERENCES \"b\" (\"id\") ON DELETE NO ACTION ON UPDATE SET NULL\n) ENGINE=InnoDB COMMENT='CONSTRAINT `a_4` FOREIGN KEY ()'";
        assert_eq!(rules(made, "a_1"), (false, false));
        assert_eq!(rules(made, "a`2"), (true, false));
        assert_eq!(rules(made, "a_3"), (false, true));
        assert_eq!(rules(made, "a_4"), (true, true), "not understood");
    }
}
