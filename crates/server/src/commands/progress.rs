//! What a feed or a replica is doing, on a terminal.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use dagr_connector::run::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::AbortHandle;

use crate::demo::tell::thousands;

const TICK: Duration = Duration::from_millis(100);
const SPINNER: &str = "{spinner} {elapsed} {msg}";
const BAR: &str = "{bar:30} {percent:>3} % {elapsed} {msg}";

/// A line that tells how far it is, for as long as the value lives. Nothing where stderr is no terminal.
pub struct Line {
    bar: ProgressBar,
    task: AbortHandle,
}

impl Line {
    /// `what`: of which the rows are told.
    pub fn show(progress: &Arc<Progress>, what: &'static str) -> Self {
        let bar = ProgressBar::no_length();
        bar.set_style(style(SPINNER));
        bar.enable_steady_tick(TICK);
        let (shown, progress) = (bar.clone(), Arc::clone(progress));
        let task = tokio::spawn(async move {
            let mut every = tokio::time::interval(TICK);
            loop {
                every.tick().await;
                shown.set_message(told(&progress, what));
                measured(&shown, &progress);
            }
        });
        Self {
            bar,
            task: task.abort_handle(),
        }
    }
}

/// A bar, once it is known what there may be.
fn measured(bar: &ProgressBar, progress: &Progress) {
    let expected = progress.expected.load(Ordering::Relaxed);
    if expected == 0 {
        return;
    }
    if bar.length().is_none() {
        bar.set_style(style(BAR));
    }
    let rows = progress.rows.load(Ordering::Relaxed);
    bar.set_length(expected.max(rows));
    bar.set_position(rows);
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
        self.bar.finish_and_clear();
    }
}

fn told(progress: &Progress, what: &str) -> String {
    let rows = progress.rows.load(Ordering::Relaxed);
    let sent = progress.sent.load(Ordering::Relaxed);
    let mut text = format!("{} {what}", thousands(rows));
    if sent > 0 {
        text.push_str(&format!(", {} KiB sent", thousands(sent >> 10)));
    }
    text
}
