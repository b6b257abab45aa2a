//! What one evaluation of a scope predicate costs, on a record of some 600 bytes.
//!
//! `cargo run --release -p dagr-model --example predicate_cost`

use std::{hint::black_box, sync::Arc, time::Instant};

use dagr_model::{definition::Definition, expression::Predicate, schema::Schema};

const DEFINITION: &str = "
name: test_persons
key: Code
data_description: Persons
fields:
  - Code : Code
  - Name : Name
  - Notes : Notes
  - Municipality : Municipality
  - Born date : Born
  - Pets * :
      comments : Pets
      fields:
        - Species : Species
        - Age int : Age
";

fn main() {
    let definition = Definition::parse(DEFINITION).unwrap_or_else(|faults| {
        eprintln!("{faults:?}");
        std::process::exit(1);
    });
    let schema = Schema::compile(Arc::new(definition), None);
    let raw = format!(
        r#"{{"Code":"1","Name":"Anna","Notes":"{}","Municipality":"0001","Born":"1980-05-17","Pets":[{{"Species":"cat","Age":3}},{{"Species":"dog","Age":12}}]}}"#,
        "n".repeat(450)
    );
    let Ok(record) = schema.read_json(raw.as_bytes()) else {
        std::process::exit(1)
    };
    for text in [
        "record.Municipality == '0001'",
        "record.Municipality in ['0002', '0001'] && record.Born < '2000-01-01'",
        "Pets.exists(p, p.Species == 'dog' && p.Age > 10)",
    ] {
        let Ok(predicate) = Predicate::compile(text, &schema) else {
            std::process::exit(1)
        };
        let rounds = 500_000;
        let started = Instant::now();
        let mut held = 0;
        for _ in 0..rounds {
            held += usize::from(predicate.holds(&schema, black_box(record.as_ref())) == Ok(true));
        }
        let nanoseconds = started.elapsed().as_nanos() / rounds;
        println!("{nanoseconds:>6} ns  {text}  (held {held} of {rounds})");
    }
}
