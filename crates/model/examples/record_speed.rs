//! Prints records per second on one core: `cargo run --release -p dagr-model --example record_speed`.

use std::{hint::black_box, sync::Arc, time::Instant};

use dagr_model::{
    definition::Definition,
    record::{Mask, changed_leaves, project},
    schema::Schema,
};

const DEFINITION: &str = "name: speed_persons
key: Code(, Year, Id)
data_description: Speed of records
fields:
  - Id int: number
  - Code : code
  - Name : name
  - Surname : surname
  - Year int : year
  - Submitted timestamp : time
  - Born date : date
  - Income decimal : money
  - Status : status
  - Note : note
  - Address :
      comments : address
      fields:
        - Street : street
        - House : house
        - City : city
  - Pets * :
      comments : pets
      fields:
        - Species : species
        - Breed : breed
        - Age int : age
        - Name : name
";

fn record(number: usize) -> String {
    let note = "Pieteikums pieņemts un izskatīts noteiktajā kārtībā. ".repeat(3);
    format!(
        "{{\"Id\":{number},\"Code\":\"{number:011}\",\"Name\":\"Jānis\",\"Surname\":\"Bērziņš\",\"Year\":2024,\
         \"Submitted\":\"2024-03-01T10:{:02}:00Z\",\"Born\":\"1975-11-16\",\"Income\":{}.25,\"Status\":\"active\",\
         \"Note\":\"{note}\",\"Address\":{{\"Street\":\"Brīvības iela\",\"House\":\"12\",\"City\":\"Rīga\"}},\
         \"Pets\":[{{\"Species\":\"suns\",\"Breed\":\"taksis\",\"Age\":4,\"Name\":\"Reksis\"}},\
         {{\"Species\":\"kaķis\",\"Breed\":\"siāmas\",\"Age\":2,\"Name\":\"Muris\"}}]}}",
        number % 60,
        number % 100_000
    )
}

fn measure(what: &str, count: usize, rounds: usize, mut work: impl FnMut(usize)) {
    let start = Instant::now();
    for _ in 0..rounds {
        (0..count).for_each(&mut work);
    }
    let per_second = (count * rounds) as f64 / start.elapsed().as_secs_f64();
    println!("{what:32} {per_second:>10.0} records/s");
}

fn main() -> Result<(), String> {
    let definition = Definition::parse(DEFINITION).map_err(|faults| format!("{faults:?}"))?;
    let schema = Schema::compile(Arc::new(definition), None);
    let count = 20_000;
    let raw: Vec<String> = (0..count).map(record).collect();
    let mut records = Vec::new();
    for text in &raw {
        records.push(
            schema
                .read_json(text.as_bytes())
                .map_err(|faults| format!("{faults:?}"))?,
        );
    }
    println!(
        "{} bytes of JSON, {} of spans each",
        records[0].json.len(),
        records[0].spans.len()
    );
    let mut other = Vec::new();
    for text in &raw {
        let changed = text.replace("active", "closed");
        other.push(
            schema
                .read_json(changed.as_bytes())
                .map_err(|faults| format!("{faults:?}"))?,
        );
    }
    let mut fewer = Vec::new();
    for text in &raw {
        let changed = text.replace(
            "{\"Species\":\"suns\",\"Breed\":\"taksis\",\"Age\":4,\"Name\":\"Reksis\"},",
            "",
        );
        fewer.push(
            schema
                .read_json(changed.as_bytes())
                .map_err(|faults| format!("{faults:?}"))?,
        );
    }
    let shown = [
        "Code",
        "Name",
        "Surname",
        "Address.City",
        "Pets.Species",
        "Pets.Age",
    ];
    let mask = schema.mask(&shown.map(str::to_owned));
    let full = Mask::all(&schema);
    let mut out = Vec::with_capacity(4096);
    measure("read_json", count, 20, |at| {
        drop(black_box(schema.read_json(raw[at].as_bytes())));
    });
    measure("project, partial mask", count, 100, |at| {
        out.clear();
        project(&schema, records[at].as_ref(), &mask, &mut out);
        black_box(&out);
    });
    measure("project, full mask", count, 100, |at| {
        out.clear();
        project(&schema, records[at].as_ref(), &full, &mut out);
        black_box(&out);
    });
    let compare = |what: &str, others: &[dagr_model::record::Canonical]| {
        measure(what, count, 50, |at| {
            black_box(changed_leaves(&schema, records[at].as_ref(), others[at].as_ref()));
        });
    };
    compare("changed_leaves, equal", &records.clone());
    compare("changed_leaves, one scalar", &other);
    compare("changed_leaves, element removed", &fewer);
    measure("key_of", count, 50, |at| {
        drop(black_box(schema.key_of(records[at].as_ref())));
    });
    Ok(())
}
