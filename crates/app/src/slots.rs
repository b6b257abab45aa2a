//! Calls that last, counted by whose they are: nobody has more under way than a share.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use crate::{
    ctx::{Caller, Ctx},
    problem::Problem,
    set::LiveSet,
};

type Taken = Arc<Mutex<HashMap<String, usize>>>;

/// How many are under way, by whose they are.
#[derive(Debug, Default)]
pub struct Slots(Taken);

/// One under way, until it is dropped.
#[derive(Debug)]
pub struct Slot {
    whose: String,
    taken: Taken,
}

impl Slots {
    /// `None` = `most` are under way.
    pub fn take(&self, whose: &str, most: usize) -> Option<Slot> {
        let mut taken = self.0.lock();
        let count = taken.entry(whose.to_owned()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Slot {
            whose: whose.to_owned(),
            taken: Arc::clone(&self.0),
        })
    }
}

/// How many calls of one kind last at once.
#[derive(Debug)]
pub(crate) struct Limits {
    /// What they are called.
    pub calls: &'static str,
    pub of_connection: usize,
    /// Of all who read one open set.
    pub of_open_set: usize,
    /// Of all connections, and as many of all open sets: whom nobody knows takes nothing from the others.
    pub of_all: usize,
    /// What to do instead.
    pub way_out: &'static str,
}

/// A call under way: one of its owner's, and one of all.
pub(crate) type Share = (Slot, Slot);

impl Slots {
    pub(crate) fn share(&self, ctx: &Ctx, set: &LiveSet, limits: &Limits) -> Result<Share, Problem> {
        let Limits { calls, way_out, .. } = limits;
        let (most, owner, all) = if is_open(ctx, set) {
            (limits.of_open_set, "data set", "open/")
        } else {
            (limits.of_connection, "connection", "all/")
        };
        let own = self.take(&whose(ctx, set), most).ok_or_else(|| {
            too_many(format!(
                "at most {most} {calls} of one {owner} last at once: end one, or {way_out}"
            ))
        })?;
        let all = self.take(all, limits.of_all);
        let all = all.ok_or_else(|| too_many(format!("many {calls} are under way: {way_out}")))?;
        Ok((own, all))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        if let Some(count) = taken.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.whose);
            }
        }
    }
}

/// Whose a call is: its connection's, or, of an open set, everybody's together.
pub(crate) fn whose(ctx: &Ctx, set: &LiveSet) -> String {
    match &ctx.caller {
        Caller::Connection(connection, _) if !is_open(ctx, set) => connection.client_id.to_string(),
        // No connection is called so: `/` is in no name.
        _ => format!("open/{}", set.runtime.store_name),
    }
}

/// Whether nobody is known by it.
pub(crate) fn is_open(ctx: &Ctx, set: &LiveSet) -> bool {
    set.gives_without_permission() || !matches!(ctx.caller, Caller::Connection(..))
}

/// 429: as many as may be are under way.
pub(crate) fn too_many(detail: impl Into<String>) -> Problem {
    Problem::new(429, "too_many_at_once", detail).retry_after(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_exceeded_and_comes_back() {
        let slots = Slots::default();
        let (one, two) = (slots.take("a", 2), slots.take("a", 2));
        assert!(one.is_some() && two.is_some());
        assert!(slots.take("a", 2).is_none(), "two are under way");
        assert!(slots.take("b", 2).is_some(), "somebody else's");
        drop(one);
        let again = slots.take("a", 2);
        assert!(again.is_some());
        drop((two, again));
        assert!(slots.0.lock().is_empty(), "nothing is kept of who has none");
    }
}
