//! What an information system has: resources and services, described in versions. Each change is a new row; none is
//! ever changed.

mod resource;
mod service;

use dagr_model::ids::SystemCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use resource::Resource;
pub use service::{Service, ServiceKind, ServiceState};

use crate::{
    Actor, Page, Registry, RegistryError, Result,
    check::Check,
    db::{Conn, Row, query},
    page::{fetch, number_token},
    row::{from_json, micros, stored, text, time, to_json},
    system::find as find_system,
};

const MAX_TITLE: usize = 500;
const MAX_TEXT: usize = 4_000;

/// A description that is kept in versions under a code.
pub trait Kept: Clone + Serialize + DeserializeOwned + Send + Sync {
    /// `service`
    const WORD: &'static str;
    /// Its table, and its noun in paths.
    const NOUN: &'static str;
    /// Of the audit trail.
    const ACTION: &'static str;
    #[doc(hidden)]
    const SQL: Statements;

    fn system(&self) -> &SystemCode;
    /// Faults of shape.
    #[doc(hidden)]
    fn check(&self, check: &mut Faults);
    /// Faults of what it refers to.
    #[doc(hidden)]
    fn refers(&self, conn: &mut Refers<'_>) -> impl Future<Output = Result<()>> + Send;
}

/// Where faults go: only this crate adds any.
#[derive(Debug)]
pub struct Faults(Check);

/// What references are checked with.
pub struct Refers<'a> {
    conn: &'a mut Conn,
    check: &'a mut Check,
}

/// Static text for each table.
#[derive(Debug, Clone, Copy)]
pub struct Statements {
    insert: &'static str,
    latest: &'static str,
    list: &'static str,
    versions: &'static str,
}

macro_rules! statements {
    ($table:literal) => {
        $crate::registered::Statements {
            insert: concat!(
                "INSERT INTO ",
                $table,
                " (code, version, system, body, reason, actor, set_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
            ),
            latest: concat!(
                "SELECT * FROM ",
                $table,
                " WHERE code = $1 ORDER BY version DESC LIMIT 1"
            ),
            list: concat!(
                "SELECT * FROM ",
                $table,
                " AS one WHERE code > $1 AND system = COALESCE(CAST($2 AS TEXT), system)
                 AND version = (SELECT MAX(version) FROM ",
                $table,
                " AS newest WHERE newest.code = one.code) ORDER BY code LIMIT $3"
            ),
            versions: concat!(
                "SELECT * FROM ",
                $table,
                " WHERE code = $1 AND version < $2 ORDER BY version DESC LIMIT $3"
            ),
        }
    };
}
use statements;

/// A new description, and why it is new.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Put<T> {
    pub described: T,
    pub reason: String,
}

/// One version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Registered<T> {
    pub code: String,
    /// From 1.
    pub version: i64,
    pub described: T,
    pub reason: String,
    pub by: String,
    pub at: Timestamp,
}

impl Registry {
    /// `expected`: the version the caller saw; 0 before the first.
    pub async fn registered_put<T: Kept>(
        &self,
        by: &Actor,
        code: &str,
        put: &Put<T>,
        expected: Option<i64>,
    ) -> Result<Registered<T>> {
        let mut faults = Faults(Check::default());
        faults.0.code("code", code);
        put.described.check(&mut faults);
        faults.0.text("reason", &put.reason, 2_000);
        let Faults(mut check) = faults;
        let mut change = self.change(by).await?;
        let before = latest::<T>(change.conn(), code).await?;
        let system = put.described.system();
        let known = find_system(change.conn(), system).await?.is_some();
        check.reference(known, "system", "system");
        check.require(
            before
                .as_ref()
                .is_none_or(|before| before.described.system() == system),
            "system",
            "immutable",
            "stays with the system it was registered under: register it there under another code",
        );
        let mut refers = Refers {
            conn: change.conn(),
            check: &mut check,
        };
        put.described.refers(&mut refers).await?;
        check.done()?;
        let version = before.as_ref().map_or(0, |before| before.version);
        if expected.is_some_and(|expected| expected != version) {
            return Err(RegistryError::Precondition);
        }
        let view = Registered {
            code: code.to_owned(),
            version: version + 1,
            described: put.described.clone(),
            reason: put.reason.clone(),
            by: by.name.clone(),
            at: stored(by.at),
        };
        query(T::SQL.insert)
            .bind(code)
            .bind(view.version)
            .bind(system.as_str())
            .bind(to_json(&view.described)?)
            .bind(&view.reason)
            .bind(&view.by)
            .bind(micros(by.at))
            .execute(change.conn())
            .await?;
        let object = format!("{}/{code}", T::NOUN);
        change.commit(T::ACTION, object, &before, &view).await?;
        Ok(view)
    }

    /// As it is now.
    pub async fn registered_get<T: Kept>(&self, code: &str) -> Result<Option<Registered<T>>> {
        latest(&mut self.read().await?, code).await
    }

    /// Each as it is now, in the order of codes; all, or of one system.
    pub async fn registered_list<T: Kept>(
        &self,
        system: Option<&SystemCode>,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Registered<T>>> {
        let rows = query(T::SQL.list)
            .bind(after.unwrap_or_default())
            .bind(system.map(SystemCode::as_str))
            .bind(fetch(limit))
            .fetch_all(&mut self.read().await?)
            .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.code.clone()))
    }

    /// Every version, newest first.
    pub async fn registered_versions<T: Kept>(
        &self,
        code: &str,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Registered<T>>> {
        let rows = query(T::SQL.versions)
            .bind(code)
            .bind(number_token(after.as_deref())?.unwrap_or(i64::MAX))
            .bind(fetch(limit))
            .fetch_all(&mut self.read().await?)
            .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.version.to_string()))
    }
}

async fn latest<T: Kept>(conn: &mut Conn, code: &str) -> Result<Option<Registered<T>>> {
    let row = query(T::SQL.latest).bind(code).fetch_optional(conn).await?;
    row.as_ref().map(read).transpose()
}

fn read<T: Kept>(row: &Row) -> Result<Registered<T>> {
    Ok(Registered {
        code: text(row, "code")?,
        version: row.try_get("version")?,
        described: from_json(&text(row, "body")?)?,
        reason: text(row, "reason")?,
        by: text(row, "actor")?,
        at: time(row, "set_at")?,
    })
}

impl Faults {
    /// What people find it by: both languages.
    fn titles(&mut self, lv: &str, en: &str) {
        self.0.text("title_lv", lv, MAX_TITLE);
        self.0.text("title_en", en, MAX_TITLE);
    }
}
