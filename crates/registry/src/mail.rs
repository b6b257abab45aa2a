//! Notifications by e-mail: who wants them, and the queue of what is on its way. Sending is somebody else's.

use dagr_model::ids::PersonId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Actor, Registry, RegistryError, Result,
    check::Check,
    db::{Conn, Row, query},
    row::{from_micros, micros, small, text, time},
};

/// Its place among the projections: the number of the notification taken last.
const NAME: &str = "mail";
/// Notifications taken in one transaction.
const BATCH: i64 = 5_000;
/// RFC 5321, 4.5.3.1.3: a path of 256 with its brackets.
const MAX_ADDRESS: usize = 254;

/// Where a person's notifications go, and in which language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailAddress {
    pub address: String,
    /// `lv`, `en`.
    pub language: String,
}

/// A message that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailDue {
    pub notification: i64,
    pub person: PersonId,
    pub address: String,
    pub language: String,
    pub kind: String,
    /// `noun/id`.
    pub object: String,
    pub at: Timestamp,
    /// Made so far.
    pub attempts: u32,
    pub queued_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailOutcome {
    /// The mail server took it.
    Sent,
    Later {
        next: Timestamp,
        reason: String,
    },
    GivenUp {
        reason: String,
    },
}

/// How the queue is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailState {
    pub waiting: u64,
    pub given_up: u64,
    /// Since when the oldest waits.
    pub oldest: Option<Timestamp>,
    /// Why the newest that was tried has not gone.
    pub reason: Option<String>,
}

impl Registry {
    pub async fn mail_address_get(&self, person: PersonId) -> Result<Option<MailAddress>> {
        address(&mut self.read().await?, person).await
    }

    /// None: no more mail; what waits for the person goes, too. The trail says that it was set, not to what.
    pub async fn mail_address_put(
        &self,
        by: &Actor,
        person: PersonId,
        put: Option<&MailAddress>,
    ) -> Result<()> {
        if let Some(put) = put {
            check(put)?;
        }
        let mut change = self.change(by).await?;
        let before = address(change.conn(), person).await?;
        if before.as_ref() == put {
            return Ok(());
        }
        if let Some(put) = put {
            query(
                "INSERT INTO mail_addresses (person, address, language) VALUES ($1, $2, $3)
                 ON CONFLICT (person) DO UPDATE SET address = $2, language = $3",
            )
            .bind(person.0)
            .bind(&put.address)
            .bind(&put.language)
            .execute(change.conn())
            .await?;
        } else {
            for statement in [
                "DELETE FROM mails WHERE person = $1 AND state = 'waiting'",
                "DELETE FROM mail_addresses WHERE person = $1",
            ] {
                query(statement).bind(person.0).execute(change.conn()).await?;
            }
        }
        let language = |address: Option<&MailAddress>| address.map(|address| address.language.clone());
        change
            .commit(
                "mail_address_put",
                format!("people/{}", person.0),
                &language(before.as_ref()),
                &language(put),
            )
            .await
    }

    /// Queues what was told since the last time for whoever wants it. The first time nothing: mail begins now. `true`:
    /// there may be more.
    pub async fn mail_queue(&self, now: Timestamp) -> Result<bool> {
        // Asked every few seconds: what brings nothing writes nothing.
        let row = query(
            "SELECT 1 FROM projections p WHERE p.name = $1
             AND p.entry = CAST((SELECT COALESCE(MAX(id), 0) FROM notifications) AS TEXT)",
        )
        .bind(NAME)
        .fetch_optional(&mut self.read().await?)
        .await?;
        if row.is_some() {
            return Ok(false);
        }
        let mut tx = self.write().await?;
        let row = query("SELECT entry FROM projections WHERE name = $1")
            .bind(NAME)
            .fetch_optional(&mut tx)
            .await?;
        let newest: i64 = query("SELECT COALESCE(MAX(id), 0) AS id FROM notifications")
            .fetch_one(&mut tx)
            .await?
            .try_get("id")?;
        let last = match row {
            Some(row) => text(&row, "entry")?.parse::<i64>().map_err(|_| {
                RegistryError::Unavailable("projections: the place of mail is no number".into())
            })?,
            None => newest,
        };
        let upto = newest.min(last.saturating_add(BATCH));
        if upto > last {
            query(
                "INSERT INTO mails (notification, person, state, attempts, queued_at, next_at, reason)
                 SELECT found.id, found.person, 'waiting', 0, CAST($3 AS BIGINT), CAST($3 AS BIGINT), NULL FROM (
                   SELECT n.id, a.person FROM notifications n JOIN mail_addresses a ON a.person = n.person
                     WHERE n.id > $1 AND n.id <= $2 AND n.read_at IS NULL
                   UNION
                   SELECT n.id, a.person FROM notifications n
                     JOIN roles r ON r.institution = n.institution AND r.state = 'active'
                     JOIN mail_addresses a ON a.person = r.person
                     WHERE n.id > $1 AND n.id <= $2 AND n.read_at IS NULL
                 ) AS found",
            )
            .bind(last)
            .bind(upto)
            .bind(micros(now))
            .execute(&mut tx)
            .await?;
        }
        query(
            "INSERT INTO projections (name, entry, at) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET entry = $2, at = $3",
        )
        .bind(NAME)
        .bind(upto.to_string())
        .bind(micros(now))
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(upto < newest)
    }

