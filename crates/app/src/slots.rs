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
        Caller::Connection(connection) if !set.gives_without_permission() => connection.client_id.to_string(),
        // No connection is called so: `/` is in no name.
        _ => format!("open/{}", set.runtime.store_name),
    }
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
