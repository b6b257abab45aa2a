//! Event streams under way: counted, so that nobody holds them all.

use dagr_model::ids::Section;

use crate::{
    App,
    ctx::Ctx,
    problem::Problem,
    slots::{Slot, too_many, whose},
};

/// Streams of one connection at once.
pub const MAX_STREAMS: usize = 16;
/// Streams of one open set at once, of all who read it.
const MAX_OPEN_STREAMS: usize = 256;
/// Streams of everybody at once.
const MAX_ALL_STREAMS: usize = 4_096;
/// As whose all of them count. No connection is called so: `/` is in no name.
const EVERYBODY: &str = "all/";

/// A stream that may begin; held as long as it lasts.
#[derive(Debug)]
pub struct Stream {
    /// Of an open set: anybody may have it.
    pub open: bool,
    _slots: (Slot, Slot),
}

impl App {
    /// Judges who asks, and takes one of their streams. Each page is decided by itself.
    pub fn stream_begin(&self, ctx: &Ctx, section: Section, dataset: &str) -> Result<Stream, Problem> {
        let admission = self.admit_counting(ctx, section, dataset, false)?;
        let open = admission.open;
        let most = if open { MAX_OPEN_STREAMS } else { MAX_STREAMS };
        let slot = self.streams.take(&whose(ctx, &admission.set), most);
        let slot = slot.ok_or_else(|| {
            let whose = if open { "data set" } else { "connection" };
            too_many(format!(
                "at most {most} event streams of one {whose} last at once: end one, or call changes without a stream"
            ))
        })?;
        let all = self.streams.take(EVERYBODY, MAX_ALL_STREAMS);
        let all =
            all.ok_or_else(|| too_many("many event streams are under way; call changes without a stream"))?;
        Ok(Stream {
            open,
            _slots: (slot, all),
        })
    }
}
