//! A definition and a feed for a file, or for a directory into which files come.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use dagr_model::{
    definition::{CsvOptions, is_field_name},
    schema::Schema,
    value::nfc,
};
use toml::Value;

use super::{Left, MAP, Proposal, SCHEDULE, absolute, begins, dataset, described, key, readable, told_of};
use crate::{
    collect::{Collect, Refused, Take},
    error::{Error, Result},
    feed::{Feed, Files, MapSpec, Order},
    progress::Progress,
    run::file_of,
    source::{Means, files},
    survey::{DOTTED, Field, Fields, Looks, ROWS, Shape, Survey, Written},
};

/// What a file does not tell of itself.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    pub charset: Option<String>,
    /// Where in a JSON or XML document the records are.
    pub records: Option<String>,
    /// The file inside a zip file.
    pub member: Option<String>,
}

/// `prefix`: the provider's abbreviation, which begins the data set's name. `progress` counts rows, of each look at the file.
pub fn propose_of_file(
    path: &Path,
    prefix: &str,
    hints: Hints,
    progress: &Progress,
) -> Result<(Vec<Proposal>, Vec<Left>)> {
    let watch = path.is_dir();
    let spec = Files {
        path: path.to_owned(),
        watch,
        order: Order::default(),
        format: None,
        charset: hints.charset,
        settle: Duration::ZERO,
        records: hints.records,
        member: hints.member,
        may_be_empty: false,
    };
    let scratch = tempfile::tempdir().map_err(|error| Error::State(error.to_string()))?;
    let file = file_of(&spec, &Vec::new(), scratch.path())?;
    let look = |survey: Survey| look(&spec, &file, scratch.path(), survey, progress);
    let mut seen = look(Survey::default())?;
    if !seen.repeated.is_empty() {
        let lists = std::mem::take(&mut seen.repeated);
        seen = look(Survey::with_lists(lists))?;
    }
    if seen.key().is_none() {
        seen = look(seen.for_pairs())?;
    }
    let called = stem(path, watch);
    Ok(proposal(
        &spec,
        &file.path,
        &dataset(prefix, &called),
        &called,
        &seen,
    ))
}

fn look(
    spec: &Files,
    file: &files::Found,
    scratch: &Path,
    mut survey: Survey,
    progress: &Progress,
) -> Result<Survey> {
    progress.begin(0);
    // The rows are not read by it.
    let any = "name: any_set\nkey: Any\ndata_description: any\nfields:\n  - Any : any\n";
    let definition = any
        .parse()
        .map_err(|_| Error::State("no definition to begin with".to_owned()))?;
    let schema = Arc::new(Schema::compile(Arc::new(definition), None));
    let map = MapSpec::default();
    let mut torn = Torn::default();
    let means = Means {
        csv: &CsvOptions::default(),
        dir: scratch,
    };
    let mut rows = Collect::new(&schema, &map, &mut torn)
        .surveyed_by(&mut survey)
        .told_to(progress);
    files::read(spec, file, &mut rows, &means)?;
    rows.finish()?;
    survey.torn += torn.rows;
    survey.repeated = torn.repeated;
    Ok(survey)
}

/// Rows that could not be taken apart.
#[derive(Default)]
struct Torn {
    rows: u64,
    repeated: BTreeSet<String>,
}

