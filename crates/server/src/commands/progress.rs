//! What a feed or a replica is doing, on a terminal.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use dagr_connector::run::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::AbortHandle;

use crate::demo::tell::thousands;

/// A line that tells how far it is, for as long as the value lives. Nothing where stderr is no terminal.
pub struct Line {
    bar: ProgressBar,
    task: AbortHandle,
}

impl Line {
    pub fn show(progress: &Arc<Progress>) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        let (shown, progress) = (bar.clone(), Arc::clone(progress));
        let task = tokio::spawn(async move {
            let mut every = tokio::time::interval(Duration::from_millis(100));
            loop {
                every.tick().await;
                shown.set_message(told(&progress));
            }
        });
        Self {
            bar,
            task: task.abort_handle(),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
        self.bar.finish_and_clear();
    }
}

fn told(progress: &Progress) -> String {
    let rows = progress.rows.load(Ordering::Relaxed);
    let sent = progress.sent.load(Ordering::Relaxed);
    let mut text = format!("{} rows read", thousands(rows));
    if sent > 0 {
        text.push_str(&format!(", {} KiB sent", thousands(sent >> 10)));
    }
    text
}
