//! Every table there is, with its columns: what a copy, an export and an import are made of.

use std::sync::LazyLock;

use crate::db::{Query, Row, Value, query};

/// Name, columns to order by, columns. `#` is a number, `{}` is JSON text, the others are text; `?` may be null.
/// What is referred to stands before what refers to it.
const TABLES: &[(&str, &str, &str)] = &[
    ("sequences", "name", "name value#"),
    ("settings", "name", "name value version#"),
    (
        "institutions",
        "registration_number",
        "registration_number name kind? version# parent?",
    ),
    ("systems", "code", "code institution name version#"),
    (
        "system_facts",
        "system, version",
        "system version# body{} reason actor set_at#",
    ),
    (
        "resources",
        "code, version",
        "code version# system body{} reason actor set_at#",
    ),
    (
        "services",
        "code, version",
        "code version# system body{} reason actor set_at#",
    ),
    (
        "connections",
        "client_id",
        "client_id system kind token_lifetime_s# description? state version#",
    ),
    (
        "certificates",
        "client_id, sha256",
        "client_id sha256 pem not_before# not_after# subject",
    ),
    // `replaces` points at a set that may stand later: it is set when all are there.
    (
        "datasets",
        "name",
        "name institution replaces? sandbox_number#? sandbox_epoch# main_number#? main_epoch# version#",
    ),
    (
        "definitions",
        "dataset, section, number",
        "dataset section number# body leaf_ids_json{} epoch# set_at#",
    ),
    ("templates", "id", "id# dataset state version#"),
    (
        "template_versions",
        "template, version",
        "template# version# body{} reason actor set_at#",
    ),
    (
        "dataset_rules",
        "dataset, version",
        "dataset version# body{} reason actor set_at#",
    ),
    (
        "permissions",
        "id",
        "id# number dataset recipient environment state body{} version#",
    ),
    (
        "permission_revisions",
        "permission, version",
        "permission# version# body{} reason? actor set_at#",
    ),
    ("people", "id", "id# code name version#"),
    (
        "roles",
        "id",
        "id# person# institution role state proposed_by valid_from#? valid_to#?",
    ),
    (
        "applications",
        "id",
        "id# number dataset? applicant provider? stage due? body{} version#",
    ),
    (
        "application_events",
        "application, number",
        "application# number# at# person# institution role kind body{} after_json{} sealed_json{}? seal?",
    ),
    (
        "application_permissions",
        "application, permission",
        "application# permission#",
    ),
    (
        "application_comments",
        "id",
        "id# application# at# person# institution text",
    ),
    (
        "notifications",
        "id",
        "id# at# institution? person#? kind object once? read_at#? read_by#?",
    ),
    ("mail_addresses", "person", "person# address language"),
    (
        "mails",
        "notification, person",
        "notification# person# state attempts# queued_at# next_at# reason?",
    ),
    ("attachment_contents", "sha256", "sha256 content"),
    (
        "application_attachments",
        "id",
        "id# application# at# person# institution kind name media_type bytes# sha256 inspection_json{}?",
    ),
    (
        "plans",
        "id",
        "id# number provider dataset? stage due body{} version#",
    ),
    (
        "proposals",
        "id",
        "id# kind institution client_id body{} state proposed_by proposed_at# decided_by? decided_at#? reason?",
    ),
    ("plan_recipients", "plan, institution", "plan# institution"),
    (
        "plan_events",
        "plan, number",
        "plan# number# at# person# institution role kind body{} after_json{}",
    ),
    ("plan_comments", "id", "id# plan# at# person# institution text"),
    ("acts", "id", "id title url? names{} version#"),
    (
        "articles",
        "act, number, version",
        "act number version# body{} reason actor set_at#",
    ),
    ("article_ends", "act, number, version", "act number version# at#"),
    (
        "law_flags",
        "id",
        "id# permission# act article version# at# reviewed_at#? reviewed_by? note?",
    ),
    (
        "classifiers",
        "id",
        "id title title_en? description? keeper url? version#",
    ),
    (
        "classifier_versions",
        "classifier, number",
        "classifier number# valid_from codes# body{} reason actor published_at#",
    ),
    (
        "test_access",
        "permission",
        "permission# application# dataset rule# at#",
    ),
    ("projections", "name", "name entry at#"),
    (
        "permission_days",
        "permission, day, way",
        "permission# day way calls# narrowed# records# misses#",
    ),
    (
        "permission_fields",
        "permission, field",
        "permission# field given narrowed?",
    ),
    (
        "dataset_stops",
        "id",
        "id# dataset at# actor reason ended#? ended_by? end_reason?",
    ),
    ("stopped_permissions", "stop, permission", "stop# permission#"),
    (
        "institution_roles",
        "institution, role",
        "institution role application# since#",
    ),
    (
        "audit",
        "id",
        "id# at# actor request_id action object before_json{}? after_json{}?",
    ),
    ("used_assertions", "client_id, jti", "client_id jti until#"),
    (
        "jobs",
        "id",
        "id# kind dataset? state detail_json{} started# ended#?",
    ),
    ("notices", "id", "id# at# dataset permission? kind detail_json{}"),
];

