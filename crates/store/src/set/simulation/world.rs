//! Random definitions, records and permissions.

use std::{fmt::Write, sync::Arc};

use dagr_model::{
    definition::{Definition, Field, Type},
    expression::Predicate,
    record::{Canonical, Mask, RecordRef, project},
    schema::Schema,
};
use serde_json::{Map, Value, json};

use super::random::Random;
use crate::set::{
    feed::{KeyScope, Scope},
    keys::ListId,
    stored::At,
};

pub(super) const TEXTS: [&str; 3] = ["a", "b", "c"];
const KEY_NUMBERS: usize = 4;

pub(super) fn schema(random: &mut Random) -> Arc<Schema> {
    let mut text = String::from("name: bss_sim\nkey: K(, J)\n");
    if random.percent(50) {
        text.push_str("subject: K\n");
    }
    if random.percent(50) {
        text.push_str("history: true\n");
    }
    text.push_str(
        "changes: [{name: won, when: \"new.F0 == 'a' && old.F0 != 'a'\"}, {name: any, when: \"true\"}]\n",
    );
    text.push_str("indexes: [F0]\nfields:\n  - K : key\n  - J int : key\n  - F0 : status\n");
    let mut next = 1;
    for _ in 0..2 + random.below(3) {
        field(random, &mut text, &mut next, 0);
    }
    let definition = Definition::parse(&text).expect(&text);
    Arc::new(Schema::compile(Arc::new(definition), None))
}

fn field(random: &mut Random, text: &mut String, next: &mut usize, depth: usize) {
    let indent = " ".repeat(2 + depth * 6);
    let name = format!("F{next}");
    *next += 1;
    let list = if random.percent(50) { " *" } else { "" };
    if depth < 3 && random.percent(50 - 10 * depth) {
        let _ = write!(text, "{indent}- {name}{list} :\n{indent}    fields:\n");
        for _ in 0..=random.below(3) {
            field(random, text, next, depth + 1);
        }
    } else {
        let ty = random.pick(&["", " int", " bool"]);
        let _ = writeln!(text, "{indent}- {name}{ty}{list} : x");
    }
}

/// A key's columns; there are twelve.
pub(super) type KeyParts = (&'static str, usize);

pub(super) fn key_parts(random: &mut Random) -> KeyParts {
    (TEXTS[random.below(TEXTS.len())], random.below(KEY_NUMBERS))
}

pub(super) fn key_of(schema: &Schema, (k, j): KeyParts) -> Vec<u8> {
    schema.key_from_values(&[json!(k), json!(j)]).expect("key")
}

/// A record before it is canonical.
pub(super) type Draft = Map<String, Value>;

pub(super) fn draft(random: &mut Random, schema: &Schema, (k, j): KeyParts) -> Draft {
    let mut record = Draft::new();
    record.insert("K".into(), json!(k));
    record.insert("J".into(), json!(j));
    for field in &schema.definition.fields[2..] {
        record.insert(field.name.clone(), value(random, field));
    }
    record
}

fn value(random: &mut Random, field: &Field) -> Value {
    if field.list {
        (0..random.below(4)).map(|_| one(random, field)).collect()
    } else if random.percent(25) {
        Value::Null
    } else {
        one(random, field)
    }
}

fn one(random: &mut Random, field: &Field) -> Value {
    match field.ty {
        Type::Object => field
            .fields
            .iter()
            .map(|child| (child.name.clone(), value(random, child)))
            .collect(),
        Type::Int => json!(random.below(3)),
        Type::Bool => json!(random.percent(50)),
        _ => json!(random.pick(&TEXTS)),
    }
}

/// Another value somewhere below the top level or on it.
pub(super) fn mutate(random: &mut Random, schema: &Schema, record: &Draft) -> Draft {
    let mut record = record.clone();
    mutate_in(random, &schema.definition.fields[2..], &mut record);
    record
}

fn mutate_in(random: &mut Random, fields: &[Field], object: &mut Map<String, Value>) {
    let field = random.pick(fields);
    let deeper = field.ty == Type::Object && random.percent(75);
    match object.get_mut(&field.name) {
        Some(Value::Object(inner)) if deeper => mutate_in(random, &field.fields, inner),
        Some(Value::Array(elements)) if deeper && !elements.is_empty() => {
            let at = random.below(elements.len());
            if let Value::Object(inner) = &mut elements[at] {
                mutate_in(random, &field.fields, inner);
            }
        }
        _ => {
            object.insert(field.name.clone(), value(random, field));
        }
    }
}

pub(super) fn canonical(schema: &Schema, draft: &Draft) -> Canonical {
    let json = serde_json::to_vec(draft).expect("json");
    schema.read_json(&json).expect("a generated record is valid")
}

#[derive(Clone)]
pub(super) enum Sight {
    All,
    /// Sorted leading parts or full keys.
    Keys(Vec<Vec<u8>>),
    When {
        list: ListId,
        holds: Arc<Predicate>,
    },
}

/// What a reader may see.
pub(super) struct Permission {
    pub mask: Mask,
    pub sight: Sight,
    pub told: String,
}

impl Permission {
    pub fn random(random: &mut Random, schema: &Schema, list: ListId) -> Self {
        let mut paths = vec!["K".to_owned(), "J".to_owned()];
        let chance = *random.pick(&[0, 30, 60, 100]);
        paths.extend(
            schema
                .leaf_paths
                .iter()
                .map(|(path, _)| path.clone())
                .filter(|_| random.percent(chance)),
        );
        let (sight, scope) = match random.below(4) {
            0 => (Sight::All, "all".to_owned()),
            1 => {
                let mut keys: Vec<_> = (0..=random.below(4)).map(|_| part(random, schema)).collect();
                keys.sort();
                (Sight::Keys(keys), "keys".to_owned())
            }
            _ => {
                let holds = predicate(random, schema);
                let text = holds.text().to_owned();
                (
                    Sight::When {
                        list,
                        holds: Arc::new(holds),
                    },
                    text,
                )
            }
        };
        Self {
            mask: schema.mask(&paths),
            sight,
            told: format!("fields {paths:?}, scope {scope}"),
        }
    }

    /// The list of its predicate.
    pub fn list(&self) -> Option<ListId> {
        match self.sight {
            Sight::When { list, .. } => Some(list),
            Sight::All | Sight::Keys(_) => None,
        }
    }

    /// What is seen of a record; `None` = it is outside the scope.
    pub fn shown(&self, schema: &Schema, key: &[u8], record: RecordRef<'_>) -> Option<Vec<u8>> {
        let inside = match &self.sight {
            Sight::All => true,
            Sight::Keys(keys) => keys.iter().any(|part| key.starts_with(part)),
            Sight::When { holds, .. } => holds.holds(schema, record).unwrap_or(false),
        };
        let mut out = Vec::new();
        inside.then(|| project(schema, record, &self.mask, &mut out))?;
        Some(out)
    }

    /// Its scope as the feed wants it. `started`: where the predicate's list began.
    pub fn eyes<'a>(&'a self, schema: &'a Schema, started: At) -> Eyes<'a> {
        let parts = match &self.sight {
            Sight::Keys(keys) => Parts(keys),
            _ => Parts(&[]),
        };
        let inside = move |record: RecordRef<'_>| match &self.sight {
            Sight::When { holds, .. } => holds.holds(schema, record).unwrap_or(false),
            _ => true,
        };
        Eyes {
            sight: &self.sight,
            started,
            parts,
            inside: Box::new(inside),
        }
    }
}

