//! Runs from a segment, and one run from many. Memory: one part's rows, or a block of each input.

use std::{cmp::Reverse, collections::BinaryHeap, path::Path, sync::Arc};

use super::{
    Run,
    rows::{Row, Rows},
    write::RunWriter,
};
use crate::journal::{
    entry,
    error::{JournalError, Result},
    frame::FRAME_HEAD,
    io::{JournalFile, JournalIo},
    names,
    segment::{Frames, Segment, SegmentInfo},
    subject::{self, Subject},
};

/// Rows sorted in memory at once: about 40 MiB.
const PART_ROWS: usize = 1 << 20;

/// Where new runs go, and whether to go on.
pub struct Place<'a> {
    pub io: &'a dyn JournalIo,
    pub dir: &'a Path,
    /// Asked now and then; true ends the work with `Closed`.
    pub stop: &'a dyn Fn() -> bool,
}

/// The run of one sealed segment, durable and under its name.
pub fn build(place: &Place<'_>, segment: &Arc<Segment>) -> Result<Run> {
    let number = segment.number;
    let mut parts = Vec::new();
    let mut rows = Vec::new();
    let mut info = SegmentInfo::empty(number);
    let mut frames = Frames::new(segment.clone(), 0);
    while let Some((offset, body)) = frames.next()? {
        let mut opening = entry::open(body).ok_or_else(|| segment.damaged(offset))?;
        info.add(opening.at_ms, (body.len() + FRAME_HEAD) as u64);
        let id = segment.id(offset);
        let mut others = Vec::new();
        subject::read_list(
            &mut opening.rest,
            |code| {
                rows.push(Row {
                    subject: Subject::Code(code),
                    id,
                });
            },
            |bytes| {
                others.push(Row {
                    subject: Subject::Other(bytes.into()),
                    id,
                });
            },
        )
        .ok_or_else(|| segment.damaged(offset))?;
        rows.append(&mut others);
        if rows.len() >= PART_ROWS {
            parts.push(part(place, number, parts.len(), std::mem::take(&mut rows))?);
            check(place)?;
        }
    }
    rows.sort_unstable();
    let name = names::run(number, number);
    let draft = place.dir.join(names::draft(&name));
    let mut writer = RunWriter::new(Arc::from(place.io.create(&draft)?), number);
    if parts.is_empty() {
        rows.into_iter().try_for_each(|row| writer.push(row))?;
    } else {
        let count = parts.len();
        parts.push(part(place, number, count, rows)?);
        merge_rows(place, &mut parts, &mut writer, |_| true)?;
        for part in 0..=count {
            place.io.remove(&part_path(place, number, part))?;
        }
    }
    writer.finish(0, number, vec![info])?;
    publish(place, &draft, name)
}

/// One run of several neighbours. Rows of segments before `floor` are left out.
pub fn merge(place: &Place<'_>, runs: &[Arc<Run>], floor: u64) -> Result<Run> {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
        return Err(JournalError::Invalid("nothing to merge"));
    };
    let (first, last) = (first.meta.first, last.meta.last);
    let level = runs
        .iter()
        .map(|run| run.meta.level)
        .max()
        .unwrap_or(0)
        .saturating_add(1);
    let name = names::run(first, last);
    let draft = place.dir.join(names::draft(&name));
    let mut writer = RunWriter::new(Arc::from(place.io.create(&draft)?), first);
    let mut inputs: Vec<Rows> = runs.iter().map(|run| run.rows()).collect();
    merge_rows(place, &mut inputs, &mut writer, |row| row.id.segment >= floor)?;
    let segments = runs.iter().flat_map(|run| run.meta.segments.iter().copied());
    writer.finish(
        level,
        last,
        segments.filter(|segment| segment.number >= floor).collect(),
    )?;
    publish(place, &draft, name)
}

fn publish(place: &Place<'_>, draft: &Path, name: String) -> Result<Run> {
    place.io.rename(draft, &place.dir.join(&name))?;
    place.io.sync_dir(place.dir)?;
    Run::open(place.io, place.dir, &name)
}

fn merge_rows(
    place: &Place<'_>,
    inputs: &mut [Rows],
    writer: &mut RunWriter,
    keep: impl Fn(&Row) -> bool,
) -> Result<()> {
    let mut heap = BinaryHeap::with_capacity(inputs.len());
    for (input, rows) in inputs.iter_mut().enumerate() {
        heap.extend(rows.next()?.map(|row| Reverse((row, input))));
    }
    let mut done = 0u64;
    while let Some(Reverse((row, input))) = heap.pop() {
        heap.extend(inputs[input].next()?.map(|row| Reverse((row, input))));
        if keep(&row) {
            writer.push(row)?;
        }
        done += 1;
        if done.is_multiple_of(1 << 16) {
            check(place)?;
        }
    }
    Ok(())
}

fn part(place: &Place<'_>, number: u64, part: usize, mut rows: Vec<Row>) -> Result<Rows> {
    rows.sort_unstable();
    let file: Arc<dyn JournalFile> = Arc::from(place.io.create(&part_path(place, number, part))?);
    let mut writer = RunWriter::new(file, number);
    rows.into_iter().try_for_each(|row| writer.push(row))?;
    writer.finish_part()
}

fn part_path(place: &Place<'_>, number: u64, part: usize) -> std::path::PathBuf {
    place.dir.join(names::draft(&format!("{number:x}.{part}")))
}

fn check(place: &Place<'_>) -> Result<()> {
    if (place.stop)() {
        Err(JournalError::Closed)
    } else {
        Ok(())
    }
}
