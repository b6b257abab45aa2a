//! What stands around every page of a signed-in person: asked anew each time, so that it is never older than the page.

use crate::{App, ctx::Ctx, problem::Problem};

/// Unread notifications are counted so far.
const MAX_UNREAD: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Notifications not read yet; counted to ten.
    pub unread: usize,
    /// The institution acted for provides something, or was admitted to; `false` for whoever acts for none.
    pub provides: bool,
}

impl App {
    pub async fn frame_get(&self, ctx: &Ctx) -> Result<Frame, Problem> {
        let person = ctx.person()?.id;
        let institution = ctx.acting_for().map(|acting| &acting.institution);
        let found = self.registry.frame_get(person, institution, MAX_UNREAD).await?;
        Ok(Frame {
            unread: found.unread,
            provides: found.is_admitted || institution.is_some_and(|number| self.provides(number)),
        })
    }
}
