//! TOML → a feed.

mod documents;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use dagr_model::{
    definition::share,
    fault::{Fault, nearest},
};
use toml::{Table, Value};

use super::{
    Engine, Feed, Follow, Followed, ListQuery, MapSpec, Other, Retry, Rule, Schedule, Secret, Server, Source,
    Sql, Tls, quoted_table,
};
use crate::words::Words;

type Faults = Vec<Fault>;

const MINUTE: Duration = Duration::from_mins(1);

pub fn feed(text: &str, base: &Path) -> Result<Feed, Faults> {
    let table: Table = text
        .parse()
        .map_err(|error: toml::de::Error| vec![not_toml(text, &error)])?;
    let mut faults = Vec::new();
    let mut words = Words::new(&table, "");
    words.required(&mut faults, "dataset", "\"ta_vehicles\"");
    words.required(&mut faults, "server", "(a table: [server])");
    words.required(&mut faults, "source", "(a table: [source])");
    let dataset = words.text(&mut faults, "dataset").unwrap_or_default();
    let name = words.text(&mut faults, "name").unwrap_or_else(|| dataset.clone());
    for (word, value) in [("dataset", &dataset), ("name", &name)] {
        if !value.is_empty() && !is_name(value) {
            let message = "lower-case letters, digits and _, a letter first";
            faults.push(Fault::new(word, "name", message));
        }
    }
    let sandbox = section(&mut words, &mut faults);
    let definition = words.text(&mut faults, "definition").map(|path| base.join(path));
    let state = state_path(words.text(&mut faults, "state"), base, &format!("{name}.state"));
    let server = words
        .table(&mut faults, "server")
        .and_then(|table| server(table, base, &mut faults));
    let source = words
        .table(&mut faults, "source")
        .and_then(|table| source(table, &name, base, &mut faults));
    let mut map = words
        .table(&mut faults, "map")
        .map(|table| map(table, &mut faults))
        .unwrap_or_default();
    map.passes_unreadable = match words.text(&mut faults, "unreadable_keys").as_deref() {
        None | Some("hold") => false,
        Some("pass") => true,
        Some(_) => {
            let message = "expected \"hold\" (nothing is deleted while there are such rows) or \"pass\"";
            faults.push(Fault::new("unreadable_keys", "kind", message));
            false
        }
    };
    let followed = matches!(&source, Some(Source::Sql(sql)) if sql.follow.is_some());
    let schedule = schedule(words.table(&mut faults, "schedule"), followed, &mut faults);
    let retry = retry(words.table(&mut faults, "retry"), &mut faults);
    let spool_mib = words.number(&mut faults, "spool_mib").unwrap_or(4 << 10);
    if spool_mib == 0 {
        faults.push(Fault::new(
            "spool_mib",
            "range",
            "at least 1: packages go through it",
        ));
    }
    let guard_bp = guard(&mut words, &mut faults);
    words.end(&mut faults);
    let reading = ["source", "map", "unreadable_keys"].map(|word| table.get(word).map(Value::to_string));
    match (server, source) {
        (Some(server), Some(source)) if faults.is_empty() => Ok(Feed {
            name,
            dataset,
            sandbox,
            definition,
            state,
            server,
            source,
            map,
            schedule,
            retry,
            guard_bp,
            spool_bytes: spool_mib.saturating_mul(1 << 20),
            reading: format!("{reading:?}"),
        }),
        _ => Err(faults),
    }
}

/// `guard = "5%"`
fn guard(words: &mut Words<'_>, faults: &mut Faults) -> Option<u32> {
    let text = words.text(faults, "guard")?;
    share(&text)
        .map_err(|message| faults.push(Fault::new("guard", "share", message)))
        .ok()
}

/// Where the service of `packaging/dagr-connector@.service` and of `dagr-replica@` keep theirs.
const SERVICES: &str = "/var/lib/dagr";

