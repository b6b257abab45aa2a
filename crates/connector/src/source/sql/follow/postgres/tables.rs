//! The tables that tell of changes: those that are followed, with their partitions and children, each by its number (OID),
//! which a table made anew under the same name does not have.

use std::collections::{BTreeSet, HashMap};

use tokio_postgres::Client;

use crate::{
    error::{Error, Result},
    feed::{Engine, Follow, Followed, quoted_table},
    source::sql::postgres::told,
};

#[derive(Default)]
pub struct Tables {
    pub members: Vec<Member>,
    /// Which of the followed tables a number is of.
    of: HashMap<u32, Vec<usize>>,
    shape: BTreeSet<String>,
}

pub struct Member {
    /// The followed table it is, or is a part of.
    pub followed: usize,
    pub oid: u32,
    /// Schema and name, quoted.
    pub name: String,
    /// Holds rows itself: it is no partitioned table.
    pub has_rows: bool,
    pub is_partition: bool,
}

const MEMBERS: &str = "
WITH RECURSIVE family(at, oid) AS (
  SELECT t.at, to_regclass(t.name)::oid FROM unnest($1::text[]) WITH ORDINALITY AS t(name, at)
  UNION SELECT f.at, i.inhrelid FROM family f JOIN pg_inherits i ON i.inhparent = f.oid)
SELECT f.at, f.oid, format('%I.%I', n.nspname, c.relname), c.relkind <> 'p', c.relispartition, c.relfilenode,
  ARRAY(SELECT format('%s %s %s %s', a.attnum, a.atttypid, a.atttypmod, a.attname) || CASE WHEN a.atthasmissing THEN ' =' ELSE '' END
        FROM pg_attribute a WHERE a.attrelid = f.oid AND a.attnum > 0 AND NOT a.attisdropped),
  c.relreplident::text || coalesce((SELECT string_agg(i.indkey::text, ',') FROM pg_index i WHERE i.indrelid = c.oid
    AND CASE c.relreplident WHEN 'd' THEN i.indisprimary AND i.indimmediate WHEN 'i' THEN i.indisreplident ELSE false END), '')
FROM family f JOIN pg_class c ON c.oid = f.oid JOIN pg_namespace n ON n.oid = c.relnamespace";

/// What the publication tells, whoever changes it.
const PUBLICATION: &str = "
SELECT md5(string_agg(to_jsonb(p)::text || coalesce(to_jsonb(r)::text, ''), ' ' ORDER BY r.oid)), current_setting('server_version_num')::int
FROM pg_publication p LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid WHERE p.pubname = $1";
/// Its schemas, from version 15 on.
const SCHEMAS: &str = "
SELECT coalesce(string_agg('schema ' || n.pnnspid, ' ' ORDER BY n.pnnspid), 'no schema')
FROM pg_publication p JOIN pg_publication_namespace n ON n.pnpubid = p.oid WHERE p.pubname = $1";
const HAS_SCHEMAS: i32 = 150_000;

impl Tables {
    /// As the snapshot of the transaction under way sees them. Those that are not there are left out.
    pub async fn of(client: &Client, follow: &Follow) -> Result<Self> {
        let names: Vec<String> = follow.tables.iter().map(quoted).collect();
        let rows = client.query(MEMBERS, &[&names]).await.map_err(told)?;
        let publication = client
            .query_one(PUBLICATION, &[&follow.slot])
            .await
            .map_err(told)?;
        let (version, publication): (i32, Option<String>) = (publication.get(1), publication.get(0));
        let schemas: Option<String> = if version < HAS_SCHEMAS {
            None
        } else {
            let row = client.query_one(SCHEMAS, &[&follow.slot]).await.map_err(told)?;
            Some(row.get(0))
        };
        let mut tables = Self {
            members: Vec::with_capacity(rows.len()),
            of: HashMap::new(),
            shape: publication.into_iter().chain(schemas).collect(),
        };
        for row in &rows {
            let (at, oid, file): (i64, u32, u32) = (row.get(0), row.get(1), row.get(5));
            let followed = at as usize - 1;
            tables.of.entry(oid).or_default().push(followed);
            // Rows written anew, or all of them gone, are another file.
            let identity: &str = row.get(7);
            tables.shape.insert(format!("{oid} {file} {identity}"));
            let columns: Vec<String> = row.get(6);
            tables
                .shape
                .extend(columns.iter().map(|column| format!("{oid}.{column}")));
            tables.members.push(Member {
                followed,
                oid,
                name: row.get(2),
                has_rows: row.get(3),
                is_partition: row.get(4),
            });
        }
        Ok(tables)
    }

