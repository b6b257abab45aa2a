//! The file that describes a feed: from which source, to which data set, how and when.

pub(crate) mod read;

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use dagr_model::fault::Fault;

use crate::error::{Error, Result};

/// A feed as its file describes it; paths are resolved against the file's directory.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Begins the ids of its packages.
    pub name: String,
    pub dataset: String,
    pub sandbox: bool,
    /// Where the definition is read; `None` = asked of the server.
    pub definition: Option<PathBuf>,
    /// What the feed remembers.
    pub state: PathBuf,
    pub server: Server,
    pub source: Source,
    pub map: MapSpec,
    pub schedule: Schedule,
    pub retry: Retry,
    /// The most of its records, in hundredths of a per cent, that a package may remove without being held here; `None`: only the
    /// server judges, by the definition.
    pub guard_bp: Option<u32>,
    /// Bytes packages that wait for the server may take on disk.
    pub spool_bytes: u64,
    /// What says how the source is read, as it is written.
    pub reading: String,
}

#[derive(Debug, Clone)]
pub struct Server {
    pub url: String,
    pub client_id: String,
    pub key: Secret,
    /// PEM of authorities to trust besides the machine's own.
    pub ca: Option<PathBuf>,
    /// A call on which nothing moved for so long is given up and made again.
    pub idle: Option<Duration>,
}

/// Something secret by reference: never its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    Env(String),
    File(PathBuf),
}

impl Secret {
    /// The value. The error names the reference.
    pub fn read(&self) -> Result<String> {
        match self {
            Self::Env(name) => std::env::var(name)
                .map_err(|_| Error::State(format!("the environment variable {name} is not set"))),
            Self::File(path) => {
                let text = fs::read_to_string(path).map_err(|error| {
                    let path = path.display();
                    Error::State(format!("{path}: {error}; a key or a password is read from it"))
                })?;
                Ok(text.trim_end_matches(['\r', '\n']).to_owned())
            }
        }
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

#[derive(Debug, Clone)]
pub enum Source {
    Files(Files),
    Sql(Sql),
    Http(Http),
    Soap(Soap),
}

/// One file, or every file of a directory.
#[derive(Debug, Clone)]
pub struct Files {
    pub path: PathBuf,
    /// `true`: each new file of the directory is a state of its own, the newest the present one.
    pub watch: bool,
    /// In which order the files of a directory are states.
    pub order: Order,
    /// Format, where the name does not tell it.
    pub format: Option<Format>,
    pub charset: Option<String>,
    /// A file is taken once it has not changed so long.
    pub settle: Duration,
    /// Of JSON and XML: where the records are.
    pub records: Option<String>,
    /// Of a zip file with several files in it: which.
    pub member: Option<String>,
    /// A document without a record is one, not a fault.
    pub may_be_empty: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Name,
    /// In which they were last changed, then by name.
    Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Json,
    NdJson,
    Xml,
    Parquet,
}

impl Format {
    /// Every format by its word.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("csv", Self::Csv),
        ("json", Self::Json),
        ("ndjson", Self::NdJson),
        ("xml", Self::Xml),
        ("parquet", Self::Parquet),
    ];

    /// The words, for a message.
    pub fn offered() -> String {
        let [words @ .., last] = Self::WORDS.map(|(word, _)| word);
        format!("{} or {last}", words.join(", "))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Postgres,
    MariaDb,
    Sqlite,
}

/// A connection that is encrypted, to a server whose certificate is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// PEM of the authorities to trust; `None` = the machine's own.
    pub ca: Option<PathBuf>,
}

/// A query against a database.
#[derive(Debug, Clone)]
pub struct Sql {
    pub engine: Engine,
    /// Without a password; of SQLite the file.
    pub url: String,
    pub password: Option<Secret>,
    pub tls: Option<Tls>,
    pub query: String,
    /// The query is all of this table.
    pub table: Option<String>,
    pub lists: Vec<ListQuery>,
    pub follow: Option<Follow>,
}

/// A list inside the record, from a query of its own.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Top-level field of the definition.
    pub field: String,
    pub query: String,
    pub table: Option<String>,
    /// Column of this query → column of the feed's query.
    pub matching: BTreeMap<String, String>,
    /// Columns that order the elements.
    pub order: Vec<String>,
}

/// Changes as they are committed.
#[derive(Debug, Clone)]
pub struct Follow {
    /// PostgreSQL: name of the replication slot and of the publication. SQLite: of the table of touched keys.
    pub slot: String,
    pub tables: Vec<Followed>,
    /// Longest time between two looks.
    pub every: Duration,
}

/// A table whose rows belong to records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    pub table: String,
    /// Column of the table → column of the feed's query that holds the same part of the key.
    pub key: BTreeMap<String, String>,
}

impl Followed {
    /// The table's column for a key column of the query. Without pairs the table is the feed's own: its columns have the
    /// query's names.
    pub fn column<'f>(&'f self, key_column: &'f str) -> crate::error::Result<&'f str> {
        if self.key.is_empty() {
            return Ok(key_column);
        }
        let exact = self.key.iter().find(|(_, outer)| *outer == key_column);
        let alike = || {
            let lower = key_column.to_lowercase();
            self.key.iter().find(|(_, outer)| outer.to_lowercase() == lower)
        };
        exact
            .or_else(alike)
            .map(|(own, _)| own.as_str())
            .ok_or_else(|| self.no_column(key_column))
    }

    pub fn no_column(&self, key_column: &str) -> crate::error::Error {
        crate::error::Error::Decide(format!(
            "{} has no column for the key's {key_column}: name it in source.follow.tables",
            self.table
        ))
    }
}

