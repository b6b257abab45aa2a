//! The command line: words, what they mean, and how they end.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    bench,
    commands::{
        self, Failure, audit, backup, classifier, config as config_command, connection, connector, dataset,
        disclosures, institution, package, permission, registry, replica, restore, scrub, serve, system,
        token,
    },
    demo,
};

/// Exchange of records between registers and their permitted recipients.
#[derive(Parser)]
#[command(name = "dagr", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options every command takes.
#[derive(Args, Clone)]
pub struct Global {
    /// The server's public URL [default: of the configuration]
    #[arg(long, global = true, value_name = "URL", env = "DAGR_SERVER")]
    pub server: Option<String>,
    /// The data directory; holds the operator token [default: ./dagr-data; of the demo ./dagr-demo]
    #[arg(long, global = true, value_name = "DIR", env = "DAGR_DATA")]
    pub data: Option<PathBuf>,
    /// The configuration file [default: dagr.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE", env = "DAGR_CONFIG")]
    pub config: Option<PathBuf>,
    /// Answers as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

impl Global {
    /// The data directory of everything but the demo.
    pub fn data_dir(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| "./dagr-data".into())
    }
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve,
    /// Institutions: providers and recipients
    #[command(subcommand)]
    Institution(institution::Command),
    /// Information systems of institutions
    #[command(subcommand)]
    System(system::Command),
    /// Technical connections, their keys and certificates
    #[command(subcommand)]
    Connection(connection::Command),
    /// Data sets and their definitions
    #[command(subcommand)]
    Dataset(dataset::Command),
    /// Classifiers: what `code(LIST)` is judged by
    #[command(subcommand)]
    Classifier(classifier::Command),
    /// Permissions to read
    #[command(subcommand)]
    Permission(permission::Command),
    /// Deliveries of a provider
    #[command(subcommand)]
    Package(package::Command),
    /// Feeds: from a provider's database or files to a data set
    #[command(subcommand)]
    Connector(connector::Command),
    /// A recipient's own copy of what a permission gives
    #[command(subcommand)]
    Replica(replica::Command),
    /// Who was told what
    #[command(subcommand)]
    Disclosures(disclosures::Command),
    /// Who changed what in the registry
    Audit(audit::Audit),
    /// Copy everything, while the server answers
    Backup(backup::Backup),
    /// Put a backup in the place of what the data directory holds; stop the server first
    Restore(restore::Restore),
    /// The whole registry as lines of JSON, out of one instance and into another
    #[command(subcommand)]
    Registry(registry::Command),
    /// Read everything in the data directory and compare it with its checksums; stop the server first
    Scrub(scrub::Scrub),
    /// Sign a connection in; prints the access token
    Token(token::Token),
    /// A synthetic nation: seven registers, three recipients, and their story
    Demo(demo::Demo),
    /// How fast, beside a bare measure of the same work
    #[command(subcommand)]
    Bench(bench::Bench),
    /// The configuration in force
    #[command(subcommand)]
    Config(config_command::Command),
}

/// Parses, runs, and says how it went: 0 done, 1 refused or failed, 2 usage.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.global.json;
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(json);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::here(format!("no runtime: {error}")))?;
    runtime.block_on(dispatch(cli))
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let global = &cli.global;
    match cli.command {
        Command::Serve => serve::run(global).await,
        Command::Demo(command) => demo::run(global, command).await,
        Command::Bench(command) => bench::run(global, command).await,
        Command::Config(command) => config_command::run(global, command),
        Command::Dataset(dataset::Command::Check(check)) => dataset::check(global, &check),
        Command::Token(command) => token::run(global, command).await,
        Command::Restore(command) => restore::run(global, command).await,
        Command::Scrub(command) => scrub::run(global, &command),
        Command::Registry(command) => registry::run(global, command).await,
        Command::Package(command) => package::run(global, command).await,
        Command::Connector(command) => connector::run(global, command).await,
        Command::Replica(command) => replica::run(global, command).await,
        command => {
            let session = commands::Session::operator(global)?;
            match command {
                Command::Institution(command) => institution::run(&session, command).await,
                Command::System(command) => system::run(&session, command).await,
                Command::Connection(command) => connection::run(&session, command).await,
                Command::Dataset(command) => dataset::run(&session, command).await,
                Command::Classifier(command) => classifier::run(&session, command).await,
                Command::Permission(command) => permission::run(&session, command).await,
                Command::Disclosures(command) => disclosures::run(&session, command).await,
                Command::Audit(command) => audit::run(&session, command).await,
                Command::Backup(command) => backup::run(&session, command).await,
                Command::Serve
                | Command::Demo(_)
                | Command::Bench(_)
                | Command::Config(_)
                | Command::Token(_)
                | Command::Package(_)
                | Command::Connector(_)
                | Command::Replica(_)
                | Command::Restore(_)
                | Command::Registry(_)
                | Command::Scrub(_) => Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_words_fit_together() {
        super::Cli::command().debug_assert();
    }
}
