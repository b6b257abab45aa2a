//! One operation of the description, put together.

use serde_json::{Map, Value, json};

/// Who may call: decides the security schemes and the refusals that belong to them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Anyone,
    /// A connection, with its token.
    Connection,
    /// A connection, or a person for the institution's own.
    Supplier,
    /// A connection, a person or the operator.
    SignedIn,
    /// A person with a session.
    Person,
    /// A person with a session, or the operator.
    Steward,
    /// The operator, or a person who acts as one.
    Operator,
}

impl Who {
    fn security(self) -> Value {
        match self {
            Self::Anyone => json!([]),
            Self::Connection => json!([{ "token": [] }]),
            Self::Supplier => json!([{ "token": [] }, { "session": [] }]),
            Self::SignedIn => json!([{ "operator": [] }, { "token": [] }, { "session": [] }]),
            Self::Person => json!([{ "session": [] }]),
            Self::Steward | Self::Operator => json!([{ "operator": [] }, { "session": [] }]),
        }
    }
}

pub(super) struct Operation {
    members: Map<String, Value>,
    parameters: Vec<Value>,
    answers: Vec<(u16, Value)>,
}

impl Operation {
    /// `id` is the operation's name for machines; every operation may answer 500, and 503 when a store rests.
    pub fn new(id: impl Into<String>, tag: impl Into<String>, who: Who, summary: impl Into<String>) -> Self {
        let members = [
            ("operationId", json!(id.into())),
            ("tags", json!([tag.into()])),
            ("summary", json!(summary.into())),
            ("security", who.security()),
        ];
        let operation = Self {
            members: members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            parameters: vec![parameter_ref("RequestId")],
            answers: Vec::new(),
        };
        let operation = operation.problems(&[500, 503]);
        if who == Who::Anyone {
            operation
        } else {
            operation.problems(&[401, 403])
        }
    }

    pub fn describe(mut self, text: impl Into<String>) -> Self {
        self.members.insert("description".to_owned(), json!(text.into()));
        self
    }

    pub fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Parameters of the fixed part, by name.
    pub fn shared(mut self, names: &[&str]) -> Self {
        self.parameters
            .extend(names.iter().map(|name| parameter_ref(name)));
        self
    }

    /// A required body under several media types.
    pub fn body(mut self, media: &[(&str, Value)]) -> Self {
        self.members.insert(
            "requestBody".to_owned(),
            json!({ "required": true, "content": content(media) }),
        );
        self.problems(&[413, 415])
    }

    /// A JSON body that is read strictly.
    pub fn json_body(self, schema: Value) -> Self {
        self.body(&[("application/json", schema)]).problems(&[400, 422])
    }

    pub fn answer(
        mut self,
        status: u16,
        description: &str,
        media: &[(&str, Value)],
        headers: &[&str],
    ) -> Self {
        let mut answer = json!({ "description": description });
        let names = std::iter::once(&"X-Request-Id").chain(headers);
        let headers: Map<String, Value> = names
            .map(|name| {
                (
                    (*name).to_owned(),
                    json!({ "$ref": format!("#/components/headers/{name}") }),
                )
            })
            .collect();
        answer["headers"] = Value::Object(headers);
        if !media.is_empty() {
            answer["content"] = content(media);
        }
        self.answers.push((status, answer));
        self
    }

    pub fn ok(self, description: &str, schema: Value) -> Self {
        self.answer(200, description, &[("application/json", schema)], &[])
    }

    pub fn problems(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            if !self.answers.iter().any(|(known, _)| known == status) {
                let name = format!("#/components/responses/Problem{status}");
                self.answers.push((*status, json!({ "$ref": name })));
            }
        }
        self
    }

    pub fn build(mut self) -> Value {
        self.answers.sort_by_key(|(status, _)| *status);
        let responses: Map<String, Value> = self
            .answers
            .into_iter()
            .map(|(status, answer)| (status.to_string(), answer))
            .collect();
        self.members
            .insert("parameters".to_owned(), Value::Array(self.parameters));
        self.members
            .insert("responses".to_owned(), Value::Object(responses));
        Value::Object(self.members)
    }
}

fn content(media: &[(&str, Value)]) -> Value {
    media
        .iter()
        .map(|(media, schema)| ((*media).to_owned(), json!({ "schema": schema })))
        .collect::<Map<_, _>>()
        .into()
}

fn parameter_ref(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

/// A reference to a schema of the document.
pub(super) fn schema_ref(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

pub(super) fn path_parameter(name: &str, description: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema })
}

pub(super) fn query_parameter(name: &str, description: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}

/// Paths with their operations, in the order they were added.
#[derive(Default)]
pub(super) struct Paths(pub Map<String, Value>);

impl Paths {
    pub fn add(&mut self, method: &str, path: &str, operation: Operation) {
        let item = self.0.entry(path.to_owned()).or_insert_with(|| json!({}));
        item[method] = operation.build();
    }
}
