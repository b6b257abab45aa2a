use super::*;
use crate::{
    definition::{Classification, CsvOptions, KeySpec},
    ids::DatasetName,
};

pub(crate) fn field(name: &str, ty: Type) -> Field {
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

pub(crate) fn list(field: Field) -> Field {
    Field { list: true, ..field }
}

pub(crate) fn object(name: &str, fields: Vec<Field>) -> Field {
    Field {
        fields,
        ..field(name, Type::Object)
    }
}

pub(crate) fn definition(partition: &[&str], order: &[&str], fields: Vec<Field>) -> Definition {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    Definition {
        name: DatasetName::new("test_pets"),
        key: KeySpec {
            partition: names(partition),
            order: names(order),
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
    }
}

/// Every type and nesting; key `Code(, Year)`, declared in the other order.
pub(crate) fn pets() -> Definition {
    let fields = vec![
        field("Year", Type::Int),
        field("Code", Type::Text),
        field("Name", Type::Text),
        field("Amount", Type::Decimal),
        field("Flag", Type::Bool),
        field("Born", Type::Date),
        field("Seen", Type::Timestamp),
        field("Uid", Type::Uuid),
        field("Owner", Type::PersonCode),
        field("Extra", Type::Json),
        field("Place", Type::Point),
        list(field("Tags", Type::Text)),
        object(
            "Address",
            vec![field("Street", Type::Text), field("City", Type::Text)],
        ),
        list(object(
            "Pets",
            vec![
                field("Species", Type::Text),
                field("Age", Type::Int),
                object("Home", vec![field("Street", Type::Text)]),
                list(object(
                    "Toys",
                    vec![field("Kind", Type::Text), field("Size", Type::Int)],
                )),
            ],
        )),
        list(object(
            "Officers",
            vec![field("PersonCode", Type::PersonCode), field("Role", Type::Text)],
        )),
    ];
    let mut definition = definition(&["Code"], &["Year"], fields);
    definition.subject = vec!["Owner".to_owned(), "Officers.PersonCode".to_owned()];
    definition
}

pub(crate) fn compiled(definition: Definition) -> Schema {
    Schema::compile(Arc::new(definition), None)
}

#[test]
fn nodes_stand_in_preorder_and_paths_resolve_in_definition_order() {
    let schema = compiled(pets());
    let pets = schema.node("Pets").unwrap();
    assert_eq!(
        schema.nodes[schema.node("Pets.Home.Street").unwrap()].parent,
        schema.node("Pets.Home")
    );
    assert_eq!(schema.nodes[pets].leaves.len(), 5);
    assert!(schema.nodes[schema.node("Code").unwrap()].required);
    let found = schema
        .resolve(["Pets.Toys", "Code", "Address.City"].into_iter())
        .unwrap();
    assert_eq!(
        found,
        ["Code", "Address.City", "Pets.Toys.Kind", "Pets.Toys.Size"]
    );
    assert_eq!(
        schema.resolve(["Code", "Nope"].into_iter()),
        Err(vec!["Nope".to_owned()])
    );
}

#[test]
fn leaf_ids_survive_new_fields_and_alignments_get_ids() {
    let before = compiled(pets());
    let mut wider = pets();
    wider.fields[13].fields.insert(0, field("Colour", Type::Text));
    let after = Schema::compile(Arc::new(wider), Some(&before.leaf_ids));
    for (name, id) in &before.leaf_ids.0 {
        assert_eq!(after.leaf_ids.0.get(name), Some(id), "{name}");
    }
    assert!(after.leaf_ids.0.contains_key("Pets.Colour|Pets.Toys.Kind"));
    assert!(before.leaf_ids.0.contains_key("Pets.Toys.Kind|Pets.Toys.Size"));
    let ids: std::collections::BTreeSet<_> = after.leaf_ids.0.values().collect();
    assert_eq!(ids.len(), after.leaf_ids.0.len());
}

#[test]
fn a_list_that_outgrows_pairs_keeps_them_visible_in_masks() {
    let wide = |count: usize| {
        let inner = (0..count).map(|at| field(&format!("F{at}"), Type::Int)).collect();
        definition(
            &["Id"],
            &[],
            vec![field("Id", Type::Int), list(object("L", inner))],
        )
    };
    let small = compiled(wide(3));
    let large = Schema::compile(Arc::new(wide(17)), Some(&small.leaf_ids));
    let mask = large.mask(&["L.F0".to_owned(), "L.F1".to_owned()]);
    assert!(mask.leaves.contains(small.leaf_ids.0["L.F0|L.F1"]));
    assert!(mask.leaves.contains(large.leaf_ids.0["L|*"]));
    assert!(
        !large
            .mask(&["L.F0".to_owned()])
            .leaves
            .contains(large.leaf_ids.0["L|*"])
    );
}
