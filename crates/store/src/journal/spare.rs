//! The next segment, written with zeros before it is needed: a sync of a filled page in it touches no metadata.

use parking_lot::Mutex;

use super::{error::Result, io::JournalFile, names, shared::Shared};

const ZEROS: usize = 1 << 20;

pub(super) struct Spare {
    /// Held while a spare is made: the writer then waits for it instead of making a second one.
    ready: Mutex<bool>,
}

impl Spare {
    pub(super) fn new(ready: bool) -> Self {
        Self {
            ready: Mutex::new(ready),
        }
    }

    pub(super) fn prepare(&self, shared: &Shared) -> Result<()> {
        let mut ready = self.ready.lock();
        if !*ready {
            make(shared)?;
            *ready = true;
        }
        Ok(())
    }

    /// Gives the spare a segment's name.
    pub(super) fn take(&self, shared: &Shared, name: &str) -> Result<Box<dyn JournalFile>> {
        let mut ready = self.ready.lock();
        if !*ready {
            make(shared)?;
        }
        // Whatever happens to the renaming, the next call begins anew.
        *ready = false;
        let path = shared.dir.join(name);
        shared.io.rename(&shared.dir.join(names::SPARE), &path)?;
        Ok(shared.io.open(&path)?)
    }
}

fn make(shared: &Shared) -> Result<()> {
    let draft = shared.dir.join(names::draft(names::SPARE));
    let len = shared.config.segment_bytes;
    let file = shared.io.create(&draft)?;
    let written = fill(&*file, len);
    if written.is_err() {
        // Leave the space to others; the draft itself is removed at the next opening.
        let _ = shared.io.remove(&draft);
    }
    written?;
    shared.io.rename(&draft, &shared.dir.join(names::SPARE))?;
    Ok(())
}

fn fill(file: &dyn JournalFile, len: u64) -> Result<()> {
    file.allocate(len)?;
    let zeros = vec![0; ZEROS.min(len as usize)];
    let mut at = 0;
    while at < len {
        let bytes = (len - at).min(zeros.len() as u64);
        file.write_at(&zeros[..bytes as usize], at)?;
        at += bytes;
    }
    Ok(file.sync()?)
}
