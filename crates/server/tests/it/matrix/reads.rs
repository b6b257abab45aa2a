//! Every way to read the set, with the words of its variants.

use http::Method;
use serde_json::{Value, json};

/// Whom a read asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// In every scope.
    Inside,
    /// Out of the scopes that are narrowed.
    Outside,
    /// No such record.
    Absent,
    /// Not a person code.
    Invalid,
}

impl Key {
    pub fn code(self) -> &'static str {
        match self {
            Self::Inside => "36184726051",
            Self::Outside => "37295837162",
            Self::Absent => "38173625949",
            Self::Invalid => "not-a-code",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    Record,
    Head,
    AsOf,
    Leading,
    Index,
    Everything,
    LookupOne,
    LookupMany,
    Changes,
    ChangesWithRecords,
    List,
}

impl Read {
    pub const ALL: [Self; 11] = [
        Self::Record,
        Self::Head,
        Self::AsOf,
        Self::Leading,
        Self::Index,
        Self::Everything,
        Self::LookupOne,
        Self::LookupMany,
        Self::Changes,
        Self::ChangesWithRecords,
        Self::List,
    ];

    /// The way a permission must name.
    pub fn way(self) -> &'static str {
        match self {
            Self::Record | Self::Head | Self::Leading | Self::LookupOne => "key",
            Self::AsOf => "history",
            Self::Index => "index:Name",
            Self::Everything | Self::LookupMany => "bulk",
            Self::Changes | Self::ChangesWithRecords => "changes",
            Self::List => "list:renamed",
        }
    }

    /// Asks by a key.
    pub fn has_key(self) -> bool {
        self.is_full_key() || self == Self::Leading
    }

    pub fn is_full_key(self) -> bool {
        matches!(
            self,
            Self::Record | Self::Head | Self::AsOf | Self::LookupOne | Self::LookupMany
        )
    }

    pub fn is_lookup(self) -> bool {
        matches!(self, Self::LookupOne | Self::LookupMany)
    }

    /// Answers by pages, and takes a cursor.
    pub fn is_page(self) -> bool {
        !self.is_full_key()
    }

    pub fn is_feed(self) -> bool {
        matches!(self, Self::Changes | Self::ChangesWithRecords | Self::List)
    }

    pub fn call(
        self,
        key: Key,
        fields: Option<&str>,
        after: Option<&str>,
    ) -> (Method, String, Option<Value>) {
        let code = key.code();
        let (method, path) = match self {
            Self::Record => (Method::GET, format!("records/{code}/2020")),
            Self::Head => (Method::HEAD, format!("records/{code}/2020")),
            Self::AsOf => (
                Method::GET,
                format!("records/{code}/2020?as_of=2099-01-01T00:00:00Z"),
            ),
            Self::Leading => (Method::GET, format!("records/{code}")),
            Self::Index => (Method::GET, "records?Name=Anna".to_owned()),
            Self::Everything => (Method::GET, "records".to_owned()),
            Self::LookupOne | Self::LookupMany => (Method::POST, "lookup".to_owned()),
            Self::Changes => (Method::GET, "changes".to_owned()),
            Self::ChangesWithRecords => (Method::GET, "changes?include=record".to_owned()),
            Self::List => (Method::GET, "changes/renamed?include=record".to_owned()),
        };
        let mut path = format!("/data/mx_person/{path}");
        if self.is_lookup() {
            let mut keys = vec![json!({ "Code": code, "Year": 2020 })];
            if self == Self::LookupMany {
                keys.insert(0, json!({ "Code": Key::Inside.code(), "Year": 2021 }));
            }
            let mut body = json!({ "keys": keys });
            if let Some(fields) = fields {
                body["fields"] = json!([fields]);
            }
            return (method, path, Some(body));
        }
        for (word, value) in [("fields", fields), ("after", after)] {
            if let Some(value) = value {
                let join = if path.contains('?') { '&' } else { '?' };
                path = format!("{path}{join}{word}={value}");
            }
        }
        (method, path, None)
    }

    /// The same question to `explain`.
    pub fn explain(self, number: &str, key: Key, fields: Option<&str>) -> String {
        let mut path = format!("/registry/permissions/{number}/explain?way={}", self.way());
        if self.has_key() {
            let rest = if self == Self::Leading { "" } else { "/2020" };
            path = format!("{path}&key={}{rest}", key.code());
        }
        if let Some(fields) = fields {
            path = format!("{path}&fields={fields}");
        }
        path
    }
}
