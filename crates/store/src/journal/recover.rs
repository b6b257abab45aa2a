//! Opening a directory: what is there, what of it holds, and the sums of the use counts.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use parking_lot::{Mutex, RwLock};

use super::{
    Health, JournalConfig, background,
    counters::{self, Sums},
    entry,
    error::{JournalError, Result},
    frame::{self, FRAME_HEAD, HEADER_BYTES},
    io::JournalIo,
    names::{self, Name},
    run::Run,
    segment::{Frames, Segment, SegmentInfo},
    shared::{Catalog, Shared},
    spare::Spare,
};

#[derive(Default)]
struct Listing {
    segments: Vec<u64>,
    runs: Vec<(u64, u64)>,
    checkpoints: Vec<u64>,
    spare: bool,
}

struct Opening<'a> {
    io: &'a dyn JournalIo,
    dir: &'a Path,
    sums: Sums,
    /// The sums hold all entries up to the end of this segment.
    summed: u64,
    catalog: Catalog,
}

/// The state of a journal and the number of the next segment.
pub(super) fn open(dir: &Path, config: JournalConfig, io: Arc<dyn JournalIo>) -> Result<(Shared, u64)> {
    let listing = list(&*io, dir)?;
    let checkpoint = background::newest_checkpoint(&*io, dir, &listing.checkpoints)?;
    let checkpointed = checkpoint.as_ref().map(|(segment, _)| *segment);
    check_whole(&listing.segments, checkpointed)?;
    let spare = spare_is_good(&*io, dir, &listing, config.segment_bytes)?;
    let (summed, sums) = checkpoint.unwrap_or_default();
    let mut opening = Opening {
        io: &*io,
        dir,
        sums,
        summed,
        catalog: Catalog::default(),
    };
    opening.runs(&listing)?;
    opening.segments(&listing.segments)?;
    opening.drop_runs_ahead()?;
    let Opening {
        sums,
        summed,
        catalog,
        ..
    } = opening;

    let newest = catalog
        .segments
        .keys()
        .next_back()
        .copied()
        .unwrap_or(0)
        .max(summed);
    let next = newest + 1;
    let shared = Shared {
        dir: dir.to_owned(),
        config,
        queue: super::queue::Queue::default(),
        catalog: RwLock::new(catalog),
        sealed_sums: Mutex::new((newest, Arc::new(sums.clone()))),
        sums: Mutex::new(sums),
        checkpointed: Mutex::new(checkpointed.unwrap_or(0)),
        spare: Spare::new(spare),
        bell: super::shared::Bell::default(),
        structure: Mutex::new(()),
        health: Mutex::new(Health::default()),
        syncs: AtomicU64::new(0),
        io,
    };
    Ok((shared, next))
}

fn list(io: &dyn JournalIo, dir: &Path) -> Result<Listing> {
    let mut listing = Listing::default();
    for name in io.list(dir)? {
        match names::parse(&name) {
            Some(Name::Segment(number)) => listing.segments.push(number),
            Some(Name::Run { first, last }) => listing.runs.push((first, last)),
            Some(Name::Checkpoint(segment)) => listing.checkpoints.push(segment),
            Some(Name::Draft) => io.remove(&dir.join(&name))?,
            None => listing.spare |= name == names::SPARE,
        }
    }
    listing.segments.sort_unstable();
    listing.runs.sort_unstable();
    Ok(listing)
}

/// Refuses sums with a hole: quotas must not refill because a file is missing.
fn check_whole(segments: &[u64], checkpoint: Option<u64>) -> Result<()> {
    let needed = checkpoint.map_or(names::FIRST_SEGMENT, |segment| segment + 1)..;
    let counted = segments
        .iter()
        .filter(|number| checkpoint.is_none_or(|summed| **number > summed));
    for (needed, number) in needed.zip(counted) {
        if *number != needed {
            return Err(JournalError::Corrupt(format!(
                "use counts: segment {needed:x} is missing"
            )));
        }
    }
    Ok(())
}

fn spare_is_good(io: &dyn JournalIo, dir: &Path, listing: &Listing, len: u64) -> Result<bool> {
    if !listing.spare {
        return Ok(false);
    }
    Ok(io.open(&dir.join(names::SPARE))?.len()? == len)
}

