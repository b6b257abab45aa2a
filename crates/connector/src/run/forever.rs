//! A feed as a service: until it is told to stop. Whatever fails is tried again, and said in the status.

use std::{future::Future, time::Duration};

use super::{
    Looked, Running,
    followed::{Followed, Seen},
    is_past, lag,
};
use crate::{
    deliver::{Delivered, jittered},
    error::{Error, Result},
    feed::Source,
};

/// How often a directory, and a package somebody has to decide on, are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How often the server is asked for its definition, and whether it counts anew.
const RENEW: Duration = Duration::from_mins(1);
/// No server is left alone for longer.
const LONGEST: Duration = Duration::from_mins(15);
/// First pause after a failure.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

pub async fn forever(running: &Running, stop: impl Future<Output = ()>) -> Result<()> {
    let mut service = Service {
        running,
        followed: Followed::of(running),
        pause: FIRST_PAUSE,
        unfollowed: false,
    };
    let rounds = Box::pin(async {
        loop {
            let round = service.round().await;
            let wait = service.after(round)?;
            tokio::time::sleep(wait).await;
        }
    });
    tokio::select! {
        biased;
        () = stop => Ok(()),
        ended = rounds => ended,
        never = Box::pin(lag::watch(running)) => match never {},
    }
}

struct Service<'r> {
    running: &'r Running,
    followed: Option<Followed<'r>>,
    pause: Duration,
    /// Was everything compared since the source could last be followed?
    unfollowed: bool,
}

impl Service<'_> {
    /// One round; when the next is due.
    async fn round(&mut self) -> Result<Duration> {
        let running = self.running;
        running.renew(RENEW).await;
        if let Delivered::Held(package) = running.deliver(None).await? {
            return Err(Error::Decide(format!(
                "package {package} would remove more than the guard allows and is held: `dagr connector release` applies it, `dagr connector reject` drops it"
            )));
        }
        // A source that cannot be followed any more is compared all the same.
        let asked = running.state.meta("compare_due")?.unwrap_or_default();
        let connected = match &mut self.followed {
            Some(followed) => followed.connect().await,
            None => Ok(()),
        };
        self.unfollowed &= connected.is_err();
        let has_place = self.followed.as_ref().map_or(Ok(false), Followed::has_place)?;
        if self.unfollowed && !has_place {
            // Each try to follow it may ask for a comparison.
            running.state.set_meta("compare_due", &asked)?;
        }
        let mut soon = LOOK;
        if self.compare_due()? {
            if let Looked::Soon(wait) = running.compare().await? {
                soon = wait;
            }
            self.unfollowed = connected.is_err();
            if let Delivered::Held(_) = running.deliver(None).await? {
                return Ok(LOOK);
            }
            self.tell_fresh().await?;
        }
        if connected.is_err() {
            self.reconcile_due().await?;
        }
        connected?;
        let mut wait = match running.feed.source {
            Source::Files(_) => soon,
            _ => running.feed.schedule.compare,
        };
        if let Some(followed) = &mut self.followed {
            wait = followed.every();
            match followed.look().await? {
                Seen::Nothing => self.tell_fresh().await?,
                Seen::Package(found) => {
                    if found.package.is_some() {
                        // More may have come meanwhile.
                        wait = Duration::ZERO;
                        if let Delivered::Held(_) = running.deliver(None).await? {
                            return Ok(LOOK);
                        }
                    }
                }
                Seen::Everything => {}
            }
        }
        self.reconcile_due().await?;
        Ok(wait.min(LOOK))
    }

    async fn tell_fresh(&self) -> Result<()> {
        if self.running.tell_fresh()? {
            self.running.deliver(None).await?;
        }
        Ok(())
    }

    async fn reconcile_due(&self) -> Result<()> {
        let running = self.running;
        if running.state.unfinished()?.is_empty() && running.reconcile_due()? {
            running.reconcile().await?;
        }
        Ok(())
    }

    fn compare_due(&self) -> Result<bool> {
        if matches!(self.running.feed.source, Source::Files(_)) {
            return Ok(true);
        }
        let state = &self.running.state;
        if state.meta("compare_due")?.as_deref() == Some("true") {
            return Ok(true);
        }
        let last = state.meta("last_compare")?;
        Ok(is_past(last.as_deref(), self.running.feed.schedule.compare))
    }

    /// The pause until the next round; what went wrong is said, and pauses grow.
    fn after(&mut self, round: Result<Duration>) -> Result<Duration> {
        match round {
            Ok(wait) => {
                self.pause = FIRST_PAUSE;
                self.running.state.say("")?;
                Ok(wait)
            }
            Err(error) => {
                let text = error.at_once();
                // No sooner than the server wants it, within reason.
                let pause = error
                    .retry_after()
                    .min(LONGEST)
                    .saturating_add(jittered(self.pause));
                tracing::error!(problem = %text, again_in = ?pause, "the feed stands still");
                match self.running.state.say(&text) {
                    // There is no room to say it either.
                    Ok(()) | Err(Error::Full(_)) => {}
                    Err(error) => return Err(error),
                }
                if matches!(error, Error::State(_)) {
                    return Err(error);
                }
                self.pause = (self.pause * 2).min(self.running.feed.retry.pause);
                Ok(match error {
                    // Everything would be read for nothing: the source may have changed by then.
                    Error::Room(_) => pause.max(self.running.feed.schedule.compare.min(LONGEST)),
                    _ => pause,
                })
            }
        }
    }
}