impl Take for Torn {
    fn record(&mut self, _: u64, _: &[u8], _: &[u8; 32], _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn refused(&mut self, refused: Vec<Refused>, _: Option<Vec<u8>>) -> Result<()> {
        let (repeated, torn): (Vec<_>, Vec<_>) = refused
            .into_iter()
            .partition(|refused| refused.rule == "repeated");
        self.rows += u64::from(!torn.is_empty());
        self.repeated
            .extend(repeated.into_iter().map(|refused| refused.column));
        Ok(())
    }
}

/// What the file is called, without what its format and packing end it with.
fn stem(path: &Path, watch: bool) -> String {
    let whole = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    let name = whole
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    match name.split_once('.') {
        Some((stem, _)) if !watch && !stem.is_empty() => stem.to_owned(),
        _ => name,
    }
}

fn proposal(
    spec: &Files,
    file: &Path,
    name: &str,
    called: &str,
    seen: &Survey,
) -> (Vec<Proposal>, Vec<Left>) {
    let shown = file.display().to_string();
    let mut left = Vec::new();
    let mut say = |what: &str, why: String| left.push((what.to_owned(), why));
    for column in &seen.repeated {
        let why = "it comes more than once in some records, which were not looked at: make a list of it, as docs/CONNECTOR.md tells of XML";
        say(column, why.to_owned());
    }
    if seen.torn > 0 {
        say(
            &shown,
            format!(
                "{} of its rows cannot be taken apart; `dagr connector check` tells them",
                seen.torn
            ),
        );
    }
    if seen.fields.is_cut {
        say(
            &shown,
            format!("only its first {} columns were looked at", seen.fields.all.len()),
        );
    }
    if seen.is_csv && seen.fields.all.iter().any(|field| is_value(&field.name)) {
        let why =
            "its first row looks like values, not like names of columns: files begin with their column names";
        say(&shown, why.to_owned());
        return (Vec::new(), left);
    }
    let local = seen.fields.all.iter().filter(|field| field.looks.is_local());
    for field in local {
        let why = "some of its moments say no time zone: they are read as UTC, unless `timezone: Europe/Riga` stands in the definition";
        say(&field.name, why.to_owned());
    }
    let Some((found, faults)) = seen.key() else {
        let why = match seen.rows {
            0 => "it has no rows to look at".to_owned(),
            rows => format!(
                "none of its first columns, and no two of them, tell one row from another ({rows} rows): say in a definition of your own what identifies a record"
            ),
        };
        say(&shown, why);
        return (Vec::new(), left);
    };
    let told: Vec<&str> = found.iter().map(|field| field.name.as_str()).collect();
    let told = told.join(", ");
    if faults > 0 {
        say(
            &told,
            format!(
                "it is proposed as the key, though {faults} of {} rows lack it or have it as another row: `dagr connector check` tells which are not sent",
                seen.rows
            ),
        );
    }
    if seen.rows > ROWS {
        say(
            &told,
            format!("as the key of a record it was looked at in the first {ROWS} rows only"),
        );
    }
    let comma = seen.is_csv && commas(&seen.fields);
    let columns = Columns::of(&seen.fields);
    let keys: Vec<String> = found
        .iter()
        .filter_map(|field| columns.field(&field.name))
        .collect();
    let lines: String = columns
        .taken
        .iter()
        .map(|(own, field)| line(own, field, keys.contains(own), comma, "  "))
        .collect();
    let csv = if comma { "csv: {decimal: comma}\n" } else { "" };
    let definition = format!(
        "name: {name}\nkey: {}\ndata_description: {}\nfields:\n{lines}{csv}",
        key(&keys),
        described(said(called, &plain(called)), called)
    );
    let feed = feed(spec, name, &columns);
    let is_read = readable(&definition).and_then(|()| {
        let read = Feed::parse(&feed, Path::new("."));
        read.map(|_| ()).map_err(|faults| told_of(&faults))
    });
    if let Err(faults) = is_read {
        say(&shown, faults);
        return (Vec::new(), left);
    }
    let proposal = Proposal {
        feed,
        name: name.to_owned(),
        definition,
    };
    (vec![proposal], left)
}

/// A date, a number, a code of a person: nobody calls a column so.
fn is_value(name: &str) -> bool {
    let mut looks = Looks::default();
    looks.text(name);
    !name.trim().is_empty() && looks.written().is_some_and(|written| written != Written::Bool)
}

/// Are the decimals of the file written with a comma? A definition has one way for all of them.
fn commas(fields: &Fields) -> bool {
    let is = |written| fields.all.iter().any(|field| field.written() == Some(written));
    is(Written::Comma) && !is(Written::Decimal)
}

/// Columns and the fields that they fill.
struct Columns<'s> {
    taken: Vec<(String, &'s Field)>,
    /// Those without a name.
    unnamed: Vec<&'s str>,
}

impl<'s> Columns<'s> {
    fn of(fields: &'s Fields) -> Self {
        let mut own: Vec<(String, &Field)> = Vec::new();
        let named = fields.all.iter().filter(|field| !field.name.trim().is_empty());
        for (at, field) in named.enumerate() {
            let taken = |name: &str| {
                own.iter()
                    .any(|(own, _)| own.to_lowercase() == name.to_lowercase())
            };
            let plain = plain(&field.name);
            let numbered = format!("{plain}_{}", at + 1);
            let counted = (at + 1..).map(|n| format!("column_{n}"));
            // Words of `[map]` are no fields there.
            let free = [plain, numbered]
                .into_iter()
                .filter(|name| is_field_name(name) && !["drop", "optional"].contains(&name.as_str()))
                .chain(counted)
                .find(|name| !taken(name));
            own.extend(free.map(|name| (name, field)));
        }
        Self {
            taken: own,
            unnamed: fields
                .all
                .iter()
                .map(|field| field.name.as_str())
                .filter(|name| name.trim().is_empty())
                .collect(),
        }
    }

