//! Measures the engine: `cargo run --release -p dagr-store-embedded --example engine_speed -- <directory> [records]`.
//! The directory is made and deleted.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use dagr_store::kv::{Direction, Engine, Kv, Op, Range, Sink, Table};
use dagr_store_embedded::{LmdbConfig, LmdbEngine};

const VALUE_BYTES: usize = 600;
const READS: u64 = 1_000_000;
const COMMITS: u64 = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("which directory?")?);
    let records: u64 = arguments.next().map_or(Ok(1_000_000), |count| count.parse())?;
    let engine = LmdbEngine::new(dir.clone(), LmdbConfig::default())?;
    let kv = engine.open("speed/set")?;
    println!("anonymous memory at start: {} KiB", rss_anon_kib());
    bulks(&*kv, records)?;
    reads(&*kv, records)?;
    commits(&*kv)?;
    println!("{:?}", kv.health()?);
    drop((kv, engine));
    std::fs::remove_dir_all(dir)?;
    Ok(())
}

fn bulks(kv: &dyn Kv, records: u64) -> Result<(), Box<dyn Error>> {
    let hint = records * (VALUE_BYTES as u64 + 100);
    for (round, told) in ["first load", "update"].into_iter().enumerate() {
        let start = Instant::now();
        kv.bulk(hint, &mut |_, sink| {
            let mut value = vec![b'x'; VALUE_BYTES];
            (0..records).try_for_each(|number| upsert(sink, round as u64, records, number, &mut value))
        })?;
        let seconds = start.elapsed().as_secs_f64();
        let rate = records as f64 / seconds;
        println!(
            "bulk, {told}: {rate:.0} upserts/s, {seconds:.1} s, RssAnon {} KiB",
            rss_anon_kib()
        );
    }
    Ok(())
}

/// A record, its change and its index entry; in a second round the change before is deleted too.
fn upsert(
    sink: &mut dyn Sink,
    round: u64,
    records: u64,
    number: u64,
    value: &mut [u8],
) -> Result<(), dagr_store::kv::KvError> {
    let key = record_key(number);
    value[..8].copy_from_slice(&number.to_be_bytes());
    sink.put(Table::Record, &key, value)?;
    sink.put(Table::Change, &(round * records + number).to_be_bytes(), &key)?;
    if round > 0 {
        sink.delete(Table::Change, &((round - 1) * records + number).to_be_bytes())?;
    }
    sink.put(
        Table::Index,
        &[&(number / 10).to_be_bytes()[..], &key].concat(),
        b"",
    )
}

fn reads(kv: &dyn Kv, records: u64) -> Result<(), Box<dyn Error>> {
    let mut random = 88_172_645_463_325_252_u64;
    let mut bytes = 0;
    let (start, cpu_start) = (Instant::now(), cpu_seconds());
    for _ in 0..READS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let snapshot = kv.snapshot()?;
        bytes += snapshot
            .get(Table::Record, &record_key(random % records))?
            .map_or(0, <[u8]>::len);
    }
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu_start);
    let (rate, each) = (READS as f64 / seconds, cpu * 1e6 / READS as f64);
    println!("snapshot, get, drop: {rate:.0}/s, {each:.2} µs of processor each, {bytes} bytes");

    let snapshot = kv.snapshot()?;
    for direction in [Direction::Forward, Direction::Backward] {
        let start = Instant::now();
        let mut seen = 0_u64;
        for pair in snapshot.scan(Table::Record, Range::default(), direction)? {
            seen += u64::from(pair?.1[0] < 255);
        }
        println!(
            "scan {direction:?}: {:.0} records/s",
            seen as f64 / start.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

fn commits(kv: &dyn Kv) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    for number in 0..COMMITS {
        let value = vec![b'y'; VALUE_BYTES];
        kv.commit(
            &[Op::Put {
                table: Table::Record,
                key: record_key(number),
                value,
            }],
            &[],
        )?;
    }
    println!(
        "single durable commits: {:.0}/s",
        COMMITS as f64 / start.elapsed().as_secs_f64()
    );
    Ok(())
}

fn record_key(number: u64) -> Vec<u8> {
    format!("record-{number:016}").into_bytes()
}

/// Time on the processor: what others do on the machine does not count.
fn cpu_seconds() -> f64 {
    let status = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds: Option<f64> = status.split(' ').next().and_then(|first| first.parse().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}

fn rss_anon_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}
