//! `dagr bench …`: how fast, beside a bare measure of the same work in the same run.

mod bare;
mod batch;
mod changes;
mod connector;
mod follow;
mod intake;
mod journal;
mod lookup;
mod pages;
mod psql;
mod site;
mod start;
mod wrk;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::{
    cli::Global,
    commands::{Done, Failure},
    config::Log,
    serve,
};

#[derive(Subcommand)]
pub enum Bench {
    /// Look-ups through 50 permissions, beside a bare server that answers the same bytes
    Lookup(lookup::Lookup),
    /// One package, beside the engine's own bulk load of the same entries
    Intake(Size),
    /// A table of PostgreSQL through a feed, beside COPY and beside the server's own intake
    Connector(connector::Connector),
    /// Rows of PostgreSQL changed at a rate: how long until a look-up, and a recipient's own copy, have each
    Follow(follow::Follow),
    /// Enumerating with records, beside a loopback copy of the same bytes
    Changes(Size),
    /// A personal first load with its entries, then one search by person
    Journal(Size),
    /// Pages and look-ups with ten thousand institutions and a hundred thousand permissions
    Pages(pages::Pages),
    /// Opening a data directory, and the memory of an idle server
    Start(Size),
}

#[derive(Args, Clone)]
pub struct Size {
    /// Records of the data set
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Directory on the disk to measure; what is made below it is removed again
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
}

pub async fn run(global: &Global, bench: Bench) -> Done {
    let log = Log {
        level: "warn".to_owned(),
        ..Log::default()
    };
    serve::log::init(&log).map_err(Failure::here)?;
    let figures = match bench {
        Bench::Lookup(lookup) => lookup::run(&lookup).await,
        Bench::Intake(size) => intake::run(&size).await,
        Bench::Connector(bench) => connector::run(&bench).await,
        Bench::Follow(bench) => follow::run(&bench).await,
        Bench::Changes(size) => changes::run(&size).await,
        Bench::Journal(size) => journal::run(&size).await,
        Bench::Pages(pages) => pages::run(&pages).await,
        Bench::Start(size) => start::run(&size).await,
    }?;
    if global.json {
        println!("{figures}");
    } else {
        for (name, figure) in figures.as_object().into_iter().flatten() {
            println!("{name:42} {}", shown(figure));
        }
    }
    Ok(())
}

fn shown(figure: &Value) -> String {
    match figure.as_f64() {
        Some(number) if number.fract() != 0.0 && number.abs() < 100.0 => format!("{number:.3}"),
        Some(number) => format!("{number:.0}"),
        None => figure.as_str().map_or_else(|| figure.to_string(), str::to_owned),
    }
}

/// The middle one of an odd number.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

/// Says what is going on, on stderr.
fn step(text: &str) {
    eprintln!("… {text}");
}
