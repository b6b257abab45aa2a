//! Field lines and field maps.

use super::{
    Field, Personal, Type,
    line::FIELD_WORDS,
    near,
    parse::Reader,
    shown,
    yaml::{Entry, Node, Value},
};

pub(super) const FIELDS_LIMIT: usize = 500;
pub(super) const LEVELS_LIMIT: usize = 8;
const NAME_LIMIT: usize = 120;

/// Query words of the data interface.
const RESERVED: &[&str] = &["fields", "limit", "next", "after", "wait", "include", "as_of"];

const TYPES: &[&str] = &[
    "text",
    "int",
    "decimal",
    "bool",
    "date",
    "timestamp",
    "uuid",
    "person_code",
    "org_code",
    "code(LIST)",
    "point",
    "geometry",
    "json",
];

/// `Name [type][!] [*]`, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Head<'a> {
    name: &'a str,
    ty: Option<&'a str>,
    required: bool,
    list: bool,
}

/// The left side of a field line. `Err` is rule and message.
fn head(text: &str) -> Result<Head<'_>, (&'static str, String)> {
    let mut rest = text.trim();
    if rest.starts_with(['!', '*']) {
        let message = "`!` and `*` stand after the name or the type: `Name text! * : description`";
        return Err(("field_line", message.to_owned()));
    }
    let starred = rest.strip_suffix('*');
    rest = starred.unwrap_or(rest).trim_end();
    let marked = rest.strip_suffix('!');
    rest = marked.unwrap_or(rest).trim_end();
    // The order the other way round, `* !`, means the same and is easily written.
    let (list, rest) = match rest.strip_suffix('*') {
        Some(before) if starred.is_none() => (true, before.trim_end()),
        _ => (starred.is_some(), rest),
    };
    let (name, ty) = match rest.split_once(char::is_whitespace) {
        Some((name, ty)) => (name, Some(ty.trim())),
        None => (rest, None),
    };
    // `Name! int`: the mark after the name though a type follows.
    let (name, early) = match name.strip_suffix('!') {
        Some(before) if ty.is_some() => (before, true),
        _ => (name, false),
    };
    Ok(Head {
        name,
        ty,
        required: marked.is_some() || early,
        list,
    })
}

pub(super) fn type_of(text: &str) -> Result<Type, String> {
    Ok(match text {
        "text" => Type::Text,
        "int" => Type::Int,
        "decimal" => Type::Decimal,
        "bool" => Type::Bool,
        "date" => Type::Date,
        "timestamp" => Type::Timestamp,
        "uuid" => Type::Uuid,
        "person_code" => Type::PersonCode,
        "org_code" => Type::OrgCode,
        "point" => Type::Point,
        "geometry" => Type::Geometry,
        "json" => Type::Json,
        _ => return classified(text),
    })
}

fn classified(text: &str) -> Result<Type, String> {
    if let Some(list) = text.strip_prefix("code").map(str::trim)
        && let Some(list) = list.strip_prefix('(').and_then(|list| list.strip_suffix(')'))
    {
        let list = list.trim();
        return if is_classifier(list) {
            Ok(Type::Code(list.to_owned()))
        } else {
            Err("write the classifier's name in `code(LIST)`: letters, digits, `_`, `-` and `.`".to_owned())
        };
    }
    Err(match (text, near(text, TYPES.iter().copied())) {
        ("code", _) => "name the classifier: `code(LIST)`".to_owned(),
        (_, Some(near)) => format!("unknown type `{}`: did you mean `{near}`?", shown(text)),
        (_, None) => format!(
            "unknown type `{}`: the types are {}",
            shown(text),
            TYPES.join(", ")
        ),
    })
}

/// What `LIST` of `code(LIST)` may be.
pub fn is_classifier(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_LIMIT
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// May a field be called so?
pub fn is_field_name(name: &str) -> bool {
    name_fault(name).is_none()
}

/// What a field name may be; the message says what is wrong.
fn name_fault(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("the field has no name: write `- Name : description`".to_owned())
    } else if name.len() > NAME_LIMIT {
        Some(format!("a field name has at most {NAME_LIMIT} bytes"))
    } else if !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        Some(format!(
            "`{}` is not a field name: use letters, digits and `_`",
            shown(name)
        ))
    } else if RESERVED.contains(&name) {
        Some(format!(
            "a field may not be called `{name}`: that is a query word"
        ))
    } else {
        None
    }
}