/// Beside the file, unless it says where; a service of systemd has a directory of its own (`StateDirectory=`), which who
/// asks about it from outside finds.
pub(crate) fn state_path(given: Option<String>, base: &Path, name: &str) -> PathBuf {
    match (given, std::env::var_os("STATE_DIRECTORY")) {
        (Some(given), _) => base.join(given),
        (None, Some(directory)) => Path::new(&directory).join(name),
        (None, None) => {
            let (beside, service) = (base.join(name), Path::new(SERVICES).join(name));
            if service.exists() && !beside.exists() {
                service
            } else {
                beside
            }
        }
    }
}

pub(crate) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.len() <= 63 && text.chars().all(plain) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

pub(crate) fn not_toml(text: &str, error: &toml::de::Error) -> Fault {
    let line = error
        .span()
        .map_or(1, |span| 1 + text[..span.start].matches('\n').count());
    Fault::new(format!("line {line}"), "toml", error.message().to_owned())
}

pub(crate) fn section(words: &mut Words<'_>, faults: &mut Faults) -> bool {
    match words.text(faults, "section").as_deref() {
        None | Some("main") => false,
        Some("sandbox") => true,
        Some(_) => {
            faults.push(Fault::new("section", "kind", "expected \"main\" or \"sandbox\""));
            false
        }
    }
}

pub(crate) fn server(table: &Table, base: &Path, faults: &mut Faults) -> Option<Server> {
    let mut words = Words::new(table, "server");
    for (word, example) in [
        ("url", "\"https://dagr.example.lv\""),
        ("client_id", "\"vehicles-feed\""),
        ("key", "{ file = \"key.pem\" }"),
    ] {
        words.required(faults, word, example);
    }
    let url = words.text(faults, "url");
    if let Some(url) = &url {
        no_password(url, "server.url", faults);
        if !url.starts_with("http://") && !url.starts_with("https://") {
            faults.push(Fault::new(
                "server.url",
                "kind",
                "expected an address that begins https:// or http://",
            ));
        }
    }
    let client_id = words.text(faults, "client_id");
    let key = secret(&mut words, "key", base, faults);
    let ca = words.text(faults, "ca").map(|path| base.join(path));
    let idle = words.duration(faults, "idle");
    words.end(faults);
    Some(Server {
        url: url?,
        client_id: client_id?,
        key: key?,
        ca,
        idle,
    })
}

/// `{ file = "…" }` or `{ env = "…" }`; a plain text would put the secret here.
pub(crate) fn secret(
    words: &mut Words<'_>,
    word: &'static str,
    base: &Path,
    faults: &mut Faults,
) -> Option<Secret> {
    let place = words.place(word);
    let mut fault = || {
        let message = "secrets stand here by reference: { env = \"NAME\" } or { file = \"path\" }";
        faults.push(Fault::new(place.clone(), "secret", message));
        None
    };
    match words.value(word)? {
        Value::Table(table) if table.len() == 1 => match (table.get("env"), table.get("file")) {
            (Some(Value::String(name)), None) => Some(Secret::Env(name.clone())),
            (None, Some(Value::String(path))) => Some(Secret::File(base.join(path))),
            _ => fault(),
        },
        _ => fault(),
    }
}

/// `tls = true`, and with `ca` other authorities than the machine's.
pub(crate) fn tls(words: &mut Words<'_>, base: &Path, faults: &mut Faults) -> Option<Tls> {
    let ca = words.text(faults, "ca").map(|path| base.join(path));
    let wanted = words.bool(faults, "tls");
    if wanted == Some(false) && ca.is_some() {
        let message =
            "ca says whom to trust over TLS, and tls = false that there is none: leave one of them out";
        faults.push(Fault::new(words.place("ca"), "rule", message));
    }
    (wanted == Some(true) || ca.is_some()).then_some(Tls { ca })
}

/// Neither in an address nor in PostgreSQL's other way to write one: `host=db password=secret`.
pub(crate) fn no_password(url: &str, place: &str, faults: &mut Faults) {
    let message = match url.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) {
        Some((scheme, rest)) if holds_password(scheme, rest) => {
            "the address holds a password: take it out and give it by reference"
        }
        None if has_password_word(url) => {
            "the address holds a password: write it as postgres://user@host:5432/database, and give the password by reference"
        }
        _ => return,
    };
    faults.push(Fault::new(place, "secret", message));
}

