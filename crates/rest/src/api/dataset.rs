//! The calls of one data set in one section, from its definition.

mod digest;

pub(super) use digest::schemas as digest_schemas;

use dagr_model::{
    definition::{Definition, Field},
    ids::Section,
};
use serde_json::{Map, Value, json};

use super::{
    calls::{definition_text, none_match},
    names::{Names, pascal, snake},
    operation::{Operation, Paths, Who, path_parameter, query_parameter, schema_ref},
    record::{Lists, key_schema, record_schema, scalar_in_text},
    schemas::{list, nullable, text, time},
};

/// Query words of our own: an index field of the same name cannot be asked by.
const RESERVED: [&str; 3] = ["fields", "limit", "after"];

/// What one data set adds to the document.
pub(super) struct SetCalls<'a> {
    definition: &'a Definition,
    section: Section,
    /// `/data/{set}`, with the name.
    root: String,
    tag: String,
    /// Names of the schemas of a record, a full key, one change and a page of records.
    record: String,
    key: String,
    change: String,
    page: String,
    lists: Lists<'a>,
    names: &'a mut Names,
    paths: &'a mut Paths,
    schemas: &'a mut Map<String, Value>,
}

impl<'a> SetCalls<'a> {
    pub fn new(
        definition: &'a Definition,
        section: Section,
        lists: Lists<'a>,
        names: &'a mut Names,
        paths: &'a mut Paths,
        schemas: &'a mut Map<String, Value>,
    ) -> Self {
        let name = definition.name.as_str();
        let (root, tag) = match section {
            Section::Main => (format!("/data/{name}"), name.to_owned()),
            Section::Sandbox => (format!("/sandbox/{name}"), format!("sandbox_{name}")),
        };
        let tag = names.tag(&tag);
        let [record, key, change, page] = [const { String::new() }; 4];
        Self {
            definition,
            section,
            root,
            tag,
            record,
            key,
            change,
            page,
            lists,
            names,
            paths,
            schemas,
        }
    }

    /// The tag's entry in the document.
    pub fn tag(&self) -> Value {
        let apart = if self.section == Section::Sandbox {
            "Sandbox. "
        } else {
            ""
        };
        json!({ "name": self.tag, "description": format!("{apart}{}", self.definition.description) })
    }

    pub fn add(mut self) {
        self.add_schemas();
        self.full_key();
        self.leading_keys();
        self.records();
        self.lookup();
        self.definition_text();
        self.changes();
        self.digest();
        if self.section == Section::Main {
            self.public_file();
        }
    }

    fn is_open(&self) -> bool {
        self.section == Section::Main && self.definition.is_open()
    }

    fn schema(&mut self, suffix: &str, schema: Value) -> String {
        let name = self.names.schema(&format!("{}{suffix}", pascal(&self.tag)));
        self.schemas.insert(name.clone(), schema);
        name
    }

    fn add_schemas(&mut self) {
        let record = self.names.schema(&format!("{}Record", pascal(&self.tag)));
        let schema = record_schema(self.definition, &record, self.lists, self.names, self.schemas);
        self.schemas.insert(record.clone(), schema);
        self.record = record;
        self.key = self.schema("Key", key_schema(self.definition));
        let change = json!({
            "type": "object",
            "required": ["operation", "key", "changed_at"],
            "properties": {
                "operation": { "type": "string", "enum": ["upsert", "delete"] },
                "key": schema_ref(&self.key),
                "changed_at": time(),
                "record": schema_ref(&self.record),
            },
        });
        self.change = self.schema("Change", change);
        self.page = self.schema("Page", list("records", schema_ref(&self.record)));
    }

    /// An operation of this set: who may call, permission and case in their headers.
    fn call(&mut self, verb: &str, summary: &str) -> Operation {
        let id = self
            .names
            .operation(&format!("{}_{}", snake(&self.tag), snake(verb)));
        if self.is_open() {
            return Operation::new(id, self.tag.clone(), Who::Anyone, summary).problems(&[400, 404]);
        }
        Operation::new(id, self.tag.clone(), Who::Connection, summary)
            .shared(&["Permission", "Case"])
            .problems(&[400, 404, 429])
    }

