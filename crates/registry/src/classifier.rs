//! Classifiers: what they are called and who keeps them; their codes stand in versions.

mod version;

use dagr_model::{classifier::is_classifier, ids::RegistrationNumber};
use serde::{Deserialize, Serialize};

pub use version::{ClassifierKept, ClassifierVersionPut, ClassifierVersionView, VersionKept, check_version};

use crate::{
    Actor, Page, Registry, RegistryError, Result, Versioned,
    check::Check,
    db::{Conn, Row, query},
    institution,
    page::fetch,
    row::text,
};

/// A classifier as it is registered; `id` is the LIST of `code(LIST)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classifier {
    pub id: String,
    /// In Latvian.
    pub title: String,
    #[serde(default)]
    pub title_en: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    /// The institution whose head or data manager publishes its versions.
    pub keeper: RegistrationNumber,
    /// Where it comes from.
    #[serde(default)]
    pub url: Option<String>,
}

/// The same, and the number of its newest version; none: nothing is published yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassifierView {
    #[serde(flatten)]
    pub classifier: Classifier,
    pub latest: Option<i64>,
}

impl Registry {
    /// Registers it, or says otherwise of it. `true`: it is new.
    pub async fn classifier_put(
        &self,
        by: &Actor,
        put: &Classifier,
        expected: Option<i64>,
    ) -> Result<(Versioned<ClassifierView>, bool)> {
        let mut change = self.change(by).await?;
        let mut check = shape(put);
        let kept = institution::exists(change.conn(), &put.keeper).await?;
        check.reference(kept, "keeper", "institution");
        check.done()?;
        let before = find(change.conn(), &put.id).await?;
        let version = before.as_ref().map_or(0, |before| before.version);
        if expected.is_some_and(|expected| expected != version) {
            return Err(RegistryError::Precondition);
        }
        query(
            "INSERT INTO classifiers (id, title, title_en, description, keeper, url, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (id) DO UPDATE
             SET title = $2, title_en = $3, description = $4, keeper = $5, url = $6, version = $7",
        )
        .bind(&put.id)
        .bind(&put.title)
        .bind(&put.title_en)
        .bind(&put.description)
        .bind(put.keeper.as_str())
        .bind(&put.url)
        .bind(version + 1)
        .execute(change.conn())
        .await?;
        let view = ClassifierView {
            classifier: put.clone(),
            latest: before.as_ref().and_then(|before| before.value.latest),
        };
        let (is_new, before) = (before.is_none(), before.map(|before| before.value.classifier));
        change
            .commit("classifier_put", object(&put.id), &before, put)
            .await?;
        let made = Versioned {
            value: view,
            version: version + 1,
        };
        Ok((made, is_new))
    }

    pub async fn classifier_get(&self, id: &str) -> Result<Option<Versioned<ClassifierView>>> {
        find(&mut self.read().await?, id).await
    }

    /// In the order of ids.
    pub async fn classifier_list(
        &self,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Versioned<ClassifierView>>> {
        let rows = query(
            "SELECT c.*, (SELECT MAX(v.number) FROM classifier_versions v WHERE v.classifier = c.id) AS latest
             FROM classifiers c WHERE c.id > $1 ORDER BY c.id LIMIT $2",
        )
        .bind(after.unwrap_or_default())
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.value.classifier.id.clone()))
    }
}

fn object(id: &str) -> String {
    format!("classifiers/{id}")
}

fn shape(put: &Classifier) -> Check {
    let mut check = Check::default();
    // Dots alone would be a way up in a path.
    check.require(
        is_classifier(&put.id) && put.id.contains(char::is_alphanumeric),
        "id",
        "classifier",
        "must be the LIST of `code(LIST)`: letters, digits, `_`, `-` and `.`",
    );
    check.text("title", &put.title, 500);
    check.optional_text("title_en", put.title_en.as_deref(), 500);
    check.optional_text("description", put.description.as_deref(), 4_000);
    check.registration_number("keeper", put.keeper.as_str());
    check.optional_address("url", put.url.as_deref());
    check
}

async fn find(conn: &mut Conn, id: &str) -> Result<Option<Versioned<ClassifierView>>> {
    let row = query(
        "SELECT c.*, (SELECT MAX(v.number) FROM classifier_versions v WHERE v.classifier = c.id) AS latest
         FROM classifiers c WHERE c.id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Versioned<ClassifierView>> {
    let classifier = Classifier {
        id: text(row, "id")?,
        title: text(row, "title")?,
        title_en: row.try_get("title_en")?,
        description: row.try_get("description")?,
        keeper: RegistrationNumber::new(text(row, "keeper")?),
        url: row.try_get("url")?,
    };
    Ok(Versioned {
        value: ClassifierView {
            classifier,
            latest: row.try_get("latest")?,
        },
        version: row.try_get("version")?,
    })
}