pub(super) struct Eyes<'a> {
    sight: &'a Sight,
    started: At,
    parts: Parts<'a>,
    inside: Box<dyn Fn(RecordRef<'_>) -> bool + 'a>,
}

impl Eyes<'_> {
    pub fn scope(&self) -> Scope<'_> {
        match self.sight {
            Sight::All => Scope::All,
            Sight::Keys(_) => Scope::Keys(&self.parts),
            Sight::When { list, .. } => Scope::When {
                list: *list,
                started: self.started,
                holds: &*self.inside,
            },
        }
    }
}

fn part(random: &mut Random, schema: &Schema) -> Vec<u8> {
    let (k, j) = key_parts(random);
    let values = [json!(k), json!(j)];
    let count = 1 + random.below(2);
    schema.key_from_values(&values[..count]).expect("key")
}

struct Parts<'a>(&'a [Vec<u8>]);

impl KeyScope for Parts<'_> {
    fn contains(&self, key: &[u8]) -> bool {
        self.0.iter().any(|part| key.starts_with(part))
    }
    fn seek(&self, key: &[u8]) -> Option<Vec<u8>> {
        if self.contains(key) {
            return Some(key.to_vec());
        }
        self.0.iter().find(|part| part.as_slice() > key).cloned()
    }
}

/// A predicate over any leaf, hidden ones too.
fn predicate(random: &mut Random, schema: &Schema) -> Predicate {
    for _ in 0..20 {
        let mut fields = schema.definition.fields.as_slice();
        let mut path = String::from("record");
        let text = loop {
            let field = random.pick(fields);
            let _ = write!(path, ".{}", field.name);
            let test = match field.ty {
                Type::Int => "== 1",
                Type::Bool => "== true",
                _ => "== 'a'",
            };
            match (field.list, &field.ty) {
                (true, _) if random.percent(30) => break format!("size({path}) > 1"),
                (true, Type::Object) => {
                    let child = random.pick(&field.fields);
                    let test = if child.ty == Type::Text {
                        "== 'a'"
                    } else {
                        "!= null"
                    };
                    break format!("{path}.exists(x, x.{} {test})", child.name);
                }
                (true, _) => break format!("{path}.exists(x, x {test})"),
                (false, Type::Object) => fields = &field.fields,
                (false, _) => break format!("{path} {test}"),
            }
        };
        if let Ok(predicate) = Predicate::compile(&text, schema) {
            return predicate;
        }
    }
    Predicate::compile("record.F0 == 'a'", schema).expect("predicate")
}