    fn key_fields(&self) -> Vec<&'a Field> {
        self.definition
            .key
            .fields()
            .filter_map(|name| self.definition.field(name))
            .collect()
    }

    /// `…/records/{A}/{B}` of the first so many key fields.
    fn key_path(&self, fields: &[&Field]) -> String {
        let parts = key_template(fields.iter().map(|field| field.name.as_str()));
        format!("{}/records{parts}", self.root)
    }

    fn with_key(call: Operation, fields: &[&Field]) -> Operation {
        fields.iter().fold(call, |call, field| {
            call.parameter(path_parameter(
                &field.name,
                &field.comments,
                scalar_in_text(&field.ty),
            ))
        })
    }

    fn full_key(&mut self) {
        let fields = self.key_fields();
        let path = self.key_path(&fields);
        let call = self.call("record_get", "One record by its full key");
        let mut call = Self::with_key(call, &fields)
            .shared(&["Fields"])
            .parameter(none_match());
        if self.definition.history {
            call = call.parameter(query_parameter("as_of", "As it stood at this instant.", time()));
        }
        let call = call
            .answer(
                200,
                "The record.",
                &[("application/json", schema_ref(&self.record))],
                &["ETag"],
            )
            .answer(
                304,
                "As you have it; entered as a disclosure all the same.",
                &[],
                &["ETag"],
            );
        self.paths.add("get", &path, call);
    }

    /// A page for each leading part that holds the whole partition.
    fn leading_keys(&mut self) {
        let fields = self.key_fields();
        let first = self.definition.key.partition.len().max(1);
        for count in first..fields.len() {
            let leading = &fields[..count];
            let names: Vec<&str> = leading.iter().map(|field| field.name.as_str()).collect();
            let verb = format!("record_list_of_{}", names.join("_"));
            let call = self.call(
                &verb,
                &format!("Records by the leading part of the key: {}", names.join(", ")),
            );
            let call = self.page(Self::with_key(call, leading));
            self.paths.add("get", &self.key_path(leading), call);
        }
    }

    fn page(&self, call: Operation) -> Operation {
        call.shared(&["Fields", "Limit", "After"])
            .ok("A page.", schema_ref(&self.page))
            .problems(&[410])
    }

    fn records(&mut self) {
        let mut call = self.call("record_list", "Records by an index, or all of them");
        let indexes: Vec<String> = self
            .definition
            .indexes
            .iter()
            .map(|fields| fields.join(" + "))
            .collect();
        if !indexes.is_empty() {
            call = call.describe(format!(
                "Ask by exactly the fields of one index: {}.",
                indexes.join("; ")
            ));
        }
        let mut told: Vec<&str> = RESERVED.to_vec();
        for path in self.definition.indexes.iter().flatten() {
            let Some(field) = field_at(&self.definition.fields, path) else {
                continue;
            };
            if !told.contains(&path.as_str()) {
                told.push(path);
                call = call.parameter(query_parameter(path, &field.comments, scalar_in_text(&field.ty)));
            }
        }
        let call = self.page(call);
        let path = format!("{}/records", self.root);
        self.paths.add("get", &path, call);
    }

    fn lookup(&mut self) {
        let body = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["keys"],
            "properties": {
                "keys": { "type": "array", "minItems": 1, "maxItems": 1_000, "items": schema_ref(&self.key) },
                "fields": nullable(json!({ "type": "array", "items": text() })),
            },
        });
        let body = self.schema("Lookup", body);
        let result = json!({
            "type": "object",
            "required": ["key", "found"],
            "properties": {
                "key": schema_ref(&self.key),
                "found": { "type": "boolean" },
                "record": schema_ref(&self.record),
            },
        });
        let result = self.schema("LookupResult", result);
        let answer = json!({
            "type": "object",
            "required": ["results"],
            "properties": { "results": { "type": "array", "items": schema_ref(&result) } },
        });
        let answer = self.schema("LookupAnswer", answer);
        let call = self.call("lookup", "Up to 1 000 records by their keys, in the order asked");
        let call = call
            .json_body(schema_ref(&body))
            .ok("The results.", schema_ref(&answer));
        let path = format!("{}/lookup", self.root);
        self.paths.add("post", &path, call);
    }

    fn definition_text(&mut self) {
        let call = self
            .call("definition_get", "The definition, as far as the permission shows")
            .describe(
                "Canonical text of the fields shown; the key stays. A masked record read by it has the same bytes. \
                 No disclosure, and no use.",
            );
        let path = format!("{}/definition", self.root);
        self.paths.add("get", &path, definition_text(call));
    }

    fn changes(&mut self) {
        let page = json!({
            "type": "object",
            "required": ["changes", "next", "end"],
            "properties": {
                "changes": { "type": "array", "items": schema_ref(&self.change) },
                "next": { "type": "string", "description": "Always a cursor: send it as `after`." },
                "end": { "type": "boolean", "description": "Nothing more now." },
            },
        });
        let page = self.schema("ChangePage", page);
        let feed = |call: Operation| {
            let include = json!({ "type": "string", "enum": ["record"] });
            call.shared(&["Fields", "Limit", "After", "Wait"])
                .parameter(query_parameter("include", "With the records.", include))
                .parameter(last_event_id())
                .answer(
                    200,
                    "A page; to whoever accepts `text/event-stream`, pages as events named `changes`, each with its `next` \
                     as `id`, for ten minutes at most. A refusal under way is an event named `problem`.",
                    &[
                        ("application/json", schema_ref(&page)),
                        ("text/event-stream", text()),
                    ],
                    &[],
                )
                .problems(&[410, 429])
        };
        let call = self
            .call("change_list", "First load and monitoring in one loop")
            .describe(
                "Without `after` every live record in key order, then what changed since, up to the present. When the \
                 permission is amended, the same cursor goes on: what may be held no longer is told as a delete, what \
                 is shown otherwise as an upsert.",
            );
        let path = format!("{}/changes", self.root);
        self.paths.add("get", &path, feed(call));
        for named in &self.definition.changes {
            let summary = format!(
                "Records for which `{}` held: the newest event of each",
                named.when
            );
            let call = self.call(&format!("{}_event_list", named.name), &summary);
            let path = format!("{}/changes/{}", self.root, named.name);
            self.paths.add("get", &path, feed(call));
        }
    }

    fn public_file(&mut self) {
        let Some(public) = &self.definition.public else {
            return;
        };
        let id = self.names.operation(&format!("{}_file_get", snake(&self.tag)));
        let header = |name: &str, description: &str| json!({ "name": name, "in": "header", "description": description, "schema": text() });
        let csv = || [("text/csv", text())];
        let described = ["ETag", "Repr-Digest"];
        let filename = json!({ "type": "string", "enum": [public.filename] });
        let mut filename = query_parameter("filename", "Name of the file.", filename);
        filename["required"] = json!(true);
        let call = Operation::new(id, self.tag.clone(), Who::Anyone, "The public file")
            .parameter(filename)
            .parameter(none_match())
            .parameter(header("Range", "One range of bytes."))
            .parameter(header("If-Range", "`ETag` of the file already begun."))
            .answer(200, "The file.", &csv(), &described)
            .answer(206, "A part of it.", &csv(), &described)
            .answer(304, "As you have it.", &[], &described)
            .answer(416, "No such bytes.", &[], &[])
            .problems(&[400, 404]);
        let path = format!("/public/{}", self.definition.name);
        self.paths.add("get", &path, call);
    }
}

/// `/{A}/{B}`
pub(super) fn key_template<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.flat_map(|name| ["/{", name, "}"]).collect()
}

/// Where a stream goes on: a reader that reconnects sends it by itself.
fn last_event_id() -> Value {
    json!({
        "name": "Last-Event-ID", "in": "header", "schema": text(),
        "description": "Of a stream: the last event's id, in place of `after`.",
    })
}

/// The field at a dotted path.
fn field_at<'f>(fields: &'f [Field], path: &str) -> Option<&'f Field> {
    let (name, rest) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    let field = fields.iter().find(|field| field.name == name)?;
    rest.map_or(Some(field), |rest| field_at(&field.fields, rest))
}
