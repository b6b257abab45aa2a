//! The log: to stderr, as text or JSON lines.

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Turns the log on for the whole process. A wrong level is an error before anything is opened.
pub fn init(config: &Log) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.level).map_err(|error| format!("log.level: {error}"))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let done = match config.format {
        LogFormat::Text => subscriber
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    };
    done.map_err(|error| error.to_string())
}
