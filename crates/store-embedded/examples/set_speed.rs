//! Measures a data set on LMDB: `cargo run --release -p dagr-store-embedded --example set_speed -- <directory> [records]`.
//! The directory is made and deleted.
//!
//! Personal records of about 600 bytes with one index: staging and applying them, beside the engine's own bulk of
//! the very same entries; then the feed with records, as a first load and as changes.

use std::{error::Error, path::PathBuf, sync::Arc, time::Instant};

use dagr_model::{
    definition::{Definition, Duplicates},
    record::{Canonical, Mask, RecordRef, project},
    schema::Schema,
};
use dagr_store::{
    kv::{Direction, Engine, Kv, KvError, Range, Snapshot, Table},
    set::{
        apply::{self, Applied, IndexRule, Mode, Package, Rules},
        feed::{self, Scope, Take, Told, View},
        head::Head,
        position::{Follow, Position, Reading},
    },
    stage::{Stage, Verb, groups::Resolve},
};
use dagr_store_embedded::{LmdbConfig, LmdbEngine};

const DEFINITION: &str = "\
name: bss_speed
key: Code
subject: Code
indexes: [Surname]
fields:
  - Code person_code : personal code
  - Name : name
  - Surname : surname
  - Born date : date of birth
  - Municipality : municipality
  - Street : street
  - House int : number
  - Status : status
  - Registered timestamp : when registered
  - Degrees * :
      fields:
        - Title : title
        - Year int : year
  - Note : remarks
";
const PAGE: u32 = 10_000;

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("which directory?")?);
    let records: u64 = arguments.next().map_or(Ok(1_000_000), |count| count.parse())?;
    let definition = Definition::parse(DEFINITION).map_err(|faults| format!("{faults:?}"))?;
    let schema = Arc::new(Schema::compile(Arc::new(definition), None));
    println!(
        "load average: {}",
        std::fs::read_to_string("/proc/loadavg")?.trim()
    );
    let engine = LmdbEngine::new(dir.clone(), LmdbConfig::default())?;
    let kv = engine.open("speed/set")?;
    let stages = dir.join("stage");
    std::fs::create_dir(&stages)?;

    let making = timed(|| {
        let mut bytes = 0;
        each_record(&schema, records, 1, 0, &mut |record| {
            bytes += record.json.len() as u64;
            Ok(())
        })?;
        println!("canonical records: {} bytes each", bytes / records);
        Ok(())
    })?;
    tell("reading JSON into canonical records", records, making);
    let own = intake(&*kv, &schema, &stages, records, 1, 0, making)?;
    tell("stage + apply, first delivery", records, own);
    let health = kv.health()?;
    println!(
        "size: {:?}; 10 M records: {:.1} GiB",
        health,
        health.used_bytes as f64 / records as f64 * 1e7 / 1e9 * 0.931
    );
    let raw = raw_bulk(&*kv, &*engine.open("speed/raw")?)?;
    tell("raw bulk of the same entries", records, raw);
    println!(
        "ratio to raw: {:.0} % by the clock, {:.0} % by the processor",
        100.0 * raw.0 / own.0,
        100.0 * raw.1 / own.1
    );

    let few = schema.mask(&[
        "Code".to_owned(),
        "Surname".to_owned(),
        "Degrees.Title".to_owned(),
    ]);
    for (name, mask) in [("all fields", Mask::all(&schema)), ("three fields", few)] {
        let load = Position::load(records);
        let changes = Position {
            reading: Reading::Follow(Follow::new(0)),
            layers: Vec::new(),
        };
        for (told, position) in [("first load", load), ("changes", changes)] {
            let mut count = 0;
            let spent = timed(|| {
                count = enumerate(&*kv, &schema, &mask, position.clone())?;
                Ok(())
            })?;
            tell(&format!("feed with records, {told}, {name}"), count, spent);
        }
    }
    // Every tenth record again, one field changed.
    let making = timed(|| each_record(&schema, records / 10, 10, 1, &mut |_| Ok(())))?;
    let updated = intake(&*kv, &schema, &stages, records / 10, 10, 1, making)?;
    tell(
        "stage + apply, updates of every tenth record",
        records / 10,
        updated,
    );
    drop((kv, engine));
    std::fs::remove_dir_all(dir)?;
    Ok(())
}

/// Seconds by the clock and on the processor.
type Spent = (f64, f64);

fn timed(work: impl FnOnce() -> Done) -> Result<Spent, Box<dyn Error>> {
    let (start, cpu) = (Instant::now(), cpu_seconds());
    work()?;
    Ok((start.elapsed().as_secs_f64(), cpu_seconds() - cpu))
}

fn tell(what: &str, records: u64, (seconds, cpu): Spent) {
    let (rate, of_cpu) = (records as f64 / seconds, records as f64 / cpu);
    println!(
        "{what}: {rate:.0} records/s ({of_cpu:.0} per processor second), RssAnon {} MiB",
        rss_anon_mib()
    );
}