    /// The followed tables that rows of this number are of.
    pub fn followed(&self, oid: u32) -> &[usize] {
        self.of.get(&oid).map_or(&[], Vec::as_slice)
    }

    /// Numbers, files and columns, and what the publication tells of them: to be noted.
    pub fn shape(&self) -> String {
        let entries: Vec<&str> = self.shape.iter().map(String::as_str).collect();
        entries.join("\n")
    }

    /// Is more different from what was noted than new columns without a value? Then rows may have changed that no log
    /// tells of.
    pub fn rewritten(&self, noted: &str) -> bool {
        let noted: BTreeSet<&str> = noted.split('\n').collect();
        let gone = noted.iter().any(|entry| !self.shape.contains(*entry));
        let is_plain_column = |entry: &String| entry.contains('.') && !entry.ends_with(" =");
        gone || self
            .shape
            .iter()
            .any(|entry| !noted.contains(entry.as_str()) && !is_plain_column(entry))
    }

    /// Is every followed table there, and does it tell the keys of what it deletes or moves?
    pub async fn judge(&self, client: &Client, follow: &Follow, key_columns: &[String]) -> Result<()> {
        for (at, table) in follow.tables.iter().enumerate() {
            if !self.members.iter().any(|member| member.followed == at) {
                return Err(Error::Decide(format!(
                    "{} is not there, or the feed's user may not see it: name it with its schema in source.follow.tables",
                    table.table
                )));
            }
        }
        for member in self.members.iter().filter(|member| member.has_rows) {
            identity(client, &follow.tables[member.followed], member, key_columns).await?;
        }
        Ok(())
    }
}

pub fn quoted(table: &Followed) -> String {
    quoted_table(Engine::Postgres, &table.table)
}

/// A delete or a move tells the old key only if the table's replica identity holds it. A table without any refuses the
/// writes of its own programs once it is published.
async fn identity(client: &Client, table: &Followed, member: &Member, key_columns: &[String]) -> Result<()> {
    let row = client
        .query_one(
            "SELECT c.relreplident::text, ARRAY(SELECT a.attname::text FROM pg_index i JOIN pg_attribute a
               ON a.attrelid = i.indrelid AND a.attnum = ANY((i.indkey::int2[])[0:i.indnkeyatts - 1])
             WHERE i.indrelid = c.oid AND CASE c.relreplident WHEN 'd' THEN i.indisprimary AND i.indimmediate WHEN 'i' THEN i.indisreplident ELSE false END),
             ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
             FROM pg_class c WHERE c.oid = $1",
            &[&member.oid],
        )
        .await
        .map_err(told)?;
    let (kind, index, all): (String, Vec<String>, Vec<String>) = (row.get(0), row.get(1), row.get(2));
    let told = if kind == "f" { &all } else { &index };
    let mut missing = Vec::new();
    for key in key_columns {
        let own = table.column(key)?;
        if !all.iter().any(|column| column == own) {
            return Err(table.no_column(key));
        }
        if !told.iter().any(|column| column == own) {
            missing.push(own);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Decide(format!(
        "{name} does not tell the old {} of what it deletes or moves: ALTER TABLE {name} REPLICA IDENTITY FULL, or make it part of the primary key",
        missing.join(", "),
        name = member.name,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_columns_without_a_value_leave_rows_as_they_are() {
        let tables = |entries: &[&str]| Tables {
            members: Vec::new(),
            of: HashMap::new(),
            shape: entries.iter().map(|entry| (*entry).to_owned()).collect(),
        };
        let noted = tables(&["1 10", "1.1 20 -1 id", "1.2 25 -1 word"]);
        for (now, rewritten) in [
            (&["1 10", "1.1 20 -1 id", "1.2 25 -1 word"][..], false),
            (
                &["1 10", "1.1 20 -1 id", "1.2 25 -1 word", "1.3 25 -1 a.b"],
                false,
            ),
            (&["1 10", "1.1 20 -1 id", "1.2 25 -1 word", "1.3 25 -1 c ="], true),
            (&["1 10", "1.1 20 -1 id", "1.2 25 -1 renamed"], true),
            (&["1 10", "1.1 20 -1 id"], true),
            (&["1 11", "1.1 20 -1 id", "1.2 25 -1 word"], true),
            (
                &["1 10", "1.1 20 -1 id", "1.2 25 -1 word", "2 12", "2.1 20 -1 id"],
                true,
            ),
            (&[], true),
        ] {
            assert_eq!(tables(now).rewritten(&noted.shape()), rewritten, "{now:?}");
        }
    }
}
