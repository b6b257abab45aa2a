//! Decoding speed in MB/s, nothing else: `cargo run --release -p dagr-formats --example formats_speed [MEGABYTES]`.

use std::hint::black_box;
use std::time::Instant;

use dagr_formats::{Decoder, Limits, MediaType, Row, Sink, Unreadable};
use dagr_model::definition::CsvOptions;

struct Count(u64);

impl Sink for Count {
    fn columns(&mut self, _: &[String]) -> Result<(), Unreadable> {
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) -> Result<(), Unreadable> {
        black_box(&row);
        self.0 += u64::from(!matches!(row, Row::Bad { .. }));
        Ok(())
    }
}

fn main() -> Result<(), Unreadable> {
    let megabytes: usize = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(256);
    let record = |n: usize| {
        format!(
            "{{\"Code\":\"{n:011}\",\"GivenName\":\"Jānis\",\"Surname\":\"Bērziņš\",\"BirthDate\":\"1980-02-{:02}\",\"Status\":\"alive\",\
             \"Address\":{{\"Municipality\":\"0010000\",\"Street\":\"Brīvības iela\",\"House\":\"{}\"}},\"Citizenships\":[\"LV\"]}}",
            n % 28 + 1,
            n % 200
        )
    };
    let fill = |separator: &str, row: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        let mut n = 0;
        while text.len() < 4 << 20 {
            text.push_str(&row(n));
            text.push_str(separator);
            n += 1;
        }
        text
    };
    let lines = fill("\n", &|n| {
        format!("{{\"op\":\"upsert\",\"record\":{}}}", record(n))
    });
    let items = fill(",", &record);
    let plain = fill("\n", &|n| {
        format!(
            "{n:011},Jānis,Bērziņš,1980-02-{:02},alive,0010000,Brīvības iela,{},LV",
            n % 28 + 1,
            n % 200
        )
    });
    let quoted = fill("\n", &|n| {
        format!(
            "\"{n:011}\",\"Jānis\",\"Bērziņš\",\"1980-02-{:02}\",\"alive\",\"0010000\",\"Brīvības, \"\"iela\"\"\",\"{}\",\"LV\"",
            n % 28 + 1,
            n % 200
        )
    });
    let header = "Code,GivenName,Surname,BirthDate,Status,Municipality,Street,House,Citizenship\n";
    let baltic = encoding_rs::ISO_8859_13.encode(&plain).0;

    measure(
        "NDJSON",
        MediaType::NdJson,
        None,
        b"",
        lines.as_bytes(),
        b"",
        megabytes,
    )?;
    measure(
        "JSON array",
        MediaType::JsonArray,
        None,
        b"[",
        items.as_bytes(),
        b"{}]",
        megabytes,
    )?;
    measure(
        "CSV",
        MediaType::Csv,
        None,
        header.as_bytes(),
        plain.as_bytes(),
        b"",
        megabytes,
    )?;
    measure(
        "CSV, quoted",
        MediaType::Csv,
        None,
        header.as_bytes(),
        quoted.as_bytes(),
        b"",
        megabytes,
    )?;
    measure(
        "CSV, iso-8859-13",
        MediaType::Csv,
        Some("iso-8859-13"),
        header.as_bytes(),
        &baltic,
        b"",
        megabytes,
    )
}

/// Feeds `block` again and again between `head` and `tail`, in chunks of 64 KiB.
fn measure(
    name: &str,
    media: MediaType,
    charset: Option<&str>,
    head: &[u8],
    block: &[u8],
    tail: &[u8],
    megabytes: usize,
) -> Result<(), Unreadable> {
    let mut decoder = Decoder::new(media, charset, &CsvOptions::default(), Limits::default())?;
    let mut count = Count(0);
    let started = Instant::now();
    let mut bytes = 0usize;
    decoder.feed(head, &mut count)?;
    while bytes < megabytes * 1_000_000 {
        for chunk in block.chunks(64 << 10) {
            decoder.feed(chunk, &mut count)?;
        }
        bytes += block.len();
    }
    decoder.feed(tail, &mut count)?;
    decoder.finish(&mut count)?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{name:<18} {:>6.0} MB/s  {:>6.2} M rows/s",
        bytes as f64 / seconds / 1e6,
        count.0 as f64 / seconds / 1e6
    );
    Ok(())
}
