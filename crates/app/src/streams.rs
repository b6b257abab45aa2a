//! Calls that last, event streams and waits: counted, so that nobody holds them all.

use dagr_model::ids::Section;

use crate::{
    App,
    ctx::Ctx,
    problem::Problem,
    slots::{Limits, Share},
};

/// Streams of one connection at once.
pub const MAX_STREAMS: usize = 16;

const STREAMS: Limits = Limits {
    calls: "event streams",
    of_connection: MAX_STREAMS,
    of_open_set: 256,
    of_all: 4_096,
    way_out: "call changes without a stream",
};

/// A connection may follow as many data sets, each by a call of its own.
const WAITS: Limits = Limits {
    calls: "calls with a wait",
    of_connection: 256,
    of_open_set: 1_024,
    of_all: 4_096,
    way_out: "leave wait out and ask again later",
};

/// A stream that may begin; held as long as it lasts.
#[derive(Debug)]
pub struct Stream {
    /// Of an open set: anybody may have it.
    pub open: bool,
    _share: Share,
}

/// A wait that may begin; held until it is answered.
#[derive(Debug)]
pub struct Wait {
    _share: Share,
}

impl App {
    /// Judges who asks, and takes one of their streams. Each page is decided by itself.
    pub fn stream_begin(&self, ctx: &Ctx, section: Section, dataset: &str) -> Result<Stream, Problem> {
        let admission = self.admit_counting(ctx, section, dataset, false)?;
        Ok(Stream {
            open: admission.open,
            _share: self.streams.share(ctx, &admission.set, &STREAMS)?,
        })
    }

    /// Judges who asks, and takes one of their waits.
    pub fn wait_begin(&self, ctx: &Ctx, section: Section, dataset: &str) -> Result<Wait, Problem> {
        let admission = self.admit_counting(ctx, section, dataset, false)?;
        Ok(Wait {
            _share: self.waits.share(ctx, &admission.set, &WAITS)?,
        })
    }
}
