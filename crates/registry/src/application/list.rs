//! Lists of applications: each by an index of its own, so that the hundred thousandth costs what the first does.

use dagr_model::{
    application::Application,
    ids::{DatasetName, RegistrationNumber},
};
use jiff::civil::Date;

use super::read;
use crate::{
    Page, Registry, RegistryError, Result, Versioned,
    db::query,
    page::{fetch, number_token},
};

/// Whose applications.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Side {
    #[default]
    Everybody,
    Applicant(RegistrationNumber),
    /// Without drafts: they are the applicant's alone.
    Provider(RegistrationNumber),
    /// Those of `Applicant` and those of `Provider`.
    Either(RegistrationNumber),
    /// Those the operator decides. Without drafts.
    Operator,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ApplicationOrder {
    #[default]
    Newest,
    /// Those that wait for a decision, the earliest due first.
    Due,
}

#[derive(Debug, Clone, Default)]
pub struct ApplicationFilter {
    pub side: Side,
    pub dataset: Option<DatasetName>,
    pub stage: Option<String>,
    /// Due on this day or earlier.
    pub due_by: Option<Date>,
    pub order: ApplicationOrder,
}

/// $1 institution, $2 id, $3 stage, $4 data set, $5 due, $6 limit.
macro_rules! newest {
    ($stage:literal, $side:literal) => {
        concat!(
            "SELECT * FROM applications WHERE ",
            $stage,
            " AND ",
            $side,
            " AND id < $2 AND (CAST($4 AS TEXT) IS NULL OR dataset = $4)
               AND (CAST($5 AS TEXT) IS NULL OR due <= $5) ORDER BY id DESC LIMIT $6"
        )
    };
}

macro_rules! either {
    ($stage:literal) => {
        concat!(
            "SELECT * FROM (SELECT * FROM (",
            newest!($stage, "applicant = $1"),
            ") AS made UNION ALL SELECT * FROM (",
            newest!($stage, "provider = $1 AND stage <> 'draft'"),
            ") AS got) AS either ORDER BY id DESC LIMIT $6"
        )
    };
}

/// The statement for a side, without and with a stage: each has its index.
macro_rules! of_side {
    ($side:expr, $stage:literal) => {
        match $side {
            Side::Everybody => newest!($stage, "CAST($1 AS TEXT) IS NULL"),
            Side::Operator => newest!(
                $stage,
                "provider IS NULL AND stage <> 'draft' AND CAST($1 AS TEXT) IS NULL"
            ),
            Side::Applicant(_) => newest!($stage, "applicant = $1"),
            Side::Provider(_) => newest!($stage, "provider = $1 AND stage <> 'draft'"),
            Side::Either(_) => either!($stage),
        }
    };
}

/// $1 institution, $2 and $3 place, $4 data set, $5 latest, $6 stage, $7 limit.
macro_rules! by_due {
    ($side:literal) => {
        concat!(
            "SELECT * FROM applications WHERE due IS NOT NULL AND ",
            $side,
            " AND (due, id) > ($2, $3) AND (CAST($4 AS TEXT) IS NULL OR dataset = $4)
               AND (CAST($5 AS TEXT) IS NULL OR due <= $5)
               AND (CAST($6 AS TEXT) IS NULL OR stage = $6) ORDER BY due, id LIMIT $7"
        )
    };
}

impl Side {
    fn institution(&self) -> Option<&str> {
        match self {
            Self::Everybody | Self::Operator => None,
            Self::Applicant(number) | Self::Provider(number) | Self::Either(number) => Some(number.as_str()),
        }
    }
}

impl Registry {
    pub async fn application_list(
        &self,
        filter: &ApplicationFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Versioned<Application>>> {
        match filter.order {
            ApplicationOrder::Newest => self.newest(filter, after, limit).await,
            ApplicationOrder::Due => self.by_due(filter, after, limit).await,
        }
    }

    async fn newest(
        &self,
        filter: &ApplicationFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Versioned<Application>>> {
        let text = match &filter.stage {
            None => of_side!(&filter.side, "CAST($3 AS TEXT) IS NULL"),
            Some(_) => of_side!(&filter.side, "stage = $3"),
        };
        let rows = query(text)
            .bind(filter.side.institution())
            .bind(number_token(after.as_deref())?.unwrap_or(i64::MAX))
            .bind(&filter.stage)
            .bind(filter.dataset.as_ref().map(DatasetName::as_str))
            .bind(filter.due_by.map(|day| day.to_string()))
            .bind(fetch(limit))
            .fetch_all(&mut self.read().await?)
            .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.value.number.to_string()))
    }

    async fn by_due(
        &self,
        filter: &ApplicationFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Versioned<Application>>> {
        let text = match &filter.side {
            Side::Everybody => by_due!("CAST($1 AS TEXT) IS NULL"),
            Side::Operator => by_due!("provider IS NULL AND CAST($1 AS TEXT) IS NULL"),
            Side::Applicant(_) => by_due!("applicant = $1"),
            Side::Provider(_) => by_due!("provider = $1"),
            Side::Either(_) => by_due!("(applicant = $1 OR provider = $1)"),
        };
        let (due, id) = place(after.as_deref())?;
        let rows = query(text)
            .bind(filter.side.institution())
            .bind(due)
            .bind(id)
            .bind(filter.dataset.as_ref().map(DatasetName::as_str))
            .bind(filter.due_by.map(|day| day.to_string()))
            .bind(&filter.stage)
            .bind(fetch(limit))
            .fetch_all(&mut self.read().await?)
            .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| {
            let due = item.value.stage.due().map(|due| due.to_string());
            format!("{}.{}", due.unwrap_or_default(), item.value.number)
        }))
    }
}

/// `2026-03-16.200001`: after that day and number.
fn place(after: Option<&str>) -> Result<(String, i64)> {
    let Some(after) = after else {
        return Ok((String::new(), 0));
    };
    after
        .split_once('.')
        .and_then(|(due, id)| Some((due.to_owned(), id.parse().ok()?)))
        .ok_or_else(|| {
            RegistryError::fault(
                "after",
                "page_token",
                "use `next` of the page before as it stands",
            )
        })
}
