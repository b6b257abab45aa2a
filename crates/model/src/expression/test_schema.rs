//! A schema of every kind of field.

use std::sync::Arc;

use crate::{
    definition::{Classification, CsvOptions, Definition, Field, KeySpec, Type},
    ids::DatasetName,
    schema::Schema,
};

fn field(name: &str, ty: Type) -> Field {
    Field {
        name: name.to_owned(),
        ty,
        list: false,
        required: false,
        comments: String::new(),
        personal: None,
        unit: None,
        fields: Vec::new(),
    }
}

fn object(name: &str, fields: Vec<Field>) -> Field {
    Field {
        fields,
        ..field(name, Type::Object)
    }
}

fn list(field: Field) -> Field {
    Field { list: true, ..field }
}

pub fn schema() -> Schema {
    let house = || {
        object(
            "House",
            vec![field("Number", Type::Int), field("Street", Type::Text)],
        )
    };
    let address = |name: &str| object(name, vec![field("City", Type::Text), house()]);
    let fields = vec![
        field("Code", Type::PersonCode),
        field("Municipality", Type::Text),
        field("Status", Type::Text),
        field("Year", Type::Int),
        field("Price", Type::Decimal),
        field("Alive", Type::Bool),
        field("Born", Type::Date),
        field("Submitted", Type::Timestamp),
        field("Note", Type::Text),
        address("Address"),
        address("Garden"),
        list(field("Tags", Type::Text)),
        list(object(
            "Pets",
            vec![
                field("Species", Type::Text),
                field("Age", Type::Int),
                object("Home", vec![field("City", Type::Text)]),
            ],
        )),
        field("Extra", Type::Json),
    ];
    let definition = Definition {
        name: DatasetName::new("test_set"),
        key: KeySpec {
            partition: vec!["Code".to_owned()],
            order: Vec::new(),
        },
        description: String::new(),
        fields,
        replaces: None,
        subject: Vec::new(),
        classification: Classification::Restricted,
        indexes: Vec::new(),
        changes: Vec::new(),
        public: None,
        csv: CsvOptions::default(),
        history: false,
        freshness_s: None,
        guard_bp: Definition::DEFAULT_GUARD_BP,
        tombstones_days: Definition::DEFAULT_TOMBSTONES_DAYS,
        retention: None,
        timezone: "UTC".to_owned(),
        source: None,
    };
    Schema::compile(Arc::new(definition), None)
}