impl Opening<'_> {
    fn runs(&mut self, listing: &Listing) -> Result<()> {
        let mut runs = BTreeMap::new();
        let mut whole = Vec::new();
        for (first, last) in &listing.runs {
            let name = names::run(*first, *last);
            match Run::open(self.io, self.dir, &name) {
                Ok(run) if (run.meta.first, run.meta.last) == (*first, *last) => whole.push(run),
                Ok(_) | Err(JournalError::Corrupt(_)) => self.io.remove(&self.dir.join(&name))?,
                Err(error) => return Err(error),
            }
        }
        // Widest first: a merged run covers the runs it was made of, if a crash left them.
        whole.sort_by_key(|run| (std::cmp::Reverse(run.meta.last - run.meta.first), run.meta.first));
        for run in whole {
            let covered = runs
                .values()
                .any(|wide: &Arc<Run>| wide.meta.first <= run.meta.last && run.meta.first <= wide.meta.last);
            if covered {
                self.io.remove(&self.dir.join(&run.name))?;
            } else {
                runs.insert(run.meta.first, Arc::new(run));
            }
        }
        self.catalog.runs = runs;
        Ok(())
    }

    fn segments(&mut self, numbers: &[u64]) -> Result<()> {
        let last = numbers.last().copied();
        for number in numbers {
            if Some(*number) == last {
                self.last_segment(*number)?;
            } else {
                self.sealed_segment(*number)?;
            }
        }
        Ok(())
    }

    fn sealed_segment(&mut self, number: u64) -> Result<()> {
        let file = self.io.open(&self.dir.join(names::segment(number)))?;
        let known = self.catalog.run_of(number).and_then(|run| {
            run.meta
                .segments
                .iter()
                .find(|segment| segment.number == number)
                .copied()
        });
        let len = file.len()?;
        let info = known.unwrap_or(SegmentInfo {
            end: len,
            ..SegmentInfo::empty(number)
        });
        let segment = Arc::new(Segment::new(file, info, true));
        if known.is_none() || number > self.summed {
            let end = self.replay(&segment)?;
            if end != info.end || len < end {
                if number > self.summed {
                    return Err(segment.damaged(end as u32));
                }
                self.catalog.damaged.insert(number);
            }
        }
        self.add(segment);
        Ok(())
    }

    /// The one that was open: what is no whole frame was never acknowledged as durable and is cut off.
    fn last_segment(&mut self, number: u64) -> Result<()> {
        let path = self.dir.join(names::segment(number));
        let file = self.io.open(&path)?;
        let len = file.len()?;
        // After a failed sync, cached pages may show what never reached the disk.
        file.evict()?;
        let mut header = [0; HEADER_BYTES as usize];
        let read = file.read_at(&mut header, 0)?;
        let is_new = read < header.len() || !frame::is_segment_header(&header, number);
        if is_new && self.catalog.run_of(number).is_some() {
            return Err(JournalError::Corrupt(format!("header of segment {number:x}")));
        }
        let info = SegmentInfo {
            end: len,
            ..SegmentInfo::empty(number)
        };
        let segment = Arc::new(Segment::new(file, info, true));
        let end = if is_new {
            HEADER_BYTES
        } else {
            self.replay(&segment)?
        };
        if end == HEADER_BYTES {
            return Ok(self.io.remove(&path)?);
        }
        // Also makes durable what was written and not synced when a process was killed.
        segment.file.set_len(end)?;
        segment.file.sync()?;
        self.add(segment);
        Ok(())
    }

    /// A run of a segment that came to nothing must not pass for one of the next with its number.
    fn drop_runs_ahead(&mut self) -> Result<()> {
        let newest = self
            .catalog
            .segments
            .keys()
            .next_back()
            .copied()
            .unwrap_or(0)
            .max(self.summed);
        let ahead = self.catalog.runs.extract_if(.., |_, run| run.meta.last > newest);
        for (_, run) in ahead {
            self.io.remove(&self.dir.join(&run.name))?;
        }
        Ok(())
    }

    fn add(&mut self, segment: Arc<Segment>) {
        self.summed = self.summed.max(segment.number);
        self.catalog.segments.insert(segment.number, segment);
    }

    /// Reads the whole frames of a segment: its figures, and its part of the sums. Tells where they end.
    fn replay(&mut self, segment: &Arc<Segment>) -> Result<u64> {
        let counts = segment.number > self.summed;
        let mut info = SegmentInfo::empty(segment.number);
        let mut frames = Frames::new(segment.clone(), 0);
        while let Some((offset, body)) = frames.next_whole()? {
            let opening = entry::open(body).ok_or_else(|| segment.damaged(offset))?;
            info.add(opening.at_ms, (FRAME_HEAD + body.len()) as u64);
            if counts {
                counters::add(&mut self.sums, &opening.counters);
            }
        }
        segment.advance(&info);
        Ok(info.end)
    }
}