    /// Oldest first.
    pub async fn mail_due(&self, now: Timestamp, limit: u32) -> Result<Vec<MailDue>> {
        let rows = query(
            "SELECT m.notification, m.person, m.attempts, m.queued_at, a.address, a.language, n.kind, n.object, n.at
             FROM mails m JOIN mail_addresses a ON a.person = m.person JOIN notifications n ON n.id = m.notification
             WHERE m.state = 'waiting' AND m.next_at <= $1
             ORDER BY m.next_at, m.notification, m.person LIMIT $2",
        )
        .bind(micros(now))
        .bind(i64::from(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        rows.iter().map(due).collect()
    }

    pub async fn mail_outcome(&self, mail: &MailDue, outcome: &MailOutcome, at: Timestamp) -> Result<()> {
        let (state, next, reason) = match outcome {
            MailOutcome::Sent => ("sent", at, None),
            MailOutcome::Later { next, reason } => ("waiting", *next, Some(reason)),
            MailOutcome::GivenUp { reason } => ("given_up", at, Some(reason)),
        };
        let mut tx = self.write().await?;
        query(
            "UPDATE mails SET state = $3, attempts = attempts + 1, next_at = $4, reason = $5
             WHERE notification = $1 AND person = $2 AND state = 'waiting'",
        )
        .bind(mail.notification)
        .bind(mail.person.0)
        .bind(state)
        .bind(micros(next))
        .bind(reason)
        .execute(&mut tx)
        .await?;
        Ok(tx.commit().await?)
    }

    pub async fn mail_state(&self) -> Result<MailState> {
        let mut conn = self.read().await?;
        let row = query(
            "SELECT COUNT(CASE WHEN state = 'waiting' THEN 1 END) AS waiting,
                    COUNT(CASE WHEN state = 'given_up' THEN 1 END) AS given_up,
                    MIN(CASE WHEN state = 'waiting' THEN queued_at END) AS oldest FROM mails",
        )
        .fetch_one(&mut conn)
        .await?;
        let reason = query(
            "SELECT reason FROM mails WHERE state <> 'sent' AND reason IS NOT NULL
             ORDER BY notification DESC, person LIMIT 1",
        )
        .fetch_optional(&mut conn)
        .await?;
        let oldest: Option<i64> = row.try_get("oldest")?;
        let count = |name| row.try_get::<i64>(name).map(i64::cast_unsigned);
        Ok(MailState {
            waiting: count("waiting")?,
            given_up: count("given_up")?,
            oldest: oldest.map(from_micros).transpose()?,
            reason: reason.map(|row| text(&row, "reason")).transpose()?,
        })
    }

    /// What was sent or given up before then is forgotten.
    pub async fn mail_purge(&self, before: Timestamp) -> Result<()> {
        let mut tx = self.write().await?;
        query("DELETE FROM mails WHERE state <> 'waiting' AND next_at < $1")
            .bind(micros(before))
            .execute(&mut tx)
            .await?;
        Ok(tx.commit().await?)
    }
}

fn check(put: &MailAddress) -> Result<()> {
    let mut check = Check::default();
    check.require(
        is_address(&put.address),
        "address",
        "email",
        "must be an e-mail address: `vards@iestade.lv`",
    );
    check.require(
        ["lv", "en"].contains(&put.language.as_str()),
        "language",
        "language",
        "must be `lv` or `en`",
    );
    check.done()
}

/// As far as can be told without asking the other side; nothing that could end a header line.
fn is_address(address: &str) -> bool {
    let plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"<>()[],;:\\\"@".contains(&byte))
    };
    let dots = |text: &str| !text.is_empty() && text.split('.').all(|piece| !piece.is_empty());
    address.len() <= MAX_ADDRESS
        && address.split_once('@').is_some_and(|(local, domain)| {
            local.len() <= 64
                && dots(local)
                && dots(domain)
                && domain.contains('.')
                && plain(local)
                && plain(domain)
                && domain
                    .split('.')
                    .all(|label| !label.starts_with('-') && !label.ends_with('-'))
                && domain
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
        })
}

async fn address(conn: &mut Conn, person: PersonId) -> Result<Option<MailAddress>> {
    let row = query("SELECT address, language FROM mail_addresses WHERE person = $1")
        .bind(person.0)
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        Ok(MailAddress {
            address: text(&row, "address")?,
            language: text(&row, "language")?,
        })
    })
    .transpose()
}

fn due(row: &Row) -> Result<MailDue> {
    Ok(MailDue {
        notification: row.try_get("notification")?,
        person: PersonId(row.try_get("person")?),
        address: text(row, "address")?,
        language: text(row, "language")?,
        kind: text(row, "kind")?,
        object: text(row, "object")?,
        at: time(row, "at")?,
        attempts: small(row, "attempts")?,
        queued_at: time(row, "queued_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn addresses_are_told_from_what_is_none() {
        for good in ["zane.ozola@riga.lv", "a@b.co", "x+dagr@mail.vraa.gov.lv"] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("{}@b.lv", "a".repeat(65));
        for bad in [
            "",
            "@",
            "a@b",
            "a b@c.lv",
            "a@c.lv\r\nBcc: x@y.lv",
            "a@@b.lv",
            ".a@b.lv",
            "a@b..lv",
            "ā@b.lv",
            "<a@b.lv>",
            "a@-b.lv",
            "a@b.lv.",
            &long,
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
