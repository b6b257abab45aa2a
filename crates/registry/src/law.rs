//! Legal acts, by every name people cite them under.

mod article;
mod end;
mod flag;

use serde::{Deserialize, Serialize};

pub use article::{ArticlePut, ArticleView, Cited};
pub use flag::{LawFlagFilter, LawFlagView};

use crate::{
    Actor, Page, Registry, RegistryError, Result, Versioned,
    check::Check,
    db::{Conn, Row, query},
    page::fetch,
    row::{from_json, text, to_json},
};

const MAX_NAMES: usize = 30;

/// An act as it is registered; `id` names it in paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    pub id: String,
    pub title: String,
    /// Where its text is: likumi.lv, EUR-Lex.
    #[serde(default)]
    pub url: Option<String>,
    /// Abbreviations and other names, beside the title.
    #[serde(default)]
    pub names: Vec<String>,
}

impl Act {
    /// Whatever it is cited as.
    pub fn cited_as(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.title.as_str()).chain(self.names.iter().map(String::as_str))
    }
}

impl Registry {
    /// Makes the act, or gives it other names, title or address. `true`: it is new.
    pub async fn act_put(
        &self,
        by: &Actor,
        act: &Act,
        expected: Option<i64>,
    ) -> Result<(Versioned<Act>, bool)> {
        check(act)?;
        let mut change = self.change(by).await?;
        let before = find(change.conn(), &act.id).await?;
        let version = before.as_ref().map_or(0, |before| before.version);
        if expected.is_some_and(|expected| expected != version) {
            return Err(RegistryError::Precondition);
        }
        query(
            "INSERT INTO acts (id, title, url, names, version) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO UPDATE SET title = $2, url = $3, names = $4, version = $5",
        )
        .bind(&act.id)
        .bind(&act.title)
        .bind(&act.url)
        .bind(to_json(&act.names)?)
        .bind(version + 1)
        .execute(change.conn())
        .await?;
        let (is_new, before) = (before.is_none(), before.map(|before| before.value));
        let object = format!("acts/{}", act.id);
        change.commit("act_put", object, &before, act).await?;
        let made = Versioned {
            value: act.clone(),
            version: version + 1,
        };
        Ok((made, is_new))
    }

    pub async fn act_get(&self, id: &str) -> Result<Option<Versioned<Act>>> {
        find(&mut self.read().await?, id).await
    }

    /// In the order of ids.
    pub async fn act_list(&self, after: Option<String>, limit: u32) -> Result<Page<Versioned<Act>>> {
        let rows = query("SELECT * FROM acts WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after.unwrap_or_default())
            .bind(fetch(limit))
            .fetch_all(&mut self.read().await?)
            .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.value.id.clone()))
    }
}

fn check(act: &Act) -> Result<()> {
    let mut check = Check::default();
    check.code("id", &act.id);
    check.text("title", &act.title, 500);
    check.optional_address("url", act.url.as_deref());
    check.require(
        act.names.len() <= MAX_NAMES,
        "names",
        "count",
        &format!("must be at most {MAX_NAMES}"),
    );
    for name in act.names.iter().take(MAX_NAMES) {
        check.text("names", name, 200);
        // A name such as `L` would be found in nearly every text.
        let letters = name.chars().filter(|c| c.is_alphanumeric()).count();
        check.require(letters >= 2, "names", "too_short", "must have at least 2 letters");
    }
    check.done()
}

async fn find(conn: &mut Conn, id: &str) -> Result<Option<Versioned<Act>>> {
    let row = query("SELECT * FROM acts WHERE id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Versioned<Act>> {
    let value = Act {
        id: text(row, "id")?,
        title: text(row, "title")?,
        url: row.try_get("url")?,
        names: from_json(&text(row, "names")?)?,
    };
    Ok(Versioned {
        value,
        version: row.try_get("version")?,
    })
}
