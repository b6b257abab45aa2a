//! The demo: a synthetic nation and its story. `dagr demo` builds it from nothing, tells it, and keeps serving.

mod applications;
mod beside;
mod call;
mod cast;
pub mod load;
pub mod nation;
pub mod office;
mod people;
mod plans;
mod registered;
mod state;
mod story;
pub(crate) mod tell;
pub mod usage;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use clap::Args;

use crate::{
    cli::Global,
    client::Client,
    commands::{Done, Failure, told_to_stop},
    config::{Config, Log},
    serve::{self, Running, StartError},
};
use nation::{Nation, REGISTERS};
use office::Office;
use state::{Loaded, State};
use story::Story;
use tell::{Teller, thousands};

#[derive(Args)]
pub struct Demo {
    /// What the nation is drawn from: the same seed and size give the same nation [default: 1]
    #[arg(long)]
    seed: Option<u64>,
    /// People of the nation, 1 900 000 and more if you like [default: 100 000, or what the directory holds]
    #[arg(long, value_parser = clap::value_parser!(u64).range(100..=Nation::MOST_PERSONS))]
    persons: Option<u64>,
    /// Where to listen [default: 127.0.0.1:8480, or a free port]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// End after the story
    #[arg(long)]
    once: bool,
}

/// Builds or opens the nation, tells the story, serves until SIGTERM or SIGINT.
pub async fn run(global: &Global, demo: Demo) -> Done {
    let begun = Instant::now();
    let data = global.data.clone().unwrap_or_else(|| "./dagr-demo".into());
    // What the server keeps quiet about stays quiet: the terminal is the story's.
    let log = Log {
        level: "warn".to_owned(),
        ..Log::default()
    };
    serve::log::init(&log).map_err(Failure::here)?;
    let mut stop = std::pin::pin!(told_to_stop()?);
    let running = start(demo.listen, &data).await?;
    let told = tokio::select! {
        told = tell(&demo, &data, &running, begun) => told,
        () = &mut stop => Ok(false),
    };
    if matches!(told, Ok(true)) && !demo.once {
        println!(
            "\n   Serveris turpina darbu: {}; beigt ar Ctrl-C.\n   Serving on {0} until Ctrl-C. Interface: {0}/api\n\n   Lapas: {0}/lv/sign-in — izvēlieties, kas jūs esat:\n   Pages: {0}/en/sign-in — choose who you are:",
            running.public_url
        );
        for member in running.cast.get().into_iter().flatten() {
            println!("     {:<20} {} {}", member.name, member.code, member.what);
        }
        stop.await;
    }
    running.stop().await;
    told.map(|_| ())
}

async fn start(listen: Option<SocketAddr>, data: &Path) -> Result<Running, Failure> {
    let mut config = Config::default();
    // The demonstration's people are made up, and it listens here only.
    config.portal.development_sign_in = listen.is_none_or(|listen| listen.ip().is_loopback());
    if let Some(listen) = listen {
        config.listen.data = listen;
        config.listen.operations.set_port(0);
    }
    let started = match serve::start(config.clone(), data).await {
        Err(StartError::Listen { .. }) if listen.is_none() => {
            config.listen.data.set_port(0);
            config.listen.operations.set_port(0);
            serve::start(config, data).await
        }
        started => started,
    };
    started.map_err(|error| Failure::here(error.to_string()))
}

/// From the state the directory is in to the story's end.
async fn tell(demo: &Demo, data: &Path, running: &Running, begun: Instant) -> Result<bool, Failure> {
    let place = |name: &str| data.join("demo").join(name);
    fs::create_dir_all(place("keys")).map_err(|error| Failure::file(&place("keys"), &error))?;
    let mut state = State::open(place("state.json"), demo.seed, demo.persons)?;
    state.save()?;
    let teller = Teller::new();
    let (seed, persons) = (state.seed, state.persons);
    let nation = tokio::task::spawn_blocking(move || Nation::new(seed, persons))
        .await
        .map_err(|error| Failure::here(error.to_string()))?;
    let nation = Arc::new(nation);
    if state.loaded.is_none() {
        build(&nation, running, &place("keys"), &mut state).await?;
    }
    people(&nation, running, &mut state).await?;
    let ready = begun.elapsed();
    let mut story = Story::new(data, running, &nation, state, teller)?;
    story.tell().await?;
    let loaded = story.loaded();
    ending(teller, data, running, loaded, ready.as_secs_f64(), begun);
    Ok(true)
}