    fn field(&self, column: &str) -> Option<String> {
        let found = self.taken.iter().find(|(_, field)| field.name == column);
        found.map(|(own, _)| own.clone())
    }

    /// What `[map]` must say.
    fn map(&self) -> String {
        let mut text = String::new();
        for (own, field) in &self.taken {
            let column = Value::from(field.name.as_str());
            let name = toml_key(own);
            if field.written() == Some(Written::Dotted) {
                text.push_str(&format!(
                    "{name} = {{ column = {column}, format = \"{DOTTED}\" }}\n"
                ));
            } else if *own != field.name {
                text.push_str(&format!("{name} = {column}\n"));
            }
        }
        if !self.unnamed.is_empty() {
            let names: BTreeSet<&str> = self.unnamed.iter().copied().collect();
            let drop = Value::from(names.into_iter().collect::<Vec<_>>());
            text.push_str(&format!(
                "drop = {drop}                     # columns without a name\n"
            ));
        }
        text
    }
}

/// TOML's bare keys have plain letters.
fn toml_key(name: &str) -> String {
    if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}

/// Letters, digits and `_`.
fn plain(column: &str) -> String {
    let column = nfc(column);
    let words = column.split(|c: char| !c.is_alphanumeric() && c != '_');
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("_")
}

/// What the source calls it, where that is another word.
fn said<'n>(name: &'n str, own: &str) -> &'n str {
    if name == own { "" } else { name }
}

fn line(own: &str, field: &Field, is_key: bool, comma: bool, indent: &str) -> String {
    let list = if field.is_list() { " *" } else { "" };
    let inside = &field.inside.all;
    match field.shape() {
        Shape::Object if inside.iter().all(|field| is_field_name(&field.name)) => {
            let lines: String = inside
                .iter()
                .map(|field| line(&field.name, field, false, false, &format!("{indent}      ")))
                .collect();
            let comments = described(said(&field.name, own), own);
            format!("{indent}- {own}{list} :\n{indent}    comments: {comments}\n{indent}    fields:\n{lines}")
        }
        Shape::Geometry => {
            format!(
                "{indent}- {own} geometry{list} : {}\n",
                described(said(&field.name, own), own)
            )
        }
        Shape::Object | Shape::Json => {
            format!(
                "{indent}- {own} json : {}\n",
                described(said(&field.name, own), own)
            )
        }
        Shape::Scalar => {
            let ty = match field.written() {
                Some(Written::Comma) if !comma => "text",
                _ => field.ty(),
            };
            let required = matches!(field.declared, Some((_, true))) && !is_key && ty != "text";
            let ty = match (ty, required) {
                ("text", _) => String::new(),
                (ty, true) => format!(" {ty}!"),
                (ty, false) => format!(" {ty}"),
            };
            format!(
                "{indent}- {own}{ty}{list} : {}\n",
                described(said(&field.name, own), own)
            )
        }
    }
}