#[derive(Debug, Clone)]
pub struct Http {
    pub url: String,
    /// Header `Authorization`.
    pub authorization: Option<Authorization>,
    /// PEM of authorities to trust besides the machine's own.
    pub ca: Option<PathBuf>,
    pub format: Option<Format>,
    pub charset: Option<String>,
    pub records: Option<String>,
    pub member: Option<String>,
    /// A document without a record is one, not a fault.
    pub may_be_empty: bool,
    /// Longest time of silence.
    pub timeout: Duration,
    /// An answer may have so many bytes.
    pub most_bytes: u64,
}

/// How a call says who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// The header as it stands.
    Header(Secret),
    Basic {
        username: String,
        password: Secret,
    },
}

impl Authorization {
    /// The header's value.
    pub fn read(&self) -> Result<String> {
        use base64::Engine as _;
        let value = |secret: &Secret| secret.read().map_err(Error::of_source);
        Ok(match self {
            Self::Header(secret) => value(secret)?,
            Self::Basic { username, password } => {
                let both = format!("{username}:{}", value(password)?);
                let text = base64::engine::general_purpose::STANDARD.encode(both);
                format!("Basic {text}")
            }
        })
    }
}

/// Pages of records from a SOAP service.
#[derive(Debug, Clone)]
pub struct Soap {
    pub url: String,
    pub version: SoapVersion,
    pub action: Option<String>,
    /// The request, with `{page}` or `{offset}` and `{page_size}` where they stand.
    pub envelope: String,
    /// Where the records are in the answer's `Body`.
    pub records: String,
    /// A page without a record is one, whatever stands there instead.
    pub may_be_empty: bool,
    pub page_size: Option<u64>,
    /// A page with fewer records than `page_size` is the last one, the first page too.
    pub short_page_ends: bool,
    /// The first `{page}` or `{offset}`.
    pub first: u64,
    /// Pages asked for at most.
    pub pages: u64,
    pub authorization: Option<Authorization>,
    pub ca: Option<PathBuf>,
    /// Longest time a page may take.
    pub timeout: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoapVersion {
    V1_1,
    V1_2,
}

/// How columns become fields. A field without a rule is filled by the column of its name.
#[derive(Debug, Clone, Default)]
pub struct MapSpec {
    pub fields: BTreeMap<String, Rule>,
    /// Columns nobody wants.
    pub drop: Vec<String>,
    /// Fields whose column may not be there: they have no value then.
    pub optional: Vec<String>,
    /// Rows whose keys cannot be read are of no record: notes and sums among the rows, not damaged ones.
    pub passes_unreadable: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    pub columns: Vec<String>,
    pub constant: Option<String>,
    /// An expression over the row.
    pub cel: Option<String>,
    /// Between the columns.
    pub join: Option<String>,
    /// Cuts the one column, and takes a part (from 1).
    pub split: Option<(String, usize)>,
    /// strftime of a date or a time.
    pub format: Option<String>,
    /// Value → value; others stay unless `other`.
    pub codes: BTreeMap<String, String>,
    pub other: Other,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Other {
    #[default]
    Refuse,
    Keep,
    Empty,
}

#[derive(Debug, Clone)]
pub struct Schedule {
    /// Full comparison.
    pub compare: Duration,
    /// The copy against the server's digest.
    pub reconcile: Duration,
}

#[derive(Debug, Clone)]
pub struct Retry {
    /// Longest pause between two tries.
    pub pause: Duration,
    /// When `once` gives up; `run` goes on and says so.
    pub limit: Duration,
}

impl Sql {
    /// A database to look at, by its address alone.
    pub fn plain(
        address: &str,
        password_env: Option<String>,
        tls: Option<Tls>,
    ) -> std::result::Result<Self, String> {
        let engine = match address.split_once("://").map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => Engine::Postgres,
            Some("mysql" | "mariadb") => Engine::MariaDb,
            Some(_) => {
                return Err("expected postgres://…, mysql://… or the file of a SQLite database".to_owned());
            }
            None => Engine::Sqlite,
        };
        let mut faults = Vec::new();
        read::no_password(address, "source", &mut faults);
        if let Some(fault) = faults.pop() {
            return Err(format!("{}: --password-env NAME", fault.message));
        }
        Ok(Self {
            engine,
            url: address.to_owned(),
            password: password_env.map(Secret::Env),
            tls,
            query: String::new(),
            table: None,
            lists: Vec::new(),
            follow: None,
        })
    }
}

impl Feed {
    /// Reads a feed's file; every fault at once.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|error| Error::file(path, &error))?;
        let base = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, base).map_err(|faults| Error::Faults {
            what: format!("{} does not describe a feed", path.display()),
            faults,
        })
    }

    pub fn parse(text: &str, base: &Path) -> std::result::Result<Self, Vec<Fault>> {
        read::feed(text, base)
    }

    /// `/intake/{set}` of its section.
    pub fn intake(&self) -> String {
        if self.sandbox {
            format!("/sandbox/{}/intake", self.dataset)
        } else {
            format!("/intake/{}", self.dataset)
        }
    }
}

/// `schema.table`, each part quoted.
pub fn quoted_table(engine: Engine, table: &str) -> String {
    table
        .split('.')
        .map(|part| quoted(engine, part))
        .collect::<Vec<_>>()
        .join(".")
}

pub fn quoted(engine: Engine, name: &str) -> String {
    let quote = if engine == Engine::MariaDb { '`' } else { '"' };
    let doubled = name.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{doubled}{quote}")
}
