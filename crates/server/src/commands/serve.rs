//! `dagr serve`

use std::io::Write;

use super::{Done, Failure, configuration, told_to_stop};
use crate::{cli::Global, serve};

/// Runs until SIGTERM or SIGINT.
pub async fn run(global: &Global) -> Done {
    let config = configuration(global)?;
    serve::log::init(&config.log).map_err(Failure::here)?;
    let stop = told_to_stop()?;
    let running = serve::start(config, &global.data_dir())
        .await
        .map_err(|error| Failure::here(error.to_string()))?;
    say(&running.ready_line());
    tracing::info!(data = %running.data, operations = %running.operations, "ready");
    stop.await;
    tracing::info!("stopping: calls under way may end");
    running.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Whoever waits for the line gets it now; that nobody reads it is no reason to stop.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
