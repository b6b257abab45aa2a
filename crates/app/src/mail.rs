//! Notifications by e-mail: where a person wants them, and when what did not go is tried again.

use dagr_registry::{MailAddress, MailDue, MailOutcome, MailState};
use jiff::{SignedDuration, Timestamp};

use crate::{App, ctx::Ctx, problem::Problem};

/// RFC 5321, 4.5.4.1: tried for four to five days.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(4 * 24);
const FIRST_PAUSE_S: i64 = 60;
const LONGEST_PAUSE_S: i64 = 3_600;
/// What was sent is remembered as long.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What came of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailTried {
    Sent,
    /// The mail server may take it another time: 4xx, no answer.
    NotNow(String),
    /// It never will: 5xx, no address.
    Never(String),
}

impl App {
    /// A person's own; nobody else is shown it.
    pub async fn mail_address_get(&self, ctx: &Ctx) -> Result<Option<MailAddress>, Problem> {
        Ok(self.registry.mail_address_get(ctx.person()?.id).await?)
    }

    /// None: no mail.
    pub async fn mail_address_put(&self, ctx: &Ctx, put: Option<&MailAddress>) -> Result<(), Problem> {
        let person = ctx.person()?.id;
        Ok(self.registry.mail_address_put(&ctx.actor(), person, put).await?)
    }

    /// Queues what was told since the last time, and forgets what went long ago.
    pub async fn mail_queue_run(&self) -> Result<(), Problem> {
        let now = self.clock.now();
        while self.registry.mail_queue(now).await? {}
        if let Ok(before) = now.checked_sub(KEPT) {
            self.registry.mail_purge(before).await?;
        }
        Ok(())
    }

    pub async fn mail_due(&self, limit: u32) -> Result<Vec<MailDue>, Problem> {
        Ok(self.registry.mail_due(self.clock.now(), limit).await?)
    }

    pub async fn mail_tried(&self, mail: &MailDue, tried: MailTried) -> Result<MailOutcome, Problem> {
        let now = self.clock.now();
        let outcome = outcome(mail, tried, now);
        self.registry.mail_outcome(mail, &outcome, now).await?;
        Ok(outcome)
    }

    pub async fn mail_state(&self) -> Result<MailState, Problem> {
        Ok(self.registry.mail_state().await?)
    }
}

fn outcome(mail: &MailDue, tried: MailTried, now: Timestamp) -> MailOutcome {
    let reason = match tried {
        MailTried::Sent => return MailOutcome::Sent,
        MailTried::Never(reason) => return MailOutcome::GivenUp { reason },
        MailTried::NotNow(reason) => reason,
    };
    match now.checked_add(pause(mail)) {
        Ok(next) if next.duration_since(mail.queued_at) <= GIVEN_UP_AFTER => {
            MailOutcome::Later { next, reason }
        }
        _ => MailOutcome::GivenUp { reason },
    }
}

/// Doubles to an hour, and differs from message to message by up to a quarter.
fn pause(mail: &MailDue) -> SignedDuration {
    let doubled = FIRST_PAUSE_S << mail.attempts.min(10);
    let pause = doubled.min(LONGEST_PAUSE_S);
    let dice = (mail.notification.wrapping_mul(31) + mail.person.0).rem_euclid(97);
    SignedDuration::from_secs(pause + pause * dice / (4 * 97))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_go_is_tried_ever_less_often_and_given_up_in_the_end() {
        let queued_at: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let mut mail = MailDue {
            notification: 7,
            person: dagr_model::ids::PersonId(3),
            address: "a@b.lv".into(),
            language: "lv".into(),
            kind: "application_returned".into(),
            object: "applications/200001".into(),
            at: queued_at,
            attempts: 0,
            queued_at,
        };
        let (mut now, mut pauses) = (queued_at, Vec::new());
        loop {
            match outcome(&mail, MailTried::NotNow("451".into()), now) {
                MailOutcome::Later { next, .. } => {
                    pauses.push(next.duration_since(now).as_secs());
                    now = next;
                    mail.attempts += 1;
                }
                other => {
                    assert_eq!(other, MailOutcome::GivenUp { reason: "451".into() });
                    break;
                }
            }
        }
        assert!(pauses.windows(2).all(|two| two[0] <= two[1]), "{pauses:?}");
        assert!((60..=75).contains(&pauses[0]) && *pauses.last().unwrap() <= 4_500);
        // Four days of an hour each, and the first few.
        assert!((70..=110).contains(&pauses.len()), "{}", pauses.len());
        let never = outcome(&mail, MailTried::Never("550".into()), now);
        assert_eq!(never, MailOutcome::GivenUp { reason: "550".into() });
    }
}