impl Reader<'_> {
    /// The fields of one level; `path` is that of the field above, `level` counts from 1.
    pub(super) fn fields(&mut self, node: &Node, path: &str, level: usize) -> Vec<Field> {
        if level > LEVELS_LIMIT {
            self.fault(
                node.line,
                "limit",
                format!("fields nest at most {LEVELS_LIMIT} levels deep"),
            );
            return Vec::new();
        }
        let Value::List(items) = &node.value else {
            self.fault(
                node.line,
                "fields",
                "`fields:` is a list: write one `- Name : description` a line",
            );
            return Vec::new();
        };
        if items.is_empty() {
            self.fault(node.line, "fields", "`fields:` is empty: name at least one field");
        }
        let mut fields: Vec<Field> = Vec::new();
        for item in items {
            let Some(field) = self.field(item, path, level) else {
                continue;
            };
            self.field_count += 1;
            if self.field_count == FIELDS_LIMIT + 1 {
                self.fault(
                    item.line,
                    "limit",
                    format!("a definition has at most {FIELDS_LIMIT} fields"),
                );
            }
            if self.field_count > FIELDS_LIMIT {
                continue;
            }
            let full = joined(path, &field.name);
            if fields.iter().any(|other| other.name == field.name) {
                let first = self.places.field(&full);
                let message = format!("`{full}` is named twice, first on line {first}");
                self.fault(item.line, "field_repeated", message);
                continue;
            }
            self.places.fields.insert(full, item.line);
            fields.push(field);
        }
        fields
    }

    fn field(&mut self, item: &Node, path: &str, level: usize) -> Option<Field> {
        let entries = match &item.value {
            Value::Map(entries) => entries,
            Value::Text(text) => {
                let message = format!("`{}` has no colon: write `- Name : description`", shown(text));
                self.fault(item.line, "field_line", message);
                return None;
            }
            _ => {
                self.fault(
                    item.line,
                    "field_line",
                    "write `- Name [type][!] [*] : description`",
                );
                return None;
            }
        };
        let first = entries.first()?;
        for surplus in &entries[1..] {
            let message = format!(
                "`{}` does not belong here: one `-` a field, and the words of a field stand deeper than its name",
                shown(&surplus.word)
            );
            self.fault(surplus.line, "field_line", message);
        }
        self.field_of(first, path, level)
    }

    fn field_of(&mut self, entry: &Entry, path: &str, level: usize) -> Option<Field> {
        let head = match head(&entry.word) {
            Ok(head) => head,
            Err((rule, message)) => {
                self.fault(entry.line, rule, message);
                return None;
            }
        };
        let name = super::nfc(head.name);
        if let Some(message) = name_fault(&name) {
            self.fault(entry.line, "field_name", message);
            // A reserved word still is a name: keep it, or everything that points at it is a fault too.
            if !RESERVED.contains(&name.as_str()) {
                return None;
            }
        }
        let full = joined(path, &name);
        let mut field = Field {
            name,
            ty: Type::Text,
            list: head.list,
            required: head.required,
            comments: String::new(),
            personal: None,
            unit: None,
            fields: Vec::new(),
        };
        let typed = head.ty.map(|ty| (ty, entry.line));
        match &entry.node.value {
            Value::Empty => self.set_type(&mut field, typed, None, &full),
            Value::Text(text) => {
                field.comments.clone_from(text);
                self.set_type(&mut field, typed, None, &full);
            }
            Value::Map(words) => self.field_words(&mut field, words, typed, &full, level),
            Value::List(_) => {
                let message = "a list stands right under the field: write `fields:` between them";
                self.fault(entry.node.line, "field_line", message);
                self.places.doubtful.insert(full);
            }
        }
        Some(field)
    }

    fn field_words<'n>(
        &mut self,
        field: &mut Field,
        words: &'n [Entry],
        mut typed: Option<(&'n str, usize)>,
        path: &str,
        level: usize,
    ) {
        let mut classifier = None;
        let mut structured = false;
        for entry in words {
            let (word, node, line) = (entry.word.trim(), &entry.node, entry.line);
            match word {
                "comments" => field.comments = self.prose(node, "comments").unwrap_or_default(),
                "type" => {
                    let Some(ty) = self.text_in(node, "type") else {
                        continue;
                    };
                    match typed {
                        Some((head, _)) if head != ty => self.fault(
                            line,
                            "type_conflict",
                            format!(
                                "the field line says `{}`, `type` says `{}`",
                                shown(head),
                                shown(ty)
                            ),
                        ),
                        _ => typed = Some((ty, line)),
                    }
                }
                "required" => {
                    if let Some(required) = self.truth(node, "required") {
                        if !required {
                            self.places.optional.insert(path.to_owned(), line);
                        }
                        field.required |= required;
                    }
                }
                "personal" => field.personal = self.one_of(node, "personal", PERSONAL),
                "unit" => field.unit = self.text(node, "unit"),
                "classifier" => classifier = self.text_in(node, "classifier").map(|name| (name, line)),
                "fields" => {
                    structured = true;
                    field.fields = self.fields(node, path, level + 1);
                }
                _ => self.unknown_word(line, word, FIELD_WORDS, "a field"),
            }
        }
        if structured {
            field.ty = Type::Object;
            if let Some((ty, line)) = typed {
                let message = format!(
                    "a field with `fields` has no type of its own: remove `{}`",
                    shown(ty)
                );
                self.fault(line, "type_conflict", message);
            }
            if let Some((_, line)) = classifier {
                self.fault(line, "type_conflict", "a field with `fields` has no classifier");
            }
        } else {
            self.set_type(field, typed, classifier, path);
        }
    }

    fn set_type(
        &mut self,
        field: &mut Field,
        typed: Option<(&str, usize)>,
        classifier: Option<(&str, usize)>,
        path: &str,
    ) {
        let doubt = |reader: &mut Self, line: usize, rule: &str, message: String| {
            reader.fault(line, rule, message);
            reader.places.doubtful.insert(path.to_owned());
        };
        if let Some((name, line)) = classifier
            && !is_classifier(name)
        {
            let message = "a classifier's name has letters, digits, `_`, `-` and `.`".to_owned();
            return doubt(self, line, "value_invalid", message);
        }
        match (typed, classifier) {
            (None, None) => {}
            (None | Some(("code", _)), Some((name, _))) => field.ty = Type::Code(name.to_owned()),
            (Some((text, line)), classifier) => match type_of(text) {
                Ok(ty) => {
                    if let Some((name, line)) = classifier
                        && ty != Type::Code(name.to_owned())
                    {
                        let message = format!("`classifier: {name}` goes with `code({name})` only");
                        doubt(self, line, "type_conflict", message);
                    }
                    field.ty = ty;
                }
                Err(message) => doubt(self, line, "type_unknown", message),
            },
        }
    }
}

const PERSONAL: &[(&str, Personal)] = &[
    ("subject", Personal::Subject),
    ("identifying", Personal::Identifying),
    ("sensitive", Personal::Sensitive),
];

pub(super) fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