fn each_record(
    schema: &Schema,
    records: u64,
    step: u64,
    version: u64,
    with: &mut dyn FnMut(&Canonical) -> Result<(), KvError>,
) -> Done {
    let mut text = String::new();
    for number in (0..records).map(|number| number * step) {
        // Spread over the key space: deliveries seldom come sorted.
        let code = 32_000_000_000 + (number * 7_919) % 6_999_999_989;
        text.clear();
        text.push_str(&format!(
            r#"{{"Code":"{code}","Name":"Jānis Kārlis","Surname":"Bērziņš-{:05}","Born":"1980-05-{:02}","Municipality":"Ogres novads","Street":"Brīvības iela","House":{},"Status":"S{version}","Registered":"2024-03-01T12:00:00Z","Degrees":[{{"Title":"Dabaszinātņu bakalaurs","Year":2001}},{{"Title":"Inženierzinātņu maģistrs","Year":2003}}],"Note":"{}"}}"#,
            number % 50_000,
            number % 28 + 1,
            number % 200,
            "piezīme par ierakstu ".repeat(12),
        ));
        let record = schema
            .read_json(text.as_bytes())
            .map_err(|faults| format!("{faults:?}"))?;
        with(&record)?;
    }
    Ok(())
}

/// Without the time `making` takes, to read the records.
fn intake(
    kv: &dyn Kv,
    schema: &Arc<Schema>,
    stages: &std::path::Path,
    records: u64,
    step: u64,
    version: u64,
    making: Spent,
) -> Result<Spent, Box<dyn Error>> {
    let surname = schema.node("Surname").ok_or("field")?;
    let rules = Rules {
        schema: Arc::clone(schema),
        changes: Vec::new(),
        scopes: Vec::new(),
        indexes: vec![IndexRule {
            id: 1,
            nodes: vec![surname],
        }],
    };
    let dir = stages.join(version.to_string());
    std::fs::create_dir(&dir)?;
    let (seconds, cpu) = timed(|| {
        let mut stage = Stage::new(&dir);
        let mut line = 0;
        each_record(schema, records, step, version, &mut |record| {
            line += 1;
            let key = schema
                .key_of(record.as_ref())
                .map_err(|fault| KvError::Caller(fault.rule))?;
            stage.push(&key, line, Verb::Upsert, record.as_ref())
        })?;
        let staged = stage.finish()?;
        let start = Instant::now();
        let mut package = Package {
            mode: Mode::Delta,
            resolve: Resolve::Rows(Duplicates::Quarantine),
            now_ms: 1_700_000_000_000,
            guard_bp: None,
            expired: &|_: RecordRef<'_>| false,
            dry_run: false,
            quarantined: 0,
            differing: &mut |_, _| {},
            erased: &mut |_| {},
            finish: &mut |_, _, _| Ok(()),
        };
        let applied = apply::apply(kv, &rules, &staged, &mut package)?;
        println!(
            "apply alone: {:.0} records/s",
            records as f64 / start.elapsed().as_secs_f64()
        );
        match applied {
            Applied::Done(outcome) if outcome.accepted == records => Ok(()),
            other => Err(format!("{other:?}").into()),
        }
    })?;
    std::fs::remove_dir_all(&dir)?;
    Ok((seconds - making.0, cpu - making.1))
}

/// The entries that the package made, in the same order.
fn raw_bulk(from: &dyn Kv, to: &dyn Kv) -> Result<Spent, Box<dyn Error>> {
    let snapshot = from.snapshot()?;
    let scan = |table| snapshot.scan(table, Range::default(), Direction::Forward);
    let hint = from.health()?.used_bytes;
    // By record: its index entry ends with its key. Sorted before the clock runs.
    let mut index = Vec::new();
    for pair in scan(Table::Index)? {
        let (entry, key) = pair?;
        index.push((key, entry));
    }
    index.sort_unstable();
    let head = Head::read(&*snapshot)?.bytes();
    timed(|| {
        to.bulk(hint, &mut |_, sink| {
            let (mut records, mut changes) = (scan(Table::Record)?, scan(Table::Change)?);
            for (key, entry) in &index {
                if let (Some(record), Some(change)) =
                    (records.next().transpose()?, changes.next().transpose()?)
                {
                    sink.put(Table::Record, record.0, record.1)?;
                    sink.put(Table::Change, change.0, change.1)?;
                    sink.put(Table::Index, entry, key)?;
                }
            }
            sink.put(Table::Meta, b"head", &head)
        })?;
        Ok(())
    })
}

fn enumerate(
    kv: &dyn Kv,
    schema: &Schema,
    mask: &Mask,
    mut position: Position,
) -> Result<u64, Box<dyn Error>> {
    let view = View {
        leaves: &mask.leaves,
        scope: Scope::All,
        earlier: &[],
        now_ms: 0,
    };
    let (mut total, mut out) = (0, Vec::new());
    loop {
        let snapshot = kv.snapshot()?;
        out.clear();
        let (count, end) = one_page(&*snapshot, schema, mask, &view, &mut position, &mut out)?;
        total += u64::from(count);
        position = Position::from_bytes(&position.to_bytes()).ok_or("position")?;
        if end {
            return Ok(total);
        }
    }
}

fn one_page(
    snapshot: &dyn Snapshot,
    schema: &Schema,
    mask: &Mask,
    view: &View<'_>,
    position: &mut Position,
    out: &mut Vec<u8>,
) -> Result<(u32, bool), KvError> {
    let mut count = 0;
    let mut visit = |told: Told<'_>| {
        if count == PAGE {
            return Ok(Take::Full);
        }
        if let Told::Upsert { stored, .. } = told {
            project(schema, stored.record, mask, out);
        }
        count += 1;
        Ok(Take::Taken)
    };
    let end = feed::page(snapshot, view, position, &mut visit, &|| true)?.end;
    Ok((count, end))
}

/// Time on the processor of this thread: what others do on the machine does not count.
fn cpu_seconds() -> f64 {
    let status = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds: Option<f64> = status.split(' ').next().and_then(|first| first.parse().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}

fn rss_anon_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib: u64 = line
        .and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0);
    kib / 1024
}
