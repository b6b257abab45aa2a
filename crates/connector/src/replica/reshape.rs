//! The tables of a copy: made, altered with the definition, loaded anew beside the copy, and put in its place.

use std::{fs, mem, path::Path, sync::Arc};

use dagr_model::{definition::Definition, fault::Fault, schema::Schema};
use serde_json::json;

use super::{
    TargetSpec, export,
    plan::{Column, Kind, LOADING, NOTES, Table},
    pull::Replica,
};
use crate::error::{Error, Result};

/// Note of the tables of the copy.
const STANDING: &str = "tables";
/// Note of the tables that are being loaded.
const LOADED: &str = "loading";
/// Note of the form that values have in the rows, and the present one: `json` as JSON, a text in it in quotes.
const ROWS: (&str, &str) = ("rows", "2");

impl Replica {
    /// Those of the copy, or those that are loaded beside it.
    pub(super) fn tables(&self, loading: bool) -> Table {
        Table::of(&self.schema.definition, if loading { LOADING } else { "" })
    }

    pub(super) async fn is_loading(&self) -> Result<bool> {
        Ok(self.note("phase").await?.as_deref() == Some("loading"))
    }

    async fn noted(&self, name: &str) -> Result<Option<Table>> {
        let text = self.note(name).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Begins, or goes on from where the notes stand.
    pub(super) async fn settle(&mut self) -> Result<()> {
        let Some(known) = self.note("definition").await? else {
            return self.start_over().await;
        };
        let now = mem::replace(&mut self.text, known);
        let schema = mem::replace(&mut self.schema, compile(&self.text)?);
        let (before, after) = (&self.schema.definition.name, &schema.definition.name);
        if before != after {
            return Err(Error::Decide(format!(
                "the replica {} keeps a copy of {before} there: give that of {after} a `name` of its own",
                self.spec.name
            )));
        }
        if self.is_loading().await? && self.noted(LOADED).await?.is_none() {
            // An earlier build began it.
            self.set_note(LOADED, &json!(self.tables(true)).to_string())
                .await?;
        }
        let own = Some(self.tables(false));
        if now != self.text || (!self.is_loading().await? && self.noted(STANDING).await? != own) {
            self.adopt(now).await?;
        }
        if self.note(ROWS.0).await?.as_deref() == Some(ROWS.1) {
            return Ok(());
        }
        // An earlier build wrote a text of a json field without its quotes.
        if has_json(&self.tables(false)) {
            tracing::info!("an earlier build wrote the copy in another form: it is loaded anew");
            return self.start_over().await;
        }
        self.set_note(ROWS.0, ROWS.1).await
    }

    /// Loads everything anew into tables beside the copy, which stays until the new one is whole.
    pub(super) async fn start_over(&mut self) -> Result<()> {
        self.is_another();
        self.target.begin().await?;
        let begun = self.begin_loading().await;
        self.target.end(begun).await
    }

    fn is_another(&mut self) {
        if let Some(taken_in) = &mut self.taken_in {
            taken_in.is_another = true;
        }
    }

    async fn begin_loading(&self) -> Result<()> {
        let (loading, own) = (self.tables(true), self.tables(false));
        if let Some(before) = self.noted(LOADED).await? {
            self.target.remove(&before).await?;
        }
        let standing = self.noted(STANDING).await?;
        self.are_free(&own, standing.as_ref()).await?;
        self.are_free(&loading, None).await?;
        // What may no longer be shown does not wait for the load.
        self.narrow(&own).await?;
        self.target.make(&loading).await?;
        for (name, value) in [
            ("definition", self.text.as_str()),
            (LOADED, &json!(loading).to_string()),
            ROWS,
            ("phase", "loading"),
            ("cursor", ""),
        ] {
            self.set_note(name, value).await?;
        }
        Ok(())
    }

    /// The copy that stands shows nothing that `own` does not.
    async fn narrow(&self, own: &Table) -> Result<()> {
        let Some(standing) = self.noted(STANDING).await? else {
            return Ok(());
        };
        let narrowed = standing.narrowed(own);
        self.target.reshape(&standing, &narrowed).await?;
        self.take_from_file(&standing, &narrowed).await?;
        self.set_note(STANDING, &json!(narrowed).to_string()).await
    }

    /// The loaded rows take the place of those of the copy; its tables stay, with rights, indexes and views.
    pub(super) async fn whole(&self) -> Result<()> {
        let (loading, own) = (self.tables(true), self.tables(false));
        let standing = self.noted(STANDING).await?;
        self.are_free(&own, standing.as_ref()).await?;
        match standing {
            Some(standing) => {
                self.target.reshape(&standing, &own).await?;
                self.target.refill(&own, &loading).await?;
            }
            None => self.target.rename(&loading, &own).await?,
        }
        self.set_note(STANDING, &json!(own).to_string()).await?;
        self.set_note(LOADED, "").await?;
        self.set_note(export::FILE, "").await?;
        self.set_note("phase", "following").await
    }

    /// The tables of a copy, for what is taken back while another is being loaded.
    pub(super) async fn standing(&self) -> Result<Option<Table>> {
        self.noted(STANDING).await
    }

    /// What is to be made is nobody's: but for `ours`, none of it is there, and no other replica has it.
    async fn are_free(&self, wanted: &Table, ours: Option<&Table>) -> Result<()> {
        let has = |table: &Table, name: &str| {
            let names = table.all();
            names.iter().any(|table| table.name.eq_ignore_ascii_case(name))
        };
        let mut others = Vec::new();
        for note in [STANDING, LOADED] {
            others.extend(self.target.others(&self.spec.name, note).await?);
        }
        for Table { name, .. } in wanted.all() {
            let claims = |text: &str| serde_json::from_str(text).is_ok_and(|table: Table| has(&table, name));
            let (whose, notes) = match others.iter().find(|(_, tables)| claims(tables)) {
                Some((replica, _)) => (
                    format!("is the table of the replica {replica}"),
                    format!(
                        "; a replica that is gone is forgotten by dropping what is left of its tables and `DELETE FROM {NOTES} WHERE replica = '{replica}'`"
                    ),
                ),
                None if ours.is_some_and(|ours| has(ours, name)) => continue,
                None if !self.target.exists(name).await? => continue,
                None => ("is there, and not this replica's".to_owned(), String::new()),
            };
            return Err(Error::Decide(format!(
                "{name} {whose}: give this copy another place (a schema or a file of its own in [target]), or remove that one if nobody needs it{notes}"
            )));
        }
        Ok(())
    }

    /// A definition that is not the one the tables were made by. `true`: the copy is loaded anew.
    pub(super) async fn adopt(&mut self, text: String) -> Result<bool> {
        let schema = compile(&text)?;
        let (before, after) = (&self.schema.definition, &schema.definition);
        if let Err(incompatible) = same_key(before, after).and_then(|()| same_kinds(before, after)) {
            // What was taken back goes all the same.
            let own = Table::of(after, "");
            self.target.begin().await?;
            let narrowed = self.narrow(&own).await;
            self.target.end(narrowed).await?;
            return Err(incompatible);
        }
        let text = mem::replace(&mut self.text, text);
        let schema = mem::replace(&mut self.schema, schema);
        self.is_another();
        let taken = self.take_up().await;
        if taken.is_err() {
            (self.text, self.schema) = (text, schema);
        }
        taken
    }

    async fn take_up(&mut self) -> Result<bool> {
        let (new, loading) = (self.tables(false), self.is_loading().await?);
        if loading && self.noted(LOADED).await? == Some(self.tables(true)) {
            // Other words, the same tables.
            self.set_note("definition", &self.text).await?;
            return Ok(false);
        }
        let standing = self.noted(STANDING).await?;
        let Some(old) = standing.filter(|old| !loading && old.becomes(&new)) else {
            tracing::info!("the definition changed: the copy is loaded anew beside the present one");
            self.start_over().await?;
            return Ok(true);
        };
        self.target.begin().await?;
        let altered = self.alter(&old, &new).await;
        self.target.end(altered).await?;
        tracing::info!("the copy follows the definition");
        Ok(false)
    }

    /// Adds and drops columns and tables.
    async fn alter(&self, old: &Table, new: &Table) -> Result<()> {
        self.are_free(new, Some(old)).await?;
        self.target.reshape(old, new).await?;
        self.take_from_file(old, new).await?;
        self.set_note(export::FILE, "").await?;
        self.set_note("definition", &self.text).await?;
        self.set_note(STANDING, &json!(new).to_string()).await
    }

    /// A file shows nothing longer than the tables do.
    async fn take_from_file(&self, old: &Table, now: &Table) -> Result<()> {
        let TargetSpec::Files { path, .. } = &self.spec.target else {
            return Ok(());
        };
        if old.narrowed(now) == *old || !path.exists() {
            return Ok(());
        }
        let written = export::write_now(&self.spec, &self.target, now, &self.schema).await;
        or_removed(written, path)
    }

    /// While another copy is loaded, the file is as the one that stands.
    pub(super) async fn export_standing(&self, standing: &Table) -> Result<()> {
        let TargetSpec::Files { path, .. } = &self.spec.target else {
            return Ok(());
        };
        if !path.exists() {
            return Ok(());
        }
        let written = export::write(&self.spec, &self.target, standing, &self.schema).await;
        or_removed(written, path)
    }
}

/// A file that cannot be written shows nothing at all.
fn or_removed(written: Result<()>, path: &Path) -> Result<()> {
    if let Err(error) = written {
        tracing::warn!(%error, "the file cannot be written without what was taken back: it is removed until the copy is whole");
        fs::remove_file(path).map_err(|error| Error::file(path, &error))?;
    }
    Ok(())
}

fn has_json(table: &Table) -> bool {
    let tables = table.all();
    let mut columns = tables.iter().flat_map(|table| &table.columns);
    columns.any(|column| column.kind == Kind::Json)
}

fn same_key(before: &Definition, after: &Definition) -> Result<()> {
    if key_of(before) == key_of(after) {
        return Ok(());
    }
    let message = format!(
        "the key is {} now and was {}: a new replica is needed, with a name and a place of its own",
        key_of(after),
        key_of(before)
    );
    Err(Error::Faults {
        what: "the definition changed in a way that the copy cannot follow".to_owned(),
        faults: vec![Fault::new("key", "definition_incompatible", message)],
    })
}

/// Every field whose values are of another kind now, but for whole numbers that may have places: the server has emptied
/// the set, and the copy that stands is the last there is of what it held.
fn same_kinds(before: &Definition, after: &Definition) -> Result<()> {
    let mut faults = Vec::new();
    other_kinds(&Table::of(before, ""), &Table::of(after, ""), &mut faults);
    if faults.is_empty() {
        return Ok(());
    }
    Err(Error::Faults {
        what: "the definition changed in a way that the copy cannot follow".to_owned(),
        faults,
    })
}

fn incompatible(place: &str) -> Fault {
    let message = "its type is another one: the copy stays as it is; a new replica is needed, with a name and a place of its own";
    Fault::new(place, "definition_incompatible", message)
}

/// By where a value stands: its column and table may have another name.
fn other_kinds(before: &Table, after: &Table, faults: &mut Vec<Fault>) {
    for column in &after.columns {
        let was = before.columns.iter().find(|was| was.path == column.path);
        let follows =
            |was: &Column| was.kind == column.kind || (was.kind, column.kind) == (Kind::Int, Kind::Decimal);
        if !was.is_none_or(follows) {
            faults.push(incompatible(&format!("{}.{}", after.name, column.name)));
        }
    }
    let is_plain = |table: &Table| table.columns.iter().any(|column| column.path.is_empty());
    for list in &after.lists {
        match before.lists.iter().find(|was| was.path == list.path) {
            Some(was) if is_plain(was) == is_plain(list) => other_kinds(was, list, faults),
            None if !before.stands_at(&list.path) => {}
            _ => faults.push(incompatible(&list.name)),
        }
    }
    for list in &before.lists {
        if after.stands_at(&list.path) {
            faults.push(incompatible(&list.name));
        }
    }
}

pub(super) fn compile(text: &str) -> Result<Arc<Schema>> {
    let definition: Definition = text.parse().map_err(|faults| Error::Faults {
        what: "the definition cannot be read".to_owned(),
        faults,
    })?;
    Ok(Arc::new(Schema::compile(Arc::new(definition), None)))
}

fn key_of(definition: &Definition) -> String {
    let typed = |name: &str| match definition.field(name) {
        Some(field) => format!("{name} {}", field.ty),
        None => name.to_owned(),
    };
    definition.key.fields().map(typed).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `same_kinds` says of fields, and of those in the list `Pets`.
    fn judged(before: [&str; 2], after: [&str; 2]) -> Vec<String> {
        let definition = |[fields, in_list]: [&str; 2]| -> Definition {
            let text = format!(
                "name: x_people\nkey: Code\ndata_description: d\nfields:\n  - Code : c\n{fields}  - Pets * :\n      comments: p\n      fields:\n        - Name : n\n{in_list}"
            );
            text.parse().unwrap()
        };
        match same_kinds(&definition(before), &definition(after)) {
            Ok(()) => Vec::new(),
            Err(Error::Faults { faults, .. }) => faults.into_iter().map(|fault| fault.place).collect(),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn another_type_stops_and_what_is_compatible_or_taken_back_does_not() {
        let age = ["  - Age int : a\n", ""];
        assert_eq!(judged(age, ["  - Age decimal : a\n", ""]), Vec::<String>::new());
        assert_eq!(judged(age, ["", ""]), Vec::<String>::new());
        assert_eq!(judged(["", ""], age), Vec::<String>::new());
        assert_eq!(judged(age, ["  - Age : a\n", ""]), ["x_people.Age"]);
        assert_eq!(judged(["  - Age decimal : a\n", ""], age), ["x_people.Age"]);
        assert_eq!(
            judged(["", "        - Born date : b\n"], ["", "        - Born : b\n"]),
            ["x_people_pets.Born"]
        );
    }

    #[test]
    fn a_list_in_the_place_of_a_value_stops_too() {
        let one = ["  - Tag : t\n", ""];
        let many = ["  - Tag * : t\n", ""];
        let object = [
            "  - Tag :\n      comments: t\n      fields:\n        - Word : w\n",
            "",
        ];
        let objects = [
            "  - Tag * :\n      comments: t\n      fields:\n        - Word : w\n",
            "",
        ];
        for (before, after) in [
            (one, many),
            (many, one),
            (object, objects),
            (objects, object),
            (many, objects),
            (objects, many),
        ] {
            assert_eq!(judged(before, after), ["x_people_tag"], "{before:?} {after:?}");
        }
        for same in [one, many, object, objects] {
            assert_eq!(judged(same, ["", ""]), Vec::<String>::new());
            assert_eq!(judged(same, same), Vec::<String>::new());
        }
    }

    /// A column gives its name on to another field when its own is taken back.
    #[test]
    fn another_field_of_a_columns_name_is_no_other_type() {
        let both = [
            "  - A_B int : x\n  - A :\n      comments: o\n      fields:\n        - B : y\n",
            "",
        ];
        let one = ["  - A :\n      comments: o\n      fields:\n        - B : y\n", ""];
        assert_eq!(judged(both, one), Vec::<String>::new());
    }
}