/// Of this opening of the database, or of one browser: they go nowhere.
#[cfg(test)]
pub(crate) const LEFT_OUT: &[&str] = &["migrations", "sessions"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Json,
}

#[derive(Debug)]
pub(crate) struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub nullable: bool,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub name: &'static str,
    pub columns: Vec<Column>,
    select: &'static str,
    insert: &'static str,
    any: &'static str,
    clear: &'static str,
}

/// Statements are static text; these are made once.
static ALL: LazyLock<Vec<Table>> = LazyLock::new(|| TABLES.iter().map(Table::new).collect());

/// In an order in which they can be filled; the other way round they can be emptied.
pub(crate) fn all() -> &'static [Table] {
    &ALL
}

impl Table {
    fn new(&(name, order, columns): &(&'static str, &'static str, &'static str)) -> Self {
        let columns: Vec<_> = columns.split(' ').map(Column::new).collect();
        let names: Vec<_> = columns.iter().map(|column| column.name).collect();
        let names = names.join(", ");
        let places: Vec<_> = (1..=columns.len()).map(|at| format!("${at}")).collect();
        Self {
            name,
            select: format!("SELECT {names} FROM {name} ORDER BY {order}").leak(),
            insert: format!("INSERT INTO {name} ({names}) VALUES ({})", places.join(", ")).leak(),
            any: format!("SELECT 1 AS one FROM {name} LIMIT 1").leak(),
            clear: format!("DELETE FROM {name}").leak(),
            columns,
        }
    }

    pub(crate) fn select(&self) -> Query<'static> {
        query(self.select)
    }

    /// One value a column, in their order.
    pub(crate) fn insert<'q>(&self, values: Vec<Value<'q>>) -> Query<'q> {
        values.into_iter().fold(query(self.insert), Query::bind)
    }

    pub(crate) fn any(&self) -> Query<'static> {
        query(self.any)
    }

    pub(crate) fn clear(&self) -> Query<'static> {
        query(self.clear)
    }

    /// Filled when the instance is made.
    pub(crate) fn is_preset(&self) -> bool {
        self.name == "sequences"
    }

    /// The columns of `row`, which `select` gave.
    pub(crate) fn values(&self, row: &Row) -> sqlx::Result<Vec<Value<'static>>> {
        self.columns.iter().map(|column| column.value(row)).collect()
    }
}

impl Column {
    fn new(word: &'static str) -> Self {
        let name = word.trim_end_matches(['#', '{', '}', '?']);
        let marks = &word[name.len()..];
        Self {
            name,
            kind: match marks.trim_end_matches('?') {
                "#" => Kind::Number,
                "{}" => Kind::Json,
                _ => Kind::Text,
            },
            nullable: marks.ends_with('?'),
        }
    }

    fn value(&self, row: &Row) -> sqlx::Result<Value<'static>> {
        Ok(match self.kind {
            Kind::Number => row.try_get::<Option<i64>>(self.name)?.into(),
            Kind::Text | Kind::Json => row.try_get::<Option<String>>(self.name)?.into(),
        })
    }
}
