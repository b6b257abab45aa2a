//! Sends notifications by e-mail: takes what the registry has queued to the mail server, and tells it what came of it.
//!
//! At least once: a message is marked when the server has taken it, and its `Message-ID` is the same each time.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use dagr_app::{App, mail::MailTried, problem::Problem};
use dagr_registry::{MailDue, MailOutcome};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};

use crate::config::{Mail, MailTls};

/// How long a notification waits for its turn, at most.
const EVERY: Duration = Duration::from_secs(20);
/// Messages taken from the queue at once.
const BATCH: u32 = 50;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// The way to the mail server, ready to be used.
pub struct Post {
    transport: Transport,
    from: Mailbox,
    /// The public address, without a slash at its end.
    base: String,
}

impl Post {
    /// None where no mail server is configured.
    pub fn new(mail: &Mail, public_url: &str) -> Result<Option<Self>, String> {
        let (Some(host), Some(from)) = (&mail.host, &mail.from) else {
            return Ok(None);
        };
        let tls = || TlsParameters::new(host.clone()).map_err(|error| error.to_string());
        let tls = match mail.tls {
            MailTls::Starttls => Tls::Required(tls()?),
            MailTls::Tls => Tls::Wrapper(tls()?),
            MailTls::None => Tls::None,
        };
        let mut builder = Transport::builder_dangerous(host)
            .port(mail.port)
            .tls(tls)
            .timeout(Some(Duration::from_millis(mail.timeout_ms)));
        if let (Some(user), Some(password)) = (&mail.user, mail.password()?) {
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Some(Self {
            transport: builder.build(),
            from: from
                .parse()
                .map_err(|_| "from: an address is wanted".to_owned())?,
            base: public_url.trim_end_matches('/').to_owned(),
        }))
    }

    fn message(&self, due: &MailDue) -> Result<Message, String> {
        let said = dagr_portal::mail(&due.language, &due.kind, &due.object, &self.base);
        let to = due.address.parse().map_err(|_| "not an address".to_owned())?;
        let host = self.from.email.domain();
        let id = format!("<notification.{}.{}@{host}>", due.notification, due.person.0);
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(said.subject)
            .message_id(Some(id))
            .date(SystemTime::UNIX_EPOCH + Duration::from_secs(due.at.as_second().unsigned_abs()))
            // RFC 3834: nobody's holiday notice answers it.
            .raw_header(lettre::message::header::HeaderValue::new(
                lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(ContentType::TEXT_PLAIN)
            .body(said.body)
            .map_err(|error| error.to_string())
    }

    async fn send(&self, due: &MailDue) -> MailTried {
        let message = match self.message(due) {
            Ok(message) => message,
            Err(reason) => return MailTried::Never(reason),
        };
        match self.transport.send(message).await {
            Ok(_) => MailTried::Sent,
            Err(error) if error.is_permanent() => MailTried::Never(reason(&error)),
            Err(error) => MailTried::NotNow(reason(&error)),
        }
    }
}

/// Runs until it is aborted.
pub async fn run(app: Arc<App>, post: Post) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(problem) = round(&app, &post).await {
            tracing::error!(code = problem.code, detail = problem.detail, "mail was not sent");
        }
    }
}

/// Everything that is due now, as long as the mail server answers.
pub async fn round(app: &App, post: &Post) -> Result<(), Problem> {
    app.mail_queue_run().await?;
    loop {
        let due = app.mail_due(BATCH).await?;
        if due.is_empty() {
            break;
        }
        // Is it there, and does it let us in? Else nothing is tried, and no message grows older in attempts.
        let is_there = post.transport.test_connection().await;
        if !is_there.as_ref().is_ok_and(|is_there| *is_there) {
            waits(&is_there.map_or_else(|error| reason(&error), |_| "it does not answer NOOP".to_owned()));
            break;
        }
        for mail in &due {
            let tried = post.send(mail).await;
            told(mail, &app.mail_tried(mail, tried).await?);
        }
    }
    let state = app.mail_state().await?;
    metrics::gauge!("dagr_mail_waiting").set(state.waiting as f64);
    Ok(())
}

fn waits(reason: &str) {
    tracing::warn!(reason, "the mail server is not there; mail waits");
    metrics::counter!("dagr_mail_server_unavailable_total").increment(1);
}

/// No address stands in the log.
fn told(mail: &MailDue, outcome: &MailOutcome) {
    let word = match outcome {
        MailOutcome::Sent => "sent",
        MailOutcome::Later { .. } => "later",
        MailOutcome::GivenUp { .. } => "given_up",
    };
    metrics::counter!("dagr_mail_total", "outcome" => word).increment(1);
    if let MailOutcome::GivenUp { reason } | MailOutcome::Later { reason, .. } = outcome {
        tracing::warn!(
            notification = mail.notification,
            outcome = word,
            reason,
            "a message did not go"
        );
    }
}

/// What the server answered, without what it quotes: it may quote the address.
fn reason(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_timeout() => "the mail server did not answer in time".to_owned(),
        None if error.is_tls() => "no TLS with the mail server".to_owned(),
        None => "the mail server cannot be reached".to_owned(),
    }
}
