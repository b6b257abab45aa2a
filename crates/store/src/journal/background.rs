//! Beside the writer: the spare segment, checkpoints of use counts, runs and their merging.
//!
//! Each turn looks at what is missing and makes it; nothing depends on having seen an event.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    counters,
    error::{JournalError, Result},
    names::{self, Name},
    run::{self, Place, Run},
    segment::Segment,
    shared::Shared,
};

/// Runs of this level are not merged further: they cover 512 segments.
const MAX_LEVEL: u8 = 3;
const CHECKPOINTS_KEPT: usize = 2;
const MAX_RETRY: Duration = Duration::from_secs(5);

pub(super) fn run(shared: &Shared) {
    let mut attempts = 0u32;
    let mut retry = None;
    while shared.bell.wait(retry) {
        let outcome = turn(shared);
        let failed = outcome.is_err();
        shared.health.lock().background_error = outcome.err();
        attempts = if failed { attempts + 1 } else { 0 };
        let wait = Duration::from_millis(shared.config.retry_ms.max(1) << attempts.min(16)).min(MAX_RETRY);
        retry = failed.then(|| Instant::now() + wait);
    }
}

fn turn(shared: &Shared) -> Result<()> {
    let spare = shared.spare.prepare(shared);
    let checkpoint = shared.checkpoint().and_then(|()| drop_old_checkpoints(shared));
    let runs = make_runs(shared);
    spare.and(checkpoint).and(runs)
}

fn drop_old_checkpoints(shared: &Shared) -> Result<()> {
    let names = shared.io.list(&shared.dir)?;
    let mut checkpoints: Vec<u64> = names
        .iter()
        .filter_map(|name| match names::parse(name) {
            Some(Name::Checkpoint(segment)) => Some(segment),
            _ => None,
        })
        .collect();
    checkpoints.sort_unstable_by(|a, b| b.cmp(a));
    checkpoints
        .iter()
        .skip(CHECKPOINTS_KEPT)
        .try_for_each(|old| shared.remove_file(&names::checkpoint(*old)))
}

fn make_runs(shared: &Shared) -> Result<()> {
    let stop = || shared.bell.stopped();
    let place = Place {
        io: &*shared.io,
        dir: &shared.dir,
        stop: &stop,
    };
    while !stop()
        && let Some(segment) = without_run(shared)
    {
        let _structure = shared.structure.lock();
        match run::build(&place, &segment) {
            Ok(run) => insert(shared, run, &[]),
            Err(JournalError::Corrupt(_)) => {
                // Reads of it tell so; a search goes on through the whole entries before the damage.
                shared.catalog.write().damaged.insert(segment.number);
            }
            Err(error) => return Err(error),
        }
    }
    while !stop()
        && let Some(runs) = to_merge(shared)
    {
        let _structure = shared.structure.lock();
        let floor = shared.catalog.read().floor();
        match run::merge(&place, &runs, floor) {
            Ok(run) => insert(shared, run, &runs),
            Err(JournalError::Corrupt(_)) => {
                for run in &runs {
                    shared.drop_run(run);
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn without_run(shared: &Shared) -> Option<Arc<Segment>> {
    let catalog = shared.catalog.read();
    let open = |segment: &&Arc<Segment>| {
        segment.is_sealed()
            && catalog.run_of(segment.number).is_none()
            && !catalog.damaged.contains(&segment.number)
    };
    catalog.segments.values().find(open).cloned()
}

/// As many neighbours of one level as a merge takes.
fn to_merge(shared: &Shared) -> Option<Vec<Arc<Run>>> {
    let catalog = shared.catalog.read();
    let runs: Vec<_> = catalog.runs.values().collect();
    let fits = |window: &&[&Arc<Run>]| {
        let level = window[0].meta.level;
        level < MAX_LEVEL
            && window.iter().all(|run| run.meta.level == level)
            && window
                .windows(2)
                .all(|pair| pair[0].meta.last + 1 == pair[1].meta.first)
    };
    let window = runs.windows(shared.config.merge_runs.max(2)).find(fits)?;
    Some(window.iter().map(|run| (*run).clone()).collect())
}

fn insert(shared: &Shared, run: Run, inputs: &[Arc<Run>]) {
    let mut catalog = shared.catalog.write();
    for input in inputs {
        catalog.runs.remove(&input.meta.first);
    }
    catalog.runs.insert(run.meta.first, Arc::new(run));
    drop(catalog);
    for input in inputs {
        // What stays is seen as covered at the next opening, and removed then.
        let _ = shared.remove_file(&input.name);
    }
}

/// Removes whole segments whose entries are all older; the sums are durable before.
pub(super) fn remove_before(shared: &Shared, time_ms: i64) -> Result<Vec<u64>> {
    let _structure = shared.structure.lock();
    let old: Vec<u64> = {
        let catalog = shared.catalog.read();
        let is_old = |segment: &&Arc<Segment>| segment.is_sealed() && segment.info().last_ms < time_ms;
        catalog
            .segments
            .values()
            .take_while(is_old)
            .map(|segment| segment.number)
            .collect()
    };
    let Some(last) = old.last().copied() else {
        return Ok(old);
    };
    shared.checkpoint()?;
    let dead: Vec<Arc<Run>> = {
        let mut catalog = shared.catalog.write();
        catalog.segments.retain(|number, _| *number > last);
        catalog.damaged.retain(|number| *number > last);
        let dead = catalog
            .runs
            .values()
            .filter(|run| run.meta.last <= last)
            .cloned()
            .collect();
        catalog.runs.retain(|_, run| run.meta.last > last);
        dead
    };
    old.iter().try_for_each(|number| shared.remove_segment(*number))?;
    dead.iter().try_for_each(|run| shared.remove_file(&run.name))?;
    shared.io.sync_dir(&shared.dir)?;
    Ok(old)
}

/// The newest checkpoint that can be read.
pub(super) fn newest_checkpoint(
    io: &dyn super::io::JournalIo,
    dir: &std::path::Path,
    checkpoints: &[u64],
) -> Result<Option<(u64, counters::Sums)>> {
    let mut newest_first = checkpoints.to_vec();
    newest_first.sort_unstable_by(|a, b| b.cmp(a));
    for segment in newest_first {
        if let Some(sums) = counters::read(io, dir, segment)? {
            return Ok(Some((segment, sums)));
        }
    }
    Ok(None)
}