fn feed(spec: &Files, name: &str, columns: &Columns<'_>) -> String {
    let mut text = begins(name);
    let path = Value::from(absolute(&spec.path));
    text.push_str(&format!("\n[source]\nkind = \"files\"\npath = {path}\n"));
    text.push_str(if spec.watch {
        "watch = true                      # each new file of the directory is the present state\n# order = \"time\"                  # by when they were last changed, not by their names\n"
    } else {
        "# watch = true                    # of a directory: each new file in it is the present state\n"
    });
    for (word, said) in [
        ("charset", &spec.charset),
        ("records", &spec.records),
        ("member", &spec.member),
    ] {
        if let Some(said) = said {
            text.push_str(&format!("{word} = {}\n", Value::from(said.as_str())));
        }
    }
    let map = columns.map();
    let sign = if map.is_empty() {
        "# [map]                          "
    } else {
        "[map]                            "
    };
    text.push_str(&format!(
        "\n{sign}# a field is filled by the column of its name; else:\n{map}"
    ));
    text.push_str(MAP);
    text.push_str(SCHEDULE);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{collect::kept::Kept, map::Origin};

    fn spec() -> Files {
        Files {
            path: PathBuf::from("x.csv"),
            watch: false,
            order: Order::default(),
            format: None,
            charset: None,
            settle: Duration::ZERO,
            records: None,
            member: None,
            may_be_empty: false,
        }
    }

    /// Surveys the rows, and reads them by what is then proposed.
    fn read_by_proposal(columns: &[String], rows: &[Vec<String>]) -> Option<Kept> {
        let mut survey = Survey::default();
        survey.columns(columns, Origin::Csv).ok()?;
        for row in rows {
            let cells: Vec<Option<&str>> = row.iter().map(|cell| Some(cell.as_str())).collect();
            survey.cells(&cells);
        }
        let (proposals, _) = proposal(&spec(), Path::new("x.csv"), "ta_x", "x", &survey);
        let proposed = proposals.first()?;
        let definition = proposed.definition.parse().unwrap();
        let schema = Arc::new(Schema::compile(Arc::new(definition), None));
        let map = Feed::parse(&proposed.feed, Path::new(".")).unwrap().map;
        let mut kept = Kept::default();
        let mut collect = Collect::new(&schema, &map, &mut kept);
        collect.header(columns, Origin::Csv).unwrap();
        for (number, row) in (1..).zip(rows) {
            let cells: Vec<Option<&str>> = row.iter().map(|cell| Some(cell.as_str())).collect();
            collect.cells(number, &cells).unwrap();
        }
        collect.finish().unwrap();
        Some(kept)
    }

    fn cell() -> impl Strategy<Value = String> {
        prop_oneof![
            "-?[0-9]{1,20}",
            "[0-9]{0,3}[.,][0-9]{1,3}",
            "[0-9]{6}-?[0-9]{5}",
            "20[0-9]{2}-[01][0-9]-[0-3][0-9]",
            "[0-3][0-9]\\.[01][0-9]\\.20[0-9]{2}",
            "20[0-9]{2}-0[1-9]-1[0-9][T ]10:00:00Z?",
            "true|false| |",
            r#"\[[0-9]?\]|\{\}|\{"a": ?[0-9]\}|\[see"#,
            "[0-9]{1,3}[ \n\u{2003}\u{202f}\t]",
            "\\PC{1,8}",
        ]
    }

    proptest! {
        #[test]
        fn what_is_proposed_takes_every_row(
            names in prop::collection::vec("[a-c\"'#: \\\\.ķ\u{1}\u{85}-]{0,4}|drop|limit|column_2|\\PC{1,6}", 3),
            kinds in prop::collection::vec((cell(), cell()), 3),
            picks in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>()), 1..12),
        ) {
            let mut columns = vec!["key".to_owned()];
            columns.extend(names);
            let rows: Vec<Vec<String>> = picks.iter().enumerate().map(|(n, picks)| {
                let of = |at: usize, first: bool| if first { kinds[at].0.clone() } else { kinds[at].1.clone() };
                vec![format!("k{n}"), of(0, picks.0), of(1, picks.1), of(2, picks.2)]
            }).collect();
            if let Some(kept) = read_by_proposal(&columns, &rows) {
                prop_assert_eq!(kept.refused.len(), 0, "{:?}", kept.refused);
                prop_assert_eq!(kept.records.len(), rows.len());
            }
        }
    }

    #[test]
    fn a_first_row_of_values_is_no_header() {
        let columns = ["120180-10513", "Jānis"].map(str::to_owned);
        let rows = [vec!["120180-10513".to_owned(), "Anna".to_owned()]];
        assert!(read_by_proposal(&columns, &rows).is_none());
        let named = ["Kods", "Vārds"].map(str::to_owned);
        assert_eq!(read_by_proposal(&named, &rows).unwrap().records.len(), 1);
    }
}
