use std::sync::Arc;

use dagr_model::{
    classifier::{CodeList, UNJUDGED},
    definition::Definition,
    ids::Section,
    schema::Schema,
};
use serde_json::Value;

use super::*;

const EVERYTHING: &str = "name: all_types
key: Code(, Year)
subject: Code
data_description: Viss
fields:
  - Code person_code : Personas kods
  - Year int : Gads
  - Name : Vārds
  - Surname : Uzvārds
  - Address : Deklarētā adrese
  - Weight decimal : Svars
  - Alive bool : Dzīvs
  - Born date : Dzimis
  - Seen timestamp : Redzēts
  - Token uuid : Zīme
  - Firm org_code : Uzņēmums
  - Status code(STAVOKLIS) : Statuss
  - Place point : Vieta
  - Area geometry : Platība
  - Raw json : Viss
  - Tags * : Birkas
  - Pets * :
      comments : Mājdzīvnieki
      fields:
        - Species : Suga
        - Age int : Vecums
";

fn schema() -> Arc<Schema> {
    let definition: Definition = EVERYTHING.parse().unwrap();
    Arc::new(Schema::compile(Arc::new(definition), None))
}

fn shown(fields: &[&str], seed: u64) -> Vec<Value> {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    let query = PreviewQuery {
        seed,
        records: Some(5),
    };
    let preview = generated(&schema(), &UNJUDGED, Section::Main, fields, &query).unwrap();
    assert!(preview.generated);
    preview
        .records
        .iter()
        .map(|record| serde_json::from_str(record.get()).unwrap())
        .collect()
}

#[test]
fn every_type_is_generated_and_is_valid() {
    let schema = schema();
    for seed in 0..200 {
        let canonical = schema
            .read_json(&text(&record(&schema, &UNJUDGED, seed)))
            .unwrap();
        assert!(schema.key_of(canonical.as_ref()).is_ok());
        let again = schema
            .read_json(&text(&record(&schema, &UNJUDGED, seed)))
            .unwrap();
        assert_eq!(canonical, again, "not the same for the same seed");
    }
    assert_ne!(record(&schema, &UNJUDGED, 1), record(&schema, &UNJUDGED, 2));
}

#[test]
fn only_the_asked_fields_are_shown() {
    for record in shown(&["Code", "Pets.Age"], 7) {
        let members: Vec<&String> = record.as_object().unwrap().keys().collect();
        assert_eq!(members, ["Code", "Pets"]);
        assert!(record["Pets"][0].get("Species").is_none());
        // A form that holds no birth date, in a range that is given to nobody.
        assert!(record["Code"].as_str().unwrap().starts_with("39"));
    }
}

#[test]
fn values_look_like_their_fields() {
    for record in shown(&["Name", "Surname", "Address", "Year"], 3) {
        assert!(words(&record["Address"]).contains("iela") || words(&record["Address"]).contains("aleja"));
        assert!((2_015..2_025).contains(&record["Year"].as_i64().unwrap()));
        assert_ne!(record["Name"], record["Surname"]);
    }
}

fn words(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn a_preview_is_short() {
    for records in [0, MAX_RECORDS + 1] {
        let query = PreviewQuery {
            seed: 1,
            records: Some(records),
        };
        let problem =
            generated(&schema(), &UNJUDGED, Section::Main, vec!["Code".into()], &query).unwrap_err();
        assert_eq!(problem.code, "query_invalid");
    }
}

#[test]
fn codes_are_those_of_the_list() {
    let schema = schema();
    let list = Arc::new(CodeList::new("STAVOKLIS", 1, ["AKTIVS", "SLEGTS"].into_iter()));
    let codes = Codes::of(&schema, |name| (name == "STAVOKLIS").then(|| Arc::clone(&list)));
    let drawn: std::collections::BTreeSet<String> = (0..50)
        .map(|seed| {
            record(&schema, &codes, seed)["Status"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(drawn.into_iter().collect::<Vec<_>>(), ["AKTIVS", "SLEGTS"]);
}
