//! Use of permissions by day and by field: a projection of the disclosure log, without persons and keys.

use dagr_model::ids::PermissionNumber;
use jiff::{Timestamp, civil::Date};

use crate::{
    Registry, RegistryError, Result,
    db::{Conn, Row, query},
    row::{micros, text, time},
};

const NAME: &str = "permission_use";
/// Rows of one permission's days that one view reads.
const MAX_DAYS: i64 = 20_000;
/// Fields of one permission.
const MAX_FIELDS: i64 = 10_000;

/// One permission on one day by one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseDay {
    pub permission: PermissionNumber,
    /// In Europe/Riga.
    pub day: Date,
    pub way: String,
    pub calls: u64,
    /// Of these, calls that gave fewer fields than permitted: the caller named its fields.
    pub narrowed: u64,
    pub records: u64,
    pub misses: u64,
}

/// When a field was given last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseField {
    pub permission: PermissionNumber,
    pub field: String,
    pub given: Date,
    /// By a call that named its fields.
    pub narrowed: Option<Date>,
}

/// The entry of the log that was taken last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsePosition {
    pub entry: String,
    pub at: Timestamp,
}

impl Registry {
    pub async fn use_position(&self) -> Result<Option<UsePosition>> {
        position(&mut self.read().await?).await
    }

    /// Adds what lies between two positions: all of it or nothing. Taken from another place meanwhile, it is refused.
    pub async fn use_add(
        &self,
        before: Option<&UsePosition>,
        days: &[UseDay],
        fields: &[UseField],
        after: &UsePosition,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        if position(&mut tx).await?.as_ref() != before {
            return Err(RegistryError::Precondition);
        }
        for day in days {
            add_day(&mut tx, day).await?;
        }
        for field in fields {
            put_field(&mut tx, field).await?;
        }
        query(
            "INSERT INTO projections (name, entry, at) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET entry = excluded.entry, at = excluded.at",
        )
        .bind(NAME)
        .bind(&after.entry)
        .bind(micros(after.at))
        .execute(&mut tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// From a day on, oldest first.
    pub async fn use_days(&self, number: &PermissionNumber, from: Date) -> Result<Vec<UseDay>> {
        let rows = query(
            "SELECT d.*, p.number FROM permission_days d JOIN permissions p ON p.id = d.permission
             WHERE p.number = $1 AND d.day >= $2 ORDER BY d.day, d.way LIMIT $3",
        )
        .bind(number.as_str())
        .bind(from.to_string())
        .bind(MAX_DAYS)
        .fetch_all(&mut self.read().await?)
        .await?;
        rows.iter().map(read_day).collect()
    }

    /// Fields that were ever given, in the order of their names.
    pub async fn use_fields(&self, number: &PermissionNumber) -> Result<Vec<UseField>> {
        let rows = query(
            "SELECT f.*, p.number FROM permission_fields f JOIN permissions p ON p.id = f.permission
             WHERE p.number = $1 ORDER BY f.field LIMIT $2",
        )
        .bind(number.as_str())
        .bind(MAX_FIELDS)
        .fetch_all(&mut self.read().await?)
        .await?;
        rows.iter().map(read_field).collect()
    }

    /// Forgets days before this one; answers how many rows.
    pub async fn use_purge(&self, before: Date) -> Result<u64> {
        let mut tx = self.write().await?;
        let done = query("DELETE FROM permission_days WHERE day < $1")
            .bind(before.to_string())
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(done)
    }

    /// When the permission was granted.
    pub async fn permission_granted_at(&self, number: &PermissionNumber) -> Result<Option<Timestamp>> {
        let row = query(
            "SELECT r.set_at FROM permission_revisions r JOIN permissions p ON p.id = r.permission
             WHERE p.number = $1 AND r.version = 1",
        )
        .bind(number.as_str())
        .fetch_optional(&mut self.read().await?)
        .await?;
        row.map(|row| time(&row, "set_at")).transpose()
    }
}

async fn position(conn: &mut Conn) -> Result<Option<UsePosition>> {
    let row = query("SELECT entry, at FROM projections WHERE name = $1")
        .bind(NAME)
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        Ok(UsePosition {
            entry: text(&row, "entry")?,
            at: time(&row, "at")?,
        })
    })
    .transpose()
}

/// A permission that is not there (of another registry's log) is passed over.
async fn add_day(conn: &mut Conn, day: &UseDay) -> Result<()> {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    query(
        "INSERT INTO permission_days (permission, day, way, calls, narrowed, records, misses)
         SELECT id, CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT),
                CAST($7 AS BIGINT)
         FROM permissions WHERE number = $1
         ON CONFLICT (permission, day, way) DO UPDATE SET
           calls = permission_days.calls + excluded.calls,
           narrowed = permission_days.narrowed + excluded.narrowed,
           records = permission_days.records + excluded.records,
           misses = permission_days.misses + excluded.misses",
    )
    .bind(day.permission.as_str())
    .bind(day.day.to_string())
    .bind(&day.way)
    .bind(count(day.calls))
    .bind(count(day.narrowed))
    .bind(count(day.records))
    .bind(count(day.misses))
    .execute(conn)
    .await?;
    Ok(())
}

async fn put_field(conn: &mut Conn, field: &UseField) -> Result<()> {
    query(
        "INSERT INTO permission_fields (permission, field, given, narrowed)
         SELECT id, CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT) FROM permissions WHERE number = $1
         ON CONFLICT (permission, field) DO UPDATE SET
           given = CASE WHEN excluded.given > permission_fields.given
                   THEN excluded.given ELSE permission_fields.given END,
           narrowed = CASE WHEN permission_fields.narrowed IS NULL OR excluded.narrowed > permission_fields.narrowed
                   THEN excluded.narrowed ELSE permission_fields.narrowed END",
    )
    .bind(field.permission.as_str())
    .bind(&field.field)
    .bind(field.given.to_string())
    .bind(field.narrowed.map(|day| day.to_string()))
    .execute(conn)
    .await?;
    Ok(())
}

fn read_day(row: &Row) -> Result<UseDay> {
    let count =
        |column: &str| -> Result<u64> { Ok(u64::try_from(row.try_get::<i64>(column)?).unwrap_or_default()) };
    Ok(UseDay {
        permission: PermissionNumber::new(text(row, "number")?),
        day: date(&text(row, "day")?)?,
        way: text(row, "way")?,
        calls: count("calls")?,
        narrowed: count("narrowed")?,
        records: count("records")?,
        misses: count("misses")?,
    })
}

fn read_field(row: &Row) -> Result<UseField> {
    let narrowed: Option<String> = row.try_get("narrowed")?;
    Ok(UseField {
        permission: PermissionNumber::new(text(row, "number")?),
        field: text(row, "field")?,
        given: date(&text(row, "given")?)?,
        narrowed: narrowed.as_deref().map(date).transpose()?,
    })
}

fn date(text: &str) -> Result<Date> {
    text.parse()
        .map_err(|_| RegistryError::Unavailable("stored day unreadable".into()))
}