fn is_scheme(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// `rest` is what follows `://`.
fn holds_password(scheme: &str, rest: &str) -> bool {
    let user = match scheme {
        // Whatever stands before the first @ is taken for user and password.
        "postgres" | "postgresql" => rest.split_once('@'),
        _ => rest
            .split('/')
            .next()
            .and_then(|authority| authority.rsplit_once('@')),
    };
    user.is_some_and(|(user, _)| user.contains(':'))
        || rest
            .split_once('?')
            .is_some_and(|(_, query)| query.split('&').any(|word| word.starts_with("password=")))
}

fn has_password_word(text: &str) -> bool {
    text.split("password")
        .skip(1)
        .any(|rest| rest.trim_start().starts_with('='))
}

fn source(table: &Table, name: &str, base: &Path, faults: &mut Faults) -> Option<Source> {
    let mut words = Words::new(table, "source");
    words.required(faults, "kind", "\"postgres\"");
    let kind = words.text(faults, "kind");
    let source = match kind.as_deref() {
        Some("postgres") => sql(&mut words, Engine::Postgres, name, base, faults).map(Source::Sql),
        Some("mariadb" | "mysql") => sql(&mut words, Engine::MariaDb, name, base, faults).map(Source::Sql),
        Some("sqlite") => sql(&mut words, Engine::Sqlite, name, base, faults).map(Source::Sql),
        Some("files") => documents::files(&mut words, base, faults).map(Source::Files),
        Some("http") => documents::http(&mut words, base, faults).map(Source::Http),
        Some("soap") => documents::soap(&mut words, base, faults).map(Source::Soap),
        Some(_) => {
            let message = "expected postgres, mariadb, mysql, sqlite, files, http or soap";
            faults.push(Fault::new("source.kind", "kind", message));
            return None;
        }
        None => return None,
    };
    words.end(faults);
    source
}

fn sql(words: &mut Words<'_>, engine: Engine, name: &str, base: &Path, faults: &mut Faults) -> Option<Sql> {
    let (address, example) = match engine {
        Engine::Postgres => ("url", "\"postgres://reader@db.example.lv:5432/vehicles\""),
        Engine::MariaDb => ("url", "\"mysql://reader@db.example.lv:3306/vehicles\""),
        Engine::Sqlite => ("path", "\"vehicles.db\""),
    };
    words.required(faults, address, example);
    let url = words.text(faults, address);
    let password = secret(words, "password", base, faults);
    let tls = match engine {
        Engine::Sqlite => None,
        _ => tls(words, base, faults),
    };
    if let Some(url) = &url {
        no_password(url, "source.url", faults);
    }
    let table = words.text(faults, "table");
    let query = words.text(faults, "query");
    let query = one_query(engine, query, table.as_deref(), "source", faults);
    let lists: Vec<ListQuery> = words
        .tables(faults, "lists")
        .into_iter()
        .enumerate()
        .filter_map(|(at, table)| list(engine, at, table, faults))
        .collect();
    let follow = words
        .table(faults, "follow")
        .map(|given| follow(engine, given, name, table.as_deref(), &lists, faults));
    let url = match engine {
        Engine::Sqlite => base.join(url?).to_string_lossy().into_owned(),
        _ => url?,
    };
    Some(Sql {
        engine,
        url,
        password,
        tls,
        query: query?,
        table,
        lists,
        follow,
    })
}

fn one_query(
    engine: Engine,
    query: Option<String>,
    table: Option<&str>,
    place: &str,
    faults: &mut Faults,
) -> Option<String> {
    match (query, table) {
        (Some(query), None) => {
            let query = query.trim().trim_end_matches(';').to_owned();
            if query.contains(';') {
                faults.push(Fault::new(
                    format!("{place}.query"),
                    "query",
                    "one query, without ;",
                ));
            }
            Some(query)
        }
        (None, Some(table)) => Some(format!("SELECT * FROM {}", quoted_table(engine, table))),
        _ => {
            let message = "give either table = \"schema.name\" or query = \"SELECT …\"";
            faults.push(Fault::new(place, "query", message));
            None
        }
    }
}

fn list(engine: Engine, at: usize, table: &Table, faults: &mut Faults) -> Option<ListQuery> {
    let place = format!("source.lists[{at}]");
    let mut words = Words::new(table, place.clone());
    words.required(faults, "field", "\"Owners\"");
    words.required(faults, "match", "{ vehicle_id = \"id\" }");
    let field = words.text(faults, "field");
    let (table, query) = (words.text(faults, "table"), words.text(faults, "query"));
    let query = one_query(engine, query, table.as_deref(), &place, faults);
    let matching = words.pairs(faults, "match");
    let order = words.texts(faults, "order");
    words.end(faults);
    Some(ListQuery {
        field: field?,
        query: query?,
        table,
        matching,
        order,
    })
}

fn follow(
    engine: Engine,
    given: &Table,
    name: &str,
    table: Option<&str>,
    lists: &[ListQuery],
    faults: &mut Faults,
) -> Follow {
    let mut words = Words::new(given, "source.follow");
    let slot = words.text(faults, "slot").unwrap_or_else(|| match engine {
        Engine::Sqlite => format!("dagr_change_{name}"),
        _ => format!("dagr_{name}"),
    });
    let every = words
        .duration(faults, "every")
        .unwrap_or(Duration::from_millis(200));
    let mut tables: Vec<Followed> = words
        .tables(faults, "tables")
        .into_iter()
        .enumerate()
        .filter_map(|(at, table)| {
            let mut words = Words::new(table, format!("source.follow.tables[{at}]"));
            words.required(faults, "table", "\"public.vehicle\"");
            words.required(faults, "key", "{ id = \"Id\" }");
            let (table, key) = (words.text(faults, "table"), words.pairs(faults, "key"));
            words.end(faults);
            Some(Followed { table: table?, key })
        })
        .collect();
    words.end(faults);
    if tables.is_empty() {
        // The tables the feed itself names; the main one by its own key columns, which are found when it is read.
        tables.extend(table.map(|table| Followed {
            table: table.to_owned(),
            key: BTreeMap::default(),
        }));
        tables.extend(lists.iter().filter_map(|list| {
            Some(Followed {
                table: list.table.clone()?,
                key: list.matching.clone(),
            })
        }));
        if table.is_none() || lists.iter().any(|list| list.table.is_none()) {
            let message =
                "with a query, say which tables it reads: [[source.follow.tables]] with table and key";
            faults.push(Fault::new("source.follow.tables", "required", message));
        }
    }
    Follow { slot, tables, every }
}

fn map(table: &Table, faults: &mut Faults) -> MapSpec {
    let mut spec = MapSpec::default();
    for (field, value) in table {
        let place = format!("map.{field}");
        match value {
            Value::Array(_) if field == "drop" => {
                spec.drop = Words::new(table, "map").texts(faults, "drop");
            }
            Value::Array(_) if field == "optional" => {
                spec.optional = Words::new(table, "map").texts(faults, "optional");
            }
            Value::String(column) => {
                let rule = Rule {
                    columns: vec![column.clone()],
                    ..Rule::default()
                };
                spec.fields.insert(field.clone(), rule);
            }
            Value::Table(given) => {
                spec.fields.insert(field.clone(), rule(given, &place, faults));
            }
            Value::Array(_) => {
                let message = match nearest(field, ["drop", "optional"]) {
                    Some(near) => format!("a field takes no list; did you mean {near}?"),
                    None => {
                        "a field takes no list; columns = [\"a\", \"b\"] in a table joins several columns"
                            .to_owned()
                    }
                };
                faults.push(Fault::new(place, "kind", message));
            }
            _ => {
                let message = "expected a column's name, or a table such as { column = \"st\", codes = { \"1\" = \"alive\" } }";
                faults.push(Fault::new(place, "kind", message));
            }
        }
    }
    spec
}

fn rule(table: &Table, place: &str, faults: &mut Faults) -> Rule {
    let mut words = Words::new(table, place);
    let column = words.text(faults, "column");
    let mut columns = words.texts(faults, "columns");
    let constant = words.text(faults, "constant");
    let cel = words.text(faults, "cel");
    let join = words.text(faults, "join");
    let (by, part) = (words.text(faults, "split"), words.number(faults, "part"));
    let format = words.text(faults, "format");
    let codes = words.pairs(faults, "codes");
    let other = match words.text(faults, "other").as_deref() {
        None | Some("refuse") => Other::Refuse,
        Some("keep") => Other::Keep,
        Some("empty") => Other::Empty,
        Some(_) => {
            faults.push(Fault::new(
                words.place("other"),
                "kind",
                "expected refuse, keep or empty",
            ));
            Other::Refuse
        }
    };
    words.end(faults);
    let given = [
        column.is_some(),
        !columns.is_empty(),
        constant.is_some(),
        cel.is_some(),
    ];
    let given = given.into_iter().filter(|given| *given).count();
    let mut fault = |message: &str| faults.push(Fault::new(place, "rule", message));
    if given != 1 {
        fault("one of column, columns, constant or cel says where the value comes from");
    }
    if join.is_some() && columns.is_empty() {
        fault("join goes with columns");
    }
    if by.is_some() != part.is_some() || part == Some(0) {
        fault("split goes with part, counted from 1: split = \",\", part = 1");
    }
    columns.extend(column);
    Rule {
        columns,
        constant,
        cel,
        join,
        split: by.zip(part).map(|(by, part)| (by, part as usize)),
        format,
        codes,
        other,
    }
}

fn schedule(table: Option<&Table>, followed: bool, faults: &mut Faults) -> Schedule {
    let empty = Table::new();
    let mut words = Words::new(table.unwrap_or(&empty), "schedule");
    let compare = words
        .duration(faults, "compare")
        .unwrap_or(if followed { 24 * 60 } else { 15 } * MINUTE);
    let reconcile = words.duration(faults, "reconcile").unwrap_or(24 * 60 * MINUTE);
    words.end(faults);
    Schedule { compare, reconcile }
}

pub(crate) fn retry(table: Option<&Table>, faults: &mut Faults) -> Retry {
    let empty = Table::new();
    let mut words = Words::new(table.unwrap_or(&empty), "retry");
    let pause = words.duration(faults, "pause").unwrap_or(MINUTE);
    let limit = words.duration(faults, "limit").unwrap_or(60 * MINUTE);
    words.end(faults);
    Retry { pause, limit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_refused() {
        let faults = |url: &str| {
            let mut faults = Vec::new();
            no_password(url, "source.url", &mut faults);
            faults.len()
        };
        for url in [
            "postgres://reader:secret@db.example.lv/cars",
            "postgres://db.example.lv/cars?user=reader&password=secret",
            "https://reader:secret@register.example.lv",
            "mysql://reader:secret@db.example.lv/cars",
            "postgresql://reader:sec/ret@db.example.lv/cars",
            "host=db.example.lv user=reader password=secret",
            "host=db.example.lv password = 'a secret'",
            "host=db.example.lv password=a://b",
        ] {
            assert_eq!(faults(url), 1, "{url}");
        }
        for url in [
            "postgres://reader@db.example.lv:5432/cars?host=/run",
            "https://register.example.lv/a:b@c",
            "host=db.example.lv user=reader dbname=cars",
            "passwords/cars.db",
        ] {
            assert_eq!(faults(url), 0, "{url}");
        }
    }

    #[test]
    fn a_word_of_map_with_a_slip_is_no_field() {
        let mut faults = Vec::new();
        map(
            &"optinal = ['Colour']\nColours = ['a', 'b']".parse().unwrap(),
            &mut faults,
        );
        let told: Vec<_> = faults
            .iter()
            .map(|fault| format!("{}: {}", fault.place, fault.message))
            .collect();
        assert!(
            told[1].contains("map.optinal") && told[1].contains("did you mean optional?"),
            "{told:?}"
        );
        assert!(
            told[0].contains("map.Colours") && told[0].contains("columns = "),
            "{told:?}"
        );
    }
}