/// Institutions, systems, connections, definitions, records, permissions.
async fn build(nation: &Arc<Nation>, running: &Running, keys: &Path, state: &mut State) -> Done {
    println!(
        "Tauta no {} cilvēkiem, septiņi reģistri. A nation of {0} people, seven registers.",
        thousands(nation.persons())
    );
    let office = office(running)?;
    let mut sum = Loaded::default();
    for register in REGISTERS {
        office
            .institution(register.provider_number, register.provider_name)
            .await?;
    }
    beside::classifiers(&office).await?;
    for register in REGISTERS {
        office
            .system(
                register.provider_number,
                register.system_code,
                register.system_name,
            )
            .await?;
        let key = office
            .connection(keys, register.dataset, register.system_code, "producer")
            .await?;
        office
            .dataset(register.provider_number, register.dataset, register.definition)
            .await?;
        let provider = Client::connection(&running.public_url, register.dataset, &key)?;
        let loaded = load::deliver(&provider, nation, register).await?;
        sum.records += loaded.records;
        sum.bytes += loaded.bytes;
        sum.seconds += loaded.seconds;
    }
    for recipient in cast::RECIPIENTS {
        office.institution(recipient.number, recipient.name).await?;
        office
            .system(recipient.number, recipient.system, recipient.name)
            .await?;
        office
            .connection(keys, recipient.client_id, recipient.system, "consumer")
            .await?;
    }
    for name in cast::PERMISSIONS {
        if !state.permissions.contains_key(name) {
            let number = office.permission(&cast::permission(name)).await?;
            state.permissions.insert(name.to_owned(), number);
            state.save()?;
        }
    }
    beside::enter(&office, nation).await?;
    state.loaded = Some(sum);
    state.save()
}

/// Institutions, people for each role, their applications; whom one can sign in as.
async fn people(nation: &Nation, running: &Running, state: &mut State) -> Done {
    let officials = people::officials(nation);
    if !state.peopled {
        let failed = |problem: dagr_app::problem::Problem| Failure::here(problem.to_string());
        people::enter(&running.app, &officials).await.map_err(failed)?;
        applications::make(&running.app, &officials)
            .await
            .map_err(failed)?;
        plans::make(&running.app, &officials).await.map_err(failed)?;
        registered::make(&running.app).await.map_err(failed)?;
        state.peopled = true;
        state.save()?;
    }
    // Told once a start: a second telling has nothing to add.
    let _ = running
        .cast
        .set(people::cast(&officials, &cast::Cast::of(nation).citizen));
    Ok(())
}

fn office(running: &Running) -> Result<Office, Failure> {
    let path = operator_token(&running.dir);
    let token = fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
    Ok(Office {
        operator: Client::operator(&running.public_url, &token)?,
    })
}

fn operator_token(data: &Path) -> PathBuf {
    data.join("secrets").join(dagr_app::secrets::OPERATOR_TOKEN)
}

fn ending(teller: Teller, data: &Path, running: &Running, loaded: Loaded, ready: f64, begun: Instant) {
    let disk = usage::disk_bytes(data) as f64 / 1e6;
    let memory = usage::own_memory().map_or(0.0, |bytes| bytes as f64 / 1e6);
    println!();
    teller.say(
        &format!(
            "{} ieraksti; gatavs {ready:.1} s, stāsts līdz galam {:.1} s; uz diska {disk:.0} MB; atmiņa {memory:.0} MB.",
            thousands(loaded.records),
            begun.elapsed().as_secs_f64()
        ),
        &format!(
            "{} records ({:.0} MB as JSON, delivered in {:.1} s); ready after {ready:.1} s; {disk:.0} MB on disk, of which 128 MB keep room for disclosures; {memory:.0} MB of memory (RssAnon, {}).",
            thousands(loaded.records),
            loaded.bytes as f64 / 1e6,
            loaded.seconds,
            running.dir.display()
        ),
    );
}
